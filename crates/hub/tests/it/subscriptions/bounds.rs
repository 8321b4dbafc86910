//! What is kept, for how long, and what ends a subscription by itself.

use std::time::Duration;

use ieum::hub::Entrance;
use serde_json::json;

use super::receiver::{Receiver, events_of, subscribe, subscription, wait, wait_for_state};
use crate::support::{Kind, Server, on_every_engine};

on_every_engine!(
    events_go_after_a_while_and_their_numbers_stay,
    who_is_too_far_behind_is_off,
    who_is_in_error_for_too_long_is_off,
);

fn put(server: &Server, id: &str) {
    let patient = json!({ "resourceType": "Patient", "id": id }).to_string();
    server.put(&format!("/Patient/{id}"), &patient).expect(201);
}

fn events_go_after_a_while_and_their_numbers_stay(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.pause_first = Duration::from_millis(20);
        options.pause_most = Duration::from_millis(20);
        options.attempts = 10_000;
        options.keep = Duration::ZERO;
        options.sweep_every = Duration::from_millis(20);
    });
    let id = subscribe(
        &server,
        None,
        &subscription(&receiver, "resource-changed", &["Patient?_id:missing=false"], "id-only"),
    );
    for number in 1..=3 {
        put(&server, &format!("p{number}"));
        receiver.wait_for(number);
    }
    let kept = || {
        let bundle = server.get(&format!("/Subscription/{id}/$events")).expect(200).json();
        events_of(&bundle).into_iter().map(|(number, _)| number).collect::<Vec<_>>()
    };
    // The sweep comes round when there is something to look at, and after two seconds at the latest.
    wait(|| kept() == [3], &|| format!("the newest alone, got {:?}", kept()));
    // What waits for the receiver stays, however long.
    receiver.answer(503);
    put(&server, "p4");
    put(&server, "p5");
    std::thread::sleep(Duration::from_millis(2_500));
    receiver.answer(200);
    assert_eq!(receiver.wait_for(5)[3..], [(4, "p4".into()), (5, "p5".into())]);
}

fn who_is_too_far_behind_is_off(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.attempts = 10_000;
        options.waiting_most = 3;
    });
    let id = subscribe(&server, None, &subscription(&receiver, "resource-changed", &[], "empty"));
    receiver.answer(503);
    for number in 0..4 {
        put(&server, &format!("p{number}"));
    }
    wait_for_state(&server, None, &id, "off");
    let shown = server.get(&format!("/Subscription/{id}")).json();
    assert!(shown["error"].as_str().unwrap().starts_with("IEUM-N011"), "{shown}");
}

fn who_is_in_error_for_too_long_is_off(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.pause_first = Duration::from_millis(1);
        options.attempts = 2;
        options.error_most = Duration::from_millis(500);
    });
    receiver.answer(404);
    let wanted = subscription(&receiver, "resource-changed", &[], "empty").to_string();
    let id = server.post("/Subscription", &wanted).expect(201).json()["id"].as_str().unwrap().to_owned();
    wait_for_state(&server, None, &id, "error");
    wait_for_state(&server, None, &id, "off");
    let shown = server.get(&format!("/Subscription/{id}")).json();
    assert!(shown["error"].as_str().unwrap().starts_with("IEUM-N009"), "{shown}");
}

//! What is kept, for how long, and what ends a subscription by itself.

use std::time::Duration;

use ieum::hub::Entrance;
use ieum_trust::access::Access;
use serde_json::{Value, json};

use super::asking::value_set;
use super::receiver::{Receiver, events_of, subscribe, subscription, wait, wait_for_state};
use crate::support::{Failing, Kind, Server, on_every_engine};

on_every_engine!(
    events_go_after_a_while_and_their_numbers_stay,
    who_is_too_far_behind_is_off,
    who_is_in_error_for_too_long_is_off,
    what_was_told_is_forgotten_with_the_subscription,
    filters_that_cannot_be_read_for_a_while_miss_nothing,
    filters_that_cannot_be_read_for_too_long,
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

fn what_was_told_is_forgotten_with_the_subscription(kind: Kind) {
    let receiver = Receiver::start();
    let server = super::telling::server(kind, &[&receiver]);
    let id = subscribe(&server, None, &subscription(&receiver, "resource-changed", &[], "id-only"));
    let view = || server.door.view(&Access::system("test")).unwrap();
    let record = view().read("IeumSubscription", &id).unwrap().unwrap();
    let record: Value = serde_json::from_slice(&record.plain_json()).unwrap();
    let follower = format!("subscription {}", record["key"].as_str().unwrap());
    put(&server, "p1");
    receiver.wait_for(1);
    wait(|| view().follower(&follower).unwrap() == 1, &|| "the place".into());
    server.delete(&format!("/Subscription/{id}")).expect(204);
    assert_eq!(view().follower(&follower).unwrap(), 0);
}

/// A server with a subscription to men, by a value set.
fn to_men(kind: Kind, receiver: &Receiver) -> (Server, std::sync::Arc<Failing>, String) {
    let (server, failing) = Server::unreliable(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.pause_first = Duration::from_millis(20);
        options.pause_most = Duration::from_millis(200);
        options.attempts = 15;
        options.error_most = Duration::from_secs(1);
    });
    server.put("/ValueSet/men", &value_set("men", "male")).expect(201);
    let filter = "Patient?gender:in=http://vs.test/men";
    let id = subscribe(&server, None, &subscription(receiver, "resource-changed", &[filter], "id-only"));
    (server, failing, id)
}

fn put_of(server: &Server, id: &str, gender: &str) {
    let patient = json!({ "resourceType": "Patient", "id": id, "gender": gender }).to_string();
    server.put(&format!("/Patient/{id}"), &patient).expect(201);
}

/// Another parameter in force: all filters are read again.
fn define_something(server: &Server, code: &str) {
    let definition = json!({
        "resourceType": "SearchParameter", "id": code, "url": format!("http://x.test/{code}"), "name": "n",
        "status": "active", "description": "d", "code": code, "base": ["Patient"], "type": "string",
        "expression": "Patient.name.text",
    });
    server.put(&format!("/SearchParameter/{code}"), &definition.to_string()).expect(201);
}

fn filters_that_cannot_be_read_for_a_while_miss_nothing(kind: Kind) {
    let receiver = Receiver::start();
    let (server, failing, id) = to_men(kind, &receiver);
    // Read again while they cannot be: what they meant before counts.
    Failing::set(&failing.value_sets, true);
    define_something(&server, "one");
    put_of(&server, "p1", "male");
    put_of(&server, "p2", "female");
    assert_eq!(receiver.wait_for(1), [(1, "p1".into())]);
    let wanted =
        subscription(&receiver, "resource-changed", &["Patient?gender:in=http://vs.test/men"], "empty");
    server.post("/Subscription", &wanted.to_string()).refused(503, "IEUM-R018");
    Failing::set(&failing.value_sets, false);
    put_of(&server, "p3", "male");
    assert_eq!(receiver.wait_for(2)[1..], [(2, "p3".into())]);
    // Begun anew while they cannot be: what happens meanwhile waits.
    Failing::set(&failing.value_sets, true);
    Failing::set(&failing.feed, true);
    put_of(&server, "p4", "male");
    std::thread::sleep(Duration::from_millis(300));
    Failing::set(&failing.feed, false);
    std::thread::sleep(Duration::from_millis(2_500));
    put_of(&server, "p5", "male");
    put_of(&server, "p6", "female");
    assert_eq!(receiver.events().len(), 2, "nobody can tell yet");
    Failing::set(&failing.value_sets, false);
    assert_eq!(receiver.wait_for(4)[2..], [(3, "p4".into()), (4, "p5".into())]);
    assert_eq!(server.get(&format!("/Subscription/{id}")).json()["status"], "active");
}

fn filters_that_cannot_be_read_for_too_long(kind: Kind) {
    let receiver = Receiver::start();
    let (server, failing, id) = to_men(kind, &receiver);
    Failing::set(&failing.value_sets, true);
    define_something(&server, "one");
    let error = || server.get(&format!("/Subscription/{id}")).json()["error"].clone();
    wait_for_state(&server, None, &id, "error");
    assert!(error().as_str().unwrap().starts_with("IEUM-N003"), "{}", error());
    wait_for_state(&server, None, &id, "off");
    assert!(error().as_str().unwrap().starts_with("IEUM-N003"), "{}", error());
    // Its maker takes it up again when they can be read.
    let mut shown = server.get(&format!("/Subscription/{id}")).json();
    shown["status"] = "requested".into();
    Failing::set(&failing.value_sets, false);
    server.put(&format!("/Subscription/{id}"), &shown.to_string()).expect(200);
    wait_for_state(&server, None, &id, "active");
    put_of(&server, "p1", "male");
    receiver.wait_for(1);
}

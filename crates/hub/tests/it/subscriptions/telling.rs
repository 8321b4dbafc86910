//! What is told, in which order, and what happens when nobody listens.

use std::time::Duration;

use ieum::hub::Entrance;
use serde_json::{Value, json};

use super::receiver::{Receiver, events_of, parameter, subscribe, subscription, wait, wait_for_state, with};
use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    hands_are_shaken_and_events_are_told,
    every_content,
    topics_and_filters,
    in_order_under_many_writers,
    nothing_is_lost_while_the_receiver_is_down,
    given_up_after_too_many_failures_and_taken_up_again,
    a_dead_endpoint_holds_up_nobody,
    heartbeats_and_large_commits,
    numbers_go_on_after_several_batches_of_one_commit,
    events_can_be_asked_for,
    ends_by_itself_and_by_deletion,
    that_it_is_off_is_told_once,
);

/// An open server that may send to this machine, and is quick to try again.
pub(super) fn server(kind: Kind, receivers: &[&Receiver]) -> Server {
    with_entrance(kind, Entrance::Open, receivers)
}

pub(super) fn with_entrance(kind: Kind, entrance: Entrance, receivers: &[&Receiver]) -> Server {
    Server::with_subscriptions(kind, entrance, |options| {
        options.rules.origins = receivers.iter().map(|receiver| receiver.origin()).collect();
        options.rules.private = true;
        options.pause_first = Duration::from_millis(20);
        options.pause_most = Duration::from_millis(100);
        options.heartbeat_least = 1;
    })
}

fn patient(id: &str, family: &str) -> String {
    json!({ "resourceType": "Patient", "id": id, "name": [{ "family": family }] }).to_string()
}

fn hands_are_shaken_and_events_are_told(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    server.put("/Patient/before", &patient("before", "김")).expect(201);
    let mut wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    wanted["channel"]["header"] = json!(["Authorization: Bearer secret-of-receiver", "X-Site: 1"]);
    let id = subscribe(&server, None, &wanted);

    let handshake = &receiver.came()[0];
    assert!(handshake.head.starts_with("POST /hook HTTP/1.1"), "{}", handshake.head);
    let head = handshake.head.to_ascii_lowercase();
    assert!(head.contains("authorization: bearer secret-of-receiver\r\n"), "{head}");
    assert!(head.contains("x-site: 1\r\n") && head.contains("content-type: application/fhir+json\r\n"));
    assert_eq!(parameter(&handshake.bundle, "type")["valueCode"], "handshake");
    assert_eq!(parameter(&handshake.bundle, "status")["valueCode"], "requested");

    server.put("/Patient/p1", &patient("p1", "김")).expect(201);
    server.put("/Patient/p2", &patient("p2", "이")).expect(201);
    server.put("/Patient/p1", &patient("p1", "김하늘")).expect(200);
    server.delete("/Patient/p1").expect(204);
    assert_eq!(receiver.wait_for(3), [(1, "p1".into()), (2, "p1".into()), (3, "p1".into())]);

    let told = receiver.of_type("event-notification");
    let first = &told[0];
    assert_eq!(first["type"], "history");
    let topic = parameter(first, "topic")["valueCanonical"].clone();
    assert_eq!(topic, "https://ieum.example/topics/resource-changed");
    let reference = parameter(first, "subscription")["valueReference"]["reference"].clone();
    assert_eq!(reference, format!("{}/Subscription/{id}", server.base));
    assert_eq!(first["entry"][1]["request"]["method"], "POST");
    assert!(first["entry"][1]["resource"].is_null(), "the id only");
    // Everything that leaves is a valid resource.
    for came in receiver.came() {
        let text = came.bundle.to_string();
        let document = ieum_fhir::json::Document::parse(text.as_bytes(), &Default::default()).unwrap();
        let issues = ieum_fhir::validate::validate(document.root(), Some("Bundle")).issues;
        assert!(issues.is_empty(), "{issues:?}");
    }
    // Secrets are not shown, and stay when what is shown is sent back.
    let mut shown = server.get(&format!("/Subscription/{id}")).json();
    assert_eq!(shown["channel"]["header"][0], "Authorization: (hidden)");
    assert!(!server.get(&format!("/Subscription/{id}/_history")).text().contains("secret-of-receiver"));
    shown["reason"] = "another".into();
    server.put(&format!("/Subscription/{id}"), &shown.to_string()).expect(200);
    server.put("/Patient/p3", &patient("p3", "김")).expect(201);
    receiver.wait_for(4);
    assert!(receiver.came().last().unwrap().head.contains("secret-of-receiver"));
    assert_eq!(receiver.of_type("handshake").len(), 1, "nothing began anew");
}

fn every_content(kind: Kind) {
    let (empty, full) = (Receiver::start(), Receiver::start());
    let server = server(kind, &[&empty, &full]);
    subscribe(&server, None, &subscription(&empty, "resource-changed", &["Patient?_id=p1"], "empty"));
    subscribe(&server, None, &subscription(&full, "resource-changed", &["Patient?_id=p1"], "full-resource"));
    server.put("/Patient/p1", &patient("p1", "김")).expect(201);
    server.put("/Patient/p1", &patient("p1", "이")).expect(200);
    server.delete("/Patient/p1").expect(204);
    assert_eq!(empty.wait_for(3), [(1, String::new()), (2, String::new()), (3, String::new())]);
    full.wait_for(3);
    assert!(!empty.came().iter().any(|came| came.bundle.to_string().contains("p1")));
    let told: Vec<Value> =
        full.of_type("event-notification").iter().flat_map(|bundle| entries(bundle)[1..].to_vec()).collect();
    let family = |entry: &Value| entry["resource"]["name"][0]["family"].clone();
    assert_eq!((family(&told[0]), family(&told[1])), ("김".into(), "이".into()), "each as it was then");
    assert_eq!(told[1]["resource"]["meta"]["versionId"], "2");
    assert_eq!(told[2]["request"]["method"], "DELETE");
    assert!(told[2]["resource"].is_null());
}

fn topics_and_filters(kind: Kind) {
    let receivers: Vec<Receiver> = (0..4).map(|_| Receiver::start()).collect();
    let server = server(kind, &receivers.iter().collect::<Vec<_>>());
    let record =
        ["Observation?code=http://loinc.org|4548-4&value-quantity=gt6", "Condition?clinical-status=active"];
    subscribe(&server, None, &subscription(&receivers[0], "resource-changed", &record, "id-only"));
    let of = ["Patient?_id=p1"];
    subscribe(&server, None, &subscription(&receivers[1], "patient-record-changed", &of, "id-only"));
    subscribe(
        &server,
        None,
        &subscription(&receivers[2], "encounter-start", &["Encounter?class=EMER"], "id-only"),
    );
    subscribe(&server, None, &subscription(&receivers[3], "encounter-end", &[], "id-only"));

    server.put("/Patient/p1", &patient("p1", "김")).expect(201);
    server.put("/Patient/p2", &patient("p2", "이")).expect(201);
    let observation = |id: &str, code: &str, value: f64, patient: &str| {
        let json = json!({
            "resourceType": "Observation", "id": id, "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
            "subject": { "reference": format!("Patient/{patient}") },
            "valueQuantity": { "value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%" },
        });
        server.put(&format!("/Observation/{id}"), &json.to_string()).expect(201);
    };
    observation("o1", "4548-4", 5.5, "p1");
    observation("o2", "4548-4", 7.5, "p2");
    observation("o3", "9999-9", 7.5, "p1");
    let encounter = |id: &str, class: &str, status: &str| {
        let json = json!({
            "resourceType": "Encounter", "id": id, "status": status,
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class },
            "subject": { "reference": "Patient/p2" },
        });
        let reply = server.put(&format!("/Encounter/{id}"), &json.to_string());
        assert!(reply.status < 300, "{}", reply.text());
    };
    encounter("e1", "EMER", "planned");
    encounter("e2", "AMB", "in-progress");
    encounter("e1", "EMER", "in-progress");
    encounter("e1", "EMER", "in-progress");
    encounter("e1", "EMER", "finished");
    encounter("e1", "EMER", "in-progress");
    server.delete("/Observation/o3").expect(204);
    server.delete("/Patient/p1").expect(204);

    let ids = |receiver: &Receiver, count| -> Vec<String> {
        receiver.wait_for(count).into_iter().map(|(_, id)| id).collect()
    };
    assert_eq!(ids(&receivers[3], 1), ["e1"]);
    assert_eq!(ids(&receivers[2], 2), ["e1", "e1"], "started, and started again");
    assert_eq!(ids(&receivers[1], 5), ["p1", "o1", "o3", "o3", "p1"]);
    assert_eq!(ids(&receivers[0], 1), ["o2"]);
}

fn in_order_under_many_writers(kind: Kind) {
    const WRITERS: usize = 6;
    const EACH: usize = 25;
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=순서"], "full-resource");
    subscribe(&server, None, &with(wanted, "backport-max-count", 7));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let server = &server;
            scope.spawn(move || {
                for round in 0..EACH {
                    let id = format!("w{writer}");
                    let family = format!("순서{round}");
                    let reply = server.put(&format!("/Patient/{id}"), &patient(&id, &family));
                    assert!(reply.status < 300, "{}", reply.text());
                }
            });
        }
    });
    let events = receiver.wait_for(WRITERS * EACH);
    let numbers: Vec<u64> = events.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=(WRITERS * EACH) as u64).collect::<Vec<_>>(), "gapless and in order");
    let told = receiver.of_type("event-notification");
    assert!(told.iter().all(|bundle| events_of(bundle).len() <= 7), "more events than were asked for");
    for writer in 0..WRITERS {
        let id = format!("w{writer}");
        let versions: Vec<String> = told
            .iter()
            .flat_map(|bundle| entries(bundle)[1..].to_vec())
            .filter(|entry| entry["resource"]["id"] == id.as_str())
            .map(|entry| entry["resource"]["meta"]["versionId"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(versions, (1..=EACH).map(|version| version.to_string()).collect::<Vec<_>>());
    }
}

fn nothing_is_lost_while_the_receiver_is_down(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.pause_first = Duration::from_millis(20);
        options.pause_most = Duration::from_millis(20);
        options.attempts = 1_000;
    });
    subscribe(&server, None, &subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only"));
    receiver.answer(503);
    for number in 0..10 {
        server.put(&format!("/Patient/p{number}"), &patient(&format!("p{number}"), "김")).expect(201);
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(receiver.events().is_empty());
    receiver.answer(200);
    let expected: Vec<_> = (0..10).map(|number| (number + 1, format!("p{number}"))).collect();
    assert_eq!(receiver.wait_for(10), expected);
}

fn given_up_after_too_many_failures_and_taken_up_again(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.pause_first = Duration::from_millis(5);
        options.attempts = 3;
    });
    let id = subscribe(
        &server,
        None,
        &subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only"),
    );
    receiver.answer(500);
    server.put("/Patient/p1", &patient("p1", "김")).expect(201);
    wait_for_state(&server, None, &id, "error");
    let shown = server.get(&format!("/Subscription/{id}")).json();
    assert!(shown["error"].as_str().unwrap().starts_with("IEUM-N009"), "{shown}");
    // Events are still made, and can be asked for.
    server.put("/Patient/p2", &patient("p2", "김")).expect(201);
    let path = format!("/Subscription/{id}/$events");
    wait(|| events_of(&server.get(&path).json()).len() == 2, &|| "two events".into());
    let status = server.get(&format!("/Subscription/{id}/$status")).json();
    assert_eq!(parameter(&status, "status")["valueCode"], "error");
    assert_eq!(parameter(&status, "error")["valueCodeableConcept"]["coding"][0]["code"], "IEUM-N009");
    assert!(receiver.events().is_empty());
    // Asked for again, it goes on where it was.
    receiver.answer(200);
    let again = Value::from_iter([("status", "requested")]);
    let mut wanted = shown;
    wanted["status"] = again["status"].clone();
    server.put(&format!("/Subscription/{id}"), &wanted.to_string()).expect(200);
    assert_eq!(receiver.wait_for(2), [(1, "p1".into()), (2, "p2".into())]);
    assert!(server.get(&format!("/Subscription/{id}")).json()["error"].is_null());
}

fn a_dead_endpoint_holds_up_nobody(kind: Kind) {
    let (dead, alive) = (Receiver::start(), Receiver::start());
    let server = server(kind, &[&dead, &alive]);
    for receiver in [&dead, &dead, &dead, &alive] {
        let wanted = subscription(receiver, "resource-changed", &["Patient?name=김"], "id-only");
        subscribe(&server, None, &with(wanted, "backport-timeout", 60));
    }
    dead.answer(0);
    for number in 0..20 {
        server.put(&format!("/Patient/p{number}"), &patient(&format!("p{number}"), "김")).expect(201);
    }
    // Far less than the time for which the dead one is waited for.
    alive.wait_for(20);
    assert!(dead.events().is_empty());
}

fn heartbeats_and_large_commits(kind: Kind) {
    const MANY: usize = 2_300;
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let wanted = with(with(wanted, "backport-heartbeat-period", 1), "backport-max-count", 1_000);
    subscribe(&server, None, &wanted);
    wait(|| receiver.of_type("heartbeat").len() > 1, &|| "heartbeats".into());
    assert_eq!(
        parameter(&receiver.of_type("heartbeat")[0], "eventsSinceSubscriptionStart")["valueString"],
        "0"
    );
    // One commit of more changes than are looked at in one step.
    let entry = |number: usize| {
        json!({
            "resource": serde_json::from_str::<Value>(&patient(&format!("p{number}"), "김")).unwrap(),
            "request": { "method": "PUT", "url": format!("Patient/p{number}") },
        })
    };
    let bundle = json!({
        "resourceType": "Bundle", "type": "transaction", "entry": (0..MANY).map(entry).collect::<Vec<_>>(),
    });
    server.post("", &bundle.to_string()).expect(200);
    server.put("/Patient/last", &patient("last", "김")).expect(201);
    let events = receiver.wait_for(MANY + 1);
    assert!(events.iter().map(|(number, _)| *number).eq(1..=(MANY as u64 + 1)));
    let mut ids: Vec<&str> = events.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(*ids.last().unwrap(), "last");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), MANY + 1, "each record once");
}

/// One commit makes several batches: whoever looks for the last number must not take that of the first.
fn numbers_go_on_after_several_batches_of_one_commit(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let id = subscribe(&server, None, &with(wanted, "backport-max-count", 1));
    let entry = |number: usize| {
        json!({
            "resource": serde_json::from_str::<Value>(&patient(&format!("p{number}"), "김")).unwrap(),
            "request": { "method": "PUT", "url": format!("Patient/p{number}") },
        })
    };
    let entries: Vec<Value> = (0..3).map(entry).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    server.post("", &bundle.to_string()).expect(200);
    receiver.wait_for(3);
    // Taken up again, it is looked for in the records how far it had come.
    for status in ["off", "requested"] {
        let mut json = server.get(&format!("/Subscription/{id}")).expect(200).json();
        json["status"] = status.into();
        server.put(&format!("/Subscription/{id}"), &json.to_string()).expect(200);
        wait_for_state(&server, None, &id, if status == "off" { "off" } else { "active" });
    }
    server.put("/Patient/after", &patient("after", "김")).expect(201);
    let events = receiver.wait_for(4);
    assert_eq!(events.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(events[3].1, "after");
    let all = server.get(&format!("/Subscription/{id}/$events")).expect(200).json();
    assert_eq!(events_of(&all).len(), 4);
}

fn events_can_be_asked_for(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let id =
        subscribe(&server, None, &subscription(&receiver, "resource-changed", &["Patient?name=김"], "empty"));
    for number in 1..=5 {
        server.put(&format!("/Patient/p{number}"), &patient(&format!("p{number}"), "김")).expect(201);
    }
    receiver.wait_for(5);
    let path = format!("/Subscription/{id}/$events");
    let ask = |query: &str| server.get(&format!("{path}?{query}")).expect(200).json();
    let numbers =
        |bundle: &Value| events_of(bundle).into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!(numbers(&ask("")), [1, 2, 3, 4, 5]);
    // However they were put together when they were made.
    for (since, until) in (1..=5_u64).flat_map(|since| (since..=5).map(move |until| (since, until))) {
        let found = numbers(&ask(&format!("eventsSinceNumber={since}&eventsUntilNumber={until}")));
        assert_eq!(found, (since..=until).collect::<Vec<_>>());
    }
    assert_eq!(numbers(&ask("eventsSinceNumber=6")), Vec::<u64>::new());
    assert_eq!(numbers(&ask("eventsSinceNumber=4&eventsUntilNumber=2")), Vec::<u64>::new());
    let full = ask("eventsSinceNumber=4&content=full-resource");
    assert_eq!(events_of(&full), [(4, "p4".into()), (5, "p5".into())]);
    assert_eq!(full["entry"][1]["resource"]["id"], "p4");
    assert_eq!(parameter(&full, "type")["valueCode"], "query-event");
    let body = json!({
        "resourceType": "Parameters",
        "parameter": [{ "name": "eventsSinceNumber", "valueString": "5" }, { "name": "content", "valueCode": "id-only" }],
    });
    let posted = server.post(&path, &body.to_string()).expect(200).json();
    assert_eq!(events_of(&posted), [(5, "p5".into())]);
    server.get(&format!("{path}?content=all")).refused(400, "IEUM-A002");
    server.get(&format!("{path}?eventsSinceNumber=x")).refused(400, "IEUM-A002");
    server.get(&format!("{path}?since=1")).refused(400, "IEUM-A002");
    server.get("/Subscription/nobody/$events").refused(404, "IEUM-R006");

    let status = server.get(&format!("/Subscription/{id}/$status")).expect(200).json();
    assert_eq!(parameter(&status, "eventsSinceSubscriptionStart")["valueString"], "5");
    assert_eq!(parameter(&status, "type")["valueCode"], "query-status");
    let all = server.get("/Subscription/$status?status=active").expect(200).json();
    assert_eq!(entries(&all).len(), 1);
    assert!(entries(&server.get("/Subscription/$status?status=off").expect(200).json()).is_empty());
    assert_eq!(entries(&server.get(&format!("/Subscription/$status?id={id}")).json()).len(), 1);
    server.get("/Subscription/nobody/$status").refused(404, "IEUM-R006");
}

fn ends_by_itself_and_by_deletion(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let mut wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let soon = ieum_store::clock::system_clock()() + 2_500_000;
    wanted["end"] = ieum_fhir::date::format_instant(soon).into();
    let ending = subscribe(&server, None, &wanted);
    wait_for_state(&server, None, &ending, "off");
    wanted.as_object_mut().unwrap().remove("end");
    let id = subscribe(&server, None, &wanted);
    server.put("/Patient/p1", &patient("p1", "김")).expect(201);
    receiver.wait_for(1);
    server.delete(&format!("/Subscription/{id}")).expect(204);
    server.put("/Patient/p2", &patient("p2", "김")).expect(201);
    server.get(&format!("/Subscription/{id}/$events")).refused(404, "IEUM-R006");
    // Turned off, and on again: what happened in between is nobody's event.
    let id = subscribe(&server, None, &wanted);
    let mut shown = server.get(&format!("/Subscription/{id}")).json();
    shown["status"] = "off".into();
    server.put(&format!("/Subscription/{id}"), &shown.to_string()).expect(200);
    server.put("/Patient/p3", &patient("p3", "김")).expect(201);
    shown["status"] = "requested".into();
    server.put(&format!("/Subscription/{id}"), &shown.to_string()).expect(200);
    wait_for_state(&server, None, &id, "active");
    server.put("/Patient/p4", &patient("p4", "김")).expect(201);
    assert_eq!(receiver.wait_for(2), [(1, "p1".into()), (1, "p4".into())]);
}

/// What the hub turns off is told of with a last heartbeat, whether it was being told before or not.
fn that_it_is_off_is_told_once(kind: Kind) {
    let (ending, failing, closed) = (Receiver::start(), Receiver::start(), Receiver::start());
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = [&ending, &failing, &closed].map(Receiver::origin).to_vec();
        options.rules.private = true;
        options.pause_first = Duration::from_millis(5);
        options.attempts = 2;
        options.error_most = Duration::from_secs(1);
    });
    let wanted = |receiver| subscription(receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let mut with_end = wanted(&ending);
    let soon = ieum_store::clock::system_clock()() + 2_500_000;
    with_end["end"] = ieum_fhir::date::format_instant(soon).into();
    subscribe(&server, None, &with_end);
    subscribe(&server, None, &wanted(&failing));
    let off = subscribe(&server, None, &wanted(&closed));
    let mut shown = server.get(&format!("/Subscription/{off}")).json();
    shown["status"] = "off".into();
    server.put(&format!("/Subscription/{off}"), &shown.to_string()).expect(200);
    failing.answer(500);
    server.put("/Patient/p1", &patient("p1", "김")).expect(201);
    ending.wait_for(1);
    std::thread::sleep(Duration::from_millis(300));
    failing.answer(200);
    for (receiver, code) in [(&ending, "IEUM-N012"), (&failing, "IEUM-N009")] {
        wait(|| !receiver.of_type("heartbeat").is_empty(), &|| code.to_owned());
        let told = receiver.of_type("heartbeat")[0].clone();
        assert_eq!(parameter(&told, "status")["valueCode"], "off");
        assert_eq!(parameter(&told, "error")["valueCodeableConcept"]["coding"][0]["code"], code);
        assert!(events_of(&told).is_empty());
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((ending.of_type("heartbeat").len(), failing.of_type("heartbeat").len()), (1, 1));
    assert!(failing.events().is_empty(), "what was not taken before is not told afterwards");
    assert_eq!(closed.came().len(), 1, "whoever turns it off knows");
}

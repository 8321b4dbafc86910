//! What clients may ask for, and what they are told when it is not as it must be.

use ieum::hub::Entrance;
use ieum_trust::access::Role;
use serde_json::{Value, json};

use super::receiver::{Receiver, subscribe, subscription, wait_for_state, with};
use super::telling::{server, with_entrance};
use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    what_is_wrong_is_told_with_its_place,
    only_so_many,
    places_are_taken_in_turn,
    turning_off_and_deleting_are_never_refused,
    headers_of_one_name,
    written_by_itself_only,
    only_its_maker_changes_it,
    the_status_is_the_hubs,
    topics_are_listed,
);

#[track_caller]
fn refused(server: &Server, wanted: &Value, status: u16, code: &str, place: &str) {
    let reply = server.post("/Subscription", &wanted.to_string()).refused(status, code);
    assert_eq!(reply.json()["issue"][0]["expression"][0], place, "{}", reply.text());
}

// threat: 19
fn what_is_wrong_is_told_with_its_place(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let good = || subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut wanted = good();
        change(&mut wanted);
        wanted
    };
    let filter =
        |text: &str| subscription(&receiver, "resource-changed", &["Patient?name=김", text], "id-only");
    for (wanted, code, place) in [
        (changed(&|s| s["criteria"] = "Observation?code=1".into()), "IEUM-N001", "Subscription.criteria"),
        (
            changed(&|s| s["criteria"] = "https://ieum.example/topics/other".into()),
            "IEUM-N001",
            "Subscription.criteria",
        ),
        (filter("name=김"), "IEUM-N002", "Subscription.criteria.extension[1]"),
        (filter("Patient?"), "IEUM-N003", "Subscription.criteria.extension[1]"),
        (filter("Patient?name=%"), "IEUM-N002", "Subscription.criteria.extension[1]"),
        (filter("Patient?nickname=x"), "IEUM-S002", "Subscription.criteria.extension[1]"),
        (filter("Observation?subject:Patient.name=x"), "IEUM-N003", "Subscription.criteria.extension[1]"),
        (
            filter("Patient?_has:Observation:patient:code=x"),
            "IEUM-N003",
            "Subscription.criteria.extension[1]",
        ),
        (filter("Patient?_content=x"), "IEUM-N003", "Subscription.criteria.extension[1]"),
        (filter("Patient?name=x&_sort=name"), "IEUM-N003", "Subscription.criteria.extension[1]"),
        (filter("Subscription?status=active"), "IEUM-N003", "Subscription.criteria.extension[1]"),
        (
            subscription(&receiver, "encounter-start", &["Patient?name=x"], "id-only"),
            "IEUM-N003",
            "Subscription.criteria.extension[0]",
        ),
        (
            subscription(&receiver, "patient-record-changed", &["Observation?code=x"], "id-only"),
            "IEUM-N003",
            "Subscription.criteria.extension[0]",
        ),
        (
            subscription(&receiver, "resource-changed", &["Patient?_id=1"; 21], "id-only"),
            "IEUM-N002",
            "Subscription.criteria.extension[20]",
        ),
        (changed(&|s| s["channel"]["type"] = "email".into()), "IEUM-N002", "Subscription.channel.type"),
        (
            changed(&|s| s["channel"]["endpoint"] = "http://127.0.0.1:1/".into()),
            "IEUM-N004",
            "Subscription.channel.endpoint",
        ),
        (
            changed(&|s| s["channel"]["endpoint"] = "http://user:word@127.0.0.1/".into()),
            "IEUM-N004",
            "Subscription.channel.endpoint",
        ),
        (
            changed(&|s| drop(s["channel"].as_object_mut().unwrap().remove("endpoint"))),
            "IEUM-N002",
            "Subscription.channel.endpoint",
        ),
        (
            changed(&|s| s["channel"]["payload"] = "text/plain".into()),
            "IEUM-N002",
            "Subscription.channel.payload",
        ),
        (
            changed(&|s| drop(s["channel"].as_object_mut().unwrap().remove("_payload"))),
            "IEUM-N002",
            "Subscription.channel.payload",
        ),
        (
            changed(&|s| s["channel"]["header"] = json!(["X: 1", "no header"])),
            "IEUM-N002",
            "Subscription.channel.header[1]",
        ),
        (
            changed(&|s| s["channel"]["header"] = json!(["Host: other"])),
            "IEUM-N002",
            "Subscription.channel.header[0]",
        ),
        (
            changed(&|s| s["channel"]["header"] = json!(["X-Key: (hidden)"])),
            "IEUM-N002",
            "Subscription.channel.header[0]",
        ),
        (
            changed(&|s| s["channel"]["header"] = vec!["X: 1"; 21].into()),
            "IEUM-N002",
            "Subscription.channel.header[20]",
        ),
        (with(good(), "backport-timeout", 61), "IEUM-N002", "Subscription.channel.extension"),
        (with(good(), "backport-max-count", 1_001), "IEUM-N002", "Subscription.channel.extension"),
        (with(good(), "backport-heartbeat-period", 0), "IEUM-N002", "Subscription.channel.extension"),
        (changed(&|s| s["end"] = "2020-01-01T00:00:00Z".into()), "IEUM-N002", "Subscription.end"),
    ] {
        refused(&server, &wanted, 422, code, place);
    }
    assert!(entries(&server.get("/Subscription").json()).is_empty(), "nothing of it was kept");
    assert!(receiver.came().is_empty());
    // Nothing goes anywhere when the operator allows nothing.
    let closed = Server::open(kind);
    refused(&closed, &good(), 422, "IEUM-N004", "Subscription.channel.endpoint");
}

// threat: 21
fn only_so_many(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.most_each = 2;
    });
    let wanted = subscription(&receiver, "resource-changed", &[], "id-only");
    let first = subscribe(&server, None, &wanted);
    subscribe(&server, None, &wanted);
    server.post("/Subscription", &wanted.to_string()).refused(429, "IEUM-N006");
    server.delete(&format!("/Subscription/{first}")).expect(204);
    subscribe(&server, None, &wanted);
}

/// Many who find one place left do not all get it.
fn places_are_taken_in_turn(kind: Kind) {
    let receiver = Receiver::start();
    let server = Server::with_subscriptions(kind, Entrance::Open, |options| {
        options.rules.origins = vec![receiver.origin()];
        options.rules.private = true;
        options.most_each = 3;
    });
    let text = subscription(&receiver, "resource-changed", &[], "id-only").to_string();
    let together = std::sync::Barrier::new(12);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || {
            together.wait();
            server.post("/Subscription", &text).status
        };
        let asking: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 9, "{statuses:?}");
    assert_eq!(entries(&server.get("/Subscription").json()).len(), 3);
}

fn turning_off_and_deleting_are_never_refused(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    server.put("/ValueSet/men", &value_set("men", "male")).expect(201);
    let wanted =
        subscription(&receiver, "resource-changed", &["Patient?gender:in=http://vs.test/men"], "id-only");
    let (first, second) = (subscribe(&server, None, &wanted), subscribe(&server, None, &wanted));
    server.delete("/ValueSet/men").expect(204);
    for id in [&first, &second] {
        let path = format!("/Subscription/{id}");
        let mut shown = server.get(&path).json();
        shown["reason"] = "another".into();
        let reply = server.put(&path, &shown.to_string());
        assert_eq!(reply.status, 422, "{}", reply.text());
        // Elsewhere, where nothing may be sent to.
        shown["channel"]["endpoint"] = "https://elsewhere.example/hook".into();
        shown["status"] = "off".into();
        if id == &first {
            server.put(&path, &shown.to_string()).expect(200);
        } else {
            let patch = json!([{ "op": "replace", "path": "/status", "value": "off" }]).to_string();
            let headers = [("content-type", "application/json-patch+json")];
            server.request("PATCH", &path, &headers, Some(patch.as_bytes())).expect(200);
        }
        wait_for_state(&server, None, id, "off");
        shown["status"] = "requested".into();
        let reply = server.put(&path, &shown.to_string());
        assert_eq!(reply.status, 422, "{}", reply.text());
        server.delete(&path).expect(204);
    }
    server.put("/Patient/p1", r#"{"resourceType":"Patient","id":"p1","gender":"male"}"#).expect(201);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(receiver.events().is_empty());
}

/// A value set of one code.
pub(super) fn value_set(id: &str, code: &str) -> String {
    json!({
        "resourceType": "ValueSet", "id": id, "url": format!("http://vs.test/{id}"), "status": "active",
        "compose": { "include": [{
            "system": "http://hl7.org/fhir/administrative-gender", "concept": [{ "code": code }] }] },
    })
    .to_string()
}

/// Hidden values are kept in the order in which they were given; what cannot be told is refused.
fn headers_of_one_name(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let mut wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    wanted["channel"]["header"] = json!(["X-Key: one", "X-Other: 1", "x-key: two"]);
    let id = subscribe(&server, None, &wanted);
    let path = format!("/Subscription/{id}");
    let heads = || receiver.came().last().unwrap().head.to_ascii_lowercase();
    assert!(heads().contains("x-key: one\r\n") && heads().contains("x-key: two\r\n"), "{}", heads());
    let shown = server.get(&path).json();
    assert_eq!(
        shown["channel"]["header"],
        json!(["X-Key: (hidden)", "X-Other: (hidden)", "x-key: (hidden)"])
    );
    let tell = |headers: Value, patient_id: &str| {
        let mut json = shown.clone();
        json["channel"]["header"] = headers;
        server.put(&path, &json.to_string()).expect(200);
        wait_for_state(&server, None, &id, "active");
        let patient = json!({ "resourceType": "Patient", "id": patient_id, "name": [{ "family": "김" }] });
        server.put(&format!("/Patient/{patient_id}"), &patient.to_string()).expect(201);
        super::receiver::wait(|| receiver.events().iter().any(|(_, told)| told == patient_id), &|| {
            patient_id.into()
        });
        heads()
    };
    let head = tell(shown["channel"]["header"].clone(), "p1");
    assert!(head.contains("x-key: one\r\n") && head.contains("x-key: two\r\n"), "{head}");
    let head = tell(json!(["X-Key: (hidden)", "X-Key: three"]), "p2");
    assert!(head.contains("x-key: one\r\n") && head.contains("x-key: three\r\n"), "{head}");
    assert!(!head.contains("two"), "{head}");
    let mut one = shown.clone();
    one["channel"]["header"] = json!(["X-Key: (hidden)"]);
    let refused = server.put(&path, &one.to_string()).refused(422, "IEUM-N002").json();
    assert_eq!(refused["issue"][0]["expression"][0], "Subscription.channel.header[0]");
}

fn written_by_itself_only(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    let bundle = |kind: &str, request: Value, resource: Option<&Value>| {
        let mut entry = json!({ "request": request });
        if let Some(resource) = resource {
            entry["resource"] = resource.clone();
        }
        json!({ "resourceType": "Bundle", "type": kind, "entry": [entry] }).to_string()
    };
    let post = json!({ "method": "POST", "url": "Subscription" });
    server.post("", &bundle("transaction", post.clone(), Some(&wanted))).refused(422, "IEUM-N007");
    let done = server.post("", &bundle("batch", post, Some(&wanted))).expect(200).json();
    assert_eq!(done["entry"][0]["response"]["status"], "201", "{done}");
    let id = done["entry"][0]["response"]["location"]
        .as_str()
        .unwrap()
        .split('/')
        .rev()
        .nth(2)
        .unwrap()
        .to_owned();
    wait_for_state(&server, None, &id, "active");
    let delete = json!({ "method": "DELETE", "url": format!("Subscription/{id}") });
    server.post("", &bundle("transaction", delete, None)).refused(422, "IEUM-N007");
    // Conditional forms and patches go the same way.
    let patch =
        json!([{ "op": "replace", "path": "/criteria", "value": "https://ieum.example/topics/other" }]);
    let headers = [("content-type", "application/json-patch+json")];
    let body = patch.to_string();
    let path = format!("/Subscription/{id}");
    server.request("PATCH", &path, &headers, Some(body.as_bytes())).refused(422, "IEUM-N001");
    let patch = json!([{ "op": "replace", "path": "/status", "value": "off" }]).to_string();
    server.request("PATCH", &path, &headers, Some(patch.as_bytes())).expect(200);
    let status = server.get(&format!("{path}/$status")).json();
    assert_eq!(super::receiver::parameter(&status, "status")["valueCode"], "off");
    server.delete(&format!("/Subscription?_id={id}")).expect(204);
    server.get(&format!("{path}/$status")).refused(404, "IEUM-R006");
    // Under the same id a new one counts anew.
    let mut again = wanted;
    again["id"] = id.as_str().into();
    server.put(&path, &again.to_string()).expect(201);
    wait_for_state(&server, None, &id, "active");
}

// threat: 2
fn only_its_maker_changes_it(kind: Kind) {
    let receiver = Receiver::start();
    let server = with_entrance(kind, Entrance::Accounts, &[&receiver]);
    let (maker, other) = (server.account(Role::Service, None), server.account(Role::Clinician, None));
    let reader = server.account(Role::Patient, Some("p1"));
    let wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    server.send_as(&reader, "POST", "/Subscription", &wanted.to_string()).refused(403, "IEUM-R002");
    let id = subscribe(&server, Some(&maker), &wanted);
    let path = format!("/Subscription/{id}");
    let mut theirs = server.get_as(&other, &path).expect(200).json();
    theirs["channel"]["endpoint"] = format!("{}/elsewhere", receiver.origin()).into();
    server.send_as(&other, "PUT", &path, &theirs.to_string()).refused(403, "IEUM-N005");
    let bearer = format!("Bearer {other}");
    let headers = [("authorization", bearer.as_str())];
    server.request("DELETE", &path, &headers, None).refused(403, "IEUM-N005");
    server.get_as(&other, &format!("{path}/$events")).refused(403, "IEUM-N005");
    // How much happens is told to its maker alone.
    let patient = json!({ "resourceType": "Patient", "id": "p1", "name": [{ "family": "김" }] }).to_string();
    server.send_as(&maker, "PUT", "/Patient/p1", &patient).expect(201);
    receiver.wait_for(1);
    for (secret, count) in [(&maker, "1"), (&other, "0")] {
        for path in [format!("{path}/$status"), "/Subscription/$status".to_owned()] {
            let status = server.get_as(secret, &path).expect(200).json();
            let told = super::receiver::parameter(&status, "eventsSinceSubscriptionStart");
            assert_eq!(told["valueString"], count, "{path}");
        }
    }
    server.get_as(&reader, &format!("{path}/$status")).refused(404, "IEUM-R006");
    server.get_as(&reader, &format!("{path}/$events")).refused(404, "IEUM-R006");
    assert!(entries(&server.get_as(&reader, "/Subscription/$status").json()).is_empty());
    server.get_as(&maker, &format!("{path}/$events")).expect(200);
    // What is kept for one address goes to no other.
    let mut own = server.get_as(&maker, &path).json();
    own["channel"]["header"] = json!(["X-Key: 1"]);
    server.send_as(&maker, "PUT", &path, &own.to_string()).expect(200);
    let mut moved = server.get_as(&maker, &path).json();
    moved["channel"]["endpoint"] = format!("{}/elsewhere", receiver.origin()).into();
    server.send_as(&maker, "PUT", &path, &moved.to_string()).refused(422, "IEUM-N002");
}

fn the_status_is_the_hubs(kind: Kind) {
    let receiver = Receiver::start();
    let server = server(kind, &[&receiver]);
    receiver.answer(500);
    let mut wanted = subscription(&receiver, "resource-changed", &["Patient?name=김"], "id-only");
    wanted["status"] = "active".into();
    wanted["error"] = "none of theirs".into();
    let made = server.post("/Subscription", &wanted.to_string()).expect(201).json();
    assert_eq!(made["status"], "requested");
    assert!(made["error"].is_null());
    receiver.answer(200);
    let id = made["id"].as_str().unwrap();
    wait_for_state(&server, None, id, "active");
    let versions = server.get(&format!("/Subscription/{id}/_history")).json();
    assert_eq!(entries(&versions).len(), 2, "made, and active");
    // What has been read can be sent back, and changes nothing.
    let shown = server.get(&format!("/Subscription/{id}")).json();
    server.put(&format!("/Subscription/{id}"), &shown.to_string()).expect(200);
    assert_eq!(entries(&server.get(&format!("/Subscription/{id}/_history")).json()).len(), 2);
}

fn topics_are_listed(kind: Kind) {
    let statement = Server::open(kind).get("/metadata").expect(200).json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let subscription = resources.iter().find(|resource| resource["type"] == "Subscription").unwrap();
    let topics: Vec<&str> = subscription["extension"]
        .as_array()
        .unwrap()
        .iter()
        .map(|extension| extension["valueCanonical"].as_str().unwrap())
        .collect();
    assert!(topics.contains(&"https://ieum.example/topics/resource-changed"));
    let documented = include_str!("../../../../../docs/subscriptions.md");
    for topic in topics {
        assert!(documented.contains(topic), "{topic} is not documented");
    }
    let operations: Vec<&str> = subscription["operation"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|operation| operation["name"].as_str())
        .collect();
    assert!(operations.contains(&"status") && operations.contains(&"events"), "{operations:?}");
}

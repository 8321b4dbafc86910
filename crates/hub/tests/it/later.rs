//! Searches and `$everything` that are answered later (R4, `async.html`).

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    a_search_is_answered_later,
    searches_of_several_types_are_answered_later,
    everything_is_answered_later,
    what_is_wrong_is_told_at_once,
    an_answer_has_a_bound,
);

fn fill(server: &Server, patients: usize) {
    for number in 0..patients {
        let patient =
            json!({"resourceType": "Patient", "id": format!("p{number}"), "active": number % 2 == 0});
        server.put(&format!("/Patient/p{number}"), &patient.to_string()).expect(201);
    }
    let condition = r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/p0"}}"#;
    server.put("/Condition/c", condition).expect(201);
}

/// A server with small pages, so that an answer has several.
fn paging(kind: Kind, bundle_bytes: u64) -> Server {
    let limits = Limits { page_most: 4, ..Limits::default() };
    Server::start_with(kind, Entrance::Open, limits, |options| options.bundle_bytes = bundle_bytes)
}

fn ids(bundles: &[Value]) -> Vec<&str> {
    bundles.iter().flat_map(entries).map(|entry| entry["resource"]["id"].as_str().unwrap()).collect()
}

fn a_search_is_answered_later(kind: Kind) {
    let server = paging(kind, 1 << 20);
    fill(&server, 20);
    let manifest = server.manifest("/Patient?active=true&_sort=-_id");
    assert_eq!(manifest["request"], format!("{}/Patient?active=true&_sort=-_id", server.base));
    let bundles = server.lines(None, &manifest, "output");
    assert_eq!(bundles.len(), 3);
    assert_eq!(ids(&bundles), ["p8", "p6", "p4", "p2", "p18", "p16", "p14", "p12", "p10", "p0"]);
    assert!(bundles.iter().all(|bundle| bundle["type"] == "searchset" && bundle["total"] == 10));
    let count = server.manifest("/Patient?_summary=count");
    assert_eq!(server.lines(None, &count, "output")[0]["total"], 20);
    let headers = [("prefer", "respond-async"), ("content-type", "application/x-www-form-urlencoded")];
    let asked = server.request("POST", "/Patient/_search", &headers, Some(b"_id=p3"));
    let manifest = server.result(None, &asked).expect(200).json();
    assert_eq!(ids(&server.lines(None, &manifest, "output")), ["p3"]);
    assert!(!manifest["request"].as_str().unwrap().is_empty());
}

fn searches_of_several_types_are_answered_later(kind: Kind) {
    let server = paging(kind, 1 << 20);
    fill(&server, 5);
    for (path, expected) in [
        ("?_type=Patient,Condition&_sort=_id", vec!["c", "p0", "p1", "p2", "p3", "p4"]),
        ("/Patient/p0/Condition", vec!["c"]),
        ("/Patient/p0/*", vec!["p0", "c"]),
    ] {
        let manifest = server.manifest(path);
        assert_eq!(manifest["request"], format!("{}{path}", server.base));
        assert_eq!(ids(&server.lines(None, &manifest, "output")), expected, "{path}");
    }
}

fn everything_is_answered_later(kind: Kind) {
    let server = paging(kind, 1 << 20);
    fill(&server, 2);
    let manifest = server.manifest("/Patient/p0/$everything?_type=Condition,Patient");
    assert_eq!(ids(&server.lines(None, &manifest, "output")), ["p0", "c"]);
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"_type","valueString":"Condition"}]}"#;
    let asked = server.send("POST", "/Patient/p0/$everything", &[("prefer", "respond-async")], body);
    let manifest = server.result(None, &asked).expect(200).json();
    assert_eq!(ids(&server.lines(None, &manifest, "output")), ["c"]);
    server.ask(None, "/Patient/none/$everything").refused(404, "IEUM-R006");
}

fn what_is_wrong_is_told_at_once(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    server.ask(Some(&service), "/Patient?nothing=1").refused(400, "IEUM-S002");
    server.ask(None, "/Patient").refused(401, "IEUM-R001");
    let patient = r#"{"resourceType":"Patient","id":"a"}"#;
    server.send_as(&service, "PUT", "/Patient/a", patient).expect(201);
    let stranger = server.account(Role::Patient, Some("b"));
    let asked = server.ask(Some(&stranger), "/Patient");
    let manifest = server.result(Some(&stranger), &asked).expect(200).json();
    assert!(ids(&server.lines(Some(&stranger), &manifest, "output")).is_empty());
    server.ask(Some(&stranger), "/Patient/a/$everything").refused(404, "IEUM-R006");
}

fn an_answer_has_a_bound(kind: Kind) {
    let server = paging(kind, 2_000);
    fill(&server, 30);
    let asked = server.ask(None, "/Patient");
    server.result(None, &asked).refused(500, "IEUM-A011");
    let id = asked.header("content-location").unwrap().rsplit('/').next().unwrap();
    server.ended_soon(|| !server.jobs.join(id).exists());
}

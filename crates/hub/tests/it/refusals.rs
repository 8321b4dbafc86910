//! What is refused over FHIR is written down.

use std::time::{Duration, Instant};

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_store::engine::AuditEntry;
use ieum_trust::access::{Access, Role};
use serde_json::json;

use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    strangers_are_written_down,
    hidden_records_that_were_asked_for_are_written_down,
    floods_do_not_fill_the_disk,
    people_are_not_listed_by_trying,
);

fn refusals(server: &Server) -> Vec<AuditEntry> {
    let view = server.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 1_000).unwrap().into_iter().map(|stored| stored.entry);
    let mut refused: Vec<AuditEntry> = entries.filter(|entry| !entry.allowed).collect();
    refused.reverse();
    refused
}

/// Refusals, once there are so many: they are written after the answer.
pub(crate) fn refusals_when(server: &Server, count: usize) -> Vec<AuditEntry> {
    let started = Instant::now();
    loop {
        let found = refusals(server);
        if found.len() >= count || started.elapsed() > Duration::from_secs(20) {
            assert_eq!(found.len(), count, "{found:?}");
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

// threat: 17
fn strangers_are_written_down(kind: Kind) {
    let server = Server::with_accounts(kind);
    server.get("/Patient/p1").refused(401, "IEUM-R001");
    server.get_as("wrong", "/Observation?code=1").refused(401, "IEUM-R001");
    server.send_as("wrong", "POST", "/Patient", "{}").refused(401, "IEUM-R001");
    let written = refusals_when(&server, 3);
    let told: Vec<_> = written.iter().map(|entry| (entry.action.as_str(), entry.target.as_str())).collect();
    assert_eq!(told, [("read", "/fhir/{kind}/{id}"), ("search", "/fhir/{kind}"), ("create", "/fhir/{kind}")]);
    assert!(written.iter().all(|entry| entry.actor == "unknown" && entry.role == "none"));
}

// threat: 17
fn hidden_records_that_were_asked_for_are_written_down(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    for id in ["a", "b"] {
        let body = format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
        server.send_as(&service, "PUT", &format!("/Patient/{id}"), &body).expect(201);
    }
    let own = server.account(Role::Patient, Some("a"));
    // Neither what is one's own nor what was never there is a refusal.
    server.get_as(&own, "/Patient/a").expect(200);
    server.get_as(&own, "/Patient/a/_history/9").refused(404, "IEUM-R006");
    server.get_as(&own, "/Patient/never").refused(404, "IEUM-R006");
    server.get_as(&service, "/Patient/never").refused(404, "IEUM-R006");
    let paths = ["/Patient/b", "/Patient/b/_history", "/Patient/b/_history/1", "/Patient/b/$everything"];
    for path in paths {
        server.get_as(&own, path).refused(404, "IEUM-R006");
    }
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient/b"}}]});
    let answer = server.send_as(&own, "POST", "", &batch.to_string()).expect(200).json();
    assert_eq!(entries(&answer)[0]["response"]["status"], "404");
    let written = refusals_when(&server, 5);
    let actions: Vec<_> = written.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["read", "history-instance", "vread", "everything", "read"]);
    assert!(written.iter().all(|entry| entry.target == "Patient/b" && entry.role == "patient"));
}

// threat: 17
fn floods_do_not_fill_the_disk(kind: Kind) {
    let server = Server::with_accounts(kind);
    let operator = server.account(Role::Operator, None);
    for _ in 0..80 {
        server.send_as(&operator, "DELETE", "/Patient/p", "").refused(403, "IEUM-R002");
    }
    assert_eq!(refusals(&server).len(), 50);
    // Others are still written, and say how many were not.
    server.get("/Patient/p1").refused(401, "IEUM-R001");
    let written = refusals_when(&server, 52);
    assert_eq!((written[50].actor.as_str(), written[50].target.as_str()), ("several", "30 more"));
    assert_eq!(written[51].actor, "unknown");
}

// threat: 11
fn people_are_not_listed_by_trying(kind: Kind) {
    let limits = Limits { people_searches: 5, ..Limits::default() };
    let server = Server::start(kind, Entrance::Accounts, limits);
    let (clinician, service) = (server.account(Role::Clinician, None), server.account(Role::Service, None));
    for number in 0..3 {
        server.get_as(&clinician, &format!("/Patient?identifier={number}")).expect(200);
    }
    // Chains and entries of bundles lead to people too; what is known by its id, and what is no person, is not counted.
    server.get_as(&clinician, "/Observation?patient.identifier=3").expect(200);
    server.get_as(&clinician, "/Patient/p1").expect(404);
    server.get_as(&clinician, "/Observation?code=1").expect(200);
    let search = json!({"request": {"method": "GET", "url": "Patient?identifier=4"}});
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [search, search]});
    let answer = server.send_as(&clinician, "POST", "", &batch.to_string()).expect(200).json();
    let statuses: Vec<_> = entries(&answer).iter().map(|entry| entry["response"]["status"].clone()).collect();
    assert_eq!(statuses, ["200", "429"]);
    let refused = server.get_as(&clinician, "/Patient?name=x").refused(429, "IEUM-R034");
    assert!((1..=60).contains(&refused.header("retry-after").unwrap().parse::<u32>().unwrap()));
    let once = [("authorization", &*format!("Bearer {clinician}")), ("if-none-exist", "identifier=5")];
    server.send("POST", "/Patient", &once, r#"{"resourceType":"Patient"}"#).refused(429, "IEUM-R034");
    let written = refusals_when(&server, 3);
    let told: Vec<_> = written.iter().map(|entry| (entry.action.as_str(), entry.target.as_str())).collect();
    assert_eq!(told, [("search", "Patient"), ("search", "Patient"), ("create", "Patient")]);
    // Others wait for nothing, and the hub's own systems are not counted.
    server.get_as(&server.account(Role::Clinician, None), "/Patient?name=x").expect(200);
    for number in 0..10 {
        server.get_as(&service, &format!("/Patient?identifier={number}")).expect(200);
    }
}

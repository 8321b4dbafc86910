//! Patient `$everything`.

use std::collections::HashSet;

use ieum_trust::access::Role;
use serde_json::Value;

use crate::support::{Kind, Server, entries, ids, link, on_every_engine, patient};

on_every_engine!(compartment_with_shared_records, paged, narrowed, by_post, of_nobody, within_reach);

/// Two patients, each with observations and a shared hospital; gives the first one's id.
fn hospital(server: &Server) -> String {
    server
        .put("/Organization/h", r#"{"resourceType":"Organization","id":"h","name":"가나다 병원"}"#)
        .expect(201);
    server.put("/Practitioner/d", r#"{"resourceType":"Practitioner","id":"d"}"#).expect(201);
    server.put("/Practitioner/unknown", r#"{"resourceType":"Practitioner","id":"unknown"}"#).expect(201);
    let first = server.create(&patient("1", "김"));
    let second = server.create(&patient("2", "이"));
    for number in 0..5 {
        for id in [&first, &second] {
            server.create(&format!(
                r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueInteger":{number},"subject":{{"reference":"Patient/{id}"}},"performer":[{{"reference":"Practitioner/d"}},{{"reference":"Organization/h"}}]}}"#
            ));
        }
    }
    first
}

fn compartment_with_shared_records(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let bundle = server.get(&format!("/Patient/{id}/$everything")).expect(200).json();
    assert_eq!(bundle["type"], "searchset");
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient/{id}/$everything", server.base));
    let mut found: Vec<&str> =
        entries(&bundle).iter().map(|entry| entry["resource"]["resourceType"].as_str().unwrap()).collect();
    found.sort_unstable();
    let observations = ["Observation"; 5];
    assert_eq!(found, [&observations[..], &["Organization", "Patient", "Practitioner"]].concat());
    assert!(ids(&bundle, "match").contains(&id));
    let mut shared = ids(&bundle, "include");
    shared.sort();
    assert_eq!(shared, ["d", "h"]);
    // Nothing of the other patient.
    assert!(!bundle.to_string().contains("http://a.kr/mrn\",\"value\":\"2"));
}

fn paged(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let pages = server.pages(&format!("/Patient/{id}/$everything?_count=2"));
    assert_eq!(pages.len(), 3);
    let matches: Vec<&Value> =
        pages.iter().flatten().filter(|entry| entry["search"]["mode"] == "match").collect();
    assert_eq!(matches.len(), 6);
    assert_eq!(
        matches.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect::<HashSet<_>>().len(),
        6
    );
    let first = server.get(&format!("/Patient/{id}/$everything?_count=2")).json();
    let next = link(&first, "next").unwrap();
    server.get(&next.replace("_count=2", "_count=1")).expect(200);
    server.get(&next.replace(&id, "none")).expect(404);
    server.get(&format!("{next}&_type=Observation")).refused(400, "IEUM-R024");
}

fn narrowed(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let types = |query: &str| {
        let pages = server.pages(&format!("/Patient/{id}/$everything?{query}")).concat();
        let types = pages.iter().map(|entry| entry["resource"]["resourceType"].as_str().unwrap().to_owned());
        types.collect::<Vec<_>>()
    };
    assert_eq!(types("_type=Patient"), ["Patient"]);
    assert_eq!(types("_type=Observation").len(), 5);
    assert_eq!(types("_type=Patient,Organization"), ["Patient", "Organization"]);
    assert_eq!(types("_since=2999-01-01T00:00:00Z").len(), 0);
    let body = format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/{id}"}}}}"#);
    let condition = server.post("/Condition", &body).json();
    let since = condition["meta"]["lastUpdated"].as_str().unwrap();
    assert_eq!(types(&format!("_since={since}")), ["Condition"]);
    server.get(&format!("/Patient/{id}/$everything?_type=Nothing")).refused(400, "IEUM-S005");
    server.get(&format!("/Patient/{id}/$everything?start=2020")).refused(400, "IEUM-S002");
}

fn by_post(kind: Kind) {
    let server = Server::open(kind);
    let id = hospital(&server);
    let path = format!("/Patient/{id}/$everything");
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"_type","valueCode":"Observation"},{"name":"_count","valueInteger":2}]}"#;
    let bundle = server.post(&path, body).expect(200).json();
    assert_eq!(ids(&bundle, "match").len(), 2);
    assert_eq!(
        server.get(link(&bundle, "next").unwrap()).expect(200).json()["entry"].as_array().unwrap().len(),
        2
    );
    assert_eq!(server.request("POST", &path, &[], None).expect(200).body, server.get(&path).body);
    server.post(&path, r#"{"resourceType":"Patient"}"#).refused(400, "IEUM-V003");
    server
        .post(&path, r#"{"resourceType":"Parameters","parameter":[{"name":"x"}]}"#)
        .refused(400, "IEUM-S005");
    server
        .post(&path, r#"{"resourceType":"Parameters","parameter":[{"name":"x","valueCode":"y"}]}"#)
        .refused(400, "IEUM-S002");
}

fn of_nobody(kind: Kind) {
    let server = Server::open(kind);
    server.get("/Patient/none/$everything").refused(404, "IEUM-R006");
    let id = server.create(&patient("1", "김"));
    server.delete(&format!("/Patient/{id}"));
    server.get(&format!("/Patient/{id}/$everything")).refused(410, "IEUM-R007");
}

fn within_reach(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    for id in ["a", "b"] {
        server
            .send_as(
                &service,
                "PUT",
                &format!("/Patient/{id}"),
                &format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#),
            )
            .expect(201);
    }
    let own = server.account(Role::Patient, Some("a"));
    server.get_as(&own, "/Patient/a/$everything").expect(200);
    server.get_as(&own, "/Patient/b/$everything").refused(404, "IEUM-R006");
    let operator = server.account(Role::Operator, None);
    server.get_as(&operator, "/Patient/a/$everything").refused(404, "IEUM-R006");
}

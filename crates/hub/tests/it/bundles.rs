//! batch, and what bundles have in common.

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Kind, Server, entries, on_every_engine, patient};

on_every_engine!(
    batch_entries_are_independent,
    batch_reads_and_searches,
    batch_respects_roles,
    requests_of_the_wrong_json_type,
    addresses_under_another_base,
    bundles_that_are_none,
    too_many_entries,
    many_entries,
);

fn entry(method: &str, url: &str, resource: Option<&str>) -> Value {
    let mut entry = json!({"request": {"method": method, "url": url}});
    if let Some(resource) = resource {
        entry["resource"] = serde_json::from_str(resource).unwrap();
    }
    entry
}

fn bundle(kind: &str, entries: &[Value]) -> String {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries}).to_string()
}

fn batch_entries_are_independent(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/old", r#"{"resourceType":"Patient","id":"old"}"#).expect(201);
    let body = bundle(
        "batch",
        &[
            entry("POST", "Patient", Some(&patient("1", "김"))),
            entry("POST", "Patient", Some(r#"{"resourceType":"Patient","nmae":1}"#)),
            entry("PUT", "Patient/new", Some(r#"{"resourceType":"Patient","id":"new"}"#)),
            entry("DELETE", "Patient/old", None),
            entry("GET", "Patient/none", None),
            entry("PATCH", "metadata", None),
            entry("GET", "Nothing/1", None),
            json!({"resource": {"resourceType": "Patient"}}),
            entry("POST", "Patient", None),
            entry("POST", "", Some(r#"{"resourceType":"Bundle","type":"batch"}"#)),
        ],
    );
    let answer = server.post("", &body).expect(200).json();
    assert_eq!(answer["type"], "batch-response");
    let statuses: Vec<_> =
        entries(&answer).iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "422", "201", "204", "404", "405", "404", "400", "400", "400"]);
    let first = &entries(&answer)[0];
    assert!(first.get("resource").is_none());
    assert_eq!(first["response"]["etag"], "W/\"1\"");
    let location = first["response"]["location"].as_str().unwrap();
    server.get(location).expect(200);
    let issue = &entries(&answer)[1]["response"]["outcome"]["issue"][0];
    assert_eq!(issue["details"]["coding"][0]["code"], "IEUM-V004");
    server.get("/Patient/old").expect(410);
    server.get("/Patient/new").expect(200);
    // Prefer holds for each entry.
    let body = bundle("batch", &[entry("POST", "Patient", Some(&patient("2", "이")))]);
    let answer = server.send("POST", "", &[("prefer", "return=representation")], &body).expect(200).json();
    assert_eq!(entries(&answer)[0]["resource"]["name"][0]["family"], "이");
    let answer = server.send("POST", "/", &[("prefer", "return=OperationOutcome")], &body).expect(200).json();
    assert_eq!(entries(&answer)[0]["response"]["outcome"]["resourceType"], "OperationOutcome");
}

fn batch_reads_and_searches(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    let mut conditional = entry("GET", &format!("/Patient/{id}"), None);
    conditional["request"]["ifNoneMatch"] = "W/\"1\"".into();
    let body = bundle(
        "batch",
        &[
            entry("GET", &format!("Patient/{id}"), None),
            entry("GET", "Patient?family=%EA%B9%80&_total=accurate", None),
            entry("GET", &format!("{}/Patient/{id}/_history", server.base), None),
            conditional,
            entry("HEAD", &format!("Patient/{id}"), None),
            entry("GET", "metadata", None),
            entry("GET", &format!("Patient/{id}/$everything"), None),
            entry("GET", "Patient?nmae=x", None),
        ],
    );
    let answer = server.post("", &body).expect(200).json();
    let entries = entries(&answer);
    assert_eq!(entries[0]["resource"]["id"], id);
    assert_eq!(entries[0]["response"]["etag"], "W/\"1\"");
    assert_eq!(entries[1]["resource"]["total"], 1);
    assert_eq!(entries[2]["resource"]["type"], "history");
    assert_eq!(entries[3]["response"]["status"], "304");
    assert!(entries[3].get("resource").is_none());
    assert_eq!(entries[4]["response"]["status"], "200");
    assert!(entries[4].get("resource").is_none());
    assert_eq!(entries[5]["resource"]["resourceType"], "CapabilityStatement");
    assert_eq!(entries[6]["resource"]["type"], "searchset");
    assert_eq!(entries[7]["response"]["status"], "400");
}

fn batch_respects_roles(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    server.send_as(&service, "PUT", "/Patient/a", r#"{"resourceType":"Patient","id":"a"}"#).expect(201);
    server.send_as(&service, "PUT", "/Patient/b", r#"{"resourceType":"Patient","id":"b"}"#).expect(201);
    let own = server.account(Role::Patient, Some("a"));
    let body = bundle(
        "batch",
        &[
            entry("GET", "Patient/a", None),
            entry("GET", "Patient/b", None),
            entry("PUT", "Patient/a", Some(r#"{"resourceType":"Patient","id":"a","active":true}"#)),
            entry("DELETE", "Patient/a", None),
        ],
    );
    let answer = server.send_as(&own, "POST", "", &body).expect(200).json();
    let statuses: Vec<_> =
        entries(&answer).iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["200", "404", "403", "403"]);
    let body = bundle("transaction", &[entry("DELETE", "Patient/a", None)]);
    server.send_as(&own, "POST", "", &body).refused(403, "IEUM-R002");
    server.get_as(&service, "/Patient/a").expect(200);
}

fn requests_of_the_wrong_json_type(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    for (name, value) in
        [("ifNoneExist", json!(["identifier=1"])), ("ifMatch", json!(99)), ("ifNoneMatch", json!(null))]
    {
        let mut entry =
            entry("PUT", "Patient/p", Some(r#"{"resourceType":"Patient","id":"p","active":true}"#));
        entry["request"][name] = value;
        let reply = server.post("", &bundle("batch", &[entry])).refused(422, "IEUM-V008");
        let place = format!("Bundle.entry[0].request.{name}");
        assert_eq!(reply.json()["issue"][0]["expression"][0], place);
    }
    let body =
        json!({"resourceType": "Bundle", "type": "batch", "entry": entry("DELETE", "Patient/p", None)});
    server.post("", &body.to_string()).refused(422, "IEUM-V006");
    assert_eq!(server.get("/Patient/p").expect(200).json()["meta"]["versionId"], "1");
}

fn addresses_under_another_base(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    let statuses = |url: &str| {
        let answer = server.post("", &bundle("batch", &[entry("GET", url, None)])).expect(200).json();
        entries(&answer)[0]["response"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(statuses(&format!("{}/Patient/p", server.base)), "200");
    assert_eq!(statuses(&format!("{}Patient/p", server.base)), "404");
    assert_eq!(statuses("http://other.kr/fhir/Patient/p"), "404");
}

fn bundles_that_are_none(kind: Kind) {
    let server = Server::open(kind);
    server.post("", r#"{"resourceType":"Patient"}"#).refused(400, "IEUM-B001");
    server.post("", "[]").refused(400, "IEUM-B001");
    server.post("", r#"{"resourceType":"Bundle","type":"collection"}"#).refused(400, "IEUM-B001");
    server.post("", r#"{"resourceType":"Bundle"}"#).refused(400, "IEUM-B001");
    server.post("", "").refused(400, "IEUM-J004");
    let reply = server.post("", r#"{"resourceType":"Bundle","type":"batch","entry":[{"requst":{}}]}"#);
    let reply = reply.refused(422, "IEUM-V004");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Bundle.entry[0]");
    let body = r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"x","ifMach":"1"}}]}"#;
    server.post("", body).refused(422, "IEUM-V004");
    for kind in ["batch", "transaction"] {
        let answer =
            server.post("", &format!(r#"{{"resourceType":"Bundle","type":"{kind}"}}"#)).expect(200).json();
        assert_eq!(answer, json!({"resourceType": "Bundle", "type": format!("{kind}-response")}));
    }
    // As a document it is a resource like others.
    server.post("/Bundle", r#"{"resourceType":"Bundle","type":"collection"}"#).expect(201);
}

fn too_many_entries(kind: Kind) {
    let server = Server::start(kind, Entrance::Open, Limits { bundle_entries: 3, ..Limits::default() });
    let gets = vec![entry("GET", "Patient/x", None); 4];
    server.post("", &bundle("batch", &gets)).refused(413, "IEUM-B002");
    server.post("", &bundle("transaction", &gets)).refused(413, "IEUM-B002");
    server.post("", &bundle("batch", &gets[..3])).expect(200);
}

fn many_entries(kind: Kind) {
    let server = Server::open(kind);
    // The oracle looks at everything for everything; a large bundle is the other engine's business.
    let count = if kind == Kind::Memory { 200 } else { 27_000 };
    let entries: Vec<Value> = (0..count)
        .map(|number| {
            let mut entry = entry("POST", "Patient", Some(&patient(&number.to_string(), "김")));
            entry["fullUrl"] = format!("urn:uuid:00000000-0000-4000-8000-{number:012}").into();
            entry
        })
        .collect();
    let answer = server.post("", &bundle("transaction", &entries)).expect(200).json();
    assert_eq!(crate::support::entries(&answer).len(), count);
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], count);
}

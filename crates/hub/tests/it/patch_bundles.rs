//! PATCH inside batches and transactions.

use serde_json::{Value, json};

use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    in_a_batch,
    in_a_transaction,
    references_to_new_records,
    by_criteria,
    a_failing_patch_undoes_all,
    answers_as_preferred,
);

/// `[{"op":"replace","path":"/active","value":false}]`
const DATA: &str = "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9hY3RpdmUiLCJ2YWx1ZSI6ZmFsc2V9XQ==";

fn binary(url: &str) -> Value {
    json!({"request": {"method": "PATCH", "url": url},
           "resource": {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": DATA}})
}

fn add(url: &str, name: &str, value: &Value) -> Value {
    let mut value = value.clone();
    value["name"] = "value".into();
    let parts = json!([{"name": "type", "valueCode": "add"}, {"name": "path", "valueString": url.split('/').next()},
        {"name": "name", "valueString": name}, value]);
    json!({"request": {"method": "PATCH", "url": url},
           "resource": {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}})
}

fn bundle(kind: &str, entries: &Value) -> String {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries}).to_string()
}

fn with_patient(kind: Kind) -> Server {
    let server = Server::open(kind);
    let body = r#"{"resourceType":"Patient","id":"p","active":true,"identifier":[{"value":"1"}]}"#;
    server.put("/Patient/p", body).expect(201);
    server
}

fn statuses(answer: &Value) -> Vec<&str> {
    entries(answer).iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect()
}

fn in_a_batch(kind: Kind) {
    let server = with_patient(kind);
    server.put("/Patient/q", r#"{"resourceType":"Patient","id":"q"}"#).expect(201);
    let wrong_kind = json!({"request": {"method": "PATCH", "url": "Patient/p"},
        "resource": {"resourceType": "Binary", "contentType": "application/pdf", "data": DATA}});
    let mut no_base64 = binary("Patient/p");
    no_base64["resource"]["data"] = "%%%".into();
    let no_patch =
        json!({"request": {"method": "PATCH", "url": "Patient/p"}, "resource": {"resourceType": "Patient"}});
    let nothing = json!({"request": {"method": "PATCH", "url": "Patient/p"}});
    let entries = json!([
        binary("Patient/p"),
        add("Patient/q", "gender", &json!({"valueCode": "male"})),
        binary("Patient/none"),
        wrong_kind,
        no_base64,
        no_patch,
        nothing
    ]);
    let answer = server.post("", &bundle("batch", &entries)).expect(200).json();
    assert_eq!(statuses(&answer), ["200", "200", "404", "415", "400", "400", "400"], "{answer}");
    assert_eq!(server.get("/Patient/p").json()["active"], false);
    assert_eq!(server.get("/Patient/q").json()["gender"], "male");
}

fn in_a_transaction(kind: Kind) {
    let server = with_patient(kind);
    let create = json!({"request": {"method": "POST", "url": "Organization"},
        "resource": {"resourceType": "Organization", "name": "A"}});
    let read = json!({"request": {"method": "GET", "url": "Patient/p"}});
    let mut matched = binary("Patient/p");
    matched["request"]["ifMatch"] = "W/\"1\"".into();
    let answer = server.post("", &bundle("transaction", &json!([read, matched, create]))).expect(200).json();
    assert_eq!(statuses(&answer), ["200", "200", "201"]);
    // Reads come last, and see what the patch has made.
    assert_eq!(entries(&answer)[0]["resource"]["active"], false);
    assert_eq!(entries(&answer)[1]["response"]["etag"], "W/\"2\"");
    // All in one commit.
    let history = server.get("/_history").json();
    let times: Vec<&Value> =
        entries(&history).iter().take(2).map(|entry| &entry["response"]["lastModified"]).collect();
    assert_eq!(times[0], times[1]);
    let nothing = server.post("", &bundle("transaction", &json!([binary("Patient/p")]))).expect(200).json();
    assert_eq!(entries(&nothing)[0]["response"]["etag"], "W/\"2\"");
}

fn references_to_new_records(kind: Kind) {
    let server = with_patient(kind);
    let url = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
    let create = json!({"fullUrl": url, "request": {"method": "POST", "url": "Organization"},
        "resource": {"resourceType": "Organization", "name": "A"}});
    let refer = add("Patient/p", "managingOrganization", &json!({"valueReference": {"reference": url}}));
    server.post("", &bundle("transaction", &json!([refer, create]))).expect(200);
    let patient = server.get("/Patient/p").json();
    let reference = patient["managingOrganization"]["reference"].as_str().unwrap();
    assert_eq!(server.get(&format!("/{reference}")).expect(200).json()["name"], "A");
    assert_eq!(server.get(&format!("/Patient?organization={reference}")).json()["total"], 1);
}

fn by_criteria(kind: Kind) {
    let server = with_patient(kind);
    let one = |url: &str| server.post("", &bundle("transaction", &json!([binary(url)])));
    one("Patient?identifier=1").expect(200);
    assert_eq!(server.get("/Patient/p").json()["active"], false);
    one("Patient?identifier=2").refused(404, "IEUM-R006");
    one("Patient").refused(400, "IEUM-R025");
    server
        .put("/Patient/q", r#"{"resourceType":"Patient","id":"q","identifier":[{"value":"1"}]}"#)
        .expect(201);
    one("Patient?identifier=1").refused(412, "IEUM-R015");
}

fn a_failing_patch_undoes_all(kind: Kind) {
    let server = with_patient(kind);
    let create = json!({"request": {"method": "POST", "url": "Organization"},
        "resource": {"resourceType": "Organization", "name": "A"}});
    let twice = json!({"request": {"method": "PUT", "url": "Patient/p"}, "resource": {"resourceType": "Patient", "id": "p"}});
    let mut stale = binary("Patient/p");
    stale["request"]["ifMatch"] = "W/\"9\"".into();
    for (bad, status, code) in [
        (add("Patient/p", "active", &json!({"valueBoolean": false})), 422, "IEUM-P005"),
        (add("Patient/p", "gender", &json!({"valueCode": "m"})), 422, "IEUM-V019"),
        (binary("Patient/none"), 404, "IEUM-R006"),
        (stale, 412, "IEUM-R014"),
        (twice, 400, "IEUM-B004"),
    ] {
        let entries = json!([create, binary("Patient/p"), bad]);
        let reply = server.post("", &bundle("transaction", &entries)).refused(status, code);
        assert!(reply.text().contains("Bundle.entry[2]") || code == "IEUM-V019", "{}", reply.text());
        assert_eq!(server.get("/Organization").json()["total"], 0, "{code}");
        assert_eq!(server.get("/Patient/p").json()["meta"]["versionId"], "1", "{code}");
    }
    let operator_like = server.post("", &bundle("transaction", &json!([binary("Patient/%20")])));
    operator_like.refused(400, "IEUM-R026");
}

fn answers_as_preferred(kind: Kind) {
    let server = with_patient(kind);
    for kind in ["batch", "transaction"] {
        let ask = |how: &str| {
            let body = bundle(kind, &json!([binary("Patient/p")]));
            entries(&server.send("POST", "", &[("prefer", how)], &body).expect(200).json())[0].clone()
        };
        assert_eq!(ask("return=representation")["resource"]["active"], false, "{kind}");
        assert!(ask("return=minimal").get("resource").is_none(), "{kind}");
        assert!(ask("handling=strict").get("resource").is_none(), "{kind}");
        let outcome = ask("return=OperationOutcome");
        assert_eq!(outcome["response"]["outcome"]["resourceType"], "OperationOutcome", "{kind}");
    }
}

//! Conditions on versions and by criteria.

use crate::support::{Kind, Server, entries, on_every_engine, patient};

on_every_engine!(
    if_match_on_update,
    if_match_on_delete,
    if_none_match_on_update,
    conditional_create,
    conditional_update,
    conditional_delete,
    conditional_delete_of_a_version,
    criteria_must_be_criteria,
);

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true}"#;
const CHANGED: &str = r#"{"resourceType":"Patient","id":"p","active":false}"#;

fn if_match_on_update(kind: Kind) {
    let server = Server::open(kind);
    server.send("PUT", "/Patient/p", &[("if-match", "W/\"1\"")], PATIENT).refused(412, "IEUM-R014");
    server.put("/Patient/p", PATIENT).expect(201);
    for tag in ["W/\"2\"", "W/\"0\"", "W/\"x\"", ""] {
        server.send("PUT", "/Patient/p", &[("if-match", tag)], CHANGED).refused(412, "IEUM-R014");
    }
    server.send("PUT", "/Patient/p", &[("if-match", "W/\"1\"")], CHANGED).expect(200);
    server.send("PUT", "/Patient/p", &[("if-match", "\"2\"")], PATIENT).expect(200);
    server.send("PUT", "/Patient/p", &[("if-match", "*")], CHANGED).expect(200);
    server.delete("/Patient/p").expect(204);
    server.send("PUT", "/Patient/p", &[("if-match", "W/\"5\"")], PATIENT).refused(412, "IEUM-R014");
}

fn if_match_on_delete(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", PATIENT).expect(201);
    server.request("DELETE", "/Patient/p", &[("if-match", "W/\"2\"")], None).refused(412, "IEUM-R014");
    server.get("/Patient/p").expect(200);
    server.request("DELETE", "/Patient/p", &[("if-match", "W/\"1\"")], None).expect(204);
    server.request("DELETE", "/Patient/p", &[("if-match", "W/\"1\"")], None).refused(412, "IEUM-R014");
}

fn if_none_match_on_update(kind: Kind) {
    let server = Server::open(kind);
    server.send("PUT", "/Patient/p", &[("if-none-match", "*")], PATIENT).expect(201);
    server.send("PUT", "/Patient/p", &[("if-none-match", "*")], CHANGED).refused(412, "IEUM-R014");
    server.send("PUT", "/Patient/p", &[("if-none-match", "W/\"1\"")], CHANGED).refused(412, "IEUM-R014");
    server.send("PUT", "/Patient/p", &[("if-none-match", "W/\"9\"")], CHANGED).expect(200);
}

fn conditional_create(kind: Kind) {
    let server = Server::open(kind);
    let condition = [("if-none-exist", "identifier=http://a.kr/mrn|1")];
    let first = server.send("POST", "/Patient", &condition, &patient("1", "김")).expect(201);
    let second = server.send("POST", "/Patient", &condition, &patient("1", "이")).expect(200);
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.header("etag"), Some("W/\"1\""));
    assert_eq!(second.json(), first.json());
    let minimal = [condition[0], ("prefer", "return=minimal")];
    assert!(server.send("POST", "/Patient", &minimal, &patient("1", "이")).expect(200).body.is_empty());
    server.post("/Patient", &patient("1", "박")).expect(201);
    server.send("POST", "/Patient", &condition, &patient("1", "이")).refused(412, "IEUM-R015");
    // In the URL, as fhirpy sends it.
    let in_url = "/Patient?identifier=http://a.kr/mrn%7C7";
    server.post(in_url, &patient("7", "김")).expect(201);
    server.post(in_url, &patient("7", "김")).expect(200);
    server.send("POST", in_url, &condition, &patient("7", "김")).refused(400, "IEUM-R025");
    server.post("/Patient?nmae=x", &patient("7", "김")).refused(400, "IEUM-S002");
    // Deleted ones do not count.
    let encoded = [("if-none-exist", "?identifier=http%3A%2F%2Fa.kr%2Fmrn%7C2")];
    let created = server.send("POST", "/Patient", &encoded, &patient("2", "김")).expect(201);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    server.delete(&format!("/Patient/{id}")).expect(204);
    server.send("POST", "/Patient", &encoded, &patient("2", "김")).expect(201);
}

fn conditional_update(kind: Kind) {
    let server = Server::open(kind);
    let path = "/Patient?identifier=http://a.kr/mrn|1";
    let created = server.put(path, &patient("1", "김")).expect(201).json();
    let id = created["id"].as_str().unwrap();
    let updated = server.put(path, &patient("1", "이")).expect(200).json();
    assert_eq!(updated["id"], id);
    assert_eq!(updated["meta"]["versionId"], "2");
    // With an id: the found one, or another.
    let with_id = |id: &str, name: &str| patient("1", name).replacen('{', &format!(r#"{{"id":"{id}","#), 1);
    server.put(path, &with_id(id, "박")).expect(200);
    server.put(path, &with_id("other", "박")).refused(400, "IEUM-R016");
    // Nothing found, and an id: update as create, if the id is free.
    let none = "/Patient?identifier=http://a.kr/mrn|none";
    assert_eq!(server.put(none, &with_id("chosen", "최")).expect(201).json()["id"], "chosen");
    server.put(none, &with_id(id, "최")).refused(409, "IEUM-R017");
    // Versions.
    server.send("PUT", none, &[("if-match", "W/\"1\"")], &patient("9", "최")).refused(412, "IEUM-R014");
    server.put(path, &patient("1", "최")).refused(412, "IEUM-R015");
    server.delete("/Patient/chosen").expect(204);
    server.send("PUT", path, &[("if-match", "W/\"2\"")], &patient("1", "최")).refused(412, "IEUM-R014");
    server.send("PUT", path, &[("if-match", "W/\"3\"")], &patient("1", "최")).expect(200);
}

fn conditional_delete(kind: Kind) {
    let server = Server::open(kind);
    for (identifier, family) in [("1", "김"), ("2", "김"), ("3", "이")] {
        server.create(&patient(identifier, family));
    }
    server.delete("/Patient?family=%EA%B9%80").refused(412, "IEUM-R015");
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 3);
    server.delete("/Patient?identifier=http://a.kr/mrn|3").expect(204);
    server.delete("/Patient?identifier=http://a.kr/mrn|3").expect(204);
    let left = server.get("/Patient").json();
    assert_eq!(entries(&left).len(), 2);
}

fn conditional_delete_of_a_version(kind: Kind) {
    let server = Server::open(kind);
    let path = "/Patient?identifier=http://a.kr/mrn|1";
    let delete = |tag: &str| server.request("DELETE", path, &[("if-match", tag)], None);
    // Nothing is at that version, as in an update.
    delete("W/\"1\"").refused(412, "IEUM-R014");
    server.delete(path).expect(204);
    server.create(&patient("1", "김"));
    delete("W/\"2\"").refused(412, "IEUM-R014");
    delete("W/\"1\"").expect(204);
    let bundle = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient?identifier=http://a.kr/mrn|1","ifMatch":"W/\"1\""}}]}"#;
    server.post("", bundle).refused(412, "IEUM-R014");
}

fn criteria_must_be_criteria(kind: Kind) {
    let server = Server::open(kind);
    server.create(&patient("1", "김"));
    server.delete("/Patient").refused(400, "IEUM-R025");
    server.delete("/Patient?_count=1").refused(400, "IEUM-R025");
    server.delete("/Patient?family=x&_sort=family").refused(400, "IEUM-R025");
    // Unknown criteria are never passed over, whatever the client prefers.
    let lenient = [("prefer", "handling=lenient")];
    server.request("DELETE", "/Patient?nmae=x", &lenient, None).refused(400, "IEUM-S002");
    server.put("/Patient", &patient("1", "김")).refused(400, "IEUM-R025");
    server.send("POST", "/Patient", &[("if-none-exist", "")], &patient("1", "김")).refused(400, "IEUM-R025");
    server
        .send("POST", "/Patient", &[("if-none-exist", "foo=bar")], &patient("1", "김"))
        .refused(400, "IEUM-S002");
    server
        .send("POST", "/Patient", &[("if-none-exist", "family=%ff")], &patient("1", "김"))
        .refused(400, "IEUM-R027");
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 1);
}

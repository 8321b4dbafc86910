//! Formats and media types.

use crate::support::{Kind, Server, on_every_engine, patient};

on_every_engine!(accepts_json_only, accept_may_stand_on_several_lines, bodies_are_json_in_utf8, pretty);

fn accepts_json_only(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    for path in
        [format!("/Patient/{id}"), "/Patient".into(), "/metadata".into(), format!("/Patient/{id}/_history")]
    {
        for accept in ["application/fhir+json", "application/json", "*/*", "text/html,*/*;q=0.1"] {
            server.get_with(&path, &[("accept", accept)]).expect(200);
        }
        for accept in ["application/fhir+xml", "text/turtle", "application/pdf"] {
            server.get_with(&path, &[("accept", accept)]).refused(406, "IEUM-R009");
        }
        server.get_with(&format!("{path}?_format=json"), &[("accept", "application/fhir+xml")]).expect(200);
        server.get(&format!("{path}?_format=application/fhir%2Bjson")).expect(200);
        server.get(&format!("{path}?_format=xml")).refused(406, "IEUM-R009");
    }
    server.form("/Patient/_search", "_format=xml").refused(406, "IEUM-R009");
    // Refused before anything is written.
    server
        .send("POST", "/Patient", &[("accept", "application/fhir+xml")], &patient("2", "이"))
        .refused(406, "IEUM-R009");
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 1);
}

fn accept_may_stand_on_several_lines(kind: Kind) {
    let server = Server::open(kind);
    let xml = ("accept", "application/fhir+xml");
    server.get_with("/Patient", &[xml, ("accept", "application/fhir+json")]).expect(200);
    server.get_with("/Patient", &[xml, ("accept", "text/turtle")]).refused(406, "IEUM-R009");
    // An empty one asks for nothing in particular.
    server.get_with("/Patient", &[("accept", "")]).expect(200);
}

fn bodies_are_json_in_utf8(kind: Kind) {
    let server = Server::open(kind);
    let send = |media: Option<&str>, body: &[u8]| {
        let headers: Vec<(&str, &str)> = media.map(|media| ("content-type", media)).into_iter().collect();
        server.request("POST", "/Patient", &headers, Some(body))
    };
    let body = patient("1", "김");
    for media in
        ["application/fhir+json", "application/json", "application/fhir+json; charset=UTF-8; fhirVersion=4.0"]
    {
        send(Some(media), body.as_bytes()).expect(201);
    }
    for media in [
        "application/fhir+xml",
        "text/plain",
        "application/json; charset=euc-kr",
        "application/x-www-form-urlencoded",
    ] {
        send(Some(media), body.as_bytes()).refused(415, "IEUM-R010");
    }
    send(None, body.as_bytes()).refused(415, "IEUM-R010");
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    server.request("POST", "/Patient", &headers, Some(b"x")).refused(415, "IEUM-R010");
}

fn pretty(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    let plain = server.get(&format!("/Patient/{id}")).expect(200);
    let pretty = server.get(&format!("/Patient/{id}?_pretty=true")).expect(200);
    assert_eq!(pretty.json(), plain.json());
    assert!(pretty.text().starts_with("{\n  \"resourceType\": \"Patient\",\n"));
    server.get(&format!("/Patient/{id}?_pretty=maybe")).refused(400, "IEUM-S005");
    let error = server.get("/Patient/none?_pretty=true").expect(404);
    assert!(error.text().contains("\n  \"issue\""));
}

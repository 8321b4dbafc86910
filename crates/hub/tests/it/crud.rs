//! read, vread, create, update, delete.

use ieum_fhir::definitions::r4;
use ieum_fhir::generate::{self, Shape};
use ieum_fhir::json::{Document, Limits};

use crate::support::{Kind, Server, entries, on_every_engine, patient};

on_every_engine!(
    create_assigns_an_id,
    create_reads_back_byte_equal,
    any_resource_reads_back_byte_equal,
    read_of_nothing,
    delete_and_after,
    update_and_update_as_create,
    update_without_change_makes_no_version,
    update_refuses_other_ids,
    versions_are_written_in_one_way,
    conditional_read,
    head_is_get_without_body,
    prefer_return,
    invalid_resources,
    kinds_of_our_own_do_not_exist,
    unknown_addresses_and_methods,
    big_binary,
);

fn create_assigns_an_id(kind: Kind) {
    let server = Server::open(kind);
    let reply =
        server.post("/Patient", r#"{"resourceType":"Patient","id":"mine","gender":"female"}"#).expect(201);
    let json = reply.json();
    let id = json["id"].as_str().unwrap();
    assert_ne!(id, "mine");
    assert_eq!(id.len(), 36);
    assert_eq!(json["meta"]["versionId"], "1");
    assert_eq!(reply.header("etag"), Some("W/\"1\""));
    assert_eq!(reply.header("location").unwrap(), format!("{}/Patient/{id}/_history/1", server.base));
    assert!(reply.header("last-modified").unwrap().ends_with("GMT"));
    assert_eq!(reply.header("content-type"), Some("application/fhir+json; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.header("x-request-id").is_some());
    let read = server.get(&format!("/Patient/{id}")).expect(200);
    assert_eq!(read.body, reply.body);
    assert_eq!(read.header("etag"), Some("W/\"1\""));
    assert!(server.get("/Patient/mine").status == 404);
}

fn create_reads_back_byte_equal(kind: Kind) {
    let server = Server::open(kind);
    let rest = concat!(
        r#""contained":[{"resourceType":"Organization","id":"o","name":"가나다 의원"}],"#,
        r#""extension":[{"url":"http://a.kr/x","valueDecimal":1.50},{"url":"http://a.kr/y","valueDecimal":1e2}],"#,
        r#""name":[{"family":"김","given":["민수",null],"_given":[null,{"extension":[{"url":"http://a.kr/z","valueCode":"a"}]}]}],"#,
        r#""birthDate":"1980-02-29","_birthDate":{"extension":[{"url":"http://a.kr/t","valueDateTime":"1980-02-29T01:02:03.456+09:00"}]},"#,
        r##""managingOrganization":{"reference":"#o"}"##,
    );
    let id = server.create(&format!(r#"{{"resourceType":"Patient",{rest}}}"#));
    let body = server.get(&format!("/Patient/{id}")).expect(200).text();
    assert!(body.ends_with(&format!("}},{rest}}}")), "{body}");
}

/// Resources of every type with whatever may stand in them: members and their order, digits of numbers, spelling of strings.
fn any_resource_reads_back_byte_equal(kind: Kind) {
    let server = Server::open(kind);
    let mut compared = 0;
    // Those make the hub do something, and of what chance makes most cannot be done.
    let is_judged = |name: &&&str| ["SearchParameter", "Subscription"].contains(*name);
    for name in r4().resource_types().iter().filter(|name| !is_judged(name)) {
        for seed in 0..3 {
            let sent = generate::resource(name, seed, &Shape::default()).unwrap().to_string();
            let id = server.create(&sent);
            let read = server.get(&format!("/{name}/{id}")).expect(200);
            assert_eq!(members(&read.body), members(sent.as_bytes()), "{name} {seed}");
            compared += 1;
        }
    }
    assert!(compared > 400);
}

/// Names and bytes of the members, without what the server itself writes.
fn members(json: &[u8]) -> Vec<(String, String)> {
    let document = Document::parse(json, &Limits::default()).unwrap();
    let own = ["id", "versionId", "lastUpdated"];
    let mut found = Vec::new();
    for member in document.root().members() {
        let key = member.key().unwrap().into_owned();
        if key == "meta" {
            let inner = member
                .members()
                .map(|inner| (format!("meta.{}", inner.key().unwrap()), inner.raw().to_owned()));
            found.extend(inner.filter(|(key, _)| !own.contains(&&key["meta.".len()..])));
        } else if !own.contains(&&*key) {
            found.push((key, member.raw().to_owned()));
        }
    }
    // The server's own stand first.
    found.sort_by_key(|(key, _)| !key.starts_with("meta."));
    found
}

fn read_of_nothing(kind: Kind) {
    let server = Server::open(kind);
    server.get("/Patient/none").refused(404, "IEUM-R006");
    server.get("/Patient/none/_history/1").refused(404, "IEUM-R006");
    server.get("/Patient/none/_history").refused(404, "IEUM-R006");
    server.get("/Patient/%20").refused(404, "IEUM-R006");
}

fn delete_and_after(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p","active":true}"#).expect(201);
    let reply = server.delete("/Patient/p").expect(204);
    assert_eq!(reply.header("etag"), Some("W/\"2\""));
    assert!(reply.body.is_empty());
    server.get("/Patient/p").refused(410, "IEUM-R007");
    server.get("/Patient/p/_history/2").refused(410, "IEUM-R007");
    assert_eq!(server.get("/Patient/p/_history/1").expect(200).json()["active"], true);
    // Twice, and of what never was.
    server.delete("/Patient/p").expect(204);
    server.delete("/Patient/never").expect(204);
    let reply =
        server.request("DELETE", "/Patient/p", &[("prefer", "return=OperationOutcome")], None).expect(200);
    assert_eq!(reply.json()["issue"][0]["severity"], "information");
    let history = server.get("/Patient/p/_history").expect(200).json();
    assert_eq!(history["total"], 2);
    // Versions go on after a deletion.
    let reply = server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p","active":true}"#).expect(201);
    assert_eq!(reply.header("etag"), Some("W/\"3\""));
    assert_eq!(server.get("/Patient/p").expect(200).json()["meta"]["versionId"], "3");
}

fn update_and_update_as_create(kind: Kind) {
    let server = Server::open(kind);
    let reply = server.put("/Patient/a.b-1", r#"{"resourceType":"Patient","id":"a.b-1"}"#).expect(201);
    assert_eq!(reply.header("location").unwrap(), format!("{}/Patient/a.b-1/_history/1", server.base));
    let reply =
        server.put("/Patient/a.b-1", r#"{"resourceType":"Patient","id":"a.b-1","active":true}"#).expect(200);
    assert_eq!(reply.header("etag"), Some("W/\"2\""));
    assert!(server.get("/Patient/a.b-1/_history/1").expect(200).json()["active"].is_null());
    // What the client says of version and time does not count; other meta does.
    let meta = r#""meta":{"versionId":"77","lastUpdated":"1999-01-01T00:00:00Z","tag":[{"code":"x"}]}"#;
    let body = format!(r#"{{"resourceType":"Patient","id":"a.b-1",{meta}}}"#);
    let json = server.put("/Patient/a.b-1", &body).expect(200).json();
    assert_eq!(json["meta"]["versionId"], "3");
    assert_eq!(json["meta"]["tag"][0]["code"], "x");
    assert!(json["meta"]["lastUpdated"].as_str().unwrap() > "2020");
}

fn update_without_change_makes_no_version(kind: Kind) {
    let server = Server::open(kind);
    let first = server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p","active":true}"#).expect(201);
    let again =
        server.put("/Patient/p", r#"{"resourceType":"Patient", "id":"p", "active": true}"#).expect(200);
    assert_eq!(again.header("etag"), Some("W/\"1\""));
    assert_eq!(again.body, first.body);
    assert_eq!(server.get("/Patient/p/_history").expect(200).json()["total"], 1);
}

fn update_refuses_other_ids(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/a", r#"{"resourceType":"Patient","id":"b"}"#).refused(400, "IEUM-R016");
    server.put("/Patient/a", r#"{"resourceType":"Patient"}"#).refused(400, "IEUM-R016");
    server.put("/Patient/a_b", r#"{"resourceType":"Patient","id":"a_b"}"#).refused(400, "IEUM-R026");
    server.put("/Patient/a", r#"{"resourceType":"Practitioner","id":"a"}"#).refused(400, "IEUM-V003");
    server.get("/Patient/a").expect(404);
}

fn versions_are_written_in_one_way(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    server.get(&format!("/Patient/{id}/_history/1")).expect(200);
    for version in ["%2B1", "+1", "01", "1.0", "0", "-1", "18446744073709551616"] {
        server.get(&format!("/Patient/{id}/_history/{version}")).refused(404, "IEUM-R006");
    }
}

fn conditional_read(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    let path = format!("/Patient/{id}");
    let modified = server.get(&path).header("last-modified").unwrap().to_owned();
    for (name, value, status) in [
        ("if-none-match", "W/\"1\"", 304),
        ("if-none-match", "\"1\"", 304),
        ("if-none-match", "W/\"9\", W/\"1\"", 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "W/\"2\"", 200),
        ("if-modified-since", modified.as_str(), 304),
        ("if-modified-since", "Thu, 01 Jan 2015 00:00:00 GMT", 200),
        ("if-modified-since", "never", 200),
    ] {
        let reply = server.get_with(&path, &[(name, value)]).expect(status);
        assert_eq!(reply.header("etag"), Some("W/\"1\""), "{name}: {value}");
        assert_eq!(reply.body.is_empty(), status == 304);
    }
    // The tag decides when both are there.
    server.get_with(&path, &[("if-none-match", "W/\"2\""), ("if-modified-since", &modified)]).expect(200);
}

fn head_is_get_without_body(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    for path in [
        format!("/Patient/{id}"),
        "/Patient?name=x".into(),
        "/metadata".into(),
        format!("/Patient/{id}/_history"),
    ] {
        let head = server.request("HEAD", &path, &[], None).expect(200);
        let get = server.get(&path).expect(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length").unwrap(), get.body.len().to_string());
        assert_eq!(head.header("etag"), get.header("etag"));
        assert_eq!(head.header("content-type"), get.header("content-type"));
    }
    let head = server.request("HEAD", "/Patient/none", &[], None).expect(404);
    assert!(head.body.is_empty());
}

fn prefer_return(kind: Kind) {
    let server = Server::open(kind);
    let reply =
        server.send("POST", "/Patient", &[("prefer", "return=minimal")], &patient("1", "김")).expect(201);
    assert!(reply.body.is_empty());
    assert!(reply.header("location").is_some() && reply.header("etag").is_some());
    let reply = server
        .send("POST", "/Patient", &[("prefer", "return=OperationOutcome")], &patient("2", "김"))
        .expect(201);
    assert_eq!(reply.json()["issue"][0]["details"]["coding"][0]["code"], "IEUM-R030");
    let reply = server
        .send("POST", "/Patient", &[("prefer", "return=representation")], &patient("3", "김"))
        .expect(201);
    assert_eq!(reply.json()["resourceType"], "Patient");
}

fn invalid_resources(kind: Kind) {
    let server = Server::open(kind);
    for (body, status, code, place) in [
        ("", 400, "IEUM-J004", None),
        ("{", 400, "IEUM-J004", None),
        ("[]", 400, "IEUM-V001", Some("Patient")),
        ("{}", 400, "IEUM-V001", Some("Patient")),
        (r#"{"resourceType":"Pateint"}"#, 400, "IEUM-V002", Some("Patient")),
        (r#"{"resourceType":"Observation"}"#, 400, "IEUM-V003", Some("Patient")),
        (r#"{"resourceType":"Patient","nmae":[]}"#, 422, "IEUM-V004", Some("Patient")),
        (r#"{"resourceType":"Patient","name":{"family":"x"}}"#, 422, "IEUM-V006", Some("Patient.name")),
        (
            r#"{"resourceType":"Patient","birthDate":"1980-13-01"}"#,
            422,
            "IEUM-V011",
            Some("Patient.birthDate"),
        ),
        (r#"{"resourceType":"Patient","gender":"x"}"#, 422, "IEUM-V019", Some("Patient.gender")),
    ] {
        let reply = server.post("/Patient", body).refused(status, code);
        if let Some(place) = place {
            let found = reply.json()["issue"][0]["expression"][0].as_str().unwrap_or_default().to_owned();
            assert!(found.starts_with(place), "{found} in {body}");
        }
    }
    assert_eq!(server.get("/Patient?_summary=count").expect(200).json()["total"], 0);
}

fn kinds_of_our_own_do_not_exist(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(ieum_trust::access::Role::Service, None);
    for path in ["/IeumAccount", "/IeumAccount/x", "/IeumAccount/x/_history", "/IeumAccount/_history"] {
        server.get_as(&service, path).refused(404, "IEUM-R004");
    }
    let body = r#"{"resourceType":"IeumAccount","id":"x"}"#;
    server.send_as(&service, "POST", "/IeumAccount", body).refused(404, "IEUM-R004");
    server.send_as(&service, "PUT", "/IeumAccount/x", body).refused(404, "IEUM-R004");
    // The account was written, and its history is not FHIR's.
    assert!(entries(&server.get_as(&service, "/_history").expect(200).json()).is_empty());
    server.get_as(&service, "/Patient?_has:IeumAccount:secret:role=service").expect(400);
}

fn unknown_addresses_and_methods(kind: Kind) {
    let server = Server::open(kind);
    server.get("/patient").refused(404, "IEUM-R004");
    server.get("/Patient/a/b/c/d").refused(404, "IEUM-R003");
    server.get("/Patient/a/_histroy").refused(404, "IEUM-R003");
    server.get("/Patient/a/$foo").refused(404, "IEUM-R005");
    server.get("/$nothing").refused(404, "IEUM-R005");
    server.get("/Observation/a/$everything").refused(404, "IEUM-R005");
    for (method, path, allow) in [
        ("PATCH", "/metadata", "GET, HEAD"),
        ("POST", "/Patient/a", "GET, HEAD, PUT, PATCH, DELETE"),
        ("DELETE", "/metadata", "GET, HEAD"),
        ("PUT", "/Patient/a/_history/1", "GET, HEAD"),
        ("GET", "/Patient/_search", "POST"),
        ("PATCH", "", "GET, HEAD, POST"),
    ] {
        let reply = server.send(method, path, &[], "{}").refused(405, "IEUM-R008");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
    }
    server.get("/Patient/a?_sumary=true").refused(400, "IEUM-S002");
}

fn big_binary(kind: Kind) {
    let server = Server::open(kind);
    let data = "A".repeat(10 << 20);
    let body = format!(r#"{{"resourceType":"Binary","contentType":"application/pdf","data":"{data}"}}"#);
    let reply = server.send("POST", "/Binary", &[("prefer", "return=minimal")], &body).expect(201);
    let location = reply.header("location").unwrap().to_owned();
    let read = server.get(&location).expect(200);
    assert!(read.body.len() > data.len());
    assert!(read.body.ends_with(format!(r#""contentType":"application/pdf","data":"{data}"}}"#).as_bytes()));
}

//! history of a record, a type and the system.

use crate::support::{Kind, Server, entries, link, on_every_engine, patient};

on_every_engine!(instance_history, type_and_system_history, paged, since, refused_parameters);

fn instance_history(kind: Kind) {
    let server = Server::open(kind);
    for active in [true, false] {
        server.put("/Patient/p", &format!(r#"{{"resourceType":"Patient","id":"p","active":{active}}}"#));
    }
    server.delete("/Patient/p").expect(204);
    let bundle = server.get("/Patient/p/_history").expect(200).json();
    assert_eq!(bundle["type"], "history");
    assert_eq!(bundle["total"], 3);
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient/p/_history", server.base));
    let entries = entries(&bundle);
    let table =
        [("DELETE", "Patient/p", "204", 3), ("PUT", "Patient/p", "200", 2), ("PUT", "Patient/p", "201", 1)];
    for (entry, (method, url, status, version)) in entries.iter().zip(table) {
        assert_eq!(entry["fullUrl"], format!("{}/Patient/p", server.base));
        assert_eq!(entry["request"]["method"], method);
        assert_eq!(entry["request"]["url"], url);
        assert_eq!(entry["response"]["status"], status);
        assert_eq!(entry["response"]["etag"], format!("W/\"{version}\""));
        assert!(entry["response"]["lastModified"].is_string());
        assert_eq!(entry["resource"].is_null(), method == "DELETE");
    }
    assert_eq!(entries[1]["resource"]["meta"]["versionId"], "2");
    assert_eq!(entries[2]["resource"]["active"], true);
}

fn type_and_system_history(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    server.create(r#"{"resourceType":"Organization","name":"가"}"#);
    server.delete(&format!("/Patient/{id}"));
    assert_eq!(server.count("/Patient/_history"), 2);
    assert_eq!(server.count("/Observation/_history"), 0);
    let all = server.get("/_history").expect(200).json();
    let methods: Vec<_> =
        entries(&all).iter().map(|entry| entry["request"]["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["DELETE", "PUT", "PUT"]);
}

fn paged(kind: Kind) {
    let server = Server::open(kind);
    for count in 0..7 {
        server.put(
            "/Patient/p",
            &format!(r#"{{"resourceType":"Patient","id":"p","multipleBirthInteger":{count}}}"#),
        );
    }
    for path in ["/Patient/p/_history", "/Patient/_history", "/_history"] {
        let first = server.get(&format!("{path}?_count=3")).json();
        assert_eq!(link(&first, "first").unwrap(), format!("{}{path}?_count=3", server.base));
        let pages = server.pages(&format!("{path}?_count=3"));
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 3, 1]);
        let versions: Vec<_> = pages
            .concat()
            .iter()
            .map(|entry| entry["response"]["etag"].as_str().unwrap().to_owned())
            .collect();
        let expected: Vec<_> = (1..=7).rev().map(|version| format!("W/\"{version}\"")).collect();
        assert_eq!(versions, expected);
        // A token belongs to its question.
        let next = link(&first, "next").unwrap();
        let token = next.split_once("_page=").unwrap().1;
        server.get(&format!("/Patient/q/_history?_page={token}")).expect(404);
        server.get(&format!("/Organization/_history?_page={token}")).refused(400, "IEUM-R024");
        server.get(&format!("{path}?_since=2020&_page={token}")).refused(400, "IEUM-R024");
    }
    let none = server.get("/Patient/p/_history?_count=0").json();
    assert_eq!((none["total"].as_u64(), entries(&none).len(), link(&none, "next")), (Some(7), 0, None));
}

fn since(kind: Kind) {
    let server = Server::open(kind);
    server.create(&patient("1", "김"));
    let second = server.post("/Patient", &patient("2", "이")).json();
    let third = server.post("/Patient", &patient("3", "박")).json();
    let since = second["meta"]["lastUpdated"].as_str().unwrap();
    for written in [since.to_owned(), since.replace('+', "%2B")] {
        let bundle = server.get(&format!("/Patient/_history?_since={written}")).expect(200).json();
        let ids: Vec<_> = entries(&bundle).iter().map(|entry| entry["resource"]["id"].clone()).collect();
        assert_eq!(ids, [third["id"].clone(), second["id"].clone()]);
    }
    server.get("/_history?_since=2999-01-01T00:00:00Z").expect(200);
}

fn refused_parameters(kind: Kind) {
    let server = Server::open(kind);
    server.get("/_history?_since=yesterday").refused(400, "IEUM-S005");
    server.get("/_history?_since=2020&_since=2021").refused(400, "IEUM-S005");
    server.get("/_history?_count=many").refused(400, "IEUM-S005");
    server.get("/_history?_at=2020").refused(400, "IEUM-S004");
    server.get("/_history?foo=bar").refused(400, "IEUM-S002");
    server.get_with("/_history?foo=bar", &[("prefer", "handling=lenient")]).expect(200);
    server.get("/_history?_page=zz").refused(400, "IEUM-R024");
}

//! history of a record, a type and the system.

use crate::support::{Kind, Server, entries, link, on_every_engine, patient};

on_every_engine!(
    instance_history,
    type_and_system_history,
    paged,
    pages_go_back,
    since,
    at,
    of_the_deleted,
    refused_parameters,
);

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

fn pages_go_back(kind: Kind) {
    let server = Server::open(kind);
    for count in 0..7 {
        let body = format!(r#"{{"resourceType":"Patient","id":"p","multipleBirthInteger":{count}}}"#);
        server.put("/Patient/p", &body);
    }
    for path in ["/Patient/p/_history", "/Patient/_history", "/_history"] {
        let mut pages = vec![server.get(&format!("{path}?_count=3")).expect(200).json()];
        while let Some(next) = link(pages.last().unwrap(), "next") {
            pages.push(server.get(next).expect(200).json());
        }
        assert!(pages.len() >= 3);
        assert_eq!(link(&pages[0], "previous"), None, "{path}");
        // A write while going back changes nothing.
        server.put("/Patient/q", r#"{"resourceType":"Patient","id":"q"}"#);
        for window in pages.windows(2).rev() {
            let back = server.get(link(&window[1], "previous").unwrap()).expect(200).json();
            assert_eq!(back["entry"], window[0]["entry"], "{path}");
        }
    }
}

fn at(kind: Kind) {
    let server = Server::open(kind);
    let version = |active: bool| {
        let body = format!(r#"{{"resourceType":"Patient","id":"p","active":{active}}}"#);
        let reply = server.put("/Patient/p", &body).json();
        reply["meta"]["lastUpdated"].as_str().unwrap().replace('+', "%2B")
    };
    let first = version(true);
    server.put("/Organization/o", r#"{"resourceType":"Organization","id":"o"}"#).expect(201);
    std::thread::sleep(std::time::Duration::from_millis(5));
    let second = version(false);
    std::thread::sleep(std::time::Duration::from_millis(5));
    server.delete("/Patient/p").expect(204);
    let found = |path: &str| {
        let bundle = server.get(path).expect(200).json();
        assert_eq!(link(&bundle, "self").unwrap(), format!("{}{path}", server.base));
        let versions = entries(&bundle).iter().map(|entry| {
            let place = entry["fullUrl"].as_str().unwrap().rsplit('/').next().unwrap();
            format!("{place}{}", entry["response"]["etag"].as_str().unwrap().trim_start_matches("W/"))
        });
        versions.collect::<Vec<_>>()
    };
    assert_eq!(found(&format!("/Patient/p/_history?_at={first}")), ["p\"1\""]);
    assert_eq!(found(&format!("/Patient/p/_history?_at={second}")), ["p\"2\""]);
    assert_eq!(found(&format!("/Patient/_history?_at={second}")), ["p\"2\""]);
    assert_eq!(found(&format!("/_history?_at={second}")), ["p\"2\"", "o\"1\""]);
    // The deletion is what held at last; a year covers all that held in it.
    assert_eq!(found("/Patient/p/_history?_at=2999-01-01"), ["p\"3\""]);
    assert_eq!(found("/Patient/p/_history?_at=2000"), [""; 0]);
    assert_eq!(found(&format!("/Patient/p/_history?_at={}", &first[..4])).len(), 3);
    assert_eq!(found(&format!("/Patient/p/_history?_since={second}&_at={}", &first[..4])).len(), 2);
    assert_eq!(server.get(&format!("/Patient/p/_history?_at={second}")).json()["total"], 1);
}

fn of_the_deleted(kind: Kind) {
    let server = Server::open(kind);
    let id = server.create(&patient("1", "김"));
    server.delete(&format!("/Patient/{id}")).expect(204);
    let bundle = server.get(&format!("/Patient/{id}/_history?_count=1")).expect(200).json();
    assert_eq!(
        (bundle["total"].as_u64(), &entries(&bundle)[0]["request"]["method"]),
        (Some(2), &"DELETE".into())
    );
    let next = server.get(link(&bundle, "next").unwrap()).expect(200).json();
    assert_eq!(entries(&next)[0]["resource"]["id"], id.as_str());
    server.get("/Patient/never/_history").refused(404, "IEUM-R006");
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
    server.get("/_history?_at=2020&_at=2021").refused(400, "IEUM-S005");
    server.get("/_history?_at=then").refused(400, "IEUM-S005");
    server.get("/_history?foo=bar").refused(400, "IEUM-S002");
    server.get_with("/_history?foo=bar", &[("prefer", "handling=lenient")]).expect(200);
    server.get("/_history?_page=zz").refused(400, "IEUM-R024");
}

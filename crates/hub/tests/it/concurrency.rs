//! Many clients at the same records at the same time.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Barrier;

use serde_json::json;

use crate::support::{Kind, Reply, Server, entries, ids, on_every_engine, patient};

on_every_engine!(
    same_conditional_create,
    conditional_creates_that_match_one_another,
    same_conditional_update,
    same_if_match,
    same_if_none_match,
    crossing_transactions,
    conditional_delete_and_update,
    patches_of_one_record,
    different_conditional_creates,
    counting_by_if_match,
    crossing_transactions_by_if_match,
    crossing_conditional_transactions,
    lost_answers,
);

const CLIENTS: usize = 64;

/// Runs this for each client at once.
fn at_once(work: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    let barrier = Barrier::new(CLIENTS);
    std::thread::scope(|scope| {
        let (work, barrier) = (&work, &barrier);
        let clients = (0..CLIENTS).map(|client| {
            scope.spawn(move || {
                barrier.wait();
                work(client)
            })
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

fn by_status(replies: &[Reply]) -> HashMap<u16, usize> {
    let mut counts = HashMap::new();
    for reply in replies {
        *counts.entry(reply.status).or_default() += 1;
    }
    counts
}

fn same_conditional_create(kind: Kind) {
    let server = Server::open(kind);
    let condition = [("if-none-exist", "identifier=http://a.kr/mrn|1")];
    let replies = at_once(|_| server.send("POST", "/Patient", &condition, &patient("1", "김")));
    assert_eq!(by_status(&replies), HashMap::from([(201, 1), (200, CLIENTS - 1)]));
    let location = replies[0].header("location").unwrap();
    assert!(replies.iter().all(|reply| reply.header("location") == Some(location)));
    assert_eq!(server.get("/Patient").json()["total"], 1);
}

fn conditional_creates_that_match_one_another(kind: Kind) {
    let server = Server::open(kind);
    // Different criteria, all of which the one record matches.
    let criteria = ["identifier=http://a.kr/mrn|1", "family=김", "name=김", "identifier=1"];
    let replies = at_once(|client| {
        server.send(
            "POST",
            "/Patient",
            &[("if-none-exist", criteria[client % criteria.len()])],
            &patient("1", "김"),
        )
    });
    assert_eq!(by_status(&replies), HashMap::from([(201, 1), (200, CLIENTS - 1)]));
    assert_eq!(server.get("/Patient").json()["total"], 1);
}

fn same_conditional_update(kind: Kind) {
    let server = Server::open(kind);
    let path = "/Patient?identifier=http://a.kr/mrn|1";
    let replies = at_once(|client| server.put(path, &patient("1", &format!("김{client}"))));
    assert_eq!(by_status(&replies), HashMap::from([(201, 1), (200, CLIENTS - 1)]));
    let bundle = server.get("/Patient").json();
    assert_eq!(bundle["total"], 1);
    assert_eq!(entries(&bundle)[0]["resource"]["meta"]["versionId"], CLIENTS.to_string());
}

fn same_if_match(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).expect(201);
    let body = |client| format!(r#"{{"resourceType":"Patient","id":"p","multipleBirthInteger":{client}}}"#);
    let replies =
        at_once(|client| server.send("PUT", "/Patient/p", &[("if-match", "W/\"1\"")], &body(client)));
    assert_eq!(by_status(&replies), HashMap::from([(200, 1), (412, CLIENTS - 1)]));
    let winner = replies.iter().position(|reply| reply.status == 200).unwrap();
    assert_eq!(server.get("/Patient/p").json()["multipleBirthInteger"], winner);
}

/// `If-None-Match: *` is «only if it is not there»: of many, one may be the first.
fn same_if_none_match(kind: Kind) {
    let server = Server::open(kind);
    for round in 0..10 {
        let path = format!("/Patient/p{round}");
        let body = |client| {
            format!(r#"{{"resourceType":"Patient","id":"p{round}","multipleBirthInteger":{client}}}"#)
        };
        let replies = at_once(|client| server.send("PUT", &path, &[("if-none-match", "*")], &body(client)));
        assert_eq!(by_status(&replies), HashMap::from([(201, 1), (412, CLIENTS - 1)]));
        let winner = replies.iter().position(|reply| reply.status == 201).unwrap();
        assert_eq!(server.get(&path).json()["multipleBirthInteger"], winner);
    }
}

fn crossing_transactions(kind: Kind) {
    let server = Server::open(kind);
    // Each writes the same two records, in one order or the other, and a record of its own.
    let put = |id: &str, client: usize| {
        json!({"request": {"method": "PUT", "url": format!("Patient/{id}")},
               "resource": {"resourceType": "Patient", "id": id, "multipleBirthInteger": client}})
    };
    let replies = at_once(|client| {
        let (first, second) = if client % 2 == 0 { ("a", "b") } else { ("b", "a") };
        let own = json!({"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": format!("identifier=http://a.kr/mrn|{}", client / 2)},
            "resource": serde_json::from_str::<serde_json::Value>(&patient(&(client / 2).to_string(), "김")).unwrap()});
        let entries = [put(first, client), put(second, client), own];
        server
            .post("", &json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string())
    });
    assert_eq!(by_status(&replies), HashMap::from([(200, CLIENTS)]));
    let (a, b) = (server.get("/Patient/a").json(), server.get("/Patient/b").json());
    assert_eq!(a["meta"]["versionId"], CLIENTS.to_string());
    assert_eq!(a["multipleBirthInteger"], b["multipleBirthInteger"]);
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 2 + CLIENTS / 2);
}

fn conditional_delete_and_update(kind: Kind) {
    let server = Server::open(kind);
    let path = "/Patient?identifier=http://a.kr/mrn|1";
    let replies = at_once(|client| {
        if client % 2 == 0 {
            server.put(path, &patient("1", &format!("김{client}")))
        } else {
            server.delete(path)
        }
    });
    assert!(replies.iter().all(|reply| [200, 201, 204].contains(&reply.status)), "{:?}", by_status(&replies));
    assert!(server.get("/Patient").json()["total"].as_u64().unwrap() <= 1);
}

fn patches_of_one_record(kind: Kind) {
    let server = Server::open(kind);
    server
        .put("/Patient/p", r#"{"resourceType":"Patient","id":"p","identifier":[{"value":"p"}]}"#)
        .expect(201);
    let json_patch = [("content-type", "application/json-patch+json")];
    // By id and by criteria; each adds something of its own, and nothing of it may be lost.
    let replies = at_once(|client| {
        let path = if client % 2 == 0 { "/Patient/p" } else { "/Patient?identifier=p" };
        let patch = format!(
            r#"[{{"op":"add","path":"/identifier/-","value":{{"value":"{client}","system":"urn:a"}}}}]"#
        );
        server.request("PATCH", path, &json_patch, Some(patch.as_bytes()))
    });
    assert_eq!(by_status(&replies), HashMap::from([(200, CLIENTS)]), "{}", replies[0].text());
    let patient = server.get("/Patient/p").json();
    assert_eq!(patient["identifier"].as_array().unwrap().len(), CLIENTS + 1);
    assert_eq!(patient["meta"]["versionId"], (CLIENTS + 1).to_string());
    // With If-Match one of them wins.
    let replies = at_once(|client| {
        let headers = [json_patch[0], ("if-match", "W/\"65\"")];
        let patch = format!(r#"[{{"op":"add","path":"/multipleBirthInteger","value":{client}}}]"#);
        server.request("PATCH", "/Patient/p", &headers, Some(patch.as_bytes()))
    });
    assert_eq!(by_status(&replies), HashMap::from([(200, 1), (412, CLIENTS - 1)]));
}

fn different_conditional_creates(kind: Kind) {
    let server = Server::open(kind);
    // Sixteen records, each asked for by four clients in two ways.
    let replies = at_once(|client| {
        let number = client % 16;
        let criteria = if client < 32 {
            format!("identifier=http://a.kr/mrn|{number}")
        } else {
            format!("identifier={number}")
        };
        server.send("POST", "/Patient", &[("if-none-exist", &criteria)], &patient(&number.to_string(), "김"))
    });
    assert_eq!(by_status(&replies), HashMap::from([(201, 16), (200, CLIENTS - 16)]));
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 16);
    for number in 0..16 {
        let path = format!("/Patient?identifier=http://a.kr/mrn|{number}");
        let found = ids(&server.get(&path).json(), "match");
        assert_eq!(found.len(), 1);
        let of_number = replies.iter().enumerate().filter(|(client, _)| client % 16 == number);
        assert!(
            of_number.into_iter().all(|(_, reply)| reply.header("location").unwrap().contains(&found[0]))
        );
    }
}

/// Everybody reads a number and writes the next, until it was the next: none is lost, none counts twice.
fn counting_by_if_match(kind: Kind) {
    let server = Server::open(kind);
    server.put("/Patient/p", r#"{"resourceType":"Patient","id":"p","multipleBirthInteger":0}"#).expect(201);
    let replies = at_once(|_| {
        loop {
            let read = server.get("/Patient/p").expect(200).json();
            let next = read["multipleBirthInteger"].as_u64().unwrap() + 1;
            let version = format!("W/\"{}\"", read["meta"]["versionId"].as_str().unwrap());
            let body = format!(r#"{{"resourceType":"Patient","id":"p","multipleBirthInteger":{next}}}"#);
            let reply = server.send("PUT", "/Patient/p", &[("if-match", &version)], &body);
            match reply.status {
                200 => return reply,
                status => assert_eq!(status, 412, "{}", reply.text()),
            }
        }
    });
    assert_eq!(by_status(&replies), HashMap::from([(200, CLIENTS)]));
    let counted = server.get("/Patient/p").json();
    assert_eq!(counted["multipleBirthInteger"], CLIENTS);
    assert_eq!(counted["meta"]["versionId"], (CLIENTS + 1).to_string());
}

/// The same with two numbers in one transaction, named in one order by some and in the other by the rest.
fn crossing_transactions_by_if_match(kind: Kind) {
    let server = Server::open(kind);
    for id in ["a", "b"] {
        let body = format!(r#"{{"resourceType":"Patient","id":"{id}","multipleBirthInteger":0}}"#);
        server.put(&format!("/Patient/{id}"), &body).expect(201);
    }
    let replies = at_once(|client| {
        let order = if client % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
        loop {
            let entries = order.map(|id| {
                let read = server.get(&format!("/Patient/{id}")).expect(200).json();
                let next = read["multipleBirthInteger"].as_u64().unwrap() + 1;
                let version = format!("W/\"{}\"", read["meta"]["versionId"].as_str().unwrap());
                json!({"request": {"method": "PUT", "url": format!("Patient/{id}"), "ifMatch": version},
                       "resource": {"resourceType": "Patient", "id": id, "multipleBirthInteger": next}})
            });
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
            let reply = server.post("", &bundle.to_string());
            match reply.status {
                200 => return reply,
                status => assert_eq!(status, 412, "{}", reply.text()),
            }
        }
    });
    assert_eq!(by_status(&replies), HashMap::from([(200, CLIENTS)]));
    for id in ["a", "b"] {
        assert_eq!(server.get(&format!("/Patient/{id}")).json()["multipleBirthInteger"], CLIENTS, "{id}");
    }
}

/// Each makes the same two records if they are not there, in one order or the other, and something that refers to both.
fn crossing_conditional_transactions(kind: Kind) {
    let server = Server::open(kind);
    let full_url = |number: usize| format!("urn:uuid:c757873d-ec9a-4326-a141-55604323952{number}");
    let replies = at_once(|client| {
        let make = |number: usize| {
            let criteria = format!("identifier=http://a.kr/mrn|{number}");
            let body: serde_json::Value = serde_json::from_str(&patient(&number.to_string(), "김")).unwrap();
            json!({"fullUrl": full_url(number), "resource": body,
                   "request": {"method": "POST", "url": "Patient", "ifNoneExist": criteria}})
        };
        let (first, second) = if client % 2 == 0 { (1, 2) } else { (2, 1) };
        let list = json!({"resourceType": "List", "status": "current", "mode": "working",
            "entry": [{"item": {"reference": full_url(first)}}, {"item": {"reference": full_url(second)}}]});
        let list = json!({"request": {"method": "POST", "url": "List"}, "resource": list});
        let entries = [make(first), make(second), list];
        server
            .post("", &json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string())
    });
    assert_eq!(by_status(&replies), HashMap::from([(200, CLIENTS)]), "{}", replies[0].text());
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 2);
    let both = "/List?item:Patient.identifier=http://a.kr/mrn|1&item:Patient.identifier=http://a.kr/mrn|2&_summary=count";
    assert_eq!(server.get(both).json()["total"], CLIENTS);
}

/// A client that does not hear the answer asks again, and is told what it would have been told.
fn lost_answers(kind: Kind) {
    let server = Server::open(kind);
    let body = patient("1", "김");
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\nIf-None-Exist: identifier=http://a.kr/mrn|1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..20 {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
    }
    let again =
        || server.send("POST", "/Patient", &[("if-none-exist", "identifier=http://a.kr/mrn|1")], &body);
    let first = again();
    assert!([200, 201].contains(&first.status), "{}", first.text());
    let second = again().expect(200);
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(server.get("/Patient").json()["total"], 1);
    assert_eq!(server.count("/Patient/_history"), 1);
}

//! Answers are bounded, whatever is asked for and however slowly it is read.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ieum::hub::Entrance;
use ieum::limits::Limits;
use serde_json::{Value, json};

use crate::support::{Kind, Reply, Server, entries, link, on_every_engine, patient};

on_every_engine!(
    pages_end_when_they_have_enough_bytes,
    what_goes_with_a_page_is_bounded,
    answers_to_bundles_are_bounded,
    answers_that_nobody_reads_are_given_up,
    answers_that_wait_to_be_read_share_a_room,
    long_links_can_be_posted,
);

/// A Binary of about so many bytes, and a Basic that names it.
fn put_binary(server: &Server, number: usize, bytes: usize) {
    let data = "AAAA".repeat(bytes / 4);
    let binary =
        json!({"resourceType": "Binary", "id": format!("b{number}"), "contentType": "x/y", "data": data});
    server.put(&format!("/Binary/b{number}"), &binary.to_string()).expect(201);
}

fn sizes(pages: &[Vec<Value>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

// threat: 21
fn pages_end_when_they_have_enough_bytes(kind: Kind) {
    let limits = Limits { page_bytes: 100_000, ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    for number in 0..7 {
        put_binary(&server, number, 30_000);
    }
    put_binary(&server, 7, 300_000);
    for path in ["/Binary?_count=1000", "/_history?_count=1000", "/Binary?_sort=-_id&_count=1000"] {
        let pages = server.pages(path);
        assert!(sizes(&pages).iter().all(|size| (1..=3).contains(size)), "{path}: {:?}", sizes(&pages));
        let mut ids: Vec<_> = pages.iter().flatten().map(|entry| entry["fullUrl"].to_string()).collect();
        assert_eq!(ids.len(), 8, "{path}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 8, "{path}: each once");
    }
    let first = server.get("/Binary?_count=1000").json();
    assert_eq!(first["total"], 8, "the total is of all");
    // And back again, from the last page.
    let second = server.get(link(&first, "next").unwrap()).json();
    let third = server.get(link(&second, "next").unwrap()).json();
    let back = server.get(link(&third, "previous").unwrap()).json();
    assert_eq!(back["entry"], second["entry"]);
    // Small ones fill their page as ever.
    for number in 0..60 {
        server.create(&patient(&number.to_string(), "김"));
    }
    assert_eq!(sizes(&server.pages("/Patient?_count=50")), [50, 10]);
    assert_eq!(sizes(&server.pages("/Patient?_sort=identifier&_count=20")), [20, 20, 20]);
}

// threat: 21
fn what_goes_with_a_page_is_bounded(kind: Kind) {
    let limits = Limits { page_bytes: 100_000, ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    let id = server.create(&patient("1", "김"));
    let practitioner = |number: usize| {
        let name = json!([{"text": "김".repeat(10_000)}]);
        json!({"resourceType": "Practitioner", "id": format!("d{number}"), "name": name})
    };
    for number in 0..5 {
        server.put(&format!("/Practitioner/d{number}"), &practitioner(number).to_string()).expect(201);
        let performer = json!([{"reference": format!("Practitioner/d{number}")}]);
        let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": format!("Patient/{id}")}, "performer": performer});
        server.create(&observation.to_string());
    }
    for path in
        ["/Observation?_include=Observation:performer".to_owned(), format!("/Patient/{id}/$everything")]
    {
        let bundle = server.get(&path).expect(200).json();
        let of_mode =
            |mode: &str| entries(&bundle).iter().filter(|entry| entry["search"]["mode"] == mode).count();
        assert_eq!((of_mode("include"), of_mode("outcome")), (3, 1), "{path}");
    }
}

// threat: 21
fn answers_to_bundles_are_bounded(kind: Kind) {
    let limits = Limits { bundle_answer_bytes: 100_000, ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    put_binary(&server, 1, 30_000);
    let read = json!({"request": {"method": "GET", "url": "Binary/b1"}});
    let create =
        json!({"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}});
    for (kind, prefer) in
        [("batch", "return=minimal"), ("transaction", "return=minimal"), ("batch", "return=representation")]
    {
        let mut asked = vec![read.clone(); 50];
        asked.push(create.clone());
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": asked}).to_string();
        let answer = server.send("POST", "", &[("prefer", prefer)], &bundle).expect(200);
        assert!(answer.body.len() < 250_000, "{} bytes", answer.body.len());
        let answer = answer.json();
        let statuses: Vec<_> =
            entries(&answer).iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == "200").count(), 3, "{kind}");
        assert_eq!(statuses.iter().filter(|status| **status == "413").count(), 47, "{kind}");
        assert_eq!(statuses[50], "201", "{kind}: writes are done and told");
        let refused = entries(&answer).iter().find(|entry| entry["response"]["status"] == "413").unwrap();
        let code = &refused["response"]["outcome"]["issue"][0]["details"]["coding"][0]["code"];
        assert_eq!(code, "IEUM-B007");
    }
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 3);
}

/// Asks for a Binary of 6 MB and reads nothing of it.
fn ask_and_wait(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /fhir/Binary/b1 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream
}

// threat: 21
fn answers_that_nobody_reads_are_given_up(kind: Kind) {
    let limits = Limits { answer_idle_time: Duration::from_millis(500), ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    let bytes = 12 << 20;
    put_binary(&server, 1, bytes);
    let mut idle = ask_and_wait(&server);
    std::thread::sleep(Duration::from_secs(3));
    let mut count = 0;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = idle.read(&mut buffer) {
        count += read;
    }
    assert!(count < bytes, "{count} bytes of an answer came that nobody had read for long");
    // Who reads gets all of it.
    assert!(server.get("/Binary/b1").expect(200).body.len() > bytes);
}

fn answers_that_wait_to_be_read_share_a_room(kind: Kind) {
    let limits = Limits {
        answers_bytes: 8 << 20,
        wait_time: Duration::from_millis(300),
        answer_idle_time: Duration::from_secs(60),
        ..Limits::default()
    };
    let server = Server::start(kind, Entrance::Open, limits);
    put_binary(&server, 1, 6 << 20);
    let idle = ask_and_wait(&server);
    std::thread::sleep(Duration::from_millis(500));
    let reply: Reply = server.get("/Binary/b1").refused(503, "IEUM-R018");
    assert_eq!(reply.header("retry-after"), Some("1"));
    // Small answers, and what has been written, are told.
    server.post("/Patient", &patient("1", "김")).expect(201);
    server.get("/Patient").expect(200);
    let read = json!({"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Binary/b1"}}]});
    server.post("", &read.to_string()).expect(200);
    drop(idle);
    let started = Instant::now();
    while server.get("/Binary/b1").status != 200 {
        assert!(started.elapsed() < Duration::from_secs(10), "the room was not given back");
    }
}

fn long_links_can_be_posted(kind: Kind) {
    let server = Server::open(kind);
    for number in 0..3 {
        server.create(&patient(&number.to_string(), &format!("{number}{}", "가나다라".repeat(3_000))));
    }
    let mut bundle = server.get("/Patient?_sort=-family&_count=1").expect(200).json();
    let mut seen = Vec::new();
    loop {
        seen.push(entries(&bundle)[0]["resource"]["identifier"][0]["value"].as_str().unwrap().to_owned());
        let Some(next) = link(&bundle, "next") else { break };
        let remark =
            &entries(&bundle).last().unwrap()["resource"]["issue"][0]["details"]["coding"][0]["code"];
        assert_eq!(remark, "IEUM-S012");
        let form = next.split_once('?').unwrap().1.to_owned();
        bundle = server.form("/Patient/_search", &form).expect(200).json();
    }
    assert_eq!(seen, ["2", "1", "0"]);
}

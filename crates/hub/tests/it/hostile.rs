//! Bad, oversized and hostile input: a clear refusal, bounded cost, nothing lost.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ieum::hub::Entrance;
use ieum::limits::Limits;

use crate::support::{Kind, Server, on_every_engine, patient};

on_every_engine!(
    hostile_json,
    oversized,
    hostile_addresses,
    hostile_requests,
    slow_clients,
    broken_bodies,
    room_for_bodies_is_bounded,
    turns_are_bounded,
    graceful_stop,
);

// threat: 20
fn hostile_json(kind: Kind) {
    let server = Server::open(kind);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    server.post("/Patient", &deep).refused(400, "IEUM-J002");
    let deep =
        format!(r#"{{"resourceType":"Patient","a":{}1{}}}"#, r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    server.post("/Patient", &deep).refused(400, "IEUM-J002");
    let many = format!("[{}1]", "1,".repeat(4_100_000));
    server.post("/Patient", &many).refused(400, "IEUM-J003");
    server
        .post("/Patient", r#"{"resourceType":"Patient","active":true,"active":false}"#)
        .refused(400, "IEUM-J005");
    server
        .post("/Patient", r#"{"resourceType":"Patient","active":true,"\u0061ctive":false}"#)
        .refused(400, "IEUM-J005");
    let headers = [("content-type", "application/json")];
    for bytes in [
        &b"\xff\xfe{"[..],
        b"{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"\xb1\xe8\"}]}",
        b"\0",
        b"{}\0",
    ] {
        let reply = server.request("POST", "/Patient", &headers, Some(bytes));
        reply.refused(400, "IEUM-J004");
    }
    // NUL in a string, a lone surrogate, huge numbers: either refused, or given back as they were.
    for value in [r#""a\u0000b""#, r#""\ud800""#] {
        let reply = server
            .post("/Patient", &format!(r#"{{"resourceType":"Patient","name":[{{"family":{value}}}]}}"#));
        assert!([400, 422].contains(&reply.status), "{value}: {}", reply.text());
    }
    let digits = "9".repeat(2_000);
    for number in
        [format!("1.{digits}"), digits, format!("1e{}", "9".repeat(30)), "-0.00".into(), "1E400".into()]
    {
        let body = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueQuantity":{{"value":{number}}}}}"#
        );
        let reply = server.post("/Observation", &body);
        match reply.status {
            201 => assert!(String::from_utf8(reply.body).unwrap().contains(&format!("\"value\":{number}"))),
            400 | 422 => {}
            status => panic!("{status} for a number of {} digits", number.len()),
        }
    }
    // It is still there for everybody else.
    server.post("/Patient", &patient("1", "김")).expect(201);
}

// threat: 21
fn oversized(kind: Kind) {
    let limits = Limits { body_bytes: 10_000, bundle_bytes: 20_000, form_bytes: 1_000, ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    let of = |bytes: usize| patient(&"1".repeat(bytes), "김");
    server.post("/Patient", &of(20_000)).refused(413, "IEUM-R011");
    server.post("/Patient", &of(9_000)).expect(201);
    server.post("", &of(30_000)).refused(413, "IEUM-R011");
    server.form("/Patient/_search", &format!("name={}", "x".repeat(2_000))).refused(413, "IEUM-R011");
    // Inside a bundle a resource may be as large as the bundle.
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"POST","url":"Patient"}},"resource":{}}}]}}"#,
        of(15_000)
    );
    server.post("", &bundle).expect(200);
    // Without Content-Length it is counted as it comes.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let request = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(5)
    );
    let reply = server.raw(request.as_bytes(), Duration::from_secs(5));
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
}

// threat: 22
fn hostile_addresses(kind: Kind) {
    let server = Server::open(kind);
    server.get(&format!("/Patient?name={}", "x".repeat(17_000))).refused(414, "IEUM-R012");
    server.get(&format!("/Patient/{}", "x".repeat(10_000))).refused(404, "IEUM-R006");
    for path in ["/Patient/%ff", "/%", "/Patient/%zz"] {
        let request = format!("GET /fhir{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let reply = server.raw(request.as_bytes(), Duration::from_secs(5));
        assert!(reply.starts_with("HTTP/1.1 400"), "{path}: {reply}");
    }
    for path in ["/Patient/..", "/Patient/%2e%2e%2f%2e%2e", "/Patient/a%00b", "/Patient//", "/../etc/passwd"]
    {
        let request = format!("GET /fhir{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let reply = server.raw(request.as_bytes(), Duration::from_secs(5));
        assert!(reply.starts_with("HTTP/1.1 404"), "{path}: {reply}");
    }
    server.get("/Patient?name=a%00b").expect(200);
    let many = "name=x&".repeat(1_000);
    server.get(&format!("/Patient?{many}")).refused(400, "IEUM-S008");
}

// threat: 22
fn hostile_requests(kind: Kind) {
    let server = Server::open(kind);
    let patience = Duration::from_secs(5);
    let head =
        format!("GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let reply = server.raw(head.as_bytes(), patience);
    assert!(reply.starts_with("HTTP/1.1 431") || reply.is_empty(), "{reply}");
    for garbage in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let reply = server.raw(garbage.as_bytes(), Duration::from_millis(500));
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{reply}");
    }
    // Two lengths, or a length and chunks: the ways of request smuggling.
    let smuggled = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde";
    let reply = server.raw(smuggled.as_bytes(), Duration::from_secs(1));
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    server.get("/metadata").expect(200);
}

// threat: 21
fn slow_clients(kind: Kind) {
    let limits = Limits {
        head_time: Duration::from_millis(300),
        body_idle_time: Duration::from_millis(300),
        body_time: Duration::from_millis(1_500),
        ..Limits::default()
    };
    let server = Server::start(kind, Entrance::Open, limits);
    let patience = Duration::from_secs(10);
    // Nothing, or half a head: the connection is closed.
    for start in ["", "GET /fhir/metadata HTTP/1.1\r\nHost"] {
        let started = Instant::now();
        server.raw(start.as_bytes(), patience);
        assert!(started.elapsed() < Duration::from_secs(5), "{start:?} was kept");
    }
    // A body that stands still.
    let head = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let reply = server.raw(head.as_bytes(), patience);
    assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
    // A body that trickles for ever.
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let started = Instant::now();
    while stream.write_all(b" ").is_ok() {
        std::thread::sleep(Duration::from_millis(100));
        assert!(started.elapsed() < Duration::from_secs(8), "trickling was kept");
    }
    server.get("/metadata").expect(200);
}

fn broken_bodies(kind: Kind) {
    let server = Server::open(kind);
    let body = patient("1", "김");
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len() + 10
    );
    {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
    }
    let chunked = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    server.raw(chunked.as_bytes(), Duration::from_millis(500));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.get("/Patient?_summary=count").json()["total"], 0);
}

// threat: 21
fn room_for_bodies_is_bounded(kind: Kind) {
    let limits =
        Limits { bodies_bytes: 128 << 10, wait_time: Duration::from_millis(300), ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    // Two bodies that do not end take all the room.
    let head = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{";
    let mut holders: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    for holder in &mut holders {
        holder.write_all(head.as_bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    let reply = server.post("/Patient", &patient("1", "김")).refused(503, "IEUM-R018");
    assert_eq!(reply.header("retry-after"), Some("1"));
    // Reading goes on, and once they have gone so does writing.
    server.get("/Patient").expect(200);
    drop(holders);
    std::thread::sleep(Duration::from_millis(200));
    server.post("/Patient", &patient("1", "김")).expect(201);
}

// threat: 21
fn turns_are_bounded(kind: Kind) {
    let limits = Limits { at_once: 0, wait_time: Duration::from_millis(100), ..Limits::default() };
    let server = Server::start(kind, Entrance::Open, limits);
    let reply = server.get("/Patient").refused(503, "IEUM-R018");
    assert_eq!(reply.header("retry-after"), Some("1"));
    server.post("/Patient", &patient("1", "김")).refused(503, "IEUM-R018");
}

fn graceful_stop(kind: Kind) {
    let mut server = Server::open(kind);
    let body = patient("1", "김");
    let (head, tail) = body.split_at(10);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let start = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{head}",
        body.len()
    );
    stream.write_all(start.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let address = server.address;
    let stopping = std::thread::spawn(move || server.stop());
    std::thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(address).is_err(), "new connections are taken while stopping");
    stream.write_all(tail.as_bytes()).unwrap();
    let mut reply = String::new();
    std::io::Read::read_to_string(&mut stream, &mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 201"), "{reply}");
    stopping.join().unwrap();
}

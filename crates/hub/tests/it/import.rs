//! Bulk import: files that are sent, and files that are fetched.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_trust::access::{Access, Role};
use serde_json::{Value, json};

use crate::support::{Kind, Reply, Server, on_every_engine};

on_every_engine!(
    a_file_that_is_sent,
    what_cannot_be_taken,
    files_that_are_fetched,
    files_from_elsewhere_are_not_fetched,
    a_silent_source_does_not_keep_a_job,
    a_stop_leaves_a_job_for_later,
    only_what_one_may_write,
    a_refusal_is_written_down_once,
);

const LINES: &str = "{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":true}\n\
    {\"resourceType\":\"Patient\",\"id\":\"b\",\"active\":\"yes\"}\n\
    \n\
    {\"resourceType\":\"Organization\",\"id\":\"h\",\"name\":\"병원\"}\n\
    not even json\n\
    {\"resourceType\":\"Patient\",\"id\":\"c\"}\n";

impl Server {
    fn upload(&self, secret: Option<&str>, lines: &str) -> Reply {
        let bearer = secret.map(|secret| format!("Bearer {secret}"));
        let mut headers = vec![("content-type", "application/fhir+ndjson"), ("prefer", "respond-async")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        self.request("POST", "/$import", &headers, Some(lines.as_bytes()))
    }

    fn import_from(&self, urls: &[&str]) -> Reply {
        let mut parameters = vec![
            json!({"name": "inputFormat", "valueCode": "application/fhir+ndjson"}),
            json!({"name": "inputSource", "valueUri": "http://emr.example"}),
            json!({"name": "storageDetail", "part": [{"name": "type", "valueCode": "https"}]}),
        ];
        for url in urls {
            let part = json!([{"name": "type", "valueCode": "Patient"}, {"name": "url", "valueUrl": url}]);
            parameters.push(json!({"name": "input", "part": part}));
        }
        let body = json!({"resourceType": "Parameters", "parameter": parameters}).to_string();
        self.send("POST", "/$import", &[("prefer", "respond-async")], &body)
    }
}

/// A source of files: answers each request with what `answer` writes.
fn source(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            head.read_line(&mut first).unwrap();
            let mut line = String::new();
            while head.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            answer(first.split(' ').nth(1).unwrap_or_default(), &mut stream);
        }
    });
    origin
}

fn send(stream: &mut TcpStream, body: &str) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// A server that fetches from these origins.
fn fetching(kind: Kind, origins: &[&str], private: bool) -> Server {
    Server::start_with(kind, Entrance::Open, Limits::default(), |options| {
        options.sources.origins = origins.iter().map(ToString::to_string).collect();
        options.sources.private = private;
        options.sources.file_bytes = 100_000;
    })
}

fn a_file_that_is_sent(kind: Kind) {
    let server = Server::open(kind);
    let asked = server.upload(None, LINES).expect(202);
    let manifest = server.result(None, &asked).expect(200).json();
    assert_eq!(manifest["request"], format!("{}/$import", server.base));
    let counts = &manifest["output"][0]["extension"];
    assert_eq!((&counts["lines"], &counts["rejected"]), (&json!(6), &json!(2)));
    assert_eq!(counts["bytes"], LINES.len());
    for path in ["/Patient/a", "/Patient/c", "/Organization/h"] {
        server.get(path).expect(200);
    }
    server.get("/Patient/b").expect(404);
    let errors = server.lines(None, &manifest, "error");
    let place = |error: &Value| error["extension"][1]["valueUnsignedInt"].as_u64().unwrap();
    let mut lines: Vec<u64> = errors.iter().map(place).collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 5]);
    for error in &errors {
        assert_eq!(error["extension"][0]["valueString"], "input.1.ndjson");
        assert!(error["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap().starts_with("IEUM-"));
        assert!(!error.to_string().contains("yes"), "what was sent is repeated");
    }
    // What was sent does not stay.
    let id = asked.header("content-location").unwrap().rsplit('/').next().unwrap();
    let names: Vec<String> = std::fs::read_dir(server.jobs.join(id))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["error.1.ndjson"]);
    // Again: nothing changes.
    let again = server.upload(None, LINES).expect(202);
    server.result(None, &again).expect(200);
    assert_eq!(server.get("/Patient/a").json()["meta"]["versionId"], "1");
}

fn what_cannot_be_taken(kind: Kind) {
    let server = Server::start_with(kind, Entrance::Open, Limits::default(), |options| {
        options.sources.file_bytes = 1_000;
        options.at_once = 0;
        options.open_most_each = 1;
    });
    let ndjson = ("content-type", "application/fhir+ndjson");
    let later = ("prefer", "respond-async");
    let post = |headers: &[(&str, &str)], body: &str| {
        server.request("POST", "/$import", headers, Some(body.as_bytes()))
    };
    post(&[ndjson], LINES).refused(400, "IEUM-A001");
    post(&[later, ("content-type", "text/csv")], LINES).refused(415, "IEUM-R010");
    post(&[ndjson, later, ("content-encoding", "gzip")], LINES).refused(415, "IEUM-R010");
    post(&[ndjson, later], &"x".repeat(1_001)).refused(413, "IEUM-R011");
    for parameters in [
        json!([]),
        json!([{"name": "inputFormat", "valueCode": "text/csv"}]),
        json!([{"name": "inputFormat", "valueCode": "application/fhir+ndjson"}]),
        json!([{"name": "nothing", "valueCode": "x"}]),
        json!([{"name": "inputFormat", "valueCode": "application/fhir+ndjson"}, {"name": "input", "part": [{"name": "type", "valueCode": "Nothing"}]}]),
        json!([{"name": "storageDetail", "part": [{"name": "type", "valueCode": "aws-s3"}]}]),
    ] {
        let body = json!({"resourceType": "Parameters", "parameter": parameters});
        let body = if parameters == json!([]) { json!({"resourceType": "Parameters"}) } else { body };
        post(&[later, ("content-type", "application/fhir+json")], &body.to_string())
            .refused(400, "IEUM-A002");
    }
    server.upload(None, LINES).expect(202);
    server.upload(None, LINES).refused(429, "IEUM-A004");
    // Nothing is left of what was refused.
    let until = Instant::now() + Duration::from_secs(5);
    while std::fs::read_dir(&server.jobs).unwrap().count() != 1 {
        assert!(Instant::now() < until, "a file that was refused stays");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn files_that_are_fetched(kind: Kind) {
    let origin = source(|path, stream| match path {
        "/a.ndjson" => send(stream, LINES),
        _ => send(stream, "{\"resourceType\":\"Patient\",\"id\":\"d\"}"),
    });
    let server = fetching(kind, &[&origin], true);
    let urls = [format!("{origin}/a.ndjson"), format!("{origin}/b.ndjson")];
    let asked = server.import_from(&[&urls[0], &urls[1]]);
    let manifest = server.result(None, &asked).expect(200).json();
    assert_eq!(manifest["output"][1]["inputUrl"], urls[1]);
    assert_eq!(manifest["output"][1]["type"], "Patient");
    assert_eq!(manifest["output"][0]["extension"]["rejected"], 2);
    assert_eq!(manifest["output"][1]["extension"]["rejected"], 0);
    assert_eq!(server.lines(None, &manifest, "error").len(), 2);
    server.get("/Patient/d").expect(200);
}

// threat: 19
fn files_from_elsewhere_are_not_fetched(kind: Kind) {
    let target = source(|_, stream| send(stream, "{\"resourceType\":\"Patient\",\"id\":\"stolen\"}"));
    let elsewhere = target.clone();
    let origin = source(move |path, stream| match path {
        "/redirect" => {
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
        }
        "/large" => send(stream, &"x".repeat(100_001)),
        _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap(),
    });
    let server = fetching(kind, &[&origin], true);
    server.import_from(&[&format!("{target}/")]).refused(403, "IEUM-A009");
    for path in ["redirect", "large", "none"] {
        let asked = server.import_from(&[&format!("{origin}/{path}")]);
        server.result(None, &asked).refused(500, "IEUM-A009");
    }
    server.get("/Patient/stolen").expect(404);
    // An origin that is allowed, but lies in a private network; by address and by name.
    let named = target.replace("127.0.0.1", "localhost");
    let server = fetching(kind, &[&target, &named], false);
    for origin in [&target, &named] {
        let asked = server.import_from(&[&format!("{origin}/")]);
        server.result(None, &asked).refused(500, "IEUM-A009");
    }
    Server::open(kind).import_from(&[&format!("{target}/")]).refused(403, "IEUM-A009");
}

fn a_silent_source_does_not_keep_a_job(kind: Kind) {
    let origin = source(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n{");
        std::thread::sleep(Duration::from_secs(30));
    });
    let server = fetching(kind, &[&origin], true);
    let asked = server.import_from(&[&format!("{origin}/")]).expect(202);
    let place = asked.header("content-location").unwrap();
    let directory = server.jobs.join(place.rsplit('/').next().unwrap());
    let until = Instant::now() + Duration::from_secs(10);
    while !directory.join("input.1.part").exists() {
        assert!(Instant::now() < until, "the file is not asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    let told = Instant::now();
    server.delete(place).expect(202);
    server.get(place).refused(404, "IEUM-R006");
    while directory.exists() {
        assert!(told.elapsed() < Duration::from_secs(5), "the job goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
    eprintln!("cancelled within {:?}", told.elapsed());
}

fn a_stop_leaves_a_job_for_later(kind: Kind) {
    let (told, is_told) = std::sync::mpsc::channel();
    let origin = source(move |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n{");
        let _ = told.send(());
        std::thread::sleep(Duration::from_secs(30));
    });
    let mut server = fetching(kind, &[&origin], true);
    let asked = server.import_from(&[&format!("{origin}/")]).expect(202);
    is_told.recv_timeout(Duration::from_secs(10)).unwrap();
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(15), "a stop waits for a source");
    let id = asked.header("content-location").unwrap().rsplit('/').next().unwrap();
    let job = ieum::jobs::keep::read(&server.hub_again(), id).unwrap().unwrap().job;
    assert_eq!((job.state, job.attempts), (ieum::jobs::state::State::Queued, 1));
    assert!(server.jobs.join(id).exists());
}

fn only_what_one_may_write(kind: Kind) {
    let server = Server::with_accounts(kind);
    for role in [Role::Patient, Role::Operator] {
        let secret = server.account(role, Some("a"));
        server.upload(Some(&secret), LINES).refused(403, "IEUM-R002");
    }
    server.upload(None, LINES).refused(401, "IEUM-R001");
    let service = server.account(Role::Service, None);
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}"#;
    let hidden = format!(r#"{{"resourceType":"Patient","id":"a",{label}}}"#);
    server.send_as(&service, "PUT", "/Patient/a", &hidden).expect(201);
    // A clinician does not overwrite what they may not see; the rest goes in.
    let clinician = server.account(Role::Clinician, None);
    let asked = server.upload(Some(&clinician), LINES).expect(202);
    let manifest = server.result(Some(&clinician), &asked).expect(200).json();
    assert_eq!(manifest["output"][0]["extension"]["rejected"], 3);
    assert_eq!(server.get_as(&service, "/Patient/a").json()["meta"]["versionId"], "1");
    server.get_as(&service, "/Patient/c").expect(200);
    assert!(!std::fs::exists(server.jobs.join("none")).unwrap());
}

/// What may not be written together is refused once for all of it, and then line by line.
fn a_refusal_is_written_down_once(kind: Kind) {
    let server = Server::with_accounts(kind);
    let (service, clinician) = (server.account(Role::Service, None), server.account(Role::Clinician, None));
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}"#;
    let hidden = format!(r#"{{"resourceType":"Patient","id":"a",{label}}}"#);
    server.send_as(&service, "PUT", "/Patient/a", &hidden).expect(201);
    let lines = "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{\"resourceType\":\"Patient\",\"id\":\"c\"}\n";
    let asked = server.upload(Some(&clinician), lines).expect(202);
    let manifest = server.result(Some(&clinician), &asked).expect(200).json();
    assert_eq!(manifest["output"][0]["extension"]["rejected"], 1);
    server.get_as(&service, "/Patient/c").expect(200);
    let audit = server.door.view(&Access::system("test")).unwrap().audit_entries(None, 1_000).unwrap();
    let refused = audit.iter().filter(|one| !one.entry.allowed && one.entry.action == "transaction");
    let targets: Vec<&str> = refused.map(|one| one.entry.target.as_str()).collect();
    assert_eq!(targets, ["Patient", "2 records"], "the newest first");
}

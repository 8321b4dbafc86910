//! Where notifications go in tests: a small HTTP server that keeps what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Server;

/// How long a test waits for what must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What came in.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) head: String,
    pub(super) bundle: Value,
}

/// A running receiver.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
    status: Arc<AtomicU16>,
    stop: Arc<AtomicBool>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self {
            address,
            came: Arc::default(),
            status: Arc::new(AtomicU16::new(200)),
            stop: Arc::default(),
        };
        let (came, status, stop) =
            (Arc::clone(&receiver.came), Arc::clone(&receiver.status), Arc::clone(&receiver.stop));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (came, status) = (Arc::clone(&came), Arc::clone(&status));
                std::thread::spawn(move || serve(stream.unwrap(), &came, &status));
            }
        });
        receiver
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers with this status; 0 for no answer at all.
    pub(super) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Everything that was taken, in order.
    pub(super) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// What was taken of one type.
    pub(super) fn of_type(&self, name: &str) -> Vec<Value> {
        let came = self.came().into_iter().map(|came| came.bundle);
        came.filter(|bundle| parameter(bundle, "type")["valueCode"] == name).collect()
    }

    /// Event numbers with the id of the record, in the order in which they came.
    pub(super) fn events(&self) -> Vec<(u64, String)> {
        self.of_type("event-notification").iter().flat_map(events_of).collect()
    }

    /// Waits until so many events have come.
    #[track_caller]
    pub(super) fn wait_for(&self, count: usize) -> Vec<(u64, String)> {
        wait(|| self.events().len() >= count, &|| format!("{count} events, got {:?}", self.events()));
        self.events()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, came: &Mutex<Vec<Came>>, status: &AtomicU16) {
    let mut out = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let status = status.load(Ordering::Relaxed);
        if status == 0 {
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
        if status == 200 {
            let bundle = serde_json::from_slice(&body).unwrap();
            came.lock().unwrap().push(Came { head, bundle });
        }
        if out.write_all(format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// A parameter of the status that opens a notification.
pub(super) fn parameter(bundle: &Value, name: &str) -> Value {
    let status = &bundle["entry"][0]["resource"];
    let parameters = status["parameter"].as_array().cloned().unwrap_or_default();
    parameters.into_iter().find(|parameter| parameter["name"] == name).unwrap_or_default()
}

/// The events of a notification: number, and id of the record (empty when it is not told).
pub(super) fn events_of(bundle: &Value) -> Vec<(u64, String)> {
    let parameters = bundle["entry"][0]["resource"]["parameter"].as_array().unwrap();
    let events = parameters.iter().filter(|parameter| parameter["name"] == "notificationEvent");
    let part = |event: &Value, name: &str| {
        event["part"]
            .as_array()
            .unwrap()
            .iter()
            .find(|part| part["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    events
        .map(|event| {
            let number = part(event, "eventNumber")["valueString"].as_str().unwrap().parse().unwrap();
            let focus = part(event, "focus")["valueReference"]["reference"].as_str().unwrap_or("").to_owned();
            (number, focus.rsplit('/').next().unwrap().to_owned())
        })
        .collect()
}

/// A Subscription to this topic.
pub(super) fn subscription(receiver: &Receiver, topic: &str, filters: &[&str], content: &str) -> Value {
    let url =
        |name: &str| format!("http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/{name}");
    let filters =
        filters.iter().map(|filter| json!({ "url": url("backport-filter-criteria"), "valueString": filter }));
    let mut json = json!({
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "시험",
        "criteria": format!("https://ieum.example/topics/{topic}"),
        "_criteria": { "extension": filters.collect::<Vec<_>>() },
        "channel": {
            "type": "rest-hook",
            "endpoint": format!("{}/hook", receiver.origin()),
            "payload": "application/fhir+json",
            "_payload": { "extension": [{ "url": url("backport-payload-content"), "valueCode": content }] },
        },
    });
    if json["_criteria"]["extension"].as_array().unwrap().is_empty() {
        json.as_object_mut().unwrap().remove("_criteria");
    }
    json
}

/// Adds an extension to the channel.
pub(super) fn with(mut subscription: Value, name: &str, value: u32) -> Value {
    let url = format!("http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/{name}");
    let kind = if name == "backport-max-count" { "valuePositiveInt" } else { "valueUnsignedInt" };
    let extensions = subscription["channel"].as_object_mut().unwrap().entry("extension").or_insert(json!([]));
    extensions.as_array_mut().unwrap().push(json!({ "url": url, kind: value }));
    subscription
}

/// Makes a subscription and waits until it is active.
#[track_caller]
pub(super) fn subscribe(server: &Server, secret: Option<&str>, subscription: &Value) -> String {
    let text = subscription.to_string();
    let reply = match secret {
        Some(secret) => server.send_as(secret, "POST", "/Subscription", &text),
        None => server.post("/Subscription", &text),
    };
    let id = reply.expect(201).json()["id"].as_str().unwrap().to_owned();
    wait_for_state(server, secret, &id, "active");
    id
}

/// Waits until the resource says so.
#[track_caller]
pub(super) fn wait_for_state(server: &Server, secret: Option<&str>, id: &str, state: &str) {
    let look = || {
        let path = format!("/Subscription/{id}");
        let reply = match secret {
            Some(secret) => server.get_as(secret, &path),
            None => server.get(&path),
        };
        reply.json()["status"].as_str().unwrap_or_default().to_owned()
    };
    wait(|| look() == state, &|| format!("{state}, is {}", look()));
}

/// Waits for what must happen.
#[track_caller]
pub(super) fn wait(mut done: impl FnMut() -> bool, what: &dyn Fn() -> String) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "waited in vain for {}", what());
        std::thread::sleep(Duration::from_millis(5));
    }
}

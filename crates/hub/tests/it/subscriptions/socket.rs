//! Notifications over a WebSocket.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use ieum::hub::Entrance;
use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use super::access::account_id;
use super::receiver::{PATIENCE, events_of, parameter, wait, wait_for_state, with};
use super::telling::with_entrance;
use crate::support::{Kind, Server, on_every_engine};

on_every_engine!(
    bound_told_and_taken,
    what_was_missed_comes_with_the_next_connection,
    what_is_not_answered_is_told_again,
    tokens_are_for_ones_own_and_good_once,
    a_connection_ends_with_the_access,
    the_end_is_told,
    the_newest_connection_is_told,
    only_websockets_of_our_own_pages,
);

/// A client.
struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        let url = format!("ws://{}/fhir/$ws", server.address);
        let socket = client(url, stream).unwrap().0;
        socket.get_ref().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self(socket)
    }

    /// A connection with this subscription bound to it.
    fn bound(server: &Server, secret: &str, id: &str) -> Self {
        let mut socket = Self::connect(server);
        socket.say(&format!("bind-with-token {}", token(server, secret, id)));
        let handshake = socket.text();
        assert_eq!(parameter(&handshake, "type")["valueCode"], "handshake", "{handshake}");
        socket
    }

    fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next frame that is no ping; pings are answered. Nothing when the connection ends.
    fn hear(&mut self) -> Option<Value> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).unwrap()),
                Ok(Message::Close(_)) => return None,
                Ok(_) => self.0.flush().unwrap(),
                Err(client_error) if is_pause(&client_error) => {}
                Err(_) => return None,
            }
        }
        panic!("waited in vain");
    }

    /// Answers what has come, until nothing more does.
    fn settle(&mut self) {
        while self.0.read().is_ok() {
            self.0.flush().unwrap();
        }
    }

    #[track_caller]
    fn text(&mut self) -> Value {
        self.hear().expect("the connection has ended")
    }

    /// The numbers of the next so many events.
    #[track_caller]
    fn events(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.extend(events_of(&self.text()).into_iter().map(|(number, _)| number));
        }
        numbers
    }
}

fn is_pause(error: &tokio_tungstenite::tungstenite::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error, tokio_tungstenite::tungstenite::Error::Io(error) if [TimedOut, WouldBlock].contains(&error.kind()))
}

fn subscription() -> Value {
    let content =
        "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content";
    json!({
        "resourceType": "Subscription", "status": "requested", "reason": "시험",
        "criteria": "https://ieum.example/topics/resource-changed",
        "channel": {
            "type": "websocket", "payload": "application/fhir+json",
            "_payload": { "extension": [{ "url": content, "valueCode": "id-only" }] },
        },
    })
}

fn subscribe(server: &Server, secret: &str, subscription: &Value) -> String {
    let made = server.send_as(secret, "POST", "/Subscription", &subscription.to_string()).expect(201).json();
    assert_eq!(made["status"], "active");
    made["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn token(server: &Server, secret: &str, id: &str) -> String {
    let answer =
        server.get_as(secret, &format!("/Subscription/{id}/$get-ws-binding-token")).expect(200).json();
    let parameter = |name: &str| {
        answer["parameter"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(parameter("subscription")["valueString"], id);
    assert_eq!(parameter("websocket-url")["valueUrl"], format!("ws://{}/fhir/$ws", server.address));
    assert!(parameter("expiration")["valueDateTime"].is_string());
    parameter("token")["valueString"].as_str().unwrap().to_owned()
}

fn put(server: &Server, secret: &str, id: &str) {
    let body = json!({ "resourceType": "Patient", "id": id }).to_string();
    server.send_as(secret, "PUT", &format!("/Patient/{id}"), &body).expect(201);
}

/// How many events count as taken: what the next connection is not told.
fn waiting(server: &Server, secret: &str, id: &str) -> Vec<u64> {
    let mut socket = Socket::bound(server, secret, id);
    socket.0.get_ref().set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    match socket.0.read() {
        Ok(Message::Text(text)) => events_of(&serde_json::from_str(text.as_str()).unwrap())
            .into_iter()
            .map(|(number, _)| number)
            .collect(),
        _ => Vec::new(),
    }
}

fn start(kind: Kind) -> (Server, String) {
    let server = with_entrance(kind, Entrance::Accounts, &[]);
    let secret = server.account(Role::Service, None);
    (server, secret)
}

fn bound_told_and_taken(kind: Kind) {
    let (server, secret) = start(kind);
    let id = subscribe(
        &server,
        &secret,
        &with(with(subscription(), "backport-max-count", 3), "backport-heartbeat-period", 1),
    );
    let mut socket = Socket::bound(&server, &secret, &id);
    for number in 0..10 {
        put(&server, &secret, &format!("p{number}"));
    }
    assert_eq!(socket.events(10), (1..=10).collect::<Vec<_>>());
    // Nothing happens: a sign of life.
    let heartbeat = socket.text();
    assert_eq!(parameter(&heartbeat, "type")["valueCode"], "heartbeat");
    assert_eq!(parameter(&heartbeat, "eventsSinceSubscriptionStart")["valueString"], "10");
    socket.settle();
    drop(socket);
    assert_eq!(waiting(&server, &secret, &id), Vec::<u64>::new(), "all were taken");
    let audit = server.door.view(&Access::system("test")).unwrap().audit_entries(None, 1_000).unwrap();
    let account = account_id(&server, &secret);
    let released =
        audit.iter().filter(|one| one.entry.action == "notification" && one.entry.actor == account);
    assert!(released.count() >= 6, "each notification is written down");
}

fn what_was_missed_comes_with_the_next_connection(kind: Kind) {
    let (server, secret) = start(kind);
    let id = subscribe(&server, &secret, &subscription());
    put(&server, &secret, "before");
    let mut socket = Socket::bound(&server, &secret, &id);
    assert_eq!(socket.events(1), [1]);
    put(&server, &secret, "while");
    assert_eq!(socket.events(1), [2]);
    socket.settle();
    socket.0.close(None).unwrap();
    while socket.hear().is_some() {}
    put(&server, &secret, "after");
    let mut again = Socket::bound(&server, &secret, &id);
    assert_eq!(again.events(1), [3]);
}

fn what_is_not_answered_is_told_again(kind: Kind) {
    let (server, secret) = start(kind);
    let id = subscribe(&server, &secret, &subscription());
    let mut socket = Socket::bound(&server, &secret, &id);
    put(&server, &secret, "p1");
    // The notification itself is read, the ping after it is not.
    wait(|| socket.0.can_read() && matches!(socket.0.read(), Ok(Message::Text(_))), &|| "the event".into());
    drop(socket);
    let mut again = Socket::bound(&server, &secret, &id);
    assert_eq!(again.events(1), [1]);
}

fn tokens_are_for_ones_own_and_good_once(kind: Kind) {
    let (server, secret) = start(kind);
    let other = server.account(Role::Clinician, None);
    let id = subscribe(&server, &secret, &subscription());
    let path = format!("/Subscription/{id}/$get-ws-binding-token");
    server.get_as(&other, &path).refused(403, "IEUM-N005");
    server.get(&path).refused(401, "IEUM-R001");
    server.get_as(&secret, "/Subscription/nobody/$get-ws-binding-token").refused(404, "IEUM-R006");
    server.get_as(&secret, "/Subscription/$get-ws-binding-token").refused(400, "IEUM-A002");
    server.get_as(&secret, &format!("/Subscription/$get-ws-binding-token?id={id}")).expect(200);
    let token = token(&server, &secret, &id);
    let mut socket = Socket::connect(&server);
    socket.say(&format!("bind-with-token {token}"));
    assert_eq!(parameter(&socket.text(), "type")["valueCode"], "handshake");
    for wrong in [token.as_str(), "", "something"] {
        let mut socket = Socket::connect(&server);
        socket.say(&format!("bind-with-token {wrong}"));
        let refused = socket.text();
        assert_eq!(refused["issue"][0]["details"]["coding"][0]["code"], "IEUM-R001", "{refused}");
        assert!(socket.hear().is_none(), "and it is over");
    }
    // What is no request to bind ends the connection, however long it is.
    for said in ["hello".to_owned(), "x".repeat(10_000)] {
        let mut socket = Socket::connect(&server);
        socket.say(&said);
        assert!(socket.hear().is_none());
    }
    // A REST hook is bound to nothing.
    let receiver = super::receiver::Receiver::start();
    let hooks = with_entrance(kind, Entrance::Open, &[&receiver]);
    let hook = super::receiver::subscribe(
        &hooks,
        None,
        &super::receiver::subscription(&receiver, "resource-changed", &[], "empty"),
    );
    hooks.get(&format!("/Subscription/{hook}/$get-ws-binding-token")).refused(422, "IEUM-N002");
}

fn a_connection_ends_with_the_access(kind: Kind) {
    let (server, writer) = start(kind);
    let maker = server.account(Role::Clinician, None);
    let id = subscribe(&server, &maker, &subscription());
    let mut socket = Socket::bound(&server, &maker, &id);
    put(&server, &writer, "p1");
    assert_eq!(socket.events(1), [1]);
    account::remove(&server.door, &Access::system("test"), &account_id(&server, &maker)).unwrap();
    put(&server, &writer, "p2");
    let last = socket.text();
    assert_eq!(last["resourceType"], "OperationOutcome", "{last}");
    assert!(socket.hear().is_none());
    wait_for_state(&server, Some(&writer), &id, "off");
}

fn the_newest_connection_is_told(kind: Kind) {
    let (server, secret) = start(kind);
    let id = subscribe(&server, &secret, &subscription());
    let mut old = Socket::bound(&server, &secret, &id);
    let mut new = Socket::bound(&server, &secret, &id);
    assert_eq!(old.text()["issue"][0]["details"]["coding"][0]["code"], "IEUM-N012");
    assert!(old.hear().is_none());
    put(&server, &secret, "p1");
    assert_eq!(new.events(1), [1]);
}

fn only_websockets_of_our_own_pages(kind: Kind) {
    let (server, _) = start(kind);
    server.get("/$ws").refused(426, "IEUM-R013");
    let ask = |origin: &str, host: &str| {
        let head = format!(
            "GET /fhir/$ws HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {}\r\n{origin}\r\n",
            generate_key()
        );
        server.raw(head.as_bytes(), Duration::from_millis(300))
    };
    let host = server.address.to_string();
    assert!(ask("", &host).starts_with("HTTP/1.1 101"), "{}", ask("", &host));
    assert!(ask(&format!("origin: http://{host}\r\n"), &host).starts_with("HTTP/1.1 101"));
    let foreign = ask("origin: https://evil.example\r\n", &host);
    assert!(foreign.starts_with("HTTP/1.1 403") && foreign.contains("IEUM-R032"), "{foreign}");
    assert!(ask("origin: null\r\n", &host).starts_with("HTTP/1.1 403"));
    // An open hub answers under names of this machine only, here as everywhere.
    let open = Server::open(kind);
    let head = "GET /fhir/$ws HTTP/1.1\r\nhost: evil.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let refused = open.raw(head.as_bytes(), Duration::from_millis(300));
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    // A batch opens none.
    let entry = json!({ "request": { "method": "GET", "url": "$ws" } });
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry] });
    let answer = open.post("", &batch.to_string()).json();
    assert!(!answer.to_string().contains("101"), "{answer}");
}

fn the_end_is_told(kind: Kind) {
    let server = with_entrance(kind, Entrance::Accounts, &[]);
    let maker = server.account(Role::Service, None);
    let mut wanted = subscription();
    let soon = ieum_store::clock::system_clock()() + 2_000_000;
    wanted["end"] = ieum_fhir::date::format_instant(soon).into();
    let id = subscribe(&server, &maker, &wanted);
    let mut socket = Socket::bound(&server, &maker, &id);
    let last = socket.text();
    assert_eq!(parameter(&last, "type")["valueCode"], "heartbeat", "{last}");
    assert_eq!(parameter(&last, "status")["valueCode"], "off");
    let why = socket.text();
    assert_eq!(why["resourceType"], "OperationOutcome");
    assert!(why.to_string().contains("IEUM-N012"), "{why}");
    assert!(socket.hear().is_none(), "the connection ends");
}

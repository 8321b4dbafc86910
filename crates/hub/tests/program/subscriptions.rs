//! Subscriptions of the whole program: killed at any moment, and over TLS.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::receiver::{Receiver, certificates};
use crate::support::{Running, run};

/// Kills in an ordinary run; `IEUM_SUBSCRIPTION_KILLS` sets another number.
const KILLS: u32 = 40;
/// Clients writing at the same time.
const CLIENTS: usize = 4;

/// Every record that was acknowledged is told, each number stands for one event, and none is left out.
// threat: 25
#[test]
fn no_event_is_lost_and_no_number_is_used_twice() {
    let kills =
        std::env::var("IEUM_SUBSCRIPTION_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let receiver = Receiver::plain();
    let origin = format!("http://{}", receiver.address);
    let flags = ["--open", "--subscription-origin", &origin, "--subscription-private"];
    let hub = Running::start(&data, &flags);
    subscribe(&hub, &origin);
    receiver.wait("the handshake", |came| came.handshakes > 0);
    hub.stop();

    let acknowledged = Mutex::new(BTreeSet::new());
    let next = AtomicU64::new(0);
    for round in 0..kills {
        let hub = Running::start(&data, &flags);
        write_until_killed(hub, round, &acknowledged, &next);
    }
    let hub = Running::start(&data, &flags);
    hub.put("Patient/the-last", r#"{"resourceType":"Patient","id":"the-last"}"#);
    let mut acknowledged = acknowledged.into_inner().unwrap();
    acknowledged.insert("the-last".to_owned());
    receiver.wait("the last event", |came| came.records.values().flatten().any(|id| id == "the-last"));
    let came = receiver.came();
    hub.stop();
    assert!(came.records.values().all(|ids| ids.len() == 1), "a number was used twice");
    assert!(came.records.keys().copied().eq(1..=came.records.len() as u64), "a number was left out");
    let told: Vec<&String> = came.records.values().flatten().collect();
    let distinct: BTreeSet<&String> = told.iter().copied().collect();
    assert_eq!(told.len(), distinct.len(), "a record that was written once was told under two numbers");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !distinct.contains(id)).collect();
    assert!(lost.is_empty(), "{} of {} were not told: {lost:?}", lost.len(), acknowledged.len());
    // Told again from where it was last acknowledged, never from further on.
    let mut most = 0;
    for number in &came.order {
        assert!(*number <= most + 1, "{number} was told before {}", most + 1);
        most = most.max(*number);
    }
    let again = came.order.len() - came.records.len();
    eprintln!("{} events, {again} told again, {kills} kills", came.records.len());
    assert!(came.records.len() > kills as usize, "too little was written to prove anything");
    let report = run(&["doctor", "--data", data.to_str().unwrap()]);
    assert!(report.contains("Everything is as it should be"), "{report}");
}

fn write_until_killed(hub: Running, round: u32, acknowledged: &Mutex<BTreeSet<String>>, next: &AtomicU64) {
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (agent, base) = hub.client();
            scope.spawn(move || {
                loop {
                    let id = format!("p{}", next.fetch_add(1, Ordering::Relaxed));
                    let body = json!({ "resourceType": "Patient", "id": id }).to_string();
                    let request = agent.put(format!("{base}/Patient/{id}"));
                    match request.header("content-type", "application/fhir+json").send(body) {
                        Ok(answer) => {
                            assert_eq!(answer.status(), 201);
                            acknowledged.lock().unwrap().insert(id);
                        }
                        Err(_) => return,
                    }
                }
            });
        }
        // Between 20 and 140 ms, in an order without pattern.
        std::thread::sleep(Duration::from_millis(u64::from(20 + round * 37 % 121)));
        hub.kill();
    });
}

/// Over TLS to a receiver whose certificate this machine trusts; to no other.
#[test]
fn notifications_go_over_tls_to_trusted_receivers() {
    let directory = tempfile::tempdir().unwrap();
    let receiver = Receiver::with_tls();
    let origin = format!("https://localhost:{}", receiver.address.port());
    let flags = ["--open", "--subscription-origin", &origin, "--subscription-private"];
    let authority = certificates().join("authority.pem");
    let trusting = Running::start_with(&directory.path().join("trusting"), 0, &flags, |command| {
        command.env("SSL_CERT_FILE", &authority);
    });
    subscribe(&trusting, &origin);
    receiver.wait("the handshake", |came| came.handshakes == 1);
    trusting.put("Patient/p1", r#"{"resourceType":"Patient","id":"p1"}"#);
    receiver.wait("the event", |came| came.records.len() == 1);
    // Without this authority the same receiver is nobody.
    let other = Running::start(&directory.path().join("other"), &flags);
    subscribe(&other, &origin);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.came().handshakes, 1);
    let (_, shown) = other.get("Subscription");
    assert_eq!(shown["entry"][0]["resource"]["status"], "requested", "{shown}");
    trusting.stop();
    other.stop();
}

/// `$import` fetches over TLS by the same rules.
#[test]
fn files_are_fetched_over_tls_from_trusted_sources() {
    let directory = tempfile::tempdir().unwrap();
    let source = Receiver::with_tls();
    let origin = format!("https://localhost:{}", source.address.port());
    let flags = ["--open", "--import-origin", &origin, "--import-private"];
    let authority = certificates().join("authority.pem");
    let import = |hub: &Running| {
        let input = json!([{ "name": "type", "valueCode": "Patient" }, { "name": "url", "valueUrl": format!("{origin}/p") }]);
        let body = json!({ "resourceType": "Parameters", "parameter": [
            { "name": "inputFormat", "valueCode": "application/fhir+ndjson" }, { "name": "input", "part": input },
        ] });
        let (agent, base) = hub.client();
        let request = agent.post(format!("{base}/$import")).header("prefer", "respond-async");
        let answer = request.header("content-type", "application/fhir+json").send(body.to_string()).unwrap();
        assert_eq!(answer.status(), 202);
        let place =
            answer.headers()["content-location"].to_str().unwrap().split("/fhir/").nth(1).unwrap().to_owned();
        loop {
            match hub.get(&place).0 {
                202 => std::thread::sleep(Duration::from_millis(20)),
                status => return status,
            }
        }
    };
    let trusting = Running::start_with(&directory.path().join("trusting"), 0, &flags, |command| {
        command.env("SSL_CERT_FILE", &authority);
    });
    assert_eq!(import(&trusting), 200);
    assert_eq!(trusting.get("Patient/fetched").0, 200);
    let other = Running::start(&directory.path().join("other"), &flags);
    assert_eq!(import(&other), 500);
    assert_eq!(other.get("Patient/fetched").0, 404);
    trusting.stop();
    other.stop();
}

fn subscribe(hub: &Running, origin: &str) {
    let content =
        "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content";
    let subscription = json!({
        "resourceType": "Subscription", "id": "s1", "status": "requested", "reason": "test",
        "criteria": "https://ieum.example/topics/resource-changed",
        "channel": {
            "type": "rest-hook", "endpoint": format!("{origin}/hook"), "payload": "application/fhir+json",
            "_payload": { "extension": [{ "url": content, "valueCode": "id-only" }] },
        },
    });
    hub.put("Subscription/s1", &subscription.to_string());
}

//! kill -9 at any moment: what was acknowledged is there, and nothing is there by half.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Running, run};

/// Kills in an ordinary run; `IEUM_KILLS` sets another number.
const KILLS: u32 = 200;
/// Clients writing at the same time.
const CLIENTS: usize = 6;

/// What a client did: each transaction writes a pair of new records and one record of its own, numbered.
#[derive(Default)]
struct Told {
    /// Pairs the hub has acknowledged.
    acknowledged: Vec<u64>,
    /// Pairs sent without answer.
    unknown: Vec<u64>,
    /// The greatest number acknowledged for each client's own record.
    counters: BTreeMap<usize, u64>,
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    let kills: u32 = std::env::var("IEUM_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let told = Mutex::new(Told::default());
    let next = AtomicU64::new(0);
    let mut checked = Checked::default();
    for round in 0..kills {
        let hub = Running::open(&data);
        checked = check(&hub, &told.lock().unwrap(), checked);
        write_until_killed(hub, round, &told, &next);
        if round % 50 == 49 {
            let report = run(&["doctor", "--data", data.to_str().unwrap()]);
            assert!(report.contains("Everything is as it should be"), "{report}");
        }
    }
    let hub = Running::open(&data);
    let told = told.into_inner().unwrap();
    check(&hub, &told, Checked::default());
    assert!(told.acknowledged.len() > kills as usize, "too little was written to prove anything");
    eprintln!(
        "{} pairs acknowledged, {} unknown, {kills} kills",
        told.acknowledged.len(),
        told.unknown.len()
    );
    hub.stop();
    let report = run(&["doctor", "--data", data.to_str().unwrap()]);
    assert!(report.contains("Everything is as it should be"), "{report}");
}

/// Lets clients write, and kills the hub after a time that differs from round to round.
fn write_until_killed(hub: Running, round: u32, told: &Mutex<Told>, next: &AtomicU64) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (agent, base) = hub.client();
            scope.spawn(move || {
                loop {
                    let pair = next.fetch_add(1, Ordering::Relaxed);
                    let request = agent.post(&base).header("content-type", "application/fhir+json");
                    let answer = request.send(transaction(client, pair).to_string());
                    let mut told = told.lock().unwrap();
                    match answer {
                        Ok(response) if response.status() == 200 => {
                            told.acknowledged.push(pair);
                            told.counters.insert(client, pair);
                        }
                        Ok(response) => panic!("refused with {}", response.status()),
                        Err(_) => {
                            told.unknown.push(pair);
                            return;
                        }
                    }
                }
            });
        }
        // Between 5 and 80 ms, in an order without pattern.
        std::thread::sleep(Duration::from_millis(u64::from(5 + round * 37 % 76)));
        hub.kill();
    });
}

fn transaction(client: usize, pair: u64) -> Value {
    let put = |kind: &str, id: String, mut resource: Value| {
        resource["resourceType"] = kind.into();
        resource["id"] = id.as_str().into();
        json!({ "resource": resource, "request": { "method": "PUT", "url": format!("{kind}/{id}") } })
    };
    let identifier = json!([{ "system": "urn:test:pair", "value": pair.to_string() }]);
    let entries = [
        put("Patient", format!("left-{pair}"), json!({ "identifier": identifier })),
        put("Patient", format!("right-{pair}"), json!({ "identifier": identifier })),
        put("Organization", format!("counter-{client}"), json!({ "name": format!("{pair}") })),
    ];
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

/// How much has been looked at: a pair is looked at after the kill that followed it, and once more at the end.
#[derive(Clone, Copy, Default)]
struct Checked {
    acknowledged: usize,
    unknown: usize,
}

/// Looks at every pair that has not been looked at, and at the counters.
fn check(hub: &Running, told: &Told, from: Checked) -> Checked {
    for pair in &told.acknowledged[from.acknowledged..] {
        assert_eq!(halves(hub, *pair), 2, "an acknowledged transaction is lost");
    }
    for pair in &told.unknown[from.unknown..] {
        assert_ne!(halves(hub, *pair), 1, "a transaction is half there");
    }
    for (client, least) in &told.counters {
        let (status, counter) = hub.get(&format!("Organization/counter-{client}"));
        assert_eq!(status, 200);
        let found: u64 = counter["name"].as_str().unwrap().parse().unwrap();
        assert!(found >= *least, "a record has gone back");
    }
    Checked { acknowledged: told.acknowledged.len(), unknown: told.unknown.len() }
}

/// How many records of the pair can be found, both by id and by search.
fn halves(hub: &Running, pair: u64) -> u64 {
    let (status, bundle) = hub.get(&format!("Patient?identifier=urn:test:pair%7C{pair}&_count=10"));
    assert_eq!(status, 200, "{bundle}");
    let found = bundle["total"].as_u64().unwrap();
    let there = |side: &str| u64::from(hub.get(&format!("Patient/{side}-{pair}")).0 == 200);
    assert_eq!(found, there("left") + there("right"), "search and read disagree");
    found
}

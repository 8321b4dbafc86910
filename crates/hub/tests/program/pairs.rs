//! Clients that write pairs of records until the hub can no more, and what must be found afterwards: every pair that was
//! acknowledged, no pair by half.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::{Running, run};

/// Clients writing at the same time.
pub(crate) const CLIENTS: usize = 6;

/// What clients did: each transaction writes a pair of new records and one record of the client's own, numbered.
#[derive(Default)]
pub(crate) struct Pairs {
    told: Mutex<Told>,
    next: AtomicU64,
}

#[derive(Default)]
struct Told {
    /// Pairs the hub has acknowledged, each with its client.
    acknowledged: Vec<(usize, u64)>,
    /// Pairs sent without an answer that says they are there.
    unknown: Vec<u64>,
    /// How much has been looked at.
    checked: (usize, usize),
}

/// How a client's pair ended.
pub(crate) enum Ended {
    /// It was acknowledged.
    Done,
    /// It was refused, with this status and outcome.
    Refused(u16, Value),
    /// Nobody answered.
    Silent,
}

impl Pairs {
    /// Writes one pair.
    pub(crate) fn write(&self, (agent, base): &(ureq::Agent, String), client: usize) -> Ended {
        let pair = self.next.fetch_add(1, Ordering::Relaxed);
        let request = agent.post(base).header("content-type", "application/fhir+json");
        let answer = request.send(transaction(client, pair).to_string());
        let mut told = self.told.lock().unwrap();
        let Ok(mut response) = answer else {
            told.unknown.push(pair);
            return Ended::Silent;
        };
        if response.status() == 200 {
            told.acknowledged.push((client, pair));
            return Ended::Done;
        }
        told.unknown.push(pair);
        drop(told);
        let outcome = response.body_mut().read_to_vec().ok();
        let outcome = outcome.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
        Ended::Refused(response.status().as_u16(), outcome)
    }

    /// Of pairs acknowledged after the first so many nothing is known for certain.
    pub(crate) fn doubt_after(&self, acknowledged: usize) {
        let mut told = self.told.lock().unwrap();
        let doubtful = told.acknowledged.split_off(acknowledged);
        told.unknown.extend(doubtful.into_iter().map(|(_, pair)| pair));
    }

    /// Acknowledged so far, and not.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let told = self.told.lock().unwrap();
        (told.acknowledged.len(), told.unknown.len())
    }

    /// Looks at every pair that has not been looked at, and at the counters.
    pub(crate) fn check(&self, hub: &Running) {
        let mut told = self.told.lock().unwrap();
        let (acknowledged, unknown) = told.checked;
        for (_, pair) in &told.acknowledged[acknowledged..] {
            assert_eq!(halves(hub, *pair), 2, "an acknowledged transaction is lost");
        }
        for pair in &told.unknown[unknown..] {
            assert_ne!(halves(hub, *pair), 1, "a transaction is half there");
        }
        // The greatest number acknowledged for each client's own record.
        let counters: BTreeMap<usize, u64> = told.acknowledged.iter().copied().collect();
        for (client, least) in counters {
            let (status, counter) = hub.get(&format!("Organization/counter-{client}"));
            assert_eq!(status, 200);
            let found: u64 = counter["name"].as_str().unwrap().parse().unwrap();
            assert!(found >= least, "a record has gone back");
        }
        told.checked = (told.acknowledged.len(), told.unknown.len());
    }

    /// Looks at everything from the start.
    pub(crate) fn check_all(&self, hub: &Running) {
        self.told.lock().unwrap().checked = (0, 0);
        self.check(hub);
    }
}

/// The records in a directory that no hub uses are sound.
pub(crate) fn is_sound(data: &std::path::Path) {
    let report = run(&["doctor", "--data", data.to_str().unwrap()]);
    assert!(report.contains("Everything is as it should be"), "{report}");
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

/// How many records of the pair can be found, both by id and by search.
fn halves(hub: &Running, pair: u64) -> u64 {
    let (status, bundle) = hub.get(&format!("Patient?identifier=urn:test:pair%7C{pair}&_count=10"));
    assert_eq!(status, 200, "{bundle}");
    let found = bundle["total"].as_u64().unwrap();
    let there = |side: &str| u64::from(hub.get(&format!("Patient/{side}-{pair}")).0 == 200);
    assert_eq!(found, there("left") + there("right"), "search and read disagree");
    found
}

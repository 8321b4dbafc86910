//! An export while others write: everything in it is as of one moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ieum::hub::Entrance;
use ieum::limits::Limits;
use serde_json::{Value, json};

use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(everything_is_as_of_one_commit);

/// What was there at an instant, by `Type/id`: told by the history of everything.
fn state_at(server: &Server, instant: &str) -> BTreeMap<String, Value> {
    let mut state = BTreeMap::new();
    // Newest first: the first version that is not too new counts.
    for entry in server.pages("/_history?_count=1000").into_iter().flatten() {
        if entry["response"]["lastModified"].as_str().unwrap() <= instant {
            let name = entry["fullUrl"].as_str().unwrap().trim_start_matches(&server.base)[1..].to_owned();
            state.entry(name).or_insert_with(|| entry["resource"].clone());
        }
    }
    state.retain(|_, resource| !resource.is_null());
    state
}

fn everything_is_as_of_one_commit(kind: Kind) {
    let server =
        Server::start_with(kind, Entrance::Open, Limits::default(), |options| options.file_bytes = 4_000);
    for number in 0..60 {
        write(&server, number, 0);
    }
    let (stop, step) = (AtomicBool::new(false), AtomicU64::new(1));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let step = step.fetch_add(1, Ordering::Relaxed);
                    write(&server, step * 7 % 80, step);
                }
            });
        }
        let all = "/$export?_type=Patient,Observation";
        let filtered = format!("{all}&_typeFilter=Patient%3Factive%3Dtrue");
        for round in 0..4 {
            let manifest = server.manifest(if round % 2 == 0 { all } else { &filtered });
            let mut found = BTreeMap::new();
            for line in server.lines(None, &manifest, "output") {
                let name =
                    format!("{}/{}", line["resourceType"].as_str().unwrap(), line["id"].as_str().unwrap());
                assert!(found.insert(name, line).is_none(), "a record comes twice");
            }
            let mut expected = state_at(&server, manifest["transactionTime"].as_str().unwrap());
            if round % 2 == 1 {
                expected.retain(|_, resource| resource["active"] != false);
            }
            assert!(expected.len() > 20);
            assert_eq!(found, expected);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(entries(&server.get("/_history?_count=10").json()).len() == 10);
}

/// Creates, changes or deletes a patient and an observation.
fn write(server: &Server, number: u64, step: u64) {
    let path = format!("/Patient/p{number}");
    if step % 5 == 4 {
        server.delete(&path).expect(204);
        server.delete(&format!("/Observation/o{number}")).expect(204);
        return;
    }
    let patient = json!({"resourceType": "Patient", "id": format!("p{number}"), "active": !step.is_multiple_of(3),
        "name": [{"text": format!("{step}")}]});
    server.put(&path, &patient.to_string());
    let observation = json!({"resourceType": "Observation", "id": format!("o{number}"), "status": "final",
        "code": {"text": format!("{step}")}, "subject": {"reference": format!("Patient/p{number}")}});
    server.put(&format!("/Observation/o{number}"), &observation.to_string());
}

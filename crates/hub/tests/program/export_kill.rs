//! kill -9 in the middle of an export: what comes out is what an export without interruption gives, byte by byte.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Running, run};

/// Kills of one export.
const KILLS: u32 = 6;

#[test]
fn an_export_goes_on_where_it_was_durable() {
    let directory = tempfile::tempdir().unwrap();
    let (data, bundles) = (directory.path().join("data"), directory.path().join("bundles"));
    run(&["synth", "--patients", "300", "--seed", "7", "--out", bundles.to_str().unwrap()]);
    run(&["import", "--data", data.to_str().unwrap(), bundles.to_str().unwrap()]);

    let hub = Running::open(&data);
    let place = ask(&hub);
    let manifest = wait(&hub, &place);
    let expected = files(&hub, &manifest);
    let lines: usize = expected.iter().map(|(_, body)| body.split(|byte| *byte == b'\n').count() - 1).sum();
    assert!(lines > 10_000, "{lines} lines are too few to be interrupted");

    let place = ask(&hub);
    let mut hub = hub;
    let mut cut = 0;
    for round in 0..KILLS {
        std::thread::sleep(Duration::from_millis(u64::from(90 + round * 37 % 90)));
        cut += u32::from(hub.get(&place).0 == 202);
        hub.kill();
        // Records change meanwhile: the export is as of when it began.
        hub = Running::open(&data);
        hub.put("Patient/later", r#"{"resourceType":"Patient","id":"later","active":true}"#);
        hub.put(
            "Patient/later",
            &format!(r#"{{"resourceType":"Patient","id":"later","active":{}}}"#, round % 2 == 0),
        );
    }
    assert!(cut > 0, "the export was never interrupted");
    let manifest = wait(&hub, &place);
    let found = files(&hub, &manifest);
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        assert!(found == expected, "{name} differs after {cut} interruptions");
    }
    eprintln!("{lines} lines, interrupted {cut} times");
    hub.stop();
    assert!(stray(&data.join("jobs")) == 0, "files of an interrupted run are left");
}

fn ask(hub: &Running) -> String {
    let (agent, base) = hub.client();
    let request = agent.get(format!("{base}/$export")).header("prefer", "respond-async");
    let answer = request.call().unwrap();
    assert_eq!(answer.status(), 202);
    let place = answer.headers()["content-location"].to_str().unwrap();
    // The port is another one after each start.
    place.split("/fhir/").nth(1).unwrap().to_owned()
}

fn wait(hub: &Running, place: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let (status, manifest) = hub.get(place);
        if status != 202 {
            assert_eq!(status, 200, "{manifest}");
            return manifest;
        }
        assert!(Instant::now() < until, "the export does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Name and content of each file.
fn files(hub: &Running, manifest: &Value) -> Vec<(String, Vec<u8>)> {
    let output = manifest["output"].as_array().unwrap().iter();
    output
        .map(|file| {
            let path = file["url"].as_str().unwrap().split("/fhir/").nth(1).unwrap().to_owned();
            let (agent, base) = hub.client();
            let mut answer = agent.get(format!("{base}/{path}")).call().unwrap();
            let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
            (path.rsplit('/').next().unwrap().to_owned(), body)
        })
        .collect()
}

/// Files in the jobs' directories that are part of no result.
fn stray(jobs: &Path) -> usize {
    let directories = std::fs::read_dir(jobs).unwrap().map(|entry| entry.unwrap().path());
    let names = directories.flat_map(|directory| std::fs::read_dir(directory).unwrap());
    names.filter(|name| !name.as_ref().unwrap().file_name().to_str().unwrap().ends_with(".ndjson")).count()
}

//! kill -9 in the middle of exports and imports: what comes out is what comes out without interruption.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Running, run};

/// Kills of one export.
const KILLS: u32 = 6;

/// Every line is brought in once, what is refused is told once, and nothing is written twice.
// threat: 25
#[test]
fn an_import_goes_on_where_it_was_durable() {
    let directory = tempfile::tempdir().unwrap();
    let (data, bundles) = (directory.path().join("data"), directory.path().join("bundles"));
    run(&["synth", "--patients", "60", "--seed", "7", "--out", bundles.to_str().unwrap()]);
    run(&["import", "--data", data.to_str().unwrap(), bundles.to_str().unwrap()]);
    let hub = Running::open(&data);
    let manifest = wait(&hub, &ask(&hub));
    let mut lines: Vec<u8> = files(&hub, &manifest).into_iter().flat_map(|(_, body)| body).collect();
    hub.stop();
    let records = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
    for number in 0..40 {
        // Refused, here and there among the others.
        let wrong = format!("{{\"resourceType\":\"Patient\",\"id\":\"wrong-{number}\",\"active\":7}}\n");
        let at = lines.len() / 40 * number;
        let at = lines[at..].iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| at + end + 1);
        lines.splice(at..at, wrong.into_bytes());
    }

    let empty = directory.path().join("other");
    let mut hub = Running::open(&empty);
    let (agent, base) = hub.client();
    let request = agent.post(format!("{base}/$import")).header("prefer", "respond-async");
    let answer = request.header("content-type", "application/fhir+ndjson").send(&lines[..]).unwrap();
    assert_eq!(answer.status(), 202);
    let place =
        answer.headers()["content-location"].to_str().unwrap().split("/fhir/").nth(1).unwrap().to_owned();
    let mut cut = 0;
    for round in 0..KILLS {
        std::thread::sleep(Duration::from_millis(u64::from(150 + round * 37 % 90)));
        cut += u32::from(hub.get(&place).0 == 202);
        hub.kill();
        hub = Running::open(&empty);
    }
    assert!(cut > 0, "the import was never interrupted");
    let manifest = wait(&hub, &place);
    let counts = &manifest["output"][0]["extension"];
    assert_eq!(counts["lines"], records + 40);
    assert_eq!(counts["rejected"], 40);
    assert_eq!(manifest["error"][0]["count"], 40);
    assert_eq!(versions(&hub), records, "a record was written twice, or not at all");
    eprintln!("{records} records, interrupted {cut} times");
    hub.stop();
    let report = run(&["doctor", "--data", empty.to_str().unwrap()]);
    assert!(report.contains("Everything is as it should be"), "{report}");
}

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

/// How many versions there are of all records.
fn versions(hub: &Running) -> u64 {
    let mut next = Some("_history?_count=1000".to_owned());
    let mut count = 0;
    while let Some(path) = next {
        let (status, bundle) = hub.get(&path);
        assert_eq!(status, 200, "{bundle}");
        count += bundle["entry"].as_array().map_or(0, Vec::len) as u64;
        let links = bundle["link"].as_array().unwrap();
        let link = links.iter().find(|link| link["relation"] == "next");
        next = link.map(|link| link["url"].as_str().unwrap().split("/fhir/").nth(1).unwrap().to_owned());
    }
    count
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

//! An import killed again and again in the middle of a large file: the next run goes on, and in the end everything is
//! there once, as if nothing had happened.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Running, ieum, run};

/// Lines of the file: some seconds of work.
const LINES: usize = 30_000;
/// The import is killed so many times before it may finish.
const KILLS: u64 = 6;

#[test]
fn an_import_goes_on_where_it_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("large.ndjson");
    std::fs::write(&file, large()).unwrap();
    let data = directory.path().join("data");
    for kill in 0..KILLS {
        let mut import = ieum()
            .args(["import", "--data"])
            .args([&data, &file])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Making the store takes as long as the machine is busy.
        while !data.join("records.sqlite-wal").exists() {
            assert!(import.try_wait().unwrap().is_none(), "the import ended before it began");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(60 + 90 * kill));
        assert!(
            import.try_wait().unwrap().is_none(),
            "finished before it could be killed: make the file larger"
        );
        import.kill().unwrap();
        import.wait().unwrap();
        let report = run(&["doctor", "--data", data.to_str().unwrap()]);
        assert!(report.contains("Everything is as it should be"), "{report}");
    }
    let arguments = ["import", "--data", data.to_str().unwrap(), file.to_str().unwrap()];
    let said = run(&arguments);
    assert!(!said.contains("refused"), "{said}");
    let (patients, versions) = held(&data);
    assert_eq!(patients, LINES as u64);
    assert_eq!(versions, LINES as u64, "what an earlier run had written was written again");
    run(&arguments);
    assert_eq!(held(&data), (patients, versions), "another run changed something");
}

/// Persons without id: each run must give them the same.
fn large() -> String {
    let mut lines = String::new();
    for number in 0..LINES {
        let line = format!(
            r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:test:line","value":"{number}"}}],"name":[{{"text":"가상 {number}"}}]}}"#
        );
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

/// Patients, and versions of patients.
fn held(data: &Path) -> (u64, u64) {
    let hub = Running::open(data);
    let total = |path: &str| hub.get(path).1["total"].as_u64();
    for number in [0, LINES / 2, LINES - 1] {
        assert_eq!(total(&format!("Patient?identifier=urn:test:line%7C{number}")), Some(1));
    }
    let patients = total("Patient?_summary=count").unwrap();
    let mut versions = 0;
    let mut next = Some("Patient/_history?_count=1000".to_owned());
    while let Some(path) = next {
        let (status, page) = hub.get(&path);
        assert_eq!(status, 200, "{page}");
        versions += page["entry"].as_array().map_or(0, Vec::len) as u64;
        let links = page["link"].as_array().unwrap();
        let link = links.iter().find(|link| link["relation"] == "next");
        let path = link.and_then(|link| link["url"].as_str()?.split_once("/fhir/"));
        next = path.map(|(_, path)| path.to_owned());
    }
    hub.stop();
    (patients, versions)
}

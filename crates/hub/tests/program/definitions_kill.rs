//! kill -9 while records are indexed by new search parameters: it goes on where it was, nothing is answered before its
//! end, and at the end the indexes are proved right.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Running, run};

/// Kills on the way, at most; fewer when it is done sooner.
const KILLS: u64 = 6;

/// Parameters that find what R4's own find, said in other ways.
const PARAMETERS: [(&str, &str, &str, &str); 4] = [
    ("own-code", "token", "Observation.code.where(coding.exists())", "code"),
    ("own-date", "date", "Observation.effective.where($this.exists())", "date"),
    ("own-subject", "reference", "Observation.subject", "subject"),
    ("own-value", "quantity", "Observation.value.where($this is Quantity)", "value-quantity"),
];

#[test]
fn indexing_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let (data, bundles) = (directory.path().join("data"), directory.path().join("bundles"));
    run(&["synth", "--patients", "60", "--seed", "11", "--out", bundles.to_str().unwrap()]);
    run(&["import", "--data", data.to_str().unwrap(), bundles.to_str().unwrap()]);
    // The port of one start is that of the next: another address would mean to index anew.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let open = || Running::start_on(&data, port, &["--open"]);
    let mut hub = open();
    for (code, of, expression, _) in PARAMETERS {
        let definition = json!({"resourceType": "SearchParameter", "id": code, "url": format!("http://x.test/{code}"),
            "name": "n", "status": "active", "description": "d", "code": code, "base": ["Observation"], "type": of,
            "expression": expression});
        hub.put(&format!("SearchParameter/{code}"), &definition.to_string());
    }
    let (mut farthest, mut cut) = ([0; PARAMETERS.len()], 0);
    for round in 0..KILLS {
        std::thread::sleep(Duration::from_millis(40 + round * 23 % 60));
        let before = progress(&hub);
        cut += u32::from(before.iter().any(|done| done.is_some_and(|done| done > 0)));
        hub.kill();
        if before.iter().all(Option::is_none) {
            hub = open();
            break;
        }
        if round == 2 {
            whole(&data);
        }
        hub = open();
        hub.put("Observation/later", &observation(round));
        for (farthest, now) in farthest.iter_mut().zip(progress(&hub)) {
            // What is ready stays so.
            let now = now.unwrap_or(u64::MAX);
            assert!(now >= *farthest, "{now} records are indexed, {farthest} were before");
            *farthest = now;
        }
    }
    assert!(cut > 0, "indexing was never interrupted");
    let until = Instant::now() + Duration::from_secs(120);
    while progress(&hub).iter().any(Option::is_some) {
        assert!(Instant::now() < until, "indexing does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let total = |question: String| {
        hub.get(&format!("Observation?{question}&_summary=count")).1["total"].as_u64().unwrap()
    };
    let all = total("status:missing=false".into());
    assert!(all > 2_000, "{all} records are too few to be interrupted");
    for (own, _, _, known) in PARAMETERS {
        let (found, expected) =
            (total(format!("{own}:missing=false")), total(format!("{known}:missing=false")));
        assert_eq!(found, expected, "{own}");
        assert!(expected > 0, "{known} finds nothing");
    }
    for day in 1..=28 {
        let day = format!("2026-02-{day:02}");
        assert_eq!(total(format!("own-date={day}")), total(format!("date={day}")), "{day}");
    }
    eprintln!("{all} records by {} parameters, interrupted {cut} times", PARAMETERS.len());
    hub.stop();
    whole(&data);
}

/// Records indexed by each parameter; nothing for what is ready. It is never answered in part.
fn progress(hub: &Running) -> [Option<u64>; PARAMETERS.len()] {
    PARAMETERS.map(|(code, ..)| {
        let (status, answer) = hub.get(&format!("Observation?{code}:missing=false&_summary=count"));
        if status == 200 {
            return None;
        }
        assert_eq!(
            (status, &answer["issue"][0]["details"]["coding"][0]["code"]),
            (503, &Value::from("IEUM-S013"))
        );
        let text = answer["issue"][0]["diagnostics"].as_str().unwrap();
        let done = text.split("is not ready: ").nth(1).and_then(|rest| rest.split(' ').next());
        Some(done.unwrap().parse().unwrap())
    })
}

fn observation(round: u64) -> String {
    json!({"resourceType": "Observation", "id": "later", "status": "final", "code": {"coding": [{"code": format!("c{round}")}]},
        "effectiveDateTime": format!("2026-02-{:02}", round + 1)})
    .to_string()
}

/// The check of every body against every index, at whatever point indexing is.
fn whole(data: &Path) {
    let report = run(&["doctor", "--data", data.to_str().unwrap()]);
    assert!(report.contains("Everything is as it should be"), "{report}");
}

//! Each command, as documented.

use std::io::Write;

use serde_json::{Value, json};

use crate::support::{Running, output, run};

#[test]
fn synthetic_korea_goes_in_and_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    run(&["synth", "--patients", "30", "--seed", "7", "--out", &path("korea")]);
    run(&["synth", "--patients", "30", "--seed", "7", "--out", &path("again")]);
    for name in ["0-institutions.json", "people-00001.ndjson.zst"] {
        let read = |folder: &str| std::fs::read(directory.path().join(folder).join(name)).unwrap();
        assert_eq!(read("korea"), read("again"), "{name} differs for the same seed");
    }
    let said = run(&["import", "--data", &path("data"), &path("korea")]);
    assert!(!said.contains("refused"), "{said}");
    let hub = Running::open(&directory.path().join("data"));
    let (status, people) = hub.get("Patient?_summary=count");
    assert_eq!((status, people["total"].as_u64()), (200, Some(30)));
    let (_, someone) = hub.get("Patient?_count=1");
    let id = someone["entry"][0]["resource"]["id"].as_str().unwrap();
    let (status, everything) = hub.get(&format!("Patient/{id}/$everything?_count=1000"));
    assert_eq!(status, 200);
    assert!(everything["entry"].as_array().unwrap().len() > 5);
    // While the hub runs, the directory is its own.
    let refused = output(&["import", "--data", &path("data"), &path("korea")]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--server"), "{refused:?}");
    hub.stop();
    let report = run(&["doctor", "--data", &path("data")]);
    assert!(report.contains("Everything is as it should be"), "{report}");
}

#[test]
fn what_is_refused_is_told_and_the_rest_goes_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let lines = [
        r#"{"resourceType":"Patient","id":"good-1","active":true}"#.to_owned(),
        r#"{"resourceType":"Patient","id":"bad","active":"yes"}"#.to_owned(),
        String::new(),
        "this is not json".to_owned(),
        r#"{"resourceType":"Patient","id":"good-2"}"#.to_owned(),
        json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "fullUrl": "urn:uuid:0194f3c2-0000-7000-8000-000000000001", "resource": { "resourceType": "Patient", "id": "good-3" } },
            { "resource": { "resourceType": "Observation", "id": "o", "status": "final", "code": { "text": "x" },
                "subject": { "reference": "urn:uuid:0194f3c2-0000-7000-8000-000000000001" } } } ] })
        .to_string(),
    ];
    let packed = std::fs::File::create(directory.path().join("in.ndjson.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    packed.write_all(lines.join("\n").as_bytes()).unwrap();
    packed.finish().unwrap();

    let arguments = ["import", "--data", &path("data"), "--rejects", &path("rejects"), &path("in.ndjson.gz")];
    let done = output(&arguments);
    assert_eq!(done.status.code(), Some(3), "{done:?}");
    let rejects = std::fs::read_to_string(path("rejects")).unwrap();
    let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut lines: Vec<_> = rejects.iter().map(|reject| reject["line"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 4]);
    for reject in &rejects {
        assert!(reject["outcome"]["issue"][0]["diagnostics"].is_string(), "{reject}");
        assert!(reject["resource"].is_object() || reject["text"].is_string());
    }
    let hub = Running::open(&directory.path().join("data"));
    assert_eq!(hub.get("Patient?_summary=count").1["total"], 3);
    assert_eq!(hub.get("Observation/o").1["subject"]["reference"], "Patient/good-3");
    assert_eq!(hub.get("Patient/bad").0, 404);
    hub.stop();
}

#[test]
fn an_open_hub_stays_on_loopback() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let refused = output(&["serve", "--data", data, "--listen", "0.0.0.0:0", "--open"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("loopback"), "{refused:?}");
}

#[test]
fn accounts_let_in_and_nothing_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let add =
        ["account", "add", "--data", data.to_str().unwrap(), "--role", "clinician", "--name", "가상 의사"];
    let secret = run(&add).trim().to_owned();
    assert_eq!(secret.len(), 43);
    let hub = Running::start(&data, &[]);
    assert_eq!(hub.get("Patient").0, 401);
    let (agent, base) = hub.client();
    let with = |secret: &str| {
        let request =
            agent.get(format!("{base}/Patient")).header("authorization", format!("Bearer {secret}"));
        request.call().unwrap().status().as_u16()
    };
    assert_eq!(with(&secret), 200);
    assert_eq!(with("another"), 401);
    let wrong = ["account", "add", "--data", data.to_str().unwrap(), "--role", "patient", "--name", "x"];
    hub.stop();
    assert!(!output(&wrong).status.success());
}

#[test]
fn doctor_tells_settings_with_their_origin() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("ieum.toml"), "log = 'json'\n").unwrap();
    let said = run(&["doctor", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:9"]);
    assert!(
        said.contains("127.0.0.1:9") && said.contains("from flag") && said.contains("ieum.toml"),
        "{said}"
    );
    std::fs::write(data.join("ieum.toml"), "nonsense = 1\n").unwrap();
    let said = output(&["doctor", "--data", data.to_str().unwrap()]);
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stdout).contains("nonsense"));
}

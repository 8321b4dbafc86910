//! Files that nobody here wrote: everything goes in, and everything comes back as it was.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::support::{Running, run, shared};

/// All resources of the bundles in a folder, by file.
fn bundles(folder: &Path) -> Vec<(String, Value)> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        let bytes = if path.extension().is_some_and(|end| end == "zst") {
            zstd::decode_all(bytes.as_slice()).unwrap()
        } else {
            bytes
        };
        (path.display().to_string(), serde_json::from_slice(&bytes).unwrap())
    };
    paths.into_iter().map(read).collect()
}

/// A resource without what the hub gives anew: id, and version and time in meta; references as `how` writes them.
fn comparable(resource: &Value, how: &dyn Fn(&str) -> Option<String>) -> Value {
    let mut resource = resource.clone();
    let members = resource.as_object_mut().unwrap();
    // Not `remove`, which would change the order of the others.
    members.shift_remove("id");
    members.shift_remove("meta");
    rewrite(&mut resource, how);
    resource
}

fn rewrite(value: &mut Value, how: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(other) = how(text) {
                *text = other;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| rewrite(element, how)),
        Value::Object(members) => members.values_mut().for_each(|member| rewrite(member, how)),
        _ => {}
    }
}

#[test]
fn synthea_goes_in_and_comes_back() {
    let Some(folder) = shared("synthea") else { return };
    let directory = tempfile::tempdir().unwrap();
    let (data, out) = (directory.path().join("data"), directory.path().join("out"));
    let (data_text, out_text) = (data.to_str().unwrap(), out.to_str().unwrap());
    let said = run(&["import", "--data", data_text, folder.to_str().unwrap()]);
    assert!(said.starts_with("45337 records from 150 files"), "{said}");
    let again = run(&["import", "--data", data_text, folder.to_str().unwrap()]);
    assert!(again.contains("0 records from 0 files") && again.contains("150 files had been"), "{again}");

    // The same through HTTP, into another hub, ends in the same records: ids come from the content.
    let other = directory.path().join("other");
    let hub = Running::open(&other);
    let one = folder.join(std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().file_name());
    let remote = ["import", "--server", &hub.base, one.to_str().unwrap()];
    run(&remote);
    let (_, first) = hub.get("_history?_count=1");
    run(&remote);
    assert_eq!(hub.get("_history?_count=1").1["entry"], first["entry"], "a second run changed something");
    hub.stop();

    run(&["export", "--data", data_text, "--out", out_text]);
    let mut exported: HashMap<String, Value> = HashMap::new();
    let mut others: BTreeMap<String, u32> = BTreeMap::new();
    for file in std::fs::read_dir(&out).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let resource: Value = serde_json::from_str(line).unwrap();
            let key = format!(
                "{}/{}",
                resource["resourceType"].as_str().unwrap(),
                resource["id"].as_str().unwrap()
            );
            exported.insert(key, resource);
        }
    }
    assert_eq!(exported.len(), 45_337);
    // Each resource that went in is there once; a reference inside it is compared by the kind it points to.
    let kind_only = |text: &str| {
        let kind = text.split('/').next().unwrap();
        let stored = exported.contains_key(text);
        stored.then(|| format!("{kind}/*"))
    };
    for resource in exported.values() {
        *others.entry(comparable(resource, &kind_only).to_string()).or_default() += 1;
    }
    let mut compared = 0;
    for (file, bundle) in bundles(&folder) {
        let entries = bundle["entry"].as_array().unwrap();
        let kinds: HashMap<&str, &str> = entries
            .iter()
            .map(|entry| {
                (entry["fullUrl"].as_str().unwrap(), entry["resource"]["resourceType"].as_str().unwrap())
            })
            .collect();
        let by_kind = |text: &str| kinds.get(text).map(|kind| format!("{kind}/*"));
        for entry in entries {
            let sent = comparable(&entry["resource"], &by_kind).to_string();
            let left = others.get_mut(&sent);
            let left =
                left.unwrap_or_else(|| panic!("{file}: a {} has changed", entry["resource"]["resourceType"]));
            assert!(*left > 0, "{file}: a resource is there too seldom");
            *left -= 1;
            compared += 1;
        }
    }
    assert_eq!(compared, 45_337);
    assert!(others.values().all(|left| *left == 0));

    // What was written out goes in again and changes nothing.
    let before = census(&data);
    let said = run(&["import", "--data", data_text, out_text]);
    assert!(said.starts_with("45337 records"), "{said}");
    assert_eq!(census(&data), before);
}

/// Versions in the store, as `doctor` counts them, without those of the import journal.
fn census(data: &Path) -> String {
    let hub = Running::open(data);
    let (_, history) = hub.get("Patient/_history?_count=1");
    let newest = history["entry"][0]["resource"]["meta"].to_string();
    hub.stop();
    newest
}

#[test]
fn krcore_examples_go_in_and_come_back() {
    let Some(folder) = shared("krcore-1.0.2-examples") else { return };
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let said = run(&["import", "--data", data.to_str().unwrap(), folder.to_str().unwrap()]);
    assert!(said.starts_with("28 records from 28 files"), "{said}");
    let hub = Running::open(&data);
    for (file, example) in bundles(&folder) {
        let path =
            format!("{}/{}", example["resourceType"].as_str().unwrap(), example["id"].as_str().unwrap());
        let (status, stored) = hub.get(&path);
        assert_eq!(status, 200, "{file}");
        let nothing = |_: &str| None;
        assert_eq!(comparable(&stored, &nothing), comparable(&example, &nothing), "{file}");
        assert_eq!(stored["meta"]["profile"], example["meta"]["profile"], "{file}");
    }
    hub.stop();
}

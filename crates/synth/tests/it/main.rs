//! What synthetic Korea promises, checked over a few hundred patients.

mod codes;
mod fakes;
mod people;
mod profiles;
mod time;
mod world;

use std::sync::OnceLock;

use ieum_synth::{NamedBundle, Options, bundles};
use serde_json::Value;

/// How many patients the tests look at; enough for every kind of course to occur.
const PATIENTS: u64 = 400;

/// The resources of one bundle.
struct Record {
    name: String,
    resources: Vec<Value>,
}

impl Record {
    fn read(bundle: &NamedBundle) -> Self {
        let json: Value = serde_json::from_slice(&bundle.json).expect("a bundle is JSON");
        assert_eq!((&json["resourceType"], &json["type"]), (&"Bundle".into(), &"transaction".into()));
        let entries = json["entry"].as_array().expect("a bundle has entries");
        let resources = entries
            .iter()
            .map(|entry| {
                let resource = entry["resource"].clone();
                let url = format!("{}/{}", text(&resource["resourceType"]), text(&resource["id"]));
                assert_eq!(entry["request"], serde_json::json!({ "method": "PUT", "url": url }));
                resource
            })
            .collect();
        Record { name: bundle.name.clone(), resources }
    }

    fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources.iter().filter(move |resource| resource["resourceType"] == kind)
    }

    fn patient(&self) -> &Value {
        self.of("Patient").next().expect("every patient bundle has its Patient")
    }
}

/// The shared record, then all patients' records of seed 7.
fn records() -> &'static [Record] {
    static RECORDS: OnceLock<Vec<Record>> = OnceLock::new();
    RECORDS.get_or_init(|| bundles(&Options::new(PATIENTS, 7)).map(|bundle| Record::read(&bundle)).collect())
}

fn shared() -> &'static Record {
    &records()[0]
}

fn patients() -> &'static [Record] {
    &records()[1..]
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}

/// Calls `visit` with every object below `value`, the outermost first.
fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            visit(map);
            map.values().for_each(|child| walk(child, visit));
        }
        Value::Array(items) => items.iter().for_each(|child| walk(child, visit)),
        _ => {}
    }
}

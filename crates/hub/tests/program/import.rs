//! Imports of files as they come: out of order, damaged, oddly named, wrong in places.

use std::io::Write;
use std::time::{Duration, Instant};

use ieum::data::Data;
use ieum::hub::{Entrance, Hub, Options};
use ieum::import::find::find;
use ieum::import::journal::{Begun, Journal, Kept, State};
use ieum::limits::Limits;
use ieum_store::clock::system_clock;
use ieum_trust::access::Access;
use serde_json::{Value, json};

use crate::bench::{Bench, told};
use crate::disk::SmallDisk;
use crate::support::{Running, ieum, output, run};

fn patient(id: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id })
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn post(url: &str, resource: &Value) -> Value {
    json!({ "request": { "method": "POST", "url": url }, "resource": resource })
}

fn practitioner(number: usize) -> Value {
    let identifier = json!([{ "system": "urn:test:npi", "value": number.to_string() }]);
    post("Practitioner", &json!({ "resourceType": "Practitioner", "identifier": identifier }))
}

/// A visit whose practitioner is named by what is known of them.
fn visit(number: usize) -> Value {
    let reference = format!("Practitioner?identifier=urn:test:npi|{number}");
    post(
        "Encounter",
        &json!({ "resourceType": "Encounter", "status": "finished", "class": { "code": "AMB" },
        "participant": [{ "individual": { "reference": reference } }] }),
    )
}

#[test]
fn files_are_taken_in_order_and_refused_ones_again_when_asked() {
    let bench = Bench::new();
    let practitioners: Vec<Value> = (0..500).map(practitioner).collect();
    bench.write("in/0.json", bundle("transaction", &practitioners).to_string().as_bytes());
    for number in 0..4 {
        let name = format!("in/1-{number}.json");
        bench.write(&name, bundle("transaction", &[visit(number)]).to_string().as_bytes());
    }
    let (code, said) = bench.import("in", &[]);
    assert!(code == 0 && said.contains("504 records from 5 files"), "{said} {:?}", bench.rejects());

    // One that has nothing to refer to is refused, and not forgotten.
    bench.write("in/2.json", bundle("transaction", &[visit(1_000)]).to_string().as_bytes());
    let (code, said) = bench.import("in", &[]);
    assert!(code == 3 && said.contains("1 refused") && said.contains("--again"), "{said}");
    let (code, said) = bench.import("in", &[]);
    assert!(code == 3 && said.contains("2.json: 1 refused by an earlier run"), "{said}");
    bench.write("more.json", bundle("transaction", &[practitioner(1_000)]).to_string().as_bytes());
    assert_eq!(bench.import("more.json", &[]).0, 0);
    let (code, said) = bench.import("in", &["--again"]);
    assert!(code == 0 && said.contains("1 records from 1 files"), "{said}");
    let (code, said) = bench.import("in", &[]);
    assert!(code == 0 && said.contains("6 files had been imported before"), "{said}");
    assert_eq!(bench.count("Encounter?_summary=count"), 5);
}

#[test]
fn every_refused_entry_of_a_batch_is_told() {
    let bench = Bench::new();
    let put = |id: &str, gender: Value| {
        json!({ "request": { "method": "PUT", "url": format!("Patient/{id}") },
            "resource": { "resourceType": "Patient", "id": id, "gender": gender } })
    };
    let entries = [put("b1", "male".into()), put("b2", "unheard".into()), put("b3", 5.into())];
    bench.write("b.json", bundle("batch", &entries).to_string().as_bytes());
    let (code, said) = bench.import("b.json", &[]);
    assert!(code == 3 && said.contains("1 records from 1 files") && said.contains("2 refused"), "{said}");
    let rejects = bench.rejects();
    let places: Vec<_> = rejects.iter().map(|reject| reject["entry"].as_u64()).collect();
    assert_eq!(places, [Some(1), Some(2)]);
    assert_eq!(rejects[1]["resource"]["resource"]["id"], "b3");
    assert!(rejects.iter().all(|reject| reject["outcome"]["issue"].is_array()));
}

#[test]
fn a_bundle_in_lines_is_known_wherever_its_type_stands() {
    let bench = Bench::new();
    // Members in the order of the alphabet: the type comes after the entries.
    let line = |number: u32| {
        let name = "f".repeat(5_000);
        format!(
            r#"{{"entry":[{{"request":{{"method":"POST","url":"Patient"}},"resource":{{"name":[{{"family":"{name}","given":["{number}"]}}],"resourceType":"Patient"}}}}],"resourceType":"Bundle","type":"transaction"}}"#
        )
    };
    bench.write("late.ndjson", (0..3).map(line).collect::<Vec<_>>().join("\n").as_bytes());
    let (code, said) = bench.import("late.ndjson", &[]);
    assert!(code == 0 && said.contains("3 records"), "{said}");
    assert_eq!((bench.count("Patient?_summary=count"), bench.count("Bundle?_summary=count")), (3, 0));
}

#[test]
fn requests_are_sent_as_they_are_unless_they_are_plain_creates() {
    let bench = Bench::new();
    let person = |gender: &str| {
        json!({ "resourceType": "Patient", "gender": gender,
            "identifier": [{ "system": "urn:test:id", "value": "1" }] })
    };
    let mut misspelt = post("Patient", &person("other"));
    misspelt["request"]["ifNoneExists"] = "identifier=urn:test:id|1".into();
    let other_kind = post("Observation", &person("unknown"));
    let criteria = |gender| post("Patient?identifier=urn:test:id%7C1", &person(gender));
    let entries = [criteria("male"), criteria("female"), misspelt, other_kind];
    let lines: Vec<Value> = entries.into_iter().map(|entry| bundle("transaction", &[entry])).collect();
    bench.lines("g.ndjson", &lines);
    let (code, said) = bench.import("g.ndjson", &[]);
    assert_eq!(code, 3, "{said}");
    let mut refused: Vec<_> = bench.rejects().iter().map(|reject| reject["line"].as_u64()).collect();
    refused.sort_unstable();
    assert_eq!(refused, [Some(3), Some(4)], "{:?}", bench.rejects());
    assert_eq!(bench.count("Patient?_summary=count"), 1);
}

#[test]
fn an_id_that_cannot_be_one_is_refused_not_replaced() {
    let bench = Bench::new();
    bench.lines("c.ndjson", &[patient("pat_1"), patient("pat-2"), patient("a?b=c")]);
    let (code, said) = bench.import("c.ndjson", &[]);
    assert!(code == 3 && said.contains("1 records"), "{said}");
    for reject in bench.rejects() {
        assert_eq!(reject["outcome"]["issue"][0]["details"]["coding"][0]["code"], "IEUM-R026", "{reject}");
    }
    assert_eq!(bench.rejects().len(), 2);
    assert_eq!(bench.count("Patient?_summary=count"), 1);
}

#[test]
fn what_cannot_be_read_does_not_keep_the_rest_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let bench = Bench::new();
    for file in 0..5 {
        let lines: Vec<String> =
            (0..50).map(|line| patient(&format!("e{file}-{line}")).to_string()).collect();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(lines.join("\n").as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let end = if file == 2 { packed.len() / 2 } else { packed.len() };
        bench.write(&format!("in/{file}.ndjson.gz"), &packed[..end]);
    }
    // A name in EUC-KR, as Korean archives have them; a link that leads back; a link that leads nowhere.
    let korean = bench.path("in").join(OsStr::from_bytes(b"\xb1\xe8\xb9\xce\xbc\xf6.json"));
    std::fs::write(korean, patient("korean").to_string()).unwrap();
    std::os::unix::fs::symlink(".", bench.path("in/z")).unwrap();
    std::os::unix::fs::symlink("nowhere", bench.path("in/y.json")).unwrap();
    let (code, said) = bench.import("in", &[]);
    assert!(code == 3 && said.contains("2 files or directories could not be read"), "{said}");
    assert!(said.contains("2.ndjson.gz") && said.contains("y.json"), "{said}");
    let unread = bench.rejects().into_iter().filter(|reject| reject["error"].is_string());
    assert_eq!(unread.count(), 2);
    let found = bench.count("Patient?_summary=count");
    assert!(found >= 201, "only {found} of the records that can be read are in");
    bench.ask(|hub| assert_eq!(hub.get("Patient/korean").0, 200));
    let states: Vec<State> = bench.journal().into_iter().map(|record| record.state).collect();
    assert_eq!(states.iter().filter(|state| **state == State::Failed).count(), 1, "{states:?}");
    assert_eq!(states.len(), 6);
}

#[test]
fn of_several_versions_in_a_file_the_last_wins() {
    let bench = Bench::new();
    let version = |number: u32, id: u32| {
        let mut patient = patient(&format!("v{id}"));
        patient["multipleBirthInteger"] = number.into();
        // Enough that a unit takes a while, and others would overtake it.
        patient["name"] = json!([{ "text": "가상 이름 ".repeat(20) }]);
        patient
    };
    let lines: Vec<Value> = (1..=8)
        .flat_map(|number| (0..500).map(move |id| (number, id)))
        .map(|(n, id)| version(n, id))
        .collect();
    bench.lines("h.ndjson", &lines);
    // The same record many times in a row, too.
    let row: Vec<Value> = (1..=50).map(|number| version(number, 1_000)).collect();
    bench.lines("row.ndjson", &row);
    for name in ["h.ndjson", "row.ndjson"] {
        let (code, said) = bench.import(name, &[]);
        assert_eq!(code, 0, "{said}");
    }
    bench.ask(|hub| {
        for id in [0, 1, 250, 499] {
            let patient = hub.get(&format!("Patient/v{id}")).1;
            assert_eq!(
                (&patient["multipleBirthInteger"], &patient["meta"]["versionId"]),
                (&json!(8), &json!("8"))
            );
        }
        assert_eq!(hub.get("Patient/v1000").1["multipleBirthInteger"], 50);
    });
}

#[test]
fn later_lines_may_refer_to_earlier_ones() {
    let bench = Bench::new();
    let lines: Vec<Value> = (0..40)
        .flat_map(|number| [practitioner(number), visit(number)])
        .map(|entry| bundle("transaction", &[entry]))
        .collect();
    bench.lines("chain.ndjson", &lines);
    let (code, said) = bench.import("chain.ndjson", &[]);
    assert!(code == 0 && said.contains("80 records"), "{said} {:?}", bench.rejects().first());
}

#[test]
fn marks_of_windows_answers_of_searches_and_histories() {
    let bench = Bench::new();
    let with_mark = |text: String| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    bench.write("in/a.json", &with_mark(patient("w1").to_string()));
    bench.write("in/b.ndjson", &with_mark(format!("{}\n{}\n", patient("w2"), patient("w3"))));
    let about = json!({ "search": { "mode": "outcome" }, "resource": { "resourceType": "OperationOutcome",
        "id": "oo", "issue": [{ "severity": "information", "code": "informational" }] } });
    let found = json!({ "search": { "mode": "match" }, "resource": patient("w4") });
    bench.write("in/c.json", bundle("searchset", &[found, about]).to_string().as_bytes());
    let (code, said) = bench.import("in", &[]);
    assert!(code == 0 && said.contains("4 records from 3 files"), "{said} {:?}", bench.rejects());
    assert_eq!(bench.count("OperationOutcome?_summary=count"), 0);

    bench.write("h.json", bundle("history", &[json!({ "resource": patient("w5") })]).to_string().as_bytes());
    assert_eq!(bench.import("h.json", &[]).0, 3);
    let advice = bench.rejects()[0]["outcome"]["issue"][0]["diagnostics"].as_str().unwrap().to_owned();
    assert!(advice.contains("history"), "{advice}");
}

#[test]
fn rejects_are_not_imported() {
    let bench = Bench::new();
    bench.lines("in/a.ndjson", &[json!({ "resourceType": "Patient", "gender": 5 })]);
    let hub = Running::open(&bench.path("data"));
    for _ in 0..3 {
        let mut import = ieum();
        let done = import.args(["import", "--server", &hub.base, "."]).current_dir(bench.path("in")).output();
        let (code, said) = told(&done.unwrap());
        assert!(code == 3 && said.contains("\n1 refused"), "{said}");
    }
    // Nor under a name of one's own.
    let own = bench.path("in/mine.ndjson");
    for _ in 0..2 {
        let arguments = ["--server", &hub.base, "--rejects", own.to_str().unwrap()];
        let done = ieum().arg("import").args(arguments).arg(bench.path("in")).output();
        let (_, said) = told(&done.unwrap());
        assert!(said.contains("\n1 refused"), "{said}");
    }
    hub.stop();
}

#[test]
fn an_address_without_interface_is_told_at_once() {
    let bench = Bench::new();
    let lines: Vec<Value> = (0..600).map(|number| patient(&format!("s{number}"))).collect();
    bench.lines("s.ndjson", &lines);
    let hub = Running::open(&bench.path("data"));
    let root = hub.base.trim_end_matches("/fhir");
    let file = bench.path("s.ndjson");
    let rejects = bench.path("rejects");
    for (address, advice) in
        [(root, "/fhir"), (root.trim_start_matches("http://"), "http://"), ("http://127.0.0.1:9", "running")]
    {
        let arguments = ["import", "--server", address, "--rejects", rejects.to_str().unwrap()];
        let started = Instant::now();
        let (code, said) = told(&ieum().args(arguments).arg(&file).output().unwrap());
        assert!(code == 1 && said.contains(advice), "{address}: {said}");
        assert!(started.elapsed() < Duration::from_secs(10), "{address}");
        assert!(!rejects.exists());
    }
    run(&["import", "--server", &format!("{}/", hub.base), file.to_str().unwrap()]);
    assert_eq!(hub.get("Patient?_summary=count").1["total"], 600);
    hub.stop();
}

// threat: 18
#[test]
fn the_journal_names_no_file_and_leaves_nothing_under_way() {
    let bench = Bench::new();
    let name = "홍길동_1990.ndjson";
    bench.lines(name, &[patient("j1"), patient("j2")]);
    // What an import leaves that is killed: it has begun the file, and not ended it.
    let data = Data::open(&bench.path("data"), None).unwrap();
    let options = Options {
        base_url: "http://localhost/fhir".into(),
        entrance: Entrance::Open,
        limits: Limits::default(),
    };
    let hub = Hub::new(data.door.clone(), system_clock(), options);
    let kept = Kept { hub, access: Access::system("import"), again: false };
    let found = find(&[bench.path(name)]).unwrap();
    assert!(matches!(kept.begin(&found.sources[0]), Ok(Begun::Taken(_))));
    data.engine.stop();
    drop((kept, data));
    let state = |bench: &Bench| bench.journal().first().map(|record| record.state);
    assert_eq!(state(&bench), Some(State::Running));
    bench.ask(|_| ());
    assert_eq!(state(&bench), Some(State::Failed), "a hub has the directory: no import can be under way");
    let (code, said) = bench.import(name, &[]);
    assert_eq!(code, 0, "{said}");
    let journal = bench.journal();
    assert_eq!(journal[0].state, State::Done);
    let label = &journal[0].source;
    let is_label = label.len() == 15 && label.ends_with(".ndjson");
    assert!(is_label && label[..8].bytes().all(|byte| byte.is_ascii_hexdigit()), "{label}");
}

#[test]
fn a_full_disk_stops_an_import_and_loses_nothing() {
    let bench = Bench::new();
    let Some(disk) = SmallDisk::mount(&bench.path("data"), 4) else { return };
    let entry = |number: u32| {
        let data: String = (0..600_000u32).map(|place| noise(number, place)).collect();
        json!({ "request": { "method": "PUT", "url": format!("Binary/z{number}") }, "resource":
            { "resourceType": "Binary", "id": format!("z{number}"), "contentType": "a/b", "data": data } })
    };
    let entries: Vec<Value> = (0..8).map(entry).collect();
    bench.write("full.json", bundle("batch", &entries).to_string().as_bytes());
    let (code, said) = bench.import("full.json", &[]);
    assert!(code == 1 && said.contains("disk is full"), "{code} {said}");
    assert!(bench.rejects().is_empty(), "a full disk is no fault of the records");
    disk.resize(64);
    let (code, said) = bench.import("full.json", &[]);
    assert!(code == 0 && said.contains("8 records from 1 files"), "{said}");
    let left = output(&["doctor", "--data", bench.path("data").to_str().unwrap()]);
    assert!(!String::from_utf8_lossy(&left.stdout).contains("index"), "{left:?}");
}

/// A letter of base64 that compresses badly.
fn noise(seed: u32, place: u32) -> char {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = (u64::from(seed) << 32 | u64::from(place)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    char::from(LETTERS[(bits >> 58) as usize])
}

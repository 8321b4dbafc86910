//! Bulk export (Bulk Data Access 2.0.0): what is exported at each level, for each parameter, and to whom.

use ieum::hub::Entrance;
use ieum::limits::Limits;
use ieum_trust::access::Role;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Kind, Server, on_every_engine};

on_every_engine!(
    everything_as_it_is,
    levels,
    named_patients,
    since_until_and_deleted,
    filters,
    elements,
    parameters_that_cannot_be_used,
    only_what_one_may_see,
    large_results_are_split,
    an_empty_store,
);

impl Server {
    /// The lines of the files of a part of a manifest, as `name: line` pairs.
    pub(crate) fn lines(&self, secret: Option<&str>, manifest: &Value, part: &str) -> Vec<Value> {
        let mut lines = Vec::new();
        for file in manifest[part].as_array().unwrap() {
            let url = file["url"].as_str().unwrap();
            let reply = match secret {
                Some(secret) => self.get_as(secret, url),
                None => self.get(url),
            };
            let body = reply.expect(200).body;
            let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file["extension"]["sha256"], digest);
            let found: Vec<Value> = body
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect();
            assert_eq!(file["count"], found.len());
            assert!(found.iter().all(|line| line["resourceType"] == file["type"]));
            lines.extend(found);
        }
        lines
    }

    /// What an export by anybody gives: `Type/id` of each line, sorted.
    fn exported(&self, path: &str) -> Vec<String> {
        names(&self.lines(None, &self.manifest(path), "output"))
    }

    fn post_export(&self, path: &str, parameters: &Value) -> crate::support::Reply {
        let body = json!({ "resourceType": "Parameters", "parameter": parameters }).to_string();
        self.send("POST", path, &[("prefer", "respond-async")], &body)
    }
}

fn names(lines: &[Value]) -> Vec<String> {
    let name =
        |line: &Value| format!("{}/{}", line["resourceType"].as_str().unwrap(), line["id"].as_str().unwrap());
    let mut names: Vec<String> = lines.iter().map(name).collect();
    names.sort();
    names
}

fn put(server: &Server, resource: &Value) {
    let path =
        format!("/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    let reply = server.put(&path, &resource.to_string());
    assert!(reply.status == 200 || reply.status == 201, "{}", reply.text());
}

fn observation(id: &str, subject: &str, status: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": status, "code": {"text": id},
        "subject": {"reference": subject}})
}

/// Three patients, what belongs to two of them, and what belongs to nobody.
fn fill(server: &Server) {
    for id in ["a", "b", "c"] {
        put(server, &json!({"resourceType": "Patient", "id": id, "name": [{"family": id}], "active": true}));
    }
    put(server, &observation("oa", "Patient/a", "final"));
    put(server, &observation("ob", "Patient/b", "amended"));
    put(server, &observation("od", "Device/d", "final"));
    put(server, &json!({"resourceType": "Organization", "id": "h", "name": "병원"}));
    let member = |id: &str| json!({"entity": {"reference": format!("Patient/{id}")}});
    put(
        server,
        &json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [member("a"), {"entity": {"reference": "Patient/c"}, "inactive": true}, member("b")]}),
    );
}

fn everything_as_it_is(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    server.delete("/Patient/c").expect(204);
    let asked = server.ask(None, "/$export?_outputFormat=application%2Ffhir%2Bndjson");
    let manifest = server.result(None, &asked).expect(200).json();
    assert_eq!(
        manifest["request"],
        format!("{}/$export?_outputFormat=application/fhir%2Bndjson", server.base)
    );
    assert_eq!(manifest["requiresAccessToken"], false);
    assert_eq!((&manifest["deleted"], &manifest["error"]), (&json!([]), &json!([])));
    let lines = server.lines(None, &manifest, "output");
    assert_eq!(
        names(&lines),
        [
            "Group/g",
            "Observation/oa",
            "Observation/ob",
            "Observation/od",
            "Organization/h",
            "Patient/a",
            "Patient/b",
        ]
    );
    for line in &lines {
        let path = format!("/{}/{}", line["resourceType"].as_str().unwrap(), line["id"].as_str().unwrap());
        assert_eq!(server.get(&path).json(), *line);
        assert!(
            line["meta"]["lastUpdated"].as_str().unwrap() <= manifest["transactionTime"].as_str().unwrap()
        );
    }
}

fn levels(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    // A group lies in the compartment of its members (R4, `compartmentdefinition-patient.html`).
    let of_patients = ["Group/g", "Observation/oa", "Observation/ob", "Patient/a", "Patient/b", "Patient/c"];
    assert_eq!(server.exported("/Patient/$export"), of_patients);
    assert_eq!(server.exported("/Patient/$export?_type=Patient"), ["Patient/a", "Patient/b", "Patient/c"]);
    assert_eq!(
        server.exported("/Group/g/$export"),
        ["Group/g", "Observation/oa", "Observation/ob", "Patient/a", "Patient/b"]
    );
    assert_eq!(
        server.exported("/Observation/$export"),
        ["Observation/oa", "Observation/ob", "Observation/od"]
    );
    assert_eq!(server.exported("/Group/$export"), ["Group/g"]);
    assert_eq!(server.exported("/$export?_type=Organization,Group"), ["Group/g", "Organization/h"]);
    assert_eq!(server.exported("/$export?_type=Organization&_type=Group"), ["Group/g", "Organization/h"]);
    server.delete("/Group/g").expect(204);
    server.ask(None, "/Group/g/$export").refused(410, "IEUM-R007");
}

fn named_patients(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    let patient =
        |id: &str| json!({"name": "patient", "valueReference": {"reference": format!("Patient/{id}")}});
    let exported = |path: &str, parameters: Value| {
        let asked = server.post_export(path, &parameters);
        names(&server.lines(None, &server.result(None, &asked).expect(200).json(), "output"))
    };
    assert_eq!(
        exported("/Patient/$export", json!([patient("b")])),
        ["Group/g", "Observation/ob", "Patient/b"]
    );
    // Only members count.
    let asked = json!([patient("c"), patient("a"), {"name": "_type", "valueString": "Patient"}]);
    assert_eq!(exported("/Group/g/$export", asked), ["Patient/a"]);
    server.post_export("/$export", &json!([patient("a")])).refused(400, "IEUM-A002");
    server.ask(None, "/Patient/$export?patient=Patient/a").refused(400, "IEUM-A002");
    let wrong = json!([{"name": "patient", "valueReference": {"reference": "Group/g"}}]);
    server.post_export("/Patient/$export", &wrong).refused(400, "IEUM-A002");
    server.post_export("/Patient/$export", &json!([{"name": "_type", "valuePeriod": {}}])).expect(422);
}

fn since_until_and_deleted(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    let first = server.manifest("/$export");
    let at = first["transactionTime"].as_str().unwrap().to_owned();
    assert_eq!(server.exported(&format!("/$export?_since={at}")), [""; 0]);
    server.delete("/Observation/oa").expect(204);
    server.delete("/Patient/c").expect(204);
    put(&server, &json!({"resourceType": "Patient", "id": "c", "active": false}));
    put(&server, &json!({"resourceType": "Patient", "id": "e", "active": true}));
    let second = server.manifest(&format!("/$export?_since={at}"));
    assert_eq!(names(&server.lines(None, &second, "output")), ["Patient/c", "Patient/e"]);
    let deleted = server.lines(None, &second, "deleted");
    assert_eq!(
        deleted,
        [json!({"resourceType": "Bundle", "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "Observation/oa"}}]})]
    );
    // Asked again from where the last one ended, nothing is left; and the two halves make the whole.
    let later = second["transactionTime"].as_str().unwrap();
    let third = server.manifest(&format!("/$export?_since={later}"));
    assert_eq!((&third["output"], &third["deleted"]), (&json!([]), &json!([])));
    let before = server.exported(&format!("/$export?_until={at}"));
    assert!(before.contains(&"Patient/a".to_owned()) && !before.contains(&"Patient/e".to_owned()));
    // Of a group and of one type only what belongs to it.
    let group = server.manifest(&format!("/Group/g/$export?_since={at}"));
    assert_eq!(server.lines(None, &group, "deleted").len(), 1);
    let patients = server.manifest(&format!("/$export?_since={at}&_type=Patient"));
    assert_eq!(patients["deleted"], json!([]));
    server.ask(None, "/$export?_since=yesterday").refused(400, "IEUM-S005");
}

fn filters(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    put(&server, &observation("oc", "Patient/c", "final"));
    let encoded = |filter: &str| filter.replace('?', "%3F").replace('=', "%3D").replace('&', "%26");
    let typed = |filters: &[&str]| {
        let filters: Vec<String> =
            filters.iter().map(|filter| format!("_typeFilter={}", encoded(filter))).collect();
        format!("_type=Patient,Observation&{}", filters.join("&"))
    };
    let one = typed(&["Observation?status=final"]);
    let expected =
        ["Observation/oa", "Observation/oc", "Observation/od", "Patient/a", "Patient/b", "Patient/c"];
    assert_eq!(server.exported(&format!("/$export?{one}")), expected);
    // Several of one type are alternatives, and each record comes once.
    let several = typed(&[
        "Observation?status=final&subject=Patient/a",
        "Observation?status=amended,final&subject=Patient/a,Patient/b",
        "Patient?_id=c",
    ]);
    assert_eq!(
        server.exported(&format!("/$export?{several}")),
        ["Observation/oa", "Observation/ob", "Patient/c"]
    );
    let chained = typed(&["Observation?subject:Patient.family=b"]);
    assert_eq!(
        server.exported(&format!("/Group/g/$export?{chained}")),
        ["Observation/ob", "Patient/a", "Patient/b"]
    );
    assert_eq!(
        server.exported(&format!("/Patient/$export?{one}")),
        ["Observation/oa", "Observation/oc", "Patient/a", "Patient/b", "Patient/c"]
    );
    for (filter, code) in [
        ("Observation?nothing=1", "IEUM-S002"),
        ("Observation?date=yesterday", "IEUM-S005"),
        ("Observation?_sort=date", "IEUM-A002"),
        ("Observation?_include=Observation:subject", "IEUM-A002"),
        ("Condition?code=1", "IEUM-A002"),
        ("nonsense", "IEUM-A002"),
    ] {
        server.ask(None, &format!("/$export?{}", typed(&[filter]))).refused(400, code);
    }
}

fn elements(kind: Kind) {
    let server = Server::open(kind);
    fill(&server);
    let manifest = server.manifest("/$export?_type=Patient,Observation&_elements=Patient.name,subject");
    for line in server.lines(None, &manifest, "output") {
        let tags = line["meta"]["tag"].to_string();
        assert!(tags.contains("SUBSETTED"));
        let is_patient = line["resourceType"] == "Patient";
        assert_eq!(line["name"].is_array(), is_patient);
        assert_eq!(line["subject"].is_object(), !is_patient);
        assert!(line["active"].is_null());
        // What must be there, is.
        assert_eq!(line["status"].is_string(), !is_patient);
    }
}

fn parameters_that_cannot_be_used(kind: Kind) {
    let server = Server::open(kind);
    for query in [
        "_outputFormat=text/csv",
        "includeAssociatedData=LatestProvenanceResources",
        "organizeOutputBy=Patient",
        "nothing=1",
        "_type=Nothing",
        "_type=IeumAccount",
    ] {
        server.ask(None, &format!("/$export?{query}")).refused(400, "IEUM-A002");
    }
    server.ask(None, "/Patient/$export?_type=Organization").refused(400, "IEUM-A002");
    server.ask(None, "/Observation/$export?_type=Observation").refused(400, "IEUM-A002");
    let lenient = [("prefer", "respond-async, handling=lenient")];
    let query = "includeAssociatedData=LatestProvenanceResources&nothing=1&_type=Patient";
    server.get_with(&format!("/$export?{query}"), &lenient).expect(202);
    server.get_with("/$export?_type=Nothing", &lenient).refused(400, "IEUM-A002");
    server.get_with("/$export?_outputFormat=text/csv", &lenient).refused(400, "IEUM-A002");
}

// threat: 3
fn only_what_one_may_see(kind: Kind) {
    let server = Server::with_accounts(kind);
    let service = server.account(Role::Service, None);
    let put = |resource: Value| {
        let path =
            format!("/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        server.send_as(&service, "PUT", &path, &resource.to_string()).expect(201);
    };
    for id in ["a", "b"] {
        put(json!({"resourceType": "Patient", "id": id}));
        put(observation(&format!("o{id}"), &format!("Patient/{id}"), "final"));
    }
    put(json!({"resourceType": "Organization", "id": "h", "name": "병원"}));
    let label = json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]});
    put(json!({"resourceType": "Patient", "id": "hidden", "meta": label}));
    let member = |id: &str| json!({"entity": {"reference": format!("Patient/{id}")}});
    put(json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [member("a"), member("b"), member("hidden")]}));
    let exported = |role: Role, patient: Option<&str>, path: &str| {
        let secret = server.account(role, patient);
        let asked = server.ask(Some(&secret), path);
        let result = server.result(Some(&secret), &asked).expect(200);
        assert!(!result.text().contains("Account"));
        names(&server.lines(Some(&secret), &result.json(), "output"))
    };
    let own = ["Group/g", "Observation/oa", "Patient/a"];
    assert_eq!(exported(Role::Patient, Some("a"), "/Patient/$export"), own);
    assert_eq!(exported(Role::Patient, Some("a"), "/$export?_type=Organization"), ["Organization/h"]);
    let filtered = "/Patient/$export?_typeFilter=Observation%3Fstatus%3Dfinal";
    assert_eq!(exported(Role::Patient, Some("a"), filtered), own);
    assert_eq!(exported(Role::Clinician, None, "/Patient/$export?_type=Patient"), ["Patient/a", "Patient/b"]);
    assert_eq!(exported(Role::Clinician, None, "/Group/g/$export?_type=Patient"), ["Patient/a", "Patient/b"]);
    assert_eq!(exported(Role::Operator, None, "/$export"), [""; 0]);
    let all = exported(Role::Service, None, "/$export");
    assert_eq!(all.len(), 7, "{all:?}");
    // A group may name whom it likes: who asks reaches nobody through it but themselves.
    assert_eq!(exported(Role::Patient, Some("a"), "/Group/g/$export"), own);
    let stranger = server.account(Role::Patient, Some("c"));
    server.ask(Some(&stranger), "/Group/g/$export").refused(404, "IEUM-R006");
}

fn large_results_are_split(kind: Kind) {
    let server =
        Server::start_with(kind, Entrance::Open, Limits::default(), |options| options.file_bytes = 600);
    for number in 0..20 {
        put(&server, &json!({"resourceType": "Patient", "id": format!("p{number}"), "active": true}));
    }
    put(&server, &json!({"resourceType": "Patient", "id": "large", "name": [{"text": "가".repeat(1_000)}]}));
    let manifest = server.manifest("/$export");
    let files = manifest["output"].as_array().unwrap();
    assert!(files.len() > 4, "{manifest}");
    for file in files {
        assert!(file["extension"]["bytes"].as_u64().unwrap() <= 600 || file["count"] == 1);
    }
    assert_eq!(server.lines(None, &manifest, "output").len(), 21);
}

fn an_empty_store(kind: Kind) {
    let server = Server::open(kind);
    let manifest = server.manifest("/$export");
    assert_eq!(manifest["output"], json!([]));
    assert!(manifest["transactionTime"].as_str().unwrap().starts_with("20"));
}

//! Institutions over HTTP: their systems and people, what consents open, and consents that cannot be enforced.

use ieum_fhir::json::{Document, Limits};
use ieum_store::commit::{Change, Expect};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::digest;
use ieum_trust::law::Law;
use ieum_trust::sharing::{self, Choice};
use serde_json::json;

use crate::cross::world::account;
use crate::support::{Kind, Server, entries, on_every_engine};

on_every_engine!(
    an_institution_reaches_by_relation_and_consent,
    consents_that_cannot_be_enforced_are_refused,
    a_system_writes_for_its_institution,
    codes_are_what_a_consent_leaves_out,
    nobody_opens_records_by_their_own_word,
);

/// An account that acts for an institution; gives its secret.
fn account_at(server: &Server, role: Role, organization: &str) -> String {
    account(server, role, None, Some(organization))
}

/// Two institutions, each with a system that has written an encounter and a condition of the same patient.
struct World {
    server: Server,
    systems: [String; 2],
    doctor: String,
}

impl World {
    fn new(kind: Kind) -> Self {
        let server = Server::with_accounts(kind);
        let hub = server.account(Role::Service, None);
        let put = |secret: &str, path: &str, body: String| {
            server.send_as(secret, "PUT", path, &body).expect(201);
        };
        for id in ["a", "b"] {
            put(
                &hub,
                &format!("/Organization/{id}"),
                format!(r#"{{"resourceType":"Organization","id":"{id}"}}"#),
            );
        }
        put(&hub, "/Patient/p", r#"{"resourceType":"Patient","id":"p","active":true}"#.into());
        let systems = ["a", "b"].map(|id| account_at(&server, Role::Service, id));
        // Lately at `a`, long ago at `b`.
        for ((id, year), system) in [("a", "2099"), ("b", "2001")].into_iter().zip(&systems) {
            let start = if id == "a" { "2026-01-01" } else { "2001-01-01" };
            put(
                system,
                &format!("/Encounter/e-{id}"),
                format!(
                    r#"{{"resourceType":"Encounter","id":"e-{id}","status":"finished","class":{{"code":"AMB"}},
                    "subject":{{"reference":"Patient/p"}},"period":{{"start":"{start}","end":"{year}-01-01"}}}}"#
                ),
            );
            put(
                system,
                &format!("/Condition/c-{id}"),
                format!(
                    r#"{{"resourceType":"Condition","id":"c-{id}","subject":{{"reference":"Patient/p"}},
                    "encounter":{{"reference":"Encounter/e-{id}"}}}}"#
                ),
            );
        }
        let doctor = account_at(&server, Role::Clinician, "a");
        Self { server, systems, doctor }
    }

    /// The ids of conditions found in every way of asking, which all must agree.
    fn conditions(&self, secret: &str) -> Vec<String> {
        let ids = |path: &str| {
            let bundle = self.server.get_as(secret, path).expect(200).json();
            let resources = entries(&bundle).iter().map(|entry| &entry["resource"]);
            let conditions = resources.filter(|resource| resource["resourceType"] == "Condition");
            let mut ids: Vec<String> =
                conditions.map(|resource| resource["id"].as_str().unwrap().to_owned()).collect();
            ids.sort();
            // Histories have each of its versions.
            ids.dedup();
            ids
        };
        let found = ids("/Condition");
        for path in [
            "/Condition?subject=Patient/p",
            "/Condition?subject:Patient.active=true",
            "/Patient?_id=p&_revinclude=Condition:subject",
            "/Condition/_history",
            "/_history?_count=1000",
            "/Patient/p/Condition",
        ] {
            assert_eq!(ids(path), found, "{path}");
        }
        if self.server.get_as(secret, "/Patient/p").status == 200 {
            assert_eq!(ids("/Patient/p/$everything"), found);
        }
        let total =
            self.server.get_as(secret, "/Condition?_summary=count").expect(200).json()["total"].clone();
        assert_eq!(total, found.len());
        for id in ["c-a", "c-b"] {
            let is_found = found.iter().any(|one| one == id);
            let reply = self.server.get_as(secret, &format!("/Condition/{id}"));
            if is_found {
                reply.expect(200)
            } else {
                reply.refused(404, "IEUM-R006")
            };
        }
        found
    }
}

/// A consent of the patient; `provision` and `status` as given.
fn consent(status: &str, provision: &str) -> String {
    format!(
        r#"{{"resourceType":"Consent","id":"k","status":"{status}","dateTime":"2026-03-01T00:00:00Z",
            "scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},
            "category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],
            "patient":{{"reference":"Patient/p"}},"performer":[{{"reference":"Patient/p"}}],
            "policy":[{{"uri":"https://ieum.example/policies/test"}}],"provision":{provision}}}"#
    )
}

const TO_A: &str = r#"{"type":"permit","actor":[{"role":{"coding":[{"code":"IRCP"}]},"reference":{"reference":"Organization/a"}}]}"#;

// threat: 1, 7
fn an_institution_reaches_by_relation_and_consent(kind: Kind) {
    let world = World::new(kind);
    let hub = world.server.account(Role::Service, None);
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
    assert_eq!(world.conditions(&account_at(&world.server, Role::Clinician, "b")), Vec::<String>::new());
    assert_eq!(
        world.conditions(&account_at(&world.server, Role::Clinician, "nowhere")),
        Vec::<String>::new()
    );
    world.server.send_as(&hub, "PUT", "/Consent/k", &consent("active", TO_A)).expect(201);
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"]);
    // A walk that began before the withdrawal does not go on with what is closed.
    let first = world.server.get_as(&world.doctor, "/Condition?_count=1").expect(200).json();
    let next = crate::support::link(&first, "next").unwrap().to_owned();
    world.server.send_as(&hub, "PUT", "/Consent/k", &consent("inactive", TO_A)).expect(200);
    assert!(entries(&world.server.get_as(&world.doctor, &next).expect(200).json()).is_empty());
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
}

fn consents_that_cannot_be_enforced_are_refused(kind: Kind) {
    let world = World::new(kind);
    let hub = world.server.account(Role::Service, None);
    let to_a_doctor = TO_A.replace("Organization/a", "Practitioner/d");
    let body = consent("active", &to_a_doctor);
    let put = |body: &str| world.server.send_as(&hub, "PUT", "/Consent/k", body);
    let refused = put(&body).refused(422, "IEUM-V025");
    assert_eq!(refused.json()["issue"][0]["expression"][0], "Consent.provision.actor[0]");
    let entry = json!({ "fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "resource": serde_json::from_str::<serde_json::Value>(&body).unwrap(),
        "request": { "method": "PUT", "url": "Consent/k" } });
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
    world.server.send_as(&hub, "POST", "", &bundle.to_string()).refused(422, "IEUM-V025");
    // It may be kept as long as it is not in force, and is not brought into force by a patch.
    put(&consent("proposed", &to_a_doctor)).expect(201);
    let patch = r#"[{"op":"replace","path":"/status","value":"active"}]"#;
    let bearer = format!("Bearer {hub}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json-patch+json")];
    let patched = world.server.request("PATCH", "/Consent/k", &headers, Some(patch.as_bytes()));
    patched.refused(422, "IEUM-V025");
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
}

/// What an institution says the patient permitted counts with what was signed alone, however it is written.
fn nobody_opens_records_by_their_own_word(kind: Kind) {
    let world = World::new(kind);
    let [a, _] = &world.systems;
    let refused =
        world.server.send_as(a, "PUT", "/Consent/k", &consent("active", TO_A)).refused(422, "IEUM-V025");
    assert_eq!(refused.json()["issue"][0]["expression"][0], "Consent.source");
    // Past the interface it is written, and opens nothing.
    let mut access = Access::new("emr", Role::Service);
    access.organization = Some("a".into());
    let write = |text: &str| {
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let catalogue = world.server.door.catalogue();
        let record =
            catalogue.prepare(catalogue.kind("Consent").unwrap(), "k", document.root(), &mut |_| None);
        let change = Change::Put { record: Box::new(record), expect: Expect::Anything };
        world.server.door.commit(&access, "test", Vec::new(), vec![change]).unwrap();
    };
    write(&consent("active", TO_A));
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
    let denying = TO_A.replace(r#""permit""#, r#""deny""#);
    world.server.send_as(a, "PUT", "/Consent/k", &consent("active", &denying)).refused(422, "IEUM-V025");
    let form = r#"{"resourceType":"DocumentReference","id":"f","status":"current","subject":{"reference":"Patient/p"},
        "content":[{"attachment":{"contentType":"text/plain","data":"7IaM6rKs"}}]}"#;
    world.server.send_as(a, "PUT", "/DocumentReference/f", form).expect(201);
    let signed = consent("active", TO_A)
        .replace(r#""policy""#, r#""sourceReference":{"reference":"DocumentReference/f"},"policy""#);
    world.server.send_as(a, "PUT", "/Consent/k", &signed).expect(200);
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"]);
    write(&consent("active", TO_A));
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
}

/// A diagnosis is sensitive by its code, without a label: when it is written, and when the tables change.
fn codes_are_what_a_consent_leaves_out(kind: Kind) {
    let world = World::new(kind);
    let door = &world.server.door;
    let day = jiff::civil::date(2026, 11, 28);
    let label_by = |law: &Law| {
        door.set_sensitive(law.sensitive_codes(day)).unwrap();
        while let Some(work) = door.index_work().unwrap().first() {
            door.index_some(work, 2).unwrap();
        }
    };
    label_by(&Law::built_in());
    let hub = world.server.account(Role::Service, None);
    let without_psychiatry = TO_A.replace(
        r#""type":"permit","#,
        r#""type":"permit","provision":[{"type":"deny","securityLabel":[
            {"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]}],"#,
    );
    world.server.send_as(&hub, "PUT", "/Consent/k", &consent("active", &without_psychiatry)).expect(201);
    let diagnosed = |code: &str| {
        let body = format!(
            r#"{{"resourceType":"Condition","id":"c-b","subject":{{"reference":"Patient/p"}},
            "encounter":{{"reference":"Encounter/e-b"}},"code":{{"coding":[
            {{"system":"http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8","code":"{code}"}}]}}}}"#
        );
        world.server.send_as(&world.systems[1], "PUT", "/Condition/c-b", &body).expect(200);
    };
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"]);
    diagnosed("F32.1");
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
    let overlay = tempfile::tempdir().unwrap();
    let rows = r#"
        [[row]]
        id = "label.mental-health"
        law = "시험"
        article = "§1"
        value = { label = "PSY", systems = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8", categories = "F00-F09" }
        source_ko = "시험"
        source_en = "a test"
        confidence = "project"
    "#;
    std::fs::write(overlay.path().join("labels.toml"), rows).unwrap();
    label_by(&Law::with_overlay(overlay.path()).unwrap());
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"]);
    label_by(&Law::built_in());
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
}

fn a_system_writes_for_its_institution(kind: Kind) {
    let world = World::new(kind);
    let [a, b] = &world.systems;
    let amended = |id: &str| {
        format!(
            r#"{{"resourceType":"Condition","id":"{id}","subject":{{"reference":"Patient/p"}},"code":{{"text":"x"}}}}"#
        )
    };
    world.server.send_as(a, "PUT", "/Condition/c-a", &amended("c-a")).expect(200);
    world.server.send_as(a, "PUT", "/Condition/c-b", &amended("c-b")).refused(403, "IEUM-R002");
    world.server.send_as(b, "PUT", "/Condition/c-a", &amended("c-a")).refused(403, "IEUM-R002");
    world.server.get_as(a, "/Condition/c-b").refused(404, "IEUM-R006");
    // People write about patients in relation alone.
    let stranger = r#"{"resourceType":"Condition","id":"new","subject":{"reference":"Patient/q"}}"#;
    world.server.send_as(&world.doctor, "PUT", "/Condition/new", stranger).refused(403, "IEUM-R002");
    let known = stranger.replace("Patient/q", "Patient/p");
    world.server.send_as(&world.doctor, "PUT", "/Condition/new", &known).expect(201);
    world.server.get_as(&world.doctor, "/Condition/new").expect(200);
    world.server.get_as(b, "/Condition/new").refused(404, "IEUM-R006");
}

/// What the id of the consent behind a switch would be without a key.
fn switch_id(patient: &str) -> String {
    digest(&format!("https://ieum.example/consents/switch|{patient}|*"))[..32].to_owned()
}

fn patient_access() -> Access {
    let mut access = Access::new("p-account", Role::Patient);
    access.patient = Some("p".into());
    access
}

const NOW: i64 = 1_790_000_000_000_000;

#[test]
fn what_a_patient_says_is_nobody_elses_to_change() {
    let world = World::new(Kind::Sqlite);
    let hub = world.server.account(Role::Service, None);
    // The patient permitted everybody, by paper at the hub.
    world.server.send_as(&hub, "PUT", "/Consent/k", &consent("active", r#"{"type":"permit"}"#)).expect(201);
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"]);
    // The institution was there first, with a consent that says nothing yet, under the id of the patient's own switch.
    let id = switch_id("p");
    let squat = consent("inactive", TO_A).replace(r#""id":"k""#, &format!(r#""id":"{id}""#));
    world.server.send_as(&world.systems[0], "PUT", &format!("/Consent/{id}"), &squat).expect(201);
    // The patient forbids everybody, and is told that this holds.
    sharing::set(&world.server.door, &patient_access(), None, Some(&Choice::Deny), NOW).unwrap();
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
    // The institution takes the prohibition back.
    let reply = world.server.send_as(&world.systems[0], "PUT", &format!("/Consent/{id}"), &squat);
    assert_eq!(world.conditions(&world.doctor), ["c-a"], "{}", reply.status);
}

#[test]
fn what_a_patient_permits_counts_wherever_it_is_written() {
    let world = World::new(Kind::Sqlite);
    let id = switch_id("p");
    let squat = consent("inactive", TO_A).replace(r#""id":"k""#, &format!(r#""id":"{id}""#));
    world.server.send_as(&world.systems[1], "PUT", &format!("/Consent/{id}"), &squat).expect(201);
    let permit = Choice::Permit { without: Vec::new() };
    sharing::set(&world.server.door, &patient_access(), None, Some(&permit), NOW).unwrap();
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"], "the portal says that it is permitted");
}

#[test]
fn nobody_keeps_a_patient_from_their_switches() {
    let world = World::new(Kind::Sqlite);
    let id = switch_id("p");
    let squat = consent("inactive", TO_A)
        .replace(r#""id":"k""#, &format!(r#""id":"{id}""#))
        .replace("Patient/p", "Patient/nobody");
    world.server.send_as(&world.systems[1], "PUT", &format!("/Consent/{id}"), &squat).expect(201);
    sharing::set(&world.server.door, &patient_access(), None, Some(&Choice::Deny), NOW).unwrap();
}

#[test]
fn what_was_signed_is_there_and_the_patients() {
    let world = World::new(Kind::Sqlite);
    let [a, _] = &world.systems;
    let other = r#"{"resourceType":"DocumentReference","id":"other","status":"entered-in-error","subject":{"reference":"Patient/q"},
        "content":[{"attachment":{"contentType":"text/plain","url":"http://nowhere.test"}}]}"#;
    world.server.send_as(a, "PUT", "/DocumentReference/other", other).expect(201);
    let mut opened = Vec::new();
    for source in [
        r#""sourceReference":{"reference":"DocumentReference/none"}"#,
        r#""sourceReference":{"reference":"DocumentReference/other"}"#,
        r#""sourceAttachment":{"data":"AA=="}"#,
    ] {
        let body = consent("active", TO_A).replace(r#""policy""#, &format!(r#"{source},"policy""#));
        let reply = world.server.send_as(a, "PUT", "/Consent/k", &body);
        if world.conditions(&world.doctor).len() > 1 {
            opened.push((source, reply.status));
        }
        world.server.send_as(a, "PUT", "/Consent/k", &consent("inactive", TO_A));
    }
    assert_eq!(opened, []);
    // A switch is the patient's to set.
    let form = "a".repeat(400);
    let signed = format!(r#""sourceAttachment":{{"contentType":"image/png","data":"{form}"}},"policy""#);
    let body = consent("active", TO_A).replace(r#""policy""#, &signed);
    let switch = body.replace(
        r#""status""#,
        r#""identifier":[{"system":"https://ieum.example/consents/switch","value":"*"}],"status""#,
    );
    world.server.send_as(a, "PUT", "/Consent/k", &switch).refused(422, "IEUM-V025");
    let future = body.replace("2026-03-01", "9999-03-01");
    world.server.send_as(a, "PUT", "/Consent/k", &future).refused(422, "IEUM-V025");
    world.server.send_as(a, "PUT", "/Consent/k", &body).expect(200);
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"]);
    // The patient finds it and withdraws it, though they did not write it.
    let (door, access) = (&world.server.door, patient_access());
    let forms = || sharing::consents(&door.view(&access).unwrap(), "p", 10).unwrap().1;
    let found = forms();
    assert_eq!(
        (found.len(), found[0].id.as_str(), found[0].institutions.as_slice()),
        (1, "k", &["a".to_owned()][..])
    );
    assert!(sharing::withdraw(door, &access, "k").unwrap());
    assert_eq!(world.conditions(&world.doctor), ["c-a"]);
    assert_eq!(forms(), []);
    assert!(!sharing::withdraw(door, &access, "k").unwrap());
}

#[test]
fn nobody_forbids_for_a_patient_beyond_their_own_word() {
    let world = World::new(Kind::Sqlite);
    // Another institution's system, unsigned, dated in the future.
    let denying = consent("active", TO_A)
        .replace(r#""permit""#, r#""deny""#)
        .replace(r#""type":"deny","#, r#""type":"deny","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}],"#)
        .replace("2026-03-01T00:00:00Z", "9999-12-31T00:00:00Z");
    let reply = world.server.send_as(&world.systems[1], "PUT", "/Consent/k", &denying);
    // The patient permits just this institution, later.
    let permit = Choice::Permit { without: Vec::new() };
    sharing::set(&world.server.door, &patient_access(), Some("a"), Some(&permit), NOW).unwrap();
    assert_eq!(world.conditions(&world.doctor), ["c-a", "c-b"], "{}", reply.status);
}

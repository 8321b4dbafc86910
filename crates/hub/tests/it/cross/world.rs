//! Two patients, two institutions, and everybody who might ask too much.

use std::collections::BTreeMap;

use ieum_fhir::json::{Document, Limits};
use ieum_store::commit::{Change, Expect};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{ACCOUNT, digest, new_secret};
use serde_json::{Value, json};

use crate::support::{Kind, Server};

/// Who asks, and from whom something is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// Patient one: the wrong patient for all that is patient two's.
    Patient,
    /// A clinician of institution `a`, with a relation to patient one alone.
    Doctor,
    /// The system of institution `a`.
    System,
    /// A clinician of institution `c`, which has a relation to nobody.
    Elsewhere,
    /// Roles that are not for records.
    Operator,
    Manager,
    Privacy,
}

impl Asker {
    fn account(self) -> (Role, Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Patient => (Role::Patient, Some("p1"), None),
            Self::Doctor => (Role::Clinician, None, Some("a")),
            Self::System => (Role::Service, None, Some("a")),
            Self::Elsewhere => (Role::Clinician, None, Some("c")),
            Self::Operator => (Role::Operator, None, None),
            Self::Manager => (Role::Manager, None, Some("a")),
            Self::Privacy => (Role::Privacy, None, Some("a")),
        }
    }

    /// Whether this record does not exist for them: the rule of `docs/access.md`, told once more for each record.
    fn misses(self, record: &Record) -> bool {
        match self {
            Self::Patient => record.of == "p2",
            Self::Doctor => record.of == "p2" || (record.of == "p1" && record.by != "a") || record.is_sealed,
            Self::System => !record.of.is_empty() && record.by != "a",
            Self::Elsewhere => !record.of.is_empty(),
            Self::Operator | Self::Manager | Self::Privacy => true,
        }
    }
}

/// One record: whose it is, and who wrote it.
pub(super) struct Record {
    pub(super) kind: &'static str,
    pub(super) id: String,
    of: &'static str,
    by: &'static str,
    is_sealed: bool,
    body: Value,
}

/// Every record, in the order in which they are written.
pub(super) fn records() -> Vec<Record> {
    let mut all = Vec::new();
    let mut put = |of: &'static str, by: &'static str, body: Value| {
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let kind =
            ieum_fhir::definitions::r4().resource_types().iter().find(|kind| **kind == text("resourceType"));
        let is_sealed = body["meta"]["security"][0]["code"] == "V";
        all.push(Record { kind: kind.unwrap(), id: text("id"), of, by, is_sealed, body: body.clone() });
    };
    for id in ["a", "b", "c"] {
        put("", "hub", json!({"resourceType": "Organization", "id": id, "name": format!("가상병원 {id}")}));
    }
    put("", "hub", json!({"resourceType": "Practitioner", "id": "d"}));
    put("p1", "a", patient("p1", "one", "김하나"));
    put("p2", "b", patient("p2", "canary-two", "카나리아"));
    for (of, by) in [("p1", "a"), ("p1", "b"), ("p2", "b")] {
        for body in clinical(of, by) {
            put(of, by, body);
        }
    }
    let sealed = json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]});
    put(
        "p1",
        "a",
        json!({"resourceType": "Condition", "id": "c-sealed", "meta": sealed, "code": {"text": "canary-sealed"},
        "subject": {"reference": "Patient/p1"}, "encounter": {"reference": "Encounter/e-p1-a"}}),
    );
    put("p1", "hub", consent());
    all
}

fn patient(id: &str, identifier: &str, family: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "active": true, "birthDate": "1980-01-01", "name": [{"family": family}],
        "identifier": [{"system": "urn:canary", "value": identifier}], "generalPractitioner": [{"reference": "Practitioner/d"}],
        "managingOrganization": {"reference": "Organization/a"}})
}

/// What an institution writes about a patient.
fn clinical(of: &str, by: &str) -> Vec<Value> {
    let id = |kind: &str| format!("{kind}-{of}-{by}");
    let (subject, encounter) = (
        json!({"reference": format!("Patient/{of}")}),
        json!({"reference": format!("Encounter/{}", id("e"))}),
    );
    let text = json!({"text": format!("canary-{of}-{by}")});
    // Lately at `a`, and long ago at `b`.
    let (start, end) = if by == "a" { ("2026-01-01", "2099-01-01") } else { ("2001-01-01", "2001-01-02") };
    vec![
        json!({"resourceType": "Encounter", "id": id("e"), "status": "finished", "class": {"code": "AMB"}, "subject": subject,
            "period": {"start": start, "end": end}, "serviceProvider": {"reference": format!("Organization/{by}")}}),
        json!({"resourceType": "Condition", "id": id("c"), "subject": subject, "encounter": encounter, "code": text}),
        json!({"resourceType": "Observation", "id": id("o"), "status": "final", "subject": subject, "encounter": encounter,
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}, "performer": [{"reference": "Practitioner/d"}],
            "effectiveDateTime": "2001-01-01", "valueQuantity": {"value": 7, "unit": "%"}}),
        json!({"resourceType": "DocumentReference", "id": id("d"), "status": "current", "subject": subject,
            "content": [{"attachment": {"contentType": "text/plain", "title": "canary", "data": "7IaM6rKs"}}]}),
        json!({"resourceType": "Composition", "id": id("x"), "status": "final", "type": text, "subject": subject, "date": "2001",
            "author": [{"reference": "Practitioner/d"}], "title": "canary"}),
        json!({"resourceType": "Provenance", "id": id("v"), "target": [{"reference": format!("Condition/{}", id("c"))},
            {"reference": format!("Patient/{of}")}], "recorded": "2001-01-01T00:00:00Z", "agent": [{"who": {"reference": "Practitioner/d"}}]}),
        json!({"resourceType": "RelatedPerson", "id": id("r"), "patient": subject, "name": [{"text": "canary"}]}),
        json!({"resourceType": "Group", "id": id("g"), "type": "person", "actual": true, "member": [{"entity": subject}]}),
    ]
}

/// A consent of patient one that opens everything to institution `a`, for research alone.
fn consent() -> Value {
    let coding = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    json!({"resourceType": "Consent", "id": "k", "status": "active", "dateTime": "2026-03-01T00:00:00Z",
        "scope": coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coding("http://loinc.org", "59284-0")], "patient": {"reference": "Patient/p1"},
        "performer": [{"reference": "Patient/p1"}], "policy": [{"uri": "https://ieum.example/policies/test"}],
        "provision": {"type": "permit", "actor": [{"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": "Organization/a"}}],
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}]}})
}

/// A server with these records, or those of them that an asker may know of.
pub(super) struct World {
    pub(super) server: Server,
    secrets: BTreeMap<&'static str, String>,
    /// A job, and a subscription, of the system of institution `b`.
    pub(super) job: String,
    pub(super) subscription: String,
}

impl World {
    /// Everything.
    pub(super) fn whole(kind: Kind) -> Self {
        let mut world = Self::of(kind, |_| true);
        let system = world.secrets["b"].clone();
        let asked = world.server.ask(Some(&system), "/$export");
        world.server.result(Some(&system), &asked).expect(200);
        let place = asked.header("content-location").unwrap();
        place.rsplit('/').next().unwrap().clone_into(&mut world.job);
        let made =
            world.server.send_as(&system, "POST", "/Subscription", &subscription().to_string()).expect(201);
        made.json()["id"].as_str().unwrap().clone_into(&mut world.subscription);
        world
    }

    /// What would be there if everything that is hidden from `asker` had never been written.
    pub(super) fn without(kind: Kind, asker: Asker) -> Self {
        Self::of(kind, |record| !asker.misses(record))
    }

    fn of(kind: Kind, wanted: impl Fn(&Record) -> bool) -> Self {
        let server = Server::with_accounts(kind);
        let mut secrets = BTreeMap::from([("hub", server.account(Role::Service, None))]);
        secrets.extend(["a", "b"].map(|id| (id, account(&server, Role::Service, None, Some(id)))));
        for record in records().into_iter().filter(wanted) {
            let path = format!("/{}/{}", record.kind, record.id);
            server.send_as(&secrets[record.by], "PUT", &path, &record.body.to_string()).expect(201);
        }
        Self { server, secrets, job: String::new(), subscription: String::new() }
    }

    /// The secret of a new account.
    pub(super) fn account(&self, asker: Asker) -> String {
        let (role, patient, organization) = asker.account();
        account(&self.server, role, patient, organization)
    }

    /// The secret of the hub's own system, from which nothing is hidden.
    pub(super) fn hub(&self) -> &str {
        &self.secrets["hub"]
    }
}

/// The records that do not exist for `asker`.
pub(super) fn hidden(asker: Asker) -> Vec<Record> {
    records().into_iter().filter(|record| asker.misses(record) && !record.of.is_empty()).collect()
}

fn subscription() -> Value {
    let url =
        |name: &str| format!("http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/{name}");
    json!({"resourceType": "Subscription", "status": "requested", "reason": "canary",
        "criteria": "https://ieum.example/topics/resource-changed",
        "_criteria": {"extension": [{"url": url("backport-filter-criteria"), "valueString": "Patient?name=카나리아"}]},
        "channel": {"type": "websocket", "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": url("backport-payload-content"), "valueCode": "id-only"}]}}})
}

/// An account, as one would be made at the command line; gives its secret.
pub(crate) fn account(
    server: &Server,
    role: Role,
    patient: Option<&str>,
    organization: Option<&str>,
) -> String {
    let secret = new_secret().unwrap();
    let id = digest(&secret)[..16].to_owned();
    let mut record = json!({"resourceType": ACCOUNT.name, "id": id, "name": "시험", "role": role, "secretDigest": digest(&secret)});
    for (name, value) in [("patient", patient), ("organization", organization)] {
        if let Some(value) = value {
            record[name] = value.into();
        }
    }
    let text = record.to_string();
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let catalogue = server.door.catalogue();
    let kind = catalogue.kind(ACCOUNT.name).unwrap();
    let record = Box::new(catalogue.prepare(kind, &id, document.root(), &mut |_| None));
    let change = Change::Put { record, expect: Expect::New };
    server.door.commit(&Access::system("test"), "account", Vec::new(), vec![change]).unwrap();
    secret
}

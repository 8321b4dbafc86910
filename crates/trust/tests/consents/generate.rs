//! Random worlds and questions over small alphabets, so that conditions meet.

use ieum_store::access::{Relation, RelationReach};
use ieum_trust::access::{Access, Role};
use ieum_trust::purpose::Purpose;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::world::{DATES, ENCOUNTERS, MOMENTS, Record, World, micros};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const KINDS: [&str; 3] = ["Observation", "Condition", "Encounter"];

/// A world.
pub(crate) fn world() -> impl Strategy<Value = World> {
    let consents = prop::collection::vec(consent(), 1..7);
    let relations = prop::collection::vec(relation(), 2..7);
    let now = prop_oneof![2 => Just(MOMENTS[7]), 1 => select(&MOMENTS[..])];
    (consents, relations, now).prop_map(|(consents, relations, now)| World { consents, relations, now })
}

/// Somebody who asks.
pub(crate) fn access() -> impl Strategy<Value = Access> {
    let role = prop_oneof![
        60 => Just(Role::Clinician),
        1 => select(vec![Role::Patient, Role::Operator, Role::Manager, Role::Privacy, Role::Service, Role::Open]),
    ];
    let purpose = prop_oneof![
        6 => Just(Purpose::Treatment),
        2 => Just(Purpose::Emergency),
        1 => Just(Purpose::BreakGlass),
        2 => Just(Purpose::Research),
    ];
    let organization = prop::option::weighted(0.97, institution());
    (role, person(), organization, patient(), purpose).prop_map(
        |(role, actor, organization, patient, purpose)| {
            let patient = (role == Role::Patient).then(|| patient.to_owned());
            let organization = organization.map(ToOwned::to_owned);
            Access { patient, organization, purpose, ..Access::new(actor, role) }
        },
    )
}

/// A record.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let patients = prop_oneof![
        12 => Just(vec!["p1"]),
        4 => Just(vec!["p2"]),
        2 => Just(vec!["p1", "p2"]),
        1 => Just(vec![]),
    ];
    let kind = prop_oneof![20 => select(&KINDS[..]), 1 => Just("Patient"), 1 => Just("Organization")];
    let labels = prop_oneof![
        5 => Just(vec![]),
        4 => prop::collection::vec(label_of_record(), 1..3),
    ];
    let date = prop::option::weighted(0.8, select(&MOMENTS[..]));
    let made_by = prop::option::weighted(0.9, prop_oneof![1 => Just("a"), 4 => Just("b"), 3 => Just("c")]);
    let encounter = prop::option::weighted(0.7, select(&ENCOUNTERS[..]));
    (kind, select(vec!["r1", "r2"]), patients, labels, date, made_by, encounter).prop_map(
        |(kind, id, patients, labels, date, made_by, encounter)| {
            let mut record = Record {
                kind,
                id: id.to_owned(),
                shared: kind == "Organization",
                patients: patients.into_iter().map(ToOwned::to_owned).collect(),
                labels,
                date,
                institution: made_by.map(ToOwned::to_owned),
                encounter,
            };
            match kind {
                "Patient" => "p1".clone_into(&mut record.id),
                "Encounter" => {
                    let own = encounter.unwrap_or(ENCOUNTERS[0]);
                    (record.id, record.encounter) = (own.0.to_owned(), Some(own));
                }
                _ => {}
            }
            if matches!(kind, "Patient" | "Organization") {
                record.encounter = None;
            }
            if kind == "Patient" && !record.patients.contains(&record.id) {
                record.patients.push(record.id.clone());
            }
            if kind == "Organization" {
                record.patients.clear();
            }
            record
        },
    )
}

fn patient() -> impl Strategy<Value = &'static str> {
    prop_oneof![5 => Just("p1"), 2 => Just("p2")]
}

fn institution() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => Just("a"), 2 => Just("b"), 1 => Just("c")]
}

fn person() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("kim"), 1 => Just("lee")]
}

fn label_of_record() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        12 => select(vec![(CONFIDENTIALITY, "R"), (ACT_CODE, "PSY"), (ACT_CODE, "HIV")]),
        2 => Just((CONFIDENTIALITY, "N")),
        1 => Just((CONFIDENTIALITY, "V")),
    ]
}

fn relation() -> impl Strategy<Value = Relation> {
    let reach = prop_oneof![20 => Just(RelationReach::Consented), 1 => Just(RelationReach::All)];
    let person = prop::option::weighted(0.2, person());
    let from = prop_oneof![3 => Just(i64::MIN), 1 => select(&MOMENTS[..]).prop_map(micros)];
    let until = prop_oneof![3 => Just(i64::MAX), 1 => select(&MOMENTS[..]).prop_map(micros)];
    (patient(), institution(), person, reach, from, until).prop_map(
        |(patient, institution, person, reach, from, until)| Relation {
            patient: patient.to_owned(),
            institution: Some(institution.to_owned()),
            person: person.map(ToOwned::to_owned),
            reach,
            from,
            until,
        },
    )
}

/// Members that are there so often (of a hundred).
type Members = Vec<BoxedStrategy<Option<(&'static str, Value)>>>;

fn object(members: Members) -> BoxedStrategy<Value> {
    members
        .prop_map(|members| Value::Object(members.into_iter().flatten().map(own).collect::<Map<_, _>>()))
        .boxed()
}

fn own((name, value): (&'static str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

fn member(
    name: &'static str,
    of_hundred: u32,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<(&'static str, Value)>> {
    let value = value.prop_map(move |value| (name, value));
    prop::option::weighted(f64::from(of_hundred) / 100.0, value).boxed()
}

/// One value as a rule, sometimes two.
fn some(value: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let two = (value.clone(), value.clone()).prop_map(|(one, other)| json!([one, other]));
    prop_oneof![48 => value.prop_map(|one| json!([one])), 12 => two, 1 => Just(json!([]))]
}

fn consent() -> impl Strategy<Value = Value> {
    let status = prop_oneof![24 => Just("active"), 1 => Just("inactive"), 1 => Just("entered-in-error")];
    let privacy = ("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy");
    let other = ("http://terminology.hl7.org/CodeSystem/consentscope", "research");
    let scope = prop_oneof![30 => Just(privacy), 1 => Just(other)];
    let dates = prop_oneof![
        12 => select(&DATES[..10]).prop_map(|(text, _, _)| json!(text)),
        6 => select(&DATES[..]).prop_map(|(text, _, _)| json!(text)),
        1 => Just(json!("2026-03-10 12:00")),
    ];
    let performers = prop_oneof![
        30 => Just(json!([{"reference": "Patient/p1"}])), // set to the consent's own below
        4 => Just(json!([{"reference": "RelatedPerson/mother"}])),
        1 => Just(json!([{"reference": "Practitioner/kim"}, {"reference": "RelatedPerson/mother"}])),
        1 => Just(json!([{"reference": "Practitioner/kim"}])),
        1 => Just(json!([{"reference": "Patient/p9"}])),
    ];
    let members = vec![
        member("status", 99, status.prop_map(|status| json!(status))),
        member("scope", 99, scope.prop_map(|(system, code)| json!({"coding": [coding(system, code)]}))),
        member("patient", 99, patient().prop_map(|patient| reference("Patient", patient))),
        member("dateTime", 97, dates),
        member("performer", 98, performers),
        member("modifierExtension", 1, Just(json!([{"url": "https://example.org/unknown"}]))),
        member("verification", 1, Just(json!([{"verified": true}]))),
        member("implicitRules", 1, Just(json!("https://example.org/rules"))),
        member("provision", 99, provision(2)),
    ];
    object(members).prop_map(|mut consent| {
        consent["resourceType"] = json!("Consent");
        if consent["performer"][0]["reference"] == "Patient/p1" && consent["patient"].is_object() {
            consent["performer"][0] = consent["patient"].clone();
        }
        consent
    })
}

/// A provision with so many levels of exceptions below it.
fn provision(levels: u32) -> BoxedStrategy<Value> {
    let kind = prop_oneof![66 => Just("permit"), 34 => Just("deny"), 1 => Just("maybe")];
    // A root is about more than its exceptions, so that these often are within it.
    let often = if levels == 2 { 12 } else { 20 };
    let mut members = vec![
        member("type", 99, kind.prop_map(|kind| json!(kind))),
        member("period", often, period()),
        member("actor", often, some(actor())),
        member("purpose", often, some(purpose())),
        member("data", often, some(data())),
        member("class", often, some(class())),
        member("securityLabel", often + 10, some(label())),
        member("dataPeriod", often, period()),
        member("extension", often, some(department())),
        member("modifierExtension", 1, Just(json!([{"url": "https://example.org/unknown"}]))),
        member("code", 1, Just(json!([{"text": "blood pressure"}]))),
        member("action", 1, Just(json!([{"text": "read"}]))),
    ];
    if levels > 0 {
        let often = if levels == 2 { 60 } else { 6 };
        let below = provision(levels - 1);
        let below = prop::collection::vec(below, 1..4).prop_map(|below| json!(below));
        members.push(member("provision", often, below));
    }
    object(members)
}

fn coding(system: &str, code: &str) -> Value {
    json!({"system": system, "code": code})
}

fn reference(kind: &str, id: &str) -> Value {
    json!({"reference": format!("{kind}/{id}")})
}

/// A reference to an institution here, sometimes by address, and sometimes to something else.
fn organization() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        30 => select(vec!["a", "a", "b", "c"]).prop_map(|id| reference("Organization", id)),
        4 => Just(json!({"reference": "https://hub.example/fhir/Organization/a"})),
        1 => Just(json!({"reference": "https://elsewhere.example/fhir/Organization/a"})),
        1 => Just(reference("Practitioner", "kim")),
        1 => Just(json!({"display": "a"})),
    ]
}

fn actor() -> impl Strategy<Value = Value> + Clone {
    let role = coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP");
    let actor =
        organization().prop_map(move |reference| json!({"role": {"coding": [role]}, "reference": reference}));
    let modified = actor.clone().prop_map(|mut actor| {
        actor["modifierExtension"] = json!([{"url": "https://example.org/unless"}]);
        actor
    });
    prop_oneof![30 => actor, 1 => modified]
}

fn purpose() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        20 => select(vec!["TREAT", "TREAT", "ETREAT", "BTG", "HRESCH"]).prop_map(|code| coding(ACT_REASON, code)),
        1 => Just(coding(ACT_REASON, "UNHEARD")),
        1 => Just(coding("https://example.org", "TREAT")),
        1 => Just(json!({"display": "treatment"})),
    ]
}

fn data() -> impl Strategy<Value = Value> + Clone {
    let instance = prop_oneof![
        4 => (select(&KINDS[..2]), select(vec!["r1", "r2"])).prop_map(|(kind, id)| reference(kind, id)),
        2 => select(&ENCOUNTERS[..]).prop_map(|(id, _)| reference("Encounter", id)),
    ];
    let encounter = prop_oneof![
        12 => select(&ENCOUNTERS[..]).prop_map(|(id, _)| reference("Encounter", id)),
        1 => Just(reference("CarePlan", "c1")),
    ];
    let made_by = select(vec!["b", "c", "b", "c", "a"]).prop_map(|id| reference("Organization", id));
    let made_by = prop_oneof![12 => made_by, 2 => organization()];
    let data =
        |meaning: &'static str| move |reference: Value| json!({"meaning": meaning, "reference": reference});
    prop_oneof![
        3 => instance.prop_map(data("instance")),
        3 => encounter.prop_map(data("related")),
        6 => made_by.clone().prop_map(data("authoredby")),
        1 => made_by.prop_map(data("dependents")),
    ]
}

fn class() -> impl Strategy<Value = Value> + Clone {
    let types = "http://hl7.org/fhir/resource-types";
    prop_oneof![
        20 => select(&KINDS[..]).prop_map(move |kind| coding(types, kind)),
        1 => Just(coding(types, "Nonsense")),
        1 => Just(coding("http://loinc.org", "34133-9")),
    ]
}

fn label() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        12 => select(vec!["R", "N", "N", "L"]).prop_map(|code| coding(CONFIDENTIALITY, code)),
        12 => select(vec!["PSY", "HIV", "SDV"]).prop_map(|code| coding(ACT_CODE, code)),
        1 => Just(coding(ACT_CODE, "UNHEARD")),
        1 => Just(coding("https://example.org", "R")),
    ]
}

fn department() -> impl Strategy<Value = Value> + Clone {
    let url = "https://ieum.example/fhir/StructureDefinition/consent-department";
    prop_oneof![
        20 => select(vec!["01", "0100", "03", "0300"]).prop_map(move |code| json!({"url": url, "valueCode": code})),
        1 => Just(json!({"url": url, "valueString": "internal medicine"})),
        2 => Just(json!({"url": "https://example.org/remark", "valueString": "spoken with her"})),
    ]
}

/// Begins and ends at two of [`DATES`], or only one of it; sometimes it cannot be read.
fn period() -> impl Strategy<Value = Value> {
    let two = (0..DATES.len(), 0..DATES.len()).prop_map(|(one, other)| {
        let first = |place: &usize| (DATES[*place].1, DATES[*place].2);
        let (one, other) = if first(&one) <= first(&other) { (one, other) } else { (other, one) };
        json!({"start": DATES[one].0, "end": DATES[other].0})
    });
    prop_oneof![
        6 => two,
        4 => select(&DATES[..]).prop_map(|(text, _, _)| json!({"start": text})),
        4 => select(&DATES[..]).prop_map(|(text, _, _)| json!({"end": text})),
        1 => select(vec![
            json!({"start": "the tenth of March"}),
            json!({"start": "2026-03-11", "end": "2026-03-09"}),
            json!({"start": "2026-03-10T03:00:00Z", "end": "2026-03-10T03:00:00Z"}),
            json!({"start": "2026-03-10T12:00:01+09:00", "end": "2026-03-10T11:59:59+09:00"}),
            json!({"_end": {"extension": [{"url": "https://example.org/remark"}]}}),
        ]),
    ]
}

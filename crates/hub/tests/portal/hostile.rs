//! Records that try to be more than text.

use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Portal, Visitor};

const EVIL: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&";

// threat: 23
#[test]
fn hostile_text_stays_text_on_every_page() {
    let portal = Portal::with_accounts();
    let code = json!({"text": EVIL, "coding": [{"system": EVIL, "code": EVIL, "display": EVIL}]});
    let of = |kind: &str, more: Value| {
        let mut resource = json!({"resourceType": kind, "id": kind.to_lowercase(), "status": "active", "code": code,
            "subject": {"reference": "Patient/p1"}, "patient": {"reference": "Patient/p1"}});
        for (name, value) in more.as_object().unwrap() {
            resource[name] = value.clone();
        }
        resource
    };
    portal.put(&[
        json!({"resourceType": "Patient", "id": "p1", "name": [{"text": EVIL}, {"text": EVIL}], "address": [{"text": EVIL}],
            "identifier": [{"value": EVIL, "assigner": {"display": EVIL}}], "telecom": [{"system": "phone", "value": EVIL}],
            "birthDate": EVIL, "contact": [{"name": {"text": EVIL}, "relationship": [{"text": EVIL}]}]}),
        of("Condition", json!({"clinicalStatus": {"coding": [{"code": "active"}]}, "recordedDate": "2026-01-01"})),
        of("AllergyIntolerance", json!({"reaction": [{"manifestation": [code]}]})),
        of("Flag", json!({})),
        of("Procedure", json!({"performedDateTime": "2026-01-01", "bodySite": [code], "category": code})),
        of("Observation", json!({"effectiveDateTime": "2026-01-01", "valueQuantity": {"value": 1, "unit": EVIL}})),
        of("Immunization", json!({"vaccineCode": code, "occurrenceDateTime": "2026-01-01", "lotNumber": EVIL})),
        of("MedicationRequest", json!({"medicationCodeableConcept": code, "dosageInstruction": [{"text": EVIL}]})),
        of("Encounter", json!({"class": {"code": EVIL}, "serviceType": {"text": EVIL}, "period": {"start": EVIL},
            "serviceProvider": {"display": EVIL}, "reasonCode": [{"text": EVIL}]})),
        of("DocumentReference", json!({"type": code, "content": [
            {"attachment": {"contentType": "text/plain", "data": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}},
            {"attachment": {"contentType": EVIL, "size": 1}}]})),
        of("ImagingStudy", json!({"description": EVIL, "modality": [{"code": EVIL}]})),
        of("DiagnosticReport", json!({"conclusion": EVIL})),
        json!({"resourceType": "IeumImport", "id": "i1", "source": EVIL, "state": EVIL, "done": 1, "rejected": 2}),
    ]);
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let operator = portal.sign_in(&portal.account(Role::Operator, None));
    let parts = [
        "",
        "/visits",
        "/visits?kind=result",
        "/visits?kind=medicine",
        "/visits?kind=procedure",
        "/visits?kind=image",
        "/problems",
        "/medicines",
        "/results",
        "/vitals",
        "/immunisations",
        "/documents",
        "/documents/documentreference",
    ];
    for part in parts {
        tame(&portal, &clinician, &format!("/patients/p1{part}"));
        tame(&portal, &own, &format!("/me{part}"));
    }
    for path in ["/operator", "/operator/feed", "/operator/audit"] {
        tame(&portal, &operator, path);
    }
    let typed = ieum::percent::with_pairs("/patients", [("q", EVIL)]);
    tame(&portal, &clinician, &typed);
    tame(&portal, &Visitor::default(), &ieum::percent::with_pairs("/sign-in", [("next", EVIL)]));
}

fn tame(portal: &Portal, visitor: &Visitor, path: &str) {
    let page = portal.get(visitor, path).expect(200).body;
    assert_eq!(page.matches("<script").count(), 1, "{path}: only our own script");
    assert!(!page.contains("<img"), "{path}");
}

#[test]
fn hostile_addresses_are_answered_calmly() {
    let portal = Portal::with_accounts();
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    let long = format!("/patients?q={}", "a".repeat(9_000));
    for (path, status) in [
        ("/patients/%00", 404),
        ("/patients/%ff", 404),
        ("/patients/..%2f..%2fetc", 404),
        ("/assets/..%2fCargo.toml", 404),
        ("/patients?q=%ff", 400),
        ("/patients?q=%", 400),
        ("/patients//", 404),
        ("/patients/p1/results/%2F", 404),
        (long.as_str(), 413),
    ] {
        assert_eq!(portal.get(&clinician, path).status.as_u16(), status, "{path}");
    }
}

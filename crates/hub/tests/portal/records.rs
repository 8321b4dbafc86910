//! What readers see of a record, and what they do not.

use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::Portal;

const PARTS: [&str; 8] =
    ["", "/visits", "/problems", "/medicines", "/results", "/vitals", "/immunisations", "/documents"];

#[test]
fn every_page_of_synthetic_people_is_shown_to_clinicians_and_to_themselves() {
    let portal = Portal::open();
    let patients = portal.put_synthetic(12);
    let clinician = portal.enter("clinician", "");
    for patient in &patients {
        let own = portal.enter("patient", patient);
        for lang in ["ko", "en"] {
            for part in PARTS {
                let page = portal.get(&clinician, &format!("/patients/{patient}{part}?lang={lang}"));
                assert_eq!(page.status.as_u16(), 200, "{patient}{part}");
                portal.get(&own, &format!("/me{part}?lang={lang}")).expect(200);
            }
        }
        for kind in ["problem", "medicine", "result", "procedure", "immunisation", "document", "image"] {
            portal.get(&clinician, &format!("/patients/{patient}/visits?kind={kind}")).expect(200);
        }
    }
}

fn about(kind: &str, id: &str, patient: &str, more: &Value) -> Value {
    let mut resource = json!({"resourceType": kind, "id": id, "status": "final", "subject": {"reference": format!("Patient/{patient}")}});
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

fn hiv() -> Value {
    let labels = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]);
    about(
        "Condition",
        "c-v",
        "p1",
        &json!({"meta": {"security": labels}, "recordedDate": "2026-09-01",
        "code": {"text": "비밀스러운진단"},
        "clinicalStatus": {"coding": [{"code": "active"}]}}),
    )
}

#[test]
fn restricted_records_do_not_exist_for_clinicians() {
    let portal = Portal::with_accounts();
    portal.put(&[json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}]}), hiv()]);
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    for part in ["", "/problems", "/visits?kind=problem"] {
        let page = portal.get(&clinician, &format!("/patients/p1{part}")).expect(200).body;
        assert!(!page.contains("비밀스러운진단"), "{part}");
    }
    assert!(portal.get(&own, "/me/problems").expect(200).body.contains("비밀스러운진단"));
}

// threat: 2
#[test]
fn nobody_reaches_another_record_by_guessing() {
    let portal = Portal::with_accounts();
    let document = |id: &str, patient: &str| {
        about(
            "DocumentReference",
            id,
            patient,
            &json!({"status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": "7IaM6rKs"}}]}),
        )
    };
    let test = |id: &str, patient: &str, code: &str| {
        about(
            "Observation",
            id,
            patient,
            &json!({"code": {"coding": [{"code": code}]}, "valueString": "양성"}),
        )
    };
    portal.put(&[
        json!({"resourceType": "Patient", "id": "p1"}),
        json!({"resourceType": "Patient", "id": "p2"}),
        document("d1", "p1"),
        document("d2", "p2"),
        test("o1", "p1", "x1"),
        test("o2", "p2", "x2"),
    ]);
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    portal.get(&own, "/me/documents/d1").expect(200);
    portal.get(&own, "/me/results/x1").expect(200);
    let missing = portal.get(&own, "/me/documents/none").expect(404);
    let others = portal.get(&own, "/me/documents/d2").expect(404);
    let without_number = |body: &str| body.split("<code>").next().unwrap().replace("/d2", "/none");
    assert_eq!(without_number(&others.body), without_number(&missing.body));
    portal.get(&own, "/me/results/x2").expect(404);
    // Another role's page is refused alike, whether or not the record is there.
    portal.get(&own, "/patients/p2").expect(403);
    portal.get(&own, "/patients/none").expect(403);
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    portal.get(&clinician, "/patients/p1/documents/d2").expect(404);
    portal.get(&clinician, "/patients/none").expect(404);
}

#[test]
fn long_records_are_read_in_bounded_parts_and_say_so() {
    let portal = Portal::with_accounts();
    portal.put(&[json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}]})]);
    let day = |number: usize| {
        format!("20{:02}-{:02}-{:02}", 10 + number / 336, 1 + number / 28 % 12, 1 + number % 28)
    };
    let tests: Vec<Value> = (0..2_000)
        .map(|number| {
            about(
                "Observation",
                &format!("o{number}"),
                "p1",
                &json!({"effectiveDateTime": day(number),
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}], "text": "당화혈색소"},
            "valueQuantity": {"value": 6.0, "unit": "%"}}),
            )
        })
        .collect();
    let visits: Vec<Value> = (0..40)
        .map(|number| {
            about(
                "Encounter",
                &format!("e{number}"),
                "p1",
                &json!({"status": "finished", "class": {"code": "AMB"},
            "period": {"start": day(number * 28)}}),
            )
        })
        .collect();
    portal.put(&tests);
    portal.put(&visits);
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    let page = portal.get(&clinician, "/patients/p1/results").expect(200).body;
    assert!(page.contains("최근 600건까지만"));
    let mut address = "/patients/p1/visits".to_owned();
    let mut seen = 0;
    loop {
        let page = portal.get(&clinician, &address).expect(200).body;
        seen += page.matches("i-timeline__group").count();
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        address = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, 40, "every visit once");
}

#[test]
fn dentistry_and_korean_medicine_are_shown_as_such() {
    let portal = Portal::with_accounts();
    portal.put(&[
        json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}]}),
        about("Procedure", "t1", "p1", &json!({"status": "completed", "code": {"text": "근관치료"},
            "performedDateTime": "2026-06-23",
            "bodySite": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/ex-tooth", "code": "46"}]}]})),
        about("Condition", "u1", "p1", &json!({"recordedDate": "2026-06-23", "code": {"text": "어혈증(瘀血證)",
            "coding": [{"system": "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8", "code": "U61.1"}]}})),
    ]);
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    let page = portal.get(&clinician, "/patients/p1/problems").expect(200).body;
    assert!(page.contains("하악 우측 제1대구치") && page.contains("i-tooth--done"));
    assert!(page.contains("<span class=\"i-hanja\" lang=\"ko-Hani\">瘀血證</span>") && page.contains("한의"));
    let english = portal.get(&clinician, "/patients/p1/problems?lang=en").expect(200).body;
    assert!(english.contains("lower right first molar") && english.contains("Korean medicine"));
}

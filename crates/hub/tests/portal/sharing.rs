//! Who sees a patient's records: switches, breaking the glass, and its review, page by page.

use ieum_trust::access::Role;
use serde_json::json;

use crate::support::{Portal, Visitor};

/// Two institutions; a patient who was at `b` long ago; what each of them wrote down.
fn portal() -> Portal {
    let portal = Portal::with_accounts();
    let encounter = |id: &str, start: &str, end: &str| {
        json!({"resourceType": "Encounter", "id": format!("e-{id}"), "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": "Patient/p1"}, "period": {"start": start, "end": end},
            "serviceProvider": {"reference": format!("Organization/{id}")}})
    };
    let condition = |id: &str, word: &str| {
        json!({"resourceType": "Condition", "id": format!("c-{id}"), "code": {"text": word},
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "subject": {"reference": "Patient/p1"}, "encounter": {"reference": format!("Encounter/e-{id}")}})
    };
    portal.put(&[
        json!({"resourceType": "Organization", "id": "a", "name": "가상의원"}),
        json!({"resourceType": "Organization", "id": "b", "name": "나상병원"}),
        json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}], "birthDate": "1980-02-03",
            "identifier": [{"system": "urn:test", "value": "A-1"}]}),
        encounter("a", "2026-01-01", "2099-01-01"),
        encounter("b", "2001-01-01", "2001-01-02"),
        condition("a", "가상의원에서 쓴 병"),
        condition("b", "나상병원에서 쓴 병"),
    ]);
    portal
}

fn clinician(portal: &Portal, organization: &str, login: &str) -> Visitor {
    let link = portal.invite(Role::Clinician, Some(organization));
    portal.enrol(&link, login).1
}

#[test]
fn a_switch_opens_and_closes_what_others_wrote() {
    let portal = portal();
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let doctor = clinician(&portal, "a", "doctor.a");
    let problems = || portal.get(&doctor, "/patients/p1/problems").expect(200).body;
    assert!(problems().contains("가상의원에서 쓴 병") && !problems().contains("나상병원에서 쓴 병"));

    let page = portal.get(&own, "/me/sharing").expect(200).body;
    assert!(page.contains("가상의원") && page.contains("진료"), "who can see now, and why");
    let saved = portal.post(&own, "/me/sharing", "institution=&choice=permit").expect(303);
    assert_eq!(saved.header("location"), "/me/sharing?done=saved");
    assert!(problems().contains("나상병원에서 쓴 병"));
    portal.post(&own, "/me/sharing", "institution=a&choice=deny").expect(303);
    assert!(!problems().contains("나상병원에서 쓴 병"));
    let page = portal.get(&own, "/me/sharing?done=saved").expect(200).body;
    assert!(page.contains("저장했습니다"));
    assert!(page.contains(r#"<option value="deny" selected"#), "{page}");
    portal.post(&own, "/me/sharing", "institution=a&choice=none").expect(303);
    portal.post(&own, "/me/sharing", "institution=&choice=permit&without-PSY=on").expect(303);
    assert!(problems().contains("나상병원에서 쓴 병"));
    let page = portal.get(&own, "/me/sharing").expect(200).body;
    let psychiatry = page.split(r#"name="without-PSY""#).nth(1).unwrap();
    assert!(psychiatry.split('>').next().unwrap().contains("checked"), "{psychiatry}");
    portal.post(&own, "/me/sharing", "institution=&choice=none").expect(303);
    assert!(!problems().contains("나상병원에서 쓴 병"));
    // What is no institution, or no choice, changes nothing.
    portal.post(&own, "/me/sharing", "institution=nowhere&choice=permit").expect(400);
    portal.post(&own, "/me/sharing", "institution=a&choice=everything").expect(400);
    assert!(!problems().contains("나상병원에서 쓴 병"));
}

// threat: 8
#[test]
fn the_glass_is_broken_told_and_reviewed() {
    let portal = portal();
    let doctor = clinician(&portal, "b", "doctor.b");
    portal.get(&doctor, "/patients/p1").expect(404);
    portal.get(&doctor, "/emergency").expect(200);
    let form = |number: &str, birth: &str, reason: &str| {
        format!("number={number}&birth={birth}&reason={reason}&minutes=30")
    };
    let reason =
        "%EC%9D%98%EC%8B%9D%EC%9D%B4+%EC%97%86%EC%96%B4+%EB%B3%B5%EC%9A%A9+%EC%95%BD+%ED%99%95%EC%9D%B8";
    let missed = portal.post(&doctor, "/emergency", &form("A-1", "1980-02-04", reason)).expect(422).body;
    assert!(missed.contains("찾지 못했습니다"), "the birth date must be right too");
    let short = portal.post(&doctor, "/emergency", &form("A-1", "1980-02-03", "x")).expect(422).body;
    assert!(short.contains("까닭이 너무 짧거나 깁니다"));
    let opened = portal.post(&doctor, "/emergency", &form("A-1", "1980-02-03", reason)).expect(303);
    assert_eq!(opened.header("location"), "/patients/p1");
    let page = portal.get(&doctor, "/patients/p1/problems").expect(200).body;
    assert!(page.contains("가상의원에서 쓴 병"));
    let colleague = clinician(&portal, "b", "colleague.b");
    portal.get(&colleague, "/patients/p1").expect(404);

    // The patient reads it at once.
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let page = portal.get(&own, "/me/sharing").expect(200).body;
    assert!(
        page.contains("의식이 없어 복용 약 확인") && page.contains("검토 중") && page.contains("응급 열람")
    );

    // The privacy officer of that institution reviews; that of another sees nothing.
    let officer = |organization, login| {
        let link = portal.invite(Role::Privacy, Some(organization));
        portal.enrol(&link, login).1
    };
    let (ours, theirs) = (officer("b", "officer.b"), officer("a", "officer.a"));
    assert!(!portal.get(&theirs, "/privacy/reviews").expect(200).body.contains("복용 약 확인"));
    let page = portal.get(&ours, "/privacy/reviews").expect(200).body;
    assert!(page.contains("복용 약 확인") && page.contains("김간호") && !page.contains("늦음"));
    let action = page.split("action=\"/privacy/reviews/").nth(1).unwrap().split('"').next().unwrap();
    let action = format!("/privacy/reviews/{action}");
    portal.post(&theirs, &action, "decision=justified").expect(404);
    portal.post(&ours, &action, "decision=perhaps").expect(400);
    portal.post(&ours, &action, "decision=unjustified&note=none").expect(303);
    portal.post(&ours, &action, "decision=justified").expect(404);
    let page = portal.get(&own, "/me/sharing").expect(200).body;
    assert!(page.contains("필요하지 않았음") && page.contains("none"));

    // To break another glass takes showing again who one is.
    portal.wait_minutes(20);
    let again = portal.get(&doctor, "/emergency");
    let again = again.expect(303);
    assert!(again.header("location").starts_with("/confirm"), "{}", again.header("location"));
}

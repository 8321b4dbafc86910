//! Finding a patient.

use ieum_trust::access::Role;
use serde_json::{Value, json};

use crate::support::{Portal, Visitor};

fn patient(id: &str, name: &str, birth: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"text": name}], "birthDate": birth, "gender": "female",
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:1.2.3", "value": format!("T-{id}")},
            {"type": {"coding": [{"code": "NI"}]}, "system": "https://mois.go.kr/rrn", "value": "842507-1000017"}],
        "telecom": [{"system": "phone", "value": "010-0000-1234"}]})
}

fn portal() -> (Portal, Visitor) {
    let portal = Portal::with_accounts();
    let encounter = |id: &str, patient: &str, day: &str| {
        json!({"resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": format!("Patient/{patient}")}, "period": {"start": day}})
    };
    portal.put(&[
        patient("p1", "김민수", "1980-02-03"),
        patient("p2", "강미선", "1955-07-01"),
        patient("p3", "이순신", "1980-02-03"),
        encounter("e1", "p1", "2026-03-01"),
        encounter("e2", "p1", "2026-05-02"),
        encounter("e3", "p2", "2020-01-09"),
    ]);
    let visitor = portal.sign_in(&portal.account(Role::Clinician, None));
    (portal, visitor)
}

fn found(portal: &Portal, visitor: &Visitor, text: &str) -> Vec<&'static str> {
    let path = ieum::percent::with_pairs("/patients", [("q", text)]);
    let page = portal.get(visitor, &path).expect(200).body;
    ["p1", "p2", "p3"].into_iter().filter(|id| page.contains(&format!("/patients/{id}\""))).collect()
}

#[test]
fn people_are_found_by_what_one_knows_of_them() {
    let (portal, visitor) = portal();
    for (text, expected) in [
        ("ㄱㅁㅅ", &["p1", "p2"][..]),
        ("ㄱㅁㅅ 1980", &["p1"]),
        ("김", &["p1"]),
        ("800203", &["p1", "p3"]),
        ("1980-02-03", &["p1", "p3"]),
        ("1980.2.3.", &["p1", "p3"]),
        ("T-p2", &["p2"]),
        ("01000001234", &["p1", "p2", "p3"]),
        ("박", &[]),
    ] {
        assert_eq!(found(&portal, &visitor, text), expected, "{text}");
    }
}

#[test]
fn the_last_visit_is_told_and_numbers_are_masked() {
    let (portal, visitor) = portal();
    let page = portal.get(&visitor, "/patients?q=1980").expect(200).body;
    assert!(page.contains("2026.5.2.") && !page.contains("2026.3.1."));
    assert!(page.contains("만 46세"));
    let record = portal.get(&visitor, "/patients/p1").expect(200).body;
    assert!(record.contains("842507-1******") && !record.contains("1000017"));
    assert!(record.contains("010-****-1234") && !record.contains("0000-1234"));
}

#[test]
fn registration_numbers_are_neither_searched_by_nor_sent_back() {
    let (portal, visitor) = portal();
    for written in [
        "842507-1000017",
        "842507 1000017",
        "842507–1000017",
        "842507_1000017",
        "8425071000017.",
        "８４２５０７１０００017",
    ] {
        let path = ieum::percent::with_pairs("/patients", [("q", written)]);
        let reply = portal.get(&visitor, &path).expect(303);
        let page = portal.get(&visitor, reply.header("location")).expect(200).body;
        assert!(page.contains("주민등록번호로는 찾지 않습니다") && !page.contains("1000017"), "{written}");
    }
    let open = Portal::open();
    let reply = open.get(&Visitor::default(), "/enter?q=842507%201000017").expect(303);
    let page = open.get(&Visitor::default(), reply.header("location")).expect(200).body;
    assert!(page.contains("주민등록번호로는 찾지 않습니다") && !page.contains("1000017"));
}

#[test]
fn registration_numbers_without_a_type_are_masked_too() {
    let portal = Portal::with_accounts();
    portal.put(&[json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}],
        "identifier": [{"system": "https://mois.go.kr/rrn", "value": "842507 1000017"}]})]);
    let visitor = portal.sign_in(&portal.account(Role::Clinician, None));
    for path in ["/patients/p1", "/patients?q=%EA%B9%80"] {
        assert!(!portal.get(&visitor, path).expect(200).body.contains("1000017"), "{path}");
    }
    assert!(portal.get(&visitor, "/patients/p1").expect(200).body.contains("842507-1******"));
}

#[test]
fn long_lists_have_pages_that_only_their_reader_can_turn() {
    let (portal, visitor) = portal();
    let many: Vec<Value> =
        (0..50).map(|number| patient(&format!("m{number}"), "박하나", "1990-01-01")).collect();
    portal.put(&many);
    let first = portal.get(&visitor, "/patients?q=%EB%B0%95").expect(200).body;
    let next =
        first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let second = portal.get(&visitor, &next).expect(200).body;
    assert!(second.contains("rel=\"prev\"") && second.contains("rel=\"next\""));
    let other = portal.sign_in(&portal.account(Role::Clinician, None));
    portal.get(&other, &next).expect(410);
    portal.get(&visitor, "/patients?q=%EB%B0%95&page=00").expect(410);
}

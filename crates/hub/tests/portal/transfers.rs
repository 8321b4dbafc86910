//! The right to have one's data sent, page by page: asking, answering, changing, withdrawing.

use ieum_trust::access::Role;
use serde_json::json;

use crate::representatives::{self, GUARDIAN, ask, officer, person, representing};
use crate::support::{Portal, Visitor};

const SENDERS: &str = "/privacy/transfers";
const ITEMS: &str =
    "purpose=care&sender=big&receiver=b&data-visits=on&periodic=1-months&end=2027-03-31&retention=1-years";

/// The institutions of representatives; and a tertiary hospital, where the child was, and the parent was not.
fn portal(birth: &str) -> Portal {
    let portal = representatives::portal(birth);
    let of = json!([{"coding": [{"system": "http://www.hl7korea.or.kr/CodeSystem/hira-healthcare-organization-types", "code": "01"}]}]);
    portal.put(&[
        json!({"resourceType": "Organization", "id": "big", "name": "큰대학병원", "type": of}),
        json!({"resourceType": "Encounter", "id": "e-big", "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": "Patient/child"}, "period": {"start": "2026-01-01", "end": "2026-01-02"},
            "serviceProvider": {"reference": "Organization/big"}}),
    ]);
    portal
}

fn patient(portal: &Portal) -> Visitor {
    portal.sign_in(&portal.account(Role::Patient, Some("child")))
}

/// Asks; gives the address of the request on the patient's pages.
fn asked(portal: &Portal, patient: &Visitor) -> String {
    portal.post(patient, "/me/transfers", ITEMS).expect(303);
    let page = portal.get(patient, "/me/transfers").expect(200).body;
    let id = page.split("href=\"/me/transfers/").nth(1).unwrap().split('"').next().unwrap();
    format!("/me/transfers/{id}")
}

#[test]
fn a_request_has_its_seven_items_and_the_page_says_that_nothing_is_sent() {
    let portal = portal("1990-05-05");
    let patient = patient(&portal);
    let page = portal.get(&patient, "/me/transfers?q=%EB%82%98%EC%83%81").expect(200).body;
    assert!(page.contains("아직 다른 망으로 자료를 보내지 않습니다"));
    assert!(page.contains("국민건강보험공단") && page.contains("큰대학병원") && page.contains("나상병원"));
    for (bad, what) in [
        ("purpose=care&", "purpose=&"),
        ("sender=big", "sender=a"),
        ("receiver=b", "receiver=nowhere"),
        ("data-visits=on", "data-anything=on"),
        ("periodic=1-months", "periodic=now"),
        ("end=2027-03-31", "end=2026-10-31"),
        ("retention=1-years", "retention=5-hours"),
    ] {
        let page = portal.post(&patient, "/me/transfers", &ITEMS.replace(bad, what)).expect(422).body;
        assert!(page.contains("요청하지 못했습니다"), "{what}");
    }
    assert!(portal.get(&patient, "/me/transfers").expect(200).body.contains("요청이 없습니다"));
    let one = asked(&portal, &patient);
    let page = portal.get(&patient, &one).expect(200).body;
    for item in [
        "큰대학병원",
        "나상병원",
        "care",
        "진료 이력",
        "1개월마다",
        "2027년 3월 31일",
        "1년",
        "답을 기다림",
        "요청함",
    ] {
        assert!(page.contains(item), "{item}");
    }
    // Who was at none of the senders is told so, and nobody sees another's.
    let other = portal.sign_in(&portal.account(Role::Patient, Some("parent")));
    assert!(portal.get(&other, "/me/transfers").expect(200).body.contains("여기에서는 요청할 수 없습니다"));
    portal.post(&other, "/me/transfers", ITEMS).expect(422);
    portal.get(&other, &one).expect(404);
    portal.post(&other, &one, "do=withdraw").expect(404);
}

/// What each side can do in each state, told by the answer; 303 is done.
#[test]
fn every_act_in_every_state_by_both_sides() {
    let (done, none) = (303, 404);
    let acts = ["patient withdraw", "patient change", "sender accept", "sender refuse", "sender stop"];
    let portal = portal("1990-05-05");
    let patient = patient(&portal);
    let (_, sender) = person(&portal, Role::Privacy, "big", "sender");
    let (_, elsewhere) = person(&portal, Role::Privacy, "b", "elsewhere");
    for (state, expected) in [
        ("received", [done, done, done, done, none]),
        ("active", [done, done, none, none, done]),
        ("changed", [done, done, done, done, done]),
        ("refused", [none, none, none, none, none]),
        ("withdrawn", [none, none, none, none, none]),
        ("stopped", [none, none, none, none, none]),
    ] {
        for (act, expected) in acts.iter().zip(expected) {
            let one = asked_anew(&portal, &patient);
            let theirs = one.replace("/me/transfers", SENDERS);
            let answer = |what: &str| portal.post(&sender, &theirs, what).status.as_u16();
            let change = format!("do=change&{}", ITEMS.replace("care", "other"));
            match state {
                "received" => {}
                "refused" => assert_eq!(answer("do=refuse&ground-x=8"), done),
                "withdrawn" => drop(portal.post(&patient, &one, "do=withdraw").expect(303)),
                _ => assert_eq!(answer("do=accept"), done),
            }
            match state {
                "changed" => drop(portal.post(&patient, &one, &change).expect(303)),
                "stopped" => assert_eq!(answer("do=stop"), done),
                _ => {}
            }
            portal.post(&elsewhere, &theirs, "do=accept").expect(404);
            let (who, what) = act.split_once(' ').unwrap();
            let form = if what == "change" { change.clone() } else { format!("do={what}&ground-x=11") };
            let (visitor, address) = if who == "patient" { (&patient, &one) } else { (&sender, &theirs) };
            let status = portal.post(visitor, address, &form).status.as_u16();
            assert_eq!(status, expected, "{act} of one that is {state}");
            portal.get(&patient, &one).expect(200);
            portal.get(&sender, SENDERS).expect(200);
        }
    }
}

/// Another request, the newest on the list.
fn asked_anew(portal: &Portal, patient: &Visitor) -> String {
    let known = portal.get(patient, "/me/transfers").expect(200).body;
    portal.post(patient, "/me/transfers", ITEMS).expect(303);
    let page = portal.get(patient, "/me/transfers").expect(200).body;
    let ids = page.split("href=\"/me/transfers/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let id = ids.into_iter().find(|id| !known.contains(*id)).expect("a new one");
    format!("/me/transfers/{id}")
}

#[test]
fn a_refusal_names_its_ground_and_is_told_at_once() {
    let portal = portal("1990-05-05");
    let patient = patient(&portal);
    let (human, sender) = person(&portal, Role::Privacy, "big", "sender");
    let one = asked(&portal, &patient);
    let theirs = one.replace("/me/transfers", SENDERS);
    let page = portal.get(&sender, SENDERS).expect(200).body;
    assert!(page.contains("김하늘") && page.contains("11. 속거나 협박받아"));
    for bad in ["do=refuse", "do=refuse&ground-x=x", "do=perhaps"] {
        portal.post(&sender, &theirs, bad).expect(400);
    }
    portal.post(&sender, &theirs, "do=refuse&ground-x=12").expect(404);
    assert!(!portal.get(&patient, "/me").expect(200).body.contains("거절되었습니다"));
    portal.post(&sender, &theirs, "do=refuse&ground-x=8").expect(303);
    assert!(portal.get(&patient, "/me").expect(200).body.contains("거절되었습니다"));
    let page = portal.get(&patient, "/me/transfers").expect(200).body;
    assert!(page.contains("8. 전송받을 수 있는 곳이 아니다"));
    // That it was told is written down once.
    assert!(!portal.get(&patient, "/me").expect(200).body.contains("거절되었습니다"));
    let page = portal.get(&patient, &one).expect(200).body;
    assert_eq!(page.matches("거절한 까닭을 알림").count(), 1);
    // To answer takes showing again who one is.
    let one = asked_anew(&portal, &patient).replace("/me/transfers", SENDERS);
    portal.wait_minutes(6);
    let reply = portal.post(&sender, &one, "do=accept").expect(303);
    assert!(reply.header("location").starts_with("/confirm"));
    let sender = portal.sign_in_human(&human);
    portal.post(&sender, &one, "do=accept").expect(303);
}

#[test]
fn who_may_consent_for_a_child_asks_for_it_and_nobody_else() {
    for (birth, papers, status) in
        [("2016-05-05", GUARDIAN.to_owned(), 200), ("2010-05-05", format!("{GUARDIAN}&consent-form=on"), 403)]
    {
        let portal = portal(birth);
        let ((_, officer), (_, parent)) =
            (officer(&portal), person(&portal, Role::Patient, "parent", "parent"));
        let one = ask(&portal, &parent, &officer, birth, "parent");
        representatives::grant(&portal, &officer, &one, &papers).expect(303);
        portal.post(&parent, &representing(&one), "").expect(303);
        portal.get(&parent, "/me/transfers").expect(status);
        let asked = portal.post(&parent, "/me/transfers", ITEMS).status.as_u16();
        assert_eq!(asked, if status == 200 { 303 } else { 403 });
    }
}

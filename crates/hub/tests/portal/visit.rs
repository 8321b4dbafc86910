//! Presence and the patient's grants: a code shown and typed in, some days for an institution, and the end of either.

use ieum_trust::access::Role;
use serde_json::json;

use crate::people::Human;
use crate::representatives::{self, GUARDIAN, ask, officer, person, representing};
use crate::support::{Portal, Visitor};

/// The institutions of representatives, and a pharmacy.
fn portal(birth: &str) -> Portal {
    let portal = representatives::portal(birth);
    let of = json!([{"coding": [{"system": "http://www.hl7korea.or.kr/CodeSystem/hira-healthcare-organization-types", "code": "81"}]}]);
    portal.put(&[json!({"resourceType": "Organization", "id": "pharmacy", "name": "가상약국", "type": of})]);
    portal
}

fn code(portal: &Portal, patient: &Visitor) -> String {
    let page = portal.post(patient, "/me/visit/code", "").expect(200).body;
    assert!(page.contains("QR"));
    let code = page.split("i-digits\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(code.len(), 9, "8 digits in two groups");
    code.replace(' ', "+")
}

fn sees(portal: &Portal, who: &Visitor) -> bool {
    let status = portal.get(who, "/patients/child").status.as_u16();
    assert!(status == 200 || status == 404, "{status}");
    status == 200
}

#[test]
fn presence_opens_for_the_days_of_the_law() {
    for (organization, days) in [("b", 90), ("pharmacy", 3)] {
        let portal = portal("1990-05-05");
        let (human, doctor): (Human, _) = person(&portal, Role::Clinician, organization, "doctor");
        let secret = portal.account(Role::Patient, Some("child"));
        let patient = portal.sign_in(&secret);
        assert!(!sees(&portal, &doctor));
        let page =
            portal.post(&doctor, "/presence", &format!("code={}", code(&portal, &patient))).expect(200).body;
        assert!(page.contains("김하늘") && page.contains("/patients/child"));
        assert!(sees(&portal, &doctor));
        let page = portal.get(&patient, "/me/visit").expect(200).body;
        assert!(page.contains("내원 확인") && page.contains("/me/visit/relations/"), "the patient sees it");
        portal.wait_minutes(days * 24 * 60 - 10);
        let doctor = portal.sign_in_human(&human);
        assert!(sees(&portal, &doctor));
        portal.wait_minutes(10);
        assert!(!sees(&portal, &doctor), "{organization}: after {days} days it is over");
        let patient = portal.sign_in(&secret);
        assert!(!portal.get(&patient, "/me/visit").expect(200).body.contains("/me/visit/relations/"));
    }
}

#[test]
fn a_code_of_presence_is_good_once_for_ten_minutes_and_is_not_guessed() {
    let portal = portal("1990-05-05");
    let (_, doctor) = person(&portal, Role::Clinician, "b", "doctor");
    let (_, other) = person(&portal, Role::Clinician, "pharmacy", "other");
    let patient = portal.sign_in(&portal.account(Role::Patient, Some("child")));
    let confirm =
        |who: &Visitor, code: &str| portal.post(who, "/presence", &format!("code={code}")).status.as_u16();
    let old = code(&portal, &patient);
    portal.wait_minutes(10);
    assert_eq!(confirm(&doctor, &old), 422, "its time is over");
    let replaced = code(&portal, &patient);
    let good = code(&portal, &patient);
    assert_eq!(confirm(&doctor, &replaced), 422, "a new code takes its place");
    assert_eq!(confirm(&doctor, &good), 200);
    assert_eq!(confirm(&other, &good), 422, "it was used");
    assert!(sees(&portal, &doctor) && !sees(&portal, &other));
    let good = code(&portal, &patient);
    for wrong in ["", "1234", "abcdefgh", "00000000"] {
        assert_eq!(confirm(&other, wrong), 422, "{wrong}");
    }
    assert_eq!(confirm(&other, &good), 429, "who guesses waits, also with the right one");
    let view = portal.door.view(&ieum_trust::access::Access::system("test")).unwrap();
    let entries: Vec<_> =
        view.audit_entries(None, 100).unwrap().into_iter().map(|stored| stored.entry).collect();
    let count = |allowed| {
        entries.iter().filter(|entry| entry.action == "presence" && entry.allowed == allowed).count()
    };
    assert_eq!(
        (count(true), count(false)),
        (2, 7),
        "each is written down: once as a commit, once as what was shown"
    );
}

#[test]
fn a_patient_lets_an_institution_see_and_ends_it() {
    let portal = portal("1990-05-05");
    let (human, doctor) = person(&portal, Role::Clinician, "b", "doctor");
    let secret = portal.account(Role::Patient, Some("child"));
    let patient = portal.sign_in(&secret);
    let page = portal.get(&patient, "/me/visit?q=%EB%82%98%EC%83%81").expect(200).body;
    assert!(page.contains("나상병원") && !page.contains("가상의원"));
    for bad in
        ["institution=b&days=0", "institution=b&days=366", "institution=b&days=x", "institution=none&days=7"]
    {
        portal.post(&patient, "/me/visit/grants", bad).expect(400);
    }
    assert!(!sees(&portal, &doctor));
    portal.post(&patient, "/me/visit/grants", "institution=b&days=7").expect(303);
    assert!(sees(&portal, &doctor));
    let page = portal.get(&patient, "/me/visit").expect(200).body;
    let end = page.split("action=\"/me/visit/relations/").nth(1).unwrap().split('"').next().unwrap();
    let end = format!("/me/visit/relations/{end}");
    let stranger = portal.sign_in(&portal.account(Role::Patient, Some("parent")));
    portal.post(&stranger, &end, "").expect(404);
    assert!(sees(&portal, &doctor));
    portal.post(&patient, &end, "").expect(303);
    assert!(!sees(&portal, &doctor), "at once");
    portal.post(&patient, &end, "").expect(404);
    // Left alone it ends by itself.
    portal.post(&patient, "/me/visit/grants", "institution=b&days=7").expect(303);
    portal.wait_minutes(7 * 24 * 60);
    assert!(!sees(&portal, &portal.sign_in_human(&human)));
}

#[test]
fn who_may_consent_for_a_child_shows_codes_for_it_and_nobody_else() {
    for (birth, papers, status) in
        [("2016-05-05", GUARDIAN.to_owned(), 200), ("2010-05-05", format!("{GUARDIAN}&consent-form=on"), 403)]
    {
        let portal = portal(birth);
        let ((_, officer), (_, parent)) =
            (officer(&portal), person(&portal, Role::Patient, "parent", "parent"));
        let one = ask(&portal, &parent, &officer, birth, "parent");
        representatives::grant(&portal, &officer, &one, &papers).expect(303);
        portal.post(&parent, &representing(&one), "").expect(303);
        portal.get(&parent, "/me/visit").expect(status);
        let shown = portal.post(&parent, "/me/visit/code", "").expect(status).body;
        let granted = portal.post(&parent, "/me/visit/grants", "institution=b&days=7").status.as_u16();
        assert_eq!((granted == 303, shown.contains("i-digits")), (status == 200, status == 200));
        let (_, doctor) = person(&portal, Role::Clinician, "b", "doctor");
        assert_eq!(sees(&portal, &doctor), status == 200, "it is the child's record that is open");
    }
}

//! Representatives, page by page: asking with a code, what is shown, acting for a child, and every way in which it ends.

use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, Account};
use serde_json::{Value, json};

use crate::people::Human;
use crate::support::{Portal, Visitor};

const LIST: &str = "/privacy/representatives";
pub(crate) const GUARDIAN: &str = "requester-identity=on&guardianship-proof=on";

/// Two institutions; a child born on a day, and a parent, patients of the first alone.
pub(crate) fn portal(birth: &str) -> Portal {
    let portal = Portal::with_accounts();
    let label =
        json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]});
    let condition = |id: &str, word: &str, meta: &Value| {
        json!({"resourceType": "Condition", "id": id, "meta": meta, "code": {"text": word},
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "subject": {"reference": "Patient/child"}})
    };
    let encounter = |id: &str| {
        json!({"resourceType": "Encounter", "id": format!("e-{id}"), "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": format!("Patient/{id}")}, "period": {"start": "2026-01-01", "end": "2026-01-02"},
            "serviceProvider": {"reference": "Organization/a"}})
    };
    let patient = |id: &str, name: &str, birth: &str| {
        json!({"resourceType": "Patient", "id": id, "name": [{"text": name}], "birthDate": birth,
            "identifier": [{"system": "urn:test", "value": format!("N-{id}")}]})
    };
    portal.put(&[
        json!({"resourceType": "Organization", "id": "a", "name": "가상의원"}),
        json!({"resourceType": "Organization", "id": "b", "name": "나상병원"}),
        patient("child", "김하늘", birth),
        patient("parent", "김부모", "1980-02-03"),
        encounter("child"),
        encounter("parent"),
        condition("c-plain", "아이의 감기", &json!({})),
        condition("c-psychiatric", "아이의 우울", &label),
    ]);
    portal
}

pub(crate) fn person(portal: &Portal, role: Role, of: &str, login: &str) -> (Human, Visitor) {
    let (patient, organization) = match role {
        Role::Patient => (Some(of.to_owned()), None),
        _ => (None, Some(of.to_owned())),
    };
    let account = Account { patient, organization, ..Account::new(&format!("이름 {login}"), role) };
    let (_, token) = account::invite(&portal.door, &Access::system("test"), account, portal.now()).unwrap();
    portal.enrol(&format!("/welcome/{token}"), login)
}

pub(crate) fn officer(portal: &Portal) -> (Human, Visitor) {
    person(portal, Role::Privacy, "a", "officer")
}

/// The code on a page that shows one.
fn shown_code(page: &str) -> String {
    let (_, rest) = page.split_once("<pre tabindex=\"0\" role=\"region\"").expect("a code");
    rest.split("<code>").nth(1).unwrap().split('<').next().unwrap().replace(' ', "")
}

fn code(portal: &Portal, officer: &Visitor, patient: &str, birth: &str) -> String {
    shown_code(&portal.post(officer, LIST, &format!("number=N-{patient}&birth={birth}")).expect(200).body)
}

/// The first address on a page that begins so.
fn address(page: &str, begin: &str) -> String {
    let rest = page.split(begin).nth(1).unwrap_or_else(|| panic!("{begin} is not on the page"));
    format!("{begin}{}", rest.split(['"', '/', '?']).next().unwrap())
}

/// Asks with a code; gives the address of the representation on the checker's pages.
pub(crate) fn ask(
    portal: &Portal,
    parent: &Visitor,
    officer: &Visitor,
    birth: &str,
    relation: &str,
) -> String {
    let form = format!("code={}&relation={relation}&state=none", code(portal, officer, "child", birth));
    let reply = portal.post(parent, "/representing", &form).expect(303);
    assert_eq!(reply.header("location"), "/representing?done=asked");
    address(&portal.get(officer, LIST).expect(200).body, &format!("{LIST}/"))
}

pub(crate) fn grant(portal: &Portal, officer: &Visitor, one: &str, more: &str) -> crate::support::Reply {
    let page = portal.get(officer, one).expect(200).body;
    let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    portal.post(officer, one, &format!("do=grant&version={version}&until=&{more}"))
}

/// The address at which a representation is acted on by the representative.
pub(crate) fn representing(one: &str) -> String {
    one.replace(LIST, "/representing")
}

fn entries(portal: &Portal) -> Vec<(String, String, String, bool)> {
    let view = portal.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 200).unwrap().into_iter().map(|stored| stored.entry);
    entries.map(|entry| (entry.action, entry.role, entry.target, entry.allowed)).collect()
}

#[test]
fn a_parent_acts_for_a_child_until_the_fourteenth_birthday() {
    let portal = portal("2012-11-02");
    let ((_, officer), (human, parent)) =
        (officer(&portal), person(&portal, Role::Patient, "parent", "parent"));
    let one = ask(&portal, &parent, &officer, "2012-11-02", "parent");
    // Nothing yet: what is asked for opens nothing.
    portal.post(&parent, &representing(&one), "").expect(404);
    let page = portal.get(&officer, &one).expect(200).body;
    assert!(
        page.contains("김하늘")
            && page.contains("2012")
            && page.contains("이름 parent")
            && page.contains("§13의3①")
    );
    assert!(!page.contains("아이의 감기"));
    let refused = grant(&portal, &officer, &one, "requester-identity=on").expect(422).body;
    assert!(refused.contains("부모나 법정대리인임을 증명하는 서류"), "what is missing is named");
    grant(&portal, &officer, &one, GUARDIAN).expect(303);

    let page = portal.get(&parent, "/representing").expect(200).body;
    assert!(page.contains("김하늘") && page.contains("기록 보기") && page.contains("2026년 11월 1일까지"));
    assert!(page.contains("만 14세부터는 본인이 동의해야 합니다"));
    let reply = portal.post(&parent, &representing(&one), "").expect(303);
    assert_eq!(reply.header("location"), "/me");
    let page = portal.get(&parent, "/me/problems").expect(200).body;
    assert!(page.contains("아이의 감기") && page.contains("아이의 우울"));
    assert!(page.contains("김하늘 님을 대신하여 보고 있습니다") && page.contains("/representing/stop"));
    let id = one.rsplit('/').next().unwrap();
    let role = format!("representative {id}");
    assert!(entries(&portal).contains(&("own-problems".into(), role, "Patient/child".into(), true)));
    // Back to themself, and there again.
    let back = portal.post(&parent, "/representing/stop", "").expect(303);
    assert_eq!(back.header("location"), "/me");
    assert!(portal.get(&parent, "/me").expect(200).body.contains("김부모"));
    assert!(portal.get(&parent, "/accounts").expect(200).body.contains("김하늘"));

    // Midnight in Korea: the page asked for next is refused, the one after is their own.
    portal.wait_minutes(11 * 60 + 45);
    let parent = portal.sign_in_human(&human);
    portal.post(&parent, &representing(&one), "").expect(303);
    assert!(portal.get(&parent, "/me/problems").expect(200).body.contains("아이의 감기"));
    portal.wait_minutes(20);
    let over = portal.get(&parent, "/me/problems").expect(303);
    assert_eq!(over.header("location"), "/representing?done=lapsed");
    let page = portal.get(&parent, "/representing?done=lapsed").expect(200).body;
    assert!(page.contains("기간이 끝남") && page.contains("권한이 끝났습니다"));
    assert!(!portal.get(&parent, "/me/problems").expect(200).body.contains("아이의"));
    portal.post(&parent, &representing(&one), "").expect(404);
    assert!(entries(&portal).iter().any(|entry| entry.0 == "represent" && !entry.3));
}

#[test]
fn birthdays_decide_what_a_parent_sees_and_does() {
    // On 2026-11-01. Papers; whether it is granted; whether the plain, and the sensitive record are seen; the switches.
    let with_form = &format!("{GUARDIAN}&consent-form=on");
    for (birth, papers, is_granted, plain, sensitive, consents) in [
        ("2026-10-31", GUARDIAN, true, true, true, true),
        ("2012-11-02", GUARDIAN, true, true, true, true),
        ("2012-11-01", GUARDIAN, false, false, false, false),
        ("2012-11-01", with_form, true, true, false, false),
        ("2007-11-02", with_form, true, true, false, false),
        ("2007-11-01", with_form, false, false, false, false),
    ] {
        let portal = portal(birth);
        let ((_, officer), (_, parent)) =
            (officer(&portal), person(&portal, Role::Patient, "parent", "parent"));
        let one = ask(&portal, &parent, &officer, birth, "parent");
        let granted = grant(&portal, &officer, &one, papers);
        assert_eq!(granted.status.as_u16() == 303, is_granted, "{birth} {papers}: {}", granted.body);
        let acted = portal.post(&parent, &representing(&one), "");
        assert_eq!(acted.status.as_u16() == 303, plain, "{birth} {papers}");
        if !plain {
            continue;
        }
        let page = portal.get(&parent, "/me/problems").expect(200).body;
        assert_eq!(
            (page.contains("아이의 감기"), page.contains("아이의 우울")),
            (plain, sensitive),
            "{birth}"
        );
        let summary = portal.get(&parent, "/me").expect(200).body;
        assert_eq!(summary.contains("아이의 우울"), sensitive, "{birth}");
        let switches = if consents { (200, 303) } else { (403, 403) };
        let asked = portal.get(&parent, "/me/sharing").status.as_u16();
        let sent = portal.post(&parent, "/me/sharing", "institution=&choice=permit").status.as_u16();
        assert_eq!((asked, sent), switches, "{birth}");
        assert_eq!(summary.contains("href=\"/me/sharing\""), consents, "{birth}");
        // What is the patient's alone is nobody's for them.
        for page in ["/me/representatives", "/oauth/consent/x"] {
            let refused = portal.get(&parent, page).expect(403).body;
            assert!(refused.contains("본인만 할 수 있는 일입니다"), "{page}");
        }
    }
}

#[test]
fn a_parents_consent_is_given_by_a_related_person_and_holds() {
    let portal = portal("2016-05-05");
    let encounter = json!({"resourceType": "Encounter", "id": "e-b", "status": "in-progress", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/child"}, "period": {"start": "2026-10-01"},
        "serviceProvider": {"reference": "Organization/b"}});
    portal.put(&[encounter]);
    let ((_, officer), (_, parent)) = (officer(&portal), person(&portal, Role::Patient, "parent", "parent"));
    let (_, doctor) = person(&portal, Role::Clinician, "b", "doctor");
    let sees = || portal.get(&doctor, "/patients/child/problems").expect(200).body.contains("아이의 감기");
    assert!(!sees());
    let one = ask(&portal, &parent, &officer, "2016-05-05", "parent");
    grant(&portal, &officer, &one, GUARDIAN).expect(303);
    portal.post(&parent, &representing(&one), "").expect(303);
    for (choice, seen) in [("permit", true), ("none", false), ("permit", true)] {
        portal.post(&parent, "/me/sharing", &format!("institution=&choice={choice}")).expect(303);
        assert_eq!(sees(), seen, "{choice}");
    }
    let id = one.rsplit('/').next().unwrap();
    let view = portal.door.view(&Access::system("test")).unwrap();
    let related = view.read("RelatedPerson", id).unwrap().expect("whoever gave it is written down");
    assert_eq!(related.version, 1, "once");
    let related: Value = serde_json::from_slice(&related.plain_json()).unwrap();
    assert_eq!(related["patient"]["reference"], "Patient/child");
    drop(view);
    // The parent's own switches are as they were.
    portal.post(&parent, "/representing/stop", "").expect(303);
    assert!(!portal.get(&parent, "/me/sharing").expect(200).body.contains("value=\"permit\" checked"));
}

/// What each side can do in each state, told by the answer; 303 is done.
#[test]
fn every_act_in_every_state_by_every_side() {
    let (done, none) = (303, 404);
    let acts = [
        "patient refuse",
        "patient revoke",
        "patient block",
        "representative end",
        "checker grant",
        "checker refuse",
        "checker revoke",
        "checker block",
        "checker unblock",
    ];
    let portal = portal("2005-03-04");
    let ((_, officer), (_, agent)) = (officer(&portal), person(&portal, Role::Patient, "parent", "agent"));
    for (state, expected) in [
        ("asked", [done, done, done, done, done, done, done, done, none]),
        ("granted", [none, done, done, done, none, none, done, done, none]),
        ("refused", [none, none, done, none, none, none, none, done, none]),
        ("revoked", [none, none, done, none, none, none, none, done, none]),
        ("blocked", [none, none, none, none, none, none, none, none, done]),
    ] {
        for (act, expected) in acts.iter().zip(expected) {
            let id = format!("{state}-{}", act.replace(' ', "-"));
            portal.put(&[
                json!({"resourceType": "Patient", "id": id, "name": [{"text": "김시험"}], "birthDate": "2005-03-04",
                    "identifier": [{"value": format!("N-{id}")}]}),
                json!({"resourceType": "Encounter", "id": format!("e-{id}"), "status": "finished", "class": {"code": "AMB"},
                    "subject": {"reference": format!("Patient/{id}")}, "period": {"start": "2026-01-01"},
                    "serviceProvider": {"reference": "Organization/a"}}),
            ]);
            let form = format!("code={}&relation=sibling", code(&portal, &officer, &id, "2005-03-04"));
            portal.post(&agent, "/representing", &form).expect(303);
            let patient = portal.sign_in(&portal.account(Role::Patient, Some(&id)));
            let page = portal.get(&patient, "/me/representatives").expect(200).body;
            let mine = address(&page, "/me/representatives/");
            let one = mine.replace("/me/representatives", LIST);
            let papers = "requester-identity=on&kinship-proof=on&consent-form=on&no-nearer-kin-proof=on";
            match state {
                "granted" => drop(grant(&portal, &officer, &one, papers).expect(303)),
                "asked" => {}
                "refused" => drop(portal.post(&patient, &mine, "do=refuse").expect(303)),
                "revoked" => drop(portal.post(&patient, &mine, "do=revoke").expect(303)),
                _ => drop(portal.post(&patient, &mine, "do=block").expect(303)),
            }
            let (who, what) = act.split_once(' ').unwrap();
            let reply = match who {
                "patient" => portal.post(&patient, &mine, &format!("do={what}")),
                "representative" => portal.post(&agent, &format!("{}/end", representing(&one)), ""),
                _ => {
                    let version = if state == "asked" { 1 } else { 2 };
                    portal.post(&officer, &one, &format!("do={what}&version={version}&{papers}"))
                }
            };
            assert_eq!(reply.status.as_u16(), expected, "{act} of one that is {state}");
            // Everybody can still look at it, and only what is granted opens anything.
            for (visitor, page) in
                [(&patient, "/me/representatives"), (&agent, "/representing"), (&officer, one.as_str())]
            {
                portal.get(visitor, page).expect(200);
            }
            let is_open =
                *act == "checker grant" && state == "asked" || expected == none && state == "granted";
            let acted = portal.post(&agent, &representing(&one), "").status.as_u16();
            assert_eq!(acted == 303, is_open, "{act} of one that is {state}");
        }
    }
}

#[test]
fn a_patient_takes_back_and_blocks_at_once_and_is_told() {
    let portal = portal("2005-03-04");
    let ((_, officer), (_, agent)) = (officer(&portal), person(&portal, Role::Patient, "parent", "agent"));
    let patient = portal.sign_in(&portal.account(Role::Patient, Some("child")));
    assert!(!portal.get(&patient, "/me").expect(200).body.contains("나를 대신"));
    // The patient names an agent by a code of their own, whatever they say they are.
    let page = portal.post(&patient, "/me/representatives", "institution=a").expect(200).body;
    portal.post(&patient, "/me/representatives", "institution=b").expect(400);
    let form = format!("code={}&relation=parent&state=death", shown_code(&page).to_lowercase());
    portal.post(&agent, "/representing", &form).expect(303);
    portal.post(&agent, "/representing", &form).expect(422);
    assert!(portal.get(&patient, "/me").expect(200).body.contains("요청이 1건"));
    let one = address(&portal.get(&officer, LIST).expect(200).body, &format!("{LIST}/"));
    let page = portal.get(&officer, &one).expect(200).body;
    assert!(page.contains("위임받은 사람") && !page.contains("사망"));
    let papers = "requester-identity-copy=on&consent-form=on&power-of-attorney=on&patient-identity-copy=on";
    grant(&portal, &officer, &one, papers).expect(303);
    let page = portal.get(&patient, "/me").expect(200).body;
    assert!(page.contains("이름 agent (agent)"), "the patient is told on the first page");
    let mine = one.replace(LIST, "/me/representatives");
    let act = || portal.post(&agent, &representing(&one), "").status.as_u16();
    assert_eq!(act(), 303);
    portal.get(&agent, "/me/problems").expect(200);
    portal.post(&patient, &mine, "do=revoke").expect(303);
    assert_eq!(
        portal.get(&agent, "/me/problems").expect(303).header("location"),
        "/representing?done=lapsed"
    );
    assert_eq!(act(), 404);
    // Asked for anew and granted; then blocked, which asking anew does not get around, and which is not told.
    let page = portal.post(&patient, "/me/representatives", "institution=a").expect(200).body;
    let form = format!("code={}&relation=agent", shown_code(&page));
    portal.post(&agent, "/representing", &form).expect(303);
    grant(&portal, &officer, &one, papers).expect(303);
    assert_eq!(act(), 303);
    portal.post(&patient, &mine, "do=block").expect(303);
    portal.get(&agent, "/me").expect(303);
    assert_eq!(act(), 404);
    let page = portal.post(&patient, "/me/representatives", "institution=a").expect(200).body;
    let form = format!("code={}&relation=agent", shown_code(&page));
    let page = portal.post(&agent, "/representing", &form).expect(422).body;
    assert!(page.contains("요청을 받을 수 없습니다"));
    assert!(!page.contains("차단"));
    assert!(portal.get(&patient, "/me/representatives").expect(200).body.contains("차단됨"));
    // Nobody else's patient, and no other institution, has anything to do with it.
    let other = portal.sign_in(&portal.account(Role::Patient, Some("parent")));
    portal.post(&other, &mine, "do=revoke").expect(404);
    let (_, elsewhere) = person(&portal, Role::Privacy, "b", "elsewhere");
    portal.get(&elsewhere, &one).expect(404);
    portal.post(&elsewhere, &one, "do=unblock").expect(404);
    assert!(!portal.get(&elsewhere, LIST).expect(200).body.contains("agent"));
    portal.post(&officer, &one, "do=unblock").expect(303);
    assert_eq!(act(), 404, "a lifted block gives nothing back");
}

#[test]
fn codes_tell_nothing_and_are_not_guessed() {
    let portal = portal("2016-05-05");
    let ((human, officer), (_, parent)) =
        (officer(&portal), person(&portal, Role::Patient, "parent", "parent"));
    let (_, elsewhere) = person(&portal, Role::Privacy, "b", "elsewhere");
    // A patient of another institution is answered as one who is not there.
    let form = "number=N-child&birth=2016-05-05";
    let there = portal.post(&elsewhere, LIST, form).expect(422).body;
    let nowhere = portal.post(&elsewhere, LIST, "number=N-nobody&birth=2016-05-05").expect(422).body;
    let plain = |page: &str| page.replace("N-child", "").replace("N-nobody", "");
    assert_eq!(plain(&there), plain(&nowhere));
    // Wrong ones cost a wait, also for the right one then.
    let code = code(&portal, &officer, "child", "2016-05-05");
    for form in ["code=&relation=parent", "code=000000000000&relation=parent"] {
        portal.post(&parent, "/representing", form).expect(422);
    }
    portal.post(&parent, "/representing", &format!("code={code}&relation=neighbour")).expect(400);
    assert!(portal.get(&parent, "/representing").expect(200).body.contains("대신하는 사람이 없습니다"));
    for _ in 0..3 {
        portal.post(&parent, "/representing", "code=000000000000&relation=parent").expect(422);
    }
    portal.post(&parent, "/representing", &format!("code={code}&relation=parent")).expect(429);
    portal.wait_minutes(1);
    portal.post(&parent, "/representing", &format!("code={code}&relation=parent")).expect(303);
    // To give out codes and to decide takes showing again who one is.
    portal.wait_minutes(10);
    let officer_again = portal.post(&officer, LIST, form).expect(303);
    assert!(officer_again.header("location").starts_with("/confirm"));
    // Nobody checks what they ask for themself.
    let officer = portal.sign_in_human(&human);
    let one = ask(&portal, &officer, &officer, "2016-05-05", "parent");
    let page = portal.get(&officer, LIST).expect(200).body;
    let begin = format!("{LIST}/");
    let asked = page.split(&begin).skip(1).map(|rest| rest.split('"').next().unwrap());
    let refused: Vec<u16> =
        asked.map(|id| grant(&portal, &officer, &format!("{begin}{id}"), GUARDIAN).status.as_u16()).collect();
    assert!(one.starts_with(&begin));
    assert_eq!(refused.iter().filter(|status| **status == 422).count(), 1, "{refused:?}");
    assert_eq!(refused.iter().filter(|status| **status == 303).count(), 1, "{refused:?}");
}

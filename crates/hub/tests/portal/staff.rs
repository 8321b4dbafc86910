//! The manager of an institution: their own staff, nobody else's, and only after showing who they are.

use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::person::{State, keep};
use serde_json::json;

use crate::people::Human;
use crate::support::{Portal, Visitor};

fn portal() -> Portal {
    let portal = Portal::with_accounts();
    for (id, name) in [("o1", "가상병원"), ("o2", "다른병원")] {
        portal.put(&[json!({"resourceType": "Organization", "id": id, "name": name})]);
    }
    portal
}

fn manager(portal: &Portal) -> (Human, Visitor) {
    portal.enrol(&portal.invite(Role::Manager, Some("o1")), "manager")
}

/// The id of the account of a log-in name.
fn account_of(portal: &Portal, login: &str) -> String {
    let person = keep::by_login(&portal.door, login).unwrap().unwrap().id;
    let all = account::list(&portal.door, &Access::system("test")).unwrap();
    all.into_iter().find(|(_, account)| account.person.as_ref() == Some(&person)).unwrap().0
}

/// The link on a page that shows one.
fn link(page: &str) -> String {
    let (_, rest) = page.split_once("http://localhost:8080/welcome/").expect("a link");
    format!("/welcome/{}", rest.split('<').next().unwrap())
}

#[test]
fn a_manager_invites_changes_and_ends() {
    let portal = portal();
    let (_, manager) = manager(&portal);
    let page = portal.get(&manager, "/manager").expect(200).body;
    assert!(page.contains("가상병원") && !page.contains("다른병원"));
    let page = portal
        .post(&manager, "/manager/staff", "name=박의사&role=clinician&departments=내과, 응급실")
        .expect(200)
        .body;
    let (human, staff) = portal.enrol(&link(&page), "park");
    portal.get(&staff, "/patients").expect(200);
    let page = portal.get(&manager, "/manager").expect(200).body;
    assert!(page.contains("park") && page.contains("내과, 응급실") && !page.contains("/welcome/"));
    let id = account_of(&portal, "park");
    let one = format!("/manager/staff/{id}");
    portal.get(&manager, &one).expect(200);
    // The new role holds from their next step on.
    portal.post(&manager, &one, "role=privacy&departments=").expect(303);
    portal.get(&staff, "/patients").expect(403);
    assert!(portal.get(&staff, "/privacy").expect(200).body.contains("manager"));
    // A new invitation takes the old ways in away once it is followed.
    let page = portal.post(&manager, &format!("{one}/invite"), "").expect(200).body;
    let reply = portal.post(&Visitor::default(), &link(&page), "").expect(303);
    portal.session_of(&reply, "/set-up");
    portal.get(&staff, "/privacy").expect(200);

    portal.post(&manager, &format!("{one}/end"), "").expect(303);
    portal.get(&staff, "/privacy").expect(303);
    portal.wait_minutes(1);
    portal.try_human(&human, crate::people::PASSWORD, &human.code(&portal)).expect(422);
    assert_eq!(keep::by_login(&portal.door, "park").unwrap().unwrap().value.state, State::Ended);
    let view = portal.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 100).unwrap();
    let actor = account_of(&portal, "manager");
    for action in ["staff-invite", "staff-change", "staff-end"] {
        let by_manager = |stored: &&ieum_store::engine::StoredAuditEntry| {
            stored.entry.action == action && stored.entry.actor == actor && stored.entry.role == "manager"
        };
        assert!(entries.iter().any(|stored| by_manager(&stored)), "{action}");
    }
}

#[test]
fn a_manager_reaches_no_other_institution_and_no_other_role() {
    let portal = portal();
    let (_, manager) = manager(&portal);
    portal.enrol(&portal.invite(Role::Clinician, Some("o2")), "other");
    portal.enrol(&portal.invite(Role::Operator, None), "operator");
    for login in ["other", "operator"] {
        let one = format!("/manager/staff/{}", account_of(&portal, login));
        portal.get(&manager, &one).expect(404);
        portal.post(&manager, &one, "role=clinician&departments=").expect(404);
        portal.post(&manager, &format!("{one}/end"), "").expect(404);
        portal.post(&manager, &format!("{one}/invite"), "").expect(404);
    }
    for role in ["operator", "patient", "service", "open", ""] {
        portal.post(&manager, "/manager/staff", &format!("name=x&role={role}")).expect(400);
    }
    portal.post(&manager, "/manager/staff", "name=&role=clinician").expect(422);
    let long = "가".repeat(81);
    portal.post(&manager, "/manager/staff", &format!("name={long}&role=clinician")).expect(422);
    portal.post(&manager, "/manager/staff", &format!("name=x&role=clinician&departments={long}")).expect(400);
    // Their own account is for another manager.
    let own = format!("/manager/staff/{}", account_of(&portal, "manager"));
    assert!(portal.get(&manager, &own).expect(200).body.contains("내 계정입니다"));
    for path in ["", "/end", "/invite"] {
        portal.post(&manager, &format!("{own}{path}"), "role=clinician&departments=").expect(404);
    }
}

#[test]
fn whoever_works_elsewhere_too_gets_no_new_way_in_from_one_manager() {
    let portal = portal();
    let (_, manager) = manager(&portal);
    let (human, _) = portal.enrol(&portal.invite(Role::Clinician, Some("o1")), "park");
    let here = account_of(&portal, "park");
    let visitor = portal.sign_in_human(&human);
    portal.post(&visitor, &portal.invite(Role::Clinician, Some("o2")), "").expect(303);
    let one = format!("/manager/staff/{here}");
    assert!(!portal.get(&manager, &one).expect(200).body.contains("새 링크 만들기"));
    portal.post(&manager, &format!("{one}/invite"), "").expect(404);
    // Ending the account here leaves the other.
    portal.post(&manager, &format!("{one}/end"), "").expect(303);
    let person = keep::by_login(&portal.door, "park").unwrap().unwrap();
    assert_eq!(person.value.state, State::Active);
}

#[test]
fn a_manager_who_left_the_window_open_is_asked_who_they_are() {
    let portal = portal();
    let (human, manager) = manager(&portal);
    portal.wait_minutes(6);
    portal.get(&manager, "/manager").expect(200);
    let reply = portal.post(&manager, "/manager/staff", "name=x&role=clinician").expect(303);
    assert_eq!(reply.header("location"), "/confirm?next=/manager");
    let form = format!("code={}&next=/manager", human.code(&portal));
    assert_eq!(portal.post(&manager, "/confirm/code", &form).expect(303).header("location"), "/manager");
    portal.post(&manager, "/manager/staff", "name=x&role=clinician").expect(200);
}

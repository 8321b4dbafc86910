//! Signing in and out, sessions, forms.

use axum::body::Body;
use axum::http::{Request, header};
use ieum::hub::Entrance;
use ieum_trust::access::Role;
use serde_json::json;

use crate::support::{Portal, Visitor, post_request};

const HERE: &str = "http://127.0.0.1:8080";

// threat: 23
#[test]
fn a_secret_opens_a_session_that_scripts_and_other_sites_cannot_use() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Clinician, None);
    let reply =
        portal.post(&Visitor::default(), "/sign-in", &format!("secret={secret}&next=/operator")).expect(303);
    assert_eq!(reply.header("location"), "/patients", "another role's page is not where one is sent");
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.starts_with("ieum-8080=")
            && cookie.contains("; HttpOnly")
            && cookie.contains("; SameSite=Strict")
    );
    assert!(!cookie.contains("Secure"), "loopback has no TLS");
    let reply = portal
        .post(&Visitor::default(), "/sign-in", &format!("secret={secret}&next=/patients/p1"))
        .expect(303);
    assert_eq!(reply.header("location"), "/patients/p1");
    let reply = portal.get(&Visitor::default(), "/patients/p1").expect(303);
    assert_eq!(reply.header("location"), "/sign-in?next=/patients/p1");
}

#[test]
fn over_tls_cookies_are_held_to_this_host() {
    let portal = Portal::start(Entrance::Accounts, "https://hub.example/fhir");
    let secret = portal.account(Role::Operator, None);
    let mut request =
        post_request(&Visitor::default(), "/sign-in", &format!("secret={secret}"), "https://hub.example");
    request.headers_mut().insert(header::HOST, "hub.example".parse().unwrap());
    let reply = portal.ask(request).expect(303);
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("__Host-ieum=") && cookie.contains("; Secure"), "{cookie}");
    assert!(reply.header("strict-transport-security").contains("max-age"));
}

// threat: 11
#[test]
fn wrong_secrets_are_slowed_down_and_lock_nobody_out() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Clinician, None);
    for _ in 0..5 {
        let reply = portal.post(&Visitor::default(), "/sign-in", "secret=wrong").expect(422);
        assert!(reply.body.contains("이 비밀값의 계정이 없습니다") && !reply.body.contains("wrong"));
        assert_eq!(reply.header("set-cookie"), "");
    }
    let entries = || {
        let view = portal.door.view(&ieum_trust::access::Access::system("test")).unwrap();
        view.audit_entries(None, 1).unwrap().remove(0).number
    };
    let before = entries();
    portal.post(&Visitor::default(), "/sign-in", "secret=wrong").expect(429);
    assert_eq!(entries(), before, "failures beyond do not fill the log");
    // Behind the same address may stand a whole hospital.
    portal.post(&Visitor::default(), "/sign-in", &format!("secret={secret}")).expect(303);
    portal.post(&Visitor::default(), "/sign-in", "secret=wrong").expect(429);
    let wrong = post_request(&Visitor::default(), "/sign-in", "secret=wrong", HERE);
    assert_eq!(
        portal.ask_from(wrong, "10.0.0.9:1").status.as_u16(),
        422,
        "another address is not slowed down"
    );
    portal.wait_minutes(6);
    portal.post(&Visitor::default(), "/sign-in", "secret=wrong").expect(422);
}

#[test]
fn systems_do_not_sign_in_here() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Service, None);
    let reply = portal.post(&Visitor::default(), "/sign-in", &format!("secret={secret}")).expect(422);
    assert!(reply.body.contains("시스템 사이의 연결"));
}

#[test]
fn sessions_end() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Operator, None);
    let visitor = portal.sign_in(&secret);
    portal.wait_minutes(29);
    portal.get(&visitor, "/operator").expect(200);
    portal.wait_minutes(31);
    portal.get(&visitor, "/operator").expect(303);

    let visitor = portal.sign_in(&secret);
    portal.wait_minutes(20);
    portal.get(&visitor, "/operator?auto=1").expect(200);
    portal.wait_minutes(11);
    portal.get(&visitor, "/operator").expect(303);

    let visitor = portal.sign_in(&secret);
    let reply = portal.post(&visitor, "/sign-out", "").expect(303);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    portal.get(&visitor, "/operator").expect(303);

    let visitor = portal.sign_in(&secret);
    portal.accounts_delete();
    portal.get(&visitor, "/operator").expect(303);
}

// threat: 23
#[test]
fn forms_from_elsewhere_are_refused() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Clinician, None);
    let visitor = portal.sign_in(&secret);
    let form = format!("csrf={}", visitor.csrf);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:9999"] {
        portal.ask(post_request(&visitor, "/sign-out", &form, origin)).expect(403);
    }
    let mut request = post_request(&visitor, "/sign-out", &form, HERE);
    request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    portal.ask(request).expect(403);
    let mut request = post_request(&visitor, "/sign-out", &form, HERE);
    request.headers_mut().remove(header::ORIGIN);
    portal.ask(request).expect(403);
    for token in ["", "csrf=", "csrf=0000"] {
        portal.ask(post_request(&visitor, "/sign-out", token, HERE)).expect(403);
    }
    let other = portal.sign_in(&secret);
    portal.ask(post_request(&visitor, "/sign-out", &format!("csrf={}", other.csrf), HERE)).expect(403);
    portal.get(&visitor, "/patients").expect(200);

    let long = format!("secret={}", "a".repeat(40_000));
    portal.ask(post_request(&Visitor::default(), "/sign-in", &long, HERE)).expect(413);
    let mut request = post_request(&Visitor::default(), "/sign-in", "{}", HERE);
    request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    portal.ask(request).expect(400);
}

#[test]
fn an_open_hub_is_entered_by_a_click_and_under_loopback_names_only() {
    let portal = Portal::open();
    portal.put(&[json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}]})]);
    for (role, home) in [("clinician", "/patients"), ("operator", "/operator"), ("patient", "/me")] {
        portal.get(&portal.enter(role, "p1"), home).expect(200);
    }
    portal.post(&Visitor::default(), "/enter", "role=patient&patient=nobody").expect(404);
    portal.post(&Visitor::default(), "/enter", "role=service").expect(400);
    assert_eq!(portal.get(&Visitor::default(), "/patients").expect(303).header("location"), "/");
    let request = Request::get("/").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    portal.ask(request).expect(403);
    // Nothing answers under another name, be it a page, an asset or the FHIR interface.
    for path in ["/patients", "/healthz", "/metrics", "/assets/none", "/fhir/Patient", "/fhir/metadata"] {
        let request = Request::get(path).header(header::HOST, "evil.example").body(Body::empty()).unwrap();
        let reply = portal.ask(request).expect(403);
        assert!(!reply.body.contains("김시험"), "{path}");
    }
}

#[test]
fn an_account_without_record_is_not_sent_in_a_circle() {
    let portal = Portal::with_accounts();
    let patient = json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}]});
    portal.put(std::slice::from_ref(&patient));
    let own = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let elsewhere = portal.get(&own, "/me/documents/none").expect(404).body;
    assert!(elsewhere.contains("내 첫 화면으로"));
    let deleted = ieum_store::commit::Change::Delete {
        kind: "Patient".into(),
        id: "p1".into(),
        expect: ieum_store::commit::Expect::Anything,
    };
    let access = ieum_trust::access::Access::system("test");
    portal.door.commit(&access, "delete", Vec::new(), vec![deleted]).unwrap();
    for page in ["/me", "/me/results"] {
        let page = portal.get(&own, page).expect(404).body;
        assert!(page.contains("내 기록이 없습니다") && !page.contains("내 첫 화면으로"));
    }
}

#[test]
fn the_language_switch_leads_nowhere_else() {
    let portal = Portal::open();
    let page = portal.get(&Visitor::default(), "//evil.test/x").expect(404).body;
    assert!(page.contains("href=\"/evil.test/x?lang=en\"") && !page.contains("\"//evil.test"));
}

#[test]
fn the_language_is_korean_until_chosen_and_then_remembered() {
    let portal = Portal::with_accounts();
    let korean = portal.get(&Visitor::default(), "/");
    assert!(korean.body.contains("<html lang=\"ko\">") && korean.header("set-cookie").is_empty());
    let english = portal.get(&Visitor::default(), "/?lang=en");
    assert!(english.body.contains("<html lang=\"en\">"));
    let cookie = english.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(cookie, "lang=en");
    let next = portal.get(&Visitor { cookie, csrf: String::new() }, "/sign-in");
    assert!(next.body.contains("<html lang=\"en\">"));
}

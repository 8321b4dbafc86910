//! Signing in and out, sessions, forms.

use axum::body::Body;
use axum::http::{Request, header};
use ieum::hub::Entrance;
use ieum_trust::access::Role;
use serde_json::json;

use crate::support::{Portal, Visitor, post_request};

const HERE: &str = "http://127.0.0.1:8080";

#[test]
fn a_secret_opens_a_session_that_scripts_and_other_sites_cannot_use() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Clinician, None);
    let reply =
        portal.post(&Visitor::default(), "/sign-in", &format!("secret={secret}&next=/operator")).expect(303);
    assert_eq!(reply.header("location"), "/patients", "another role's page is not where one is sent");
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.starts_with("ieum=") && cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict")
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

#[test]
fn wrong_secrets_are_refused_then_slowed_down() {
    let portal = Portal::with_accounts();
    let secret = portal.account(Role::Clinician, None);
    for _ in 0..5 {
        let reply = portal.post(&Visitor::default(), "/sign-in", "secret=wrong").expect(422);
        assert!(reply.body.contains("이 비밀값의 계정이 없습니다") && !reply.body.contains("wrong"));
        assert_eq!(reply.header("set-cookie"), "");
    }
    let right = format!("secret={secret}");
    portal.post(&Visitor::default(), "/sign-in", &right).expect(429);
    let other = portal.ask_from(post_request(&Visitor::default(), "/sign-in", &right, HERE), "10.0.0.9:1");
    assert_eq!(other.status.as_u16(), 303, "another address is not slowed down");
    portal.wait_minutes(6);
    portal.post(&Visitor::default(), "/sign-in", &right).expect(303);
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
    let reply = portal.post(&visitor, "/sign-out", "").expect(303);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    portal.get(&visitor, "/operator").expect(303);

    let visitor = portal.sign_in(&secret);
    portal.accounts_delete();
    portal.get(&visitor, "/operator").expect(303);
}

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

    let long = format!("secret={}", "a".repeat(10_000));
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

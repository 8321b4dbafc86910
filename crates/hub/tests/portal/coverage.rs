//! Every route, asked by nobody and by every role.

use axum::body::Body;
use axum::http::{Method, Request, header};
use ieum::portal::routes::{ROUTES, Route, Who};
use ieum_trust::access::Role;
use serde_json::json;

use crate::support::{Portal, Visitor, post_request};

/// What each asker is answered, in the order of [`ASKERS`].
type Row = (&'static str, &'static str, [u16; 8]);

const CLINICIANS: [u16; 8] = [303, 200, 403, 403, 403, 403, 303, 303];
const PATIENTS: [u16; 8] = [303, 403, 200, 403, 403, 403, 303, 303];
const OPERATORS: [u16; 8] = [303, 403, 403, 200, 403, 403, 303, 303];
const MANAGERS: [u16; 8] = [303, 403, 403, 403, 200, 403, 303, 303];
/// No such account, or nothing filled in.
const MANAGERS_MISS: [u16; 8] = [303, 403, 403, 403, 404, 403, 303, 303];
const PRIVACY: [u16; 8] = [303, 403, 403, 403, 403, 200, 303, 303];
/// Those who entered as people: manager, privacy officer, somebody who has not chosen an account.
const PEOPLE: [u16; 8] = [303, 403, 403, 403, 200, 200, 200, 303];
const ALL: [u16; 8] = [200; 8];

const fn people(status: u16) -> [u16; 8] {
    [303, 403, 403, 403, status, status, status, 303]
}

const fn invited(status: u16) -> [u16; 8] {
    [303, 403, 403, 403, 403, 403, 303, status]
}

/// A hub that asks for accounts. A route without a row here fails the test, and so does a row without a route.
const EXPECTED: &[Row] = &[
    ("GET", "/", ALL),
    ("GET", "/sign-in", ALL),
    // An empty secret is nobody's.
    ("POST", "/sign-in", [422; 8]),
    ("POST", "/sign-in/passkey", [422; 8]),
    ("POST", "/sign-in/password", [422; 8]),
    // No such invitation.
    ("GET", "/welcome/{token}", [410; 8]),
    ("POST", "/welcome/{token}", [410; 8]),
    ("GET", "/set-up", invited(200)),
    ("POST", "/set-up/passkey", invited(200)),
    ("POST", "/set-up/password", invited(422)),
    ("GET", "/accounts", PEOPLE),
    ("POST", "/accounts", people(404)),
    ("GET", "/confirm", PEOPLE),
    ("POST", "/confirm/passkey", people(400)),
    ("POST", "/confirm/code", people(422)),
    ("GET", "/my-login", PEOPLE),
    ("POST", "/my-login/passkeys", people(400)),
    ("POST", "/my-login/passkeys/{digest}/remove", people(404)),
    ("POST", "/my-login/password", people(422)),
    ("POST", "/my-login/app", people(422)),
    ("POST", "/my-login/recovery", PEOPLE),
    ("POST", "/my-login/devices/{number}/end", people(303)),
    ("POST", "/my-login/devices/end", people(303)),
    // No such provider, and nothing known of who asks; see `elsewhere`.
    ("POST", "/sign-in/with/{provider}", [404; 8]),
    ("GET", "/sign-in/with/{provider}/return", [404; 8]),
    ("GET", "/sign-in/with/{provider}/finish", [404; 8]),
    ("POST", "/sign-in/second", [303; 8]),
    // No identity checks; see `claim`.
    ("GET", "/claim", [404; 8]),
    ("POST", "/claim/{check}", [404; 8]),
    ("GET", "/claim/{check}/return", [404; 8]),
    ("POST", "/set-up/with/{provider}", invited(404)),
    ("POST", "/confirm/with/{provider}", people(404)),
    ("POST", "/my-login/links/with/{provider}", people(404)),
    ("POST", "/my-login/links/{link}/remove", people(404)),
    ("POST", "/sign-out", [303; 8]),
    // Without parameters there is no app.
    ("GET", "/oauth/authorize", [400; 8]),
    // Nothing waits under this name; see `authorization`.
    ("GET", "/oauth/consent/{request}", [303, 404, 404, 404, 404, 404, 303, 303]),
    ("POST", "/oauth/consent/{request}", [303, 404, 404, 404, 404, 404, 303, 303]),
    ("POST", "/oauth/consent/{request}/deny", [303, 404, 404, 404, 404, 404, 303, 303]),
    ("GET", "/my-apps", [303, 200, 200, 200, 200, 200, 303, 303]),
    // No such app.
    ("POST", "/my-apps/{client}/end", [303, 404, 404, 404, 404, 404, 303, 303]),
    ("GET", "/law", ALL),
    ("GET", "/enter", [404; 8]),
    ("POST", "/enter", [404; 8]),
    ("GET", "/patients", CLINICIANS),
    ("GET", "/patients/{id}", CLINICIANS),
    ("GET", "/patients/{id}/visits", CLINICIANS),
    ("GET", "/patients/{id}/problems", CLINICIANS),
    ("GET", "/patients/{id}/medicines", CLINICIANS),
    ("GET", "/patients/{id}/results", CLINICIANS),
    ("GET", "/patients/{id}/results/{code}", CLINICIANS),
    ("GET", "/patients/{id}/vitals", CLINICIANS),
    ("GET", "/patients/{id}/immunisations", CLINICIANS),
    ("GET", "/patients/{id}/documents", CLINICIANS),
    ("GET", "/patients/{id}/documents/{document}", CLINICIANS),
    ("GET", "/patients/{id}/apps", CLINICIANS),
    // No such app.
    ("POST", "/patients/{id}/apps/{client}", [303, 404, 403, 403, 403, 403, 303, 303]),
    ("GET", "/me", PATIENTS),
    ("GET", "/me/visits", PATIENTS),
    ("GET", "/me/problems", PATIENTS),
    ("GET", "/me/medicines", PATIENTS),
    ("GET", "/me/results", PATIENTS),
    ("GET", "/me/results/{code}", PATIENTS),
    ("GET", "/me/vitals", PATIENTS),
    ("GET", "/me/immunisations", PATIENTS),
    ("GET", "/me/documents", PATIENTS),
    ("GET", "/me/documents/{document}", PATIENTS),
    ("GET", "/me/sharing", PATIENTS),
    // Nothing is chosen.
    ("POST", "/me/sharing", [303, 403, 400, 403, 403, 403, 303, 303]),
    // No such consent.
    ("POST", "/me/sharing/{id}/withdraw", [303, 403, 404, 403, 403, 403, 303, 303]),
    ("GET", "/me/representatives", PATIENTS),
    // No institution is chosen, and there is no such representation.
    ("POST", "/me/representatives", [303, 403, 400, 403, 403, 403, 303, 303]),
    ("POST", "/me/representatives/{id}", [303, 403, 404, 403, 403, 403, 303, 303]),
    ("GET", "/representing", PEOPLE),
    // Nothing is chosen.
    ("POST", "/representing", people(400)),
    ("POST", "/representing/stop", people(303)),
    ("POST", "/representing/{id}", people(404)),
    ("POST", "/representing/{id}/end", people(404)),
    ("GET", "/privacy/representatives", PRIVACY),
    // No such patient, no such representation.
    ("POST", "/privacy/representatives", [303, 403, 403, 403, 403, 422, 303, 303]),
    ("GET", "/privacy/representatives/{id}", [303, 403, 403, 403, 403, 404, 303, 303]),
    ("POST", "/privacy/representatives/{id}", [303, 403, 403, 403, 403, 404, 303, 303]),
    ("GET", "/me/visit", PATIENTS),
    ("POST", "/me/visit/code", PATIENTS),
    // No institution is chosen, and there is no such relation.
    ("POST", "/me/visit/grants", [303, 403, 400, 403, 403, 403, 303, 303]),
    ("POST", "/me/visit/relations/{id}/end", [303, 403, 404, 403, 403, 403, 303, 303]),
    ("GET", "/presence", CLINICIANS),
    // This clinician acts for no institution.
    ("POST", "/presence", [303, 403, 403, 403, 403, 403, 303, 303]),
    ("GET", "/me/transfers", PATIENTS),
    // Nothing is filled in, and there is no such request.
    ("POST", "/me/transfers", [303, 403, 422, 403, 403, 403, 303, 303]),
    ("GET", "/me/transfers/{id}", [303, 403, 404, 403, 403, 403, 303, 303]),
    ("POST", "/me/transfers/{id}", [303, 403, 404, 403, 403, 403, 303, 303]),
    ("GET", "/privacy/transfers", PRIVACY),
    ("POST", "/privacy/transfers/{id}", [303, 403, 403, 403, 403, 404, 303, 303]),
    // A secret does not say who somebody is.
    ("GET", "/emergency", [303, 403, 403, 403, 403, 403, 303, 303]),
    ("POST", "/emergency", [303, 403, 403, 403, 403, 403, 303, 303]),
    ("GET", "/manager", MANAGERS),
    // A name is missing.
    ("POST", "/manager/staff", [303, 403, 403, 403, 422, 403, 303, 303]),
    ("GET", "/manager/staff/{id}", MANAGERS_MISS),
    ("POST", "/manager/staff/{id}", MANAGERS_MISS),
    ("POST", "/manager/staff/{id}/invite", MANAGERS_MISS),
    ("POST", "/manager/staff/{id}/end", MANAGERS_MISS),
    ("GET", "/manager/clients", MANAGERS),
    ("GET", "/manager/clients/new", MANAGERS),
    // Nothing is chosen.
    ("POST", "/manager/clients", [303, 403, 403, 403, 400, 403, 303, 303]),
    ("GET", "/manager/clients/{id}", MANAGERS_MISS),
    ("POST", "/manager/clients/{id}/keys", MANAGERS_MISS),
    ("POST", "/manager/clients/{id}/end", MANAGERS_MISS),
    ("GET", "/privacy", PRIVACY),
    ("GET", "/privacy/reviews", PRIVACY),
    // No decision.
    ("POST", "/privacy/reviews/{id}", [303, 403, 403, 403, 403, 400, 303, 303]),
    ("GET", "/operator", OPERATORS),
    ("GET", "/operator/jobs", OPERATORS),
    // No such job.
    ("POST", "/operator/jobs/{id}/cancel", [303, 403, 403, 404, 403, 403, 303, 303]),
    ("GET", "/operator/subscriptions", OPERATORS),
    // No such subscription.
    ("POST", "/operator/subscriptions/{key}/off", [303, 403, 403, 404, 403, 403, 303, 303]),
    ("GET", "/operator/feed", OPERATORS),
    ("GET", "/operator/audit", OPERATORS),
    ("GET", "/operator/statements", OPERATORS),
    ("GET", "/assets/{name}", ALL),
    ("GET", "/healthz", ALL),
    ("GET", "/readyz", ALL),
    // Asked from another machine; this machine is in the tests of status.
    ("GET", "/metrics", [303, 403, 403, 200, 403, 403, 303, 303]),
];

const ASKERS: [&str; 8] =
    ["nobody", "clinician", "patient", "operator", "manager", "privacy", "no account chosen", "invited"];

fn portal() -> (Portal, [String; 3]) {
    let portal = Portal::with_accounts();
    portal.put(&[
        json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}]}),
        json!({"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            "effectiveDateTime": "2026-10-01", "valueQuantity": {"value": 6.1, "unit": "%"}}),
        json!({"resourceType": "DocumentReference", "id": "d1", "status": "current",
            "subject": {"reference": "Patient/p1"},
            "content": [{"attachment": {"contentType": "text/plain", "data": "7IaM6rKs"}}]}),
    ]);
    let secrets = [
        portal.account(Role::Clinician, None),
        portal.account(Role::Patient, Some("p1")),
        portal.account(Role::Operator, None),
    ];
    (portal, secrets)
}

fn path(route: &Route) -> String {
    let path = route.pattern.replace("{id}", "p1").replace("{code}", "4548-4").replace("{document}", "d1");
    path.replace("{name}", "ieum.css")
        .replace("{digest}", "p1")
        .replace("{number}", "p1")
        .replace("{token}", "p1")
}

fn asked(portal: &Portal, route: &Route, visitor: &Visitor, asker: usize) -> u16 {
    let request = if route.method == Method::POST {
        let form = format!("csrf={}", visitor.csrf);
        post_request(visitor, &path(route), &form, "http://127.0.0.1:8080")
    } else {
        Request::get(path(route)).header(header::COOKIE, &visitor.cookie).body(Body::empty()).unwrap()
    };
    // From another machine each time: failures to sign in are counted by address.
    portal.ask_from(request, &format!("10.0.{asker}.{}:1", 1 + path(route).len() % 200)).status.as_u16()
}

// threat: 2
#[test]
fn every_route_answers_every_asker_as_declared() {
    let (portal, secrets) = portal();
    portal.put(&[json!({"resourceType": "Organization", "id": "o1", "name": "가상병원"})]);
    let enrol = |role, login| portal.enrol(&portal.invite(role, Some("o1")), login).0;
    let people = [enrol(Role::Manager, "kim"), enrol(Role::Privacy, "lee"), enrol(Role::Clinician, "park")];
    let several = portal.sign_in_human(&people[2]);
    portal.post(&several, &portal.invite(Role::Privacy, Some("o1")), "").expect(303);
    for route in ROUTES {
        let invitation = portal.invite(Role::Clinician, Some("o1"));
        let login = format!("invited-{}", portal.now());
        portal.post(&Visitor::default(), &invitation, &format!("login={login}")).expect(303);
        let row = EXPECTED.iter().find(|row| row.0 == route.method.as_str() && row.1 == route.pattern);
        let Some((_, _, expected)) = row else { panic!("{} {} has no row", route.method, route.pattern) };
        for (index, asker) in ASKERS.iter().enumerate() {
            // A session of its own each time, because signing out ends it.
            let visitor = match index {
                0 => Visitor::default(),
                1..=3 => portal.sign_in(&secrets[index - 1]),
                4..=6 => portal.sign_in_human(&people[index - 4]),
                _ => {
                    let reply = portal.post(&Visitor::default(), &invitation, "").expect(303);
                    portal.session_of(&reply, "/set-up")
                }
            };
            let status = asked(&portal, route, &visitor, index);
            assert_eq!(status, expected[index], "{} {} as {asker}", route.method, route.pattern);
        }
    }
    for (method, pattern, _) in EXPECTED {
        let is_there =
            ROUTES.iter().any(|route| route.method.as_str() == *method && route.pattern == *pattern);
        assert!(is_there, "{method} {pattern} is a row without a route");
    }
}

// threat: 17
#[test]
fn pages_of_records_are_written_down_and_refusals_too() {
    let (portal, secrets) = portal();
    let visitors: Vec<Visitor> = secrets.iter().map(|secret| portal.sign_in(secret)).collect();
    let newest = || {
        let view = portal.door.view(&ieum_trust::access::Access::system("test")).unwrap();
        view.audit_entries(None, 1).unwrap().remove(0)
    };
    for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
        for (visitor, role) in visitors.iter().zip(["clinician", "patient", "operator"]) {
            let before = newest();
            let status = asked(&portal, route, visitor, 0);
            let entry = newest();
            let written = entry.number > before.number;
            let shows = route.shows_records && status == 200 && route.pattern != "/patients";
            let is_of_some = matches!(route.who, Who::Only(_) | Who::PatientOrRepresentative);
            let missed = status == 404 && is_of_some && route.pattern.contains('{');
            assert_eq!(written, shows || missed || status == 403, "{} as {role}: {status}", route.pattern);
            if written {
                assert_eq!((entry.entry.action.as_str(), entry.entry.role.as_str()), (route.action, role));
                assert_eq!(entry.entry.allowed, status == 200);
            }
        }
    }
}

// threat: 17
#[test]
fn guesses_and_forged_forms_are_written_down() {
    let (portal, secrets) = portal();
    let clinician = portal.sign_in(&secrets[0]);
    let refusals = || {
        let view = portal.door.view(&ieum_trust::access::Access::system("test")).unwrap();
        let entries = view.audit_entries(None, 1_000).unwrap().into_iter().map(|stored| stored.entry);
        let refused = entries.filter(|entry| !entry.allowed);
        let mut told: Vec<_> = refused.map(|entry| (entry.action, entry.role, entry.target)).collect();
        told.reverse();
        told
    };
    let told = |action: &str, role: &str, target: &str| (action.into(), role.into(), target.into());
    portal.get(&clinician, "/patients/guessed").expect(404);
    portal.get(&clinician, "/nowhere").expect(404);
    let forged = |visitor: &Visitor| {
        let form = format!("csrf={}", visitor.csrf);
        portal.ask(post_request(visitor, "/sign-out", &form, "http://evil.example")).expect(403);
    };
    forged(&clinician);
    let nobody = post_request(&Visitor::default(), "/sign-in", "secret=x", "http://evil.example");
    portal.ask(nobody).expect(403);
    assert_eq!(
        refusals(),
        [
            told("record-summary", "clinician", "/patients/{id}"),
            told("sign-out", "clinician", "/sign-out"),
            told("sign-in", "none", "/sign-in"),
        ]
    );
    // As many as anybody likes to make are not all kept.
    for _ in 0..100 {
        portal.get(&clinician, "/patients/guessed").expect(404);
    }
    assert_eq!(refusals().len(), 51);
}

// threat: 23
#[test]
fn every_page_has_the_strict_headers() {
    let (portal, secrets) = portal();
    let visitor = portal.sign_in(&secrets[0]);
    let refused =
        ["/nowhere", "/operator", "/oauth/consent/never", "/oauth/authorize", "/welcome/never", "/%ff"];
    let shown = ["/", "/patients", "/patients/p1", "/sign-in", "/assets/ieum.css"];
    for page in shown.into_iter().chain(refused) {
        let reply = portal.get(&visitor, page);
        assert!(
            reply.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"),
            "{page}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("cache-control") == "no-store", !page.starts_with("/assets"), "{page}");
        assert!(!reply.body.contains("<script>") && !reply.body.contains(" style="), "{page}");
    }
    let reply = portal.ask(
        Request::delete("/patients").header(header::COOKIE, &visitor.cookie).body(Body::empty()).unwrap(),
    );
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD"));
}

// threat: 23
#[test]
fn no_form_is_taken_from_elsewhere() {
    let (portal, secrets) = portal();
    portal.put(&[json!({"resourceType": "Organization", "id": "o1", "name": "가상병원"})]);
    let mut visitors: Vec<Visitor> = secrets.iter().map(|secret| portal.sign_in(secret)).collect();
    visitors.push(portal.enrol(&portal.invite(Role::Manager, Some("o1")), "kim").1);
    for route in ROUTES.iter().filter(|route| route.method == Method::POST) {
        for visitor in &visitors {
            let own = format!("csrf={}", visitor.csrf);
            let here = "http://127.0.0.1:8080";
            // Another site with the right token, our own page with a wrong one, and with none.
            for (form, origin) in [(own.as_str(), "http://evil.example"), ("csrf=wrong", here), ("", here)] {
                let reply = portal.ask(post_request(visitor, &path(route), form, origin));
                assert_eq!(reply.status.as_u16(), 403, "{} {form} from {origin}", route.pattern);
            }
        }
    }
    for visitor in &visitors {
        assert_ne!(portal.get(visitor, "/accounts").status.as_u16(), 303, "nobody was signed out");
    }
}

// threat: 23
#[test]
fn what_apps_are_answered_is_no_page_and_is_kept_nowhere() {
    let portal = Portal::with_accounts();
    for path in [
        "/oauth/token",
        "/oauth/par",
        "/oauth/introspect",
        "/oauth/revoke",
        "/.well-known/jwks.json",
        "/fhir/Patient",
        "/fhir/nowhere",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let reply = portal.ask(Request::builder().method(method).uri(path).body(Body::empty()).unwrap());
            assert!(reply.header("content-type").contains("json"), "{path}");
            assert_eq!(
                (reply.header("x-content-type-options"), reply.header("cache-control")),
                ("nosniff", "no-store")
            );
        }
    }
}

//! Tokens that are held to one patient, or to some scopes: what they do not reach by a detour.

use axum::body::Body;
use axum::http::Request;
use ieum_trust::access::Role;
use serde_json::json;

use super::{ask, portal, register, token, user};
use crate::support::{Portal, Reply};

const HELD: &str = "launch/patient patient/*.rs user/Observation.cud";

fn held(portal: &Portal) -> String {
    let app = register(portal, |_| {});
    let clinician = user(portal, Role::Clinician, None);
    token(portal, &app, &clinician, Some("p1"), HELD)
}

fn send(
    portal: &Portal,
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/fhir+json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    portal.ask(request.body(Body::from(body.to_owned())).unwrap())
}

#[test]
fn a_token_of_one_patient_overwrites_nobody_elses() {
    let portal = portal();
    let token = held(&portal);
    ask(&portal, &token, "GET", "/fhir/Observation/o2", None).expect(404);
    let body = r#"{"resourceType":"Observation","id":"o2","status":"amended","code":{"text":"x"},"subject":{"reference":"Patient/p2"}}"#;
    let reply = ask(&portal, &token, "PUT", "/fhir/Observation/o2", Some(body));
    assert_ne!(reply.status, 200, "{}", reply.body);
}

#[test]
fn a_token_of_one_patient_writes_about_nobody_else() {
    let portal = portal();
    let token = held(&portal);
    let body = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p2"}}"#;
    let reply = ask(&portal, &token, "POST", "/fhir/Observation", Some(body));
    assert_ne!(reply.status, 201, "{}", reply.body);
}

#[test]
fn a_token_of_one_patient_reads_nobody_else_in_a_transaction() {
    let portal = portal();
    let token = held(&portal);
    let data = "W10="; // []
    let patch = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{
        "resource": {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data},
        "request": {"method": "PATCH", "url": "Observation/o2"}}]});
    let reply =
        send(&portal, &token, "POST", "/fhir", &[("prefer", "return=representation")], &patch.to_string());
    assert!(!reply.body.contains("Patient/p2"), "{}: {}", reply.status, reply.body);
}

#[test]
fn a_token_of_one_patient_finds_nobody_else_by_a_conditional_reference() {
    let portal = portal();
    let token = held(&portal);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{
        "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": "Patient?name=이시험"}},
        "request": {"method": "POST", "url": "Observation"}}]});
    let reply =
        send(&portal, &token, "POST", "/fhir", &[("prefer", "return=representation")], &bundle.to_string());
    assert!(!reply.body.contains("Patient/p2"), "{}: {}", reply.status, reply.body);
}

#[test]
fn a_conditional_create_of_a_token_of_one_patient_ends() {
    let portal = portal();
    let token = held(&portal);
    let body = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}"#;
    let criteria = [("if-none-exist", "subject=Patient/p2")];
    let reply = send(&portal, &token, "POST", "/fhir/Observation", &criteria, body);
    assert_ne!(reply.status, 503, "{}", reply.body);
}

#[test]
fn a_scope_to_update_reads_nothing() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let clinician = user(&portal, Role::Clinician, None);
    let token = token(&portal, &app, &clinician, None, "user/Observation.u");
    ask(&portal, &token, "GET", "/fhir/Observation/o1", None).expect(403);
    let reply = send(
        &portal,
        &token,
        "PATCH",
        "/fhir/Observation/o1",
        &[("content-type", "application/json-patch+json")],
        "[]",
    );
    assert!(!reply.body.contains("혈압"), "{}: {}", reply.status, reply.body);
}

#[test]
fn questions_about_definitions_are_of_one_patient_too() {
    let portal = portal();
    portal.put(&[
        json!({"resourceType": "SearchParameter", "id": "sp", "url": "http://x.test/sp", "name": "n", "status": "draft",
            "description": "d", "code": "sp", "base": ["Patient"], "type": "string", "expression": "Patient.name.text"}),
        json!({"resourceType": "List", "id": "l2", "status": "current", "mode": "working",
            "subject": {"reference": "Patient/p2"}, "entry": [{"item": {"reference": "SearchParameter/sp"}}]}),
    ]);
    let token = held(&portal);
    ask(&portal, &token, "GET", "/fhir/List/l2", None).expect(404);
    let path = "/fhir/SearchParameter?_revinclude=List:item&_include:iterate=List:subject";
    let reply = ask(&portal, &token, "GET", path, None).expect(200);
    assert!(!reply.body.contains("Patient/p2"), "{}", reply.body);
    let path = "/fhir/SearchParameter?_has:List:item:subject=Patient/p2";
    let reply = ask(&portal, &token, "GET", path, None).expect(200);
    assert!(!reply.body.contains("SearchParameter/sp"), "{}", reply.body);
}

/// Whoever says yes is told what is asked for.
#[test]
fn the_page_does_not_call_everything_laboratory_results() {
    let portal = portal();
    portal.put(&[
        json!({"resourceType": "Observation", "id": "social", "status": "final", "code": {"text": "음주"},
        "category": [{"coding": [{"code": "social-history"}]}], "subject": {"reference": "Patient/p1"}}),
    ]);
    let app = register(&portal, |_| {});
    let visitor = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let scope = "patient/Observation.rs?category=social-history,vital-signs,x|laboratory";
    let consent = super::onward(&portal.get(&visitor, &super::authorize(&app, scope)));
    let page = portal.get(&visitor, &consent).expect(200).body;
    let told_more = page.contains("social-history") || page.contains("음주");
    assert!(told_more || !page.contains("검사실 검사 결과"), "{page}");
}

/// Scopes widen each other.
#[test]
fn two_scopes_are_as_good_as_one() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let clinician = user(&portal, Role::Clinician, None);
    let token = token(&portal, &app, &clinician, None, "user/Patient.r user/Patient.s");
    ask(&portal, &token, "GET", "/fhir/Patient/p1/$everything", None).expect(200);
}

/// A refresh token asks for less: what comes of it reaches no more than before.
#[test]
fn less_scopes_reach_no_more() {
    use crate::support::Visitor;
    let portal = portal();
    let app = register(&portal, |_| {});
    let clinician = user(&portal, Role::Clinician, None);
    let scope = "launch/patient patient/*.rs user/Observation.rs offline_access";
    let request = super::onward(&portal.get(&Visitor::default(), &super::authorize(&app, scope)));
    let server = &portal.hub.authorization().unwrap().server;
    let now = portal.hub.now() / 1_000_000;
    let back = server.allow(request.rsplit('/').next().unwrap(), &clinician, Some("p1"), now).unwrap();
    let code = back.pairs.iter().find(|(name, _)| *name == "code").unwrap().1.clone();
    let tokens = super::redeem(&portal, &app, &code);
    let first = tokens["access_token"].as_str().unwrap();
    ask(&portal, first, "GET", "/fhir/Observation/o2", None).expect(404);
    let less = |scope: &str| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", &app),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("scope", scope),
        ];
        super::form(&portal, "/oauth/token", &pairs)
    };
    // Without the scopes that hold it to one patient it would reach everybody's.
    assert!(less("user/Observation.rs").expect(400).body.contains("invalid_scope"));
    let again: serde_json::Value =
        serde_json::from_str(&less("patient/Observation.rs").expect(200).body).unwrap();
    ask(&portal, again["access_token"].as_str().unwrap(), "GET", "/fhir/Observation/o2", None).expect(404);
}

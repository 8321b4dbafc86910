//! What tokens open, and what they do not.

use axum::body::Body;
use axum::http::{Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum::routes::{self, Who};
use ieum_trust::access::Role;
use ieum_trust::account;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{VERIFIER, ask, authorize, code_of, onward, portal, register, token, told, user};

/// Scopes, method, path, body, expected status.
type Case = (&'static str, &'static str, &'static str, Option<&'static str>, u16);

#[test]
fn scopes_are_held_at_the_entrance() {
    const BP: &str = r#"{"resourceType":"Observation","status":"final","code":{"text":"혈압"}}"#;
    const O1: &str = r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"혈압"}}"#;
    const BATCH: &str = r#"{"resourceType":"Bundle","type":"batch","entry":[
        {"request":{"method":"GET","url":"Condition/c1"}}]}"#;
    const READS: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"resource":{"resourceType":"Observation","status":"final","code":{"text":"혈압"}},
         "request":{"method":"POST","url":"Observation"}},
        {"request":{"method":"GET","url":"Condition/c1"}}]}"#;
    const REFERS: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"resource":{"resourceType":"Observation","status":"final","code":{"text":"혈압"},
         "subject":{"reference":"Patient?name=김시험"}},"request":{"method":"POST","url":"Observation"}}]}"#;
    const HOOK: &str = r#"{"resourceType":"Subscription"}"#;
    let cases: &[Case] = &[
        ("user/Observation.r", "GET", "/fhir/Observation/o1", None, 200),
        ("user/Observation.r", "HEAD", "/fhir/Observation/o1", None, 200),
        ("user/Observation.r", "GET", "/fhir/Observation/o1/_history", None, 200),
        ("user/Observation.r", "GET", "/fhir/Observation/o1/_history/1", None, 200),
        ("user/Observation.r", "GET", "/fhir/Observation", None, 403),
        ("user/Observation.r", "GET", "/fhir/Condition/c1", None, 403),
        ("user/Observation.s", "GET", "/fhir/Observation/o1", None, 403),
        ("user/Observation.s", "GET", "/fhir/Observation?code:text=a", None, 200),
        ("user/Observation.s", "GET", "/fhir/Observation/_history", None, 200),
        ("user/Observation.s", "GET", "/fhir/Patient/p1/Observation", None, 200),
        ("user/Observation.s", "GET", "/fhir/Patient/p1/Condition", None, 403),
        ("user/Observation.s", "GET", "/fhir/Patient/p1/*", None, 200),
        // What leads to other kinds: of these nothing is there; see below.
        ("user/Observation.rs", "GET", "/fhir/Observation?_include=Observation:subject", None, 200),
        ("user/Observation.rs", "GET", "/fhir/Observation?patient.name=a", None, 200),
        ("user/Patient.rs", "GET", "/fhir/Patient/p1/$everything", None, 200),
        ("user/Observation.rs", "GET", "/fhir/Patient/p1/$everything", None, 403),
        ("user/*.rs", "GET", "/fhir/Patient/p1/$everything", None, 200),
        ("user/Observation.rs", "GET", "/fhir?_type=Observation", None, 200),
        ("user/Observation.rs", "GET", "/fhir/_history", None, 200),
        ("user/Observation.r", "GET", "/fhir/_history", None, 403),
        // Some records of a kind.
        ("user/Observation.rs?status=final", "GET", "/fhir/Observation/o1", None, 200),
        ("user/Observation.rs?status=amended", "GET", "/fhir/Observation/o1", None, 404),
        ("user/Observation.rs?status=final", "GET", "/fhir/Observation?status=final", None, 200),
        ("user/Observation.rs?status=final", "GET", "/fhir/Observation/o1/_history", None, 403),
        ("user/Observation.rs?status=final", "GET", "/fhir/Observation/o1/_history/1", None, 403),
        ("user/Observation.rs?status=final", "GET", "/fhir/Observation/_history", None, 403),
        ("user/Observation.rs?status=final", "GET", "/fhir/Condition/c1", None, 403),
        ("user/Observation.rs?status=final", "GET", "/fhir/Observation/$export", None, 403),
        ("user/Observation.rs?status=final", "POST", "/fhir/Observation", Some(BP), 403),
        ("user/Observation.rs", "GET", "/fhir/$export", None, 403),
        ("user/Observation.rs", "GET", "/fhir/Observation/$export", None, 403),
        ("user/*.rs", "GET", "/fhir/$jobs/j1", None, 404),
        ("user/Observation.rs", "GET", "/fhir/$jobs/j1", None, 403),
        ("launch/patient patient/*.rs", "GET", "/fhir/$export", None, 403),
        ("launch/patient patient/*.rs", "GET", "/fhir/$jobs/j1", None, 403),
        // Writing.
        ("user/Observation.rs", "POST", "/fhir/Observation", Some(BP), 403),
        ("user/Observation.c", "POST", "/fhir/Observation", Some(BP), 201),
        ("user/Observation.cu", "PUT", "/fhir/Observation/o1", Some(O1), 200),
        ("user/Observation.u", "PUT", "/fhir/Observation/o9", Some(O1), 403),
        ("user/Observation.cu", "PUT", "/fhir/Observation?code:text=a", Some(BP), 403),
        ("user/Observation.cu", "DELETE", "/fhir/Observation/o9", None, 403),
        ("user/Observation.d", "DELETE", "/fhir/Observation/o9", None, 204),
        ("user/Observation.d", "DELETE", "/fhir/Observation?code:text=a", None, 403),
        ("user/Observation.ds", "DELETE", "/fhir/Observation?patient.name=a", None, 403),
        ("user/*.cruds", "POST", "/fhir/Subscription", Some(HOOK), 403),
        ("user/*.cruds", "GET", "/fhir/Subscription/s1/$status", None, 403),
        // Bundles, entry by entry.
        ("user/Observation.c", "POST", "/fhir", Some(READS), 403),
        ("user/Observation.c", "POST", "/fhir", Some(REFERS), 403),
        ("user/Observation.c user/Patient.s", "POST", "/fhir", Some(REFERS), 200),
        ("user/Observation.c user/Patient.s?name=김시험", "POST", "/fhir", Some(REFERS), 403),
        ("user/Observation.rs", "POST", "/fhir", Some(BATCH), 200),
    ];
    let portal = portal();
    let app = register(&portal, |_| {});
    let clinician = user(&portal, Role::Clinician, None);
    for (scope, method, path, body, status) in cases {
        let patient = scope.contains("patient/").then_some("p1");
        let token = token(&portal, &app, &clinician, patient, scope);
        let reply = ask(&portal, &token, method, path, *body);
        assert_eq!(reply.status.as_u16(), *status, "{scope}: {method} {path}: {}", reply.body);
        if reply.status == 403 {
            assert_eq!(code_of(&reply), "IEUM-O003", "{scope}: {method} {path}");
            assert!(reply.header("www-authenticate").contains("insufficient_scope"));
        }
        if *path == "/fhir" && *body == Some(BATCH) {
            assert!(reply.body.contains("IEUM-O003") && reply.body.contains("403"), "{}", reply.body);
        }
    }
    // What the account may not do, no scope makes it do.
    let patient = user(&portal, Role::Patient, Some("p1"));
    let writing = token(&portal, &app, &patient, None, "user/*.cruds");
    assert_eq!(
        code_of(&ask(&portal, &writing, "POST", "/fhir/Observation", Some(BP)).expect(403)),
        "IEUM-R002"
    );
    ask(&portal, &writing, "GET", "/fhir/Patient/p2", None).expect(404);
    // What is asked for later would go on without the token.
    let one = token(&portal, &app, &clinician, Some("p1"), "launch/patient patient/*.rs");
    let later = Request::get("/fhir/Observation").header("authorization", format!("Bearer {one}"));
    portal.ask(later.header("prefer", "respond-async").body(Body::empty()).unwrap()).expect(403);
}

/// What scopes do not name is not there: not as a match, not behind a reference, not in a number.
#[test]
fn scopes_are_part_of_every_question() {
    let portal = portal();
    portal.put(&[
        json!({"resourceType": "Observation", "id": "lab", "status": "final", "subject": {"reference": "Patient/p1"},
            "category": [{"coding": [{"code": "laboratory"}]}], "code": {"text": "혈당"}}),
        json!({"resourceType": "Observation", "id": "vital", "status": "final", "subject": {"reference": "Patient/p1"},
            "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"text": "혈압"}}),
        json!({"resourceType": "Provenance", "id": "v1", "target": [{"reference": "Observation/lab"}],
            "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": {"display": "가상"}}]}),
    ]);
    let app = register(&portal, |_| {});
    let clinician = user(&portal, Role::Clinician, None);
    let some = "user/Observation.rs?category=laboratory user/Encounter.rs";
    for (scope, path, found) in [
        (some, "Observation", &["Observation/lab"][..]),
        (some, "Observation?_include=Observation:subject", &["Observation/lab"]),
        (some, "Observation?_revinclude=Provenance:target", &["Observation/lab"]),
        (some, "Observation?patient._id=p1", &[]),
        (some, "Observation?subject:Patient.name=김", &[]),
        (some, "Observation?_has:Provenance:target:_id=v1", &[]),
        (some, "?_type=Observation,Encounter", &["Observation/lab"]),
        (some, "Patient/p1/*", &["Observation/lab"]),
        (
            "user/Observation.rs?category=laboratory user/Patient.rs",
            "Observation?patient._id=p1",
            &["Observation/lab"],
        ),
        (
            "user/Observation.rs?category=laboratory user/Patient.rs",
            "Observation?_include=Observation:subject",
            &["Observation/lab", "Patient/p1"],
        ),
        (
            "user/Observation.rs?category=laboratory user/Patient.rs",
            "Patient/p1/$everything",
            &["Patient/p1", "Observation/lab"],
        ),
        (
            "user/Observation.rs?category=laboratory user/Observation.rs?category=vital-signs",
            "Observation?_sort=_id",
            &["Observation/lab", "Observation/vital"],
        ),
        ("launch/patient patient/Observation.rs?category=vital-signs", "Observation", &["Observation/vital"]),
    ] {
        let patient = scope.contains("patient/").then_some("p1");
        let token = token(&portal, &app, &clinician, patient, scope);
        let reply = ask(&portal, &token, "GET", &format!("/fhir/{path}").replace("/fhir/?", "/fhir?"), None)
            .expect(200);
        let bundle: Value = serde_json::from_str(&reply.body).unwrap();
        let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
        let names: Vec<String> = entries
            .iter()
            .map(|entry| &entry["resource"])
            .map(|one| format!("{}/{}", one["resourceType"].as_str().unwrap(), one["id"].as_str().unwrap()))
            .collect();
        assert_eq!(names, found, "{scope}: {path}");
        let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match").count();
        if let Some(total) = bundle["total"].as_u64() {
            assert_eq!(total, matches as u64, "{scope}: {path}");
        }
    }
}

#[test]
fn a_token_without_scopes_for_records_opens_no_route() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let token = token(&portal, &app, &user(&portal, Role::Clinician, None), None, "openid");
    for route in routes::all().filter(|route| route.who != Who::Anybody) {
        let path = route
            .pattern
            .replace("{kind}", "Patient")
            .replace("{id}", "p1")
            .replace("{inner}", "Observation");
        let path = path.replace("{version}", "1").replace("{file}", "Patient.1.ndjson");
        let body = (route.method != Method::GET && route.method != Method::DELETE).then_some("{}");
        let status = ask(&portal, &token, route.method.as_str(), &path, body).status.as_u16();
        // A bundle is asked entry by entry, and forms are no JSON.
        let expected: &[u16] = match route.action {
            "bundle" => &[400],
            _ if path.ends_with("_search") => &[403, 415],
            _ => &[403],
        };
        assert!(expected.contains(&status), "{} {}: {status}", route.method, route.pattern);
    }
}

#[test]
fn tokens_that_are_bound_to_a_key_need_its_proof() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap();
    let proof = |method: &str, path: &str, token: Option<&str>| {
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
        let header = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk });
        let mut claims = json!({ "htm": method, "htu": format!("http://127.0.0.1:8080{path}"),
            "iat": portal.hub.now() / 1_000_000, "jti": account::new_secret().unwrap() });
        if let Some(token) = token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}", part(&header), part(&claims));
        let signature = key.sign(&random, unsigned.as_bytes()).unwrap();
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let visitor = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let consent = onward(&portal.get(&visitor, &authorize(&app, "patient/*.rs")));
    let code = told(&onward(&portal.post(&visitor, &consent, "")), "code");
    let form = format!(
        "grant_type=authorization_code&client_id={app}&code={code}&code_verifier={VERIFIER}&redirect_uri={}",
        "https%3A%2F%2Fapp.example%2Fback%3Ffrom%3Dieum"
    );
    let request = Request::post("/oauth/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("dpop", proof("POST", "/oauth/token", None));
    let reply = portal.ask(request.body(Body::from(form)).unwrap()).expect(200);
    let tokens: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(tokens["token_type"], "DPoP");
    let token = tokens["access_token"].as_str().unwrap();
    let ask = |scheme: &str, path: &str, proofs: &[String]| {
        let mut request = Request::get(path).header("authorization", format!("{scheme} {token}"));
        for proof in proofs {
            request = request.header("dpop", proof);
        }
        portal.ask(request.body(Body::empty()).unwrap())
    };
    let path = "/fhir/Patient/p1";
    let good = proof("GET", path, Some(token));
    ask("DPoP", &format!("{path}?_summary=true"), std::slice::from_ref(&good)).expect(200);
    let again = ask("DPoP", path, &[good]).expect(401);
    assert_eq!(code_of(&again), "IEUM-O002");
    assert_eq!(
        again.header("www-authenticate"),
        r#"DPoP realm="ieum", error="invalid_dpop_proof", algs="ES256""#
    );
    assert_eq!(code_of(&ask("DPoP", path, &[]).expect(401)), "IEUM-O002");
    assert_eq!(code_of(&ask("Bearer", path, &[]).expect(401)), "IEUM-O001");
    ask("DPoP", path, &[proof("GET", path, Some(token)), proof("GET", path, Some(token))]).expect(401);
    ask("DPoP", path, &[proof("POST", path, Some(token))]).expect(401);
    ask("DPoP", path, &[proof("GET", "/fhir/Patient/p2", Some(token))]).expect(401);
    ask("DPoP", path, &[proof("GET", path, None)]).expect(401);
    ask("DPoP", path, &[proof("GET", path, Some(token))]).expect(200);
}

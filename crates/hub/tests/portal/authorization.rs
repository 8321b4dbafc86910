//! Apps over HTTP: the pages where people say yes or no, the addresses for apps, and what tokens open.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum::authorization::routes::ROUTES;
use ieum::routes::{self, Who};
use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::authorization::client::{self, Client, Policy};
use ieum_trust::authorization::scopes::Scopes;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Portal, Reply, Visitor};

const BACK: &str = "https://app.example/back?from=ieum";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FHIR: &str = "http://127.0.0.1:8080/fhir";

fn portal() -> Portal {
    let portal = Portal::with_accounts();
    portal.put(&[
        json!({"resourceType": "Patient", "id": "p1", "name": [{"text": "김시험"}], "birthDate": "1980-02-03"}),
        json!({"resourceType": "Patient", "id": "p2", "name": [{"text": "이시험"}]}),
        json!({"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "혈압"},
            "subject": {"reference": "Patient/p1"}}),
        json!({"resourceType": "Observation", "id": "o2", "status": "final", "code": {"text": "혈압"},
            "subject": {"reference": "Patient/p2"}}),
        json!({"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}),
        json!({"resourceType": "Practitioner", "id": "d1"}),
    ]);
    portal
}

fn register(portal: &Portal, change: impl FnOnce(&mut Client)) -> String {
    let mut client = Client {
        name: "혈압 <수첩>".into(),
        organization: "이음 시험".into(),
        policy: Policy::Smart,
        redirect_uris: vec![BACK.into()],
        launch_uri: None,
        jwks: None,
        scopes: Scopes::parse("openid fhirUser offline_access launch/patient patient/*.rs user/*.cruds")
            .unwrap(),
        account: None,
    };
    change(&mut client);
    client::create(&portal.door, &Access::system("test"), &client).unwrap()
}

fn authorize(client: &str, scope: &str) -> String {
    let pairs = [
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", scope),
        ("state", "s 1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("aud", FHIR),
    ];
    ieum::percent::with_pairs("/oauth/authorize", pairs)
}

/// Where a page leads on to.
#[track_caller]
fn onward(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.header("refresh").strip_prefix("0; url=").expect("the page leads on").to_owned()
}

/// A parameter of an address.
fn told(address: &str, name: &str) -> String {
    let pairs = ieum::percent::pairs(address.split_once('?').unwrap().1).unwrap();
    pairs.into_iter().find(|(given, _)| given == name).map(|(_, value)| value).unwrap_or_default()
}

fn form(portal: &Portal, path: &str, pairs: &[(&str, &str)]) -> Reply {
    let form = ieum::percent::with_pairs("", pairs.iter().copied());
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form[1..].to_owned()));
    portal.ask_from(request.unwrap(), "10.0.0.1:1")
}

fn redeem(portal: &Portal, client: &str, code: &str) -> Value {
    let reply = form(
        portal,
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ],
    )
    .expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    serde_json::from_str(&reply.body).unwrap()
}

/// The token of a user, without the pages.
fn token(portal: &Portal, client: &str, user: &Access, patient: Option<&str>, scope: &str) -> String {
    let request = onward(&portal.get(&Visitor::default(), &authorize(client, scope)));
    let server = &portal.hub.authorization().unwrap().server;
    let now = portal.hub.now() / 1_000_000;
    let back = server.allow(request.rsplit('/').next().unwrap(), user, patient, now).unwrap();
    let code = back.pairs.iter().find(|(name, _)| *name == "code").unwrap().1.clone();
    redeem(portal, client, &code)["access_token"].as_str().unwrap().to_owned()
}

fn user(portal: &Portal, role: Role, patient: Option<&str>) -> Access {
    let secret = portal.account(role, patient);
    let accounts = account::list(&portal.door, &Access::system("test")).unwrap();
    let digest = account::digest(&secret);
    let (id, account) = accounts.into_iter().find(|(_, account)| account.secret_digest == digest).unwrap();
    account.access(&id)
}

fn ask(portal: &Portal, token: &str, method: &str, path: &str, body: Option<&str>) -> Reply {
    let mut request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    if body.is_some() {
        request = request.header("content-type", "application/fhir+json");
    }
    portal.ask(request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap())
}

fn code_of(reply: &Reply) -> String {
    let outcome: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    outcome["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn somebody_reads_what_an_app_asks_for_and_allows_it() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let secret = portal.account(Role::Patient, Some("p1"));
    // Log-in comes first, and leads back here.
    let arrived = portal.get(&Visitor::default(), &authorize(&app, "openid patient/*.rs"));
    let consent = onward(&arrived);
    let log_in = portal.get(&Visitor::default(), &consent).expect(303);
    assert_eq!(log_in.header("location"), format!("/sign-in?next={consent}"));
    let entered = portal.post(&Visitor::default(), "/sign-in", &format!("secret={secret}&next={consent}"));
    assert_eq!(entered.expect(303).header("location"), consent);

    let visitor = portal.sign_in(&secret);
    let page = portal.get(&visitor, &consent).expect(200).body;
    for text in [
        "혈압 &lt;수첩&gt;",
        "이음 시험",
        "app.example",
        "내 모든 기록",
        "5분 동안",
        ">허용<",
        "허용하지 않음",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let english = portal.get(&visitor, &format!("{consent}?lang=en")).expect(200).body;
    for text in ["Your all records", "For 5 minutes", "Learn who you are"] {
        assert!(english.contains(text), "{text}");
    }
    // A page of another site cannot say yes.
    let forged = crate::support::post_request(&visitor, &consent, "csrf=x", "https://evil.example");
    portal.ask(forged).expect(403);
    portal.post(&Visitor { csrf: "x".into(), ..visitor.clone() }, &consent, "").expect(403);

    let back = onward(&portal.post(&visitor, &consent, ""));
    assert!(back.starts_with("https://app.example/back?from=ieum&code="), "{back}");
    assert_eq!((told(&back, "state"), told(&back, "iss")), ("s 1".into(), "http://127.0.0.1:8080".into()));
    let tokens = redeem(&portal, &app, &told(&back, "code"));
    assert_eq!((&tokens["patient"], &tokens["token_type"]), (&json!("p1"), &json!("Bearer")));
    let token = tokens["access_token"].as_str().unwrap();
    assert!(ask(&portal, token, "GET", "/fhir/Patient/p1", None).expect(200).body.contains("김시험"));
    ask(&portal, token, "GET", "/fhir/Patient/p2", None).expect(404);
    portal.get(&visitor, &consent).expect(404);

    // What happened is written down: who allowed it, and that a token was given for it.
    let view = portal.door.view(&Access::system("test")).unwrap();
    let entries: Vec<_> =
        view.audit_entries(None, 100).unwrap().into_iter().map(|stored| stored.entry).collect();
    for action in ["authorize", "token"] {
        let entry = entries.iter().find(|entry| entry.action == action && entry.allowed).expect(action);
        assert_eq!(entry.role, "patient");
        assert!(entry.target.starts_with("IeumGrant/"));
    }
    // The end of a session is not the end of what was allowed; the end of the account is.
    portal.accounts_delete();
    let gone = ask(&portal, token, "GET", "/fhir/Patient/p1", None).expect(401);
    assert_eq!(code_of(&gone), "IEUM-O001");
    assert_eq!(gone.header("www-authenticate"), r#"Bearer realm="ieum", error="invalid_token""#);
}

#[test]
fn somebody_says_no() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let visitor = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let consent = onward(&portal.get(&visitor, &authorize(&app, "patient/*.rs")));
    let back = onward(&portal.post(&visitor, &format!("{consent}/deny"), ""));
    assert_eq!((told(&back, "error"), told(&back, "code")), ("access_denied".into(), String::new()));
    portal.get(&visitor, &consent).expect(404);
}

#[test]
fn a_clinician_chooses_about_whom() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let visitor = portal.sign_in(&portal.account(Role::Clinician, None));
    let consent = onward(&portal.get(&visitor, &authorize(&app, "launch/patient patient/*.rs")));
    let page = portal.get(&visitor, &consent).expect(200).body;
    assert!(!page.contains(">허용<") && !page.contains("김시험"), "nobody is listed unasked");
    let page = portal.get(&visitor, &format!("{consent}?q=%EA%B9%80%EC%8B%9C%ED%97%98")).expect(200).body;
    assert!(page.contains("value=\"p1\"") && page.contains("1980") && !page.contains("이시험"), "{page}");
    let number = portal.get(&visitor, &format!("{consent}?q=800203-1234567")).expect(303);
    assert!(!number.header("location").contains("800203"));
    portal.post(&visitor, &consent, "patient=nobody").expect(200);
    let tokens =
        redeem(&portal, &app, &told(&onward(&portal.post(&visitor, &consent, "patient=p1")), "code"));
    assert_eq!(tokens["patient"], "p1");
    let token = tokens["access_token"].as_str().unwrap();
    // The clinician reaches everybody; the app reaches this one.
    for (path, status) in
        [("Patient/p1", 200), ("Patient/p2", 404), ("Observation/o2", 404), ("Practitioner/d1", 200)]
    {
        ask(&portal, token, "GET", &format!("/fhir/{path}"), None).expect(status);
    }
    for path in [
        "/fhir/Observation?_total=accurate",
        "/fhir/Observation/_history",
        "/fhir?_type=Observation",
        "/fhir/_history",
    ] {
        let reply = ask(&portal, token, "GET", path, None).expect(200);
        assert!(!reply.body.contains("o2") && !reply.body.contains("p2"), "{path}: {}", reply.body);
    }
    ask(&portal, token, "GET", "/fhir/Patient/p2/$everything", None).expect(404);
    assert!(
        !ask(&portal, token, "GET", "/fhir/Patient/p1/$everything", None).expect(200).body.contains("o2")
    );
}

#[test]
fn an_app_is_started_from_a_chart() {
    let portal = portal();
    let app = register(&portal, |client| {
        client.launch_uri = Some("https://app.example/launch".into());
        client.scopes = Scopes::parse("launch patient/*.rs").unwrap();
    });
    let visitor = portal.sign_in(&portal.account(Role::Clinician, None));
    assert!(portal.get(&visitor, "/patients/p2").expect(200).body.contains("/patients/p2/apps"));
    assert!(
        portal
            .get(&visitor, "/patients/p2/apps")
            .expect(200)
            .body
            .contains(&format!("/patients/p2/apps/{app}"))
    );
    portal.post(&visitor, &format!("/patients/nobody/apps/{app}"), "").expect(404);
    let started = onward(&portal.post(&visitor, &format!("/patients/p2/apps/{app}"), ""));
    assert!(started.starts_with("https://app.example/launch?iss="), "{started}");
    assert_eq!(told(&started, "iss"), FHIR);
    let address = format!("{}&launch={}", authorize(&app, "launch patient/*.rs"), told(&started, "launch"));
    let consent = onward(&portal.get(&visitor, &address));
    assert!(portal.get(&visitor, &consent).expect(200).body.contains("이시험"));
    let other = portal.sign_in(&portal.account(Role::Clinician, None));
    portal.get(&other, &consent).expect(400);
    let tokens = redeem(&portal, &app, &told(&onward(&portal.post(&visitor, &consent, "")), "code"));
    assert_eq!(tokens["patient"], "p2");
}

#[test]
fn faults_go_to_the_app_or_stay_here() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let get = |address: &str| portal.get(&Visitor::default(), address);
    let back = onward(&get(&authorize(&app, "system/*.rs")));
    assert_eq!(told(&back, "error"), "invalid_scope");
    let elsewhere = authorize(&app, "patient/*.rs").replace("app.example", "evil.example");
    let page = get(&elsewhere).expect(400);
    assert!(page.header("refresh").is_empty() && !page.body.contains("href=\"https://evil"), "{}", page.body);
    get(&authorize("unknown", "patient/*.rs")).expect(400);
    // Systems have nothing to allow here, and no pages either.
    let forged = Request::post("/oauth/authorize").body(Body::empty()).unwrap();
    assert_eq!(portal.ask(forged).expect(405).header("allow"), "GET, HEAD");
}

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
        ("user/Observation.s", "GET", "/fhir/Patient/p1/*", None, 403),
        // What leads to other kinds.
        ("user/Observation.rs", "GET", "/fhir/Observation?_include=Observation:subject", None, 403),
        ("user/Observation.rs", "GET", "/fhir/Observation?_include:iterate=Observation:subject", None, 403),
        ("user/Observation.rs", "GET", "/fhir/Observation?_revinclude=Provenance:target", None, 403),
        ("user/Observation.rs", "GET", "/fhir/Observation?subject:Patient.name=a", None, 403),
        ("user/Observation.rs", "GET", "/fhir/Observation?patient.name=a", None, 403),
        ("user/Patient.rs", "GET", "/fhir/Patient?_has:Observation:patient:code=a", None, 403),
        ("user/*.rs", "GET", "/fhir/Observation?patient.name=a&_include=Observation:subject", None, 200),
        ("user/Patient.rs", "GET", "/fhir/Patient/p1/$everything", None, 403),
        ("user/*.rs", "GET", "/fhir/Patient/p1/$everything", None, 200),
        ("user/Observation.rs", "GET", "/fhir?_type=Observation", None, 403),
        ("user/Observation.rs", "GET", "/fhir/_history", None, 403),
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
        ("user/*.cruds", "POST", "/fhir/Subscription", Some(HOOK), 403),
        ("user/*.cruds", "GET", "/fhir/Subscription/s1/$status", None, 403),
        // Bundles, entry by entry.
        ("user/Observation.c", "POST", "/fhir", Some(READS), 403),
        ("user/Observation.c", "POST", "/fhir", Some(REFERS), 403),
        ("user/Observation.c user/Patient.s", "POST", "/fhir", Some(REFERS), 200),
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

/// Every address for apps: how it is asked for, and what an empty question is answered.
const ADDRESSES: &[(&str, &str, u16)] = &[
    ("GET", "/.well-known/oauth-authorization-server", 200),
    ("GET", "/.well-known/openid-configuration", 200),
    ("GET", "/.well-known/jwks.json", 200),
    ("POST", "/oauth/par", 400),
    ("POST", "/oauth/token", 400),
    ("POST", "/oauth/introspect", 400),
    ("POST", "/oauth/revoke", 400),
];

#[test]
fn every_address_for_apps_is_known_here() {
    let portal = portal();
    let there: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
    let expected: BTreeSet<_> = ADDRESSES.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(there, expected);
    let open = Portal::open();
    for (method, path, status) in ADDRESSES {
        let ask = |portal: &Portal, method: &str, media: &str, with: Option<&str>| {
            let mut request = Request::builder().method(method).uri(*path).header("content-type", media);
            if let Some(value) = with {
                request = request.header("authorization", value);
            }
            portal.ask(request.body(Body::empty()).unwrap())
        };
        let media = "application/x-www-form-urlencoded";
        let reply = ask(&portal, method, media, None).expect(*status);
        assert!(
            reply.header("content-type").starts_with("application/json")
                && !reply.header("x-request-id").is_empty()
        );
        assert_eq!(
            (reply.header("cache-control"), reply.header("x-content-type-options")),
            ("no-store", "nosniff")
        );
        let other = if *method == "GET" { "POST" } else { "GET" };
        ask(&portal, other, media, None).expect(405);
        ask(&portal, method, media, Some("Basic YTpi")).expect(401);
        ask(&open, method, media, None).expect(404);
        if *method == "POST" {
            ask(&portal, method, "application/json", None).expect(400);
        }
    }
    let long = Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("a=b&".repeat(10_000)));
    portal.ask(long.unwrap()).expect(400);
}

#[test]
fn what_is_published_is_there() {
    let portal = portal();
    let get = |path: &str| {
        let reply = portal.get(&Visitor::default(), path).expect(200);
        serde_json::from_str::<Value>(&reply.body).unwrap()
    };
    let metadata = get("/.well-known/oauth-authorization-server");
    let smart = get("/fhir/.well-known/smart-configuration");
    assert_eq!(metadata["issuer"], "http://127.0.0.1:8080");
    assert_eq!(get("/.well-known/openid-configuration"), metadata);
    for (name, value) in smart.as_object().unwrap() {
        if let Some(address) = value.as_str().filter(|_| name != "issuer") {
            assert_eq!(&metadata[name], value);
            let path = address.strip_prefix("http://127.0.0.1:8080").unwrap();
            let status = portal.get(&Visitor::default(), path).status.as_u16();
            assert!([200, 400, 405].contains(&status), "{name}: {status}");
        }
    }
    let capabilities = smart["capabilities"].as_array().unwrap();
    assert!(
        capabilities.contains(&json!("permission-v2")) && !capabilities.contains(&json!("permission-v1"))
    );
    let statement = get("/fhir/metadata");
    let security = &statement["rest"][0]["security"];
    let uris: Vec<_> = security["extension"][0]["extension"].as_array().unwrap().iter().collect();
    let token = uris.iter().find(|uri| uri["url"] == "token").unwrap();
    assert_eq!(token["valueUri"], metadata["token_endpoint"]);
    let keys = get("/.well-known/jwks.json");
    assert_eq!((keys["keys"].as_array().unwrap().len(), keys["keys"][0].get("d")), (1, None));
}

#[test]
fn whoever_guesses_must_wait_and_whoever_knows_need_not() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let guess = || {
        form(
            &portal,
            "/oauth/token",
            &[("grant_type", "refresh_token"), ("client_id", &app), ("refresh_token", "a")],
        )
    };
    for _ in 0..5 {
        assert!(guess().expect(400).body.contains("invalid_grant"));
    }
    let slowed = guess().expect(429);
    assert!(!slowed.header("retry-after").is_empty() && slowed.body.contains("temporarily_unavailable"));
    // From the same address, with what is right.
    let visitor = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    let consent = onward(&portal.get(&visitor, &authorize(&app, "patient/*.rs")));
    redeem(&portal, &app, &told(&onward(&portal.post(&visitor, &consent, "")), "code"));
    // The same at PAR and where people arrive.
    for _ in 0..6 {
        form(&portal, "/oauth/par", &[("client_id", "unknown")]);
    }
    form(&portal, "/oauth/par", &[("client_id", "unknown")]).expect(429);
    for _ in 0..5 {
        portal.get(&Visitor::default(), &authorize("unknown", "openid")).expect(400);
    }
    portal.get(&Visitor::default(), &authorize("unknown", "openid")).expect(429);
    onward(&portal.get(&Visitor::default(), &authorize(&app, "openid")));
    portal.wait_minutes(6);
    guess().expect(400);
}

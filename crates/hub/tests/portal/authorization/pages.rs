//! Where people say yes or no, and where apps are started.

use axum::body::Body;
use axum::http::Request;
use ieum_trust::access::{Access, Role};
use serde_json::json;

use super::{FHIR, app_for_charts, ask, authorize, code_of, onward, portal, redeem, register, told};
use crate::support::Visitor;

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
    for text in ["See all your records", "For 5 minutes", "Learn who you are"] {
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
    let app = app_for_charts(&portal);
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

//! Requests for authorization: what is asked on a page, what goes back to the app, and what goes nowhere.

use ieum_trust::access::Role;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::request::{Launch, WAIT_SECONDS};
use ieum_trust::authorization::server::Visit;

use crate::support::{BACK, Bench, CHALLENGE, FHIR, ISSUER, PAR, VERIFIER, bare, error, pairs, told, with};

#[test]
fn faults_are_told_the_app_where_its_address_is_certain() {
    let bench = Bench::new();
    let app = bench.public();
    let long = "a".repeat(1_025);
    let system = "system/*.rs";
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("response_type", "id_token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("response_mode", "form_post", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "abc", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("aud", "", "invalid_request"),
        ("aud", "https://other.example/fhir", "invalid_target"),
        ("resource", "https://other.example/fhir", "invalid_target"),
        ("scope", "", "invalid_request"),
        ("scope", "everything", "invalid_scope"),
        ("scope", "user/*.cruds", "invalid_scope"),
        ("scope", system, "invalid_scope"),
        ("scope", "patient/*.rs?code=a", "invalid_scope"),
        ("scope", "launch patient/*.rs", "invalid_scope"),
        ("launch", "abc", "invalid_scope"),
        ("request", "a.b.c", "request_not_supported"),
        ("prompt", "none", "interaction_required"),
        ("nonce", &long, "invalid_request"),
        ("dpop_jkt", "abc", "invalid_request"),
    ] {
        let visit = bench.server.visit(&with(app.asking("patient/*.rs"), name, value), bench.now());
        let Ok(Visit::Back(back)) = visit else { panic!("{name}={value}: {visit:?}") };
        assert_eq!(told(&back, "error"), expected, "{name}={value}");
        assert_eq!((back.redirect_uri.as_str(), told(&back, "state")), (BACK, "s-1".into()));
        assert_eq!(told(&back, "iss"), ISSUER, "RFC 9207 holds for errors too");
        assert_eq!(told(&back, "code"), "");
    }
    let slash = with(app.asking("patient/*.rs"), "aud", &format!("{FHIR}/"));
    assert!(matches!(bench.server.visit(&slash, bench.now()), Ok(Visit::Ask(_))));
}

// threat: 19
#[test]
fn nothing_is_sent_to_an_address_that_is_not_registered() {
    let bench = Bench::new();
    let app = bench.public();
    for uri in [
        "",
        "https://evil.example/",
        "https://app.example/back/",
        "https://app.example/back?a=b",
        "https://app.example/BACK",
        "https://app.example/back#a",
        "http://app.example/back",
        "https://app.example/back/../other",
        "http://127.0.0.1:10/back?a=b",
    ] {
        let visit = bench.server.visit(&with(app.asking("openid"), "redirect_uri", uri), bench.now());
        assert!(
            matches!(visit, Err(Fault::RedirectUri | Fault::Missing("redirect_uri"))),
            "{uri}: {visit:?}"
        );
    }
    for id in ["", "unknown", "../IeumAccount/a", &"a".repeat(100)] {
        let visit = bench.server.visit(&with(app.asking("openid"), "client_id", id), bench.now());
        assert!(matches!(visit, Err(Fault::UnknownClient | Fault::Missing("client_id"))), "{id}: {visit:?}");
    }
    let twice = [app.asking("openid"), pairs(&[("redirect_uri", "https://evil.example/")])].concat();
    assert_eq!(bench.server.visit(&twice, bench.now()), Err(Fault::Repeated));
}

#[test]
fn the_strict_policy_takes_pushed_requests_only() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.strict());
    let Ok(Visit::Back(back)) = bench.server.visit(&app.asking("openid"), bench.now()) else { panic!() };
    assert_eq!(told(&back, "error"), "invalid_request");

    let pushed = app.push(app.asking("openid")).unwrap();
    let uri = pushed["request_uri"].as_str().unwrap();
    assert_eq!(pushed["expires_in"], WAIT_SECONDS);
    let visit = |id: &str, uri: &str| {
        bench.server.visit(&pairs(&[("client_id", id), ("request_uri", uri)]), bench.now())
    };
    assert_eq!(visit(&other.id, uri), Err(Fault::RequestUri), "another app's");
    assert_eq!(visit(&app.id, "https://evil.example/request"), Err(Fault::RequestUri));
    assert_eq!(visit(&app.id, &format!("{uri}a")), Err(Fault::RequestUri));
    // A page may be loaded again before somebody says yes.
    assert_eq!(visit(&app.id, uri), visit(&app.id, uri));
    let Ok(Visit::Ask(name)) = visit(&app.id, uri) else { panic!() };
    let user = bench.user(Role::Clinician, None);
    bench.server.allow(&name, &user, None, bench.now()).unwrap();
    assert_eq!(visit(&app.id, uri), Err(Fault::RequestUri), "used");
    assert_eq!(bench.server.allow(&name, &user, None, bench.now()), Err(Fault::RequestUri));

    let pushed = app.push(app.asking("openid")).unwrap();
    bench.later(WAIT_SECONDS);
    assert_eq!(visit(&app.id, pushed["request_uri"].as_str().unwrap()), Err(Fault::RequestUri), "over");
}

#[test]
fn a_pushed_request_names_no_pushed_request() {
    let bench = Bench::new();
    let app = bench.strict();
    let pushed = app.push(app.asking("openid")).unwrap();
    let inside = with(app.asking("openid"), "request_uri", pushed["request_uri"].as_str().unwrap());
    assert_eq!(app.push(inside), Err(Fault::RequestUriInside));
    assert_eq!(error(app.push(with(app.asking("openid"), "request", "a.b.c"))), "request_not_supported");
    assert_eq!(app.push(with(app.asking("openid"), "redirect_uri", "")), Err(Fault::Missing("redirect_uri")));
    assert_eq!(
        app.push(with(app.asking("openid"), "redirect_uri", "https://evil.example")),
        Err(Fault::RedirectUri)
    );
    assert_eq!(
        error(app.push(with(app.asking("openid"), "code_challenge_method", "plain"))),
        "invalid_request"
    );
    let public = bench.public();
    assert!(
        bench.server.push(&public.asking("openid"), bare(PAR), bench.now()).is_ok(),
        "apps without keys may push"
    );
    let _ = (CHALLENGE, VERIFIER);
}

#[test]
fn somebody_says_no() {
    let bench = Bench::new();
    let app = bench.strict();
    let user = bench.user(Role::Patient, Some("p1"));
    let name = app.ask("patient/*.rs");
    let back = bench.server.deny(&name, &user, bench.now()).unwrap();
    assert_eq!((told(&back, "error"), told(&back, "iss")), ("access_denied".into(), ISSUER.into()));
    assert_eq!(bench.server.allow(&name, &user, None, bench.now()), Err(Fault::RequestUri), "that was it");
}

#[test]
fn a_patient_is_known_or_chosen() {
    let bench = Bench::new();
    let app = bench.strict();
    let (patient, clinician) = (bench.user(Role::Patient, Some("p1")), bench.user(Role::Clinician, None));
    let now = bench.now();
    // Patients are themselves, whatever they choose.
    let back = bench.server.allow(&app.ask("patient/*.rs"), &patient, Some("p2"), now).unwrap();
    assert_eq!(app.token(app.redeeming(&told(&back, "code"))).unwrap()["patient"], "p1");
    // Others choose one that they reach.
    let name = app.ask("launch/patient patient/*.rs");
    assert_eq!(
        bench.server.must_choose(&bench.server.waiting(&name, now).unwrap().0, &clinician, now),
        Ok(true)
    );
    for chosen in [None, Some(""), Some("p3"), Some("../p1")] {
        assert_eq!(
            bench.server.allow(&name, &clinician, chosen, now),
            Err(Fault::Missing("patient")),
            "{chosen:?}"
        );
    }
    let back = bench.server.allow(&name, &clinician, Some("p2"), now).unwrap();
    assert_eq!(app.token(app.redeeming(&told(&back, "code"))).unwrap()["patient"], "p2");
    // Operators reach no record.
    let operator = bench.user(Role::Operator, None);
    let name = app.ask("patient/*.rs");
    assert_eq!(bench.server.allow(&name, &operator, Some("p1"), now), Err(Fault::Missing("patient")));
    // Where no patient is asked for, none is told.
    let back = bench.server.allow(&app.ask("openid user/*.rs"), &patient, None, now).unwrap();
    assert!(app.token(app.redeeming(&told(&back, "code"))).unwrap().get("patient").is_none());
}

#[test]
fn a_launch_is_for_one_app_and_one_user_once() {
    let bench = Bench::new();
    let (app, other) = (bench.public(), bench.public());
    let (user, somebody) = (bench.user(Role::Clinician, None), bench.user(Role::Clinician, None));
    let ask = |launch: &str| {
        let asking = with(app.asking("launch patient/*.rs"), "launch", launch);
        match bench.server.visit(&asking, bench.now()) {
            Ok(Visit::Ask(name)) => name,
            other => panic!("{other:?}"),
        }
    };
    let launch = |account: &str, client: &str| {
        let launch = Launch { account: account.into(), client: client.into(), patient: "p2".into() };
        bench.server.launch(launch, bench.now()).unwrap()
    };
    let allow = |launch: &str| bench.server.allow(&ask(launch), &user, Some("p1"), bench.now());
    assert_eq!(allow("guessed"), Err(Fault::Launch));
    assert_eq!(allow(&launch(&somebody.actor, &app.id)), Err(Fault::Launch), "another user's");
    assert_eq!(allow(&launch(&user.actor, &other.id)), Err(Fault::Launch), "another app's");
    let good = launch(&user.actor, &app.id);
    let back = allow(&good).unwrap();
    assert_eq!(app.token(app.redeeming(&told(&back, "code"))).unwrap()["patient"], "p2", "that of the chart");
    assert_eq!(allow(&good), Err(Fault::Launch), "again");
    let old = launch(&user.actor, &app.id);
    bench.later(WAIT_SECONDS);
    assert_eq!(allow(&old), Err(Fault::Launch), "over");
}

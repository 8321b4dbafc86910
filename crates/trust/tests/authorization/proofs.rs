//! DPoP: who holds the key, and who only has the token.

use ieum_trust::access::Role;
use ieum_trust::authorization::dpop::Sent;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::server::{Authority, Scheme};
use serde_json::{Value, json};

use crate::support::{App, AppKey, Bench, FHIR, TOKEN, error, told};

/// Uses a token with these proofs.
fn used(app: &App<'_>, token: &str, scheme: Scheme, proofs: &[&str]) -> Result<Authority, Fault> {
    let url = format!("{FHIR}/Patient/p1");
    app.bench.server.authority(
        token,
        scheme,
        Sent { proofs, method: "GET", url: &url, certificate: None },
        app.bench.now(),
    )
}

type Change = fn(&mut Value, &mut Value, i64);

// threat: 5
#[test]
fn proofs_that_are_not_of_this_request_are_refused() {
    let bench = Bench::new();
    let app = bench.strict();
    let tokens = app.tokens("user/*.rs", &bench.user(Role::Clinician, None));
    let token = tokens["access_token"].as_str().unwrap();
    let key = app.dpop.as_ref().unwrap();
    let cases: &[(&str, Change, bool)] = &[
        ("as it is", |_, _, _| {}, true),
        ("a query in htu", |_, claims, _| claims["htu"] = format!("{FHIR}/Patient/p1?a=b").into(), true),
        (
            "the port in htu",
            |_, claims, _| claims["htu"] = "HTTPS://hub.example:443/fhir/Patient/p1".into(),
            true,
        ),
        ("typ JWT", |header, _, _| header["typ"] = "JWT".into(), false),
        ("no typ", |header, _, _| drop(header.as_object_mut().unwrap().remove("typ")), false),
        ("alg none", |header, _, _| header["alg"] = "none".into(), false),
        ("alg HS256", |header, _, _| header["alg"] = "HS256".into(), false),
        ("alg ES384", |header, _, _| header["alg"] = "ES384".into(), false),
        ("no jwk", |header, _, _| drop(header.as_object_mut().unwrap().remove("jwk")), false),
        ("a private key in jwk", |header, _, _| header["jwk"]["d"] = "AAAA".into(), false),
        ("a symmetric key", |header, _, _| header["jwk"] = json!({ "kty": "oct", "k": "AAAA" }), false),
        ("jku beside jwk", |header, _, _| header["jku"] = "https://evil.example".into(), false),
        ("another method", |_, claims, _| claims["htm"] = "POST".into(), false),
        ("small letters", |_, claims, _| claims["htm"] = "get".into(), false),
        ("no htm", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("htm")), false),
        ("another address", |_, claims, _| claims["htu"] = format!("{FHIR}/Patient/p2").into(), false),
        ("another host", |_, claims, _| claims["htu"] = "https://evil.example/fhir/Patient/p1".into(), false),
        ("a path alone", |_, claims, _| claims["htu"] = "/fhir/Patient/p1".into(), false),
        ("no htu", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("htu")), false),
        (
            "another ath",
            |_, claims, _| claims["ath"] = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo".into(),
            false,
        ),
        ("no ath", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("ath")), false),
        ("a minute old", |_, claims, now| claims["iat"] = (now - 60).into(), true),
        ("over a minute old", |_, claims, now| claims["iat"] = (now - 61).into(), false),
        ("from the future", |_, claims, now| claims["iat"] = (now + 11).into(), false),
        ("no iat", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("iat")), false),
        ("no jti", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("jti")), false),
        ("an empty jti", |_, claims, _| claims["jti"] = "".into(), false),
        ("a long jti", |_, claims, _| claims["jti"] = "a".repeat(257).into(), false),
    ];
    bench.later(100);
    for (case, change, taken) in cases {
        let mut header = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": key.jwk() });
        let mut claims = app.proof_claims("GET", &format!("{FHIR}/Patient/p1"), Some(token));
        change(&mut header, &mut claims, bench.now());
        let result = used(&app, token, Scheme::Dpop, &[&key.sign(&header, &claims)]);
        assert_eq!(result.is_ok(), *taken, "{case}: {result:?}");
        if let Err(fault) = result {
            assert_eq!(fault.error(), "invalid_dpop_proof", "{case}");
        }
    }
}

// threat: 5
#[test]
fn a_token_is_worth_nothing_without_its_key() {
    let bench = Bench::new();
    let mut app = bench.strict();
    let tokens = app.tokens("user/*.rs", &bench.user(Role::Clinician, None));
    let token = tokens["access_token"].as_str().unwrap();
    let proof = |app: &App<'_>| app.proof("GET", &format!("{FHIR}/Patient/p1"), Some(token)).unwrap();
    assert_eq!(error(used(&app, token, Scheme::Dpop, &[])), "invalid_dpop_proof", "no proof");
    assert_eq!(error(used(&app, token, Scheme::Bearer, &[])), "invalid_token", "as a bearer token");
    let good = proof(&app);
    assert_eq!(
        error(used(&app, token, Scheme::Bearer, &[&good])),
        "invalid_token",
        "as a bearer token, with proof"
    );
    let two = [proof(&app), proof(&app)];
    assert_eq!(
        error(used(&app, token, Scheme::Dpop, &[&two[0], &two[1]])),
        "invalid_dpop_proof",
        "two proofs"
    );
    for malformed in ["", "abc", "a.b.c", &good[..good.len() - 4]] {
        assert_eq!(error(used(&app, token, Scheme::Dpop, &[malformed])), "invalid_dpop_proof", "{malformed}");
    }
    assert!(used(&app, token, Scheme::Dpop, &[&good]).is_ok());
    assert_eq!(error(used(&app, token, Scheme::Dpop, &[&good])), "invalid_dpop_proof", "a proof again");
    app.dpop = Some(AppKey::new());
    assert_eq!(error(used(&app, token, Scheme::Dpop, &[&proof(&app)])), "invalid_dpop_proof", "another key");
    // And a token that is bound to none is not made stronger by a proof of anything.
    let public = bench.public();
    let user = bench.user(Role::Patient, Some("p1"));
    let tokens = public.tokens("patient/*.rs", &user);
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(error(used(&app, token, Scheme::Dpop, &[&proof(&app)])), "invalid_token");
}

// threat: 5
#[test]
fn codes_and_refresh_tokens_are_bound_too() {
    let bench = Bench::new();
    let user = bench.user(Role::Patient, Some("p1"));
    let mut strict = bench.strict();
    let code = strict.code("patient/*.rs", &user);
    let key = strict.dpop.replace(AppKey::new());
    assert_eq!(
        error(strict.token(strict.redeeming(&code))),
        "invalid_dpop_proof",
        "another key than was pushed"
    );
    strict.dpop = None;
    assert_eq!(error(strict.token(strict.redeeming(&code))), "invalid_dpop_proof", "fapi2 without a key");
    strict.dpop = key;
    assert!(strict.token(strict.redeeming(&code)).is_ok(), "the failures have not used it");

    // An app without keys of its own is held to its DPoP key, if it has one.
    let mut public = bench.public();
    public.dpop = Some(AppKey::new());
    let tokens = public.tokens("offline_access patient/*.rs", &user);
    assert_eq!(tokens["token_type"], "DPoP");
    assert!(public.refresh(&tokens).is_ok());
    let key = public.dpop.replace(AppKey::new());
    assert_eq!(error(public.refresh(&tokens)), "invalid_grant", "another key");
    public.dpop = None;
    assert_eq!(error(public.refresh(&tokens)), "invalid_grant", "no key");
    public.dpop = key;
    let refreshed = public.refresh(&tokens).unwrap();
    assert!(refreshed.get("refresh_token").is_none(), "bound tokens do not rotate");
}

#[test]
fn the_thumbprint_of_a_request_must_be_that_of_the_proof() {
    let bench = Bench::new();
    let app = bench.strict();
    let mut asking = app.asking("openid");
    asking.push(("dpop_jkt".into(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into()));
    assert_eq!(error(app.push(asking.clone())), "invalid_dpop_proof");
    // Without a proof at PAR the thumbprint alone binds the code.
    let pushed = bench
        .server
        .push(&app.proven(asking), crate::support::bare(crate::support::PAR), bench.now())
        .unwrap();
    let name = pushed["request_uri"].as_str().unwrap().rsplit(':').next().unwrap();
    let user = bench.user(Role::Clinician, None);
    let code = told(&bench.server.allow(name, &user, None, bench.now()).unwrap(), "code");
    assert_eq!(error(app.token(app.redeeming(&code))), "invalid_dpop_proof");
    let proof = app.proof("POST", TOKEN, None).unwrap();
    let again =
        Sent { proofs: &[&proof], method: "POST", url: "https://hub.example/oauth/par", certificate: None };
    assert_eq!(
        error(bench.server.token(&app.proven(app.redeeming(&code)), again, bench.now())),
        "invalid_dpop_proof"
    );
}

//! An app proves who it is, or not.

use ieum_trust::access::Role;
use ieum_trust::authorization::assertion::TYPE;
use ieum_trust::authorization::fault::Fault;
use serde_json::{Value, json};

use crate::support::{App, AppKey, Bench, ISSUER, PAR, TOKEN, bare, error, pairs, with};

/// A push with this assertion.
fn pushed(app: &App<'_>, assertion: &str) -> Result<Value, Fault> {
    let pairs = with(app.proven(app.asking("openid")), "client_assertion", assertion);
    app.bench.server.push(&pairs, bare(PAR), app.bench.now())
}

type Change = fn(&mut Value, i64);

// threat: 6
#[test]
fn assertions_that_claim_wrongly_are_refused() {
    let bench = Bench::new();
    let app = bench.strict();
    let cases: &[(&str, Change, bool)] = &[
        ("as it is", |_, _| {}, true),
        ("another aud", |claims, _| claims["aud"] = "https://other.example".into(), false),
        ("the token endpoint as aud", |claims, _| claims["aud"] = TOKEN.into(), false),
        ("the PAR endpoint as aud", |claims, _| claims["aud"] = PAR.into(), false),
        ("an array as aud", |claims, _| claims["aud"] = json!([ISSUER]), false),
        ("a slash more", |claims, _| claims["aud"] = format!("{ISSUER}/").into(), false),
        ("no aud", |claims, _| drop(claims.as_object_mut().unwrap().remove("aud")), false),
        ("no sub", |claims, _| drop(claims.as_object_mut().unwrap().remove("sub")), false),
        ("another iss", |claims, _| claims["iss"] = "somebody".into(), false),
        ("no iss", |claims, _| drop(claims.as_object_mut().unwrap().remove("iss")), false),
        ("over for 5 minutes", |claims, now| claims["exp"] = (now - 300).into(), false),
        ("over for a second", |claims, now| claims["exp"] = now.into(), false),
        ("5 minutes", |claims, now| claims["exp"] = (now + 300).into(), true),
        ("an hour", |claims, now| claims["exp"] = (now + 3_600).into(), false),
        ("no exp", |claims, _| drop(claims.as_object_mut().unwrap().remove("exp")), false),
        ("exp as text", |claims, now| claims["exp"] = (now + 60).to_string().into(), false),
        ("10 s ahead", |claims, now| claims["iat"] = (now + 10).into(), true),
        ("61 s ahead", |claims, now| claims["iat"] = (now + 61).into(), false),
        ("not before 61 s", |claims, now| claims["nbf"] = (now + 61).into(), false),
        ("nbf as text", |claims, _| claims["nbf"] = "0".into(), false),
        ("before the last start", |claims, now| claims["iat"] = (now - 1_000).into(), false),
        ("no jti", |claims, _| drop(claims.as_object_mut().unwrap().remove("jti")), false),
        ("an empty jti", |claims, _| claims["jti"] = "".into(), false),
        ("a long jti", |claims, _| claims["jti"] = "a".repeat(257).into(), false),
    ];
    for (case, change, taken) in cases {
        bench.later(1);
        let mut claims = app.claims();
        change(&mut claims, bench.now());
        let result = pushed(&app, &app.assertion(&claims));
        assert_eq!(result.is_ok(), *taken, "{case}: {result:?}");
        if let Err(fault) = result {
            assert_eq!(fault.error(), "invalid_client", "{case}");
        }
    }
}

// threat: 6
#[test]
fn assertions_that_are_signed_wrongly_are_refused() {
    let bench = Bench::new();
    let app = bench.strict();
    let (own, other) = (app.key.as_ref().unwrap(), AppKey::new());
    for (case, header, key) in [
        ("RS256", json!({ "alg": "RS256" }), own),
        ("none", json!({ "alg": "none" }), own),
        ("HS256", json!({ "alg": "HS256" }), own),
        ("ES384 under fapi2", json!({ "alg": "ES384" }), own),
        ("PS256 with an EC key", json!({ "alg": "PS256" }), own),
        ("EdDSA with an EC key", json!({ "alg": "EdDSA" }), own),
        ("another key", json!({ "alg": "ES256" }), &other),
        ("another key in the header", json!({ "alg": "ES256", "jwk": other.jwk() }), &other),
        ("a set of keys elsewhere", json!({ "alg": "ES256", "jku": "https://evil.example" }), &other),
        ("a certificate elsewhere", json!({ "alg": "ES256", "x5u": "https://evil.example" }), &other),
        ("a kid of no key", json!({ "alg": "ES256", "kid": "../../dev/null" }), own),
        ("an extension", json!({ "alg": "ES256", "crit": ["b64"], "b64": false }), own),
    ] {
        let result = pushed(&app, &key.sign(&header, &app.claims()));
        assert_eq!(error(result), "invalid_client", "{case}");
    }
    let other_app = bench.strict();
    let of_another = other_app.assertion(&app.claims());
    assert_eq!(error(pushed(&app, &of_another)), "invalid_client", "another app's key");
    assert_eq!(
        error(pushed(&app, &other_app.assertion(&other_app.claims()))),
        "invalid_client",
        "another client_id"
    );
}

// threat: 5
#[test]
fn an_assertion_is_used_once() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.strict());
    let claims = app.claims();
    pushed(&app, &app.assertion(&claims)).unwrap();
    assert_eq!(pushed(&app, &app.assertion(&claims)), Err(Fault::AssertionAgain));
    bench.later(59);
    assert_eq!(pushed(&app, &app.assertion(&claims)), Err(Fault::AssertionAgain), "as long as it counts");
    // The same name from another app is another one.
    let mut same = other.claims();
    same["jti"] = claims["jti"].clone();
    pushed(&other, &other.assertion(&same)).unwrap();
}

#[test]
fn there_is_one_way_to_prove_who_an_app_is() {
    let bench = Bench::new();
    let (app, public) = (bench.strict(), bench.public());
    let push = |pairs| error(bench.server.push(&pairs, bare(PAR), bench.now()));
    let good = || app.proven(app.asking("openid"));
    assert_eq!(push(with(good(), "client_assertion", "")), "invalid_client", "nothing");
    assert_eq!(push(with(good(), "client_secret", "secret")), "invalid_client", "a secret as well");
    assert_eq!(push(with(good(), "client_assertion_type", "")), "invalid_client");
    assert_eq!(push(with(good(), "client_assertion_type", "urn:other")), "invalid_client");
    assert_eq!(push(with(good(), "client_id", &public.id)), "invalid_client", "another app's id");
    assert_eq!(push(with(app.asking("openid"), "client_id", "unknown")), "invalid_client");
    let twice = [good(), pairs(&[("client_id", &app.id)])].concat();
    assert_eq!(push(twice), "invalid_request", "a parameter twice");
    // An app without keys does not get some by sending an assertion.
    let mut claims = app.claims();
    (claims["iss"], claims["sub"]) = (public.id.as_str().into(), public.id.as_str().into());
    let pairs = with(public.asking("openid"), "client_assertion", &app.assertion(&claims));
    assert_eq!(push(with(pairs, "client_assertion_type", TYPE)), "invalid_client");
    // The client_id may be left out (SMART, backend services): the assertion says it.
    assert!(bench.server.push(&with(good(), "client_id", ""), bare(PAR), bench.now()).is_ok());
}

#[test]
fn under_the_policy_smart_the_token_address_is_an_audience_too() {
    let bench = Bench::new();
    let service = bench.user(Role::Service, None);
    let app = bench.backend(&service.actor);
    for (aud, taken) in
        [(json!(TOKEN), true), (json!(ISSUER), true), (json!(PAR), false), (json!([TOKEN]), false)]
    {
        let mut claims = app.claims();
        claims["aud"] = aud;
        let form = pairs(&[("grant_type", "client_credentials"), ("scope", "system/*.rs")]);
        let form = with(app.proven(form), "client_assertion", &app.assertion(&claims));
        assert_eq!(bench.server.token(&form, bare(TOKEN), bench.now()).is_ok(), taken, "{claims}");
    }
}

#[test]
fn an_app_that_was_removed_proves_nothing() {
    let bench = Bench::new();
    let app = bench.strict();
    let access = ieum_trust::access::Access::system("test");
    assert!(ieum_trust::authorization::client::remove(&bench.door, &access, &app.id).unwrap());
    assert_eq!(pushed(&app, &app.assertion(&app.claims())), Err(Fault::UnknownClient));
}

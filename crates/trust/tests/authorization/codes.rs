//! Codes and refresh tokens: used once, by the app they were given to, within their time.

use ieum_trust::access::Role;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::grant::{CODE_SECONDS, OFFLINE_SECONDS};

use crate::support::{Bench, TOKEN, VERIFIER, bare, error, pairs, with};

#[test]
fn a_code_is_for_one_app_one_address_and_one_verifier() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.strict());
    let user = bench.user(Role::Patient, Some("p1"));
    let code = app.code("patient/*.rs", &user);
    let good = || app.redeeming(&code);
    assert_eq!(other.token(good()), Err(Fault::Code), "another app");
    assert_eq!(app.token(with(good(), "code", "guessed")), Err(Fault::Code));
    assert_eq!(app.token(with(good(), "code", "")), Err(Fault::Missing("code")));
    assert_eq!(app.token(with(good(), "redirect_uri", "https://app.example/other")), Err(Fault::Code));
    assert_eq!(app.token(with(good(), "redirect_uri", "")), Err(Fault::Missing("redirect_uri")));
    assert_eq!(app.token(with(good(), "code_verifier", "")), Err(Fault::Missing("code_verifier")));
    assert_eq!(app.token(with(good(), "code_verifier", &VERIFIER.replace('d', "e"))), Err(Fault::Verifier));
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        assert_eq!(error(app.token(with(good(), "grant_type", grant))), "unsupported_grant_type");
    }
    bench.later(CODE_SECONDS);
    assert!(app.token(good()).is_ok(), "to the last second, and no failure has used it");

    let late = app.code("patient/*.rs", &user);
    bench.later(CODE_SECONDS + 1);
    assert_eq!(app.token(app.redeeming(&late)), Err(Fault::Code), "over");
}

// threat: 5
#[test]
fn a_code_used_twice_ends_what_came_of_it() {
    let bench = Bench::new();
    let app = bench.strict();
    let user = bench.user(Role::Patient, Some("p1"));
    let code = app.code("offline_access patient/*.rs", &user);
    let tokens = app.token(app.redeeming(&code)).unwrap();
    assert!(app.use_token(&tokens).is_ok() && app.refresh(&tokens).is_ok());
    assert_eq!(app.token(app.redeeming(&code)), Err(Fault::Code));
    assert_eq!(app.use_token(&tokens), Err(Fault::Token));
    assert_eq!(app.refresh(&tokens), Err(Fault::Refresh));
}

#[test]
fn refresh_tokens_are_for_their_app() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.strict());
    let user = bench.user(Role::Patient, Some("p1"));
    let tokens = app.tokens("offline_access openid patient/*.rs", &user);
    assert_eq!(other.refresh(&tokens), Err(Fault::Refresh), "another app");
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = pairs(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &app.id)]);
    assert_eq!(error(bench.server.token(&form, bare(TOKEN), bench.now())), "invalid_client", "without proof");
    // No rotation, as FAPI 2.0 has it.
    let refreshed = app.refresh(&tokens).unwrap();
    assert!(refreshed.get("refresh_token").is_none() && app.refresh(&tokens).is_ok());
    assert_eq!(refreshed["patient"], "p1");
    // Less may be asked for, more may not.
    let with_scope = |scope: &str| app.token(with(form.clone(), "scope", scope));
    assert_eq!(with_scope("patient/Observation.rs").unwrap()["scope"], "patient/Observation.rs");
    assert_eq!(with_scope("user/*.cruds"), Err(Fault::ScopeBeyond));
    assert_eq!(with_scope("patient/*.cruds"), Err(Fault::ScopeBeyond));
    assert_eq!(
        app.refresh(&tokens).unwrap()["scope"],
        "offline_access openid patient/*.rs",
        "and it is still whole"
    );
    bench.later(OFFLINE_SECONDS);
    assert_eq!(app.refresh(&tokens), Err(Fault::Refresh), "over");
}

#[test]
fn without_offline_access_there_is_no_refresh_token() {
    let bench = Bench::new();
    let app = bench.strict();
    let tokens = app.tokens("patient/*.rs", &bench.user(Role::Patient, Some("p1")));
    assert!(tokens.get("refresh_token").is_none());
}

// threat: 5
#[test]
fn refresh_tokens_that_nothing_binds_are_used_once() {
    let bench = Bench::new();
    let app = bench.public();
    let user = bench.user(Role::Patient, Some("p1"));
    let first = app.tokens("offline_access patient/*.rs", &user);
    let second = app.refresh(&first).unwrap();
    let third = app.refresh(&second).unwrap();
    assert!(app.use_token(&third).is_ok());
    assert_eq!(app.refresh(&second), Err(Fault::Refresh), "somebody uses what was used up");
    assert_eq!(app.refresh(&third), Err(Fault::Refresh), "so nobody keeps it");
    assert_eq!(app.use_token(&third), Err(Fault::Token));
}

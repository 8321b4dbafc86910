//! Access tokens: what they give, and when they end.

use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, Account};
use ieum_trust::authorization::client;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::keys::{KEY_SECONDS, TOKEN_SECONDS};
use ieum_trust::person::{PERSON, Person, State};
use serde_json::{Value, json};

use crate::support::{App, AppKey, Bench, FHIR, ISSUER, TOKEN, bare, error, pairs, with};

fn part(token: &str, index: usize) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(index).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn on_its_own(app: &App<'_>, scope: &str) -> Result<Value, Fault> {
    app.token(pairs(&[("grant_type", "client_credentials"), ("scope", scope)]))
}

#[test]
fn a_token_says_what_it_is_and_gives_that() {
    let bench = Bench::new();
    let app = bench.strict();
    let user = bench.user(Role::Patient, Some("p1"));
    let tokens = app.tokens("openid fhirUser patient/Observation.rs", &user);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("DPoP"), &json!(300)));
    assert_eq!(
        (&tokens["patient"], &tokens["scope"]),
        (&json!("p1"), &json!("openid fhirUser patient/Observation.rs"))
    );
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(part(token, 0)["typ"], "at+jwt");
    let claims = part(token, 1);
    for (name, expected) in
        [("iss", ISSUER), ("aud", FHIR), ("sub", &user.actor), ("client_id", &app.id), ("patient", "p1")]
    {
        assert_eq!(claims[name], expected);
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    let authority = app.use_token(&tokens).unwrap();
    assert_eq!((authority.access, authority.client), (user.clone(), app.id.clone()));
    assert_eq!(
        (authority.scopes.to_string().as_str(), authority.patient.as_deref()),
        (tokens["scope"].as_str().unwrap(), Some("p1"))
    );

    let id_token = part(tokens["id_token"].as_str().unwrap(), 1);
    for (name, expected) in [("iss", ISSUER), ("aud", &app.id), ("sub", &user.actor), ("nonce", "n-1")] {
        assert_eq!(id_token[name], expected);
    }
    assert_eq!(id_token["fhirUser"], format!("{FHIR}/Patient/p1"));
    let as_access = json!({ "access_token": tokens["id_token"] });
    assert_eq!(app.use_token(&as_access), Err(Fault::Token), "an ID token is no access token");
}

/// Ends what a token stands on.
type End = fn(&Bench, &App<'_>, &Access, &Value);

// threat: 5
#[test]
fn tokens_end_with_whatever_they_stand_on() {
    let bench = Bench::new();
    let ends: [(&str, End); 5] = [
        ("time", |bench, _, _, _| bench.later(TOKEN_SECONDS)),
        ("the account", |bench, _, user, _| bench.remove_account(&user.actor)),
        ("the app", |bench, app, _, _| {
            assert!(client::remove(&bench.door, &Access::system("test"), &app.id).unwrap());
        }),
        ("the access token, revoked", |bench, app, _, tokens| {
            let token = tokens["access_token"].as_str().unwrap();
            bench.server.revoke(&app.proven(pairs(&[("token", token)])), bare(TOKEN), bench.now()).unwrap();
        }),
        ("the refresh token, revoked", |bench, app, _, tokens| {
            let token = tokens["refresh_token"].as_str().unwrap();
            let form = pairs(&[("token", token), ("token_type_hint", "refresh_token")]);
            bench.server.revoke(&app.proven(form), bare(TOKEN), bench.now()).unwrap();
        }),
    ];
    for (what, end) in ends {
        let app = bench.strict();
        let user = bench.user(Role::Patient, Some("p1"));
        let tokens = app.tokens("offline_access patient/*.rs", &user);
        assert!(app.use_token(&tokens).is_ok());
        end(&bench, &app, &user, &tokens);
        assert_eq!(app.use_token(&tokens), Err(Fault::Token), "{what}");
        assert_eq!(app.refresh(&tokens).is_ok(), what == "time", "{what}");
    }
}

#[test]
fn whoever_may_not_enter_acts_by_no_app() {
    let bench = Bench::new();
    let app = bench.strict();
    let write = |state: State| {
        let person = Person { state, ..Person::invited("kim", "김시험") };
        account::put_own(&bench.door, &Access::system("test"), "test", &PERSON, "kim", &person).unwrap();
    };
    write(State::Active);
    let account = Account { person: Some("kim".into()), ..Account::new("시험", Role::Clinician) };
    let user = bench.user_of(account, &account::new_secret().unwrap());
    let tokens = app.tokens("offline_access user/*.rs", &user);
    assert!(app.use_token(&tokens).is_ok());
    for state in [State::Locked, State::Ended, State::Invited] {
        write(state);
        assert_eq!(app.use_token(&tokens), Err(Fault::Token), "{state:?}");
        assert_eq!(app.refresh(&tokens), Err(Fault::Refresh), "{state:?}");
    }
    write(State::Active);
    assert!(app.use_token(&tokens).is_ok());
}

// threat: 6
#[test]
fn tokens_of_others_are_nothing() {
    let bench = Bench::new();
    let app = bench.strict();
    let tokens = app.tokens("user/*.rs", &bench.user(Role::Clinician, None));
    let token = tokens["access_token"].as_str().unwrap();
    let (header, claims, key) = (part(token, 0), part(token, 1), AppKey::new());
    let with_jwk = {
        let mut header = header.clone();
        header["jwk"] = key.jwk();
        header
    };
    let mut other_kid = header.clone();
    other_kid["kid"] = "another".into();
    for forged in [key.sign(&header, &claims), key.sign(&with_jwk, &claims), key.sign(&other_kid, &claims)] {
        assert_eq!(app.use_token(&json!({ "access_token": forged })), Err(Fault::Token));
    }
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", token.split('.').nth(1).unwrap());
    for nothing in [none.as_str(), "", "a.b.c", &token[1..], &token[..token.len() - 2]] {
        assert_eq!(app.use_token(&json!({ "access_token": nothing })), Err(Fault::Token), "{nothing}");
    }
    // A hub that was set up elsewhere, with other keys and the same address.
    let elsewhere = Bench::new();
    let strict = elsewhere.strict();
    let foreign = strict.tokens("user/*.rs", &elsewhere.user(Role::Clinician, None));
    assert_eq!(app.use_token(&foreign), Err(Fault::Token));
}

#[test]
fn a_key_that_is_due_is_replaced_and_tokens_go_on() {
    let bench = Bench::new();
    let app = bench.public();
    let user = bench.user(Role::Patient, Some("p1"));
    bench.later(KEY_SECONDS - 1);
    let before = app.tokens("patient/*.rs", &user);
    bench.later(1);
    let after = app.tokens("patient/*.rs", &user);
    let kid = |tokens: &Value| part(tokens["access_token"].as_str().unwrap(), 0)["kid"].clone();
    assert_ne!(kid(&before), kid(&after));
    assert!(app.use_token(&before).is_ok() && app.use_token(&after).is_ok());
    assert_eq!(bench.server.public_keys(bench.now())["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn an_app_on_its_own_acts_as_its_account() {
    let bench = Bench::new();
    let service = bench.user(Role::Service, None);
    let app = bench.backend(&service.actor);
    let tokens = on_its_own(&app, "system/Observation.rs").unwrap();
    assert_eq!((&tokens["token_type"], tokens.get("refresh_token")), (&json!("Bearer"), None));
    let authority = app.use_token(&tokens).unwrap();
    assert_eq!(
        (authority.access, authority.scopes.to_string()),
        (service.clone(), "system/Observation.rs".into())
    );
    for (scope, expected) in
        [("user/*.rs", "invalid_scope"), ("system/*.cruds", "invalid_scope"), ("", "invalid_request")]
    {
        assert_eq!(error(on_its_own(&app, scope)), expected, "{scope}");
    }
    // Apps of people have no such way, nor have those without keys.
    assert_eq!(error(on_its_own(&bench.strict(), "user/*.rs")), "unauthorized_client");
    assert_eq!(error(on_its_own(&bench.public(), "patient/*.rs")), "unauthorized_client");
    let token = tokens["access_token"].as_str().unwrap();
    let form = || app.proven(pairs(&[("token", token)]));
    assert_eq!(bench.server.revoke(&form(), bare(TOKEN), bench.now()), Err(Fault::TokenType));
    bench.remove_account(&service.actor);
    assert_eq!(app.use_token(&tokens), Err(Fault::Token));
    assert_eq!(error(on_its_own(&app, "system/Observation.rs")), "unauthorized_client");
}

#[test]
fn introspection_tells_an_app_of_its_own_tokens() {
    let bench = Bench::new();
    let (app, other) = (bench.strict(), bench.strict());
    let user = bench.user(Role::Patient, Some("p1"));
    let tokens = app.tokens("offline_access patient/*.rs", &user);
    let asked = |app: &App<'_>, name: &str| {
        let form = app.proven(pairs(&[("token", tokens[name].as_str().unwrap())]));
        bench.server.introspect(&form, bare(TOKEN), bench.now())
    };
    let told = asked(&app, "access_token").unwrap();
    assert_eq!(
        (&told["active"], &told["scope"], &told["patient"]),
        (&json!(true), &tokens["scope"], &json!("p1"))
    );
    assert_eq!(told["token_type"], "DPoP");
    assert!(told["cnf"]["jkt"].is_string());
    assert_eq!(asked(&app, "refresh_token").unwrap()["active"], true);
    for name in ["access_token", "refresh_token"] {
        assert_eq!(asked(&other, name).unwrap(), json!({ "active": false }), "another app's {name}");
    }
    let public = bench.public();
    assert_eq!(error(asked(&public, "access_token")), "invalid_client");
    let form = with(app.proven(pairs(&[("token", "a.b.c")])), "client_assertion", "");
    assert_eq!(error(bench.server.introspect(&form, bare(TOKEN), bench.now())), "invalid_client");
    bench.remove_account(&user.actor);
    for name in ["access_token", "refresh_token"] {
        assert_eq!(asked(&app, name).unwrap(), json!({ "active": false }), "{name}");
    }
    // Another app cannot withdraw what is not its own.
    let user = bench.user(Role::Patient, Some("p1"));
    let tokens = app.tokens("offline_access patient/*.rs", &user);
    for name in ["access_token", "refresh_token"] {
        let form = other.proven(pairs(&[("token", tokens[name].as_str().unwrap())]));
        assert_eq!(bench.server.revoke(&form, bare(TOKEN), bench.now()), Ok(()));
    }
    assert!(app.use_token(&tokens).is_ok() && app.refresh(&tokens).is_ok());
}

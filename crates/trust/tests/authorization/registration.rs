//! Apps that register by themselves, with a software statement (RFC 7591; UDAP).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ieum_trust::access::{Access, Role};
use ieum_trust::authorization::client::{self, Policy};
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::server::{Anchor, Registered};
use rcgen::{CertificateParams, IsCa, KeyPair, SanType, date_time_ymd};
use serde_json::{Value, json};

use crate::certificates::{Issuer, authority, good};
use crate::support::{App, AppKey, Bench, ISSUER, error, pairs};

const APP: &str = "https://emr.example/app";
const REGISTER: &str = "https://hub.example/oauth/register";

/// Somebody with a certificate.
struct Holder {
    key: AppKey,
    x5c: Vec<String>,
}

impl Holder {
    fn of(issuer: &Issuer, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, pair) = (good(), KeyPair::generate().unwrap());
        change(&mut params);
        let made = params.signed_by(&pair, issuer).unwrap();
        Self { key: AppKey::of(&pair), x5c: vec![STANDARD.encode(made.der())] }
    }

    fn statement(&self, claims: &Value) -> Value {
        self.signed(&json!({ "alg": "ES256", "x5c": self.x5c }), claims)
    }

    fn signed(&self, header: &Value, claims: &Value) -> Value {
        json!({ "udap": "1", "certifications": [], "software_statement": self.key.sign(header, claims) })
    }
}

fn terms(account: &str) -> String {
    format!(
        "policy = 'smart'\nscopes = 'launch/patient offline_access patient/*.rs system/*.rs'\naccount = '{account}'"
    )
}

/// A server at which apps of one authority may register, with that authority, and another that is trusted on other terms.
fn bench() -> (Bench, Issuer, Issuer) {
    let (one, other) = (authority("하나"), authority("둘"));
    let mut bench = Bench::new();
    let service = bench.user(Role::Service, None).actor;
    let strict = "policy = 'fapi2'\nscopes = 'patient/*.rs system/*.rs'";
    let anchors = vec![
        Anchor::read("하나", one.pem().as_bytes(), &terms(&service)).unwrap(),
        Anchor::read("둘", other.pem().as_bytes(), strict).unwrap(),
    ];
    bench.server = bench.server.with_anchors(anchors);
    (bench, one, other)
}

/// What a good statement claims.
fn claims(bench: &Bench) -> Value {
    let now = bench.now();
    json!({
        "iss": APP, "sub": APP, "aud": REGISTER, "iat": now, "exp": now + 300, "jti": bench.name(),
        "client_name": "혈압 수첩", "contacts": ["mailto:help@emr.example"], "logo_uri": "https://emr.example/logo.png",
        "redirect_uris": ["https://emr.example/back"], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "token_endpoint_auth_method": "private_key_jwt",
        "scope": "launch/patient offline_access patient/*.rs",
    })
}

fn alone(bench: &Bench) -> Value {
    let mut claims = claims(bench);
    let members = claims.as_object_mut().unwrap();
    members.retain(|name, _| !["redirect_uris", "response_types", "logo_uri"].contains(&name.as_str()));
    claims["grant_types"] = json!(["client_credentials"]);
    claims["scope"] = "system/Observation.rs".into();
    claims
}

fn register(bench: &Bench, asked: &Value) -> Result<Registered, Fault> {
    bench.server.register(asked, bench.now())
}

fn clients(bench: &Bench) -> Vec<(String, client::Client)> {
    client::list(&bench.door, &Access::system("test")).unwrap()
}

#[test]
fn an_app_registers_changes_and_ends() {
    let (bench, one, _) = bench();
    let holder = Holder::of(&one, |_| {});
    let made = register(&bench, &holder.statement(&claims(&bench))).unwrap();
    assert!(made.is_new);
    let id = made.told["client_id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made.told["client_name"], &made.told["grant_types"][0]),
        (&json!("혈압 수첩"), &json!("authorization_code"))
    );
    assert!(made.told["software_statement"].is_string());
    let [(known, client)] = clients(&bench).try_into().unwrap();
    assert_eq!(known, id);
    // Terms are the authority's, and who runs it is what the authority has looked at.
    assert_eq!(
        (client.policy, client.organization.as_str(), client.account),
        (Policy::Smart, "가상병원", None)
    );

    // The same iss again is the same app; the key may be another certificate's.
    let next = Holder::of(&one, |_| {});
    let mut changed = claims(&bench);
    changed["client_name"] = "혈압 수첩 2".into();
    changed["scope"] = "launch/patient patient/*.rs".into();
    let told = register(&bench, &next.statement(&changed)).unwrap();
    assert_eq!((told.is_new, told.told["client_id"].as_str()), (false, Some(id.as_str())));
    let [(_, client)] = clients(&bench).try_into().unwrap();
    assert_eq!(
        (client.name.as_str(), client.scopes.to_string().as_str()),
        ("혈압 수첩 2", "launch/patient patient/*.rs")
    );

    // No grant types: the end.
    let mut ended = claims(&bench);
    ended["grant_types"] = json!([]);
    let told = register(&bench, &next.statement(&ended)).unwrap();
    assert_eq!((told.is_new, told.told["client_id"].as_str()), (false, Some(id.as_str())));
    assert_eq!(clients(&bench), []);
    ended["jti"] = "another".into();
    assert_eq!(error(register(&bench, &next.statement(&ended))), "invalid_client_metadata");
    // Whoever registers again is somebody new: nothing of what was allowed before comes back.
    let again = register(&bench, &next.statement(&claims(&bench))).unwrap();
    assert!(again.is_new && again.told["client_id"] != id);
}

#[test]
fn a_system_registers_and_gets_tokens_until_its_certificate_is_over() {
    let (bench, one, _) = bench();
    // 2027-01-15 is where the clock of the tests begins.
    let holder = Holder::of(&one, |params| params.not_after = date_time_ymd(2027, 2, 1));
    let made = register(&bench, &holder.statement(&alone(&bench))).unwrap();
    let id = made.told["client_id"].as_str().unwrap().to_owned();
    let app = App { bench: &bench, id, key: Some(holder.key), dpop: None, certificate: None };
    let form = || pairs(&[("grant_type", "client_credentials"), ("scope", "system/Observation.rs")]);
    app.token(form()).unwrap();
    // With its certificate in the header, as UDAP has it, and no other.
    let with_chain = |x5c: &[String]| {
        let assertion = app.key.as_ref().unwrap().sign(&json!({ "alg": "ES256", "x5c": x5c }), &app.claims());
        let form = crate::support::with(app.proven(form()), "client_assertion", &assertion);
        bench.server.token(&form, crate::support::bare(crate::support::TOKEN), bench.now())
    };
    with_chain(&holder.x5c).unwrap();
    assert_eq!(error(with_chain(&Holder::of(&one, |_| {}).x5c)), "invalid_client");
    assert_eq!(error(with_chain(&[])), "invalid_client");
    bench.later(30 * 86_400);
    assert_eq!(app.token(form()), Err(Fault::CertificateOver));
}

type Change = fn(&mut Value, i64);

#[test]
fn statements_that_claim_wrongly_are_refused() {
    let (bench, one, _) = bench();
    let holder = Holder::of(&one, |_| {});
    let (statement, metadata) = ("invalid_software_statement", "invalid_client_metadata");
    let cases: &[(&str, Change, &str)] = &[
        ("as it is", |_, _| {}, ""),
        ("another iss", |claims, _| claims["iss"] = "https://other.example".into(), statement),
        ("iss as a host", |claims, _| claims["iss"] = "emr.example".into(), statement),
        ("iss with a slash more", |claims, _| claims["iss"] = format!("{APP}/").into(), statement),
        ("no iss", |claims, _| claims["iss"] = Value::Null, statement),
        ("another sub", |claims, _| claims["sub"] = "https://other.example".into(), statement),
        ("no sub", |claims, _| claims["sub"] = Value::Null, statement),
        ("our issuer as aud", |claims, _| claims["aud"] = ISSUER.into(), statement),
        ("an array as aud", |claims, _| claims["aud"] = json!([REGISTER]), statement),
        ("over", |claims, now| claims["exp"] = now.into(), statement),
        ("longer than 5 minutes", |claims, now| claims["exp"] = (now + 301).into(), statement),
        ("an hour", |claims, now| claims["exp"] = (now + 3_600).into(), statement),
        ("no exp", |claims, _| claims["exp"] = Value::Null, statement),
        ("no iat", |claims, _| claims["iat"] = Value::Null, statement),
        ("from the future", |claims, now| claims["iat"] = (now + 61).into(), statement),
        (
            "before the last start",
            |claims, now| {
                claims["iat"] = (now - 200).into();
                claims["exp"] = (now + 50).into();
            },
            statement,
        ),
        ("no jti", |claims, _| claims["jti"] = Value::Null, statement),
        ("an empty jti", |claims, _| claims["jti"] = "".into(), statement),
        ("a long jti", |claims, _| claims["jti"] = "a".repeat(257).into(), statement),
        ("no name", |claims, _| claims["client_name"] = Value::Null, metadata),
        ("no contact", |claims, _| claims["contacts"] = json!([]), metadata),
        ("a contact that is none", |claims, _| claims["contacts"] = json!(["https://emr.example"]), metadata),
        ("a logo without TLS", |claims, _| claims["logo_uri"] = "http://emr.example/logo".into(), metadata),
        ("no grant types", |claims, _| claims["grant_types"] = Value::Null, metadata),
        ("another grant type", |claims, _| claims["grant_types"] = json!(["implicit"]), metadata),
        (
            "both grant types",
            |claims, _| claims["grant_types"] = json!(["authorization_code", "client_credentials"]),
            metadata,
        ),
        ("another response type", |claims, _| claims["response_types"] = json!(["token"]), metadata),
        ("no response type", |claims, _| claims["response_types"] = json!([]), metadata),
        (
            "a shared secret",
            |claims, _| claims["token_endpoint_auth_method"] = "client_secret_basic".into(),
            metadata,
        ),
        ("no proof", |claims, _| claims["token_endpoint_auth_method"] = "none".into(), metadata),
        ("no scope", |claims, _| claims["scope"] = Value::Null, metadata),
        ("more than the terms", |claims, _| claims["scope"] = "user/*.rs".into(), metadata),
        ("writing", |claims, _| claims["scope"] = "patient/*.cruds".into(), metadata),
        ("a system's", |claims, _| claims["scope"] = "system/*.rs".into(), metadata),
        ("no address", |claims, _| claims["redirect_uris"] = json!([]), metadata),
        (
            "an address without TLS",
            |claims, _| claims["redirect_uris"] = json!(["http://emr.example/back"]),
            "invalid_redirect_uri",
        ),
    ];
    for (case, change, expected) in cases {
        bench.later(1);
        let mut claims = claims(&bench);
        change(&mut claims, bench.now());
        let result = register(&bench, &holder.statement(&claims));
        assert_eq!(result.err().map_or("", |fault| fault.error()), *expected, "{case}");
    }
    assert_eq!(clients(&bench).len(), 1);
}

#[test]
fn statements_that_are_signed_wrongly_are_refused() {
    let (bench, one, other) = bench();
    bench.later(100);
    let stranger = authority("모르는 곳");
    let holder = Holder::of(&one, |_| {});
    let statement = "invalid_software_statement";
    let lend = |key: AppKey, x5c: Vec<String>| Holder { key, x5c };
    for (case, holder) in [
        ("by an authority that is not trusted", Holder::of(&stranger, |_| {})),
        ("over", Holder::of(&one, |params| params.not_after = date_time_ymd(2026, 1, 1))),
        ("not yet", Holder::of(&one, |params| params.not_before = date_time_ymd(2030, 1, 1))),
        (
            "an authority itself",
            Holder::of(&one, |params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
        ),
        ("names no URI", Holder::of(&one, |params| params.subject_alt_names.truncate(1))),
        (
            "names another URI",
            Holder::of(&one, |params| {
                params.subject_alt_names = vec![SanType::URI("https://other.example".try_into().unwrap())];
            }),
        ),
        ("another's certificate", lend(AppKey::new(), holder.x5c.clone())),
        ("no certificate", lend(AppKey::new(), Vec::new())),
        ("rubbish for a certificate", lend(AppKey::new(), vec!["AAAA".into()])),
        ("too many certificates", lend(AppKey::new(), vec![holder.x5c[0].clone(); 6])),
    ] {
        assert_eq!(error(register(&bench, &holder.statement(&claims(&bench)))), statement, "{case}");
    }
    for header in [
        json!({ "alg": "ES256" }),
        json!({ "alg": "none", "x5c": holder.x5c }),
        json!({ "alg": "HS256", "x5c": holder.x5c }),
        json!({ "alg": "RS256", "x5c": holder.x5c }),
        json!({ "alg": "ES256", "x5c": holder.x5c, "jwk": holder.key.jwk() }),
        json!({ "alg": "ES256", "x5c": holder.x5c, "x5u": "https://evil.example" }),
        json!({ "alg": "ES256", "x5c": holder.x5c, "crit": ["exp"] }),
        json!({ "alg": "ES256", "x5c": holder.x5c[0] }),
    ] {
        assert_eq!(error(register(&bench, &holder.signed(&header, &claims(&bench)))), statement, "{header}");
    }
    for asked in
        [json!({}), json!([]), json!({ "software_statement": 1 }), json!({ "software_statement": "a.b.c" })]
    {
        assert_eq!(error(register(&bench, &asked)), statement, "{asked}");
    }
    let twice = holder.statement(&claims(&bench));
    register(&bench, &twice).unwrap();
    assert_eq!(error(register(&bench, &twice)), statement, "its jti was used");

    // Another authority's app cannot be taken over, whatever its certificate names.
    let taker = Holder::of(&other, |_| {});
    let mut taking = claims(&bench);
    taking["scope"] = "patient/*.rs".into();
    assert_eq!(error(register(&bench, &taker.statement(&taking))), "unapproved_software_statement");
    taking["grant_types"] = json!([]);
    taking["jti"] = "end".into();
    assert_eq!(error(register(&bench, &taker.statement(&taking))), "unapproved_software_statement");
    assert_eq!(clients(&bench).len(), 1);
    // Of an authority without account none acts alone.
    let mut alone = alone(&bench);
    for name in ["iss", "sub"] {
        alone[name] = "https://alone.example".into();
    }
    let taker = Holder::of(&other, |params| {
        params.subject_alt_names = vec![SanType::URI("https://alone.example".try_into().unwrap())];
    });
    assert_eq!(error(register(&bench, &taker.statement(&alone))), "invalid_client_metadata");
}

#[test]
fn terms_are_read_strictly() {
    let pem = authority("하나").pem();
    assert!(Anchor::read("a", pem.as_bytes(), &terms("x")).is_ok());
    for wrong in [
        "",
        "policy = 'smart'",
        "policy = 'udap'\nscopes = 'patient/*.rs'",
        "policy = 'smart'\nscopes = 'all'",
    ] {
        assert!(Anchor::read("a", pem.as_bytes(), wrong).is_err(), "{wrong}");
    }
    assert!(Anchor::read("a", pem.as_bytes(), &format!("{}\nmore = 1", terms("x"))).is_err());
    assert!(Anchor::read("a", b"", &terms("x")).is_err());
}

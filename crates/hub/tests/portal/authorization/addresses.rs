//! The addresses for apps: what is published, who must wait, which sites may read.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use ieum::authorization::routes::ROUTES;
use ieum_trust::access::{Access, Role};
use ieum_trust::authorization::client;
use serde_json::{Value, json};

use super::{authorize, form, onward, portal, redeem, register, told};
use crate::support::{Portal, Visitor};

/// Every address for apps: how it is asked for, and what an empty question is answered.
const ADDRESSES: &[(&str, &str, u16)] = &[
    ("GET", "/.well-known/oauth-authorization-server", 200),
    ("GET", "/.well-known/openid-configuration", 200),
    ("GET", "/.well-known/jwks.json", 200),
    ("POST", "/oauth/par", 400),
    ("POST", "/oauth/token", 400),
    ("POST", "/oauth/introspect", 400),
    ("POST", "/oauth/revoke", 400),
    // Nobody is trusted for it.
    ("POST", "/oauth/register", 404),
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
        // What is published is for everybody, whatever they send.
        ask(&portal, method, media, Some("Basic YTpi")).expect(if *method == "GET" { 200 } else { 401 });
        ask(&open, method, media, None).expect(404);
        if *method == "POST" && *status != 404 {
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

// threat: 11
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

#[test]
fn pages_of_registered_sites_may_read_what_their_token_opens() {
    let portal = portal();
    let app = register(&portal, |_| {});
    let ask = |method: &str, path: &str, site: &str| {
        let request = Request::builder().method(method).uri(path).header("origin", site);
        let request = request.header("access-control-request-method", "GET").header("cookie", "ieum-8080=x");
        portal.ask(request.body(Body::empty()).unwrap())
    };
    let (own, other) = ("https://app.example", "https://evil.example");
    for (path, site, allowed) in [
        ("/fhir/metadata", other, "*"),
        ("/fhir/.well-known/smart-configuration", other, "*"),
        ("/.well-known/jwks.json", other, "*"),
        ("/fhir/Patient/p1", own, own),
        ("/oauth/token", own, own),
        ("/fhir/Patient/p1", other, ""),
        ("/fhir/Patient/p1", "https://app.example.evil.example", ""),
        ("/fhir/Patient/p1", "http://app.example", ""),
        ("/fhir/Patient/p1", "null", ""),
        ("/oauth/token", other, ""),
    ] {
        for method in ["GET", "OPTIONS"] {
            let reply = ask(method, path, site);
            assert_eq!(reply.header("access-control-allow-origin"), allowed, "{method} {path} from {site}");
            assert_eq!(reply.header("access-control-allow-credentials"), "", "never with cookies");
            let is_told = method == "OPTIONS" && !allowed.is_empty();
            assert_eq!(reply.status == 204, is_told, "{method} {path} from {site}");
            assert_eq!(reply.header("access-control-allow-headers").contains("authorization"), is_told);
        }
    }
    // Pages for people are for our own.
    assert_eq!(ask("GET", "/me", own).header("access-control-allow-origin"), "");
    assert_eq!(ask("GET", "/oauth/authorize", own).header("access-control-allow-origin"), "");
    // An app that is gone takes its site along.
    assert!(client::remove(&portal.door, &Access::system("test"), &app).unwrap());
    portal.wait_minutes(1);
    assert_eq!(ask("GET", "/fhir/Patient/p1", own).header("access-control-allow-origin"), "");
    // An open hub is for this machine alone.
    let open = Portal::open();
    let request = Request::get("/fhir/metadata").header("origin", other).body(Body::empty()).unwrap();
    assert_eq!(open.ask(request).header("access-control-allow-origin"), "");
}

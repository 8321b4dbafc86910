//! Apps over HTTP: the pages where people say yes or no, the addresses for apps, and what tokens open.

use axum::body::Body;
use axum::http::{Request, header};
use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::authorization::client::{self, Client, Policy};
use ieum_trust::authorization::scopes::Scopes;
use serde_json::{Value, json};

use crate::support::{Portal, Reply, Visitor};

mod addresses;
mod clients;
mod connected;
mod detours;
mod pages;
mod tokens;

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
    let scopes = "openid fhirUser offline_access launch/patient patient/*.rs user/*.cruds";
    let mut client = Client::new("혈압 <수첩>", "이음 시험", Policy::Smart, Scopes::parse(scopes).unwrap());
    client.redirect_uris = vec![BACK.into()];
    change(&mut client);
    client::create(&portal.door, &Access::system("test"), &client).unwrap()
}

/// An app that clinicians open from a chart.
pub(crate) fn app_for_charts(portal: &Portal) -> String {
    register(portal, |client| {
        client.launch_uri = Some("https://app.example/launch".into());
        client.scopes = Scopes::parse("launch patient/*.rs").unwrap();
    })
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
    let (id, account) =
        accounts.into_iter().find(|(_, account)| account.secret_digest.as_deref() == Some(&*digest)).unwrap();
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

//! The apps and systems of an institution, which its manager registers and nobody else's does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::authorization::client;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{ask, authorize, form, onward, portal};
use crate::support::{Portal, Visitor};

struct Key(EcdsaKeyPair, &'static str);

impl Key {
    fn new(kid: &'static str) -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap(), kid)
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "kid": self.1 })
    }

    /// A token of the system of this id; or the status of the refusal.
    fn token(&self, portal: &Portal, id: &str, scope: &str) -> Result<String, u16> {
        portal.step_seconds(1);
        let now = portal.now() / 1_000_000;
        let claims = json!({ "iss": id, "sub": id, "aud": "http://127.0.0.1:8080", "iat": now, "exp": now + 60,
            "jti": portal.now().to_string() });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": self.1 })), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), unsigned.as_bytes()).unwrap();
        let assertion = format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature));
        let pairs = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        let reply = form(portal, "/oauth/token", &pairs);
        if reply.status != 200 {
            return Err(reply.status.as_u16());
        }
        let told: Value = serde_json::from_str(&reply.body).unwrap();
        Ok(told["access_token"].as_str().unwrap().to_owned())
    }
}

fn institutions() -> Portal {
    let portal = portal();
    for (id, name) in [("o1", "가상병원"), ("o2", "다른병원")] {
        portal.put(&[json!({"resourceType": "Organization", "id": id, "name": name})]);
    }
    portal
}

fn manager(portal: &Portal, organization: &str) -> Visitor {
    portal.enrol(&portal.invite(Role::Manager, Some(organization)), &format!("manager-{organization}")).1
}

fn filled(pairs: &[(&str, &str)]) -> String {
    ieum::percent::with_pairs("", pairs.iter().copied())[1..].to_owned()
}

fn set(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string()
}

/// Registers a system; gives its address and client_id.
fn system(portal: &Portal, manager: &Visitor, keys: &[&Key]) -> (String, String) {
    let form = filled(&[
        ("name", "가상 EMR"),
        ("policy", "smart"),
        ("scope", "system/*.cruds"),
        ("jwks", &set(keys)),
        ("account", "new"),
    ]);
    let reply = portal.post(manager, "/manager/clients", &form).expect(303);
    let address = reply.header("location").strip_suffix("?done=made").expect("registered").to_owned();
    let id = address.rsplit('/').next().unwrap().to_owned();
    (address, id)
}

#[test]
fn a_manager_registers_a_system_changes_its_keys_and_ends_it() {
    let portal = institutions();
    let manager = manager(&portal, "o1");
    assert!(portal.get(&manager, "/manager").expect(200).body.contains("href=\"/manager/clients\""));
    assert!(
        portal.get(&manager, "/manager/clients").expect(200).body.contains("등록한 앱이나 시스템이 없습니다")
    );
    portal.get(&manager, "/manager/clients/new").expect(200);
    let (old, new) = (Key::new("old"), Key::new("new"));
    let (address, id) = system(&portal, &manager, &[&old]);
    let page = portal.get(&manager, &format!("{address}?done=made")).expect(200).body;
    for text in [&*id, "가상 EMR", "EC P-256", "system/*.cruds"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(portal.get(&manager, "/manager/clients").expect(200).body.contains(&id));
    // It acts as an account of the institution's, which nobody enters by.
    let accounts = account::list(&portal.door, &Access::system("test")).unwrap();
    let (_, of_system) = accounts.iter().find(|(_, account)| account.role == Role::Service).unwrap();
    assert_eq!((of_system.organization.as_deref(), of_system.secret_digest.as_deref()), (Some("o1"), None));
    let token = old.token(&portal, &id, "system/*.rs").unwrap();
    ask(&portal, &token, "GET", "/fhir/Patient", None).expect(200);

    // Two keys while the system changes over, then the new one alone.
    let keys = format!("{address}/keys");
    assert_eq!(new.token(&portal, &id, "system/*.rs"), Err(401));
    let both = filled(&[("jwks", &set(&[&old, &new]))]);
    portal.post(&manager, &keys, &both).expect(303);
    old.token(&portal, &id, "system/*.rs").unwrap();
    new.token(&portal, &id, "system/*.rs").unwrap();
    portal.post(&manager, &keys, &filled(&[("jwks", &set(&[&new]))])).expect(303);
    assert_eq!(old.token(&portal, &id, "system/*.rs"), Err(401));
    let token = new.token(&portal, &id, "system/*.rs").unwrap();
    for wrong in ["", "{", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"EC","crv":"P-256","d":"AA"}]}"#] {
        portal.post(&manager, &keys, &filled(&[("jwks", wrong)])).expect(422);
    }
    new.token(&portal, &id, "system/*.rs").unwrap();

    portal.post(&manager, &format!("{address}/end"), "").expect(303);
    ask(&portal, &token, "GET", "/fhir/Patient", None).expect(401);
    assert_eq!(new.token(&portal, &id, "system/*.rs"), Err(401));
    portal.get(&manager, &address).expect(404);
    let view = portal.door.view(&Access::system("test")).unwrap();
    let entries = view.audit_entries(None, 1_000).unwrap().into_iter().map(|stored| stored.entry);
    let of_manager = entries.filter(|entry| entry.role == "manager" && entry.action.starts_with("client-"));
    let mut done: Vec<String> = of_manager.map(|entry| entry.action).collect();
    done.dedup();
    assert_eq!(done, ["client-end", "client-keys", "client-register"]);
}

#[test]
fn an_institution_reaches_its_own_alone() {
    let portal = institutions();
    let (own, other) = (manager(&portal, "o1"), manager(&portal, "o2"));
    let key = Key::new("a");
    let (address, id) = system(&portal, &other, &[&key]);
    for path in [address.clone(), format!("{address}/keys"), format!("{address}/end")] {
        if path == address {
            portal.get(&own, &path).expect(404);
        } else {
            portal.post(&own, &path, &filled(&[("jwks", &set(&[&key]))])).expect(404);
        }
    }
    assert!(!portal.get(&own, "/manager/clients").expect(200).body.contains(&id));
    // Apps that the operator registered are nobody's institution's.
    let of_operator = super::register(&portal, |_| {});
    portal.get(&own, &format!("/manager/clients/{of_operator}")).expect(404);
    // Another institution's system account, an operator's, a person's: none of them is offered, nor taken.
    let accounts = account::list(&portal.door, &Access::system("test")).unwrap();
    portal.account(Role::Operator, None);
    for (account, _) in accounts {
        let form = filled(&[
            ("name", "넘보는 앱"),
            ("policy", "smart"),
            ("scope", "system/*.rs"),
            ("jwks", &set(&[&key])),
            ("account", &account),
        ]);
        portal.post(&own, "/manager/clients", &form).expect(400);
    }
    assert_eq!(client::list(&portal.door, &Access::system("test")).unwrap().len(), 2);
}

#[test]
fn what_cannot_be_registered_is_told_beside_its_field() {
    let portal = institutions();
    let manager = manager(&portal, "o1");
    let key = Key::new("a");
    let keys = set(&[&key]);
    let good = [
        ("name", "진료 앱"),
        ("policy", "fapi2"),
        ("scope", "launch/patient patient/*.rs"),
        ("redirects", "https://app.example/back\n https://app.example/other "),
        ("jwks", &*keys),
    ];
    for (name, value, field) in [
        ("name", "", "name"),
        ("scope", "", "scope"),
        ("scope", "operator/*.rs", "scope"),
        ("scope", "system/*.rs", "account"),
        ("redirects", "http://app.example/", "redirects"),
        ("redirects", "", "redirects"),
        ("launch", "https://app.example/launch", "launch"),
        ("jwks", "", "jwks"),
        ("jwks", "nothing", "jwks"),
        ("account", "new", "account"),
    ] {
        let mut pairs: Vec<_> = good.into_iter().filter(|(given, _)| *given != name).collect();
        pairs.push((name, value));
        let page = portal.post(&manager, "/manager/clients", &filled(&pairs)).expect(422).body;
        assert!(page.contains(&format!("id=\"{field}-error\"")), "{name}={value}: {page}");
    }
    assert_eq!(client::list(&portal.door, &Access::system("test")).unwrap(), []);
    let reply = portal.post(&manager, "/manager/clients", &filled(&good)).expect(303);
    let id = reply.header("location").rsplit('/').next().unwrap().replace("?done=made", "");
    let client = client::read(&portal.door, &Access::system("test"), &id).unwrap().unwrap();
    assert_eq!((client.organization.as_str(), client.institution.as_deref()), ("가상병원", Some("o1")));
    assert_eq!(client.redirect_uris, ["https://app.example/back", "https://app.example/other"]);
}

#[test]
fn an_app_of_an_institution_is_not_for_everybody() {
    let portal = institutions();
    let app = super::register(&portal, |client| client.institution = Some("o1".into()));
    let consent = onward(&portal.get(&Visitor::default(), &authorize(&app, "user/*.rs")));
    let operator = portal.sign_in(&portal.account(Role::Operator, None));
    let page = portal.get(&operator, &consent).expect(403).body;
    assert!(page.contains("아무것도 허용되지 않았습니다") && !page.contains(">허용<"));
    portal.post(&operator, &consent, "").expect(400);
    let patient = portal.sign_in(&portal.account(Role::Patient, Some("p1")));
    portal.get(&patient, &consent).expect(200);
    // From a chart nobody else's people open it either.
    let launched = super::register(&portal, |client| {
        client.institution = Some("o1".into());
        client.scopes = ieum_trust::authorization::scopes::Scopes::parse("launch patient/*.rs").unwrap();
        client.launch_uri = Some("https://app.example/launch".into());
    });
    let clinician = portal.sign_in(&portal.account(Role::Clinician, None));
    assert!(
        portal.get(&clinician, "/patients/p1/apps").expect(200).body.contains("열 수 있는 앱이 없습니다")
    );
    portal.post(&clinician, &format!("/patients/p1/apps/{launched}"), "").expect(404);
}

#[test]
fn a_manager_shows_anew_who_they_are() {
    let portal = institutions();
    let manager = manager(&portal, "o1");
    let (address, _) = system(&portal, &manager, &[&Key::new("a")]);
    portal.wait_minutes(20);
    for (path, next) in [
        ("/manager/clients".to_owned(), "/manager/clients/new"),
        (format!("{address}/keys"), &*address),
        (format!("{address}/end"), &*address),
    ] {
        let reply = portal.post(&manager, &path, "policy=smart").expect(303);
        assert_eq!(reply.header("location"), format!("/confirm?next={next}"));
    }
    portal.get(&manager, "/manager/clients/new").expect(303);
    portal.get(&manager, &address).expect(200);
}

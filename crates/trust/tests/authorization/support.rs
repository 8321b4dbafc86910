//! A server, apps and people.

use std::cell::Cell;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_fhir::json::{Document, Limits};
use ieum_store::catalogue::Catalogue;
use ieum_store::commit::{Change, Expect};
use ieum_store::memory::MemoryEngine;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, ACCOUNT, Account};
use ieum_trust::authorization::Pairs;
use ieum_trust::authorization::assertion::TYPE;
use ieum_trust::authorization::certificate::Chain;
use ieum_trust::authorization::client::{self, CLIENT, Client, Policy};
use ieum_trust::authorization::dpop::Sent;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::grant::GRANT;
use ieum_trust::authorization::keys::SigningKeys;
use ieum_trust::authorization::scopes::Scopes;
use ieum_trust::authorization::server::{Authority, Back, Scheme, Server, Visit};
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use ieum_trust::person::PERSON;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) const ISSUER: &str = "https://hub.example";
pub(crate) const FHIR: &str = "https://hub.example/fhir";
pub(crate) const TOKEN: &str = "https://hub.example/oauth/token";
pub(crate) const PAR: &str = "https://hub.example/oauth/par";
pub(crate) const BACK: &str = "https://app.example/back";
pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server with a hand-turned clock.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) door: Door,
    pub(crate) now: Cell<i64>,
    names: Cell<u32>,
}

/// A key of an app's.
pub(crate) struct AppKey(EcdsaKeyPair);

impl AppKey {
    pub(crate) fn new() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap())
    }

    /// The same key, as one that certificates are made of has it.
    pub(crate) fn of(pair: &rcgen::KeyPair) -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        Self(EcdsaKeyPair::from_pkcs8(kind, &pair.serialize_der(), &random).unwrap())
    }

    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), unsigned.as_bytes()).unwrap();
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Parameters of a form.
pub(crate) fn pairs(given: &[(&str, &str)]) -> Pairs {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The same with one changed; an empty value takes it away.
pub(crate) fn with(mut pairs: Pairs, name: &str, value: &str) -> Pairs {
    pairs.retain(|(given, _)| given != name);
    if !value.is_empty() {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    pairs
}

/// A request that proves nothing.
pub(crate) fn bare(url: &str) -> Sent<'_> {
    Sent { proofs: &[], method: "POST", url, certificate: None }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let kinds = &[&ACCOUNT, &CLIENT, &GRANT, &PERSON];
        let catalogue = Arc::new(Catalogue::new(kinds, Vec::new(), POLICY));
        let engine = MemoryEngine::new(catalogue, Arc::new(|| START * 1_000_000));
        let door = Door::new(Arc::new(engine), [7; 32]);
        let keys = SigningKeys::make(START).unwrap();
        let server = Server::new(door.clone(), (ISSUER, FHIR), (keys, Box::new(|_| Ok(()))), START);
        let bench = Self { server, door, now: Cell::new(START), names: Cell::new(0) };
        bench.put(&json!({ "resourceType": "Patient", "id": "p1" }));
        bench.put(&json!({ "resourceType": "Patient", "id": "p2" }));
        bench
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.get()
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    /// A name that has not been used.
    pub(crate) fn name(&self) -> String {
        self.names.set(self.names.get() + 1);
        format!("name-{}", self.names.get())
    }

    pub(crate) fn put(&self, resource: &Value) {
        let text = resource.to_string();
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let catalogue = self.door.catalogue();
        let kind = catalogue.kind(resource["resourceType"].as_str().unwrap()).unwrap();
        let id = resource["id"].as_str().unwrap();
        let record = Box::new(catalogue.prepare(kind, id, document.root(), &mut |_| None));
        let change = Change::Put { record, expect: Expect::Anything };
        self.door.commit(&Access::system("test"), "test", Vec::new(), vec![change]).unwrap();
    }

    /// Makes an account; gives its authority.
    pub(crate) fn user(&self, role: Role, patient: Option<&str>) -> Access {
        let secret = account::new_secret().unwrap();
        let account = Account { patient: patient.map(ToOwned::to_owned), ..Account::new("시험", role) };
        self.user_of(account, &secret)
    }

    /// The same for an account that was described.
    pub(crate) fn user_of(&self, account: Account, secret: &str) -> Access {
        let access = Access::system("test");
        account::create(&self.door, &access, account, secret).unwrap();
        let mut accounts = account::list(&self.door, &access).unwrap();
        let is_new = |account: &(String, Account)| {
            account.1.secret_digest.as_deref() == Some(&*account::digest(secret))
        };
        let (id, account) = accounts.remove(accounts.iter().position(is_new).unwrap());
        account.access(&id)
    }

    pub(crate) fn remove_account(&self, id: &str) {
        assert!(account::remove(&self.door, &Access::system("test"), id).unwrap());
    }

    pub(crate) fn register(&self, client: &Client) -> String {
        client::create(&self.door, &Access::system("test"), client).unwrap()
    }

    /// An app of the strict policy.
    pub(crate) fn strict(&self) -> App<'_> {
        let key = AppKey::new();
        let scopes = "openid fhirUser offline_access launch/patient patient/*.rs user/*.cruds";
        let mut client = Client::new("진료 화면", "이음 시험", Policy::Fapi2, Scopes::parse(scopes).unwrap());
        client.redirect_uris = vec![BACK.into()];
        client.jwks = Some(json!({ "keys": [key.jwk()] }));
        App {
            bench: self,
            id: self.register(&client),
            key: Some(key),
            dpop: Some(AppKey::new()),
            certificate: None,
        }
    }

    /// An app without keys.
    pub(crate) fn public(&self) -> App<'_> {
        let scopes = "launch openid fhirUser offline_access launch/patient patient/*.rs";
        let mut client = Client::new("혈압 수첩", "이음 시험", Policy::Smart, Scopes::parse(scopes).unwrap());
        client.redirect_uris = vec![BACK.into(), "http://127.0.0.1:9/back?a=b".into()];
        client.launch_uri = Some("https://app.example/launch".into());
        App { bench: self, id: self.register(&client), key: None, dpop: None, certificate: None }
    }

    /// An app that acts as an account of its own.
    pub(crate) fn backend(&self, account: &str) -> App<'_> {
        let key = AppKey::new();
        let scopes = Scopes::parse("system/*.rs").unwrap();
        let mut client = Client::new("야간 보고", "이음 시험", Policy::Smart, scopes);
        client.jwks = Some(json!({ "keys": [key.jwk()] }));
        client.account = Some(account.to_owned());
        App { bench: self, id: self.register(&client), key: Some(key), dpop: None, certificate: None }
    }
}

/// A registered app with its keys.
pub(crate) struct App<'b> {
    pub(crate) bench: &'b Bench,
    pub(crate) id: String,
    pub(crate) key: Option<AppKey>,
    pub(crate) dpop: Option<AppKey>,
    /// What it connects with.
    pub(crate) certificate: Option<Chain>,
}

impl App<'_> {
    /// What a good assertion claims.
    pub(crate) fn claims(&self) -> Value {
        let now = self.bench.now();
        json!({ "iss": self.id, "sub": self.id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": self.bench.name() })
    }

    pub(crate) fn assertion(&self, claims: &Value) -> String {
        self.key.as_ref().unwrap().sign(&json!({ "alg": "ES256" }), claims)
    }

    /// These parameters, and who the app is.
    pub(crate) fn proven(&self, pairs: Pairs) -> Pairs {
        let mut pairs = with(pairs, "client_id", &self.id);
        if self.key.is_some() {
            pairs = with(pairs, "client_assertion_type", TYPE);
            pairs = with(pairs, "client_assertion", &self.assertion(&self.claims()));
        }
        pairs
    }

    /// What a good proof claims.
    pub(crate) fn proof_claims(&self, method: &str, url: &str, token: Option<&str>) -> Value {
        let mut claims =
            json!({ "htm": method, "htu": url, "iat": self.bench.now(), "jti": self.bench.name() });
        if let Some(token) = token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into();
        }
        claims
    }

    pub(crate) fn proof(&self, method: &str, url: &str, token: Option<&str>) -> Option<String> {
        let key = self.dpop.as_ref()?;
        let header = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": key.jwk() });
        Some(key.sign(&header, &self.proof_claims(method, url, token)))
    }

    /// What a good request for authorization has.
    pub(crate) fn asking(&self, scope: &str) -> Pairs {
        pairs(&[
            ("client_id", &self.id),
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("scope", scope),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("aud", FHIR),
        ])
    }

    pub(crate) fn push(&self, pairs: Pairs) -> Result<Value, Fault> {
        let proof = self.proof("POST", PAR, None);
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let sent = Sent { proofs: &proofs, method: "POST", url: PAR, certificate: self.certificate.as_ref() };
        self.bench.server.push(&self.proven(pairs), sent, self.bench.now())
    }

    /// As far as the page that asks; gives the name of the request.
    pub(crate) fn ask(&self, scope: &str) -> String {
        let asking = self.asking(scope);
        let visit = match self.key {
            None if self.certificate.is_none() => asking,
            _ => {
                let pushed = self.push(asking).unwrap();
                pairs(&[("client_id", &self.id), ("request_uri", pushed["request_uri"].as_str().unwrap())])
            }
        };
        match self.bench.server.visit(&visit, self.bench.now()).unwrap() {
            Visit::Ask(name) => name,
            Visit::Back(back) => panic!("{back:?}"),
        }
    }

    /// As far as a code that this user allowed.
    pub(crate) fn code(&self, scope: &str, user: &Access) -> String {
        let back = self.bench.server.allow(&self.ask(scope), user, None, self.bench.now()).unwrap();
        told(&back, "code")
    }

    /// What is sent for a code.
    pub(crate) fn redeeming(&self, code: &str) -> Pairs {
        pairs(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ])
    }

    pub(crate) fn token(&self, pairs: Pairs) -> Result<Value, Fault> {
        let proof = self.proof("POST", TOKEN, None);
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let sent =
            Sent { proofs: &proofs, method: "POST", url: TOKEN, certificate: self.certificate.as_ref() };
        self.bench.server.token(&self.proven(pairs), sent, self.bench.now())
    }

    /// The whole way to tokens.
    pub(crate) fn tokens(&self, scope: &str, user: &Access) -> Value {
        self.token(self.redeeming(&self.code(scope, user))).unwrap()
    }

    pub(crate) fn refresh(&self, tokens: &Value) -> Result<Value, Fault> {
        let token = tokens["refresh_token"].as_str().expect("a refresh token");
        self.token(pairs(&[("grant_type", "refresh_token"), ("refresh_token", token)]))
    }

    /// Uses an access token as it should be.
    pub(crate) fn use_token(&self, tokens: &Value) -> Result<Authority, Fault> {
        let token = tokens["access_token"].as_str().unwrap();
        let url = format!("{FHIR}/Patient/p1");
        let proof = self.proof("GET", &url, Some(token));
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let scheme = if self.dpop.is_some() { Scheme::Dpop } else { Scheme::Bearer };
        self.bench.server.authority(
            token,
            scheme,
            Sent { proofs: &proofs, method: "GET", url: &url, certificate: self.certificate.as_ref() },
            self.bench.now(),
        )
    }
}

/// What an app is told.
pub(crate) fn told(back: &Back, name: &str) -> String {
    back.pairs.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// The error code of a refusal.
#[track_caller]
pub(crate) fn error<T: std::fmt::Debug>(result: Result<T, Fault>) -> &'static str {
    result.expect_err("this must be refused").error()
}

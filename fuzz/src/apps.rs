//! What apps send, or those who would like to be one: requests, forms, tokens, proofs, keys, scopes.

use std::sync::{Arc, LazyLock};

use ieum::data::OWN_KINDS;
use ieum::percent;
use ieum_store::catalogue::Catalogue;
use ieum_store::memory::MemoryEngine;
use ieum_trust::access::Access;
use ieum_trust::authorization::Pairs;
use ieum_trust::authorization::certificate::{Authorities, Chain};
use ieum_trust::authorization::client::{self, Client, Policy};
use ieum_trust::authorization::dpop::Sent;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::jwk::KeySet;
use ieum_trust::authorization::keys::SigningKeys;
use ieum_trust::authorization::scopes::{Interactions, Scopes};
use ieum_trust::authorization::server::{Anchor, Scheme, Server, Visit};
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;

const ISSUER: &str = "http://localhost";
const FHIR: &str = "http://localhost/fhir";
const BACK: &str = "https://app.example/back";
/// When the seeds were signed.
const NOW: i64 = 1_790_000_000;

/// One of the tests', whose key is not here.
const AUTHORITY: &[u8] = include_bytes!("../../crates/hub/tests/program/tls/authority.pem");

/// A server that knows one app, and one authority whose apps may register, and its id.
static SERVER: LazyLock<(Server, String)> = LazyLock::new(|| {
    let catalogue = Arc::new(Catalogue::new(OWN_KINDS, vec![FHIR.into()], POLICY));
    let engine = MemoryEngine::new(catalogue, Arc::new(|| NOW * 1_000_000));
    let door = Door::new(Arc::new(engine), [7; 32]);
    let redirect_uris = vec![BACK.into()];
    let app = Client { redirect_uris, ..Client::new("app", "fuzz", Policy::Smart, registered()) };
    let id = client::create(&door, &Access::system("fuzz"), &app).expect("an app that can be registered");
    let keys = SigningKeys::make(NOW).expect("randomness");
    let terms = "policy = 'smart'\nscopes = 'patient/*.rs'";
    let anchor = Anchor::read("fuzz", AUTHORITY, terms).expect("an authority");
    let server = Server::new(door, (ISSUER, FHIR), (keys, Box::new(|_| Ok(()))), NOW);
    (server.with_anchors(vec![anchor]), id)
});

fn registered() -> Scopes {
    Scopes::parse("openid launch/patient patient/*.rs user/Observation.cruds").expect("scopes")
}

/// Nobody gets a token by what they send here, nothing goes to an address that is not the app's, nothing waits that the
/// app is not registered for, and what can be read is written as it was read.
pub fn judge(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    check_scopes(&text);
    if let Ok(set) = serde_json::from_slice(input)
        && let Ok(keys) = KeySet::read(&set)
        && let Some(key) = keys.find(None)
    {
        let again = KeySet::read(&serde_json::json!({ "keys": [key.members()] })).expect("our own JWK");
        assert_eq!(again.find(None).map(|key| key.thumbprint()), Some(key.thumbprint()));
    }
    let (server, id) = &*SERVER;
    let (token, proof) = text.split_once('\n').unwrap_or((&text, &text));
    let proofs = [proof];
    let chain = Chain::of(vec![input.to_vec()]).ok();
    if let Some(chain) = &chain {
        check_certificate(chain);
    }
    let url = "http://localhost/oauth/token";
    let sent = Sent { proofs: &proofs, method: "POST", url, certificate: chain.as_ref() };
    if let Ok(asked) = serde_json::from_slice(input) {
        refused(server.register(&asked, NOW));
    }
    let asked = serde_json::json!({ "software_statement": text });
    refused(server.register(&asked, NOW));
    for scheme in [Scheme::Bearer, Scheme::Dpop] {
        refused(server.authority(token, scheme, sent, NOW));
    }
    let Ok(mut pairs) = percent::pairs(&text) else { return };
    refused(server.token(&pairs, sent, NOW));
    refused(server.introspect(&pairs, sent, NOW));
    pairs.retain(|(name, _)| name != "client_id");
    pairs.push(("client_id".into(), id.clone()));
    refused(server.token(&pairs, sent, NOW));
    check_visit(&pairs);
}

fn refused<T>(result: Result<T, Fault>) {
    match result {
        Ok(_) => panic!("taken"),
        Err(Fault::Failed(what)) => panic!("not borne: {what}"),
        Err(_) => {}
    }
}

/// Whatever can be read of a certificate is read, and nobody made one that leads to an authority.
fn check_certificate(chain: &Chain) {
    let authorities = Authorities::read(AUTHORITY).expect("an authority");
    let is_of_tests = chain.check(&authorities, NOW).is_ok();
    assert!(!is_of_tests || chain.names_host("localhost"), "the receiver of the tests is the only one");
    let _ = (chain.subject(), chain.organization(), chain.begins(), chain.ends(), chain.key());
    assert!(!chain.names_uri("https://hub.example/no"));
    assert_eq!(chain.thumbprint().len(), 43);
}

fn check_scopes(text: &str) {
    let Ok(scopes) = Scopes::parse(text) else { return };
    let again = Scopes::parse(&scopes.to_string()).expect("our own scopes");
    assert_eq!(again, scopes);
    assert!(scopes.cover(&again));
    for what in [Interactions::READ, Interactions::DELETE] {
        assert!(!scopes.allow(None, what) || scopes.allow(Some("Observation"), what), "all, and not one");
    }
}

fn check_visit(pairs: &Pairs) {
    let (server, _) = &*SERVER;
    match server.visit(pairs, NOW) {
        Ok(Visit::Back(back)) => assert_eq!(back.redirect_uri, BACK),
        Ok(Visit::Ask(name)) => {
            let (request, _) = server.waiting(&name, NOW).expect("it waits");
            assert_eq!(request.redirect_uri, BACK);
            assert!(registered().cover(&request.scopes));
            assert!(request.scopes.records().all(|records| records.query.is_empty()));
        }
        Err(fault) => refused::<()>(Err(fault)),
    }
}

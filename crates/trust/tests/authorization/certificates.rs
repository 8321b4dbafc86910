//! Apps that prove by a certificate who they are, and tokens that are bound to one (RFC 8705).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ieum_trust::access::Role;
use ieum_trust::authorization::certificate::{Authorities, CertificateError, Chain, MOST_CERTIFICATES};
use ieum_trust::authorization::client::{ByCertificate, Client, Policy};
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::scopes::Scopes;
use ieum_trust::authorization::server::Scheme;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, date_time_ymd,
};
use serde_json::{Value, json};

use crate::support::{App, BACK, Bench, FHIR, TOKEN, bare, error, pairs};

pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

/// An authority.
pub(crate) fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a good certificate of an app has.
pub(crate) fn good() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "emr.example");
    params.distinguished_name.push(DnType::OrganizationName, "가상병원");
    params.subject_alt_names = vec![
        SanType::DnsName("emr.example".try_into().unwrap()),
        SanType::URI("https://emr.example/app".try_into().unwrap()),
    ];
    params
}

/// A certificate by an authority.
fn made(issuer: &Issuer, change: impl FnOnce(&mut CertificateParams)) -> Chain {
    let mut params = good();
    change(&mut params);
    let made = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap();
    Chain::of(vec![made.der().to_vec()]).unwrap()
}

fn own() -> (Chain, Vec<u8>) {
    let made = good().self_signed(&KeyPair::generate().unwrap()).unwrap();
    (Chain::of(vec![made.der().to_vec()]).unwrap(), made.der().to_vec())
}

/// An app that proves itself by a certificate that is known so.
fn app<'b>(bench: &'b Bench, known: ByCertificate, jwks: Option<Value>, certificate: Chain) -> App<'b> {
    let scopes = Scopes::parse("offline_access launch/patient patient/*.rs").unwrap();
    let mut client = Client::new("진료 화면", "이음 시험", Policy::Fapi2, scopes);
    client.redirect_uris = vec![BACK.into()];
    client.certificate = Some(known);
    client.jwks = jwks;
    App { bench, id: bench.register(&client), key: None, dpop: None, certificate: Some(certificate) }
}

fn subject() -> ByCertificate {
    ByCertificate::Subject("O=가상병원,CN=emr.example".into())
}

#[test]
fn an_app_is_known_by_its_certificate_or_not() {
    let (trusted, stranger) = (authority("가상 인증기관"), authority("다른 인증기관"));
    let intermediate = {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "중간 인증기관");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &trusted).unwrap()
    };
    let bench = Bench::new();
    bench.server.trust_clients_of(Authorities::read(trusted.pem().as_bytes()).unwrap());
    let through = || {
        let made = good().signed_by(&KeyPair::generate().unwrap(), &intermediate).unwrap();
        (made.der().to_vec(), intermediate.der().to_vec())
    };
    let (leaf, middle) = through();
    let (lonely, self_made) = (Chain::of(vec![leaf.clone()]).unwrap(), own().0);
    let whole = Chain::of(vec![leaf, middle]).unwrap();
    let host = || ByCertificate::Host("emr.example".into());
    let uri = || ByCertificate::Uri("https://emr.example/app".into());
    let cases: Vec<(&str, ByCertificate, Chain, bool)> = vec![
        ("by its subject", subject(), made(&trusted, |_| {}), true),
        ("by its host", host(), made(&trusted, |_| {}), true),
        ("by its URI", uri(), made(&trusted, |_| {}), true),
        ("through an authority between", subject(), whole, true),
        ("the one between is missing", subject(), lonely, false),
        ("by another authority", subject(), made(&stranger, |_| {}), false),
        ("by itself", subject(), self_made, false),
        ("another subject", ByCertificate::Subject("CN=emr.example".into()), made(&trusted, |_| {}), false),
        ("another host", ByCertificate::Host("emr.example.evil".into()), made(&trusted, |_| {}), false),
        ("a host above", ByCertificate::Host("example".into()), made(&trusted, |_| {}), false),
        ("another URI", ByCertificate::Uri("https://emr.example".into()), made(&trusted, |_| {}), false),
        (
            "a host that is a URI",
            ByCertificate::Host("https://emr.example/app".into()),
            made(&trusted, |_| {}),
            false,
        ),
        ("over", subject(), made(&trusted, |params| params.not_after = date_time_ymd(2026, 1, 1)), false),
        ("not yet", subject(), made(&trusted, |params| params.not_before = date_time_ymd(2030, 1, 1)), false),
        (
            "for servers alone",
            subject(),
            made(&trusted, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            false,
        ),
        (
            "for clients",
            subject(),
            made(&trusted, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            true,
        ),
        (
            "an authority itself",
            subject(),
            made(&trusted, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            false,
        ),
    ];
    for (case, known, certificate, taken) in cases {
        let app = app(&bench, known, None, certificate);
        let pushed = app.push(app.asking("patient/*.rs"));
        assert_eq!(pushed.as_ref().err(), (!taken).then_some(&Fault::ClientCertificate), "{case}");
    }
}

#[test]
fn a_certificate_of_ones_own_is_one_that_is_registered() {
    let bench = Bench::new();
    bench.server.trust_clients_of(Authorities::read(authority("가상").pem().as_bytes()).unwrap());
    let ((known, der), (next, next_der), (other, _)) = (own(), own(), own());
    let key = |kid: &str, der: &[u8]| {
        let mut key = crate::support::AppKey::new().jwk();
        key["kid"] = kid.into();
        key["x5c"] = json!([STANDARD.encode(der)]);
        key
    };
    let both = json!({ "keys": [key("a", &der), key("b", &next_der)] });
    for (certificate, taken) in [(known, true), (next, true), (other, false)] {
        let app = app(&bench, ByCertificate::Own, Some(both.clone()), certificate);
        assert_eq!(app.push(app.asking("patient/*.rs")).is_ok(), taken);
    }
}

#[test]
fn the_certificate_is_the_only_proof_and_must_be_there() {
    let trusted = authority("가상");
    let bench = Bench::new();
    let chain = made(&trusted, |_| {});
    let app = app(&bench, subject(), None, chain.clone());
    // TLS asks for none: what is shown is not looked at.
    assert_eq!(app.push(app.asking("patient/*.rs")), Err(Fault::ClientCertificate));
    bench.server.trust_clients_of(Authorities::read(trusted.pem().as_bytes()).unwrap());
    app.push(app.asking("patient/*.rs")).unwrap();
    let without = App { certificate: None, ..app };
    assert_eq!(without.push(without.asking("patient/*.rs")), Err(Fault::ClientCertificate));
    let app = App { certificate: Some(chain.clone()), ..without };
    // An authority that is trusted no more.
    bench.server.trust_clients_of(Authorities::read(authority("다른").pem().as_bytes()).unwrap());
    assert_eq!(app.push(app.asking("patient/*.rs")), Err(Fault::ClientCertificate));
    bench.server.trust_clients_of(Authorities::read(trusted.pem().as_bytes()).unwrap());
    // No second way beside it, and a certificate is none for an app with keys.
    let with_key = App { key: Some(crate::support::AppKey::new()), ..app };
    assert_eq!(error(with_key.push(with_key.asking("patient/*.rs"))), "invalid_client");
    let strict = bench.strict();
    let form =
        pairs(&[("client_id", &strict.id), ("grant_type", "client_credentials"), ("scope", "system/*.rs")]);
    let sent = ieum_trust::authorization::dpop::Sent { certificate: Some(&chain), ..bare(TOKEN) };
    assert_eq!(bench.server.token(&form, sent, bench.now()), Err(Fault::ClientProof));
}

#[test]
fn a_token_is_worth_nothing_without_its_certificate() {
    let trusted = authority("가상");
    let bench = Bench::new();
    bench.server.trust_clients_of(Authorities::read(trusted.pem().as_bytes()).unwrap());
    let user = bench.user(Role::Patient, Some("p1"));
    let chain = made(&trusted, |_| {});
    let by_certificate = app(&bench, subject(), None, chain.clone());
    // The strict policy takes either: a key by DPoP, or the certificate of the connection.
    let by_key = App { dpop: None, certificate: Some(chain.clone()), ..bench.strict() };
    for app in [by_certificate, by_key] {
        let tokens = app.tokens("offline_access patient/*.rs", &user);
        assert_eq!(tokens["token_type"], "Bearer");
        app.use_token(&tokens).unwrap();
        let token = tokens["access_token"].as_str().unwrap();
        let told = app.proven(pairs(&[("token", token)]));
        let sent = ieum_trust::authorization::dpop::Sent { certificate: Some(&chain), ..bare(TOKEN) };
        let told = bench.server.introspect(&told, sent, bench.now()).unwrap();
        assert_eq!(told["cnf"], json!({ "x5t#S256": chain.thumbprint() }));
        let url = format!("{FHIR}/Patient/p1");
        let other = made(&trusted, |_| {});
        for (case, certificate, scheme, fault) in [
            ("without", None, Scheme::Bearer, Fault::Certificate),
            ("with another of the same name", Some(&other), Scheme::Bearer, Fault::Certificate),
            ("as DPoP", Some(&chain), Scheme::Dpop, Fault::Scheme),
        ] {
            let sent = ieum_trust::authorization::dpop::Sent { certificate, method: "GET", ..bare(&url) };
            assert_eq!(bench.server.authority(token, scheme, sent, bench.now()), Err(fault), "{case}");
        }
        // The next one is bound to what the app connects with then.
        let fresh = app.refresh(&tokens).unwrap();
        app.use_token(&fresh).unwrap();
    }
    // Neither of them.
    let bare_app = App { dpop: None, ..bench.strict() };
    let code = {
        let with_dpop = App { dpop: Some(crate::support::AppKey::new()), ..bench.strict() };
        with_dpop.code("patient/*.rs", &user)
    };
    assert_eq!(bare_app.token(bare_app.redeeming(&code)), Err(Fault::Unbound));
    // An app that cannot prove who it is binds nothing to a certificate, and a proof wins over it.
    let public = App { certificate: Some(chain.clone()), ..bench.public() };
    let request = match bench.server.visit(&public.asking("patient/*.rs"), bench.now()).unwrap() {
        ieum_trust::authorization::server::Visit::Ask(name) => name,
        ieum_trust::authorization::server::Visit::Back(back) => panic!("{back:?}"),
    };
    let back = bench.server.allow(&request, &user, None, bench.now()).unwrap();
    let tokens = public.token(public.redeeming(&crate::support::told(&back, "code"))).unwrap();
    App { certificate: None, ..public }.use_token(&tokens).unwrap();
    let both = App { certificate: Some(chain), ..bench.strict() };
    let tokens = both.tokens("patient/*.rs", &user);
    assert_eq!(tokens["token_type"], "DPoP");
    App { certificate: None, ..both }.use_token(&tokens).unwrap();
}

#[test]
fn what_is_no_certificate_is_refused() {
    let (_, der) = own();
    let mut cut = der.clone();
    cut.truncate(der.len() - 1);
    for (certificates, error) in [
        (vec![], CertificateError::Number),
        (vec![der.clone(); MOST_CERTIFICATES + 1], CertificateError::Number),
        (vec![Vec::new()], CertificateError::Form),
        (vec![cut], CertificateError::Form),
        (vec![b"nothing".to_vec()], CertificateError::Form),
        (vec![der.clone(), vec![0; 20 << 10]], CertificateError::Form),
    ] {
        assert_eq!(Chain::of(certificates).err(), Some(error));
    }
    for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Authorities::read(pem.as_bytes()).is_err(), "{pem}");
    }
    let chain = Chain::of(vec![der]).unwrap();
    assert_eq!(chain.subject(), "O=가상병원,CN=emr.example");
    assert_eq!(chain.organization().as_deref(), Some("가상병원"));
    assert!(chain.begins() < chain.ends());
}

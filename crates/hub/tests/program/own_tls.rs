//! TLS of the hub's own: one version, files that are read anew, certificates of clients, and apps that register themselves
//! by one.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType, date_time_ymd,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::support::{Running, output, run};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate with its key.
struct Holder {
    der: Vec<u8>,
    pem: String,
    pair: KeyPair,
}

fn holder(issuer: &Issuer, names: Vec<SanType>, change: impl FnOnce(&mut CertificateParams)) -> Holder {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "emr.example");
    params.subject_alt_names = names;
    change(&mut params);
    let pair = KeyPair::generate().unwrap();
    let made = params.signed_by(&pair, issuer).unwrap();
    Holder { der: made.der().to_vec(), pem: made.pem(), pair }
}

/// One for this machine.
fn of_hub(issuer: &Issuer) -> Holder {
    holder(issuer, vec![SanType::IpAddress("127.0.0.1".parse().unwrap())], |_| {})
}

fn of_app(issuer: &Issuer) -> Holder {
    holder(issuer, vec![SanType::URI("https://emr.example/app".try_into().unwrap())], |_| {})
}

impl Holder {
    /// Writes both where the hub reads them; the key first, so that there is a moment when they do not go together.
    fn write(&self, folder: &Path) {
        std::fs::write(folder.join("hub.key"), self.pair.serialize_pem()).unwrap();
        let status =
            std::process::Command::new("chmod").arg("600").arg(folder.join("hub.key")).status().unwrap();
        assert!(status.success());
        std::fs::write(folder.join("hub.pem"), &self.pem).unwrap();
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pair = EcdsaKeyPair::from_pkcs8(kind, &self.pair.serialize_der(), &random).unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}", part(header), part(claims));
        let signature = pair.sign(&random, unsigned.as_bytes()).unwrap();
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A client that trusts this authority, and connects with this certificate.
fn client(trusted: &Issuer, own: Option<&Holder>) -> ureq::Agent {
    let own = own.map(|own| {
        let key = PrivateKey::from_pem(own.pair.serialize_pem().as_bytes()).unwrap();
        ClientCert::new_with_certs(&[Certificate::from_der(&own.der).to_owned()], key)
    });
    let roots = RootCerts::new_with_certs(&[Certificate::from_der(trusted.der()).to_owned()]);
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .client_cert(own)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .tls_config(tls);
    config.build().into()
}

fn flags(folder: &Path) -> Vec<String> {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    vec!["--tls-certificate".into(), file("hub.pem"), "--tls-key".into(), file("hub.key")]
}

fn start(data: &Path, flags: &[String]) -> Running {
    Running::start(data, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Whether somebody who speaks one version of TLS alone is greeted.
fn is_greeted(address: &str, trusted: &Issuer, version: &'static rustls::SupportedProtocolVersion) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(trusted.der().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    connection.complete_io(&mut stream).is_ok() && !connection.is_handshaking()
}

#[test]
fn a_hub_speaks_tls_and_reads_its_files_anew() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (authority("첫째"), authority("둘째"));
    of_hub(&first).write(folder.path());
    let hub = start(data.path(), &flags(folder.path()));
    let address = hub.base.strip_prefix("https://").unwrap().strip_suffix("/fhir").unwrap().to_owned();
    let metadata = format!("{}/metadata", hub.base);
    let response = client(&first, None).get(&metadata).call().unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.headers().get("strict-transport-security").is_none(), "not for this machine's own name");
    assert!(client(&second, None).get(&metadata).call().is_err(), "another authority's");
    assert!(
        ureq::get(format!("http://{address}/fhir/metadata")).call().is_err(),
        "without TLS nothing is said"
    );
    assert!(is_greeted(&address, &first, &rustls::version::TLS13));
    assert!(!is_greeted(&address, &first, &rustls::version::TLS12));

    // Whoever does not greet holds a connection for a while, and others are served meanwhile.
    let mut silent = TcpStream::connect(&address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let began = Instant::now();
    assert_eq!(client(&first, None).get(&metadata).call().unwrap().status().as_u16(), 200);
    assert_eq!(silent.read(&mut [0; 16]).unwrap_or(0), 0, "it is ended");
    assert!(began.elapsed() < Duration::from_secs(40));

    // What cannot be read changes nothing; the next pair is taken by itself.
    std::fs::write(folder.path().join("hub.pem"), "nothing").unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(client(&first, None).get(&metadata).call().unwrap().status().as_u16(), 200);
    of_hub(&second).write(folder.path());
    let until = Instant::now() + Duration::from_secs(30);
    while client(&second, None).get(&metadata).call().is_err() {
        assert!(Instant::now() < until, "the new certificate is not shown");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(client(&first, None).get(&metadata).call().is_err());
    hub.stop();

    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let mut flags = flags(folder.path());
    flags.extend(["--base-url".to_owned(), "https://hub.example/fhir".to_owned()]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let hub = Running::start_on(data.path(), port, &flags);
    let response = client(&second, None).get(&metadata).call().unwrap();
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    hub.stop();
}

#[test]
fn an_app_is_known_by_its_certificate_and_its_tokens_are_bound_to_it() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (of_server, of_clients) = (authority("서버"), authority("클라이언트"));
    of_hub(&of_server).write(folder.path());
    let clients = folder.path().join("clients.pem");
    std::fs::write(&clients, of_clients.pem()).unwrap();
    let mut flags = flags(folder.path());
    flags.extend(["--client-ca".to_owned(), clients.to_str().unwrap().to_owned()]);
    let hub = start(data.path(), &flags);
    let directory = data.path().to_str().unwrap();
    run(&["account", "add", "--data", directory, "--role", "service", "--name", "EMR"]);
    let accounts = run(&["account", "list", "--data", directory]);
    let account = accounts.split(' ').next().unwrap();
    let add = |flags: &[&str]| {
        let common = ["client", "add", "--data", directory, "--name", "EMR", "--organization", "가상병원"];
        let rest = ["--scope", "system/*.rs", "--account", account];
        run(&[&common[..], &rest[..], flags].concat()).trim().to_owned()
    };
    let id = add(&["--certificate-subject", "CN=emr.example"]);
    let issuer = hub.base.strip_suffix("/fhir").unwrap().to_owned();
    let (own, other) = (of_app(&of_clients), of_app(&of_clients));
    let stranger = of_app(&of_server);
    let token = |with: Option<&Holder>, id: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", "system/*.rs"), ("client_id", id)];
        answer(client(&of_server, with).post(format!("{issuer}/oauth/token")).send_form(form).unwrap())
    };
    assert_eq!(token(None, &id).0, 401);
    assert_eq!(token(Some(&stranger), &id).0, 401);
    let (status, tokens) = token(Some(&own), &id);
    assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")), "{tokens}");
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let read = |with: Option<&Holder>| {
        let request = client(&of_server, with).get(format!("{}/Patient", hub.base));
        request.header("authorization", &bearer).call().unwrap().status().as_u16()
    };
    assert_eq!(
        (read(Some(&own)), read(Some(&other)), read(Some(&stranger)), read(None)),
        (200, 401, 401, 401)
    );
    // Headers by which a proxy would tell of a certificate are nobody's proof.
    let forged = client(&of_server, None)
        .post(format!("{issuer}/oauth/token"))
        .header("x-client-cert", STANDARD.encode(&own.der))
        .header("client-cert", format!(":{}:", STANDARD.encode(&own.der)))
        .header("x-ssl-client-s-dn", "CN=emr.example")
        .send_form([("grant_type", "client_credentials"), ("scope", "system/*.rs"), ("client_id", &*id)]);
    assert_eq!(answer(forged.unwrap()).0, 401);
    let metadata =
        client(&of_server, None).get(format!("{issuer}/.well-known/oauth-authorization-server")).call();
    let metadata = answer(metadata.unwrap()).1;
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(
        methods.contains(&json!("tls_client_auth"))
            && methods.contains(&json!("self_signed_tls_client_auth"))
    );
    assert!(metadata.get("registration_endpoint").is_none());
    hub.stop();
}

#[test]
fn an_app_registers_itself_over_http() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (of_server, of_apps) = (authority("서버"), authority("앱"));
    of_hub(&of_server).write(folder.path());
    let anchors = folder.path().join("anchors");
    std::fs::create_dir(&anchors).unwrap();
    std::fs::write(anchors.join("community.pem"), of_apps.pem()).unwrap();
    let mut flags = flags(folder.path());
    flags.extend(["--registration-anchors".to_owned(), anchors.to_str().unwrap().to_owned()]);
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
    arguments.extend(flags.iter().map(String::as_str));
    let told = output(&arguments);
    assert!(String::from_utf8_lossy(&told.stderr).contains("community.toml"), "its terms are missing");
    std::fs::write(
        anchors.join("community.toml"),
        "policy = 'smart'\nscopes = 'launch/patient patient/*.rs'\n",
    )
    .unwrap();
    let hub = start(data.path(), &flags);
    let issuer = hub.base.strip_suffix("/fhir").unwrap().to_owned();
    let agent = client(&of_server, None);
    let metadata =
        answer(agent.get(format!("{issuer}/.well-known/oauth-authorization-server")).call().unwrap()).1;
    let endpoint = metadata["registration_endpoint"].as_str().unwrap().to_owned();
    let own = of_app(&of_apps);
    let mut number = 0;
    let mut statement = |grants: Value| {
        number += 1;
        let now = std::process::Command::new("date").arg("+%s").output().unwrap();
        let now: i64 = String::from_utf8(now.stdout).unwrap().trim().parse().unwrap();
        let claims = json!({
            "iss": "https://emr.example/app", "sub": "https://emr.example/app", "aud": endpoint, "iat": now, "exp": now + 60,
            "jti": number.to_string(), "client_name": "혈압 수첩", "contacts": ["mailto:help@emr.example"],
            "redirect_uris": ["https://emr.example/back"], "grant_types": grants, "response_types": ["code"],
            "token_endpoint_auth_method": "private_key_jwt", "scope": "launch/patient patient/*.rs",
        });
        let statement = own.sign(&json!({ "alg": "ES256", "x5c": [STANDARD.encode(&own.der)] }), &claims);
        json!({ "software_statement": statement, "udap": "1" }).to_string()
    };
    let send = |body: &str| {
        let request = agent.post(&*endpoint).header("content-type", "application/json");
        answer(request.send(body).unwrap())
    };
    // What was made before the hub began is refused; both count in seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    let (status, told) = send(&statement(json!(["authorization_code"])));
    assert_eq!(status, 201, "{told}");
    let id = told["client_id"].as_str().unwrap().to_owned();
    let clients = || run(&["client", "list", "--data", data.path().to_str().unwrap()]);
    assert!(clients().contains(&id));
    let (status, again) = send(&statement(json!(["authorization_code"])));
    assert_eq!((status, again["client_id"].as_str()), (200, Some(&*id)));
    let (status, told) = send("{");
    assert_eq!((status, &told["error"]), (400, &json!("invalid_request")));
    let (status, told) = send(r#"{"software_statement":"a.b.c"}"#);
    assert_eq!((status, &told["error"]), (400, &json!("invalid_software_statement")));
    assert_eq!(send(&statement(json!([]))).0, 200);
    assert!(!clients().contains(&id));
    // A bound on how many from one address.
    let mut last = 0;
    for _ in 0..20 {
        last = send("{").0;
    }
    assert_eq!(last, 429);
    hub.stop();
}

#[test]
fn the_doctor_looks_at_certificate_and_key() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let issuer = authority("가상");
    let doctor = || {
        let flags = flags(folder.path());
        let mut arguments = vec!["doctor", "--data", data.path().to_str().unwrap()];
        arguments.extend(flags.iter().map(String::as_str));
        String::from_utf8(output(&arguments).stdout).unwrap()
    };
    assert!(doctor().contains("hub.key: No such file"), "{}", doctor());
    let good = of_hub(&issuer);
    good.write(folder.path());
    assert!(doctor().contains("certificate of CN=emr.example good until 4096-01-01"), "{}", doctor());
    std::fs::write(folder.path().join("hub.key"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(doctor().contains("is not that of the certificate"), "{}", doctor());
    holder(&issuer, Vec::new(), |params| params.not_after = date_time_ymd(2020, 1, 1)).write(folder.path());
    assert!(doctor().contains("was over on 2020-01-01"), "{}", doctor());
    holder(&issuer, Vec::new(), |params| params.not_before = date_time_ymd(2100, 1, 1)).write(folder.path());
    assert!(doctor().contains("not valid yet"), "{}", doctor());
    good.write(folder.path());
    std::process::Command::new("chmod").arg("644").arg(folder.path().join("hub.key")).status().unwrap();
    assert!(doctor().contains("can be read by everybody"), "{}", doctor());
}

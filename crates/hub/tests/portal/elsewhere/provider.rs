//! A provider for these tests: it exchanges codes as OpenID Connect says, and lies where a test tells it to.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ieum::percent;
use ieum_trust::authorization::keys::SigningKeys;
use ieum_trust::federation::Provider;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A running provider.
pub(crate) struct Elsewhere {
    pub(crate) issuer: String,
    pub(crate) state: Arc<Mutex<State>>,
}

/// What it knows, and how it lies.
pub(crate) struct State {
    keys: SigningKeys,
    codes: HashMap<String, Given>,
    /// Set over what it says of itself.
    pub(crate) metadata: Value,
    /// Set over the claims of its tokens.
    pub(crate) claims: Value,
    /// Answered instead of anything, if it is set.
    pub(crate) answer: Option<(u16, Vec<u8>)>,
    /// How often each path was asked.
    pub(crate) asked: HashMap<String, u32>,
    /// How clients have shown who they are.
    pub(crate) clients: Vec<String>,
}

struct Given {
    nonce: String,
    challenge: String,
    back: String,
    subject: String,
    at: i64,
}

impl Elsewhere {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State {
            keys: SigningKeys::make(0).unwrap(),
            codes: HashMap::new(),
            metadata: json!({}),
            claims: json!({}),
            answer: None,
            asked: HashMap::new(),
            clients: Vec::new(),
        }));
        let (own, name) = (Arc::clone(&state), issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &own, &name);
            }
        });
        Self { issuer, state }
    }

    pub(crate) fn provider(&self, id: &str, two_factors: bool) -> Provider {
        Provider {
            id: id.into(),
            name: "가상기관".into(),
            name_en: "Elsewhere".into(),
            issuer: self.issuer.clone(),
            client_id: "ieum".into(),
            client_secret_file: None,
            scopes: vec!["openid".into()],
            acr: Vec::new(),
            amr: Vec::new(),
            two_factors,
            private: true,
        }
    }

    /// Somebody logs in, sent with this address; gives the code.
    pub(crate) fn log_in(&self, address: &str, subject: &str, at: i64) -> String {
        let pairs = percent::pairs(address.split_once('?').unwrap().1).unwrap();
        let value = |name: &str| pairs.iter().find(|pair| pair.0 == name).unwrap().1.clone();
        assert_eq!(
            (value("response_type").as_str(), value("code_challenge_method").as_str()),
            ("code", "S256")
        );
        let mut state = self.state.lock().unwrap();
        let code = format!("code-{}", state.codes.len());
        let given = Given {
            nonce: value("nonce"),
            challenge: value("code_challenge"),
            back: value("redirect_uri"),
            subject: subject.to_owned(),
            at,
        };
        state.codes.insert(code.clone(), given);
        code
    }

    /// From now on it signs with another key; the one before is not published any more.
    pub(crate) fn change_key(&self) {
        self.state.lock().unwrap().keys = SigningKeys::make(0).unwrap();
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>, issuer: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut length, mut authorization) = (String::new(), 0, String::new());
    if reader.read_line(&mut line).is_err() {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let form = percent::pairs(std::str::from_utf8(&body).unwrap()).unwrap();
    let mut state = state.lock().unwrap();
    *state.asked.entry(path.clone()).or_default() += 1;
    let (status, json) = match state.answer.clone() {
        Some(answer) => answer,
        None => {
            let (status, value) = state.serve(&path, &form, &authorization, issuer);
            (status, value.to_string().into_bytes())
        }
    };
    drop(state);
    let head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", json.len());
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&json));
}

impl State {
    fn serve(
        &mut self,
        path: &str,
        form: &[(String, String)],
        authorization: &str,
        issuer: &str,
    ) -> (u16, Value) {
        match path {
            "/.well-known/openid-configuration" => (
                200,
                over(
                    json!({
                        "issuer": issuer,
                        "authorization_endpoint": format!("{issuer}/authorize"),
                        "token_endpoint": format!("{issuer}/token"),
                        "jwks_uri": format!("{issuer}/jwks"),
                        "response_types_supported": ["code"],
                        "id_token_signing_alg_values_supported": ["ES256"],
                        "authorization_response_iss_parameter_supported": true,
                    }),
                    &self.metadata,
                ),
            ),
            "/jwks" => (200, self.keys.public(0)),
            "/token" => self.exchange(form, authorization, issuer),
            _ => (404, json!({})),
        }
    }

    fn exchange(&mut self, form: &[(String, String)], authorization: &str, issuer: &str) -> (u16, Value) {
        let value = |name: &str| form.iter().find(|pair| pair.0 == name).map_or("", |pair| pair.1.as_str());
        self.clients.push(client(form, authorization, issuer));
        // A code counts once.
        let Some(given) = self.codes.remove(value("code")) else {
            return (400, json!({"error": "invalid_grant"}));
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier")));
        if given.challenge != challenge || given.back != value("redirect_uri") {
            return (400, json!({"error": "invalid_grant"}));
        }
        let claims = over(
            json!({
                "iss": issuer, "sub": given.subject, "aud": "ieum", "nonce": given.nonce,
                "iat": given.at, "exp": given.at + 300, "auth_time": given.at,
            }),
            &self.claims,
        );
        let token = self.keys.sign("JWT", &claims).unwrap();
        (200, json!({ "access_token": "a", "token_type": "Bearer", "id_token": token }))
    }
}

/// Who a client says it is, and how.
fn client(form: &[(String, String)], authorization: &str, issuer: &str) -> String {
    let value = |name: &str| form.iter().find(|pair| pair.0 == name).map_or("", |pair| pair.1.as_str());
    if let Some(basic) = authorization.strip_prefix("Basic ") {
        return format!("basic {}", String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap());
    }
    let Some(claims) = value("client_assertion").split('.').nth(1) else {
        return format!("post {} {}", value("client_id"), value("client_secret"));
    };
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (Some("ieum"), Some(issuer)));
    "signed".to_owned()
}

fn over(mut value: Value, set: &Value) -> Value {
    for (name, other) in set.as_object().unwrap() {
        value[name] = other.clone();
    }
    value
}

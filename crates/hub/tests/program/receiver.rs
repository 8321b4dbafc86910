//! Where notifications go in these tests: a small server, with or without TLS, that remembers which events came.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// What came: for each number the records it was about (one, if all is well), and the numbers in the order they came.
#[derive(Debug, Default, Clone)]
pub(crate) struct Came {
    pub(crate) records: BTreeMap<u64, Vec<String>>,
    pub(crate) order: Vec<u64>,
    pub(crate) handshakes: u64,
}

/// A running receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    came: Arc<Mutex<Came>>,
}

/// Where the certificates of the tests lie. They are worth nothing: their keys are for all to read, or thrown away.
pub(crate) fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/tls")
}

impl Receiver {
    pub(crate) fn plain() -> Self {
        Self::start(serve)
    }

    pub(crate) fn with_tls() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_file(certificates().join("receiver.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(certificates().join("receiver.key")).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        Self::start(move |stream, came| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(StreamOwned::new(connection, stream), came);
        })
    }

    fn start(serve: impl Fn(TcpStream, &Mutex<Came>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let came: Arc<Mutex<Came>> = Arc::default();
        let (own, serve) = (Arc::clone(&came), Arc::new(serve));
        // It ends with the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (came, serve) = (Arc::clone(&own), Arc::clone(&serve));
                std::thread::spawn(move || serve(stream, &came));
            }
        });
        Self { address, came }
    }

    pub(crate) fn came(&self) -> Came {
        self.came.lock().unwrap().clone()
    }

    /// Waits for what must come.
    pub(crate) fn wait(&self, what: &str, done: impl Fn(&Came) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !done(&self.came.lock().unwrap()) {
            assert!(Instant::now() < until, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn serve<S: Read + Write>(stream: S, came: &Mutex<Came>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            // A hub that is killed, or does not trust the certificate, breaks off.
            match reader.read_line(&mut head) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
        }
        if head.starts_with("GET ") {
            let file = r#"{"resourceType":"Patient","id":"fetched"}"#;
            let answer = format!("HTTP/1.1 200 x\r\ncontent-length: {}\r\n\r\n{file}", file.len());
            if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                return;
            }
            continue;
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        note(&serde_json::from_slice(&body).unwrap(), &mut came.lock().unwrap());
        if reader.get_mut().write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

fn note(bundle: &Value, came: &mut Came) {
    let parameters = bundle["entry"][0]["resource"]["parameter"].as_array().unwrap();
    for parameter in parameters {
        if parameter["name"] == "type" && parameter["valueCode"] == "handshake" {
            came.handshakes += 1;
        }
        if parameter["name"] != "notificationEvent" {
            continue;
        }
        let part = |name: &str| {
            parameter["part"].as_array().unwrap().iter().find(|part| part["name"] == name).unwrap().clone()
        };
        let number = part("eventNumber")["valueString"].as_str().unwrap().parse().unwrap();
        let focus = part("focus")["valueReference"]["reference"].as_str().unwrap().to_owned();
        let id = focus.rsplit('/').next().unwrap().to_owned();
        let ids = came.records.entry(number).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
        came.order.push(number);
    }
}

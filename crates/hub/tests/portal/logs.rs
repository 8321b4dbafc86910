//! What the portal writes down of a request.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::Portal;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn the_log_names_no_method_that_is_not_https() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    // For the whole program: what only one thread listens to may be switched off by the others.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let portal = Portal::with_accounts();
    let request = Request::builder().method("GET880101-1234567").uri("/patients/842507-1000017");
    let status = portal.ask(request.body(Body::empty()).unwrap()).status.as_u16();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(status, 405);
    assert!(text.contains(r#""http.method":"other""#), "{text}");
    assert!(!text.contains("1234567") && !text.contains("1000017"), "{text}");
}

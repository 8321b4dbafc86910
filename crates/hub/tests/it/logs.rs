//! What the server writes down: enough to find a request, and nothing of a patient.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ieum_trust::access::Role;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Kind, Server, on_every_engine};

on_every_engine!(no_patient_data);

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

/// Everything this process logs from now on. Other tests log too; they do not know the canaries.
fn log() -> Log {
    static LOG: std::sync::OnceLock<Log> = std::sync::OnceLock::new();
    let start = || {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
        subscriber.init();
        log
    };
    LOG.get_or_init(start).clone()
}

fn no_patient_data(kind: Kind) {
    let log = log();
    let server = Server::with_accounts(kind);
    let secret = server.account(Role::Service, None);
    let id = format!("canary-id-{kind:?}");
    let patient = format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"카나리아"}}]}}"#);
    server.send_as(&secret, "PUT", &format!("/Patient/{id}"), &patient).expect(201);
    server.get_as(&secret, &format!("/Patient/{id}")).expect(200);
    server.get_as(&secret, "/Patient?name=canary-search").expect(200);
    server.get_as(&secret, &format!("/Patient/{id}/canary-operation")).expect(404);
    server.get_as(&secret, "/Patient?birthdate=canary-date").expect(400);
    server.send_as(&secret, "POST", "/Patient", r#"{"canary-member":1}"#).expect(400);
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"GET","url":"Patient/{id}?canary-x"}}}}]}}"#
    );
    server.send_as(&secret, "POST", "", &bundle).expect(200);
    server.get_as("canary-secret", "/Patient").expect(401);
    let reply = server.request("CANARY", "/Patient", &[], None).expect(405);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for canary in ["canary", "CANARY", "카나리아", &secret] {
        let line = text.lines().find(|line| line.contains(canary));
        // Our own libraries only: what others trace is switched off outside tests.
        let line = line.filter(|line| line.contains(r#""target":"ieum"#));
        assert!(line.is_none(), "{canary}: {line:?}");
    }
    let request = reply.header("x-request-id").unwrap();
    let line = text.lines().find(|line| line.contains(request)).expect("every request has its line");
    for field in [r#""http.method":"other""#, r#""http.route":"(none)""#, r#""http.status":405"#, "duration_micros"] {
        assert!(line.contains(field), "{field} in {line}");
    }
    assert!(text.contains(r#""http.route":"/fhir/{kind}/{id}""#));
}

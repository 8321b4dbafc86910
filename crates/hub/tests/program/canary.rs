//! Patient data, unmistakably fake, put into every place that takes anything: found in no log line at any level, in no
//! number, no error text, no audit entry.
//!
//! Three kinds of canaries: values, which nothing but the answer to those who may see them may hold; names of parameters
//! and elements, which an error may tell to whoever sent them; and ids of records, which audit entries are about.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Running, ieum};

mod places;

/// In every value.
const VALUE: &str = "cnry";
/// In every name.
const NAME: &str = "zznm";
/// In every id.
const ID: &str = "kidx";
/// Values that have forms of their own.
const NUMBERS: [&str; 4] = ["900231-1999991", "9002311999991", "010-0000-7391", "01000007391"];
const KOREAN: [&str; 2] = ["카나리", "%EC%B9%B4%EB%82%98%EB%A6%AC"];

/// What went wrong, if a text holds a canary: which, and around it.
fn found(text: &str, canaries: &[&str]) -> Option<String> {
    let lower = text.to_lowercase();
    let all = canaries.iter().chain(&NUMBERS).chain(&KOREAN);
    let (at, canary) =
        all.filter_map(|canary| lower.find(&canary.to_lowercase()).map(|at| (at, canary))).next()?;
    let around: Vec<char> = lower[..at].chars().rev().take(200).collect();
    let before: String = around.into_iter().rev().collect();
    Some(format!("{canary} in …{before}{}", lower[at..].chars().take(100).collect::<String>()))
}

/// A client that sends whatever it is told to.
struct Client {
    address: SocketAddr,
    secret: String,
    asked: usize,
    /// Errors that tell too much.
    faults: Vec<String>,
}

struct Answer {
    status: u16,
    text: String,
}

impl Client {
    /// Sends a request as `who`; what is answered, if it is an error, holds no canary.
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.secret.is_empty() && headers.iter().all(|(name, _)| *name != "authorization") {
            head += &format!("authorization: Bearer {}\r\n", self.secret);
        }
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let _ = stream.write_all(&[head.as_bytes(), b"\r\n", body].concat());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        self.asked += 1;
        // Pages of sign-in show what was typed to whoever typed it, and lead back to where they came from.
        let is_error = status >= 400 && (status != 422 || path.starts_with("/fhir"));
        // The switch to the other language leads back to where one is.
        let own_address = format!("href=\"{}", path.replace('&', "&amp;"));
        let told = text.replace(&own_address, "");
        if let Some(fault) = found(&told, &[VALUE, ID]).filter(|_| is_error) {
            self.faults.push(format!("{method} {path} {headers:?}: {status}: {fault}"));
        }
        assert!(status < 500 || status == 503, "{method} {path}: {text}");
        Answer { status, text }
    }

    fn fhir(&mut self, method: &str, path: &str, body: &str) -> Answer {
        self.ask(
            method,
            &format!("/fhir{path}"),
            &[("content-type", "application/fhir+json")],
            body.as_bytes(),
        )
    }

    fn form(&mut self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.ask("POST", path, &all, form.as_bytes())
    }

    /// The cookie of a session.
    fn sign_in(&mut self, secret: &str) -> String {
        let origin = format!("http://{}", self.address);
        let answer = self.form("/sign-in", &format!("secret={secret}"), &[("origin", &origin)]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        let line = answer.text.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        line.split(';').next().unwrap().to_owned()
    }
}

fn patient() -> Value {
    json!({"resourceType": "Patient", "id": format!("{ID}-p"), "birthDate": "1911-02-03", "gender": "female",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>cnry-narrative 카나리</p></div>"},
        "meta": {"tag": [{"system": "urn:cnry-tag", "code": "cnry-tag"}]},
        "identifier": [{"system": "urn:oid:1.2.410.100119.4.1", "value": "900231-1999991"}, {"system": "urn:cnry-system", "value": "cnry-number"}],
        "name": [{"text": "카나리", "family": "cnry-family", "given": ["cnry-given"]}],
        "telecom": [{"system": "phone", "value": "010-0000-7391"}, {"system": "email", "value": "cnry@cnry.example"}],
        "address": [{"text": "cnry-address", "line": ["cnry-line"], "city": "cnry-city", "postalCode": "cnry-post"}],
        "contact": [{"name": {"text": "cnry-contact"}}], "communication": [{"language": {"text": "cnry-language"}}]})
}

fn account(data: &Path, arguments: &[&str]) -> String {
    let done = ieum()
        .args(["account", "add", "--name", "시험", "--data"])
        .arg(data)
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(done.stdout)
        .unwrap()
        .lines()
        .next()
        .unwrap_or_else(|| panic!("{:?}", done.stderr))
        .to_owned()
}

// threat: 18
#[test]
fn patient_data_are_in_no_log_number_error_or_audit_entry() {
    let directory = tempfile::tempdir().unwrap();
    let (data, log) = (directory.path().join("data"), directory.path().join("log"));
    // Files whose names and content are canaries, some of which cannot be taken.
    let folder = directory.path().join("files");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("cnry-900231-1999991.ndjson"), format!("{}\ncnry\n", patient())).unwrap();
    std::fs::write(folder.join("cnry.json"), r#"{"resourceType":"Patient","birthDate":"cnry"}"#).unwrap();
    let mut import = ieum();
    let done =
        import.env("RUST_LOG", "trace").args(["import", "--data"]).arg(&data).arg(&folder).output().unwrap();
    let mut logged = String::from_utf8_lossy(&done.stderr).into_owned();

    let secret = |role: &str, more: &[&str]| account(&data, &[&["--role", role], more].concat());
    let (service, clinician, operator) =
        (secret("service", &[]), secret("clinician", &[]), secret("operator", &[]));
    let own = secret("patient", &["--patient", "kidx-p"]);
    let nobody = "http://127.0.0.1:9";
    let flags = [
        "--subscription-origin",
        nobody,
        "--subscription-private",
        "--import-origin",
        nobody,
        "--import-private",
    ];
    let hub = Running::start_with(&data, 0, &flags, |command| {
        command.env("RUST_LOG", "trace").stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    });
    let address = hub.base.strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap();
    let mut client = Client { address, secret: service.clone(), asked: 0, faults: Vec::new() };
    places::records(&mut client);
    places::subscriptions(&mut client, nobody);
    places::searches(&mut client);
    places::headers(&mut client);
    places::bodies(&mut client);
    places::jobs(&mut client, nobody);
    for secret in [&own, &operator, &"cnry-secret".to_owned()] {
        client.secret.clone_from(secret);
        client.fhir("GET", &format!("/Patient/{ID}-none"), "");
        client.fhir("PUT", &format!("/Patient/{ID}-p"), &patient().to_string());
        client.fhir("GET", "/Patient?name=cnry&birthdate=cnry", "");
    }
    client.secret.clear();
    let cookies = [client.sign_in(&clinician), client.sign_in(&own), client.sign_in(&operator)];
    places::apps(&mut client);
    places::pages(&mut client, &cookies);
    let last = client.ask("CNRY", "/fhir/Patient", &[], b"").text;
    let last = last.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().to_owned();
    // What was begun has ended, or has been tried and failed.
    std::thread::sleep(Duration::from_secs(2));

    let metrics = client.ask("GET", "/metrics", &[], b"");
    assert_eq!(metrics.status, 200);
    assert_eq!(found(&metrics.text, &[VALUE, NAME, ID]), None, "in the numbers");
    let audit = client.ask("GET", "/operator/audit?page=1", &[("cookie", &cookies[2])], b"");
    assert!(audit.status == 200 && audit.text.contains("read"), "{}", audit.text);
    assert_eq!(found(&audit.text, &[VALUE, NAME]), None, "in the audit entries");
    assert!(client.faults.is_empty(), "{} errors tell:\n{}", client.faults.len(), client.faults.join("\n"));
    let (asked, lines) = (client.asked, std::fs::read_to_string(&log).unwrap());
    hub.stop();
    assert!(lines.matches("answered").count() >= asked - 50, "every request has its line");
    let line =
        lines.lines().find(|line| line.contains(&last)).expect("the number of a request leads to its line");
    for field in ["http.method=\"other\"", "http.route=\"(none)\"", "http.status=405", "duration_micros="] {
        assert!(line.contains(field), "{field} in {line}");
    }
    logged += &std::fs::read_to_string(&log).unwrap();
    for secret in [&service, &clinician, &operator, &own] {
        assert!(!logged.contains(secret.as_str()), "a secret is in the log");
    }
    let fault = logged.lines().find_map(|line| found(line, &[VALUE, NAME, ID]));
    assert_eq!(fault, None, "in the log");
}

//! Servers to test, and the client that speaks to them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ieum::authorization::Authorization;
use ieum::data::OWN_KINDS;
use ieum::hub::{Entrance, Hub, Options};
use ieum::jobs::{JobOptions, Service};
use ieum::limits::Limits;
use ieum::outgoing::Rules;
use ieum::server::{Listening, router};
use ieum::subscriptions::{SubscriptionOptions, SubscriptionService};
use ieum_fhir::json::{self, Document};
use ieum_fhir::validate::validate;
use ieum_store::catalogue::Catalogue;
use ieum_store::clock::system_clock;
use ieum_store::commit::{Change, Expect};
use ieum_store::engine::Engine;
use ieum_store::memory::MemoryEngine;
use ieum_store::sqlite::{SqliteEngine, SqliteOptions};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{ACCOUNT, Account, digest, new_secret};
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use serde_json::Value;

mod unreliable;

pub(crate) use unreliable::Failing;
use unreliable::Unreliable;

/// The engine behind a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
}

/// Runs each of these functions, which take a [`Kind`], as a test on every engine.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::$test($crate::support::Kind::Memory); })+
        }
        mod sqlite {
            $(#[test] fn $test() { super::$test($crate::support::Kind::Sqlite); })+
        }
    };
}
pub(crate) use on_every_engine;

/// A running server.
pub(crate) struct Server {
    /// Address of the FHIR interface.
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
    pub(crate) door: Door,
    entrance: Entrance,
    agent: ureq::Agent,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Where results of jobs lie.
    pub(crate) jobs: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl Server {
    /// A server open to anybody.
    pub(crate) fn open(kind: Kind) -> Self {
        Self::start(kind, Entrance::Open, Limits::default())
    }

    /// A server that asks for accounts.
    pub(crate) fn with_accounts(kind: Kind) -> Self {
        Self::start(kind, Entrance::Accounts, Limits::default())
    }

    pub(crate) fn start(kind: Kind, entrance: Entrance, limits: Limits) -> Self {
        Self::start_with(kind, entrance, limits, |_| {})
    }

    /// A server whose jobs are run in another way than usual.
    pub(crate) fn start_with(
        kind: Kind,
        entrance: Entrance,
        limits: Limits,
        change: impl FnOnce(&mut JobOptions),
    ) -> Self {
        Self::start_for(kind, entrance, limits, SqliteOptions::default(), change, |_| {}, |engine| engine)
    }

    /// The same with limits of the store's other than the usual ones.
    pub(crate) fn start_on(
        kind: Kind,
        entrance: Entrance,
        limits: Limits,
        options: SqliteOptions,
        change: impl FnOnce(&mut JobOptions),
    ) -> Self {
        Self::start_for(kind, entrance, limits, options, change, |_| {}, |engine| engine)
    }

    /// A server whose subscriptions are served in another way than usual.
    pub(crate) fn with_subscriptions(
        kind: Kind,
        entrance: Entrance,
        change: impl FnOnce(&mut SubscriptionOptions),
    ) -> Self {
        let (limits, options) = (Limits::default(), SqliteOptions::default());
        Self::start_for(kind, entrance, limits, options, |_| {}, change, |engine| engine)
    }

    /// The same on an engine that does not do everything; what, is told by what stands beside the server.
    pub(crate) fn unreliable(
        kind: Kind,
        entrance: Entrance,
        change: impl FnOnce(&mut SubscriptionOptions),
    ) -> (Self, Arc<Failing>) {
        let (limits, options, failing) = (Limits::default(), SqliteOptions::default(), Arc::default());
        let wrap =
            |engine| -> Arc<dyn Engine> { Arc::new(Unreliable { engine, failing: Arc::clone(&failing) }) };
        let server = Self::start_for(kind, entrance, limits, options, |_| {}, change, wrap);
        (server, failing)
    }

    fn start_for(
        kind: Kind,
        entrance: Entrance,
        limits: Limits,
        options: SqliteOptions,
        change: impl FnOnce(&mut JobOptions),
        change_subscriptions: impl FnOnce(&mut SubscriptionOptions),
        wrap: impl FnOnce(Arc<dyn Engine>) -> Arc<dyn Engine>,
    ) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listening = runtime.block_on(Listening::on(([127, 0, 0, 1], 0).into())).unwrap();
        let address = listening.address().unwrap();
        let base = format!("http://{address}/fhir");
        let catalogue = Arc::new(Catalogue::new(OWN_KINDS, vec![base.clone()], POLICY));
        let directory = tempfile::tempdir().unwrap();
        let (engine, secret): (Arc<dyn Engine>, _) = match kind {
            Kind::Memory => (Arc::new(MemoryEngine::new(Arc::clone(&catalogue), system_clock())), [7; 32]),
            Kind::Sqlite => {
                let engine =
                    SqliteEngine::open(directory.path(), &catalogue, system_clock(), options).unwrap();
                let secret = engine.cursor_secret().unwrap();
                (Arc::new(engine), secret)
            }
        };
        let door = Door::new(wrap(engine), secret);
        let hub =
            Hub::new(door.clone(), system_clock(), Options { base_url: base.clone(), entrance, limits });
        Authorization::start(&hub, directory.path()).unwrap();
        let jobs_directory = directory.path().join("jobs");
        let mut options = JobOptions::new(&jobs_directory);
        change(&mut options);
        let jobs = Service::start(&hub, options).unwrap();
        let mut options = SubscriptionOptions::new(Rules::default());
        change_subscriptions(&mut options);
        let subscriptions = SubscriptionService::start(&hub, options).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let app = router(hub.clone());
            let stop = async { drop(stopped.await) };
            runtime.block_on(listening.serve(&hub, app, stop)).unwrap();
            subscriptions.stop();
            jobs.stop();
            // Long handlers must not hold up the tests.
            runtime.shutdown_timeout(Duration::from_secs(5));
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        Self {
            base,
            address,
            door,
            entrance,
            agent,
            stop: Some(stop),
            thread: Some(thread),
            jobs: jobs_directory,
            _directory: directory,
        }
    }

    /// Another hub on the same records, as a process after this one would be.
    pub(crate) fn hub_again(&self) -> Hub {
        let options =
            Options { base_url: self.base.clone(), entrance: self.entrance, limits: Limits::default() };
        Hub::new(self.door.clone(), system_clock(), options)
    }

    /// Makes an account, and gives its secret.
    pub(crate) fn account(&self, role: Role, patient: Option<&str>) -> String {
        let secret = new_secret().unwrap();
        let account = Account {
            patient: patient.map(str::to_owned),
            secret_digest: Some(digest(&secret)),
            ..Account::new("시험", role)
        };
        let id = format!("account-{}", &digest(&secret)[..16]);
        let mut record = serde_json::to_value(&account).unwrap();
        record["resourceType"] = ACCOUNT.name.into();
        record["id"] = id.as_str().into();
        let text = record.to_string();
        let document = Document::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        let catalogue = self.door.catalogue();
        let kind = catalogue.kind(ACCOUNT.name).unwrap();
        let record = Box::new(catalogue.prepare(kind, &id, document.root(), &mut |_| None));
        let change = Change::Put { record, expect: Expect::New };
        self.door.commit(&Access::system("test"), "account", Vec::new(), vec![change]).unwrap();
        secret
    }

    /// Any request. `path` is relative to the base address, or a whole address.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Reply {
        let url = if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let headers = response.headers().clone();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        // Whatever is answered is a valid resource; a summary need not be.
        let is_fhir = headers
            .get("content-type")
            .is_some_and(|media| media.as_bytes().starts_with(b"application/fhir+json"));
        if is_fhir && !body.is_empty() && body.len() < 1 << 20 && !path.contains("_summary") {
            let document = Document::parse(&body, &json::Limits::default()).unwrap();
            let issues = validate(document.root(), None).issues;
            assert!(issues.is_empty(), "{method} {path}: {issues:?}");
        }
        Reply { status, headers, body }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], None)
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.request("GET", path, headers, None)
    }

    pub(crate) fn get_as(&self, secret: &str, path: &str) -> Reply {
        self.get_with(path, &[("authorization", &format!("Bearer {secret}"))])
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, &[], body)
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Reply {
        self.send("PUT", path, &[], body)
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut all = vec![("content-type", "application/fhir+json")];
        all.extend(headers);
        self.request(method, path, &all, Some(body.as_bytes()))
    }

    pub(crate) fn send_as(&self, secret: &str, method: &str, path: &str, body: &str) -> Reply {
        self.send(method, path, &[("authorization", &format!("Bearer {secret}"))], body)
    }

    pub(crate) fn form(&self, path: &str, form: &str) -> Reply {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.request("POST", path, &headers, Some(form.as_bytes()))
    }

    /// Creates a resource, and gives its id.
    pub(crate) fn create(&self, body: &str) -> String {
        let kind = serde_json::from_str::<Value>(body).unwrap()["resourceType"].as_str().unwrap().to_owned();
        let reply = self.post(&format!("/{kind}"), body).expect(201);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// Every page from this address on: the entries of each.
    pub(crate) fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let bundle = self.get(&path).expect(200).json();
            pages.push(entries(&bundle).clone());
            next = link(&bundle, "next").map(str::to_owned);
            assert!(pages.len() < 1_000, "paging does not end");
        }
        pages
    }

    /// How many entries there are from this address on, over all pages.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.pages(path).iter().map(Vec::len).sum()
    }

    /// Bytes sent as they are; what comes back until the server closes, or nothing more comes for a while.
    pub(crate) fn raw(&self, bytes: &[u8], patience: Duration) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        // The server may close before it has read all of it.
        let _ = stream.write_all(bytes);
        let mut out = Vec::new();
        let mut buffer = [0; 8 << 10];
        while let Ok(count) = stream.read(&mut buffer) {
            if count == 0 {
                break;
            }
            out.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Stops the server and waits until it has stopped.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Expects a status and, first in the outcome, one of our codes.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        let outcome = reply.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], code, "{outcome}");
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(2_000).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// The entries of a bundle.
pub(crate) fn entries(bundle: &Value) -> &Vec<Value> {
    static NONE: Vec<Value> = Vec::new();
    bundle["entry"].as_array().unwrap_or(&NONE)
}

/// The address of a link of a bundle.
pub(crate) fn link<'b>(bundle: &'b Value, relation: &str) -> Option<&'b str> {
    let links = bundle["link"].as_array()?;
    links.iter().find(|link| link["relation"] == relation)?["url"].as_str()
}

/// Ids of the resources on a page, by search mode.
pub(crate) fn ids(bundle: &Value, mode: &str) -> Vec<String> {
    let of_mode = entries(bundle).iter().filter(|entry| entry["search"]["mode"] == mode);
    of_mode.map(|entry| entry["resource"]["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A patient with an identifier.
pub(crate) fn patient(identifier: &str, family: &str) -> String {
    let identifier = serde_json::json!({"system": "http://a.kr/mrn", "value": identifier});
    let patient = serde_json::json!({"resourceType": "Patient", "identifier": [identifier], "name": [{"family": family}]});
    patient.to_string()
}

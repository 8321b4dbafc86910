//! A portal to test, and what is asked of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use ieum::authorization::Authorization;
use ieum::data::OWN_KINDS;
use ieum::hub::{Entrance, Hub, Options};
use ieum::jobs::record::Progress;
use ieum::jobs::state::Event;
use ieum::jobs::{JobOptions, Service, keep};
use ieum::limits::Limits;
use ieum::outgoing::Rules;
use ieum::portal::{Setup, app};
use ieum::status::NoInfo;
use ieum::subscriptions::{SubscriptionOptions, SubscriptionService};
use ieum_fhir::json::{self, Document};
use ieum_store::catalogue::Catalogue;
use ieum_store::commit::{Change, Expect};
use ieum_store::sqlite::{SqliteEngine, SqliteOptions};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, ACCOUNT, Account};
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use serde_json::Value;
use tower::ServiceExt;

/// Noon of 2026-11-01 in Korea: the end of synthetic records.
const NOW: i64 = 1_793_502_000_000_000;

/// A portal over an empty store.
pub(crate) struct Portal {
    pub(crate) door: Door,
    pub(crate) hub: Hub,
    app: Router,
    clock: Arc<AtomicI64>,
    runtime: tokio::runtime::Runtime,
    subscriptions: Option<SubscriptionService>,
    _directory: tempfile::TempDir,
}

/// The one place where notifications may go: nobody is there.
pub(crate) const RECEIVER: &str = "http://127.0.0.1:9";

impl Drop for Portal {
    fn drop(&mut self) {
        if let Some(subscriptions) = self.subscriptions.take() {
            subscriptions.stop();
        }
    }
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Who asks: the cookie of a session and the token of its forms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Portal {
    /// A portal that asks for accounts.
    pub(crate) fn with_accounts() -> Self {
        Self::start(Entrance::Accounts, "http://127.0.0.1:8080/fhir")
    }

    /// A portal that anybody may enter.
    pub(crate) fn open() -> Self {
        Self::start(Entrance::Open, "http://127.0.0.1:8080/fhir")
    }

    pub(crate) fn start(entrance: Entrance, base_url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let catalogue = Arc::new(Catalogue::new(OWN_KINDS, vec![base_url.to_owned()], POLICY));
        let clock = Arc::new(AtomicI64::new(NOW));
        let ticking = Arc::clone(&clock);
        let clock_of_hub: ieum_store::clock::Clock = Arc::new(move || ticking.load(Ordering::Relaxed));
        let options = SqliteOptions::default();
        let engine =
            SqliteEngine::open(directory.path(), &catalogue, Arc::clone(&clock_of_hub), options).unwrap();
        let secret = engine.cursor_secret().unwrap();
        let door = Door::new(Arc::new(engine), secret);
        let options = Options { base_url: base_url.to_owned(), entrance, limits: Limits::default() };
        let hub = Hub::new(door.clone(), clock_of_hub, options);
        Authorization::start(&hub, directory.path()).unwrap();
        // Jobs are taken, and left waiting.
        let mut jobs = JobOptions::new(&directory.path().join("jobs"));
        jobs.at_once = 0;
        Service::start(&hub, jobs).unwrap();
        let rules = Rules { origins: vec![RECEIVER.to_owned()], private: true };
        let subscriptions = SubscriptionService::start(&hub, SubscriptionOptions::new(rules)).unwrap();
        let setup = Setup { demo: entrance == Entrance::Open, operator: Arc::new(NoInfo) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            door,
            hub: hub.clone(),
            app: app(hub, setup),
            clock,
            runtime,
            subscriptions: Some(subscriptions),
            _directory: directory,
        }
    }

    /// Lets time pass.
    pub(crate) fn wait_minutes(&self, minutes: i64) {
        self.clock.fetch_add(minutes * 60_000_000, Ordering::Relaxed);
    }

    /// Lets seconds pass.
    pub(crate) fn step_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// The time there.
    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Writes resources in one commit.
    pub(crate) fn put(&self, resources: &[Value]) {
        let catalogue = self.door.catalogue();
        let changes = resources.iter().map(|resource| {
            let text = resource.to_string();
            let document = Document::parse(text.as_bytes(), &json::Limits::default()).unwrap();
            let kind = catalogue.kind(resource["resourceType"].as_str().unwrap()).unwrap();
            let id = resource["id"].as_str().unwrap();
            let record = Box::new(catalogue.prepare(kind, id, document.root(), &mut |_| None));
            Change::Put { record, expect: Expect::Anything }
        });
        self.door.commit(&Access::system("test"), "import", Vec::new(), changes.collect()).unwrap();
    }

    /// Synthetic institutions and patients; gives the ids of the patients.
    pub(crate) fn put_synthetic(&self, patients: u64) -> Vec<String> {
        let mut ids = Vec::new();
        for bundle in ieum_synth::bundles(&ieum_synth::Options::new(patients, 42)) {
            let bundle_json: Value = serde_json::from_slice(&bundle.json).unwrap();
            let entries = bundle_json["entry"].as_array().unwrap();
            let resources: Vec<Value> = entries.iter().map(|entry| entry["resource"].clone()).collect();
            self.put(&resources);
            if bundle.name != "shared" {
                ids.push(bundle.name);
            }
        }
        ids
    }

    /// Makes an account; gives its secret.
    pub(crate) fn account(&self, role: Role, patient: Option<&str>) -> String {
        let secret = account::new_secret().unwrap();
        let patient = patient.map(ToOwned::to_owned);
        let account = Account { patient, ..Account::new("시험 계정", role) };
        account::create(&self.door, &Access::system("test"), account, &secret).unwrap();
        secret
    }

    /// Deletes every account.
    pub(crate) fn accounts_delete(&self) {
        let access = Access::system("test");
        let query = ieum_fhir::search::Query { kind: ACCOUNT.name.into(), ..Default::default() };
        let ids = self.door.view(&access).unwrap().matching_ids(&query, 100).unwrap();
        let changes = ids.into_iter().map(|id| Change::Delete {
            kind: ACCOUNT.name.into(),
            id,
            expect: Expect::Anything,
        });
        self.door.commit(&access, "account", Vec::new(), changes.collect()).unwrap();
    }

    /// Lets a job look as if it were worked on.
    pub(crate) fn run_job(&self, id: &str, done: u64, total: u64) {
        let mut kept = keep::read(&self.hub, id).unwrap().unwrap();
        kept.job.state = kept.job.state.after(Event::Start).unwrap();
        kept.job.progress = Progress { done, total: Some(total) };
        keep::write(&self.hub, id, &kept.job, kept.expect(), "test").unwrap();
    }

    /// Any request, from this machine.
    pub(crate) fn ask(&self, request: Request<Body>) -> Reply {
        self.ask_from(request, "127.0.0.1:50000")
    }

    /// Any request, from an address.
    pub(crate) fn ask_from(&self, mut request: Request<Body>, peer: &str) -> Reply {
        request.headers_mut().entry(header::HOST).or_insert("127.0.0.1:8080".parse().unwrap());
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        self.runtime.block_on(async {
            let response = self.app.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
            let body = String::from_utf8_lossy(&bytes).into_owned();
            Reply { status: parts.status, headers: parts.headers, body }
        })
    }

    pub(crate) fn get(&self, visitor: &Visitor, path: &str) -> Reply {
        let request = Request::get(path).header(header::COOKIE, &visitor.cookie);
        self.ask(request.body(Body::empty()).unwrap())
    }

    /// A form from our own page, with the session's token.
    pub(crate) fn post(&self, visitor: &Visitor, path: &str, form: &str) -> Reply {
        let form = format!("{form}&csrf={}", visitor.csrf);
        self.ask(post_request(visitor, path, &form, "http://127.0.0.1:8080"))
    }

    /// Signs in with a secret.
    pub(crate) fn sign_in(&self, secret: &str) -> Visitor {
        let reply = self.post(&Visitor::default(), "/sign-in", &format!("secret={secret}"));
        self.entered(&reply)
    }

    /// Enters an open portal in a role.
    pub(crate) fn enter(&self, role: &str, patient: &str) -> Visitor {
        let reply = self.post(&Visitor::default(), "/enter", &format!("role={role}&patient={patient}"));
        self.entered(&reply)
    }

    fn entered(&self, reply: &Reply) -> Visitor {
        self.session_of(reply, reply.header("location"))
    }

    /// The session that an answer opens; the token of its forms is on this page.
    pub(crate) fn session_of(&self, reply: &Reply, page: &str) -> Visitor {
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        let mut visitor = Visitor { cookie, csrf: String::new() };
        let page = self.get(&visitor, page);
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let token =
            page.body.split("name=\"csrf\" value=\"").nth(1).expect("pages carry the token of their forms");
        visitor.csrf = token.split('"').next().unwrap().to_owned();
        visitor
    }
}

/// A form as a browser sends it from a page of `origin`.
pub(crate) fn post_request(visitor: &Visitor, path: &str, form: &str, origin: &str) -> Request<Body> {
    Request::post(path)
        .header(header::COOKIE, &visitor.cookie)
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap()
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }
}

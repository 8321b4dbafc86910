//! A hub without network and without clock: the same input always meets the same.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Uri};
use ieum::data::OWN_KINDS;
use ieum::hub::{Entrance, Hub, Options};
use ieum::limits::Limits;
use ieum::server::router;
use ieum_store::catalogue::Catalogue;
use ieum_store::clock::Clock;
use ieum_store::engine::Engine;
use ieum_store::memory::MemoryEngine;
use ieum_store::sqlite::{SqliteEngine, SqliteOptions};
use ieum_trust::access::Access;
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const BASE: &str = "http://localhost/fhir";
/// 2026-09-21, where the clock stands still.
const NOW: i64 = 1_790_000_000_000_000;
/// More is answered to nothing that is asked here.
const ANSWER_BYTES: usize = 64 << 20;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without network")
});
static CATALOGUE: LazyLock<Arc<Catalogue>> =
    LazyLock::new(|| Arc::new(Catalogue::new(OWN_KINDS, vec![BASE.into()], POLICY)));

/// A transaction of some entries of the world.
static FEW: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut world: Value = serde_json::from_slice(include_bytes!("world.json")).expect("the world is JSON");
    let wanted = ["p1", "p2", "e1", "o1", "m1"];
    if let Some(entries) = world["entry"].as_array_mut() {
        entries.retain(|entry| wanted.iter().any(|id| entry["resource"]["id"] == *id));
    }
    world.to_string().into_bytes()
});

/// A hub on records of its own.
pub(crate) struct TestHub {
    router: Router,
    door: Door,
    /// The engine again, and where its file is.
    sqlite: Option<(Arc<SqliteEngine>, tempfile::TempDir)>,
}

/// What was answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl TestHub {
    /// A hub that forgets.
    pub(crate) fn in_memory() -> Self {
        let engine = Arc::new(MemoryEngine::new(Arc::clone(&CATALOGUE), clock()));
        Self::of(engine, None)
    }

    /// A hub on a file.
    pub(crate) fn on_disk() -> Self {
        let directory = tempfile::tempdir().expect("a directory for a test");
        let options = SqliteOptions { readers: 2, ..SqliteOptions::default() };
        let engine = SqliteEngine::open(directory.path(), &CATALOGUE, clock(), options);
        let engine = Arc::new(engine.expect("a store in a new directory"));
        Self::of(Arc::clone(&engine) as _, Some((engine, directory)))
    }

    /// Mostly one that forgets, since that is quicker; one on a file for some inputs, always the same ones.
    pub(crate) fn for_input(input: &[u8]) -> Self {
        let sum = input.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
        if sum % 64 == 0 { Self::on_disk() } else { Self::in_memory() }
    }

    fn of(engine: Arc<dyn Engine>, sqlite: Option<(Arc<SqliteEngine>, tempfile::TempDir)>) -> Self {
        let door = Door::new(engine, [7; 32]);
        let options = Options { base_url: BASE.into(), entrance: Entrance::Open, limits: Limits::default() };
        let hub = Hub::new(door.clone(), clock(), options);
        Self { router: router(hub), door, sqlite }
    }

    /// The same with the small world of `world.json` in it.
    pub(crate) fn with_world(self) -> Self {
        let world = self.send("POST", "", Some("application/fhir+json"), include_bytes!("world.json"));
        assert_eq!(world.status, 200, "the world: {}", world.text());
        self
    }

    /// The same with a few records of it alone, where a world is made for each input.
    pub(crate) fn with_a_few(self) -> Self {
        let few = self.send("POST", "", Some("application/fhir+json"), &FEW);
        assert_eq!(few.status, 200, "the few: {}", few.text());
        self
    }

    /// A request. `None` when HTTP has no such address.
    pub(crate) fn get(&self, path: &str) -> Option<Reply> {
        let uri = Uri::try_from(format!("/fhir{path}")).ok()?;
        Some(self.request(Method::GET, uri, None, b""))
    }

    /// A request with a body. The address is one of ours.
    pub(crate) fn send(&self, method: &str, path: &str, media: Option<&str>, body: &[u8]) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).expect("a method of ours");
        self.request(method, Uri::try_from(format!("/fhir{path}")).expect("an address of ours"), media, body)
    }

    /// Nothing may end in an error of the server.
    fn request(&self, method: Method, uri: Uri, media: Option<&str>, body: &[u8]) -> Reply {
        let mut request = Request::builder().method(method).uri(uri).header("host", "localhost");
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        let request = request.body(Body::from(body.to_vec())).expect("a request of ours");
        let (status, body) = RUNTIME.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let status = response.status().as_u16();
            (status, to_bytes(response.into_body(), ANSWER_BYTES).await.expect("an answer in memory"))
        });
        let reply = Reply { status, body: body.to_vec() };
        // These hubs run no jobs, and say so.
        assert!(status < 500 || status == 501, "{status}: {}", reply.text());
        if !reply.body.is_empty() {
            let is_json = serde_json::from_slice::<&serde_json::value::RawValue>(&reply.body).is_ok();
            assert!(is_json, "answered with what is not JSON: {}", reply.text());
        }
        reply
    }

    /// The newest commit.
    pub(crate) fn t(&self) -> u64 {
        self.door.view(&Access::open()).expect("a store that works").t()
    }

    /// On a file: what its indexes hold is what its bodies say.
    pub(crate) fn check(&self) {
        if let Some((engine, _)) = &self.sqlite {
            let report = engine.check(&mut |_, _| {}).expect("a store that works");
            assert!(report.faults.is_empty(), "{:?}", report.faults);
        }
    }
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(2_000).collect()
    }

    /// The resource; nested no deeper than what is sent may be, and so readable.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

fn clock() -> Clock {
    Arc::new(|| NOW)
}

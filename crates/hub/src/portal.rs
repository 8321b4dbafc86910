//! The pages for people: start, sign-in, and one home for each role (`docs/portal.md`).
//!
//! | file | what it holds |
//! |---|---|
//! | [`routes`] | the one list of pages: method, pattern, who may, what audit entries call it |
//! | `serve` | one request, from its head to its answer |
//! | `call` | a request as its page sees it, and what a page can answer |
//! | `guard` | where a form may come from |
//! | `session`, `throttle` | who is signed in, and who tries too often |
//! | `frame` | what all pages have around their own content |
//! | `record` | what is read from a patient's record: searches, and resources as view models |
//! | `pages` | one file for each page |

use std::sync::{Arc, Mutex};

use axum::Router;

use crate::host;
use crate::hub::{Entrance, Hub};
use crate::status::{self, Metrics, OperatorInfo};
use session::Sessions;
use throttle::Throttle;

pub(crate) mod call;
mod frame;
pub(crate) mod guard;
mod pages;
mod record;
pub mod routes;
mod serve;
mod session;
pub(crate) mod throttle;

/// How the portal is set up.
#[derive(Clone)]
pub struct Setup {
    /// Whether the records are synthetic, which every page then says.
    pub demo: bool,
    /// What only the owner of the store can tell the operator.
    pub operator: Arc<dyn OperatorInfo>,
}

/// A running portal. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Portal(Arc<Inner>);

struct Inner {
    hub: Hub,
    setup: Setup,
    metrics: Metrics,
    sessions: Sessions,
    throttle: Throttle,
    secure: bool,
    cookie_name: String,
    census: Mutex<Option<(i64, status::Census)>>,
    ready: Mutex<Option<(i64, bool)>>,
}

/// The portal alone; every path that no other router has is its.
pub fn router(hub: Hub, setup: Setup) -> Router {
    let entrance = hub.entrance();
    host::guarded(router_with(hub, setup, Metrics::new()), entrance)
}

/// Everything the hub serves, FHIR interface and portal, with requests counted for `/metrics`.
pub fn app(hub: Hub, setup: Setup) -> Router {
    let (metrics, entrance) = (Metrics::new(), hub.entrance());
    let both = crate::server::routes(hub.clone()).merge(router_with(hub, setup, metrics.clone()));
    status::measured(host::guarded(both, entrance), metrics)
}

fn router_with(hub: Hub, setup: Setup, metrics: Metrics) -> Router {
    Router::new().fallback(serve::serve).with_state(Portal::new(hub, setup, metrics))
}

impl Portal {
    fn new(hub: Hub, setup: Setup, metrics: Metrics) -> Self {
        let secure = !guard::is_loopback_url(hub.base_url());
        let cookie_name = guard::cookie_name(hub.base_url(), secure);
        let (sessions, throttle) = (Sessions::default(), Throttle::default());
        let (census, ready) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { hub, setup, metrics, sessions, throttle, secure, cookie_name, census, ready }))
    }

    /// The hub behind it.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Whether anybody may enter in any role.
    pub(crate) fn is_open(&self) -> bool {
        self.hub().entrance() == Entrance::Open
    }

    /// Whether the records are synthetic.
    pub(crate) fn is_demo(&self) -> bool {
        self.0.setup.demo
    }

    /// Whether people reach it over TLS: cookies then go nowhere else.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// The name of the session cookie.
    pub(crate) fn cookie_name(&self) -> &str {
        &self.0.cookie_name
    }

    /// What only the owner of the store can tell.
    pub(crate) fn operator_info(&self) -> &dyn OperatorInfo {
        &*self.0.setup.operator
    }

    /// Counters of requests.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Who is signed in.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Who has tried to sign in too often.
    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// The last count of all records, with the time it was made.
    pub(crate) fn census_kept(&self) -> &Mutex<Option<(i64, status::Census)>> {
        &self.0.census
    }

    /// The last answer about readiness, with the time it was found.
    pub(crate) fn ready_kept(&self) -> &Mutex<Option<(i64, bool)>> {
        &self.0.ready
    }
}

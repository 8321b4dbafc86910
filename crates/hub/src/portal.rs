//! The pages for people: start, sign-in, and one home for each role (`docs/portal.md`).
//!
//! | file | what it holds |
//! |---|---|
//! | [`routes`] | the one list of pages: method, pattern, who may, what audit entries call it |
//! | `serve` | one request, from its head to its answer |
//! | `call` | a request as its page sees it, and what a page can answer |
//! | `guard` | where a form may come from |
//! | `who`, `session`, `cookies`, `device` | who is signed in, and how that is remembered |
//! | `throttle`, `guesses`, `challenges` | who tries too often; questions to passkeys |
//! | `frame` | what all pages have around their own content |
//! | `record` | what is read from a patient's record: searches, and resources as view models |
//! | `pages` | one file for each page |

use std::sync::{Arc, Mutex};

use axum::Router;

use crate::host;
use crate::hub::{Entrance, Hub};
use crate::status::{self, Metrics, OperatorInfo};
use challenges::Challenges;
use guesses::Guesses;
use ieum_trust::person::passkey::Site;
use session::Sessions;
use throttle::{PASSWORDS, SECRETS, Throttle};

pub(crate) mod call;
mod challenges;
mod cookies;
mod device;
mod frame;
pub(crate) mod guard;
mod guesses;
mod pages;
mod record;
pub mod routes;
mod serve;
mod session;
pub(crate) mod throttle;
mod who;

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
    secrets: Throttle,
    passwords: Throttle,
    numbers: Throttle,
    guesses: Guesses,
    challenges: Challenges,
    site: Option<Site>,
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
        let secure = hub.base_url().starts_with("https://") || !guard::is_loopback_url(hub.base_url());
        let (cookie_name, site) = (guard::cookie_name(hub.base_url(), secure), Site::of(hub.base_url()));
        let (sessions, guesses) = (Sessions::default(), Guesses::default());
        let (secrets, passwords) = (Throttle::new(SECRETS), Throttle::new(PASSWORDS));
        let numbers = Throttle::new(PASSWORDS);
        // Without randomness nothing that follows could be kept secret: not even a session begins.
        let challenges = Challenges::new().expect("the operating system gives randomness");
        let (census, ready) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner {
            hub,
            setup,
            metrics,
            sessions,
            secrets,
            passwords,
            numbers,
            guesses,
            challenges,
            site,
            secure,
            cookie_name,
            census,
            ready,
        }))
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

    /// Which addresses have tried secrets too often.
    pub(crate) fn secrets(&self) -> &Throttle {
        &self.0.secrets
    }

    /// Which addresses have tried passwords too often.
    pub(crate) fn passwords(&self) -> &Throttle {
        &self.0.passwords
    }

    /// Guesses at numbers of patients.
    pub(crate) fn numbers(&self) -> &Throttle {
        &self.0.numbers
    }

    /// Which names have been tried too often.
    pub(crate) fn guesses(&self) -> &Guesses {
        &self.0.guesses
    }

    /// What passkeys are asked.
    pub(crate) fn challenges(&self) -> &Challenges {
        &self.0.challenges
    }

    /// Where passkeys are good; `None` when people reach the hub by a number.
    pub(crate) fn site(&self) -> Option<&Site> {
        self.0.site.as_ref()
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

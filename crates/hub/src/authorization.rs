//! The authorization server over HTTP: the addresses for apps, and how the FHIR interface takes their tokens. The pages
//! where people say yes or no are pages of the portal (`portal/pages/consent.rs`).
//!
//! | file | what it holds |
//! |---|---|
//! | `key_file` | the signing keys, on disk |
//! | [`routes`] | the addresses for apps |
//! | `serve` | one request to them, from its head to its answer |
//! | [`anchors`] | authorities whose apps may register by themselves |
//! | `cross` | pages of other sites, for apps that run in a browser |
//! | [`discovery`] | what apps read first: SMART configuration, RFC 8414, keys |
//! | `scope` | whether a token's scopes allow a call of the FHIR interface |

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ieum_trust::authorization::server::{Anchor, Server};

use crate::hub::{Entrance, Hub};
use crate::portal::throttle::{SECRETS, Throttle};
use crate::refusals::Refused;

pub mod anchors;
pub(crate) mod cross;
pub mod discovery;
pub(crate) mod key_file;
pub mod routes;
pub(crate) mod scope;
pub(crate) mod serve;

pub use key_file::KeyFileError;

/// Registrations from one address in five minutes.
const REGISTRATIONS: u32 = 20;

/// The authorization server of a hub, and who fails at it too often.
pub struct Authorization {
    /// What its addresses do.
    pub server: Server,
    failures: Throttle,
    /// Registrations, whether they succeed or not.
    registrations: Throttle,
    sites: Mutex<cross::Sites>,
}

impl Authorization {
    /// Lets a hub take requests for authorization, and tokens; its signing keys lie in this directory. An open hub has
    /// nobody to ask, and none.
    ///
    /// # Errors
    /// [`KeyFileError`] when the keys cannot be read or made.
    pub fn start(hub: &Hub, directory: &Path) -> Result<(), KeyFileError> {
        Self::start_with(hub, directory, Vec::new())
    }

    /// The same, and apps of these authorities may register by themselves.
    ///
    /// # Errors
    /// [`KeyFileError`] when the keys cannot be read or made.
    pub fn start_with(hub: &Hub, directory: &Path, anchors: Vec<Anchor>) -> Result<(), KeyFileError> {
        if hub.entrance() == Entrance::Open {
            return Ok(());
        }
        let now = seconds(hub);
        let keys = key_file::open(directory, key_file::TOKENS, now)?;
        let addresses = (origin(hub.base_url()), hub.base_url());
        let server = Server::new(hub.door().clone(), addresses, keys, now).with_anchors(anchors);
        hub.take_authorization(Arc::new(Self {
            server,
            failures: Throttle::new(SECRETS),
            registrations: Throttle::new(REGISTRATIONS),
            sites: Mutex::default(),
        }));
        Ok(())
    }
}

impl Authorization {
    /// Counts a failure of somebody at this address, and writes it down; gives the seconds they must wait instead, when
    /// there were too many before it.
    pub(crate) fn failed(
        &self,
        hub: &Hub,
        peer: Option<IpAddr>,
        action: &'static str,
        target: &'static str,
    ) -> Option<u64> {
        let wait = self.failures.wait_seconds(peer, hub.now());
        if wait.is_none() {
            self.failures.failed(peer, hub.now());
            hub.refusals().note(Refused::Stranger { action, target });
        }
        wait
    }
}

/// Seconds since 1970.
pub(crate) fn seconds(hub: &Hub) -> i64 {
    hub.now().div_euclid(1_000_000)
}

/// Scheme, host and port of an address.
pub(crate) fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find(['/', '?']).map_or(url, |end| &url[..host + end])
}

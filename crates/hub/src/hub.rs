//! What every request needs.

use std::sync::{Arc, OnceLock};

use ieum_store::clock::Clock;
use ieum_trust::door::Door;
use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::refusals::Refusals;
use crate::unread::Unread;

/// A running hub. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    door: Door,
    clock: Clock,
    options: Options,
    /// Turns for blocking work.
    turns: Arc<Semaphore>,
    /// KiB of bodies that may still be held.
    body_room: Arc<Semaphore>,
    capabilities: OnceLock<Vec<u8>>,
    refusals: OnceLock<Refusals>,
    unread: Unread,
}

/// How a hub is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the FHIR interface as clients see it, without slash at the end, such as
    /// `https://hub.example/fhir`. The catalogue must have been made with the same.
    pub base_url: String,
    /// Who may enter.
    pub entrance: Entrance,
    /// Limits.
    pub limits: Limits,
}

/// Who may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// Anybody: for trying out on this machine; the server refuses to listen elsewhere.
    Open,
    /// Holders of an account's secret.
    Accounts,
}

impl Hub {
    /// A hub behind a door.
    #[must_use]
    pub fn new(door: Door, clock: Clock, mut options: Options) -> Self {
        while options.base_url.ends_with('/') {
            options.base_url.pop();
        }
        let turns = Arc::new(Semaphore::new(options.limits.at_once));
        let body_room = Arc::new(Semaphore::new(options.limits.bodies_bytes.div_ceil(1 << 10)));
        let (capabilities, refusals) = (OnceLock::new(), OnceLock::new());
        let unread = Unread::new(options.limits.answers_bytes);
        Self(Arc::new(Inner { door, clock, options, turns, body_room, capabilities, refusals, unread }))
    }

    /// The door to the records.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.0.door
    }

    /// Address of the FHIR interface, without slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.options.base_url
    }

    /// Who may enter.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        self.0.options.entrance
    }

    /// Limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.options.limits
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// Turns for blocking work.
    pub(crate) fn turns(&self) -> &Arc<Semaphore> {
        &self.0.turns
    }

    /// Room for bodies, in KiB.
    pub(crate) fn body_room(&self) -> &Arc<Semaphore> {
        &self.0.body_room
    }

    /// Room for answers that have not been sent.
    pub(crate) fn unread(&self) -> &Unread {
        &self.0.unread
    }

    /// Where refusals are noted that are written down after the answer.
    pub(crate) fn refusals(&self) -> &Refusals {
        self.0.refusals.get_or_init(|| Refusals::new(self.0.door.clone()))
    }

    /// Where the CapabilityStatement is kept once it has been made.
    pub(crate) fn capabilities(&self) -> &OnceLock<Vec<u8>> {
        &self.0.capabilities
    }
}

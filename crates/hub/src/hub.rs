//! What every request needs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ieum_store::catalogue::Resources;
use ieum_store::clock::Clock;
use ieum_trust::door::Door;
use ieum_trust::law::Law;
use tokio::sync::Semaphore;

use crate::authorization::Authorization;
use crate::federation::Federation;
use crate::identity::Identity;
use crate::jobs::Jobs;
use crate::limits::Limits;
use crate::matching::Matching;
use crate::refusals::Refusals;
use crate::subscriptions::Subscriptions;
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
    /// With the generation of the catalogue that it tells of.
    capabilities: Mutex<Option<(u64, Vec<u8>)>>,
    refusals: OnceLock<Refusals>,
    unread: Unread,
    /// How often accounts look for people.
    matching: Matching,
    /// Turns for changes that begin with what a record is; many records share one.
    record_turns: [Mutex<()>; RECORD_TURNS],
    /// Jobs, where the process runs any.
    jobs: OnceLock<Jobs>,
    /// Subscriptions, where the process serves any.
    subscriptions: OnceLock<Subscriptions>,
    /// The authorization server, where there is one.
    authorization: OnceLock<Arc<Authorization>>,
    /// Log-in at providers elsewhere, where there is any.
    federation: OnceLock<Arc<Federation>>,
    /// Identity checks, where there are any.
    identity: OnceLock<Arc<Identity>>,
    /// The law in force; the program's own tables until another is taken.
    law: OnceLock<Arc<Law>>,
}

const RECORD_TURNS: usize = 64;

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
        let record_turns = std::array::from_fn(|_| Mutex::new(()));
        let (capabilities, jobs, refusals) = (Mutex::default(), OnceLock::new(), OnceLock::new());
        let unread = Unread::new(options.limits.answers_bytes);
        let matching = Matching::new(options.limits.people_searches);
        Self(Arc::new(Inner {
            door,
            clock,
            options,
            turns,
            body_room,
            capabilities,
            refusals,
            unread,
            matching,
            record_turns,
            jobs,
            subscriptions: OnceLock::new(),
            authorization: OnceLock::new(),
            federation: OnceLock::new(),
            identity: OnceLock::new(),
            law: OnceLock::new(),
        }))
    }

    /// The door to the records.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.0.door
    }

    /// What can be searched at this moment, and by what.
    #[must_use]
    pub fn kinds(&self) -> Resources {
        self.0.door.catalogue().resources()
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

    /// The jobs of this process, if it runs any.
    #[must_use]
    pub fn jobs(&self) -> Option<&Jobs> {
        self.0.jobs.get()
    }

    /// From now on it takes jobs. The first to say so counts.
    pub(crate) fn take_jobs(&self, jobs: Jobs) {
        let _ = self.0.jobs.set(jobs);
    }

    /// The subscriptions of this process, if it serves any.
    #[must_use]
    pub fn subscriptions(&self) -> Option<&Subscriptions> {
        self.0.subscriptions.get()
    }

    /// From now on it takes subscriptions. The first to say so counts.
    pub(crate) fn take_subscriptions(&self, subscriptions: Subscriptions) {
        let _ = self.0.subscriptions.set(subscriptions);
    }

    /// The authorization server of this process, if it has one.
    #[must_use]
    pub fn authorization(&self) -> Option<&Arc<Authorization>> {
        self.0.authorization.get()
    }

    /// From now on it takes tokens. The first to say so counts.
    pub(crate) fn take_authorization(&self, authorization: Arc<Authorization>) {
        let _ = self.0.authorization.set(authorization);
    }

    /// The providers elsewhere that people may enter by, if there are any.
    #[must_use]
    pub fn federation(&self) -> Option<&Federation> {
        self.0.federation.get().map(Arc::as_ref)
    }

    /// From now on people may enter by these. The first to say so counts.
    pub(crate) fn take_federation(&self, federation: Arc<Federation>) {
        let _ = self.0.federation.set(federation);
    }

    /// The identity checks of this process, if there are any.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.get().map(Arc::as_ref)
    }

    /// From now on people may prove who they are by these. The first to say so counts.
    pub(crate) fn take_identity(&self, identity: Arc<Identity>) {
        let _ = self.0.identity.set(identity);
    }

    /// The law in force: the tables of the program, unless others were taken.
    #[must_use]
    pub fn law(&self) -> &Arc<Law> {
        self.0.law.get_or_init(|| Arc::new(Law::built_in()))
    }

    /// From now on this is the law, if nobody has asked for any yet: it does not change while the hub runs.
    pub(crate) fn take_law(&self, law: Law) {
        let _ = self.0.law.set(Arc::new(law));
    }

    /// Turns for blocking work.
    pub(crate) fn turns(&self) -> &Arc<Semaphore> {
        &self.0.turns
    }

    /// A turn at a record, for changes that are computed from what it is. It only spares vain attempts: what keeps
    /// changes from being lost is the version that each commit expects.
    pub(crate) fn turn_of(&self, kind: &str, id: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (kind, id).hash(&mut hasher);
        let turn = usize::try_from(hasher.finish() % RECORD_TURNS as u64).unwrap_or(0);
        // Whoever panicked with a turn left nothing behind.
        self.0.record_turns[turn].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for bodies, in KiB.
    pub(crate) fn body_room(&self) -> &Arc<Semaphore> {
        &self.0.body_room
    }

    /// Room for answers that have not been sent.
    pub(crate) fn unread(&self) -> &Unread {
        &self.0.unread
    }

    /// How often accounts look for people.
    pub(crate) fn matching(&self) -> &Matching {
        &self.0.matching
    }

    /// Where refusals are noted that are written down after the answer.
    pub(crate) fn refusals(&self) -> &Refusals {
        self.0.refusals.get_or_init(|| Refusals::new(self.0.door.clone()))
    }

    /// The CapabilityStatement, which `make` makes anew when what can be searched by is not what it was.
    pub(crate) fn capabilities(&self, generation: u64, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        let mut kept = self.0.capabilities.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((known, json)) if *known == generation => json.clone(),
            _ => kept.insert((generation, make())).1.clone(),
        }
    }
}

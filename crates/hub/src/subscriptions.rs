//! Topic-based subscriptions (HL7 «Subscriptions R5 Backport» 1.1, in its R4 form), from the change feed.
//!
//! One thread reads the feed and makes events ([`watch`]): an event gets the next number of its subscription, and is
//! durable together with the place up to which the feed has been read, so that a process killed at any point neither
//! loses, repeats nor skips a number. What is durable is then told, in order, by one thread for each subscription
//! ([`send`]): an endpoint that is slow or dead holds up nobody else. How far a subscription has been told is written
//! down after the receiver has answered; killed in between, the hub tells it again.
//!
//! | file | what it holds |
//! |---|---|
//! | [`topics`] | the topics, as data |
//! | [`record`] | what is kept of a subscription, and its events |
//! | [`extensions`] | the guide's extensions |
//! | `ask` | what a client asks for, checked |
//! | [`judge`] | whether a change concerns a subscription |
//! | [`keep`] | reading and writing these records |
//! | `followed` | whose events are made, and how filters are read |
//! | [`watch`] | from the feed to events |
//! | [`notify`] | from events to notifications |
//! | [`send`] | notifications by REST hook |
//! | `socket`, `token` | notifications over a WebSocket, and what binds it to a subscription |
//! | [`sweep`] | the end of old events |

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use ieum_fhir::outcome::Code;
use ieum_store::commit::StoreError;
use tokio::sync::Semaphore;
use tokio::sync::watch as changes;

use crate::call::Failure;
use crate::fhir::error;
use crate::hub::Hub;
use crate::jobs::record::Asker;
use crate::outgoing::{Rules, Trouble};

pub(crate) mod ask;
pub mod extensions;
mod followed;
pub mod judge;
pub mod keep;
pub mod notify;
pub mod record;
pub mod send;
pub(crate) mod socket;
pub mod sweep;
pub(crate) mod token;
pub mod topics;
pub mod watch;

pub use record::{EVENTS, SUBSCRIBER};

use record::State;
use token::{Binding, Tokens};

/// WebSockets that may be open at the same time.
const SOCKETS: usize = 200;

/// How long a stop waits for notifications under way.
const STOP_TIME: Duration = Duration::from_secs(5);

/// How subscriptions are served.
#[derive(Debug, Clone)]
pub struct SubscriptionOptions {
    /// Where notifications may go.
    pub rules: Rules,
    /// Subscriptions that are not off, in all; each has a thread.
    pub most: usize,
    /// The same of one account.
    pub most_each: usize,
    /// The shortest heartbeat a client may ask for, in seconds.
    pub heartbeat_least: u32,
    /// Seconds a receiver has to answer, if the client does not say.
    pub timeout: u32,
    /// Events in one notification at most, if the client does not say.
    pub max_count: u32,
    /// How long after the first failure a receiver is tried again; twice as long after each further one.
    pub pause_first: Duration,
    /// How long at most.
    pub pause_most: Duration,
    /// Failures in a row after which a subscription is in error.
    pub attempts: u32,
    /// How long a subscription stays in error before it is off.
    pub error_most: Duration,
    /// How long events can be asked for.
    pub keep: Duration,
    /// How often events that have been kept long enough are looked for.
    pub sweep_every: Duration,
    /// Events of one subscription that may wait; beyond, it is off.
    pub waiting_most: u64,
}

impl SubscriptionOptions {
    /// The usual limits.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            most: 200,
            most_each: 50,
            heartbeat_least: 10,
            timeout: 10,
            max_count: 100,
            pause_first: Duration::from_secs(1),
            pause_most: Duration::from_mins(5),
            attempts: 12,
            error_most: Duration::from_hours(7 * 24),
            keep: Duration::from_hours(7 * 24),
            sweep_every: Duration::from_mins(10),
            waiting_most: 1_000_000,
        }
    }

    /// How long to wait after so many failures in a row.
    fn pause_after(&self, failures: u32) -> Duration {
        let doubled = 1_u32 << failures.saturating_sub(1).min(20);
        self.pause_first.saturating_mul(doubled).min(self.pause_most)
    }
}

/// The subscriptions that one process serves. Cheap to clone.
#[derive(Clone)]
pub struct Subscriptions(Arc<Inner>);

struct Inner {
    options: SubscriptionOptions,
    /// Held while somebody takes one of the places for subscriptions.
    placing: Mutex<()>,
    /// Subscriptions whose receivers are to be told that the hub has turned them off.
    farewells: Mutex<HashSet<String>>,
    stopping: AtomicBool,
    /// What those who tell must look at.
    news: Mutex<News>,
    told: Condvar,
    /// The number of the newest event, by the key of each subscription for which events are made.
    lasts: Mutex<HashMap<String, u64>>,
    /// Subscriptions that have a thread.
    senders: Mutex<HashSet<String>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The same news for those who wait without a thread.
    watched: changes::Sender<u64>,
    tokens: Tokens,
    /// Places for WebSockets.
    sockets: Arc<Semaphore>,
    connections: AtomicU64,
    /// The connection that tells a subscription: the one that has bound it last.
    bound: Mutex<HashMap<String, u64>>,
    /// Why a receiver was not reached, how often in a row; those that were are not in it.
    troubles: Mutex<HashMap<String, (u32, Trouble)>>,
    counts: Counts,
}

/// Counts of news: who waits looks again when the count for them is another. Of many subscriptions only those wake up that
/// have events.
#[derive(Debug, Default)]
struct News {
    /// Changed states, and whatever else concerns all.
    all: u64,
    /// New events, by subscription.
    of: HashMap<String, u64>,
}

impl News {
    fn of(&self, id: &str) -> u64 {
        self.all + self.of.get(id).copied().unwrap_or(0)
    }
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Events made.
    pub events: AtomicU64,
    /// Notifications that a receiver took.
    pub sent: AtomicU64,
    /// Attempts that failed.
    pub failed: AtomicU64,
}

impl Subscriptions {
    /// How they are served.
    #[must_use]
    pub fn options(&self) -> &SubscriptionOptions {
        &self.0.options
    }

    /// What has happened since the start.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// The number of the newest event of a subscription, if events are made for it.
    fn last(&self, key: &str) -> Option<u64> {
        self.0.lasts.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// How often in a row a subscription could not be told, and why the last time.
    #[must_use]
    pub fn trouble(&self, id: &str) -> Option<(u32, Trouble)> {
        self.0.troubles.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    fn note_trouble(&self, id: &str, trouble: Option<(u32, Trouble)>) {
        let mut troubles = self.0.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => drop(troubles.insert(id.to_owned(), trouble)),
            None => drop(troubles.remove(id)),
        }
    }

    /// Whether there is room for another of this account. To be asked, and to be used, in turn.
    ///
    /// # Errors
    /// 429 when there is none.
    fn check_room(&self, hub: &Hub, owner: &Asker) -> Result<(), Failure> {
        let options = self.options();
        let live = keep::list(&hub.door().view(&keep::access())?, &State::LIVE, options.most)?;
        let own = live.iter().filter(|kept| kept.subscriber.owner.actor == owner.actor).count();
        if live.len() < options.most && own < options.most_each {
            return Ok(());
        }
        let what = format!("{} of an account, {} in all; delete one", options.most_each, options.most);
        Err(error::failure(StatusCode::TOO_MANY_REQUESTS, Code::NotifyTooMany, what))
    }

    fn has_farewell(&self, id: &str) -> bool {
        self.0.farewells.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    fn take_farewell(&self, id: &str) -> bool {
        self.0.farewells.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// Tells everybody who waits that there may be something to do.
    fn wake_all(&self) {
        self.tell_news(|news| news.all += 1);
    }

    /// The same for these subscriptions.
    fn wake<'i>(&self, ids: impl Iterator<Item = &'i str>) {
        self.tell_news(|news| {
            for id in ids {
                *news.of.entry(id.to_owned()).or_default() += 1;
            }
        });
    }

    fn tell_news(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.0.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.told.notify_all();
        self.0.watched.send_modify(|count| *count += 1);
    }

    /// News for those who wait without a thread.
    fn news(&self) -> changes::Receiver<u64> {
        self.0.watched.subscribe()
    }

    /// A token that binds these subscriptions to a WebSocket; nothing when too many are out.
    pub(crate) fn binding_token(&self, account: &str, bound: Vec<Binding>) -> Option<String> {
        self.0.tokens.give(account, bound, Instant::now())
    }

    fn next_connection(&self) -> u64 {
        self.0.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// From now on this connection tells the subscription, and no other.
    fn bind(&self, id: &str, connection: u64) {
        self.0.bound.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), connection);
        // The one that told it before looks, and stops.
        self.wake(std::iter::once(id));
    }

    fn is_bound(&self, id: &str, connection: u64) -> bool {
        self.0.bound.lock().unwrap_or_else(PoisonError::into_inner).get(id) == Some(&connection)
    }

    fn unbind_all(&self, connection: u64) {
        let mut bound = self.0.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.retain(|_, by| *by != connection);
    }

    /// WebSockets that are open.
    #[must_use]
    pub fn sockets(&self) -> usize {
        SOCKETS - self.0.sockets.available_permits()
    }

    /// The count of news for a subscription; to be asked before looking, and given to [`Self::wait`].
    fn seen(&self, id: &str) -> u64 {
        self.0.news.lock().unwrap_or_else(PoisonError::into_inner).of(id)
    }

    /// Waits until there is news for a subscription, or so long.
    fn wait(&self, id: &str, seen: u64, at_most: Duration) {
        let news = self.0.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |news: &mut News| news.of(id) == seen && !self.is_stopping();
        drop(self.0.told.wait_timeout_while(news, at_most, waiting));
    }

    /// Waits so long, whatever is told; less when the process stops.
    fn pause(&self, time: Duration) {
        let news = self.0.news.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.told.wait_timeout_while(news, time, |_| !self.is_stopping()));
    }
}

/// The threads that serve subscriptions.
pub struct SubscriptionService {
    hub: Hub,
    subscriptions: Subscriptions,
    watcher: JoinHandle<()>,
}

impl SubscriptionService {
    /// Lets a hub take subscriptions, and goes on with those there are. One process at a time may have the hub's data.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails, or no thread can be made.
    pub fn start(hub: &Hub, options: SubscriptionOptions) -> Result<Self, StoreError> {
        let subscriptions = Subscriptions(Arc::new(Inner {
            options,
            placing: Mutex::default(),
            farewells: Mutex::default(),
            stopping: AtomicBool::new(false),
            news: Mutex::default(),
            told: Condvar::new(),
            lasts: Mutex::default(),
            senders: Mutex::default(),
            threads: Mutex::default(),
            watched: changes::Sender::new(0),
            tokens: Tokens::default(),
            sockets: Arc::new(Semaphore::new(SOCKETS)),
            connections: AtomicU64::new(0),
            bound: Mutex::default(),
            troubles: Mutex::default(),
            counts: Counts::default(),
        }));
        hub.take_subscriptions(subscriptions.clone());
        let (own_hub, own) = (hub.clone(), subscriptions.clone());
        let watcher = std::thread::Builder::new()
            .name("subscriptions".into())
            .spawn(move || watch::run(&own_hub, &own))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { hub: hub.clone(), subscriptions, watcher })
    }

    /// Stops, and waits for what is under way, but not for long: a receiver may take its time. What has not been taken is
    /// told after the next start.
    pub fn stop(self) {
        self.subscriptions.0.stopping.store(true, Ordering::Relaxed);
        self.hub.door().news().wake();
        self.subscriptions.wake_all();
        let mut threads = vec![self.watcher];
        threads.append(&mut self.subscriptions.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let until = Instant::now() + STOP_TIME;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        for thread in threads.into_iter().filter(JoinHandle::is_finished) {
            if thread.join().is_err() {
                tracing::error!("a thread of subscriptions ended by a bug");
            }
        }
    }
}

//! Notifications by REST hook: one thread for each subscription, in the order of its events.
//!
//! Before each notification the record of the subscription and the authority of its maker are read anew. What a receiver
//! has taken (2xx) is written down; what fails is sent again after a while that doubles, with some chance in it, until it
//! has failed too often.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::access::Access;

use super::notify::{self, About, Kind};
use super::record::{Channel, Content, Reason, State, Subscriber};
use super::{Subscriptions, ask, keep};
use crate::hub::Hub;
use crate::jobs::keep::access_of;
use crate::outgoing::{Client, Trouble};

/// How long a thread sleeps when it has nothing to tell. News wake it at once.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait after the store has failed.
const PAUSE: Duration = Duration::from_secs(2);

/// Sees that a subscription has a thread.
pub(super) fn begin(hub: &Hub, subscriptions: &Subscriptions, id: &str) {
    let mut senders = subscriptions.0.senders.lock().unwrap_or_else(PoisonError::into_inner);
    if subscriptions.is_stopping()
        || senders.len() >= subscriptions.options().most * 2
        || !senders.insert(id.to_owned())
    {
        return;
    }
    let (own_hub, own, own_id) = (hub.clone(), subscriptions.clone(), id.to_owned());
    let builder = std::thread::Builder::new().name("notifications".into()).stack_size(1 << 20);
    let started = builder.spawn(move || {
        Sender::new(&own_hub, &own, &own_id).run();
    });
    match started {
        Ok(thread) => {
            let mut threads = subscriptions.0.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.retain(|thread| !thread.is_finished());
            threads.push(thread);
        }
        Err(error) => {
            tracing::error!(error = %error, "a thread for notifications cannot be made");
            senders.remove(id);
        }
    }
}

/// Lets the receiver of a subscription be told, once, that the hub has turned it off.
pub(super) fn say_farewell(hub: &Hub, subscriptions: &Subscriptions, id: &str) {
    subscriptions.0.farewells.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    begin(hub, subscriptions, id);
    // Its thread may be waiting for something else.
    subscriptions.wake(std::iter::once(id));
}

struct Sender<'s> {
    hub: &'s Hub,
    subscriptions: &'s Subscriptions,
    id: &'s str,
    client: Client,
    /// The version of the record that was read last.
    version: u64,
    /// Failures in a row.
    failures: u32,
    /// When something was sent last.
    sent: Instant,
}

/// What comes next.
enum Next {
    /// There may be more to do.
    GoOn,
    /// Nothing to tell: wait for news, or so long.
    Wait(Duration),
    /// It failed: wait so long.
    Pause(Duration),
    /// Nothing is to be told any more.
    Over,
}

impl<'s> Sender<'s> {
    fn new(hub: &'s Hub, subscriptions: &'s Subscriptions, id: &'s str) -> Self {
        let client = subscriptions.options().rules.client();
        Self { hub, subscriptions, id, client, version: 0, failures: 0, sent: Instant::now() }
    }

    fn run(&mut self) {
        while !self.subscriptions.is_stopping() {
            let seen = self.subscriptions.seen(self.id);
            let round = catch_unwind(AssertUnwindSafe(|| self.round()));
            let round = round.unwrap_or_else(|_| Err(StoreError::Engine("a bug in telling".into()).into()));
            match round {
                Ok(Next::GoOn) => {}
                Ok(Next::Wait(time)) => self.subscriptions.wait(self.id, seen, time),
                Ok(Next::Pause(time)) => self.pause(time),
                Ok(Next::Over) => {
                    if self.ends() {
                        return;
                    }
                }
                Err(CommitError::Store(StoreError::Stopped)) => self.subscriptions.pause(PAUSE),
                Err(error) => {
                    tracing::error!(subscription.id = self.id, error = %error, "a notification cannot be made");
                    self.subscriptions.pause(PAUSE);
                }
            }
        }
        forget(self.subscriptions, self.id);
    }

    /// Waits so long, or until somebody changes the subscription.
    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.subscriptions.is_stopping() {
            let (seen, left) =
                (self.subscriptions.seen(self.id), until.saturating_duration_since(Instant::now()));
            let version = keep::read(self.hub, self.id).ok().flatten().map(|kept| kept.version);
            if left.is_zero() || version.is_some_and(|version| version != self.version) {
                return;
            }
            self.subscriptions.wait(self.id, seen, left);
        }
    }

    /// Ends this thread, unless the subscription has been taken up again: whoever begins one finds it under way, or gone.
    fn ends(&mut self) -> bool {
        let mut senders = self.subscriptions.0.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = |kept: keep::Kept| is_told(&kept.subscriber);
        let is_open = self.subscriptions.has_farewell(self.id);
        if is_open || keep::read(self.hub, self.id).ok().flatten().is_some_and(is_told) {
            self.failures = 0;
            return false;
        }
        senders.remove(self.id);
        drop(senders);
        self.subscriptions.note_trouble(self.id, None);
        true
    }

    fn round(&mut self) -> Result<Next, CommitError> {
        let is_farewell = self.subscriptions.take_farewell(self.id);
        let Some(kept) = keep::read(self.hub, self.id)? else { return Ok(Next::Over) };
        let subscriber = kept.subscriber;
        if is_farewell && subscriber.state == State::Off {
            self.farewell(&subscriber)?;
        }
        if !is_told(&subscriber) {
            return Ok(Next::Over);
        }
        if self.version != kept.version {
            // Whoever has changed it may have mended it.
            (self.version, self.failures) = (kept.version, 0);
        }
        let Some(access) = access_of(self.hub, &subscriber.owner)? else {
            keep::end(self.hub, self.id, Reason::Access)?;
            return Ok(Next::Over);
        };
        if subscriber.end.is_some_and(|end| end <= self.hub.now()) {
            keep::end(self.hub, self.id, Reason::End)?;
            return Ok(Next::GoOn);
        }
        match subscriber.state {
            State::Requested => self.shake_hands(&access, &subscriber),
            _ => self.tell(&access, &subscriber),
        }
    }

    fn shake_hands(&mut self, access: &Access, subscriber: &Subscriber) -> Result<Next, CommitError> {
        let count =
            notify::newest_number(self.hub, &self.hub.door().view(&keep::access())?, &subscriber.key)?;
        let about = self.about(subscriber, Kind::Handshake, count);
        let (body, _) = notify::notification(self.hub, access, about, &[])?;
        if let Err(trouble) = self.post(access, subscriber, &body)? {
            return self.failed(subscriber, &trouble);
        }
        self.taken();
        keep::change(self.hub, self.id, "subscription-active", |now| {
            // It may have been changed meanwhile; then hands are shaken again.
            (now == subscriber).then(|| Subscriber { state: State::Active, reason: None, ..now.clone() })
        })?;
        Ok(Next::GoOn)
    }

    fn tell(&mut self, access: &Access, subscriber: &Subscriber) -> Result<Next, CommitError> {
        let view = self.hub.door().view(&keep::access())?;
        let delivered = keep::delivered(&view, &subscriber.key)?;
        let most = usize::try_from(subscriber.max_count).unwrap_or(usize::MAX);
        let events = notify::next_events(self.hub, &view, &subscriber.key, delivered + 1, most)?;
        drop(view);
        if events.is_empty() {
            return self.rest(access, subscriber, delivered);
        }
        let about = self.about(subscriber, Kind::Event, delivered);
        let (body, count) = notify::notification(self.hub, access, about, &events)?;
        if let Err(trouble) = self.post(access, subscriber, &body)? {
            return self.failed(subscriber, &trouble);
        }
        self.taken();
        if let Some((last, _)) = events.get(count.wrapping_sub(1)) {
            keep::set_delivered(self.hub, &subscriber.key, *last)?;
        }
        Ok(Next::GoOn)
    }

    /// Nothing to tell: a heartbeat when it is due.
    fn rest(&mut self, access: &Access, subscriber: &Subscriber, count: u64) -> Result<Next, CommitError> {
        let Some(seconds) = subscriber.heartbeat else { return Ok(Next::Wait(LOOK)) };
        let left = Duration::from_secs(seconds.into()).saturating_sub(self.sent.elapsed());
        if !left.is_zero() {
            return Ok(Next::Wait(left.min(LOOK)));
        }
        let about = self.about(subscriber, Kind::Heartbeat, count);
        let (body, _) = notify::notification(self.hub, access, about, &[])?;
        if let Err(trouble) = self.post(access, subscriber, &body)? {
            return self.failed(subscriber, &trouble);
        }
        self.taken();
        Ok(Next::GoOn)
    }

    /// One attempt to tell that it is off, and why.
    fn farewell(&mut self, subscriber: &Subscriber) -> Result<(), StoreError> {
        let Some((access, body)) = notify::farewell(self.hub, self.id, subscriber)? else { return Ok(()) };
        if let Err(trouble) = self.post(&access, subscriber, &body)? {
            tracing::info!(subscription.id = self.id, why = %trouble, "that it is off was not delivered");
        }
        Ok(())
    }

    fn taken(&mut self) {
        self.failures = 0;
        self.subscriptions.note_trouble(self.id, None);
    }

    fn about<'a>(&'a self, subscriber: &'a Subscriber, kind: Kind, count: u64) -> About<'a> {
        let content = if kind == Kind::Event { subscriber.content } else { Content::Empty };
        About { id: self.id, subscriber, kind, content, count }
    }

    fn post(
        &mut self,
        access: &Access,
        subscriber: &Subscriber,
        body: &[u8],
    ) -> Result<Result<(), Trouble>, StoreError> {
        let Channel::RestHook { endpoint, headers } = &subscriber.channel else { return Ok(Ok(())) };
        notify::release(self.hub, access, self.id)?;
        let headers = headers.iter().filter_map(|header| ask::split(header));
        let time = Duration::from_secs(subscriber.timeout.into());
        // Allowed when it was asked for; the operator may have changed that since.
        let result = self.client.post(&self.subscriptions.options().rules, endpoint, headers, body, time);
        let counts = self.subscriptions.counts();
        let count = if result.is_ok() { &counts.sent } else { &counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
        self.sent = Instant::now();
        Ok(result)
    }

    fn failed(&mut self, subscriber: &Subscriber, trouble: &Trouble) -> Result<Next, CommitError> {
        self.failures += 1;
        self.subscriptions.note_trouble(self.id, Some((self.failures, *trouble)));
        let options = self.subscriptions.options();
        let pause = options.pause_after(self.failures);
        tracing::info!(subscription.id = self.id, failures = self.failures, why = %trouble, "not delivered");
        if self.failures < options.attempts {
            return Ok(Next::Pause(jittered(pause)));
        }
        keep::change(self.hub, self.id, "subscription-error", |now| {
            (now == subscriber).then(|| Subscriber {
                state: State::Error,
                reason: Some(Reason::Failed),
                ..now.clone()
            })
        })?;
        self.failures = 0;
        Ok(Next::GoOn)
    }
}

/// Forgets a thread that has ended.
fn forget(subscriptions: &Subscriptions, id: &str) {
    subscriptions.0.senders.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
}

/// Whether there is a receiver that notifications are sent to.
fn is_told(subscriber: &Subscriber) -> bool {
    matches!(subscriber.state, State::Requested | State::Active)
        && matches!(subscriber.channel, Channel::RestHook { .. })
}

/// Between three quarters of the time and all of it, so that not everybody comes at once.
fn jittered(time: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness the time is as good as another.
    let _ = getrandom::fill(&mut byte);
    time - time.mul_f64(f64::from(byte[0]) / 1_024.0)
}

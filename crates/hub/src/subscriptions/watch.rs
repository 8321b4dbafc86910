//! From the change feed to events.
//!
//! One thread, in the order of commits. A step looks at a bounded number of changes and ends with one commit: the new
//! events of all subscriptions, each with the place in the feed up to which everything has been looked at. After a
//! restart it goes on from the last such place; so an event is made once, whenever the process was killed. Steps without
//! events write no record, only now and then how far they came: to look at those changes again makes no event either.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::engine::FeedEntry;

use super::followed::{Filters, Followed};
use super::judge::Seen;
use super::keep::{self, Kept};
use super::record::{Batch, Channel, EVENTS, Event, Place, Reason, SUBSCRIBER, State, Subscriber};
use super::{Subscriptions, send, sweep};
use crate::hub::Hub;
use crate::jobs::keep::access_of;

/// Changes looked at in one step: a subscription gets at most so many events at a time.
const STEP: usize = 1_000;
/// Changes judged in one view; a view kept open keeps old pages on disk.
const IN_ONE_VIEW: usize = 200;
/// How long to wait for news before looking all the same.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is written down how far the feed has been read, when there were no events.
const NOTE_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether somebody has subscribed, while others write.
const PAUSE_OF_NOBODY: Duration = Duration::from_millis(50);
/// How long to wait after the store has failed.
const PAUSE: Duration = Duration::from_secs(2);
/// Where it is written down how far the feed has been read.
const FOLLOWER: &str = "subscriptions";
/// All changes of a commit.
const ALL: u64 = u64::MAX;

/// Reads the feed until the process stops.
pub(super) fn run(hub: &Hub, subscriptions: &Subscriptions) {
    let mut watcher = None;
    while !subscriptions.is_stopping() {
        let result = catch_unwind(AssertUnwindSafe(|| match &mut watcher {
            None => Watcher::new(hub, subscriptions).map(|new| watcher = Some(new)),
            Some(watcher) => watcher.round(),
        }));
        match result {
            Ok(Ok(())) => continue,
            Ok(Err(CommitError::Store(StoreError::Stopped))) => {}
            Ok(Err(error)) => tracing::error!(error = %error, "events of subscriptions cannot be made"),
            Err(_) => tracing::error!("the making of events met a bug"),
        }
        // What is known may not be what is on disk.
        watcher = None;
        subscriptions.pause(PAUSE);
    }
}

struct Watcher<'h> {
    hub: &'h Hub,
    subscriptions: &'h Subscriptions,
    /// Up to where everything has been looked at.
    place: Place,
    /// What the feed says next.
    pending: VecDeque<FeedEntry>,
    followed: Vec<Followed>,
    /// In error for their filters, and since when: nobody can tell what concerns them.
    given_up: Vec<(String, i64)>,
    noted: (u64, Instant),
    swept: Option<Instant>,
}

impl<'h> Watcher<'h> {
    fn new(hub: &'h Hub, subscriptions: &'h Subscriptions) -> Result<Self, CommitError> {
        let view = hub.door().view(&keep::access())?;
        let (noted, newest) = (view.follower(FOLLOWER)?, view.t());
        let batch = keep::newest_batch(&view, None)?.map(|batch| batch.through).unwrap_or_default();
        drop(view);
        let place = batch.max(Place { t: noted, changes: ALL });
        let mut watcher = Self {
            hub,
            subscriptions,
            place,
            pending: VecDeque::new(),
            followed: Vec::new(),
            given_up: Vec::new(),
            noted: (noted, Instant::now()),
            swept: None,
        };
        watcher.load()?;
        if watcher.followed.is_empty() {
            // What happened before somebody subscribes is nobody's event.
            watcher.place = watcher.place.max(Place { t: newest, changes: ALL });
        }
        Ok(watcher)
    }

    /// Does what there is to do, or waits for it.
    fn round(&mut self) -> Result<(), CommitError> {
        if self.swept.is_none_or(|swept| swept.elapsed() >= self.subscriptions.options().sweep_every) {
            self.swept = Some(Instant::now());
            sweep::sweep(self.hub, self.subscriptions)?;
        }
        self.end_those_over()?;
        self.note()?;
        if self.is_held()? {
            return Ok(());
        }
        if self.followed.is_empty() {
            return self.look_for_some();
        }
        if self.pending.is_empty() {
            self.read_feed()?;
        }
        if self.pending.is_empty() {
            let stop = || self.subscriptions.is_stopping();
            self.hub.door().news().wait(self.place.t, LOOK, stop);
            return Ok(());
        }
        self.step()
    }

    /// Whether nothing may be looked at yet, because somebody's filters could not be read since the start: what is looked
    /// at without them would be missed. Where they were read before, that meaning counts meanwhile.
    fn is_held(&mut self) -> Result<bool, CommitError> {
        let now = Instant::now();
        if self.followed.iter().any(|followed| followed.unread.is_some_and(|unread| unread.again <= now)) {
            self.load()?;
        }
        let held = self.followed.iter().filter(|followed| followed.wanted.is_none());
        let again = held.filter_map(|followed| followed.unread).map(|unread| unread.again).min();
        if let Some(again) = again {
            self.subscriptions.pause(again.saturating_duration_since(now).min(LOOK));
        }
        Ok(again.is_some())
    }

    /// Nobody is subscribed: the feed need not be read. It is looked now and then whether that has changed.
    fn look_for_some(&mut self) -> Result<(), CommitError> {
        self.pending.clear();
        let newest = self.hub.door().view(&keep::access())?.t();
        if newest == self.place.t {
            let stop = || self.subscriptions.is_stopping();
            self.hub.door().news().wait(newest, LOOK, stop);
            return Ok(());
        }
        self.load()?;
        if self.followed.is_empty() {
            // There was nobody at that commit. Had there been, the feed would be read from the place before.
            self.place = self.place.max(Place { t: newest, changes: ALL });
            self.subscriptions.pause(PAUSE_OF_NOBODY);
        }
        Ok(())
    }

    fn read_feed(&mut self) -> Result<(), StoreError> {
        let view = self.hub.door().view(&keep::access())?;
        let Place { t, changes } = self.place;
        if changes == ALL {
            self.pending = view.feed(t, STEP)?.into();
            return Ok(());
        }
        // In the middle of a commit: all of it is read again, and what has been looked at is left out.
        let skip = usize::try_from(changes).unwrap_or(usize::MAX);
        self.pending = view.feed(t.saturating_sub(1), STEP)?.into_iter().skip(skip).collect();
        if self.pending.is_empty() {
            self.place.changes = ALL;
            self.pending = view.feed(t, STEP)?.into();
        }
        Ok(())
    }

    /// Looks at the next changes and makes the events that come of them.
    fn step(&mut self) -> Result<(), CommitError> {
        let count = self.pending.len().min(STEP);
        let entries: Vec<FeedEntry> = self.pending.iter().take(count).cloned().collect();
        // Whoever is subscribed by now counts: an older list would miss events of one that has just begun.
        // Filters mean what the parameters mean that are in force.
        let generation = self.hub.door().catalogue().generation();
        let is_stale = self.followed.iter().any(|followed| followed.generation != generation);
        if is_stale
            || entries.iter().any(|entry| entry.kind == SUBSCRIBER.name || entry.kind == "IeumAccount")
        {
            self.load()?;
        }
        if self.is_held()? {
            return Ok(());
        }
        let place = self.place_after(&entries);
        let events = self.events(&entries)?;
        self.commit(&events, place)?;
        self.pending.drain(..count);
        let is_in_the_middle = self.pending.front().is_some_and(|next| next.t == place.t);
        self.place = if is_in_the_middle { place } else { Place { changes: ALL, ..place } };
        Ok(())
    }

    fn place_after(&self, entries: &[FeedEntry]) -> Place {
        let Some(last) = entries.last() else { return self.place };
        let of_last = entries.iter().filter(|entry| entry.t == last.t).count() as u64;
        let before = if self.place.t == last.t && self.place.changes != ALL { self.place.changes } else { 0 };
        Place { t: last.t, changes: before + of_last }
    }

    /// The events of these changes, for each subscription in the order of [`Self::followed`].
    fn events(&self, entries: &[FeedEntry]) -> Result<Vec<Vec<Event>>, StoreError> {
        let mut events: Vec<Vec<Event>> = self.followed.iter().map(|_| Vec::new()).collect();
        // Those with the same access see the same: a version is read once for all of them.
        let mut by_access: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, followed) in self.followed.iter().enumerate() {
            by_access.entry(format!("{:?}", followed.access.plan())).or_default().push(index);
        }
        let catalogue = self.hub.door().catalogue();
        for indexes in by_access.values() {
            let Some(first) = indexes.first() else { continue };
            for entries in entries.chunks(IN_ONE_VIEW) {
                let view = self.hub.door().resource_view(&self.followed[*first].access)?;
                for entry in entries {
                    let seen = Seen::new(&view, &catalogue, entry);
                    for index in indexes {
                        match self.followed[*index].is_told(entry, &seen) {
                            Ok(true) => events[*index].push(Event::from(entry)),
                            Ok(false) => {}
                            // The others must not wait for one that will never be whole again.
                            Err(StoreError::Damaged(_)) => {
                                tracing::error!(record.kind = entry.kind, "a record in the feed is damaged");
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
            }
        }
        Ok(events)
    }

    /// Makes events durable, together with the place up to which the feed has been read.
    fn commit(&mut self, events: &[Vec<Event>], through: Place) -> Result<(), CommitError> {
        let mut changes = Vec::new();
        let mut made = 0;
        for (followed, events) in self.followed.iter().zip(events).filter(|(_, events)| !events.is_empty()) {
            let mut first = followed.last + 1;
            // What goes into one notification, so that each begins with a batch.
            for events in events.chunks(usize::try_from(followed.subscriber.max_count.max(1)).unwrap_or(STEP))
            {
                let (key, last) = (followed.subscriber.key.clone(), first + events.len() as u64 - 1);
                let id = keep::batch_id(&key, first);
                let batch = Batch { key, first, last, through, events: events.to_vec() };
                let record = Box::new(keep::prepared(self.hub.door(), &EVENTS, &id, &batch));
                // Nobody makes a number twice.
                changes.push(Change::Put { record, expect: Expect::New });
                first = last + 1;
            }
            made += events.len() as u64;
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.hub.door().commit(&keep::access(), "events-made", Vec::new(), changes)?;
        for (followed, events) in self.followed.iter_mut().zip(events) {
            followed.last += events.len() as u64;
        }
        self.note_lasts();
        self.subscriptions.counts().events.fetch_add(made, Ordering::Relaxed);
        let with_events = self.followed.iter().zip(events).filter(|(_, events)| !events.is_empty());
        self.subscriptions.wake(with_events.map(|(followed, _)| followed.id.as_str()));
        self.end_those_behind()
    }

    /// Reads who is subscribed, and sees that somebody tells them.
    fn load(&mut self) -> Result<(), CommitError> {
        let view = self.hub.door().view(&keep::access())?;
        let all = keep::list(&view, &State::LIVE, self.subscriptions.options().most * 2)?;
        let before = std::mem::take(&mut self.followed).into_iter();
        let mut before: HashMap<String, Followed> =
            before.map(|followed| (followed.subscriber.key.clone(), followed)).collect();
        let mut found = Vec::with_capacity(all.len());
        for kept in all {
            let known = before.remove(&kept.subscriber.key);
            let last = match &known {
                Some(known) => known.last,
                None => keep::newest_batch(&view, Some(&kept.subscriber.key))?.map_or(0, |batch| batch.last),
            };
            found.push((kept, known, last));
        }
        drop(view);
        self.given_up.clear();
        for (kept, known, last) in found {
            let followed = self.follow(kept, known, last)?;
            self.followed.extend(followed);
        }
        self.note_lasts();
        // Whoever tells them learns of changed states too.
        self.subscriptions.wake_all();
        Ok(())
    }

    /// Lets others know the newest numbers, which are dear to look for.
    fn note_lasts(&self) {
        let lasts = self.followed.iter().map(|followed| (followed.subscriber.key.clone(), followed.last));
        *self.subscriptions.0.lasts.lock().unwrap_or_else(PoisonError::into_inner) = lasts.collect();
    }

    fn follow(
        &mut self,
        kept: Kept,
        known: Option<Followed>,
        last: u64,
    ) -> Result<Option<Followed>, CommitError> {
        let Kept { id, subscriber, .. } = kept;
        let Some(access) = access_of(self.hub, &subscriber.owner)? else {
            self.end(&id, Reason::Access)?;
            return Ok(None);
        };
        if (subscriber.state, subscriber.reason) == (State::Error, Some(Reason::Filter)) {
            self.given_up.push((id, subscriber.changed));
            return Ok(None);
        }
        let generation = self.hub.door().catalogue().generation();
        let (wanted, unread) = match Filters::read(self.hub, self.subscriptions, &subscriber, &access, known)
        {
            Filters::Read(wanted) => (Some(wanted), None),
            Filters::Unread(_, unread) if unread.failures >= self.subscriptions.options().attempts => {
                self.give_up(&id, &subscriber)?;
                return Ok(None);
            }
            Filters::Unread(wanted, unread) => (wanted, Some(unread)),
            Filters::Unusable => {
                self.end(&id, Reason::Filter)?;
                return Ok(None);
            }
        };
        if matches!(subscriber.channel, Channel::RestHook { .. }) && subscriber.state != State::Error {
            send::begin(self.hub, self.subscriptions, &id);
        }
        Ok(Some(Followed { id, subscriber, access, wanted, unread, generation, last }))
    }

    /// The filters could not be read too often.
    fn give_up(&mut self, id: &str, subscriber: &Subscriber) -> Result<(), CommitError> {
        let (state, reason) = (State::Error, Some(Reason::Filter));
        tracing::warn!(subscription.id = id, "the filters of a subscription cannot be read");
        keep::change(self.hub, id, "subscription-error", |now| {
            (now == subscriber).then(|| Subscriber { state, reason, ..now.clone() })
        })?;
        self.given_up.push((id.to_owned(), self.hub.now()));
        Ok(())
    }

    /// Ends a subscription. One that is damaged stays as it is, and keeps nobody else waiting.
    fn end(&self, id: &str, reason: Reason) -> Result<(), CommitError> {
        match keep::end(self.hub, id, reason) {
            Err(CommitError::Store(StoreError::Damaged(_))) => {
                tracing::error!(subscription.id = id, "a damaged subscription cannot be turned off");
                Ok(())
            }
            result => result,
        }
    }

    fn end_those_over(&mut self) -> Result<(), CommitError> {
        let now = self.hub.now();
        let error_most =
            i64::try_from(self.subscriptions.options().error_most.as_micros()).unwrap_or(i64::MAX);
        for Followed { id, subscriber, .. } in &self.followed {
            if subscriber.end.is_some_and(|end| end <= now) {
                self.end(id, Reason::End)?;
            } else if subscriber.state == State::Error && now - subscriber.changed > error_most {
                self.end(id, Reason::Failed)?;
            }
        }
        for (id, _) in self.given_up.iter().filter(|(_, since)| now - since > error_most) {
            self.end(id, Reason::Filter)?;
        }
        Ok(())
    }

    fn end_those_behind(&self) -> Result<(), CommitError> {
        let most = self.subscriptions.options().waiting_most;
        for Followed { id, subscriber, last, .. } in self.followed.iter().filter(|one| one.last > most) {
            let delivered = keep::delivered(&self.hub.door().view(&keep::access())?, &subscriber.key)?;
            if last.saturating_sub(delivered) > most {
                self.end(id, Reason::Behind)?;
            }
        }
        Ok(())
    }

    /// Writes down how far the feed has been read.
    fn note(&mut self) -> Result<(), StoreError> {
        let (t, at) = self.noted;
        // With nobody subscribed a restart begins at the newest commit in any case.
        let is_followed = !self.followed.is_empty();
        if is_followed && self.place.t > t && at.elapsed() >= NOTE_EVERY && self.place.changes == ALL {
            self.hub.door().set_follower(FOLLOWER, self.place.t)?;
            self.noted = (self.place.t, Instant::now());
        }
        Ok(())
    }
}

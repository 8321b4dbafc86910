//! A subscription for which events are made, and how its filters are read: again and again, when what they refer to cannot
//! be read for a while.

use std::time::{Duration, Instant};

use ieum_store::commit::StoreError;
use ieum_store::engine::FeedEntry;
use ieum_trust::access::Access;

use super::Subscriptions;
use super::judge::{Seen, Wanted};
use super::record::Subscriber;
use super::topics::topic;
use crate::hub::Hub;

/// How long nobody's events are made because the filters of one subscription cannot be read, at a time.
const HOLD: Duration = Duration::from_secs(2);

/// A subscription for which events are made.
pub(super) struct Followed {
    /// Id of the Subscription.
    pub(super) id: String,
    /// The record beside it.
    pub(super) subscriber: Subscriber,
    /// Who made it, as the account says now; without, nothing is made.
    pub(super) access: Access,
    /// Its filters as they were read last; nothing when they could not be read since the start.
    pub(super) wanted: Option<Wanted>,
    /// Set when they could not be read the last time.
    pub(super) unread: Option<Unread>,
    /// The catalogue by which its filters were read.
    pub(super) generation: u64,
    /// Number of its newest event.
    pub(super) last: u64,
}

/// Filters that cannot be read for now.
#[derive(Clone, Copy)]
pub(super) struct Unread {
    /// Attempts in a row.
    pub(super) failures: u32,
    /// When the next is due.
    pub(super) again: Instant,
}

/// What has come of reading filters.
pub(super) enum Filters {
    /// They can be asked.
    Read(Wanted),
    /// Not for now; what they meant the last time, if they were read since the start.
    Unread(Option<Wanted>, Unread),
    /// They never will be, as they are.
    Unusable,
}

impl Followed {
    /// Whether a change is an event of it.
    ///
    /// # Errors
    /// [`StoreError`] when a version cannot be read.
    pub(super) fn is_told(&self, entry: &FeedEntry, seen: &Seen<'_>) -> Result<bool, StoreError> {
        let has_begun = self.subscriber.since.is_some_and(|since| entry.t > since);
        let Some(wanted) = self.wanted.as_ref().filter(|wanted| wanted.may_concern(entry)) else {
            return Ok(false);
        };
        Ok(has_begun && wanted.concerns(seen)?)
    }
}

impl Filters {
    /// Reads the filters of a subscription, unless they are known.
    pub(super) fn read(
        hub: &Hub,
        subscriptions: &Subscriptions,
        subscriber: &Subscriber,
        access: &Access,
        known: Option<Followed>,
    ) -> Self {
        let generation = hub.door().catalogue().generation();
        let asks_the_same = |known: &Followed| {
            known.access == *access
                && (&known.subscriber.topic, &known.subscriber.filters)
                    == (&subscriber.topic, &subscriber.filters)
        };
        let (before, unread) = match known.filter(asks_the_same) {
            Some(Followed { wanted: Some(wanted), unread: None, generation: of, .. }) if of == generation => {
                return Self::Read(wanted);
            }
            Some(known) => (known.wanted, known.unread),
            None => (None, None),
        };
        if let Some(unread) = unread.filter(|unread| unread.again > Instant::now()) {
            return Self::Unread(before, unread);
        }
        let Some(topic) = topic(&subscriber.topic) else { return Self::Unusable };
        match Wanted::new(hub, access, topic, &subscriber.filters) {
            Ok(wanted) => Self::Read(wanted),
            Err((_, unusable)) if unusable.is_for_now() => {
                let failures = unread.map_or(0, |unread| unread.failures) + 1;
                let pause = subscriptions.options().pause_after(failures);
                // Everybody waits for filters that were not read since the start: not for long at a time.
                let pause = if before.is_none() { pause.min(HOLD) } else { pause };
                Self::Unread(before, Unread { failures, again: Instant::now() + pause })
            }
            Err(_) => Self::Unusable,
        }
    }
}

//! The end of events: what has been told, or is nobody's any more, can be asked for a while longer.

use std::collections::{HashMap, HashSet};

use ieum_fhir::index::TimeRange;
use ieum_fhir::search::{DateTest, Filter, Prefix, Query, Total};
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_trust::door::DoorError;

use super::record::{Batch, Channel, EVENTS, State};
use super::{Subscriptions, keep, notify};
use crate::hub::Hub;

/// Batches looked at in one view, and deleted in one commit.
const AT_ONCE: usize = 500;

/// Deletes events that are older than they are kept. Those that wait for a receiver stay; a client on a WebSocket that
/// does not come back misses them.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub(super) fn sweep(hub: &Hub, subscriptions: &Subscriptions) -> Result<(), CommitError> {
    let keep_micros = i64::try_from(subscriptions.options().keep.as_micros()).unwrap_or(i64::MAX);
    let until = hub.now().saturating_sub(keep_micros);
    let dispensable = dispensable(hub)?;
    let test = DateTest { prefix: Prefix::Lt, range: TimeRange { lo: until, hi: until } };
    let filters = vec![Filter::LastUpdated(vec![test])];
    let query = Query { kind: EVENTS.name.into(), filters, total: Total::None, ..Query::default() };
    let mut next: Option<String> = None;
    loop {
        let page = hub.door().view(&keep::access())?.search(&query, next.as_deref(), AT_ONCE);
        let page = page.map_err(|error| match error {
            DoorError::Store(error) => error,
            DoorError::Cursor(_) => StoreError::Engine("a token of our own".into()),
        })?;
        let mut changes = Vec::new();
        let mut gone = HashSet::new();
        for record in &page.records {
            let batch: Option<Batch> = serde_json::from_slice(&record.plain_json()).ok();
            let most = batch.as_ref().and_then(|batch| dispensable.get(&batch.key));
            if let (Some(batch), Some(most)) = (&batch, most)
                && batch.last > *most
            {
                continue;
            }
            if most.is_none() {
                gone.extend(batch.map(|batch| batch.key));
            }
            let (kind, id) = (EVENTS.name.to_owned(), record.id.clone());
            changes.push(Change::Delete { kind, id, expect: Expect::Anything });
        }
        // Mostly that was done with the subscription. Before its events go: by them it is known.
        for key in gone {
            keep::forget_delivered(hub, &key)?;
        }
        if !changes.is_empty() {
            hub.door().commit(&keep::access(), "subscription-sweep", Vec::new(), changes)?;
        }
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

/// For each subscription that is not over, the number of the last event that may go: what waits for a receiver stays,
/// and the newest stays in any case, because the next number follows from it.
fn dispensable(hub: &Hub) -> Result<HashMap<String, u64>, StoreError> {
    let view = hub.door().view(&keep::access())?;
    let live = keep::list(&view, &State::ALL, usize::MAX >> 1)?.into_iter();
    live.map(|kept| {
        let key = kept.subscriber.key;
        let newest = notify::newest_number(hub, &view, &key)?.saturating_sub(1);
        let waits = matches!(kept.subscriber.channel, Channel::RestHook { .. })
            && kept.subscriber.state != State::Off;
        let most = if waits { newest.min(keep::delivered(&view, &key)?) } else { newest };
        Ok((key, most))
    })
    .collect()
}

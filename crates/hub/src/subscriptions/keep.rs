//! Records of subscriptions and their events: read, written, found.

use ieum_fhir::decimal::Decimal;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::{
    Filter, NumberTest, Param, Prefix, Query, SortBy, SortKeyOf, SystemTest, Test, TokenTest, Total,
};
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::own::OwnKind;
use ieum_store::prepare::Prepared;
use ieum_store::record::Record;
use ieum_trust::access::Access;
use ieum_trust::door::{Door, DoorError, View};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{Batch, EVENTS, Reason, SUBSCRIBER, State, Subscriber};
use super::send;
use crate::hub::Hub;

/// Attempts to change a state while others change the same records.
const ATTEMPTS: u32 = 64;

/// A subscription with its place in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id, which is that of the Subscription.
    pub id: String,
    /// The version that was read.
    pub version: u64,
    /// The subscription.
    pub subscriber: Subscriber,
}

/// On whose authority these records are written.
pub(crate) fn access() -> Access {
    Access::system("subscriptions")
}

/// A record of ours, ready for the commit.
///
/// # Panics
/// When it is not JSON or its kind not in the catalogue: bugs.
#[must_use]
pub fn prepared(door: &Door, kind: &OwnKind, id: &str, record: &impl Serialize) -> Prepared {
    let json = serde_json::to_vec(record).expect("our own records are JSON");
    let document = Document::parse(&json, &Limits::default()).expect("our own records are JSON");
    let catalogue = door.catalogue();
    let def = catalogue.kind(kind.name).expect("our own kinds are in the catalogue");
    catalogue.prepare(def, id, document.root(), &mut |_| None)
}

/// A subscription.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn read(hub: &Hub, id: &str) -> Result<Option<Kept>, StoreError> {
    let record = hub.door().view(&access())?.read(SUBSCRIBER.name, id)?;
    Ok(record.and_then(|record| kept(&record)))
}

fn kept(record: &Record) -> Option<Kept> {
    let subscriber = body(record)?;
    Some(Kept { id: record.id.clone(), version: record.version, subscriber })
}

fn body<T: DeserializeOwned>(record: &Record) -> Option<T> {
    if record.is_deleted() {
        return None;
    }
    let read = serde_json::from_slice(&record.plain_json());
    if read.is_err() {
        tracing::error!(record.kind = record.kind, record.id = record.id, "a record of ours cannot be read");
    }
    read.ok()
}

/// Subscriptions in one of these states, in the order in which they were made.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn list(view: &View<'_>, states: &[State], most: usize) -> Result<Vec<Kept>, StoreError> {
    let tests = states.iter().map(|state| token(state.name())).collect();
    let filters = vec![Filter::Any { param: param(&SUBSCRIBER, "state"), tests }];
    let query = Query { kind: SUBSCRIBER.name.into(), filters, total: Total::None, ..Query::default() };
    Ok(find(view, &query, most)?.iter().filter_map(kept).collect())
}

/// How many subscriptions are in a state.
///
/// # Errors
/// [`StoreError`] when they cannot be counted.
pub fn count(view: &View<'_>, state: State) -> Result<u64, StoreError> {
    let filters = vec![Filter::Any { param: param(&SUBSCRIBER, "state"), tests: vec![token(state.name())] }];
    view.count(&Query { kind: SUBSCRIBER.name.into(), filters, ..Query::default() })
}

/// The newest subscriptions, newest first.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn newest(hub: &Hub, most: usize) -> Result<Vec<Kept>, StoreError> {
    let sort = vec![SortKeyOf { by: SortBy::LastUpdated, descending: true }];
    let query = Query { kind: SUBSCRIBER.name.into(), sort, total: Total::None, ..Query::default() };
    Ok(find(&hub.door().view(&access())?, &query, most)?.iter().filter_map(kept).collect())
}

/// The id of the batch that begins with this number.
pub(super) fn batch_id(key: &str, first: u64) -> String {
    format!("{key}.{first}")
}

/// The batch that begins with this number. Numbers follow one another, so each batch leads to the next.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn batch_at(view: &View<'_>, key: &str, first: u64) -> Result<Option<Batch>, StoreError> {
    Ok(view.read(EVENTS.name, &batch_id(key, first))?.as_ref().and_then(body))
}

/// The batch that holds this number; if it is kept no more, the first one after it. It has to be searched for.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn batch_around(view: &View<'_>, key: &str, number: u64) -> Result<Option<Batch>, StoreError> {
    let number = Decimal::parse(&number.to_string()).map(|number| number.sort_key());
    let exact = number.map_err(|_| StoreError::Engine("a number is none".into()))?;
    let test = NumberTest { prefix: Prefix::Ge, exact: exact.clone(), lo: exact.clone(), hi: exact };
    let filters = vec![
        Filter::Any { param: param(&EVENTS, "key"), tests: vec![token(key)] },
        Filter::Any { param: param(&EVENTS, "last"), tests: vec![Test::Number(test)] },
    ];
    let query = Query { kind: EVENTS.name.into(), filters, total: Total::None, ..Query::default() };
    Ok(find(view, &query, 1)?.first().and_then(body))
}

/// The batch with the highest numbers of one subscription, or one of the newest commit of all. One commit may make
/// several batches of a subscription: their numbers tell them apart, and nothing else does.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn newest_batch(view: &View<'_>, key: Option<&str>) -> Result<Option<Batch>, StoreError> {
    let filters = key.map(|key| Filter::Any { param: param(&EVENTS, "key"), tests: vec![token(key)] });
    let by = if key.is_some() { SortBy::Param(param(&EVENTS, "last")) } else { SortBy::LastUpdated };
    let query = Query {
        kind: EVENTS.name.into(),
        filters: filters.into_iter().collect(),
        sort: vec![SortKeyOf { by, descending: true }],
        total: Total::None,
        ..Query::default()
    };
    Ok(find(view, &query, 1)?.first().and_then(body))
}

fn find(view: &View<'_>, query: &Query, most: usize) -> Result<Vec<Record>, StoreError> {
    let page = view.search(query, None, most).map_err(|error| match error {
        DoorError::Store(error) => error,
        DoorError::Cursor(_) => StoreError::Engine("a token was not given".into()),
    })?;
    Ok(page.records)
}

fn param(kind: &OwnKind, code: &str) -> Param {
    Param { kind: kind.name.into(), code: code.into() }
}

fn token(code: &str) -> Test {
    Test::Token(TokenTest { system: SystemTest::Any, code: Some(code.to_owned()) })
}

/// The number of the last event that has been delivered.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn delivered(view: &View<'_>, key: &str) -> Result<u64, StoreError> {
    view.follower(&follower(key))
}

/// Remembers that events up to this number have been delivered.
///
/// # Errors
/// [`StoreError`] when it cannot be written.
pub fn set_delivered(hub: &Hub, key: &str, number: u64) -> Result<(), StoreError> {
    hub.door().set_follower(&follower(key), number)
}

/// Forgets up to which event a subscription has been told that is no more.
///
/// # Errors
/// [`StoreError`] when it cannot be written.
pub fn forget_delivered(hub: &Hub, key: &str) -> Result<(), StoreError> {
    hub.door().set_follower(&follower(key), 0)
}

fn follower(key: &str) -> String {
    format!("subscription {key}")
}

/// Changes a subscription's state and what its resource says of it, in one commit. `change` is asked of what is there at
/// that moment, and says what it becomes, or nothing.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn change(
    hub: &Hub,
    id: &str,
    action: &'static str,
    change: impl Fn(&Subscriber) -> Option<Subscriber>,
) -> Result<bool, CommitError> {
    for _ in 0..ATTEMPTS {
        let Some(kept) = read(hub, id)? else { return Ok(false) };
        let Some(mut next) = change(&kept.subscriber) else { return Ok(false) };
        if next.state != kept.subscriber.state {
            next.changed = hub.now();
        }
        let own = prepared(hub.door(), &SUBSCRIBER, id, &next);
        let mut changes = vec![Change::Put { record: Box::new(own), expect: Expect::Version(kept.version) }];
        changes.extend(shown(hub, id, &next)?);
        match hub.door().commit(&access(), action, Vec::new(), changes) {
            Err(CommitError::Version { .. }) => {}
            result => return result.map(|_| true),
        }
    }
    Err(CommitError::Overloaded)
}

/// Ends a subscription for a reason.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub(crate) fn end(hub: &Hub, id: &str, reason: Reason) -> Result<(), CommitError> {
    tracing::info!(subscription.id = id, reason = ?reason, "a subscription is off");
    let is_ended = change(hub, id, "subscription-off", |subscriber| {
        let state = State::Off;
        (subscriber.state != state).then(|| Subscriber {
            state,
            reason: Some(reason),
            since: None,
            ..subscriber.clone()
        })
    })?;
    // Nothing leaves for whoever may not see anything any more.
    if let Some(subscriptions) = hub.subscriptions()
        && is_ended
        && reason != Reason::Access
    {
        send::say_farewell(hub, subscriptions, id);
    }
    Ok(())
}

/// The Subscription with the state in it; nothing when there is none any more.
fn shown(hub: &Hub, id: &str, subscriber: &Subscriber) -> Result<Option<Change>, CommitError> {
    let record = hub.door().resource_view(&access())?.read("Subscription", id)?;
    let Some(record) = record.filter(|record| !record.is_deleted()) else { return Ok(None) };
    let mut json: serde_json::Value = serde_json::from_slice(&record.plain_json())
        .map_err(|_| StoreError::Damaged("a Subscription".into()))?;
    show_state(&mut json, subscriber);
    let json = json.to_string();
    // What is added may be the one value too many for who sends it, and must not be for us.
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    let document = Document::parse(json.as_bytes(), &limits)
        .map_err(|_| StoreError::Damaged("a Subscription".into()))?;
    let catalogue = hub.door().catalogue();
    let kind = catalogue.kind("Subscription").ok_or_else(|| StoreError::Damaged("a kind".into()))?;
    let prepared = catalogue.prepare(kind, id, document.root(), &mut |_| None);
    Ok(Some(Change::Put { record: Box::new(prepared), expect: Expect::Version(record.version) }))
}

/// Writes into a Subscription in which state it is, and why.
pub(super) fn show_state(json: &mut serde_json::Value, subscriber: &Subscriber) {
    json["status"] = subscriber.state.name().into();
    match subscriber.reason.filter(|reason| *reason != Reason::Maker) {
        Some(reason) => {
            json["error"] = format!("{}: {}", reason.code().id(), reason.code().title()).into();
        }
        None => {
            if let Some(members) = json.as_object_mut() {
                members.shift_remove("error");
            }
        }
    }
}

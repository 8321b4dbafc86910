//! Notifications: bundles of type `history` that begin with the status, as the guide has them for R4.

use std::fmt::Write as _;

use ieum_fhir::date::format_instant;
use ieum_store::commit::StoreError;
use ieum_store::record::{Op, Record};
use ieum_trust::access::Access;
use ieum_trust::door::View;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::extensions::{NOTIFICATION, STATUS};
use super::keep;
use super::record::{Content, Event, State, Subscriber};
use crate::hub::Hub;
use crate::jobs::keep::access_of;

/// Bytes of records in one notification, about; it holds one event at least.
const BYTES: usize = 4 << 20;

/// Why a notification is sent (`http://hl7.org/fhir/subscription-notification-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To see whether the receiver is there.
    Handshake,
    /// All is well, and nothing has happened.
    Heartbeat,
    /// Something has happened.
    Event,
    /// Somebody asked for the status.
    QueryStatus,
    /// Somebody asked for events.
    QueryEvent,
}

impl Kind {
    const fn code(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Heartbeat => "heartbeat",
            Self::Event => "event-notification",
            Self::QueryStatus => "query-status",
            Self::QueryEvent => "query-event",
        }
    }
}

/// An event with its number.
pub type Numbered = (u64, Event);

/// The events of a subscription from this number on, so many at most.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn events_from(
    hub: &Hub,
    view: &View<'_>,
    key: &str,
    first: u64,
    most: usize,
) -> Result<Vec<Numbered>, StoreError> {
    gather(hub, view, key, first, |count, _| count < most)
        .map(|events| events.into_iter().take(most).collect())
}

/// The events of one notification: those of whole batches, as far as they have room, so that the next one begins with a
/// batch, which need not be searched for.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn next_events(
    hub: &Hub,
    view: &View<'_>,
    key: &str,
    first: u64,
    most: usize,
) -> Result<Vec<Numbered>, StoreError> {
    gather(hub, view, key, first, |count, batch| count == 0 || count + batch <= most)
        .map(|events| events.into_iter().take(most).collect())
}

/// Events batch by batch, as long as `has_room` for so many more beside those there are.
fn gather(
    hub: &Hub,
    view: &View<'_>,
    key: &str,
    first: u64,
    has_room: impl Fn(usize, usize) -> bool,
) -> Result<Vec<Numbered>, StoreError> {
    let mut events: Vec<Numbered> = Vec::new();
    // Mostly there is nothing new: to learn that from the records would be a search each time.
    if known_number(hub, key).is_some_and(|last| last < first) {
        return Ok(events);
    }
    let mut next = match keep::batch_at(view, key, first)? {
        Some(batch) => Some(batch),
        None => keep::batch_around(view, key, first)?,
    };
    while let Some(batch) = next.filter(|batch| has_room(events.len(), batch.events.len())) {
        let after = batch.last + 1;
        events.extend((batch.first..).zip(batch.events).filter(|(number, _)| *number >= first));
        next = keep::batch_at(view, key, after)?;
    }
    Ok(events)
}

/// The number of the newest event; 0 when there is none.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn newest_number(hub: &Hub, view: &View<'_>, key: &str) -> Result<u64, StoreError> {
    if let Some(last) = known_number(hub, key) {
        return Ok(last);
    }
    Ok(keep::newest_batch(view, Some(key))?.map_or(0, |batch| batch.last))
}

fn known_number(hub: &Hub, key: &str) -> Option<u64> {
    hub.subscriptions().and_then(|subscriptions| subscriptions.last(key))
}

/// What a notification is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Id of the Subscription.
    pub id: &'a str,
    /// The subscription.
    pub subscriber: &'a Subscriber,
    /// Why it is sent.
    pub kind: Kind,
    /// How much it says.
    pub content: Content,
    /// Events there have been, up to the last one told of.
    pub count: u64,
}

/// A notification, and how many of the events are in it: all, or as many as have room. What is said of each is what
/// `access` may see at this moment. An event whose record has been hidden since it was made is told without the record.
///
/// # Errors
/// [`StoreError`] when a record cannot be read.
pub fn notification(
    hub: &Hub,
    access: &Access,
    about: About<'_>,
    events: &[Numbered],
) -> Result<(Vec<u8>, usize), StoreError> {
    let view = hub.door().resource_view(access)?;
    let mut entries = String::new();
    let mut told = Vec::new();
    for (number, event) in events {
        let mut one = json!([
            { "name": "eventNumber", "valueString": number.to_string() },
            { "name": "timestamp", "valueInstant": format_instant(event.instant) },
        ]);
        if about.content != Content::Empty
            && let Some(record) = version(&view, event)?
        {
            let url = format!("{}/{}/{}", hub.base_url(), event.kind, event.id);
            let before = entries.len();
            entries.push(',');
            let full =
                (about.content == Content::FullResource && !record.is_deleted()).then(|| record.json());
            write_entry(&mut entries, &url, event, full.as_deref());
            if entries.len() > BYTES && !told.is_empty() {
                entries.truncate(before);
                break;
            }
            if let Some(parts) = one.as_array_mut() {
                parts.push(json!({ "name": "focus", "valueReference": { "reference": url } }));
            }
        }
        told.push(json!({ "name": "notificationEvent", "part": one }));
    }
    let count = told.len();
    let last = events.get(count.wrapping_sub(1)).map_or(about.count, |(number, _)| *number);
    let reached = if about.kind == Kind::Event { last } else { about.count };
    let status = status(hub, About { count: reached, ..about }, told);
    let url = format!("{}/Subscription/{}/$status", hub.base_url(), about.id);
    let mut out = format!(
        "{{\"resourceType\":\"Bundle\",\"id\":\"{}\",\"meta\":{{\"profile\":[\"{NOTIFICATION}\"]}},\
         \"type\":\"history\",\"timestamp\":\"{}\",\"entry\":[",
        Uuid::now_v7(),
        format_instant(hub.now()),
    );
    let first = json!({
        "fullUrl": format!("urn:uuid:{}", status["id"].as_str().unwrap_or_default()),
        "resource": status,
        "request": { "method": "GET", "url": url },
        "response": { "status": "200" },
    });
    write!(out, "{first}{entries}]}}").expect("writing to a string cannot fail");
    Ok((out.into_bytes(), count))
}

/// That a subscription is off, and why: its last heartbeat, for the guide has no type of its own for that. Nothing for
/// whoever may not see anything any more. On whose authority it leaves stands beside it.
///
/// # Errors
/// [`StoreError`] when something cannot be read.
pub(super) fn farewell(
    hub: &Hub,
    id: &str,
    subscriber: &Subscriber,
) -> Result<Option<(Access, Vec<u8>)>, StoreError> {
    let Some(access) = access_of(hub, &subscriber.owner)? else { return Ok(None) };
    let count = keep::delivered(&hub.door().view(&keep::access())?, &subscriber.key)?;
    let about = About { id, subscriber, kind: Kind::Heartbeat, content: Content::Empty, count };
    let (body, _) = notification(hub, &access, about, &[])?;
    Ok(Some((access, body)))
}

/// The version that an event is about. One that is damaged is told of as one that is hidden: others must not wait for it.
fn version(view: &View<'_>, event: &Event) -> Result<Option<Record>, StoreError> {
    match view.read_version(&event.kind, &event.id, event.version) {
        Err(StoreError::Damaged(_)) => {
            tracing::error!(record.kind = event.kind, "a record to tell of is damaged");
            Ok(None)
        }
        result => result,
    }
}

fn write_entry(out: &mut String, url: &str, event: &Event, resource: Option<&[u8]>) {
    let resource = resource.and_then(|json| std::str::from_utf8(json).ok());
    let (method, status) = match event.op() {
        Op::Create => ("POST", "201"),
        Op::Update => ("PUT", "200"),
        Op::Delete => ("DELETE", "204"),
    };
    let to = if method == "POST" { event.kind.clone() } else { format!("{}/{}", event.kind, event.id) };
    let (full_url, to) = (json!(url), json!(to));
    write!(out, "{{\"fullUrl\":{full_url},").expect("writing to a string cannot fail");
    if let Some(resource) = resource {
        write!(out, "\"resource\":{resource},").expect("writing to a string cannot fail");
    }
    write!(
        out,
        "\"request\":{{\"method\":\"{method}\",\"url\":{to}}},\"response\":{{\"status\":\"{status}\"}}}}"
    )
    .expect("writing to a string cannot fail");
}

/// The Parameters that say how a subscription stands.
pub fn status(hub: &Hub, about: About<'_>, events: Vec<Json>) -> Json {
    let About { id, subscriber, kind, count, .. } = about;
    let reference = format!("{}/Subscription/{id}", hub.base_url());
    let mut parameters = vec![
        json!({ "name": "subscription", "valueReference": { "reference": reference } }),
        json!({ "name": "topic", "valueCanonical": subscriber.topic }),
        json!({ "name": "status", "valueCode": subscriber.state.name() }),
        json!({ "name": "type", "valueCode": kind.code() }),
        json!({ "name": "eventsSinceSubscriptionStart", "valueString": count.to_string() }),
    ];
    parameters.extend(events);
    if let Some(reason) = subscriber.reason.filter(|_| matches!(subscriber.state, State::Error | State::Off))
    {
        let coding = json!({
            "system": ieum_fhir::outcome::CODE_SYSTEM,
            "code": reason.code().id(),
            "display": reason.code().title(),
        });
        parameters.push(json!({ "name": "error", "valueCodeableConcept": { "coding": [coding] } }));
    }
    json!({
        "resourceType": "Parameters",
        "id": Uuid::now_v7().to_string(),
        "meta": { "profile": [STATUS] },
        "parameter": parameters,
    })
}

/// Writes down that a notification leaves, on the account of whoever subscribed.
///
/// # Errors
/// [`StoreError`] when it could not be made durable; then it must not leave.
pub(super) fn release(hub: &Hub, access: &Access, id: &str) -> Result<(), StoreError> {
    hub.door().released(access, "notification", &format!("Subscription/{id}"))
}

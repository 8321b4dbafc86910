//! What a client asks for: from a Subscription of the backport profile to a [`Subscriber`].
//!
//! The status is the hub's: whatever is sent, other than `off`, means that the subscription is wanted. Values of headers
//! are secrets: they are kept beside the resource, which says only that there are some. Whoever sends that back keeps
//! them.

use std::sync::PoisonError;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use ieum_fhir::date;
use ieum_fhir::json::{Document, Value};
use ieum_fhir::outcome::{Code, Issue};
use ieum_store::commit::{Change, CommitError, Committed, Expect, Guard};
use ieum_store::prepare::Prepared;
use serde_json::Value as Json;
use uuid::Uuid;

use super::judge::{FILTERS, Unusable, Wanted};
use super::keep::{self, Kept};
use super::record::{Channel, Content, Reason, SUBSCRIBER, State, Subscriber};
use super::topics::{Topic, topic};
use super::{Subscriptions, extensions};
use crate::call::{Call, Failure};
use crate::fhir::error;
use crate::jobs::record::Asker;

/// What stands in place of a header's value.
const HIDDEN: &str = "(hidden)";
/// Headers of a channel, and bytes of one.
const HEADERS: usize = 20;
const HEADER_BYTES: usize = 4 << 10;
/// Bytes of an endpoint's address.
const ENDPOINT_BYTES: usize = 2 << 10;
/// Headers that say how a request is sent: those are ours.
const OWN_HEADERS: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A Subscription ready for the commit, and what is written beside it.
pub(crate) struct Admitted {
    pub(crate) record: Prepared,
    pub(crate) beside: Beside,
}

/// What of ours is written together with a Subscription.
#[derive(Clone)]
pub(crate) struct Beside {
    change: Change,
    /// Whose it is, when it takes one of the places that there are.
    takes_place: Option<Asker>,
    /// The key of the life that ends.
    ends: Option<String>,
}

impl Beside {
    /// Commits it together with the Subscription.
    ///
    /// # Errors
    /// 429 when there is no place left; what the commit fails with.
    pub(crate) fn commit(
        self,
        call: &Call<'_>,
        guards: Vec<Guard>,
        change: Change,
    ) -> Result<Result<Committed, CommitError>, Failure> {
        // From the counting to the commit: of many who find one place left, one gets it.
        let _turn = match &self.takes_place {
            Some(owner) => {
                let subscriptions = call.hub.subscriptions().ok_or_else(not_here)?;
                let turn = subscriptions.0.placing.lock().unwrap_or_else(PoisonError::into_inner);
                subscriptions.check_room(call.hub, owner)?;
                Some(turn)
            }
            None => None,
        };
        let changes = vec![change, self.change];
        let committed = call.hub.door().commit_with_own(call.access, call.route.action, guards, changes);
        if let (Ok(_), Some(key)) = (&committed, &self.ends)
            && let Err(error) = keep::forget_delivered(call.hub, key)
        {
            tracing::warn!(error = %error, "how far a subscription was told is forgotten with its events");
        }
        Ok(committed)
    }
}

/// Reads a Subscription that a client writes under this id.
///
/// # Errors
/// 422 when something in it is not as it must be, 403 when it is another account's.
pub(crate) fn admit(call: &Call<'_>, id: &str, resource: Value<'_>) -> Result<Admitted, Failure> {
    let subscriptions = call.hub.subscriptions().ok_or_else(not_here)?;
    let known = keep::read(call.hub, id)?;
    check_owner(call, known.as_ref())?;
    let mut json: Json = serde_json::from_str(resource.raw()).map_err(|_| error::internal())?;
    let before = known.as_ref().map(|kept| &kept.subscriber);
    let subscriber = match (subscriber(call, subscriptions, &json, before), before) {
        // Turning it off is not refused for what was allowed once: that is asked when it is wanted again.
        (Err(_), Some(before)) if json["status"] == "off" => turned_off(call, before),
        (result, _) => result?,
    };
    let is_new = before.is_none_or(|before| before.state == State::Off) && subscriber.state != State::Off;
    let takes_place = is_new.then(|| subscriber.owner.clone());
    hide_headers(&mut json);
    keep::show_state(&mut json, &subscriber);
    let text = json.to_string();
    let document = Document::parse(text.as_bytes(), &crate::fhir::document_limits(call))?;
    let catalogue = call.hub.door().catalogue();
    let kind = catalogue.kind("Subscription").ok_or_else(error::unknown_type)?;
    let record = catalogue.prepare(kind, id, document.root(), &mut |_| None);
    let own = keep::prepared(call.hub.door(), &SUBSCRIBER, id, &subscriber);
    let expect = known.map_or(Expect::Absent, |kept| Expect::Version(kept.version));
    let change = Change::Put { record: Box::new(own), expect };
    Ok(Admitted { record, beside: Beside { change, takes_place, ends: None } })
}

/// What is deleted together with a Subscription.
///
/// # Errors
/// 403 when it is another account's.
pub(crate) fn dismiss(call: &Call<'_>, id: &str) -> Result<Option<Beside>, Failure> {
    let known = keep::read(call.hub, id)?;
    check_owner(call, known.as_ref())?;
    Ok(known.map(|Kept { id, version, subscriber }| {
        let (kind, expect) = (SUBSCRIBER.name.into(), Expect::Version(version));
        let change = Change::Delete { kind, id, expect };
        Beside { change, takes_place: None, ends: Some(subscriber.key) }
    }))
}

fn turned_off(call: &Call<'_>, before: &Subscriber) -> Subscriber {
    let (state, reason) = (State::Off, Some(Reason::Maker));
    Subscriber { state, reason, changed: call.hub.now(), since: None, ..before.clone() }
}

/// Nobody makes a subscription of somebody else go elsewhere: it would tell what its maker may see.
fn check_owner(call: &Call<'_>, known: Option<&Kept>) -> Result<(), Failure> {
    if known.is_none_or(|kept| kept.subscriber.owner.is(call.access)) {
        return Ok(());
    }
    call.hub.door().refused(call.access, call.route.action, "Subscription")?;
    let what = "only the account that made it, in the role it had, may change it; make another";
    Err(error::failure(StatusCode::FORBIDDEN, Code::NotifyOwner, what))
}

pub(super) fn not_here() -> Failure {
    error::failure(StatusCode::NOT_IMPLEMENTED, Code::NotifyNotHere, "ask the hub that serves people")
}

fn wrong(place: &str, what: impl Into<String>) -> Failure {
    refused(Code::NotifyForm, place, what)
}

fn refused(code: Code, place: &str, what: impl Into<String>) -> Failure {
    let place = format!("Subscription.{place}");
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, Issue::error(code, place, what))
}

fn subscriber(
    call: &Call<'_>,
    subscriptions: &Subscriptions,
    json: &Json,
    known: Option<&Subscriber>,
) -> Result<Subscriber, Failure> {
    let topic = json["criteria"].as_str().and_then(topic).ok_or_else(|| {
        refused(
            Code::NotifyTopic,
            "criteria",
            "give the canonical URL of a topic that the CapabilityStatement lists",
        )
    })?;
    let filters = extensions::texts(&json["_criteria"], extensions::FILTER);
    check_filters(call, topic, &filters)?;
    let channel = &json["channel"];
    let options = subscriptions.options();
    let mut next = Subscriber {
        key: known.map_or_else(|| Uuid::now_v7().to_string(), |known| known.key.clone()),
        owner: Asker::from(call.access),
        state: State::Requested,
        reason: None,
        changed: call.hub.now(),
        since: known.and_then(|known| known.since),
        topic: topic.url.to_owned(),
        filters,
        channel: read_channel(subscriptions, channel, known)?,
        content: content(channel)?,
        heartbeat: number(channel, extensions::HEARTBEAT, (options.heartbeat_least, 86_400))?,
        timeout: number(channel, extensions::TIMEOUT, (1, 60))?.unwrap_or(options.timeout),
        max_count: number(channel, extensions::MAX_COUNT, (1, 1_000))?.unwrap_or(options.max_count),
        end: end(call, json)?,
    };
    let wants_off = json["status"] == "off";
    if wants_off {
        (next.state, next.reason, next.since) = (State::Off, Some(Reason::Maker), None);
        return Ok(next);
    }
    let was = known.map_or(State::Off, |known| known.state);
    // From the answer on nothing is missed, however long it takes until the receiver has shown that it is there.
    next.since = match next.since.filter(|_| was != State::Off) {
        Some(since) => Some(since),
        None => Some(call.hub.door().view(call.access)?.t()),
    };
    let is_unchanged = known.is_some_and(|known| {
        let (state, reason, changed) = (known.state, known.reason, known.changed);
        Subscriber { state, reason, changed, ..next.clone() } == *known
    });
    // A client that sends back what it has read does not begin anew; one that asks for it does.
    if is_unchanged && was == State::Active && json["status"] == "active" {
        (next.state, next.changed) = (State::Active, known.map_or(next.changed, |known| known.changed));
    } else if next.channel == Channel::Websocket {
        // Whether anybody is there shows when they connect.
        next.state = State::Active;
    }
    Ok(next)
}

fn check_filters(call: &Call<'_>, topic: &'static Topic, filters: &[String]) -> Result<(), Failure> {
    let place = |index: usize| format!("criteria.extension[{index}]");
    if filters.len() > FILTERS {
        return Err(wrong(&place(FILTERS), format!("at most {FILTERS} filters")));
    }
    let Err((index, unusable)) = Wanted::new(call.hub, call.access, topic, filters) else { return Ok(()) };
    let place = place(index);
    Err(match &unusable {
        Unusable::Form => {
            wrong(&place, "write a filter as Type?parameter=value, percent-encoded like a search")
        }
        Unusable::Kind => {
            let what = "the topic is not about this type; see its description in the hub's documentation";
            refused(Code::NotifyFilter, &place, what)
        }
        Unusable::Alone => {
            let what =
                "use parameters of the record itself: no chains, _has, hierarchies, words of texts or _sort";
            refused(Code::NotifyFilter, &place, what)
        }
        Unusable::Search(errors) if unusable.is_for_now() => errors.clone().into(),
        Unusable::Search(errors) => {
            let issues = errors.iter().map(Issue::from);
            let issues = issues.map(|issue| Issue { place: format!("Subscription.{place}"), ..issue });
            Failure::of(StatusCode::UNPROCESSABLE_ENTITY, issues.collect())
        }
    })
}

fn read_channel(
    subscriptions: &Subscriptions,
    channel: &Json,
    known: Option<&Subscriber>,
) -> Result<Channel, Failure> {
    if let Some(payload) = channel["payload"].as_str()
        && !["application/fhir+json", "application/json", "json"].contains(&payload)
    {
        return Err(wrong("channel.payload", "notifications are written as application/fhir+json"));
    }
    match channel["type"].as_str() {
        Some("rest-hook") => {
            let endpoint = channel["endpoint"].as_str().unwrap_or_default();
            if endpoint.is_empty() || endpoint.len() > ENDPOINT_BYTES {
                return Err(wrong("channel.endpoint", "give the address that notifications are sent to"));
            }
            subscriptions
                .options()
                .rules
                .check(endpoint)
                .map_err(|what| refused(Code::NotifyEndpoint, "channel.endpoint", what))?;
            let headers = headers(channel, endpoint, known)?;
            Ok(Channel::RestHook { endpoint: endpoint.to_owned(), headers })
        }
        Some("websocket") => Ok(Channel::Websocket),
        _ => Err(wrong("channel.type", "this hub knows rest-hook and websocket")),
    }
}

fn headers(channel: &Json, endpoint: &str, known: Option<&Subscriber>) -> Result<Vec<String>, Failure> {
    let given = channel["header"].as_array().map(Vec::as_slice).unwrap_or_default();
    if given.len() > HEADERS {
        return Err(wrong(&format!("channel.header[{HEADERS}]"), format!("at most {HEADERS} headers")));
    }
    // What is kept goes where it went before, and nowhere else.
    let kept: &[String] = match known.map(|known| &known.channel) {
        Some(Channel::RestHook { endpoint: before, headers }) if before == endpoint => headers,
        _ => &[],
    };
    let read = |(index, header): (usize, &Json)| {
        let place = format!("channel.header[{index}]");
        let text = header.as_str().unwrap_or_default();
        let (name, value) = split(text).ok_or_else(|| wrong(&place, "write a header as Name: value"))?;
        if OWN_HEADERS.contains(&name.as_str()) {
            return Err(wrong(&place, "this header is the hub's own"));
        }
        if value == HIDDEN { hidden(&name, index, given, kept, &place) } else { Ok(text.to_owned()) }
    };
    given.iter().enumerate().map(read).collect()
}

/// The header that is meant by one whose value is hidden. Several of one name stand for those kept of it, in their order,
/// as long as there are as many.
fn hidden(
    name: &HeaderName,
    index: usize,
    given: &[Json],
    kept: &[String],
    place: &str,
) -> Result<String, Failure> {
    let is_of_name = |header: &str| split(header).is_some_and(|(other, _)| other == *name);
    let kept: Vec<&String> = kept.iter().filter(|header| is_of_name(header)).collect();
    let positions = given.iter().enumerate().filter(|(_, header)| header.as_str().is_some_and(is_of_name));
    let positions: Vec<usize> = positions.map(|(position, _)| position).collect();
    let meant = positions.iter().position(|position| *position == index).and_then(|at| kept.get(at));
    match meant {
        _ if kept.is_empty() => Err(wrong(place, "give the value: none is kept for this address")),
        Some(meant) if positions.len() == kept.len() => Ok((*meant).clone()),
        _ => {
            let what = "give the values of all headers of this name: which one is meant cannot be told";
            Err(wrong(place, what))
        }
    }
}

/// A header's name and value.
pub(super) fn split(header: &str) -> Option<(HeaderName, &str)> {
    if header.len() > HEADER_BYTES {
        return None;
    }
    let (name, value) = header.split_once(':')?;
    let value = value.trim();
    let name: HeaderName = name.trim().parse().ok()?;
    HeaderValue::from_str(value).ok()?;
    Some((name, value))
}

fn hide_headers(json: &mut Json) {
    let headers = json.get_mut("channel").and_then(|channel| channel.get_mut("header"));
    for header in headers.and_then(Json::as_array_mut).into_iter().flatten() {
        let name = header.as_str().and_then(|text| text.split_once(':')).map(|(name, _)| name.trim());
        *header = format!("{}: {HIDDEN}", name.unwrap_or_default()).into();
    }
}

fn content(channel: &Json) -> Result<Content, Failure> {
    let code = extensions::code(&channel["_payload"], extensions::CONTENT);
    code.and_then(Content::from_name).ok_or_else(|| {
        let what = "say with the extension backport-payload-content: empty, id-only or full-resource";
        wrong("channel.payload", what)
    })
}

fn number(channel: &Json, url: &str, (least, most): (u32, u32)) -> Result<Option<u32>, Failure> {
    let Some(given) = extensions::number(channel, url) else { return Ok(None) };
    let number = given.and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (least..=most).contains(number)).map(Some).ok_or_else(|| {
        let name = url.rsplit('/').next().unwrap_or_default();
        wrong("channel.extension", format!("{name}: a number from {least} to {most}"))
    })
}

fn end(call: &Call<'_>, json: &Json) -> Result<Option<i64>, Failure> {
    let Some(text) = json["end"].as_str() else { return Ok(None) };
    let end = date::parse(text).map_err(|_| wrong("end", "an instant"))?.lo;
    if end <= call.hub.now() && json["status"] != "off" {
        return Err(wrong("end", "give a time to come, or leave it out"));
    }
    Ok(Some(end))
}

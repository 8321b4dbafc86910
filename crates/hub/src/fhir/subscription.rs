//! Operations on subscriptions (Subscriptions R5 Backport 1.1): `$status`, `$events`, `$get-ws-binding-token`.

use axum::http::{Method, StatusCode};
use ieum_fhir::date::format_instant;
use ieum_fhir::outcome::Code;
use ieum_fhir::reference::is_id;
use serde_json::json;
use uuid::Uuid;

use super::bulk::parameters;
use super::{error, row};
use crate::call::{Answer, Call, Failure};
use crate::routes::Offer::Operation;
use crate::routes::Takes::{Nothing, Parameters};
use crate::routes::Who::{Accounts, Anybody};
use crate::routes::{Gives, Offer, Route};
use crate::subscriptions::keep::{self, Kept};
use crate::subscriptions::notify::{self, About, Kind};
use crate::subscriptions::record::{Channel, Content, State};
use crate::subscriptions::socket::BOUND;
use crate::subscriptions::token::{Binding, GOOD};

const STATUS: Offer = Operation(
    "status",
    "Subscription",
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status",
);
const EVENTS: Offer = Operation(
    "events",
    "Subscription",
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events",
);

const BINDING_TOKEN: Offer = Operation(
    "get-ws-binding-token",
    "Subscription",
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-get-ws-binding-token",
);

/// The routes of subscriptions.
pub static ROUTES: &[Route] = &[
    row(
        Method::GET,
        "/fhir/Subscription/$status",
        Accounts,
        "subscription-status",
        Nothing,
        &[STATUS],
        status,
    ),
    row(Method::POST, "/fhir/Subscription/$status", Accounts, "subscription-status", Parameters, &[], status),
    row(
        Method::GET,
        "/fhir/Subscription/{id}/$status",
        Accounts,
        "subscription-status",
        Nothing,
        &[],
        status,
    ),
    row(
        Method::POST,
        "/fhir/Subscription/{id}/$status",
        Accounts,
        "subscription-status",
        Parameters,
        &[],
        status,
    ),
    row(
        Method::GET,
        "/fhir/Subscription/{id}/$events",
        Accounts,
        "subscription-events",
        Nothing,
        &[EVENTS],
        events,
    ),
    row(
        Method::POST,
        "/fhir/Subscription/{id}/$events",
        Accounts,
        "subscription-events",
        Parameters,
        &[],
        events,
    ),
    row(
        Method::GET,
        "/fhir/Subscription/$get-ws-binding-token",
        Accounts,
        "subscription-token",
        Nothing,
        &[BINDING_TOKEN],
        binding_token,
    ),
    row(
        Method::POST,
        "/fhir/Subscription/$get-ws-binding-token",
        Accounts,
        "subscription-token",
        Parameters,
        &[],
        binding_token,
    ),
    row(
        Method::GET,
        "/fhir/Subscription/{id}/$get-ws-binding-token",
        Accounts,
        "subscription-token",
        Nothing,
        &[],
        binding_token,
    ),
    row(
        Method::POST,
        "/fhir/Subscription/{id}/$get-ws-binding-token",
        Accounts,
        "subscription-token",
        Parameters,
        &[],
        binding_token,
    ),
    // Whoever connects shows a token of the operation above: browsers cannot send more.
    Route {
        method: Method::GET,
        pattern: "/fhir/$ws",
        who: Anybody,
        action: "websocket",
        takes: Nothing,
        gives: Gives::Socket,
        offers: &[],
        run: websocket,
    },
];

/// Events of one answer, at most.
const MOST_EVENTS: u64 = 1_000;
/// Subscriptions of one answer, at most.
const MOST_STATUSES: usize = 1_000;

/// `[base]/Subscription/id/$status` and `[base]/Subscription/$status`: how they stand, for whoever may read them.
pub(super) fn status(call: &Call<'_>) -> Result<Answer, Failure> {
    let given = Given::read(call, &["id", "status"])?;
    // One view after the other: who holds one while waiting for the next may wait for itself.
    let mut subscriptions = given.subscriptions(call)?;
    let view = call.hub.door().resource_view(call.access)?;
    let mut is_seen = Vec::with_capacity(subscriptions.len());
    for kept in &subscriptions {
        let record = view.read("Subscription", &kept.id)?;
        is_seen.push(record.is_some_and(|record| !record.is_deleted()) && given.wants(kept.subscriber.state));
    }
    drop(view);
    let mut is_seen = is_seen.into_iter();
    subscriptions.retain(|_| is_seen.next().unwrap_or_default());
    let view = call.hub.door().view(&keep::access())?;
    let mut entries = Vec::new();
    for kept in subscriptions {
        // How often something happened tells of records that others may not see.
        let count = if kept.subscriber.owner.is(call.access) {
            notify::newest_number(call.hub, &view, &kept.subscriber.key)?
        } else {
            0
        };
        let about = About {
            id: &kept.id,
            subscriber: &kept.subscriber,
            kind: Kind::QueryStatus,
            content: Content::Empty,
            count,
        };
        let status = notify::status(call.hub, about, Vec::new());
        let url = format!("urn:uuid:{}", status["id"].as_str().unwrap_or_default());
        entries.push(json!({ "fullUrl": url, "resource": status, "search": { "mode": "match" } }));
    }
    if entries.is_empty() && !call.place.id.is_empty() && given.states.is_empty() {
        return Err(error::not_found());
    }
    let mut bundle = json!({
        "resourceType": "Bundle",
        "id": Uuid::now_v7().to_string(),
        "type": "searchset",
        "total": entries.len(),
    });
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    Ok(Answer::resource(bundle.to_string().into_bytes()))
}

/// `[base]/Subscription/id/$events`: events once more, for whoever subscribed.
pub(super) fn events(call: &Call<'_>) -> Result<Answer, Failure> {
    let given = Given::read(call, &["eventsSinceNumber", "eventsUntilNumber", "content"])?;
    let kept = own(call, &call.place.id)?;
    let subscriber = &kept.subscriber;
    let content = match given.text("content") {
        None => subscriber.content,
        Some(name) => Content::from_name(name)
            .ok_or_else(|| wrong("content", "must be empty, id-only or full-resource"))?,
    };
    let (first, until) =
        (given.number("eventsSinceNumber")?.unwrap_or(1).max(1), given.number("eventsUntilNumber")?);
    let wanted =
        until.map_or(MOST_EVENTS, |until| (until.saturating_add(1)).saturating_sub(first).min(MOST_EVENTS));
    let view = call.hub.door().view(&keep::access())?;
    let count = notify::newest_number(call.hub, &view, &subscriber.key)?;
    let most = usize::try_from(wanted).unwrap_or(usize::MAX);
    let events = if most == 0 {
        Vec::new()
    } else {
        notify::events_from(call.hub, &view, &subscriber.key, first, most)?
    };
    drop(view);
    let about = About { id: &kept.id, subscriber, kind: Kind::QueryEvent, content, count };
    let (bundle, _) = notify::notification(call.hub, call.access, about, &events)?;
    call.hub.door().released(call.access, call.route.action, &format!("Subscription/{}", kept.id))?;
    Ok(Answer::resource(bundle))
}

/// `[base]/Subscription/id/$get-ws-binding-token`: a token that binds subscriptions of the caller to a WebSocket.
pub(super) fn binding_token(call: &Call<'_>) -> Result<Answer, Failure> {
    let given = Given::read(call, &["id"])?;
    let subscriptions = call.hub.subscriptions().ok_or_else(error::not_found)?;
    let mut bound = Vec::new();
    for id in given.ids(call).into_iter().take(BOUND + 1) {
        let kept = own(call, id)?;
        if kept.subscriber.channel != Channel::Websocket || kept.subscriber.state != State::Active {
            let what = "the subscription must be active, and its channel a websocket";
            return Err(error::failure(StatusCode::UNPROCESSABLE_ENTITY, Code::NotifyForm, what));
        }
        bound.push(Binding { id: kept.id, key: kept.subscriber.key });
    }
    if bound.is_empty() || bound.len() > BOUND {
        return Err(wrong("id", "say which subscriptions to bind, 50 at most"));
    }
    let ids: Vec<String> = bound.iter().map(|bound| bound.id.clone()).collect();
    let token = subscriptions.binding_token(&call.access.actor, bound).ok_or_else(error::busy)?;
    call.hub.door().released(call.access, call.route.action, "Subscription")?;
    let good = i64::try_from(GOOD.as_micros()).unwrap_or(i64::MAX);
    // `http` becomes `ws`, `https` becomes `wss`.
    let url = format!("ws{}/$ws", call.hub.base_url().strip_prefix("http").unwrap_or_default());
    let mut parameters = vec![
        json!({ "name": "token", "valueString": token }),
        json!({ "name": "expiration", "valueDateTime": format_instant(call.hub.now().saturating_add(good)) }),
    ];
    parameters.extend(ids.iter().map(|id| json!({ "name": "subscription", "valueString": id })));
    parameters.push(json!({ "name": "websocket-url", "valueUrl": url }));
    let answer = json!({ "resourceType": "Parameters", "parameter": parameters });
    Ok(Answer::resource(answer.to_string().into_bytes()))
}

/// `[base]/$ws`: becomes a WebSocket; what is said there is served by [`crate::subscriptions::socket`].
pub(super) fn websocket(_: &Call<'_>) -> Result<Answer, Failure> {
    Ok(Answer::empty(StatusCode::SWITCHING_PROTOCOLS))
}

/// The subscription of this id, which the caller must have made.
///
/// # Errors
/// 404 when the caller sees none; 403 when somebody else made it.
pub(super) fn own(call: &Call<'_>, id: &str) -> Result<Kept, Failure> {
    let view = call.hub.door().resource_view(call.access)?;
    let record = view.read("Subscription", id)?.filter(|record| !record.is_deleted());
    record.ok_or_else(error::not_found)?;
    drop(view);
    let kept = keep::read(call.hub, id)?.ok_or_else(error::not_found)?;
    if kept.subscriber.owner.is(call.access) {
        return Ok(kept);
    }
    call.hub.door().refused(call.access, call.route.action, "Subscription")?;
    let what = "only the account that made it, in the role it had, is told its events";
    Err(error::failure(StatusCode::FORBIDDEN, Code::NotifyOwner, what))
}

fn wrong(name: &str, what: &str) -> Failure {
    error::bad(Code::AsyncParameter, format!("parameter {name}: {what}"))
}

/// Parameters of an operation.
struct Given {
    pairs: Vec<(String, String)>,
    states: Vec<String>,
}

impl Given {
    fn read(call: &Call<'_>, known: &[&str]) -> Result<Self, Failure> {
        let pairs = super::subset::without_format(&parameters::all(call)?);
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(wrong(
                parameters::legible(name),
                &format!("unknown; there are {}", known.join(", ")),
            ));
        }
        let states = pairs.iter().filter(|(name, _)| name == "status").map(|(_, value)| value.clone());
        Ok(Self { states: states.collect(), pairs })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let read = |text: &str| text.parse().map_err(|_| wrong(name, "must be a whole number"));
        self.text(name).map(read).transpose()
    }

    fn wants(&self, state: State) -> bool {
        self.states.is_empty() || self.states.iter().any(|wanted| wanted == state.name())
    }

    /// The id of the address, and those given.
    fn ids<'c>(&'c self, call: &'c Call<'_>) -> Vec<&'c str> {
        let given = self.pairs.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.as_str());
        let own = Some(call.place.id.as_str()).filter(|id| !id.is_empty());
        given.chain(own).filter(|id| is_id(id)).take(MOST_STATUSES).collect()
    }

    /// The subscription of the address, or those of the ids given, or all.
    fn subscriptions(&self, call: &Call<'_>) -> Result<Vec<Kept>, Failure> {
        let ids = self.ids(call);
        if ids.is_empty() && self.text("id").is_none() {
            return Ok(keep::list(&call.hub.door().view(&keep::access())?, &State::ALL, MOST_STATUSES)?);
        }
        let mut found = Vec::new();
        for id in ids {
            found.extend(keep::read(call.hub, id)?);
        }
        Ok(found)
    }
}

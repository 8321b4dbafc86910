//! Notifications over a WebSocket (RFC 6455) that the client has opened.
//!
//! A client binds subscriptions with a token. Each is then told from its first event that has not been taken: a
//! notification as a text frame, and after it a ping with the number of its last event. When the ping has been answered
//! the events count as taken, and the next ones follow; so no more than one notification of a subscription is under way.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use ieum_fhir::outcome::{Code, Issue, operation_outcome};
use ieum_store::commit::CommitError;
use ieum_trust::access::Access;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use super::notify::{self, About, Kind};
use super::record::{Channel, Content, Reason, State, Subscriber};
use super::token::Binding;
use super::{Subscriptions, keep};
use crate::call::Failure;
use crate::fhir::error;
use crate::hub::Hub;
use crate::jobs::keep::access_of;
use crate::portal::guard::is_not_of_another_origin;

/// What a client says to bind.
const BIND: &str = "bind-with-token ";
/// Bytes of what a client says.
const MESSAGE_BYTES: usize = 4 << 10;
/// How often the state of a connection is looked at.
const TICK: Duration = Duration::from_secs(5);
/// How long a client may take to bind something.
const BIND_TIME: Duration = Duration::from_secs(15);
/// How long a client may be silent, and how long it may leave a notification unanswered. Every [`TICK`] it is asked.
const SILENCE: Duration = Duration::from_secs(30);
/// Subscriptions bound to one connection.
pub(crate) const BOUND: usize = 50;

/// A connection.
struct Connection {
    hub: Hub,
    subscriptions: Subscriptions,
    /// Tells this connection from others.
    number: u64,
    socket: WebSocketStream<TokioIo<Upgraded>>,
    bound: Vec<Bound>,
    opened: Instant,
    heard: Instant,
}

/// A subscription bound to a connection.
struct Bound {
    id: String,
    /// The life of it that is bound.
    key: String,
    flight: Option<Flight>,
    /// When it was told something last.
    told: Instant,
    /// The count of news when it was looked at last, if there was nothing to tell.
    seen: Option<u64>,
}

/// Events whose ping has not been answered.
struct Flight {
    key: String,
    last: u64,
    since: Instant,
}

/// What comes next for a subscription.
enum Next {
    Nothing,
    /// A sign of life, or a handshake.
    Sign(Vec<u8>),
    /// Events, up to this number.
    Events {
        body: Vec<u8>,
        key: String,
        last: u64,
    },
    /// It is told here no more; what there is to say of that.
    Over(Vec<Vec<u8>>),
}

/// The connection is to end.
struct End;

impl<E: std::error::Error> From<E> for End {
    fn from(_: E) -> Self {
        Self
    }
}

/// Whether a request may become a WebSocket.
///
/// # Errors
/// 426 when it does not ask for one, 403 when a page of another site asks, 503 when there are too many.
pub(crate) fn check(hub: &Hub, parts: &Parts) -> Result<(), Failure> {
    let subscriptions = hub.subscriptions().ok_or_else(super::ask::not_here)?;
    let has = |name: HeaderName, wanted: &str| {
        let values = parts.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    let asks = parts.method == Method::GET
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13")
        && parts.headers.contains_key(header::SEC_WEBSOCKET_KEY);
    if !asks {
        let what = "open a WebSocket here (RFC 6455, version 13)";
        return Err(error::failure(StatusCode::UPGRADE_REQUIRED, Code::BadHeader, what));
    }
    if !is_not_of_another_origin(&parts.headers) {
        let what = "a page of another site may not connect";
        return Err(error::failure(StatusCode::FORBIDDEN, Code::ForeignName, what));
    }
    if subscriptions.0.sockets.available_permits() == 0 {
        return Err(error::busy());
    }
    Ok(())
}

/// Makes the answer one that begins a WebSocket, and serves it.
pub(crate) fn open(hub: &Hub, headers: &HeaderMap, upgrade: Option<OnUpgrade>, response: &mut Response) {
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let accept = key.and_then(|key| HeaderValue::from_str(&key).ok());
    let place = hub.subscriptions().and_then(|all| Arc::clone(&all.0.sockets).try_acquire_owned().ok());
    let (Some(upgrade), Some(accept), Some(place), Some(subscriptions)) =
        (upgrade, accept, place, hub.subscriptions().cloned())
    else {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return;
    };
    let set = response.headers_mut();
    set.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    set.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    set.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    let hub = hub.clone();
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            serve(hub, subscriptions, upgraded, place).await;
        }
    });
}

/// Serves a connection until it ends.
async fn serve(hub: Hub, subscriptions: Subscriptions, upgraded: Upgraded, place: OwnedSemaphorePermit) {
    let config =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES)).max_frame_size(Some(MESSAGE_BYTES));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let number = subscriptions.next_connection();
    let now = Instant::now();
    let mut connection =
        Connection { hub, subscriptions, number, socket, bound: Vec::new(), opened: now, heard: now };
    let _ = connection.run().await;
    // Whoever has broken off hears nothing of it.
    let _ = connection.socket.close(None).await;
    connection.subscriptions.unbind_all(number);
    drop(place);
}

impl Connection {
    async fn run(&mut self) -> Result<(), End> {
        let mut news = self.subscriptions.news();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_due = tokio::select! {
                frame = self.socket.next() => self.hear(frame.ok_or(End)??).await?,
                changed = news.changed() => { changed?; true }
                _ = ticks.tick() => { self.tick().await?; true }
            };
            if self.subscriptions.is_stopping() {
                return Err(End);
            }
            if is_due {
                self.tell().await?;
            }
        }
    }

    /// What the client says; whether there may be something to tell.
    async fn hear(&mut self, frame: Message) -> Result<bool, End> {
        self.heard = Instant::now();
        match frame {
            Message::Text(text) => {
                let token = text.as_str().strip_prefix(BIND).ok_or(End)?;
                self.bind(token.trim()).await?;
                Ok(true)
            }
            Message::Pong(payload) => self.taken(std::str::from_utf8(&payload).unwrap_or_default()).await,
            Message::Ping(_) => Ok(false),
            Message::Binary(_) | Message::Close(_) | Message::Frame(_) => Err(End),
        }
    }

    async fn bind(&mut self, token: &str) -> Result<(), End> {
        let given = self.subscriptions.0.tokens.take(token, Instant::now());
        let Some(given) = given else {
            let outcome = refusal(Code::Unauthenticated, "ask for another token with $get-ws-binding-token");
            self.send(outcome).await?;
            return Err(End);
        };
        for Binding { id, key } in given {
            if self.bound.len() >= BOUND || self.bound.iter().any(|bound| bound.id == id) {
                continue;
            }
            self.subscriptions.bind(&id, self.number);
            match self.next(&id, &key, true, Duration::ZERO).await? {
                Next::Sign(body) => {
                    self.send(body).await?;
                    self.bound.push(Bound { id, key, flight: None, told: Instant::now(), seen: None });
                }
                Next::Over(bodies) => self.send_all(bodies).await?,
                Next::Nothing | Next::Events { .. } => {}
            }
        }
        if self.bound.is_empty() { Err(End) } else { Ok(()) }
    }

    /// An answered ping: its events have been taken.
    async fn taken(&mut self, payload: &str) -> Result<bool, End> {
        let Some((key, number)) = payload.split_once(' ') else { return Ok(false) };
        let is_it = |flight: &Flight| flight.key == key && number.parse() == Ok(flight.last);
        let Some(bound) = self.bound.iter_mut().find(|bound| bound.flight.as_ref().is_some_and(is_it)) else {
            return Ok(false);
        };
        let Some(Flight { key, last, .. }) = bound.flight.take() else { return Ok(false) };
        if !self.subscriptions.is_bound(&bound.id, self.number) {
            // Another connection tells it by now, and has perhaps gone on.
            return Ok(true);
        }
        self.subscriptions.counts().sent.fetch_add(1, Ordering::Relaxed);
        let hub = self.hub.clone();
        tokio::task::spawn_blocking(move || keep::set_delivered(&hub, &key, last)).await??;
        Ok(true)
    }

    async fn tick(&mut self) -> Result<(), End> {
        let is_late = |flight: &Flight| flight.since.elapsed() > SILENCE;
        let waits_in_vain = self.bound.iter().any(|bound| bound.flight.as_ref().is_some_and(is_late));
        if waits_in_vain || self.heard.elapsed() > SILENCE {
            self.subscriptions.counts().failed.fetch_add(1, Ordering::Relaxed);
            return Err(End);
        }
        if self.bound.is_empty() && self.opened.elapsed() > BIND_TIME {
            return Err(End);
        }
        // Heartbeats fall due without news.
        self.bound.iter_mut().for_each(|bound| bound.seen = None);
        self.socket.send(Message::Ping(Vec::new().into())).await?;
        Ok(())
    }

    /// Tells each subscription what comes next, if its last notification has been taken.
    async fn tell(&mut self) -> Result<(), End> {
        let mut index = 0;
        while index < self.bound.len() {
            let bound = &self.bound[index];
            let (id, key, told) = (bound.id.clone(), bound.key.clone(), bound.told.elapsed());
            let seen = self.subscriptions.seen(&id);
            if bound.flight.is_some() || bound.seen == Some(seen) {
                index += 1;
                continue;
            }
            self.bound[index].seen = None;
            match self.next(&id, &key, false, told).await? {
                Next::Nothing => self.bound[index].seen = Some(seen),
                Next::Sign(body) => {
                    self.send(body).await?;
                    self.bound[index].told = Instant::now();
                }
                Next::Events { body, key, last } => {
                    self.send(body).await?;
                    let payload = format!("{key} {last}").into_bytes();
                    self.socket.send(Message::Ping(payload.into())).await?;
                    let since = Instant::now();
                    self.bound[index].told = since;
                    self.bound[index].flight = Some(Flight { key, last, since });
                }
                Next::Over(bodies) => {
                    self.send_all(bodies).await?;
                    self.bound.remove(index);
                    if self.bound.is_empty() {
                        return Err(End);
                    }
                    continue;
                }
            }
            index += 1;
        }
        Ok(())
    }

    async fn send(&mut self, body: Vec<u8>) -> Result<(), End> {
        let text = String::from_utf8(body)?;
        Ok(self.socket.send(Message::text(text)).await?)
    }

    async fn send_all(&mut self, bodies: Vec<Vec<u8>>) -> Result<(), End> {
        for body in bodies {
            self.send(body).await?;
        }
        Ok(())
    }

    async fn next(&mut self, id: &str, key: &str, is_new: bool, told: Duration) -> Result<Next, End> {
        let (hub, subscriptions, number) = (self.hub.clone(), self.subscriptions.clone(), self.number);
        let (id, key) = (id.to_owned(), key.to_owned());
        let work = move || next(&hub, &subscriptions, (&id, &key), number, is_new, told);
        Ok(tokio::task::spawn_blocking(work).await??)
    }
}

/// What is to be told, as the records and the account of whoever subscribed say now. What leaves has been written down.
fn next(
    hub: &Hub,
    subscriptions: &Subscriptions,
    (id, key): (&str, &str),
    number: u64,
    is_new: bool,
    told: Duration,
) -> Result<Next, CommitError> {
    if !subscriptions.is_bound(id, number) {
        return Ok(over(Code::NotifyEnded, "another connection has bound this subscription"));
    }
    // Under the same id there may be another by now, of somebody else.
    let Some(kept) = keep::read(hub, id)?.filter(|kept| kept.subscriber.key == key) else {
        return Ok(over(Code::NotFound, "the subscription has been deleted"));
    };
    let subscriber = kept.subscriber;
    if subscriber.state != State::Active || subscriber.channel != Channel::Websocket {
        let code = subscriber.reason.map_or(Code::NotifyEnded, Reason::code);
        let mut bodies = Vec::new();
        // Whoever has turned it off knows.
        if subscriber.state == State::Off
            && subscriber.reason != Some(Reason::Maker)
            && !is_new
            && let Some((access, body)) = notify::farewell(hub, id, &subscriber)?
        {
            notify::release(hub, &access, id)?;
            bodies.push(body);
        }
        bodies.push(refusal(code, "the subscription is not active; $status tells more"));
        return Ok(Next::Over(bodies));
    }
    let Some(access) = access_of(hub, &subscriber.owner)? else {
        keep::end(hub, id, Reason::Access)?;
        return Ok(over(Code::NotifyAccess, "subscribe with an account that may"));
    };
    tell(hub, &access, id, &subscriber, is_new, told)
}

fn tell(
    hub: &Hub,
    access: &Access,
    id: &str,
    subscriber: &Subscriber,
    is_new: bool,
    told: Duration,
) -> Result<Next, CommitError> {
    let view = hub.door().view(&keep::access())?;
    let delivered = keep::delivered(&view, &subscriber.key)?;
    let most = usize::try_from(subscriber.max_count).unwrap_or(usize::MAX);
    let events = if is_new {
        Vec::new()
    } else {
        notify::next_events(hub, &view, &subscriber.key, delivered + 1, most)?
    };
    let count = if is_new { notify::newest_number(hub, &view, &subscriber.key)? } else { delivered };
    drop(view);
    let is_due = subscriber.heartbeat.is_some_and(|seconds| told >= Duration::from_secs(seconds.into()));
    let kind = match (is_new, events.is_empty()) {
        (true, _) => Kind::Handshake,
        (false, false) => Kind::Event,
        (false, true) if is_due => Kind::Heartbeat,
        (false, true) => return Ok(Next::Nothing),
    };
    let content = if kind == Kind::Event { subscriber.content } else { Content::Empty };
    let about = About { id, subscriber, kind, content, count };
    let (body, taken) = notify::notification(hub, access, about, &events)?;
    notify::release(hub, access, id)?;
    Ok(match events.get(taken.wrapping_sub(1)) {
        Some((last, _)) => Next::Events { body, key: subscriber.key.clone(), last: *last },
        None => Next::Sign(body),
    })
}

fn over(code: Code, what: &str) -> Next {
    Next::Over(vec![refusal(code, what)])
}

fn refusal(code: Code, what: &str) -> Vec<u8> {
    operation_outcome(&[Issue::error(code, "", what)])
}

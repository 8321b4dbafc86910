//! One request, from its head to its answer.
//!
//! The order is: find the route, agree on a format, learn who asks, receive the body within its limits, wait for a
//! turn, then do the call on a thread that may block. A refusal at any step has cost only the steps before it.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use ieum_fhir::outcome::Code;
use tokio::time::timeout;
use tracing::Span;
use uuid::Uuid;

use crate::call::{self, Answer, Call, Content, Failure, Place};
use crate::caller::{Caller, Credential};
use crate::fhir::error;
use crate::fhir::format::{self, Format};
use crate::hub::{Entrance, Hub};
use crate::percent::{self, Pairs};
use crate::receive::{self, Received};
use crate::refusals::Refused;
use crate::routes::{self, Gives, Route, Takes, Who};
use crate::status::Pattern;
use crate::subscriptions::socket;
use crate::unread::Taken;
use crate::{fhir, send};

/// Serves one request of the FHIR interface.
pub async fn serve(State(hub): State<Hub>, request: Request) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7();
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let mut asked = Asked { route: None, format: Format::default() };
    let span = tracing::info_span!("request", request.id = %id);
    let result = asked.exchange(&hub, &parts, body, &span).await;
    let (answer, taken, failure) = match result {
        Ok((answer, taken)) => (answer, taken, None),
        Err(failure) => (failure.answer().laid_out(asked.format), Taken::default(), Some(failure)),
    };
    if answer.status == StatusCode::UNAUTHORIZED
        && let Some(Route { action, pattern, .. }) = asked.route
    {
        hub.refusals().note(Refused::Stranger { action, target: pattern });
    }
    let is_socket = answer.status == StatusCode::SWITCHING_PROTOCOLS;
    let mut response = respond(answer, taken, parts.method == Method::HEAD);
    if is_socket {
        socket::open(&hub, &parts.headers, upgrade, &mut response);
    }
    if let Some(failure) = failure {
        add_failure_headers(&failure, &mut response);
    }
    set(&mut response, HeaderName::from_static("x-request-id"), &id.to_string());
    response.extensions_mut().insert(Pattern(asked.route.map_or("(none)", |route| route.pattern)));
    // The pattern, never the path: ids and criteria are patient data.
    tracing::info!(
        request.id = %id,
        http.method = known_method(&parts.method),
        http.route = asked.route.map_or("(none)", |route| route.pattern),
        http.status = response.status().as_u16(),
        duration_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// What has become known of a request.
struct Asked {
    route: Option<&'static Route>,
    format: Format,
}

/// A call that may be done.
struct Prepared {
    route: &'static Route,
    place: Place,
    pairs: Pairs,
    /// Known here only where it costs nothing or guards a body.
    caller: Option<Caller>,
    body: Received,
}

impl Asked {
    async fn exchange(
        &mut self,
        hub: &Hub,
        parts: &Parts,
        mut body: Body,
        span: &Span,
    ) -> Result<(Answer, Taken), Failure> {
        let prepared = match self.prepare(hub, parts, &mut body).await {
            Ok(prepared) => prepared,
            Err(failure) => {
                receive::drain(hub, body).await;
                return Err(failure);
            }
        };
        let turn = timeout(hub.limits().wait_time, Arc::clone(hub.turns()).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(error::busy()) };
        let conditions = format::conditions(&parts.headers)?;
        let prefer = format::prefer(&parts.headers);
        let patch_kind = format::patch_kind(&parts.headers);
        let credential = Credential::of(parts);
        let (own_hub, span, format) = (hub.clone(), span.clone(), self.format);
        // What has been written is told in any case.
        let must_be_told = prepared.route.who == Who::Writers || prepared.route.takes == Takes::Bundle;
        let work = move || {
            let hub = own_hub;
            let _entered = span.entered();
            let Prepared { route, place, pairs, caller, body: received } = prepared;
            let caller = match caller {
                Some(caller) => caller,
                None => credential.caller(&hub)?,
            };
            let body = match (&received.upload, received.bytes.as_slice()) {
                (Some(upload), _) => call::Body::Upload(upload),
                (None, []) => call::Body::None,
                (None, bytes) if route.takes == Takes::Patch => call::Body::Patch(patch_kind, bytes),
                (None, bytes) => call::Body::Bytes(bytes),
            };
            let call = Call {
                kinds: hub.kinds(),
                hub: &hub,
                route,
                access: &caller.access,
                token: caller.token.as_ref(),
                place,
                pairs,
                conditions,
                prefer,
                body,
            };
            let answer = fhir::run(&call);
            drop(received);
            Ok((answer?.laid_out(format), turn))
        };
        let (answer, turn) = blocking(work).await?;
        // The turn is kept until there is room for the answer, so that answers waiting for room are few.
        let taken = hub.unread().take(answer.content.bytes(), hub.limits().wait_time).await;
        drop(turn);
        match taken {
            Some(taken) => Ok((answer, taken)),
            None if must_be_told => Ok((answer, Taken::default())),
            None => Err(error::busy()),
        }
    }

    /// Everything before the call's turn.
    async fn prepare(&mut self, hub: &Hub, parts: &Parts, body: &mut Body) -> Result<Prepared, Failure> {
        check_head(hub, parts)?;
        let (route, place) = find(&parts.method, parts.uri.path())?;
        self.route = Some(route);
        let mut pairs = decoded(parts.uri.query().unwrap_or_default())?;
        if route.gives == Gives::Socket {
            socket::check(hub, parts)?;
        }
        if route.gives == Gives::Json {
            self.format = format::asked(&pairs, &parts.headers)?;
        }

        let has_body = route.takes != Takes::Nothing && !http_body::Body::is_end_stream(body);
        let caller = match (route.who, hub.entrance()) {
            (Who::Anybody, _) | (_, Entrance::Open) => Some(Caller::open()),
            // Nobody may send us a body before we know who it is.
            _ if has_body => {
                let (hub, credential) = (hub.clone(), Credential::of(parts));
                Some(blocking(move || credential.caller(&hub)).await?)
            }
            _ => None,
        };
        if caller.as_ref().is_some_and(|caller| !route.who.admits(&caller.access, &place.kind)) {
            // The refusal itself is told, and audited, where the call is run: without its body.
            receive::drain(hub, std::mem::take(body)).await;
            return Ok(Prepared { route, place, pairs, caller, body: Received::default() });
        }
        let received = receive::receive(hub, route, parts, has_body.then_some(body)).await?;
        if route.takes == Takes::Form {
            let form = std::str::from_utf8(&received.bytes).map_err(|_| bad_encoding())?;
            pairs.extend(decoded(form)?);
            self.format = format::asked(&pairs, &parts.headers)?;
        }
        Ok(Prepared { route, place, pairs, caller, body: received })
    }
}

/// Runs this where it may block. What a panic says is not logged: it may hold what was being worked on.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(error::internal()))
}

/// Logs where a panic happened, and not what it says: that may hold what was being worked on. For whole processes.
pub fn log_panics_without_content() {
    use std::io::Write as _;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "a panic: please report this place");
        } else {
            // Not `eprintln!`, which panics where nobody listens: a panic in here ends the process at once.
            let _ = writeln!(std::io::stderr(), "error: a panic at {place}: please report this place");
        }
    }));
}

/// Whether address and headers are within their limits.
fn check_head(hub: &Hub, parts: &Parts) -> Result<(), Failure> {
    let limits = hub.limits();
    let uri_bytes = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if uri_bytes > limits.uri_bytes {
        let what = format!("addresses may have {} bytes; search by POST instead", limits.uri_bytes);
        return Err(error::failure(StatusCode::URI_TOO_LONG, Code::UriTooLong, what));
    }
    let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    if parts.headers.iter().map(header).sum::<usize>() > limits.head_bytes {
        let what = format!("the headers may have {} bytes in all", limits.head_bytes);
        return Err(error::failure(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Code::HeadTooLarge, what));
    }
    Ok(())
}

fn find(method: &Method, path: &str) -> Result<(&'static Route, Place), Failure> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: Vec<String> = path
        .split('/')
        .skip(1)
        .map(percent::path_part)
        .collect::<Result<_, _>>()
        .map_err(|_| bad_encoding())?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    routes::find(method, &parts).ok_or_else(|| no_route(&parts))
}

/// Why there is no route: another method, an unknown operation, or nothing at all.
pub(crate) fn no_route(parts: &[&str]) -> Failure {
    let methods = routes::methods(parts);
    if !methods.is_empty() {
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let what = format!("this address knows {}", names.join(", "));
        let failure = error::failure(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, what);
        return Failure { allow: Some(methods), ..failure };
    }
    let what = "GET [base]/metadata tells what there is";
    if parts.iter().any(|part| part.starts_with('$')) {
        return error::failure(StatusCode::NOT_FOUND, Code::UnknownOperation, what);
    }
    error::failure(StatusCode::NOT_FOUND, Code::UnknownRoute, what)
}

fn decoded(text: &str) -> Result<Pairs, Failure> {
    percent::pairs(text).map_err(|_| bad_encoding())
}

fn bad_encoding() -> Failure {
    error::bad(Code::BadEncoding, percent::BadEncoding.to_string())
}

fn respond(answer: Answer, taken: Taken, is_head: bool) -> Response {
    let (content, media) = match answer.content {
        Content::None => (Vec::new(), format::JSON),
        Content::Resource(json) | Content::Outcome(json) => (json, format::JSON),
        Content::Json(json) => (json, "application/json"),
        Content::File(part) => {
            let (length, media) = (part.length, part.media);
            let body = if is_head { Body::empty() } else { send::file(part) };
            let mut response = Response::new(body);
            *response.status_mut() = answer.status;
            set(&mut response, header::CONTENT_TYPE, media);
            set(&mut response, header::CONTENT_LENGTH, &length.to_string());
            add_headers(&answer.headers, &mut response);
            return response;
        }
    };
    let length = content.len();
    let has_content = length > 0;
    let mut response = Response::new(if is_head { Body::empty() } else { taken.body(content) });
    *response.status_mut() = answer.status;
    if has_content {
        set(&mut response, header::CONTENT_TYPE, media);
        set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    }
    if let Some(version) = answer.version {
        set(&mut response, header::ETAG, &format!("W/\"{version}\""));
    }
    if let Some(instant) = answer.instant {
        set(&mut response, header::LAST_MODIFIED, &fhir::http_date(instant));
    }
    if let Some(location) = &answer.location {
        set(&mut response, header::LOCATION, location);
    }
    add_headers(&answer.headers, &mut response);
    response
}

/// The headers that an interaction has of its own, and those that every answer has.
fn add_headers(headers: &[(HeaderName, String)], response: &mut Response) {
    for (name, value) in headers {
        set(response, name.clone(), value);
    }
    set(response, header::CACHE_CONTROL, "no-store");
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
}

fn add_failure_headers(failure: &Failure, response: &mut Response) {
    if let Some(challenge) = challenge(failure) {
        set(response, header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(methods) = &failure.allow {
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        set(response, header::ALLOW, &names.join(", "));
    }
    if let Some(seconds) = failure.retry_after {
        set(response, header::RETRY_AFTER, &seconds.to_string());
    }
}

/// How to ask better (RFC 6750, section 3; RFC 9449, section 7.1).
fn challenge(failure: &Failure) -> Option<&'static str> {
    Some(match failure.issues.first().map(|issue| issue.code) {
        Some(Code::TokenRefused) => r#"Bearer realm="ieum", error="invalid_token""#,
        Some(Code::ProofRefused) => r#"DPoP realm="ieum", error="invalid_dpop_proof", algs="ES256""#,
        Some(Code::ScopeMissing) => r#"Bearer realm="ieum", error="insufficient_scope""#,
        _ if failure.status == StatusCode::UNAUTHORIZED => r#"Bearer realm="ieum""#,
        _ => return None,
    })
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    // All values are made here of digits, ids and our own address; one that is no header value is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A method's name; what is no method of HTTP is never repeated.
pub(crate) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

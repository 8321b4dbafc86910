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
use http_body_util::BodyExt;
use ieum_fhir::outcome::Code;
use ieum_trust::access::Access;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::Span;
use uuid::Uuid;

use crate::call::{self, Answer, Call, Content, Failure, Place};
use crate::caller::Credential;
use crate::fhir::format::{self, Format};
use crate::fhir::{self, error};
use crate::hub::{Entrance, Hub};
use crate::percent;
use crate::routes::{self, Route, Takes, Who};

/// Serves one request of the FHIR interface.
pub async fn serve(State(hub): State<Hub>, request: Request) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7();
    let (parts, body) = request.into_parts();
    let mut asked = Asked { route: None, format: Format::default() };
    let span = tracing::info_span!("request", request.id = %id);
    let result = asked.exchange(&hub, &parts, body, &span).await;
    let (answer, failure) = match result {
        Ok(answer) => (answer, None),
        Err(failure) => (failure.answer(), Some(failure)),
    };
    let mut response = respond(answer, asked.format, parts.method == Method::HEAD);
    if let Some(failure) = failure {
        add_failure_headers(&failure, &mut response);
    }
    set(&mut response, HeaderName::from_static("x-request-id"), &id.to_string());
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

/// A body with the room it takes up.
struct Received {
    bytes: Vec<u8>,
    room: Vec<OwnedSemaphorePermit>,
}

impl Asked {
    async fn exchange(
        &mut self,
        hub: &Hub,
        parts: &Parts,
        mut body: Body,
        span: &Span,
    ) -> Result<Answer, Failure> {
        let result = self.prepare(hub, parts, &mut body).await;
        let (route, place, pairs, access, received) = match result {
            Ok(prepared) => prepared,
            Err(failure) => {
                drain(hub, body).await;
                return Err(failure);
            }
        };
        let turn = timeout(hub.limits().wait_time, Arc::clone(hub.turns()).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(error::busy()) };
        let conditions = format::conditions(&parts.headers)?;
        let prefer = format::prefer(&parts.headers);
        let credential = Credential::of(&parts.headers);
        let (hub, span) = (hub.clone(), span.clone());
        let work = move || {
            let _entered = span.entered();
            let access = match access {
                Some(access) => access,
                None => credential.access(&hub)?,
            };
            let body = match received.bytes.as_slice() {
                [] => call::Body::None,
                bytes => call::Body::Bytes(bytes),
            };
            let call = Call { hub: &hub, route, access: &access, place, pairs, conditions, prefer, body };
            let answer = fhir::run(&call);
            drop((received.room, turn));
            answer
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| {
            tracing::error!(error = %panic, "a handler panicked");
            Err(error::internal())
        })
    }

    /// Everything before the call's turn. The access is known here only where it costs nothing or guards a body.
    #[allow(clippy::type_complexity, reason = "taken apart at once by the one caller")]
    async fn prepare(
        &mut self,
        hub: &Hub,
        parts: &Parts,
        body: &mut Body,
    ) -> Result<(&'static Route, Place, Vec<(String, String)>, Option<Access>, Received), Failure> {
        let uri_bytes = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
        if uri_bytes > hub.limits().uri_bytes {
            let what = format!("addresses may have {} bytes; search by POST instead", hub.limits().uri_bytes);
            return Err(error::failure(StatusCode::URI_TOO_LONG, Code::UriTooLong, what));
        }
        let head_bytes: usize =
            parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if head_bytes > hub.limits().head_bytes {
            let what = format!("the headers may have {} bytes in all", hub.limits().head_bytes);
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(error::failure(status, Code::HeadTooLarge, what));
        }
        let (route, place) = find(&parts.method, parts.uri.path())?;
        self.route = Some(route);
        let mut pairs = decoded(parts.uri.query().unwrap_or_default())?;
        self.format = format::asked(&pairs, &parts.headers)?;

        let has_body = route.takes != Takes::Nothing && !http_body::Body::is_end_stream(body);
        let access = match (route.who, hub.entrance()) {
            (Who::Anybody, _) | (_, Entrance::Open) => Some(Access::open()),
            // Nobody may send us a body before we know who it is.
            _ if has_body => {
                let (hub, credential) = (hub.clone(), Credential::of(&parts.headers));
                let access = tokio::task::spawn_blocking(move || credential.access(&hub)).await;
                Some(access.unwrap_or_else(|_| Err(error::internal()))?)
            }
            _ => None,
        };
        if access.as_ref().is_some_and(|access| !route.who.admits(access)) {
            // The refusal itself is told, and audited, where the call is run: without its body.
            return Ok((route, place, pairs, access, Received { bytes: Vec::new(), room: Vec::new() }));
        }
        // Parameters may be left out, and clients then say nothing about them.
        let may_be_empty = matches!(route.takes, Takes::Form | Takes::Parameters | Takes::Nothing);
        let is_labelled = parts.headers.contains_key(header::CONTENT_TYPE);
        if is_labelled || !may_be_empty {
            format::check_content(route.takes, &parts.headers)?;
        }
        let received = if has_body {
            receive(hub, route, parts, body).await?
        } else {
            Received { bytes: Vec::new(), room: Vec::new() }
        };
        if !is_labelled && !received.bytes.is_empty() {
            format::check_content(route.takes, &parts.headers)?;
        }
        if route.takes == Takes::Form {
            let form = std::str::from_utf8(&received.bytes).map_err(|_| bad_encoding())?;
            pairs.extend(decoded(form)?);
            self.format = format::asked(&pairs, &parts.headers)?;
        }
        Ok((route, place, pairs, access, received))
    }
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

fn decoded(text: &str) -> Result<Vec<(String, String)>, Failure> {
    percent::pairs(text).map_err(|_| bad_encoding())
}

fn bad_encoding() -> Failure {
    error::bad(Code::BadEncoding, percent::BadEncoding.to_string())
}

/// Receives a body within the limits of its route, of its time and of all bodies together.
async fn receive(hub: &Hub, route: &Route, parts: &Parts, body: &mut Body) -> Result<Received, Failure> {
    let limits = hub.limits();
    let limit = match route.takes {
        Takes::Nothing => 0,
        Takes::Resource => limits.body_bytes,
        Takes::Bundle => limits.bundle_bytes,
        Takes::Form | Takes::Parameters => limits.form_bytes,
    };
    let too_large = || {
        let what = format!("this address takes bodies of up to {limit} bytes; send less at once");
        error::failure(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, what)
    };
    let too_slow =
        || error::failure(StatusCode::REQUEST_TIMEOUT, Code::BodyTooSlow, "the body did not arrive in time");
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let mut received =
        Received { bytes: Vec::with_capacity(length.unwrap_or(0).min(1 << 20)), room: Vec::new() };
    let mut room_bytes = 0;
    let started = Instant::now();
    loop {
        let left = limits.body_time.saturating_sub(started.elapsed()).min(limits.body_idle_time);
        let frame = timeout(left, body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else { return Ok(received) };
        let frame = frame.map_err(|_| error::bad(Code::BadBody, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if received.bytes.len() + data.len() > limit {
            return Err(too_large());
        }
        while room_bytes < received.bytes.len() + data.len() {
            // In steps of 64 KiB: small bodies take little, large ones ask rarely.
            let room = Arc::clone(hub.body_room()).acquire_many_owned(64);
            let Ok(Ok(room)) = timeout(limits.wait_time, room).await else { return Err(error::busy()) };
            received.room.push(room);
            room_bytes += 64 << 10;
        }
        received.bytes.extend_from_slice(&data);
    }
}

/// Reads what is left of a refused body for a moment, so that the client can read why.
async fn drain(hub: &Hub, mut body: Body) {
    let mut left = hub.limits().bundle_bytes;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, axum::body::Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    let _ = timeout(std::time::Duration::from_secs(5).min(hub.limits().body_idle_time), reading).await;
}

fn respond(answer: Answer, format: Format, is_head: bool) -> Response {
    let mut content = match answer.content {
        Content::None => Vec::new(),
        Content::Resource(json) | Content::Outcome(json) => json,
    };
    if format.pretty && !content.is_empty() {
        content = format::pretty(&content);
    }
    let length = content.len();
    let has_content = length > 0;
    let mut response = Response::new(if is_head { Body::empty() } else { Body::from(content) });
    *response.status_mut() = answer.status;
    if has_content {
        set(&mut response, header::CONTENT_TYPE, format::JSON);
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
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn add_failure_headers(failure: &Failure, response: &mut Response) {
    if failure.status == StatusCode::UNAUTHORIZED {
        set(response, header::WWW_AUTHENTICATE, "Bearer realm=\"ieum\"");
    }
    if let Some(methods) = &failure.allow {
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        set(response, header::ALLOW, &names.join(", "));
    }
    if let Some(seconds) = failure.retry_after {
        set(response, header::RETRY_AFTER, &seconds.to_string());
    }
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    // All values are made here of digits, ids and our own address; one that is no header value is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn known_method(method: &Method) -> &'static str {
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

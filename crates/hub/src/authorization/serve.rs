//! One request to an address for apps, from its head to its answer: find the address, read the form, wait for a turn;
//! then do it where it may block. Whoever fails too often from one address must wait; the right proof is never slowed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use http_body_util::{BodyExt, Limited};
use ieum_trust::authorization::Pairs;
use ieum_trust::authorization::certificate::Chain;
use ieum_trust::authorization::dpop::Sent;
use ieum_trust::authorization::fault::Fault;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::routes::{Answer, Asked, ROUTES, Route, Takes};
use super::{Authorization, seconds};
use crate::hub::Hub;
use crate::percent;
use crate::serve::known_method;
use crate::status::Pattern;

/// Bytes of a form: two signed tokens and the rest.
const FORM_BYTES: usize = 32 << 10;
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(10);

/// The addresses for apps.
pub(crate) fn router(hub: Hub) -> Router {
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    paths.dedup();
    let add = |router: Router<Hub>, path| router.route(path, any(serve));
    paths.into_iter().fold(Router::new(), add).with_state(hub)
}

/// Why nothing is done.
enum Refusal {
    /// What OAuth has an error for.
    Fault(Fault),
    /// This hub has no authorization server.
    NotHere,
    /// Another method.
    Method(&'static Method),
    /// A form that cannot be read.
    Form,
    /// JSON that cannot be read.
    Json,
    /// Too many failures from this address; the seconds to wait.
    TooMany(u64),
    /// Nobody has time at the moment.
    Busy,
    /// A bug.
    Broken,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn serve(State(hub): State<Hub>, request: Request) -> Response {
    let (started, id) = (Instant::now(), Uuid::now_v7());
    let (parts, body) = request.into_parts();
    let route = ROUTES.iter().find(|route| route.path == parts.uri.path());
    let result = match route {
        Some(route) => exchange(&hub, route, &parts, body).await,
        None => Err(Refusal::NotHere),
    };
    let mut response = match result {
        Ok(answer) => respond(answer.status, answer.json.map(|json| json.to_string())),
        Err(refusal) => refused(&refusal, id),
    };
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    add(&mut response, HeaderName::from_static("x-request-id"), &id.to_string());
    let pattern = route.map_or("(none)", |route| route.path);
    response.extensions_mut().insert(Pattern(pattern));
    tracing::info!(
        request.id = %id,
        http.method = known_method(&parts.method),
        http.route = pattern,
        http.status = response.status().as_u16(),
        duration_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

async fn exchange(hub: &Hub, route: &'static Route, parts: &Parts, body: Body) -> Result<Answer, Refusal> {
    let authorization = Arc::clone(hub.authorization().ok_or(Refusal::NotHere)?);
    let is_method =
        parts.method == route.method || (parts.method == Method::HEAD && route.method == Method::GET);
    if !is_method {
        return Err(Refusal::Method(&route.method));
    }
    // A second way to say who asks: which one counts would be chance. What is published is for everybody, whatever they send.
    let is_published = matches!(route.takes, Takes::Nothing);
    if !is_published && parts.headers.contains_key(header::AUTHORIZATION) {
        return Err(Fault::ClientProof.into());
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let (mut form, mut json) = (Pairs::new(), Value::Null);
    match route.takes {
        Takes::Nothing => {}
        Takes::Form => {
            let text = received(&parts.headers, body, "application/x-www-form-urlencoded").await;
            form = text.and_then(|text| percent::pairs(&text).ok()).ok_or(Refusal::Form)?;
        }
        Takes::Json => {
            if !authorization.server.registers() {
                return Err(Refusal::NotHere);
            }
            if let Some(seconds) = authorization.registrations.wait_seconds(peer, hub.now()) {
                return Err(Refusal::TooMany(seconds));
            }
            authorization.registrations.failed(peer, hub.now());
            let text = received(&parts.headers, body, "application/json").await;
            json = text.and_then(|text| serde_json::from_str(&text).ok()).ok_or(Refusal::Json)?;
        }
    }
    let (proofs, certificate) = (proofs(&parts.headers), certificate(parts));
    let turn = timeout(hub.limits().wait_time, Arc::clone(hub.turns()).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(Refusal::Busy) };
    let hub = hub.clone();
    let work = move || {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        let url = format!("{}{}", authorization.server.issuer(), route.path);
        let certificate = certificate.as_deref();
        let sent = Sent { proofs: &proofs, method: route.method.as_str(), url: &url, certificate };
        let now = seconds(&hub);
        let done = (route.run)(&Asked { hub: &hub, authorization: &authorization, form, json, sent, now });
        drop(turn);
        done.map_err(|fault| counted(&hub, &authorization, route, peer, fault))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Broken))
}

/// Counts a failure that somebody who guesses would make, and writes it down as long as they are few.
fn counted(
    hub: &Hub,
    authorization: &Authorization,
    route: &Route,
    peer: Option<IpAddr>,
    fault: Fault,
) -> Refusal {
    if !fault.is_suspicious() {
        return Refusal::Fault(fault);
    }
    match authorization.failed(hub, peer, route.action, route.path) {
        Some(seconds) => Refusal::TooMany(seconds),
        None => Refusal::Fault(fault),
    }
}

/// The body, if it is of this kind and arrives within its bounds.
async fn received(headers: &HeaderMap, body: Body, kind: &str) -> Option<String> {
    let media = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case(kind) {
        return None;
    }
    let received = timeout(FORM_TIME, Limited::new(body, FORM_BYTES).collect()).await.ok()?.ok()?;
    String::from_utf8(received.to_bytes().to_vec()).ok()
}

/// The certificate that the client connected with.
pub(crate) fn certificate(parts: &Parts) -> Option<Arc<Chain>> {
    parts.extensions.get::<Arc<Chain>>().cloned()
}

/// Every value of the header `DPoP`; one that is no text is no proof.
pub(crate) fn proofs(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all("dpop").into_iter();
    values.map(|value| value.to_str().unwrap_or_default().to_owned()).collect()
}

fn refused(refusal: &Refusal, id: Uuid) -> Response {
    let told = |status: StatusCode, error: &str, what: &str| {
        respond(status, Some(json!({ "error": error, "error_description": what }).to_string()))
    };
    let invalid = "invalid_request";
    match refusal {
        Refusal::Fault(fault) => {
            if let Fault::Failed(what) = fault {
                tracing::error!(request.id = %id, error = %what, "the authorization server could not answer");
            }
            let status = match fault.error() {
                "invalid_client" => StatusCode::UNAUTHORIZED,
                "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
                "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::BAD_REQUEST,
            };
            told(status, fault.error(), &fault.to_string())
        }
        Refusal::NotHere => told(StatusCode::NOT_FOUND, invalid, "this hub does not do this"),
        Refusal::Method(method) => {
            let what = format!("this address knows {method}");
            let mut response = told(StatusCode::METHOD_NOT_ALLOWED, invalid, &what);
            add(&mut response, header::ALLOW, if *method == Method::GET { "GET, HEAD" } else { "POST" });
            response
        }
        Refusal::Form => told(
            StatusCode::BAD_REQUEST,
            invalid,
            "send a form (application/x-www-form-urlencoded) of 32 kB at most, within 10 seconds",
        ),
        Refusal::Json => told(
            StatusCode::BAD_REQUEST,
            invalid,
            "send JSON (application/json) of 32 kB at most, within 10 seconds",
        ),
        Refusal::TooMany(seconds) => {
            let what = "too many failures from this address; try again after the seconds in Retry-After";
            let mut response = told(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", what);
            add(&mut response, header::RETRY_AFTER, &seconds.to_string());
            response
        }
        Refusal::Busy => {
            let what = "too many requests are waiting; try again";
            let mut response = told(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", what);
            add(&mut response, header::RETRY_AFTER, "1");
            response
        }
        Refusal::Broken => told(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the server failed"),
    }
}

fn respond(status: StatusCode, json: Option<String>) -> Response {
    let json = json.unwrap_or_default();
    let length = json.len();
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    if length > 0 {
        add(&mut response, header::CONTENT_TYPE, "application/json");
    }
    add(&mut response, header::CONTENT_LENGTH, &length.to_string());
    // Nothing of this is kept anywhere (RFC 6749, section 5.1).
    add(&mut response, header::CACHE_CONTROL, "no-store");
    add(&mut response, header::PRAGMA, "no-cache");
    add(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn add(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

//! Apps that run in a browser ask from pages of their own sites. A browser lets them read the answers only if we say so
//! (CORS; SMART App Launch 2.2, "Considerations for CORS"): what everybody may know to everybody, all else to sites that an
//! app is registered with. Nothing here looks at cookies, so a page gets no more than the token that it shows.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use ieum_trust::access::Access;
use ieum_trust::authorization::client;

use super::{Authorization, origin, seconds};
use crate::hub::Hub;

/// Seconds for which the sites of apps are remembered.
const REMEMBERED: i64 = 5;
/// What everybody may know.
const OPEN: [&str; 5] = [
    "/fhir/metadata",
    "/fhir/.well-known/smart-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/jwks.json",
];
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str = "accept, authorization, content-type, dpop, if-match, if-modified-since, if-none-exist, \
                               if-none-match, prefer, range";
const ANSWER_HEADERS: &str =
    "content-location, etag, last-modified, location, retry-after, www-authenticate, x-request-id";

/// The sites of registered apps, and when they were looked up.
pub(super) type Sites = Option<(i64, Arc<HashSet<String>>)>;

/// The same router, for pages of other sites too.
pub(crate) fn open(router: Router, hub: Hub) -> Router {
    router.layer(middleware::from_fn_with_state(hub, answer))
}

async fn answer(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let Some(site) = allowed(&hub, request.headers(), request.uri().path()).await else {
        return next.run(request).await;
    };
    let is_question = *request.method() == Method::OPTIONS
        && request.headers().contains_key("access-control-request-method");
    let mut response = if is_question {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        add(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        add(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        add(&mut response, header::ACCESS_CONTROL_MAX_AGE, "600");
        response
    } else {
        next.run(request).await
    };
    add(&mut response, header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, site);
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// What to answer about the site that a page asks from; nothing, if it is none of an app's.
async fn allowed(hub: &Hub, headers: &HeaderMap, path: &str) -> Option<HeaderValue> {
    let site = headers.get(header::ORIGIN)?;
    let authorization = Arc::clone(hub.authorization()?);
    if OPEN.contains(&path) {
        return Some(HeaderValue::from_static("*"));
    }
    let text = site.to_str().ok()?.to_owned();
    let hub = hub.clone();
    let is_known = tokio::task::spawn_blocking(move || sites(&hub, &authorization).contains(&text)).await;
    is_known.is_ok_and(|is_known| is_known).then(|| site.clone())
}

fn sites(hub: &Hub, authorization: &Authorization) -> Arc<HashSet<String>> {
    let now = seconds(hub);
    let mut sites = authorization.sites.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, known)) = &*sites
        && (0..REMEMBERED).contains(&(now - at))
    {
        return Arc::clone(known);
    }
    let clients = client::list(hub.door(), &Access::system("apps")).unwrap_or_else(|error| {
        tracing::error!(error = %error, "the sites of apps are not known");
        Vec::new()
    });
    let addresses =
        clients.iter().flat_map(|(_, client)| client.redirect_uris.iter().chain(&client.launch_uri));
    let found = Arc::new(addresses.map(|uri| origin(uri).to_ascii_lowercase()).collect());
    *sites = Some((now, Arc::clone(&found)));
    found
}

fn add(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

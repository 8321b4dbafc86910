//! An open hub answers under names of this machine only.
//!
//! A page of another site can let its own name point to 127.0.0.1 (DNS rebinding); its scripts may then read whatever is
//! answered under that name. Such a request carries the other site's name in `Host`, which no script can change.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use ieum_fhir::outcome::{Code, Issue, operation_outcome};
use uuid::Uuid;

use crate::fhir::format;
use crate::hub::Entrance;
use crate::portal::guard::is_loopback_host;
use crate::serve::known_method;

/// The same router; on an open hub, out of reach for other sites.
pub(crate) fn guarded(router: Router, entrance: Entrance) -> Router {
    match entrance {
        Entrance::Accounts => router,
        Entrance::Open => router.layer(middleware::from_fn(under_names_of_this_machine)),
    }
}

async fn under_names_of_this_machine(request: Request, next: Next) -> Response {
    if is_loopback_host(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    let id = Uuid::now_v7();
    tracing::info!(
        request.id = %id,
        http.method = known_method(request.method()),
        http.route = "(none)",
        http.status = StatusCode::FORBIDDEN.as_u16(),
        "refused: an open hub asked for under a name that is not this machine's"
    );
    let is_fhir = request.uri().path().starts_with("/fhir");
    let mut response = if is_fhir { outcome() } else { page() };
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

fn outcome() -> Response {
    let what = "an open hub answers as localhost, 127.0.0.1 and [::1] only; use one of these names";
    let body = operation_outcome(&[Issue::error(Code::ForeignName, "", what)]);
    labelled(Body::from(body), format::JSON)
}

fn page() -> Response {
    let text = "열린 허브는 localhost, 127.0.0.1, [::1] 이름으로만 열립니다.\n\
                An open hub answers as localhost, 127.0.0.1 and [::1] only.\n";
    labelled(Body::from(text), "text/plain; charset=utf-8")
}

fn labelled(body: Body, media: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

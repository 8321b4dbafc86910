//! One request of the portal, from its head to its answer.
//!
//! The order is: find the route, read the form if there is one, wait for a turn; then, on a thread that may block:
//! learn who asks, whether they may, whether the form is ours, make the page, write down what was shown, answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use ieum_store::commit::StoreError;
use ieum_trust::access::Role;
use ieum_ui::Lang;
use tokio::time::timeout;
use uuid::Uuid;

use super::call::{Bytes, Call, Refusal, Reply};
use super::routes::{self, Place, Route, Run, Who};
use super::session::{Session, Standing};
use super::{Portal, cookies, device, guard, pages, who};
use crate::percent;
use crate::serve::known_method;
use crate::status::Pattern;

/// Bytes of a form: the public keys of an app.
const FORM_BYTES: usize = 32 << 10;
/// Bytes of path and query.
const ADDRESS_BYTES: usize = 8 << 10;
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(10);

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The parameter by which `ieum.ts` says that a page reloads itself, and nobody asked for it.
const AUTO: &str = "auto";

/// Serves one request of the portal.
pub(crate) async fn serve(State(portal): State<Portal>, request: Request) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7();
    let (parts, body) = request.into_parts();
    let parts_of_path = path_parts(&parts);
    let found = match &parts_of_path {
        Ok(names) => routes::find(&parts.method, &names.iter().map(String::as_str).collect::<Vec<_>>()),
        Err(_) => None,
    };
    let route = found.as_ref().map(|(route, _)| *route);
    let place = found.map(|(_, place)| place).unwrap_or_default();
    let asked = Asked::of(&portal, &parts, route, place, parts_of_path.as_deref().unwrap_or_default(), id);
    let (lang, methods) = (asked.lang, asked.methods.clone());
    let reply = match route.map(Route::run) {
        Some(Run::Now(work)) => work(&portal, &asked.place).unwrap_or_else(|refusal| asked.refuse(&refusal)),
        _ => asked.exchange(body).await,
    };
    let mut response = respond(reply, parts.method == Method::HEAD);
    if percent_lang(&parts).is_some() {
        add(&mut response, header::SET_COOKIE, &cookies::language(&portal, lang));
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        add(&mut response, header::ALLOW, &names.join(", "));
    }
    add_headers(&portal, &mut response, id);
    let pattern = route.map_or("(none)", |route| route.pattern);
    response.extensions_mut().insert(Pattern(pattern));
    // The pattern, never the path: ids and what was looked for are patient data.
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

/// What is known of a request from its head.
struct Asked {
    portal: Portal,
    id: Uuid,
    lang: Lang,
    address: String,
    route: Option<&'static Route>,
    methods: Vec<Method>,
    place: Place,
    pairs: Result<Vec<(String, String)>, percent::BadEncoding>,
    cookie: Option<String>,
    browser: Option<String>,
    elsewhere: Option<String>,
    device: String,
    peer: Option<IpAddr>,
    is_post: bool,
    is_form: bool,
    is_ours: bool,
    is_local: bool,
    is_too_long: bool,
}

impl Asked {
    fn of(
        portal: &Portal,
        parts: &Parts,
        route: Option<&'static Route>,
        place: Place,
        names: &[String],
        id: Uuid,
    ) -> Self {
        let address = parts.uri.path_and_query().map_or("/", |text| text.as_str());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let content = text(&header::CONTENT_TYPE);
        Self {
            portal: portal.clone(),
            id,
            lang: language(parts),
            address: address.chars().take(ADDRESS_BYTES).collect(),
            route,
            methods: routes::methods(&names),
            place,
            pairs: percent::pairs(parts.uri.query().unwrap_or_default()),
            cookie: guard::cookie(&parts.headers, portal.cookie_name()),
            browser: guard::cookie(&parts.headers, &cookies::browser_name(portal)),
            elsewhere: guard::cookie(&parts.headers, &cookies::elsewhere_name(portal)),
            device: device::name(text(&header::USER_AGENT).unwrap_or_default()),
            peer,
            is_post: parts.method == Method::POST,
            is_form: content.is_some_and(|text| text.starts_with("application/x-www-form-urlencoded")),
            is_ours: guard::is_same_origin(&parts.headers),
            is_local: guard::is_local(peer, &parts.headers, &parts.uri),
            is_too_long: address.len() > ADDRESS_BYTES,
        }
    }

    async fn exchange(self, body: Body) -> Reply {
        let form = if self.is_post { read_form(self.is_form, body).await } else { Ok(Vec::new()) };
        let turn = timeout(
            self.portal.hub().limits().wait_time,
            Arc::clone(self.portal.hub().turns()).acquire_owned(),
        );
        let Ok(Ok(turn)) = turn.await else { return self.refuse(&Refusal::Busy) };
        let (portal, lang, id, address) = (self.portal.clone(), self.lang, self.id, self.address.clone());
        let work = move || {
            let reply = self.answer(form);
            drop(turn);
            reply
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| {
            // Not what it says: the message of a panic may hold a record.
            let what = if panic.is_panic() { "a page panicked" } else { "a page was broken off" };
            tracing::error!(request.id = %id, "{what}");
            let refusal = Refusal::Broken(String::new());
            pages::error::reply(&bare_call(&portal, lang, &address), &refusal, id)
        })
    }

    /// A refusal before it is known who asks.
    fn refuse(&self, refusal: &Refusal) -> Reply {
        pages::error::reply(&bare_call(&self.portal, self.lang, &self.address), refusal, self.id)
    }

    /// The part that may block.
    fn answer(self, form: Result<Vec<(String, String)>, Refusal>) -> Reply {
        let portal = self.portal.clone();
        let mut call = bare_call(&portal, self.lang, &self.address);
        match self.answered(&mut call, form) {
            Ok(reply) => reply,
            Err(refusal) => {
                let refusal = match self.write_down_refusal(&call, &refusal) {
                    Ok(()) => refusal,
                    Err(error) => Refusal::Failed(error),
                };
                pages::error::reply(&call, &refusal, self.id)
            }
        }
    }

    /// Writes down what was refused to somebody: another role's page, a form that is not ours, and a record or an
    /// account that is not there for this reader, whether or not it is for others.
    fn write_down_refusal(&self, call: &Call<'_>, refusal: &Refusal) -> Result<(), StoreError> {
        let Some(route) = self.route else { return Ok(()) };
        let concerns_somebody = match refusal {
            Refusal::WrongRole | Refusal::Oneself | Refusal::Forged | Refusal::TooManyPeople(_) => true,
            Refusal::NotFound => {
                let is_of_some = matches!(route.who, Who::Only(_) | Who::PatientOrRepresentative);
                route.shows_records || (is_of_some && route.pattern.contains('{'))
            }
            _ => false,
        };
        if !concerns_somebody {
            return Ok(());
        }
        let door = self.portal.hub().door();
        let session = call.session.as_ref();
        match (session.and_then(|session| session.access.as_ref()), session.and_then(Session::person)) {
            (Some(access), _) => door.refused(access, route.action, route.pattern),
            (None, Some(person)) => door.note_person(Some(person), route.action, route.pattern, false),
            (None, None) => door.refused_stranger(route.action, route.pattern),
        }
    }

    fn answered(
        &self,
        call: &mut Call<'_>,
        form: Result<Vec<(String, String)>, Refusal>,
    ) -> Result<Reply, Refusal> {
        if self.is_too_long {
            return Err(Refusal::TooLarge);
        }
        call.place = self.place.clone();
        call.peer = self.peer;
        call.cookie.clone_from(&self.cookie);
        call.browser.clone_from(&self.browser);
        call.elsewhere.clone_from(&self.elsewhere);
        call.device.clone_from(&self.device);
        let is_auto = self.pairs.iter().flatten().any(|(name, _)| name == AUTO);
        let session = |cookie| who::session(&self.portal, cookie, is_auto);
        call.session = self.cookie.as_deref().map(session).transpose()?.flatten();
        call.pairs = self.pairs.clone().map_err(|_| Refusal::Bad)?;
        call.form = form?;
        let Some(route) = self.route else {
            let known = !self.methods.is_empty();
            return Err(if known { Refusal::Method } else { Refusal::NotFound });
        };
        self.admit(call, route)?;
        if self.is_post && !self.may_post(call) {
            return Err(Refusal::Forged);
        }
        let Run::Page(work) = route.run() else { return Err(Refusal::NotFound) };
        let reply = work(call)?;
        self.write_down(call, route, &reply)?;
        Ok(reply)
    }

    /// Whether whoever is signed in may.
    fn admit(&self, call: &Call<'_>, route: &Route) -> Result<(), Refusal> {
        let (role, standing) = (call.role(), call.session.as_ref().map(|session| &session.standing));
        if route.who == Who::Only(Role::Patient) && call.behalf().is_some() {
            return Err(Refusal::Oneself);
        }
        let admitted = match route.who {
            Who::Anybody => true,
            Who::SignedIn => standing.is_some(),
            Who::Only(wanted) => role == Some(wanted),
            Who::PatientOrRepresentative => role == Some(Role::Patient),
            Who::Person => matches!(standing, Some(Standing::Person { .. })),
            Who::Invited => matches!(standing, Some(Standing::Invited { .. })),
            Who::LocalOrOperator => self.is_local || role == Some(Role::Operator),
        };
        if admitted {
            return Ok(());
        }
        Err(match (standing, role) {
            (None, _) => Refusal::SignIn,
            (Some(Standing::Invited { .. }), _) => Refusal::SetUp,
            (Some(_), None) => Refusal::Choose,
            (Some(_), Some(_)) => Refusal::WrongRole,
        })
    }

    /// Whether a form is from our own page and, once somebody is signed in, of their session.
    fn may_post(&self, call: &Call<'_>) -> bool {
        self.is_ours && call.session.as_ref().is_none_or(|session| session.owns(call.field("csrf")))
    }

    /// Writes down that records were shown, durably, before the page leaves.
    fn write_down(&self, call: &Call<'_>, route: &Route, reply: &Reply) -> Result<(), Refusal> {
        let shown = matches!(reply, Reply::Page(status, _) if status.is_success());
        // The search page without a question shows nobody.
        let nobody = route.pattern == "/patients" && call.value("q").trim().is_empty();
        if !route.shows_records || !shown || nobody {
            return Ok(());
        }
        let access = call.access()?;
        let patient = access.patient.as_deref().unwrap_or(call.place.first());
        let target = if patient.is_empty() { "Patient".to_owned() } else { format!("Patient/{patient}") };
        Ok(self.portal.hub().door().released(access, route.action, &target)?)
    }
}

fn bare_call<'c>(portal: &'c Portal, lang: Lang, address: &'c str) -> Call<'c> {
    let (place, pairs, form) = (Place::default(), Vec::new(), Vec::new());
    let (session, cookie, browser, elsewhere, device, peer) = (None, None, None, None, String::new(), None);
    Call { portal, lang, address, place, pairs, form, session, cookie, browser, elsewhere, device, peer }
}

async fn read_form(is_form: bool, body: Body) -> Result<Vec<(String, String)>, Refusal> {
    let received = timeout(FORM_TIME, Limited::new(body, FORM_BYTES).collect()).await;
    let bytes = received.map_err(|_| Refusal::Bad)?.map_err(|_| Refusal::TooLarge)?.to_bytes();
    if !is_form && !bytes.is_empty() {
        return Err(Refusal::Bad);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::Bad)?;
    percent::pairs(text).map_err(|_| Refusal::Bad)
}

fn path_parts(parts: &Parts) -> Result<Vec<String>, percent::BadEncoding> {
    parts.uri.path().split('/').skip(1).map(percent::path_part).collect()
}

fn percent_lang(parts: &Parts) -> Option<Lang> {
    let pairs = percent::pairs(parts.uri.query()?).ok()?;
    pairs.iter().rev().find(|(name, _)| name == "lang").and_then(|(_, value)| Lang::from_tag(value))
}

/// Korean unless the reader chose otherwise. The browser's own list is not asked: most of those who read Korean use a
/// browser that was never told so.
fn language(parts: &Parts) -> Lang {
    let remembered = guard::cookie(&parts.headers, cookies::LANG_COOKIE);
    percent_lang(parts).unwrap_or_else(|| Lang::choose(None, remembered.as_deref(), None))
}

fn respond(reply: Reply, is_head: bool) -> Response {
    let (status, content, content_type, cache, etag) = match reply {
        Reply::Page(status, markup) => {
            (status, markup.into_string().into_bytes().into(), "text/html; charset=utf-8", "no-store", None)
        }
        Reply::Bytes(status, Bytes { content_type, cache, etag, bytes }) => {
            (status, bytes, content_type, cache, etag)
        }
        Reply::See(to, cookies) => return see(&to, &cookies),
        Reply::Onward(to, markup, cookies) => {
            let mut response = respond(Reply::Page(StatusCode::OK, markup), is_head);
            for cookie in &cookies {
                add(&mut response, header::SET_COOKIE, cookie);
            }
            add(&mut response, header::REFRESH, &format!("0; url={to}"));
            return response;
        }
    };
    let length = content.len();
    let mut response = Response::new(match content {
        _ if is_head => Body::empty(),
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    });
    *response.status_mut() = status;
    add(&mut response, header::CONTENT_TYPE, content_type);
    add(&mut response, header::CONTENT_LENGTH, &length.to_string());
    add(&mut response, header::CACHE_CONTROL, cache);
    if let Some(etag) = etag {
        add(&mut response, header::ETAG, &etag);
    }
    response
}

fn see(to: &str, cookies: &[String]) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    add(&mut response, header::LOCATION, to);
    add(&mut response, header::CACHE_CONTROL, "no-store");
    for cookie in cookies {
        add(&mut response, header::SET_COOKIE, cookie);
    }
    response
}

fn add_headers(portal: &Portal, response: &mut Response, id: Uuid) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: browsers would then send forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        add(response, name, value);
    }
    if portal.is_secure() {
        add(response, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    add(response, HeaderName::from_static("x-request-id"), &id.to_string());
}

/// Adds a header. All values are made by us of digits, hexadecimal, patterns and encoded text; one that is no header
/// value is left out.
fn add(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}

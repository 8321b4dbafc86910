//! Any search or `$everything` that is asked for with `Prefer: respond-async` (R4, `async.html`): walked through page by
//! page, as its client would have, into a file of Bundles, one a line.

use axum::http::Method;
use ieum_fhir::outcome::Code;
use serde::{Deserialize, Serialize};

use super::ask::{add, jobs};
use super::out::Out;
use super::{Request, parameters};
use crate::call::{Answer, Body, Call, Conditions, Content, Failure, Place, Prefer};
use crate::jobs::record::OutPart;
use crate::jobs::work::{Stop, Work};
use crate::routes::Takes;
use crate::{fhir, percent, routes};

/// An answer that was asked for later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// Type that is searched, or of whose instance something is asked; empty for a search of all types.
    pub kind: String,
    /// The instance; nothing for a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is searched in the instance's compartment; nothing for `$everything`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
    /// Parameters.
    pub pairs: Vec<(String, String)>,
    /// Whether parameters that do not exist are passed over.
    pub lenient: bool,
}

/// Where it goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    /// The token of the next page; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// Whether there are no more.
    #[serde(default)]
    is_end: bool,
}

/// Whether the call is to be answered later. Where no jobs are run it is answered at once, as R4 allows.
#[must_use]
pub(in crate::fhir) fn is_asked(call: &Call<'_>) -> bool {
    call.prefer.respond_async && call.hub.jobs().is_some()
}

/// Takes a call, which has been checked, as a job.
///
/// # Errors
/// When it is not taken.
pub(in crate::fhir) fn ask(call: &Call<'_>) -> Result<Answer, Failure> {
    let jobs = jobs(call)?;
    let own = ["_format", "_pretty", "_count"];
    // A form is among them already.
    let is_form = call.route.takes == Takes::Form;
    let mut pairs = if is_form { call.pairs.clone() } else { parameters::all(call)? };
    pairs.retain(|(name, _)| !own.contains(&name.as_str()));
    let Place { kind, id, inner, .. } = &call.place;
    // The pattern of `$everything` names its type.
    let is_instance = !id.is_empty();
    let kind = if is_instance && kind.is_empty() { "Patient" } else { kind };
    let path = match (is_instance, inner.as_str()) {
        (true, "") => format!("/{kind}/{id}/$everything"),
        (true, inner) => format!("/{kind}/{id}/{inner}"),
        (false, _) if kind.is_empty() => String::new(),
        (false, _) => format!("/{kind}"),
    };
    let (id, inner) = (is_instance.then(|| id.clone()), (!inner.is_empty()).then(|| inner.clone()));
    let later = Later { kind: kind.to_owned(), id, inner, pairs, lenient: call.prefer.lenient };
    add(call, jobs, &jobs.new_id(), &path, Request::Later(later))
}

/// Does it, or goes on with it.
///
/// # Errors
/// [`Stop`].
pub(super) fn run(work: &mut Work<'_>, later: &Later) -> Result<(), Stop> {
    let mut point: Point = match work.job.point.clone() {
        Some(point) => serde_json::from_value(point).map_err(|_| Stop::internal())?,
        None => Point::default(),
    };
    let options = work.jobs.options();
    let mut out = Out::resume(work.directory.clone(), options.file_bytes, work.job.files.clone())?;
    let (most, mut done) = (options.bundle_bytes, work.job.progress.done);
    while !point.is_end {
        work.go_on()?;
        let (mut bundle, entries, next) = page(work, later, point.page.as_deref())?;
        bundle.push(b'\n');
        if out.bytes().saturating_add(bundle.len() as u64) > most {
            let what = format!("an answer may have {most} bytes; narrow the criteria, or use $export");
            return Err(Stop::failed(Code::AsyncTooLarge, what));
        }
        out.add(OutPart::Output, "Bundle", &bundle)?;
        done += entries;
        point = Point { is_end: next.is_none(), page: next };
        if point.is_end {
            out.finish()?;
        }
        if point.is_end || work.is_due() {
            work.job.files = out.save()?;
            work.job.progress.done = done;
            work.job.point = Some(serde_json::to_value(&point).map_err(|_| Stop::internal())?);
            work.save()?;
        }
    }
    Ok(())
}

/// What of a page is looked at.
#[derive(Deserialize)]
struct Page<'p> {
    #[serde(default, borrow)]
    link: Vec<Link<'p>>,
    #[serde(default)]
    entry: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Link<'p> {
    relation: &'p str,
    #[serde(borrow)]
    url: std::borrow::Cow<'p, str>,
}

/// One page: its Bundle, how many entries it has, and the token of the next.
fn page(work: &Work<'_>, later: &Later, token: Option<&str>) -> Result<(Vec<u8>, u64, Option<String>), Stop> {
    let path: Vec<&str> = match &later.id {
        Some(id) => vec!["fhir", &later.kind, id, later.inner.as_deref().unwrap_or("$everything")],
        None if later.kind.is_empty() => vec!["fhir"],
        None => vec!["fhir", &later.kind],
    };
    let (route, place) = routes::find(&Method::GET, &path).ok_or_else(Stop::internal)?;
    let mut pairs = later.pairs.clone();
    pairs.push(("_count".into(), work.hub.limits().page_most.to_string()));
    if let Some(token) = token {
        pairs.retain(|(name, _)| name != "_page");
        pairs.push(("_page".into(), token.to_owned()));
    }
    let call = Call {
        hub: work.hub,
        kinds: work.hub.kinds(),
        route,
        access: &work.access,
        // What a token may not ask for as a whole it may not ask for later.
        token: None,
        place,
        pairs,
        conditions: Conditions::default(),
        prefer: Prefer { lenient: later.lenient, ..Prefer::default() },
        body: Body::None,
    };
    let Content::Resource(json) = fhir::run(&call)?.content else { return Err(Stop::internal()) };
    let page: Page<'_> = serde_json::from_slice(&json).map_err(|_| Stop::internal())?;
    let next = page.link.iter().find(|link| link.relation == "next").map(|link| token_of(&link.url));
    let (entries, next) = (page.entry.len() as u64, next.transpose()?);
    Ok((json, entries, next))
}

/// The page token in a link of ours.
fn token_of(url: &str) -> Result<String, Stop> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = percent::pairs(query).map_err(|_| Stop::internal())?;
    let token = pairs.into_iter().find(|(name, _)| name == "_page").map(|(_, token)| token);
    token.ok_or_else(Stop::internal)
}

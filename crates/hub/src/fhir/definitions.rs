//! `SearchParameter` resources: what is active is judged before it is stored, and comes into force with its commit
//! (`ieum_trust::door`); records are indexed by it in the background (`crate::jobs::index`).

use axum::http::{HeaderName, StatusCode};
use ieum_fhir::json::Value;
use ieum_fhir::outcome::{Code, Issue};
use ieum_fhir::search::custom::{CustomParam, Definition, read};
use ieum_store::catalogue::Catalogue;
use ieum_store::custom::{MOST, MOST_OF_A_KIND};
pub use ieum_trust::door::DEFINITION;

use super::bulk::{Request, status_url};
use super::error;
use crate::call::{Answer, Call, Failure};
use crate::jobs::index;
use crate::routes::Who;

/// Where the progress of indexing is told (RFC 8631).
const LINK: HeaderName = HeaderName::from_static("link");

/// Judges a resource that is valid by R4's definitions, if it is a SearchParameter; it is to become the record of this id
/// if that is known. Other resources are not its matter.
///
/// # Errors
/// 422 when it asks for something that cannot be done.
pub(super) fn check(call: &Call<'_>, id: Option<&str>, resource: Value<'_>) -> Result<(), Failure> {
    if resource.get("resourceType").and_then(Value::text).as_deref() != Some(DEFINITION) {
        return Ok(());
    }
    let issues = match read(resource) {
        Ok(Definition::NotActive | Definition::BuiltIn) => return Ok(()),
        Ok(Definition::Custom(params)) => beside(call.kinds.catalogue(), id, &params),
        Err(issues) => issues,
    };
    if issues.is_empty() { Ok(()) } else { Err(Failure::of(StatusCode::UNPROCESSABLE_ENTITY, issues)) }
}

/// What stands against parameters beside those that are in force.
fn beside(catalogue: &Catalogue, id: Option<&str>, params: &[CustomParam]) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut refuse = |place: &str, what: String| {
        issues.push(Issue::error(Code::DefinitionRefused, format!("{DEFINITION}.{place}"), what));
    };
    // The record may be found by its URL only later.
    let is_same =
        |other: &CustomParam, param: &CustomParam| Some(&*other.resource) == id || other.url == param.url;
    for param in params {
        let of_kind = || catalogue.custom().filter(|other| other.kind == param.kind);
        let others = || of_kind().filter(|other| !is_same(other, param));
        if others().any(|other| other.code == param.code) {
            let what = format!("another SearchParameter has this code on {}; use another code", param.kind);
            refuse("code", what);
        }
        if others().count() >= MOST_OF_A_KIND {
            let what =
                format!("{} has {MOST_OF_A_KIND} such parameters already; retire some first", param.kind);
            refuse("base", what);
        }
    }
    let others = catalogue.custom().filter(|other| !params.iter().any(|param| is_same(other, param)));
    if others.count() + params.len() > MOST {
        refuse("status", format!("there are {MOST} such parameters already; retire some first"));
    }
    issues
}

/// Tells, with the answer to a write, where the progress of indexing can be followed.
pub(super) fn tell_progress(call: &Call<'_>, answer: &mut Answer) {
    if call.route.who != Who::Writers || call.place.kind != DEFINITION || !answer.status.is_success() {
        return;
    }
    let Some(jobs) = call.hub.jobs() else { return };
    let in_location = answer.location.as_deref().and_then(|location| {
        let (_, rest) = location.split_once(&format!("/{DEFINITION}/"))?;
        rest.split('/').next()
    });
    let Some(id) = in_location.or(Some(&*call.place.id)).filter(|id| !id.is_empty()) else { return };
    let catalogue = call.hub.door().catalogue();
    let mine: Vec<_> = catalogue.custom().filter(|param| param.resource == id).collect();
    let open = match index::ask(call.hub, jobs) {
        Ok(open) => open,
        Err(error) => {
            // The runners ask again.
            tracing::warn!(error = %error, "a job for indexing was not added yet");
            return;
        }
    };
    let links = open.iter().filter_map(|kept| match &kept.job.request {
        Request::Index(index) => {
            let is_mine = mine.iter().any(|param| param.kind == index.kind && param.code == index.code);
            is_mine.then(|| (LINK, format!("<{}>; rel=\"status\"", status_url(call, &kept.id))))
        }
        _ => None,
    });
    answer.headers.extend(links);
}

/// 503: records are still being indexed by a parameter, or it went away while the question was under way.
pub(super) fn not_served(what: &str) -> Failure {
    let failure = error::failure(StatusCode::SERVICE_UNAVAILABLE, Code::SearchNotReady, what);
    Failure { retry_after: Some(5), ..failure }
}

//! Taking a job: 202, and where to look after it (R4, `async.html`; Bulk Data Access 2.0.0, "Kick-off Request").

use axum::http::{HeaderName, StatusCode, header};
use ieum_fhir::outcome::Code;

use super::export::{self, Level};
use super::{Request, parameters};
use crate::call::{Answer, Call, Failure, Prefer};
use crate::fhir::error;
use crate::hub::Hub;
use crate::jobs::{AddError, Jobs};
use crate::percent;

/// `Content-Location`.
const CONTENT_LOCATION: HeaderName = header::CONTENT_LOCATION;

/// `GET` or `POST` of `[base]/$export`, `[base]/Type/$export`, `[base]/Patient/$export` and `[base]/Group/id/$export`.
pub(in crate::fhir) fn export(call: &Call<'_>) -> Result<Answer, Failure> {
    let jobs = jobs(call)?;
    check_prefer(call)?;
    let level = match (call.route.pattern, call.place.kind.as_str()) {
        ("/fhir/$export", _) => Level::System,
        ("/fhir/Group/{id}/$export", _) => Level::Group { id: call.place.id.clone() },
        (_, "Patient") => Level::Patients,
        (_, kind) => Level::Kind { kind: kind.to_owned() },
    };
    if let Level::Group { id } = &level {
        let group = call.hub.door().resource_view(call.access)?.read("Group", id)?;
        let group = group.ok_or_else(error::not_found)?;
        if group.is_deleted() {
            return Err(error::deleted());
        }
    }
    let export = export::parse(call, level, &parameters::all(call)?)?;
    let path = call.route.pattern.strip_prefix("/fhir").unwrap_or_default();
    let path = path.replace("{kind}", &call.place.kind).replace("{id}", &call.place.id);
    add(call, jobs, &jobs.new_id(), &path, Request::Export(export))
}

/// The jobs of this process.
///
/// # Errors
/// 501 where it runs none.
pub(super) fn jobs<'c>(call: &'c Call<'_>) -> Result<&'c Jobs, Failure> {
    call.hub.jobs().ok_or_else(not_here)
}

fn not_here() -> Failure {
    let what = "this process does not run jobs; ask the hub itself";
    error::failure(StatusCode::NOT_IMPLEMENTED, Code::AsyncNotHere, what)
}

/// Refuses a file before it is received, where that is possible.
///
/// # Errors
/// 400 and 501.
pub(crate) fn check_upload(hub: &Hub, prefer: &Prefer) -> Result<(), Failure> {
    hub.jobs().ok_or_else(not_here)?;
    check_asked(prefer)
}

/// Refuses what was not asked for later.
///
/// # Errors
/// 400.
pub(super) fn check_prefer(call: &Call<'_>) -> Result<(), Failure> {
    check_asked(&call.prefer)
}

fn check_asked(prefer: &Prefer) -> Result<(), Failure> {
    if prefer.respond_async {
        return Ok(());
    }
    Err(error::bad(
        Code::AsyncOnly,
        "send the header `Prefer: respond-async`, by itself and not inside a bundle",
    ))
}

/// Takes a job. That it was asked for is written down before it begins.
///
/// # Errors
/// 429 when too many are open; otherwise when the store or the disk fails.
pub(super) fn add(
    call: &Call<'_>,
    jobs: &Jobs,
    id: &str,
    path: &str,
    request: Request,
) -> Result<Answer, Failure> {
    let url = format!("{}{path}", call.hub.base_url());
    let url =
        percent::with_pairs(&url, call.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    call.hub.door().released(call.access, call.route.action, &format!("IeumJob/{id}"))?;
    jobs.add(call.hub, call.access, id, url, request).map_err(|error| match error {
        AddError::TooMany => {
            let what = "wait until a job has ended, or cancel one";
            let failure = error::failure(StatusCode::TOO_MANY_REQUESTS, Code::AsyncTooMany, what);
            Failure { retry_after: Some(10), ..failure }
        }
        AddError::Commit(error) => error.into(),
        AddError::Io(error) => io_failure(&error),
    })?;
    let mut answer = Answer::empty(StatusCode::ACCEPTED);
    answer.headers.push((CONTENT_LOCATION, status_url(call, id)));
    Ok(answer)
}

/// What a client is told when the disk refuses.
pub(crate) fn io_failure(error: &std::io::Error) -> Failure {
    use ieum_store::commit::StoreError;
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::DiskFull.into(),
        std::io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly.into(),
        _ => {
            tracing::error!(error = %error, "a file of a job cannot be read or written");
            error::internal()
        }
    }
}

/// Where the state of a job is told.
pub(in crate::fhir) fn status_url(call: &Call<'_>, id: &str) -> String {
    format!("{}/$jobs/{id}", call.hub.base_url())
}

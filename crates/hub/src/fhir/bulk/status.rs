//! The state of a job, its manifest, and its end (R4, `async.html`; Bulk Data Access 2.0.0, "Status Request" and
//! "Delete Request"). A job is there for whoever asked for it, and for nobody else.

use axum::http::{HeaderName, StatusCode, header};
use ieum_fhir::outcome::{Code, Issue};
use serde_json::{Map, Value, json};

use super::Request;
use super::ask::{jobs, status_url};
use crate::call::{Answer, Call, Content, Failure};
use crate::fhir::{error, http_date, subset};
use crate::hub::Entrance;
use crate::jobs::keep::{self, Kept};
use crate::jobs::record::{InFile, Job, JobFailure, OutFile, OutPart};
use crate::jobs::state::State;

/// What is under way, in words (Bulk Data Access 2.0.0, "Response - In-Progress Status").
const X_PROGRESS: HeaderName = HeaderName::from_static("x-progress");
/// Seconds between two questions about a job, at most.
const RETRY_MOST: i64 = 30;

/// The job at an address, if it is the caller's.
///
/// # Errors
/// 404 for others, and for one that was cancelled: the guide says so.
pub(super) fn own(call: &Call<'_>) -> Result<Kept, Failure> {
    jobs(call)?;
    let kept = keep::read(call.hub, &call.place.id)?;
    let is_own = |kept: &Kept| match kept.job.request {
        // Nobody's alone: whoever may define parameters follows it.
        Request::Index(_) | Request::Label => call.access.role.defines_searches(),
        _ => kept.job.asker.is(call.access),
    };
    let own = kept.filter(|kept| is_own(kept) && kept.job.state != State::Cancelled);
    own.ok_or_else(error::not_found)
}

/// `GET [base]/$jobs/id`.
pub(in crate::fhir) fn status(call: &Call<'_>) -> Result<Answer, Failure> {
    subset::check_parameters(call, &[])?;
    let kept = own(call)?;
    match kept.job.state {
        State::Queued | State::Running => Ok(under_way(call, &kept.job)),
        State::Done => Ok(done(call, &kept)),
        State::Failed => Err(failed(kept.job.failure.as_ref())),
        State::Cancelled => Err(error::not_found()),
    }
}

/// `DELETE [base]/$jobs/id`: ends a job, or takes its result away.
pub(in crate::fhir) fn cancel(call: &Call<'_>) -> Result<Answer, Failure> {
    let kept = own(call)?;
    let jobs = jobs(call)?;
    call.hub.door().released(call.access, call.route.action, &format!("IeumJob/{}", kept.id))?;
    if kept.job.state.is_ended() || !jobs.cancel(call.hub, &kept.id)? {
        jobs.remove(call.hub, &kept.id)?;
    }
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

fn under_way(call: &Call<'_>, job: &Job) -> Answer {
    let mut answer = Answer::empty(StatusCode::ACCEPTED);
    let done = job.progress.done;
    let progress = match (job.state, job.progress.total) {
        (State::Queued, _) => "waiting".to_owned(),
        (_, Some(total)) if total > 0 => {
            let percent = u128::from(done.min(total)) * 100 / u128::from(total);
            format!("{percent}% ({done} of {total})")
        }
        _ => format!("{done} so far"),
    };
    answer.headers.push((X_PROGRESS, progress));
    let created = ieum_fhir::date::parse(&job.created).map_or(0, |created| created.lo);
    let age_seconds = call.hub.now().saturating_sub(created) / 1_000_000;
    let retry = (age_seconds / 10).clamp(1, RETRY_MOST);
    answer.headers.push((header::RETRY_AFTER, retry.to_string()));
    answer
}

fn done(call: &Call<'_>, kept: &Kept) -> Answer {
    let manifest = manifest(call, kept).to_string().into_bytes();
    let mut answer = Answer { content: Content::Json(manifest), ..Answer::empty(StatusCode::OK) };
    let ended = kept.job.ended.as_deref().and_then(|ended| ieum_fhir::date::parse(ended).ok());
    if let (Some(ended), Some(jobs)) = (ended, call.hub.jobs()) {
        let keep = i64::try_from(jobs.options().keep.as_micros()).unwrap_or(i64::MAX);
        answer.headers.push((header::EXPIRES, http_date(ended.lo.saturating_add(keep))));
    }
    answer
}

/// The manifest of a result (Bulk Data Access 2.0.0, "Response - Complete Status").
fn manifest(call: &Call<'_>, kept: &Kept) -> Value {
    let job = &kept.job;
    let base = status_url(call, &kept.id);
    let list = |part: OutPart| -> Value {
        job.files.iter().filter(|file| file.part == part).map(|file| item(&base, file)).collect()
    };
    let mut manifest = Map::new();
    let instant = job.instant.as_ref().unwrap_or(&job.created);
    manifest.insert("transactionTime".into(), instant.as_str().into());
    manifest.insert("request".into(), job.url.as_str().into());
    manifest.insert("requiresAccessToken".into(), (call.hub.entrance() == Entrance::Accounts).into());
    let output = match job.request {
        Request::Export(_) | Request::Later(_) | Request::Index(_) | Request::Label => list(OutPart::Output),
        Request::Import(_) => job.inputs.iter().map(brought_in).collect(),
    };
    manifest.insert("output".into(), output);
    if matches!(job.request, Request::Export(_)) {
        manifest.insert("deleted".into(), list(OutPart::Deleted));
    }
    manifest.insert("error".into(), list(OutPart::Error));
    manifest.into()
}

fn item(base: &str, file: &OutFile) -> Value {
    let mut item = json!({ "type": file.kind, "url": format!("{base}/{}", file.name), "count": file.count });
    if let Some(sha256) = &file.sha256 {
        item["extension"] = json!({ "bytes": file.bytes, "sha256": sha256 });
    }
    item
}

/// A file that was brought in.
fn brought_in(file: &InFile) -> Value {
    let mut item = Map::new();
    if let Some(kind) = &file.kind {
        item.insert("type".into(), kind.as_str().into());
    }
    if let Some(url) = &file.url {
        item.insert("inputUrl".into(), url.as_str().into());
    }
    let counts = json!({ "bytes": file.bytes, "lines": file.lines, "rejected": file.rejected });
    item.insert("extension".into(), counts);
    item.into()
}

fn failed(failure: Option<&JobFailure>) -> Failure {
    let known = failure.and_then(|failure| {
        let code = Code::ALL.iter().find(|code| code.id() == failure.code)?;
        Some(Issue::error(*code, "", failure.text.clone()))
    });
    match known {
        Some(issue) => Failure::new(StatusCode::INTERNAL_SERVER_ERROR, issue),
        None => error::internal(),
    }
}

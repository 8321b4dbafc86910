//! Answers about one record (R4, `http.html#versions` and `#ops`).

use axum::http::StatusCode;
use ieum_fhir::outcome::{Code, Severity, operation_outcome};
use ieum_store::body::{Stamp, write_resource};
use ieum_store::commit::Changed;
use ieum_store::record::{Op, Record};

use super::error;
use super::subset::Subset;
use crate::authorization::scope;
use crate::call::{Answer, Call, Content, Failure, Returns};

/// A record that is there.
pub(super) fn record(record: &Record, subset: &Subset) -> Result<Answer, Failure> {
    let mut json = Vec::with_capacity(record.body.len() + 160);
    subset.write(record, &mut json)?;
    Ok(Answer { version: Some(record.version), instant: Some(record.instant), ..Answer::resource(json) })
}

/// A record that has been written, or already was as asked. `body` is its stored body.
pub(super) fn written(call: &Call<'_>, changed: &Changed, body: &[u8]) -> Answer {
    let status = if changed.op == Some(Op::Create) { StatusCode::CREATED } else { StatusCode::OK };
    let stamp =
        Stamp { kind: &changed.kind, id: &changed.id, version: changed.version, instant: changed.instant };
    let content = content(call, || {
        let mut json = Vec::with_capacity(body.len() + 160);
        write_resource(body, &stamp, &mut json);
        json
    });
    let location = location(call, &changed.kind, &changed.id, changed.version);
    Answer {
        status,
        version: Some(changed.version),
        instant: Some(changed.instant),
        location: Some(location),
        headers: Vec::new(),
        content,
    }
}

/// The record that a conditional create found.
pub(super) fn existing(call: &Call<'_>, record: &Record) -> Answer {
    let location = location(call, &record.kind, &record.id, record.version);
    Answer {
        status: StatusCode::OK,
        version: Some(record.version),
        instant: Some(record.instant),
        location: Some(location),
        headers: Vec::new(),
        content: content(call, || record.json()),
    }
}

/// Nothing is there, any more or ever.
pub(super) fn deleted(call: &Call<'_>, changed: Option<&Changed>) -> Answer {
    let (status, content) = match call.prefer.returns {
        Some(Returns::Outcome) => (StatusCode::OK, Content::Outcome(done())),
        _ => (StatusCode::NO_CONTENT, Content::None),
    };
    let (version, instant) = changed.map(|changed| (changed.version, changed.instant)).unzip();
    Answer { version, instant, content, ..Answer::empty(status) }
}

fn content(call: &Call<'_>, json: impl FnOnce() -> Vec<u8>) -> Content {
    match call.prefer.returns {
        _ if !scope::may_show(call, &call.place.kind) => Content::None,
        Some(Returns::Minimal) => Content::None,
        Some(Returns::Outcome) => Content::Outcome(done()),
        Some(Returns::Representation) | None => Content::Resource(json()),
    }
}

/// The outcome of something that went well.
pub(super) fn done() -> Vec<u8> {
    operation_outcome(&[error::remark(Severity::Information, Code::Done, "nothing is left to do")])
}

/// Where a version of a record is.
pub(super) fn location(call: &Call<'_>, kind: &str, id: &str, version: u64) -> String {
    format!("{}/{kind}/{id}/_history/{version}", call.hub.base_url())
}

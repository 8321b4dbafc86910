//! read (R4, `http.html#read` and `#cread`).

use axum::http::StatusCode;
use ieum_store::record::Record;

use super::conditional::Tags;
use super::subset::{self, Subset};
use super::{error, respond};
use crate::call::{Answer, Call, Failure};

/// `GET [base]/Type/id`.
pub(super) fn read(call: &Call<'_>) -> Result<Answer, Failure> {
    let subset = subset::asked(call, &[])?;
    let view = call.view()?;
    let record = view.read(&call.place.kind, &call.place.id)?.ok_or_else(error::not_found)?;
    if record.is_deleted() {
        return Err(error::deleted());
    }
    respond_to_reader(call, &record, &subset)
}

/// The record, or that it has not changed since the client saw it.
pub(super) fn respond_to_reader(
    call: &Call<'_>,
    record: &Record,
    subset: &Subset,
) -> Result<Answer, Failure> {
    if is_known(call, record) {
        let unchanged = Answer::empty(StatusCode::NOT_MODIFIED);
        return Ok(Answer { version: Some(record.version), instant: Some(record.instant), ..unchanged });
    }
    respond::record(record, subset)
}

/// `If-None-Match` decides; only without it does `If-Modified-Since` (RFC 9110, section 13.2.2).
fn is_known(call: &Call<'_>, record: &Record) -> bool {
    if let Some(header) = &call.conditions.if_none_match {
        return Tags::read(header).has(record.version);
    }
    let since = call.conditions.if_modified_since.as_deref().and_then(seconds);
    since.is_some_and(|since| record.instant.div_euclid(1_000_000) <= since)
}

/// Seconds since 1970 of an HTTP date, or of a FHIR instant as in `Bundle.entry.request`.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(time) = httpdate::parse_http_date(text) {
        let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        return i64::try_from(since.as_secs()).ok();
    }
    ieum_fhir::date::parse(text).ok().map(|range| range.lo.div_euclid(1_000_000))
}

//! Consents: one that is in force is written only if all of it can be enforced, so that nobody relies on what is not
//! (`ieum_trust::evidence::consent`).

use axum::http::StatusCode;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::outcome::{Code, Issue};
use ieum_store::body::write_plain;
use ieum_store::prepare::Prepared;
use ieum_trust::evidence::consent;

use crate::call::Failure;

/// The type of resource.
pub(super) const CONSENT: &str = "Consent";

/// Judges a record that is ready for the commit, if it is a Consent: its references are as they will be.
///
/// # Errors
/// 422 when something in it cannot be enforced.
pub(super) fn check(record: &Prepared, bases: &[String]) -> Result<(), Failure> {
    if record.kind != CONSENT {
        return Ok(());
    }
    let mut json = Vec::with_capacity(record.body.len() + 80);
    write_plain(&record.body, &record.kind, &record.id, &mut json);
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    let problems = consent::read(Document::parse(&json, &limits)?.root(), bases).problems;
    if problems.is_empty() {
        return Ok(());
    }
    let issue = |problem: consent::Problem| {
        let what = format!("{}; leave it out, or say it in another way", problem.what);
        Issue::error(Code::ConsentNotEnforced, problem.place, what)
    };
    Err(Failure::of(StatusCode::UNPROCESSABLE_ENTITY, problems.into_iter().map(issue).collect()))
}

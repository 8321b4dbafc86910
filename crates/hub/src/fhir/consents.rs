//! Consents: one that is in force is written only if all of it can be enforced, so that nobody relies on what is not
//! (`ieum_trust::evidence::consent`).

use axum::http::StatusCode;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::outcome::{Code, Issue};
use ieum_store::body::write_plain;
use ieum_store::prepare::Prepared;
use ieum_trust::evidence::consent;

use crate::call::{Call, Failure};

/// The type of resource.
pub(super) const CONSENT: &str = "Consent";

/// Judges a record that is ready for the commit, if it is a Consent: its references are as they will be. One that an
/// institution writes down permits something only with what was signed.
///
/// # Errors
/// 422 when something in it cannot be enforced.
pub(super) fn check(call: &Call<'_>, record: &Prepared) -> Result<(), Failure> {
    if record.kind != CONSENT {
        return Ok(());
    }
    let bases = call.kinds.catalogue().bases();
    let mut json = Vec::with_capacity(record.body.len() + 80);
    write_plain(&record.body, &record.kind, &record.id, &mut json);
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    let document = Document::parse(&json, &limits)?;
    let reading = consent::read(document.root(), bases);
    let needs_source = call.access.organization.is_some() && reading.permits();
    let mut problems = reading.problems;
    if needs_source && !consent::is_signed(document.root(), bases) {
        problems.push(consent::Problem {
            place: "Consent.source".into(),
            what: "an institution writes it down without what the patient signed (a DocumentReference, or the data themselves)",
        });
    }
    if problems.is_empty() {
        return Ok(());
    }
    let issue = |problem: consent::Problem| {
        let what = format!("{}; leave it out, or say it in another way", problem.what);
        Issue::error(Code::ConsentNotEnforced, problem.place, what)
    };
    Err(Failure::of(StatusCode::UNPROCESSABLE_ENTITY, problems.into_iter().map(issue).collect()))
}

//! Consents: one that is in force is written only if all of it can be enforced, so that nobody relies on what is not
//! (`ieum_trust::evidence::consent`).

use axum::http::StatusCode;
use ieum_fhir::json::{Document, Limits, Value};
use ieum_fhir::outcome::{Code, Issue};
use ieum_store::body::write_plain;
use ieum_store::prepare::Prepared;
use ieum_trust::evidence::consent;
use ieum_trust::sharing;

use crate::call::{Call, Failure};

/// How far clocks of others may be ahead, in microseconds.
const CLOCKS_APART: i64 = 300_000_000;
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
    let mut problems = reading.problems;
    let mut problem = |place: &str, what| problems.push(consent::Problem { place: place.into(), what });
    let latest = call.hub.now().saturating_add(CLOCKS_APART);
    if reading.rules.iter().any(|rule| rule.made > latest) {
        problem("Consent.dateTime", "it is given in the future");
    }
    if call.access.organization.is_some() && !reading.rules.is_empty() {
        if sharing::says_switch(document.root()) {
            problem("Consent.identifier", "this identifier is that of the patient's own switches");
        }
        if !is_signed(call, document.root(), &reading.rules[0].patient)? {
            problem(
                "Consent.source",
                "an institution writes it down without what the patient signed: a current DocumentReference about the patient \
                 that is there already, with its content, or the data themselves with their type",
            );
        }
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

/// Whether what was signed is there, and about this patient, for whoever writes.
fn is_signed(call: &Call<'_>, consent: Value<'_>, patient: &str) -> Result<bool, Failure> {
    let catalogue = call.kinds.catalogue();
    let Some(source) = consent::source(consent, catalogue.bases()) else { return Ok(false) };
    let consent::Source::Document(id) = source else { return Ok(true) };
    let record = call.hub.door().resource_view(call.access)?.read("DocumentReference", &id)?;
    let Some(record) = record.filter(|record| !record.is_deleted()) else { return Ok(false) };
    let json = record.plain_json();
    let document =
        Document::parse(&json, &Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX })?;
    let text = |value: Value<'_>, name: &str| {
        value.get(name).and_then(|value| value.text().map(|text| text.into_owned()))
    };
    let document = document.root();
    let is_current = text(document, "status").as_deref() == Some("current");
    let subject = document.get("subject").and_then(|subject| text(subject, "reference"));
    let is_theirs = subject.is_some_and(|subject| subject.ends_with(&format!("Patient/{patient}")));
    let mut contents = document.get("content").into_iter().flat_map(Value::elements);
    let has_content = contents.any(|content| {
        let attachment = content.get("attachment");
        attachment
            .is_some_and(|attachment| attachment.get("data").is_some() || attachment.get("url").is_some())
    });
    Ok(is_current && is_theirs && has_content)
}

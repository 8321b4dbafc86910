//! update, update as create, and conditional update (R4, `http.html#update` and `#cond-update`).

use ieum_fhir::json::{Limits, Value};
use ieum_fhir::outcome::Code;
use ieum_fhir::reference::is_id;
use ieum_store::commit::Expect;
use ieum_trust::door::View;

use super::conditional::{self, Found, Stumble};
use super::create::{check, new_id, prepare, put};
use super::{error, respond, subset};
use crate::call::{Answer, Call, Failure};

/// `PUT [base]/Type/id`. A resource equal to the stored one makes no new version.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Failure> {
    subset::check_parameters(call, &[])?;
    if !is_id(&call.place.id) {
        return Err(bad_id());
    }
    call.with_body(&document_limits(call), |resource| {
        check(call, Some(&call.place.id), resource)?;
        match id_of(resource) {
            Some(id) if id == call.place.id => {}
            Some(_) => {
                return Err(error::bad(Code::IdMismatch, "give the resource the id that is in the address"));
            }
            None => return Err(error::bad(Code::IdMismatch, "give the resource its id")),
        }
        conditional::settle(|| {
            let ready = prepare(call, &call.place.id, resource)?;
            let expect = if call.conditions.are_on_version() {
                let view = call.view()?;
                expectation_of(call, &view, &call.place.id)?
            } else {
                Expect::Anything
            };
            let body = ready.record.body.clone();
            let changed = put(call, Vec::new(), ready, expect)?;
            Ok(respond::written(call, &changed, &body))
        })
    })
}

/// `PUT [base]/Type?criteria`.
pub(super) fn update_conditional(call: &Call<'_>) -> Result<Answer, Failure> {
    call.with_body(&document_limits(call), |resource| {
        check(call, None, resource)?;
        let kind = &call.place.kind;
        let query = conditional::criteria(call, kind, &subset::without_format(&call.pairs))?;
        let given = id_of(resource);
        if given.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(bad_id());
        }
        let fresh = new_id();
        conditional::settle(|| {
            let view = call.view()?;
            let (found, guard) = conditional::find(&view, &query)?;
            let (id, expect) = target(call, &view, found, given.as_deref(), &fresh)?;
            // Not while waiting for the commit: views are few.
            drop(view);
            let ready = prepare(call, &id, resource)?;
            let body = ready.record.body.clone();
            let changed = put(call, vec![guard], ready, expect)?;
            Ok(respond::written(call, &changed, &body))
        })
    })
}

/// Which record a conditional update writes: the one found, or a new one with the id given, or else with ours.
///
/// # Errors
/// 400 when the resource has another id than the record found; 412 when several were found.
pub(super) fn target(
    call: &Call<'_>,
    view: &View<'_>,
    found: Found,
    given: Option<&str>,
    fresh: &str,
) -> Result<(String, Expect), Stumble> {
    match (found, given) {
        (Found::One(id), Some(given)) if given != id => {
            let what = "the criteria mean a record with another id than the resource has";
            Err(error::bad(Code::IdMismatch, what).into())
        }
        (Found::One(id), _) => {
            let expect = expectation_of(call, view, &id)?;
            Ok((id, expect))
        }
        (Found::None, _) if call.conditions.if_match.is_some() => Err(error::precondition().into()),
        (Found::None, given) => Ok((given.unwrap_or(fresh).to_owned(), Expect::New)),
        (Found::Several, _) => Err(error::multiple_matches().into()),
    }
}

/// What the conditions of a write demand of a record.
///
/// # Errors
/// 412 when it is not so.
pub(crate) fn expectation_of(call: &Call<'_>, view: &View<'_>, id: &str) -> Result<Expect, Stumble> {
    let current = view.read(&call.place.kind, id)?;
    let current = current.filter(|record| !record.is_deleted()).map(|record| record.version);
    Ok(conditional::expectation(call, current)?)
}

/// 400: the id is none.
pub(crate) fn bad_id() -> Failure {
    error::bad(Code::BadId, "ids are 1 to 64 letters, digits, hyphens and points")
}

/// The id a resource says it has.
#[must_use]
pub(super) fn id_of(resource: Value<'_>) -> Option<String> {
    Some(resource.get("id")?.text()?.into_owned())
}

/// What a single resource may cost.
#[must_use]
pub(crate) fn document_limits(call: &Call<'_>) -> Limits {
    Limits { bytes: call.hub.limits().body_bytes, ..Limits::default() }
}

//! create and conditional create (R4, `http.html#create` and `#ccreate`).

use axum::http::StatusCode;
use ieum_fhir::json::Value;
use ieum_fhir::outcome::Code;
use ieum_fhir::search::Query;
use ieum_fhir::validate::validate;
use ieum_store::commit::{Change, Changed, CommitError, Expect, Guard};
use ieum_store::prepare::Prepared;
use uuid::Uuid;

use super::conditional::{self, Found, Stumble};
use super::update::document_limits;
use super::{consents, definitions, error, respond, subset};
use crate::call::{Answer, Call, Failure};
use crate::subscriptions::ask::{self, Admitted, Beside};

/// The type of which the hub keeps more than the resource says.
pub(super) const SUBSCRIPTION: &str = "Subscription";

/// `POST [base]/Type`. The id is ours, whatever the resource says.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Failure> {
    call.with_body(&document_limits(call), |resource| {
        check(call, None, resource)?;
        let criteria = criteria(call)?;
        let id = new_id();
        let ready = prepare(call, &id, resource)?;
        conditional::settle(|| attempt(call, criteria.as_ref(), &ready))
    })
}

/// The condition of a create: `If-None-Exist`, or else criteria in the URL, where the client `fhirpy` puts them.
///
/// # Errors
/// 400 when it is none, or given in both places.
pub(crate) fn criteria(call: &Call<'_>) -> Result<Option<Query>, Failure> {
    let (kind, in_url) = (&call.place.kind, subset::without_format(&call.pairs));
    match &call.conditions.if_none_exist {
        Some(_) if !in_url.is_empty() => {
            Err(error::bad(Code::CriteriaMissing, "give the criteria in If-None-Exist alone"))
        }
        Some(text) => conditional::criteria_of_text(call, kind, text).map(Some),
        None if in_url.is_empty() => Ok(None),
        None => conditional::criteria(call, kind, &in_url).map(Some),
    }
}

fn attempt(call: &Call<'_>, criteria: Option<&Query>, ready: &Ready) -> Result<Answer, Stumble> {
    let mut guards = Vec::new();
    if let Some(query) = criteria {
        let view = call.view()?;
        let (found, guard) = conditional::find(&view, query)?;
        match found {
            Found::None => guards.push(guard),
            Found::One(id) => {
                let record = view.read(&ready.record.kind, &id)?.ok_or(Stumble::Again)?;
                return Ok(respond::existing(call, &record));
            }
            Found::Several => return Err(error::multiple_matches().into()),
        }
    }
    let changed = put(call, guards, ready.clone(), Expect::New)?;
    Ok(respond::written(call, &changed, &ready.record.body))
}

/// A new id: they grow with time, so that new records lie side by side.
#[must_use]
pub(super) fn new_id() -> String {
    Uuid::now_v7().hyphenated().to_string()
}

/// Validates what was sent, for the record of this id if that is known.
///
/// # Errors
/// 400 or 422.
pub(super) fn check(call: &Call<'_>, id: Option<&str>, resource: Value<'_>) -> Result<(), Failure> {
    let validation = validate(resource, Some(&call.place.kind));
    if !validation.is_valid() {
        return Err(error::invalid(validation));
    }
    definitions::check(call, id, resource)?;
    check_whole(resource, &call.place.kind)
}

/// Refuses what says of itself that elements have been left out: written, it would cut the record.
///
/// # Errors
/// 422; the resource stands at `place`.
pub(super) fn check_whole(resource: Value<'_>, place: &str) -> Result<(), Failure> {
    if !subset::is_subsetted(resource) {
        return Ok(());
    }
    let what = "read the whole resource and send that; leave the tag SUBSETTED out of what is whole";
    let failure = error::failure(StatusCode::UNPROCESSABLE_ENTITY, Code::Subsetted, what);
    Err(failure.under(&format!("{place}.meta.tag")))
}

/// A record ready for the commit, and what of ours goes with it.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) record: Prepared,
    beside: Option<Beside>,
}

/// Makes the resource of a call ready for the commit, as it was sent; of a Subscription the status is ours.
///
/// # Errors
/// 404 for an unknown type; what is wrong with a Subscription or a Consent.
pub(super) fn prepare(call: &Call<'_>, id: &str, resource: Value<'_>) -> Result<Ready, Failure> {
    if call.place.kind == SUBSCRIPTION {
        let Admitted { record, beside } = ask::admit(call, id, resource)?;
        return Ok(Ready { record, beside: Some(beside) });
    }
    let catalogue = call.kinds.catalogue();
    let kind = catalogue.kind(&call.place.kind).ok_or_else(error::unknown_type)?;
    let record = catalogue.prepare(kind, id, resource, &mut |_| None);
    consents::check(call, &record)?;
    Ok(Ready { record, beside: None })
}

/// Commits one record.
///
/// # Errors
/// [`Stumble::Again`] when a guard no longer holds, or another version is current.
pub(super) fn put(
    call: &Call<'_>,
    guards: Vec<Guard>,
    ready: Ready,
    expect: Expect,
) -> Result<Changed, Stumble> {
    let change = Change::Put { record: Box::new(ready.record), expect };
    commit_one(call, guards, change, ready.beside)
}

/// Commits one change, and what of ours goes with it.
///
/// # Errors
/// [`Stumble::Again`] when a guard no longer holds, or another version is current.
pub(super) fn commit_one(
    call: &Call<'_>,
    guards: Vec<Guard>,
    change: Change,
    beside: Option<Beside>,
) -> Result<Changed, Stumble> {
    let committed = match beside {
        None => call.hub.door().commit(call.access, call.route.action, guards, vec![change]),
        Some(beside) => beside.commit(call, guards, change)?,
    };
    match committed {
        Ok(committed) => committed.changes.into_iter().next().ok_or_else(|| error::internal().into()),
        // A version that is no longer current is looked at again too: whether that is an error, the conditions say.
        Err(CommitError::Guard { .. } | CommitError::Version { .. }) => Err(Stumble::Again),
        Err(error) => Err(error.into()),
    }
}

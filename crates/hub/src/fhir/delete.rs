//! delete and conditional delete (R4, `http.html#delete` and `#3.1.0.7.1`).

use ieum_store::commit::{Change, Expect};
use ieum_trust::door::View;

use super::conditional::{self, Found, Stumble};
use super::create::{SUBSCRIPTION, commit_one};
use super::{error, respond, subset};
use crate::call::{Answer, Call, Failure};
use crate::subscriptions::ask::{self, Beside};

/// `DELETE [base]/Type/id`. Versions stay; what is not there, or no longer, is deleted already.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    subset::check_parameters(call, &[])?;
    let changed = conditional::settle(|| {
        let view = call.view()?;
        let Some(change) = deletion(call, &view, &call.place.id)? else { return Ok(None) };
        drop(view);
        let beside = beside(call, &change)?;
        Ok(Some(commit_one(call, Vec::new(), change, beside)?))
    })?;
    Ok(respond::deleted(call, changed.as_ref()))
}

/// `DELETE [base]/Type?criteria`: one record or none.
pub(super) fn delete_conditional(call: &Call<'_>) -> Result<Answer, Failure> {
    let query = conditional::criteria(call, &call.place.kind, &subset::without_format(&call.pairs))?;
    let changed = conditional::settle(|| {
        let view = call.view()?;
        let (found, guard) = conditional::find(&view, &query)?;
        let id = match found {
            // Nothing matches, so nothing is at the version asked for.
            Found::None if call.conditions.if_match.is_some() => return Err(error::precondition().into()),
            Found::None => return Ok(None),
            Found::One(id) => id,
            Found::Several => return Err(error::multiple_matches().into()),
        };
        let Some(change) = deletion(call, &view, &id)? else { return Err(Stumble::Again) };
        drop(view);
        let beside = beside(call, &change)?;
        Ok(Some(commit_one(call, vec![guard], change, beside)?))
    })?;
    Ok(respond::deleted(call, changed.as_ref()))
}

/// What of ours is deleted with a record.
fn beside(call: &Call<'_>, change: &Change) -> Result<Option<Beside>, Failure> {
    match change.key() {
        (SUBSCRIPTION, id) => ask::dismiss(call, id),
        _ => Ok(None),
    }
}

/// The change that deletes a record as it is now; `None` when there is nothing to delete for this caller.
///
/// # Errors
/// 412 when the record is not as `If-Match` says.
pub(super) fn deletion(call: &Call<'_>, view: &View<'_>, id: &str) -> Result<Option<Change>, Failure> {
    let current = view.read(&call.place.kind, id)?.filter(|record| !record.is_deleted());
    let version = current.map(|record| record.version);
    conditional::expectation(call, version)?;
    // The version that was seen: somebody who may not see what it has become must not delete it.
    Ok(version.map(|version| Change::Delete {
        kind: call.place.kind.clone(),
        id: id.to_owned(),
        expect: Expect::Version(version),
    }))
}

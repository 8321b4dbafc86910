//! What most of an import is: resources under their own ids, all to be written or none, with nothing to look up. They go
//! into a commit as they are, without becoming a bundle that is written, read and taken apart again.

use axum::http::Method;
use ieum_fhir::definitions::r4;
use ieum_fhir::json::Value;
use ieum_fhir::reference::is_id;
use ieum_fhir::validate::validate;
use ieum_store::commit::{Change, CommitError, Expect};
use ieum_trust::access::Access;

use super::super::subset;
use super::super::update::id_of;
use crate::call::Failure;
use crate::hub::Hub;
use crate::routes;

/// Resources that make the hub do something: whether it can is judged for each.
const JUDGED: [&str; 3] = ["SearchParameter", "Subscription", "Consent"];

/// Writes resources as a transaction of a plain PUT for each would, and returns true; or writes nothing. False says
/// nothing about why: one may be wrong, or need to be looked at with others, or the hub cannot take them. Sent as a
/// transaction they get their answer.
///
/// # Errors
/// 403 when they may not be written: that has been written down, and a transaction would be refused as well.
pub(crate) fn put_plain(hub: &Hub, access: &Access, resources: &[Value<'_>]) -> Result<bool, Failure> {
    let route = routes::find(&Method::PUT, &["fhir", "Basic", "id"]).map(|(route, _)| route);
    if !route.is_some_and(|route| route.who.admits(access, "Basic")) {
        return Ok(false);
    }
    let Some(changes) = resources.iter().map(|resource| change(hub, *resource)).collect::<Option<_>>() else {
        return Ok(false);
    };
    match hub.door().commit(access, "transaction", Vec::new(), changes) {
        Ok(_) => Ok(true),
        Err(CommitError::Denied) => Err(CommitError::Denied.into()),
        Err(_) => Ok(false),
    }
}

/// `None` for what is not plain.
fn change(hub: &Hub, resource: Value<'_>) -> Option<Change> {
    let name = resource.get("resourceType")?.text().filter(|name| !JUDGED.contains(&&**name))?;
    let id = id_of(resource).filter(|id| is_id(id))?;
    let catalogue = hub.door().catalogue();
    // Kinds of our own are no resources.
    let kind = catalogue.kind(&name).filter(|_| r4().is_resource(&name))?;
    let validation = validate(resource, Some(&name));
    let is_conditional =
        |index: &u32| resource.at(*index).text().is_none_or(|reference| reference.contains('?'));
    if !validation.is_valid()
        || subset::is_subsetted(resource)
        || validation.references.iter().any(is_conditional)
    {
        return None;
    }
    let record = catalogue.prepare(kind, &id, resource, &mut |_| None);
    Some(Change::Put { record: Box::new(record), expect: Expect::Anything })
}

//! The members of a Group.

use ieum_fhir::definitions::r4;
use ieum_fhir::index::Target;
use ieum_fhir::json::{Document, Limits, Value};
use ieum_fhir::reference;
use ieum_store::record::Record;

use super::error;
use crate::call::Failure;
use crate::hub::Hub;

/// The patients who are active members of a group, in the order of their ids. Members that are groups themselves are
/// not followed.
///
/// # Errors
/// 500 when the stored body cannot be read.
pub(super) fn members(hub: &Hub, group: &Record) -> Result<Vec<String>, Failure> {
    let json = group.plain_json();
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    let document = Document::parse(&json, &limits).map_err(|_| error::internal())?;
    let catalogue = hub.door().catalogue();
    let bases = catalogue.bases();
    let mut members = Vec::new();
    for member in document.root().get("member").into_iter().flat_map(Value::elements) {
        if member.get("inactive").and_then(|inactive| inactive.boolean()) == Some(true) {
            continue;
        }
        let text = member.get("entity").and_then(|entity| entity.get("reference")).and_then(Value::text);
        let target = text.and_then(|text| reference::target(text, bases, &|kind| r4().is_resource(kind)));
        if let Some(Target::Local { kind, id }) = target
            && kind == "Patient"
        {
            members.push(id.into_owned());
        }
    }
    members.sort_unstable();
    members.dedup();
    Ok(members)
}

//! What kind of institution an Organization is, by the code of HIRA.

use ieum_store::commit::StoreError;
use serde_json::Value;

use crate::access::Access;
use crate::door::Door;

/// A tertiary hospital (상급종합병원).
pub const TERTIARY: &str = "01";
/// A pharmacy.
pub const PHARMACY: &str = "81";
const SYSTEM: &str = "http://www.hl7korea.or.kr/CodeSystem/hira-healthcare-organization-types";

/// Whether the Organization with this id is of a type.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn is_of_type(door: &Door, id: &str, code: &str) -> Result<bool, StoreError> {
    let record = door.view(&Access::system("institution"))?.read("Organization", id)?;
    let Some(record) = record.filter(|record| !record.is_deleted()) else { return Ok(false) };
    let damaged = |_| StoreError::Damaged(format!("a record of kind {} cannot be read", record.kind));
    let organization: Value = serde_json::from_slice(&record.plain_json()).map_err(damaged)?;
    let types = organization["type"].as_array().into_iter().flatten();
    let mut codings = types.flat_map(|of| of["coding"].as_array().into_iter().flatten());
    Ok(codings.any(|coding| coding["system"] == SYSTEM && coding["code"] == code))
}

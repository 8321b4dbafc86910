//! Required bindings (R4, `terminologies.html`, section 4.1.3.1): codes must come from the value set.

use crate::definitions::{CodeSet, Codes, Element};
use crate::json::Value;

const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// The codes an element must choose from, if they are required and can be listed.
pub(super) fn required(element: &Element) -> Option<&'static CodeSet> {
    match &element.binding?.codes {
        Codes::Open => None,
        Codes::Enumerated(codes) => Some(codes),
    }
}

/// Whether a coded value meets the binding; `type_name` is that of the value.
pub(super) fn holds(codes: &CodeSet, type_name: &str, value: Value<'_>) -> bool {
    match type_name {
        "CodeableConcept" => {
            let mut codings = value.get("coding").into_iter().flat_map(Value::elements);
            codings.any(|coding| has_coding(codes, coding)) || is_absent_with_reason(value)
        }
        "Coding" => has_coding(codes, value) || is_absent_with_reason(value),
        _ => value.text().is_none_or(|code| codes.has_code(&code)),
    }
}

fn has_coding(codes: &CodeSet, coding: Value<'_>) -> bool {
    let text = |name| coding.get(name).and_then(Value::text);
    match (text("system"), text("code")) {
        (Some(system), Some(code)) => codes.has(&system, &code),
        _ => false,
    }
}

/// An element without codes that says why.
fn is_absent_with_reason(value: Value<'_>) -> bool {
    let mut extensions = value.get("extension").into_iter().flat_map(Value::elements);
    value.get("coding").is_none()
        && value.get("code").is_none()
        && extensions.any(|extension| {
            extension.get("url").and_then(Value::text).as_deref() == Some(DATA_ABSENT_REASON)
        })
}

/// The allowed codes for people; cut short when there are many.
pub(super) fn listed(codes: &CodeSet) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<&str> = codes.iter().map(|(_, code)| code).take(SHOWN + 1).collect();
    let is_cut = names.len() > SHOWN;
    names.truncate(SHOWN);
    let more = if is_cut { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

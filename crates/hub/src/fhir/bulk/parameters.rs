//! Parameters of an operation: those of the URL, and those of a Parameters resource (R4, `operations.html#request`).

use ieum_fhir::json::Value;
use ieum_fhir::outcome::Code;

use crate::call::{Body, Call, Failure};
use crate::fhir::{error, update};

/// Parameters as names and texts; references by what they refer to.
///
/// # Errors
/// 400 and 422 for a body that is no Parameters resource, or has values of other types.
pub(in crate::fhir) fn all(call: &Call<'_>) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = call.pairs.clone();
    if matches!(call.body, Body::None) {
        return Ok(pairs);
    }
    call.with_body(&update::document_limits(call), |sent| {
        let validation = ieum_fhir::validate::validate(sent, Some("Parameters"));
        if !validation.is_valid() {
            return Err(error::invalid(validation));
        }
        for parameter in sent.get("parameter").into_iter().flat_map(Value::elements) {
            let name = parameter.get("name").and_then(Value::text).unwrap_or_default();
            let text = text(parameter).ok_or_else(|| {
                let what = format!("parameter {}: must be a text, number, date or reference", legible(&name));
                error::bad(Code::AsyncParameter, what)
            })?;
            pairs.push((name.into_owned(), text));
        }
        Ok(())
    })?;
    Ok(pairs)
}

fn text(parameter: Value<'_>) -> Option<String> {
    let is_value = |member: &Value<'_>| member.key().is_some_and(|key| key.starts_with("value"));
    let value = parameter.members().find(is_value)?;
    if value.key().is_some_and(|key| key == "valueReference") {
        return value.get("reference").and_then(Value::text).map(Into::into);
    }
    let number = || value.number().map(Into::into);
    let boolean = || value.boolean().map(|value| value.to_string().into());
    value.text().or_else(number).or_else(boolean).map(Into::into)
}

/// A parameter's name, if it looks like one: else it could be a value in the wrong place.
#[must_use]
pub(in crate::fhir) fn legible(name: &str) -> &str {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte);
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(is_name) { name } else { "(not legible)" }
}

//! What an import asks for: a file that was sent with it, or addresses of files (the bulk import proposals of
//! `smart-on-fhir/bulk-import`, in the form of a Parameters resource).

use axum::http::StatusCode;
use ieum_fhir::definitions::r4;
use ieum_fhir::json::Value;
use ieum_fhir::outcome::Code;
use serde::{Deserialize, Serialize};

use super::ask::{add, check_prefer, jobs};
use super::{Request, fetch};
use crate::call::{Answer, Body, Call, Failure};
use crate::fhir::{error, subset, update};
use crate::jobs::Sources;

/// An import, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Its files.
    pub inputs: Vec<Input>,
}

/// A file to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What the client says is in it. What really is in it is checked line by line, as every write is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it comes from; nothing for the file that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// `POST [base]/$import`.
pub(in crate::fhir) fn import(call: &Call<'_>) -> Result<Answer, Failure> {
    let jobs = jobs(call)?;
    check_prefer(call)?;
    subset::check_parameters(call, &[])?;
    if let Body::Upload(upload) = call.body {
        if upload.bytes() == 0 {
            return Err(wrong("the file", "is empty"));
        }
        let import = Import { inputs: vec![Input { kind: None, url: None }] };
        let answer = add(call, jobs, upload.id(), "/$import", Request::Import(import))?;
        upload.take();
        return Ok(answer);
    }
    let sources = &jobs.options().sources;
    let import = call.with_body(&update::document_limits(call), |sent| parse(sent, sources))?;
    add(call, jobs, &jobs.new_id(), "/$import", Request::Import(import))
}

fn wrong(name: &str, what: &str) -> Failure {
    error::bad(Code::AsyncParameter, format!("parameter {name}: {what}"))
}

fn parse(sent: Value<'_>, sources: &Sources) -> Result<Import, Failure> {
    let validation = ieum_fhir::validate::validate(sent, Some("Parameters"));
    if !validation.is_valid() {
        return Err(error::invalid(validation));
    }
    let mut import = Import { inputs: Vec::new() };
    let mut has_format = false;
    for parameter in children(sent, "parameter") {
        let text = value(parameter);
        match name(parameter).as_str() {
            "inputFormat" => {
                has_format = true;
                if !matches!(text.as_deref(), Some("application/fhir+ndjson" | "application/ndjson")) {
                    return Err(wrong("inputFormat", "must be application/fhir+ndjson"));
                }
            }
            // For the client's own book-keeping.
            "inputSource" => {}
            "storageDetail" => check_storage(parameter)?,
            "input" => import.inputs.push(input(parameter, sources)?),
            other => {
                return Err(wrong(super::parameters::legible(other), "does not exist for this operation"));
            }
        }
    }
    if !has_format {
        return Err(wrong("inputFormat", "must be given: application/fhir+ndjson"));
    }
    if import.inputs.is_empty() || import.inputs.len() > sources.files {
        return Err(wrong("input", &format!("between 1 and {} must be given", sources.files)));
    }
    Ok(import)
}

fn check_storage(parameter: Value<'_>) -> Result<(), Failure> {
    for part in children(parameter, "part") {
        if name(part) == "type" && value(part).as_deref() != Some("https") {
            return Err(wrong("storageDetail.type", "must be https: files are fetched by GET"));
        }
    }
    Ok(())
}

fn input(parameter: Value<'_>, sources: &Sources) -> Result<Input, Failure> {
    let mut input = Input { kind: None, url: None };
    for part in children(parameter, "part") {
        match name(part).as_str() {
            "type" => {
                let kind = value(part).filter(|kind| r4().is_resource(kind));
                let unknown = || wrong("input.type", "must be a resource type of FHIR R4");
                input.kind = Some(kind.ok_or_else(unknown)?);
            }
            "url" => {
                let url = value(part).unwrap_or_default();
                fetch::check(&url, sources)
                    .map_err(|what| error::failure(StatusCode::FORBIDDEN, Code::AsyncSource, what))?;
                input.url = Some(url);
            }
            // An entity tag of the file, in one of the proposals; ours is the SHA-256 of what comes.
            "etag" => {}
            other => {
                let name = format!("input.{}", super::parameters::legible(other));
                return Err(wrong(&name, "does not exist for this operation"));
            }
        }
    }
    if input.url.is_some() { Ok(input) } else { Err(wrong("input.url", "must be given")) }
}

fn children<'d>(value: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
    value.get(name).into_iter().flat_map(Value::elements)
}

fn name(parameter: Value<'_>) -> String {
    parameter.get("name").and_then(Value::text).unwrap_or_default().into_owned()
}

fn value(parameter: Value<'_>) -> Option<String> {
    let is_value = |member: &Value<'_>| member.key().is_some_and(|key| key.starts_with("value"));
    parameter.members().find(is_value)?.text().map(Into::into)
}

//! Formats, and the headers that ask for them (R4, `http.html#mime-type` and `#parameters`).

use ieum_fhir::outcome::Code;

use super::error;
use crate::call::{Conditions, Failure, PatchKind, Prefer, Returns};
use crate::routes::Takes;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};

/// What answers are labelled as.
pub const JSON: &str = "application/fhir+json; charset=utf-8";

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Format {
    /// With line breaks and indentation.
    pub pretty: bool,
}

/// The format asked for by `_format`, or else by `Accept`.
///
/// # Errors
/// 406 for formats other than JSON; 400 for a `_pretty` that is neither true nor false.
pub fn asked(pairs: &[(String, String)], headers: &HeaderMap) -> Result<Format, Failure> {
    let last =
        |name: &str| pairs.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let acceptable = match last("_format") {
        // A plus sign that was not percent-encoded arrives as a space.
        Some(format) => is_json(&format.replace(' ', "+")),
        None => {
            let mut ranges = accepted(headers).peekable();
            ranges.peek().is_none() || ranges.any(accepts)
        }
    };
    if !acceptable {
        let what = "this server speaks JSON only, so far: ask for application/fhir+json";
        return Err(error::failure(StatusCode::NOT_ACCEPTABLE, Code::NotAcceptable, what));
    }
    match last("_pretty") {
        None | Some("false") => Ok(Format::default()),
        Some("true") => Ok(Format { pretty: true }),
        Some(_) => Err(error::bad(Code::SearchValue, "search parameter _pretty: must be true or false")),
    }
}

/// The media ranges of all `Accept` lines; several lines are one list, and an empty one asks for nothing in particular.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::ACCEPT).into_iter().map(|line| line.to_str().unwrap_or("?"));
    lines.flat_map(|line| line.split(',')).filter(|range| !range.trim().is_empty())
}

fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}

fn is_json(media: &str) -> bool {
    let names = ["json", "application/json", "application/fhir+json", "application/json+fhir", "text/json"];
    names.iter().any(|name| essence(media).eq_ignore_ascii_case(name))
}

/// Whether a body of this kind is NDJSON.
#[must_use]
pub fn is_lines(media: &str) -> bool {
    let names = ["application/fhir+ndjson", "application/ndjson", "application/x-ndjson"];
    names.iter().any(|name| essence(media).eq_ignore_ascii_case(name))
}

fn accepts(range: &str) -> bool {
    let refused = range.split(';').skip(1).any(|parameter| {
        let parameter: String = parameter.chars().filter(|letter| !letter.is_whitespace()).collect();
        matches!(parameter.as_str(), "q=0" | "q=0." | "q=0.0" | "q=0.00" | "q=0.000")
    });
    !refused && (is_json(range) || ["*/*", "application/*", "text/*"].contains(&essence(range)))
}

/// Whether the body is of a kind that the route takes.
///
/// # Errors
/// 415.
pub fn check_content(takes: Takes, headers: &HeaderMap) -> Result<(), Failure> {
    let unsupported =
        |what: &str| Err(error::failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::MediaType, what));
    if text(headers, &header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
    {
        return unsupported("send the body without Content-Encoding");
    }
    let media = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let charset = media.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    if charset.is_some_and(|charset| {
        !charset.eq_ignore_ascii_case("utf-8") && !charset.eq_ignore_ascii_case("utf8")
    }) {
        return unsupported("send the body as UTF-8");
    }
    match takes {
        Takes::Form if essence(media).eq_ignore_ascii_case("application/x-www-form-urlencoded") => Ok(()),
        Takes::Form => unsupported("send the parameters as application/x-www-form-urlencoded"),
        Takes::Nothing => Ok(()),
        Takes::Patch if is_json(media) || patch_of(media).is_some() => Ok(()),
        Takes::Patch => unsupported(
            "send application/json-patch+json, application/merge-patch+json, or application/fhir+json for a \
             FHIRPath Patch",
        ),
        Takes::Lines if is_json(media) || is_lines(media) => Ok(()),
        Takes::Lines => unsupported("send application/fhir+ndjson, or Parameters as application/fhir+json"),
        Takes::Resource | Takes::Bundle | Takes::Parameters if is_json(media) => Ok(()),
        Takes::Resource | Takes::Bundle | Takes::Parameters => unsupported("send application/fhir+json"),
    }
}

/// The kind of patch that a media type other than FHIR's own stands for.
#[must_use]
pub fn patch_of(media: &str) -> Option<PatchKind> {
    let kinds = [PatchKind::Json, PatchKind::Merge];
    kinds.into_iter().find(|kind| kind.media().eq_ignore_ascii_case(essence(media)))
}

/// The kind of patch that `Content-Type` names.
#[must_use]
pub fn patch_kind(headers: &HeaderMap) -> PatchKind {
    text(headers, &header::CONTENT_TYPE).and_then(patch_of).unwrap_or(PatchKind::FhirPath)
}

/// The conditions in the headers.
///
/// # Errors
/// 400 for a header that is no text.
pub fn conditions(headers: &HeaderMap) -> Result<Conditions, Failure> {
    let get = |name: HeaderName| match headers.get(&name) {
        None => Ok(None),
        Some(value) => match std::str::from_utf8(value.as_bytes()) {
            Ok(value) => Ok(Some(value.to_owned())),
            Err(_) => Err(error::bad(Code::BadHeader, format!("the header {name} is not UTF-8"))),
        },
    };
    Ok(Conditions {
        if_match: get(header::IF_MATCH)?,
        if_none_match: get(header::IF_NONE_MATCH)?,
        if_modified_since: get(header::IF_MODIFIED_SINCE)?,
        if_none_exist: get(HeaderName::from_static("if-none-exist"))?,
        range: get(header::RANGE)?,
    })
}

/// `Prefer`, all of them. What is not known is passed over, as RFC 7240 says.
#[must_use]
pub fn prefer(headers: &HeaderMap) -> Prefer {
    let mut prefer = Prefer::default();
    let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    for preference in values.flat_map(|value| value.split([',', ';'])) {
        // Spaces around the sign and quotes around the value are allowed, and names have no case.
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        match (name.trim().to_ascii_lowercase().as_str(), value) {
            ("return", "minimal") => prefer.returns = Some(Returns::Minimal),
            ("return", "representation") => prefer.returns = Some(Returns::Representation),
            ("return", "OperationOutcome") => prefer.returns = Some(Returns::Outcome),
            ("handling", "lenient") => prefer.lenient = true,
            ("handling", "strict") => prefer.lenient = false,
            ("respond-async", "") => prefer.respond_async = true,
            _ => {}
        }
    }
    prefer
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("(no text)"))
}

/// The same JSON with line breaks and indentation.
#[must_use]
pub fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + depth * 2, b' ');
    };
    for (index, &byte) in json.iter().enumerate() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                let empty = matches!(json.get(index + 1), Some(b'}' | b']'));
                if !empty {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                let empty = matches!(out.last(), Some(b'{' | b'['));
                if !empty {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            b' ' | b'\n' | b'\r' | b'\t' => {}
            byte => {
                in_string = byte == b'"';
                escaped = false;
                out.push(byte);
            }
        }
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn pretty_changes_white_space_only() {
        let json = br#"{"a":[1,{"b":"{,\"]\\"},[],{}],"c":{"d":null}}"#;
        let text = String::from_utf8(pretty(json)).unwrap();
        let expected = "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"{,\\\"]\\\\\"\n    },\n    [],\n    {}\n  ],\n  \
                        \"c\": {\n    \"d\": null\n  }\n}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn formats() {
        for (accept, expected) in [
            ("application/fhir+json", true),
            ("application/json; charset=utf-8", true),
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/fhir+xml", false),
            ("application/fhir+xml, application/fhir+json;q=0", false),
            ("application/fhir+xml, application/fhir+json;q=0.5", true),
            ("text/turtle", false),
        ] {
            assert_eq!(asked(&[], &headers(header::ACCEPT, accept)).is_ok(), expected, "{accept}");
        }
        for (format, expected) in
            [("json", true), ("application/fhir json", true), ("xml", false), ("", false)]
        {
            let pairs = [("_format".to_owned(), format.to_owned())];
            let accept = headers(header::ACCEPT, "application/fhir+xml");
            assert_eq!(asked(&pairs, &accept).is_ok(), expected, "{format}");
        }
    }

    #[test]
    fn contents() {
        for (takes, media, expected) in [
            (Takes::Resource, "application/fhir+json", true),
            (Takes::Resource, "application/fhir+json; charset=UTF-8", true),
            (Takes::Resource, "application/fhir+json; charset=\"utf-8\"; fhirVersion=4.0", true),
            (Takes::Resource, "application/json;charset=euc-kr", false),
            (Takes::Resource, "application/fhir+xml", false),
            (Takes::Resource, "application/x-www-form-urlencoded", false),
            (Takes::Form, "application/x-www-form-urlencoded", true),
            (Takes::Form, "application/json", false),
            (Takes::Patch, "application/json-patch+json", true),
            (Takes::Patch, "application/merge-patch+json; charset=utf-8", true),
            (Takes::Patch, "application/fhir+json", true),
            (Takes::Patch, "application/xml-patch+xml", false),
            (Takes::Resource, "application/json-patch+json", false),
        ] {
            assert_eq!(
                check_content(takes, &headers(header::CONTENT_TYPE, media)).is_ok(),
                expected,
                "{media}"
            );
        }
        assert!(check_content(Takes::Resource, &HeaderMap::new()).is_err());
    }

    #[test]
    fn preferences() {
        let prefer = |value| prefer(&headers(HeaderName::from_static("prefer"), value));
        assert_eq!(prefer("return=minimal, handling=lenient").returns, Some(Returns::Minimal));
        assert!(prefer("return=minimal; handling=lenient").lenient);
        assert!(prefer("respond-async, handling=lenient").respond_async);
        assert_eq!(prefer("wait=10"), Prefer::default());
        assert_eq!(prefer("Return = \"OperationOutcome\"").returns, Some(Returns::Outcome));
    }
}

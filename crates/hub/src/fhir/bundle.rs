//! Bundles posted to the base address: what their entries ask for, and how each is answered (R4,
//! `http.html#transaction`).

use std::borrow::Cow;
use std::collections::HashSet;

use axum::http::{Method, StatusCode};
use ieum_fhir::date::format_instant;
use ieum_fhir::definitions::r4;
use ieum_fhir::json::{Kind, Limits, Value, write_string};
use ieum_fhir::outcome::Code;

use super::{batch, error, patch, transaction};
use crate::call::{Answer, Body, Call, Conditions, Content, Failure, PatchKind, Place, Prefer};
use crate::percent::Pairs;
use crate::routes::{self, Gives, Route, Takes};
use crate::{percent, serve};

/// `POST [base]`.
pub(super) fn bundle(call: &Call<'_>) -> Result<Answer, Failure> {
    super::subset::check_parameters(call, &[])?;
    let limits = Limits { bytes: call.hub.limits().bundle_bytes, ..Limits::default() };
    call.with_body(&limits, |root| {
        if root.get("resourceType").and_then(Value::text).as_deref() != Some("Bundle") {
            return Err(error::bad(
                Code::NoTransaction,
                "post a Bundle here, and single resources to [base]/Type",
            ));
        }
        let most = call.hub.limits().bundle_entries;
        let count = root.get("entry").map_or(0, |entries| entries.elements().count());
        if count > most {
            let what = format!("a bundle may have {most} entries, this one has {count}; send it in parts");
            return Err(error::failure(StatusCode::PAYLOAD_TOO_LARGE, Code::BundleTooLong, what));
        }
        match root.get("type").and_then(Value::text).as_deref() {
            Some("batch") => batch::batch(call, root),
            Some("transaction") => transaction::transaction(call, root),
            _ => {
                let failure = error::bad(Code::NoTransaction, "set it to batch or transaction");
                Err(failure.under("Bundle.type"))
            }
        }
    })
}

/// What a request says, all of it in strings.
const REQUEST_TEXTS: [&str; 6] =
    ["method", "url", "ifMatch", "ifNoneMatch", "ifModifiedSince", "ifNoneExist"];

/// An entry, and what it asks for.
pub(super) struct Entry<'d> {
    /// Position in the bundle.
    pub index: usize,
    /// `fullUrl`.
    pub full_url: Option<Cow<'d, str>>,
    /// `resource`.
    pub resource: Option<Value<'d>>,
    /// For PATCH: what is in its Binary.
    pub patch: Option<(PatchKind, Vec<u8>)>,
    /// The route that does it.
    pub route: &'static Route,
    /// Whether only the headers are asked for.
    pub is_head: bool,
    /// Where.
    pub place: Place,
    /// Parameters of its URL.
    pub pairs: Vec<(String, String)>,
    /// Its conditions.
    pub conditions: Conditions,
}

impl<'d> Entry<'d> {
    /// Reads an entry.
    ///
    /// # Errors
    /// Why it is no request, its place named.
    pub(super) fn read(call: &Call<'_>, index: usize, entry: Value<'d>) -> Result<Self, Failure> {
        let place = format!("Bundle.entry[{index}].request");
        Self::of(call, index, entry).map_err(|failure| failure.under(&place))
    }

    fn of(call: &Call<'_>, index: usize, entry: Value<'d>) -> Result<Self, Failure> {
        let wrong = |what: &str| error::bad(Code::EntryRequest, what);
        let request = entry.get("request").ok_or_else(|| wrong("give the entry a request"))?;
        let text = |name: &str| request.get(name).and_then(Value::text);
        let method = text("method").ok_or_else(|| wrong("give the request a method"))?;
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|_| wrong("give the request a method of HTTP"))?;
        let url = text("url").ok_or_else(|| wrong("give the request a url"))?;
        let (parts, pairs) = address(call, &url)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (route, place) = routes::find(&method, &parts).ok_or_else(|| serve::no_route(&parts))?;
        if route.gives == Gives::Socket {
            return Err(wrong("a WebSocket cannot be opened inside a bundle"));
        }
        let resource = entry.get("resource");
        match route.takes {
            Takes::Resource | Takes::Patch if resource.is_none() => {
                return Err(wrong("give an entry with POST, PUT or PATCH a resource"));
            }
            Takes::Bundle => return Err(wrong("a bundle cannot be posted inside a bundle")),
            Takes::Form => return Err(wrong("search by GET inside a bundle")),
            _ => {}
        }
        let patch = match resource.filter(|_| route.takes == Takes::Patch) {
            Some(resource) => patch::unwrapped(resource)?,
            None => None,
        };
        let condition = |name: &str| text(name).map(Cow::into_owned);
        Ok(Self {
            index,
            full_url: entry.get("fullUrl").and_then(Value::text),
            resource: resource.filter(|_| route.takes != Takes::Nothing),
            patch,
            route,
            is_head: method == Method::HEAD,
            place,
            pairs,
            conditions: Conditions {
                if_match: condition("ifMatch"),
                if_none_match: condition("ifNoneMatch"),
                if_modified_since: condition("ifModifiedSince"),
                if_none_exist: condition("ifNoneExist"),
                range: None,
            },
        })
    }

    /// The entry as a call of its own.
    #[must_use]
    pub(super) fn call<'c>(&'c self, whole: &'c Call<'_>) -> Call<'c> {
        Call {
            hub: whole.hub,
            kinds: whole.kinds.clone(),
            route: self.route,
            access: whole.access,
            token: whole.token,
            place: self.place.clone(),
            pairs: self.pairs.clone(),
            conditions: self.conditions.clone(),
            // What is asked for later is asked for by itself.
            prefer: Prefer { respond_async: false, ..whole.prefer },
            body: match &self.patch {
                Some((kind, bytes)) => Body::Patch(*kind, bytes),
                None => self.resource.map_or(Body::None, Body::Parsed),
            },
        }
    }
}

/// Path, as a list that begins with `fhir`, and parameters of an entry's URL: relative to the base address, or under it.
fn address(call: &Call<'_>, url: &str) -> Result<(Vec<String>, Pairs), Failure> {
    let bad_encoding = |error: percent::BadEncoding| error::bad(Code::BadEncoding, error.to_string());
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    // `http://hub/fhirPatient` is not under `http://hub/fhir`.
    let under_base =
        path.strip_prefix(call.hub.base_url()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = under_base.unwrap_or(path);
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut parts = vec!["fhir".to_owned()];
    for part in path.split('/').filter(|_| !path.is_empty()) {
        parts.push(percent::path_part(part).map_err(bad_encoding)?);
    }
    Ok((parts, percent::pairs(query).map_err(bad_encoding)?))
}

/// Refuses members that Bundle, its entries and their requests do not have or that are of another JSON type, where
/// nothing else looks at the bundle as a whole: a condition that is written wrongly must not be passed over.
///
/// # Errors
/// 422.
pub(super) fn check_members(root: Value<'_>) -> Result<(), Failure> {
    let check = |value: Value<'_>, def: &str, place: &dyn Fn() -> String| {
        let def = r4().type_of(def).ok_or_else(error::internal)?;
        let mut names = value.members().filter_map(Value::key);
        let unknown = names.find(|name| {
            let name = name.strip_prefix('_').unwrap_or(name);
            name != "resourceType" && def.property(name).is_none()
        });
        match unknown {
            None => Ok(()),
            Some(_) => {
                let what = "leave out, or correct, what is not defined for this element";
                let failure = error::failure(StatusCode::UNPROCESSABLE_ENTITY, Code::UnknownElement, what);
                Err(failure.under(&place()))
            }
        }
    };
    let wrong_type = |code: Code, place: String, what: &str| {
        error::failure(StatusCode::UNPROCESSABLE_ENTITY, code, what).under(&place)
    };
    check(root, "Bundle", &|| "Bundle".into())?;
    if root.get("entry").is_some_and(|entries| entries.kind() != Kind::Array) {
        return Err(wrong_type(Code::ArrayNeeded, "Bundle.entry".into(), "put the entries into an array"));
    }
    for (index, entry) in root.get("entry").into_iter().flat_map(Value::elements).enumerate() {
        check(entry, "Bundle.entry", &|| format!("Bundle.entry[{index}]"))?;
        if let Some(request) = entry.get("request") {
            check(request, "Bundle.entry.request", &|| format!("Bundle.entry[{index}].request"))?;
            let is_text = |name: &&str| request.get(name).is_none_or(|value| value.text().is_some());
            if let Some(name) = REQUEST_TEXTS.iter().find(|name| !is_text(name)) {
                let place = format!("Bundle.entry[{index}].request.{name}");
                return Err(wrong_type(Code::JsonType, place, "write it as a string"));
            }
        }
    }
    Ok(())
}

/// Refuses two entries with the same `fullUrl`.
///
/// # Errors
/// 400, the second named.
pub(super) fn check_full_urls(root: Value<'_>) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for (index, entry) in root.get("entry").into_iter().flat_map(Value::elements).enumerate() {
        let Some(url) = entry.get("fullUrl").and_then(Value::text) else { continue };
        if !seen.insert(url) {
            let failure = error::bad(Code::DuplicateFullUrl, "give each entry a fullUrl of its own");
            return Err(failure.under(&format!("Bundle.entry[{index}].fullUrl")));
        }
    }
    Ok(())
}

/// Writes the members of an entry of the answer.
pub(super) fn write_answer(answer: &Answer, full_url: Option<&str>, is_head: bool, out: &mut Vec<u8>) {
    if let Content::Resource(json) = &answer.content
        && !is_head
    {
        if let Some(url) = full_url {
            out.extend_from_slice(br#""fullUrl":"#);
            write_string(url, out);
            out.push(b',');
        }
        out.extend_from_slice(br#""resource":"#);
        out.extend_from_slice(json);
        out.push(b',');
    }
    out.extend_from_slice(format!(r#""response":{{"status":"{}""#, answer.status.as_u16()).as_bytes());
    if let Some(location) = &answer.location {
        out.extend_from_slice(br#","location":"#);
        write_string(location, out);
    }
    if let Some(version) = answer.version {
        out.extend_from_slice(format!(r#","etag":"W/\"{version}\"""#).as_bytes());
    }
    if let Some(instant) = answer.instant {
        out.extend_from_slice(format!(r#","lastModified":"{}""#, format_instant(instant)).as_bytes());
    }
    if let Content::Outcome(json) = &answer.content {
        out.extend_from_slice(br#","outcome":"#);
        out.extend_from_slice(json);
    }
    out.push(b'}');
}

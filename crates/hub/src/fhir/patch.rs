//! patch and conditional patch (R4, `http.html#patch`): JSON Patch, JSON Merge Patch and FHIRPath Patch.
//!
//! A patch is computed from a version and committed only onto that version: when another client was quicker, it is
//! computed anew from what is there by then, so that no change is lost. Clients that patch the same record wait for one
//! another, since all but one would have to start again.

use std::borrow::Cow;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ieum_fhir::json::{Document, Limits, Value};
use ieum_fhir::outcome::Code;
use ieum_fhir::patch::{self, Bounds};
use ieum_fhir::reference::is_id;
use ieum_fhir::validate::{Validation, validate};
use ieum_store::commit::{Expect, Guard};
use ieum_store::record::Record;
use ieum_trust::door::View;

use super::conditional::{self, Found, Stumble};
use super::create::{prepare, put};
use super::update::{bad_id, document_limits, id_of};
use super::{definitions, error, format, respond, subset};
use crate::call::{Answer, Body, Call, Failure, PatchKind};

/// `PATCH [base]/Type/id`. A patch that changes nothing makes no new version.
pub(super) fn patch(call: &Call<'_>) -> Result<Answer, Failure> {
    subset::check_parameters(call, &[])?;
    if !is_id(&call.place.id) {
        return Err(bad_id());
    }
    call.with_body(&document_limits(call), |patch| {
        conditional::settle(|| {
            let _turn = call.hub.turn_of(&call.place.kind, &call.place.id);
            let view = call.view()?;
            let base = Base::of(call, &view, &call.place.id)?;
            drop(view);
            commit(call, patch, &base, Vec::new())
        })
    })
}

/// `PATCH [base]/Type?criteria`: one record must match.
pub(super) fn patch_conditional(call: &Call<'_>) -> Result<Answer, Failure> {
    call.with_body(&document_limits(call), |patch| {
        let kind = &call.place.kind;
        let query = conditional::criteria(call, kind, &subset::without_format(&call.pairs))?;
        // Which record it is about; what counts is what is found at its turn.
        let view = call.view()?;
        let id = meant(conditional::find(&view, &query)?.0)?;
        drop(view);
        conditional::settle(|| {
            let _turn = call.hub.turn_of(kind, &id);
            let view = call.view()?;
            let (found, guard) = conditional::find(&view, &query)?;
            let base = Base::of(call, &view, &meant(found)?)?;
            drop(view);
            commit(call, patch, &base, vec![guard])
        })
    })
}

/// The record that criteria mean.
///
/// # Errors
/// 404 for none, 412 for several.
pub(super) fn meant(found: Found) -> Result<String, Failure> {
    match found {
        Found::One(id) => Ok(id),
        Found::None => Err(error::not_found()),
        Found::Several => Err(error::multiple_matches()),
    }
}

/// What a patch is applied to.
pub(super) struct Base {
    record: Record,
    /// That the record is still at this version.
    pub(super) expect: Expect,
}

impl Base {
    /// The record as it is now.
    ///
    /// # Errors
    /// 404 and 410 when there is none; 412 when it is not as the conditions say.
    pub(super) fn of(call: &Call<'_>, view: &View<'_>, id: &str) -> Result<Self, Failure> {
        let record = view.read(&call.place.kind, id)?.ok_or_else(error::not_found)?;
        if record.is_deleted() {
            return Err(error::deleted());
        }
        conditional::expectation(call, Some(record.version))?;
        let expect = Expect::Version(record.version);
        Ok(Self { record, expect })
    }

    /// The resource with the patch applied, JSON.
    ///
    /// # Errors
    /// 400 and 422, as the patch fails.
    pub(super) fn patched(&self, call: &Call<'_>, patch: Value<'_>) -> Result<Vec<u8>, Failure> {
        let json = self.record.json();
        let document = Document::parse(&json, &Limits::default())?;
        let bounds = Bounds { bytes: call.hub.limits().body_bytes, ..Bounds::default() };
        let (resource, kind) = (document.root(), kind_of(call));
        Ok(match kind {
            PatchKind::Json => patch::json(resource, patch, &bounds)?,
            PatchKind::Merge => patch::merge(resource, patch, &bounds)?,
            PatchKind::FhirPath => patch::fhirpath(resource, patch, call.hub.now(), &bounds)?,
        })
    }

    /// Validates what a patch has made, as an update would be.
    ///
    /// # Errors
    /// 400 and 422; the id and the type cannot change.
    pub(super) fn check(&self, call: &Call<'_>, resource: Value<'_>) -> Result<Validation, Failure> {
        let validation = validate(resource, Some(&self.record.kind));
        if !validation.is_valid() {
            return Err(error::invalid(validation));
        }
        if id_of(resource).as_deref() != Some(&self.record.id) {
            let what = "a patch cannot change or remove the id";
            return Err(error::failure(StatusCode::UNPROCESSABLE_ENTITY, Code::IdMismatch, what));
        }
        definitions::check(call, Some(&self.record.id), resource)?;
        Ok(validation)
    }
}

fn kind_of(call: &Call<'_>) -> PatchKind {
    match call.body {
        Body::Patch(kind, _) => kind,
        // Read already: the Parameters of an entry.
        Body::None | Body::Bytes(_) | Body::Parsed(_) | Body::Upload(_) => PatchKind::FhirPath,
    }
}

fn commit(call: &Call<'_>, patch: Value<'_>, base: &Base, guards: Vec<Guard>) -> Result<Answer, Stumble> {
    let json = base.patched(call, patch)?;
    let document = Document::parse(&json, &document_limits(call)).map_err(Failure::from)?;
    base.check(call, document.root())?;
    let ready = prepare(call, &base.record.id, document.root())?;
    let body = ready.record.body.clone();
    let changed = put(call, guards, ready, base.expect)?;
    Ok(respond::written(call, &changed, &body))
}

/// The patch inside the Binary of a bundle's entry; `None` for a FHIRPath Patch, which is the Parameters themselves.
///
/// # Errors
/// 400 when it is neither, 415 when the Binary is of another kind.
pub(super) fn unwrapped(resource: Value<'_>) -> Result<Option<(PatchKind, Vec<u8>)>, Failure> {
    let text = |name: &str| resource.get(name).and_then(Value::text);
    match text("resourceType").as_deref() {
        Some("Parameters") => Ok(None),
        Some("Binary") => {
            let kind = text("contentType").as_deref().and_then(format::patch_of).ok_or_else(|| {
                let what =
                    "set Binary.contentType to application/json-patch+json or application/merge-patch+json";
                error::failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::MediaType, what)
            })?;
            let data: Cow<'_, str> = text("data").unwrap_or_default();
            let data: String = data.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
            let bytes = STANDARD.decode(data);
            let bytes = bytes.map_err(|_| error::bad(Code::PatchForm, "give Binary.data in base64"))?;
            Ok(Some((kind, bytes)))
        }
        _ => Err(error::bad(
            Code::PatchForm,
            "give a patch as Parameters, or in a Binary with its contentType",
        )),
    }
}

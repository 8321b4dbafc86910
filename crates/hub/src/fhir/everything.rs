//! Patient `$everything` (R4, `patient-operation-everything.html`): the patient's compartment, page by page, each page
//! with the institutions, practitioners, medicines and other shared records that its records refer to.

use std::collections::HashSet;

use ieum_fhir::definitions::r4;
use ieum_fhir::index::Target;
use ieum_fhir::json::{Document, Limits, Value};
use ieum_fhir::outcome::{Code, Severity};
use ieum_fhir::reference;
use ieum_store::access::Family;
use ieum_store::record::Record;
use ieum_trust::door::View;

use super::page::{self, Bundle, Links};
use super::subset::{self, Subset};
use super::{bulk, error, update};
use crate::call::{Answer, Body, Call, Failure};

/// Shared records that go with one page, at most.
const SHARED_MOST: usize = 1_000;

/// `GET` or `POST [base]/Patient/id/$everything`.
pub(super) fn everything(call: &Call<'_>) -> Result<Answer, Failure> {
    let call = &with_parameters(call)?;
    let subset = subset::asked(call, &["_count", "_since", "_type", "_page"])?;
    let (token, since, count) = (page::token(call)?, page::since(call)?, page::count(call)?);
    let types = types(call)?;
    let view = call.hub.door().resource_view(call.access)?.with_pages_of(call.hub.limits().page_bytes);
    let patient = view.read("Patient", &call.place.id)?.ok_or_else(error::not_found)?;
    if patient.is_deleted() {
        return Err(error::deleted());
    }
    if bulk::later::is_asked(call) {
        return bulk::later::ask(call);
    }
    let size = page::size(call, count).max(1);
    // Shared records are found through clinical ones: asked for, they need all of these to be looked at.
    let catalogue = call.hub.door().catalogue();
    let is_shared = |kind: &str| catalogue.kind(kind).is_some_and(|kind| kind.family == Family::Shared);
    let kinds: &[String] = if types.iter().any(|kind| is_shared(kind)) { &[] } else { &types };
    let found = view.compartment(&patient.id, kinds, since, token, size)?;
    let wanted = |record: &Record| types.is_empty() || types.contains(&record.kind);
    let room = call.hub.limits().page_bytes;
    let mut shared =
        Shared { call, view: &view, since, seen: HashSet::new(), records: Vec::new(), room, cut: false };
    for record in &found.records {
        if shared.cut {
            break;
        }
        shared.add_of(record, &is_shared)?;
    }

    let applied_count = count.map(|_| size.to_string());
    let mut applied = Vec::new();
    for name in ["_since", "_type", "_summary", "_elements"] {
        applied.extend(call.values(name).map(|value| (name, value)));
    }
    applied.extend(applied_count.as_deref().map(|count| ("_count", count)));
    let links = Links::new(call, &format!("/Patient/{}/$everything", patient.id), applied);
    let links = links.of_page(token, found.previous.as_deref(), found.next.as_deref());
    let mut bundle = Bundle::new("searchset", found.total, &links);
    for record in found.records.iter().filter(|record| wanted(record)) {
        bundle.record(call, record, &subset, Some("match"))?;
    }
    let beside = if matches!(subset, Subset::Elements(_)) { &Subset::Whole } else { &subset };
    for record in shared.records.iter().filter(|record| wanted(record)) {
        bundle.record(call, record, beside, Some("include"))?;
    }
    if shared.cut {
        let what = format!(
            "more than {SHARED_MOST} shared records, or more than fits, go with this page; ask for fewer with _count"
        );
        bundle.outcome(&[error::remark(Severity::Warning, Code::IncludesCut, what)])?;
    }
    Ok(Answer::resource(bundle.finish()))
}

/// Shared records that the records of a page refer to.
struct Shared<'s> {
    call: &'s Call<'s>,
    view: &'s View<'s>,
    since: Option<i64>,
    seen: HashSet<(String, String)>,
    records: Vec<Record>,
    /// Bytes that may still be added.
    room: usize,
    cut: bool,
}

impl Shared<'_> {
    fn add_of(&mut self, record: &Record, is_shared: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
        let json = record.plain_json();
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
        let document = Document::parse(&json, &limits).map_err(|_| error::internal())?;
        let mut references = Vec::new();
        collect(document.root(), &mut references);
        for text in references {
            let bases = self.call.hub.door().catalogue().bases();
            let target = reference::target(text, bases, &|kind| r4().is_resource(kind));
            let Some(Target::Local { kind, id }) = target else { continue };
            if !is_shared(&kind) || !self.seen.insert((kind.to_string(), id.to_string())) {
                continue;
            }
            let Some(found) = self.view.read(&kind, &id)?.filter(|found| !found.is_deleted()) else {
                continue;
            };
            if self.since.is_some_and(|since| found.instant < since) {
                continue;
            }
            if self.records.len() >= SHARED_MOST || found.body.len() > self.room {
                self.cut = true;
                return Ok(());
            }
            self.room -= found.body.len();
            self.records.push(found);
        }
        Ok(())
    }
}

/// All `reference` members under a value. As deep as stored documents are, which is bounded where they come in.
fn collect<'d>(value: Value<'d>, found: &mut Vec<std::borrow::Cow<'d, str>>) {
    for child in value.members().chain(value.elements()) {
        match child.text() {
            Some(text) if child.key().is_some_and(|key| key == "reference") => found.push(text),
            Some(_) => {}
            None => collect(child, found),
        }
    }
}

/// The types asked for; none for all.
fn types(call: &Call<'_>) -> Result<Vec<String>, Failure> {
    let names: Vec<&str> = call.values("_type").flat_map(|value| value.split(',')).collect();
    if names.iter().all(|name| r4().is_resource(name)) {
        return Ok(names.into_iter().map(str::to_owned).collect());
    }
    let what = "search parameter _type: must be a list of resource types of FHIR R4";
    Err(error::bad(Code::SearchValue, what))
}

/// The call with the parts of a Parameters resource, if one was sent, as parameters of the URL.
fn with_parameters<'c>(call: &'c Call<'_>) -> Result<Call<'c>, Failure> {
    let mut pairs = call.pairs.clone();
    if !matches!(call.body, Body::None) {
        call.with_body(&update::document_limits(call), |sent| {
            let validation = ieum_fhir::validate::validate(sent, Some("Parameters"));
            if !validation.is_valid() {
                return Err(error::invalid(validation));
            }
            for parameter in sent.get("parameter").into_iter().flat_map(Value::elements) {
                let name = parameter.get("name").and_then(Value::text).unwrap_or_default();
                let is_value = |member: &Value<'_>| member.key().is_some_and(|key| key.starts_with("value"));
                let value = parameter.members().find(is_value);
                let text = value.and_then(|value| value.text().or_else(|| value.number().map(Into::into)));
                let text = text.ok_or_else(|| {
                    error::bad(Code::SearchValue, "each parameter needs a value that is a string or a number")
                })?;
                pairs.push((name.into_owned(), text.into_owned()));
            }
            Ok(())
        })?;
    }
    Ok(Call {
        hub: call.hub,
        route: call.route,
        access: call.access,
        place: call.place.clone(),
        pairs,
        conditions: call.conditions.clone(),
        prefer: call.prefer,
        body: Body::None,
    })
}

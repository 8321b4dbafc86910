//! `$everything` of a Patient, an Encounter and a Group (R4, `patient-operation-everything.html`,
//! `encounter-operation-everything.html`, `group-operation-everything.html`): what is in the compartment of the patient,
//! of the encounter, or of the patients who are members, page by page, each page with the institutions, practitioners,
//! medicines and other shared records that its records refer to.

use ieum_fhir::definitions::r4;
use ieum_fhir::index::TimeRange;
use ieum_fhir::json::Value;
use ieum_fhir::outcome::{Code, Severity};
use ieum_fhir::search::{DateTest, Filter, Prefix, Query, Total, compartment_filter};
use ieum_store::access::Family;
use ieum_store::record::Record;
use ieum_trust::door::{Page, Several, View};

use self::beside::Beside;
use self::care::Care;
use super::page::{self, Bundle, Links};
use super::subset::{self, Subset};
use super::{bulk, error, group, update};
use crate::call::{Answer, Body, Call, Failure};

mod beside;
mod care;

/// Members of a group whose records can be asked for at once: each page looks at all of them.
const MEMBERS_MOST: usize = 1_000;

/// `GET` or `POST [base]/Patient/id/$everything`, and the same of an Encounter and a Group.
pub(super) fn everything(call: &Call<'_>) -> Result<Answer, Failure> {
    let call = &with_parameters(call)?;
    let of_care: &[&str] = if call.place.kind == "Encounter" { &[] } else { &["start", "end"] };
    let subset = subset::asked(call, &[&["_count", "_since", "_type", "_page"], of_care].concat())?;
    let (token, since, count) = (page::token(call)?, page::since(call)?, page::count(call)?);
    let care = Care::asked(call)?;
    let types = types(call)?;
    let view = call.view()?.with_pages_of(call.hub.limits().page_bytes);
    let owner = view.read(&call.place.kind, &call.place.id)?.ok_or_else(error::not_found)?;
    if owner.is_deleted() {
        return Err(error::deleted());
    }
    if bulk::later::is_asked(call) {
        return bulk::later::ask(call);
    }
    let size = page::size(call, count).max(1);
    // An encounter's patient is not in its compartment, and belongs to what is to be known of it.
    let catalogue = call.kinds.catalogue();
    let is_shared = |kind: &str| catalogue.kind(kind).is_some_and(|kind| kind.family == Family::Shared);
    let goes_beside = |kind: &str| is_shared(kind) || owner.kind == "Encounter" && kind == "Patient";
    // These are found through the others: asked for, they need all of them to be looked at.
    let kinds: &[String] = if types.iter().any(|kind| goes_beside(kind)) { &[] } else { &types };
    let mut found = records(call, &view, &owner, (kinds, since, &care), token, size)?;
    care.keep(&mut found.records)?;
    let wanted = |record: &Record| types.is_empty() || types.contains(&record.kind);
    let mut beside = Beside::new(call, &view, since);
    for record in &found.records {
        if beside.cut {
            break;
        }
        beside.add_of(record, &goes_beside)?;
    }

    let applied_count = count.map(|_| size.to_string());
    let mut applied = Vec::new();
    for name in ["_since", "_type", "start", "end", "_summary", "_elements"] {
        applied.extend(call.values(name).map(|value| (name, value)));
    }
    applied.extend(applied_count.as_deref().map(|count| ("_count", count)));
    let links = Links::new(call, &format!("/{}/{}/$everything", owner.kind, owner.id), applied);
    let links = links.of_page(token, found.previous.as_deref(), found.next.as_deref());
    let mut bundle = Bundle::new("searchset", found.total, &links);
    for record in found.records.iter().filter(|record| wanted(record)) {
        bundle.record(call, record, &subset, Some("match"))?;
    }
    let of_beside = if matches!(subset, Subset::Elements(_)) { &Subset::Whole } else { &subset };
    for record in beside.records.iter().filter(|record| wanted(record)) {
        bundle.record(call, record, of_beside, Some("include"))?;
    }
    if beside.cut {
        let most = beside::MOST;
        let what = format!(
            "more than {most} shared records, or more than fits, go with this page; ask for fewer with _count"
        );
        bundle.outcome(&[error::remark(Severity::Warning, Code::IncludesCut, what)])?;
    }
    Ok(Answer::resource(bundle.finish()))
}

/// A page of the records themselves.
fn records(
    call: &Call<'_>,
    view: &View<'_>,
    owner: &Record,
    (kinds, since, care): (&[String], Option<i64>, &Care),
    token: Option<&str>,
    size: usize,
) -> Result<Page, Failure> {
    let about = format!("everything of {}/{} {care:?}", owner.kind, owner.id);
    match owner.kind.as_str() {
        "Encounter" => {
            let queries = of_encounter(&owner.id, kinds, since);
            let about = format!("{about} {kinds:?} {since:?}");
            let found = view.search_several(Several { about: &about, queries: &queries }, token, size)?;
            Ok(Page { total: None, ..found })
        }
        "Group" => {
            let members = group::members(call.hub, owner)?;
            if members.len() > MEMBERS_MOST {
                let what = format!(
                    "a group of more than {MEMBERS_MOST} patients is exported: [base]/Group/id/$export"
                );
                return Err(error::bad(Code::SearchTooCostly, what));
            }
            Ok(view.compartment(&about, &members, (kinds, since), token, size)?)
        }
        _ => {
            let patient = std::slice::from_ref(&owner.id);
            Ok(view.compartment(&about, patient, (kinds, since), token, size)?)
        }
    }
}

/// A query for each kind of record in an encounter's compartment.
fn of_encounter(id: &str, kinds: &[String], since: Option<i64>) -> Vec<Query> {
    let is_asked = |kind: &&&str| kinds.is_empty() || kinds.iter().any(|asked| asked == *kind);
    let query = |kind: &&str| {
        let mut filters = vec![compartment_filter("Encounter", id, kind)?];
        let from = since.map(|lo| TimeRange { lo, hi: lo });
        let from = from.map(|range| Filter::LastUpdated(vec![DateTest { prefix: Prefix::Ge, range }]));
        filters.extend(from);
        Some(Query { kind: (*kind).to_owned(), filters, total: Total::None, ..Query::default() })
    };
    r4().resource_types().iter().filter(is_asked).filter_map(query).collect()
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
        kinds: call.kinds.clone(),
        route: call.route,
        access: call.access,
        token: call.token,
        place: call.place.clone(),
        pairs,
        conditions: call.conditions.clone(),
        prefer: call.prefer,
        body: Body::None,
    })
}

//! search by GET and POST: of a type, of all types, and within a compartment (R4, `http.html#search`, `search.html`
//! and `compartmentdefinition.html`).

use ieum_fhir::definitions::r4;
use ieum_fhir::outcome::{Code, Issue, Severity};
use ieum_fhir::search::{
    self, ContainedGive, ContainedSearch, Query, Summary, compartment_filter, parse_system,
};
use ieum_trust::door::{Page, Several, View};

use super::page::{self, Bundle, Links};
use super::subset::{self, Subset};
use super::{bulk, error, search_context, value_sets};
use crate::call::{Answer, Call, Failure};

/// Parameters that are none of R4's: our page token, and the way to count that the client `fhirpy` asks every server
/// for. Totals are exact here in any case.
const OWN: [&str; 2] = ["_page", "_totalMethod"];

/// The types that own a compartment (R4, `compartmentdefinition.html`).
pub(super) const COMPARTMENTS: [&str; 5] =
    ["Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"];

/// Parameters that change what a page shows, and not which records the answer has: a page token stays good.
const SHAPE: [&str; 6] = ["_count", "_total", "_summary", "_elements", "_include", "_revinclude"];

/// `GET [base]/Type?…` and `POST [base]/Type/_search`.
pub(super) fn search(call: &Call<'_>) -> Result<Answer, Failure> {
    let pairs = pairs(call);
    let sets = value_sets::of_call(call);
    let query = search::parse(&call.place.kind, &pairs, &search_context(call, &sets, !call.prefer.lenient))?;
    answer(call, &Asked { path: format!("/{}", query.kind), pairs, shape: query, kinds: Kinds::One })
}

/// `GET [base]?…` and `POST [base]/_search`: all types, or those that `_type` names.
pub(super) fn search_system(call: &Call<'_>) -> Result<Answer, Failure> {
    let pairs = types_first(pairs(call));
    let sets = value_sets::of_call(call);
    let context = search_context(call, &sets, !call.prefer.lenient);
    let queries = parse_system(r4().resource_types(), &pairs, &context)?;
    let is_named = pairs.iter().any(|(name, _)| name == "_type");
    let kinds = if is_named { Kinds::Named(queries) } else { Kinds::Any(queries) };
    answer_several(call, String::new(), pairs, kinds)
}

/// `GET [base]/Patient/id/Type?…`, `GET [base]/Patient/id/*?…` and the same by POST: what is in a compartment. Who owns
/// it need not be there: records may refer to somebody who is not.
pub(super) fn search_compartment(call: &Call<'_>) -> Result<Answer, Failure> {
    let place = &call.place;
    let within = |kind: &str| compartment_filter(&place.kind, &place.id, kind);
    if !COMPARTMENTS.contains(&place.kind.as_str()) {
        return Err(error::no_compartment(&COMPARTMENTS.join(", ")));
    }
    let path = format!("/{}/{}/{}", place.kind, place.id, place.inner);
    let sets = value_sets::of_call(call);
    let context = search_context(call, &sets, !call.prefer.lenient);
    if place.inner == "*" {
        let pairs = types_first(pairs(call));
        let members: Vec<&str> =
            r4().resource_types().iter().copied().filter(|kind| within(kind).is_some()).collect();
        let mut queries = parse_system(&members, &pairs, &context)?;
        for query in &mut queries {
            query.filters.extend(within(&query.kind));
        }
        return answer_several(call, path, pairs, Kinds::Named(queries));
    }
    if !r4().is_resource(&place.inner) {
        return Err(error::unknown_type());
    }
    let Some(filter) = within(&place.inner) else {
        return Err(error::no_compartment("none that records of this type are in"));
    };
    let pairs = pairs(call);
    let mut query = search::parse(&place.inner, &pairs, &context)?;
    query.filters.push(filter);
    answer(call, &Asked { path, pairs, shape: query, kinds: Kinds::One })
}

/// A search that has been read.
struct Asked {
    /// Path under the base address.
    path: String,
    /// Parameters, in the order in which the parser reads them.
    pairs: Vec<(String, String)>,
    /// The query; of several the first, which tells what is the same in all.
    shape: Query,
    kinds: Kinds,
}

/// Which kinds are searched.
enum Kinds {
    /// That of the query.
    One,
    /// Those of these queries.
    Named(Vec<Query>),
    /// Those of these queries that hold records.
    Any(Vec<Query>),
}

fn pairs(call: &Call<'_>) -> Vec<(String, String)> {
    call.pairs.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).cloned().collect()
}

/// `_type` is read before everything else.
fn types_first(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let (types, rest): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "_type");
    types.into_iter().chain(rest).collect()
}

fn answer_several(
    call: &Call<'_>,
    path: String,
    pairs: Vec<(String, String)>,
    kinds: Kinds,
) -> Result<Answer, Failure> {
    let (Kinds::Named(queries) | Kinds::Any(queries)) = &kinds else { return Err(error::internal()) };
    let shape = queries.first().cloned().ok_or_else(error::unknown_type)?;
    let contained = shape.contained;
    if contained.search != ContainedSearch::No && contained.give == ContainedGive::Container {
        // A record with contained resources of several types would be found once for each.
        let what = "search parameter _contained: with several types _containedType must be contained";
        return Err(error::bad(Code::SearchNotSupported, what));
    }
    answer(call, &Asked { path, pairs, shape, kinds })
}

fn answer(call: &Call<'_>, asked: &Asked) -> Result<Answer, Failure> {
    let token = page::token(call)?;
    let query = &asked.shape;
    let subset = subset::of_query(query)?;
    if bulk::later::is_asked(call) {
        return bulk::later::ask(call);
    }
    let size = page::size(call, query.count);
    let count = size.to_string();
    let links = Links::new(call, &asked.path, applied(query, &count));
    let mut remarks = passed_over(&asked.pairs, query);
    let view = call.view()?.with_pages_of(call.hub.limits().page_bytes);
    if query.summary == Summary::Count || size == 0 {
        let total = asked.count(&view)?;
        let mut bundle = Bundle::new("searchset", Some(total), &links.of_page(None, None, None));
        tell(&mut bundle, &remarks)?;
        return Ok(Answer::resource(bundle.finish()));
    }

    let found = asked.page(&view, token, size)?;
    let links = links.of_page(token, found.previous.as_deref(), found.next.as_deref());
    let mut bundle = Bundle::new("searchset", found.total, &links);
    let parts = found.parts.iter().map(Option::as_deref).chain(std::iter::repeat(None));
    for (record, part) in found.records.iter().zip(parts) {
        match part {
            Some(part) => bundle.part(call, record, part, &subset)?,
            None => bundle.record(call, record, &subset, Some("match"))?,
        }
    }
    // `_elements` names elements of what is searched, and would leave nothing of other types.
    let included = if matches!(subset, Subset::Elements(_)) { Subset::Whole } else { subset };
    for record in &found.included.records {
        bundle.record(call, record, &included, Some("include"))?;
    }
    let longest = call.hub.limits().uri_bytes;
    if links.iter().any(|(_, url)| url.len() > longest) {
        let what = "post what follows the ? of a long link as a form to the same address with /_search";
        remarks.push(error::remark(Severity::Information, Code::LongLink, what));
    }
    tell(&mut bundle, &remarks)?;
    if found.included.cut {
        let most = ieum_store::include::MOST;
        let what = format!(
            "more than {most} records, or more than fits, go with this page; ask for fewer with _count"
        );
        bundle.outcome(&[error::remark(Severity::Warning, Code::IncludesCut, what)])?;
    }
    Ok(Answer::resource(bundle.finish()))
}

impl Asked {
    fn count(&self, view: &View<'_>) -> Result<u64, Failure> {
        Ok(match self.queries(view)? {
            None => view.count(&self.shape)?,
            Some(queries) => view.count_several(&queries)?,
        })
    }

    fn page(&self, view: &View<'_>, token: Option<&str>, size: usize) -> Result<Page, Failure> {
        let Some(queries) = self.queries(view)? else { return Ok(view.search(&self.shape, token, size)?) };
        let is_asked = |name: &str| !SHAPE.contains(&name.split(':').next().unwrap_or(name));
        let applied: Vec<_> = self.shape.applied.iter().filter(|(name, _)| is_asked(name)).collect();
        let about = format!("{:?} {applied:?}", self.path);
        let mut found = view.search_several(Several { about: &about, queries: &queries }, token, size)?;
        if queries.is_empty() && self.shape.total == search::Total::None {
            found.total = None;
        }
        Ok(found)
    }

    /// The queries, if there are several.
    fn queries(&self, view: &View<'_>) -> Result<Option<std::borrow::Cow<'_, [Query]>>, Failure> {
        Ok(match &self.kinds {
            Kinds::One => None,
            Kinds::Named(queries) => Some(queries.into()),
            Kinds::Any(queries) => {
                let census = view.census()?;
                // What is contained counts as part of its container there.
                let is_held = |query: &&Query| {
                    query.contained.search != ContainedSearch::No
                        || census.iter().any(|(kind, _)| *kind == query.kind)
                };
                Some(queries.iter().filter(is_held).cloned().collect())
            }
        })
    }
}

/// The parameters in effect, with the page size that is really used.
fn applied<'q>(query: &'q Query, count: &'q str) -> Vec<(&'q str, &'q str)> {
    let pairs = query.applied.iter();
    pairs
        .map(|(name, value)| (name.as_str(), if name == "_count" { count } else { value.as_str() }))
        .collect()
}

/// What lenient handling passed over. What took effect is a part of what was asked, in the same order.
fn passed_over(pairs: &[(String, String)], query: &Query) -> Vec<Issue> {
    let mut applied = query.applied.iter().peekable();
    let mut remarks = Vec::new();
    for pair in pairs.iter().filter(|(name, _)| name != "_format" && name != "_pretty") {
        if applied.peek() == Some(&pair) {
            applied.next();
            continue;
        }
        // A name that looks like none could be a value in the wrong place.
        let is_legible = pair.0.len() <= 64
            && pair.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte));
        let name = if is_legible { pair.0.as_str() } else { "(not legible)" };
        let what =
            format!("search parameter {name}: was passed over, because it does not exist or has no value");
        remarks.push(error::remark(Severity::Warning, Code::ParameterPassedOver, what));
    }
    remarks
}

fn tell(bundle: &mut Bundle, remarks: &[Issue]) -> Result<(), Failure> {
    if remarks.is_empty() { Ok(()) } else { bundle.outcome(remarks) }
}

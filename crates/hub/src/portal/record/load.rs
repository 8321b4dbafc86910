//! The searches behind the pages. Each page makes a handful of them, whatever is in the record, and each has a bound.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use ieum_fhir::search::parse::{Limits, ParseContext, parse};
use ieum_fhir::search::{Query, Total};
use ieum_trust::door::{Page, View};

use super::concept::Concept;
use super::fields::{is_valid, read, read_all, text};
use super::medicine::{self, Prescription};
use super::person::Person;
use crate::portal::call::{Call, Refusal};

/// Measurements that an overview is made from.
pub(crate) const MEASUREMENTS: usize = 600;
/// Records of any other kind that a list shows.
pub(crate) const LIST: usize = 300;
/// Records that belong to the visits of one page of the timeline.
pub(crate) const OF_VISITS: usize = 1_000;

/// What was found, and what of it was left out.
#[derive(Debug, Clone)]
pub(crate) struct Found<T> {
    /// The newest that count.
    pub(crate) items: Vec<T>,
    /// How many were asked for.
    pub(crate) limit: usize,
    /// Whether there are more than that.
    pub(crate) is_cut: bool,
    /// How many were left out because they do not count.
    pub(crate) withdrawn: usize,
}

/// Names of institutions and practitioners, by id.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// The name behind an id.
    pub(crate) fn get(&self, id: Option<&String>) -> Option<&str> {
        id.and_then(|id| self.0.get(id)).map(String::as_str)
    }
}

/// A search written as in a URL.
///
/// # Errors
/// [`Refusal::Broken`] when it is no search: a bug, because pages write them.
pub(crate) fn query(call: &Call<'_>, kind: &str, pairs: &[(&str, &str)]) -> Result<Query, Refusal> {
    let hub = call.portal.hub();
    let catalogue = hub.door().catalogue();
    let context = ParseContext {
        parameters: &*catalogue,
        value_sets: &ieum_fhir::search::R4,
        bases: catalogue.bases(),
        now_micros: hub.now(),
        strict: true,
        limits: Limits::default(),
    };
    let pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let query = parse(kind, &pairs, &context).map_err(|errors| {
        let problems: Vec<String> = errors.iter().map(|error| format!("{:?}", error.problem)).collect();
        Refusal::Broken(format!("a search on {kind} is not understood: {}", problems.join(", ")))
    })?;
    Ok(Query { total: Total::None, ..query })
}

/// A value in which commas, bars and dollars mean themselves.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        if matches!(letter, '\\' | ',' | '|' | '$') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// One search.
pub(crate) fn search(
    call: &Call<'_>,
    view: &View<'_>,
    kind: &str,
    pairs: &[(&str, &str)],
    token: Option<&str>,
    limit: usize,
) -> Result<Page, Refusal> {
    Ok(view.search(&query(call, kind, pairs)?, token, limit)?)
}

/// A patient's records of one kind, the newest first, up to a bound.
pub(crate) fn records<T>(
    call: &Call<'_>,
    view: &View<'_>,
    kind: &str,
    pairs: &[(&str, &str)],
    limit: usize,
    work: impl Fn(Value<'_>) -> T,
) -> Result<Found<T>, Refusal> {
    let page = search(call, view, kind, pairs, None, limit)?;
    let (items, withdrawn) = counting(&page, work);
    Ok(Found { items, limit, is_cut: page.next.is_some(), withdrawn })
}

/// The records of a page that count, and how many do not.
pub(crate) fn counting<T>(page: &Page, work: impl Fn(Value<'_>) -> T) -> (Vec<T>, usize) {
    let all = read_all(&page.records, |resource| is_valid(resource).then(|| work(resource)));
    let read = all.len();
    let items: Vec<T> = all.into_iter().flatten().collect();
    let withdrawn = read - items.len();
    (items, withdrawn)
}

/// The value of `date` that what lies ahead of this moment does not have.
pub(crate) fn until_now(call: &Call<'_>) -> String {
    format!("le{}", call.now())
}

/// The patient, if this reader reaches them.
///
/// # Errors
/// [`Refusal::NotFound`] when there is no such patient for this reader.
pub(crate) fn person(view: &View<'_>, id: &str) -> Result<Person, Refusal> {
    let record = view.read("Patient", id)?.ok_or(Refusal::NotFound)?;
    read(&record, Person::read).ok_or(Refusal::NotFound)
}

/// Names of these institutions and practitioners, in two searches.
pub(crate) fn names(
    call: &Call<'_>,
    view: &View<'_>,
    institutions: impl IntoIterator<Item = String>,
    practitioners: impl IntoIterator<Item = String>,
) -> Result<Names, Refusal> {
    let mut names = Names::default();
    let asked = [("Organization", by_id(institutions)), ("Practitioner", by_id(practitioners))];
    for (kind, ids) in asked {
        if ids.is_empty() {
            continue;
        }
        let page = search(call, view, kind, &[("_id", &ids)], None, LIST)?;
        names.0.extend(read_all(&page.records, named));
    }
    Ok(names)
}

fn named(resource: Value<'_>) -> (String, String) {
    let name = text(resource, &["name"]).or_else(|| text(resource, &["name", "text"])).or_else(|| {
        Some(format!("{} {}", text(resource, &["name", "given"])?, text(resource, &["name", "family"])?))
    });
    (text(resource, &["id"]).unwrap_or_default(), name.unwrap_or_default())
}

/// Completes prescriptions with the names in the shared list of medicines, in one search.
pub(crate) fn complete(
    call: &Call<'_>,
    view: &View<'_>,
    prescriptions: &mut [Prescription],
) -> Result<(), Refusal> {
    let ids = by_id(prescriptions.iter().filter_map(|prescription| prescription.medication.clone()));
    if ids.is_empty() {
        return Ok(());
    }
    let page = search(call, view, "Medication", &[("_id", &ids)], None, LIST)?;
    let list: HashMap<String, (Concept, Option<Concept>)> =
        read_all(&page.records, medicine::medication).into_iter().collect();
    for prescription in prescriptions {
        prescription.complete(&list);
    }
    Ok(())
}

/// Ids as the value of `_id`, each once, at most [`LIST`] of them.
fn by_id(ids: impl IntoIterator<Item = String>) -> String {
    let mut ids: Vec<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    ids.sort();
    ids.dedup();
    ids.truncate(LIST);
    ids.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_means_itself() {
        assert_eq!(escaped(r"a,b|c$d\e"), r"a\,b\|c\$d\\e");
        assert_eq!(by_id(["b".to_owned(), "a".to_owned(), "b".to_owned(), String::new()]), "a,b");
    }
}

//! What goes with a page, found by looking at all that was written: nothing here knows how the engines include.

use std::collections::{BTreeMap, BTreeSet};

use ieum_store::access::AccessPlan;
use ieum_store::engine::SearchRequest;
use ieum_store::include::included;
use proptest::prelude::*;
use serde_json::Value;

use super::definitions;
use super::records::Step;
use crate::support::{BASE, Store, memory};

type Address = (String, String);

/// References that lead on: kind, parameter, where they stand, a kind they lead to, and whether only that is wanted.
const REFERENCES: &[(&str, &str, &[&str], &str, bool)] = &[
    ("Patient", "organization", &["managingOrganization"], "Organization", false),
    ("Observation", "subject", &["subject"], "Patient", false),
    ("Observation", "patient", &["subject"], "Patient", true),
    ("Observation", "encounter", &["encounter"], "Encounter", false),
    ("Encounter", "service-provider", &["serviceProvider"], "Organization", false),
    ("Encounter", "location", &["location", "location"], "Location", false),
    ("Encounter", "part-of", &["partOf"], "Encounter", false),
    ("Organization", "partof", &["partOf"], "Organization", false),
    ("Appointment", "actor", &["participant", "actor"], "Patient", false),
    ("MedicationRequest", "medication", &["medicationReference"], "Medication", false),
    ("List", "item", &["entry", "item"], "Observation", false),
    ("List", "item", &["entry", "item"], "Patient", true),
    ("DocumentReference", "relatesto", &["relatesTo", "target"], "DocumentReference", false),
];

/// Everything as it was written last, deleted records left out.
pub(super) struct Written(BTreeMap<Address, Value>);

impl Written {
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut all = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(json) => {
                    let record: Value = serde_json::from_str(json).unwrap();
                    let text = |name: &str| record[name].as_str().unwrap().to_owned();
                    all.insert((text("resourceType"), text("id")), record);
                }
                Step::Delete(kind, id) => drop(all.remove(&((*kind).to_owned(), id.clone()))),
            }
        }
        Self(all)
    }

    /// A store that holds what this caller sees, and never held the rest.
    pub(super) fn alone(&self, store: &Store, access: &AccessPlan) -> Store {
        let read = |(kind, id): &Address| store.read(access, kind, id).filter(|record| !record.is_deleted());
        let seen = self.0.iter().filter_map(|(address, json)| Some((read(address)?.instant, json)));
        let mut seen: Vec<(i64, &Value)> = seen.collect();
        seen.sort_by_key(|(instant, _)| *instant);
        let alone = memory();
        alone.define(&definitions::THEN);
        for (instant, json) in seen {
            alone.clock.set(instant);
            alone.put(&json.to_string());
        }
        alone.index_all();
        alone
    }

    /// Each reference asked for from the page of all records of its kind, back from the page of all it may lead to, and
    /// on and on from one record.
    pub(super) fn same_includes(
        &self,
        stores: [&Store; 2],
        access: &AccessPlan,
    ) -> Result<(), TestCaseError> {
        let seen: BTreeSet<Address> =
            self.0.keys().filter(|address| is_seen(stores[0], access, address)).cloned().collect();
        for &(source, param, path, back, only) in REFERENCES {
            let wanted = only.then_some(back);
            let target = wanted.map_or(String::new(), |kind| format!(":{kind}"));
            let leads = |from: &Address| self.leads(from, path, wanted);
            let of_kind =
                |kind: &str| seen.iter().filter(|(name, _)| name == kind).cloned().collect::<BTreeSet<_>>();

            let page = of_kind(source);
            let all: BTreeSet<Address> = page.iter().flat_map(leads).collect();
            let expected =
                all.intersection(&seen).filter(|address| !page.contains(address)).cloned().collect();
            same(stores, access, &format!("{source}?_include={source}:{param}{target}"), &expected)?;

            let goal = of_kind(back);
            let refer = |from: &&Address| leads(from).iter().any(|to| goal.contains(to));
            let expected = page.iter().filter(refer).filter(|from| !goal.contains(*from)).cloned().collect();
            same(stores, access, &format!("{back}?_revinclude={source}:{param}:{back}"), &expected)?;

            let Some(first) = page.first() else { continue };
            let mut reached = BTreeSet::from([first.clone()]);
            let mut from = vec![first.clone()];
            while let Some(next) = from.pop() {
                let on = leads(&next).into_iter().filter(|to| seen.contains(to));
                from.extend(on.filter(|to| reached.insert(to.clone())));
            }
            reached.remove(first);
            let url = format!("{source}?_id={}&_include:iterate={source}:{param}{target}", first.1);
            same(stores, access, &url, &reached)?;
        }
        Ok(())
    }

    /// The records here that a record refers to.
    fn leads(&self, from: &Address, path: &[&str], wanted: Option<&str>) -> Vec<Address> {
        let mut values = self.0.get(from).into_iter().collect::<Vec<_>>();
        for name in path {
            values = values.into_iter().flat_map(|value| each(&value[*name])).collect();
        }
        let local = |value: &Value| {
            let text = value["reference"].as_str()?;
            let text = text.strip_prefix(BASE).map_or(text, |rest| rest.trim_start_matches('/'));
            let mut parts = text.split('/');
            let (kind, id) = (parts.next()?, parts.next()?);
            let is_here = !kind.starts_with("http") && wanted.is_none_or(|wanted| wanted == kind);
            is_here.then(|| (kind.to_owned(), id.to_owned()))
        };
        values.into_iter().filter_map(local).collect()
    }
}

/// The elements of an array, or the one value.
fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |all| all.iter().collect())
}

fn is_seen(store: &Store, access: &AccessPlan, (kind, id): &Address) -> bool {
    store.read(access, kind, id).is_some_and(|record| !record.is_deleted())
}

fn same(
    stores: [&Store; 2],
    access: &AccessPlan,
    url: &str,
    expected: &BTreeSet<Address>,
) -> Result<(), TestCaseError> {
    for store in stores {
        let query = store.query(url);
        let request = SearchRequest { query: &query, after: None, backward: false, limit: 1_000 };
        let page = store.page(access, &request);
        let snapshot = store.engine.snapshot().unwrap();
        let includes = &query.includes;
        let found = included(&*snapshot, access, includes, &page.records, usize::MAX).unwrap();
        prop_assert!(!found.cut, "{}", url);
        let count = found.records.len();
        let found: BTreeSet<Address> =
            found.records.into_iter().map(|record| (record.kind, record.id)).collect();
        prop_assert_eq!(found.len(), count, "{} gives something twice", url);
        prop_assert_eq!(&found, expected, "{} for {:?}", url, access);
    }
    Ok(())
}

//! Random records, random questions: the engine must answer as the oracle does, and as a store would that never held what
//! the caller may not see.
//!
//! Values come from small alphabets, so that questions hit. `IEUM_CASES` sets how many stores are made (each is asked
//! 60 questions, each by four of eight callers); the failing seed is printed by proptest.

mod definitions;
mod includes;
mod questions;
mod records;

use std::cell::Cell;
use std::sync::Arc;

use ieum_fhir::search::{Query, compartment_filter};
use ieum_store::access::{AccessPlan, Reach, Selection};
use ieum_store::alone::can_be_judged;
use ieum_store::commit::Expect;
use ieum_store::engine::{CompartmentRequest, HistoryRequest, HistoryScope};
use ieum_store::sensitive::SensitiveCodes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::evidence::acting_for;
use crate::support::{Store, everything, memory, only, sqlite};
use includes::Written;
use records::Step;

/// Stores made in an ordinary run.
const CASES: u32 = 60;

fn cases() -> u32 {
    std::env::var("IEUM_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

#[test]
fn the_engine_answers_as_the_oracle_does() {
    let mut runner =
        TestRunner::new(Config { cases: cases(), failure_persistence: None, ..Config::default() });
    let steps = proptest::collection::vec(records::step(), 30..120);
    let definitions = (0..30_usize, 0..30_usize);
    let urls = proptest::collection::vec(questions::url(), 60);
    let (asked, answered) = (Cell::new(0_u64), Cell::new(0_u64));
    runner
        .run(&(steps, urls, 1..7_usize, definitions), |(steps, urls, limit, (defined, redefined))| {
            let (oracle, engine) = (memory(), sqlite());
            for (time, step) in steps.iter().enumerate() {
                for store in [&oracle, &engine] {
                    // They come into force while records are written, and some change their meaning on the way.
                    match time {
                        _ if time == defined => store.define(&definitions::FIRST),
                        _ if time == defined + redefined + 1 => store.define(&definitions::THEN),
                        _ if time == redefined + 5 => label_some_codes(store),
                        _ => drop(store.index_some(2)),
                    }
                }
                let time = 1_770_000_000_000_000 + i64::try_from(time).unwrap() * 86_400_000_000;
                assert_eq!(write(&oracle, step, time), write(&engine, step, time));
            }
            for store in [&oracle, &engine] {
                store.define(&definitions::THEN);
                store.index_all();
            }
            prop_assert_eq!(engine.check().faults, Vec::<String>::new());
            let written = Written::of(&steps);
            let alone = callers().map(|access| written.alone(&oracle, &access));
            for (turn, url) in urls.iter().enumerate() {
                // Every second of them, in turn: all would take twice as long and find little more.
                let asking = callers().into_iter().zip(&alone).skip(turn % 2).step_by(2);
                for (access, alone) in asking {
                    let without_the_rest = alone.find(&everything(), url);
                    prop_assert_eq!(engine.find(&access, url), without_the_rest, "{} for {:?}", url, access);
                    let found = same_answer(&oracle, &engine, &access, url, limit)?;
                    asked.set(asked.get() + 1);
                    answered.set(answered.get() + u64::from(found > 0));
                }
            }
            for access in callers() {
                written.same_includes([&oracle, &engine], &access)?;
                same_reading(&oracle, &engine, &access, limit)?;
            }
            Ok(())
        })
        .unwrap();
    eprintln!("{} questions, {} with an answer", asked.get(), answered.get());
    assert!(answered.get() * 5 > asked.get(), "most questions find nothing: they prove little");
}

/// Where one value ends and another begins, chance seldom asks: here each prefix meets each value.
#[test]
fn every_prefix_meets_every_value() {
    let (oracle, engine) = (memory(), sqlite());
    let mut records = Vec::new();
    for (place, moment) in records::MOMENTS.iter().enumerate() {
        let forms = [
            format!(r#""effectiveDateTime":{moment}"#),
            format!(r#""effectivePeriod":{{"start":{moment}}}"#),
            format!(r#""effectivePeriod":{{"end":{moment}}}"#),
            format!(r#""effectivePeriod":{{"start":{moment},"end":"2026-03-01"}}"#),
        ];
        let observation = |(form, members): (usize, &String)| {
            format!(r#"{{"resourceType":"Observation","id":"d{place}f{form}",{members}}}"#)
        };
        records.extend(forms.iter().enumerate().map(observation));
        records
            .push(format!(r#"{{"resourceType":"Encounter","id":"e{place}","period":{{"start":{moment}}}}}"#));
        records.push(format!(r#"{{"resourceType":"Patient","id":"p{place}","birthDate":{moment}}}"#));
        records.push(format!(r#"{{"resourceType":"Appointment","id":"a{place}","start":{moment}}}"#));
        records.push(format!(r#"{{"resourceType":"TestNote","id":"t{place}","made":{moment}}}"#));
    }
    for (place, quantity) in records::QUANTITIES.iter().enumerate() {
        records
            .push(format!(r#"{{"resourceType":"Observation","id":"q{place}","valueQuantity":{quantity}}}"#));
        let value = serde_json::from_str::<serde_json::Value>(quantity).unwrap()["value"].to_string();
        records
            .push(format!(r#"{{"resourceType":"TestNote","id":"s{place}","parts":[{{"size":{value}}}]}}"#));
    }
    for store in [&oracle, &engine] {
        store.clock.set(1_770_000_000_000_000);
        store.commit(records.iter().map(|json| store.put_change(json, Expect::New)).collect()).unwrap();
        store.define(&definitions::THEN);
        store.index_all();
    }
    let urls = questions::comparisons();
    assert!(urls.len() > 1_000);
    for url in urls {
        assert_eq!(engine.find(&everything(), &url), oracle.find(&everything(), &url), "{url}");
    }
}

/// Everybody, one patient, somebody from whom a class is hidden, somebody for whom there are some selections alone, and those who
/// act for an institution: a person, one from whom a class is hidden, one about one patient, and a system.
fn callers() -> [AccessPlan; 8] {
    let mut about = acting_for("o1", Some("dr"));
    if let Reach::Institution(institution) = &mut about.clinical {
        institution.about = Some(vec!["p1".into()]);
    }
    [
        acting_for("o1", Some("dr")),
        AccessPlan { denied: 2, system: true, ..acting_for("o2", Some("dr")) },
        about,
        acting_for("o1", None),
        everything(),
        only(&["p1", "p3"]),
        AccessPlan { denied: 2, system: false, ..everything() },
        AccessPlan { only: Some(selections()), ..everything() },
    ]
}

/// Codes that hide records from those who do not see the class.
fn label_some_codes(store: &Store) {
    let mut codes = SensitiveCodes::default();
    codes.add("http://b.test", "x", false, 2).unwrap();
    store.engine.set_sensitive(&Arc::new(codes)).unwrap();
}

/// What scopes may name: whole kinds, and some records of others.
fn selections() -> Vec<Selection> {
    let store = memory();
    let some = |url: &str| {
        let query = store.try_query(url).unwrap();
        Selection { kind: query.kind, filters: query.filters }
    };
    vec![
        some("Observation?status=final"),
        some("Observation?category:missing=true&date=ge2026-01-01"),
        some("Encounter?status:not=planned"),
        Selection::of_kind("Patient"),
    ]
}

/// Conditions that can be judged of one record alone hold for exactly the records that the search finds.
#[test]
fn a_record_alone_is_judged_as_the_search_finds_it() {
    let mut runner =
        TestRunner::new(Config { cases: cases() / 2, failure_persistence: None, ..Config::default() });
    let steps = proptest::collection::vec(records::step(), 30..120);
    let urls = proptest::collection::vec(questions::url(), 60);
    let (judged, held) = (Cell::new(0_u64), Cell::new(0_u64));
    runner
        .run(&(steps, urls), |(steps, urls)| {
            let store = memory();
            for (time, step) in steps.iter().enumerate() {
                write(&store, step, 1_770_000_000_000_000 + i64::try_from(time).unwrap() * 86_400_000_000);
            }
            store.define(&definitions::THEN);
            store.index_all();
            for url in urls.iter().filter(|url| !url.contains("_contained")) {
                let query = store.try_query(url).unwrap();
                if query.kind.is_empty() || !query.filters.iter().all(can_be_judged) {
                    continue;
                }
                let passing = store.judge_alone(&query);
                let mut found = store.find(&everything(), url);
                found.sort();
                judged.set(judged.get() + 1);
                held.set(held.get() + u64::from(!found.is_empty()));
                prop_assert_eq!(passing, found, "{}", url);
            }
            Ok(())
        })
        .unwrap();
    eprintln!("{} questions, {} with an answer", judged.get(), held.get());
    assert!(held.get() > 100, "too few questions find something: they prove little");
}

/// What a step did, as (kind, id, version, operation) for each change.
fn write(store: &Store, step: &Step, time: i64) -> String {
    store.clock.set(time);
    let done = match step {
        Step::Put(json) => store.put(json),
        Step::Delete(kind, id) => store.delete(kind, id),
    };
    format!("{done:?}")
}

fn same_answer(
    oracle: &Store,
    engine: &Store,
    access: &AccessPlan,
    url: &str,
    limit: usize,
) -> Result<usize, TestCaseError> {
    let (expected, found) = match (oracle.try_query(url), engine.try_query(url)) {
        (Ok(_), Ok(_)) => (oracle.find(access, url), engine.find(access, url)),
        (left, right) => {
            return Err(TestCaseError::fail(format!("{url} is no question: {left:?} {right:?}")));
        }
    };
    prop_assert_eq!(&found, &expected, "{} for {:?}", url, access);
    if url.contains("_contained=") {
        // Ids inside containers are no total order: what is found on pages of any size is the same, in some order.
        let expected = oracle.find_parts(access, url, 1_000);
        prop_assert_eq!(engine.find_parts(access, url, limit), expected, "{} by {}", url, limit);
        return Ok(found.len());
    }
    // Under a total order, the order itself must be the same, by pages of any size.
    let join = if url.contains('?') { '&' } else { '?' };
    let ordered = if url.contains("_sort=") { format!("{url},_id") } else { format!("{url}{join}_sort=_id") };
    let expected = oracle.find_paged(access, &ordered, 1_000);
    prop_assert_eq!(engine.find_paged(access, &ordered, limit), expected, "{} by {}", ordered, limit);
    let mut paged = engine.find_paged(access, url, limit);
    paged.sort();
    prop_assert_eq!(&paged, &found, "{} by {}", url, limit);
    Ok(found.len())
}

fn same_reading(
    oracle: &Store,
    engine: &Store,
    access: &AccessPlan,
    limit: usize,
) -> Result<(), TestCaseError> {
    let (left, right) = (oracle.engine.snapshot().unwrap(), engine.engine.snapshot().unwrap());
    for scope in
        [HistoryScope::System, HistoryScope::Kind("Observation"), HistoryScope::Record("Patient", "p1")]
    {
        let request = HistoryRequest {
            scope,
            since: Some(1_770_000_000_000_000),
            at: None,
            backward: false,
            after: None,
            limit: 1_000,
        };
        let (left, right) =
            (left.history(access, &request).unwrap(), right.history(access, &request).unwrap());
        prop_assert_eq!(left.records, right.records, "{:?} for {:?}", scope, access);
    }
    let request = CompartmentRequest {
        patients: &["p1".to_owned()],
        kinds: &[],
        since: None,
        after: None,
        limit: 1_000,
    };
    let ids = |records: Vec<ieum_store::record::Record>| {
        let mut ids: Vec<_> =
            records.into_iter().map(|record| (record.kind, record.id, record.version)).collect();
        ids.sort();
        ids
    };
    let expected = ids(left.compartment(access, &request).unwrap().records);
    prop_assert_eq!(ids(right.compartment(access, &request).unwrap().records), expected);
    same_compartments(oracle, engine, access)?;
    prop_assert_eq!(left.feed(access, 0, limit).unwrap(), right.feed(access, 0, limit).unwrap());
    prop_assert_eq!(left.census(access).unwrap(), right.census(access).unwrap());
    Ok(())
}

fn same_compartments(oracle: &Store, engine: &Store, access: &AccessPlan) -> Result<(), TestCaseError> {
    for (compartment, id, kind) in [
        ("Patient", "p1", "Observation"),
        ("Patient", "p1", "Patient"),
        ("Patient", "p2", "List"),
        ("Encounter", "e1", "Observation"),
        ("Encounter", "e0", "Encounter"),
    ] {
        let filters = compartment_filter(compartment, id, kind).into_iter().collect();
        let query = Query { kind: kind.into(), filters, ..Query::default() };
        let count = |store: &Store| store.engine.snapshot().unwrap().count(access, &query).unwrap();
        prop_assert_eq!(count(engine), count(oracle), "{} of {}/{}", kind, compartment, id);
    }
    Ok(())
}

//! Random consents, requests and records: what the program reads from a Consent, and how it decides by that, is what a
//! naive reading of docs/access.md decides (`consents/oracle.rs`, written from that page alone).
//!
//! `IEUM_CASES` sets how many worlds are made; in each, five ask for twenty records. 10,000 decide a million triples.

#[path = "consents/generate.rs"]
mod generate;
#[path = "consents/oracle.rs"]
mod oracle;
#[path = "consents/world.rs"]
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;

use ieum_fhir::json::{Document, Limits};
use ieum_store::access::{Evidence, Rule};
use ieum_trust::evidence::consent;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use ieum_trust::access::Access;
use oracle::Why;
use world::{Record, World, micros};

/// Worlds made in an ordinary run.
const CASES: u32 = 2_000;

fn cases() -> u32 {
    std::env::var("IEUM_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

// threat: 7
#[test]
fn consents_decide_as_a_plain_reading_of_them_does() {
    let mut runner =
        TestRunner::new(Config { cases: cases(), failure_persistence: None, ..Config::default() });
    let requests = prop::collection::vec(generate::access(), 5);
    let records = prop::collection::vec(generate::record(), 20);
    let counts = RefCell::new(BTreeMap::<String, u64>::new());
    let run = runner.run(&(generate::world(), requests, records), |(world, requests, records)| {
        let rules = rules(&world);
        let evidence = Evidence { relations: &world.relations, rules: &rules, now: micros(world.now) };
        for who in &requests {
            let plan = who.plan();
            for record in &records {
                let why = oracle::decide(&world, who, record);
                let allowed = record.judged(|judged| plan.allows(judged, &evidence));
                prop_assert_eq!(allowed, why.is_allowed(), "{}", told(&world, why, record, who));
                *counts.borrow_mut().entry(format!("{why:?}")).or_default() += 1;
            }
        }
        Ok(())
    });
    match run {
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        other => other.unwrap(),
    }
    let counts = counts.into_inner();
    // Each outcome that consents have must be there often enough to prove something.
    let all: u64 = counts.values().sum();
    for why in [Why::Permitted, Why::Denied, Why::Closed, Why::Relation] {
        let share = counts.get(&format!("{why:?}")).copied().unwrap_or_default();
        assert!(share * 12 > all, "{why:?} too seldom: {counts:?}");
    }
    assert!(all == u64::from(cases()) * 100, "{counts:?}");
}

fn rules(world: &World) -> Vec<Rule> {
    let bases = ["https://hub.example/fhir".to_owned()];
    let mut rules = Vec::new();
    for consent in &world.consents {
        let bytes = serde_json::to_vec(consent).unwrap();
        let document = Document::parse(&bytes, &Limits::default()).unwrap();
        rules.extend(consent::read(document.root(), &bases).rules);
    }
    rules
}

/// A case as a person reads it.
fn told(world: &World, why: Why, record: &Record, who: &Access) -> String {
    let consents: Vec<String> = world.consents.iter().map(ToString::to_string).collect();
    let (now, relations, rules) = (world.now, &world.relations, rules(world));
    format!(
        "the oracle says {why:?}\n{who:?}\n{record:?}\nat {now}, {relations:?}\n{}\n{rules:#?}",
        consents.join("\n")
    )
}

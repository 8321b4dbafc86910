//! FHIRPath on the official tests for R4. Which cases pass is checked in (`fhirpath/passing.txt`): a case of that list
//! that fails is a mistake of ours, one that is not in it and passes must be added. Why the others fail is told in
//! `fhirpath/failing.txt`, one line for each.

use std::collections::{BTreeMap, BTreeSet};

use ieum_fhir::fhirpath::{Context, Expression, Item, System};
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::xml;

use crate::shared;

mod cases;
mod places;

use cases::{Case, Output};

/// 2026-03-01T00:00:00+09:00
const NOW: i64 = 1_772_290_800_000_000;

#[test]
fn official_cases() {
    let files: BTreeMap<String, Vec<u8>> = shared::files("fhirpath").into_iter().collect();
    let Some(suite) = files.get("tests-fhir-r4.xml") else { return };
    let cases = cases::read(std::str::from_utf8(suite).unwrap());
    let mut inputs = BTreeMap::new();
    for (name, bytes) in &files {
        let text = std::str::from_utf8(bytes).unwrap();
        if name.ends_with(".json") {
            inputs.insert(name.as_str(), text.to_owned());
        } else if name != "tests-fhir-r4.xml" {
            inputs.insert(name.as_str(), xml::to_json(text, &xml::Limits::default()).unwrap());
        }
    }
    let mut passing = BTreeSet::new();
    let mut failing = BTreeMap::new();
    let mut names = BTreeMap::new();
    for case in &cases {
        // Some names are given twice.
        let count: &mut usize = names.entry(case.name.clone()).or_default();
        *count += 1;
        let name = if *count > 1 { format!("{}#{count}", case.name) } else { case.name.clone() };
        let input = if case.input.is_empty() { "patient-example.xml" } else { &case.input };
        match outcome(case, &inputs[input]) {
            Ok(()) => drop(passing.insert(name)),
            Err(why) => drop(failing.insert(name, format!("{} => {why}", case.expression))),
        }
    }
    let list = |text: &'static str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    if std::env::var_os("IEUM_WRITE_PASSING").is_some() {
        let text: String = passing.iter().map(|name| format!("{name}\n")).collect();
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fhirpath/passing.txt"), text).unwrap();
        failing.iter().for_each(|(name, why)| eprintln!("{name}: {why}"));
        return;
    }
    let (expected, excused) =
        (list(include_str!("fhirpath/passing.txt")), list(include_str!("fhirpath/failing.txt")));
    let broken: Vec<_> = failing.iter().filter(|(name, _)| !excused.contains(*name)).collect();
    assert!(broken.is_empty(), "cases that must pass: {broken:#?}");
    let new: Vec<_> = passing.difference(&expected).collect();
    assert!(new.is_empty(), "these pass now, add them to passing.txt: {new:?}");
    let gone: Vec<_> = expected.difference(&passing).collect();
    assert!(gone.is_empty(), "these are gone or fail: {gone:?}");
    assert_eq!(passing.len() + failing.len(), cases.len());
}

/// Whether a case comes out as it says.
fn outcome(case: &Case, input: &str) -> Result<(), String> {
    let document = Document::parse(input.as_bytes(), &Limits::default()).unwrap();
    let root = document.root();
    let kind = root.get("resourceType").unwrap().text().unwrap();
    let found = Expression::parse(&case.expression).and_then(|expression| {
        if case.strict {
            expression.check(&kind)?;
        }
        let context = Context { now_micros: NOW, ..Context::of(root) };
        if case.predicate {
            let holds = expression.evaluate(&context)?.len() == 1;
            return Ok(vec![Output { kind: Some("boolean".into()), text: holds.to_string() }]);
        }
        Ok(expression.evaluate(&context)?.iter().map(output).collect())
    });
    let found = match found {
        Err(_) if case.invalid => return Ok(()),
        Err(error) => return Err(error.to_string()),
        Ok(found) if case.invalid => return Err(format!("no error, but {found:?}")),
        Ok(found) => found,
    };
    let mut wanted = case.outputs.clone();
    let mut sorted = found.clone();
    if !case.ordered {
        wanted.sort();
        sorted.sort();
    }
    let same = wanted.len() == sorted.len()
        && wanted.iter().zip(&sorted).all(|(wanted, found)| {
            wanted.text == found.text && (wanted.kind.is_none() || wanted.kind == found.kind)
        });
    if same { Ok(()) } else { Err(format!("{found:?} instead of {:?}", case.outputs)) }
}

/// An item as the suite writes it.
fn output(item: &Item<'_>) -> Output {
    let (namespace, name) = item.type_name();
    let kind = match (namespace, name) {
        ("System", "Quantity") => name.to_owned(),
        ("System", name) => name[..1].to_lowercase() + &name[1..],
        _ => name.to_owned(),
    };
    let text = match item.system().as_deref() {
        Some(System::Boolean(value)) => value.to_string(),
        Some(System::Integer(value)) => value.to_string(),
        Some(System::Decimal(value)) => value.to_string(),
        Some(System::Text(text)) => text.to_string(),
        Some(System::Quantity(value)) => value.to_string(),
        Some(System::Temporal(value)) => {
            let time = if name.eq_ignore_ascii_case("time") { "T" } else { "" };
            format!("@{time}{value}")
        }
        _ => String::from("(complex)"),
    };
    Output { kind: Some(kind), text }
}

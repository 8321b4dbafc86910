//! Validation over real resources.

use std::collections::BTreeMap;

use ieum_fhir::json::{Document, Limits};
use ieum_fhir::validate::validate;

use crate::shared;

/// Issues by code and place, with indexes left out, and how often.
fn issues_of(folder: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (name, bytes) in shared::files(folder) {
        if name.ends_with(".xml") {
            continue;
        }
        let document =
            Document::parse(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        for issue in validate(document.root(), None).issues {
            let place: String = issue
                .place
                .split('[')
                .map(|part| part.split_once(']').map_or(part, |(_, rest)| rest))
                .collect();
            *found.entry(format!("{} {place} {}", issue.code.id(), issue.diagnostics)).or_default() += 1;
        }
    }
    found
}

#[test]
fn synthea_is_valid() {
    assert_eq!(issues_of("synthea"), BTreeMap::new());
}

#[test]
fn krcore_examples_are_valid() {
    assert_eq!(issues_of("krcore-1.0.2-examples"), BTreeMap::new());
}

/// The files of the KR Core package are R4, but for its ImplementationGuide, whose faults are real: it points to two
/// resources of type ActorDefinition, which is of R5, and gives parameters of the publishing tool as codes that R4's
/// required value set does not have.
#[test]
fn krcore_definitions_are_valid_but_for_the_guide() {
    let issues = issues_of("krcore-2.0.0");
    if issues.is_empty() {
        return; // no shared data
    }
    let short: Vec<(String, usize)> = issues
        .iter()
        .map(|(issue, count)| (issue.split(' ').take(2).collect::<Vec<_>>().join(" "), *count))
        .collect();
    let expected = [
        ("IEUM-V016 ImplementationGuide.definition.resource.reference.reference".to_owned(), 2),
        ("IEUM-V019 ImplementationGuide.definition.parameter.code".to_owned(), 31),
    ];
    assert_eq!(short, expected);
}

/// The inputs of HL7's FHIRPath tests. Their faults are real: a fragment of an ExplanationOfBenefit, `_given` shorter
/// than `given`, and a reference `1` that should be `#1`.
#[test]
fn fhirpath_inputs_have_the_faults_they_have() {
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for (issue, count) in issues_of("fhirpath") {
        let mut words = issue.split([' ', '.']);
        let (code, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        *codes.entry(format!("{code} {kind}")).or_default() += count;
    }
    let expected =
        [("IEUM-V005 ExplanationOfBenefit", 11), ("IEUM-V013 Patient", 1), ("IEUM-V016 Patient", 1)];
    let expected = expected.map(|(issue, count)| (issue.to_owned(), count));
    assert!(codes.is_empty() || codes == expected.into(), "{codes:?}");
}

//! What the larger features of the language are read as. What they find is the conformance suite's business.

use ieum_fhir::decimal::SortKey;
use ieum_fhir::index::Facet;
use ieum_fhir::search::*;

use super::{SearchProblem, context, filter, param, problem, query, run, tests};

fn starts(text: &str) -> StringTest {
    StringTest { mode: StringMode::Starts, text: text.into() }
}

fn code(text: &str) -> TokenTest {
    TokenTest { system: SystemTest::Any, code: Some(text.into()) }
}

#[test]
fn composites() {
    let found = tests("Observation", "code-value-string", r"8480\$6$hi,x$y");
    let tuple = |first: &str, second: &str| {
        Test::Composite(vec![Test::Token(code(first)), Test::String(starts(second))])
    };
    assert_eq!(found, [tuple("8480$6", "hi"), tuple("x", "y")]);
    let three = tests("MolecularSequence", "chromosome-variant-coordinate", "7$gt1$lt2");
    assert!(matches!(&three[..], [Test::Composite(parts)] if parts.len() == 3));
    // Components of one definition are read alike wherever it is used.
    for kind in ["ActivityDefinition", "Measure", "ValueSet", "TestScript", "PlanDefinition"] {
        let found = tests(kind, "context-type-quantity", "age$gt5");
        assert!(
            matches!(&found[..], [Test::Composite(parts)] if matches!(parts[1], Test::Quantity(_))),
            "{kind}"
        );
    }
}

#[test]
fn facets() {
    for (kind, name, value, facet) in [
        ("Condition", "code", "x", Facet::Value),
        ("Condition", "code:text", "x", Facet::Text),
        ("Patient", "identifier:of-type", "a|b|c", Facet::OfType),
        ("Condition", "subject:identifier", "a|b", Facet::Identifier),
        ("Observation", "value-quantity", "5||mg", Facet::Value),
        ("Observation", "value-quantity", "5|http://unitsofmeasure.org|mg", Facet::Canonical),
        ("Observation", "value-quantity", "5|http://unitsofmeasure.org|정", Facet::Value),
        ("Observation", "code-value-quantity", "x$5|http://unitsofmeasure.org|mg", Facet::Value),
    ] {
        assert_eq!(tests(kind, name, value)[0].facet(), facet, "{kind}?{name}={value}");
    }
}

#[test]
fn canonical_quantities() {
    let Test::Quantity(found) =
        tests("Observation", "value-quantity", "gt5.0|http://unitsofmeasure.org|mg").remove(0)
    else {
        panic!("no quantity")
    };
    let key = |text: &str| SortKey::of(text).unwrap();
    assert_eq!(found.unit, UnitTest::Canonical { unit: "g".into() });
    assert_eq!(
        (found.number.exact, found.number.lo, found.number.hi),
        (key("0.005"), key("0.00495"), key("0.00505"))
    );
    assert_eq!(found.number.prefix, Prefix::Gt);
}

#[test]
fn lists_and_words() {
    let list = Filter::Has {
        param: param("List", "item"),
        filter: Box::new(Filter::Id(vec!["a".into(), "b".into()])),
    };
    assert_eq!(filter("Patient", "_list", "a,List/b"), list);
    let words = |terms: &[&str]| Filter::Words {
        place: TextPlace::Content,
        terms: terms.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(filter("Patient", "_content", "고혈압 Type"), words(&["type", "고혈", "혈압"]));
    assert_eq!(filter("Patient", "_content", "a,암"), Filter::Or(vec![words(&["a"]), words(&["암"])]));
    assert!(matches!(filter("Patient", "_text", "a"), Filter::Words { place: TextPlace::Narrative, .. }));
}

#[test]
fn hierarchies() {
    let location = |id: &str| ReferenceTest::Local { kind: "Location".into(), id: id.into() };
    assert_eq!(
        filter("Encounter", "location:below", "a,Location/b"),
        Filter::Tree {
            param: param("Encounter", "location"),
            by: param("Location", "partof"),
            way: Way::Below,
            roots: vec![location("a"), location("b")],
        }
    );
    assert!(
        matches!(filter("Encounter", "part-of:above", "e"), Filter::Tree { way: Way::Above, by, .. } if by == param("Encounter", "part-of"))
    );
    // Several types of target: each has a hierarchy of its own.
    let both = filter("Provenance", "target:below", "Location/a,Organization/b");
    assert!(matches!(both, Filter::Or(trees) if trees.len() == 2));
    assert_eq!(problem("Provenance", "target:below", "abcd"), SearchProblem::BadValue);
}

#[test]
fn sorting_by_chains() {
    let by = |value: &str| query("Observation", "_sort", value).sort;
    let name = SortBy::Param(param("Patient", "name"));
    let chain = SortBy::Chain {
        param: param("Observation", "subject"),
        target: "Patient".into(),
        by: Box::new(name),
    };
    assert_eq!(by("-subject:Patient.name"), [SortKeyOf { by: chain, descending: true }]);
    let deep = by("patient.organization.partof._id");
    assert!(matches!(&deep[0].by, SortBy::Chain { by, .. } if matches!(&**by, SortBy::Chain { .. })));
    assert_eq!(
        problem("Patient", "_sort", &format!("{}name", "link:Patient.".repeat(9))),
        SearchProblem::TooCostly
    );
}

#[test]
fn contained() {
    let asked = |pairs: &[(&str, &str)]| run("Medication", pairs, &context()).map(|query| query.contained);
    let contained = |search, give| Contained { search, give };
    assert_eq!(asked(&[]), Ok(Contained::default()));
    assert_eq!(
        asked(&[("_contained", "true")]),
        Ok(contained(ContainedSearch::Only, ContainedGive::Container))
    );
    assert_eq!(
        asked(&[("_containedType", "contained"), ("_contained", "both"), ("_sort", "code")]),
        Ok(contained(ContainedSearch::Both, ContainedGive::Contained))
    );
    assert!(asked(&[("_contained", "both"), ("_sort", "_lastUpdated")]).is_ok());
    assert!(asked(&[("_contained", "both"), ("_sort", "code")]).is_err());
}

#[test]
fn systems() {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    };
    let kinds = ["Patient", "Observation", "Encounter"];
    let asked = [("_type", "Observation,Patient"), ("_lastUpdated", "gt2026"), ("_count", "5")];
    let found = parse_system(&kinds, &pairs(&asked), &context()).unwrap();
    assert_eq!(found.iter().map(|query| &*query.kind).collect::<Vec<_>>(), ["Observation", "Patient"]);
    assert_eq!(found[0].applied, pairs(&asked));
    assert_eq!(parse_system(&kinds, &[], &context()).unwrap().len(), 3);
    // Only what all of them have.
    assert_eq!(
        parse_system(&kinds, &pairs(&[("_type", "Observation,Encounter"), ("patient", "p")]), &context())
            .unwrap()
            .len(),
        2
    );
    let errors =
        parse_system(&kinds, &pairs(&[("patient", "p"), ("nonsense", "1")]), &context()).unwrap_err();
    assert_eq!(errors.len(), 2, "each error once: {errors:?}");
    let lenient = parse::ParseContext { strict: false, ..context() };
    let found = parse_system(&kinds, &pairs(&[("patient", "p"), ("_id", "1")]), &lenient).unwrap();
    assert!(found.iter().all(|query| query.filters == [Filter::Id(vec!["1".into()])]));
    for kind in ["Nonsense", "Patient,", "patient", "Condition"] {
        assert!(parse_system(&kinds, &pairs(&[("_type", kind)]), &context()).is_err(), "{kind}");
    }
}

#[test]
fn compartments() {
    assert_eq!(
        compartment_filter("Patient", "1", "Patient"),
        Some(Filter::Or(vec![Filter::Id(vec!["1".into()]), filter("Patient", "link", "Patient/1"),]))
    );
    assert_eq!(compartment_filter("Encounter", "1", "Encounter"), Some(Filter::Id(vec!["1".into()])));
    assert_eq!(
        compartment_filter("Patient", "1", "Account"),
        Some(filter("Account", "subject", "Patient/1"))
    );
    assert_eq!(compartment_filter("Nonsense", "1", "Patient"), None);
}

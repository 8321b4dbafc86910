//! Queries: names, modifiers, chains, the shape of the answer, limits.

use std::sync::LazyLock;

use ieum_fhir::index::{IndexValue, ParamType};
use ieum_fhir::outcome::{Code, Issue};
use ieum_fhir::search::parameters::{Parameter, Parameters};
use ieum_fhir::search::parse::{ParseContext, SearchError, SearchProblem, parse};
use ieum_fhir::search::*;
use proptest::prelude::*;

mod language;
mod values;

const NOW: i64 = 1_795_000_000_000_000;

fn context() -> ParseContext<'static> {
    static BASES: LazyLock<Vec<String>> = LazyLock::new(|| vec!["https://hub.example/fhir/".into()]);
    ParseContext::r4(&BASES, NOW, true)
}

fn run(kind: &str, pairs: &[(&str, &str)], context: &ParseContext<'_>) -> Result<Query, Vec<SearchError>> {
    let pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    parse(kind, &pairs, context)
}

fn query(kind: &str, name: &str, value: &str) -> Query {
    run(kind, &[(name, value)], &context())
        .unwrap_or_else(|errors| panic!("{kind}?{name}={value}: {errors:?}"))
}

fn filter(kind: &str, name: &str, value: &str) -> Filter {
    query(kind, name, value).filters.remove(0)
}

fn tests(kind: &str, name: &str, value: &str) -> Vec<Test> {
    match filter(kind, name, value) {
        Filter::Any { tests, .. } | Filter::None { tests, .. } => tests,
        other => panic!("{name} gave {other:?}"),
    }
}

fn problem(kind: &str, name: &str, value: &str) -> SearchProblem {
    let errors =
        run(kind, &[(name, value)], &context()).err().unwrap_or_else(|| panic!("{kind}?{name} is accepted"));
    assert_eq!(errors.len(), 1);
    assert!(value.len() < 4 || !errors[0].to_string().contains(value), "{} tells the value", errors[0]);
    errors[0].problem
}

fn param(kind: &str, code: &str) -> Param {
    Param { kind: kind.into(), code: code.into() }
}

fn token(system: Option<&str>, code: Option<&str>) -> IndexValue<'static> {
    let own = |text: &str| text.to_owned().into();
    IndexValue::Token { system: system.map(own), code: code.map(own) }
}

#[test]
fn chains() {
    let name = |kind: &str| Filter::Any {
        param: param(kind, "name"),
        tests: vec![Test::String(StringTest { mode: StringMode::Starts, text: "kim".into() })],
    };
    assert_eq!(
        filter("Observation", "subject:Patient.name", "kim"),
        Filter::Chain {
            param: param("Observation", "subject"),
            targets: vec![("Patient".into(), name("Patient"))]
        }
    );
    let Filter::Chain { targets, .. } = filter("Observation", "subject.name", "kim") else {
        panic!("no chain")
    };
    assert_eq!(targets.iter().map(|(kind, _)| &**kind).collect::<Vec<_>>(), ["Location", "Patient"]);
    assert_eq!(
        filter("Observation", "subject:Patient.organization.name", "kim"),
        Filter::Chain {
            param: param("Observation", "subject"),
            targets: vec![(
                "Patient".into(),
                Filter::Chain {
                    param: param("Patient", "organization"),
                    targets: vec![("Organization".into(), name("Organization"))]
                }
            )],
        }
    );
    assert!(matches!(
        filter("Observation", "patient._id", "1"),
        Filter::Chain { targets, .. } if targets == [("Patient".into(), Filter::Id(vec!["1".into()]))]
    ));
    assert!(matches!(
        filter("Observation", "patient.gender:not", "male"),
        Filter::Chain { targets, .. } if matches!(targets[0].1, Filter::None { .. })
    ));
    for (name, expected) in [
        ("code.name", SearchProblem::BadValue),
        ("subject.nonsense", SearchProblem::UnknownParameter),
        ("subject:Nonsense.name", SearchProblem::UnknownModifier),
        ("subject:Practitioner.name", SearchProblem::BadValue),
        ("subject:missing.name", SearchProblem::UnknownModifier),
        ("nonsense.name", SearchProblem::UnknownParameter),
        (".name", SearchProblem::UnknownParameter),
        ("subject.", SearchProblem::UnknownParameter),
    ] {
        assert_eq!(problem("Observation", name, "kim"), expected, "{name}");
    }
    // Bounded: depth, and what chains without type lead to.
    let deep = format!("{}name", "link:Patient.".repeat(9));
    assert_eq!(problem("Patient", &deep, "kim"), SearchProblem::TooCostly);
    assert_eq!(problem("Observation", "focus.focus.focus.name", "kim"), SearchProblem::TooCostly);
}

#[test]
fn reverse_chains() {
    let Filter::Has { param: through, filter: on } =
        filter("Patient", "_has:Observation:patient:code", "s|1")
    else {
        panic!("no _has")
    };
    assert_eq!(through, param("Observation", "patient"));
    assert!(matches!(*on, Filter::Any { .. }));
    let nested = filter("Patient", "_has:Observation:patient:_has:AuditEvent:entity:agent", "Practitioner/1");
    assert!(matches!(nested, Filter::Has { filter, .. } if matches!(*filter, Filter::Has { .. })));
    let chained = filter("Encounter", "patient._has:Group:member:_id", "g");
    assert!(matches!(chained, Filter::Chain { targets, .. } if matches!(targets[0].1, Filter::Has { .. })));
    for (name, expected) in [
        ("_has:Observation:patient", SearchProblem::BadValue),
        ("_has:Nonsense:patient:code", SearchProblem::UnknownParameter),
        ("_has:Observation:code:code", SearchProblem::BadValue),
        ("_has:Observation:encounter:code", SearchProblem::BadValue),
        ("_has:Observation:patient:nonsense", SearchProblem::UnknownParameter),
    ] {
        assert_eq!(problem("Patient", name, "R51.9"), expected, "{name}");
    }
}

#[test]
fn modifiers_and_unknown_names() {
    assert_eq!(
        filter("Patient", "birthdate:missing", "true"),
        Filter::Missing { param: param("Patient", "birthdate"), missing: true }
    );
    for (kind, name, value, expected) in [
        ("Patient", "birthdate:missing", "maybe", SearchProblem::BadValue),
        ("Patient", "nonsense", "1", SearchProblem::UnknownParameter),
        ("Patient", "gender:exact", "male", SearchProblem::UnknownModifier),
        ("Patient", "name:not", "kim", SearchProblem::UnknownModifier),
        ("Patient", "name:", "kim", SearchProblem::UnknownModifier),
        ("Patient", "_id:exact", "1", SearchProblem::UnknownModifier),
        ("Patient", "_list:not", "1", SearchProblem::UnknownModifier),
        ("Patient", "_list", "$current-problems", SearchProblem::NotSupported),
        ("Patient", "_list", "a/b/c", SearchProblem::BadValue),
        ("Condition", "code:in", "http://vs", SearchProblem::BadValue),
        ("Condition", "code:in", "http://hl7.org/fhir/ValueSet/mimetypes", SearchProblem::NotSupported),
        ("Condition", "code:below", "http://icd|R51", SearchProblem::NotSupported),
        ("Condition", "code:below", "R51.9", SearchProblem::BadValue),
        ("Condition", "subject:text", "kim1", SearchProblem::UnknownModifier),
        ("Condition", "subject:below", "Patient/1", SearchProblem::UnknownModifier),
        ("Encounter", "location:below", "http://else.example/Location/1", SearchProblem::NotSupported),
        ("Encounter", "location:below", "Patient/1", SearchProblem::BadValue),
        ("Patient", "identifier:of-type", "a|b", SearchProblem::BadValue),
        ("Patient", "identifier:of-type", "a||c1", SearchProblem::BadValue),
        ("Observation", "code-value-quantity", "R51.9", SearchProblem::BadValue),
        ("Observation", "code-value-quantity", "a$abcd", SearchProblem::BadValue),
        ("Observation", "code-value-quantity:not", "a$5", SearchProblem::UnknownModifier),
        ("Location", "near", "here", SearchProblem::BadValue),
        ("Patient", "_filter", "name eq", SearchProblem::BadValue),
        ("Patient", "_filter", "nonsense eq kim", SearchProblem::UnknownParameter),
        ("Patient", "_text", "?!?!", SearchProblem::BadValue),
        ("Patient", "_text:exact", "kim1", SearchProblem::UnknownModifier),
        ("Patient", "_query", "mine", SearchProblem::NotSupported),
        ("Patient", "_type", "Patient", SearchProblem::NotSupported),
        ("Patient", "_id", "a/b", SearchProblem::BadValue),
        ("Patient", "name", "", SearchProblem::EmptyValue),
        ("Patient", "name", "kim,,lee", SearchProblem::EmptyValue),
        ("Nonsense", "name", "kim", SearchProblem::UnknownKind),
    ] {
        assert_eq!(problem(kind, name, value), expected, "{name}={value}");
    }
    let lenient = ParseContext { strict: false, ..context() };
    let asked =
        [("nonsense", "1"), ("name", "kim,,lee"), ("family", ""), ("_format", "json"), ("gender", "male")];
    let found = run("Patient", &asked, &lenient).unwrap();
    let applied: Vec<_> = found.applied.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(applied, [("name", "kim,,lee"), ("gender", "male")]);
    assert_eq!(found.filters.len(), 2);
    let refused = run("Patient", &[("gender:exact", "male"), ("birthdate", "soon")], &lenient).unwrap_err();
    assert_eq!(refused.len(), 2, "unsupported modifiers and unreadable values are never ignored");
    let issue = Issue::from(&refused[0]);
    assert_eq!((issue.code, &*issue.place), (Code::SearchUnknownModifier, "http.gender:exact"));
    // A value in the place of a name is not repeated.
    let misplaced = run("Patient", &[("김민수", "")], &context()).unwrap_err();
    assert!(!misplaced[0].to_string().contains('김'));
}

#[test]
fn the_shape_of_the_answer() {
    let found = run(
        "Observation",
        &[
            ("_sort", "-date,_id,code"),
            ("_count", "20"),
            ("_total", "none"),
            ("_elements", "id,status"),
            ("_summary", "data"),
            ("_lastUpdated", "gt2026"),
            ("_tag", "s|t"),
            ("_profile", "http://p|1.0"),
            ("_security", "R"),
            ("_source", "urn:s"),
        ],
        &context(),
    )
    .unwrap();
    let by = |code: &str| SortBy::Param(param("Observation", code));
    let key = |by, descending| SortKeyOf { by, descending };
    assert_eq!(found.sort, [key(by("date"), true), key(SortBy::Id, false), key(by("code"), false)]);
    assert_eq!((found.count, found.total, found.summary), (Some(20), Total::None, Summary::Data));
    assert_eq!(found.elements, ["id", "status"]);
    assert_eq!((found.filters.len(), found.applied.len()), (5, 10));
    for (name, value, expected) in [
        ("_sort", "nonsense", SearchProblem::UnknownParameter),
        ("_sort", "date,", SearchProblem::BadValue),
        ("_sort", "subject.name", SearchProblem::BadValue),
        ("_sort", "patient.nonsense", SearchProblem::UnknownParameter),
        ("_sort", "code.name", SearchProblem::BadValue),
        ("_sort", "subject:Practitioner.name", SearchProblem::BadValue),
        ("_sort", "code-value-quantity", SearchProblem::BadValue),
        ("_sort:desc", "date", SearchProblem::UnknownModifier),
        ("_count", "-1", SearchProblem::BadValue),
        ("_count", "many", SearchProblem::BadValue),
        ("_total", "exact", SearchProblem::BadValue),
        ("_summary", "yes", SearchProblem::BadValue),
        ("_elements", "id,,status", SearchProblem::BadValue),
        ("_contained", "perhaps", SearchProblem::BadValue),
        ("_containedType", "both", SearchProblem::BadValue),
    ] {
        assert_eq!(problem("Observation", name, value), expected, "{name}={value}");
    }
    let twice = run("Observation", &[("_count", "1"), ("_count", "2")], &context()).unwrap_err();
    assert_eq!(twice[0].problem, SearchProblem::Repeated);
}

#[test]
fn includes() {
    let include = |kind: &str, name: &str, value: &str| query(kind, name, value).includes;
    let one = include("Observation", "_include", "Observation:subject:Patient");
    let expected = Include {
        reverse: false,
        source: "Observation".into(),
        params: vec![param("Observation", "subject")],
        target: Some("Patient".into()),
        iterate: false,
    };
    assert_eq!(one, [expected]);
    let all = include("Encounter", "_include", "*");
    assert_eq!(all.len(), 1);
    assert!(all[0].params.contains(&param("Encounter", "patient")) && all[0].params.len() > 8);
    assert_eq!(include("Encounter", "_include", "Encounter:*"), all);
    let reverse = include("Patient", "_revinclude:iterate", "Observation:patient");
    assert!(reverse[0].reverse && reverse[0].iterate && reverse[0].source == "Observation");
    let every = include("Patient", "_revinclude", "*");
    assert!(every.len() > 60 && every.iter().all(|include| !include.params.is_empty()));
    assert!(!include("Observation", "_include:iterate", "Patient:organization").is_empty());
    assert!(include("Encounter", "_include:iterate", "*").len() > 100);
    for (name, value, expected) in [
        ("_include", "Observation", SearchProblem::BadValue),
        ("_include", "Nonsense:subject", SearchProblem::BadValue),
        ("_include", "Observation:code", SearchProblem::UnknownParameter),
        ("_include", "Observation:nonsense", SearchProblem::UnknownParameter),
        ("_include", "Observation:subject:Practitioner", SearchProblem::UnknownParameter),
        ("_include", "Patient:organization", SearchProblem::UnknownParameter),
        ("_revinclude", "Encounter:patient", SearchProblem::UnknownParameter),
        ("_include:recurse", "Observation:subject", SearchProblem::UnknownModifier),
        ("_include", "", SearchProblem::EmptyValue),
    ] {
        assert_eq!(problem("Observation", name, value), expected, "{name}={value}");
    }
}

#[test]
fn limits() {
    let many = vec![("gender", "male"); 101];
    assert_eq!(run("Patient", &many, &context()).unwrap_err()[0].problem, SearchProblem::TooCostly);
    assert!(run("Patient", &many[..100], &context()).is_ok());
    let values = |count: usize| vec!["a"; count].join(",");
    assert_eq!(tests("Patient", "identifier", &values(10_000)).len(), 10_000);
    assert_eq!(problem("Patient", "identifier", &values(10_001)), SearchProblem::TooCostly);
    assert_eq!(query("Patient", "_sort", &["gender"; 10].join(",")).sort.len(), 10);
    assert_eq!(problem("Patient", "_sort", &["gender"; 11].join(",")), SearchProblem::TooCostly);
    query("Patient", "name", &"김".repeat(1_000));
    assert_eq!(problem("Patient", "name", &"김".repeat(1_001)), SearchProblem::TooCostly);
    // Ten thousand ids of any of 146 types.
    assert_eq!(problem("Observation", "focus", &values(10_000)), SearchProblem::TooCostly);
}

/// A record kind of our own brings its own parameters.
struct Deposits;

impl Parameters for Deposits {
    fn kinds(&self) -> Vec<&str> {
        vec!["deposit"]
    }
    fn has_kind(&self, kind: &str) -> bool {
        kind == "deposit"
    }
    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>> {
        self.list(kind).into_iter().find(|parameter| parameter.code == code)
    }
    fn list(&self, _: &str) -> Vec<Parameter<'_>> {
        vec![Parameter {
            code: "clinic",
            kind: ParamType::String,
            targets: Vec::new(),
            components: Vec::new(),
            indexing: None,
            allowed: None,
        }]
    }
}

#[test]
fn kinds_of_our_own() {
    let context = ParseContext { parameters: &Deposits, ..context() };
    assert_eq!(
        run("deposit", &[("clinic", "한빛"), ("_sort", "clinic")], &context).unwrap().filters.len(),
        1
    );
    assert!(run("deposit", &[("name", "x")], &context).is_err());
    assert!(run("Patient", &[("name", "x")], &context).is_err());
}

const KNOWN: [&str; 20] = [
    "name",
    "code",
    "subject",
    "date",
    "value-quantity",
    "_sort",
    "_include",
    "_lastUpdated",
    "_id",
    "code-value-quantity",
    "code:text",
    "code:in",
    "code:below",
    "identifier:of-type",
    "subject:identifier",
    "encounter.location:below",
    "_list",
    "_content",
    "_filter",
    "_contained",
];

proptest! {
    #[test]
    fn filters_do_not_panic(value in "(name|code|subject|patient|gender|\\[|\\]|\\(|\\)|\\.|:Patient| eq| co| ne|not| and| or| \"|a\\|b|,|\\\\| |1980|김){1,14}") {
        let _ = run("Observation", &[("_filter", &value)], &context());
        let _ = run("Patient", &[("_filter", &format!("gender eq male and {value}"))], &context());
    }

    // threat: 20
    #[test]
    fn nothing_panics(name in "[a-zA-Z_:.*-]{0,24}|\\PC{0,12}", value in "[a-z0-9|,$\\\\ :/-]{0,24}|\\PC{0,12}", strict: bool) {
        let context = ParseContext { strict, ..context() };
        for kind in ["Patient", "Observation"] {
            let _ = run(kind, &[(&name, &value)], &context);
            for known in KNOWN {
                if let Err(errors) = run(kind, &[(known, &value)], &context) {
                    prop_assert!(value.len() < 8 || errors.iter().all(|error| !error.to_string().contains(&value)));
                }
            }
        }
    }

    #[test]
    fn escaped_values_come_back(parts in proptest::collection::vec("[a-z,|$\\\\ ]{1,8}", 1..4)) {
        prop_assume!(parts.iter().all(|part| !part.trim().is_empty()));
        let escape = |part: &String| part.replace('\\', r"\\").replace(',', r"\,").replace('|', r"\|").replace('$', r"\$");
        let value = parts.iter().map(escape).collect::<Vec<_>>().join(",");
        let found = tests("Patient", "identifier", &value);
        prop_assert_eq!(found.len(), parts.len());
        for (test, part) in found.iter().zip(&parts) {
            prop_assert!(passes(test, &token(None, Some(part))));
        }
    }
}

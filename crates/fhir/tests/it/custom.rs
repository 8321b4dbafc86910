//! Search parameters that a hub defines itself: what is taken, what it finds, and what is refused.

use ieum_fhir::index::IndexValue;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::outcome::{Code, Issue};
use ieum_fhir::search::custom::{CustomParam, Definition, read};
use ieum_fhir::search::parameters::{Parameter, Parameters};
use ieum_fhir::search::parse::{ParseContext, SearchProblem};
use ieum_fhir::search::{self, R4};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","active":true,"birthDate":"1987-03-01",
 "name":[{"family":"김","given":["민수"]},{"use":"nickname","text":"하늘"}],
 "extension":[{"url":"http://x.test/kind","valueCoding":{"system":"http://s.test","code":"a"}},
              {"url":"http://x.test/weight","valueQuantity":{"value":70.50,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}},
              {"url":"http://x.test/since","valueDate":"2026-03"},{"url":"http://x.test/count","valueInteger":7}],
 "generalPractitioner":[{"reference":"Practitioner/d1"}],"multipleBirthInteger":2}"#;

fn definition(changes: &[(&str, &str)]) -> String {
    let mut elements = vec![
        ("resourceType", "\"SearchParameter\""),
        ("id", "\"sp1\""),
        ("url", "\"http://x.test/sp1\""),
        ("name", "\"sp1\""),
        ("status", "\"active\""),
        ("description", "\"d\""),
        ("code", "\"own\""),
        ("base", "[\"Patient\"]"),
        ("type", "\"token\""),
        ("expression", "\"Patient.active\""),
    ];
    for (name, value) in changes {
        elements.retain(|(known, _)| known != name);
        elements.push((name, value));
    }
    let members: Vec<String> = elements.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn taken(changes: &[(&str, &str)]) -> Vec<CustomParam> {
    let text = definition(changes);
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    match read(document.root()) {
        Ok(Definition::Custom(params)) => params,
        other => panic!("{changes:?}: {other:?}"),
    }
}

fn refused_at(changes: &[(&str, &str)]) -> String {
    let text = definition(changes);
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let issues = read(document.root()).expect_err(&text);
    assert!(issues.iter().all(|issue| issue.code == Code::DefinitionRefused));
    issues.into_iter().map(|issue| issue.place).collect::<Vec<_>>().join(" ")
}

/// What a parameter of this type and expression finds in the patient, written shortly.
fn finds(param_type: &str, expression: &str) -> Vec<String> {
    let (param_type, expression) = (format!("\"{param_type}\""), format!("\"{expression}\""));
    let params = taken(&[("type", &param_type), ("expression", &expression)]);
    let document = Document::parse(PATIENT.as_bytes(), &Limits::default()).unwrap();
    let values = params[0].values(document.root(), &[]);
    values.iter().map(shortly).collect()
}

fn shortly(value: &IndexValue<'_>) -> String {
    match value {
        IndexValue::Token { system, code } => {
            format!("{}|{}", system.as_deref().unwrap_or(""), code.as_deref().unwrap_or(""))
        }
        IndexValue::String(text) | IndexValue::Uri(text) => text.to_string(),
        IndexValue::Date(range) => format!("date of {} days", (range.hi - range.lo) / 86_400_000_000),
        IndexValue::Number(_) => "number".into(),
        IndexValue::Quantity { code, .. } => format!("quantity {}", code.as_deref().unwrap_or("")),
        other => format!("{:?}", other.facet()),
    }
}

#[test]
fn what_r4_writes_is_compiled_and_the_rest_of_fhirpath_evaluated() {
    assert_eq!(finds("token", "Patient.extension('http://x.test/kind').value"), ["http://s.test|a"]);
    assert_eq!(finds("quantity", "Patient.extension('http://x.test/weight').value")[0], "quantity kg");
    assert_eq!(finds("date", "Patient.extension('http://x.test/since').value"), ["date of 31 days"]);
    assert_eq!(finds("number", "Patient.extension('http://x.test/count').value"), ["number"]);
    assert_eq!(finds("token", "Patient.deceased.exists() and Patient.deceased != false"), ["|false"]);
    // Only the general engine can say these.
    assert_eq!(finds("string", "Patient.name.where(use = 'nickname' and text.exists()).text"), ["하늘"]);
    assert_eq!(finds("string", "Patient.name.first().given.first().upper()"), ["민수"]);
    assert_eq!(finds("token", "Patient.name.count() > 1"), ["|true"]);
    assert_eq!(finds("number", "Patient.name.count()"), ["number"]);
    assert_eq!(finds("date", "iif(Patient.active, Patient.birthDate, {})"), ["date of 1 days"]);
    assert_eq!(
        finds("reference", "Patient.generalPractitioner.where(reference.startsWith('Practitioner/'))").len(),
        1
    );
}

#[test]
fn where_an_expression_cannot_be_evaluated_there_is_no_value() {
    assert_eq!(finds("token", "Patient.name.family.single() = 'x' or Patient.name.given + 1 = 2"), [""; 0]);
    // More steps than one resource may cost.
    let costly = "Patient.descendants().descendants().descendants().where(($this.descendants() | %resource.descendants()).count() > 1000000).exists()";
    assert!(finds("token", costly).len() <= 1);
}

#[test]
fn drafts_and_r4s_own_ask_for_nothing() {
    for status in ["\"draft\"", "\"retired\"", "\"unknown\""] {
        let text = definition(&[("status", status), ("expression", "\"nonsense(\"")]);
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert!(matches!(read(document.root()), Ok(Definition::NotActive)));
    }
    let url = "\"http://hl7.org/fhir/SearchParameter/Patient-active\"";
    let text = definition(&[("url", url), ("code", "\"active\"")]);
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert!(matches!(read(document.root()), Ok(Definition::BuiltIn)));
}

#[test]
fn several_types_each_with_its_alternative() {
    let params = taken(&[
        ("base", "[\"Patient\",\"Practitioner\"]"),
        ("type", "\"string\""),
        ("expression", "\"Patient.name.suffix | Practitioner.name.suffix\""),
    ]);
    assert_eq!(params.iter().map(|param| param.kind).collect::<Vec<_>>(), ["Patient", "Practitioner"]);
    assert_eq!(
        refused_at(&[("base", "[\"Patient\",\"Location\"]"), ("expression", "\"Patient.active\"")]),
        "SearchParameter.expression"
    );
}

#[test]
fn what_cannot_be_kept_is_refused_at_its_place() {
    for (changes, place) in [
        (vec![("code", "\"birthdate\"")], "base[0]"),
        (vec![("code", "\"_own\"")], "code"),
        (vec![("code", "\"a:b\"")], "code"),
        (vec![("base", "[\"Resource\"]")], "base[0]"),
        (vec![("base", "[\"Patient\",\"Nothing\"]")], "base[1]"),
        (vec![("type", "\"special\"")], "type"),
        (vec![("type", "\"date\"")], "expression"),
        (
            vec![("type", "\"quantity\""), ("expression", "\"Patient.name.where(use.exists())\"")],
            "expression",
        ),
        (vec![("expression", "\"Patient.nothing\"")], "expression"),
        (vec![("expression", "\"Patient.name.(\"")], "expression"),
        (vec![("expression", "\"Patient.birthDate < today()\"")], "expression"),
        (
            vec![("expression", "\"Patient.name.where($this.period.start > `now` /* */ ()).exists()\"")],
            "expression",
        ),
        (vec![("expression", "\"Patient.link.other.resolve().active\"")], "expression"),
        (vec![("expression", "\"\"")], "expression"),
        (vec![("type", "\"reference\""), ("target", "[\"Nobody\"]")], "target[0]"),
    ] {
        assert_eq!(refused_at(&changes), format!("SearchParameter.{place}"), "{changes:?}");
    }
    let deep = format!("\"{}Patient.active{}\"", "(".repeat(200), ")".repeat(200));
    assert_eq!(refused_at(&[("expression", &deep)]), "SearchParameter.expression");
    let long = format!("\"Patient.active{}\"", " or true".repeat(4_000));
    assert_eq!(refused_at(&[("expression", &long)]), "SearchParameter.expression");
}

#[test]
fn composites_of_known_components() {
    let component = |url: &str, expression: &str| {
        format!(r#"{{"definition":"http://hl7.org/fhir/SearchParameter/{url}","expression":"{expression}"}}"#)
    };
    let of = |components: &[String]| format!("[{}]", components.join(","));
    let (code, value) =
        (component("clinical-code", "code"), component("Observation-value-quantity", "value"));
    let base = [
        ("base", "[\"Observation\"]"),
        ("type", "\"composite\""),
        ("expression", "\"Observation.component\""),
    ];
    let with = |components: &str| {
        let mut changes = base.to_vec();
        let components = components.to_owned().leak() as &str;
        changes.push(("component", components));
        changes
    };
    assert_eq!(taken(&with(&of(&[code.clone(), value.clone()])))[0].components.len(), 2);
    for wrong in [
        of(std::slice::from_ref(&code)),
        of(&[value, code.clone()]),
        of(&[code.clone(), component("Nothing", "value")]),
        of(&[code, component("Observation-value-quantity", "nothing")]),
    ] {
        refused_at(&with(&wrong));
    }
    refused_at(&base);
}

/// A hub whose patients have one parameter more.
struct With(CustomParam);

impl Parameters for With {
    fn kinds(&self) -> Vec<&str> {
        R4.kinds()
    }
    fn has_kind(&self, kind: &str) -> bool {
        R4.has_kind(kind)
    }
    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>> {
        let own = &self.0;
        if (kind, code) != (own.kind, own.code.as_str()) {
            return R4.find(kind, code);
        }
        Some(Parameter {
            code: &own.code,
            kind: own.param_type,
            targets: own.targets.iter().map(String::as_str).collect(),
            components: Vec::new(),
            indexing: None,
            allowed: Some(&own.allowed),
        })
    }
    fn list(&self, kind: &str) -> Vec<Parameter<'_>> {
        R4.list(kind)
    }
}

/// Whether a search for patients is taken as it stands; refused when it is handled strictly, and passed over otherwise; or
/// refused in any case.
fn asked(param: &With, query: &str) -> &'static str {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let run = |strict| {
        let context = ParseContext { parameters: param, ..ParseContext::r4(&[], 0, strict) };
        search::parse("Patient", &pairs, &context)
    };
    match (run(true), run(false)) {
        (Ok(_), Ok(query)) => {
            assert_eq!(query.applied, pairs);
            "taken"
        }
        (Err(strict), Ok(query)) => {
            assert_eq!(strict[0].problem, SearchProblem::NotAllowed, "{strict:?}");
            assert_eq!(Issue::from(&strict[0]).code, Code::SearchUnknownModifier);
            assert_eq!(query.applied.len(), pairs.len() - 1, "the others stay");
            assert_eq!(query.filters.len(), pairs.len() - 1);
            "passed over"
        }
        (Err(_), Err(_)) => "refused",
        (Ok(_), Err(errors)) => panic!("only lenient handling refuses {query}: {errors:?}"),
    }
}

#[test]
fn modifiers_comparators_and_lists_are_those_of_the_definition() {
    let with = |changes: &[(&str, &str)]| With(taken(changes).remove(0));
    let token = with(&[("modifier", "[\"not\",\"ofType\"]"), ("multipleOr", "false")]);
    assert_eq!(asked(&token, "own=a"), "taken");
    assert_eq!(asked(&token, "own:not=a"), "taken");
    assert_eq!(asked(&token, "own:of-type=a|b|c"), "taken");
    assert_eq!(asked(&token, "own:text=a&gender=male"), "passed over");
    assert_eq!(asked(&token, "own:missing=true&gender=male"), "passed over");
    assert_eq!(asked(&token, "own:exact=a&gender=male"), "refused");
    assert_eq!(asked(&token, "own=a,b&gender=male,female"), "passed over");
    assert_eq!(asked(&token, "own=a\\,b"), "taken");
    // Under a chain, in `_has` and in `_filter` it is the same parameter.
    assert_eq!(asked(&token, "link.own:text=a&gender=male"), "passed over");
    assert_eq!(asked(&token, "_has:Patient:link:own=a,b&gender=male"), "passed over");
    assert_eq!(asked(&token, "own=a&own=b"), "taken");

    let once = with(&[("multipleAnd", "false")]);
    assert_eq!(asked(&once, "own=a,b"), "taken");
    assert_eq!(asked(&once, "own=a&own:not=b"), "passed over");
    assert_eq!(asked(&once, "own=a&link.own=b"), "taken");

    let date =
        [("type", "\"date\""), ("expression", "\"Patient.birthDate\""), ("comparator", "[\"ge\",\"lt\"]")];
    let date = with(&date);
    assert_eq!(asked(&date, "own=2026"), "taken");
    assert_eq!(asked(&date, "own=ge2026,lt2025"), "taken");
    assert_eq!(asked(&date, "own=le2026&gender=male"), "passed over");
    assert_eq!(asked(&date, "own=ge2026,eq2025&gender=male"), "passed over");
    assert_eq!(asked(&date, "own=xx2026&gender=male"), "passed over");
    assert_eq!(asked(&date, "_filter=own ge 2026 and own eq 2026 and own pr true"), "taken");
    assert_eq!(asked(&date, "_filter=own le 2026&gender=male"), "passed over");

    let reference = [
        ("type", "\"reference\""),
        ("expression", "\"Patient.managingOrganization\""),
        ("modifier", "[\"identifier\"]"),
    ];
    let reference = with(&reference);
    assert_eq!(asked(&reference, "own:identifier=1"), "taken");
    assert_eq!(asked(&reference, "own:Organization=1&gender=male"), "passed over");
    assert_eq!(asked(&reference, "own:Organization.name=1&gender=male"), "passed over");
    // One that says nothing of it is asked like R4's own.
    let plain = with(&[]);
    assert_eq!(asked(&plain, "own:text=a,b&own:missing=false"), "taken");
}

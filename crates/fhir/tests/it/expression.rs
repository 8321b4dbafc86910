//! Expressions: the whole of R4 and KR Core compiles; each form of the subset does what it says.

use ieum_fhir::definitions::r4;
use ieum_fhir::expression::{ExpressionError, Meaning, Step, compile, compile_in};
use ieum_fhir::index::ParamType;
use ieum_fhir::json::{Document, Limits};

#[test]
fn every_parameter_compiles() {
    let (mut pairs, mut without, mut failed) = (0, Vec::new(), Vec::<String>::new());
    for kind in r4().resource_types() {
        for param in r4().search_params(kind) {
            pairs += 1;
            let Some(expression) = param.expression else {
                without.push(param.code);
                continue;
            };
            let paths = match compile(kind, expression) {
                Ok(paths) => paths,
                Err(error) => {
                    failed.push(format!("{kind} {}: {error}", param.code));
                    continue;
                }
            };
            if paths.is_empty() {
                failed.push(format!("{kind} {} finds nothing {expression}", param.code));
            }
            for component in &param.components {
                let mut found = 0;
                for path in &paths {
                    match compile_in(kind, path.type_name, component.expression) {
                        Ok(parts) => found += parts.len(),
                        Err(error) => {
                            failed.push(format!("{kind} {} in {}: {error}", param.code, path.type_name));
                        }
                    }
                }
                if found == 0 {
                    failed.push(format!("{kind} {}: {} finds nothing", param.code, component.expression));
                }
            }
            assert_eq!(param.components.is_empty(), param.kind != ParamType::Composite, "{}", param.url);
        }
    }
    without.sort_unstable();
    without.dedup();
    eprintln!("{pairs} pairs of type and parameter");
    // The package we take the definitions from lists a parameter for an element that R4 does not have.
    assert_eq!(failed, ["DeviceDefinition classification: DeviceDefinition has no element classification"]);
    assert_eq!(without, ["_content", "_query", "_text"]);
}

fn found(kind: &str, expression: &str, json: &str) -> Vec<String> {
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let mut found = Vec::new();
    for path in compile(kind, expression).unwrap_or_else(|error| panic!("{expression}: {error}")) {
        path.evaluate(document.root(), &mut |value| found.push(value.raw().to_owned()));
    }
    found
}

#[test]
fn each_form_finds_what_it_says() {
    let json = r##"{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.10},
        "subject":{"reference":"https://else.example/fhir/Patient/1/_history/2"},
        "performer":[{"reference":"Practitioner/1"},{"reference":"#x","type":"Patient"},{"display":"?"}],
        "category":[{"coding":[{"code":"a"},{"code":"b"}]},{"coding":[{"code":"c"}]}],
        "component":[{"valueString":"x"},{"valueQuantity":{"value":2}},{"valueInteger":3}],
        "extension":[{"url":"http://e","valueCode":"k"},{"url":"http://f","valueCode":"l"}],
        "note":[null,{"text":"n"}]}"##;
    for (expression, expected) in [
        ("Observation.status", &["\"final\""][..]),
        ("observation.status", &[]),
        ("Resource.status", &["\"final\""]),
        ("Condition.code | Observation.status", &["\"final\""]),
        ("Condition.code", &[]),
        ("Observation.category.coding.code", &["\"a\"", "\"b\"", "\"c\""]),
        ("Observation.category[1].coding[0].code", &["\"c\""]),
        ("Observation.category.coding.where(code='b').code", &["\"b\""]),
        ("(Observation.value as Quantity).value", &["1.10"]),
        ("Observation.value.as(quantity).value", &["1.10"]),
        ("Observation.value.ofType(FHIR.Quantity).value", &["1.10"]),
        (
            "Observation.component.value.ofType(integer) | Observation.component.value.as(String)",
            &["3", "\"x\""],
        ),
        (
            "Observation.subject.where(resolve() is Patient).reference",
            &["\"https://else.example/fhir/Patient/1/_history/2\""],
        ),
        ("Observation.performer.where(resolve() is Patient).reference", &["\"#x\""]),
        ("Observation.performer.where( resolve()  is  Device ).reference", &[]),
        ("Observation.extension('http://e').value.ofType(code)", &["\"k\""]),
        ("Observation.extension(http://f).value.ofType(code)", &["\"l\""]),
        ("%resource.status", &["\"final\""]),
        ("Observation.note.text", &["\"n\""]),
    ] {
        if expression.starts_with("observation") {
            // Small letters name elements.
            assert!(compile("Observation", expression).is_err());
            continue;
        }
        assert_eq!(found("Observation", expression, json), expected, "{expression}");
    }
    let deceased = compile("Patient", "Patient.deceased.exists() and Patient.deceased != false").unwrap();
    assert_eq!(deceased.len(), 2);
    assert!(deceased.iter().all(|path| path.meaning == Meaning::Truth));
    let value = compile_in("Observation", "Observation.component", "value.as(DateTime)").unwrap();
    assert_eq!(value[0].steps, [Step::Member("valueDateTime".into())]);
    assert!(!value[0].from_resource);
    assert!(compile_in("Observation", "Observation.component", "%resource.code").unwrap()[0].from_resource);
}

#[test]
fn what_is_outside_the_subset_is_refused() {
    let deep = format!("{}Patient.name{}", "(".repeat(9), ")".repeat(9));
    let far = format!("Patient{}", ".extension".repeat(65));
    let wide = format!("Patient{}", ".extension.value".repeat(4));
    let long = format!("Patient.name{}", " ".repeat(17_000));
    for (expression, fits) in [
        ("", false),
        ("Patient.", false),
        ("Patient.name |", false),
        ("Patient.name.first()", false),
        ("Patient.name.where(use=official)", false),
        ("Patient.name.where(use='official'", false),
        ("Patient.name[-1]", false),
        ("Patient.name = 'x'", false),
        ("Patient.name.exists()", false),
        ("Patient.name != false", false),
        ("Patient.name and Patient.name", false),
        ("Patient.nonsense", false),
        ("Nonsense.name", false),
        ("(Patient.deceased as Quantity)", false),
        ("Patient.name.where(nonsense='x')", false),
        ("Patient.name.where(use='official')[0]", false),
        ("Patient.birthDate.extension('x')", false),
        ("Patient.name]", false),
        ("Patient.näme", false),
        (&deep, false),
        (&long, false),
        (&far, false),
        (&wide, false),
        ("((Patient.name))", true),
    ] {
        let compiled = compile("Patient", expression);
        assert_eq!(compiled.is_ok(), fits, "{expression}: {compiled:?}");
    }
    assert_eq!(
        compile("Patient", "Patient.nonsense").unwrap_err(),
        ExpressionError::NoSuchElement { of: "Patient".into(), name: "nonsense".into() }
    );
}

//! Extraction over the Synthea bundles and the KR Core examples.

use std::collections::BTreeMap;

use ieum_fhir::definitions::{SearchParamDef, r4};
use ieum_fhir::expression::{Path, compile};
use ieum_fhir::extract::{ExtractOptions, extract, reads};
use ieum_fhir::generate::{self, Shape};
use ieum_fhir::index::{IndexValue, ParamType, Target};
use ieum_fhir::json::{Document, Limits, Value};

use super::with;
use crate::shared;

fn refers(reference: Value<'_>) -> bool {
    let ink = |value: Option<Value<'_>>, name: &str| {
        value.and_then(|value| value.get(name)?.text()).is_some_and(|text| !text.trim().is_empty())
    };
    let identifier = reference.get("identifier");
    reference.get("reference").and_then(Value::text).is_some_and(|text| !text.starts_with('#'))
        || ink(identifier, "system")
        || ink(identifier, "value")
}

#[test]
fn synthea() {
    let (mut resources, mut found, mut bytes) = (0_u64, BTreeMap::<ParamType, u64>::new(), 0);
    let (mut in_patient, mut dated) = (0_u64, 0_u64);
    for (_, bundle) in shared::files("synthea") {
        for resource in shared::synthea_resources(&bundle) {
            with(&resource, |kind, extracted| {
                resources += 1;
                bytes += resource.len();
                for (param, value) in &extracted.values {
                    let definition = r4().search_params(kind)[usize::from(*param)];
                    *found.entry(definition.kind).or_default() += 1;
                    assert!(
                        !matches!(value, IndexValue::Reference(Target::Url(url)) if url.starts_with("urn:uuid"))
                    );
                }
                in_patient += u64::from(extracted.compartments.iter().any(|(kind, _)| *kind == "Patient"));
                dated += u64::from(extracted.main_date.is_some());
                assert!(extracted.values.is_sorted());
            });
        }
    }
    if resources == 0 {
        return;
    }
    let per = |count: u64| count as f64 / resources as f64;
    let all: u64 = found.values().sum();
    eprintln!("{resources} resources, {bytes} bytes, {:.2} values each", per(all));
    for (kind, count) in &found {
        eprintln!("  {kind:?}: {:.3}", per(*count));
    }
    eprintln!("  in a patient's compartment: {:.3}, with main date: {:.3}", per(in_patient), per(dated));
    assert_eq!(resources, 45_337);
    assert!((12.0..18.0).contains(&per(all)), "{}", per(all));
}

/// The parameters of a type, each with its own paths.
type Paths = Vec<(&'static SearchParamDef, Vec<Path>)>;

fn paths(kind: &str) -> Paths {
    let compiled = |param: &&'static SearchParamDef| Some((*param, compile(kind, param.expression?).ok()?));
    r4().search_params(kind).iter().filter_map(compiled).collect()
}

/// The tree of all expressions of a type, walked once, finds for each parameter what its own paths find.
fn one_walk_agrees(resource: &str, paths: &Paths) {
    let document = Document::parse(resource.as_bytes(), &Limits::default()).unwrap();
    let kind = document.root().get("resourceType").unwrap().text().unwrap();
    let found = extract(&kind, document.root(), &ExtractOptions::default());
    for (definition, paths) in paths {
        if ["_id", "_lastUpdated", "deceased"].contains(&definition.code)
            || definition.kind == ParamType::Composite
        {
            continue;
        }
        let (position, _) = r4().search_param(&kind, definition.code).unwrap();
        let own = found.values.iter().filter(|(param, _)| usize::from(*param) == position).count();
        // What is of a primitive type, or a reference to something, is found if and only if it is there.
        let (mut expected, mut sure) = (0, true);
        for path in paths.iter().filter(|path| reads(definition.kind, path)) {
            sure &= path.type_name == "Reference" || path.type_name.starts_with(char::is_lowercase);
            path.evaluate(document.root(), &mut |value| {
                let blank = value.text().is_some_and(|text| text.trim().is_empty());
                expected += usize::from(!blank && (path.type_name != "Reference" || refers(value)));
            });
        }
        assert!(own > 0 || !sure || expected == 0, "{kind} {}: {resource}", definition.code);
        assert!(own == 0 || expected > 0, "{kind} {}: {resource}", definition.code);
    }
}

#[test]
fn one_walk_finds_what_every_path_finds() {
    let mut known = BTreeMap::new();
    for (_, bundle) in shared::files("synthea").into_iter().take(3) {
        for resource in shared::synthea_resources(&bundle) {
            let kind = with(&resource, |kind, _| kind.to_owned());
            one_walk_agrees(&resource, known.entry(kind.clone()).or_insert_with(|| paths(&kind)));
        }
    }
    let shape = Shape::default();
    for kind in r4().resource_types() {
        let paths = paths(kind);
        for seed in 0..20 {
            one_walk_agrees(&generate::resource(kind, seed, &shape).unwrap().to_string(), &paths);
        }
    }
}

/// Whatever is wrong with a resource, or if it is of another type than said: no panic.
#[test]
fn faulty_resources_are_survived() {
    for kind in r4().resource_types() {
        for seed in 0..10 {
            let Some((resource, _)) = generate::faulty(kind, seed, &Shape::default()) else { continue };
            let text = resource.to_string();
            let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
            for other in [kind, "Patient", "Observation", "Bundle", "Nonsense"] {
                assert!(extract(other, document.root(), &ExtractOptions::default()).values.is_sorted());
            }
        }
    }
}

#[test]
fn krcore_examples_and_parameters() {
    let mut count = 0;
    for (file, bytes) in shared::files("krcore-1.0.2-examples") {
        let text = String::from_utf8(bytes).unwrap();
        with(&text, |_, found| {
            count += 1;
            assert!(!found.values.is_empty(), "{file}");
        });
    }
    let mut parameters = 0;
    for (name, bytes) in shared::files("krcore-2.0.0") {
        if !name.starts_with("SearchParameter-") {
            continue;
        }
        parameters += 1;
        let document = Document::parse(&bytes, &Limits::default()).unwrap();
        let code = document.root().get("code").unwrap().text().unwrap();
        for base in document.root().get("base").unwrap().elements() {
            let base = base.text().unwrap();
            assert!(r4().search_param(&base, &code).is_some(), "{base} {code}");
        }
        if let Some(expression) = document.root().get("expression").and_then(|expression| expression.text()) {
            let base = document.root().get("base").unwrap().elements().next().unwrap().text().unwrap();
            assert!(
                !compile(&base, &expression).unwrap_or_else(|error| panic!("{name}: {error}")).is_empty()
            );
        }
    }
    if shared::folder().is_some() {
        assert_eq!((count, parameters), (28, 39));
    }
}

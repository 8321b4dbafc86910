//! Extraction over the Synthea bundles and the KR Core examples.

use std::collections::BTreeMap;

use ieum_fhir::definitions::{SearchParamDef, r4};
use ieum_fhir::expression::{Path, compile};
use ieum_fhir::extract::{extract, reads};
use ieum_fhir::index::{IndexValue, ParamType, Target};
use ieum_fhir::json::{Document, Limits, Value};

use super::{OPTIONS, with};
use crate::shared;

fn refers(reference: Value<'_>) -> bool {
    reference.get("reference").and_then(Value::text).is_some_and(|text| !text.starts_with('#'))
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
    assert!((9.0..14.0).contains(&per(all)), "{}", per(all));
}

/// The tree of all expressions of a type, walked once, finds for each parameter what its own paths find.
#[test]
fn one_walk_finds_what_every_path_finds() {
    let mut compiled = BTreeMap::new();
    for (_, bundle) in shared::files("synthea").into_iter().take(3) {
        for resource in shared::synthea_resources(&bundle) {
            let document = Document::parse(resource.as_bytes(), &Limits::default()).unwrap();
            let kind = document.root().get("resourceType").unwrap().text().unwrap().into_owned();
            let found = extract(&kind, document.root(), &OPTIONS);
            let paths = compiled.entry(kind.clone()).or_insert_with(|| {
                let paths =
                    |param: &&SearchParamDef| Some((param.kind, compile(&kind, param.expression?).ok()?));
                r4().search_params(&kind).iter().map(paths).collect::<Vec<_>>()
            });
            for (position, param) in paths.iter().enumerate() {
                let Some((param_type, paths)) = param else { continue };
                let definition = r4().search_params(&kind)[position];
                if ["_id", "_lastUpdated", "deceased"].contains(&definition.code) {
                    continue;
                }
                // Values of primitive types, and of References to something, are found if and only if they are there.
                let mut expected = 0;
                let (mut sure, readable) = (true, |path: &&Path| reads(*param_type, path));
                for path in paths.iter().filter(readable) {
                    sure &= path.type_name == "Reference" || path.type_name.starts_with(char::is_lowercase);
                    path.evaluate(document.root(), &mut |value| {
                        expected += usize::from(path.type_name != "Reference" || refers(value));
                    });
                }
                let own = found.values.iter().filter(|(param, _)| usize::from(*param) == position).count();
                assert!(own > 0 || !sure || expected == 0, "{kind} {}: {resource}", definition.code);
                assert!(own == 0 || expected > 0, "{kind} {}: {resource}", definition.code);
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

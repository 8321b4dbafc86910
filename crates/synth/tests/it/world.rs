//! Determinism, ids, references and size.

use std::collections::HashSet;

use ieum_synth::{Options, bundles, patient_bundle, shared_bundle};

use crate::{PATIENTS, patients, records, shared, text, walk};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let options = Options::new(20, 42);
    let first: Vec<_> = bundles(&options).collect();
    assert_eq!(first, bundles(&options).collect::<Vec<_>>());
    assert_eq!(first.len(), 21);
}

#[test]
fn a_patient_does_not_depend_on_how_many_there_are() {
    let few = Options::new(3, 42);
    let many = Options::new(1_000_000, 42);
    assert_eq!(patient_bundle(&few, 2), patient_bundle(&many, 2));
    assert_eq!(bundles(&few).nth(3).unwrap(), patient_bundle(&many, 2));
}

#[test]
fn other_seeds_give_other_people_in_the_same_country() {
    let (one, two) = (Options::new(1, 1), Options::new(1, 2));
    assert_eq!(shared_bundle(&one), shared_bundle(&two));
    assert_ne!(patient_bundle(&one, 0).json, patient_bundle(&two, 0).json);
}

#[test]
fn ids_are_valid_and_unique_and_every_reference_resolves() {
    let key = |resource: &serde_json::Value| {
        format!("{}/{}", text(&resource["resourceType"]), text(&resource["id"]))
    };
    let mut all = HashSet::new();
    for record in records() {
        for resource in &record.resources {
            let id = text(&resource["id"]);
            let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            assert!((1..=64).contains(&id.len()) && id.bytes().all(fit), "{id}");
            assert!(all.insert(key(resource)), "{id} twice");
        }
    }
    let country: HashSet<String> = shared().resources.iter().map(key).collect();
    for record in records() {
        let own: HashSet<String> = record.resources.iter().map(key).collect();
        for resource in &record.resources {
            walk(resource, &mut |map| {
                if let Some(reference) = map.get("reference").map(text) {
                    let known = own.contains(reference) || country.contains(reference);
                    assert!(known, "{}: {reference} leads nowhere", record.name);
                }
            });
        }
    }
}

#[test]
fn the_longest_ids_fit() {
    let options = Options::new(1, u64::MAX);
    let bundle = crate::Record::read(&patient_bundle(&options, u64::MAX));
    assert!(bundle.resources.iter().all(|resource| text(&resource["id"]).len() <= 64));
}

#[test]
fn records_are_of_the_promised_size() {
    let sizes: Vec<usize> = patients().iter().map(|record| record.resources.len()).collect();
    let mean = sizes.iter().sum::<usize>() as f64 / PATIENTS as f64;
    assert!((80.0..=130.0).contains(&mean), "mean {mean}");
    assert!(*sizes.iter().max().unwrap() <= 320);
    let small = sizes.iter().filter(|size| **size < 40).count();
    assert!(small * 12 < sizes.len(), "{small} patients have fewer than 40 resources");
}

#[test]
fn everything_is_marked_as_a_test() {
    for resource in records().iter().flat_map(|record| &record.resources) {
        assert_eq!(resource["meta"]["tag"][0]["code"], "HTEST", "{}", resource["id"]);
    }
}

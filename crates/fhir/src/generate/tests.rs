use std::collections::HashMap;

use super::*;
use crate::json::{Document, Limits};
use crate::validate::validate;

fn issues(resource: &Value) -> Vec<crate::outcome::Issue> {
    let body = serde_json::to_vec(resource).unwrap();
    let document = Document::parse(&body, &Limits::default()).unwrap();
    validate(document.root(), None).issues
}

#[test]
fn made_resources_are_valid() {
    for kind in r4().resource_types() {
        for seed in 0..25 {
            let made = resource(kind, seed, &Shape::default()).unwrap();
            assert_eq!(issues(&made), [], "{kind} {seed}: {made}");
        }
    }
    assert!(
        resource("Nothing", 1, &Shape::default()).is_none()
            && resource("Element", 1, &Shape::default()).is_none()
    );
}

#[test]
fn faulty_resources_are_not() {
    let mut found: HashMap<Fault, usize> = HashMap::new();
    for kind in r4().resource_types() {
        for seed in 0..25 {
            let (made, fault) = faulty(kind, seed, &Shape::default()).unwrap();
            assert_ne!(issues(&made), [], "{kind} {seed}: {fault:?} in {made}");
            *found.entry(fault).or_default() += 1;
        }
    }
    assert_eq!(found.len(), 9, "every kind of fault has its turn: {found:?}");
}

#[test]
fn sizes_are_bounded() {
    let sizes = r4().resource_types().iter().flat_map(|kind| {
        (0..25).map(move |seed| resource(kind, seed, &Shape::default()).unwrap().to_string().len())
    });
    let largest = sizes.max().unwrap();
    assert!(largest < 64 << 10, "{largest}");
}

//! Searching within a compartment (R4, section 3.1.1.1, `[base]/Patient/p1/Observation`).

use super::{Filter, Param, ReferenceTest, Test};
use crate::definitions::r4;

/// Stands in the definitions for the record that owns the compartment.
const OWNER: &str = "{def}";

/// The condition that a record of `kind` is in the compartment of `compartment/id`, by R4's definitions; `None` when
/// records of that kind are in no such compartment, or there is no such compartment.
///
/// A record owns the compartment it gives its name to, and is in it.
#[must_use]
pub fn compartment_filter(compartment: &str, id: &str, kind: &str) -> Option<Filter> {
    let codes = r4().compartment(compartment, kind);
    let own = Filter::Id(vec![id.to_owned()]);
    if codes.is_none() && compartment != kind {
        return None;
    }
    let mut ways = Vec::new();
    if compartment == kind {
        ways.push(own.clone());
    }
    for code in codes.unwrap_or_default() {
        if *code == OWNER {
            ways.push(own.clone());
        } else if r4().search_param(kind, code).is_some() {
            let target = ReferenceTest::Local { kind: compartment.to_owned(), id: id.to_owned() };
            let param = Param { kind: kind.to_owned(), code: (*code).to_owned() };
            ways.push(Filter::Any { param, tests: vec![Test::Reference(target)] });
        }
    }
    ways.dedup();
    match ways.len() {
        0 => None,
        1 => ways.pop(),
        _ => Some(Filter::Or(ways)),
    }
}

//! What the SearchParameter that defines a parameter allows: modifiers, prefixes, lists of values, repetition.

use super::modifier::Modifier;
use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::Query;
use crate::search::parameters::Parameter;
use crate::search::split::split;

impl Parser<'_> {
    pub(super) fn check_modifier(
        parameter: &Parameter<'_>,
        modifier: Modifier<'_>,
        whole: &str,
    ) -> Result<(), SearchError> {
        let Some(allowed) = parameter.allowed.filter(|allowed| !allowed.modifiers.is_empty()) else {
            return Ok(());
        };
        if allowed.modifiers.iter().any(|listed| listed == modifier.code()) {
            return Ok(());
        }
        Err(refused(whole, "does not allow this modifier", &allowed.modifiers))
    }

    /// `comparator`: the prefix of a value. A value without one asks for equality, which every parameter has.
    pub(super) fn check_comparator(
        parameter: &Parameter<'_>,
        comparator: &str,
        whole: &str,
    ) -> Result<(), SearchError> {
        let is_ordered = matches!(parameter.kind, ParamType::Date | ParamType::Number | ParamType::Quantity);
        let Some(allowed) = parameter.allowed.filter(|allowed| !allowed.comparators.is_empty()) else {
            return Ok(());
        };
        if !is_ordered
            || comparator.is_empty()
            || allowed.comparators.iter().any(|listed| listed == comparator)
        {
            return Ok(());
        }
        Err(refused(whole, "does not allow this prefix", &allowed.comparators))
    }

    pub(super) fn check_values(
        parameter: &Parameter<'_>,
        value: &str,
        whole: &str,
    ) -> Result<(), SearchError> {
        let is_single = parameter.allowed.is_some_and(|allowed| !allowed.several_values);
        if is_single && split(value, b',').filter(|part| !part.trim().is_empty()).nth(1).is_some() {
            return Err(refused(whole, "takes one value, without commas", &[]));
        }
        Ok(())
    }

    /// A parameter that may stand in a search once, with whatever modifier, counts the first time.
    pub(super) fn check_repetition(&self, query: &Query, name: &str) -> Result<(), SearchError> {
        // Chains and `_has` ask other records by other parameters.
        let code = |name: &'_ str| -> Option<String> {
            let code = name.split(':').next().unwrap_or_default();
            (!name.contains('.') && code != "_has").then(|| code.to_owned())
        };
        let Some(asked) = code(name) else { return Ok(()) };
        let found = self.context.parameters.find(&query.kind, &asked);
        let is_once = found.and_then(|found| found.allowed).is_some_and(|allowed| !allowed.repeated);
        if is_once && query.applied.iter().any(|(before, _)| code(before).as_ref() == Some(&asked)) {
            return Err(refused(name, "may stand in a search once", &[]));
        }
        Ok(())
    }
}

fn refused(whole: &str, what: &str, listed: &[String]) -> SearchError {
    let mut text = format!("the SearchParameter that defines it {what}");
    if !listed.is_empty() {
        text.push_str(&format!("; it has {}", listed.join(", ")));
    }
    SearchError::new(SearchProblem::NotAllowed, whole, text)
}

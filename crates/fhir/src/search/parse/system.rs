//! Searches over several kinds (R4, section 3.1.1.1).

use super::{ParseContext, SearchError, SearchProblem, parse};
use crate::search::Query;

/// Reads a search over several kinds (`GET [base]?_type=Patient,Observation&…`): one query for each of those that
/// `_type` names, in its order; of all `kinds` given when it names none. Beside the parameters of every kind only such
/// may be used as all of these kinds have; what is included need only start from one of them.
///
/// # Errors
/// Every reason found why this is no search we can run, each once.
pub fn parse_system(
    kinds: &[&str],
    pairs: &[(String, String)],
    context: &ParseContext<'_>,
) -> Result<Vec<Query>, Vec<SearchError>> {
    let (types, mut rest): (Vec<_>, Vec<_>) = pairs.iter().cloned().partition(|(name, _)| name == "_type");
    let chosen = chosen(kinds, &types, context).map_err(|error| vec![error])?;
    let limit = context.limits.parameters;
    if rest.len() > limit {
        let text = format!("a search may have at most {limit} parameters, this one has {}", rest.len());
        return Err(vec![SearchError::new(SearchProblem::TooCostly, "", text)]);
    }
    let takes = |kind: &str, pair: &(String, String)| {
        parse(kind, std::slice::from_ref(pair), context).map(|query| !query.applied.is_empty())
    };
    if !context.strict {
        // What one kind does not have is passed over in all of them.
        rest.retain(|pair| is_include(&pair.0) || chosen.iter().all(|kind| takes(kind, pair) != Ok(false)));
    }
    // An inclusion that some of the kinds do not have is meant for the others.
    let meant: Vec<Vec<&str>> = rest
        .iter()
        .map(|pair| {
            let taking = |kind: &&&str| !is_include(&pair.0) || takes(kind, pair) == Ok(true);
            let taking: Vec<&str> = chosen.iter().filter(taking).copied().collect();
            if taking.is_empty() { chosen.clone() } else { taking }
        })
        .collect();
    let mut queries: Vec<Query> = Vec::with_capacity(chosen.len());
    let mut errors: Vec<SearchError> = Vec::new();
    let mut applied: Vec<(String, String)> = Vec::new();
    for kind in &chosen {
        let own = rest.iter().zip(&meant).filter(|(_, kinds)| kinds.contains(kind));
        let pairs: Vec<_> = own.map(|(pair, _)| pair.clone()).collect();
        match parse(kind, &pairs, context) {
            Ok(query) => {
                applied.extend(query.applied.iter().cloned());
                queries.push(query);
            }
            Err(found) => {
                for error in found {
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // All of them tell the same, in the order given: what took effect in one of them.
    let applied: Vec<_> =
        types.into_iter().chain(rest.into_iter().filter(|pair| applied.contains(pair))).collect();
    for query in &mut queries {
        query.applied.clone_from(&applied);
    }
    Ok(queries)
}

fn is_include(name: &str) -> bool {
    matches!(name.split(':').next(), Some("_include" | "_revinclude"))
}

/// The kinds that `_type` names, each once.
fn chosen<'k>(
    kinds: &[&'k str],
    types: &[(String, String)],
    context: &ParseContext<'_>,
) -> Result<Vec<&'k str>, SearchError> {
    if types.is_empty() {
        return Ok(kinds.to_vec());
    }
    let mut chosen = Vec::new();
    for (name, value) in types {
        for asked in value.split(',') {
            let known = kinds.iter().find(|kind| **kind == asked && context.parameters.has_kind(kind));
            let Some(kind) = known else {
                let text = "must be a list of types that can be searched";
                return Err(SearchError::new(SearchProblem::BadValue, name, text));
            };
            if !chosen.contains(kind) {
                chosen.push(*kind);
            }
        }
    }
    Ok(chosen)
}

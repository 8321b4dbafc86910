//! Searches over several kinds (R4, section 3.1.1.1).

use super::{ParseContext, SearchError, SearchProblem, parse};
use crate::search::Query;

/// Reads a search over several kinds (`GET [base]?_type=Patient,Observation&…`): one query for each of those that
/// `_type` names, in its order; of all `kinds` given when it names none. Beside the parameters of every kind only such
/// may be used as all of these kinds have.
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
    if !context.strict {
        // What one kind does not have is passed over in all of them.
        rest.retain(|pair| {
            let takes = |kind: &&str| {
                parse(kind, std::slice::from_ref(pair), context)
                    .map_or(true, |query| !query.applied.is_empty())
            };
            chosen.iter().all(takes)
        });
    }
    let mut queries = Vec::with_capacity(chosen.len());
    let mut errors: Vec<SearchError> = Vec::new();
    for kind in chosen {
        match parse(kind, &rest, context) {
            Ok(mut query) => {
                query.applied.splice(0..0, types.iter().cloned());
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
    if errors.is_empty() { Ok(queries) } else { Err(errors) }
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

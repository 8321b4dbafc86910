//! Conditions: criteria that mean a record, versions that must be current, and how both stay true until the commit.
//!
//! What a condition found is looked up on a view and put into the commit as a [`Guard`]. If the answer is another by
//! the time the commit's turn comes, nothing is written and everything is looked up again: [`settle`].

use std::time::Duration;

use ieum_fhir::outcome::Code;
use ieum_fhir::search::value_sets::ValueSets;
use ieum_fhir::search::{self, Query, Total};
use ieum_store::commit::{Expect, Guard, StoreError};
use ieum_trust::door::View;

use super::{error, search_context, value_sets};
use crate::call::{Call, Failure};
use crate::percent;

/// Attempts at most; each lost one means that another client's commit went through.
const ATTEMPTS: u32 = 16;

/// Why an attempt did not come to an end.
pub(super) enum Stumble {
    /// The state has changed meanwhile: try again.
    Again,
    /// It cannot be done.
    Failed(Failure),
}

impl<F: Into<Failure>> From<F> for Stumble {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

/// Attempts until nobody interferes.
///
/// # Errors
/// What an attempt failed with; 503 when others always interfered.
pub(super) fn settle<T>(mut attempt: impl FnMut() -> Result<T, Stumble>) -> Result<T, Failure> {
    for round in 0..ATTEMPTS {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Stumble::Failed(failure)) => return Err(failure),
            // Whoever lost makes way for a moment, longer each time.
            Err(Stumble::Again) => std::thread::sleep(Duration::from_micros(200 << round.min(7))),
        }
    }
    Err(error::contended())
}

/// Criteria written in a header or a reference: `identifier=http://a.kr|1`, with or without `?` before it.
///
/// # Errors
/// 400 when they are no criteria.
pub(super) fn criteria_of_text(call: &Call<'_>, kind: &str, text: &str) -> Result<Query, Failure> {
    let text = text.strip_prefix('?').unwrap_or(text);
    let pairs = percent::pairs(text).map_err(|error| error::bad(Code::BadEncoding, error.to_string()))?;
    criteria(call, kind, &pairs)
}

/// The same for whoever looks at a view already: value sets that the criteria name are read there.
///
/// # Errors
/// 400 when they are no criteria.
pub(super) fn criteria_in(
    call: &Call<'_>,
    view: &View<'_>,
    kind: &str,
    text: &str,
) -> Result<Query, Failure> {
    let pairs = percent::pairs(text).map_err(|error| error::bad(Code::BadEncoding, error.to_string()))?;
    criteria_by(call, &value_sets::of_view(view), kind, &pairs)
}

/// Criteria for one record of a kind. They are always read strictly: one that was passed over would mean others.
///
/// # Errors
/// 400 when they are no criteria, or none.
pub(super) fn criteria(call: &Call<'_>, kind: &str, pairs: &[(String, String)]) -> Result<Query, Failure> {
    criteria_by(call, &value_sets::of_call(call), kind, pairs)
}

fn criteria_by(
    call: &Call<'_>,
    value_sets: &dyn ValueSets,
    kind: &str,
    pairs: &[(String, String)],
) -> Result<Query, Failure> {
    let query = search::parse(kind, pairs, &search_context(call, value_sets, true))?;
    if query.filters.is_empty() {
        return Err(error::bad(
            Code::CriteriaMissing,
            "say which record is meant, such as identifier=system|value",
        ));
    }
    if query.applied.len() != query.filters.len() {
        return Err(error::bad(
            Code::CriteriaMissing,
            "leave out parameters that shape an answer, such as _sort",
        ));
    }
    Ok(Query { kind: query.kind, filters: query.filters, total: Total::None, ..Query::default() })
}

/// What criteria mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No record.
    None,
    /// This one.
    One(String),
    /// Two or more.
    Several,
}

/// Looks for the record meant, and gives the guard that keeps the answer true.
///
/// # Errors
/// [`StoreError`].
pub(super) fn find(view: &View<'_>, query: &Query) -> Result<(Found, Guard), StoreError> {
    let found = view.matching_ids(query, 2)?;
    let guard = Guard { query: query.clone(), found: found.clone() };
    let mut found = found.into_iter();
    let meant = match (found.next(), found.next()) {
        (None, _) => Found::None,
        (Some(id), None) => Found::One(id),
        (Some(_), Some(_)) => Found::Several,
    };
    Ok((meant, guard))
}

/// Versions named by `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tags {
    /// `*`: any.
    Any,
    /// These. What is no version of ours can match nothing.
    Versions(Vec<u64>),
}

impl Tags {
    /// Reads `W/"1"`, `"1"`, `1`, a list of them, or `*`.
    #[must_use]
    pub(super) fn read(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let version = |tag: &str| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
            tag.parse().ok()
        };
        Self::Versions(header.split(',').filter_map(version).collect())
    }

    /// Whether this version is named.
    #[must_use]
    pub(super) fn has(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

/// What `If-Match` and `If-None-Match` of a write demand of the current version (`None`: no record, or deleted), as
/// something the commit can hold on to.
///
/// # Errors
/// 412 when it is not so already.
pub(super) fn expectation(call: &Call<'_>, current: Option<u64>) -> Result<Expect, Failure> {
    if let Some(header) = &call.conditions.if_none_match {
        let tags = Tags::read(header);
        if current.is_some_and(|current| tags.has(current)) {
            return Err(error::precondition());
        }
    }
    match (&call.conditions.if_match, current) {
        (None, Some(current)) if call.conditions.if_none_match.is_some() => Ok(Expect::Version(current)),
        (None, None) if call.conditions.if_none_match.is_some() => Ok(Expect::Absent),
        (None, _) => Ok(Expect::Anything),
        (Some(header), Some(current)) if Tags::read(header).has(current) => Ok(Expect::Version(current)),
        (Some(_), _) => Err(error::precondition()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entity_tags() {
        for (header, expected) in [
            ("W/\"3\"", vec![3]),
            ("\"3\"", vec![3]),
            ("3", vec![3]),
            ("W/\"3\", W/\"4\"", vec![3, 4]),
            ("W/\"abc\"", vec![]),
            ("", vec![]),
            ("W/\"-1\"", vec![]),
        ] {
            assert_eq!(Tags::read(header), Tags::Versions(expected), "{header}");
        }
        assert_eq!(Tags::read(" * "), Tags::Any);
    }
}

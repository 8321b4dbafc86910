//! Which records scopes name, as part of an access plan.

use ieum_fhir::search::parse::{ParseContext, parse};
use ieum_fhir::search::{Filter, Query};
use ieum_store::access::Selection;
use ieum_store::alone::can_be_judged;
use percent_encoding::percent_decode_str;

use super::{Interactions, Records, ScopeError, Scopes};

/// Interactions for which a scope may select.
const SELECTING: Interactions = Interactions::READ.and(Interactions::SEARCH);

impl Records {
    /// The records that a scope with search parameters names; of one without, the whole kind. References under one of the
    /// addresses are references to records here; `now_micros` is the time for approximate dates.
    ///
    /// # Errors
    /// [`ScopeError::Selection`] when there is no kind, or the parameters cannot be asked of each record alone.
    pub fn selection(&self, bases: &[String], now_micros: i64) -> Result<Selection, ScopeError> {
        let kind = self.kind.clone().ok_or(ScopeError::Selection)?;
        if self.query.is_empty() {
            return Ok(Selection { kind, filters: Vec::new() });
        }
        if !SELECTING.include(self.may) {
            return Err(ScopeError::Selection);
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(Into::into);
        let pair = |(name, value): &(String, String)| Ok((decoded(name)?, decoded(value)?));
        let pairs: Result<Vec<(String, String)>, std::str::Utf8Error> = self.query.iter().map(pair).collect();
        let pairs = pairs.map_err(|_| ScopeError::Selection)?;
        if pairs.iter().any(|(name, _)| !is_plain(name)) {
            return Err(ScopeError::Selection);
        }
        let context = ParseContext::r4(bases, now_micros, true);
        let query = parse(&kind, &pairs, &context).map_err(|_| ScopeError::Selection)?;
        let filters = filters_alone(query).ok_or(ScopeError::Selection)?;
        Ok(Selection { kind, filters })
    }
}

/// Whether a parameter is compared by an index alone, for every record that is looked at: others would look through all words, or
/// read value sets.
fn is_plain(name: &str) -> bool {
    name.split_once(':').is_none_or(|(_, modifier)| matches!(modifier, "not" | "missing" | "exact"))
}

/// The conditions of a search that asks nothing else, and nothing but a record itself.
fn filters_alone(mut query: Query) -> Option<Vec<Filter>> {
    let filters = std::mem::take(&mut query.filters);
    let plain = Query { kind: query.kind.clone(), applied: query.applied.clone(), ..Query::default() };
    let is_alone = !filters.is_empty() && filters.iter().all(can_be_judged);
    (query == plain && is_alone).then_some(filters)
}

impl Scopes {
    /// The records for which a scope allows this; `None` for all. With `whole`, scopes that select name nothing.
    #[must_use]
    pub fn selections(
        &self,
        what: Interactions,
        whole: bool,
        (bases, now_micros): (&[String], i64),
    ) -> Option<Vec<Selection>> {
        let allowing: Vec<&Records> = self
            .records()
            .filter(|records| self.with_whole(records).include(what) && (records.query.is_empty() || !whole))
            .collect();
        if allowing.iter().any(|records| records.kind.is_none()) {
            return None;
        }
        Some(allowing.iter().filter_map(|records| records.selection(bases, now_micros).ok()).collect())
    }
}

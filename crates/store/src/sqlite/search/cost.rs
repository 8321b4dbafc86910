//! What a question would cost, told before it is asked: so that one that cannot end in time is refused at once, with what
//! would narrow it, and takes nobody else's time.
//!
//! The unit is a record looked at under one condition. Of a condition with an index the number of records is counted, up
//! to a bound; where none is a small set, every record of the kind may have to be looked at. That is a bound from above: a
//! question that costs less than the limit may still take too long, and then is ended by the clock.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ieum_fhir::search::Query;

use super::sql::Sql;
use super::start::reached;
use crate::access::{Institution, Reach};
use crate::commit::StoreError;
use crate::sqlite::to_u64;
use crate::sqlite::visible::Scope;

/// Commits after which something is counted again; of large kinds, which take longer to count and to grow, a
/// tenth of their number.
const COMMITS: u64 = 1_000;

/// Parameters that mostly select few records, in the order in which they are recommended.
const NARROW: [&str; 7] = ["patient", "subject", "identifier", "encounter", "code", "date", "_lastUpdated"];

/// How much there is of something, about: as of some commit, counted anew after a while.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Sizes(Mutex<HashMap<What, (u64, u64)>>);

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    /// Records of a kind.
    Kind(i64),
    /// Relations of an institution that are not over.
    Relations(i64),
    /// Records that a person of an institution reaches.
    Reach(String, String),
}

/// Sizes remembered at most; the institutions of a country are fewer.
const MOST_SIZES: usize = 200_000;

impl Sizes {
    /// How many records of a kind there are.
    pub(super) fn of(&self, scope: &Scope<'_>, kind: &str) -> Result<u64, StoreError> {
        let Some(kind) = scope.shared.registry.kind(kind).map(|kind| kind.no) else { return Ok(0) };
        self.remembered(scope.t, What::Kind(kind), || {
            let sql = "SELECT count(*) FROM res INDEXED BY res_kind WHERE kind = ?1 AND op IN (1, 2)";
            to_u64(scope.connection.prepare_cached(sql)?.query_row([kind], |row| row.get(0))?)
        })
    }

    /// How many relations of an institution are not over.
    pub(in crate::sqlite) fn relations(
        &self,
        scope: &Scope<'_>,
        institution: i64,
    ) -> Result<u64, StoreError> {
        self.remembered(scope.t, What::Relations(institution), || {
            let sql = "SELECT count(*) FROM rel WHERE org = ?1 AND hi > ?2";
            let now = (scope.shared.clock)();
            to_u64(scope.connection.prepare_cached(sql)?.query_row([institution, now], |row| row.get(0))?)
        })
    }

    /// How many records somebody reaches, of all kinds, counted to a bound.
    pub(super) fn reach(&self, scope: &Scope<'_>, reach: &Sql) -> Result<u64, StoreError> {
        match &scope.access.clinical {
            Reach::Institution(Institution { id, person: Some(person), about: None, .. }) => {
                let what = What::Reach(id.clone(), person.clone());
                self.remembered(scope.t, what, || reached(scope.connection, reach))
            }
            _ => reached(scope.connection, reach),
        }
    }

    fn remembered(
        &self,
        t: u64,
        what: What,
        count: impl FnOnce() -> Result<u64, StoreError>,
    ) -> Result<u64, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&what).copied();
        if let Some((then, size)) = known
            && t.abs_diff(then) < COMMITS.max(size / 10)
        {
            return Ok(size);
        }
        let size = count()?;
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sizes.len() >= MOST_SIZES {
            sizes.clear();
        }
        sizes.insert(what, (t, size));
        Ok(size)
    }
}

/// What a question costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    /// To look at each record of the kind asked for.
    walk: u64,
    /// To find the records that chains lead to, once.
    chains: u64,
}

/// How far a statement walks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk {
    /// Until there are enough.
    ToTheFirst,
    /// Through all that match, each with so many values to be ordered by.
    All {
        /// Keys of the order.
        keys: u64,
    },
}

impl Walk {
    /// How often each record counts that is looked at under so many conditions.
    pub(super) fn times(self, conditions: u64) -> u64 {
        let keys = match self {
            Self::ToTheFirst => 0,
            Self::All { keys } => keys,
        };
        conditions.max(1).saturating_mul(keys.saturating_add(1))
    }
}

impl Cost {
    /// Adds so many records looked at under so many conditions.
    pub(super) fn add(&mut self, is_walk: bool, records: u64, conditions: u64) {
        let cost = records.saturating_mul(conditions.max(1));
        let sum = if is_walk { &mut self.walk } else { &mut self.chains };
        *sum = sum.saturating_add(cost);
    }

    /// Refuses a question beyond the limit.
    pub(super) fn check(self, scope: &Scope<'_>, query: &Query, walk: Walk) -> Result<(), StoreError> {
        let most = scope.shared.options.query_records;
        let walked = match walk {
            Walk::ToTheFirst => 0,
            Walk::All { keys } => self.walk.saturating_mul(keys.saturating_add(1)),
        };
        let records = walked.saturating_add(self.chains);
        if records <= most {
            return Ok(());
        }
        let kind = scope.shared.catalogue.kind(&query.kind);
        let is_asked =
            |code: &str| query.applied.iter().any(|(name, _)| name.split([':', '.']).next() == Some(code));
        let narrower = NARROW.into_iter().filter(|code| {
            !is_asked(code)
                && (code.starts_with('_') || kind.is_some_and(|kind| kind.built_in(code).is_some()))
        });
        let narrower = narrower.take(3).map(ToOwned::to_owned).collect();
        Err(StoreError::TooCostly { records, most, narrower })
    }
}

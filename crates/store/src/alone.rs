//! Whether one version, looked at by itself, passes conditions of a search.
//!
//! Engines answer for what is there now. Who follows the change feed asks the same of a version, which may be an older
//! one by then; so only conditions can be judged that look at nothing but the record's own values.

use ieum_fhir::index::TimeRange;
use ieum_fhir::search::{Filter, Param, passes};

use crate::catalogue::KindDef;
use crate::prepare::Indexed;

/// A version, as conditions see it.
#[derive(Debug, Clone, Copy)]
pub struct Alone<'v> {
    /// Its kind.
    pub kind: &'v KindDef,
    /// Its logical id.
    pub id: &'v str,
    /// When it was made, in microseconds since 1970.
    pub instant: i64,
    /// What it is found by.
    pub indexed: &'v Indexed,
}

/// Whether the condition looks at nothing but the record itself: no chain, no `_has`, no hierarchy, no words of its texts.
#[must_use]
pub fn can_be_judged(filter: &Filter) -> bool {
    match filter {
        Filter::Any { .. }
        | Filter::None { .. }
        | Filter::Missing { .. }
        | Filter::Id(_)
        | Filter::LastUpdated(_) => true,
        Filter::Chain { .. } | Filter::Has { .. } | Filter::Tree { .. } | Filter::Words { .. } => false,
        Filter::And(filters) | Filter::Or(filters) => filters.iter().all(can_be_judged),
        Filter::Not(filter) => can_be_judged(filter),
    }
}

impl Alone<'_> {
    /// Whether the condition holds; one that [cannot be judged](can_be_judged) does not.
    #[must_use]
    pub fn holds(&self, filter: &Filter) -> bool {
        can_be_judged(filter) && self.judge(filter)
    }

    fn judge(&self, filter: &Filter) -> bool {
        match filter {
            Filter::Any { param, tests } => {
                self.values(param).any(|value| tests.iter().any(|test| passes(test, value)))
            }
            Filter::None { param, tests } => {
                !self.values(param).any(|value| tests.iter().any(|test| passes(test, value)))
            }
            Filter::Missing { param, missing } => self.values(param).next().is_none() == *missing,
            Filter::Id(ids) => ids.iter().any(|id| id == self.id),
            Filter::LastUpdated(tests) => {
                let range = TimeRange { lo: self.instant, hi: self.instant + 1 };
                tests.iter().any(|test| test.holds(range))
            }
            Filter::And(filters) => filters.iter().all(|filter| self.judge(filter)),
            Filter::Or(filters) => filters.iter().any(|filter| self.judge(filter)),
            Filter::Not(filter) => !self.judge(filter),
            Filter::Chain { .. } | Filter::Has { .. } | Filter::Tree { .. } | Filter::Words { .. } => false,
        }
    }

    fn values<'s>(
        &'s self,
        param: &Param,
    ) -> impl Iterator<Item = &'s ieum_fhir::index::IndexValue<'static>> + use<'s> {
        let position = self.kind.param(&param.code).filter(|_| param.kind == self.kind.name);
        let values = self.indexed.values.iter();
        values.filter(move |(of, _)| Some(usize::from(*of)) == position).map(|(_, value)| value)
    }
}

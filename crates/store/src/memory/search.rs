//! Searching the oracle: every record is looked at, and each condition is asked as it reads.

use std::cmp::Ordering;

use ieum_fhir::index::{IndexValue, Target};
use ieum_fhir::search::matches::passes;
use ieum_fhir::search::{Filter, Param, Query, SortBy, SortKeyOf};
use ieum_fhir::text;

use super::{Version, View};
use crate::access::AccessPlan;
use crate::engine::{Position, SearchPage, SearchRequest, SortValue};

/// A record's place in the order: its sort values, then the order of creation.
type Place = (Vec<Option<SortValue>>, i64);

impl View<'_> {
    /// Every record that matches, in order of creation.
    pub(super) fn matching(&self, access: &AccessPlan, query: &Query) -> Vec<&Version> {
        let of_kind = self.state.born.iter().filter(|(kind, _)| *kind == query.kind);
        let live = of_kind.filter_map(|(kind, id)| self.live(access, kind, id));
        live.filter(|version| query.filters.iter().all(|filter| self.holds(access, filter, version)))
            .collect()
    }

    pub(super) fn search_page(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> SearchPage {
        let query = request.query;
        let as_of = request.after.as_ref().map_or(self.state.t, |position| position.as_of);
        let mut found: Vec<(Place, &Version)> = Vec::new();
        for version in self.matching(access, query) {
            let key = (version.record.kind.clone(), version.record.id.clone());
            if self.born_at(&key.0, &key.1) > as_of {
                continue;
            }
            let born = self.state.born.iter().position(|other| *other == key).unwrap_or(usize::MAX);
            let keys = query.sort.iter().map(|sort| self.sort_key(sort, version)).collect();
            found.push(((keys, i64::try_from(born).unwrap_or(i64::MAX)), version));
        }
        found.sort_by(|(left, _), (right, _)| compare(&query.sort, left, right));

        let place_of = |position: &Position| (position.keys.clone(), position.last);
        let (mut before, mut rest) = match &request.after {
            None => (Vec::new(), found),
            Some(after) => {
                let after = place_of(after);
                let split = |place: &Place| match compare(&query.sort, place, &after) {
                    Ordering::Less => true,
                    Ordering::Equal => !request.backward,
                    Ordering::Greater => false,
                };
                found.into_iter().partition(|(place, _)| split(place))
            }
        };
        let more = if request.backward {
            let start = before.len().saturating_sub(request.limit);
            let behind = std::mem::replace(&mut rest, before.split_off(start));
            !behind.is_empty()
        } else {
            rest.len() > request.limit
        };
        rest.truncate(request.limit);
        let position = |(keys, last): &Place| Position { as_of, keys: keys.clone(), last: *last };
        SearchPage {
            previous: rest.first().filter(|_| !before.is_empty()).map(|(place, _)| position(place)),
            next: rest.last().filter(|_| more).map(|(place, _)| position(place)),
            records: rest.iter().map(|(_, version)| version.record.clone()).collect(),
        }
    }

    fn live(&self, access: &AccessPlan, kind: &str, id: &str) -> Option<&Version> {
        let newest = self.state.newest(kind, id)?;
        (!newest.record.is_deleted() && self.visible(access, newest)).then_some(newest)
    }

    fn holds(&self, access: &AccessPlan, filter: &Filter, version: &Version) -> bool {
        let record = &version.record;
        match filter {
            Filter::Any { param, tests } => {
                self.values(version, param).any(|value| tests.iter().any(|test| passes(test, value)))
            }
            Filter::None { param, tests } => {
                !self.values(version, param).any(|value| tests.iter().any(|test| passes(test, value)))
            }
            Filter::Missing { param, missing } => self.values(version, param).next().is_none() == *missing,
            Filter::Id(ids) => ids.contains(&record.id),
            Filter::LastUpdated(tests) => {
                let at = ieum_fhir::index::TimeRange { lo: record.instant, hi: record.instant + 1 };
                tests.iter().any(|test| test.holds(at))
            }
            Filter::Chain { param, targets } => self.values(version, param).any(|value| {
                let IndexValue::Reference(Target::Local { kind, id }) = value else { return false };
                let conditions = targets.iter().filter(|(target, _)| target == kind);
                let Some(target) = self.live(access, kind, id) else { return false };
                conditions.into_iter().any(|(_, condition)| self.holds(access, condition, target))
            }),
            Filter::Has { param, filter } => {
                let others = self.state.born.iter().filter(|(kind, _)| *kind == param.kind);
                let mut others = others.filter_map(|(kind, id)| self.live(access, kind, id));
                others.any(|other| {
                    let refers = self.values(other, param).any(|value| {
                        matches!(value, IndexValue::Reference(Target::Local { kind, id })
                            if *kind == record.kind && *id == record.id)
                    });
                    refers && self.holds(access, filter, other)
                })
            }
        }
    }

    fn values<'v>(
        &self,
        version: &'v Version,
        param: &Param,
    ) -> impl Iterator<Item = &'v IndexValue<'static>> {
        let position = self.catalogue.kind(&param.kind).and_then(|kind| kind.param(&param.code));
        let values = version.indexed.values.iter();
        values.filter(move |(of, _)| Some(usize::from(*of)) == position).map(|(_, value)| value)
    }

    fn sort_key(&self, sort: &SortKeyOf, version: &Version) -> Option<SortValue> {
        match &sort.by {
            SortBy::Id => Some(SortValue::Text(version.record.id.clone())),
            SortBy::LastUpdated => Some(SortValue::Int(version.record.instant)),
            SortBy::Param(param) => {
                let keys = self.values(version, param).filter_map(sort_keys);
                if sort.descending { keys.max() } else { keys.min() }
            }
        }
    }
}

/// What a value counts as when sorting: a stretch of time by its start, a range of numbers by its least, a token by its
/// code, a reference by its text, text by its normalised form.
#[must_use]
pub fn sort_keys(value: &IndexValue<'_>) -> Option<SortValue> {
    match value {
        IndexValue::Token { code, .. } => code.as_ref().map(|code| SortValue::Text(code.to_string())),
        IndexValue::Reference(Target::Local { kind, id }) => Some(SortValue::Text(format!("{kind}/{id}"))),
        IndexValue::Reference(Target::Url(url)) => Some(SortValue::Text(url.to_string())),
        IndexValue::Date(range) => Some(SortValue::Int(range.lo)),
        IndexValue::Number(range) | IndexValue::Quantity { range, .. } => {
            Some(SortValue::Bytes(range.lo.0.clone()))
        }
        IndexValue::String(value) => Some(SortValue::Text(text::normalize(value).into())),
        IndexValue::Uri(value) => Some(SortValue::Text(value.to_string())),
    }
}

/// Order of two places. Records without a value come last, whatever the direction.
fn compare(sort: &[SortKeyOf], left: &Place, right: &Place) -> Ordering {
    for ((key, left), right) in sort.iter().zip(&left.0).zip(&right.0) {
        let order = match (left, right) {
            (Some(left), Some(right)) if key.descending => right.cmp(left),
            (Some(left), Some(right)) => left.cmp(right),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.1.cmp(&right.1)
}

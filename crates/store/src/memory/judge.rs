//! Judging one record: each condition is asked as it reads, of every value and every other record.

use std::collections::BTreeSet;

use ieum_fhir::index::{ContainedValues, FullText, IndexValue, Target, TimeRange};
use ieum_fhir::search::matches::passes;
use ieum_fhir::search::{Filter, Param, ReferenceTest, SortBy, SortKeyOf, TextPlace, Way};
use ieum_fhir::text;

use super::{Version, View};
use crate::access::AccessPlan;
use crate::engine::SortValue;

/// What a condition is asked of: a record, or a resource contained in one. Of the latter nothing is known but its own
/// values and its id; its time is that of its container, nothing refers to it, and its texts are not looked at.
#[derive(Clone, Copy)]
pub(super) struct Subject<'v> {
    version: &'v Version,
    values: &'v [(u16, IndexValue<'static>)],
    part: Option<&'v ContainedValues<'static>>,
}

impl<'v> Subject<'v> {
    pub(super) fn of(version: &'v Version) -> Self {
        Self { version, values: &version.indexed.values, part: None }
    }

    pub(super) fn of_part(version: &'v Version, part: &'v ContainedValues<'static>) -> Self {
        Self { version, values: &part.values, part: Some(part) }
    }

    /// The id inside the container.
    pub(super) fn part_id(self) -> Option<&'v str> {
        self.part.map(|part| &*part.id)
    }

    fn id(self) -> &'v str {
        self.part_id().unwrap_or(&self.version.record.id)
    }

    fn text(self) -> Option<&'v FullText> {
        self.part.is_none().then_some(&self.version.text)
    }
}

impl View {
    /// The newest version, if it is there for this caller.
    pub(super) fn live(&self, access: &AccessPlan, kind: &str, id: &str) -> Option<&Version> {
        let newest = self.state.newest(kind, id)?;
        (!newest.record.is_deleted() && self.visible(access, newest)).then_some(newest)
    }

    /// Every record of a kind that is there for this caller.
    fn all<'v>(&'v self, access: &'v AccessPlan, kind: &'v str) -> impl Iterator<Item = &'v Version> {
        let born = self.state.born.iter().filter(move |(of, _)| of == kind);
        born.filter_map(move |(kind, id)| self.live(access, kind, id))
    }

    pub(super) fn holds(&self, access: &AccessPlan, filter: &Filter, subject: Subject<'_>) -> bool {
        match filter {
            Filter::Any { param, tests } => {
                self.values(subject, param).any(|value| tests.iter().any(|test| passes(test, value)))
            }
            Filter::None { param, tests } => {
                !self.values(subject, param).any(|value| tests.iter().any(|test| passes(test, value)))
            }
            Filter::Missing { param, missing } => self.values(subject, param).next().is_none() == *missing,
            Filter::Id(ids) => ids.iter().any(|id| id == subject.id()),
            Filter::LastUpdated(tests) => {
                let instant = subject.version.record.instant;
                tests.iter().any(|test| test.holds(TimeRange { lo: instant, hi: instant + 1 }))
            }
            Filter::Chain { param, targets } => self.targets(subject, param).any(|(kind, id)| {
                let Some(target) = self.live(access, kind, id) else { return false };
                let mut conditions = targets.iter().filter(|(of, _)| of == kind);
                conditions.any(|(_, condition)| self.holds(access, condition, Subject::of(target)))
            }),
            Filter::Has { param, filter } => {
                let record = &subject.version.record;
                subject.part.is_none()
                    && self.all(access, &param.kind).map(Subject::of).any(|other| {
                        let here = (&*record.kind, &*record.id);
                        self.targets(other, param).any(|target| target == here)
                            && self.holds(access, filter, other)
                    })
            }
            Filter::Tree { param, by, way, roots } => {
                let members = self.tree(access, by, *way, roots);
                self.targets(subject, param)
                    .any(|(kind, id)| members.contains(&(kind.to_owned(), id.to_owned())))
            }
            Filter::Words { place, terms } => subject.text().is_some_and(|text| {
                let known = match place {
                    TextPlace::Narrative => &text.narrative,
                    TextPlace::Content => &text.content,
                };
                terms.iter().all(|term| known.contains(term))
            }),
            Filter::And(filters) => filters.iter().all(|filter| self.holds(access, filter, subject)),
            Filter::Or(filters) => filters.iter().any(|filter| self.holds(access, filter, subject)),
            Filter::Not(filter) => !self.holds(access, filter, subject),
        }
    }

    /// The places of a hierarchy from some records on: grown until nothing is new.
    fn tree(
        &self,
        access: &AccessPlan,
        by: &Param,
        way: Way,
        roots: &[ReferenceTest],
    ) -> BTreeSet<(String, String)> {
        let mut members: BTreeSet<(String, String)> = BTreeSet::new();
        for root in roots {
            if let ReferenceTest::Local { kind, id } = root {
                members.insert((kind.clone(), id.clone()));
            }
        }
        loop {
            let mut grown = members.clone();
            for record in self.all(access, &by.kind) {
                let key = (record.record.kind.clone(), record.record.id.clone());
                let above: Vec<(String, String)> = self
                    .targets(Subject::of(record), by)
                    .filter(|(kind, _)| *kind == by.kind)
                    .map(|(kind, id)| (kind.to_owned(), id.to_owned()))
                    .collect();
                match way {
                    Way::Below if above.iter().any(|above| members.contains(above)) => {
                        grown.insert(key);
                    }
                    Way::Above if members.contains(&key) => grown.extend(above),
                    _ => {}
                }
            }
            if grown == members {
                return members;
            }
            members = grown;
        }
    }

    fn values<'v>(
        &self,
        subject: Subject<'v>,
        param: &Param,
    ) -> impl Iterator<Item = &'v IndexValue<'static>> + use<'v> {
        let position = self.state.catalogue.kind(&param.kind).and_then(|kind| kind.param(&param.code));
        let values = subject.values.iter();
        values.filter(move |(of, _)| Some(usize::from(*of)) == position).map(|(_, value)| value)
    }

    /// The records of this server that a reference parameter names, as kind and id.
    fn targets<'v>(
        &self,
        subject: Subject<'v>,
        param: &Param,
    ) -> impl Iterator<Item = (&'v str, &'v str)> + use<'v> {
        self.values(subject, param).filter_map(|value| match value {
            IndexValue::Reference(Target::Local { kind, id }) => Some((&**kind, &**id)),
            _ => None,
        })
    }

    pub(super) fn sort_key(
        &self,
        access: &AccessPlan,
        key: &SortKeyOf,
        subject: Subject<'_>,
    ) -> Option<SortValue> {
        self.sort_value(access, &key.by, key.descending, subject)
    }

    fn sort_value(
        &self,
        access: &AccessPlan,
        by: &SortBy,
        descending: bool,
        subject: Subject<'_>,
    ) -> Option<SortValue> {
        let end =
            |keys: &mut dyn Iterator<Item = SortValue>| if descending { keys.max() } else { keys.min() };
        match by {
            SortBy::Id => Some(SortValue::Text(subject.id().to_owned())),
            SortBy::LastUpdated => Some(SortValue::Int(subject.version.record.instant)),
            SortBy::Param(param) => end(&mut self.values(subject, param).filter_map(sort_keys)),
            SortBy::Chain { param, target, by } => {
                let records = self.targets(subject, param).filter(|(kind, _)| kind == target);
                let records = records.filter_map(|(kind, id)| self.live(access, kind, id));
                end(&mut records
                    .filter_map(|record| self.sort_value(access, by, descending, Subject::of(record))))
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
        IndexValue::Text(_)
        | IndexValue::OfType { .. }
        | IndexValue::Identifier { .. }
        | IndexValue::Canonical { .. }
        | IndexValue::Composite(_)
        | IndexValue::Near { .. } => None,
    }
}

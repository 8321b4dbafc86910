//! What a provision is about, and its rules.

use ieum_fhir::index::TimeRange;
use ieum_store::access::{Rule, Which, day};

/// Values that one element of a provision may have, and combinations of them that one provision may stand for.
pub(super) const MOST: usize = 256;

/// Labels asked for: with each of some, and without any of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) with: u32,
    pub(super) without: u32,
}

impl Labels {
    fn and(&self, other: &Self) -> Option<Self> {
        let both = Self { with: self.with | other.with, without: self.without | other.without };
        (both.with & both.without == 0).then_some(both)
    }
}

/// What data are meant: those for which everything holds that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) institution: Option<String>,
    pub(super) encounter: Option<String>,
    pub(super) record: Option<(String, String)>,
}

impl Data {
    fn and(&self, other: &Self) -> Option<Self> {
        Some(Self {
            institution: one_of(&self.institution, &other.institution)?,
            encounter: one_of(&self.encounter, &other.encounter)?,
            record: one_of(&self.record, &other.record)?,
        })
    }
}

const ALWAYS: TimeRange = TimeRange { lo: i64::MIN, hi: i64::MAX };

/// What a provision is about. `None` is for anything; a list is for any of its members.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    /// Whether everything could be read.
    pub(super) is_read: bool,
    pub(super) period: TimeRange,
    pub(super) dates: TimeRange,
    pub(super) purposes: Option<u32>,
    pub(super) askers: Option<Vec<String>>,
    pub(super) labels: Option<Vec<Labels>>,
    pub(super) kinds: Option<Vec<String>>,
    pub(super) departments: Option<Vec<String>>,
    pub(super) data: Option<Vec<Data>>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            is_read: true,
            period: ALWAYS,
            dates: ALWAYS,
            purposes: None,
            askers: None,
            labels: None,
            kinds: None,
            departments: None,
            data: None,
        }
    }
}

impl Conditions {
    /// What both are about; `None` when that is nothing.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let period = within(self.period, other.period);
        let purposes = match (self.purposes, other.purposes) {
            (Some(left), Some(right)) => Some(left & right),
            (one, other) => one.or(other),
        };
        let both = Self {
            is_read: self.is_read && other.is_read,
            period,
            // Not empty where both touch one day: a record tells no more than that.
            dates: within(self.dates, other.dates),
            purposes,
            askers: common(&self.askers, &other.askers, equal)?,
            labels: common(&self.labels, &other.labels, Labels::and)?,
            kinds: common(&self.kinds, &other.kinds, equal)?,
            departments: common(&self.departments, &other.departments, equal)?,
            data: common(&self.data, &other.data, Data::and)?,
        };
        (period.lo < period.hi && purposes != Some(0)).then_some(both)
    }

    /// The more is said, the more specific; what names fewer records counts for more.
    fn specificity(&self, data: &Data) -> u32 {
        let parts = [
            data.record.is_some(),
            data.encounter.is_some(),
            self.departments.is_some(),
            data.institution.is_some(),
            self.labels.is_some(),
            self.kinds.is_some(),
            self.dates != ALWAYS,
            self.askers.is_some(),
            self.purposes.is_some(),
        ];
        parts.into_iter().fold(0, |sum, part| sum << 1 | u32::from(part))
    }

    /// A rule for each combination; `None` when there are too many. A permission holds from when it was given. An exception
    /// that says the same as its root goes before it: as if made just after it.
    pub(super) fn rules(&self, patient: &str, permit: bool, given: i64, depth: u32) -> Option<Vec<Rule>> {
        let (askers, labels, kinds) = (each(&self.askers), each(&self.labels), each(&self.kinds));
        let (departments, data) = (each(&self.departments), each(&self.data));
        let count = askers.len() * labels.len() * kinds.len() * departments.len() * data.len();
        if count > MOST {
            return None;
        }
        let purposes = self.purposes.unwrap_or(u32::MAX);
        let from = if permit { self.period.lo.max(given) } else { self.period.lo };
        let made = given.saturating_add(i64::from(depth));
        let mut rules = Vec::with_capacity(count);
        for asker in &askers {
            for label in &labels {
                for kind in &kinds {
                    for department in &departments {
                        for data in &data {
                            let data = data.cloned().unwrap_or_default();
                            let specificity = self.specificity(&data);
                            let which = self.which(permit, *label, *kind, *department, data);
                            rules.push(Rule {
                                patient: patient.to_owned(),
                                permit,
                                specificity,
                                made,
                                asker: asker.cloned(),
                                purposes,
                                from,
                                until: self.period.hi,
                                which,
                            });
                        }
                    }
                }
            }
        }
        Some(rules)
    }

    fn which(
        &self,
        permit: bool,
        labels: Option<&Labels>,
        kind: Option<&String>,
        department: Option<&String>,
        data: Data,
    ) -> Which {
        let labels = labels.copied().unwrap_or_default();
        let (since, before) = days(self.dates, permit);
        Which {
            institution: data.institution,
            department: department.cloned(),
            kind: kind.cloned(),
            labels: labels.with,
            without: labels.without,
            since,
            before,
            record: data.record,
            encounter: data.encounter,
        }
    }
}

fn within(left: TimeRange, right: TimeRange) -> TimeRange {
    TimeRange { lo: left.lo.max(right.lo), hi: left.hi.min(right.hi) }
}

/// The days of a stretch of time: for a permission those that lie in it whole, for a prohibition those that touch it.
fn days(range: TimeRange, permit: bool) -> (Option<i64>, Option<i64>) {
    let start = |micros: i64| if permit { day(micros - 1) + 1 } else { day(micros) };
    let end = |micros: i64| if permit { day(micros) } else { day(micros - 1) + 1 };
    ((range.lo != i64::MIN).then(|| start(range.lo)), (range.hi != i64::MAX).then(|| end(range.hi)))
}

/// What two lists have in common, where none is of anything; `None` when that is nothing. `and` gives what two members have
/// in common. More than [`MOST`] are as good as more still.
#[allow(clippy::option_option, reason = "no list is of anything, an empty one of nothing")]
fn common<T: Clone>(
    left: &Option<Vec<T>>,
    right: &Option<Vec<T>>,
    and: impl Fn(&T, &T) -> Option<T>,
) -> Option<Option<Vec<T>>> {
    match (left, right) {
        (Some(left), Some(right)) => {
            let and = &and;
            let pairs = left.iter().flat_map(|left| right.iter().filter_map(move |right| and(left, right)));
            let both: Vec<T> = pairs.take(MOST + 1).collect();
            (!both.is_empty()).then_some(Some(both))
        }
        (one, other) => Some(one.clone().or_else(|| other.clone())),
    }
}

fn equal<T: Clone + PartialEq>(left: &T, right: &T) -> Option<T> {
    (left == right).then(|| left.clone())
}

/// The one of two that is named; `None` when they differ.
#[allow(clippy::option_option, reason = "what is not named may be any")]
fn one_of<T: Clone + PartialEq>(left: &Option<T>, right: &Option<T>) -> Option<Option<T>> {
    match (left, right) {
        (Some(left), Some(right)) => equal(left, right).map(Some),
        (one, other) => Some(one.clone().or_else(|| other.clone())),
    }
}

/// The members of a list, or one for anything.
fn each<T>(list: &Option<Vec<T>>) -> Vec<Option<&T>> {
    list.as_ref().map_or_else(|| vec![None], |members| members.iter().map(Some).collect())
}

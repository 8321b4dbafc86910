//! What a provision is about, and its rules.

use ieum_fhir::index::TimeRange;
use ieum_store::access::{Rule, Which};

/// Combinations one provision may stand for.
const MOST: usize = 256;

/// Labels asked for: with one of some, and without any of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) with: u32,
    pub(super) without: u32,
}

/// What data are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Institution(String),
    Encounter(String),
    Record(String, String),
}

/// What a provision is about. `None` is for anything; a list is for any of its members.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    /// Whether everything could be read.
    pub(super) is_read: bool,
    pub(super) period: TimeRange,
    pub(super) dates: (Option<i64>, Option<i64>),
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
            period: TimeRange { lo: i64::MIN, hi: i64::MAX },
            dates: (None, None),
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
        let period =
            TimeRange { lo: self.period.lo.max(other.period.lo), hi: self.period.hi.min(other.period.hi) };
        let dates = (self.dates.0.max(other.dates.0), earlier(self.dates.1, other.dates.1));
        let purposes = match (self.purposes, other.purposes) {
            (Some(left), Some(right)) => Some(left & right),
            (one, other) => one.or(other),
        };
        let both = Self {
            is_read: self.is_read && other.is_read,
            period,
            dates,
            purposes,
            askers: common(&self.askers, &other.askers)?,
            labels: common(&self.labels, &other.labels)?,
            kinds: common(&self.kinds, &other.kinds)?,
            departments: common(&self.departments, &other.departments)?,
            data: common(&self.data, &other.data)?,
        };
        (period.lo < period.hi && purposes != Some(0)).then_some(both)
    }

    /// The more is said, the more specific; what names fewer records counts for more. An exception is more specific than
    /// what it is an exception to.
    fn specificity(&self, data: Option<&Data>, depth: u32) -> u32 {
        let parts = [
            matches!(data, Some(Data::Record(..))),
            matches!(data, Some(Data::Encounter(_))),
            self.departments.is_some(),
            matches!(data, Some(Data::Institution(_))),
            self.labels.is_some(),
            self.kinds.is_some(),
            self.dates != (None, None),
            self.askers.is_some(),
            self.purposes.is_some(),
        ];
        parts.into_iter().fold(0, |sum, part| sum << 1 | u32::from(part)) << 1 | depth
    }

    /// A rule for each combination; `None` when there are too many.
    pub(super) fn rules(&self, patient: &str, permit: bool, made: i64, depth: u32) -> Option<Vec<Rule>> {
        let (askers, labels, kinds) = (each(&self.askers), each(&self.labels), each(&self.kinds));
        let (departments, data) = (each(&self.departments), each(&self.data));
        let count = askers.len() * labels.len() * kinds.len() * departments.len() * data.len();
        if count > MOST {
            return None;
        }
        let purposes = self.purposes.unwrap_or(u32::MAX);
        let mut rules = Vec::with_capacity(count);
        for asker in &askers {
            for label in &labels {
                for kind in &kinds {
                    for department in &departments {
                        for data in &data {
                            let which = self.which(*label, *kind, *department, *data);
                            rules.push(Rule {
                                patient: patient.to_owned(),
                                permit,
                                specificity: self.specificity(*data, depth),
                                made,
                                asker: asker.cloned(),
                                purposes,
                                from: self.period.lo,
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
        label: Option<&Labels>,
        kind: Option<&String>,
        department: Option<&String>,
        data: Option<&Data>,
    ) -> Which {
        let labels = label.copied().unwrap_or(Labels { with: 0, without: 0 });
        let mut which = Which {
            department: department.cloned(),
            kind: kind.cloned(),
            labels: labels.with,
            without: labels.without,
            since: self.dates.0,
            before: self.dates.1,
            ..Which::default()
        };
        match data {
            None => {}
            Some(Data::Institution(id)) => which.institution = Some(id.clone()),
            Some(Data::Encounter(id)) => which.encounter = Some(id.clone()),
            Some(Data::Record(kind, id)) => which.record = Some((kind.clone(), id.clone())),
        }
        which
    }
}

/// The earlier of two ends, of which an empty one is never.
fn earlier(left: Option<i64>, right: Option<i64>) -> Option<i64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, other) => one.or(other),
    }
}

/// What two lists have in common, where none is of anything; `None` when that is nothing.
#[allow(clippy::option_option, reason = "no list is of anything, an empty one of nothing")]
fn common<T: Clone + PartialEq>(left: &Option<Vec<T>>, right: &Option<Vec<T>>) -> Option<Option<Vec<T>>> {
    match (left, right) {
        (Some(left), Some(right)) => {
            let both: Vec<T> = left.iter().filter(|member| right.contains(member)).cloned().collect();
            (!both.is_empty()).then_some(Some(both))
        }
        (one, other) => Some(one.clone().or_else(|| other.clone())),
    }
}

/// The members of a list, or one for anything.
fn each<T>(list: &Option<Vec<T>>) -> Vec<Option<&T>> {
    list.as_ref().map_or_else(|| vec![None], |members| members.iter().map(Some).collect())
}

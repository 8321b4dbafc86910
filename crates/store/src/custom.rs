//! Search parameters that are defined by records (`SearchParameter`): how far records are indexed by them, and which
//! questions ask by them.
//!
//! An engine takes definitions into force while it runs ([`Engine::define`]). Records that are there already are
//! indexed in the background, a few at a time ([`Engine::index_some`]); until all are, no question by the parameter is
//! answered. What is defined no more, or means something else now, is taken away in the same manner.
//!
//! [`Engine::define`]: crate::engine::Engine::define
//! [`Engine::index_some`]: crate::engine::Engine::index_some

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ieum_fhir::search::custom::CustomParam;
use ieum_fhir::search::parameters::Indexing;
use ieum_fhir::search::{Filter, Param, Query, SortBy};

use crate::catalogue::{Catalogue, ParamDef};
use crate::commit::StoreError;

/// Parameters defined by records on one kind. Those being taken away count until they are gone, in an engine with
/// numbers for twice as many.
pub const MOST_OF_A_KIND: usize = 32;
/// Parameters defined by records in all.
pub const MOST: usize = 500;

/// How far records are indexed by a parameter; changes while it is looked at.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    /// At the start, or where it was left.
    #[must_use]
    pub fn new(indexing: Indexing) -> Self {
        let progress = Self::default();
        progress.set(indexing);
        progress
    }

    /// Where it is.
    #[must_use]
    pub fn indexing(&self) -> Indexing {
        Indexing {
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            is_stopped: self.stopped.load(Ordering::Relaxed),
        }
    }

    /// Says where it is.
    pub(crate) fn set(&self, indexing: Indexing) {
        self.done.store(indexing.done, Ordering::Relaxed);
        self.total.store(indexing.total.max(indexing.done), Ordering::Relaxed);
        self.stopped.store(indexing.is_stopped, Ordering::Relaxed);
    }
}

/// Something to be done in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexWork {
    /// The number under which the engine keeps the parameter.
    pub number: i64,
    /// Kind of record.
    pub kind: String,
    /// Code of the parameter.
    pub code: String,
    /// What is to be done.
    pub task: IndexTask,
}

impl IndexWork {
    /// To label all records anew.
    #[must_use]
    pub fn label() -> Self {
        Self { number: 0, kind: String::new(), code: String::new(), task: IndexTask::Label }
    }
}

/// What is to be done in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexTask {
    /// Index the records that were there before the parameter.
    Build,
    /// Take away what is left of a parameter that is none any more.
    Remove,
    /// Label all records anew; of no kind and no parameter.
    Label,
}

/// How far something in the background is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexStep {
    /// What is done.
    pub done: u64,
    /// How much there is in all, about.
    pub total: u64,
    /// Whether there is nothing more to do.
    pub is_finished: bool,
}

/// Of definitions in the order of their precedence those that can be in force together: one for each kind and code,
/// and within the limits.
#[must_use]
pub fn admitted(params: Vec<CustomParam>) -> Vec<Arc<CustomParam>> {
    let (mut taken, mut of_kind) = (HashSet::new(), HashMap::<&str, usize>::new());
    let mut admitted: Vec<Arc<CustomParam>> = Vec::new();
    for param in params {
        let count = of_kind.entry(param.kind).or_default();
        if *count < MOST_OF_A_KIND && admitted.len() < MOST && taken.insert((param.kind, param.code.clone()))
        {
            *count += 1;
            admitted.push(Arc::new(param));
        }
    }
    admitted
}

impl Catalogue {
    /// Refuses a question by a parameter that cannot be searched by. Its answer would be a part.
    ///
    /// # Errors
    /// [`StoreError::NotServed`].
    pub(crate) fn check(&self, query: &Query) -> Result<(), StoreError> {
        let mut refused = None;
        each_param(query, &mut |param| {
            let Some(kind) = self.kind(&param.kind) else { return };
            let found = kind.param(&param.code).map(|position| &kind.params[position]);
            let indexing = match found {
                Some(ParamDef { progress: None, .. }) => return,
                Some(ParamDef { progress: Some(progress), .. }) => Some(progress.indexing()),
                None => None,
            };
            let (kind, code) = (param.kind.clone(), param.code.clone());
            refused.get_or_insert(StoreError::NotServed { kind, code, indexing });
        });
        refused.map_or(Ok(()), Err)
    }

    /// What the parameters defined by records mean that a question asks by; nothing for most questions. A walk that began
    /// under another meaning does not go on.
    #[must_use]
    pub fn meaning(&self, query: &Query) -> String {
        let mut meaning = String::new();
        each_param(query, &mut |param| {
            let Some(kind) = self.kind(&param.kind) else { return };
            let custom = kind.custom().find(|(found, _)| found.code == param.code);
            if let Some((found, _)) = custom {
                meaning.push_str(&format!("\n{}.{} {}", param.kind, param.code, found.definition));
            }
        });
        meaning
    }
}

/// Every parameter that a query names, wherever it does.
fn each_param(query: &Query, found: &mut dyn FnMut(&Param)) {
    query.filters.iter().for_each(|filter| of_filter(filter, found));
    query.sort.iter().for_each(|key| of_sort(&key.by, found));
    query.includes.iter().flat_map(|include| &include.params).for_each(found);
}

/// As deep as the parser lets filters be.
fn of_filter(filter: &Filter, found: &mut dyn FnMut(&Param)) {
    match filter {
        Filter::Any { param, .. } | Filter::None { param, .. } | Filter::Missing { param, .. } => {
            found(param);
        }
        Filter::Id(_) | Filter::LastUpdated(_) | Filter::Words { .. } => {}
        Filter::Chain { param, targets } => {
            found(param);
            targets.iter().for_each(|(_, filter)| of_filter(filter, found));
        }
        Filter::Has { param, filter } => {
            found(param);
            of_filter(filter, found);
        }
        Filter::Tree { param, by, .. } => {
            found(param);
            found(by);
        }
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().for_each(|filter| of_filter(filter, found));
        }
        Filter::Not(filter) => of_filter(filter, found),
    }
}

fn of_sort(by: &SortBy, found: &mut dyn FnMut(&Param)) {
    match by {
        SortBy::Id | SortBy::LastUpdated => {}
        SortBy::Param(param) => found(param),
        SortBy::Chain { param, by, .. } => {
            found(param);
            of_sort(by, found);
        }
    }
}

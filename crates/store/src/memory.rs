//! The oracle: a store that keeps everything in memory and answers by looking at every record.
//!
//! It exists so that the other engines can be proved right. It has no indexes, no plans and no tricks; each answer is
//! the plain reading of what was asked. Keep it so.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ieum_fhir::index::FullText;
use ieum_fhir::search::custom::CustomParam;

use crate::access::{AccessPlan, Evidence, Family, Judged, Reach, Relation, Rule, day};
use crate::catalogue::Catalogue;
use crate::clock::{Clock, next_instant};
use crate::commit::{Change, Changed, CommitError, CommitRequest, Committed, Expect, StoreError};
use crate::custom::{IndexStep, IndexWork};
use crate::engine::{AuditEntry, Engine, FeedEntry, Snapshot, StoredAuditEntry};
use crate::prepare::Indexed;
use crate::record::{Op, Record};
use crate::sensitive::SensitiveCodes;

mod define;
mod judge;
mod read;
mod search;

use judge::Subject;

pub use judge::sort_keys;

/// The oracle.
pub struct MemoryEngine {
    clock: Clock,
    state: Mutex<Arc<State>>,
}

#[derive(Debug, Clone)]
struct State {
    catalogue: Arc<Catalogue>,
    /// What is to be done in the background.
    work: Vec<IndexWork>,
    /// Whether other sensitive codes came into force, and nobody has asked to label records by them.
    is_labelling: bool,
    t: u64,
    instant: i64,
    /// Versions of each record, oldest first.
    records: BTreeMap<(String, String), Vec<Version>>,
    feed: Vec<FeedEntry>,
    audit: Vec<StoredAuditEntry>,
    followers: BTreeMap<String, u64>,
    /// Records in the order of their first creation.
    born: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct Version {
    record: Record,
    indexed: Indexed,
    text: FullText,
    /// The institution that made it.
    institution: Option<String>,
    /// Whether the hub wrote it, and the record names the institution.
    is_named: bool,
}

struct View {
    state: Arc<State>,
    now: i64,
    /// What current records say about access.
    said: OnceLock<(Vec<Relation>, Vec<Rule>)>,
}

impl MemoryEngine {
    /// An empty store.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>, clock: Clock) -> Self {
        let state = State {
            catalogue,
            work: Vec::new(),
            is_labelling: false,
            t: 0,
            instant: 0,
            records: BTreeMap::new(),
            feed: Vec::new(),
            audit: Vec::new(),
            followers: BTreeMap::new(),
            born: Vec::new(),
        };
        Self { clock, state: Mutex::new(Arc::new(state)) }
    }

    fn view(&self) -> View {
        self.view_of(self.lock().clone())
    }

    fn view_of(&self, state: Arc<State>) -> View {
        View { state, now: (self.clock)(), said: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryEngine {
    fn commit(&self, request: CommitRequest) -> Result<Committed, CommitError> {
        if !request.access.write {
            return Err(CommitError::Denied);
        }
        let mut shared = self.lock();
        let view = self.view_of(shared.clone());
        view.check_guards(&request)?;
        view.check_changes(&request.access, &request.changes)?;

        let mut state = (**shared).clone();
        let t = state.t + 1;
        let instant = next_instant(state.instant, (self.clock)());
        let changes: Vec<Changed> =
            request.changes.iter().map(|change| state.apply(change, t, instant, &request.access)).collect();
        let written = changes.iter().filter(|change| change.op.is_some()).count() as u64;
        if written == 0 {
            return Ok(Committed { t: state.t, changes });
        }
        (state.t, state.instant) = (t, instant);
        let entry = AuditEntry::of_commit(&request);
        state.append_audit(instant, Some((t, written)), entry);
        *shared = Arc::new(state);
        Ok(Committed { t, changes })
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(self.view()))
    }

    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut shared = self.lock();
        Arc::make_mut(&mut shared).append_audit((self.clock)(), None, entry.clone());
        Ok(())
    }

    fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError> {
        let mut shared = self.lock();
        let followers = &mut Arc::make_mut(&mut shared).followers;
        if t == 0 {
            followers.remove(name);
        } else {
            followers.insert(name.to_owned(), t);
        }
        Ok(())
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.lock().catalogue)
    }

    fn define(&self, params: &[Arc<CustomParam>]) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.lock()).define(params)
    }

    fn set_sensitive(&self, codes: &Arc<SensitiveCodes>) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.lock()).set_sensitive(codes)
    }

    fn index_work(&self) -> Result<Vec<IndexWork>, StoreError> {
        Ok(self.lock().work.clone())
    }

    fn index_some(&self, work: &IndexWork, records: usize) -> Result<IndexStep, StoreError> {
        Ok(Arc::make_mut(&mut self.lock()).index_some(work, records))
    }

    fn halt_indexing(&self, kind: &str, code: &str, halt: bool) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.lock()).halt_indexing(kind, code, halt);
        Ok(())
    }
}

impl View {
    fn check_guards(&self, request: &CommitRequest) -> Result<(), CommitError> {
        for (index, guard) in request.guards.iter().enumerate() {
            self.state.catalogue.check(&guard.query)?;
            let matches = self.matching(&request.access, &guard.query);
            let ids: Vec<&str> = matches.iter().map(|found| found.version.record.id.as_str()).collect();
            let same = match guard.found.as_slice() {
                [] => ids.is_empty(),
                [one] => ids == [one.as_str()],
                _ => ids.len() > 1,
            };
            if !same {
                return Err(CommitError::Guard { index });
            }
        }
        Ok(())
    }

    fn check_changes(&self, access: &AccessPlan, changes: &[Change]) -> Result<(), CommitError> {
        let mut named = HashSet::new();
        for (index, change) in changes.iter().enumerate() {
            let (kind, id) = change.key();
            if !named.insert((kind, id)) {
                return Err(CommitError::Duplicate { index });
            }
            let newest = self.state.newest(kind, id);
            if newest.is_some_and(|version| !self.visible(access, version)) {
                return Err(CommitError::Denied);
            }
            if !self.may_write(access, change) {
                return Err(CommitError::Denied);
            }
            let current =
                newest.filter(|version| !version.record.is_deleted()).map(|version| version.record.version);
            match change.expect() {
                Expect::Anything => {}
                Expect::New if newest.is_none() => {}
                Expect::New => return Err(CommitError::Taken { index }),
                Expect::Absent if current.is_none() => {}
                Expect::Version(version) if current == Some(version) => {}
                Expect::Absent | Expect::Version(_) => return Err(CommitError::Version { index, current }),
            }
        }
        Ok(())
    }

    /// Whether a version is shown: what the newest version hides, its older ones do not tell.
    fn shows(&self, access: &AccessPlan, version: &Version) -> bool {
        let newest = self.state.newest(&version.record.kind, &version.record.id);
        self.visible(access, version) && newest.is_some_and(|newest| self.visible(access, newest))
    }

    fn visible(&self, access: &AccessPlan, version: &Version) -> bool {
        let (kind, indexed) = (&version.record.kind, &version.indexed);
        let Some(family) = self.state.catalogue.kind(kind).map(|kind| kind.family) else { return false };
        let encounter = self.encounter(version);
        let judged = Judged {
            kind,
            id: &version.record.id,
            family,
            patients: &indexed.patients,
            mask: indexed.mask,
            day: indexed.main_date.map(day),
            institution: self.maker(version),
            encounter: indexed.facts.encounter.as_deref(),
            department: encounter.and_then(|encounter| encounter.indexed.facts.department.as_deref()),
        };
        access.allows(&judged, &self.evidence()) && self.is_selected(access, kind, &version.record.id)
    }

    /// Whether the newest version of a record is in a selection of the plan.
    fn is_selected(&self, access: &AccessPlan, kind: &str, id: &str) -> bool {
        let Some(only) = &access.only else { return true };
        let live = self.state.newest(kind, id).filter(|newest| !newest.record.is_deleted());
        only.iter().filter(|selection| selection.kind == kind).any(|selection| {
            let holds = |version| {
                selection.filters.iter().all(|filter| self.holds(access, filter, Subject::of(version)))
            };
            selection.filters.is_empty() || live.is_some_and(holds)
        })
    }

    /// The encounter of a version, as it is now.
    fn encounter(&self, version: &Version) -> Option<&Version> {
        let newest = self.state.newest("Encounter", version.indexed.facts.encounter.as_deref()?);
        newest.filter(|encounter| !encounter.record.is_deleted())
    }

    /// The institution that made a version; if that is not known, the one that its encounter names, which the hub wrote.
    fn maker<'v>(&'v self, version: &'v Version) -> Option<&'v str> {
        let of_encounter = || {
            let encounter = self.encounter(version).filter(|encounter| encounter.is_named)?;
            encounter.institution.as_deref()
        };
        version.institution.as_deref().or_else(of_encounter)
    }

    fn may_write(&self, access: &AccessPlan, change: &Change) -> bool {
        let Reach::Institution(institution) = &access.clinical else { return true };
        let (kind, id) = change.key();
        if self.state.catalogue.kind(kind).is_none_or(|kind| kind.family != Family::Clinical) {
            return true;
        }
        let before = self.state.newest(kind, id).map(|newest| self.maker(newest));
        let indexed = match change {
            Change::Put { record, .. } => {
                self.state.catalogue.indexed_now(record).expect("what was prepared is JSON").into_owned()
            }
            Change::Delete { .. } => Indexed::default(),
        };
        institution.may_write(before, &indexed.patients, &self.evidence())
    }

    /// What current records say, with the institution of each relation.
    fn evidence(&self) -> Evidence<'_> {
        let (relations, rules) = self.said.get_or_init(|| {
            let newest = self.state.records.values().filter_map(|versions| versions.last());
            let (mut relations, mut rules) = (Vec::new(), Vec::new());
            for version in newest.filter(|version| !version.record.is_deleted()) {
                let facts = &version.indexed.facts;
                let by_institution = version.institution.is_some() && !version.is_named;
                rules.extend(facts.rules_of(by_institution).cloned());
                relations.extend(facts.relations.iter().cloned().map(|relation| Relation {
                    institution: relation.institution.or_else(|| version.institution.clone()),
                    ..relation
                }));
            }
            (relations, rules)
        });
        Evidence { relations, rules, now: self.now }
    }
}

impl State {
    fn newest(&self, kind: &str, id: &str) -> Option<&Version> {
        self.records.get(&(kind.to_owned(), id.to_owned()))?.last()
    }

    fn apply(&mut self, change: &Change, t: u64, instant: i64, access: &AccessPlan) -> Changed {
        let (kind, id) = change.key();
        let key = (kind.to_owned(), id.to_owned());
        if !self.records.contains_key(&key) && matches!(change, Change::Put { .. }) {
            self.born.push(key.clone());
        }
        let newest = self.newest(kind, id).cloned();
        let changed = |record: &Record, op| Changed {
            kind: record.kind.clone(),
            id: record.id.clone(),
            version: record.version,
            instant: record.instant,
            op,
        };
        let version = newest.as_ref().map_or(0, |newest| newest.record.version) + 1;
        let deleted = newest.as_ref().is_none_or(|newest| newest.record.is_deleted());
        let (op, body, indexed, text) = match (change, &newest) {
            (Change::Delete { .. }, None) => {
                return Changed { kind: key.0, id: key.1, version: 0, instant: 0, op: None };
            }
            (Change::Delete { .. }, Some(newest)) if deleted => return changed(&newest.record, None),
            (Change::Delete { .. }, Some(newest)) => {
                (Op::Delete, Vec::new(), newest.indexed.clone(), FullText::default())
            }
            (Change::Put { record, .. }, Some(newest)) if !deleted && newest.record.body == record.body => {
                return changed(&newest.record, None);
            }
            (Change::Put { record, .. }, _) => {
                let op = if deleted { Op::Create } else { Op::Update };
                let indexed =
                    self.catalogue.indexed_now(record).expect("what was prepared is JSON").into_owned();
                (op, record.body.clone(), indexed, record.text.clone())
            }
        };
        let before = newest.map(|newest| (newest.institution, newest.is_named)).unwrap_or_default();
        let is_clinical = self.catalogue.kind(&key.0).is_some_and(|kind| kind.family == Family::Clinical);
        let named = &indexed.facts.institution;
        let (institution, is_named) = match (change, access.institution(), &before) {
            _ if !is_clinical => (None, false),
            (Change::Put { .. }, Some(writer), (maker, _)) if maker.as_deref() != Some(writer) => {
                (Some(writer.to_owned()), false)
            }
            (Change::Put { .. }, None, (None, _) | (_, true)) if named.is_some() => (named.clone(), true),
            _ => before,
        };
        let record = Record { kind: key.0.clone(), id: key.1.clone(), version, t, instant, op, body };
        let answer = changed(&record, Some(op));
        let (kind, id) = key.clone();
        self.feed.push(FeedEntry { t, instant, kind, id, version, op });
        self.records.entry(key).or_default().push(Version { record, indexed, text, institution, is_named });
        answer
    }

    fn append_audit(&mut self, instant: i64, commit: Option<(u64, u64)>, entry: AuditEntry) {
        let number = self.audit.len() as u64 + 1;
        self.audit.push(StoredAuditEntry { number, instant, commit, entry });
    }
}

//! Making stores, records and questions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ieum_fhir::index::ParamType;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::parse::{ParseContext, parse};
use ieum_fhir::search::value_sets::{SystemCode, ValueSetProblem, ValueSets};
use ieum_fhir::search::{Query, R4, custom};
use ieum_store::access::{AccessPlan, Actor, Family, Reach};
use ieum_store::alone::Alone;
use ieum_store::catalogue::Catalogue;
use ieum_store::clock::Clock;
use ieum_store::commit::{Change, CommitError, CommitRequest, Committed, Expect, Guard};
use ieum_store::custom::admitted;
use ieum_store::engine::{Engine, SearchPage, SearchRequest};
use ieum_store::memory::MemoryEngine;
use ieum_store::own::{OwnKind, OwnParam};
use ieum_store::record::Record;
use ieum_store::sqlite::{CheckReport, SqliteEngine, SqliteOptions};

use crate::evidence::{EVIDENCE, POLICY};

/// The base address that stored references may use.
pub(crate) const BASE: &str = "http://hub.test/fhir";

/// A kind of our own, for the tests.
static NOTE: OwnKind = OwnKind {
    name: "TestNote",
    family: Family::System,
    params: &[
        OwnParam { code: "state", param_type: ParamType::Token, path: &["state"] },
        OwnParam { code: "about", param_type: ParamType::Reference, path: &["about"] },
        OwnParam { code: "made", param_type: ParamType::Date, path: &["made"] },
        OwnParam { code: "size", param_type: ParamType::Number, path: &["parts", "size"] },
    ],
};

pub(crate) fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::new(&[&NOTE, &EVIDENCE], vec![BASE.into()], POLICY))
}

/// A clock that the test moves.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Arc::new(move || now.load(Ordering::SeqCst))
    }
}

/// A small world of codes: `http://a.test` has `X` below `x` below `top`; elsewhere nothing is known but what R4 binds.
struct TestValueSets;

fn codes(codes: &[(&str, &str)]) -> Vec<SystemCode> {
    codes.iter().map(|(system, code)| ((*system).to_owned(), (*code).to_owned())).collect()
}

impl ValueSets for TestValueSets {
    fn members(&self, value_set: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        match value_set {
            "http://vs.test/x" => Ok(codes(&[("http://a.test", "x"), ("http://b.test", "x")])),
            "http://vs.test/y" => Ok(codes(&[("http://b.test", "y"), ("http://a.test", "X")])),
            "http://vs.test/empty" => Ok(Vec::new()),
            "http://vs.test/large" => Err(ValueSetProblem::TooLarge),
            other => R4.members(other),
        }
    }

    fn below(&self, system: &str, code: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        let found: &[&str] = match (system, code) {
            ("http://a.test", "top") => &["top", "x", "X"],
            ("http://a.test", "x") => &["x", "X"],
            ("http://a.test", "X") => &["X"],
            ("http://a.test", _) => return Err(ValueSetProblem::Unknown),
            _ => return Err(ValueSetProblem::NeedsTerminology),
        };
        Ok(found.iter().map(|code| (system.to_owned(), (*code).to_owned())).collect())
    }

    fn above(&self, system: &str, code: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        let found: &[&str] = match (system, code) {
            ("http://a.test", "top") => &["top"],
            ("http://a.test", "x") => &["x", "top"],
            ("http://a.test", "X") => &["X", "x", "top"],
            ("http://a.test", _) => return Err(ValueSetProblem::Unknown),
            _ => return Err(ValueSetProblem::NeedsTerminology),
        };
        Ok(found.iter().map(|code| (system.to_owned(), (*code).to_owned())).collect())
    }
}

/// A store under test.
pub(crate) struct Store {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: TestClock,
    /// The engine again, when it is one with files, and where these are.
    sqlite: Option<(Arc<SqliteEngine>, Option<Arc<tempfile::TempDir>>)>,
}

pub(crate) fn memory() -> Store {
    let (catalogue, clock) = (catalogue(), TestClock::default());
    let engine = Arc::new(MemoryEngine::new(catalogue, clock.clock()));
    Store { engine, clock, sqlite: None }
}

pub(crate) fn sqlite() -> Store {
    sqlite_in(tempfile::tempdir().unwrap())
}

/// A store in this directory, which goes when the store does.
pub(crate) fn sqlite_in(directory: tempfile::TempDir) -> Store {
    let mut store = sqlite_with(directory.path(), &catalogue());
    if let Some((_, kept)) = &mut store.sqlite {
        *kept = Some(Arc::new(directory));
    }
    store
}

/// A store in this directory, which stays.
pub(crate) fn sqlite_with(path: &Path, catalogue: &Catalogue) -> Store {
    let options = SqliteOptions { readers: 4, ..SqliteOptions::default() };
    sqlite_of(path, catalogue, options)
}

/// The same with limits of its own.
pub(crate) fn sqlite_with_options(path: &Path, options: SqliteOptions) -> Store {
    sqlite_of(path, &catalogue(), options)
}

fn sqlite_of(path: &Path, catalogue: &Catalogue, options: SqliteOptions) -> Store {
    let clock = TestClock::default();
    let engine = SqliteEngine::open(path, catalogue, clock.clock(), options).unwrap();
    let engine = Arc::new(engine);
    let sqlite = Some((Arc::clone(&engine), None));
    Store { engine, clock, sqlite }
}

/// Finds exactly these for one who may see everything; ids sorted.
pub(crate) fn finds(store: &Store, url: &str, ids: &[&str]) {
    assert_eq!(store.find(&everything(), url), ids, "{url}");
}

/// Finds these in this order.
pub(crate) fn finds_in_order(store: &Store, url: &str, ids: &[&str]) {
    assert_eq!(store.find_paged(&everything(), url, 2), ids, "{url}");
}

/// May do everything.
pub(crate) fn everything() -> AccessPlan {
    AccessPlan {
        actor: Actor { id: "test".into(), role: "service".into() },
        purpose: "TREAT".into(),
        clinical: Reach::All,
        system: true,
        denied: 0,
        only: None,
        write: true,
    }
}

/// May read what belongs to these patients.
pub(crate) fn only(patients: &[&str]) -> AccessPlan {
    let patients = patients.iter().map(ToString::to_string).collect();
    AccessPlan { clinical: Reach::Patients(patients), system: false, write: false, ..everything() }
}

impl Store {
    /// What a check of the file finds.
    pub(crate) fn check(&self) -> CheckReport {
        let (engine, _) = self.sqlite.as_ref().unwrap();
        engine.check(&mut |_, _| {}).unwrap()
    }

    /// Closes the file and leaves it where it is.
    pub(crate) fn stop(self) {
        let (engine, directory) = self.sqlite.unwrap();
        engine.stop();
        std::mem::forget(directory);
    }

    pub(crate) fn put_change(&self, json: &str, expect: Expect) -> Change {
        Self::put_change_with(&self.engine.catalogue(), json, expect)
    }

    /// The same, prepared with a catalogue that may be in force no more.
    pub(crate) fn put_change_with(catalogue: &Catalogue, json: &str, expect: Expect) -> Change {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let text = |name: &str| document.root().get(name).unwrap().text().unwrap().into_owned();
        let kind = catalogue.kind(&text("resourceType")).unwrap();
        let record = catalogue.prepare(kind, &text("id"), document.root(), &mut |_| None);
        Change::Put { record: Box::new(record), expect }
    }

    pub(crate) fn delete_change(kind: &str, id: &str) -> Change {
        Change::Delete { kind: kind.into(), id: id.into(), expect: Expect::Anything }
    }

    /// Puts search parameters into force, and does not index by them.
    pub(crate) fn define(&self, definitions: &[&str]) {
        let mut params = Vec::new();
        for json in definitions {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            match custom::read(document.root()) {
                Ok(custom::Definition::Custom(read)) => params.extend(read),
                other => panic!("{json}: {other:?}"),
            }
        }
        self.engine.define(&admitted(params)).unwrap();
    }

    /// Does a part of everything that is to be done in the background, of so many records; false when nothing was.
    pub(crate) fn index_some(&self, records: usize) -> bool {
        let work = self.engine.index_work().unwrap();
        for work in &work {
            self.engine.index_some(work, records).unwrap();
        }
        !work.is_empty()
    }

    /// Does all of it.
    pub(crate) fn index_all(&self) {
        while self.index_some(100) {}
    }

    pub(crate) fn commit(&self, changes: Vec<Change>) -> Result<Committed, CommitError> {
        self.commit_guarded(Vec::new(), changes)
    }

    pub(crate) fn commit_guarded(
        &self,
        guards: Vec<Guard>,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        self.commit_as(&everything(), guards, changes)
    }

    pub(crate) fn commit_as(
        &self,
        access: &AccessPlan,
        guards: Vec<Guard>,
        changes: Vec<Change>,
    ) -> Result<Committed, CommitError> {
        let access = Arc::new(access.clone());
        self.engine.commit(CommitRequest { access, action: "test", guards, changes })
    }

    /// Writes one record, whatever was there.
    pub(crate) fn put(&self, json: &str) -> Committed {
        self.commit(vec![self.put_change(json, Expect::Anything)]).unwrap()
    }

    pub(crate) fn delete(&self, kind: &str, id: &str) -> Committed {
        self.commit(vec![Self::delete_change(kind, id)]).unwrap()
    }

    pub(crate) fn read(&self, access: &AccessPlan, kind: &str, id: &str) -> Option<Record> {
        self.engine.snapshot().unwrap().read(access, kind, id).unwrap()
    }

    /// Reads a URL such as `Patient?name=kim`.
    pub(crate) fn query(&self, url: &str) -> Query {
        self.try_query(url).unwrap_or_else(|errors| panic!("{url}: {errors:?}"))
    }

    pub(crate) fn try_query(&self, url: &str) -> Result<Query, String> {
        let (kind, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let catalogue = self.engine.catalogue();
        let context = ParseContext {
            parameters: &*catalogue,
            value_sets: &TestValueSets,
            bases: catalogue.bases(),
            now_micros: 1_790_000_000_000_000,
            strict: true,
            limits: ieum_fhir::search::parse::Limits::default(),
        };
        parse(kind, &pairs, &context).map_err(|errors| format!("{errors:?}"))
    }

    /// Ids of the current records for which all filters hold, each record looked at by itself; sorted.
    pub(crate) fn judge_alone(&self, query: &Query) -> Vec<String> {
        let catalogue = self.engine.catalogue();
        let kind = catalogue.kind(&query.kind).unwrap();
        let all = Query { kind: query.kind.clone(), ..Query::default() };
        let page = self
            .page(&everything(), &SearchRequest { query: &all, after: None, backward: false, limit: 10_000 });
        let passes = |record: &Record| {
            let indexed = catalogue.index_body(kind, &record.id, &record.body).unwrap();
            let alone = Alone { kind, id: &record.id, instant: record.instant, indexed: &indexed };
            query.filters.iter().all(|filter| alone.holds(filter))
        };
        let mut ids: Vec<String> = page.records.into_iter().filter(passes).map(|record| record.id).collect();
        ids.sort();
        ids
    }

    /// Ids found by a URL, in the order of the answer, walking pages of `limit`.
    pub(crate) fn find_paged(&self, access: &AccessPlan, url: &str, limit: usize) -> Vec<String> {
        let query = self.query(url);
        let mut ids = Vec::new();
        let mut after = None;
        loop {
            let request = SearchRequest { query: &query, after, backward: false, limit };
            let page = self.page(access, &request);
            assert!(page.records.len() <= limit);
            ids.extend(page.records.into_iter().map(|record| record.id));
            after = page.next;
            if after.is_none() {
                return ids;
            }
        }
    }

    /// What is found with `_contained`, walking pages of `limit`: kind, id and the contained resource meant; sorted.
    pub(crate) fn find_parts(
        &self,
        access: &AccessPlan,
        url: &str,
        limit: usize,
    ) -> Vec<(String, String, Option<String>)> {
        let query = self.query(url);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(access, &SearchRequest { query: &query, after, backward: false, limit });
            assert!(page.parts.is_empty() || page.parts.len() == page.records.len());
            let parts = page.parts.into_iter().chain(std::iter::repeat(None));
            found.extend(
                page.records.into_iter().zip(parts).map(|(record, part)| (record.kind, record.id, part)),
            );
            after = page.next;
            if after.is_none() {
                found.sort();
                return found;
            }
        }
    }

    pub(crate) fn page(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> SearchPage {
        self.engine.snapshot().unwrap().search(access, request).unwrap()
    }

    /// Ids found, sorted: for questions without order.
    pub(crate) fn find(&self, access: &AccessPlan, url: &str) -> Vec<String> {
        let mut ids = self.find_paged(access, url, 1_000);
        ids.sort();
        let count = self.engine.snapshot().unwrap().count(access, &self.query(url)).unwrap();
        assert_eq!(count, ids.len() as u64, "count and page of {url} differ");
        ids
    }
}

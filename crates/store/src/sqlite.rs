//! Records in one SQLite file: the engine that needs nothing else.
//!
//! One writer thread takes commits in the order they come; all that wait share one transaction and one write to disk
//! (`synchronous=FULL`). Readers work on snapshots of the write-ahead log and never wait for the writer. The tables
//! are described in `docs/store.md`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ieum_fhir::search::custom::CustomParam;
use rusqlite::Connection;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::commit::{Changed, CommitError, CommitRequest, Committed, StoreError};
use crate::compress::Dictionaries;
use crate::custom::{IndexStep, IndexWork};
use crate::engine::{AuditEntry, Engine, Snapshot};
use crate::record::Op;
use crate::sensitive::SensitiveCodes;

mod apply;
mod audit;
mod build;
mod carried;
mod check;
mod connection;
mod contained;
mod custom;
mod dict;
mod evidence;
mod guard;
mod history;
mod ids;
mod labels;
mod learn;
mod log;
mod numbers;
mod past;
mod pending;
mod read;
mod registry;
mod reindex;
mod rows;
mod schema;
mod search;
mod table;
mod vals;
mod view;
mod visible;
mod words;
mod writer;

pub use check::CheckReport;
pub use connection::SlowQuery;

use connection::ReaderPool;
use learn::Learner;
use registry::Registry;
use search::Sizes;
use writer::Writer;

/// How to open a store.
#[derive(Debug, Clone, Copy)]
pub struct SqliteOptions {
    /// Connections for reading at the same time.
    pub readers: usize,
    /// Longest time one question may take.
    pub query_seconds: u64,
    /// Records that one question may look at, as far as can be told before it is asked; each condition on a record counts.
    pub query_records: u64,
    /// Commits that may wait before further ones are refused.
    pub waiting: usize,
    /// Records at which a store first learns how to compress them.
    pub learn_at: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        let (query_records, learn_at) = (50_000_000, 16_384);
        Self { readers: 16, query_seconds: 30, query_records, waiting: 4096, learn_at }
    }
}

/// The SQLite engine.
pub struct SqliteEngine {
    readers: Arc<ReaderPool>,
    writer: Arc<Writer>,
    current: Arc<Current>,
    learner: Learner,
}

/// What the writer and all readers know. It never changes: another one takes its place when search parameters come or
/// go, and whoever reads keeps the one it began with.
struct Shared {
    path: PathBuf,
    catalogue: Arc<Catalogue>,
    registry: Registry,
    /// How far records are indexed by parameters that are new, by their numbers.
    indexing: custom::Indexings,
    /// How many records there are of each kind, about.
    sizes: Arc<Sizes>,
    clock: Clock,
    options: SqliteOptions,
    dictionaries: Arc<Dictionaries>,
    /// Numbers of records given so far: about how many records there are.
    records: Arc<AtomicU64>,
}

/// The [`Shared`] in force. The writer puts another one there when the transaction is durable that made it.
struct Current(RwLock<Arc<Shared>>);

impl Current {
    fn get(&self) -> Arc<Shared> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, shared: Arc<Shared>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shared;
    }
}

/// The name of the database file in the data directory.
const FILE: &str = "records.sqlite";

impl SqliteEngine {
    /// Opens the store in a directory, making it when there is none, and brings its schema and indexes up to date.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be used, or was written by a newer version of Ieum.
    pub fn open(
        directory: &Path,
        catalogue: &Catalogue,
        clock: Clock,
        options: SqliteOptions,
    ) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let mut connection = connection::open_writer(&path)?;
        schema::migrate(&mut connection)?;
        let sensitive = Arc::new(labels::in_force(&connection)?.unwrap_or_default());
        let catalogue = Arc::new(catalogue.with_sensitive(sensitive));
        let (registry, changed) = Registry::load(&mut connection, &catalogue)?;
        let records = connection.query_row("SELECT coalesce(max(rid), 0) FROM res", [], |row| row.get(0))?;
        let records = Arc::new(AtomicU64::new(to_u64(records)?));
        let (indexing, sizes, dictionaries) = (custom::Indexings::new(), Arc::default(), Arc::default());
        let shared = Arc::new(Shared {
            path,
            catalogue,
            registry,
            indexing,
            sizes,
            clock,
            options,
            dictionaries,
            records,
        });
        let learner = Learner::open(&connection, &shared)?;
        reindex::run(&mut connection, &shared, &changed)?;
        let readers = Arc::new(ReaderPool::open(&shared)?);
        let current = Arc::new(Current(RwLock::new(shared)));
        let writer = Arc::new(Writer::start(connection, Arc::clone(&current))?);
        Ok(Self { readers, writer, current, learner })
    }

    /// The addresses under which the hub has served the records in a directory: the catalogue must know them all, since
    /// references written with one of them are references to records here. None when there is no store yet.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn bases(directory: &Path) -> Result<Vec<String>, StoreError> {
        let path = directory.join(FILE);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut connection = connection::open_writer(&path)?;
        schema::migrate(&mut connection)?;
        schema::bases(&connection)
    }

    /// The secret with which this database signs the cursors it hands out.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn cursor_secret(&self) -> Result<[u8; 32], StoreError> {
        self.readers.with(schema::cursor_secret)
    }

    /// Whether sensitive codes have ever been put into force.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn has_sensitive(&self) -> Result<bool, StoreError> {
        self.readers.with(|connection| Ok(labels::in_force(connection)?.is_some()))
    }

    /// Bytes the store takes on disk.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        let path = &self.current.get().path;
        let wal = path.with_extension("sqlite-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        size(path) + size(&wal)
    }

    /// The slowest questions since start, slowest first: statement shapes without values.
    #[must_use]
    pub fn slow_queries(&self) -> Vec<SlowQuery> {
        self.readers.slow_queries()
    }

    /// Reads every body again and compares what it should be found by with what the indexes hold.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails; differences are in the report.
    pub fn check(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<CheckReport, StoreError> {
        self.readers.with(|connection| check::run(connection, &self.current.get(), progress))
    }

    /// Stops the writer after everything that waits has been written.
    pub fn stop(&self) {
        self.learner.stop();
        self.writer.stop();
    }
}

impl Drop for SqliteEngine {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Engine for SqliteEngine {
    fn commit(&self, request: CommitRequest) -> Result<Committed, CommitError> {
        if !request.access.write {
            return Err(CommitError::Denied);
        }
        let committed = self.writer.commit(request)?;
        let is_new = |change: &&Changed| change.op == Some(Op::Create);
        let new = committed.changes.iter().filter(is_new).count() as u64;
        let shared = self.current.get();
        shared.records.fetch_add(new, Ordering::Relaxed);
        self.learner.look(&shared, &self.readers, &self.writer);
        Ok(committed)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(view::View::begin(&self.readers, &self.current)?))
    }

    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.writer.audit(entry.clone())
    }

    fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError> {
        self.writer.set_follower(name.to_owned(), t)
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.get().catalogue)
    }

    fn define(&self, params: &[Arc<CustomParam>]) -> Result<(), StoreError> {
        self.writer.define(params.to_vec())
    }

    fn set_sensitive(&self, codes: &Arc<SensitiveCodes>) -> Result<(), StoreError> {
        if self.current.get().catalogue.sensitive() == codes && self.has_sensitive()? {
            return Ok(());
        }
        self.writer.set_sensitive(Arc::clone(codes))
    }

    fn index_work(&self) -> Result<Vec<IndexWork>, StoreError> {
        self.readers.with(|connection| {
            let mut work = custom::work(connection, &self.current.get().registry)?;
            work.extend(labels::point(connection)?.map(|_| IndexWork::label()));
            Ok(work)
        })
    }

    fn index_some(&self, work: &IndexWork, records: usize) -> Result<IndexStep, StoreError> {
        self.writer.index_some(work.clone(), records)
    }

    fn halt_indexing(&self, kind: &str, code: &str, halt: bool) -> Result<(), StoreError> {
        self.writer.halt_indexing(kind.to_owned(), code.to_owned(), halt)
    }
}

impl Shared {
    /// How long a question may take.
    fn query_limit(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.options.query_seconds)
    }
}

/// Turns an error of SQLite into ours. The text of a statement may stand in it, a value never does.
fn engine_error(error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull,
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly
        }
        Some(ErrorCode::SystemIoFailure) => StoreError::DiskFails,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(error.to_string()),
        Some(ErrorCode::OperationInterrupted) => StoreError::TooSlow { limit_seconds: 0 },
        _ => StoreError::Engine(error.to_string()),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        engine_error(&error)
    }
}

/// The newest commit in the connection's view.
fn newest_t(connection: &Connection) -> Result<u64, StoreError> {
    let t: i64 = connection
        .prepare_cached("SELECT coalesce(max(t), 0) FROM commits")?
        .query_row([], |row| row.get(0))?;
    to_u64(t)
}

fn to_u64(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Damaged("a negative count".into()))
}

fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

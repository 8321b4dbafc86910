//! Connections: one that writes, a pool that reads, and what each may cost.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use super::Shared;
use super::dict::id_text;
use super::vals;
use crate::commit::StoreError;

/// Statements kept ready per connection.
const CACHED_STATEMENTS: usize = 256;
/// How long a connection waits for another one; only what other processes do can make it.
pub(super) const BUSY: Duration = Duration::from_secs(30);
/// SQLite instructions between two looks at the clock.
const STEPS: i32 = 20_000;
/// Statement shapes remembered for the operator.
const SLOW_SHAPES: usize = 20;

/// Opens the connection that writes.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    connection.pragma_update(None, "journal_size_limit", 256 << 20)?;
    connection.pragma_update(None, "cache_size", -262_144)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.busy_timeout(BUSY)?;
    watch_the_clock(&mut connection)?;
    keep_plans(&connection)?;
    register_functions(&connection)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "mmap_size", 4_i64 << 30)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.busy_timeout(BUSY)?;
    watch_the_clock(&mut connection)?;
    keep_plans(&connection)?;
    register_functions(&connection)?;
    Ok(connection)
}

/// Keeps the plan of a statement whatever is bound to it. Otherwise SQLite plans some statements anew at each use, because
/// another value might do with another plan; that took longer than most questions.
fn keep_plans(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Ends statements that run beyond [`within`] their time.
fn watch_the_clock(connection: &mut Connection) -> Result<(), StoreError> {
    let late = || DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline);
    Ok(connection.progress_handler(STEPS, Some(late))?)
}

/// Asks something that may take so long.
pub(super) fn within<T>(
    limit: Duration,
    ask: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    DEADLINE.set(Some(Instant::now() + limit));
    let answer = ask();
    DEADLINE.set(None);
    match answer {
        Err(StoreError::TooSlow { .. }) => Err(StoreError::TooSlow { limit_seconds: limit.as_secs() }),
        answer => answer,
    }
}

/// `id_text(id)`: a stored id as people write it, so that sorting by `_id` is sorting by text. `metres(lat, lon, lat,
/// lon)`: the distance of two places. And those of [`vals`].
fn register_functions(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("id_text", 1, flags, |context| {
        id_text(context.get_raw(0)).map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })?;
    connection.create_scalar_function("metres", 4, flags, |context| {
        let place = |first| Ok::<(i64, i64), rusqlite::Error>((context.get(first)?, context.get(first + 1)?));
        Ok(ieum_fhir::geo::distance(place(2)?, place(0)?))
    })?;
    Ok(vals::register(connection)?)
}

thread_local! {
    /// When the question that this thread asks must be answered.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Connections for reading.
pub(super) struct ReaderPool {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
    limit: Duration,
    slow: Mutex<HashMap<String, SlowQuery>>,
}

/// A statement shape that took long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowQuery {
    /// The statement, values as `?`.
    pub statement: String,
    /// How SQLite goes about it, a line a step.
    pub plan: Vec<String>,
    /// How often it was asked.
    pub count: u64,
    /// The longest it took.
    pub longest: Duration,
}

impl ReaderPool {
    pub(super) fn open(shared: &Shared) -> Result<Self, StoreError> {
        let open = |_| open_reader(&shared.path);
        let idle: Vec<Connection> = (0..shared.options.readers).map(open).collect::<Result<_, _>>()?;
        Ok(Self {
            idle: Mutex::new(idle),
            returned: Condvar::new(),
            limit: shared.query_limit(),
            slow: Mutex::default(),
        })
    }

    /// A connection for the caller alone; waits for one up to the time limit of a question.
    pub(super) fn take(&self) -> Result<Reader<'_>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut idle, _) = self
            .returned
            .wait_timeout_while(idle, self.limit, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let too_slow = || StoreError::TooSlow { limit_seconds: self.limit.as_secs() };
        let connection = idle.pop().ok_or_else(too_slow)?;
        Ok(Reader { pool: self, connection: Some(connection) })
    }

    /// Runs something on a connection, without a time limit of its own.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reader = self.take()?;
        work(reader.connection())
    }

    pub(super) fn slow_queries(&self) -> Vec<SlowQuery> {
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queries: Vec<SlowQuery> = slow.values().cloned().collect();
        queries.sort_by_key(|query| std::cmp::Reverse(query.longest));
        queries
    }
}

/// A connection taken from the pool; goes back when dropped.
pub(super) struct Reader<'p> {
    pool: &'p ReaderPool,
    connection: Option<Connection>,
}

impl Reader<'_> {
    pub(super) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("present until dropped")
    }

    /// Asks one question within the time limit, and remembers it when it is slow.
    pub(super) fn timed<T>(
        &self,
        statement: &str,
        ask: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let start = Instant::now();
        let answer = within(self.pool.limit, || ask(self.connection()));
        let took = start.elapsed();
        if took > Duration::from_millis(100) {
            self.remember(statement, took);
        }
        answer
    }

    fn remember(&self, statement: &str, took: Duration) {
        let mut slow = self.pool.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if !slow.contains_key(statement) && slow.len() >= SLOW_SHAPES {
            let fastest =
                slow.values().min_by_key(|query| query.longest).map(|query| query.statement.clone());
            fastest.map(|statement| slow.remove(&statement));
        }
        let entry = slow.entry(statement.to_owned()).or_insert_with(|| SlowQuery {
            statement: statement.to_owned(),
            plan: self.plan(statement).unwrap_or_default(),
            count: 0,
            longest: Duration::ZERO,
        });
        entry.count += 1;
        entry.longest = entry.longest.max(took);
    }

    /// How SQLite goes about a statement; nothing for what is no single statement.
    fn plan(&self, statement: &str) -> Result<Vec<String>, StoreError> {
        let mut explain = self.connection().prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
        let lines = explain.query_map([], |row| row.get(3))?;
        Ok(lines.collect::<Result<_, _>>()?)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            self.pool.returned.notify_one();
        }
    }
}

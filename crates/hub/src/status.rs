//! Whether the process lives, whether it can serve, and its numbers. None of them says anything about a patient.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use ieum_store::commit::StoreError;
use ieum_store::sqlite::SqliteEngine;
use ieum_trust::access::Access;
use ieum_ui::assets;

use crate::portal::Portal;
use crate::portal::call::{Bytes, Call, Refusal, Reply};
use crate::portal::routes::Place;

mod measure;
mod text;

pub use measure::{Metrics, Pattern, measured};

/// How long an answer about readiness is good for: probes are many, and each asks the writer for a write to disk.
const READY_MICROS: i64 = 2_000_000;
/// How long a count of all records is good for: counting reads an index from end to end.
const CENSUS_MICROS: i64 = 15_000_000;
/// The follower that is written to see that the writer answers. Its place is the time: it follows nothing.
const PROBE: &str = "readyz";

/// What only the owner of the store can tell the operator.
pub trait OperatorInfo: Send + Sync {
    /// Bytes that the records take on disk.
    fn store_bytes(&self) -> Option<u64>;
    /// Bytes of the write-ahead log.
    fn log_bytes(&self) -> Option<u64>;
    /// Bytes left on the disk.
    fn free_bytes(&self) -> Option<u64>;
    /// The slowest statements since start, slowest first.
    fn slow_statements(&self) -> Vec<SlowStatement>;
}

/// A statement that took long: its shape, without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowStatement {
    /// The statement, values as `?`.
    pub statement: String,
    /// How the engine goes about it.
    pub plan: Vec<String>,
    /// How often.
    pub count: u64,
    /// The longest it took.
    pub longest: Duration,
}

/// A store that tells nothing: records in memory.
pub struct NoInfo;

impl OperatorInfo for NoInfo {
    fn store_bytes(&self) -> Option<u64> {
        None
    }
    fn log_bytes(&self) -> Option<u64> {
        None
    }
    fn free_bytes(&self) -> Option<u64> {
        None
    }
    fn slow_statements(&self) -> Vec<SlowStatement> {
        Vec::new()
    }
}

/// A store in a directory on this machine.
pub struct SqliteInfo {
    engine: Arc<SqliteEngine>,
    directory: PathBuf,
}

impl SqliteInfo {
    /// About this engine, whose files are in this directory.
    #[must_use]
    pub fn new(engine: Arc<SqliteEngine>, directory: &Path) -> Self {
        Self { engine, directory: directory.to_owned() }
    }
}

impl OperatorInfo for SqliteInfo {
    fn store_bytes(&self) -> Option<u64> {
        Some(self.engine.bytes_on_disk())
    }

    fn log_bytes(&self) -> Option<u64> {
        let entries = std::fs::read_dir(&self.directory).ok()?.filter_map(Result::ok);
        let logs = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with("-wal"));
        Some(logs.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum())
    }

    fn free_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.directory).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn slow_statements(&self) -> Vec<SlowStatement> {
        let slow = self.engine.slow_queries().into_iter();
        slow.map(|query| SlowStatement {
            statement: query.statement,
            plan: query.plan,
            count: query.count,
            longest: query.longest,
        })
        .collect()
    }
}

/// Records by kind, and the newest commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Current records by kind.
    pub kinds: BTreeMap<String, u64>,
    /// The newest commit.
    pub t: u64,
}

/// What is held, counted anew when the last count is old. Blocks.
///
/// # Errors
/// [`StoreError`] when the store cannot serve.
pub(crate) fn census(portal: &Portal) -> Result<Census, StoreError> {
    let now = portal.hub().now();
    // Held while counting, so that many who ask cost one count.
    let mut kept = portal.census_kept().lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, census)) = &*kept
        && (0..CENSUS_MICROS).contains(&(now - at))
    {
        return Ok(census.clone());
    }
    let view = portal.hub().door().view(&Access::system("census"))?;
    let census = Census { kinds: view.census()?.into_iter().collect(), t: view.t() };
    *kept = Some((now, census.clone()));
    Ok(census)
}

/// How long the writer takes to make a small thing durable. Blocks.
///
/// # Errors
/// [`StoreError`] when the store cannot read or write.
pub(crate) fn probe(portal: &Portal) -> Result<Duration, StoreError> {
    let started = Instant::now();
    let door = portal.hub().door();
    drop(door.view(&Access::system(PROBE))?);
    // Another number each time: what stays the same is not written, and would prove nothing.
    door.set_follower(PROBE, u64::try_from(portal.hub().now()).unwrap_or_default())?;
    Ok(started.elapsed())
}

/// Memory of this process in bytes.
pub(crate) fn memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}

/// `/healthz`: the process lives. Neither the store nor a turn is needed for the answer.
pub(crate) fn health(_: &Portal, _: &Place) -> Result<Reply, Refusal> {
    Ok(plain(StatusCode::OK, "ok\n".into()))
}

/// `/readyz`: records can be read and the writer answers.
pub(crate) fn ready(call: &Call<'_>) -> Result<Reply, Refusal> {
    let portal = call.portal;
    let now = portal.hub().now();
    let mut kept = portal.ready_kept().lock().unwrap_or_else(PoisonError::into_inner);
    let is_ready = match *kept {
        Some((at, is_ready)) if (0..READY_MICROS).contains(&(now - at)) => is_ready,
        _ => {
            let found = probe(portal);
            if let Err(error) = &found {
                tracing::error!(error = %error, "not ready");
            }
            *kept = Some((now, found.is_ok()));
            found.is_ok()
        }
    };
    drop(kept);
    Ok(if is_ready {
        plain(StatusCode::OK, "ready\n".into())
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".into())
    })
}

/// `/metrics`: numbers in the text format of Prometheus.
pub(crate) fn metrics(call: &Call<'_>) -> Result<Reply, Refusal> {
    let text = text::exposition(call.portal)?;
    let bytes = text.into_bytes().into();
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(Reply::Bytes(StatusCode::OK, Bytes { content_type, cache: "no-store", etag: None, bytes }))
}

/// `/assets/{name}`: style sheet, script, fonts, icons.
pub(crate) fn asset(_: &Portal, place: &Place) -> Result<Reply, Refusal> {
    let asset = assets::get(place.first()).ok_or(Refusal::NotFound)?;
    let (cache, etag) = (asset.cache_control(), Some(asset.etag()));
    let (content_type, bytes) = (asset.content_type, asset.bytes.into());
    Ok(Reply::Bytes(StatusCode::OK, Bytes { content_type, cache, etag, bytes }))
}

fn plain(status: StatusCode, text: String) -> Reply {
    let bytes = text.into_bytes().into();
    Reply::Bytes(
        status,
        Bytes { content_type: "text/plain; charset=utf-8", cache: "no-store", etag: None, bytes },
    )
}

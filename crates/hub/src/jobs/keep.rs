//! Records of jobs: read, written, found; and the end of their results.

use ieum_fhir::date::format_instant;
use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::{Filter, Param, Query, SortBy, SortKeyOf, SystemTest, Test, TokenTest, Total};
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::record::Record;
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::door::DoorError;

use super::record::{Asker, Instant, JOB, Job};
use super::state::State;
use super::{Jobs, index};
use crate::hub::{Entrance, Hub};

/// A job with its place in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// The version that was read.
    pub version: u64,
    /// The job.
    pub job: Job,
}

impl Kept {
    /// That nobody has changed it since it was read.
    #[must_use]
    pub fn expect(&self) -> Expect {
        Expect::Version(self.version)
    }
}

/// On whose authority the records of jobs are written; who asked is in them, and in audit entries of their own.
fn access() -> Access {
    Access::system("jobs")
}

/// The time, as records have it.
#[must_use]
pub fn now(hub: &Hub) -> Instant {
    format_instant(hub.now())
}

/// Writes a job; gives its new version.
///
/// # Errors
/// [`CommitError`]; [`CommitError::Version`] when somebody else has changed it.
///
/// # Panics
/// When the job is not JSON or its kind not in the catalogue: bugs.
pub fn write(
    hub: &Hub,
    id: &str,
    job: &Job,
    expect: Expect,
    action: &'static str,
) -> Result<u64, CommitError> {
    let json = serde_json::to_vec(job).expect("our own records are JSON");
    let document = Document::parse(&json, &Limits::default()).expect("our own records are JSON");
    let catalogue = hub.door().catalogue();
    let kind = catalogue.kind(JOB.name).expect("our own kinds are in the catalogue");
    let record = Box::new(catalogue.prepare(kind, id, document.root(), &mut |_| None));
    let changes = vec![Change::Put { record, expect }];
    let committed = hub.door().commit(&access(), action, Vec::new(), changes)?;
    Ok(committed.changes.first().map_or(0, |changed| changed.version))
}

/// A job.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn read(hub: &Hub, id: &str) -> Result<Option<Kept>, StoreError> {
    let record = hub.door().view(&access())?.read(JOB.name, id)?;
    Ok(record.and_then(|record| kept(&record)))
}

fn kept(record: &Record) -> Option<Kept> {
    if record.is_deleted() {
        return None;
    }
    match serde_json::from_slice(&record.plain_json()) {
        Ok(job) => Some(Kept { id: record.id.clone(), version: record.version, job }),
        Err(_) => {
            tracing::error!(job.id = record.id, "a job cannot be read");
            None
        }
    }
}

/// Jobs in one of these states, oldest first.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn list(hub: &Hub, states: &[State], limit: usize) -> Result<Vec<Kept>, StoreError> {
    let param = Param { kind: JOB.name.into(), code: "state".into() };
    let tests = states
        .iter()
        .map(|state| Test::Token(TokenTest { system: SystemTest::Any, code: Some(state.name().to_owned()) }));
    let filters = vec![Filter::Any { param, tests: tests.collect() }];
    find(hub, Query { kind: JOB.name.into(), filters, total: Total::None, ..Query::default() }, limit)
}

/// The newest jobs, newest first.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn newest(hub: &Hub, limit: usize) -> Result<Vec<Kept>, StoreError> {
    let by = SortBy::Param(Param { kind: JOB.name.into(), code: "created".into() });
    let sort = vec![SortKeyOf { by, descending: true }];
    find(hub, Query { kind: JOB.name.into(), sort, total: Total::None, ..Query::default() }, limit)
}

#[allow(clippy::needless_pass_by_value, reason = "made for this call")]
fn find(hub: &Hub, query: Query, limit: usize) -> Result<Vec<Kept>, StoreError> {
    let page = hub.door().view(&access())?.search(&query, None, limit).map_err(|error| match error {
        DoorError::Store(error) => error,
        DoorError::Cursor(_) => StoreError::Engine("a token was not given".into()),
    })?;
    Ok(page.records.iter().filter_map(kept).collect())
}

/// Deletes a job's record; its versions stay, as those of every record do.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn remove(hub: &Hub, id: &str) -> Result<(), CommitError> {
    let change = Change::Delete { kind: JOB.name.into(), id: id.to_owned(), expect: Expect::Anything };
    hub.door().commit(&access(), "job-remove", Vec::new(), vec![change]).map(drop)
}

/// Deletes a job's files.
pub fn remove_files(jobs: &Jobs, id: &str) {
    let directory = jobs.directory(id);
    match std::fs::remove_dir_all(&directory) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::error!(job.id = id, error = %error, "files of a job cannot be removed"),
    }
}

/// Deletes jobs that ended long ago, with their files, and files of jobs that are no more.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn sweep(hub: &Hub, jobs: &Jobs) -> Result<(), CommitError> {
    const AT_ONCE: usize = 1_000;
    let keep = i64::try_from(jobs.options().keep.as_micros()).unwrap_or(i64::MAX);
    let oldest = format_instant(hub.now().saturating_sub(keep));
    for kept in list(hub, &[State::Done, State::Failed, State::Cancelled], AT_ONCE)? {
        // Instants of one form and one zone order as their texts do.
        if kept.job.ended.is_some_and(|ended| ended < oldest) {
            jobs.remove(hub, &kept.id)?;
        }
    }
    Ok(())
}

/// Deletes directories that belong to no job.
///
/// # Errors
/// [`StoreError`] when the records cannot be read.
pub fn sweep_directories(hub: &Hub, jobs: &Jobs) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(&jobs.options().directory).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        let name = entry.file_name();
        let Some(id) = name.to_str() else { continue };
        if uuid::Uuid::parse_str(id).is_ok() && read(hub, id)?.is_none() {
            remove_files(jobs, id);
        }
    }
    Ok(())
}

/// The authority of whoever asked, as their account gives it now: exactly the one they asked with, or none. Blocks.
///
/// # Errors
/// [`StoreError`] when the account cannot be read.
pub fn access_of(hub: &Hub, asker: &Asker) -> Result<Option<Access>, StoreError> {
    let access = match asker.role {
        // Ours: accounts have other names.
        Role::Service if asker.actor == index::ASKER => index::access(),
        Role::Open if hub.entrance() == Entrance::Open => Access::open(),
        Role::Open => return Ok(None),
        _ => {
            let account = hub.door().view(&access())?.read(ACCOUNT.name, &asker.actor)?;
            let Some(record) = account.filter(|record| !record.is_deleted()) else { return Ok(None) };
            let Ok(account) = serde_json::from_slice::<Account>(&record.plain_json()) else {
                return Ok(None);
            };
            account.access(&record.id)
        }
    };
    Ok(asker.is(&access).then_some(access))
}

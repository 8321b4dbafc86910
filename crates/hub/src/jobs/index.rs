//! Indexing by new search parameters, and labelling by other sensitive codes, as jobs: seen, counted and cancelled like others.
//!
//! What there is to do, and how far it is, the store knows; a job is how somebody sees it. So whoever finds work without
//! a job adds one, and a job that finds no work is done.

use std::sync::PoisonError;

use ieum_store::commit::CommitError;
use ieum_store::custom::{IndexTask, IndexWork};
use ieum_trust::access::Access;
use serde::{Deserialize, Serialize};

use super::keep::{self, Kept};
use super::record::Progress;
use super::state::State;
use super::work::{Stop, Work};
use super::{AddError, Jobs};
use crate::fhir::bulk::Request;
use crate::hub::Hub;

/// Who asks for these jobs: no account has this name.
pub const ASKER: &str = "search-parameters";

/// Records at a time. The store takes fewer when they take long.
const RECORDS: usize = 500;

/// Indexing by one parameter, or taking one away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The number of the parameter in the store.
    pub number: i64,
    /// Resource type.
    pub kind: String,
    /// Its code.
    pub code: String,
    /// Whether what is left of it is taken away.
    #[serde(default)]
    pub removes: bool,
}

impl Index {
    fn work(&self) -> IndexWork {
        let task = if self.removes { IndexTask::Remove } else { IndexTask::Build };
        IndexWork { number: self.number, kind: self.kind.clone(), code: self.code.clone(), task }
    }
}

/// The authority of these jobs.
#[must_use]
pub fn access() -> Access {
    Access::system(ASKER)
}

/// Sees that what is defined is in force, and adds a job for all work that has none; gives the jobs that are open. What has no room comes when others have ended.
///
/// # Errors
/// [`AddError`] when the store or the disk fails.
pub fn ask(hub: &Hub, jobs: &Jobs) -> Result<Vec<Kept>, AddError> {
    hub.door().take_outstanding()?;
    let work = hub.door().index_work()?;
    if work.is_empty() {
        return Ok(Vec::new());
    }
    let _asking = jobs.0.indexing.lock().unwrap_or_else(PoisonError::into_inner);
    let open = || keep::list(hub, &[State::Queued, State::Running], jobs.options().open_most);
    let known = open()?;
    for work in work {
        if known.iter().any(|kept| work_of(&kept.job.request).as_ref() == Some(&work)) {
            continue;
        }
        let IndexWork { number, kind, code, task } = work;
        let url = format!("{}/{kind}?{code}", hub.base_url());
        let request = match task {
            IndexTask::Label => Request::Label,
            task => Request::Index(Index { number, kind, code, removes: task == IndexTask::Remove }),
        };
        match jobs.add(hub, &access(), &jobs.new_id(), url, request) {
            Err(AddError::TooMany) => break,
            result => result?,
        }
    }
    Ok(open()?)
}

/// What a job does in the store, if it is one of these.
fn work_of(request: &Request) -> Option<IndexWork> {
    match request {
        Request::Index(index) => Some(index.work()),
        Request::Label => Some(IndexWork::label()),
        _ => None,
    }
}

/// Before a job is cancelled or given up: what it did is left where it is, and is no work any more. Taking away goes on in
/// any case, and so does labelling: another job begins where this one ended.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn leave(hub: &Hub, request: &Request) -> Result<(), CommitError> {
    match request {
        Request::Index(index) if !index.removes => Ok(hub.door().stop_indexing(&index.kind, &index.code)?),
        _ => Ok(()),
    }
}

/// Does it, or goes on with it.
///
/// # Errors
/// [`Stop`].
pub fn run(work: &mut Work<'_>, index: &Index) -> Result<(), Stop> {
    go_through(work, &index.work())?;
    if index.removes {
        // A definition may have waited for its place.
        work.hub.door().define_all()?;
    }
    Ok(())
}

/// Labels all records by the codes in force, or goes on with it.
///
/// # Errors
/// [`Stop`].
pub fn label(work: &mut Work<'_>) -> Result<(), Stop> {
    go_through(work, &IndexWork::label())
}

fn go_through(work: &mut Work<'_>, asked: &IndexWork) -> Result<(), Stop> {
    loop {
        work.go_on()?;
        let step = work.hub.door().index_some(asked, RECORDS)?;
        if step.is_finished {
            break;
        }
        work.job.progress = Progress { done: step.done, total: Some(step.total) };
        if work.is_due() {
            work.save()?;
        }
    }
    if let Some(total) = work.job.progress.total {
        work.job.progress.done = total;
    }
    Ok(())
}

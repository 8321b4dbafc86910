//! Long work that survives a restart: exports, imports, and answers that were asked for later.
//!
//! A job is a record of ours ([`record::Job`]) with its request, its state and the point from which it goes on. Runners
//! pick up what waits, one process at a time for each job; whoever dies in between costs the work since the last
//! point, and nothing of it shows. Results are files in the job's directory, and go after a while.
//!
//! | file | what it holds |
//! |---|---|
//! | [`state`] | the states and what leads from one to another |
//! | [`record`] | the record of a job |
//! | [`keep`] | reading, writing and finding these records; taking results away |
//! | [`work`] | a job under way, as its executor sees it |
//! | [`files`] | files of results, written as they come |
//! | [`index`] | indexing by new search parameters |
//! | [`upload`] | files that clients send for a job to come |
//! | [`runner`] | the threads that work |

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::access::Access;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::fhir::bulk::Request;
use crate::hub::Hub;

pub mod files;
pub mod index;
pub mod keep;
pub mod record;
pub mod runner;
pub mod state;
pub mod upload;
pub mod work;

pub use record::{JOB, Job};
pub use runner::Service;

use record::Asker;
use state::{Event, State};
use work::Control;

/// Files received at the same time; more wait, and then are refused.
const UPLOADS: usize = 8;

/// How jobs are run.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// Where results lie: one directory for each job.
    pub directory: PathBuf,
    /// Jobs worked on at the same time; 0 to take jobs and leave them waiting.
    pub at_once: usize,
    /// How long results are kept after the end.
    pub keep: Duration,
    /// Bytes after which a file of a result is followed by another.
    pub file_bytes: u64,
    /// How often a job's progress is written down, at most.
    pub save_every: Duration,
    /// Jobs that may wait or run at the same time, in all.
    pub open_most: usize,
    /// Jobs of one account that may wait or run at the same time.
    pub open_most_each: usize,
    /// Bytes of a Bundle that is the result of a search.
    pub bundle_bytes: u64,
    /// Where files to import may come from.
    pub sources: Sources,
}

/// Where files to import may come from, and how large they may be.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Origins, such as `https://files.example`; none by default.
    pub origins: Vec<String>,
    /// Whether these may lie in private networks or on this machine.
    pub private: bool,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files of one job.
    pub files: usize,
}

impl JobOptions {
    /// The usual limits, with results in this directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            at_once: 2,
            keep: Duration::from_hours(24),
            file_bytes: 100 << 20,
            save_every: Duration::from_secs(1),
            open_most: 100,
            open_most_each: 10,
            bundle_bytes: 256 << 20,
            sources: Sources { files: 1_000, file_bytes: 16 << 30, ..Sources::default() },
        }
    }
}

/// The jobs of one process. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    options: JobOptions,
    /// This process among others: jobs that another one left are picked up again.
    runner: String,
    /// What is worked on here.
    running: Mutex<HashMap<String, Arc<Control>>>,
    /// Held while a job is added, so that the limits hold.
    adding: Mutex<()>,
    /// Held while jobs are added for indexing, so that each work has one.
    indexing: Mutex<()>,
    /// Whether there may be something to pick up.
    news: Mutex<bool>,
    wake: Condvar,
    stopping: AtomicBool,
    finished: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    /// Turns for receiving files.
    uploads: Arc<Semaphore>,
}

/// Why a job was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Too many are waiting or running.
    #[error("too many jobs are open")]
    TooMany,
    /// The store refuses.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The disk refuses.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<StoreError> for AddError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl Jobs {
    fn new(options: JobOptions) -> Self {
        Self(Arc::new(Inner {
            options,
            runner: Uuid::now_v7().to_string(),
            running: Mutex::default(),
            adding: Mutex::default(),
            indexing: Mutex::default(),
            news: Mutex::default(),
            wake: Condvar::new(),
            stopping: AtomicBool::new(false),
            finished: Mutex::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
        }))
    }

    /// How they are run.
    #[must_use]
    pub fn options(&self) -> &JobOptions {
        &self.0.options
    }

    /// Where the files of a job lie. Ids are ours: nobody chooses a path.
    #[must_use]
    pub fn directory(&self, id: &str) -> PathBuf {
        self.0.options.directory.join(id)
    }

    /// Turns for receiving files.
    pub(crate) fn uploads(&self) -> &Arc<Semaphore> {
        &self.0.uploads
    }

    /// An id for a job to come: its directory may be filled before the job is added.
    #[must_use]
    pub fn new_id(&self) -> String {
        Uuid::now_v7().to_string()
    }

    /// Adds a job; it is durable when this returns.
    ///
    /// # Errors
    /// [`AddError`]; then there is no such job.
    pub fn add(
        &self,
        hub: &Hub,
        access: &Access,
        id: &str,
        url: String,
        request: Request,
    ) -> Result<(), AddError> {
        let _adding = self.0.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.0.options.open_most;
        let open = keep::list(hub, &[State::Queued, State::Running], most)?;
        let own = open.iter().filter(|kept| kept.job.asker.actor == access.actor).count();
        if open.len() >= most || own >= self.0.options.open_most_each {
            return Err(AddError::TooMany);
        }
        files::make_directory(&self.directory(id))?;
        let job = Job {
            state: State::Queued,
            asker: Asker::from(access),
            url,
            request,
            created: keep::now(hub),
            started: None,
            ended: None,
            runner: None,
            instant: None,
            attempts: 0,
            progress: record::Progress::default(),
            point: None,
            inputs: Vec::new(),
            files: Vec::new(),
            failure: None,
        };
        keep::write(hub, id, &job, ieum_store::commit::Expect::New, "job-ask")?;
        self.wake();
        Ok(())
    }

    /// Ends a job that has not ended; false when it had. Whoever works on it stops at once.
    ///
    /// # Errors
    /// [`CommitError`] when the store fails.
    pub fn cancel(&self, hub: &Hub, id: &str) -> Result<bool, CommitError> {
        // Its runner writes progress in between: then look again.
        for _ in 0..64 {
            let Some(mut kept) = keep::read(hub, id)? else { return Ok(false) };
            let Ok(state) = kept.job.state.after(Event::Cancel) else { return Ok(false) };
            let was_running = kept.job.state == State::Running;
            index::leave(hub, &kept.job.request)?;
            (kept.job.state, kept.job.ended) = (state, Some(keep::now(hub)));
            match keep::write(hub, id, &kept.job, kept.expect(), "job-cancel") {
                Err(CommitError::Version { .. }) => continue,
                result => result?,
            };
            self.tell(id, Control::cancel);
            if !was_running {
                keep::remove_files(self, id);
                self.count(kept.job.request.what(), state);
            }
            return Ok(true);
        }
        Err(CommitError::Overloaded)
    }

    /// Takes a job that has ended away, with its results.
    ///
    /// # Errors
    /// [`CommitError`] when the store fails.
    pub fn remove(&self, hub: &Hub, id: &str) -> Result<(), CommitError> {
        keep::remove_files(self, id);
        keep::remove(hub, id)
    }

    /// How many jobs are worked on here.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many jobs have ended here since the start, by what they did and how they ended.
    #[must_use]
    pub fn finished(&self) -> Vec<(&'static str, &'static str, u64)> {
        let finished = self.0.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.iter().map(|((what, state), count)| (*what, *state, *count)).collect()
    }

    fn count(&self, what: &'static str, state: State) {
        let mut finished = self.0.finished.lock().unwrap_or_else(PoisonError::into_inner);
        *finished.entry((what, state.name())).or_default() += 1;
    }

    fn tell(&self, id: &str, what: fn(&Control)) {
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(control) = running.get(id) {
            what(control);
        }
    }

    /// Tells the runners that there is something to pick up.
    fn wake(&self) {
        *self.0.news.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.wake.notify_one();
    }

    /// Waits until there may be something to pick up, or it is time to look all the same.
    fn wait(&self, at_most: Duration) {
        let news = self.0.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |news: &mut bool| !*news && !self.is_stopping();
        let (mut news, _) =
            self.0.wake.wait_timeout_while(news, at_most, waiting).unwrap_or_else(PoisonError::into_inner);
        *news = false;
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}

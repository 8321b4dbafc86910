//! The threads that work on jobs.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ieum_fhir::outcome::Code;
use ieum_store::commit::CommitError;
use ieum_trust::authorization::grant;

use super::keep::{self, Kept};
use super::state::{Event, NoSuchStep, State};
use super::work::{Control, Stop, Work, access_gone};
use super::{JobOptions, Jobs, files, index};
use crate::authorization::seconds;
use crate::fhir::bulk;
use crate::hub::Hub;

/// How long a runner sleeps when nothing is to be done. News wake it at once.
const PAUSE: Duration = Duration::from_secs(2);
/// How often old results, and what apps were allowed and has ended, are looked for.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often a job is picked up without coming any further, before it is given up: one that takes the process down
/// with it would otherwise do so for ever.
const ATTEMPTS: u32 = 10;
/// Jobs looked at to find one that can be picked up.
const LOOK: usize = 16;

/// The runners of one process.
pub struct Service {
    jobs: Jobs,
    threads: Vec<JoinHandle<()>>,
}

/// Why runners could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store fails.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The disk, or the operating system, refuses.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Service {
    /// Lets a hub take jobs, picks up those that were interrupted, and begins to work. One process at a time may have
    /// the hub's data, so whatever is said to be running was left by one that is no more.
    ///
    /// # Errors
    /// [`StartError`] when the directory cannot be made or the store fails.
    pub fn start(hub: &Hub, options: JobOptions) -> Result<Self, StartError> {
        files::make_directory(&options.directory)?;
        let jobs = Jobs::new(options);
        for mut kept in keep::list(hub, &[State::Running], usize::MAX >> 1).map_err(CommitError::from)? {
            // Only running jobs are listed, and what runs can be interrupted.
            let Ok(state) = kept.job.state.after(Event::Interrupt) else { continue };
            kept.job.state = state;
            keep::write(hub, &kept.id, &kept.job, kept.expect(), "job-interrupt")?;
        }
        keep::sweep_directories(hub, &jobs).map_err(CommitError::from)?;
        hub.take_jobs(jobs.clone());
        let mut threads = Vec::new();
        for number in 0..jobs.options().at_once {
            let (hub, jobs) = (hub.clone(), jobs.clone());
            let builder = std::thread::Builder::new().name(format!("jobs-{number}"));
            threads.push(builder.spawn(move || run(&hub, &jobs))?);
        }
        Ok(Self { jobs, threads })
    }

    /// The jobs.
    #[must_use]
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Tells the jobs under way to stop where they are, and waits until they have. They go on at the next start.
    pub fn stop(self) {
        self.jobs.0.stopping.store(true, Ordering::Relaxed);
        for control in self.jobs.0.running.lock().unwrap_or_else(PoisonError::into_inner).values() {
            control.stop();
        }
        // Taken, so that nobody is between looking and waiting when they are told.
        drop(self.jobs.0.news.lock().unwrap_or_else(PoisonError::into_inner));
        self.jobs.0.wake.notify_all();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a runner of jobs ended by a bug");
            }
        }
    }
}

/// One runner, until it is stopped.
fn run(hub: &Hub, jobs: &Jobs) {
    let mut swept: Option<Instant> = None;
    while !jobs.is_stopping() {
        if swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY) {
            swept = Some(Instant::now());
            if let Err(error) = keep::sweep(hub, jobs) {
                tracing::error!(error = %error, "old jobs cannot be removed");
            }
            if let Err(error) = grant::sweep(hub.door(), seconds(hub)) {
                tracing::error!(error = %error, "what apps were allowed and has ended cannot be removed");
            }
        }
        if let Err(error) = index::ask(hub, jobs) {
            tracing::error!(error = %error, "no job for indexing can be added");
        }
        match claim(hub, jobs) {
            Ok(Some((kept, control))) => {
                // There may be more: another runner looks.
                jobs.wake();
                work_on(hub, jobs, &kept, control);
                jobs.0.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&kept.id);
            }
            Ok(None) => jobs.wait(PAUSE),
            Err(error) => {
                tracing::error!(error = %error, "jobs cannot be picked up");
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// Picks up the oldest job that waits: it is ours when the change of its record is durable.
fn claim(hub: &Hub, jobs: &Jobs) -> Result<Option<(Kept, Arc<Control>)>, CommitError> {
    for mut kept in keep::list(hub, &[State::Queued], LOOK)? {
        let Ok(state) = kept.job.state.after(Event::Start) else { continue };
        kept.job.state = state;
        kept.job.started = Some(keep::now(hub));
        kept.job.runner = Some(jobs.0.runner.clone());
        kept.job.attempts += 1;
        // Known before it is ours, so that nobody who cancels it finds no one to tell.
        let control = Arc::new(Control::default());
        let mut running = jobs.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.contains_key(&kept.id) || jobs.is_stopping() {
            continue;
        }
        running.insert(kept.id.clone(), Arc::clone(&control));
        drop(running);
        match keep::write(hub, &kept.id, &kept.job, kept.expect(), "job-start") {
            Ok(version) => {
                kept.version = version;
                return Ok(Some((kept, control)));
            }
            Err(error) => {
                jobs.0.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&kept.id);
                // Another runner was quicker, or it was cancelled.
                if !matches!(error, CommitError::Version { .. }) {
                    return Err(error);
                }
            }
        }
    }
    Ok(None)
}

/// Works on a job and writes down how that ended.
fn work_on(hub: &Hub, jobs: &Jobs, kept: &Kept, control: Arc<Control>) {
    let what = kept.job.request.what();
    tracing::info!(job.id = kept.id, job.what = what, job.attempt = kept.job.attempts, "a job is worked on");
    let access = match keep::access_of(hub, &kept.job.asker) {
        Ok(access) => access.ok_or_else(access_gone),
        Err(error) => Err(error.into()),
    };
    let mut work = Work::new(hub, jobs, kept, ieum_trust::access::Access::system("jobs"), control);
    let result = match access {
        _ if kept.job.attempts > ATTEMPTS => Err(Stop::failed(
            Code::AsyncFailed,
            "it was interrupted too often without coming further; ask for less at once",
        )),
        Ok(access) => {
            work.access = access;
            execute(&mut work)
        }
        Err(stop) => Err(stop),
    };
    let event = match &result {
        Ok(()) => Event::Finish,
        Err(Stop::Failed(failure)) => {
            work.job.failure = Some(failure.clone());
            if let Err(error) = index::leave(hub, &work.job.request) {
                tracing::error!(error = %error, "indexing that failed cannot be stopped");
            }
            Event::Fail
        }
        Err(Stop::Interrupted) => Event::Interrupt,
        Err(Stop::Gone) => return gone(hub, jobs, &kept.id, what),
    };
    match end(hub, &mut work, event) {
        Ok(state) => {
            tracing::info!(job.id = kept.id, job.state = state.name(), "a job is left");
            if state == State::Failed {
                keep::remove_files(jobs, &kept.id);
            }
            if state.is_ended() {
                jobs.count(what, state);
            }
        }
        Err(Stop::Gone) => gone(hub, jobs, &kept.id, what),
        // It stays as it is on record, and is picked up at the next start.
        Err(stop) => {
            tracing::error!(job.id = kept.id, stop = ?stop, "the end of a job cannot be written down");
        }
    }
}

/// Runs the executor. A bug in it is the end of this job, and of nothing else.
fn execute(work: &mut Work<'_>) -> Result<(), Stop> {
    std::thread::scope(|scope| scope.spawn(|| bulk::execute(work)).join()).unwrap_or_else(|_| {
        tracing::error!("a job ended by a bug");
        Err(Stop::internal())
    })
}

fn end(hub: &Hub, work: &mut Work<'_>, event: Event) -> Result<State, Stop> {
    let state = work.job.state.after(event).map_err(|error: NoSuchStep| {
        tracing::error!(error = %error, "a job is in the wrong state");
        Stop::internal()
    })?;
    work.job.state = state;
    if state.is_ended() {
        work.job.ended = Some(keep::now(hub));
        work.job.point = None;
    }
    work.write("job-end")?;
    Ok(state)
}

/// It was cancelled: what it has written is of no use to anybody.
fn gone(hub: &Hub, jobs: &Jobs, id: &str, what: &'static str) {
    match keep::read(hub, id) {
        Ok(Some(kept)) if kept.job.state != State::Cancelled => {}
        Ok(_) => {
            keep::remove_files(jobs, id);
            jobs.count(what, State::Cancelled);
        }
        Err(error) => tracing::error!(error = %error, "a cancelled job cannot be read"),
    }
}

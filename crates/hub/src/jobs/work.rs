//! A job under way, as its executor sees it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use ieum_fhir::outcome::Code;
use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::access::Access;
use ieum_trust::door::{DoorError, View};

use super::record::{Job, JobFailure};
use super::{Jobs, keep};
use crate::call::Failure;
use crate::hub::Hub;

/// The longest time after which it is written down how far a job is.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whether a job is to go on: looked at by whoever works on it, changed by others.
#[derive(Debug, Default)]
pub struct Control(AtomicU8);

impl Control {
    const CANCEL: u8 = 1;
    const STOP: u8 = 2;

    /// It is not wanted any more.
    pub fn cancel(&self) {
        self.0.fetch_or(Self::CANCEL, Ordering::Relaxed);
    }

    /// This process ends.
    pub fn stop(&self) {
        self.0.fetch_or(Self::STOP, Ordering::Relaxed);
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Stop`] when not.
    pub fn go_on(&self) -> Result<(), Stop> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            told if told & Self::CANCEL != 0 => Err(Stop::Gone),
            _ => Err(Stop::Interrupted),
        }
    }
}

/// Why work on a job ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It is not ours any more: cancelled, or somebody else changed its record.
    Gone,
    /// This process ends; somebody goes on later.
    Interrupted,
    /// It cannot be done.
    Failed(JobFailure),
}

impl Stop {
    /// A failure with a code of ours, and what to do.
    #[must_use]
    pub fn failed(code: Code, text: impl Into<String>) -> Self {
        Self::Failed(JobFailure { code: code.id().to_owned(), text: text.into() })
    }

    /// A bug, or a broken machine. What happened is in the log.
    #[must_use]
    pub fn internal() -> Self {
        Self::failed(Code::Internal, "give the operator the number of the job")
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stopped => Self::Interrupted,
            error => Failure::from(error).into(),
        }
    }
}

impl From<DoorError> for Stop {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Store(error) => error.into(),
            error => Failure::from(error).into(),
        }
    }
}

impl From<CommitError> for Stop {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Version { .. } => Self::Gone,
            CommitError::Store(error) => error.into(),
            error => Failure::from(error).into(),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        let issue = failure.issues.into_iter().next();
        issue.map_or_else(Self::internal, |issue| Self::failed(issue.code, issue.diagnostics))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull.into(),
            io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly.into(),
            _ => {
                tracing::error!(error = %error, "a file of a job cannot be read or written");
                Self::internal()
            }
        }
    }
}

/// A job under way. An executor does a bounded piece of work, asks [`Work::go_on`], and every so often makes durable
/// what it has done, writes its point into [`Work::job`] and calls [`Work::save`]: in this order, and without changing
/// the job otherwise, so that the record never says more than the disk holds.
pub struct Work<'w> {
    /// The hub.
    pub hub: &'w Hub,
    /// The jobs it belongs to.
    pub jobs: &'w Jobs,
    /// Its id.
    pub id: &'w str,
    /// The authority it runs under: that of whoever asked.
    pub access: Access,
    /// Where its files go.
    pub directory: PathBuf,
    /// The job.
    pub job: Job,
    version: u64,
    control: Arc<Control>,
    begun: Instant,
    saved: Instant,
    /// How long until it is written down again: soon at first, so that short jobs show progress too.
    pause: Duration,
}

impl<'w> Work<'w> {
    pub(super) fn new(
        hub: &'w Hub,
        jobs: &'w Jobs,
        kept: &'w keep::Kept,
        access: Access,
        control: Arc<Control>,
    ) -> Self {
        Self {
            hub,
            jobs,
            id: &kept.id,
            access,
            directory: jobs.directory(&kept.id),
            job: kept.job.clone(),
            version: kept.version,
            control,
            begun: Instant::now(),
            saved: Instant::now(),
            pause: jobs.options().save_every / 16,
        }
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Stop`] when not.
    pub fn go_on(&self) -> Result<(), Stop> {
        self.control.go_on()
    }

    /// What may tell it to stop, for threads of its own.
    #[must_use]
    pub fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// Whether it is time to write down how far it is.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.saved.elapsed() >= self.pause
    }

    /// What its authority reaches, without the system's own records.
    ///
    /// # Errors
    /// [`Stop`] when the store cannot serve.
    pub fn view(&self) -> Result<View<'_>, Stop> {
        Ok(self.hub.door().resource_view(&self.access)?)
    }

    /// Writes down how far it is, if whoever asked still may.
    ///
    /// # Errors
    /// [`Stop`] when it is not to go on.
    pub fn save(&mut self) -> Result<(), Stop> {
        self.check_access()?;
        self.job.attempts = 0;
        self.write("job-save")?;
        self.saved = Instant::now();
        // Each time is a version of the record and an audit entry: a long job does it every hundredth of its age, which
        // is also what an interruption costs at most.
        let longest = (self.begun.elapsed() / 100).min(LONGEST_PAUSE).max(self.jobs.options().save_every);
        self.pause = (self.pause * 2).min(longest);
        Ok(())
    }

    fn check_access(&self) -> Result<(), Stop> {
        match keep::access_of(self.hub, &self.job.asker)? {
            Some(access) if access == self.access => Ok(()),
            _ => Err(access_gone()),
        }
    }

    pub(super) fn write(&mut self, action: &'static str) -> Result<(), Stop> {
        let expect = ieum_store::commit::Expect::Version(self.version);
        self.version = keep::write(self.hub, self.id, &self.job, expect, action)?;
        Ok(())
    }
}

/// Whoever asked may not any more.
pub(super) fn access_gone() -> Stop {
    Stop::failed(
        Code::AsyncAccess,
        "the account was removed or changed since it asked; ask again with another",
    )
}

//! The writer: one thread, one order, one disk write for all that wait.

use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, params};

use super::apply::{Applier, Memory};
use super::guard::check_guards;
use super::{Shared, audit, newest_t, to_i64};
use crate::clock::next_instant;
use crate::commit::{Changed, CommitError, CommitRequest, Committed, StoreError};
use crate::engine::AuditEntry;

/// Changes that one transaction takes at most before it is written to disk.
const GROUP: usize = 3_000;

/// Something to write, and where to say what became of it.
enum Task {
    Commit(Box<CommitRequest>, Sender<Result<Committed, CommitError>>),
    Audit(AuditEntry, Sender<Result<(), StoreError>>),
    Follower(String, u64, Sender<Result<(), StoreError>>),
    Stop,
}

/// An answer held back until the transaction is on disk.
enum Answer {
    Commit(Sender<Result<Committed, CommitError>>, Result<Committed, CommitError>),
    Done(Sender<Result<(), StoreError>>),
}

/// The handle to the writer thread.
pub(super) struct Writer {
    tasks: SyncSender<Task>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, shared: Arc<Shared>) -> Result<Self, StoreError> {
        let (tasks, receiver) = sync_channel(shared.options.waiting);
        let state = State::load(&connection)?;
        let mut worker = Worker { connection, shared, state, memory: Memory::default() };
        let thread = std::thread::Builder::new()
            .name("ieum-writer".into())
            .spawn(move || worker.run(&receiver))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { tasks, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn commit(&self, request: CommitRequest) -> Result<Committed, CommitError> {
        let (sender, receiver) = channel();
        match self.tasks.try_send(Task::Commit(Box::new(request), sender)) {
            Ok(()) => receiver.recv().map_err(|_| CommitError::Store(StoreError::Stopped))?,
            Err(TrySendError::Full(_)) => Err(CommitError::Overloaded),
            Err(TrySendError::Disconnected(_)) => Err(CommitError::Store(StoreError::Stopped)),
        }
    }

    pub(super) fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.wait_for(|sender| Task::Audit(entry, sender))
    }

    pub(super) fn set_follower(&self, name: String, t: u64) -> Result<(), StoreError> {
        self.wait_for(|sender| Task::Follower(name, t, sender))
    }

    fn wait_for(&self, task: impl FnOnce(Sender<Result<(), StoreError>>) -> Task) -> Result<(), StoreError> {
        let (sender, receiver) = channel();
        self.tasks.send(task(sender)).map_err(|_| StoreError::Stopped)?;
        receiver.recv().map_err(|_| StoreError::Stopped)?
    }

    pub(super) fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread may already be gone; then there is nobody to tell.
            let _ = self.tasks.send(Task::Stop);
            if thread.join().is_err() {
                tracing::error!("the writer thread ended by a bug");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the sequence stands.
#[derive(Debug, Clone, Copy)]
struct State {
    t: u64,
    instant: i64,
}

impl State {
    fn load(connection: &Connection) -> Result<Self, StoreError> {
        let t = newest_t(connection)?;
        let instant =
            connection.query_row("SELECT coalesce(max(instant), 0) FROM commits", [], |row| row.get(0))?;
        Ok(Self { t, instant })
    }
}

struct Worker {
    connection: Connection,
    shared: Arc<Shared>,
    state: State,
    memory: Memory,
}

impl Worker {
    fn run(&mut self, tasks: &Receiver<Task>) {
        while let Ok(first) = tasks.recv() {
            let mut group = Vec::new();
            let mut size = 0;
            let mut next = Some(first);
            let mut stop = false;
            while let Some(task) = next {
                match &task {
                    Task::Stop => stop = true,
                    Task::Commit(request, _) => size += request.changes.len(),
                    Task::Audit(..) | Task::Follower(..) => size += 1,
                }
                if !stop {
                    group.push(task);
                }
                next = if stop || size >= GROUP { None } else { tasks.try_recv().ok() };
            }
            self.write(group);
            if stop {
                break;
            }
        }
        // Everything is on disk already; this only leaves one tidy file behind.
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %error, "the write-ahead log stays beside the file");
        }
    }

    /// Writes a group in one transaction, then answers everyone.
    fn write(&mut self, group: Vec<Task>) {
        let before = self.state;
        let mut answers = Vec::with_capacity(group.len());
        match self.transaction(group, &mut answers) {
            Ok(()) => answers.into_iter().for_each(Answer::send),
            Err(error) => {
                self.state = before;
                self.memory.clear();
                if !self.connection.is_autocommit()
                    && let Err(rollback) = self.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(error = %rollback, "rolling back failed");
                }
                tracing::error!(error = %error, "a group of commits could not be written");
                answers.into_iter().for_each(|answer| answer.fail(&error));
            }
        }
    }

    fn transaction(&mut self, group: Vec<Task>, answers: &mut Vec<Answer>) -> Result<(), StoreError> {
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
        let mut failed = begun.err();
        for task in group {
            let (answer, error) = self.perform(task, failed.as_ref());
            answers.extend(answer);
            failed = failed.or(error);
        }
        if let Some(error) = failed {
            return Err(error);
        }
        self.applier().flush()?;
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Does one task inside the transaction. The answer is for later: nothing is acknowledged before it is on disk.
    fn perform(&mut self, task: Task, failed: Option<&StoreError>) -> (Option<Answer>, Option<StoreError>) {
        match task {
            Task::Commit(request, sender) => {
                let result = match failed {
                    Some(error) => Err(CommitError::Store(error.clone())),
                    None => self.commit(&request),
                };
                let error = match &result {
                    Err(CommitError::Store(error)) => Some(error.clone()),
                    _ => None,
                };
                (Some(Answer::Commit(sender, result)), error)
            }
            Task::Audit(entry, sender) => {
                let now = (self.shared.clock)();
                let done = audit::append(&self.connection, now, None, &entry);
                (Some(Answer::Done(sender)), done.err())
            }
            Task::Follower(name, t, sender) => {
                let sql =
                    "INSERT INTO follower (name, t) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET t = ?2";
                let done =
                    self.connection.prepare_cached(sql).and_then(|mut s| s.execute(params![name, to_i64(t)]));
                (Some(Answer::Done(sender)), done.err().map(StoreError::from))
            }
            Task::Stop => (None, None),
        }
    }

    /// Judges and applies one commit. Everything that can be refused is refused before the first row is written, so
    /// that a refusal leaves the shared transaction as it was.
    fn commit(&mut self, request: &CommitRequest) -> Result<Committed, CommitError> {
        if !request.guards.is_empty() {
            self.applier().flush()?;
            check_guards(&self.connection, &self.shared, request)?;
        }
        self.applier().check(&request.access, &request.changes)?;
        let t = self.state.t + 1;
        let instant = next_instant(self.state.instant, (self.shared.clock)());
        let mut applier = self.applier();
        let changes: Vec<Changed> = request
            .changes
            .iter()
            .map(|change| applier.apply(change, t, instant))
            .collect::<Result<_, StoreError>>()?;
        let written = changes.iter().filter(|change| change.op.is_some()).count() as u64;
        if written == 0 {
            return Ok(Committed { t: self.state.t, changes });
        }
        let sql = "INSERT INTO commits (t, instant) VALUES (?1, ?2)";
        self.connection
            .prepare_cached(sql)
            .and_then(|mut insert| insert.execute(params![to_i64(t), instant]))
            .map_err(StoreError::from)?;
        audit::append(&self.connection, instant, Some((t, written)), &AuditEntry::of_commit(request))?;
        self.state = State { t, instant };
        Ok(Committed { t, changes })
    }

    fn applier(&mut self) -> Applier<'_> {
        Applier { connection: &self.connection, shared: &self.shared, memory: &mut self.memory }
    }
}

impl Answer {
    /// The one who asked may have gone; then nobody misses the answer.
    fn send(self) {
        match self {
            Self::Commit(sender, result) => drop(sender.send(result)),
            Self::Done(sender) => drop(sender.send(Ok(()))),
        }
    }

    /// The transaction failed: whatever was to be said, this is what happened.
    fn fail(self, error: &StoreError) {
        match self {
            Self::Commit(sender, _) => drop(sender.send(Err(CommitError::Store(error.clone())))),
            Self::Done(sender) => drop(sender.send(Err(error.clone()))),
        }
    }
}

//! The writer: one thread, one order, one disk write for all that wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ieum_fhir::search::custom::CustomParam;
use rusqlite::{Connection, params};

use super::apply::{Applier, Memory};
use super::custom::{self, State as ParamState};
use super::guard::check_guards;
use super::log::Log;
use super::{Current, Shared, audit, labels, learn, newest_t, to_i64};
use crate::clock::next_instant;
use crate::commit::{Change, CommitError, CommitRequest, Committed, StoreError};
use crate::compress::{Dictionaries, Packed};
use crate::custom::{IndexStep, IndexTask, IndexWork};
use crate::engine::AuditEntry;
use crate::sensitive::SensitiveCodes;

/// Changes that one transaction takes at most before it is written to disk.
const GROUP: usize = 3_000;

/// Something to write, and where to say what became of it.
enum Task {
    Commit(Box<CommitRequest>, Vec<Packed>, Sender<Result<Committed, CommitError>>),
    Audit(AuditEntry, Sender<Result<(), StoreError>>),
    Follower(String, u64, Sender<Result<(), StoreError>>),
    /// A dictionary, if one is worth having, and when to learn again.
    Learnt(Option<Vec<u8>>, u64, Sender<Result<Option<i64>, StoreError>>),
    Define(Vec<Arc<CustomParam>>, Sender<Result<(), StoreError>>),
    Sensitive(Arc<SensitiveCodes>, Sender<Result<(), StoreError>>),
    Index(IndexWork, usize, Sender<Result<IndexStep, StoreError>>),
    /// Kind, code, and whether to stop.
    Halt(String, String, bool, Sender<Result<(), StoreError>>),
    Stop,
}

/// What came of a task; told only when the transaction is on disk.
enum Outcome {
    Commit(Result<Committed, CommitError>),
    Learnt(Option<i64>),
    Indexed(IndexStep),
    Done,
}

/// The handle to the writer thread.
pub(super) struct Writer {
    tasks: SyncSender<Task>,
    dictionaries: Arc<Dictionaries>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(mut connection: Connection, current: Arc<Current>) -> Result<Self, StoreError> {
        let shared = current.get();
        let (tasks, receiver) = sync_channel(shared.options.waiting);
        let state = State::load(&connection)?;
        let log = Log::watch(&mut connection)?;
        let dictionaries = Arc::clone(&shared.dictionaries);
        let mut worker = Worker { connection, current, shared, state, memory: Memory::default(), log };
        let thread = std::thread::Builder::new()
            .name("ieum-writer".into())
            .spawn(move || worker.run(&receiver))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { tasks, dictionaries, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn commit(&self, request: CommitRequest) -> Result<Committed, CommitError> {
        let (sender, receiver) = channel();
        // Here, on the caller's thread: the writer's is everybody's.
        let pack = |change: &Change| match change {
            Change::Put { record, .. } => self.dictionaries.pack(&record.body),
            Change::Delete { .. } => Packed { codec: 0, bytes: Vec::new() },
        };
        let packed = request.changes.iter().map(pack).collect();
        match self.tasks.try_send(Task::Commit(Box::new(request), packed, sender)) {
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

    /// Writes down a dictionary, and when to learn again; gives the number of the dictionary.
    pub(super) fn learnt(&self, bytes: Option<Vec<u8>>, next: u64) -> Result<Option<i64>, StoreError> {
        self.wait_for(|sender| Task::Learnt(bytes, next, sender))
    }

    pub(super) fn define(&self, params: Vec<Arc<CustomParam>>) -> Result<(), StoreError> {
        self.wait_for(|sender| Task::Define(params, sender))
    }

    pub(super) fn set_sensitive(&self, codes: Arc<SensitiveCodes>) -> Result<(), StoreError> {
        self.wait_for(|sender| Task::Sensitive(codes, sender))
    }

    pub(super) fn index_some(&self, work: IndexWork, most: usize) -> Result<IndexStep, StoreError> {
        self.wait_for(|sender| Task::Index(work, most.clamp(1, GROUP), sender))
    }

    pub(super) fn halt_indexing(&self, kind: String, code: String, halt: bool) -> Result<(), StoreError> {
        self.wait_for(|sender| Task::Halt(kind, code, halt, sender))
    }

    fn wait_for<T>(&self, task: impl FnOnce(Sender<Result<T, StoreError>>) -> Task) -> Result<T, StoreError> {
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
    /// What readers see in force: as of the last transaction that is durable.
    current: Arc<Current>,
    /// What is in force inside the transaction.
    shared: Arc<Shared>,
    state: State,
    memory: Memory,
    log: Log,
}

impl Worker {
    fn run(&mut self, tasks: &Receiver<Task>) {
        let mut held = None;
        while let Some(first) = held.take().or_else(|| tasks.recv().ok()) {
            let mut group = Vec::new();
            let mut size = 0;
            let mut next = Some(first);
            let mut stop = false;
            while let Some(task) = next.take() {
                // Alone in its transaction: whoever reads sees what was in force before with what was written before.
                let is_alone = matches!(task, Task::Define(..) | Task::Sensitive(..));
                if is_alone && !group.is_empty() {
                    held = Some(task);
                    break;
                }
                match &task {
                    Task::Stop => stop = true,
                    Task::Commit(request, ..) => size += request.changes.len(),
                    Task::Index(_, most, _) => size += most,
                    Task::Audit(..)
                    | Task::Follower(..)
                    | Task::Learnt(..)
                    | Task::Define(..)
                    | Task::Sensitive(..)
                    | Task::Halt(..) => size += 1,
                }
                if !stop {
                    group.push(task);
                }
                next = if stop || is_alone || size >= GROUP { None } else { tasks.try_recv().ok() };
            }
            self.write(&group);
            self.log.shorten(&self.connection);
            if stop {
                break;
            }
        }
        // Everything is on disk already; this only leaves one tidy file behind.
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %error, "the write-ahead log stays beside the file");
        }
    }

    /// Writes a group in one transaction, then answers everyone. When one of them breaks the transaction, each gets one
    /// of its own, so that nobody suffers for another's record.
    fn write(&mut self, group: &[Task]) {
        match self.transaction(group) {
            Ok(outcomes) => group.iter().zip(outcomes).for_each(|(task, outcome)| task.answer(Ok(outcome))),
            Err(error) if group.len() > 1 && !error.concerns_the_disk() => {
                for task in group {
                    let outcome = self.transaction(std::slice::from_ref(task));
                    task.answer(outcome.map(|mut outcomes| outcomes.remove(0)));
                }
            }
            Err(error) => group.iter().for_each(|task| task.answer(Err(error.clone()))),
        }
    }

    /// Does the tasks in one transaction; durable when it returns. Nothing of it has happened when it fails.
    fn transaction(&mut self, group: &[Task]) -> Result<Vec<Outcome>, StoreError> {
        let before = self.state;
        // A bug met in one record must not end the thread that everybody's writing depends on.
        let done = catch_unwind(AssertUnwindSafe(|| self.attempt(group)));
        let error = match done {
            Ok(Ok(outcomes)) => return Ok(outcomes),
            Ok(Err(error)) => error,
            Err(_) => StoreError::Engine("a bug in the writer; the log has its place".into()),
        };
        self.state = before;
        self.shared = self.current.get();
        self.memory.clear();
        if !self.connection.is_autocommit()
            && let Err(rollback) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %rollback, "rolling back failed");
        }
        tracing::error!(error = %error, tasks = group.len(), "a group of commits could not be written");
        Err(error)
    }

    fn attempt(&mut self, group: &[Task]) -> Result<Vec<Outcome>, StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let outcomes = group.iter().map(|task| self.perform(task)).collect::<Result<_, _>>()?;
        self.applier().flush()?;
        self.connection.execute_batch("COMMIT")?;
        self.current.set(Arc::clone(&self.shared));
        Ok(outcomes)
    }

    /// Does one task inside the transaction. What is refused is an outcome; an error breaks the transaction.
    fn perform(&mut self, task: &Task) -> Result<Outcome, StoreError> {
        match task {
            Task::Commit(request, packed, _) => match self.commit(request, packed) {
                // Only conditions can be refused in these ways, and they are judged before anything is written.
                Err(CommitError::Store(error)) if !error.concerns_the_question() => Err(error),
                result => Ok(Outcome::Commit(result)),
            },
            Task::Audit(entry, _) => {
                audit::append(&self.connection, (self.shared.clock)(), None, entry)?;
                Ok(Outcome::Done)
            }
            Task::Follower(name, t, _) => {
                self.set_follower(name, *t)?;
                Ok(Outcome::Done)
            }
            Task::Learnt(bytes, next, _) => {
                Ok(Outcome::Learnt(learn::remember(&self.connection, bytes.as_deref(), *next)?))
            }
            Task::Define(params, _) => {
                self.applier().flush()?;
                self.shared = Arc::new(custom::define(&self.connection, &self.shared, params)?);
                self.memory.points = None;
                Ok(Outcome::Done)
            }
            Task::Sensitive(codes, _) => {
                labels::put(&self.connection, codes)?;
                self.shared = Arc::new(custom::labelled(&self.connection, &self.shared, codes)?);
                Ok(Outcome::Done)
            }
            Task::Index(work, most, _) => self.index_some(work, *most).map(Outcome::Indexed),
            Task::Halt(kind, code, halt, _) => self.halt_indexing(kind, code, *halt).map(|()| Outcome::Done),
            Task::Stop => Ok(Outcome::Done),
        }
    }

    fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError> {
        if t == 0 {
            self.connection.prepare_cached("DELETE FROM follower WHERE name = ?1")?.execute([name])?;
            return Ok(());
        }
        let sql = "INSERT INTO follower (name, t) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET t = ?2";
        self.connection.prepare_cached(sql)?.execute(params![name, to_i64(t)])?;
        Ok(())
    }

    /// Does a part of what is to be done in the background.
    fn index_some(&mut self, work: &IndexWork, most: usize) -> Result<IndexStep, StoreError> {
        if work.task == IndexTask::Label {
            return self.applier().label_some(most);
        }
        let tp = work.number;
        match (custom::states(&self.connection)?.get(&tp), work.task) {
            (Some(ParamState::Build(point)), IndexTask::Build) => {
                let (indexed, is_finished) = self.applier().build_some(tp, *point, most)?;
                let progress = self.shared.indexing.get(&tp).map(|progress| progress.indexing());
                let mut progress = progress.unwrap_or_default();
                progress.done += indexed;
                let step = IndexStep { done: progress.done, total: progress.total, is_finished };
                if is_finished {
                    self.put_in_force()?;
                } else if let Some(shared) = self.shared.indexing.get(&tp) {
                    shared.set(progress);
                }
                Ok(step)
            }
            (Some(ParamState::Remove(point)), IndexTask::Remove) => {
                // The numbers of its values go with it, and may be given again.
                self.memory.given.forget_tokens();
                custom::remove_some(&self.connection, tp, *point, most)
            }
            _ => Ok(IndexStep { is_finished: true, ..IndexStep::default() }),
        }
    }

    fn halt_indexing(&mut self, kind: &str, code: &str, halt: bool) -> Result<(), StoreError> {
        let position = self.shared.catalogue.kind(kind).and_then(|kind| kind.param(code));
        let numbers = self.shared.registry.kind(kind).zip(position);
        let Some(tp) = numbers.map(|(numbers, position)| numbers.tp[position]) else { return Ok(()) };
        let state = match custom::states(&self.connection)?.get(&tp) {
            Some(ParamState::Build(point)) if halt => ParamState::Stopped(*point),
            Some(ParamState::Stopped(point)) if !halt => ParamState::Build(*point),
            _ => return Ok(()),
        };
        custom::set_state(&self.connection, tp, Some(state))?;
        self.put_in_force()
    }

    /// Reads again where the parameters stand that are in force.
    fn put_in_force(&mut self) -> Result<(), StoreError> {
        let params: Vec<_> = self.shared.catalogue.custom().cloned().collect();
        self.shared = Arc::new(custom::in_force(&self.connection, &self.shared, &params)?);
        Ok(())
    }

    /// Judges and applies one commit. Everything that can be refused is refused before the first row is written, so
    /// that a refusal leaves the shared transaction as it was.
    fn commit(&mut self, request: &CommitRequest, packed: &[Packed]) -> Result<Committed, CommitError> {
        if !request.guards.is_empty() {
            self.applier().flush()?;
            check_guards(&self.connection, &self.shared, request)?;
        }
        let found = self.applier().check(&request.access, &request.changes)?;
        let t = self.state.t + 1;
        let instant = next_instant(self.state.instant, (self.shared.clock)());
        let institution = request.access.institution();
        let changes = self.applier().apply(&request.changes, packed, found, (t, instant), institution)?;
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

impl Task {
    /// Tells the one who asked, who may have gone; then nobody misses the answer.
    fn answer(&self, outcome: Result<Outcome, StoreError>) {
        match (self, outcome) {
            (Self::Commit(.., sender), Ok(Outcome::Commit(result))) => drop(sender.send(result)),
            (Self::Commit(.., sender), Err(error)) => drop(sender.send(Err(CommitError::Store(error)))),
            (Self::Learnt(.., sender), Ok(Outcome::Learnt(number))) => drop(sender.send(Ok(number))),
            (Self::Learnt(.., sender), Err(error)) => drop(sender.send(Err(error))),
            (Self::Index(.., sender), Ok(Outcome::Indexed(step))) => drop(sender.send(Ok(step))),
            (Self::Index(.., sender), Err(error)) => drop(sender.send(Err(error))),
            (
                Self::Audit(_, sender)
                | Self::Follower(.., sender)
                | Self::Define(_, sender)
                | Self::Sensitive(_, sender)
                | Self::Halt(.., sender),
                outcome,
            ) => {
                drop(sender.send(outcome.map(|_| ())));
            }
            (Self::Commit(..) | Self::Learnt(..) | Self::Index(..), Ok(_)) | (Self::Stop, _) => {}
        }
    }
}

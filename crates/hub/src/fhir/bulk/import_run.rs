//! An import under way: files are fetched, then brought in one after another by the machinery of `ieum import`
//! ([`crate::import`]), whose units may be sent any number of times. The point says how many lines of which file are
//! done; what is refused is kept with the reasons, and becomes the error file of the result.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ieum_fhir::json::Value;
use ieum_fhir::outcome::Code;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fetch;
use super::import::Import;
use super::out::Out;
use crate::import::journal::{Begun, Entry, Journal};
use crate::import::rejects::Rejects;
use crate::import::source::Source;
use crate::import::target::{Local, Refusal, RefusedEntry, Target};
use crate::import::{ImportError, import};
use crate::jobs::record::{InFile, OutPart};
use crate::jobs::work::{Control, Stop, Work};

/// What was refused, as it is written: not part of the result, because it repeats what was sent.
const REJECTS: &str = "rejects.lines";

/// Where an import goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    /// The file.
    input: usize,
    /// Lines of it that are done.
    lines: u64,
}

/// Does an import, or goes on with it.
///
/// # Errors
/// [`Stop`].
pub(super) fn run(work: &mut Work<'_>, request: &Import) -> Result<(), Stop> {
    let mut point: Point = match work.job.point.clone() {
        Some(point) => serde_json::from_value(point).map_err(|_| Stop::internal())?,
        None => Point::default(),
    };
    get(work, request)?;
    while point.input < work.job.inputs.len() {
        bring_in(work, &point)?;
        point = Point { input: point.input + 1, lines: 0 };
        work.job.point = Some(to_value(&point)?);
        work.save()?;
    }
    tell_rejects(work)?;
    for number in 0..work.job.inputs.len() {
        remove(&path(work, number))?;
    }
    remove(&work.directory.join(REJECTS))
}

fn path(work: &Work<'_>, number: usize) -> PathBuf {
    work.directory.join(format!("input.{}.ndjson", number + 1))
}

fn remove(path: &std::path::Path) -> Result<(), Stop> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn to_value(point: &Point) -> Result<serde_json::Value, Stop> {
    serde_json::to_value(point).map_err(|_| Stop::internal())
}

/// Gets the files that are not there yet. What is on record is on disk, whole.
fn get(work: &mut Work<'_>, request: &Import) -> Result<(), Stop> {
    for (number, input) in request.inputs.iter().enumerate().skip(work.job.inputs.len()) {
        work.go_on()?;
        let path = path(work, number);
        let bytes = match &input.url {
            Some(url) => fetch::fetch(work, url, &path)?,
            None => std::fs::metadata(&path)?.len(),
        };
        let file = InFile { kind: input.kind.clone(), url: input.url.clone(), bytes, lines: 0, rejected: 0 };
        work.job.inputs.push(file);
        work.job.progress.total = Some(work.job.inputs.iter().map(|input| input.bytes).sum());
        work.save()?;
    }
    Ok(())
}

/// Brings in one file, from the line of the point on.
fn bring_in(work: &mut Work<'_>, point: &Point) -> Result<(), Stop> {
    let path = path(work, point.input);
    let rejects = Rejects::new(work.directory.join(REJECTS));
    let local = Local { hub: work.hub.clone(), access: work.access.clone() };
    let target = Guarded { local, control: Arc::clone(work.control()), is_stopped: AtomicBool::new(false) };
    // Nobody looks at it: it tells how many bytes have been read.
    let bar = ProgressBar::hidden();
    let before: u64 = work.job.inputs.iter().take(point.input).map(|input| input.bytes).sum();
    let job = JobJournal {
        state: Mutex::new(JournalState { work, point: point.clone(), stop: None }),
        target: &target,
        bar: &bar,
        before,
    };
    let result = import(&[path], &target, &job, &rejects, &bar);
    let state = job.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (state.stop, target.control.go_on(), result) {
        (Some(stop), _, _) => Err(stop),
        (None, Ok(()), Ok(_)) => Ok(()),
        (None, Err(stop), Err(_)) => Err(stop),
        // Told to stop when it had come to its end.
        (None, Err(_), Ok(_)) => Ok(()),
        (None, Ok(()), Err(error)) => {
            tracing::error!(error = %error, "an import stopped");
            Err(unreadable())
        }
    }
}

fn unreadable() -> Stop {
    Stop::failed(Code::AsyncImport, "the file cannot be read, or the hub took nothing more; ask again")
}

/// The hub, as long as the job is to go on.
struct Guarded {
    local: Local,
    control: Arc<Control>,
    is_stopped: AtomicBool,
}

impl Guarded {
    fn goes_on(&self) -> bool {
        !self.is_stopped.load(Ordering::Relaxed) && self.control.go_on().is_ok()
    }
}

impl Target for Guarded {
    fn send(&self, bundle: &[u8]) -> Result<Vec<RefusedEntry>, Refusal> {
        if !self.goes_on() {
            return Err(Refusal::Unreachable("the job is not to go on".into()));
        }
        self.local.send(bundle)
    }

    fn put(&self, resources: &[Value<'_>]) -> Result<bool, Refusal> {
        if self.goes_on() { self.local.put(resources) } else { Ok(false) }
    }

    fn at_once(&self) -> usize {
        self.local.at_once()
    }
}

/// The journal of one file, kept in the record of the job.
struct JobJournal<'j, 'w> {
    state: Mutex<JournalState<'j, 'w>>,
    target: &'j Guarded,
    bar: &'j ProgressBar,
    /// Bytes of the files before.
    before: u64,
}

struct JournalState<'j, 'w> {
    work: &'j mut Work<'w>,
    point: Point,
    stop: Option<Stop>,
}

impl Journal for JobJournal<'_, '_> {
    fn begin(&self, _: &Source) -> Result<Begun<'_>, ImportError> {
        let done = self.state.lock().unwrap_or_else(PoisonError::into_inner).point.lines;
        Ok(Begun::Taken(Box::new(JobEntry { journal: self, before: done })))
    }
}

struct JobEntry<'e, 'j, 'w> {
    journal: &'e JobJournal<'j, 'w>,
    before: u64,
}

impl JobEntry<'_, '_, '_> {
    fn note(&self, done: u64, rejected: u64, is_end: bool) -> Result<(), Stop> {
        let mut state = self.journal.state.lock().unwrap_or_else(PoisonError::into_inner);
        let JournalState { work, point, .. } = &mut *state;
        point.lines = done;
        let input = work.job.inputs.get_mut(point.input).ok_or_else(Stop::internal)?;
        (input.lines, input.rejected) = (done, input.rejected + rejected);
        // Read is not done: several units are under way, and counted when the next ones are.
        let read = if is_end { input.bytes } else { self.journal.bar.position().min(input.bytes) };
        work.job.progress.done = self.journal.before + read;
        work.job.point = Some(to_value(point)?);
        if is_end || work.is_due() { work.save() } else { Ok(()) }
    }

    fn noted(&self, result: Result<(), Stop>) -> Result<(), ImportError> {
        result.map_err(|stop| {
            self.journal.target.is_stopped.store(true, Ordering::Relaxed);
            let mut state = self.journal.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.stop.get_or_insert(stop);
            ImportError::Target("the job is not to go on".into())
        })
    }
}

impl Entry for JobEntry<'_, '_, '_> {
    fn done(&self) -> u64 {
        self.before
    }

    fn label(&self) -> Option<&str> {
        None
    }

    fn advance(&mut self, done: u64, rejected: u64) -> Result<(), ImportError> {
        self.before = done;
        self.noted(self.note(done, rejected, false))
    }

    fn finish(&mut self) -> Result<(), ImportError> {
        self.noted(self.note(self.before, 0, true))
    }

    fn fail(&mut self) -> Result<(), ImportError> {
        let stop = self.journal.target.control.go_on().err().unwrap_or_else(unreadable);
        let mut state = self.journal.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stop.get_or_insert(stop);
        Ok(())
    }
}

/// A line of what was refused, as far as it is told again.
#[derive(Deserialize)]
struct Reject<'r> {
    #[serde(borrow)]
    source: std::borrow::Cow<'r, str>,
    line: u64,
    #[serde(borrow)]
    outcome: Option<&'r RawValue>,
}

/// Writes the error file: one OperationOutcome for each line that was refused, with file and line in an extension.
fn tell_rejects(work: &mut Work<'_>) -> Result<(), Stop> {
    let Ok(file) = File::open(work.directory.join(REJECTS)) else { return Ok(()) };
    let mut out = Out::resume(work.directory.clone(), work.jobs.options().file_bytes, Vec::new())?;
    // What was refused just before an interruption was refused once more after it.
    let mut seen = HashSet::new();
    for line in BufReader::new(file).lines() {
        work.go_on()?;
        let line = line?;
        let Ok(reject) = serde_json::from_str::<Reject<'_>>(&line) else { continue };
        let name = reject.source.rsplit('/').next().unwrap_or_default().to_owned();
        if !seen.insert((name.clone(), reject.line)) {
            continue;
        }
        let issue =
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}"#;
        let outcome = reject.outcome.map_or(issue, RawValue::get);
        let Some(rest) = outcome.strip_prefix('{') else { continue };
        let place = serde_json::json!([
            { "url": "https://ieum.example/import/file", "valueString": name },
            { "url": "https://ieum.example/import/line", "valueUnsignedInt": reject.line },
        ]);
        let line = format!("{{\"extension\":{place},{rest}\n");
        out.add(OutPart::Error, "OperationOutcome", line.as_bytes())?;
    }
    out.finish()?;
    work.job.files = out.save()?;
    work.save()
}

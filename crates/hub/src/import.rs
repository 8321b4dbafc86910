//! Bringing records in: files become units, units become transactions.
//!
//! One thread reads; a few work. A unit is one bundle, or some lines of NDJSON. Before it is sent every create is given
//! an id derived from the unit's content ([`mod@unit`]), so that doing it again writes the same records again, which
//! changes nothing: a second run, a resumed run and a retried request are all harmless. What is refused goes to a
//! file with the reasons, and the rest goes on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::own::{OwnKind, OwnParam};
use indicatif::{ProgressBar, ProgressStyle};

pub mod journal;
pub mod rejects;
pub mod source;
pub mod target;
pub mod unit;

use journal::Journal;
use rejects::Rejects;
use source::{Form, Source, SourceError};
use target::Target;
use unit::Unit;

/// The record kind: one record for each file, with how far it has come.
pub static IMPORT: OwnKind = OwnKind {
    name: "IeumImport",
    family: Family::System,
    params: &[
        OwnParam { code: "state", param_type: ParamType::Token, path: &["state"] },
        OwnParam { code: "started", param_type: ParamType::Date, path: &["started"] },
    ],
};

/// Units waiting between reading and working, so that neither waits for the other.
const WAITING: usize = 8;

/// How an import went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files taken.
    pub files: u64,
    /// Files that an earlier run had finished.
    pub known_files: u64,
    /// Resources accepted.
    pub accepted: u64,
    /// Units refused, or lines that could not be read.
    pub rejected: u64,
}

/// Why an import stopped. What was accepted before stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The hub does not take anything any more.
    #[error("{0}")]
    Target(String),
    /// Rejects cannot be written.
    #[error("{path}: {error}")]
    Rejects {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// How long work shows on a terminal: what is done, how fast, how long still.
///
/// # Panics
/// Never: the template is fixed.
#[must_use]
pub fn progress_style(what: &str) -> ProgressStyle {
    let template =
        format!("{{bar:30}} {{percent:>3}} %  {{pos}} of {{len}} {what}  {{per_sec}}  {{eta}} left  {{msg}}");
    ProgressStyle::with_template(&template).expect("the template is fixed")
}

/// What is counted while working.
#[derive(Default)]
struct Counts {
    files: AtomicU64,
    known_files: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
}

/// Imports files and directories.
///
/// # Errors
/// [`ImportError`]; then another run goes on where this one stopped.
pub fn import(
    paths: &[PathBuf],
    target: &dyn Target,
    journal: &dyn Journal,
    rejects: &Rejects,
    bar: &ProgressBar,
) -> Result<Summary, ImportError> {
    let sources = source::find(paths)?;
    bar.set_length(sources.iter().map(|source| source.bytes).sum());
    bar.enable_steady_tick(Duration::from_millis(200));
    let counts = Counts::default();
    let failed = Failed::default();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            match one_file(source, target, journal, rejects, bar, &counts) {
                Ok(true) => counts.files.fetch_add(1, Ordering::Relaxed),
                Ok(false) => counts.known_files.fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    failed.set(error);
                    next.store(sources.len(), Ordering::Relaxed);
                    return;
                }
            };
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..target.at_once().min(sources.len()) {
            scope.spawn(work);
        }
        work();
    });
    failed.result()?;
    Ok(Summary {
        files: counts.files.into_inner(),
        known_files: counts.known_files.into_inner(),
        accepted: counts.accepted.into_inner(),
        rejected: counts.rejected.into_inner(),
    })
}

/// The first error of several threads.
#[derive(Default)]
struct Failed(Mutex<Option<ImportError>>);

impl Failed {
    fn set(&self, error: ImportError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn result(self) -> Result<(), ImportError> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// One file; false when an earlier run had finished it.
fn one_file(
    source: &Source,
    target: &dyn Target,
    journal: &dyn Journal,
    rejects: &Rejects,
    bar: &ProgressBar,
    counts: &Counts,
) -> Result<bool, ImportError> {
    let Some(mut entry) = journal.begin(source)? else {
        bar.inc(source.bytes);
        return Ok(false);
    };
    let failed = Failed::default();
    let skip = entry.done();
    // A document is one unit: more than one worker would only wait.
    let workers = if source.form == Form::Document { 1 } else { target.at_once() };
    std::thread::scope(|scope| {
        let (units, received) = sync_channel(WAITING);
        // Dropped with the last worker, so that reading ends when nobody works any more.
        let received = Arc::new(Mutex::new(received));
        let (finished, finishes) = std::sync::mpsc::channel();
        let reading = scope.spawn(|| read(source, skip, units, bar));
        for _ in 0..workers {
            let (received, failed, finished) = (Arc::clone(&received), &failed, finished.clone());
            scope.spawn(move || {
                while let Some(unit) = next(&received) {
                    let lines = unit.lines;
                    match work(source, &unit, target, rejects, counts) {
                        Ok(rejected) => drop(finished.send((unit.first_line, lines, rejected))),
                        Err(error) => return failed.set(error),
                    }
                }
            });
        }
        drop((finished, received));
        // Units end in any order; the journal knows only how much of the beginning is done.
        let mut ahead = BTreeMap::new();
        let mut reached = skip;
        for (first, lines, rejected) in finishes {
            ahead.insert(first, (lines, rejected));
            while let Some((lines, rejected)) = ahead.remove(&reached) {
                reached += lines;
                if let Err(error) = entry.advance(reached, rejected) {
                    failed.set(error);
                }
            }
            bar.set_message(format!("{} records", counts.accepted.load(Ordering::Relaxed)));
        }
        match reading.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.set(error.into()),
            Err(_) => failed.set(ImportError::Target("the reading thread ended by a bug".into())),
        }
    });
    failed.result()?;
    entry.finish()?;
    Ok(true)
}

#[allow(clippy::needless_pass_by_value, reason = "dropping the sender at the end tells the workers to stop")]
fn read(source: &Source, skip: u64, units: SyncSender<Unit>, bar: &ProgressBar) -> Result<(), SourceError> {
    let mut shown = 0;
    for unit in source.units(skip)? {
        let unit = unit?;
        bar.inc(unit.offset - shown);
        shown = unit.offset;
        if units.send(unit).is_err() {
            // All workers have stopped; their reason is told elsewhere.
            break;
        }
    }
    Ok(())
}

fn next(received: &Mutex<Receiver<Unit>>) -> Option<Unit> {
    received.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Sends one unit; when its lines are refused together each is tried alone. Gives the number refused.
fn work(
    source: &Source,
    unit: &Unit,
    target: &dyn Target,
    rejects: &Rejects,
    counts: &Counts,
) -> Result<u64, ImportError> {
    let mut rejected = 0;
    for part in unit.parts() {
        match part.and_then(|part| target.send(&part.bundle).map(|()| part.records)) {
            Ok(records) => {
                counts.accepted.fetch_add(records, Ordering::Relaxed);
            }
            Err(target::Refusal::Unreachable(why)) => return Err(ImportError::Target(why)),
            Err(refusal) if unit.lines > 1 => {
                drop(refusal);
                for line in unit.singles() {
                    rejected += work(source, &line, target, rejects, counts)?;
                }
            }
            Err(refusal) => {
                rejects.add(source, unit.first_line, &refusal, &unit.bytes)?;
                counts.rejected.fetch_add(1, Ordering::Relaxed);
                rejected += 1;
            }
        }
    }
    Ok(rejected)
}

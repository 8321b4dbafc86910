//! Bringing records in: files become units, units become transactions.
//!
//! Files are taken one after another, in the order given: what a file refers to may stand in one before it. Inside a file
//! one thread reads and a few send (`import/file.rs`). A unit is one bundle, or some lines of NDJSON. Before it is sent every
//! create is given an id derived from the unit's content ([`mod@unit`]), so that doing it again writes the same records
//! again, which changes nothing: a second run, a resumed run and a retried request are all harmless. What is refused goes
//! to a file with the reasons, and the rest goes on.

use std::path::PathBuf;
use std::time::Duration;

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::own::{OwnKind, OwnParam};
use indicatif::{ProgressBar, ProgressStyle};

mod file;
pub mod find;
pub mod journal;
mod order;
pub mod rejects;
pub mod remote;
pub mod source;
pub mod target;
pub mod unit;
mod writer;

use file::Counts;
use journal::{Begun, Journal};
use rejects::Rejects;
use source::{Source, SourceError};
use target::Target;

/// The record kind: one record for each file, with how far it has come.
pub static IMPORT: OwnKind = OwnKind {
    name: "IeumImport",
    family: Family::System,
    params: &[
        OwnParam { code: "state", param_type: ParamType::Token, path: &["state"] },
        OwnParam { code: "started", param_type: ParamType::Date, path: &["started"] },
    ],
};

/// Notes kept for the one who imports; of more there is the file of rejects.
const NOTES: usize = 20;

/// How an import went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files taken.
    pub files: u64,
    /// Files that an earlier run had finished.
    pub known_files: u64,
    /// Of these, files of which something was refused then.
    pub known_refused: u64,
    /// Resources accepted.
    pub accepted: u64,
    /// Units refused, or lines that could not be read.
    pub rejected: u64,
    /// Files and directories that could not be read to their end.
    pub unread: u64,
    /// A line for each of the first files with which something was the matter. They name files: for the one who imports,
    /// not for logs.
    pub notes: Vec<String>,
}

impl Summary {
    /// Whether everything is in.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.rejected == 0 && self.known_refused == 0 && self.unread == 0
    }

    fn note(&mut self, note: impl FnOnce() -> String) {
        if self.notes.len() < NOTES {
            self.notes.push(note());
        }
    }
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

/// What the senders of an import share.
struct Work<'w> {
    target: &'w dyn Target,
    rejects: &'w Rejects,
    bar: &'w ProgressBar,
    /// Resources of the files before.
    accepted_before: u64,
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
    let found = find::find(paths)?;
    let mut summary = Summary::default();
    for error in &found.unread {
        unread(&mut summary, rejects, error)?;
    }
    // The file of rejects may lie among the files, under a name of the user's choice.
    let own = std::fs::canonicalize(rejects.path()).ok();
    let is_own = |source: &Source| own.is_some() && std::fs::canonicalize(&source.path).ok() == own;
    let sources: Vec<Source> = found.sources.into_iter().filter(|source| !is_own(source)).collect();
    bar.set_length(sources.iter().map(|source| source.bytes).sum());
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut end = 0;
    for source in &sources {
        end += source.bytes;
        let work = Work { target, rejects, bar, accepted_before: summary.accepted };
        match one_file(&work, source, journal, &mut summary) {
            Err(ImportError::Source(error)) => unread(&mut summary, rejects, &error)?,
            other => other?,
        }
        bar.set_position(end);
    }
    Ok(summary)
}

/// One file that cannot be read does not keep the others out.
fn unread(summary: &mut Summary, rejects: &Rejects, error: &SourceError) -> Result<(), ImportError> {
    summary.unread += 1;
    summary.note(|| error.to_string());
    rejects.add_unread(error)
}

fn one_file(
    work: &Work<'_>,
    source: &Source,
    journal: &dyn Journal,
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let name = source.path.display();
    let mut entry = match journal.begin(source)? {
        Begun::Taken(entry) => entry,
        Begun::Known { rejected } => {
            summary.known_files += 1;
            if rejected > 0 {
                summary.known_refused += 1;
                summary.note(|| format!("{name}: {rejected} refused by an earlier run"));
            }
            return Ok(());
        }
    };
    let mut counts = Counts::default();
    let taken = file::take(work, source, entry.as_mut(), &mut counts);
    summary.accepted += counts.accepted;
    summary.rejected += counts.rejected;
    let known_as = entry.label().map(|label| format!(" ({label})")).unwrap_or_default();
    if counts.rejected > 0 {
        summary.note(|| format!("{name}{known_as}: {} refused", counts.rejected));
    }
    if let Err(error) = taken {
        // The cause is told; that it could not be written down as well would only hide it.
        let _ = entry.fail();
        return Err(error);
    }
    summary.files += 1;
    entry.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::journal::Forgotten;
    use super::target::{Refusal, RefusedEntry};
    use super::*;

    /// A hub that takes long over some units, and writes down in which order it has done them.
    #[derive(Default)]
    struct Slow(Mutex<Vec<String>>);

    impl Target for Slow {
        fn send(&self, bundle: &[u8]) -> Result<Vec<RefusedEntry>, Refusal> {
            let text = String::from_utf8_lossy(bundle).into_owned();
            if text.contains("slow") {
                std::thread::sleep(Duration::from_millis(100));
            }
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            Ok(Vec::new())
        }

        fn at_once(&self) -> usize {
            4
        }
    }

    #[test]
    fn versions_of_a_record_keep_their_order_and_others_pass() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("versions.ndjson");
        // Each bundle is a unit.
        let line = |id: &str, word: &str| {
            let resource = format!(r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"{word}"}}}}"#);
            format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{resource}}}]}}"#)
        };
        let lines = [line("one", "slow"), line("two", "other"), line("one", "newer"), line("one", "newest")];
        std::fs::write(&file, lines.join("\n")).unwrap();
        let (hub, rejects) = (Slow::default(), Rejects::new(directory.path().join("rejects")));
        let summary = import(&[file], &hub, &Forgotten, &rejects, &ProgressBar::hidden()).unwrap();
        assert_eq!((summary.accepted, summary.rejected), (4, 0));
        let done = hub.0.into_inner().unwrap();
        let place = |word: &str| done.iter().position(|bundle| bundle.contains(word)).unwrap();
        assert_eq!([place("other"), place("slow"), place("newer"), place("newest")], [0, 1, 2, 3]);
    }
}

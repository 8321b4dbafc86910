//! How far each file has come, so that a stopped import goes on where it was.

use std::time::{Duration, Instant};

use ieum_fhir::date::format_instant;
use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest, Total};
use ieum_store::commit::CommitError;
use ieum_trust::access::Access;
use ieum_trust::account::put_own;
use serde::{Deserialize, Serialize};

use super::source::{Form, Source};
use super::{IMPORT, ImportError};
use crate::hub::Hub;

/// Remembers files.
pub trait Journal: Sync {
    /// Begins a file, or goes on with it.
    ///
    /// # Errors
    /// [`ImportError`].
    fn begin(&self, source: &Source) -> Result<Begun<'_>, ImportError>;
}

/// What is to be done with a file.
pub enum Begun<'j> {
    /// It is taken.
    Taken(Box<dyn Entry + 'j>),
    /// An earlier run came to its end, and refused so much of it.
    Known {
        /// Units refused.
        rejected: u64,
    },
}

/// One file under way.
pub trait Entry {
    /// Lines done by earlier runs.
    fn done(&self) -> u64;

    /// What operators see the file as; none when it is written down nowhere.
    fn label(&self) -> Option<&str>;

    /// So many lines are done now, and so many more were refused.
    ///
    /// # Errors
    /// [`ImportError`].
    fn advance(&mut self, done: u64, rejected: u64) -> Result<(), ImportError>;

    /// The file is finished.
    ///
    /// # Errors
    /// [`ImportError`].
    fn finish(&mut self) -> Result<(), ImportError>;

    /// The file could not be taken to its end; the next run goes on.
    ///
    /// # Errors
    /// [`ImportError`].
    fn fail(&mut self) -> Result<(), ImportError>;
}

/// What is kept of a file: the body of an `IeumImport` record, whose id is the digest of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportRecord {
    /// What operators know the file by: [`Source::label`].
    pub source: String,
    /// How far it is.
    pub state: State,
    /// Lines done.
    pub done: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Units refused.
    pub rejected: u64,
    /// When it was begun.
    pub started: String,
    /// When it was finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Under way.
    Running,
    /// To its end, though some of it may have been refused.
    Done,
    /// Stopped on the way: the next run goes on.
    Failed,
}

/// Progress is written down this often; what is lost by a crash is done again, which changes nothing.
const EVERY: Duration = Duration::from_secs(2);

/// Keeps the journal in the hub's own records.
pub struct Kept {
    /// The hub.
    pub hub: Hub,
    /// On whose authority.
    pub access: Access,
    /// Whether files of which something was refused are taken again, from the beginning.
    pub again: bool,
}

impl Journal for Kept {
    fn begin(&self, source: &Source) -> Result<Begun<'_>, ImportError> {
        let id = source.digest()?;
        let view = self.hub.door().view(&self.access).map_err(|error| failed(&error))?;
        let known = view.read(IMPORT.name, &id).map_err(|error| failed(&error))?;
        drop(view);
        let known: Option<ImportRecord> = known
            .filter(|record| !record.is_deleted())
            .and_then(|record| serde_json::from_slice(&record.plain_json()).ok());
        let known = match known {
            Some(ImportRecord { state: State::Done, rejected, .. }) => {
                if rejected == 0 || !self.again {
                    return Ok(Begun::Known { rejected });
                }
                None
            }
            other => other,
        };
        let record = ImportRecord {
            source: source.label(&id),
            state: State::Running,
            done: known.as_ref().map_or(0, |record| record.done),
            bytes: source.bytes,
            rejected: known.as_ref().map_or(0, |record| record.rejected),
            started: known.map_or_else(|| format_instant(self.hub.now()), |record| record.started),
            ended: None,
        };
        let entry = KeptEntry { kept: self, id, before: record.done, record, written: Instant::now() };
        // A document is done at one stroke: how far it has come is not worth a write to disk.
        if source.form == Form::Lines {
            entry.write()?;
        }
        Ok(Begun::Taken(Box::new(entry)))
    }
}

struct KeptEntry<'k> {
    kept: &'k Kept,
    id: String,
    before: u64,
    record: ImportRecord,
    written: Instant,
}

impl KeptEntry<'_> {
    fn write(&self) -> Result<(), ImportError> {
        put(&self.kept.hub, &self.kept.access, &self.id, &self.record).map_err(|error| failed(&error))
    }

    fn end(&mut self, state: State) -> Result<(), ImportError> {
        self.record.state = state;
        self.record.ended = Some(format_instant(self.kept.hub.now()));
        self.write()
    }
}

impl Entry for KeptEntry<'_> {
    fn done(&self) -> u64 {
        self.before
    }

    fn label(&self) -> Option<&str> {
        Some(&self.record.source)
    }

    fn advance(&mut self, done: u64, rejected: u64) -> Result<(), ImportError> {
        self.record.done = done;
        self.record.rejected += rejected;
        if self.written.elapsed() < EVERY {
            return Ok(());
        }
        self.written = Instant::now();
        self.write()
    }

    fn finish(&mut self) -> Result<(), ImportError> {
        self.end(State::Done)
    }

    fn fail(&mut self) -> Result<(), ImportError> {
        self.end(State::Failed)
    }
}

fn put(hub: &Hub, access: &Access, id: &str, record: &ImportRecord) -> Result<(), CommitError> {
    put_own(hub.door(), access, "import", &IMPORT, id, record)
}

/// Writes down that imports which were killed have ended: nobody else has the data directory open now, so none can be
/// under way.
///
/// # Errors
/// [`ImportError`] when the store fails.
pub fn close_left_open(hub: &Hub) -> Result<(), ImportError> {
    /// Read at a time.
    const PAGE: usize = 100;
    let access = Access::system("import");
    loop {
        let view = hub.door().view(&access).map_err(|error| failed(&error))?;
        let page = view.search(&running(), None, PAGE).map_err(|error| failed(&error))?;
        drop(view);
        for found in &page.records {
            let Ok(mut record) = serde_json::from_slice::<ImportRecord>(&found.plain_json()) else {
                return Err(ImportError::Target("the record of an import cannot be read".into()));
            };
            record.state = State::Failed;
            record.ended = Some(format_instant(hub.now()));
            put(hub, &access, &found.id, &record).map_err(|error| failed(&error))?;
        }
        if page.records.len() < PAGE {
            return Ok(());
        }
    }
}

fn running() -> Query {
    let param = Param { kind: IMPORT.name.into(), code: "state".into() };
    let test = TokenTest { system: SystemTest::Any, code: Some("running".into()) };
    let filters = vec![Filter::Any { param, tests: vec![Test::Token(test)] }];
    Query { kind: IMPORT.name.into(), filters, total: Total::None, ..Query::default() }
}

fn failed(error: &dyn std::error::Error) -> ImportError {
    ImportError::Target(error.to_string())
}

/// Remembers nothing: for a hub elsewhere, whose own records are not ours to write. Everything is sent again, and
/// changes nothing.
pub struct Forgotten;

impl Journal for Forgotten {
    fn begin(&self, _: &Source) -> Result<Begun<'_>, ImportError> {
        Ok(Begun::Taken(Box::new(Self)))
    }
}

impl Entry for Forgotten {
    fn done(&self) -> u64 {
        0
    }

    fn label(&self) -> Option<&str> {
        None
    }

    fn advance(&mut self, _: u64, _: u64) -> Result<(), ImportError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ImportError> {
        Ok(())
    }
    fn fail(&mut self) -> Result<(), ImportError> {
        Ok(())
    }
}

//! How far each file has come, so that a stopped import goes on where it was.

use std::time::{Duration, Instant};

use ieum_fhir::date::format_instant;
use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::access::Access;
use ieum_trust::account::put_own;
use serde::{Deserialize, Serialize};

use super::source::Source;
use super::{IMPORT, ImportError};
use crate::hub::Hub;

/// Remembers files.
pub trait Journal: Sync {
    /// Begins a file, or goes on with it; `None` when it was finished before.
    ///
    /// # Errors
    /// [`ImportError`].
    fn begin(&self, source: &Source) -> Result<Option<Box<dyn Entry + '_>>, ImportError>;
}

/// One file under way.
pub trait Entry {
    /// Lines done by earlier runs.
    fn done(&self) -> u64;

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
}

/// What is kept of a file: the body of an `IeumImport` record, whose id is the digest of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportRecord {
    /// The file's name.
    pub source: String,
    /// `running` or `done`.
    pub state: String,
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

/// Progress is written down this often; what is lost by a crash is done again, which changes nothing.
const EVERY: Duration = Duration::from_secs(2);

/// Keeps the journal in the hub's own records.
pub struct Kept {
    /// The hub.
    pub hub: Hub,
    /// On whose authority.
    pub access: Access,
}

impl Journal for Kept {
    fn begin(&self, source: &Source) -> Result<Option<Box<dyn Entry + '_>>, ImportError> {
        let id = source.digest()?;
        let view = self.hub.door().view(&self.access).map_err(|error| failed(&error))?;
        let known = view.read(IMPORT.name, &id).map_err(|error| failed(&error))?;
        drop(view);
        let known: Option<ImportRecord> = known
            .filter(|record| !record.is_deleted())
            .and_then(|record| serde_json::from_slice(&record.plain_json()).ok());
        if known.as_ref().is_some_and(|record| record.state == "done") {
            return Ok(None);
        }
        let fresh = || ImportRecord {
            source: source.name(),
            state: "running".into(),
            done: 0,
            bytes: source.bytes,
            rejected: 0,
            started: format_instant(self.hub.now()),
            ended: None,
        };
        let record = known.unwrap_or_else(fresh);
        let entry = KeptEntry { kept: self, id, before: record.done, record, written: Instant::now() };
        entry.write()?;
        Ok(Some(Box::new(entry)))
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
        put_own(self.kept.hub.door(), &self.kept.access, "import", &IMPORT, &self.id, &self.record)
            .map_err(|error: CommitError| ImportError::Target(error.to_string()))
    }
}

impl Entry for KeptEntry<'_> {
    fn done(&self) -> u64 {
        self.before
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
        self.record.state = "done".into();
        self.record.ended = Some(format_instant(self.kept.hub.now()));
        self.write()
    }
}

fn failed(error: &StoreError) -> ImportError {
    ImportError::Target(error.to_string())
}

/// Remembers nothing: for a hub elsewhere, whose own records are not ours to write. Everything is sent again, and
/// changes nothing.
pub struct Forgotten;

impl Journal for Forgotten {
    fn begin(&self, _: &Source) -> Result<Option<Box<dyn Entry + '_>>, ImportError> {
        Ok(Some(Box::new(Self)))
    }
}

impl Entry for Forgotten {
    fn done(&self) -> u64 {
        0
    }

    fn advance(&mut self, _: u64, _: u64) -> Result<(), ImportError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ImportError> {
        Ok(())
    }
}

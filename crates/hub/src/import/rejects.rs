//! What was refused, with the reasons: a file of its own, because it holds patient data.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::value::RawValue;

use super::ImportError;
use super::source::{Source, SourceError};
use super::target::{Refusal, RefusedEntry};

/// The file; made when the first reject comes, readable by its owner only.
pub struct Rejects {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

/// One reject: a line of JSON.
#[derive(Default, Serialize)]
struct Reject<'r> {
    /// The file, as far as its name is UTF-8.
    source: Cow<'r, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// In a batch: which entry, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'r RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'r RawValue>,
    /// What was sent, when it is not even JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Why the file could not be read further.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Rejects {
    /// Rejects into this file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(None) }
    }

    /// Where they go.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a document or line.
    ///
    /// # Errors
    /// [`ImportError::Rejects`] when it cannot be written.
    pub fn add(
        &self,
        source: &Source,
        line: u64,
        refusal: &Refusal,
        bytes: &[u8],
    ) -> Result<(), ImportError> {
        let Refusal::Invalid { status, outcome } = refusal else { return Ok(()) };
        let resource: Option<&RawValue> = serde_json::from_slice(bytes).ok();
        let text = resource.is_none().then(|| String::from_utf8_lossy(bytes).into_owned());
        let (line, status) = (Some(line + 1), Some(*status));
        let outcome = serde_json::from_slice(outcome).ok();
        let source = source.path.to_string_lossy();
        self.write(&Reject { source, line, status, outcome, resource, text, ..Reject::default() })
    }

    /// Adds an entry of a batch; `bytes` are the entry as it was sent.
    ///
    /// # Errors
    /// [`ImportError::Rejects`] when it cannot be written.
    pub fn add_entry(
        &self,
        source: &Source,
        line: u64,
        refused: &RefusedEntry,
        bytes: &[u8],
    ) -> Result<(), ImportError> {
        self.write(&Reject {
            source: source.path.to_string_lossy(),
            line: Some(line + 1),
            entry: Some(refused.index),
            status: Some(refused.status),
            outcome: serde_json::from_slice(&refused.outcome).ok(),
            resource: serde_json::from_slice(bytes).ok(),
            ..Reject::default()
        })
    }

    /// Adds a file or directory that could not be read to its end.
    ///
    /// # Errors
    /// [`ImportError::Rejects`] when it cannot be written.
    pub fn add_unread(&self, error: &SourceError) -> Result<(), ImportError> {
        let source = error.path().to_string_lossy();
        self.write(&Reject { source, error: Some(error.to_string()), ..Reject::default() })
    }

    fn write(&self, reject: &Reject<'_>) -> Result<(), ImportError> {
        let mut out = serde_json::to_vec(reject).map_err(|error| self.failed(error.into()))?;
        // One reject is one line, also when what was sent was not.
        out.iter_mut().filter(|byte| **byte == b'\n' || **byte == b'\r').for_each(|byte| *byte = b' ');
        out.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            let mut options = OpenOptions::new();
            let opened = options.create(true).append(true).mode(0o600).open(&self.path);
            *file = Some(opened.map_err(|error| self.failed(error))?);
        }
        match file.as_mut() {
            Some(file) => file.write_all(&out).map_err(|error| self.failed(error)),
            None => Ok(()),
        }
    }

    fn failed(&self, error: std::io::Error) -> ImportError {
        ImportError::Rejects { path: self.path.clone(), error }
    }
}

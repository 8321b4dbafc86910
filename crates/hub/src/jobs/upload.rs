//! A file that a client sends for a job to come: on disk, and durable, before it is acknowledged.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use tokio::sync::mpsc::Receiver;

use super::{Jobs, files};

/// The name of the first file of an import in its job's directory.
pub const FIRST: &str = "input.1.ndjson";

/// A file that has been received, in the directory of a job that has not been added yet. It goes if it never is.
#[derive(Debug)]
pub struct Upload {
    id: String,
    bytes: u64,
    directory: PathBuf,
    is_taken: AtomicBool,
}

impl Upload {
    /// Begins a file.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn begin(jobs: &Jobs) -> io::Result<Self> {
        let id = jobs.new_id();
        let directory = jobs.directory(&id);
        files::make_directory(&directory)?;
        Ok(Self { id, bytes: 0, directory, is_taken: AtomicBool::new(false) })
    }

    /// Writes what comes until nothing more does, and makes it durable. Blocks.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, mut pieces: Receiver<Bytes>) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 18, files::open_private(&self.directory.join(FIRST))?);
        while let Some(piece) = pieces.blocking_recv() {
            file.write_all(&piece)?;
            self.bytes += piece.len() as u64;
        }
        file.flush()?;
        file.get_ref().sync_all()?;
        // The name of the file is durable with its directory.
        File::open(&self.directory)?.sync_all()
    }

    /// The id of the job it is for.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// It belongs to a job from now on.
    pub fn take(&self) {
        self.is_taken.store(true, Ordering::Relaxed);
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_taken.load(Ordering::Relaxed)
            && let Err(error) = std::fs::remove_dir_all(&self.directory)
        {
            tracing::error!(error = %error, "a file that nobody wanted cannot be removed");
        }
    }
}

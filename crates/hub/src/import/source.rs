//! A file to import: unpacking it, cutting it into units.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::unit::Unit;

/// Lines of single resources that become one transaction: large groups share one write to disk.
const LINES: u64 = 500;
/// Bytes in one unit, unless one line is longer.
const UNIT_BYTES: usize = 4 << 20;
/// The longest document or line taken.
pub const LONGEST: u64 = 256 << 20;
/// The mark that Windows puts at the beginning of a file of UTF-8. It is no part of the JSON.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its size on disk.
    pub bytes: u64,
    /// One document, or one a line.
    pub form: Form,
}

/// How a file is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON document.
    Document,
    /// One JSON document a line.
    Lines,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system says no, or the file is not what its name says.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Not a name we know.
    #[error("{0}: give .json, .ndjson or .jsonl files, also as .gz or .zst, or directories of them")]
    Unknown(PathBuf),
    /// What an earlier import refused.
    #[error("{0} holds what an import refused, with reasons: correct the files it names and import those")]
    Rejects(PathBuf),
}

impl SourceError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }

    /// Which file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Unknown(path) | Self::Rejects(path) => path,
        }
    }
}

impl Source {
    /// SHA-256 of the file: what a later run knows it by, wherever it lies then.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn digest(&self) -> Result<String, SourceError> {
        use std::fmt::Write as _;
        let mut file = File::open(&self.path).map_err(|error| SourceError::io(&self.path, error))?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut buffer).map_err(|error| SourceError::io(&self.path, error))?;
            if read == 0 {
                break;
            }
            digest.update(&buffer[..read]);
        }
        Ok(digest.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        }))
    }

    /// What operators know the file by, given its digest. Not its name: that may be a patient's.
    #[must_use]
    pub fn label(&self, digest: &str) -> String {
        let form = match self.form {
            Form::Document => "json",
            Form::Lines => "ndjson",
        };
        format!("{}.{form}", digest.get(..8).unwrap_or(digest))
    }

    /// The units of the file, after the first `skip` lines.
    ///
    /// # Errors
    /// [`SourceError`] when the file cannot be opened.
    pub fn units(&self, skip: u64) -> Result<Units, SourceError> {
        let file = File::open(&self.path).map_err(|error| SourceError::io(&self.path, error))?;
        let offset = Arc::new(AtomicU64::new(0));
        let counted = BufReader::with_capacity(1 << 18, Counted { file, offset: Arc::clone(&offset) });
        let extension = self.path.extension().map(|extension| extension.to_ascii_lowercase());
        let reader: Box<dyn BufRead + Send> =
            match extension.as_ref().and_then(|extension| extension.to_str()) {
                Some("gz") => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(counted))),
                Some("zst") => {
                    let decoder = zstd::Decoder::with_buffer(counted)
                        .map_err(|error| SourceError::io(&self.path, error))?;
                    Box::new(BufReader::with_capacity(1 << 18, decoder))
                }
                _ => Box::new(counted),
            };
        Ok(Units { path: self.path.clone(), form: self.form, reader, offset, line: 0, skip, held: None })
    }
}

/// A file that tells how far it has been read.
struct Counted {
    file: File,
    offset: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.offset.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The units of a file, one after another.
pub struct Units {
    path: PathBuf,
    form: Form,
    reader: Box<dyn BufRead + Send>,
    offset: Arc<AtomicU64>,
    line: u64,
    skip: u64,
    /// A line read too far: it begins the next unit.
    held: Option<Vec<u8>>,
}

impl Iterator for Units {
    type Item = Result<Unit, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let unit = match self.form {
            Form::Document => self.document(),
            Form::Lines => self.lines(),
        };
        unit.map_err(|error| SourceError::io(&self.path, error)).transpose()
    }
}

impl Units {
    fn document(&mut self) -> io::Result<Option<Unit>> {
        if self.line > 0 || self.skip > 0 {
            return Ok(None);
        }
        self.line = 1;
        let mut bytes = Vec::new();
        (&mut self.reader).take(LONGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LONGEST {
            return Err(too_long());
        }
        if bytes.starts_with(MARK) {
            bytes.drain(..MARK.len());
        }
        Ok(Some(self.unit(bytes, 0, 1)))
    }

    /// Some lines: single resources together, a bundle by itself.
    fn lines(&mut self) -> io::Result<Option<Unit>> {
        let mut bytes = Vec::new();
        let first = self.line.max(self.skip);
        let mut count = 0;
        while count < LINES && bytes.len() < UNIT_BYTES {
            let Some(line) = self.line()? else { break };
            // A hint only: a bundle whose type stands further back is found when the unit is made ready.
            let is_bundle = line.windows(8).take(4_096).any(|window| window == b"\"Bundle\"");
            if is_bundle && count > 0 {
                self.line -= 1;
                self.held = Some(line);
                break;
            }
            bytes.extend_from_slice(&line);
            count += 1;
            if is_bundle {
                break;
            }
        }
        Ok((count > 0).then(|| self.unit(bytes, first, count)))
    }

    /// The next line with its end; the lines to skip are passed over.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(line) = self.held.take() {
            self.line += 1;
            return Ok(Some(line));
        }
        loop {
            let mut line = Vec::new();
            (&mut self.reader).take(LONGEST + 1).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            if line.len() as u64 > LONGEST {
                return Err(too_long());
            }
            if self.line == 0 && line.starts_with(MARK) {
                line.drain(..MARK.len());
            }
            self.line += 1;
            if self.line > self.skip {
                return Ok(Some(line));
            }
        }
    }

    fn unit(&self, bytes: Vec<u8>, first_line: u64, lines: u64) -> Unit {
        Unit { bytes, first_line, lines, offset: self.offset.load(Ordering::Relaxed) }
    }
}

fn too_long() -> io::Error {
    io::Error::other(format!("a document or line is longer than {LONGEST} bytes"))
}

//! Files of results: lines, written to disk as they come, readable by their owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::record::OutFile;

/// Makes a directory that only its owner may look into.
///
/// # Errors
/// When the operating system refuses.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file that only its owner may read.
///
/// # Errors
/// When the operating system refuses.
pub fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

/// A file under way.
pub struct LineFile {
    file: BufWriter<File>,
    digest: Sha256,
    count: u64,
    bytes: u64,
}

impl LineFile {
    /// Opens a file and goes on after what of it is durable: anything beyond was written before a crash, and is written
    /// again.
    ///
    /// # Errors
    /// When the operating system refuses, or less is there than was durable.
    pub fn open(directory: &Path, known: &OutFile) -> io::Result<Self> {
        let mut file = open_private(&directory.join(&known.name))?;
        let mut digest = Sha256::new();
        let mut left = known.bytes;
        let mut buffer = vec![0; 1 << 18];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let read = file.read(&mut buffer[..most])?;
            if read == 0 {
                return Err(io::Error::other("a file of a result is shorter than it was"));
            }
            digest.update(&buffer[..read]);
            left -= read as u64;
        }
        file.set_len(known.bytes)?;
        let file = BufWriter::with_capacity(1 << 18, file);
        Ok(Self { file, digest, count: known.count, bytes: known.bytes })
    }

    /// Adds a line, which ends with a line feed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.digest.update(line);
        self.count += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes everything so far durable, and writes down how much that is.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn save(&mut self, known: &mut OutFile) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        (known.count, known.bytes) = (self.count, self.bytes);
        Ok(())
    }

    /// The same, and the file is whole.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn finish(mut self, known: &mut OutFile) -> io::Result<()> {
        self.save(known)?;
        known.sha256 = Some(hexadecimal(&self.digest.finalize()));
        Ok(())
    }
}

/// Bytes as people compare them.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::record::OutPart;

    #[test]
    fn what_was_not_durable_is_written_again_and_once() {
        let directory = tempfile::tempdir().unwrap();
        let name = "Patient.1.ndjson".to_owned();
        let mut whole =
            OutFile { name, part: OutPart::Output, kind: "Patient".into(), count: 0, bytes: 0, sha256: None };
        let mut file = LineFile::open(directory.path(), &whole).unwrap();
        file.add(b"one\n").unwrap();
        file.save(&mut whole).unwrap();
        file.add(b"two, lost\n").unwrap();
        file.file.flush().unwrap();
        drop(file);
        assert_eq!((whole.count, whole.bytes), (1, 4));
        let mut file = LineFile::open(directory.path(), &whole).unwrap();
        file.add(b"two\n").unwrap();
        file.finish(&mut whole).unwrap();
        assert_eq!(std::fs::read(directory.path().join(&whole.name)).unwrap(), b"one\ntwo\n");
        assert_eq!((whole.count, whole.bytes), (2, 8));
        let digest = whole.sha256.clone().unwrap();
        assert_eq!(digest, hexadecimal(&Sha256::digest(b"one\ntwo\n")));
        let longer = OutFile { bytes: 9, ..whole };
        assert!(LineFile::open(directory.path(), &longer).is_err());
    }
}

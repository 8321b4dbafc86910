//! Files of a result, one after another, each split when it is large.

use std::io;
use std::path::PathBuf;

use crate::jobs::files::LineFile;
use crate::jobs::record::{OutFile, OutPart};

/// The files of a result under way.
pub(super) struct Out {
    directory: PathBuf,
    file_bytes: u64,
    files: Vec<OutFile>,
    /// The last of them, if it is not finished.
    open: Option<LineFile>,
}

impl Out {
    /// Goes on with the files known to be durable.
    ///
    /// # Errors
    /// When the last of them cannot be opened.
    pub(super) fn resume(directory: PathBuf, file_bytes: u64, files: Vec<OutFile>) -> io::Result<Self> {
        let last = files.last().filter(|file| file.sha256.is_none());
        let open = last.map(|file| LineFile::open(&directory, file)).transpose()?;
        Ok(Self { directory, file_bytes, files, open })
    }

    /// Bytes of all files so far.
    pub(super) fn bytes(&self) -> u64 {
        // What is known of the one under way is what was durable last.
        let known: u64 = self.files.iter().map(|file| file.bytes).sum();
        let unsaved = self.open.as_ref().zip(self.files.last());
        known + unsaved.map_or(0, |(open, file)| open.bytes().saturating_sub(file.bytes))
    }

    /// Adds a line, which ends with a line feed, to the file of its kind; lines of one kind must come together.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, part: OutPart, kind: &str, line: &[u8]) -> io::Result<()> {
        let is_same = self.files.last().is_some_and(|file| file.part == part && file.kind == kind);
        let has_room = |open: &LineFile| {
            open.bytes() == 0 || open.bytes().saturating_add(line.len() as u64) <= self.file_bytes
        };
        if !(is_same && self.open.as_ref().is_some_and(has_room)) {
            self.finish()?;
            self.begin(part, kind)?;
        }
        match &mut self.open {
            Some(open) => open.add(line),
            None => Err(io::Error::other("a file was not begun")),
        }
    }

    fn begin(&mut self, part: OutPart, kind: &str) -> io::Result<()> {
        let number = self.files.iter().filter(|file| file.part == part && file.kind == kind).count() + 1;
        let stem = match part {
            OutPart::Output => kind,
            OutPart::Deleted => "deleted",
            OutPart::Error => "error",
        };
        let name = format!("{stem}.{number}.ndjson");
        let file = OutFile { name, part, kind: kind.to_owned(), count: 0, bytes: 0, sha256: None };
        self.open = Some(LineFile::open(&self.directory, &file)?);
        self.files.push(file);
        Ok(())
    }

    /// Ends the file under way.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match (self.open.take(), self.files.last_mut()) {
            (Some(open), Some(file)) => open.finish(file),
            _ => Ok(()),
        }
    }

    /// Makes everything so far durable; gives the files as they are then.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub(super) fn save(&mut self) -> io::Result<Vec<OutFile>> {
        if let (Some(open), Some(file)) = (&mut self.open, self.files.last_mut()) {
            open.save(file)?;
        }
        Ok(self.files.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_split_by_kind_and_size_and_resumed_where_they_were_durable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let mut out = Out::resume(path.clone(), 10, Vec::new()).unwrap();
        for (kind, line) in
            [("A", "11111\n"), ("A", "22222\n"), ("A", "longer than the limit\n"), ("B", "3\n")]
        {
            out.add(OutPart::Output, kind, line.as_bytes()).unwrap();
        }
        let saved = out.save().unwrap();
        out.add(OutPart::Output, "B", b"lost\n").unwrap();
        out.add(OutPart::Deleted, "Bundle", b"lost too\n").unwrap();
        drop(out);
        let mut out = Out::resume(path.clone(), 10, saved).unwrap();
        out.add(OutPart::Output, "B", b"4\n").unwrap();
        out.add(OutPart::Deleted, "Bundle", b"5\n").unwrap();
        out.finish().unwrap();
        let files = out.save().unwrap();
        let names: Vec<(&str, u64, u64)> =
            files.iter().map(|file| (file.name.as_str(), file.count, file.bytes)).collect();
        assert_eq!(
            names,
            [
                ("A.1.ndjson", 1, 6),
                ("A.2.ndjson", 1, 6),
                ("A.3.ndjson", 1, 22),
                ("B.1.ndjson", 2, 4),
                ("deleted.1.ndjson", 1, 2)
            ]
        );
        assert!(files.iter().all(|file| file.sha256.is_some()));
        assert_eq!(std::fs::read(path.join("B.1.ndjson")).unwrap(), b"3\n4\n");
        assert_eq!(std::fs::read(path.join("deleted.1.ndjson")).unwrap(), b"5\n");
    }
}

//! Finding the files to import.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::source::{Form, Source, SourceError};

/// What lies under the paths given.
#[derive(Debug, Default)]
pub struct Found {
    /// Files to take, in the order in which they are taken.
    pub sources: Vec<Source>,
    /// What could not be looked at.
    pub unread: Vec<SourceError>,
    /// Directories walked, by device and number: a link may lead back to one.
    walked: HashSet<(u64, u64)>,
}

/// The files under these paths, directories walked in the order of names. In a directory other files are passed over,
/// and so are rejects of earlier imports.
///
/// # Errors
/// [`SourceError`] for a path given that cannot be read or is nothing to import: a slip better told at once.
pub fn find(paths: &[PathBuf]) -> Result<Found, SourceError> {
    let mut found = Found::default();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|error| SourceError::io(path, error))?;
        if metadata.is_dir() {
            found.walk(path, &metadata)?;
        } else if is_rejects(path) {
            return Err(SourceError::Rejects(path.clone()));
        } else {
            let form = form(path).ok_or_else(|| SourceError::Unknown(path.clone()))?;
            found.sources.push(Source { path: path.clone(), bytes: metadata.len(), form });
        }
    }
    Ok(found)
}

impl Found {
    fn walk(&mut self, directory: &Path, metadata: &Metadata) -> Result<(), SourceError> {
        if !self.walked.insert((metadata.dev(), metadata.ino())) {
            return Ok(());
        }
        let failed = |error| SourceError::io(directory, error);
        let entries: io::Result<Vec<PathBuf>> =
            std::fs::read_dir(directory).map_err(failed)?.map(|entry| Ok(entry?.path())).collect();
        let mut paths = entries.map_err(failed)?;
        paths.sort();
        for path in paths {
            if let Err(error) = self.look_at(&path) {
                self.unread.push(error);
            }
        }
        Ok(())
    }

    /// What stands in a directory. One thing there that cannot be read does not keep the rest out.
    fn look_at(&mut self, path: &Path) -> Result<(), SourceError> {
        let form = form(path);
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.walk(path, &metadata),
            // Not pipes and devices: reading from one may never end.
            Ok(metadata) if metadata.is_file() && !is_rejects(path) => {
                let source = form.map(|form| Source { path: path.to_owned(), bytes: metadata.len(), form });
                self.sources.extend(source);
                Ok(())
            }
            Ok(_) => Ok(()),
            // A link that leads nowhere is somebody else's affair, unless it was to be imported.
            Err(error) if form.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(SourceError::io(path, error)),
        }
    }
}

/// How a file is made up, by the end of its name. Names need not be UTF-8: older Korean ones are not.
fn form(path: &Path) -> Option<Form> {
    let name = path.file_name()?.as_encoded_bytes().to_ascii_lowercase();
    let name = name.strip_suffix(b".gz").or_else(|| name.strip_suffix(b".zst")).unwrap_or(&name);
    let ends = |end: &[u8]| name.len() > end.len() && name.ends_with(end);
    match () {
        () if ends(b".json") => Some(Form::Document),
        () if ends(b".ndjson") || ends(b".jsonl") => Some(Form::Lines),
        () => None,
    }
}

/// Whether a file has the name that an import gives its rejects: `rejects-20261123T100000Z.ndjson`.
fn is_rejects(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stamp = name.strip_prefix("rejects-").and_then(|rest| rest.strip_suffix("Z.ndjson"));
    stamp.is_some_and(|stamp| {
        stamp.len() == 15 && stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_go_by_the_end_of_the_name() {
        for (name, expected) in [
            ("a.json", Some(Form::Document)),
            ("a.JSON.GZ", Some(Form::Document)),
            ("a.ndjson.zst", Some(Form::Lines)),
            ("a.jsonl", Some(Form::Lines)),
            (".json", None),
            ("json", None),
            ("a.gz", None),
        ] {
            assert_eq!(form(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn rejects_are_known_by_their_name() {
        assert!(is_rejects(Path::new("x/rejects-20261123T100000Z.ndjson")));
        assert!(!is_rejects(Path::new("rejects-of-march.ndjson")));
    }
}

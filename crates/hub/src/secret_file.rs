//! Secrets in files of their own, which nobody else on the machine may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes of such a file.
const MOST: u64 = 1 << 10;
/// For this user alone.
const MODE: u32 = 0o600;

/// Why a secret is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The operating system refuses.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read it, or it holds no secret.
    #[error(
        "{0} must hold a secret of 1 to 1,000 letters, and be readable by this user alone: `chmod 600` it"
    )]
    Wrong(PathBuf),
}

/// The secret in a file.
pub(crate) fn read(path: &Path) -> Result<String, SecretFileError> {
    let failed = |error| SecretFileError::Io { path: path.to_owned(), error };
    let wrong = || SecretFileError::Wrong(path.to_owned());
    let known = fs::metadata(path).map_err(failed)?;
    if known.permissions().mode() & 0o077 != 0 || known.len() > MOST {
        return Err(wrong());
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let secret = text.trim();
    let is_secret = !secret.is_empty() && !secret.chars().any(char::is_control);
    if is_secret { Ok(secret.to_owned()) } else { Err(wrong()) }
}

/// The secret in a file of a directory, made by us when there is none.
pub(crate) fn kept(directory: &Path, name: &str) -> Result<String, SecretFileError> {
    let path = directory.join(name);
    match fs::exists(&path) {
        Ok(true) => return read(&path),
        Ok(false) => {}
        Err(error) => return Err(SecretFileError::Io { path, error }),
    }
    let failed = |error| SecretFileError::Io { path: path.clone(), error };
    let secret = ieum_trust::account::new_secret().map_err(|error| failed(io::Error::other(error)))?;
    // Beside it first, so that a half of it is never taken for the whole.
    let beside = directory.join(format!("{name}.new"));
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(&beside).map_err(failed)?;
    file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, &path).and_then(|()| File::open(directory)?.sync_all()).map_err(failed)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_read_by_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(matches!(read(&path), Err(SecretFileError::Io { .. })));
        let made = kept(directory.path(), "key").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(kept(directory.path(), "key").unwrap(), made);
        for (text, mode) in
            [("good", 0o640), ("", MODE), ("a\u{7}b", MODE), ("a".repeat(2000).as_str(), MODE)]
        {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(kept(directory.path(), "key"), Err(SecretFileError::Wrong(_))), "{mode:o}");
        }
    }
}

//! Signing keys on disk: one file that nobody else may read, replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ieum_trust::authorization::keys::{KeysError, SigningKeys};
use ieum_trust::authorization::server::Save;

/// The keys that our tokens are signed with.
pub(crate) const TOKENS: &str = "signing-keys.json";
/// For this user alone.
const MODE: u32 = 0o600;

/// Why there are no signing keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The operating system refuses.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read it.
    #[error(
        "{0} can be read by others: `chmod 600` it, and if they may have read it, delete it: new keys are made at the next start"
    )]
    Open(PathBuf),
    /// It does not hold keys, or none can be made.
    #[error("{path}: {error}")]
    Keys {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: KeysError,
    },
}

/// The keys in a file of a directory, made when there are none, and how new ones are written there.
pub(crate) fn open(
    directory: &Path,
    name: &'static str,
    now: i64,
) -> Result<(SigningKeys, Save), KeyFileError> {
    let path = directory.join(name);
    let failed = |error| KeyFileError::Io { path: path.clone(), error };
    let broken = |error| KeyFileError::Keys { path: path.clone(), error };
    let keys = match fs::metadata(&path) {
        Ok(known) if known.permissions().mode() & 0o077 != 0 => return Err(KeyFileError::Open(path)),
        Ok(_) => SigningKeys::read(&fs::read(&path).map_err(failed)?).map_err(broken)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let keys = SigningKeys::make(now).map_err(broken)?;
            write(directory, name, &keys.stored()).map_err(failed)?;
            keys
        }
        Err(error) => return Err(failed(error)),
    };
    let directory = directory.to_owned();
    Ok((keys, Box::new(move |bytes| write(&directory, name, bytes))))
}

/// Replaces the file: it is the old one or the new one, whenever the power goes.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, beside) = (directory.join(name), directory.join(format!("{name}.new")));
    // What a crash left behind may have other rights.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_outlive_the_process_and_are_read_by_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(TOKENS);
        let (mut keys, save) = open(directory.path(), TOKENS, 1).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(open(directory.path(), TOKENS, 2).unwrap().0.public(2), keys.public(2));
        // What a crash left behind is in nobody's way, and its rights are not taken over.
        fs::write(directory.path().join("signing-keys.json.new"), "half").unwrap();
        keys.rotate(3, save).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(open(directory.path(), TOKENS, 4).unwrap().0.public(4), keys.public(4));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(open(directory.path(), TOKENS, 5), Err(KeyFileError::Open(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "{}").unwrap();
        assert!(matches!(open(directory.path(), TOKENS, 5), Err(KeyFileError::Keys { .. })));
    }
}

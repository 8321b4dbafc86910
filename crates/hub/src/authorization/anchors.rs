//! The authorities whose apps may register by themselves: a directory with `NAME.pem` (their certificates) and `NAME.toml`
//! (what their apps may be) for each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ieum_trust::authorization::server::{Anchor, AnchorError};

/// Authorities that there may be.
const MOST: usize = 100;

/// Why they cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AnchorsError {
    /// The operating system refuses, or a file is missing.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// None, or too many.
    #[error(
        "{0} must hold 1 to 100 authorities: NAME.pem, and NAME.toml with policy, scopes and perhaps account"
    )]
    Number(PathBuf),
    /// What is in the files.
    #[error("{path}: {error}")]
    Anchor {
        /// Which authority.
        path: PathBuf,
        /// Why.
        error: AnchorError,
    },
}

/// Reads a directory of authorities.
///
/// # Errors
/// [`AnchorsError`].
pub fn read(directory: &Path) -> Result<Vec<Anchor>, AnchorsError> {
    let failed = |path: &Path, error| AnchorsError::Io { path: path.to_owned(), error };
    let entries = fs::read_dir(directory).map_err(|error| failed(directory, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            paths.push(path);
        }
    }
    if paths.is_empty() || paths.len() > MOST {
        return Err(AnchorsError::Number(directory.to_owned()));
    }
    paths.sort();
    let anchor = |path: &PathBuf| {
        let pem = fs::read(path).map_err(|error| failed(path, error))?;
        let beside = path.with_extension("toml");
        let terms = fs::read_to_string(&beside).map_err(|error| failed(&beside, error))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Anchor::read(&name, &pem, &terms).map_err(|error| AnchorsError::Anchor { path: path.clone(), error })
    };
    paths.iter().map(anchor).collect()
}

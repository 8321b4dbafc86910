//! The data directory: records, and the lock that keeps it to one process.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ieum_store::catalogue::Catalogue;
use ieum_store::clock::system_clock;
use ieum_store::commit::StoreError;
use ieum_store::own::OwnKind;
use ieum_store::sqlite::{SqliteEngine, SqliteOptions};
use ieum_trust::account::ACCOUNT;
use ieum_trust::authorization::client::CLIENT;
use ieum_trust::authorization::grant::GRANT;
use ieum_trust::breaking::REVIEW;
use ieum_trust::code::CODE;
use ieum_trust::door::Door;
use ieum_trust::evidence::POLICY;
use ieum_trust::evidence::relation::RELATION;
use ieum_trust::law::Law;
use ieum_trust::law::day::in_korea;
use ieum_trust::law::kept::LAW;
use ieum_trust::person::PERSON;
use ieum_trust::representation::REPRESENTATION;
use ieum_trust::transfer::log::{TRANSFER_ENTRY, TRANSFER_REQUEST};

use crate::import::IMPORT;
use crate::jobs::JOB;
use crate::subscriptions::{EVENTS, SUBSCRIBER};

/// The record kinds of our own.
pub static OWN_KINDS: &[&OwnKind] = &[
    &ACCOUNT,
    &CLIENT,
    &GRANT,
    &PERSON,
    &RELATION,
    &REVIEW,
    &IMPORT,
    &JOB,
    &SUBSCRIBER,
    &EVENTS,
    &LAW,
    &REPRESENTATION,
    &CODE,
    &TRANSFER_REQUEST,
    &TRANSFER_ENTRY,
];

/// An open data directory.
pub struct Data {
    /// The directory.
    pub path: PathBuf,
    /// The engine behind the door, for what is not records: size, slow statements, checks.
    pub engine: Arc<SqliteEngine>,
    /// The door.
    pub door: Door,
    /// Held as long as the directory is in use.
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process uses it.
    #[error("{0} is in use by another ieum; stop that one first")]
    InUse(PathBuf),
    /// There are no records in it.
    #[error(
        "{0} holds no records; give a hub's data directory, or make one: `ieum serve` and `ieum import` do"
    )]
    Missing(PathBuf),
    /// The operating system refuses.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a directory is one of records.
#[must_use]
pub fn holds_records(path: &Path) -> bool {
    path.join("records.sqlite").exists()
}

impl Data {
    /// Opens a directory that holds records, as [`Self::open`] does: a slip in its name makes no new one.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn existing(path: &Path, base_url: Option<&str>) -> Result<Self, DataError> {
        if !holds_records(path) {
            return Err(DataError::Missing(path.to_owned()));
        }
        Self::open(path, base_url)
    }

    /// Opens a directory, making it when there is none. References under `base_url`, and under every other address it
    /// was ever opened with, are references to its records.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn open(path: &Path, base_url: Option<&str>) -> Result<Self, DataError> {
        Self::open_with(path, base_url, SqliteOptions::default())
    }

    /// The same with limits of the store's other than the usual ones.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn open_with(path: &Path, base_url: Option<&str>, options: SqliteOptions) -> Result<Self, DataError> {
        std::fs::create_dir_all(path).map_err(|error| DataError::Io { path: path.to_owned(), error })?;
        let lock = lock(path)?;
        let mut bases = SqliteEngine::bases(path)?;
        bases.extend(base_url.filter(|base| !bases.iter().any(|known| known == base)).map(ToOwned::to_owned));
        let catalogue = Arc::new(Catalogue::new(OWN_KINDS, bases, POLICY));
        let engine = Arc::new(SqliteEngine::open(path, &catalogue, system_clock(), options)?);
        let door = Door::new(Arc::clone(&engine) as _, engine.cursor_secret()?);
        // Before anything is written: what is stored is in force.
        door.define_all()?;
        // What an import writes before the hub has ever run is labelled too; `serve` puts its own tables into force.
        if !engine.has_sensitive()? {
            door.set_sensitive(Law::built_in().sensitive_codes(in_korea(system_clock()())))?;
        }
        Ok(Self { path: path.to_owned(), engine, door, _lock: lock })
    }
}

fn lock(directory: &Path) -> Result<File, DataError> {
    let path = directory.join("lock");
    let failed = |error| DataError::Io { path: path.clone(), error };
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

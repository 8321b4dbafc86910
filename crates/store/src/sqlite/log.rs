//! The write-ahead log, kept short.
//!
//! SQLite takes the log into the file by itself, but begins it anew only at a moment when nobody reads from it. Where
//! searches never pause that moment never comes, and the log grows until the disk is full. So the writer makes it come:
//! views that are opened meanwhile read from the file alone, and those that still read from the log are waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::BUSY;
use crate::commit::StoreError;

/// Pages of 8 KiB after which the log is taken into the file: 128 MiB.
const PAGES: i32 = 16_384;
/// How long writing may wait for views that read from the log. A search may take longer; then it is tried again when the
/// log has grown by so many pages more.
const PATIENCE: Duration = Duration::from_millis(500);
const MORE_PAGES: i32 = PAGES / 4;

/// How long the log is.
pub(super) struct Log {
    pages: Arc<AtomicI32>,
    /// Pages at which it is to be shortened.
    due: i32,
}

impl Log {
    /// Watches the log of the connection that writes, which from now on does not shorten it by itself.
    pub(super) fn watch(connection: &mut Connection) -> Result<Self, StoreError> {
        let pages = Arc::new(AtomicI32::new(0));
        let told = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            told.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { pages, due: PAGES })
    }

    /// Takes the log into the file when it is long. Nothing depends on it: what goes wrong is tried again later.
    pub(super) fn shorten(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.due {
            return;
        }
        let is_busy = connection.busy_timeout(PATIENCE).and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, bool>(0))
        });
        self.due = if matches!(is_busy, Ok(false)) { PAGES } else { pages.saturating_add(MORE_PAGES) };
        if let Err(error) = is_busy.and(connection.busy_timeout(BUSY)) {
            tracing::warn!(error = %error, "the write-ahead log could not be taken into the file");
        }
    }
}

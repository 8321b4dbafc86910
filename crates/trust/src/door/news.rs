//! Waiting for commits.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The newest commit that went through a door of this process, and who waits for the next.
#[derive(Debug, Default)]
pub struct News {
    newest: Mutex<u64>,
    told: Condvar,
}

impl News {
    /// Something was committed.
    pub(super) fn tell(&self, t: u64) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = (*newest).max(t);
        drop(newest);
        self.told.notify_all();
    }

    /// Wakes everybody who waits, so that they look whether they still should.
    pub fn wake(&self) {
        // Taken, so that nobody is between looking and waiting when they are told.
        drop(self.newest.lock().unwrap_or_else(PoisonError::into_inner));
        self.told.notify_all();
    }

    /// Waits until there is a newer commit than this one, `until` says to stop, or the time is over.
    pub fn wait(&self, after: u64, at_most: Duration, until: impl Fn() -> bool) {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |newest: &mut u64| *newest <= after && !until();
        drop(self.told.wait_timeout_while(newest, at_most, waiting));
    }
}

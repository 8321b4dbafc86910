//! Time as an input.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Gives microseconds since 1970. May stand still or go back; commits are stamped in order all the same.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place where time comes in")]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

/// The instant of the next commit: now, but always after the one before, so that `lastUpdated` orders as commits do.
#[must_use]
pub fn next_instant(previous: i64, now: i64) -> i64 {
    now.max(previous + 1)
}

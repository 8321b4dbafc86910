//! What waits for somebody: requests for authorization until a yes or no, and launches from a chart until the app comes.
//! Kept in memory: after a restart apps ask again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::scopes::Scopes;
use crate::account::new_secret;

/// Seconds that something waits (FAPI 2.0 allows less than 600).
pub const WAIT_SECONDS: i64 = 300;
/// Things that wait at once; a request has some kilobytes.
pub(crate) const MOST: usize = 5_000;

/// A request for authorization whose parameters have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The app.
    pub client: String,
    /// Where to send people back to; one of the app's.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: Scopes,
    /// What the app wants back with the answer.
    pub state: Option<String>,
    /// PKCE.
    pub challenge: String,
    /// What the ID token must carry.
    pub nonce: Option<String>,
    /// The launch from a chart.
    pub launch: Option<String>,
    /// The key that the code is bound to (RFC 9449, section 10).
    pub key: Option<String>,
}

/// A launch from a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Whose.
    pub account: String,
    /// Of which app.
    pub client: String,
    /// For which patient.
    pub patient: String,
}

/// Things that wait, by the digest of the name they are asked for by: who reads this memory cannot ask for them.
pub struct Waiting<T>(Mutex<HashMap<[u8; 32], (T, i64)>>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// What to do when too much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Refuse the new.
    Refuse,
    /// Let go of the oldest.
    DropOldest,
}

impl<T: Clone> Waiting<T> {
    /// Lets something wait; gives its name.
    ///
    /// # Errors
    /// [`Fault::Full`], or when there is no randomness.
    pub fn put(&self, what: T, when_full: WhenFull, now: i64) -> Result<String, Fault> {
        let name = new_secret()?;
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST {
            waiting.retain(|_, (_, ends)| now < *ends);
        }
        if waiting.len() >= MOST {
            let oldest = waiting.iter().min_by_key(|(_, (_, ends))| *ends).map(|(key, _)| *key);
            match (when_full, oldest) {
                (WhenFull::DropOldest, Some(oldest)) => drop(waiting.remove(&oldest)),
                _ => return Err(Fault::Full),
            }
        }
        waiting.insert(key(&name), (what, now + WAIT_SECONDS));
        Ok(name)
    }

    /// What waits under a name; it goes on waiting.
    #[must_use]
    pub fn read(&self, name: &str, now: i64) -> Option<T> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&key(name)).filter(|(_, ends)| now < *ends).map(|(what, _)| what.clone())
    }

    /// What waits under a name, which nobody gets again.
    #[must_use]
    pub fn take(&self, name: &str, now: i64) -> Option<T> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(name));
        taken.filter(|(_, ends)| now < *ends).map(|(what, _)| what)
    }
}

fn key(name: &str) -> [u8; 32] {
    Sha256::digest(name.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_wait_for_a_while_and_are_taken_once() {
        let waiting = Waiting::default();
        let name = waiting.put("a", WhenFull::Refuse, 0).unwrap();
        assert_eq!(waiting.read(&name, WAIT_SECONDS - 1), Some("a"));
        assert_eq!(waiting.read(&name, WAIT_SECONDS), None);
        assert_eq!(waiting.read("another", 0), None);
        assert_eq!(waiting.take(&name, 1), Some("a"));
        assert_eq!(waiting.take(&name, 1), None);
        let name = waiting.put("b", WhenFull::Refuse, 0).unwrap();
        assert_eq!(waiting.take(&name, WAIT_SECONDS), None);
    }

    // threat: 21
    #[test]
    fn never_too_much_waits() {
        let waiting = Waiting::default();
        let first = waiting.put(0, WhenFull::Refuse, 0).unwrap();
        for now in 1..MOST {
            waiting.put(now, WhenFull::Refuse, 1).unwrap();
        }
        assert_eq!(waiting.put(MOST, WhenFull::Refuse, 1), Err(Fault::Full));
        waiting.put(MOST, WhenFull::DropOldest, 1).unwrap();
        assert_eq!(waiting.read(&first, 1), None);
        assert!(waiting.put(MOST, WhenFull::Refuse, WAIT_SECONDS + 1).is_ok(), "what is over makes room");
    }
}

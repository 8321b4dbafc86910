//! Names that may be used once: the `jti` of assertions and of DPoP proofs.
//!
//! They are kept in memory, each until the proof that carries it would be too old anyway. After a restart none are known:
//! proofs that were made before it are refused (see [`Replay::began`]), so that none of them can be used again.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Names kept; some 20 MB.
pub(crate) const MOST: usize = 200_000;

/// What became of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It had not been used.
    First,
    /// It had.
    Again,
    /// There is no room to remember it. It must not be taken.
    Full,
}

/// The names in use.
pub struct Replay {
    began: i64,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    used: HashSet<[u8; 16]>,
    by_end: BTreeSet<(i64, [u8; 16])>,
}

impl Replay {
    /// None yet; `now` in seconds since 1970.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self { began: now, names: Mutex::default() }
    }

    /// Since when names are remembered, in seconds since 1970.
    #[must_use]
    pub fn began(&self) -> i64 {
        self.began
    }

    /// Uses a name of somebody's, to be remembered up to and including the second `until`.
    pub fn take(&self, whose: &str, name: &str, until: i64, now: i64) -> Use {
        let key = key(whose, name);
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(end, over)) = names.by_end.first().filter(|(end, _)| *end < now) {
            names.by_end.remove(&(end, over));
            names.used.remove(&over);
        }
        if names.used.contains(&key) {
            return Use::Again;
        }
        if names.used.len() >= MOST {
            return Use::Full;
        }
        names.used.insert(key);
        names.by_end.insert((until, key));
        Use::First
    }
}

/// Half a digest: 128 bits, which nobody makes collide for another's names.
fn key(whose: &str, name: &str) -> [u8; 16] {
    let digest = Sha256::new().chain_update(whose.len().to_be_bytes()).chain_update(whose).chain_update(name);
    let digest: [u8; 32] = digest.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: 5
    #[test]
    fn a_name_is_used_once_as_long_as_it_counts() {
        let replay = Replay::new(0);
        assert_eq!(replay.take("a", "1", 60, 0), Use::First);
        assert_eq!(replay.take("a", "1", 60, 60), Use::Again);
        assert_eq!(replay.take("b", "1", 60, 0), Use::First, "another's name is another name");
        assert_eq!(replay.take("a1", "", 60, 0), Use::First);
        assert_eq!(replay.take("a", "1", 120, 61), Use::First, "it counts no more");
    }

    #[test]
    fn when_there_is_no_room_nothing_is_taken() {
        let replay = Replay::new(0);
        for name in 0..MOST {
            assert_eq!(replay.take("a", &name.to_string(), 60, 0), Use::First);
        }
        assert_eq!(replay.take("a", "more", 60, 60), Use::Full);
        assert_eq!(replay.take("a", "more", 120, 61), Use::First);
    }
}

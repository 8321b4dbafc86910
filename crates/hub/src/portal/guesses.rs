//! How often one name is guessed. The first tries are free; then each costs a wait that doubles, up to a quarter of an
//! hour. It ends by itself, so nobody is locked out for good by somebody else; a browser that the person has entered
//! from before is counted apart, so that guessing elsewhere does not slow it down; and passkeys are never slowed down,
//! because nobody guesses them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Tries that are free.
pub(crate) const FREE: u32 = 5;
/// The first wait.
const FIRST_MICROS: i64 = 30_000_000;
/// The longest wait.
pub(crate) const LONGEST_MICROS: i64 = 15 * 60_000_000;
/// Tries are forgotten when there were none for so long.
const MEMORY_MICROS: i64 = 24 * 3_600_000_000;
/// Names kept; the one not tried for longest makes room.
const MOST: usize = 20_000;

/// Tries, by the digest of what is tried.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<[u8; 32], Tries>>);

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    last: i64,
    until: i64,
}

impl Guesses {
    /// Begins a try, which counts as a failure until [`Guesses::right`] says otherwise: tries at the same time count
    /// too.
    ///
    /// # Errors
    /// How many seconds are still to be waited.
    pub(crate) fn begin(&self, what: &str, now: i64) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(what);
        if all.len() >= MOST && !all.contains_key(&key) {
            all.retain(|_, tries| now - tries.last < MEMORY_MICROS);
            if all.len() >= MOST
                && let Some(oldest) = all.iter().min_by_key(|(_, tries)| tries.last).map(|(key, _)| *key)
            {
                all.remove(&oldest);
            }
        }
        let tries = all.entry(key).or_insert(Tries { count: 0, last: now, until: now });
        if now - tries.last >= MEMORY_MICROS {
            *tries = Tries { count: 0, last: now, until: now };
        }
        if now < tries.until {
            return Err(u64::try_from(tries.until - now).unwrap_or(0).div_ceil(1_000_000));
        }
        tries.count = tries.count.saturating_add(1);
        tries.last = now;
        if tries.count >= FREE {
            let doublings = (tries.count - FREE).min(10);
            tries.until = now + (FIRST_MICROS << doublings).min(LONGEST_MICROS);
        }
        Ok(())
    }

    /// The try was right: all is forgotten.
    pub(crate) fn right(&self, what: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(what));
    }
}

fn key(what: &str) -> [u8; 32] {
    Sha256::digest(what.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: 11
    #[test]
    fn waits_grow_end_and_are_forgotten() {
        let guesses = Guesses::default();
        for _ in 0..FREE {
            assert_eq!(guesses.begin("kim", 0), Ok(()));
        }
        assert_eq!(guesses.begin("kim", 0), Err(30));
        assert_eq!(guesses.begin("lee", 0), Ok(()), "others wait for nothing");
        assert_eq!(guesses.begin("kim", FIRST_MICROS), Ok(()));
        assert_eq!(guesses.begin("kim", FIRST_MICROS), Err(60));
        let mut now = FIRST_MICROS;
        for _ in 0..50 {
            now += LONGEST_MICROS;
            assert_eq!(guesses.begin("kim", now), Ok(()), "the longest wait is a quarter of an hour");
        }
        assert_eq!(guesses.begin("kim", now), Err(900));
        guesses.right("kim");
        assert_eq!(guesses.begin("kim", now), Ok(()));
        for _ in 1..FREE {
            guesses.begin("kim", now).unwrap();
        }
        assert_eq!(guesses.begin("kim", now + MEMORY_MICROS), Ok(()));
        assert_eq!(guesses.begin("kim", now + MEMORY_MICROS), Ok(()), "a day later all is forgotten");
    }

    #[test]
    fn memory_is_bounded() {
        let guesses = Guesses::default();
        for number in 0..=MOST {
            guesses.begin(&number.to_string(), number as i64).unwrap();
        }
        assert_eq!(guesses.0.lock().unwrap().len(), MOST);
    }
}

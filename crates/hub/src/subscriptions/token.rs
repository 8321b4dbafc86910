//! Tokens by which a client binds subscriptions to a WebSocket: a browser cannot send its account's secret there.
//!
//! They live in memory, for a short time, and open one binding each; after a restart clients ask for others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ieum_trust::account::new_secret;

/// How long a token is good.
pub(crate) const GOOD: Duration = Duration::from_mins(5);
/// Tokens that may be out at the same time.
const MOST: usize = 1_000;

/// The tokens that are out.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, (Instant, Vec<String>)>>);

impl Tokens {
    /// A token for these subscriptions; nothing when too many are out, or there is no randomness.
    pub(super) fn give(&self, ids: Vec<String>, now: Instant) -> Option<String> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|_, (until, _)| *until > now);
        if out.len() >= MOST {
            return None;
        }
        let token = new_secret().ok()?;
        out.insert(token.clone(), (now + GOOD, ids));
        Some(token)
    }

    /// What a token is for. From then on it is good for nothing.
    pub(super) fn take(&self, token: &str, now: Instant) -> Option<Vec<String>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, ids) = out.remove(token)?;
        (until > now).then_some(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_good_once_for_a_while_and_never_too_many() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let token = tokens.give(vec!["s1".into()], now).unwrap();
        assert_eq!(token.len(), 43);
        assert_eq!(tokens.take("other", now), None);
        assert_eq!(tokens.take(&token, now), Some(vec!["s1".into()]));
        assert_eq!(tokens.take(&token, now), None);
        let late = tokens.give(vec!["s1".into()], now).unwrap();
        assert_eq!(tokens.take(&late, now + GOOD), None);
        for _ in 0..MOST {
            tokens.give(Vec::new(), now).unwrap();
        }
        assert_eq!(tokens.give(Vec::new(), now), None);
        assert!(tokens.give(Vec::new(), now + GOOD).is_some());
    }
}

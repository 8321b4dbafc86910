//! Tokens by which a client binds subscriptions to a WebSocket: a browser cannot send its account's secret there.
//!
//! They live in memory, for a short time, and open one binding each; after a restart clients ask for others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ieum_trust::account::new_secret;

/// How long a token is good.
pub(crate) const GOOD: Duration = Duration::from_mins(5);
/// Tokens that may be out at the same time, of all accounts and of one: of one the oldest goes.
const MOST: usize = 1_000;
const MOST_OF_ONE: usize = 50;

/// What a token is for: a Subscription, in the life that it had when the token was given. Another account may have made
/// another one under its id since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) id: String,
    pub(crate) key: String,
}

/// The tokens that are out.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Given>>);

#[derive(Debug)]
struct Given {
    account: String,
    until: Instant,
    bound: Vec<Binding>,
}

impl Tokens {
    /// A token for these subscriptions; nothing when too many are out, or there is no randomness.
    pub(super) fn give(&self, account: &str, bound: Vec<Binding>, now: Instant) -> Option<String> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|_, given| given.until > now);
        let of_account = || out.iter().filter(|(_, given)| given.account == account);
        if of_account().count() >= MOST_OF_ONE {
            let oldest = of_account().min_by_key(|(_, given)| given.until).map(|(token, _)| token.clone());
            oldest.map(|token| out.remove(&token));
        }
        if out.len() >= MOST {
            return None;
        }
        let token = new_secret().ok()?;
        out.insert(token.clone(), Given { account: account.to_owned(), until: now + GOOD, bound });
        Some(token)
    }

    /// What a token is for. From then on it is good for nothing.
    pub(super) fn take(&self, token: &str, now: Instant) -> Option<Vec<Binding>> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = out.remove(token)?;
        (given.until > now).then_some(given.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_good_once_for_a_while_and_never_too_many() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let bound = vec![Binding { id: "s1".into(), key: "k".into() }];
        let token = tokens.give("a", bound.clone(), now).unwrap();
        assert_eq!(token.len(), 43);
        assert_eq!(tokens.take("other", now), None);
        assert_eq!(tokens.take(&token, now), Some(bound.clone()));
        assert_eq!(tokens.take(&token, now), None);
        let late = tokens.give("a", bound.clone(), now).unwrap();
        assert_eq!(tokens.take(&late, now + GOOD), None);
        let oldest = tokens.give("a", bound, now).unwrap();
        for _ in 0..MOST_OF_ONE {
            tokens.give("a", Vec::new(), now + Duration::from_secs(1)).unwrap();
        }
        assert_eq!(tokens.take(&oldest, now), None, "one account keeps no more");
        for number in MOST_OF_ONE..MOST {
            tokens.give(&format!("b{}", number / MOST_OF_ONE), Vec::new(), now).unwrap();
        }
        assert_eq!(tokens.give("c", Vec::new(), now), None);
        assert!(tokens.give("c", Vec::new(), now + GOOD).is_some());
    }
}

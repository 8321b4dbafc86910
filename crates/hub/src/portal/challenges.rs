//! Challenges for passkeys: random, good for some minutes, each taken once. They are signed and not stored, so that
//! nobody can push out others' by asking for many; only those taken are remembered, until they are too old anyway.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long one is good: somebody may have to look for their security key.
pub(crate) const GOOD_MICROS: i64 = 10 * 60_000_000;
const NONCE: usize = 16;
const PAYLOAD: usize = NONCE + 8;
const SIGNATURE: usize = 16;

/// Makes challenges, and knows them again.
pub(crate) struct Challenges {
    key: [u8; 32],
    taken: Mutex<HashMap<[u8; NONCE], i64>>,
}

impl Challenges {
    /// With a key that is forgotten when the hub stops.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, taken: Mutex::default() })
    }

    /// A challenge for a purpose, in base64url.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn ask(&self, purpose: &str, now: i64) -> Result<String, getrandom::Error> {
        let mut challenge = [0; PAYLOAD];
        getrandom::fill(&mut challenge[..NONCE])?;
        challenge[NONCE..].copy_from_slice(&(now + GOOD_MICROS).to_be_bytes());
        let signature = self.mac(purpose, &challenge).finalize().into_bytes();
        Ok(URL_SAFE_NO_PAD.encode([&challenge[..], &signature[..SIGNATURE]].concat()))
    }

    /// Whether a challenge is ours, for this purpose, and not too old.
    pub(crate) fn is_ours(&self, purpose: &str, challenge: &[u8], now: i64) -> bool {
        let Some((payload, signature)) = challenge.split_first_chunk::<PAYLOAD>() else { return false };
        let is_signed = signature.len() == SIGNATURE
            && self.mac(purpose, payload).verify_truncated_left(signature).is_ok();
        is_signed && now < until(payload)
    }

    /// What goes with a challenge, for a purpose, and cannot be told from it: it needs no storing.
    pub(crate) fn derived(&self, purpose: &str, challenge: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, challenge.as_bytes()).finalize().into_bytes())
    }

    /// When a challenge that [`Challenges::is_ours`] was asked.
    pub(crate) fn asked_at(challenge: &[u8]) -> i64 {
        challenge.first_chunk::<PAYLOAD>().map_or(0, |payload| until(payload) - GOOD_MICROS)
    }

    /// Takes a challenge that [`Challenges::is_ours`]; false when it was taken before.
    pub(crate) fn take(&self, challenge: &[u8], now: i64) -> bool {
        let Some((payload, _)) = challenge.split_first_chunk::<PAYLOAD>() else { return false };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|_, until| now < *until);
        let nonce = payload[..NONCE].try_into().unwrap_or([0; NONCE]);
        taken.insert(nonce, until(payload)).is_none()
    }

    fn mac(&self, purpose: &str, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&(purpose.len() as u64).to_le_bytes());
        mac.update(purpose.as_bytes());
        mac.update(payload);
        mac
    }
}

fn until(payload: &[u8; PAYLOAD]) -> i64 {
    payload.last_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_for_its_purpose_its_time_and_once() {
        let challenges = Challenges::new().unwrap();
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let challenge = bytes(&challenges.ask("enter", 0).unwrap());
        assert!(challenges.is_ours("enter", &challenge, GOOD_MICROS - 1));
        assert!(!challenges.is_ours("enter", &challenge, GOOD_MICROS));
        assert!(!challenges.is_ours("add", &challenge, 0));
        assert!(!Challenges::new().unwrap().is_ours("enter", &challenge, 0), "of another start");
        for place in 0..challenge.len() {
            let mut other = challenge.clone();
            other[place] ^= 1;
            assert!(!challenges.is_ours("enter", &other, 0), "{place}");
            assert!(!challenges.is_ours("enter", &challenge[..place], 0));
        }
        assert_eq!(Challenges::asked_at(&challenge), 0);
        let derived = |purpose: &str, text: &str| challenges.derived(purpose, text);
        assert_eq!((derived("a", "c"), derived("a", "c").len()), (derived("a", "c"), 43));
        assert!(derived("a", "c") != derived("b", "c") && derived("a", "c") != derived("a", "d"));
        assert!(challenges.take(&challenge, 0) && !challenges.take(&challenge, 1));
        assert!(challenges.take(&bytes(&challenges.ask("enter", 0).unwrap()), 0));
        challenges.take(&bytes(&challenges.ask("enter", GOOD_MICROS).unwrap()), GOOD_MICROS);
        assert_eq!(challenges.taken.lock().unwrap().len(), 1, "old ones are forgotten");
    }
}

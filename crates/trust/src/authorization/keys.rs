//! The keys that we sign tokens with: ES256. A new one signs from the moment it is made; the one before it verifies until
//! the last token that it signed has ended.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::jwk::PublicKey;
use super::jws;

/// Seconds that an access or ID token lives (FAPI 2.0 and SMART recommend no more).
pub const TOKEN_SECONDS: i64 = 300;
/// Seconds after which a new key is made: 90 days.
pub const KEY_SECONDS: i64 = 90 * 86_400;
/// Seconds that a key goes on verifying after the next one was made.
const OVERLAP_SECONDS: i64 = TOKEN_SECONDS + 60;

/// Why keys cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The operating system gives no randomness.
    #[error("no key can be made: the operating system gives no randomness")]
    Random,
    /// A new key could not be made durable.
    #[error("a new signing key could not be written to disk; the old one goes on signing")]
    Save,
    /// The file does not hold keys.
    #[error("the signing keys cannot be read; with the file gone new ones are made, and apps get new tokens")]
    Damaged,
}

/// The keys; never empty, the newest last.
pub struct SigningKeys(Vec<Key>);

struct Key {
    pkcs8: Vec<u8>,
    pair: EcdsaKeyPair,
    public: PublicKey,
    kid: String,
    made: i64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    pkcs8: String,
    made: i64,
}

impl Key {
    fn make(now: i64) -> Result<Self, KeysError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self::of(made.map_err(|_| KeysError::Random)?.as_ref(), now)
    }

    fn of(pkcs8: &[u8], made: i64) -> Result<Self, KeysError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
            .map_err(|_| KeysError::Damaged)?;
        let public = PublicKey::of_point(pair.public_key().as_ref());
        let kid = public.thumbprint();
        Ok(Self { pkcs8: pkcs8.to_vec(), pair, public, kid, made })
    }
}

impl SigningKeys {
    /// A first key; `now` in seconds since 1970.
    ///
    /// # Errors
    /// [`KeysError::Random`].
    pub fn make(now: i64) -> Result<Self, KeysError> {
        Ok(Self(vec![Key::make(now)?]))
    }

    /// Keys as [`Self::stored`] wrote them.
    ///
    /// # Errors
    /// [`KeysError::Damaged`].
    pub fn read(json: &[u8]) -> Result<Self, KeysError> {
        let stored: Stored = serde_json::from_slice(json).map_err(|_| KeysError::Damaged)?;
        let key = |stored: &StoredKey| {
            let pkcs8 = STANDARD.decode(&stored.pkcs8).map_err(|_| KeysError::Damaged)?;
            Key::of(&pkcs8, stored.made)
        };
        let keys: Vec<Key> = stored.keys.iter().map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeysError::Damaged) } else { Ok(Self(keys)) }
    }

    /// To be kept where nobody else reads it: these are secrets.
    ///
    /// # Panics
    /// Never: text and numbers are JSON.
    #[must_use]
    pub fn stored(&self) -> Vec<u8> {
        let stored = |key: &Key| StoredKey { pkcs8: STANDARD.encode(&key.pkcs8), made: key.made };
        serde_json::to_vec(&Stored { keys: self.0.iter().map(stored).collect() }).expect("text and numbers")
    }

    /// Whether the newest is so old that the next should be made.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        self.0.last().is_none_or(|newest| newest.made + KEY_SECONDS <= now)
    }

    /// Makes a new key that signs from now on, and leaves out those that verify nothing any more. The new one is only
    /// used once `save` has made it durable.
    ///
    /// # Errors
    /// [`KeysError::Random`] or [`KeysError::Save`]; then the newest goes on signing.
    pub fn rotate(&mut self, now: i64, save: impl FnOnce(&[u8]) -> io::Result<()>) -> Result<(), KeysError> {
        let new = Key::make(now)?;
        let ended = self.0.len() - self.verifying(now).count();
        self.0.drain(..ended);
        self.0.push(new);
        save(&self.stored()).map_err(|_| {
            self.0.pop();
            KeysError::Save
        })
    }

    /// Whether the key at a place still verifies.
    fn verifies(&self, index: usize, now: i64) -> bool {
        self.0.get(index + 1).is_none_or(|next| now < next.made + OVERLAP_SECONDS)
    }

    fn verifying(&self, now: i64) -> impl Iterator<Item = &Key> {
        self.0.iter().enumerate().filter(move |(index, _)| self.verifies(*index, now)).map(|(_, key)| key)
    }

    /// The key of a name, if it still verifies.
    #[must_use]
    pub fn find(&self, kid: Option<&str>, now: i64) -> Option<&PublicKey> {
        self.verifying(now).find(|key| kid == Some(&key.kid)).map(|key| &key.public)
    }

    /// Those that still verify, as a JWK set: for everybody to read.
    #[must_use]
    pub fn public(&self, now: i64) -> Value {
        let keys: Vec<Value> = self
            .verifying(now)
            .map(|key| {
                let mut jwk = key.public.members();
                jwk["kid"] = key.kid.as_str().into();
                jwk["use"] = "sig".into();
                jwk["alg"] = "ES256".into();
                jwk
            })
            .collect();
        json!({ "keys": keys })
    }

    /// A token of this type with these claims, signed by the newest key.
    ///
    /// # Errors
    /// [`KeysError::Random`].
    ///
    /// # Panics
    /// Never: there is a key.
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String, KeysError> {
        let newest = self.0.last().expect("there is always a key");
        let header = json!({ "alg": "ES256", "typ": typ, "kid": newest.kid });
        let unsigned = jws::unsigned(&header, claims);
        let signature = newest.pair.sign(&SystemRandom::new(), unsigned.as_bytes());
        Ok(jws::signed(&unsigned, signature.map_err(|_| KeysError::Random)?.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::jws::{Algorithm, Jws};

    fn verified(keys: &SigningKeys, token: &str, now: i64) -> bool {
        let jws = Jws::read(token, &[Algorithm::Es256]).unwrap();
        keys.find(jws.kid(), now).is_some_and(|key| jws.claims::<Value>(key).is_ok())
    }

    #[test]
    fn old_keys_verify_until_their_tokens_have_ended() {
        let mut keys = SigningKeys::make(0).unwrap();
        let old = keys.sign("JWT", &json!({ "a": 1 })).unwrap();
        assert!(verified(&keys, &old, 0) && !keys.is_due(KEY_SECONDS - 1) && keys.is_due(KEY_SECONDS));

        let failing = keys.rotate(KEY_SECONDS, |_| Err(io::ErrorKind::StorageFull.into()));
        assert_eq!((failing, keys.0.len()), (Err(KeysError::Save), 1));
        keys.rotate(KEY_SECONDS, |_| Ok(())).unwrap();
        let new = keys.sign("JWT", &json!({ "a": 1 })).unwrap();
        let later = KEY_SECONDS + TOKEN_SECONDS;
        assert!(verified(&keys, &old, later) && verified(&keys, &new, later) && !keys.is_due(later));
        assert_eq!(keys.public(later)["keys"].as_array().unwrap().len(), 2);
        let much_later = KEY_SECONDS + OVERLAP_SECONDS;
        assert!(!verified(&keys, &old, much_later) && verified(&keys, &new, much_later));
        assert_eq!(keys.public(much_later)["keys"].as_array().unwrap().len(), 1);

        keys.rotate(2 * KEY_SECONDS, |_| Ok(())).unwrap();
        assert_eq!(keys.0.len(), 2, "the oldest is gone");
        assert!(verified(&keys, &new, 2 * KEY_SECONDS));
    }

    #[test]
    fn keys_are_kept_and_published_without_their_secret() {
        let keys = SigningKeys::make(7).unwrap();
        let token = keys.sign("JWT", &json!({})).unwrap();
        let again = SigningKeys::read(&keys.stored()).unwrap();
        assert!(verified(&again, &token, 7));
        let published = again.public(7);
        PublicKey::read(&published["keys"][0]).expect("a public key");
        for damaged in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"pkcs8":"AAAA","made":1}]}"#] {
            assert_eq!(SigningKeys::read(damaged.as_bytes()).err(), Some(KeysError::Damaged));
        }
    }
}

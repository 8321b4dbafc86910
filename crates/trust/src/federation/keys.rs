//! The keys of a provider, as it publishes them. Unlike the keys of an app they are taken as they come: those of a kind
//! that we do not know, or for another use, are left out.

use serde_json::Value;

use crate::authorization::jwk::PublicKey;

/// Keys of one provider that are looked at.
const MOST: usize = 40;

/// The keys that a provider signs with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<PublicKey>);

impl Keys {
    /// Reads a JWK set (RFC 7517); `None` when it is none.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let set: Value = serde_json::from_slice(json).ok()?;
        let keys = set.get("keys")?.as_array()?.iter().take(MOST);
        let signs = |key: &&Value| key.get("use").is_none_or(|purpose| purpose == "sig");
        Some(Self(keys.filter(signs).filter_map(|key| PublicKey::read(key).ok()).collect()))
    }

    /// The key of a name. Without a name the only key; of two with one name none, because it could be either.
    #[must_use]
    pub fn find(&self, kid: Option<&str>) -> Option<&PublicKey> {
        let mut named = self.0.iter().filter(|key| kid.is_none() || key.kid() == kid);
        named.next().filter(|_| named.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_not_for_signing_or_not_known_are_left_out() {
        let ed = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        let set = |keys: &[&str]| Keys::read(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes());
        let (a, b) = (format!("{{\"kid\":\"a\",{ed}}}"), format!("{{\"kid\":\"b\",\"use\":\"sig\",{ed}}}"));
        let encrypts = format!("{{\"kid\":\"c\",\"use\":\"enc\",{ed}}}");
        let shared = r#"{"kid":"d","kty":"oct","k":"AAAA"}"#;
        let keys = set(&[&a, &b, &encrypts, shared]).unwrap();
        assert!(keys.find(Some("a")).is_some() && keys.find(Some("b")).is_some());
        assert!(
            keys.find(None).is_none() && keys.find(Some("c")).is_none() && keys.find(Some("d")).is_none()
        );
        let alone = set(&[&a, &encrypts]).unwrap();
        assert!(alone.find(None).is_some());
        assert!(set(&[&a, &a]).unwrap().find(Some("a")).is_none(), "either could be meant");
        for wrong in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert_eq!(Keys::read(wrong.as_bytes()), None);
        }
    }
}

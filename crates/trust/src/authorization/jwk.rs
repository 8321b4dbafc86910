//! Public keys as JSON (RFC 7517), and their thumbprints (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};

use super::jws::Algorithm;

/// Keys that one client may have.
pub const MOST_KEYS: usize = 10;
/// Bytes of a modulus: 4,096 bits.
const MOST_MODULUS: usize = 512;
/// Bytes of a modulus: 2,048 bits.
const LEAST_MODULUS: usize = 256;
/// Members that only private keys have (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// `id-ecPublicKey`, with a curve as its parameter (RFC 5480, section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 8410, section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A private or symmetric key has gone where only public ones belong.
    #[error("the key is private: send its public part, and make a new one, because this one is known now")]
    Private,
    /// None of the kinds of key that are taken.
    #[error("the key must be EC on P-256 or P-384, RSA of 2048 to 4096 bits, or Ed25519")]
    Kind,
    /// A member is missing or cannot be read.
    #[error("the key cannot be read: its members must be base64url without padding")]
    Form,
    /// Too many keys, or none.
    #[error("give a JWK set of 1 to 10 keys: {{\"keys\": […]}}")]
    Number,
    /// Two keys have the same name, or one of several has none.
    #[error("give each key a `kid` of its own")]
    Names,
}

/// The key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    /// A point on P-256, uncompressed.
    P256(Vec<u8>),
    /// A point on P-384, uncompressed.
    P384(Vec<u8>),
    /// RSA: modulus and exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// Ed25519.
    Ed25519(Vec<u8>),
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kid: Option<String>,
    material: Material,
}

impl PublicKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(jwk: &Value) -> Result<Self, KeyError> {
        let members = jwk.as_object().ok_or(KeyError::Form)?;
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Private);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let material = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => Material::P256(point(members, 32)?),
            (Some("EC"), Some("P-384")) => Material::P384(point(members, 48)?),
            (Some("OKP"), Some("Ed25519")) => Material::Ed25519(bytes(members, "x", 32)?),
            (Some("RSA"), _) => rsa(members)?,
            _ => return Err(KeyError::Kind),
        };
        Ok(Self { kid: text("kid").map(ToOwned::to_owned), material })
    }

    /// The key of a certificate: its algorithm, its curve if it has one, and its bits.
    pub(super) fn of_certificate(
        algorithm: ObjectIdentifier,
        curve: Option<ObjectIdentifier>,
        key: &[u8],
    ) -> Result<Self, KeyError> {
        let is_point = |length: usize| key.len() == 1 + 2 * length && key[0] == 4;
        let material = match (algorithm, curve) {
            (EC, Some(P256)) if is_point(32) => Material::P256(key.to_vec()),
            (EC, Some(P384)) if is_point(48) => Material::P384(key.to_vec()),
            (ED25519, None) if key.len() == 32 => Material::Ed25519(key.to_vec()),
            (RSA, _) => {
                let (n, e) = numbers(key).map_err(|_| KeyError::Form)?;
                checked_rsa(n, e)?
            }
            _ => return Err(KeyError::Kind),
        };
        Ok(Self { kid: None, material })
    }

    /// A key on P-256 that we made: its uncompressed point.
    pub(super) fn of_point(point: &[u8]) -> Self {
        Self { kid: None, material: Material::P256(point.to_vec()) }
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Of which kind it is, in a word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match &self.material {
            Material::P256(_) => "EC P-256",
            Material::P384(_) => "EC P-384",
            Material::Rsa { .. } => "RSA",
            Material::Ed25519(_) => "Ed25519",
        }
    }

    /// Its members (RFC 7518, section 6), those that the thumbprint is made of.
    #[must_use]
    pub fn members(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let curve = |name: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({ "crv": name, "kty": "EC", "x": text(x), "y": text(y) })
        };
        match &self.material {
            Material::P256(point) => curve("P-256", point),
            Material::P384(point) => curve("P-384", point),
            Material::Rsa { n, e } => json!({ "e": text(e), "kty": "RSA", "n": text(n) }),
            Material::Ed25519(x) => json!({ "crv": "Ed25519", "kty": "OKP", "x": text(x) }),
        }
    }

    /// Its thumbprint: SHA-256 of these members in the order of their names, base64url (RFC 7638, section 3).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // `json!` above writes them in this order, and serde_json keeps it.
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.members().to_string().as_bytes()))
    }

    /// Whether it can sign so.
    #[must_use]
    pub(super) const fn signs(&self, algorithm: Algorithm) -> bool {
        matches!(
            (algorithm, &self.material),
            (Algorithm::Es256, Material::P256(_))
                | (Algorithm::Es384, Material::P384(_))
                | (Algorithm::EdDsa, Material::Ed25519(_))
                | (Algorithm::Ps256 | Algorithm::Rs256, Material::Rsa { .. })
        )
    }

    /// Whether the signature is this key's. An algorithm that does not go with the key is no signature: what a header
    /// says never turns a key into one of another kind.
    #[must_use]
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signed: &[u8]) -> bool {
        let with = |by: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(by, key).verify(message, signed).is_ok()
        };
        match (algorithm, &self.material) {
            (Algorithm::Es256, Material::P256(point)) => with(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Algorithm::Es384, Material::P384(point)) => with(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Algorithm::EdDsa, Material::Ed25519(key)) => with(&signature::ED25519, key),
            (Algorithm::Rs256, Material::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signed)
                .is_ok(),
            (Algorithm::Ps256, Material::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PSS_2048_8192_SHA256, message, signed)
                .is_ok(),
            _ => false,
        }
    }
}

fn rsa(members: &Map<String, Value>) -> Result<Material, KeyError> {
    checked_rsa(decoded(members, "n")?, decoded(members, "e")?)
}

/// `RSAPublicKey`: modulus and exponent (RFC 8017, appendix A.1.1).
fn numbers(der: &[u8]) -> x509_cert::der::Result<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(der)?;
    let numbers = reader.sequence(|inner: &mut SliceReader<'_>| {
        let (n, e) = (UintRef::decode(inner)?, UintRef::decode(inner)?);
        Ok::<_, x509_cert::der::Error>((n.as_bytes().to_vec(), e.as_bytes().to_vec()))
    })?;
    reader.finish()?;
    Ok(numbers)
}

fn checked_rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Material, KeyError> {
    if !(LEAST_MODULUS..=MOST_MODULUS).contains(&n.len()) || n[0] == 0 || e.is_empty() || e.len() > 4 {
        return Err(KeyError::Kind);
    }
    Ok(Material::Rsa { n, e })
}

fn point(members: &Map<String, Value>, length: usize) -> Result<Vec<u8>, KeyError> {
    Ok([vec![4], bytes(members, "x", length)?, bytes(members, "y", length)?].concat())
}

fn bytes(members: &Map<String, Value>, name: &str, length: usize) -> Result<Vec<u8>, KeyError> {
    decoded(members, name).ok().filter(|bytes| bytes.len() == length).ok_or(KeyError::Form)
}

fn decoded(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    let text = members.get(name).and_then(Value::as_str).ok_or(KeyError::Form)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Form)
}

/// The keys of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// Reads a JWK set. With several keys each must have a `kid`, so that a signature says whose it is.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(set: &Value) -> Result<Self, KeyError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(KeyError::Number)?;
        if keys.is_empty() || keys.len() > MOST_KEYS {
            return Err(KeyError::Number);
        }
        let keys: Vec<PublicKey> = keys.iter().map(PublicKey::read).collect::<Result<_, _>>()?;
        let is_named = |index: usize, key: &PublicKey| {
            key.kid.is_some() && keys[..index].iter().all(|earlier| earlier.kid != key.kid)
        };
        if keys.len() > 1 && !keys.iter().enumerate().all(|(index, key)| is_named(index, key)) {
            return Err(KeyError::Names);
        }
        Ok(Self(keys))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    /// The key of a name; where there is only one, also without.
    #[must_use]
    pub fn find(&self, kid: Option<&str>) -> Option<&PublicKey> {
        match (kid, self.0.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(_), _) => self.0.iter().find(|key| key.kid() == kid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638, section 3.1.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    /// RFC 8037, appendix A.2.
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// RFC 9449, section 4.1: the key whose thumbprint is in section 6.1.
    const EC: &str = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;

    fn key(text: &str) -> Result<PublicKey, KeyError> {
        PublicKey::read(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn thumbprints_are_those_of_the_standards() {
        for (text, thumbprint) in [
            (RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (ED, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            (EC, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        ] {
            assert_eq!(key(text).unwrap().thumbprint(), thumbprint);
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let with = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
        for (text, error) in [
            (with(EC, r#""d":"AA""#), KeyError::Private),
            (with(ED, r#""d":"AA""#), KeyError::Private),
            (with(RSA, r#""p":"AA""#), KeyError::Private),
            (r#"{"kty":"oct","k":"AAAA"}"#.into(), KeyError::Private),
            (r#"{"kty":"oct"}"#.into(), KeyError::Kind),
            (EC.replace("P-256", "P-521"), KeyError::Kind),
            (EC.replace("P-256", "secp256k1"), KeyError::Kind),
            (EC.replace("P-256", "P-384"), KeyError::Form),
            (ED.replace("Ed25519", "X25519"), KeyError::Kind),
            (ED.replace("11qY", "11q+"), KeyError::Form),
            (RSA.replace("0vx7agoe", ""), KeyError::Kind),
            ("[]".into(), KeyError::Form),
        ] {
            assert_eq!(key(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn keys_of_a_set_are_told_apart() {
        let set = |keys: &[String]| {
            let text = format!("{{\"keys\":[{}]}}", keys.join(","));
            KeySet::read(&serde_json::from_str(&text).unwrap())
        };
        let named = |name: &str| EC.replacen('{', &format!("{{\"kid\":\"{name}\","), 1);
        let one = set(&[EC.to_owned()]).unwrap();
        assert!(one.find(None).is_some() && one.find(Some("a")).is_none());
        let two = set(&[named("a"), named("b")]).unwrap();
        assert!(two.find(Some("b")).is_some() && two.find(None).is_none() && two.find(Some("c")).is_none());
        assert_eq!(set(&[named("a"), named("a")]), Err(KeyError::Names));
        assert_eq!(set(&[named("a"), EC.to_owned()]), Err(KeyError::Names));
        assert_eq!(set(&[]), Err(KeyError::Number));
        let many: Vec<String> = (0..=MOST_KEYS).map(|index| named(&index.to_string())).collect();
        assert_eq!(set(&many), Err(KeyError::Number));
    }
}

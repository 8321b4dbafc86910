//! Passkeys: the part of a relying party that Web Authentication asks for (W3C WebAuthn Level 3, sections 7.1 and 7.2).
//!
//! Signatures are checked by `ring`, CBOR is read by `ciborium`. Attestation is not asked for, and whatever comes of it is
//! not looked at: nothing here depends on the make of an authenticator. User verification (PIN, fingerprint, face) is
//! always demanded, which makes a passkey two factors in one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use sha2::{Digest, Sha256};

/// Flags of the authenticator data (section 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENDED: u8 = 0x80;
/// Hash of the site, flags, counter.
const HEAD_BYTES: usize = 37;
/// Longest credential id (section 4).
const ID_BYTES: usize = 1023;
/// Depth to which CBOR is read: an attestation has three levels.
const CBOR_DEPTH: usize = 8;

/// COSE algorithms that are taken (RFC 9053), the best first: ES256, EdDSA with Ed25519, and RS256, which the TPMs of
/// many Windows machines have instead.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// A passkey of a person.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    /// SHA-256 of the credential's id, by which it is found.
    pub digest: String,
    /// The credential's id in base64url, for lists of those that are there already.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    key: PublicKey,
    /// Signatures made, as the authenticator counts them; always 0 for those that do not count.
    counter: u32,
    /// Whether it may be copied to other devices by its maker's means. Never changes.
    copied: bool,
    /// When it was added.
    pub added: i64,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i64>,
    /// Its counter went back: there are two of it. It is not taken any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspect: bool,
}

/// The public half of a passkey, each part in base64url.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum PublicKey {
    /// ECDSA on P-256: the point, uncompressed.
    Es256(String),
    /// Ed25519: the point.
    Ed25519(String),
    /// RSA with PKCS #1 v1.5: modulus and exponent.
    Rs256(String, String),
}

/// Where passkeys are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The relying party's id: the host's name.
    pub id: String,
    /// The origin of its pages.
    pub origin: String,
}

/// What a browser sends when a passkey is made (section 5.2.1), decoded.
pub struct Made<'r> {
    /// `clientDataJSON`.
    pub client: &'r [u8],
    /// `attestationObject`.
    pub attestation: &'r [u8],
}

/// What a browser sends when a passkey is used (section 5.2.2), decoded.
pub struct Used<'r> {
    /// `clientDataJSON`.
    pub client: &'r [u8],
    /// `authenticatorData`.
    pub authenticator: &'r [u8],
    /// `signature`.
    pub signature: &'r [u8],
}

/// Why a passkey is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// What was sent cannot be read.
    #[error("what the browser sent cannot be read")]
    Malformed,
    /// It was made for another site or page.
    #[error("it was made for another site")]
    Elsewhere,
    /// It does not answer our question, or the question is too old.
    #[error("it answers another question, or too late")]
    Challenge,
    /// Nobody showed that it is them, by PIN, fingerprint or face.
    #[error("the user was not verified")]
    NotVerified,
    /// An algorithm that was not offered.
    #[error("its algorithm was not offered")]
    Algorithm,
    /// The signature is not this key's.
    #[error("the signature is wrong")]
    Signature,
    /// The counter went back: there are two of this key.
    #[error("its counter went back: it was cloned")]
    Cloned,
}

#[derive(serde::Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

impl Site {
    /// The site of pages under an address. Passkeys belong to names, so this machine by number is `localhost`; another
    /// machine by number has none.
    #[must_use]
    pub fn of(base_url: &str) -> Option<Self> {
        let (scheme, rest) = base_url.split_once("://")?;
        let authority = rest.split('/').next()?.to_ascii_lowercase();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
            _ => (authority.as_str(), None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let id = match bare.parse::<std::net::IpAddr>() {
            Ok(address) if address.is_loopback() => "localhost",
            Ok(_) => return None,
            Err(_) => host,
        };
        let default = if scheme == "https" { "443" } else { "80" };
        let port = port.filter(|port| *port != default).map(|port| format!(":{port}")).unwrap_or_default();
        Some(Self { id: id.to_owned(), origin: format!("{scheme}://{id}{port}") })
    }
}

impl Passkey {
    /// Takes a passkey that was just made. `is_ours` says whether a challenge is one that we asked.
    ///
    /// # Errors
    /// [`Fault`] when it is not to be taken.
    pub fn register(
        site: &Site,
        made: &Made<'_>,
        name: &str,
        now: i64,
        is_ours: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Self, Fault> {
        check_client(site, made.client, "webauthn.create", is_ours)?;
        let object = read_cbor(&mut &*made.attestation)?;
        let data = member(&object, |key| key.as_text() == Some("authData")).and_then(Value::as_bytes);
        let data = data.ok_or(Fault::Malformed)?;
        let head = Head::read(site, data)?;
        if head.flags & ATTESTED == 0 {
            return Err(Fault::Malformed);
        }
        // AAGUID (16 bytes, not looked at), length of the id, id, key, extensions.
        let rest = data.get(HEAD_BYTES + 16..).ok_or(Fault::Malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(Fault::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > ID_BYTES || length > rest.len() {
            return Err(Fault::Malformed);
        }
        let (id, mut rest) = rest.split_at(length);
        let key = PublicKey::of_cose(&read_cbor(&mut rest)?)?;
        if head.flags & EXTENDED != 0 {
            read_cbor(&mut rest)?;
        }
        if !rest.is_empty() {
            return Err(Fault::Malformed);
        }
        Ok(Self {
            digest: Self::digest(id),
            id: URL_SAFE_NO_PAD.encode(id),
            name: name.to_owned(),
            key,
            counter: head.counter,
            copied: head.flags & BACKUP_ELIGIBLE != 0,
            added: now,
            used: None,
            suspect: false,
        })
    }

    /// By what a passkey with this credential id is found.
    #[must_use]
    pub fn digest(id: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(id))
    }

    /// Takes a signature of this passkey. One whose counter goes back is marked, and then neither of the two is taken again.
    ///
    /// # Errors
    /// [`Fault`] when it is not to be taken. After [`Fault::Cloned`] the passkey must be written like after a success.
    pub fn verify(
        &mut self,
        site: &Site,
        used: &Used<'_>,
        now: i64,
        is_ours: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), Fault> {
        check_client(site, used.client, "webauthn.get", is_ours)?;
        let head = Head::read(site, used.authenticator)?;
        let signed = [used.authenticator, &Sha256::digest(used.client)].concat();
        self.key.verify(&signed, used.signature)?;
        // Section 6.1.3: eligibility for backup is set once and for all.
        if (head.flags & BACKUP_ELIGIBLE != 0) != self.copied {
            return Err(Fault::Malformed);
        }
        let counts = head.counter != 0 || self.counter != 0;
        if self.suspect || (counts && head.counter <= self.counter) {
            self.suspect = true;
            return Err(Fault::Cloned);
        }
        self.counter = head.counter;
        self.used = Some(now);
        Ok(())
    }
}

/// What both ceremonies begin with: what kind it is, whose question it answers, and on whose page it was asked.
fn check_client(
    site: &Site,
    json: &[u8],
    ceremony: &str,
    is_ours: impl FnOnce(&[u8]) -> bool,
) -> Result<(), Fault> {
    let data: ClientData = serde_json::from_slice(json).map_err(|_| Fault::Malformed)?;
    if data.ceremony != ceremony {
        return Err(Fault::Malformed);
    }
    if data.origin != site.origin || data.cross_origin {
        return Err(Fault::Elsewhere);
    }
    let challenge = URL_SAFE_NO_PAD.decode(&data.challenge).map_err(|_| Fault::Challenge)?;
    if is_ours(&challenge) { Ok(()) } else { Err(Fault::Challenge) }
}

/// The first part of authenticator data.
struct Head {
    flags: u8,
    counter: u32,
}

impl Head {
    fn read(site: &Site, data: &[u8]) -> Result<Self, Fault> {
        let (head, rest) = data.split_first_chunk::<HEAD_BYTES>().ok_or(Fault::Malformed)?;
        if head[..32] != Sha256::digest(site.id.as_bytes())[..] {
            return Err(Fault::Elsewhere);
        }
        let flags = head[32];
        if flags & PRESENT == 0 || flags & VERIFIED == 0 {
            return Err(Fault::NotVerified);
        }
        let is_impossible = flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0;
        let has_rest = flags & (ATTESTED | EXTENDED) != 0;
        if is_impossible || has_rest == rest.is_empty() {
            return Err(Fault::Malformed);
        }
        let counter = u32::from_be_bytes([head[33], head[34], head[35], head[36]]);
        Ok(Self { flags, counter })
    }
}

impl PublicKey {
    /// A key in COSE form (RFC 9052, section 7; RFC 9053, section 7; RFC 8230).
    fn of_cose(key: &Value) -> Result<Self, Fault> {
        let number = |label: i64| {
            let value = member(key, |key| integer(key) == Some(label));
            value.and_then(integer).ok_or(Fault::Malformed)
        };
        let bytes = |label: i64| {
            let value = member(key, |key| integer(key) == Some(label));
            value.and_then(Value::as_bytes).ok_or(Fault::Malformed)
        };
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match (number(1)?, number(3)?) {
            (2, -7) => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                if number(-1)? != 1 || x.len() != 32 || y.len() != 32 {
                    return Err(Fault::Malformed);
                }
                Ok(Self::Es256(text(&[&[4], x.as_slice(), y].concat())))
            }
            (1, -8) => {
                let x = bytes(-2)?;
                if number(-1)? != 6 || x.len() != 32 {
                    return Err(Fault::Malformed);
                }
                Ok(Self::Ed25519(text(x)))
            }
            (3, -257) => Ok(Self::Rs256(text(bytes(-1)?), text(bytes(-2)?))),
            _ => Err(Fault::Algorithm),
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Fault> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Fault::Malformed);
        let verified = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, bytes(point)?).verify(signed, signature)
            }
            Self::Ed25519(point) => UnparsedPublicKey::new(&ED25519, bytes(point)?).verify(signed, signature),
            Self::Rs256(n, e) => RsaPublicKeyComponents { n: bytes(n)?, e: bytes(e)? }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                signed,
                signature,
            ),
        };
        verified.map_err(|_| Fault::Signature)
    }
}

/// One value of CBOR; what comes after it is left in `bytes`. Its size is bounded by that of the form it came in.
fn read_cbor(bytes: &mut &[u8]) -> Result<Value, Fault> {
    ciborium::de::from_reader_with_recursion_limit(bytes, CBOR_DEPTH).map_err(|_| Fault::Malformed)
}

fn member(map: &Value, is_it: impl Fn(&Value) -> bool) -> Option<&Value> {
    let members = map.as_map()?;
    members.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

fn integer(value: &Value) -> Option<i64> {
    value.as_integer().and_then(|number| i64::try_from(number).ok())
}

#[cfg(test)]
#[path = "passkey_tests.rs"]
mod tests;

//! Who somebody is in the world, as Korean providers of identity prove it: 간편인증 (an app of a bank or messenger),
//! 본인확인 (by a 본인확인기관, mostly over the mobile phone; 정보통신망법 §23의3) and certificates (공동인증서, 금융인증서;
//! 전자서명법). All three are relays: the hub opens a transaction, the person shows who they are on the relay's page, and the
//! hub fetches a sealed result.
//!
//! The networks behind them need contracts, and each has its own form. What enters Ieum is the same whatever the form:
//! [`Checker`] is what an adapter does, [`Checked`] what it gives. There is one adapter so far, for the simulator.
//!
//! What it is for: a patient gets the account that an institution prepared for them. The 연계정보 (CI: 88 characters, one for a
//! person across services) is never kept; a keyed digest of it is.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;

use crate::account::hexadecimal;

pub mod sealed;

/// Letters of a CI: 64 bytes in base64.
const CI_CHARS: usize = 88;
/// Checks of one hub.
pub const CHECKS: usize = 10;

/// The ways to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 간편인증.
    Simple,
    /// 본인확인 by a 본인확인기관.
    Phone,
    /// 공동인증서 or 금융인증서.
    Certificate,
}

/// One relay, as whoever runs the hub sets it up (`[[identity_check]]` in `ieum.toml`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// What it is called in addresses and audit entries.
    pub id: String,
    /// Which way it is.
    pub kind: Kind,
    /// What people read on its button, in Korean.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// Where it is asked.
    pub address: String,
    /// The file with the key that both know.
    pub key_file: std::path::PathBuf,
}

/// Why relays cannot be set up so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    /// Id or name.
    #[error(
        "identity_check \"{0}\": an id has 1 to 32 small letters, digits and hyphens; name and name_en have 1 to 40 letters"
    )]
    Name(String),
    /// The address.
    #[error(
        "identity_check \"{0}\": address must be http://127.0.0.1:PORT, where `ieum simulator` runs; other relays need an adapter first"
    )]
    Address(String),
    /// Two are one, or there are too many.
    #[error("identity_check \"{0}\": another has the same id, or there are more than 10")]
    Number(String),
}

/// Whether these can be used.
///
/// # Errors
/// [`SetUpError`].
pub fn check(relays: &[Relay]) -> Result<(), SetUpError> {
    for (index, relay) in relays.iter().enumerate() {
        let id = || relay.id.clone();
        let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = |name: &str| (1..=40).contains(&name.trim().chars().count());
        if !(1..=32).contains(&relay.id.len()) || !relay.id.bytes().all(is_id) {
            return Err(SetUpError::Name(id()));
        }
        if !is_name(&relay.name) || !is_name(&relay.name_en) {
            return Err(SetUpError::Name(id()));
        }
        let port = relay.address.strip_prefix("http://127.0.0.1:").and_then(|port| port.parse::<u16>().ok());
        if port.is_none() {
            return Err(SetUpError::Address(id()));
        }
        if index >= CHECKS || relays[..index].iter().any(|other| other.id == relay.id) {
            return Err(SetUpError::Number(id()));
        }
    }
    Ok(())
}

/// An adapter to one relay.
pub trait Checker: Send + Sync {
    /// Opens a transaction. `request` is ours, and must be in the result; `back` is where the person comes back to.
    ///
    /// # Errors
    /// [`Trouble`].
    fn begin(&self, request: &str, back: &str) -> Result<Begun, Trouble>;

    /// Fetches the result of a transaction, once. `now` in seconds since 1970.
    ///
    /// # Errors
    /// [`Trouble`].
    fn finish(&self, transaction: &str, request: &str, now: i64) -> Result<Checked, Trouble>;
}

/// A transaction that waits for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its name at the relay.
    pub transaction: String,
    /// The relay's page.
    pub page: String,
}

/// Why nobody was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No answer, or one that cannot be read.
    #[error("the relay cannot be reached, or gives no answer that can be read")]
    Unreachable,
    /// The person has not finished there.
    #[error("the person has not finished")]
    Pending,
    /// The person said no.
    #[error("the person refused")]
    Refused,
    /// Too late, or fetched already.
    #[error("the transaction is over")]
    Over,
    /// The result is not the relay's, or is another transaction's.
    #[error("the result is not sealed for this transaction")]
    Sealed,
}

/// Somebody who has been proven. Nothing of it is printed or kept as it is but what [`Proven`] holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// How.
    pub kind: Kind,
    /// The name in the register.
    pub name: String,
    /// Day of birth.
    pub birth_date: Date,
    /// `male` or `female`, as FHIR writes it.
    pub sex: String,
    /// Whether they are a foreigner in Korea's registers.
    pub foreign: bool,
    /// The mobile number, digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// The CI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What is kept in an account of how it was proven whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proven {
    /// The id of the relay.
    pub by: String,
    /// Which way.
    pub kind: Kind,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Keyed digest of the CI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
}

/// What an institution has on record of a patient.
#[derive(Clone, Default)]
pub struct Recorded {
    /// Names, in all spellings.
    pub names: Vec<String>,
    /// Day of birth as recorded.
    pub birth: Option<String>,
    /// Administrative sex.
    pub sex: Option<String>,
    /// Telephone numbers as recorded.
    pub phones: Vec<String>,
    /// Keyed digest of the CI, where it is known.
    pub ci: Option<String>,
}

impl Checked {
    /// The digest of the CI under the hub's key; `None` when there is none, or it is not one.
    #[must_use]
    pub fn ci_digest(&self, key: &[u8]) -> Option<String> {
        let ci = self.ci.as_ref().filter(|ci| ci.len() == CI_CHARS && ci.is_ascii())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(ci.as_bytes());
        Some(hexadecimal(&mac.finalize().into_bytes()))
    }

    /// Whether this is the patient of a record. Name and day of birth must agree, and with them the CI where it is known;
    /// where it is not, sex and the mobile number, because in Korea many share name, birth and sex.
    #[must_use]
    pub fn is(&self, recorded: &Recorded, ci: Option<&str>) -> bool {
        let same_name = recorded.names.iter().any(|name| folded(name) == folded(&self.name));
        let same_birth = recorded.birth.as_deref() == Some(self.birth_date.to_string().as_str());
        let same_rest = match &recorded.ci {
            Some(known) => ci == Some(known),
            None => {
                let mobile = self.mobile.as_deref().and_then(number);
                let same_phone =
                    recorded.phones.iter().any(|phone| mobile.is_some() && number(phone) == mobile);
                recorded.sex.as_deref() == Some(self.sex.as_str()) && same_phone
            }
        };
        same_name && same_birth && same_rest
    }
}

/// A name without spaces, however it is composed.
fn folded(name: &str) -> String {
    name.nfkc().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).nfc().collect()
}

/// The digits of a telephone number, in the form of within Korea; `None` when there are too few to tell people apart.
fn number(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let within = match digits.strip_prefix("82") {
        Some(rest) if text.trim_start().starts_with('+') => format!("0{rest}"),
        _ => digits,
    };
    (within.len() >= 9).then_some(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kim() -> Checked {
        Checked {
            kind: Kind::Simple,
            name: "김하늘".into(),
            birth_date: "1980-02-03".parse().unwrap(),
            sex: "female".into(),
            foreign: false,
            mobile: Some("01012345678".into()),
            ci: Some("A".repeat(88)),
        }
    }

    fn recorded() -> Recorded {
        Recorded {
            names: vec!["KIM HANEUL".into(), "김 하늘".nfd().collect()],
            birth: Some("1980-02-03".into()),
            sex: Some("female".into()),
            phones: vec!["02-123-4567".into(), "+82 10-1234-5678".into()],
            ci: None,
        }
    }

    #[test]
    fn name_and_birth_alone_prove_nobody() {
        let digest = kim().ci_digest(b"key");
        let is = |set: &dyn Fn(&mut Recorded)| {
            let mut other = recorded();
            set(&mut other);
            kim().is(&other, digest.as_deref())
        };
        assert!(is(&|_| {}));
        assert!(!is(&|other| other.names = vec!["김하나".into()]));
        assert!(!is(&|other| other.birth = Some("1980-02".into())));
        assert!(!is(&|other| other.birth = None));
        assert!(!is(&|other| other.sex = Some("male".into())));
        assert!(!is(&|other| other.sex = None));
        assert!(!is(&|other| other.phones = vec!["010-1234-5679".into()]));
        assert!(!is(&|other| other.phones = vec![]));
        assert!(
            !Checked { mobile: None, ..kim() }
                .is(&Recorded { phones: vec![String::new()], ..recorded() }, None)
        );
        // The CI, where it is known, says it alone; a telephone changes hands.
        assert!(is(&|other| {
            other.ci.clone_from(&digest);
            other.phones.clear();
        }));
        assert!(!is(&|other| other.ci = Some("another".into())));
        assert!(!kim().is(&Recorded { ci: digest.clone(), ..recorded() }, None));
    }

    #[test]
    fn a_ci_is_kept_as_a_keyed_digest_and_nothing_is_printed() {
        let digest = kim().ci_digest(b"key").unwrap();
        assert!(digest.len() == 64 && kim().ci_digest(b"other").unwrap() != digest);
        assert_eq!(Checked { ci: Some("short".into()), ..kim() }.ci_digest(b"key"), None);
        assert_eq!(format!("{:?}", kim()), "Checked { kind: Simple, .. }");
    }

    #[test]
    fn relays_are_simulators_on_this_machine() {
        let relay = || Relay {
            id: "simple".into(),
            kind: Kind::Simple,
            name: "간편인증".into(),
            name_en: "Simple".into(),
            address: "http://127.0.0.1:9100".into(),
            key_file: "key".into(),
        };
        assert_eq!(check(&[relay()]), Ok(()));
        assert!(matches!(check(&[relay(), relay()]), Err(SetUpError::Number(_))));
        for address in [
            "https://relay.example",
            "http://127.0.0.1:9100/a",
            "http://127.0.0.1:9100@evil.example",
            "http://127.0.0.1.evil:80",
        ] {
            assert!(matches!(
                check(&[Relay { address: address.into(), ..relay() }]),
                Err(SetUpError::Address(_))
            ));
        }
        assert!(matches!(check(&[Relay { id: "A".into(), ..relay() }]), Err(SetUpError::Name(_))));
        assert!(matches!(check(&[Relay { name: " ".into(), ..relay() }]), Err(SetUpError::Name(_))));
    }
}

//! People who enter: a log-in name and what proves that it is them (`docs/people.md`).
//!
//! A person acts as one of their accounts ([`crate::account`]). What is kept of a factor is what is needed to check it: of
//! a password its Argon2id hash, of a passkey its public key, of a recovery code its digest; only the secret of a code
//! app has to be kept as it is (RFC 6238).

use std::fmt;

use data_encoding::BASE32_NOPAD;
use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::own::{OwnKind, OwnParam};
use unicode_normalization::UnicodeNormalization;

use crate::account::digest;

pub mod entry;
pub mod keep;
pub mod link;
pub mod passkey;
pub mod password;
pub mod totp;

use link::Link;
use passkey::Passkey;
use totp::Totp;

/// The record kind.
pub static PERSON: OwnKind = OwnKind {
    name: "IeumPerson",
    family: Family::System,
    params: &[
        OwnParam { code: "login", param_type: ParamType::Token, path: &["login"] },
        OwnParam { code: "passkey", param_type: ParamType::Token, path: &["passkeys", "digest"] },
        OwnParam { code: "link", param_type: ParamType::Token, path: &["links", "identity"] },
    ],
};

/// Passkeys of one person.
pub const PASSKEYS: usize = 10;
/// Browsers remembered of one person; the one not used for longest makes room.
pub const BROWSERS: usize = 8;
/// Recovery codes made at a time.
const RECOVERY_CODES: usize = 10;

/// Whether a person may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Has a log-in name, and nothing yet that proves who it is.
    Invited,
    /// May enter.
    Active,
    /// May not enter until an administrator says so.
    Locked,
    /// Has left; the log-in name is not given to anybody else.
    Ended,
}

/// One person.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The log-in name, as [`login_name`] writes it.
    pub login: String,
    /// How the person is greeted.
    pub name: String,
    /// Whether they may enter.
    pub state: State,
    /// Argon2id hash of the password, as a PHC string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The code app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<Totp>,
    /// Passkeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
    /// Who they are at providers elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// SHA-256 of the recovery codes that are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<String>,
    /// SHA-256 of what the browsers hold that this person has entered from, the latest first: guessing elsewhere does not
    /// slow these down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub browsers: Vec<String>,
    /// Sessions of an earlier number have ended.
    pub generation: u64,
    /// When they last entered, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_entry: Option<i64>,
}

/// Never what proves that it is them.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Person {
    /// Somebody who has been invited and has chosen a log-in name.
    #[must_use]
    pub fn invited(login: &str, name: &str) -> Self {
        Self {
            login: login.to_owned(),
            name: name.to_owned(),
            state: State::Invited,
            password: None,
            totp: None,
            passkeys: Vec::new(),
            links: Vec::new(),
            recovery: Vec::new(),
            browsers: Vec::new(),
            generation: 0,
            last_entry: None,
        }
    }

    /// Whether what is there suffices to enter: a passkey, a password with a code app, or a log-in elsewhere - at one of
    /// the issuers of which it is two factors, or with a code app. A password alone never does.
    #[must_use]
    pub fn is_complete(&self, offered: &[Issuer<'_>]) -> bool {
        let has_passkey = self.passkeys.iter().any(|passkey| !passkey.suspect);
        let has_link = self.links.iter().any(|link| {
            let issuer = offered.iter().find(|issuer| issuer.issuer == link.issuer);
            issuer.is_some_and(|issuer| issuer.two_factors || self.totp.is_some())
        });
        has_passkey || has_link || (self.password.is_some() && self.totp.is_some())
    }

    /// Takes away everything that proves who it is, for a first entry over again.
    pub fn forget_factors(&mut self) {
        self.password = None;
        self.totp = None;
        self.passkeys.clear();
        self.links.clear();
        self.recovery.clear();
        self.browsers.clear();
    }

    /// Ends every session there is.
    pub fn end_sessions(&mut self) {
        self.generation += 1;
    }

    /// Takes a code of the app, or one recovery code; either counts once.
    pub fn take_code(&mut self, code: &str, now: i64) -> Option<Code> {
        if self.totp.as_mut().is_some_and(|totp| totp.take(code, now)) {
            return Some(Code::App);
        }
        let wanted = digest(&recovery_form(code)?);
        let place = self.recovery.iter().position(|kept| *kept == wanted)?;
        self.recovery.remove(place);
        Some(Code::Recovery)
    }

    /// Makes recovery codes anew; gives them to be shown, once.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn renew_recovery(&mut self) -> Result<Vec<String>, getrandom::Error> {
        let codes: Vec<String> =
            (0..RECOVERY_CODES).map(|_| recovery_code()).collect::<Result<_, getrandom::Error>>()?;
        self.recovery =
            codes.iter().filter_map(|code| recovery_form(code)).map(|code| digest(&code)).collect();
        Ok(codes)
    }

    /// Remembers a browser that this person has entered from.
    pub fn remember_browser(&mut self, browser: &str) {
        let digest = digest(browser);
        self.browsers.retain(|known| *known != digest);
        self.browsers.insert(0, digest);
        self.browsers.truncate(BROWSERS);
    }

    /// Whether this person has entered from a browser before.
    #[must_use]
    pub fn knows_browser(&self, browser: &str) -> bool {
        self.browsers.contains(&digest(browser))
    }
}

/// A provider elsewhere that people may log in at, as whoever runs the hub has set it up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer<'a> {
    /// Its issuer.
    pub issuer: &'a str,
    /// Whether logging in there is two factors.
    pub two_factors: bool,
}

/// What a code was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Of the app.
    App,
    /// A recovery code.
    Recovery,
}

/// Characters of a log-in name.
pub const LOGIN_CHARS: std::ops::RangeInclusive<usize> = 3..=64;

/// A log-in name as it is kept, so that ways of typing it are one name: compatibility forms composed (NFKC: full-width
/// letters and Korean letters in parts too) and small letters. `None` when it is too short or long, or has other signs
/// than letters, digits and `. _ - @`.
#[must_use]
pub fn login_name(text: &str) -> Option<String> {
    // No name of the longest kind is longer, however it is written.
    if text.len() > 1024 {
        return None;
    }
    let folded: String = text.trim().nfkc().flat_map(char::to_lowercase).nfc().collect();
    let is_allowed = |c: char| c.is_alphanumeric() || "._-@".contains(c);
    (LOGIN_CHARS.contains(&folded.chars().count()) && folded.chars().all(is_allowed)).then_some(folded)
}

/// 80 bits, in four groups of letters and digits.
fn recovery_code() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)?;
    let code = BASE32_NOPAD.encode(&bytes);
    Ok([&code[..4], &code[4..8], &code[8..12], &code[12..]].join("-"))
}

/// A recovery code without its hyphens, in capitals, with what is easily misread put right.
fn recovery_form(text: &str) -> Option<String> {
    let code: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(17)
        .map(|c| match c.to_ascii_uppercase() {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other,
        })
        .collect();
    (code.len() == 16).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_in_names_are_one_however_they_are_typed() {
        let name = login_name("김간호").unwrap();
        // Letters in parts, as some systems send them; full-width; capitals; spaces around.
        let in_parts: String = "김간호".nfd().collect();
        assert_eq!(login_name(&in_parts).as_deref(), Some(name.as_str()));
        assert_eq!(login_name(" Ｋim.Nurse ").as_deref(), Some("kim.nurse"));
        assert_eq!(login_name("ÉCOLE"), login_name("e\u{301}cole"));
        for bad in ["", "ab", "a b c", "a/b/c", "<script>", "a\u{200b}bc", &"a".repeat(65), &"a".repeat(5000)]
        {
            assert_eq!(login_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn recovery_codes_count_once() {
        let mut person = Person::invited("kim", "김");
        let codes = person.renew_recovery().unwrap();
        assert_eq!((codes.len(), person.recovery.len()), (10, 10));
        assert!(codes.iter().all(|code| code.len() == 19 && !person.recovery.contains(code)));
        let typed = codes[3].to_lowercase().replace('-', " ").replace('o', "0");
        assert_eq!(person.take_code(&typed, 0), Some(Code::Recovery));
        assert_eq!(person.take_code(&codes[3], 0), None, "used");
        assert_eq!(person.take_code("", 0), None);
        assert_eq!(person.take_code("AAAA-AAAA-AAAA-AAAA", 0), None);
        let old = codes[0].clone();
        person.renew_recovery().unwrap();
        assert_eq!(person.take_code(&old, 0), None, "new ones replace the old");
    }

    #[test]
    fn a_password_alone_never_suffices() {
        let mut person = Person::invited("kim", "김");
        assert!(!person.is_complete(&[]));
        person.password = Some("$argon2id$…".into());
        assert!(!person.is_complete(&[]));
        person.totp = Some(Totp::new(Totp::random_secret().unwrap()));
        assert!(person.is_complete(&[]));
        person.password = None;
        assert!(!person.is_complete(&[]), "a code alone does not either");
    }

    #[test]
    fn a_log_in_elsewhere_suffices_as_far_as_it_is_two_factors_and_still_offered() {
        let issuer = |two_factors| Issuer { issuer: "https://id.example", two_factors };
        let mut person = Person::invited("kim", "김");
        person.links.push(Link::new("https://id.example", "digest", 1));
        assert!(person.is_complete(&[issuer(true)]));
        assert!(!person.is_complete(&[issuer(false)]) && !person.is_complete(&[]));
        person.totp = Some(Totp::new(Totp::random_secret().unwrap()));
        assert!(person.is_complete(&[issuer(false)]) && !person.is_complete(&[]));
        person.forget_factors();
        assert!(person.links.is_empty() && !person.is_complete(&[issuer(true)]));
    }

    #[test]
    fn browsers_are_remembered_and_bounded() {
        let mut person = Person::invited("kim", "김");
        for number in 0..20 {
            person.remember_browser(&number.to_string());
        }
        person.remember_browser("13");
        assert_eq!(person.browsers.len(), BROWSERS);
        assert!(person.knows_browser("13") && person.knows_browser("19") && !person.knows_browser("3"));
    }

    // threat: 18
    #[test]
    fn nothing_secret_is_printed() {
        let mut person = Person::invited("kim", "김");
        person.password = Some("hash".into());
        assert_eq!(format!("{person:?}"), "Person { state: Invited, .. }");
    }
}

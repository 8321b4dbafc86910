//! Codes of an app: time-based one-time passwords (RFC 6238), six digits, 30 seconds, HMAC-SHA-1, which is what all apps do.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds for which a code is the one.
const STEP_SECONDS: i64 = 30;
/// Steps by which the clock of a telephone may be off, to either side.
const DRIFT: u64 = 1;

/// A code app.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totp {
    /// The shared secret, in base32.
    secret: String,
    /// The step of the last code taken: it and earlier ones are not taken again.
    last: u64,
}

impl Totp {
    /// An app that holds this secret; no code of it has been taken.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self { secret, last: 0 }
    }

    /// A new secret: 160 bits in base32, as RFC 4226 section 4 recommends.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn random_secret() -> Result<String, getrandom::Error> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes)?;
        Ok(BASE32_NOPAD.encode(&bytes))
    }

    /// Takes a code, if it is right at this time and neither it nor a later one has been taken before.
    pub fn take(&mut self, code: &str, now_micros: i64) -> bool {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let Ok(now) = u64::try_from(now_micros / 1_000_000 / STEP_SECONDS) else { return false };
        let steps = now.saturating_sub(DRIFT)..=now + DRIFT;
        let found = steps.filter(|step| *step > self.last).find(|step| self.code(*step) == digits);
        if let Some(step) = found {
            self.last = step;
        }
        found.is_some()
    }

    /// The code of a time, as an app shows it.
    #[must_use]
    pub fn code_at(&self, now_micros: i64) -> String {
        self.code(u64::try_from(now_micros / 1_000_000 / STEP_SECONDS).unwrap_or(0))
    }

    /// What an app reads from the QR code
    /// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
    #[must_use]
    pub fn uri(secret: &str, login: &str) -> String {
        let login: String = login.bytes().fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
            }
            text
        });
        format!("otpauth://totp/Ieum:{login}?secret={secret}&issuer=Ieum")
    }

    /// HOTP of a step (RFC 4226, section 5.3).
    fn code(&self, step: u64) -> String {
        let key = BASE32_NOPAD.decode(self.secret.as_bytes()).unwrap_or_default();
        let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 0x0f);
        let four = [hash[offset] & 0x7f, hash[offset + 1], hash[offset + 2], hash[offset + 3]];
        format!("{:06}", u32::from_be_bytes(four) % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn of_the_specification() -> Totp {
        Totp::new(BASE32_NOPAD.encode(b"12345678901234567890"))
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits; six are their end.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(of_the_specification().code_at(seconds * SECOND), code[2..], "{seconds}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_4226() {
        let codes: Vec<String> = (0..4).map(|step| of_the_specification().code(step)).collect();
        assert_eq!(codes, ["755224", "287082", "359152", "969429"]);
    }

    #[test]
    fn a_code_counts_once_and_only_around_its_time() {
        let now = 1_793_502_000 * SECOND;
        let mut totp = of_the_specification();
        let code = totp.code_at(now);
        let earlier = totp.code_at(now - 30 * SECOND);
        assert!(!totp.clone().take(&code, now + 61 * SECOND) && !totp.clone().take(&code, now - 61 * SECOND));
        assert!(totp.clone().take(&code, now + 31 * SECOND) && totp.clone().take(&earlier, now));
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert!(totp.take(&spaced, now));
        assert!(!totp.take(&code, now) && !totp.take(&code, now + 10 * SECOND), "taken");
        assert!(!totp.take(&earlier, now), "nor an earlier one");
        let next = totp.code_at(now + 30 * SECOND);
        assert!(totp.take(&next, now + 30 * SECOND));
        for bad in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert!(!totp.take(bad, now), "{bad}");
        }
    }

    #[test]
    fn the_address_for_apps_holds_the_name_encoded() {
        let uri = Totp::uri("ABC", "김 a&b");
        assert_eq!(uri, "otpauth://totp/Ieum:%EA%B9%80%20a%26b?secret=ABC&issuer=Ieum");
    }
}

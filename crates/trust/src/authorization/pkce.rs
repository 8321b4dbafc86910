//! Proof key for code exchange (RFC 7636), with S256 alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Whether a text has the form of an S256 challenge: 43 letters of base64url (RFC 7636, section 4.2).
#[must_use]
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// Whether the verifier is the one that the challenge was made from (RFC 7636, section 4.6).
#[must_use]
pub fn verifies(challenge: &str, verifier: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let has_form = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_letter);
    // The challenge is no secret: how long the comparison takes tells nothing.
    has_form && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_standard_is_verified() {
        assert!(is_challenge(CHALLENGE) && verifies(CHALLENGE, VERIFIER));
        assert!(!verifies(CHALLENGE, &VERIFIER.replace('d', "e")));
        assert!(!verifies(VERIFIER, VERIFIER), "the method `plain` is none");
    }

    #[test]
    fn what_has_not_the_form_is_refused() {
        for text in ["", "abc", &CHALLENGE[1..], &format!("{CHALLENGE}A"), &CHALLENGE.replace('-', "+")] {
            assert!(!is_challenge(text), "{text}");
        }
        // Too short, too long, another letter: even where the digest would be right.
        for verifier in ["a".repeat(42), "a".repeat(129), "ä".repeat(30), format!("{} ", "a".repeat(43))] {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            assert!(!verifies(&challenge, &verifier), "{verifier}");
        }
    }
}

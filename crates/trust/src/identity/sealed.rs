//! Results of checks on their way: AES-256-GCM under a key that only hub and relay have, made anew for each transaction
//! (HKDF, RFC 5869). What was sealed for another transaction, or changed, does not open.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};

/// Bytes of a sealed result.
const MOST: usize = 16 << 10;

/// Seals what a relay says about a transaction that the hub asked for by this request.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn seal(
    key: &[u8],
    (transaction, request): (&str, &str),
    text: &[u8],
) -> Result<Vec<u8>, getrandom::Error> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)?;
    let mut sealed = text.to_vec();
    derived(key, transaction, request)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .expect("a result is shorter than 64 GiB");
    Ok([&nonce[..], &sealed].concat())
}

/// Opens it; `None` when it is not sealed with this key for this transaction and request.
#[must_use]
pub fn open(key: &[u8], (transaction, request): (&str, &str), sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().filter(|_| sealed.len() <= MOST)?;
    let mut text = rest.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = derived(key, transaction, request).open_in_place(nonce, Aad::empty(), &mut text).ok()?;
    Some(opened.to_vec())
}

fn derived(key: &[u8], transaction: &str, request: &str) -> LessSafeKey {
    let from = Salt::new(HKDF_SHA256, b"ieum identity result").extract(key);
    let length = (transaction.len() as u64).to_be_bytes();
    let info = [&length[..], transaction.as_bytes(), request.as_bytes()];
    let made = from.expand(&info, &AES_256_GCM).expect("32 bytes are few");
    LessSafeKey::new(UnboundKey::from(made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_transaction_alone() {
        let sealed = seal(b"key", ("t", "r"), b"text").unwrap();
        assert_eq!(open(b"key", ("t", "r"), &sealed).as_deref(), Some(&b"text"[..]));
        for (key, about) in
            [(&b"other"[..], ("t", "r")), (b"key", ("u", "r")), (b"key", ("t", "s")), (b"key", ("tr", ""))]
        {
            assert_eq!(open(key, about, &sealed), None);
        }
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(open(b"key", ("t", "r"), &changed), None, "{place}");
            assert_eq!(open(b"key", ("t", "r"), &sealed[..place]), None);
        }
        assert_ne!(seal(b"key", ("t", "r"), b"text").unwrap(), sealed);
    }
}

//! Signed tokens: JSON Web Signature in its compact form (RFC 7515), as RFC 8725 asks for it. The algorithm is one of a
//! closed list, the key is one we hold already, and a header that wants more of us is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::jwk::PublicKey;

/// Bytes of a token.
pub const MOST_BYTES: usize = 8 << 10;
/// Bytes of a token that has certificates in its header.
const MOST_WITH_CHAIN: usize = 28 << 10;

/// An algorithm that we know. There is no `none` and nothing with a shared secret, so no header can ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256: for ID tokens of other providers, most of whom know no other (OpenID Connect Core 1.0,
    /// section 3.1.3.7), and for software statements, which UDAP signs with it. No app's policy takes it.
    Rs256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// As in a header (RFC 7518, section 3.1; RFC 8037).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// No token.
    #[error("it is not three parts in base64url, or not JSON in them")]
    Form,
    /// The algorithm is not among those that are taken.
    #[error("its algorithm is not taken")]
    Algorithm,
    /// The type is another.
    #[error("its `typ` is another than it must be")]
    Type,
    /// The header asks for something that we do not do: take a key from elsewhere, or understand an extension.
    #[error("its header has `crit`, `jku`, `x5u`, `x5c` or a `jwk` that it must not have")]
    Header,
    /// The signature is not by this key.
    #[error("its signature is not by the key it should be by")]
    Signature,
}

/// A header. Members that would lead us to other keys are read only to be refused.
#[derive(Debug, Clone, Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    jwk: Option<Value>,
    jku: Option<Value>,
    x5u: Option<Value>,
    x5c: Option<Value>,
    crit: Option<Value>,
    b64: Option<Value>,
}

/// A token that has been taken apart; nothing of it is known to be true yet.
pub struct Jws<'t> {
    header: Header,
    algorithm: Algorithm,
    signed: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Takes a token apart whose algorithm must be one of these, and whose key is never in its header.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn read(token: &'t str, algorithms: &[Algorithm]) -> Result<Self, JwsError> {
        let jws = Self::taken_apart(token, algorithms, MOST_BYTES)?;
        if jws.header.jwk.is_some() || jws.header.x5c.is_some() { Err(JwsError::Header) } else { Ok(jws) }
    }

    /// The same for a token that is signed by the key in its own header, which this gives too: a DPoP proof.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn read_with_key(token: &'t str, algorithms: &[Algorithm]) -> Result<(Self, Value), JwsError> {
        let mut jws = Self::taken_apart(token, algorithms, MOST_BYTES)?;
        let key = jws.header.jwk.take().ok_or(JwsError::Header)?;
        if jws.header.x5c.is_some() { Err(JwsError::Header) } else { Ok((jws, key)) }
    }

    /// The same for a token that may have certificates in its header, which this gives too, as they stand there: none of
    /// them is known to be anybody's.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn read_with_chain(
        token: &'t str,
        algorithms: &[Algorithm],
    ) -> Result<(Self, Option<Vec<String>>), JwsError> {
        let mut jws = Self::taken_apart(token, algorithms, MOST_WITH_CHAIN)?;
        if jws.header.jwk.is_some() {
            return Err(JwsError::Header);
        }
        let chain = jws.header.x5c.take();
        let chain = chain.map(serde_json::from_value).transpose().map_err(|_| JwsError::Form)?;
        Ok((jws, chain))
    }

    fn taken_apart(token: &'t str, algorithms: &[Algorithm], most_bytes: usize) -> Result<Self, JwsError> {
        if token.len() > most_bytes {
            return Err(JwsError::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Form)?;
        // What is left may hold no further point: it is no letter of base64url.
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Form);
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| JwsError::Form)?;
        let elsewhere = [&header.jku, &header.x5u, &header.crit, &header.b64];
        if elsewhere.iter().any(|member| member.is_some()) {
            return Err(JwsError::Header);
        }
        let algorithm = algorithms.iter().find(|algorithm| algorithm.name() == header.alg);
        let algorithm = *algorithm.ok_or(JwsError::Algorithm)?;
        let (payload, signature) = (decoded(payload)?, decoded(signature)?);
        Ok(Self { header, algorithm, signed, payload, signature })
    }

    /// Which key it says it is signed by.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// How it is signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Refuses a token of another type: one of ours for another purpose is no access token (RFC 8725, section 3.11).
    ///
    /// # Errors
    /// [`JwsError::Type`].
    pub fn must_be(&self, typ: &str) -> Result<(), JwsError> {
        let given = self.header.typ.as_deref().unwrap_or_default();
        // `application/` may be left out (RFC 7515, section 4.1.9).
        let given = given.strip_prefix("application/").unwrap_or(given);
        if given.eq_ignore_ascii_case(typ) { Ok(()) } else { Err(JwsError::Type) }
    }

    /// What it claims, before anything is known to be true: only to find out whose key it should be signed with.
    ///
    /// # Errors
    /// [`JwsError::Form`].
    pub(super) fn unproven<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        serde_json::from_slice(&self.payload).map_err(|_| JwsError::Form)
    }

    /// What it claims, once the signature is known to be this key's.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn claims<T: DeserializeOwned>(&self, key: &PublicKey) -> Result<T, JwsError> {
        if !key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(JwsError::Signature);
        }
        self.unproven()
    }
}

/// Header and claims as the part of a token that is signed.
#[must_use]
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The token of what was signed.
#[must_use]
pub(super) fn signed(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Algorithm; 4] = [Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256, Algorithm::EdDsa];
    /// RFC 7515, appendix A.3.
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    fn key(text: &str) -> PublicKey {
        PublicKey::read(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn signatures_of_the_standards_are_verified() {
        let claims: Value = Jws::read(TOKEN, &ALL).unwrap().claims(&key(KEY)).unwrap();
        assert_eq!(claims["iss"], "joe");
        // RFC 8037, appendix A.4: its payload is no JSON, so it comes as far as that.
        let ed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let ed_key =
            key(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
        assert_eq!(Jws::read(ed, &ALL).unwrap().claims::<Value>(&ed_key), Err(JwsError::Form));
        assert_eq!(Jws::read(ed, &ALL).unwrap().claims::<Value>(&key(KEY)), Err(JwsError::Signature));
    }

    // threat: 6
    #[test]
    fn every_change_of_a_token_is_noticed() {
        for index in 0..TOKEN.len() {
            let mut bytes = TOKEN.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).unwrap();
            let read = Jws::read(&text, &ALL).and_then(|jws| jws.claims::<Value>(&key(KEY)));
            assert!(read.is_err(), "{index}");
        }
    }

    // threat: 6
    #[test]
    fn headers_that_lead_elsewhere_are_refused() {
        let rest = TOKEN.split_once('.').unwrap().1;
        for (header, error) in [
            (r#"{"alg":"none"}"#, JwsError::Algorithm),
            (r#"{"alg":"None"}"#, JwsError::Algorithm),
            (r#"{"alg":""}"#, JwsError::Algorithm),
            (r#"{"alg":"HS256"}"#, JwsError::Algorithm),
            (r#"{"alg":"RS256"}"#, JwsError::Algorithm),
            (r#"{"alg":"es256"}"#, JwsError::Algorithm),
            (r#"{"alg":"ES256K"}"#, JwsError::Algorithm),
            (r#"{"alg":"ES256","alg":"none"}"#, JwsError::Form),
            (r#"{"typ":"JWT"}"#, JwsError::Form),
            (r#"{"alg":"ES256","jku":"https://evil.example/keys"}"#, JwsError::Header),
            (r#"{"alg":"ES256","x5u":"https://evil.example/chain"}"#, JwsError::Header),
            (r#"{"alg":"ES256","x5c":[]}"#, JwsError::Header),
            (r#"{"alg":"ES256","jwk":{}}"#, JwsError::Header),
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, JwsError::Header),
            (r#"{"alg":"ES256","b64":false}"#, JwsError::Header),
        ] {
            let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(Jws::read(&token, &ALL).err(), Some(error), "{header}");
        }
        let restricted = Jws::read(TOKEN, &[Algorithm::EdDsa]);
        assert_eq!(restricted.err(), Some(JwsError::Algorithm), "a list is a list");
    }

    // threat: 6
    #[test]
    fn what_is_no_token_is_refused() {
        let no_signature = TOKEN.rsplit_once('.').unwrap().0;
        let empty_signature = format!("{no_signature}.");
        let padded = format!("{TOKEN}==");
        let long = format!("{}{TOKEN}", "A".repeat(MOST_BYTES));
        let four = format!("{TOKEN}.AAAA");
        for token in ["", ".", "..", "...", "a.b.c", no_signature, &padded, &long, &four] {
            let read = Jws::read(token, &ALL).and_then(|jws| jws.claims::<Value>(&key(KEY)));
            assert!(matches!(read, Err(JwsError::Form)), "{token}");
        }
        let unsigned = Jws::read(&empty_signature, &ALL).unwrap().claims::<Value>(&key(KEY));
        assert_eq!(unsigned, Err(JwsError::Signature));
    }

    // threat: 6
    #[test]
    fn types_are_told_apart() {
        let with = |typ: &str| {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#));
            Jws::read(&format!("{header}.e30.AAAA"), &ALL).unwrap().must_be("at+jwt")
        };
        assert_eq!(with("at+jwt"), Ok(()));
        assert_eq!(with("application/at+JWT"), Ok(()));
        assert_eq!(with("JWT"), Err(JwsError::Type));
        assert_eq!(Jws::read(TOKEN, &ALL).unwrap().must_be("at+jwt"), Err(JwsError::Type));
    }
}

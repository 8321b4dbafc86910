use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;
use crate::federation::tests::provider;

const NOW: i64 = 1_793_502_000;

/// A provider's key, and how it signs.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let (by, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(by, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(by, made.as_ref(), &random).unwrap())
    }

    fn keys(&self) -> Keys {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let set =
            json!({ "keys": [{ "kid": "k", "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) }] });
        Keys::read(set.to_string().as_bytes()).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k" })
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "sub": "kim", "aud": "ieum", "exp": NOW + 300, "iat": NOW, "nonce": "n",
        "email": "kim@example.kr", "acr": "loa3", "amr": ["pwd", "otp"], "auth_time": NOW - 10,
    })
}

fn expected() -> Expected<'static> {
    Expected { nonce: "n", access_token: Some("access"), since: None, now: NOW }
}

/// What comes of a token whose claims are set so; a value of null takes a claim away.
fn with(set: &[(&str, Value)], provider: &Provider, expected: &Expected<'_>) -> Result<Shown, IdTokenError> {
    let signer = Signer::new();
    let mut claims = claims();
    for (name, value) in set {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(*name)),
            value => claims[*name] = value.clone(),
        }
    }
    shown(&signer.sign(&header(), &claims), provider, &signer.keys(), expected)
}

#[test]
fn a_token_shows_who_has_logged_in() {
    let provider = provider();
    let kim = with(&[], &provider, &expected()).unwrap();
    assert_eq!(kim, Shown { identity: identity("https://id.example", "kim"), at: Some(NOW - 10) });
    // The same subject elsewhere is somebody else; the same person with another e-mail address is not.
    assert_ne!(kim.identity, identity("https://other.example", "kim"));
    let set = [("email", json!("lee@example.kr")), ("aud", json!(["ieum"])), ("azp", json!("ieum"))];
    assert_eq!(with(&set, &provider, &expected()).unwrap(), kim);
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest("access")[..16]);
    assert_eq!(with(&[("at_hash", json!(hash))], &provider, &expected()).unwrap(), kim);
}

#[test]
fn what_is_not_for_us_or_not_for_now_is_refused() {
    use IdTokenError::Claim;
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://id.example/")),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", json!(["ieum", "other"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("azp", json!("other")),
        ("exp", json!(NOW - SKEW_SECONDS)),
        ("exp", Value::Null),
        ("iat", json!(NOW + SKEW_SECONDS + 1)),
        ("iat", json!(NOW - AGE_SECONDS - 1)),
        ("iat", Value::Null),
        ("nbf", json!(NOW + SKEW_SECONDS + 1)),
        ("auth_time", json!(NOW + SKEW_SECONDS + 1)),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("at_hash", json!("AAAA")),
        ("sub", json!("")),
        ("sub", json!("김")),
        ("sub", json!("a".repeat(256))),
        ("sub", Value::Null),
    ] {
        let refused = with(&[(name, value.clone())], &provider(), &expected());
        assert_eq!(refused, Err(Claim(name)), "{name} {value}");
    }
    let form = Err(IdTokenError::Jws(JwsError::Form));
    assert_eq!(with(&[("sub", json!(1))], &provider(), &expected()), form);
}

#[test]
fn a_log_in_must_be_strong_and_new_where_that_is_asked() {
    let strong = Provider { acr: vec!["loa3".into(), "loa4".into()], amr: vec!["otp".into()], ..provider() };
    assert!(with(&[], &strong, &expected()).is_ok());
    for (name, value) in
        [("acr", json!("loa2")), ("acr", Value::Null), ("amr", json!(["pwd"])), ("amr", Value::Null)]
    {
        assert_eq!(with(&[(name, value)], &strong, &expected()), Err(IdTokenError::Weak(name)));
    }
    let anew = |since| Expected { since: Some(since), ..expected() };
    assert!(with(&[], &provider(), &anew(NOW - 10 + SKEW_SECONDS)).is_ok());
    for (value, since) in [(json!(NOW - 10), NOW - 9 + SKEW_SECONDS), (Value::Null, 0)] {
        let refused = with(&[("auth_time", value)], &provider(), &anew(since));
        assert_eq!(refused, Err(IdTokenError::Stale));
    }
}

#[test]
fn what_is_not_signed_by_the_provider_is_refused() {
    let (signer, other) = (Signer::new(), Signer::new());
    let read = |token: &str, keys: &Keys| shown(token, &provider(), keys, &expected());
    let good = signer.sign(&header(), &claims());
    assert!(read(&good, &signer.keys()).is_ok());
    assert_eq!(read(&good, &other.keys()), Err(JwsError::Signature.into()));
    assert_eq!(read(&good, &Keys::default()), Err(IdTokenError::Key));
    for (header, error) in [
        (json!({ "alg": "none", "kid": "k" }), JwsError::Algorithm.into()),
        (json!({ "alg": "HS256", "kid": "k" }), JwsError::Algorithm.into()),
        (json!({ "alg": "RS256", "kid": "k" }), JwsError::Signature.into()),
        (json!({ "alg": "ES384", "kid": "k" }), JwsError::Signature.into()),
        (json!({ "alg": "ES256", "kid": "other" }), IdTokenError::Key),
        (json!({ "alg": "ES256", "kid": "k", "typ": "at+jwt" }), JwsError::Type.into()),
        (json!({ "alg": "ES256", "kid": "k", "typ": "logout+jwt" }), JwsError::Type.into()),
        (json!({ "alg": "ES256", "kid": "k", "jku": "https://evil.example" }), JwsError::Header.into()),
    ] {
        assert_eq!(read(&signer.sign(&header, &claims()), &signer.keys()), Err(error), "{header}");
    }
    let with_type = signer.sign(&json!({ "alg": "ES256", "kid": "k", "typ": "JWT" }), &claims());
    assert!(read(&with_type, &signer.keys()).is_ok());
    // Unsigned: the signature is cut off, or the claims are others.
    let cut = format!("{}.", good.rsplit_once('.').unwrap().0);
    assert!(read(&cut, &signer.keys()).is_err());
    let mut parts: Vec<&str> = good.split('.').collect();
    let changed = URL_SAFE_NO_PAD.encode(claims().to_string().replace("kim", "lee"));
    parts[1] = &changed;
    assert_eq!(read(&parts.join("."), &signer.keys()), Err(JwsError::Signature.into()));
}

/// RFC 7515, appendix A.2: RS256, as most providers sign.
#[test]
fn rs256_is_verified() {
    let keys = Keys::read(br#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#).unwrap();
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let jws = Jws::read(token, &ALGORITHMS).unwrap();
    let claims: Value = jws.claims(keys.find(jws.kid()).unwrap()).unwrap();
    assert_eq!(claims["iss"], "joe");
    assert_eq!(shown(token, &provider(), &keys, &expected()), Err(IdTokenError::Claim("iss")));
}

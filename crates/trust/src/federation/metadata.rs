//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3).

use serde::Deserialize;

use super::{Provider, is_address};

/// Where a provider is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Where people log in.
    pub authorization: String,
    /// Where codes are exchanged.
    pub token: String,
    /// Where its keys are.
    pub jwks: String,
    /// Whether it says in its answers who it is (RFC 9207): then it must.
    pub names_itself: bool,
    /// Whether the client secret goes into the form, because it knows no other way.
    pub secret_in_form: bool,
}

/// Why a provider cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// No metadata.
    #[error("what stands under /.well-known/openid-configuration is no metadata of a provider")]
    Form,
    /// Another provider's (section 4.3): the two must be the same letter by letter.
    #[error("its issuer is another than the one set up")]
    Issuer,
    /// An address that may not be asked.
    #[error("one of its addresses is not https, or is not an address that may be used")]
    Address,
    /// It does not know what we need.
    #[error("it does not offer the code flow, PKCE with S256, or an algorithm that is taken")]
    Missing,
}

#[derive(Deserialize)]
struct Said {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    response_types_supported: Vec<String>,
    id_token_signing_alg_values_supported: Vec<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Where the metadata of an issuer is (section 4.1).
    #[must_use]
    pub fn address(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads what a provider says.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read(json: &[u8], provider: &Provider) -> Result<Self, MetadataError> {
        let said: Said = serde_json::from_slice(json).map_err(|_| MetadataError::Form)?;
        if said.issuer != provider.issuer {
            return Err(MetadataError::Issuer);
        }
        let addresses = [&said.authorization_endpoint, &said.token_endpoint, &said.jwks_uri];
        if !addresses.iter().all(|url| is_address(url, provider.private)) {
            return Err(MetadataError::Address);
        }
        let has = |values: &[String], wanted: &str| values.iter().any(|value| value == wanted);
        let algorithms = &said.id_token_signing_alg_values_supported;
        let is_known = super::id_token::ALGORITHMS.iter().any(|known| has(algorithms, known.name()));
        // Many do not say that they know PKCE; those that do must know S256.
        let has_s256 = said.code_challenge_methods_supported.is_none_or(|methods| has(&methods, "S256"));
        if !has(&said.response_types_supported, "code") || !is_known || !has_s256 {
            return Err(MetadataError::Missing);
        }
        let ways = said.token_endpoint_auth_methods_supported;
        let secret_in_form =
            ways.is_some_and(|ways| !has(&ways, "client_secret_basic") && has(&ways, "client_secret_post"));
        Ok(Self {
            authorization: said.authorization_endpoint,
            token: said.token_endpoint,
            jwks: said.jwks_uri,
            names_itself: said.authorization_response_iss_parameter_supported,
            secret_in_form,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::federation::tests::provider;

    fn said() -> Value {
        json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize?tenant=1",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://keys.example/jwks",
            "response_types_supported": ["code", "code id_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    #[test]
    fn a_provider_is_taken_at_its_word_where_it_may_be() {
        let read = Metadata::read(said().to_string().as_bytes(), &provider()).unwrap();
        assert!(read.names_itself && !read.secret_in_form);
        let mut older = said();
        for name in ["code_challenge_methods_supported", "authorization_response_iss_parameter_supported"] {
            older.as_object_mut().unwrap().remove(name);
        }
        older["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        let read = Metadata::read(older.to_string().as_bytes(), &provider()).unwrap();
        assert!(!read.names_itself && read.secret_in_form);
        assert_eq!(
            Metadata::address("https://id.example/a/"),
            "https://id.example/a/.well-known/openid-configuration"
        );
    }

    #[test]
    fn others_are_refused() {
        for (name, value, error) in [
            ("issuer", json!("https://id.example/"), MetadataError::Issuer),
            ("issuer", json!("https://evil.example"), MetadataError::Issuer),
            ("token_endpoint", json!("http://id.example/token"), MetadataError::Address),
            ("authorization_endpoint", json!("javascript:alert(1)"), MetadataError::Address),
            ("jwks_uri", json!("https://a@id.example/"), MetadataError::Address),
            ("jwks_uri", json!(1), MetadataError::Form),
            ("response_types_supported", json!(["id_token"]), MetadataError::Missing),
            ("id_token_signing_alg_values_supported", json!(["HS256", "none"]), MetadataError::Missing),
            ("code_challenge_methods_supported", json!(["plain"]), MetadataError::Missing),
        ] {
            let mut wrong = said();
            wrong[name] = value;
            assert_eq!(Metadata::read(wrong.to_string().as_bytes(), &provider()), Err(error), "{name}");
        }
    }
}

//! How the hub shows a provider who it is: by its key (`private_key_jwt`, OpenID Connect Core 1.0, section 9), or by a
//! secret that both know.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ieum_trust::authorization::assertion;
use ieum_trust::authorization::keys::SigningKeys;
use ieum_trust::federation::Provider;
use serde_json::json;

use crate::percent::with_pairs;

/// Seconds that an assertion of ours is good.
const ASSERTION_SECONDS: i64 = 60;

/// What the hub shows a provider.
pub(super) enum Proof {
    /// What both know.
    Secret(String),
    /// The hub's log-in key; the provider knows its public part.
    Key(Arc<SigningKeys>),
}

/// What a question to a provider carries of it.
#[derive(Default)]
pub(super) struct Shown<'a> {
    /// `Authorization`.
    pub(super) header: Option<String>,
    /// Fields of the form.
    pub(super) pairs: Vec<(&'static str, Cow<'a, str>)>,
}

impl Proof {
    /// What is shown to a provider; `None` when there is no randomness to sign with.
    pub(super) fn show<'a>(&'a self, provider: &'a Provider, in_form: bool, now: i64) -> Option<Shown<'a>> {
        let client = provider.client_id.as_str();
        match self {
            Self::Secret(secret) if in_form => {
                let pairs = vec![("client_id", client.into()), ("client_secret", secret.as_str().into())];
                Some(Shown { pairs, ..Shown::default() })
            }
            Self::Secret(secret) => {
                // Each part is encoded as in a form first (RFC 6749, section 2.3.1).
                let part = |text: &str| with_pairs("", [("", text)])[2..].replace(':', "%3A");
                let both = STANDARD.encode(format!("{}:{}", part(client), part(secret)));
                Some(Shown { header: Some(format!("Basic {both}")), ..Shown::default() })
            }
            Self::Key(key) => {
                let assertion = assertion(key, provider, now)?;
                let pairs = vec![
                    ("client_id", client.into()),
                    ("client_assertion_type", assertion::TYPE.into()),
                    ("client_assertion", assertion.into()),
                ];
                Some(Shown { pairs, ..Shown::default() })
            }
        }
    }
}

/// Who the hub is, signed (RFC 7523). The audience is the issuer, which no other provider takes for itself.
fn assertion(key: &SigningKeys, provider: &Provider, now: i64) -> Option<String> {
    let mut jti = [0; 16];
    getrandom::fill(&mut jti).ok()?;
    let client = &provider.client_id;
    let claims = json!({
        "iss": client, "sub": client, "aud": provider.issuer,
        "iat": now, "exp": now + ASSERTION_SECONDS, "jti": URL_SAFE_NO_PAD.encode(jti),
    });
    key.sign("JWT", &claims).ok()
}

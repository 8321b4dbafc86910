//! Who a person is at a provider elsewhere (`crate::federation`).

use super::Person;

/// Links of one person.
pub const LINKS: usize = 10;

/// One identity elsewhere. It belongs to one person: a guard of the store holds it, as it does log-in names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The provider's issuer.
    pub issuer: String,
    /// Digest of issuer and subject ([`crate::federation::identity`]).
    pub identity: String,
    /// When it was linked, in microseconds since 1970.
    pub added: i64,
    /// When it was last entered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<i64>,
}

impl Link {
    /// A link that begins now.
    #[must_use]
    pub fn new(issuer: &str, identity: &str, now: i64) -> Self {
        Self { issuer: issuer.to_owned(), identity: identity.to_owned(), added: now, used: None }
    }
}

impl Person {
    /// Whether they have this identity elsewhere.
    #[must_use]
    pub fn has_link(&self, identity: &str) -> bool {
        self.links.iter().any(|link| link.identity == identity)
    }
}

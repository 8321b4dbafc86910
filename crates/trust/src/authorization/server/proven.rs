//! What an access token gives, looked at anew with each request.

use serde::{Deserialize, Serialize};

use super::Server;
use super::token::ACCESS_TOKEN;
use crate::access::Access;
use crate::account::Account;
use crate::authorization::certificate::Chain;
use crate::authorization::dpop::{self, Sent};
use crate::authorization::fault::Fault;
use crate::authorization::grant;
use crate::authorization::jws::{Algorithm, Jws};
use crate::authorization::keys::TOKEN_SECONDS;
use crate::authorization::scopes::Scopes;

/// How a token was sent: the first word of `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Whoever has it may use it.
    Bearer,
    /// With a proof of the key that it is bound to.
    Dpop,
}

/// What a token gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The authority of its account, as it is now.
    pub access: Access,
    /// The app.
    pub client: String,
    /// Within which this may be used.
    pub scopes: Scopes,
    /// The patient it is about.
    pub patient: Option<String>,
}

/// What an access token claims (RFC 9068, section 2.2).
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    pub(super) sub: String,
    pub(super) client_id: String,
    pub(super) scope: Scopes,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) grant: Option<String>,
    pub(super) patient: Option<String>,
    pub(super) cnf: Option<Binding>,
}

/// What a token is bound to (RFC 7800): it is worth nothing without that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Binding {
    /// A key, by its thumbprint (RFC 9449, section 6.1).
    #[serde(rename = "jkt")]
    Key(String),
    /// A TLS certificate, by its thumbprint (RFC 8705, section 3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl Binding {
    /// How a token that is bound so is sent.
    pub(super) const fn token_type(binding: Option<&Self>) -> &'static str {
        match binding {
            Some(Self::Key(_)) => "DPoP",
            Some(Self::Certificate(_)) | None => "Bearer",
        }
    }
}

/// A token that is ours, and stands on something that is still there.
pub(super) struct Proven {
    pub(super) claims: Claims,
    account: Account,
}

impl Server {
    /// What a token gives to whoever sent it in this way.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn authority(
        &self,
        token: &str,
        scheme: Scheme,
        sent: Sent<'_>,
        now: i64,
    ) -> Result<Authority, Fault> {
        let Proven { claims, account } = self.proven(token, now)?;
        match (scheme, &claims.cnf) {
            (Scheme::Bearer, None) => {}
            (Scheme::Bearer, Some(Binding::Certificate(bound))) => {
                if sent.certificate.map(Chain::thumbprint).as_ref() != Some(bound) {
                    return Err(Fault::Certificate);
                }
            }
            (Scheme::Dpop, Some(Binding::Key(bound))) => {
                let key = dpop::check(sent, Some(token), &self.replay, now)?;
                let key = key.ok_or(Fault::Dpop("it is missing"))?;
                if key != *bound {
                    return Err(Fault::Dpop("the token is bound to another key"));
                }
            }
            // A token that is bound is never worth something without its key, however it is sent.
            _ => return Err(Fault::Scheme),
        }
        Ok(Authority {
            access: account.access(&claims.sub),
            client: claims.client_id,
            scopes: claims.scope,
            patient: claims.patient,
        })
    }

    /// Whether a token is ours and what it stands on is still there.
    pub(super) fn proven(&self, token: &str, now: i64) -> Result<Proven, Fault> {
        let jws = Jws::read(token, &[Algorithm::Es256]).map_err(|_| Fault::Token)?;
        jws.must_be(ACCESS_TOKEN).map_err(|_| Fault::Token)?;
        let claims: Claims = {
            let keys = self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let key = keys.find(jws.kid(), now).ok_or(Fault::Token)?;
            jws.claims(key).map_err(|_| Fault::Token)?
        };
        let is_ours = claims.iss == self.issuer && claims.aud == self.fhir;
        if !is_ours || claims.exp <= now || claims.exp > now + TOKEN_SECONDS {
            return Err(Fault::Token);
        }
        let client = self.client(&claims.client_id)?.ok_or(Fault::Token)?;
        let stands = match &claims.grant {
            Some(id) => grant::read(&self.door, id)?.is_some_and(|kept| {
                kept.grant.account == claims.sub && kept.grant.client == claims.client_id
            }),
            None => client.account.as_ref() == Some(&claims.sub),
        };
        // What the app is registered for, and whom its user stands for, may have changed.
        let stands = stands && client.scopes.cover(&claims.scope);
        let is_for = |account: &Account| client.is_for(account.role, account.organization.as_deref());
        let account = self.account(&claims.sub)?.filter(|account| stands && is_for(account));
        let account = account.ok_or(Fault::Token)?;
        Ok(Proven { claims, account })
    }
}

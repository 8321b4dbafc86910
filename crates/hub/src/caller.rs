//! Who asks.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use ieum_fhir::outcome::Code;
use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest};
use ieum_trust::access::Access;
use ieum_trust::account::{ACCOUNT, Account, digest};
use ieum_trust::authorization::certificate::Chain;
use ieum_trust::authorization::dpop::Sent;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::server::{Authority, Scheme};

use crate::authorization::serve::{certificate, proofs};
use crate::authorization::{origin, seconds};
use crate::call::Failure;
use crate::fhir::error;
use crate::hub::{Entrance, Hub};

/// What a request shows to be let in.
#[derive(Clone)]
pub struct Credential {
    shown: Option<(Scheme, String)>,
    /// With which the key of a token is proven.
    proofs: Vec<String>,
    /// That the client connected with.
    certificate: Option<Arc<Chain>>,
    method: String,
    path: String,
}

/// Who asks, and on what they stand.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The authority of their account.
    pub access: Access,
    /// The token that narrows it; without one the account's own secret was shown.
    pub token: Option<Authority>,
}

impl Caller {
    /// Anybody on an open hub, and for what is open on every hub.
    #[must_use]
    pub fn open() -> Self {
        Self { access: Access::open(), token: None }
    }
}

impl Credential {
    /// What is in the head of a request, if anything is.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        Self {
            shown: shown(&parts.headers),
            proofs: proofs(&parts.headers),
            certificate: certificate(parts),
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
        }
    }

    /// The authority it gives. Blocks. A proof counts once, so ask once.
    ///
    /// # Errors
    /// 401 when there is no such account, or the token is not good; otherwise when the store fails.
    pub fn caller(&self, hub: &Hub) -> Result<Caller, Failure> {
        if hub.entrance() == Entrance::Open {
            return Ok(Caller::open());
        }
        let (scheme, shown) = self.shown.as_ref().ok_or_else(error::unauthenticated)?;
        // Secrets of accounts have no point in them, tokens have two.
        if *scheme == Scheme::Dpop || shown.contains('.') {
            return self.by_token(hub, *scheme, shown);
        }
        Ok(Caller { access: by_secret(hub, shown)?, token: None })
    }

    fn by_token(&self, hub: &Hub, scheme: Scheme, token: &str) -> Result<Caller, Failure> {
        let authorization = hub.authorization().ok_or_else(error::unauthenticated)?;
        let proofs: Vec<&str> = self.proofs.iter().map(String::as_str).collect();
        // Our own address as it was set, whatever headers say of it.
        let url = format!("{}{}", origin(hub.base_url()), self.path);
        let certificate = self.certificate.as_deref();
        let sent = Sent { proofs: &proofs, method: &self.method, url: &url, certificate };
        let authority = authorization
            .server
            .authority(token, scheme, sent, seconds(hub))
            .map_err(|fault| refused(&fault))?;
        Ok(Caller { access: authority.access.clone(), token: Some(authority) })
    }
}

fn shown(headers: &HeaderMap) -> Option<(Scheme, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = value.split_once(' ')?;
    let scheme = match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        scheme if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return None,
    };
    let shown = shown.trim();
    (!shown.is_empty()).then(|| (scheme, shown.to_owned()))
}

fn refused(fault: &Fault) -> Failure {
    let code = match fault.error() {
        "server_error" => {
            tracing::error!(error = ?fault, "a token could not be looked at");
            return error::internal();
        }
        "temporarily_unavailable" => return error::busy(),
        "invalid_dpop_proof" => Code::ProofRefused,
        _ => Code::TokenRefused,
    };
    error::failure(StatusCode::UNAUTHORIZED, code, fault.to_string())
}

fn by_secret(hub: &Hub, secret: &str) -> Result<Access, Failure> {
    let view = hub.door().view(&Access::system("sign-in"))?;
    // Looked up by digest: how long that takes says nothing about the secret.
    let query = account_query(digest(secret));
    let page = view.search(&query, None, 1)?;
    let record = page.records.first().ok_or_else(error::unauthenticated)?;
    let account: Account = serde_json::from_slice(&record.plain_json()).map_err(|_| {
        tracing::error!(account.id = record.id, "an account cannot be read");
        error::internal()
    })?;
    Ok(account.access(&record.id))
}

fn account_query(digest: String) -> Query {
    let param = Param { kind: ACCOUNT.name.into(), code: "secret".into() };
    let test = TokenTest { system: SystemTest::Any, code: Some(digest) };
    let filters = vec![Filter::Any { param, tests: vec![Test::Token(test)] }];
    let total = ieum_fhir::search::Total::None;
    Query { kind: ACCOUNT.name.into(), filters, total, ..Query::default() }
}

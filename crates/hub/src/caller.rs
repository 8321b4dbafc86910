//! Who asks.

use axum::http::{HeaderMap, header};
use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest};
use ieum_trust::access::Access;
use ieum_trust::account::{ACCOUNT, Account, digest};

use crate::call::Failure;
use crate::fhir::error;
use crate::hub::{Entrance, Hub};

/// What a request shows to be let in.
#[derive(Clone)]
pub struct Credential(Option<String>);

impl Credential {
    /// The bearer token in the headers, if there is one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            let token = token.trim();
            (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
        });
        Self(token)
    }

    /// The authority it gives. Blocks.
    ///
    /// # Errors
    /// 401 when there is no such account; otherwise when the store fails.
    pub fn access(&self, hub: &Hub) -> Result<Access, Failure> {
        if hub.entrance() == Entrance::Open {
            return Ok(Access::open());
        }
        let secret = self.0.as_deref().ok_or_else(error::unauthenticated)?;
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
}

fn account_query(digest: String) -> Query {
    let param = Param { kind: ACCOUNT.name.into(), code: "secret".into() };
    let test = TokenTest { system: SystemTest::Any, code: Some(digest) };
    let filters = vec![Filter::Any { param, tests: vec![Test::Token(test)] }];
    let total = ieum_fhir::search::Total::None;
    Query { kind: ACCOUNT.name.into(), filters, total, ..Query::default() }
}

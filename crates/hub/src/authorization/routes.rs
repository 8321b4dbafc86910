//! The addresses for apps. One that is not here does not exist; tests walk the list.

use axum::http::{Method, StatusCode};
use ieum_trust::authorization::Pairs;
use ieum_trust::authorization::dpop::Sent;
use ieum_trust::authorization::fault::Fault;
use serde_json::Value;

use super::{Authorization, discovery};
use crate::hub::Hub;

/// One address.
pub struct Route {
    /// Its method; one for GET also serves HEAD.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// What audit entries call it.
    pub action: &'static str,
    /// What it takes.
    pub takes: Takes,
    pub(super) run: fn(&Asked<'_>) -> Result<Answer, Fault>,
}

/// What an address takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// No body.
    Nothing,
    /// A form.
    Form,
    /// A JSON object.
    Json,
}

/// A request as its address sees it.
pub(super) struct Asked<'a> {
    pub(super) hub: &'a Hub,
    pub(super) authorization: &'a Authorization,
    /// The form that was sent.
    pub(super) form: Pairs,
    /// The JSON that was sent.
    pub(super) json: Value,
    /// With the proof of a key, if there is one.
    pub(super) sent: Sent<'a>,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// What is answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) json: Option<Value>,
}

impl From<Value> for Answer {
    fn from(json: Value) -> Self {
        Self { status: StatusCode::OK, json: Some(json) }
    }
}

/// Every address for apps.
pub static ROUTES: &[Route] = &[
    Route {
        method: Method::GET,
        path: "/.well-known/oauth-authorization-server",
        action: "oauth-metadata",
        takes: Takes::Nothing,
        run: |asked| Ok(discovery::metadata(asked.hub, &asked.authorization.server).into()),
    },
    Route {
        method: Method::GET,
        path: "/.well-known/openid-configuration",
        action: "oauth-metadata",
        takes: Takes::Nothing,
        run: |asked| Ok(discovery::metadata(asked.hub, &asked.authorization.server).into()),
    },
    Route {
        method: Method::GET,
        path: "/.well-known/jwks.json",
        action: "oauth-keys",
        takes: Takes::Nothing,
        run: |asked| Ok(asked.authorization.server.public_keys(asked.now).into()),
    },
    Route {
        method: Method::POST,
        path: "/oauth/par",
        action: "oauth-par",
        takes: Takes::Form,
        run: |asked| {
            let pushed = asked.authorization.server.push(&asked.form, asked.sent, asked.now)?;
            Ok(Answer { status: StatusCode::CREATED, json: Some(pushed) })
        },
    },
    Route {
        method: Method::POST,
        path: "/oauth/token",
        action: "oauth-token",
        takes: Takes::Form,
        run: |asked| Ok(asked.authorization.server.token(&asked.form, asked.sent, asked.now)?.into()),
    },
    Route {
        method: Method::POST,
        path: "/oauth/introspect",
        action: "oauth-introspect",
        takes: Takes::Form,
        run: |asked| Ok(asked.authorization.server.introspect(&asked.form, asked.sent, asked.now)?.into()),
    },
    Route {
        method: Method::POST,
        path: "/oauth/revoke",
        action: "oauth-revoke",
        takes: Takes::Form,
        run: |asked| {
            asked.authorization.server.revoke(&asked.form, asked.sent, asked.now)?;
            Ok(Answer { status: StatusCode::OK, json: None })
        },
    },
    Route {
        method: Method::POST,
        path: "/oauth/register",
        action: "oauth-register",
        takes: Takes::Json,
        run: |asked| {
            let registered = asked.authorization.server.register(&asked.json, asked.now)?;
            let status = if registered.is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok(Answer { status, json: Some(registered.told) })
        },
    },
];

//! Why the authorization server refuses: the error of OAuth that an app can act on, and a sentence for whoever builds it.

use ieum_store::commit::{CommitError, StoreError};

use super::jws::JwsError;
use super::scopes::ScopeError;
use crate::door::DoorError;

/// Why a request is refused. None of these names what was sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A parameter is there twice.
    #[error("a parameter is given twice")]
    Repeated,
    /// A parameter has a value that is not taken.
    #[error("the parameter {0} is not as it must be")]
    Value(&'static str),
    /// A request object (RFC 9101).
    #[error("request objects are not taken: push the parameters (PAR)")]
    RequestObject,
    /// `request_uri` in a pushed request (RFC 9126, section 2.1).
    #[error("a pushed request may not name a pushed request")]
    RequestUriInside,
    /// This `request_uri` is none, or no more, or another app's.
    #[error(
        "there is no such pushed request of this app: it was used, or is over 5 minutes old; push it again"
    )]
    RequestUri,
    /// The policy `fapi2` without PAR.
    #[error("this app must push its parameters first (PAR) and give request_uri")]
    PushFirst,
    /// Another response than a code.
    #[error("response_type must be code")]
    ResponseType,
    /// The app is not known.
    #[error("no app has this client_id")]
    UnknownClient,
    /// Not one of the app's addresses.
    #[error("redirect_uri is none of those the app is registered with; they are compared letter by letter")]
    RedirectUri,
    /// No PKCE, or with `plain`.
    #[error("give code_challenge with code_challenge_method=S256")]
    Challenge,
    /// `aud` or `resource` is not this server.
    #[error("aud must be the address of this server's FHIR interface")]
    Audience,
    /// The `launch` is not one that is open for this app and user.
    #[error("the launch is over, or another app's or user's; start the app from the chart again")]
    Launch,
    /// Scopes that cannot be read.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// Scopes beyond the registration.
    #[error("the app is not registered for all of these scopes")]
    ScopeBeyond,
    /// Scopes that do not go with the way they were asked for.
    #[error("{0}")]
    ScopeMisfit(&'static str),
    /// Nobody is to be asked, but somebody must be.
    #[error("somebody must log in and agree: prompt=none cannot be done")]
    Interaction,
    /// Somebody said no.
    #[error("the user did not allow it")]
    Denied,
    /// The app did not prove who it is, or in more than one way.
    #[error(
        "give client_assertion and client_assertion_type for private_key_jwt, and nothing else to prove who the app is"
    )]
    ClientProof,
    /// The assertion is not signed as it must be.
    #[error("the client assertion is not taken: {0}")]
    Assertion(JwsError),
    /// A claim of the assertion.
    #[error("the client assertion is not taken: {0}")]
    AssertionClaim(&'static str),
    /// The assertion was used before.
    #[error(
        "the client assertion is not taken: its jti was used before; make a new assertion for each request"
    )]
    AssertionAgain,
    /// The proof is not as it must be.
    #[error("the DPoP proof is not taken: {0}")]
    Dpop(&'static str),
    /// The proof is not signed as it must be.
    #[error("the DPoP proof is not taken: {0}")]
    DpopSignature(JwsError),
    /// The app does not do this.
    #[error("the app is not registered for this: {0}")]
    NotRegistered(&'static str),
    /// Another kind of grant.
    #[error("grant_type must be authorization_code, refresh_token or client_credentials")]
    GrantType,
    /// The code cannot be used.
    #[error("the code is unknown, used, over 60 seconds old, or was given to another app or address")]
    Code,
    /// The verifier is wrong.
    #[error("code_verifier does not go with the code_challenge of the request")]
    Verifier,
    /// The refresh token cannot be used.
    #[error("the refresh token is unknown, used up, withdrawn, or another app's or key's")]
    Refresh,
    /// An access token is worth nothing.
    #[error("the access token is over, withdrawn, or not this server's; get a new one")]
    Token,
    /// A token that is bound to a key came without the proof, or one that is not with it.
    #[error(
        "send tokens of type DPoP as `Authorization: DPoP` with a proof, and others as `Authorization: Bearer`"
    )]
    Scheme,
    /// Only what can be revoked is revoked.
    #[error("access tokens without a user cannot be revoked: they end within 5 minutes")]
    TokenType,
    /// Too much is going on to remember more.
    #[error("too many requests are open; try again in a minute")]
    Full,
    /// The store failed; what happened is in the log.
    #[error("the server failed; try again later")]
    Failed(String),
}

impl Fault {
    /// The error code of OAuth (RFC 6749, sections 4.1.2.1 and 5.2, and those that build on it).
    #[must_use]
    pub const fn error(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::Repeated | Self::Value(_) | Self::PushFirst | Self::Challenge => {
                "invalid_request"
            }
            Self::RequestUriInside | Self::Launch | Self::RedirectUri => "invalid_request",
            Self::RequestObject => "request_not_supported",
            Self::RequestUri => "invalid_request_uri",
            Self::ResponseType => "unsupported_response_type",
            Self::UnknownClient | Self::ClientProof => "invalid_client",
            Self::Assertion(_) | Self::AssertionClaim(_) | Self::AssertionAgain => "invalid_client",
            Self::Audience => "invalid_target",
            Self::Scope(_) | Self::ScopeBeyond | Self::ScopeMisfit(_) => "invalid_scope",
            Self::Interaction => "interaction_required",
            Self::Denied => "access_denied",
            Self::Dpop(_) | Self::DpopSignature(_) => "invalid_dpop_proof",
            Self::NotRegistered(_) => "unauthorized_client",
            Self::GrantType => "unsupported_grant_type",
            Self::Code | Self::Verifier | Self::Refresh => "invalid_grant",
            Self::Token | Self::Scheme => "invalid_token",
            Self::TokenType => "unsupported_token_type",
            Self::Full => "temporarily_unavailable",
            Self::Failed(_) => "server_error",
        }
    }

    /// Whether it is what somebody who guesses, or uses again what was somebody else's, would meet: such refusals are
    /// counted, slow the asker down, and are written into the audit log.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        matches!(
            self.error(),
            "invalid_client" | "invalid_grant" | "invalid_dpop_proof" | "invalid_request_uri"
        )
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<CommitError> for Fault {
    fn from(error: CommitError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<DoorError> for Fault {
    fn from(error: DoorError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<getrandom::Error> for Fault {
    fn from(error: getrandom::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

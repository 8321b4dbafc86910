//! Why the authorization server refuses: the error of OAuth that an app can act on, and a sentence for whoever builds it.

use ieum_store::commit::{CommitError, StoreError};

use super::certificate::CertificateError;
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
    /// An app of an institution, and a user of another.
    #[error("the app is an institution's: for its own people, and for patients")]
    NotForUser,
    /// The app did not prove who it is, or in more than one way.
    #[error(
        "prove who the app is in the one way it is registered for: client_assertion with client_assertion_type, or a TLS \
         certificate; and nothing else"
    )]
    ClientProof,
    /// The certificate of the connection does not prove who the app is.
    #[error(
        "this app proves who it is by its TLS certificate: connect with one that is registered, still good, and leads to an \
         authority for clients"
    )]
    ClientCertificate,
    /// The certificate that an app registered itself by is over.
    #[error("the certificate that this app is registered by is over: register anew with the next one")]
    CertificateOver,
    /// A token that is bound to a certificate, on a connection without it.
    #[error("the token is bound to a certificate: use it on a connection with that one")]
    Certificate,
    /// Neither a proof of a key nor a certificate, where tokens must be bound.
    #[error("tokens of this app are bound: send a DPoP proof, or connect with a certificate")]
    Unbound,
    /// The software statement.
    #[error("the software statement is not taken: {0}")]
    Statement(&'static str),
    /// It is not signed as it must be.
    #[error("the software statement is not taken: {0}")]
    StatementSignature(JwsError),
    /// Its certificate.
    #[error("the software statement is not taken: its certificate (x5c): {0}")]
    StatementCertificate(CertificateError),
    /// It may not be used here.
    #[error("the software statement may not be used: {0}")]
    Unapproved(&'static str),
    /// What it says of the app.
    #[error("the app cannot be registered: {0}")]
    Metadata(&'static str),
    /// Addresses in it.
    #[error(
        "redirect_uris must be https://…, or http:// on this machine, without fragment, of 512 bytes at most, and 10 of them"
    )]
    RedirectUris,
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
            Self::UnknownClient | Self::ClientProof | Self::ClientCertificate | Self::CertificateOver => {
                "invalid_client"
            }
            Self::Statement(_) | Self::StatementSignature(_) | Self::StatementCertificate(_) => {
                "invalid_software_statement"
            }
            Self::Unapproved(_) => "unapproved_software_statement",
            Self::Metadata(_) => "invalid_client_metadata",
            Self::RedirectUris => "invalid_redirect_uri",
            Self::Assertion(_) | Self::AssertionClaim(_) | Self::AssertionAgain => "invalid_client",
            Self::Audience => "invalid_target",
            Self::Scope(_) | Self::ScopeBeyond | Self::ScopeMisfit(_) => "invalid_scope",
            Self::Interaction => "interaction_required",
            Self::Denied | Self::NotForUser => "access_denied",
            Self::Dpop(_) | Self::DpopSignature(_) | Self::Unbound => "invalid_dpop_proof",
            Self::NotRegistered(_) => "unauthorized_client",
            Self::GrantType => "unsupported_grant_type",
            Self::Code | Self::Verifier | Self::Refresh => "invalid_grant",
            Self::Token | Self::Scheme | Self::Certificate => "invalid_token",
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
            "invalid_client"
                | "invalid_grant"
                | "invalid_dpop_proof"
                | "invalid_request_uri"
                | "invalid_software_statement"
                | "unapproved_software_statement"
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

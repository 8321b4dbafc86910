//! Apps register by themselves (RFC 7591) with a software statement: a token that is signed with the key of a certificate,
//! which leads to an authority that whoever runs the hub trusts for this (the profile of UDAP, "Dynamic Client
//! Registration"). What such apps may be is decided by the settings of that authority, and not by the app.

use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Server;
use crate::authorization::assertion::{AHEAD_SECONDS, JTI_BYTES, MOST_SECONDS};
use crate::authorization::certificate::{Authorities, CertificateError, Chain};
use crate::authorization::client::{self, CLIENT, Client, ClientError, Policy, Stated};
use crate::authorization::fault::Fault;
use crate::authorization::grant;
use crate::authorization::jws::{Algorithm, Jws};
use crate::authorization::replay::Use;
use crate::authorization::scopes::{Level, Scope, Scopes};

/// How statements may be signed.
const STATEMENT_ALGORITHMS: &[Algorithm] = &[Algorithm::Rs256, Algorithm::Es256];
/// Letters of a name in a statement that are kept of an organization.
const NAME_LETTERS: usize = 80;

/// An authority whose apps may register, and what they may be.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// What whoever runs the hub calls it.
    pub name: String,
    /// Its certificates.
    pub authorities: Authorities,
    /// What its apps may be.
    pub terms: Terms,
}

/// What apps of an authority may be: the file beside its certificates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Their policy.
    pub policy: Policy,
    /// The most that they may ask for.
    pub scopes: Scopes,
    /// As which account they act without a user; without it none does.
    pub account: Option<String>,
}

/// Why an authority cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// Its certificates.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// Its terms.
    #[error(transparent)]
    Terms(#[from] toml::de::Error),
}

impl Anchor {
    /// An authority from its certificates in PEM and its terms in TOML.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn read(name: &str, pem: &[u8], terms: &str) -> Result<Self, AnchorError> {
        let authorities = Authorities::read(pem)?;
        Ok(Self { name: name.to_owned(), authorities, terms: toml::from_str(terms)? })
    }
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// Whether the app is new.
    pub is_new: bool,
    /// What is told (RFC 7591, section 3.2.1).
    pub told: Value,
}

/// What a statement claims.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    /// One string; an array is for nobody.
    aud: Option<Value>,
    exp: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
    #[serde(flatten)]
    metadata: Metadata,
}

/// What it says of the app.
#[derive(Deserialize, Serialize)]
struct Metadata {
    client_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    grant_types: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    response_types: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    scope: Option<String>,
}

impl Server {
    /// Lets apps of these authorities register.
    #[must_use]
    pub fn with_anchors(self, anchors: Vec<Anchor>) -> Self {
        Self { anchors, ..self }
    }

    /// Whether any app may register by itself.
    #[must_use]
    pub fn registers(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// The registration endpoint (RFC 7591, section 3): a new app, other particulars of one that is there, or its end.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn register(&self, asked: &Value, now: i64) -> Result<Registered, Fault> {
        let statement = asked.get("software_statement").and_then(Value::as_str);
        let statement = statement.ok_or(Fault::Statement("send it as software_statement, in JSON"))?;
        let (claims, chain, anchor) = self.proven_statement(statement, now)?;
        let issuer = claims.iss.unwrap_or_default();
        // One at a time: what is looked up here stays so until it is written.
        let _turn = self.registering.lock().unwrap_or_else(PoisonError::into_inner);
        let known = client::by_issuer(&self.door, &grant::access(), &issuer)?;
        let is_of_another =
            |known: &client::Known| known.value.statement.as_ref().is_none_or(|of| of.anchor != anchor.name);
        if known.as_ref().is_some_and(is_of_another) {
            return Err(Fault::Unapproved("this iss is registered by another authority's certificate"));
        }
        let grants =
            claims.metadata.grant_types.as_deref().ok_or(Fault::Metadata("grant_types is missing"))?;
        if grants.is_empty() {
            let known = known.ok_or(Fault::Metadata("nothing is registered for this iss"))?;
            client::remove(&self.door, &grant::access(), &known.id)?;
            self.door.released(&grant::access(), "register", &format!("{}/{}", CLIENT.name, known.id))?;
            return Ok(Registered { is_new: false, told: told(&known.id, &claims.metadata, statement) });
        }
        let client = described(&claims.metadata, &issuer, &chain, anchor)?;
        let is_new = known.is_none();
        let id = match known {
            None => client::create(&self.door, &grant::access(), &client).map_err(fault)?,
            Some(known) => {
                client.check().map_err(fault)?;
                client::replace(&self.door, &grant::access(), &known, &client)?;
                known.id
            }
        };
        self.door.released(&grant::access(), "register", &format!("{}/{id}", CLIENT.name))?;
        Ok(Registered { is_new, told: told(&id, &claims.metadata, statement) })
    }

    /// What a statement claims, once it is certain who says so.
    fn proven_statement(&self, statement: &str, now: i64) -> Result<(Claims, Chain, &Anchor), Fault> {
        let (jws, chain) =
            Jws::read_with_chain(statement, STATEMENT_ALGORITHMS).map_err(Fault::StatementSignature)?;
        let chain = chain_of(&chain.unwrap_or_default()).map_err(Fault::StatementCertificate)?;
        let anchor = self.anchors.iter().find(|anchor| chain.check(&anchor.authorities, now).is_ok());
        let anchor = anchor.ok_or(Fault::StatementCertificate(CertificateError::Untrusted))?;
        let key = chain
            .key()
            .map_err(|_| Fault::Statement("the key of its certificate must be RSA or EC on P-256"))?;
        let claims: Claims = jws.claims(&key).map_err(Fault::StatementSignature)?;
        let wrong = |what| Err(Fault::Statement(what));
        let issuer = claims.iss.as_deref().unwrap_or_default();
        if issuer.is_empty() || !chain.names_uri(issuer) {
            return wrong("iss must be a URI among the alternative names of the certificate");
        }
        if claims.sub.as_deref() != Some(issuer) {
            return wrong("sub must be iss");
        }
        if claims.aud.as_ref().and_then(Value::as_str) != Some(&self.endpoint("register")) {
            return wrong("aud must be the registration endpoint, as one string");
        }
        let (Some(exp), Some(iat)) = (claims.exp, claims.iat) else {
            return wrong("it has no exp or no iat");
        };
        if exp <= now {
            return wrong("it is over (exp)");
        }
        if iat > now + AHEAD_SECONDS {
            return wrong("it is from the future (iat): set the clock");
        }
        if exp > now + MOST_SECONDS + AHEAD_SECONDS || exp.saturating_sub(iat) > MOST_SECONDS {
            return wrong("it may live 5 minutes at most (iat, exp)");
        }
        // What was used before a restart is not remembered.
        if iat < self.replay.began() {
            return wrong("it is older than the server's last start (iat): make a new one");
        }
        let Some(jti) = claims.jti.as_deref().filter(|jti| !jti.is_empty() && jti.len() <= JTI_BYTES) else {
            return wrong("it has no jti, or one of over 256 bytes");
        };
        match self.replay.take(&format!("statement {issuer}"), jti, exp, now) {
            Use::First => Ok((claims, chain, anchor)),
            Use::Again => wrong("its jti was used before: make a new one for each request"),
            Use::Full => Err(Fault::Full),
        }
    }
}

/// Certificates of an `x5c` (RFC 7515, section 4.1.6): base64, and not base64url.
fn chain_of(encoded: &[String]) -> Result<Chain, CertificateError> {
    let decoded = encoded.iter().map(|text| STANDARD.decode(text).map_err(|_| CertificateError::Form));
    Chain::of(decoded.collect::<Result<_, _>>()?)
}

/// The app that a statement describes.
fn described(metadata: &Metadata, issuer: &str, chain: &Chain, anchor: &Anchor) -> Result<Client, Fault> {
    let wrong = |what| Err(Fault::Metadata(what));
    let grants: Vec<&str> = metadata.grant_types.iter().flatten().map(String::as_str).collect();
    let is_alone = match grants.as_slice() {
        ["client_credentials"] => true,
        ["authorization_code"]
        | ["authorization_code", "refresh_token"]
        | ["refresh_token", "authorization_code"] => false,
        _ => {
            return wrong(
                "grant_types must be authorization_code, with refresh_token or not, or client_credentials",
            );
        }
    };
    if metadata.token_endpoint_auth_method.as_deref() != Some("private_key_jwt") {
        return wrong("token_endpoint_auth_method must be private_key_jwt");
    }
    if !metadata.contacts.iter().any(|contact| contact.starts_with("mailto:")) {
        return wrong("contacts must have an address that begins with mailto:");
    }
    if is_alone && !(metadata.redirect_uris.is_empty() && metadata.response_types.is_empty()) {
        return wrong("with client_credentials there are no redirect_uris and no response_types");
    }
    if !is_alone && metadata.response_types != ["code"] {
        return wrong("response_types must be code");
    }
    if metadata.logo_uri.as_ref().is_some_and(|uri| !uri.starts_with("https://")) {
        return wrong("logo_uri must begin with https://");
    }
    let scope = metadata.scope.as_deref().unwrap_or_default();
    let scopes = Scopes::parse(scope).map_err(|_| Fault::Metadata("scope is missing or cannot be read"))?;
    let is_system = |scope: &Scope| matches!(scope, Scope::Records(one) if one.level == Level::System);
    if !anchor.terms.scopes.cover(&scopes) || scopes.iter().any(|scope| is_system(scope) != is_alone) {
        return wrong(
            "scope goes beyond what apps of this authority may have, or does not go with grant_types",
        );
    }
    let key = chain
        .key()
        .map_err(|_| Fault::Metadata("the key of the certificate is of a kind that is not taken"))?;
    if !anchor.terms.policy.algorithms().iter().any(|algorithm| key.signs(*algorithm)) {
        return wrong("the key of the certificate cannot sign assertions of the policy that such apps have");
    }
    let account = match (is_alone, &anchor.terms.account) {
        (true, None) => {
            return wrong("apps of this authority may not act without a user (client_credentials)");
        }
        (true, account) => account.clone(),
        (false, _) => None,
    };
    // Who runs it is what the authority has looked at, and not what the app says.
    let organization = chain.organization().unwrap_or_else(|| issuer.to_owned());
    let organization: String = organization.chars().take(NAME_LETTERS).collect();
    let name = metadata.client_name.as_deref().unwrap_or_default();
    let client = Client::new(name, &organization, anchor.terms.policy, scopes);
    Ok(Client {
        redirect_uris: metadata.redirect_uris.clone(),
        jwks: Some(json!({ "keys": [key.members()] })),
        account,
        statement: Some(Stated {
            issuer: issuer.to_owned(),
            anchor: anchor.name.clone(),
            certificate: chain.thumbprint(),
            until: chain.ends(),
        }),
        ..client
    })
}

fn told(id: &str, metadata: &Metadata, statement: &str) -> Value {
    let mut told = serde_json::to_value(metadata).expect("texts are JSON");
    told["client_id"] = id.into();
    told["software_statement"] = statement.into();
    told
}

fn fault(error: ClientError) -> Fault {
    match error {
        ClientError::Name => Fault::Metadata("client_name must have 1 to 80 letters, on one line"),
        ClientError::Address => Fault::RedirectUris,
        ClientError::Commit(error) => error.into(),
        ClientError::Random(error) => error.into(),
        ClientError::Keys(_) | ClientError::NeedsKeys | ClientError::Certificate => {
            Fault::Metadata("the key of the certificate is of a kind that is not taken")
        }
        ClientError::Misfit(_) => Fault::Metadata("scope, redirect_uris and grant_types do not go together"),
    }
}

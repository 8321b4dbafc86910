//! Log-in at providers elsewhere over HTTP (`docs/people.md`, "Log-in elsewhere"): what is fetched from them, how the hub
//! shows them who it is, and what proves that somebody has logged in there. What is decided of it is decided in
//! `ieum_trust::federation`; the pages are `portal/pages/entry/elsewhere*`.
//!
//! Only addresses that a provider names in its own metadata are asked, by https, at public addresses unless the provider
//! is set up as private, without redirects (`outgoing`). Answers are bounded in size and time, and only few wait at once:
//! a provider that hangs holds up those who log in there, and nobody else.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_trust::federation::id_token::{self, Expected, IdTokenError, Shown};
use ieum_trust::federation::keys::Keys;
use ieum_trust::federation::metadata::{Metadata, MetadataError};
use ieum_trust::federation::{self, Provider, SetUpError};
use ieum_trust::person::Issuer;
use ieum_ui::Lang;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::authorization::{KeyFileError, key_file, origin};
use crate::hub::{Entrance, Hub};
use crate::outgoing;
use crate::percent::with_pairs;
use crate::secret_file::{self, SecretFileError};

mod proof;

use proof::Proof;

/// The file with the key that the hub shows itself with.
const KEY_FILE: &str = "login-key.json";
/// How long one question may take.
const TIME: Duration = Duration::from_secs(5);
/// Questions to one provider at once: few of the hub's turns.
const AT_ONCE: usize = 4;
/// Bytes of an answer.
const ANSWER_BYTES: u64 = 256 << 10;
/// Seconds for which metadata and keys are good.
const KEPT_SECONDS: i64 = 3_600;
/// Seconds after which keys may be fetched again because one is not among them, and a provider that failed is asked again.
const AGAIN_SECONDS: i64 = 30;

/// Why the hub cannot start with its providers.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// They cannot be set up so.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The hub's own key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// Why somebody does not enter by a provider. What it says is for the log; people read a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Too many others wait for answers.
    #[error("too many wait for providers")]
    Busy,
    /// No answer, or one that is no answer.
    #[error("the provider cannot be reached, or gives no answer that can be read")]
    Unreachable,
    /// What it says of itself cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// It does not take us for who we are.
    #[error("the provider does not take the hub's client_id and proof")]
    Client,
    /// It does not take the code.
    #[error("the provider does not take the code")]
    Code,
    /// What it says of somebody proves nothing.
    #[error(transparent)]
    Token(#[from] IdTokenError),
}

/// The providers of a hub.
pub struct Federation {
    providers: Vec<Known>,
}

/// One provider, and what is known of it.
pub struct Known {
    /// What whoever runs the hub says of it.
    pub(crate) provider: Provider,
    back: String,
    proof: Proof,
    agent: ureq::Agent,
    turns: Semaphore,
    fetched: Mutex<Fetched>,
}

#[derive(Default)]
struct Fetched {
    metadata: Option<(i64, Arc<Metadata>)>,
    keys: Option<(i64, Arc<Keys>)>,
    failed: Option<(i64, Fault)>,
}

/// What somebody is sent to a provider with.
pub(crate) struct Question<'a> {
    /// What comes back with them.
    pub(crate) state: &'a str,
    /// What comes back in the ID token.
    pub(crate) nonce: &'a str,
    /// What the code is exchanged with.
    pub(crate) verifier: &'a str,
    /// Whether they must log in anew, and be seen to.
    pub(crate) anew: bool,
    /// The language of its pages.
    pub(crate) lang: Lang,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Federation {
    /// Lets people enter a hub by these providers; files are looked for in this directory. An open hub has no people.
    ///
    /// # Errors
    /// [`FederationError`].
    pub fn start(hub: &Hub, directory: &Path, providers: &[Provider]) -> Result<(), FederationError> {
        if hub.entrance() == Entrance::Open {
            return Ok(());
        }
        let now = hub.now().div_euclid(1_000_000);
        hub.take_federation(Arc::new(Self::new(origin(hub.base_url()), directory, providers, now)?));
        Ok(())
    }

    /// The same for a hub that is reached at this origin.
    ///
    /// # Errors
    /// [`FederationError`].
    pub fn new(
        origin: &str,
        directory: &Path,
        providers: &[Provider],
        now: i64,
    ) -> Result<Self, FederationError> {
        federation::check(providers)?;
        let signs = providers.iter().any(|provider| provider.client_secret_file.is_none());
        let key = if signs { Some(Arc::new(key_file::open(directory, KEY_FILE, now)?.0)) } else { None };
        let known = |provider: &Provider| {
            let proof = match (&provider.client_secret_file, &key) {
                (Some(file), _) => Proof::Secret(secret_file::read(&directory.join(file))?),
                (None, Some(key)) => Proof::Key(Arc::clone(key)),
                (None, None) => unreachable!("a key is opened for whoever has no secret"),
            };
            Ok(Known {
                provider: provider.clone(),
                back: format!("{origin}/sign-in/with/{}/return", provider.id),
                proof,
                agent: outgoing::agent(provider.private, |config| config.timeout_global(Some(TIME))),
                turns: Semaphore::new(AT_ONCE),
                fetched: Mutex::default(),
            })
        };
        let providers = providers.iter().map(known).collect::<Result<_, FederationError>>()?;
        Ok(Self { providers })
    }

    /// All of them, in the order in which they are set up.
    pub(crate) fn providers(&self) -> &[Known] {
        &self.providers
    }

    /// The one of an id.
    pub(crate) fn find(&self, id: &str) -> Option<&Known> {
        self.providers.iter().find(|known| known.provider.id == id)
    }

    /// Their issuers, and of which logging in is two factors.
    pub(crate) fn issuers(&self) -> Vec<Issuer<'_>> {
        let all = self.providers.iter().map(|known| &known.provider);
        all.map(|one| Issuer { issuer: &one.issuer, two_factors: one.two_factors }).collect()
    }
}

impl Known {
    /// Where to send somebody who is to log in at a provider.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) fn ask(&self, question: &Question<'_>, now: i64) -> Result<String, Fault> {
        let _turn = self.turns.try_acquire().map_err(|_| Fault::Busy)?;
        let metadata = self.metadata(now)?;
        Ok(self.address(&metadata, question))
    }

    /// Who has logged in, by the code that came back.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) fn shown(
        &self,
        (code, verifier): (&str, &str),
        (nonce, since): (&str, Option<i64>),
        now: i64,
    ) -> Result<Shown, Fault> {
        let _turn = self.turns.try_acquire().map_err(|_| Fault::Busy)?;
        let metadata = self.metadata(now)?;
        let tokens = self.exchange(&metadata, code, verifier, now)?;
        let expected = Expected { nonce, access_token: tokens.access_token.as_deref(), since, now };
        let judged = |keys: &Keys| id_token::shown(&tokens.id_token, &self.provider, keys, &expected);
        match judged(&*self.keys(&metadata, KEPT_SECONDS, now)?) {
            // It may have a new key since.
            Err(IdTokenError::Key) => Ok(judged(&*self.keys(&metadata, AGAIN_SECONDS, now)?)?),
            done => Ok(done?),
        }
    }

    /// What it says of itself, as of an hour ago at most. One that has just failed is not asked again at once.
    pub(crate) fn metadata(&self, now: i64) -> Result<Arc<Metadata>, Fault> {
        let known = {
            let fetched = self.fetched();
            if let Some((at, fault)) = fetched.failed
                && (at..at + AGAIN_SECONDS).contains(&now)
            {
                return Err(fault);
            }
            fetched.metadata.clone()
        };
        if let Some((at, metadata)) = known
            && (at..at + KEPT_SECONDS).contains(&now)
        {
            return Ok(metadata);
        }
        let read = self
            .get(&Metadata::address(&self.provider.issuer))
            .and_then(|json| Ok(Metadata::read(&json, &self.provider)?));
        let mut fetched = self.fetched();
        match read {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                fetched.metadata = Some((now, Arc::clone(&metadata)));
                fetched.failed = None;
                Ok(metadata)
            }
            Err(fault) => {
                fetched.failed = Some((now, fault));
                Err(fault)
            }
        }
    }

    /// Whether it says in its answers who it is, as far as is known.
    pub(crate) fn names_itself(&self) -> bool {
        self.fetched().metadata.as_ref().is_some_and(|(_, metadata)| metadata.names_itself)
    }

    /// The public keys by which a provider knows the hub; `None` when it is known by a secret.
    pub(crate) fn public_keys(&self, now: i64) -> Option<String> {
        match &self.proof {
            Proof::Key(key) => Some(key.public(now).to_string()),
            Proof::Secret(_) => None,
        }
    }

    fn keys(&self, metadata: &Metadata, good: i64, now: i64) -> Result<Arc<Keys>, Fault> {
        if let Some((at, keys)) = self.fetched().keys.clone()
            && (at..at + good).contains(&now)
        {
            return Ok(keys);
        }
        let keys = Arc::new(Keys::read(&self.get(&metadata.jwks)?).ok_or(Fault::Unreachable)?);
        self.fetched().keys = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    fn address(&self, metadata: &Metadata, question: &Question<'_>) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(question.verifier));
        let (scope, acr) = (self.provider.scopes.join(" "), self.provider.acr.join(" "));
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &self.provider.client_id),
            ("redirect_uri", &self.back),
            ("scope", &scope),
            ("state", question.state),
            ("nonce", question.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("ui_locales", question.lang.tag()),
        ];
        if !acr.is_empty() {
            pairs.push(("acr_values", &acr));
        }
        if question.anew {
            pairs.extend([("prompt", "login"), ("max_age", "0")]);
        }
        with_pairs(&metadata.authorization, pairs)
    }

    fn exchange(&self, metadata: &Metadata, code: &str, verifier: &str, now: i64) -> Result<Tokens, Fault> {
        let mut pairs: Vec<(&str, Cow<'_, str>)> = vec![
            ("grant_type", "authorization_code".into()),
            ("code", code.into()),
            ("redirect_uri", self.back.as_str().into()),
            ("code_verifier", verifier.into()),
        ];
        let mut request = self.agent.post(&metadata.token).header("accept", "application/json");
        let shown = self.proof.show(&self.provider, metadata.secret_in_form, now).ok_or(Fault::Client)?;
        pairs.extend(shown.pairs);
        if let Some(value) = shown.header {
            request = request.header("authorization", value);
        }
        let pairs = pairs.iter().map(|(name, value)| (*name, value.as_ref()));
        let form = with_pairs("", pairs)[1..].to_owned();
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let (status, json) = read(request.send(form.as_bytes()))?;
        if status == 200 {
            return serde_json::from_slice(&json).map_err(|_| Fault::Unreachable);
        }
        let refused: Option<Refused> = serde_json::from_slice(&json).ok();
        Err(match refused.as_ref().map(|refused| refused.error.as_str()) {
            Some("invalid_grant") => Fault::Code,
            Some("invalid_client" | "unauthorized_client" | "invalid_request") => Fault::Client,
            _ => Fault::Unreachable,
        })
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, Fault> {
        match read(self.agent.get(url).header("accept", "application/json").call())? {
            (200, json) => Ok(json),
            _ => Err(Fault::Unreachable),
        }
    }

    fn fetched(&self) -> MutexGuard<'_, Fetched> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(answered: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, Vec<u8>), Fault> {
    let mut response = answered.map_err(|_| Fault::Unreachable)?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
    Ok((status, body.map_err(|_| Fault::Unreachable)?))
}

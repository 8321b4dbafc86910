//! What each address of the authorization server does. Everything is looked at anew for each request: an app, an account
//! or a grant that is gone is gone from the next request on.

mod authorize;
mod proven;
mod register;
mod token;

use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ieum_fhir::reference::is_id;
use serde_json::Value;

use super::assertion::{self, Addressee, TYPE};
use super::certificate::{Authorities, Chain};
use super::client::{self, Client, Policy};
use super::fault::Fault;
use super::grant;
use super::jws::Algorithm;
use super::keys::SigningKeys;
use super::replay::Replay;
use super::request::{Launch, Request, Waiting, WhenFull};
use super::{Pairs, value};
use crate::account::{ACCOUNT, Account};
use crate::door::Door;
use crate::person::{self, State};

pub use authorize::{Back, Visit};
pub use proven::{Authority, Scheme};
pub use register::{Anchor, AnchorError, Registered, Terms};

/// Makes signing keys durable.
pub type Save = Box<dyn Fn(&[u8]) -> io::Result<()> + Send + Sync>;

/// The authorization server.
pub struct Server {
    door: Door,
    issuer: String,
    fhir: String,
    keys: RwLock<SigningKeys>,
    save: Save,
    /// What apps with keys, and holders of tokens, used once.
    replay: Replay,
    /// What apps without keys used once: anybody can say to be one, and fill it, and no more than that.
    strangers: Replay,
    /// Pushed by apps that proved who they are.
    pushed: Waiting<Request>,
    /// From everybody else: anybody can bring some, and push out the oldest, but no pushed ones.
    brought: Waiting<Request>,
    launches: Waiting<Launch>,
    /// The authorities for certificates of clients, where TLS asks for any.
    clients: RwLock<Option<Arc<Authorities>>>,
    /// Those whose apps may register by themselves.
    anchors: Vec<Anchor>,
    registering: Mutex<()>,
}

/// How apps sign their assertions, under all policies.
pub const ASSERTION_ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256, Algorithm::EdDsa];

impl Server {
    /// A server; `now` in seconds since 1970. `issuer` is its own address, `fhir` that of the FHIR interface, both without
    /// slash at the end.
    #[must_use]
    pub fn new(
        door: Door,
        (issuer, fhir): (&str, &str),
        (keys, save): (SigningKeys, Save),
        now: i64,
    ) -> Self {
        Self {
            door,
            issuer: issuer.to_owned(),
            fhir: fhir.to_owned(),
            keys: RwLock::new(keys),
            save,
            replay: Replay::new(now),
            strangers: Replay::new(now),
            pushed: Waiting::default(),
            brought: Waiting::default(),
            launches: Waiting::default(),
            clients: RwLock::default(),
            anchors: Vec::new(),
            registering: Mutex::default(),
        }
    }

    /// From now on clients may show certificates in TLS, and these authorities are those for it.
    pub fn trust_clients_of(&self, authorities: Authorities) {
        *self.clients.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(authorities));
    }

    /// The authorities for certificates of clients; `None` where TLS asks for none.
    #[must_use]
    pub fn client_authorities(&self) -> Option<Arc<Authorities>> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its own address.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The address of one of its endpoints: `token`, `authorize` and so on.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> String {
        format!("{}/oauth/{name}", self.issuer)
    }

    /// The keys it signs with, for everybody to read.
    #[must_use]
    pub fn public_keys(&self, now: i64) -> Value {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).public(now)
    }

    /// Lets a chart start an app; gives what the app must bring with its request.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn launch(&self, launch: Launch, now: i64) -> Result<String, Fault> {
        self.launches.put(launch, WhenFull::DropOldest, now)
    }

    /// A token of ours. A key that is due for it is replaced first.
    fn sign(&self, typ: &str, claims: &Value, now: i64) -> Result<String, Fault> {
        let failed = |error: super::keys::KeysError| Fault::Failed(error.to_string());
        if self.keys.read().unwrap_or_else(PoisonError::into_inner).is_due(now) {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            // Somebody else may have done it meanwhile.
            if keys.is_due(now)
                && let Err(error) = keys.rotate(now, &self.save)
            {
                tracing::error!(error = %error, "no new signing key");
            }
        }
        self.keys.read().unwrap_or_else(PoisonError::into_inner).sign(typ, claims).map_err(failed)
    }

    /// The app of an id, as it is now.
    fn client(&self, id: &str) -> Result<Option<Client>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        Ok(client::read(&self.door, &grant::access(), id)?)
    }

    /// Where the proofs of an app are remembered.
    fn replay_of(&self, client: &Client) -> &Replay {
        if client.is_public() { &self.strangers } else { &self.replay }
    }

    /// The account of an id, as it is now; none, if its person may not enter: whoever is locked or has left acts by no app.
    fn account(&self, id: &str) -> Result<Option<Account>, Fault> {
        let record = self.door.view(&grant::access())?.read(ACCOUNT.name, id)?;
        let Some(record) = record.filter(|record| !record.is_deleted()) else { return Ok(None) };
        let account: Account = serde_json::from_slice(&record.plain_json())
            .map_err(|_| Fault::Failed(format!("account {id} cannot be read")))?;
        let may_enter = match &account.person {
            None => true,
            Some(person) => {
                let person = person::keep::read(&self.door, person)?;
                person.is_some_and(|person| person.value.state == State::Active)
            }
        };
        Ok(Some(account).filter(|_| may_enter))
    }

    /// Which app asks. One with keys or a certificate must prove it; one without can only say it.
    fn authenticate(
        &self,
        pairs: &Pairs,
        certificate: Option<&Chain>,
        now: i64,
    ) -> Result<(String, Client), Fault> {
        if value(pairs, "client_secret").is_some() {
            return Err(Fault::ClientProof);
        }
        let given = value(pairs, "client_id");
        let Some(assertion) = value(pairs, "client_assertion") else {
            let id = given.ok_or(Fault::Missing("client_id"))?;
            let client = self.client(id)?.ok_or(Fault::UnknownClient)?;
            if client.certificate.is_some() {
                let proven = certificate.zip(self.client_authorities());
                let proven = proven.is_some_and(|(chain, trusted)| client.is_proven_by(chain, &trusted, now));
                return if proven { Ok((id.to_owned(), client)) } else { Err(Fault::ClientCertificate) };
            }
            return if client.is_public() { Ok((id.to_owned(), client)) } else { Err(Fault::ClientProof) };
        };
        if value(pairs, "client_assertion_type") != Some(TYPE) {
            return Err(Fault::ClientProof);
        }
        let id = assertion::subject(assertion, &[Policy::Fapi2, Policy::Smart])?;
        if given.is_some_and(|given| given != id) {
            return Err(Fault::ClientProof);
        }
        let client = self.client(&id)?.ok_or(Fault::UnknownClient)?;
        if client.certificate.is_some() {
            return Err(Fault::ClientProof);
        }
        let addressee = Addressee { issuer: &self.issuer, token: &self.endpoint("token") };
        assertion::check(assertion, (&id, &client), addressee, &self.replay, now)?;
        if client.statement.as_ref().is_some_and(|statement| statement.until <= now) {
            return Err(Fault::CertificateOver);
        }
        Ok((id, client))
    }
}

/// Refuses a parameter that is there twice: which one counts would be chance (RFC 6749, section 3.1).
fn check_once(pairs: &Pairs) -> Result<(), Fault> {
    let is_twice = |(index, (name, _)): (usize, &(String, String))| {
        pairs[..index].iter().any(|(earlier, _)| earlier == name)
    };
    if pairs.iter().enumerate().any(is_twice) { Err(Fault::Repeated) } else { Ok(()) }
}

fn required<'p>(pairs: &'p Pairs, name: &'static str) -> Result<&'p str, Fault> {
    value(pairs, name).ok_or(Fault::Missing(name))
}

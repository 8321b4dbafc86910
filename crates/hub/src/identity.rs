//! Proving who somebody is in the world (`docs/people.md`, "Identity checks"): the adapters to relays, and what the hub
//! needs to use them. What a check is and whom it proves stands in `ieum_trust::identity`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ieum_trust::identity::{self, Begun, Checked, Checker, Kind, Relay, SetUpError, Trouble, sealed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::authorization::origin;
use crate::hub::{Entrance, Hub};
use crate::outgoing;
use crate::secret_file::{self, SecretFileError};

/// The file with the key of the digests of CIs.
const CI_KEY_FILE: &str = "ci-key";
/// How long one question may take.
const TIME: Duration = Duration::from_secs(5);
/// Questions at once: few of the hub's turns.
const AT_ONCE: usize = 8;
/// Bytes of an answer.
const ANSWER_BYTES: u64 = 64 << 10;
/// Seconds that a result is good, and that a relay's clock may differ.
const GOOD_SECONDS: i64 = 600;
/// The header by which hub and relay know each other's questions: HMAC-SHA256 of the body in base64.
pub(crate) const SIGNATURE: &str = "x-signature";

/// Why the hub cannot start with its relays.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// They cannot be set up so.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    /// A key cannot be read.
    #[error(transparent)]
    Key(#[from] SecretFileError),
}

/// The checks of a hub.
pub struct Identity {
    checks: Vec<Check>,
    ci_key: String,
    turns: Semaphore,
}

/// One check.
pub(crate) struct Check {
    /// What whoever runs the hub says of it.
    pub(crate) relay: Relay,
    origin: String,
    checker: Box<dyn Checker>,
}

impl Identity {
    /// Lets a hub prove who people are by these relays; files are looked for in this directory.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn start(hub: &Hub, directory: &Path, relays: &[Relay]) -> Result<(), IdentityError> {
        identity::check(relays)?;
        if hub.entrance() == Entrance::Open || relays.is_empty() {
            return Ok(());
        }
        let check = |relay: &Relay| {
            let key = secret_file::read(&directory.join(&relay.key_file))?;
            let agent = outgoing::agent(true, |config| config.timeout_global(Some(TIME)));
            let checker = Box::new(Adapter { kind: relay.kind, address: relay.address.clone(), key, agent });
            Ok(Check { relay: relay.clone(), origin: origin(hub.base_url()).to_owned(), checker })
        };
        let checks = relays.iter().map(check).collect::<Result<_, SecretFileError>>()?;
        let ci_key = secret_file::kept(directory, CI_KEY_FILE)?;
        hub.take_identity(Arc::new(Self { checks, ci_key, turns: Semaphore::new(AT_ONCE) }));
        Ok(())
    }

    /// All of them, in the order in which they are set up.
    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The one of an id.
    pub(crate) fn find(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.relay.id == id)
    }

    /// What is kept of somebody's CI.
    pub(crate) fn ci_digest(&self, checked: &Checked) -> Option<String> {
        checked.ci_digest(self.ci_key.as_bytes())
    }

    /// Opens a transaction; the person comes back to this path.
    pub(crate) fn begin(&self, check: &Check, request: &str, path: &str) -> Result<Begun, Trouble> {
        let _turn = self.turns.try_acquire().map_err(|_| Trouble::Unreachable)?;
        check.checker.begin(request, &format!("{}{path}", check.origin))
    }

    /// Fetches the result of a transaction.
    pub(crate) fn finish(
        &self,
        check: &Check,
        (transaction, request): (&str, &str),
        now: i64,
    ) -> Result<Checked, Trouble> {
        let _turn = self.turns.try_acquire().map_err(|_| Trouble::Unreachable)?;
        check.checker.finish(transaction, request, now)
    }
}

/// The adapter to `ieum simulator` (`crate::simulator`).
struct Adapter {
    kind: Kind,
    address: String,
    key: String,
    agent: ureq::Agent,
}

#[derive(Deserialize)]
struct Opened {
    transaction: String,
    page: String,
}

#[derive(Deserialize)]
struct Answer {
    sealed: String,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Said {
    /// When the person finished, in seconds since 1970.
    pub(crate) at: i64,
    /// Who it is.
    pub(crate) who: Checked,
}

impl Checker for Adapter {
    fn begin(&self, request: &str, back: &str) -> Result<Begun, Trouble> {
        let body = json!({ "kind": self.kind, "request": request, "back": back });
        let (200, json) = self.ask("/requests", &body)? else { return Err(Trouble::Unreachable) };
        let opened: Opened = serde_json::from_slice(&json).map_err(|_| Trouble::Unreachable)?;
        let is_name = opened.transaction.len() == 32
            && opened.transaction.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // People are sent nowhere but to the relay.
        let page = format!("{}/pages/{}", self.address, opened.transaction);
        if !is_name || opened.page != page {
            return Err(Trouble::Unreachable);
        }
        Ok(Begun { transaction: opened.transaction, page })
    }

    fn finish(&self, transaction: &str, request: &str, now: i64) -> Result<Checked, Trouble> {
        let body = json!({ "transaction": transaction, "request": request });
        let json = match self.ask("/results", &body)? {
            (200, json) => json,
            (202, _) => return Err(Trouble::Pending),
            (403, _) => return Err(Trouble::Refused),
            (404 | 410, _) => return Err(Trouble::Over),
            _ => return Err(Trouble::Unreachable),
        };
        let answer: Answer = serde_json::from_slice(&json).map_err(|_| Trouble::Unreachable)?;
        let sealed = STANDARD.decode(answer.sealed).map_err(|_| Trouble::Sealed)?;
        let text =
            sealed::open(self.key.as_bytes(), (transaction, request), &sealed).ok_or(Trouble::Sealed)?;
        let said: Said = serde_json::from_slice(&text).map_err(|_| Trouble::Sealed)?;
        if said.who.kind != self.kind {
            return Err(Trouble::Sealed);
        }
        if (said.at - now).abs() > GOOD_SECONDS { Err(Trouble::Over) } else { Ok(said.who) }
    }
}

impl Adapter {
    fn ask(&self, path: &str, body: &serde_json::Value) -> Result<(u16, Vec<u8>), Trouble> {
        let body = body.to_string();
        let signature = signature(&self.key, body.as_bytes());
        let request = self.agent.post(format!("{}{path}", self.address)).header(SIGNATURE, signature);
        let mut response = request.send(body.as_bytes()).map_err(|_| Trouble::Unreachable)?;
        let status = response.status().as_u16();
        let read = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        Ok((status, read.map_err(|_| Trouble::Unreachable)?))
    }
}

/// What a question is signed with.
pub(crate) fn signature(key: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(key, body).finalize().into_bytes())
}

/// Whether a question is signed with this key.
pub(crate) fn is_signed(key: &str, body: &[u8], signature: &str) -> bool {
    STANDARD.decode(signature).is_ok_and(|signature| mac(key, body).verify_slice(&signature).is_ok())
}

fn mac(key: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

//! Where units go: the hub in this process, or one that is running elsewhere.

use axum::http::Method;
use ieum_fhir::outcome::operation_outcome;
use ieum_trust::access::Access;
use std::time::Duration;

use crate::call::{Body, Call, Conditions, Content, Failure, Place, Prefer, Returns};
use crate::hub::Hub;
use crate::{fhir, routes};

/// Takes transactions.
pub trait Target: Send + Sync {
    /// Sends one; when it returns, what is in it is durable.
    ///
    /// # Errors
    /// [`Refusal`].
    fn send(&self, bundle: &[u8]) -> Result<(), Refusal>;

    /// How many may be sent at the same time with profit.
    fn at_once(&self) -> usize;
}

/// Why a transaction was not taken.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// It is wrong.
    Invalid {
        /// HTTP status.
        status: u16,
        /// OperationOutcome, JSON.
        outcome: Vec<u8>,
    },
    /// The hub cannot take anything now; what to do.
    Unreachable(String),
}

/// The hub in this process.
pub struct Local {
    /// The hub.
    pub hub: Hub,
    /// On whose authority.
    pub access: Access,
}

impl Target for Local {
    fn send(&self, bundle: &[u8]) -> Result<(), Refusal> {
        let (route, place) = routes::find(&Method::POST, &["fhir"]).expect("the interface takes bundles");
        debug_assert_eq!(place, Place::default());
        let call = Call {
            hub: &self.hub,
            route,
            access: &self.access,
            place,
            pairs: Vec::new(),
            conditions: Conditions::default(),
            prefer: Prefer { returns: Some(Returns::Minimal), ..Prefer::default() },
            body: Body::Bytes(bundle),
        };
        match fhir::run(&call) {
            Ok(answer) => match answer.content {
                Content::Resource(json) => check_entries(&json),
                _ => Ok(()),
            },
            Err(failure) => Err(refusal(&failure)),
        }
    }

    fn at_once(&self) -> usize {
        std::thread::available_parallelism().map_or(2, usize::from) * 2
    }
}

fn refusal(failure: &Failure) -> Refusal {
    let outcome = operation_outcome(&failure.issues);
    let status = failure.status.as_u16();
    if status >= 500 {
        let issue = failure.issues.first().map(|issue| issue.diagnostics.clone()).unwrap_or_default();
        return Refusal::Unreachable(format!("the hub stopped taking records: {issue}"));
    }
    Refusal::Invalid { status, outcome }
}

/// A batch answers each entry by itself: the first that was refused stands for the unit.
fn check_entries(answer: &[u8]) -> Result<(), Refusal> {
    #[derive(serde::Deserialize)]
    struct Bundle<'b> {
        #[serde(borrow, default)]
        entry: Vec<Entry<'b>>,
    }
    #[derive(serde::Deserialize)]
    struct Entry<'b> {
        #[serde(borrow)]
        response: Response<'b>,
    }
    #[derive(serde::Deserialize)]
    struct Response<'b> {
        status: String,
        #[serde(borrow)]
        outcome: Option<&'b serde_json::value::RawValue>,
    }
    let Ok(bundle) = serde_json::from_slice::<Bundle<'_>>(answer) else {
        return Err(Refusal::Unreachable("the hub's answer is no bundle".into()));
    };
    for entry in bundle.entry {
        let status: u16 = entry.response.status.get(..3).and_then(|code| code.parse().ok()).unwrap_or(500);
        if status >= 400 {
            let outcome =
                entry.response.outcome.map(|outcome| outcome.get().as_bytes().to_vec()).unwrap_or_default();
            return Err(Refusal::Invalid { status, outcome });
        }
    }
    Ok(())
}

/// A hub that is running elsewhere.
pub struct Remote {
    agent: ureq::Agent,
    base_url: String,
    secret: Option<String>,
}

/// How often a request is tried again when the hub is busy or restarting.
const ATTEMPTS: u32 = 8;

impl Remote {
    /// The hub at this address of a FHIR interface.
    #[must_use]
    pub fn new(base_url: &str, secret: Option<&str>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(600)));
        Self {
            agent: config.build().into(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            secret: secret.map(ToOwned::to_owned),
        }
    }

    fn try_once(&self, bundle: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let mut request = self.agent.post(&self.base_url).header("content-type", "application/fhir+json");
        request = request.header("prefer", "return=minimal");
        if let Some(secret) = &self.secret {
            request = request.header("authorization", format!("Bearer {secret}"));
        }
        let mut response = request.send(bundle).map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_vec()
            .map_err(|error| error.to_string())?;
        Ok((status, body))
    }
}

impl Target for Remote {
    fn send(&self, bundle: &[u8]) -> Result<(), Refusal> {
        let mut why = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(100 << attempt));
            }
            match self.try_once(bundle) {
                Ok((200..300, body)) => return check_entries(&body),
                Ok((401 | 403, _)) => {
                    return Err(Refusal::Unreachable(
                        "the hub does not let this account in or write; give --secret".into(),
                    ));
                }
                Ok((429 | 500.., _)) => why = "the hub is busy or failing".into(),
                Ok((status, outcome)) => return Err(Refusal::Invalid { status, outcome }),
                Err(error) => why = error,
            }
        }
        Err(Refusal::Unreachable(format!("{}: {why}; run the import again to go on", self.base_url)))
    }

    fn at_once(&self) -> usize {
        8
    }
}

//! Where units go: the hub in this process, or one that is running elsewhere.

use axum::http::Method;
use ieum_fhir::json::Value;
use ieum_fhir::outcome::operation_outcome;
use ieum_trust::access::Access;
use serde_json::value::RawValue;

use crate::call::{Body, Call, Conditions, Content, Failure, Place, Prefer, Returns};
use crate::fhir::put_plain;
use crate::hub::Hub;
use crate::{fhir, routes};

/// Takes transactions.
pub trait Target: Send + Sync {
    /// Sends one; when it returns, what is in it is durable. Gives the entries of a batch that were refused.
    ///
    /// # Errors
    /// [`Refusal`].
    fn send(&self, bundle: &[u8]) -> Result<Vec<RefusedEntry>, Refusal>;

    /// Takes resources with ids of their own, all or none; durable when it returns true. False says nothing about why:
    /// sent as a transaction they get their answer.
    ///
    /// # Errors
    /// [`Refusal`], when a transaction would be refused as well.
    fn put(&self, _resources: &[Value<'_>]) -> Result<bool, Refusal> {
        Ok(false)
    }

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

impl Refusal {
    /// Whether what has been written since may have removed the cause: a record that was not there, or another version.
    pub(super) fn may_pass_later(&self) -> bool {
        matches!(self, Self::Invalid { status, .. } if may_pass_later(*status))
    }
}

/// An entry of a batch that was refused. The others are in.
#[derive(Debug, Clone)]
pub struct RefusedEntry {
    /// Its position.
    pub index: usize,
    /// HTTP status.
    pub status: u16,
    /// OperationOutcome, JSON.
    pub outcome: Vec<u8>,
}

impl RefusedEntry {
    pub(super) fn may_pass_later(&self) -> bool {
        may_pass_later(self.status)
    }
}

fn may_pass_later(status: u16) -> bool {
    matches!(status, 404 | 409 | 410 | 412)
}

/// The hub in this process.
pub struct Local {
    /// The hub.
    pub hub: Hub,
    /// On whose authority.
    pub access: Access,
}

impl Target for Local {
    fn send(&self, bundle: &[u8]) -> Result<Vec<RefusedEntry>, Refusal> {
        let (route, place) = routes::find(&Method::POST, &["fhir"]).expect("the interface takes bundles");
        debug_assert_eq!(place, Place::default());
        let call = Call {
            hub: &self.hub,
            kinds: self.hub.kinds(),
            route,
            access: &self.access,
            token: None,
            place,
            pairs: Vec::new(),
            conditions: Conditions::default(),
            prefer: Prefer { returns: Some(Returns::Minimal), ..Prefer::default() },
            body: Body::Bytes(bundle),
        };
        match fhir::run(&call) {
            Ok(answer) => match answer.content {
                Content::Resource(json) => refused_entries(&json),
                _ => Ok(Vec::new()),
            },
            Err(failure) => Err(refusal(&failure)),
        }
    }

    fn put(&self, resources: &[Value<'_>]) -> Result<bool, Refusal> {
        put_plain(&self.hub, &self.access, resources).map_err(|failure| refusal(&failure))
    }

    /// More than there are processors: those that wait for the disk share one write.
    fn at_once(&self) -> usize {
        std::thread::available_parallelism().map_or(2, usize::from) * 4
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

/// A batch answers each entry by itself. An entry that the hub could not take, for no fault of its own, stops the whole.
pub(super) fn refused_entries(answer: &[u8]) -> Result<Vec<RefusedEntry>, Refusal> {
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
        outcome: Option<&'b RawValue>,
    }
    let Ok(bundle) = serde_json::from_slice::<Bundle<'_>>(answer) else {
        return Err(Refusal::Unreachable("the hub's answer is no bundle".into()));
    };
    let mut refused = Vec::new();
    for (index, entry) in bundle.entry.into_iter().enumerate() {
        let status: u16 = entry.response.status.get(..3).and_then(|code| code.parse().ok()).unwrap_or(500);
        let outcome = entry.response.outcome.map(|outcome| outcome.get().as_bytes().to_vec());
        let outcome = outcome.unwrap_or_default();
        match status {
            ..400 => {}
            400..500 if status != 429 => refused.push(RefusedEntry { index, status, outcome }),
            _ => {
                let issue = outcome_diagnostics(&outcome).unwrap_or_else(|| format!("status {status}"));
                return Err(Refusal::Unreachable(format!("the hub stopped taking records: {issue}")));
            }
        }
    }
    Ok(refused)
}

/// What an OperationOutcome says first; none when it is no OperationOutcome.
pub(super) fn outcome_diagnostics(json: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outcome {
        resource_type: String,
        #[serde(default)]
        issue: Vec<Issue>,
    }
    #[derive(serde::Deserialize)]
    struct Issue {
        #[serde(default)]
        diagnostics: String,
    }
    let outcome: Outcome = serde_json::from_slice(json).ok()?;
    let first = outcome.issue.into_iter().next();
    (outcome.resource_type == "OperationOutcome")
        .then(|| first.map(|issue| issue.diagnostics).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(statuses: &[&str]) -> Vec<u8> {
        let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"diagnostics":"the disk is full"}]}"#;
        let entry = |status: &&str| format!(r#"{{"response":{{"status":"{status}","outcome":{outcome}}}}}"#);
        let entries: Vec<_> = statuses.iter().map(entry).collect();
        format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, entries.join(",")).into_bytes()
    }

    #[test]
    fn every_refused_entry_of_a_batch_is_told() {
        let refused = refused_entries(&answer(&["201 Created", "422 x", "200 OK", "412 y"])).unwrap();
        let refused: Vec<_> = refused.iter().map(|entry| (entry.index, entry.status)).collect();
        assert_eq!(refused, [(1, 422), (3, 412)]);
    }

    #[test]
    fn a_hub_that_cannot_take_an_entry_refuses_nothing() {
        for status in ["507 Insufficient Storage", "503 x", "429 Too Many Requests"] {
            match refused_entries(&answer(&["201 Created", status, "422 z"])) {
                Err(Refusal::Unreachable(why)) => assert!(why.contains("the disk is full"), "{why}"),
                other => panic!("{status}: {other:?}"),
            }
        }
    }
}

//! The record of a job: everything that a restart must know.

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::own::{OwnKind, OwnParam};
use ieum_trust::access::{Access, Role};
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::fhir::bulk::Request;

/// The record kind.
pub static JOB: OwnKind = OwnKind {
    name: "IeumJob",
    family: Family::System,
    params: &[
        OwnParam { code: "state", param_type: ParamType::Token, path: &["state"] },
        OwnParam { code: "actor", param_type: ParamType::Token, path: &["asker", "actor"] },
        OwnParam { code: "created", param_type: ParamType::Date, path: &["created"] },
    ],
};

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// In which state it is.
    pub state: State,
    /// Who asked.
    pub asker: Asker,
    /// The address that was asked, whole.
    pub url: String,
    /// What was asked.
    pub request: Request,
    /// When it was asked, in microseconds since 1970.
    pub created: Instant,
    /// When it was picked up last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Instant>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Instant>,
    /// Which process works on it, or did last. One process at a time: whoever changes the record names the version it
    /// knows. (With several nodes the owner would also have to renew a lease here.)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// The moment its result is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant: Option<Instant>,
    /// How often it was picked up since it last came further.
    #[serde(default)]
    pub attempts: u32,
    /// How far it has come.
    #[serde(default)]
    pub progress: Progress,
    /// The point from which it goes on after an interruption; its executor knows what it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<serde_json::Value>,
    /// The files that an import brings in, as far as they are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InFile>,
    /// The files of its result, as far as they are written.
    #[serde(default)]
    pub files: Vec<OutFile>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<JobFailure>,
}

/// An instant in FHIR's form.
pub type Instant = String;

/// Who asked for a job, and with which authority. It is compared with what the account gives whenever the job is picked
/// up, goes on, or is looked at: a job never reaches more than its asker does at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The account.
    pub actor: String,
    /// The role it had.
    pub role: Role,
    /// Whose records it was about, in the role of patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
}

impl Asker {
    /// Whether this is the authority that asked.
    #[must_use]
    pub fn is(&self, access: &Access) -> bool {
        *self == Self::from(access)
    }
}

impl From<&Access> for Asker {
    fn from(access: &Access) -> Self {
        Self { actor: access.actor.clone(), role: access.role, patient: access.patient.clone() }
    }
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done: records, or bytes of an import.
    pub done: u64,
    /// How much there is in all; not always known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// A file to bring in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFile {
    /// What the client says is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it came from; nothing for a file that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Lines that are done.
    pub lines: u64,
    /// Lines that were refused.
    pub rejected: u64,
}

/// A file of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutFile {
    /// Its name in the job's directory and in its address.
    pub name: String,
    /// What it is.
    pub part: OutPart,
    /// Type of the resources in it.
    pub kind: String,
    /// Lines that are durable.
    pub count: u64,
    /// Bytes that are durable.
    pub bytes: u64,
    /// SHA-256 of the whole file, hexadecimal; there when it is finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What a file of the result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutPart {
    /// What was asked for.
    Output,
    /// What has been deleted.
    Deleted,
    /// What went wrong.
    Error,
}

/// Why a job failed: a code of ours and what to do, for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// The code, such as `IEUM-A005`.
    pub code: String,
    /// What to do.
    pub text: String,
}

//! What a commit asks for, and what comes of it.

use std::sync::Arc;

use ieum_fhir::search::Query;
use ieum_fhir::search::parameters::Indexing;

use crate::access::AccessPlan;
use crate::prepare::Prepared;
use crate::record::Op;

/// One commit: applied whole, or not at all. It becomes one number in the sequence.
#[derive(Debug, Clone)]
pub struct CommitRequest {
    /// On whose behalf. Must allow writing.
    pub access: Arc<AccessPlan>,
    /// What the audit entry calls it, such as `create`, `transaction`, `import`.
    pub action: &'static str,
    /// What must hold for the whole commit, judged at its place in the sequence.
    pub guards: Vec<Guard>,
    /// Applied in this order; no record may be named twice.
    pub changes: Vec<Change>,
}

/// The answer to a search on which the request was built; if it is another at commit time the request must be built
/// again. This is how conditional operations are free of races.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The condition.
    pub query: Query,
    /// Ids that matched; when there were two or more, any two of them stand for «several».
    pub found: Vec<String>,
}

/// One change to one record.
#[derive(Debug, Clone)]
pub enum Change {
    /// Write a version.
    Put {
        /// The record.
        record: Box<Prepared>,
        /// What must be so before.
        expect: Expect,
    },
    /// Delete logically.
    Delete {
        /// Kind of the record.
        kind: String,
        /// Id of the record.
        id: String,
        /// What must be so before.
        expect: Expect,
    },
}

impl Change {
    /// The record it is about, as (kind, id).
    #[must_use]
    pub fn key(&self) -> (&str, &str) {
        match self {
            Self::Put { record, .. } => (&record.kind, &record.id),
            Self::Delete { kind, id, .. } => (kind, id),
        }
    }

    /// What must be so before.
    #[must_use]
    pub fn expect(&self) -> Expect {
        match self {
            Self::Put { expect, .. } | Self::Delete { expect, .. } => *expect,
        }
    }
}

/// What a change expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Anything,
    /// No such record, now or ever.
    New,
    /// No such record now; there may have been one.
    Absent,
    /// This version, current and not deleted.
    Version(u64),
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: String,
    /// Its current version.
    pub version: u64,
    /// When that version was made, in microseconds since 1970.
    pub instant: i64,
    /// What was done; `None` when the record already was as asked, and no version was made.
    pub op: Option<Op>,
}

/// A finished, durable commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its number; that of the newest commit when nothing had to change.
    pub t: u64,
    /// In the order of [`CommitRequest::changes`].
    pub changes: Vec<Changed>,
}

/// Why a commit did not happen. Nothing of it is visible.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// A change found another version than it expected, or a record where it expected none.
    #[error("change {index} expected another version; the current one is {current:?}")]
    Version {
        /// Position among the changes.
        index: usize,
        /// Current version, if the record exists and is not deleted.
        current: Option<u64>,
    },
    /// A change expected no record, and there is one.
    #[error("change {index} expected a new id, which is taken")]
    Taken {
        /// Position among the changes.
        index: usize,
    },
    /// A condition has another answer by now; build the request again.
    #[error("condition {index} has another answer by now")]
    Guard {
        /// Position among the guards.
        index: usize,
    },
    /// Two changes name the same record.
    #[error("change {index} names a record that an earlier change names")]
    Duplicate {
        /// Position of the second.
        index: usize,
    },
    /// The access plan does not allow writing, or a change names a record that is hidden from the caller.
    #[error("writing is not allowed")]
    Denied,
    /// Too much is waiting to be written; try again later.
    #[error("too many commits are waiting")]
    Overloaded,
    /// The engine failed; nothing was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// Whether trying again with less would fail in the same way: the disk, not a record, is the reason. One that fails may
    /// fail in one place alone.
    #[must_use]
    pub fn concerns_the_disk(&self) -> bool {
        matches!(self, Self::DiskFull | Self::ReadOnly)
    }

    /// Whether it is the question that cannot be answered as it is put, while the engine is well.
    #[must_use]
    pub fn concerns_the_question(&self) -> bool {
        matches!(self, Self::TooSlow { .. } | Self::NotServed { .. } | Self::TooCostly { .. })
    }
}

/// The engine could not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The files can be read but not written.
    #[error("the data directory is not writable")]
    ReadOnly,
    /// The operating system refuses to read or write: the disk is broken, or turned read-only under open files.
    #[error("the disk fails")]
    DiskFails,
    /// The statement took longer than its limit.
    #[error("the question takes longer than {limit_seconds} s")]
    TooSlow {
        /// The limit in force.
        limit_seconds: u64,
    },
    /// The question would look at more records than one may, as far as can be told before it is asked.
    #[error("the question would look at about {records} records, of {most} that one may look at")]
    TooCostly {
        /// What it would cost.
        records: u64,
        /// The limit in force.
        most: u64,
        /// Parameters not asked by that mostly select few records of the kind.
        narrower: Vec<String>,
    },
    /// The question is by a parameter that cannot be searched by at this moment: it is new, or was redefined or taken
    /// away since the question was read.
    #[error("the parameter {code} of {kind} {}", indexing.map_or_else(|| "is not defined any more".to_owned(), |of| of.to_string()))]
    NotServed {
        /// Kind of the parameter.
        kind: String,
        /// Its code.
        code: String,
        /// How far records are indexed by it.
        indexing: Option<Indexing>,
    },
    /// What was stored is not what this program wrote.
    #[error("stored data are damaged: {0}")]
    Damaged(String),
    /// The store was stopped.
    #[error("the store has been stopped")]
    Stopped,
    /// Anything else the engine says.
    #[error("the storage engine failed: {0}")]
    Engine(String),
}

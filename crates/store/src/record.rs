//! Records and their versions, as callers see them.

use crate::body::{self, Stamp};

/// What made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// The record was created, or created again after deletion.
    Create,
    /// The record was changed.
    Update,
    /// The record was deleted logically; this version has no body.
    Delete,
}

impl Op {
    /// The number stored for it.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 3,
        }
    }

    /// The operation stored as `code`; `None` for a number no version of Ieum has written.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Create),
            2 => Some(Self::Update),
            3 => Some(Self::Delete),
            _ => None,
        }
    }
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Kind: a resource type or a record kind of our own.
    pub kind: String,
    /// Logical id.
    pub id: String,
    /// Version number, from 1.
    pub version: u64,
    /// The commit that made this version.
    pub t: u64,
    /// When, in microseconds since 1970; strictly increasing with `t`.
    pub instant: i64,
    /// What happened.
    pub op: Op,
    /// The stored body (see [`crate::body`]); empty for a deletion.
    pub body: Vec<u8>,
}

impl Record {
    /// Writes the record's JSON, its id, version and time spliced in.
    ///
    /// # Panics
    /// For a deletion marker, which has no body: ask [`Record::is_deleted`] first.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        body::write_resource(&self.body, &self.stamp(), out);
    }

    /// The record's JSON.
    ///
    /// # Panics
    /// For a deletion marker, as [`Record::write_json`].
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 160);
        self.write_json(&mut out);
        out
    }

    /// The record's JSON without version and time.
    ///
    /// # Panics
    /// For a deletion marker, as [`Record::write_json`].
    #[must_use]
    pub fn plain_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 80);
        body::write_plain(&self.body, &self.kind, &self.id, &mut out);
        out
    }

    /// True for a deletion marker.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.op == Op::Delete
    }

    fn stamp(&self) -> Stamp<'_> {
        Stamp { kind: &self.kind, id: &self.id, version: self.version, instant: self.instant }
    }
}

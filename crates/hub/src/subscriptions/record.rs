//! What is kept of subscriptions: who made one and what for, and the events it was given.
//!
//! The resource `Subscription` is what clients see. Beside it stands a record of ours with what they do not: on whose
//! authority it acts, and the headers it sends, which are secrets. Both are written in one commit.

use ieum_fhir::index::ParamType;
use ieum_fhir::outcome::Code;
use ieum_store::access::Family;
use ieum_store::engine::FeedEntry;
use ieum_store::own::{OwnKind, OwnParam};
use ieum_store::record::Op;
use serde::{Deserialize, Serialize};

use crate::jobs::record::Asker;

/// The record beside a Subscription; it has the same id.
pub static SUBSCRIBER: OwnKind = OwnKind {
    name: "IeumSubscription",
    family: Family::System,
    params: &[
        OwnParam { code: "state", param_type: ParamType::Token, path: &["state"] },
        OwnParam { code: "actor", param_type: ParamType::Token, path: &["owner", "actor"] },
    ],
};

/// Events of one subscription that were made together.
pub static EVENTS: OwnKind = OwnKind {
    name: "IeumEvents",
    family: Family::System,
    params: &[
        OwnParam { code: "key", param_type: ParamType::Token, path: &["key"] },
        OwnParam { code: "last", param_type: ParamType::Number, path: &["last"] },
    ],
};

/// A subscription, as it is worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscriber {
    /// Names this life of the Subscription: one that was deleted and made again counts its events anew.
    pub key: String,
    /// On whose authority. What is told is decided by what the account may see when it is told.
    pub owner: Asker,
    /// In which state it is.
    pub state: State,
    /// Why it is in error or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Since when it has been in this state, in microseconds since 1970.
    pub changed: i64,
    /// Commits after this one make events; none do while it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Canonical URL of its topic.
    pub topic: String,
    /// Its filters, as `Type?criteria`.
    pub filters: Vec<String>,
    /// How notifications get there.
    pub channel: Channel,
    /// How much they say.
    pub content: Content,
    /// After how many seconds without notification it is told that all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<u32>,
    /// How many seconds a receiver has to answer.
    pub timeout: u32,
    /// Events in one notification, at most.
    pub max_count: u32,
    /// When it ends by itself, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
}

/// The state of a subscription (`http://hl7.org/fhir/subscription-status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The receiver has not shown that it is there.
    Requested,
    /// It is told.
    Active,
    /// It could not be told too often; events are still made, and wait.
    Error,
    /// It is over. No events are made.
    Off,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Active, Self::Error, Self::Off];
    /// Those in which there is something to do.
    pub const LIVE: [Self; 3] = [Self::Requested, Self::Active, Self::Error];

    /// Its code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Active => "active",
            Self::Error => "error",
            Self::Off => "off",
        }
    }
}

/// Why a subscription is in error or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The receiver could not be reached, or answered with an error, too often.
    Failed,
    /// The account is no more, or has another role.
    Access,
    /// Its filters cannot be read any more.
    Filter,
    /// More events wait than are kept.
    Behind,
    /// Its end has come.
    End,
    /// Its maker turned it off.
    Maker,
    /// The operator turned it off.
    Operator,
}

impl Reason {
    /// The code that stands for it.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Failed => Code::NotifyFailed,
            Self::Access => Code::NotifyAccess,
            Self::Filter => Code::NotifyFilter,
            Self::Behind => Code::NotifyBehind,
            Self::End | Self::Maker | Self::Operator => Code::NotifyEnded,
        }
    }
}

/// How notifications get to whoever subscribed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Channel {
    /// They are sent there by POST.
    RestHook {
        /// Where to.
        endpoint: String,
        /// Headers, as `Name: value`.
        headers: Vec<String>,
    },
    /// They come over a connection that the client has opened.
    Websocket,
}

/// How much a notification says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// That something has happened.
    Empty,
    /// To which record.
    IdOnly,
    /// The record too.
    FullResource,
}

impl Content {
    /// The content of this code.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "empty" => Some(Self::Empty),
            "id-only" => Some(Self::IdOnly),
            "full-resource" => Some(Self::FullResource),
            _ => None,
        }
    }
}

/// Events of one subscription that were made together. Their numbers follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Whose they are.
    pub key: String,
    /// Number of the first.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    /// How far the feed had been read when they were made.
    pub through: Place,
    /// The events.
    pub events: Vec<Event>,
}

/// A place in the change feed: what comes after so many changes of a commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The commit.
    pub t: u64,
    /// Changes of it that have been looked at.
    pub changes: u64,
}

/// Something that happened to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in microseconds since 1970.
    #[serde(rename = "i")]
    pub instant: i64,
    /// Kind of the record.
    #[serde(rename = "k")]
    pub kind: String,
    /// Id of the record.
    #[serde(rename = "d")]
    pub id: String,
    /// The version made.
    #[serde(rename = "v")]
    pub version: u64,
    /// What was done, as [`Op::code`].
    #[serde(rename = "o")]
    pub op: i64,
}

impl From<&FeedEntry> for Event {
    fn from(entry: &FeedEntry) -> Self {
        let FeedEntry { instant, kind, id, version, op, .. } = entry;
        Self { instant: *instant, kind: kind.clone(), id: id.clone(), version: *version, op: op.code() }
    }
}

impl Event {
    /// What was done.
    #[must_use]
    pub fn op(&self) -> Op {
        Op::from_code(self.op).unwrap_or(Op::Update)
    }
}

//! What can be subscribed to: the hub's topics, as data.
//!
//! R4 has no SubscriptionTopic; the CapabilityStatement names these by their canonical URLs, and `docs/subscriptions.md`
//! says what they mean. A new topic is a new row here.

use ieum_store::record::Op;

/// A topic.
#[derive(Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its canonical URL.
    pub url: &'static str,
    /// The only type of records it is about; otherwise it is about all.
    pub kind: Option<&'static str>,
    /// What must have been done.
    pub on: &'static [Op],
    /// Criteria, as in a search on `kind`, that the version before must meet; a record that is new meets them.
    pub before: Option<&'static str>,
    /// Criteria that the new version must meet.
    pub now: Option<&'static str>,
    /// What the filters of a subscription (`Type?criteria`) are about.
    pub filters: Filters,
}

/// What the filters of a subscription are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filters {
    /// The record itself; with filters for some types, records of other types are not told of.
    Record,
    /// The patients whose record it is: all filters are `Patient?criteria`, and one patient must meet them.
    Patients,
}

/// Every topic.
pub static TOPICS: &[Topic] = &[
    Topic {
        url: "https://ieum.example/topics/resource-changed",
        kind: None,
        on: &[Op::Create, Op::Update, Op::Delete],
        before: None,
        now: None,
        filters: Filters::Record,
    },
    Topic {
        url: "https://ieum.example/topics/patient-record-changed",
        kind: None,
        on: &[Op::Create, Op::Update, Op::Delete],
        before: None,
        now: None,
        filters: Filters::Patients,
    },
    Topic {
        url: "https://ieum.example/topics/encounter-start",
        kind: Some("Encounter"),
        on: &[Op::Create, Op::Update],
        before: Some("status:not=in-progress"),
        now: Some("status=in-progress"),
        filters: Filters::Record,
    },
    Topic {
        url: "https://ieum.example/topics/encounter-end",
        kind: Some("Encounter"),
        on: &[Op::Create, Op::Update],
        before: Some("status:not=finished"),
        now: Some("status=finished"),
        filters: Filters::Record,
    },
];

/// The topic of this canonical URL; a version (`|…`) means the only one there is.
#[must_use]
pub fn topic(canonical: &str) -> Option<&'static Topic> {
    let url = canonical.split('|').next().unwrap_or_default();
    TOPICS.iter().find(|topic| topic.url == url)
}

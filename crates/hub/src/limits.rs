//! What clients may cost at most.

use std::time::Duration;

/// Limits of the HTTP side. Every one of them has a test that goes past it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body that is one resource.
    pub body_bytes: usize,
    /// Bytes of a body that is a bundle.
    pub bundle_bytes: usize,
    /// Bytes of a form (search by POST).
    pub form_bytes: usize,
    /// Bytes of all bodies being received or worked on at the same time.
    pub bodies_bytes: usize,
    /// Entries of a bundle.
    pub bundle_entries: usize,
    /// Bytes of path and query.
    pub uri_bytes: usize,
    /// Bytes of the request line with all headers.
    pub head_bytes: usize,
    /// How long a client may take to send the headers, and how long a connection may idle.
    pub head_time: Duration,
    /// How long a body may stand still.
    pub body_idle_time: Duration,
    /// How long a body may take in all.
    pub body_time: Duration,
    /// How long a request waits for its turn before it is refused.
    pub wait_time: Duration,
    /// Requests worked on at the same time.
    pub at_once: usize,
    /// Connections open at the same time.
    pub connections: usize,
    /// How long a graceful stop waits for requests under way.
    pub stop_time: Duration,
    /// Bytes of records on a page; what goes with it (`_include`) may have as many again.
    pub page_bytes: usize,
    /// Bytes of resources in the answer to a bundle.
    pub bundle_answer_bytes: usize,
    /// Bytes of all large answers that have not been read by their clients yet.
    pub answers_bytes: usize,
    /// How long a client may leave an answer unread.
    pub answer_idle_time: Duration,
    /// How long a client may take to read what is to be sent to it.
    pub answer_time: Duration,
    /// Searches for people that one account makes in a minute; the hub's own systems are not counted.
    pub people_searches: u32,
    /// Entries of a page when the client does not say.
    pub page_default: usize,
    /// Entries of a page at most.
    pub page_most: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            bundle_bytes: 64 << 20,
            form_bytes: 1 << 20,
            bodies_bytes: 256 << 20,
            bundle_entries: 50_000,
            uri_bytes: 16 << 10,
            head_bytes: 64 << 10,
            head_time: Duration::from_secs(15),
            body_idle_time: Duration::from_secs(15),
            body_time: Duration::from_mins(5),
            wait_time: Duration::from_secs(10),
            at_once: 64,
            connections: 4_096,
            stop_time: Duration::from_secs(20),
            page_bytes: 16 << 20,
            bundle_answer_bytes: 64 << 20,
            answers_bytes: 256 << 20,
            answer_idle_time: Duration::from_secs(15),
            answer_time: Duration::from_mins(5),
            people_searches: 600,
            page_default: 50,
            page_most: 1_000,
        }
    }
}

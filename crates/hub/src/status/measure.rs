//! Counting requests: by method, pattern and status, with how long they took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::serve::known_method;

/// The pattern of the route that answered; servers put it on their answers, because paths are patient data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern(pub &'static str);

/// Upper bounds of the histogram, in seconds.
pub(super) const BOUNDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Counters of requests since start. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    /// Bounded by nature: methods, patterns and statuses are all words of our own.
    series: Mutex<BTreeMap<Key, Series>>,
}

/// Which requests: method, pattern, status.
pub(super) type Key = (&'static str, &'static str, u16);

/// Requests of one kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Series {
    /// How many ended within each bound, and beyond all of them.
    pub(super) buckets: [u64; BOUNDS.len() + 1],
    /// How long all of them took.
    pub(super) total: Duration,
}

impl Series {
    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Metrics {
    /// All at zero, from now on.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it notes the time")]
    pub fn new() -> Self {
        Self(Arc::new(Inner { started: Instant::now(), series: Mutex::default() }))
    }

    /// How long the process has served.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Counts one request.
    pub fn observe(&self, method: &Method, pattern: &'static str, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        let mut all = self.0.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.entry((known_method(method), pattern, status)).or_default();
        series.buckets[bucket] += 1;
        series.total += took;
    }

    /// Everything counted so far.
    pub(super) fn snapshot(&self) -> BTreeMap<Key, Series> {
        self.0.series.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The same router, its requests counted.
pub fn measured(router: Router, metrics: Metrics) -> Router {
    router.layer(middleware::from_fn_with_state(metrics, measure))
}

async fn measure(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let response = next.run(request).await;
    let pattern = response.extensions().get::<Pattern>().map_or("(none)", |pattern| pattern.0);
    metrics.observe(&method, pattern, response.status().as_u16(), started.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fall_into_their_buckets() {
        let metrics = Metrics::new();
        for micros in [500, 1_000, 1_001, 60_000_000] {
            metrics.observe(&Method::GET, "/x", 200, Duration::from_micros(micros));
        }
        let brew = Method::from_bytes(b"BREW").unwrap();
        metrics.observe(&brew, "(none)", 405, Duration::ZERO);
        let all = metrics.snapshot();
        let series = &all[&("GET", "/x", 200)];
        assert_eq!((series.buckets[0], series.buckets[1], series.buckets[10]), (2, 1, 1));
        assert_eq!(series.count(), 4);
        assert_eq!(all[&("other", "(none)", 405)].count(), 1);
    }
}

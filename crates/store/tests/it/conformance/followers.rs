//! Those who ask again and again for what is new miss nothing, however many write and whatever the clock does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use ieum_store::engine::{HistoryRequest, HistoryScope, Snapshot};

use crate::support::{Store, everything};

const WRITERS: usize = 64;
/// Commits of each, of two records.
const COMMITS: usize = 8;
const START: i64 = 1_770_000_000_000_000;
const HOUR: i64 = 3_600_000_000;

type Version = (String, u64);

/// Asks for all versions from an instant on, page by page; gives them and the newest instant.
fn since(view: &dyn Snapshot, since: Option<i64>) -> (Vec<Version>, Option<i64>) {
    let (mut found, mut newest, mut after) = (Vec::new(), None, None);
    loop {
        let scope = HistoryScope::System;
        let request = HistoryRequest { scope, since, at: None, backward: false, after, limit: 50 };
        let page = view.history(&everything(), &request).unwrap();
        newest = newest.or(page.records.first().map(|record| record.instant));
        found.extend(page.records.into_iter().map(|record| (record.id, record.version)));
        after = page.next;
        if after.is_none() {
            return (found, newest);
        }
    }
}

on_every_engine! {
    /// By `_since`, from the newest instant seen; and by the feed, from the newest commit seen.
    fn followers_miss_nothing_while_many_write_and_the_clock_jumps(store: &Store) {
        store.clock.set(START);
        let writing = AtomicUsize::new(WRITERS);
        let (by_since, by_feed) = std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let writing = &writing;
                scope.spawn(move || {
                    for commit in 0..COMMITS {
                        // An hour back, where it was, an hour forward, by turns.
                        store.clock.set(START + ((writer + commit) % 3) as i64 * HOUR - HOUR);
                        let own = format!(r#"{{"resourceType":"Patient","id":"w{writer}c{commit}"}}"#);
                        let shared = format!(r#"{{"resourceType":"Patient","id":"s{}","name":[{{"text":"{writer} {commit}"}}]}}"#, writer % 5);
                        let change = |json: &str| store.put_change(json, ieum_store::commit::Expect::Anything);
                        store.commit(vec![change(&own), change(&shared)]).unwrap();
                    }
                    writing.fetch_sub(1, Ordering::SeqCst);
                });
            }
            let (mut by_since, mut by_feed) = (BTreeSet::new(), BTreeSet::new());
            let (mut newest, mut after) = (None, 0);
            loop {
                let last = writing.load(Ordering::SeqCst) == 0;
                let view = store.engine.snapshot().unwrap();
                let (found, instant) = since(&*view, newest);
                by_since.extend(found);
                newest = instant.or(newest);
                loop {
                    let some = view.feed(&everything(), after, 7).unwrap();
                    let Some(end) = some.last() else { break };
                    assert!(some.iter().all(|entry| entry.t > after));
                    after = end.t;
                    for entry in some {
                        assert!(by_feed.insert((entry.id, entry.version)), "told twice");
                    }
                }
                if last {
                    return (by_since, by_feed);
                }
            }
        });
        let view = store.engine.snapshot().unwrap();
        let (whole, _) = since(&*view, None);
        assert_eq!(whole.len(), WRITERS * COMMITS * 2, "every write made a version");
        let whole: BTreeSet<Version> = whole.into_iter().collect();
        assert_eq!(by_since, whole);
        assert_eq!(by_feed, whole);
        let commits = view.feed(&everything(), 0, usize::MAX).unwrap();
        assert!(commits.is_sorted_by(|one, next| one.t == next.t || one.t + 1 == next.t && one.instant < next.instant));
    }
}

//! The order within a file, where it matters: units are sent at the same time, except those that write the same records.
//! Of several versions of a record in a file the last wins, in every run.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whose turn it is.
pub(super) struct Order {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// First line of the unit that may enter next.
    next: u64,
    /// First lines of the units being sent.
    under_way: BTreeSet<u64>,
    /// The records they write.
    keys: HashSet<u64>,
    stopped: bool,
}

/// A unit's time to be sent; it ends when dropped.
pub(super) struct Turn<'o> {
    order: &'o Order,
    first_line: u64,
    keys: Vec<u64>,
    /// Whether others were being sent when it began.
    is_among_others: bool,
}

impl Order {
    /// For a file read from this line on.
    pub(super) fn from_line(line: u64) -> Self {
        let state = State { next: line, under_way: BTreeSet::new(), keys: HashSet::new(), stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits until every unit before this one has begun, and those that write the same records have ended; none when
    /// the import has stopped.
    pub(super) fn enter(&self, first_line: u64, lines: u64, keys: Vec<u64>) -> Option<Turn<'_>> {
        let must_wait =
            |state: &State| state.next != first_line || keys.iter().any(|key| state.keys.contains(key));
        let mut state = self.wait_while(must_wait)?;
        let is_among_others = !state.under_way.is_empty();
        state.next += lines;
        state.under_way.insert(first_line);
        state.keys.extend(&keys);
        drop(state);
        self.changed.notify_all();
        Some(Turn { order: self, first_line, keys, is_among_others })
    }

    /// Nobody need wait any more: something has failed.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None when stopped.
    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> Option<MutexGuard<'_, State>> {
        let wait = |state: &mut State| !state.stopped && condition(state);
        let state = self.changed.wait_while(self.lock(), wait).unwrap_or_else(PoisonError::into_inner);
        (!state.stopped).then_some(state)
    }
}

impl Turn<'_> {
    /// Waits until all units before this one have ended. False when that can make no difference: none was under way,
    /// or the import has stopped.
    pub(super) fn wait_for_those_before(&mut self) -> bool {
        let is_behind = |state: &State| state.under_way.first().is_some_and(|first| *first < self.first_line);
        std::mem::take(&mut self.is_among_others) && self.order.wait_while(is_behind).is_some()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.order.lock();
        state.under_way.remove(&self.first_line);
        for key in &self.keys {
            state.keys.remove(key);
        }
        drop(state);
        self.order.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_same_record_is_written_by_one_at_a_time_and_others_pass() {
        let order = Order::from_line(0);
        let first = order.enter(0, 1, vec![7]).unwrap();
        let second = order.enter(1, 1, vec![8]).unwrap();
        let (entered, enters) = channel();
        std::thread::scope(|scope| {
            let order = &order;
            scope.spawn(move || {
                let turn = order.enter(2, 1, vec![7]).unwrap();
                entered.send(()).unwrap();
                drop(turn);
            });
            let waited = enters.recv_timeout(Duration::from_millis(50));
            assert_eq!(waited, Err(RecvTimeoutError::Timeout));
            drop(second);
            let waited = enters.recv_timeout(Duration::from_millis(50));
            assert_eq!(waited, Err(RecvTimeoutError::Timeout));
            drop(first);
            enters.recv_timeout(Duration::from_secs(30)).unwrap();
        });
    }

    #[test]
    fn a_stop_wakes_all_who_wait() {
        let order = Order::from_line(0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| order.enter(5, 1, Vec::new()).is_none());
            order.stop();
            assert!(waiting.join().unwrap());
        });
    }
}

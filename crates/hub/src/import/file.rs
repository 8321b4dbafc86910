//! One file: a thread reads and cuts it into units, a few send them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use ieum_fhir::json::{Document, Limits, Value};
use indicatif::ProgressBar;

use super::journal::Entry;
use super::order::{Order, Turn};
use super::source::{Form, Source, SourceError};
use super::target::{Refusal, RefusedEntry};
use super::unit::{Part, Together, Unit};
use super::{ImportError, Work};

/// Units waiting between reading and sending, so that neither waits for the other.
const WAITING: usize = 8;

/// What has become of some lines.
struct Ended {
    first_line: u64,
    lines: u64,
    accepted: u64,
    rejected: u64,
}

/// What has become of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) rejected: u64,
}

/// Takes a file from where the journal knows it. What went in before an error stays, and is in the counts.
pub(super) fn take(
    work: &Work<'_>,
    source: &Source,
    entry: &mut dyn Entry,
    counts: &mut Counts,
) -> Result<(), ImportError> {
    let failed = Failed::default();
    let skip = entry.done();
    let order = Order::from_line(skip);
    // A document is one unit: more than one sender would only wait.
    let senders = if source.form == Form::Document { 1 } else { work.target.at_once() };
    std::thread::scope(|scope| {
        let (units, received) = sync_channel(WAITING);
        // Dropped with the last sender, so that reading ends when nobody sends any more.
        let received = Arc::new(Mutex::new(received));
        let (finished, finishes) = std::sync::mpsc::channel();
        let reading = scope.spawn(|| read(source, skip, units, work.bar));
        for _ in 0..senders {
            let sender = Sender { work, source, order: &order };
            let (received, failed, finished) = (Arc::clone(&received), &failed, finished.clone());
            scope.spawn(move || {
                let _guard = StopOnPanic(sender.order);
                while let Some(unit) = next(&received) {
                    match sender.unit(&unit) {
                        Ok(Some(ended)) => drop(finished.send(ended)),
                        Ok(None) => return,
                        Err(error) => {
                            sender.order.stop();
                            return failed.set(error);
                        }
                    }
                }
            });
        }
        drop((finished, received));
        // Units end in any order; the journal knows only how much of the beginning is done.
        let mut ahead = BTreeMap::new();
        let mut reached = skip;
        for ended in finishes {
            counts.accepted += ended.accepted;
            counts.rejected += ended.rejected;
            ahead.insert(ended.first_line, ended);
            while let Some(ended) = ahead.remove(&reached) {
                reached += ended.lines;
                if let Err(error) = entry.advance(reached, ended.rejected) {
                    order.stop();
                    failed.set(error);
                }
            }
            work.bar.set_message(format!("{} records", work.accepted_before + counts.accepted));
        }
        match reading.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.set(error.into()),
            Err(_) => failed.set(ImportError::Target("the reading thread ended by a bug".into())),
        }
    });
    failed.result()
}

/// The first error of several threads.
#[derive(Default)]
struct Failed(Mutex<Option<ImportError>>);

impl Failed {
    fn set(&self, error: ImportError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn result(self) -> Result<(), ImportError> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// A sender that panics would otherwise leave the others waiting for its unit.
struct StopOnPanic<'o>(&'o Order);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "dropping the sender at the end tells the senders to stop")]
fn read(source: &Source, skip: u64, units: SyncSender<Unit>, bar: &ProgressBar) -> Result<(), SourceError> {
    let mut shown = 0;
    for unit in source.units(skip)? {
        let unit = unit?;
        bar.inc(unit.offset - shown);
        shown = unit.offset;
        if units.send(unit).is_err() {
            // All senders have stopped; their reason is told elsewhere.
            break;
        }
    }
    Ok(())
}

fn next(received: &Mutex<Receiver<Unit>>) -> Option<Unit> {
    received.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Sends units of one file.
struct Sender<'w> {
    work: &'w Work<'w>,
    source: &'w Source,
    order: &'w Order,
}

impl Sender<'_> {
    /// One unit; when its lines are refused together each is tried alone. None when the import has stopped.
    fn unit(&self, unit: &Unit) -> Result<Option<Ended>, ImportError> {
        let Unit { first_line, lines, .. } = *unit;
        let mut ended = Ended { first_line, lines, accepted: 0, rejected: 0 };
        let together = unit.together();
        let mut singles = if together.is_none() { unit.singles() } else { Vec::new() };
        let parts = singles.iter().filter_map(|single| single.part.as_ref().ok());
        let keys = parts.flat_map(|part| &part.keys).chain(together.iter().flat_map(|lines| &lines.keys));
        let keys = keys.copied().collect();
        let Some(mut turn) = self.order.enter(first_line, lines, keys) else { return Ok(None) };
        if let Some(together) = together {
            match self.all(&together, &mut turn) {
                Ok(()) => ended.accepted += together.records(),
                Err(Refusal::Unreachable(why)) => return Err(ImportError::Target(why)),
                // Which line it was is found by sending each.
                Err(Refusal::Invalid { .. }) => singles = unit.singles(),
            }
        }
        for single in singles {
            let sent = single.part.and_then(|part| {
                let refused = self.send(&part, &mut turn)?;
                Ok((part, refused))
            });
            match sent {
                Ok((part, refused)) => {
                    self.reject_entries(single.line, &part, &refused)?;
                    let records = refused.iter().filter(|entry| part.holds_record[entry.index]).count();
                    ended.accepted += part.records - records as u64;
                    ended.rejected += refused.len() as u64;
                }
                Err(Refusal::Unreachable(why)) => return Err(ImportError::Target(why)),
                Err(refusal) => {
                    self.work.rejects.add(self.source, single.line, &refusal, single.bytes)?;
                    ended.rejected += 1;
                }
            }
        }
        Ok(Some(ended))
    }

    /// Sends lines together: as they are where the hub takes them so, else as a transaction.
    fn all(&self, together: &Together<'_>, turn: &mut Turn<'_>) -> Result<(), Refusal> {
        if let Some(resources) = together.with_ids()
            && self.work.target.put(&resources)?
        {
            return Ok(());
        }
        self.send(&together.part()?, turn).map(drop)
    }

    /// Sends a part. When it is refused for want of something that stands before it in the file and is still being
    /// sent, it is sent once more after that.
    fn send(&self, part: &Part, turn: &mut Turn<'_>) -> Result<Vec<RefusedEntry>, Refusal> {
        let sent = self.work.target.send(&part.bundle);
        let may_pass_later = match &sent {
            Ok(refused) => refused.iter().any(RefusedEntry::may_pass_later),
            Err(refusal) => refusal.may_pass_later(),
        };
        if may_pass_later && turn.wait_for_those_before() {
            self.work.target.send(&part.bundle)
        } else {
            sent
        }
    }

    fn reject_entries(&self, line: u64, part: &Part, refused: &[RefusedEntry]) -> Result<(), ImportError> {
        if refused.is_empty() {
            return Ok(());
        }
        // It was within the limits before it was put into a bundle, which makes it deeper.
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
        let document = Document::parse(&part.bundle, &limits).expect("what was written here is JSON");
        let entries: Vec<Value<'_>> =
            document.root().get("entry").into_iter().flat_map(Value::elements).collect();
        for entry in refused {
            let bytes = entries.get(entry.index).map_or("", |entry| entry.raw());
            self.work.rejects.add_entry(self.source, line, entry, bytes.as_bytes())?;
        }
        Ok(())
    }
}

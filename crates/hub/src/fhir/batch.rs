//! batch: entries that have nothing to do with one another (R4, `http.html#brules`).

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ieum_fhir::json::Value;

use super::bundle::{self, Entry};
use super::page::Bundle;
use super::room::Room;
use super::{error, run};
use crate::call::{Answer, Call, Failure, Prefer, Returns};
use crate::routes::Who;

/// Entries worked on at the same time, so that their commits share disk writes.
const AT_ONCE: usize = 8;

/// Answers each entry by itself, in the order of the request.
pub(super) fn batch(call: &Call<'_>, root: Value<'_>) -> Result<Answer, Failure> {
    bundle::check_members(root)?;
    let entries: Vec<Value<'_>> = root.get("entry").into_iter().flat_map(Value::elements).collect();
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<Option<Vec<u8>>>> = Mutex::new(vec![None; entries.len()]);
    let room = Room::new(call.hub.limits().bundle_answer_bytes);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = entries.get(index) else { break };
            let answer = answer(call, index, *entry, &room);
            if let Ok(mut answers) = answers.lock() {
                answers[index] = Some(answer);
            }
        }
    };
    let span = tracing::Span::current();
    std::thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(entries.len()) {
            scope.spawn(|| span.in_scope(work));
        }
        work();
    });
    let mut bundle = Bundle::new("batch-response", None, &[]);
    for answer in answers.into_inner().unwrap_or_default() {
        let answer = answer.ok_or_else(error::internal)?;
        bundle.entry(|out| {
            out.extend_from_slice(&answer);
            Ok(())
        })?;
    }
    Ok(Answer::resource(bundle.finish()))
}

fn answer(whole: &Call<'_>, index: usize, value: Value<'_>, room: &Room) -> Vec<u8> {
    let mut out = Vec::new();
    let (answer, is_head) = match Entry::read(whole, index, value) {
        Ok(entry) => {
            let mut call = entry.call(whole);
            call.prefer = prefer(call.prefer, &call);
            let is_write = entry.route.who == Who::Writers;
            let asked = if is_write { Ok(()) } else { room.check() };
            let answer = asked.and_then(|()| run(&call)).unwrap_or_else(|failure| failure.answer());
            (room.fit(answer, is_write), entry.is_head)
        }
        Err(failure) => (failure.answer(), false),
    };
    let full_url = answer.location.as_deref().and_then(|location| location.split("/_history/").next());
    bundle::write_answer(&answer, full_url, is_head, &mut out);
    out
}

/// Inside bundles, writes are answered without the resource unless it is asked for.
fn prefer(asked: Prefer, call: &Call<'_>) -> Prefer {
    let is_write = call.route.who == Who::Writers;
    Prefer { returns: asked.returns.or(is_write.then_some(Returns::Minimal)), ..asked }
}

//! Learning from a store's own records how to compress them.
//!
//! What a hospital writes repeats its own codes and words, which no dictionary made elsewhere knows. When a store has
//! grown to [`super::SqliteOptions::learn_at`] records, and again each time it is eight times as large, a dictionary is made out of
//! a sample of its records, and new bodies are made with it if that saves enough.
//!
//! A dictionary holds fragments of what it was made of, and outlives every record. So nothing of a single person goes in:
//! a value is left out unless it stands in the records of [`OWNERS`] patients of the sample; the system's own records
//! (accounts and their secrets) are no part of it.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use foldhash::fast::RandomState;
use ieum_fhir::json::{Document, Kind, Limits, Value};
use rusqlite::{Connection, OptionalExtension};

use super::connection::ReaderPool;
use super::dict::id_text;
use super::writer::Writer;
use super::{Shared, to_i64, to_u64};
use crate::access::Family;
use crate::body::{body_from, write_plain};
use crate::commit::StoreError;
use crate::compress::Dictionary;

/// Patients in whose records a value must stand.
const OWNERS: u8 = 10;
/// Records looked at.
const SAMPLE: u64 = 8_000;
/// Of these, every so many-th is what a dictionary is judged by; it is made of others. Odd, since records alternate.
const JUDGED: usize = 7;
/// Records a dictionary is made of, at most.
const TAUGHT: usize = 3_000;
/// Bytes of a dictionary, at most.
const SIZE: usize = 110 << 10;
/// How much larger a store is when it learns again.
const GROWTH: u64 = 8;
/// The number of the first dictionary learnt; those below are built in.
const FIRST: i64 = 16;

/// When to learn, and who is at it.
pub(super) struct Learner {
    /// Records at which to learn next.
    next: AtomicU64,
    is_busy: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Learner {
    /// Reads what was learnt before.
    pub(super) fn open(connection: &Connection, shared: &Shared) -> Result<Self, StoreError> {
        let mut statement = connection.prepare("SELECT no, bytes FROM zdict ORDER BY no")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Damaged("a dictionary".into()))?;
            shared.dictionaries.add(row.get(0)?, Dictionary::read(bytes)?);
        }
        let sql = "SELECT value FROM meta WHERE name = 'learn_at'";
        let next: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        let next = next.map_or(Ok(shared.options.learn_at), to_u64)?;
        Ok(Self { next: AtomicU64::new(next), is_busy: Arc::default(), thread: Mutex::default() })
    }

    /// Begins to learn, beside everything else, when the store has as many records as that takes.
    pub(super) fn look(&self, shared: &Arc<Shared>, readers: &Arc<ReaderPool>, writer: &Arc<Writer>) {
        let records = shared.records.load(Ordering::Relaxed);
        if records < self.next.load(Ordering::Relaxed) || self.is_busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let next = records.saturating_mul(GROWTH);
        self.next.store(next, Ordering::Relaxed);
        let (shared, readers, writer) = (Arc::clone(shared), Arc::clone(readers), Arc::clone(writer));
        let is_busy = Arc::clone(&self.is_busy);
        let learning = std::thread::Builder::new().name("ieum-learner".into()).spawn(move || {
            match learn(&shared, &readers, &writer, next) {
                Ok(()) | Err(StoreError::Stopped) => {}
                Err(error) => tracing::warn!(error = %error, "no dictionary could be learnt"),
            }
            is_busy.store(false, Ordering::Release);
        });
        match learning {
            Ok(thread) => *self.lock() = Some(thread),
            Err(error) => tracing::warn!(error = %error, "no thread to learn a dictionary"),
        }
    }

    /// Waits for what is under way: a second or two.
    pub(super) fn stop(&self) {
        let thread = self.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("learning a dictionary ended by a bug");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record of the sample.
struct Sampled {
    owner: i64,
    /// The whole resource.
    json: Vec<u8>,
    /// What is compressed.
    body: Vec<u8>,
}

fn learn(shared: &Shared, readers: &ReaderPool, writer: &Writer, next: u64) -> Result<(), StoreError> {
    let sample = readers.with(|connection| sample(connection, shared))?;
    let mut learnt = None;
    if let Some(bytes) = dictionary_of(&sample)? {
        let dictionary = Dictionary::read(&bytes)?;
        let (_, newest) = shared.dictionaries.newest();
        let judged = || sample.iter().step_by(JUDGED).map(|record| &record.body);
        let size =
            |dictionary: &'static Dictionary| judged().map(|body| dictionary.pack(body).len()).sum::<usize>();
        let (before, after) = (size(newest), size(dictionary));
        // Each dictionary is memory for ever; a twentieth is worth that.
        if after + before / 20 < before {
            learnt = Some((bytes, dictionary));
        }
        tracing::info!(before, after, records = sample.len(), used = learnt.is_some(), "learnt a dictionary");
    }
    let (bytes, dictionary) = learnt.unzip();
    // Durable before the first body is made with it.
    let number = writer.learnt(bytes, next)?;
    if let (Some(number), Some(dictionary)) = (number, dictionary) {
        shared.dictionaries.add(number, dictionary);
    }
    Ok(())
}

/// Writes down a dictionary, and when to learn next; gives the number of the dictionary.
pub(super) fn remember(
    connection: &Connection,
    bytes: Option<&[u8]>,
    next: u64,
) -> Result<Option<i64>, StoreError> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('learn_at', ?1)";
    connection.execute(sql, [to_i64(next)])?;
    let Some(bytes) = bytes else { return Ok(None) };
    let sql = "INSERT INTO zdict (no, bytes) SELECT coalesce(max(no) + 1, ?1), ?2 FROM zdict";
    connection.execute(sql, rusqlite::params![FIRST, bytes])?;
    Ok(Some(connection.query_row("SELECT max(no) FROM zdict", [], |row| row.get(0))?))
}

/// Records from everywhere in the store.
fn sample(connection: &Connection, shared: &Shared) -> Result<Vec<Sampled>, StoreError> {
    let last: i64 = connection.query_row("SELECT coalesce(max(rid), 0) FROM res", [], |row| row.get(0))?;
    let step = (last / to_i64(SAMPLE)).max(1);
    let sql = "SELECT rid, kind, id, pat, codec, body FROM res WHERE rid >= ?1 AND op IN (1, 2) ORDER BY rid LIMIT 1";
    let mut statement = connection.prepare(sql)?;
    let mut found = Vec::new();
    let mut from = 1;
    while from <= last {
        let mut rows = statement.query([from])?;
        let Some(row) = rows.next()? else { break };
        let (rid, pat): (i64, i64) = (row.get(0)?, row.get(3)?);
        from = rid.max(from) + step;
        let kind = shared.registry.name(row.get(1)?)?;
        if shared.catalogue.kind(kind).is_none_or(|kind| kind.family == Family::System) {
            continue;
        }
        let packed = row.get_ref(5)?;
        let body = shared.dictionaries.unpack(row.get(4)?, packed.as_blob().unwrap_or_default())?;
        let mut json = Vec::with_capacity(body.len() + 80);
        write_plain(&body, kind, &id_text(row.get_ref(2)?)?, &mut json);
        // Whose a record is that is not one patient's, nobody knows: all of them count as one.
        found.push(Sampled { owner: pat.max(0), json, body });
    }
    Ok(found)
}

/// A dictionary made of what is common in the sample; none when there is too little of it.
fn dictionary_of(sample: &[Sampled]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut common = Common::default();
    for record in sample {
        common.count(record.owner, parse(&record.json)?.root());
    }
    let taught: Vec<&Sampled> = sample
        .iter()
        .enumerate()
        .filter(|(place, _)| place % JUDGED != 0)
        .map(|(_, record)| record)
        .collect();
    let step = taught.len().div_ceil(TAUGHT).max(1);
    let mut lessons = Vec::new();
    for record in taught.into_iter().step_by(step) {
        let mut plain = Vec::with_capacity(record.json.len());
        common.write(parse(&record.json)?.root(), &mut plain);
        lessons.push(body_from(parse(&plain)?.root(), &mut |_| None));
    }
    // Too few, or too much alike: then there is nothing to learn.
    Ok(zstd::dict::from_samples(&lessons, SIZE).ok())
}

fn parse(json: &[u8]) -> Result<Document<'_>, StoreError> {
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    Document::parse(json, &limits).map_err(|error| StoreError::Damaged(format!("a body: {error}")))
}

/// Which values stand in the records of how many.
#[derive(Default)]
struct Common {
    state: RandomState,
    /// Of each value, by its digest: how many owners.
    owners: HashMap<u64, u8, RandomState>,
    /// Value and owner, by their digest.
    seen: HashSet<u64, RandomState>,
}

impl Common {
    fn count(&mut self, owner: i64, value: Value<'_>) {
        match value.kind() {
            Kind::Object => value.members().for_each(|member| self.count(owner, member)),
            Kind::Array => value.elements().for_each(|element| self.count(owner, element)),
            _ => {
                let digest = self.state.hash_one(value.raw());
                if self.seen.insert(self.state.hash_one((digest, owner))) {
                    let owners = self.owners.entry(digest).or_default();
                    *owners = owners.saturating_add(1);
                }
            }
        }
    }

    /// The value with everything in it that is not common left empty.
    fn write(&self, value: Value<'_>, out: &mut Vec<u8>) {
        match value.kind() {
            Kind::Object => {
                out.push(b'{');
                for (place, member) in value.members().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    ieum_fhir::json::write_string(&member.key().unwrap_or_default(), out);
                    out.push(b':');
                    self.write(member, out);
                }
                out.push(b'}');
            }
            Kind::Array => {
                out.push(b'[');
                for (place, element) in value.elements().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    self.write(element, out);
                }
                out.push(b']');
            }
            kind => {
                let digest = self.state.hash_one(value.raw());
                let is_common = self.owners.get(&digest).is_some_and(|owners| *owners >= OWNERS);
                let text = match kind {
                    _ if is_common => value.raw(),
                    Kind::String => "\"\"",
                    Kind::Number => "0",
                    _ => "null",
                };
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}

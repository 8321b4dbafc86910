//! The floor: what the machine must do at least, without HTTP, indexes, audit or access.
//!
//! To write: read the JSON once, take out the index values (and throw them away), compress, append to a file; all that
//! wait share one fsync. To read: the prepared statement alone.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use ieum_fhir::extract::{ExtractOptions, extract};
use ieum_fhir::json::{Document, Limits, Value};
use ieum_store::body::{Stamp, body_from, write_resource};
use ieum_store::compress::{Dictionaries, Dictionary, pack};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::Result;
use crate::server::settle;

/// What waits for the disk, and whom to tell.
type Waiting = (Vec<u8>, SyncSender<std::io::Result<()>>);

/// A file that many append to.
pub(crate) struct Log {
    sender: Sender<Waiting>,
    thread: JoinHandle<()>,
}

impl Log {
    /// An empty file.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        settle()?;
        let mut file = File::create(path)?;
        let (sender, receiver) = channel::<Waiting>();
        let thread = std::thread::spawn(move || {
            while let Ok(first) = receiver.recv() {
                let group: Vec<Waiting> = std::iter::once(first).chain(receiver.try_iter()).collect();
                let bytes: Vec<u8> = group.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
                let mut done = file.write_all(&bytes).and_then(|()| file.sync_data());
                for (_, told) in group {
                    // Whoever gave up misses nothing; the error itself is told once.
                    let _ = told.send(std::mem::replace(&mut done, Ok(())));
                }
            }
        });
        Ok(Self { sender, thread })
    }

    /// A handle for one client.
    pub(crate) fn writer(&self) -> Writer {
        Writer { sender: self.sender.clone() }
    }

    /// Waits for the thread.
    pub(crate) fn close(self) -> Result<()> {
        drop(self.sender);
        self.thread.join().map_err(|_| "the floor's thread ended by a bug".into())
    }
}

/// One client's way to the file.
pub(crate) struct Writer {
    sender: Sender<Waiting>,
}

impl Writer {
    /// Appends; durable when it returns.
    pub(crate) fn append(&self, bytes: Vec<u8>) -> Result<()> {
        let (told, answer) = sync_channel(1);
        self.sender.send((bytes, told))?;
        Ok(answer.recv()??)
    }
}

/// Reads a document: a resource, or a bundle of them; gives what is to be appended.
pub(crate) fn digest(text: &[u8]) -> Result<Vec<u8>> {
    let limits = Limits { bytes: usize::MAX, nodes: usize::MAX, ..Limits::default() };
    let document = Document::parse(text, &limits)?;
    let root = document.root();
    let mut out = Vec::new();
    match root.get("entry") {
        Some(entries) => {
            for entry in entries.elements() {
                digest_one(entry.get("resource").ok_or("an entry without resource")?, &mut out);
            }
        }
        None => digest_one(root, &mut out),
    }
    Ok(out)
}

fn digest_one(resource: Value<'_>, out: &mut Vec<u8>) {
    let kind = resource.get("resourceType").and_then(Value::text).unwrap_or_default();
    black_box(extract(&kind, resource, &ExtractOptions::default()));
    let body = body_from(resource, &mut |_| None);
    out.extend_from_slice(&pack(&body).bytes);
}

/// The records of a hub that is not running, by the statements that a read needs at least.
pub(crate) struct Reader {
    connection: Connection,
    dictionaries: Dictionaries,
}

impl Reader {
    /// Opens the records in a data directory.
    pub(crate) fn open(data: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(data.join("records.sqlite"), flags)?;
        connection.pragma_update(None, "mmap_size", 4_i64 << 30)?;
        let dictionaries = Dictionaries::default();
        let mut learnt = connection.prepare("SELECT no, bytes FROM zdict ORDER BY no")?;
        let mut rows = learnt.query([])?;
        while let Some(row) = rows.next()? {
            dictionaries.add(row.get(0)?, Dictionary::read(&row.get::<_, Vec<u8>>(1)?)?);
        }
        drop(rows);
        drop(learnt);
        Ok(Self { connection, dictionaries })
    }

    /// One record by its id; its bytes as they would be sent.
    pub(crate) fn by_id(&self, kind: &str, id: &str) -> Result<usize> {
        let sql = "SELECT r.ver, r.codec, r.body FROM idmap i JOIN res r ON r.rid = i.rid
                   WHERE i.kind = (SELECT no FROM kind WHERE name = ?1) AND i.id = ?2";
        let key = uuid_bytes(id).ok_or("an id that is no UUID")?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found: Option<(u32, i64, Vec<u8>)> =
            self.connection.prepare_cached(sql)?.query_row(params![kind, key], row).optional()?;
        let (version, codec, packed) = found.ok_or("the floor does not find a record by its id")?;
        let mut out = Vec::new();
        write_resource(
            &self.dictionaries.unpack(codec, &packed)?,
            &Stamp { kind, id, version: version.into(), instant: 0 },
            &mut out,
        );
        Ok(out.len())
    }

    /// The number of a value of a parameter: what a hub has in its memory. Slow, and so apart. Of a code that stands
    /// there with several words, the most frequent.
    pub(crate) fn token(&self, kind: &str, code: &str, value: &str) -> Result<Token> {
        let sql = "SELECT m.k FROM tokval m JOIN param p ON p.tp = m.tp JOIN kind k ON k.no = p.kind
                   JOIN dict w ON w.id = m.v WHERE k.name = ?1 AND p.code = ?2 AND w.text = ?3
                   ORDER BY (SELECT count(*) FROM tok t WHERE t.k = m.k) DESC LIMIT 1";
        Ok(Token(self.connection.query_row(sql, [kind, code, value], |row| row.get(0))?))
    }

    /// The bodies of the first so many records that have a token.
    pub(crate) fn page(&self, token: Token, most: u32) -> Result<usize> {
        let sql = "SELECT r.codec, r.body FROM tok t JOIN res r ON r.rid = t.rid
                   WHERE t.k = ?1 ORDER BY t.rid LIMIT ?2";
        self.bodies(sql, params![token.0, most])
    }

    /// The bodies of all records of a patient.
    pub(crate) fn everything(&self, id: &str) -> Result<usize> {
        let sql =
            "SELECT codec, body FROM res WHERE pat = (SELECT rid FROM idmap WHERE kind = (SELECT no FROM kind
                   WHERE name = 'Patient') AND id = ?1) AND pat > 0 AND op IN (1, 2)";
        self.bodies(sql, params![uuid_bytes(id)])
    }

    fn bodies(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            bytes += self.dictionaries.unpack(row.get(0)?, &row.get::<_, Vec<u8>>(1)?)?.len();
        }
        Ok(bytes)
    }
}

/// The number of a value of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token(i64);

/// UUIDs are kept as sixteen bytes.
fn uuid_bytes(id: &str) -> Option<Vec<u8>> {
    let digits: String = id.chars().filter(|letter| *letter != '-').collect();
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    pairs.collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() == 16)
}

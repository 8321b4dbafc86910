//! Records that a `_typeFilter` selects: listed at the start, all from one view, and read later in the version that is
//! on the list. A search as of an earlier commit is not possible, because the indexes know the newest versions only.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ieum_fhir::search::Query;
use ieum_store::engine::{Key, KeysPage, KeysRequest};
use ieum_trust::door::View;

use crate::jobs::files::open_private;
use crate::jobs::work::{Stop, Work};

/// Keys read at a time.
const PAGE: usize = 5_000;

/// Where the list of a type lies.
fn path(directory: &Path, kind: &str) -> PathBuf {
    directory.join(format!("{kind}.list"))
}

/// Writes the list of records that pass any of the queries, each once; gives their number.
///
/// # Errors
/// [`Stop`].
pub(super) fn write(
    work: &Work<'_>,
    view: &View<'_>,
    kind: &str,
    queries: &[Query],
    of_patients: bool,
) -> Result<u64, Stop> {
    let file = open_private(&path(&work.directory, kind))?;
    file.set_len(0)?;
    let mut out = BufWriter::new(file);
    let mut lists: Vec<List<'_>> = queries.iter().map(|query| List::new(view, query, of_patients)).collect();
    let mut count = 0;
    loop {
        // Lists of one kind are in one order: the least head of them comes next, and others of the same are passed over.
        let mut least: Option<Key> = None;
        for list in &mut lists {
            if let Some(head) = list.head(work)?
                && least.as_ref().is_none_or(|least| head.place < least.place)
            {
                least = Some(head.clone());
            }
        }
        let Some(key) = least else { break };
        for list in &mut lists {
            list.pass(key.place);
        }
        writeln!(out, "{} {}", key.id, key.version)?;
        count += 1;
    }
    out.flush()?;
    out.get_ref().sync_data()?;
    Ok(count)
}

/// What one query finds, page by page.
struct List<'l> {
    view: &'l View<'l>,
    query: &'l Query,
    of_patients: bool,
    page: KeysPage,
    at: usize,
    begun: bool,
}

impl<'l> List<'l> {
    fn new(view: &'l View<'l>, query: &'l Query, of_patients: bool) -> Self {
        Self { view, query, of_patients, page: KeysPage::default(), at: 0, begun: false }
    }

    /// The first that has not been passed over.
    fn head(&mut self, work: &Work<'_>) -> Result<Option<&Key>, Stop> {
        while self.at == self.page.keys.len() && (!self.begun || self.page.next.is_some()) {
            work.go_on()?;
            let (query, of_patients, after) = (self.query, self.of_patients, self.page.next);
            self.page = self.view.keys(&KeysRequest { query, of_patients, after, limit: PAGE })?;
            (self.at, self.begun) = (0, true);
        }
        Ok(self.page.keys.get(self.at))
    }

    fn pass(&mut self, place: i64) {
        if self.page.keys.get(self.at).is_some_and(|key| key.place == place) {
            self.at += 1;
        }
    }
}

/// Reads a list from a byte on: ids and versions, at most so many, and the byte after them.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(
    directory: &Path,
    kind: &str,
    from: u64,
    limit: usize,
) -> io::Result<(Vec<(String, u64)>, u64)> {
    let mut file = File::open(path(directory, kind))?;
    file.seek(SeekFrom::Start(from))?;
    let mut lines = BufReader::new(file);
    let (mut keys, mut at) = (Vec::new(), from);
    let mut line = String::new();
    while keys.len() < limit {
        line.clear();
        let read = lines.read_line(&mut line)?;
        if read == 0 {
            break;
        }
        at += read as u64;
        let key = line.trim_end().split_once(' ').and_then(|(id, version)| Some((id, version.parse().ok()?)));
        let (id, version) = key.ok_or_else(|| io::Error::other("a list of an export is damaged"))?;
        keys.push((id.to_owned(), version));
    }
    Ok((keys, at))
}

/// Deletes a list.
///
/// # Errors
/// When the operating system refuses.
pub(super) fn remove(directory: &Path, kind: &str) -> io::Result<()> {
    match std::fs::remove_file(path(directory, kind)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

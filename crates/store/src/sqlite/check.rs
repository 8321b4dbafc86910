//! Proof that the indexes hold what the bodies say.

use ieum_fhir::index::IndexValue;
use rusqlite::{Connection, Row};

use super::dict::id_text;
use super::numbers::Finding;
use super::registry::{facets, kind_of, place, presence};
use super::rows::RowSet;
use super::search::json_numbers;
use super::table::TABLES;
use super::{Shared, custom, evidence, labels, schema, to_u64, vals, words};
use crate::commit::StoreError;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Schema version of the file.
    pub schema: u64,
    /// Schema version this program writes.
    pub newest_schema: u64,
    /// Commits.
    pub commits: u64,
    /// Current records.
    pub records: u64,
    /// Old versions.
    pub versions: u64,
    /// What is wrong, a sentence each, without contents; at most 100.
    pub faults: Vec<String>,
}

/// Faults reported at most.
const MOST: usize = 100;

/// Reads everything.
pub(super) fn run(
    connection: &Connection,
    shared: &Shared,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<CheckReport, StoreError> {
    connection.execute_batch("BEGIN")?;
    let report = check(connection, shared, progress);
    connection.execute_batch("ROLLBACK")?;
    report
}

fn check(
    connection: &Connection,
    shared: &Shared,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<CheckReport, StoreError> {
    let count = |sql: &str| to_u64(connection.query_row(sql, [], |row| row.get(0))?);
    let mut report = CheckReport {
        schema: count("PRAGMA user_version")?,
        newest_schema: schema::newest() as u64,
        commits: count("SELECT count(*) FROM commits")?,
        records: count("SELECT count(*) FROM res WHERE op IN (1, 2)")?,
        versions: count("SELECT count(*) FROM ver")?,
        faults: Vec::new(),
    };
    structure(connection, &mut report)?;
    versions(connection, shared, &mut report)?;
    bodies(connection, shared, &mut report, progress)?;
    Ok(report)
}

impl CheckReport {
    fn fault(&mut self, text: String) {
        if self.faults.len() < MOST {
            self.faults.push(text);
        }
    }
}

/// What must hold between tables.
fn structure(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(10)")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if lines != ["ok"] {
        report.fault(format!("SQLite finds the file damaged in {} places", lines.len()));
    }
    let rules = [
        (
            "commit numbers without gap",
            "SELECT count(*) FROM commits c WHERE c.t > 1 AND NOT EXISTS (SELECT 1 FROM commits p WHERE p.t = c.t - 1)",
        ),
        (
            "instants in the order of commits",
            "SELECT count(*) FROM commits c JOIN commits p ON p.t = c.t - 1 WHERE c.instant <= p.instant",
        ),
        (
            "a commit for every feed entry",
            "SELECT count(*) FROM feed f WHERE NOT EXISTS (SELECT 1 FROM commits c WHERE c.t = f.t)",
        ),
        (
            "a feed entry for every commit",
            "SELECT count(*) FROM commits c WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.t = c.t)",
        ),
        (
            "an audit entry for every commit",
            "SELECT count(*) FROM commits c WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.t = c.t)",
        ),
        (
            "the newest version of every record in the feed",
            "SELECT count(*) FROM res r WHERE r.op IN (1, 2, 3) AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.t = r.t AND f.rid = r.rid AND f.ver = r.ver)",
        ),
        (
            "every older version kept",
            "SELECT count(*) FROM res r WHERE r.op IN (1, 2, 3) AND r.ver > 1 AND (SELECT count(*) FROM ver v WHERE v.rid = r.rid) <> r.ver - 1",
        ),
        (
            "a number for every record",
            "SELECT count(*) FROM res r WHERE r.op <> 4 AND NOT EXISTS (SELECT 1 FROM idmap i WHERE i.kind = r.kind AND i.id = r.id AND i.rid = r.rid)",
        ),
    ];
    for (rule, sql) in rules {
        let broken: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if broken != 0 {
            report.fault(format!("rule broken {broken} times: {rule}"));
        }
    }
    Ok(())
}

/// Reads the bodies of older versions again; they are in no index.
fn versions(connection: &Connection, shared: &Shared, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT rid, ver, codec, body FROM ver WHERE op IN (1, 2)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let packed = row.get_ref(3)?;
        if let Err(error) = shared.dictionaries.unpack(row.get(2)?, packed.as_blob().unwrap_or_default()) {
            let (rid, version): (i64, i64) = (row.get(0)?, row.get(1)?);
            report.fault(format!("version {version} of record number {rid}: {error}"));
        }
    }
    Ok(())
}

/// Reads every body again, looks for each row it should have, and counts: all that should be is there, and no more.
fn bodies(
    connection: &Connection,
    shared: &Shared,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), StoreError> {
    let sql = "SELECT rid, kind, id, codec, body, present, present_high, vals, org, mask FROM res WHERE op IN (1, 2) ORDER BY rid";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut expected = [0_u64; TABLES.len()];
    let mut terms = words::Sums::default();
    let mut said = (0, 0);
    let mut done = 0;
    let unfinished: Vec<i64> = custom::states(connection)?.into_keys().collect();
    while let Some(row) = rows.next()? {
        let rid: i64 = row.get(0)?;
        match record(connection, shared, row, &unfinished, (&mut expected, &mut terms, &mut said)) {
            Ok(true) => {}
            Ok(false) => report.fault(format!("record number {rid} is not indexed as its body says")),
            Err(error) => report.fault(format!("record number {rid}: {error}")),
        }
        done += 1;
        if done % 1_000 == 0 || done == report.records {
            progress(done, report.records);
        }
    }
    for (table, expected) in [("rel", said.0), ("rule", said.1)] {
        let sql = format!("SELECT count(*) FROM {table}");
        let found = to_u64(connection.query_row(&sql, [], |row| row.get(0))?)?;
        if found != expected {
            report.fault(format!("{table} holds {found} rows, the bodies ask for {expected}"));
        }
    }
    for table in terms.differing(connection)? {
        report.fault(format!("full text {table} finds records by other terms than the bodies ask for"));
    }
    let apart: Vec<i64> = unfinished.into_iter().flat_map(facets).collect();
    for (table, expected) in TABLES.into_iter().zip(expected) {
        let of_others = match table {
            "tok" | "cmp" => "k NOT IN (SELECT k FROM tokval WHERE tp IN (SELECT value FROM json_each(?1)))",
            _ => "tp NOT IN (SELECT value FROM json_each(?1))",
        };
        let sql = format!("SELECT count(*) FROM {table} WHERE {of_others}");
        let found = to_u64(connection.query_row(&sql, [json_numbers(&apart)], |row| row.get(0))?)?;
        if found != expected {
            report.fault(format!("index {table} holds {found} rows, the bodies ask for {expected}"));
        }
    }
    Ok(())
}

/// Whether a record is found as its body says; adds the rows it should have to `expected`, its terms to `terms`, and what
/// it says about access, as numbers of relations and rules, to `said`.
fn record(
    connection: &Connection,
    shared: &Shared,
    row: &Row<'_>,
    unfinished: &[i64],
    (expected, terms, said): (&mut [u64; TABLES.len()], &mut words::Sums, &mut (u64, u64)),
) -> Result<bool, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(what.to_owned());
    let name = shared.registry.name(row.get(1)?)?;
    let id = id_text(row.get_ref(2)?)?;
    let packed = row.get_ref(4)?;
    let body = shared.dictionaries.unpack(row.get(3)?, packed.as_blob().map_err(|_| damaged("a body"))?)?;
    let kind = shared.catalogue.kind(name).ok_or_else(|| damaged("a kind"))?;
    let not_json = |_| damaged("the body is not JSON");
    let indexed = shared.catalogue.index_body(kind, &id, &body).map_err(not_json)?;
    let text = shared.catalogue.full_text_of_body(kind, &id, &body).map_err(not_json)?;

    let rid: i64 = row.get(0)?;
    let mut all = RowsOf { connection, shared, unfinished, expected };
    let kept = Kept { present: (row.get(5)?, row.get(6)?), vals: row.get(7)? };
    let mut good = all.stored(name, rid, &indexed.values, &kept)?;
    good &= terms.add(connection, rid, &text)?;
    let org: i64 = row.get(8)?;
    let rules = indexed.facts.rules_of(org > 0).count() as u64;
    let says = (indexed.facts.relations.len() as u64, rules);
    let mut finding = Finding { connection, registry: &shared.registry };
    good &= evidence::is_stored(connection, &mut finding, (rid, org), &indexed.facts)?;
    *said = (said.0 + says.0, said.1 + says.1);
    good &= labels::point(connection)?.is_some() || row.get::<_, u32>(9)? == indexed.mask;

    let sql = "SELECT c.rid, c.present, c.present_high, c.vals, \
               (c.pat, c.mask, c.d, c.org, c.enc) IS (r.pat, r.mask, r.d, r.org, r.enc) FROM res r \
               JOIN res c ON c.container = r.rid WHERE r.rid = ?1 ORDER BY c.part";
    let mut statement = connection.prepare_cached(sql)?;
    let mut parts = statement.query([rid])?;
    for inner in &indexed.contained {
        let Some(part) = parts.next()? else { return Ok(false) };
        let kept = Kept { present: (part.get(1)?, part.get(2)?), vals: part.get(3)? };
        good &= part.get::<_, bool>(4)? && all.stored(inner.kind, part.get(0)?, &inner.values, &kept)?;
    }
    Ok(good && parts.next()?.is_none())
}

/// What stands in the record's own row of its values.
struct Kept {
    present: (i64, i64),
    vals: Vec<u8>,
}

/// Looking for the rows of records, and counting them.
struct RowsOf<'c> {
    connection: &'c Connection,
    shared: &'c Shared,
    /// Parameters of which only some rows are there, and are looked at by nobody.
    unfinished: &'c [i64],
    expected: &'c mut [u64; TABLES.len()],
}

impl RowsOf<'_> {
    fn stored(
        &mut self,
        kind: &str,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
        kept: &Kept,
    ) -> Result<bool, StoreError> {
        let registry = &self.shared.registry;
        let numbers = registry.kind(kind).ok_or_else(|| StoreError::Damaged("a kind".into()))?;
        let mut finding = Finding { connection: self.connection, registry };
        let is_finished = |(position, _): &&(u16, IndexValue<'_>)| {
            !self.unfinished.contains(&numbers.tp[usize::from(*position)])
        };
        let values: Vec<_> = values.iter().filter(is_finished).cloned().collect();
        let rows = RowSet::new(&mut finding, numbers, rid, &values, &[])?;
        let apart: Vec<i64> =
            self.unfinished.iter().filter(|tp| kind_of(**tp) == numbers.no).copied().collect();
        let bits = apart.iter().filter_map(|tp| presence(*tp));
        let bits = bits.fold((0, 0), |all, bit| (all.0 | bit.0, all.1 | bit.1));
        let present = (kept.present.0 & !bits.0, kept.present.1 & !bits.1);
        let places: Vec<u64> = apart.into_iter().flat_map(facets).map(place).collect();
        let vals = vals::without(&kept.vals, &places);
        for (sum, count) in self.expected.iter_mut().zip(rows.counts()) {
            *sum += count as u64;
        }
        let is_kept = rows.present == present && vals.as_ref() == Some(&rows.vals);
        Ok(is_kept && rows.is_stored(self.connection)?)
    }
}

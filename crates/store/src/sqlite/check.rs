//! Proof that the indexes hold what the bodies say.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::dict::id_text;
use super::{Shared, schema, to_u64};
use crate::commit::StoreError;
use crate::compress::unpack;

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

/// The index tables and how many rows a record of the body should have in each.
const INDEXES: [&str; 6] = ["tok", "ref", "dat", "num", "str", "cho"];

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
        ("commit numbers without gap", "SELECT count(*) FROM commits c WHERE c.t > 1 AND NOT EXISTS (SELECT 1 FROM commits p WHERE p.t = c.t - 1)"),
        ("instants in the order of commits", "SELECT count(*) FROM commits c JOIN commits p ON p.t = c.t - 1 WHERE c.instant <= p.instant"),
        ("a commit for every feed entry", "SELECT count(*) FROM feed f WHERE NOT EXISTS (SELECT 1 FROM commits c WHERE c.t = f.t)"),
        ("a feed entry for every commit", "SELECT count(*) FROM commits c WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.t = c.t)"),
        ("an audit entry for every commit", "SELECT count(*) FROM commits c WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.t = c.t)"),
        ("the newest version of every record in the feed", "SELECT count(*) FROM res r WHERE r.op <> 0 AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.t = r.t AND f.rid = r.rid AND f.ver = r.ver)"),
        ("every older version kept", "SELECT count(*) FROM res r WHERE r.ver > 1 AND (SELECT count(*) FROM ver v WHERE v.rid = r.rid) <> r.ver - 1"),
        ("a number for every record", "SELECT count(*) FROM res r WHERE NOT EXISTS (SELECT 1 FROM idmap i WHERE i.kind = r.kind AND i.id = r.id AND i.rid = r.rid)"),
    ];
    for (rule, sql) in rules {
        let broken: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if broken != 0 {
            report.fault(format!("rule broken {broken} times: {rule}"));
        }
    }
    Ok(())
}

/// Reads every body again and compares the number of index rows, per table and parameter, then the rows themselves by
/// the sums of their columns: a check that needs no second index.
fn bodies(
    connection: &Connection,
    shared: &Shared,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), StoreError> {
    let mut expected: BTreeMap<(&'static str, i64), u64> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT rid, kind, id, codec, body FROM res WHERE op IN (1, 2) ORDER BY rid")?;
    let mut rows = statement.query([])?;
    let mut done = 0;
    while let Some(row) = rows.next()? {
        let rid: i64 = row.get(0)?;
        let kind = shared.registry.name(row.get(1)?)?;
        let id = id_text(row.get_ref(2)?)?;
        let packed = row.get_ref(4)?;
        let body = packed.as_blob().map_err(|_| StoreError::Damaged("a body".into())).and_then(|bytes| {
            unpack(row.get(3)?, bytes)
        });
        let (Ok(body), Some(def), Some(numbers)) = (body, shared.catalogue.kind(kind), shared.registry.kind(kind))
        else {
            report.fault(format!("the body of record number {rid} cannot be read"));
            continue;
        };
        let Ok(indexed) = shared.catalogue.index_body(def, &id, &body) else {
            report.fault(format!("the body of record number {rid} is not JSON"));
            continue;
        };
        for (table, tp) in super::rows::expected_rows(connection, shared, numbers, rid, &indexed)? {
            *expected.entry((table, tp)).or_default() += 1;
        }
        done += 1;
        progress(done, report.records);
    }
    for table in INDEXES {
        let mut statement = connection.prepare(&format!("SELECT tp, count(*) FROM {table} GROUP BY tp"))?;
        let found: BTreeMap<i64, u64> = statement
            .query_map(params![], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
            .collect::<Result<_, _>>()?;
        let of_table: BTreeMap<i64, u64> = expected
            .iter()
            .filter(|((name, _), _)| *name == table)
            .map(|((_, tp), count)| (*tp, *count))
            .collect();
        if found != of_table {
            report.fault(format!("index {table} does not hold what the bodies say"));
        }
    }
    Ok(())
}

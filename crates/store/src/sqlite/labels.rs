//! Sensitive codes in force, and labelling records anew when others come.
//!
//! The codes are kept in `meta` under `sensitive`. Under `labels` stands how far records are labelled by them while not all are:
//! `res n` up to the record of that number, then `ver n` up to that older version. Both change in the transaction that does
//! the work, so that a restart goes on from there.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::apply::Applier;
use super::dict::id_text;
use super::to_u64;
use crate::commit::StoreError;
use crate::custom::IndexStep;
use crate::sensitive::SensitiveCodes;

/// How long one part may take: commits wait for it.
const LONGEST: Duration = Duration::from_millis(25);

/// How far records are labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// Up to this record, and no older version.
    Records(i64),
    /// All records, and older versions up to this one.
    Versions(i64),
}

impl Point {
    fn text(self) -> String {
        match self {
            Self::Records(rid) => format!("res {rid}"),
            Self::Versions(n) => format!("ver {n}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (table, point) = text.split_once(' ')?;
        let point = point.parse().ok()?;
        match table {
            "res" => Some(Self::Records(point)),
            "ver" => Some(Self::Versions(point)),
            _ => None,
        }
    }
}

fn meta(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM meta WHERE name = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?)
}

fn set_meta(connection: &Connection, name: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute([name, value])?;
    Ok(())
}

/// The codes in force; `None` when nobody has ever put any there.
pub(super) fn in_force(connection: &Connection) -> Result<Option<SensitiveCodes>, StoreError> {
    let damaged = || StoreError::Damaged("the sensitive codes".into());
    meta(connection, "sensitive")?.map(|text| SensitiveCodes::read(&text).ok_or_else(damaged)).transpose()
}

/// Puts codes into force: everything is to be labelled by them.
pub(super) fn put(connection: &Connection, codes: &SensitiveCodes) -> Result<(), StoreError> {
    set_meta(connection, "sensitive", &codes.to_string())?;
    set_meta(connection, "labels", &Point::Records(0).text())
}

/// How far records are labelled by them; `None` when all are.
pub(super) fn point(connection: &Connection) -> Result<Option<Point>, StoreError> {
    let damaged = || StoreError::Damaged("how far records are labelled".into());
    meta(connection, "labels")?.map(|text| Point::read(&text).ok_or_else(damaged)).transpose()
}

/// A version whose labels are to be looked at.
struct Version {
    rid: i64,
    kind: i64,
    id: String,
    version: i64,
    codec: i64,
    packed: Vec<u8>,
}

impl Applier<'_> {
    /// Labels some more records, or older versions.
    pub(super) fn label_some(&mut self, most: usize) -> Result<IndexStep, StoreError> {
        let Some(point) = point(self.connection)? else {
            return Ok(IndexStep { is_finished: true, ..IndexStep::default() });
        };
        // What waits was made with the labels as they were.
        self.flush()?;
        let begun = Instant::now();
        let mut last = None;
        for place in self.next_places(point, most)? {
            self.label(point, place)?;
            last = Some(place);
            if begun.elapsed() >= LONGEST {
                break;
            }
        }
        let next = match (point, last) {
            (Point::Records(_), Some(rid)) => Some(Point::Records(rid)),
            (Point::Records(_), None) => Some(Point::Versions(0)),
            (Point::Versions(_), Some(n)) => Some(Point::Versions(n)),
            (Point::Versions(_), None) => None,
        };
        match next {
            Some(next) => set_meta(self.connection, "labels", &next.text())?,
            None => {
                self.connection.prepare_cached("DELETE FROM meta WHERE name = 'labels'")?.execute([])?;
            }
        }
        self.labelled(next)
    }

    /// How far it is.
    fn labelled(&self, point: Option<Point>) -> Result<IndexStep, StoreError> {
        let highest =
            |sql: &str| to_u64(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?);
        let records = highest("SELECT coalesce(max(rid), 0) FROM res")?;
        let total = records + highest("SELECT coalesce(max(n), 0) FROM ver")?;
        Ok(match point {
            Some(Point::Records(rid)) => IndexStep { done: to_u64(rid)?, total, is_finished: false },
            Some(Point::Versions(n)) => IndexStep { done: records + to_u64(n)?, total, is_finished: false },
            None => IndexStep { done: total, total, is_finished: true },
        })
    }

    /// The numbers of the next records, or older versions, that have a body.
    fn next_places(&self, point: Point, most: usize) -> Result<Vec<i64>, StoreError> {
        let (sql, after) = match point {
            Point::Records(rid) => {
                ("SELECT rid FROM res WHERE rid > ?1 AND op IN (1, 2) ORDER BY rid LIMIT ?2", rid)
            }
            Point::Versions(n) => ("SELECT n FROM ver WHERE n > ?1 AND op IN (1, 2) ORDER BY n LIMIT ?2", n),
        };
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let places = statement.query_map(params![after, limit], |row| row.get(0))?;
        Ok(places.collect::<Result<_, _>>()?)
    }

    /// Labels a version, and what has its labels: the resources inside a record, a deletion the version before it. One that
    /// cannot be read keeps the labels it has, and does not keep others from theirs.
    fn label(&self, point: Point, place: i64) -> Result<(), StoreError> {
        let version = self.version_at(point, place)?;
        let (rid, number) = (version.rid, version.version);
        let mask = match self.mask_of(&version) {
            Err(StoreError::Damaged(_)) => {
                tracing::error!(record = rid, version = number, "a version cannot be read to label it");
                return Ok(());
            }
            mask => mask?,
        };
        let (sql, values): (_, &[i64]) = match point {
            Point::Records(_) => {
                ("UPDATE res SET mask = ?2 WHERE (rid = ?1 OR container = ?1) AND mask <> ?2", &[rid, mask])
            }
            Point::Versions(_) => {
                let sql =
                    "UPDATE res SET mask = ?2 WHERE rid = ?1 AND ver = ?3 + 1 AND op = 3 AND mask <> ?2";
                self.connection.prepare_cached(sql)?.execute([rid, mask, number])?;
                let sql = "UPDATE ver SET mask = ?2 WHERE rid = ?1 AND (ver = ?3 OR ver = ?3 + 1 AND op = 3) AND mask <> ?2";
                (sql, &[rid, mask, number])
            }
        };
        self.connection.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(())
    }

    fn version_at(&self, point: Point, place: i64) -> Result<Version, StoreError> {
        let sql = match point {
            Point::Records(_) => "SELECT rid, kind, id, ver, codec, body FROM res WHERE rid = ?1",
            Point::Versions(_) => {
                "SELECT v.rid, r.kind, r.id, v.ver, v.codec, v.body FROM ver v JOIN res r ON r.rid = v.rid WHERE v.n = ?1"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([place])?;
        let row = rows.next()?.ok_or_else(|| StoreError::Damaged("a version that was there".into()))?;
        Ok(Version {
            rid: row.get(0)?,
            kind: row.get(1)?,
            id: id_text(row.get_ref(2)?)?,
            version: row.get(3)?,
            codec: row.get(4)?,
            packed: row.get(5)?,
        })
    }

    /// The bits of a version.
    fn mask_of(&self, version: &Version) -> Result<i64, StoreError> {
        let damaged = |what: &str| StoreError::Damaged(what.to_owned());
        let body = self.shared.dictionaries.unpack(version.codec, &version.packed)?;
        let kind = self.shared.catalogue.kind(self.shared.registry.name(version.kind)?);
        let kind = kind.ok_or_else(|| damaged("a kind"))?;
        let indexed = self.shared.catalogue.index_body(kind, &version.id, &body);
        Ok(indexed.map_err(|_| damaged("the body is not JSON"))?.mask.into())
    }
}

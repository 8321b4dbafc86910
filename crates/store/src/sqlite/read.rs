//! Reading records, versions, compartments and the feed. Histories: [`super::history`].

use rusqlite::{Row, params_from_iter};

use super::carried::SEVERAL;
use super::dict::{StoredId, id_text};
use super::ids::find_rid;
use super::search::Sql;
use super::view::op;
use super::visible::Scope;
use super::{Shared, to_i64, to_u64};
use crate::commit::StoreError;
use crate::engine::{CompartmentPage, CompartmentRequest, FeedEntry, Position};
use crate::record::{Op, Record};

/// A record out of a row `kind, id, ver, t, instant, op, codec, body`.
pub(super) fn record(shared: &Shared, row: &Row<'_>) -> Result<Record, StoreError> {
    let op = op(row.get(5)?)?;
    let body = match op {
        Op::Delete => Vec::new(),
        Op::Create | Op::Update => {
            let packed = row.get_ref(7)?;
            shared
                .dictionaries
                .unpack(row.get(6)?, packed.as_blob().map_err(|_| StoreError::Damaged("a body".into()))?)?
        }
    };
    Ok(Record {
        kind: shared.registry.name(row.get(0)?)?.to_owned(),
        id: id_text(row.get_ref(1)?)?,
        version: to_u64(row.get(2)?)?,
        t: to_u64(row.get(3)?)?,
        instant: row.get(4)?,
        op,
        body,
    })
}

/// The number of a record this caller might see.
pub(super) fn rid(scope: &Scope<'_>, kind: &str, id: &str) -> Result<Option<i64>, StoreError> {
    let Some(kind) = scope.shared.registry.kind(kind) else { return Ok(None) };
    find_rid(scope.connection, kind.no, &StoredId::new(id))
}

fn one(scope: &Scope<'_>, sql: &Sql) -> Result<Option<Record>, StoreError> {
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    rows.next()?.map(|row| record(scope.shared, row)).transpose()
}

/// The newest version of a record.
pub(super) fn newest(scope: &Scope<'_>, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
    let Some(rid) = rid(scope, kind, id)? else { return Ok(None) };
    one(scope, &versions(scope, "res", rid))
}

/// One version of a record.
pub(super) fn version(
    scope: &Scope<'_>,
    kind: &str,
    id: &str,
    version: u64,
) -> Result<Option<Record>, StoreError> {
    let Some(rid) = rid(scope, kind, id)? else { return Ok(None) };
    for table in ["res", "ver"] {
        let mut sql = versions(scope, table, rid);
        sql.push(" AND v.ver = ").bind(to_i64(version));
        if let Some(record) = one(scope, &sql)? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Versions of one record in `res` (the newest) or `ver` (all others).
pub(super) fn versions(scope: &Scope<'_>, table: &str, rid: i64) -> Sql {
    let mut sql = Sql::new("SELECT r.kind, r.id, v.ver, v.t, c.instant, v.op, v.codec, v.body FROM ");
    sql.push(table)
        .push(" v JOIN res r ON r.rid = v.rid JOIN commits c ON c.t = v.t WHERE v.rid = ")
        .bind(rid);
    // What the newest version hides, its older ones do not tell.
    sql.append(&scope.visible("v")).append(&scope.visible("r"));
    sql
}

/// `FROM … WHERE …` of the feed `f` with the version each entry made: in `ver` as `v`, or still in `res` as `r`.
pub(super) fn feed_rows(scope: &Scope<'_>) -> Sql {
    let mut sql = Sql::new(
        "FROM feed f JOIN res r ON r.rid = f.rid JOIN commits c ON c.t = f.t \
         LEFT JOIN ver v ON v.rid = f.rid AND v.ver = f.ver WHERE ",
    );
    // What the newest version hides, its older ones do not tell; and each has its own class.
    sql.push("(v.rid IS NULL OR (1").append(&scope.visible("v")).push("))").append(&scope.visible("r"));
    sql
}

/// Changes after a commit, oldest first, whole commits.
pub(super) fn feed(scope: &Scope<'_>, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
    let mut sql = Sql::new("SELECT f.t, c.instant, r.kind, r.id, f.ver, f.op ");
    sql.append(&feed_rows(scope)).push(" AND f.t > ").bind(to_i64(after)).push(" ORDER BY f.t, f.rid");
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut entries: Vec<FeedEntry> = Vec::new();
    while let Some(row) = rows.next()? {
        let t = to_u64(row.get(0)?)?;
        if entries.len() >= limit && entries.last().is_some_and(|last| last.t != t) {
            break;
        }
        entries.push(FeedEntry {
            t,
            instant: row.get(1)?,
            kind: scope.shared.registry.name(row.get(2)?)?.to_owned(),
            id: id_text(row.get_ref(3)?)?,
            version: to_u64(row.get(4)?)?,
            op: op(row.get(5)?)?,
        });
    }
    Ok(entries)
}

/// The numbers of the records in the compartments of some patients, each once.
fn of_patients(patients: &[i64]) -> Sql {
    // The first condition lets SQLite see that the partial index `res_pat` will do.
    let mut sql = Sql::new("(SELECT rid FROM res WHERE pat > 0 AND pat ");
    let mut is_one_of = Sql::default();
    // Of one patient nothing can be found twice, and nothing has to be sorted.
    let union = if let [patient] = patients {
        is_one_of.push("= ").bind(*patient);
        " UNION ALL "
    } else {
        is_one_of
            .push("IN (SELECT value FROM json_each(")
            .bind(super::search::json_numbers(patients))
            .push("))");
        " UNION "
    };
    sql.append(&is_one_of).push(union);
    sql.push("SELECT o.rid FROM comp o JOIN res m ON m.rid = o.rid AND m.ver = o.ver WHERE o.owner ");
    sql.append(&is_one_of).push(" AND m.pat = ").bind(SEVERAL).push(")");
    sql
}

/// Current records of the compartments of some patients, in the order of their numbers.
pub(super) fn compartment(
    scope: &Scope<'_>,
    request: &CompartmentRequest<'_>,
) -> Result<CompartmentPage, StoreError> {
    let as_of = request.after.as_ref().map_or(scope.t, |position| position.as_of);
    let mut patients = Vec::new();
    for patient in request.patients {
        patients.extend(rid(scope, "Patient", patient)?);
    }
    let mut kinds = Vec::new();
    for kind in request.kinds {
        kinds.extend(scope.shared.registry.kind(kind).map(|kind| kind.no));
    }
    let from = of_patients(&patients);

    let mut sql = Sql::new("SELECT r.rid FROM ");
    sql.append(&from).push(" p CROSS JOIN res r ON r.rid = p.rid JOIN commits c ON c.t = r.t ");
    sql.push("WHERE r.op IN (1, 2) AND r.t0 <= ").bind(to_i64(as_of)).append(&scope.visible("r"));
    if let Some(since) = request.since {
        sql.push(" AND c.instant >= ").bind(since);
    }
    if !request.kinds.is_empty() {
        sql.push(" AND r.kind IN (SELECT value FROM json_each(")
            .bind(super::search::json_numbers(&kinds))
            .push("))");
    }
    if let Some(after) = &request.after {
        sql.push(" AND r.rid > ").bind(after.last);
    }
    let limit = i64::try_from(request.limit.saturating_add(1)).unwrap_or(i64::MAX);
    sql.push(" ORDER BY r.rid LIMIT ").bind(limit);
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let rows = statement.query_map(params_from_iter(&sql.values), |row| row.get(0))?;
    let mut rids: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let more = rids.len() > request.limit;
    rids.truncate(request.limit);
    let next = rids.last().filter(|_| more).map(|rid| Position { as_of, keys: Vec::new(), last: *rid });
    Ok(CompartmentPage { records: scope.records(&rids)?, next })
}

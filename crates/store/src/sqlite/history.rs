//! Versions of a record, of a kind and of everything, newest first.

use rusqlite::params_from_iter;

use super::read::{feed_rows, record, rid, versions};
use super::search::Sql;
use super::visible::Scope;
use super::{to_i64, to_u64};
use crate::commit::StoreError;
use crate::engine::{HistoryPage, HistoryRequest, HistoryScope, Position, SortValue};
use crate::record::Record;

/// A version with the number of its record.
type Numbered = (i64, Record);

/// A page of versions.
pub(super) fn page(scope: &Scope<'_>, request: &HistoryRequest<'_>) -> Result<HistoryPage, StoreError> {
    let as_of = request.after.as_ref().map_or(scope.t, |position| position.as_of);
    let mut total = None;
    let mut rows = match request.scope {
        HistoryScope::Record(kind, id) => {
            let Some(rid) = rid(scope, kind, id)? else { return Ok(HistoryPage::default()) };
            total = Some(count(scope, rid, request, as_of)?);
            of_record(scope, rid, request, as_of)?
        }
        HistoryScope::Kind(kind) => {
            let Some(kind) = scope.shared.registry.kind(kind) else { return Ok(HistoryPage::default()) };
            of_feed(scope, Some(kind.no), request, as_of)?
        }
        HistoryScope::System => of_feed(scope, None, request, as_of)?,
    };
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    if request.backward {
        rows.reverse();
    }
    let (more_before, more_after) =
        if request.backward { (more, true) } else { (request.after.is_some(), more) };
    let position = |(rid, record): &Numbered| Position {
        as_of,
        keys: vec![Some(SortValue::Int(to_i64(record.t)))],
        last: *rid,
    };
    Ok(HistoryPage {
        previous: rows.first().filter(|_| more_before).map(position),
        next: rows.last().filter(|_| more_after).map(position),
        records: rows.into_iter().map(|(_, record)| record).collect(),
        total,
    })
}

/// The commit and the record at which the page before ended.
fn after(request: &HistoryRequest<'_>) -> Option<(i64, i64)> {
    let after = request.after.as_ref()?;
    match after.keys.first() {
        Some(Some(SortValue::Int(t))) => Some((*t, after.last)),
        _ => None,
    }
}

/// One more than asked for, to learn whether there are more.
fn limit(request: &HistoryRequest<'_>) -> i64 {
    i64::try_from(request.limit.saturating_add(1)).unwrap_or(i64::MAX)
}

/// The times asked for, as ` AND …` on versions in rows `v`, with the newest version of their record in `r`.
fn times(scope: &Scope<'_>, request: &HistoryRequest<'_>, v: &str) -> Result<Sql, StoreError> {
    let mut sql = Sql::default();
    if let Some(since) = request.since {
        sql.push(" AND ").push(v).push(".t >= ").bind(scope.first_commit(since)?);
    }
    if let Some(at) = request.at {
        sql.push(" AND ").push(v).push(".t < ").bind(scope.first_commit(at.until)?);
        // The next version came only after the stretch had begun. It stands in `ver`, or is the newest.
        sql.push(&format!(
            " AND ({v}.ver = r.ver OR coalesce(\
             (SELECT n.t FROM ver n WHERE n.rid = {v}.rid AND n.ver = {v}.ver + 1), r.t) >= "
        ));
        sql.bind(scope.first_commit(at.from.saturating_add(1))?).push(")");
    }
    Ok(sql)
}

fn of_record(
    scope: &Scope<'_>,
    rid: i64,
    request: &HistoryRequest<'_>,
    as_of: u64,
) -> Result<Vec<Numbered>, StoreError> {
    let mut both = Vec::new();
    for table in ["res", "ver"] {
        let mut sql = versions(scope, table, rid);
        sql.push(" AND v.t > 0 AND v.t <= ").bind(to_i64(as_of));
        sql.append(&times(scope, request, "v")?);
        if let Some((t, _)) = after(request) {
            sql.push(if request.backward { " AND v.t > " } else { " AND v.t < " }).bind(t);
        }
        both.push(sql);
    }
    let mut sql = Sql::new("SELECT * FROM (");
    sql.join(&both, " UNION ALL ").push(if request.backward {
        ") ORDER BY ver LIMIT "
    } else {
        ") ORDER BY ver DESC LIMIT "
    });
    sql.bind(limit(request));
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push((rid, record(scope.shared, row)?));
    }
    Ok(records)
}

fn count(scope: &Scope<'_>, rid: i64, request: &HistoryRequest<'_>, as_of: u64) -> Result<u64, StoreError> {
    let mut total = 0;
    for table in ["res", "ver"] {
        let mut sql = Sql::new("SELECT count(*) FROM ");
        sql.push(table).push(" v JOIN res r ON r.rid = v.rid WHERE v.rid = ");
        sql.bind(rid).push(" AND v.t > 0 AND v.t <= ").bind(to_i64(as_of));
        sql.append(&scope.visible("v")).append(&scope.visible("r")).append(&times(scope, request, "v")?);
        let mut statement = scope.connection.prepare_cached(&sql.text)?;
        total += to_u64(statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?)?;
    }
    Ok(total)
}

/// Versions of all records or all of a kind, through the feed.
fn of_feed(
    scope: &Scope<'_>,
    kind: Option<i64>,
    request: &HistoryRequest<'_>,
    as_of: u64,
) -> Result<Vec<Numbered>, StoreError> {
    let mut sql = Sql::new(
        "SELECT r.kind, r.id, f.ver, f.t, c.instant, f.op, coalesce(v.codec, r.codec), coalesce(v.body, r.body), f.rid ",
    );
    sql.append(&feed_rows(scope));
    sql.push(" AND f.t <= ").bind(to_i64(as_of));
    if let Some(kind) = kind {
        sql.push(" AND f.kind = ").bind(kind);
    }
    sql.append(&times(scope, request, "f")?);
    if let Some((t, rid)) = after(request) {
        sql.push(if request.backward { " AND (f.t, f.rid) > (" } else { " AND (f.t, f.rid) < (" });
        sql.bind(t).push(", ").bind(rid).push(")");
    }
    sql.push(if request.backward {
        " ORDER BY f.t, f.rid LIMIT "
    } else {
        " ORDER BY f.t DESC, f.rid DESC LIMIT "
    });
    sql.bind(limit(request));
    let mut statement = scope.connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(&sql.values))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push((row.get(8)?, record(scope.shared, row)?));
    }
    Ok(records)
}

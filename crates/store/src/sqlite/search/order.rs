//! Order and pages: sort values, and where a page begins.

use ieum_fhir::index::ParamType;
use ieum_fhir::search::{Contained, ContainedGive, ContainedSearch, Param, SortBy, SortKeyOf};
use rusqlite::types::{Value, ValueRef};

use super::plan::Matching;
use super::sql::Sql;
use crate::commit::StoreError;
use crate::engine::{Position, SearchRequest, SortValue};
use crate::sqlite::registry::place as place_of;
use crate::sqlite::visible::Scope;

/// The number of the record.
const RECORD: &str = "r.rid";
/// The number of the record, or of the record around a resource.
const CONTAINER: &str = "coalesce(r.container, r.rid)";

/// The place of a match among matches without or with equal sort values.
fn place(contained: Contained) -> &'static str {
    match (contained.search, contained.give) {
        (ContainedSearch::No, _) => RECORD,
        (_, ContainedGive::Container) => CONTAINER,
        // As [`part_of_place`] takes it apart: a resource inside a record follows it.
        (_, ContainedGive::Contained) => "(coalesce(r.container, r.rid) * 1048576 + coalesce(r.part, 0))",
    }
}

/// The record and the resource inside it, 0 for the record itself, that a place stands for.
pub(super) fn part_of_place(contained: Contained, place: i64) -> (i64, i64) {
    match (contained.search, contained.give) {
        (ContainedSearch::No, _) | (_, ContainedGive::Container) => (place, 0),
        (_, ContainedGive::Contained) => (place >> 20, place & 0xF_FFFF),
    }
}

/// What is counted.
pub(super) fn counted(contained: Contained) -> &'static str {
    if place(contained) == CONTAINER { "count(DISTINCT coalesce(r.container, r.rid))" } else { "count(*)" }
}

/// The statement for one page of the matching records; its rows are the sort values, then `rid`.
pub(super) fn ordered(
    scope: &Scope<'_>,
    matching: &Matching,
    request: &SearchRequest<'_>,
) -> Result<Sql, StoreError> {
    let sort = &request.query.sort;
    let limit = i64::try_from(request.limit.saturating_add(1)).unwrap_or(i64::MAX);
    let direction = if request.backward { " DESC" } else { "" };
    let place = place(request.query.contained);
    if sort.is_empty() {
        let place = if place == RECORD { matching.rid } else { place };
        let mut sql = Sql::new(if place == CONTAINER { "SELECT DISTINCT " } else { "SELECT " });
        sql.push(place).push(" ").append(&matching.from).append(&matching.condition);
        if let Some(after) = &request.after {
            sql.push(" AND ").push(place);
            sql.push(if request.backward { " < " } else { " > " }).bind(after.last);
        }
        sql.push(" ORDER BY ").push(place).push(direction).push(" LIMIT ").bind(limit);
        return Ok(sql);
    }
    let key = |(index, key): (usize, &SortKeyOf)| {
        Key::new(scope, &key.by, key.descending, "r", &format!("k{index}"))
    };
    let keys: Vec<Key> = sort.iter().enumerate().map(key).collect();
    let names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
    let mut sql = Sql::default();
    let tables: Vec<Sql> = keys.iter().flat_map(|key| key.tables.clone()).collect();
    if !tables.is_empty() {
        sql.push("WITH ").join(&tables, ", ").push(" ");
    }
    sql.push("SELECT ").push(&names.join(", ")).push(", rid FROM (SELECT ");
    for key in &keys {
        sql.append(&key.value).push(" AS ").push(&key.name).push(", ");
    }
    sql.push(place).push(" AS rid ").append(&matching.from);
    for key in &keys {
        sql.push(&key.join);
    }
    sql.append(&matching.condition).push(")");
    if let Some(after) = &request.after {
        sql.push(" WHERE ").append(&beyond(sort, &names, after, request.backward));
    }
    sql.push(" ORDER BY ");
    for (key, name) in sort.iter().zip(&names) {
        let descending = key.descending != request.backward;
        sql.push(name).push(if descending { " DESC" } else { " ASC" });
        sql.push(if request.backward { " NULLS FIRST, " } else { " NULLS LAST, " });
    }
    sql.push("rid").push(direction).push(" LIMIT ").bind(limit);
    Ok(sql)
}

/// One sort value of a record: the least of the parameter's values when ascending, else the greatest.
struct Key {
    name: String,
    /// The value, where the record and [`Key::join`] are at hand.
    value: Sql,
    /// Tables of values by record, for parameters whose index cannot be asked by record.
    tables: Vec<Sql>,
    /// How the last of them is joined.
    join: String,
}

impl Key {
    fn new(scope: &Scope<'_>, by: &SortBy, descending: bool, record: &str, name: &str) -> Self {
        let plain =
            |value: Sql| Self { name: name.to_owned(), value, tables: Vec::new(), join: String::new() };
        let param = match by {
            SortBy::Id => return plain(Sql::new(&format!("id_text({record}.id)"))),
            SortBy::LastUpdated => return plain(Sql::new(&format!("{record}.t"))),
            SortBy::Chain { param, target, by } => {
                return Self::chained(scope, (param, target, by), descending, record, name);
            }
            SortBy::Param(param) => param,
        };
        let Some((tp, param_type)) = param_of(scope, param) else { return plain(Sql::new("NULL")) };
        let end = if descending { "max" } else { "min" };
        let in_row = || {
            let mut value = Sql::new(if descending { "greatest(" } else { "least(" });
            value.push(record).push(".vals, ").bind(place_of(tp).cast_signed()).push(")");
            plain(value)
        };
        let by_record = |column: &str, from: &str| {
            let mut value =
                Sql::new(&format!("(SELECT {end}(x.{column}) FROM {from} x WHERE x.rid = {record}.rid"));
            value.push(" AND x.tp = ").bind(tp).push(")");
            plain(value)
        };
        let by_table = |value: &str, from: &str, of: &str| {
            let mut rows = Sql::new(&format!("SELECT x.rid, {end}({value}) FROM {from} WHERE {of}.tp = "));
            rows.bind(tp).push(" GROUP BY x.rid");
            Self::of_table(name, record, Vec::new(), &rows)
        };
        match param_type {
            ParamType::Date | ParamType::Number | ParamType::Quantity => in_row(),
            ParamType::String => by_record("norm", "str"),
            // A value without text (a system alone) is no value to sort by.
            ParamType::Token | ParamType::Uri => {
                by_table("w.text", "tokval m JOIN tok x ON x.k = m.k JOIN dict w ON w.id = m.v", "m")
            }
            ParamType::Reference => by_table(
                "CASE t.kind WHEN 0 THEN id_text(t.id) ELSE n.name || '/' || id_text(t.id) END",
                "ref x JOIN res t ON t.rid = x.target LEFT JOIN kind n ON n.no = t.kind",
                "x",
            ),
            ParamType::Composite | ParamType::Special => plain(Sql::new("NULL")),
        }
    }

    /// The value of the records that a reference points to and that can be seen.
    fn chained(
        scope: &Scope<'_>,
        (param, target, by): (&Param, &str, &SortBy),
        descending: bool,
        record: &str,
        name: &str,
    ) -> Self {
        let (tp, kind) = match (param_of(scope, param), scope.shared.registry.kind(target)) {
            (Some((tp, _)), Some(kind)) if scope.reaches(target) => (tp, kind.no),
            _ => {
                let (name, value) = (name.to_owned(), Sql::new("NULL"));
                return Self { name, value, tables: Vec::new(), join: String::new() };
            }
        };
        let there = format!("t{name}");
        let inner = Self::new(scope, by, descending, &there, &format!("{name}c"));
        let end = if descending { "max" } else { "min" };
        let mut rows = Sql::new(&format!("SELECT f.rid, {end}("));
        rows.append(&inner.value).push(&format!(") FROM ref f JOIN res {there} ON {there}.rid = f.target"));
        rows.push(&inner.join)
            .push(" WHERE f.tp = ")
            .bind(tp)
            .push(&format!(" AND {there}.kind = "))
            .bind(kind);
        rows.push(&format!(" AND {there}.op IN (1, 2)"))
            .append(&scope.visible(&there))
            .push(" GROUP BY f.rid");
        Self::of_table(name, record, inner.tables, &rows)
    }

    fn of_table(name: &str, record: &str, mut tables: Vec<Sql>, rows: &Sql) -> Self {
        let mut table = Sql::new(&format!("s{name}(rid, value) AS MATERIALIZED ("));
        table.append(rows).push(")");
        tables.push(table);
        let value = Sql::new(&format!("s{name}.value"));
        let join = format!(" LEFT JOIN s{name} ON s{name}.rid = {record}.rid");
        Self { name: name.to_owned(), value, tables, join }
    }
}

/// Whether values to order by must be gathered for all records of the kind first.
pub(super) fn is_gathered(scope: &Scope<'_>, by: &SortBy) -> bool {
    match by {
        SortBy::Id | SortBy::LastUpdated => false,
        SortBy::Chain { .. } => true,
        SortBy::Param(param) => param_of(scope, param).is_some_and(|(_, param_type)| {
            matches!(param_type, ParamType::Token | ParamType::Uri | ParamType::Reference)
        }),
    }
}

fn param_of(scope: &Scope<'_>, param: &Param) -> Option<(i64, ParamType)> {
    let kind = scope.shared.catalogue.kind(&param.kind)?;
    let position = kind.param(&param.code)?;
    let tp = scope.shared.registry.kind(&param.kind)?.tp[position];
    Some((tp, kind.params[position].param_type))
}

/// Everything after a place in the order (before it when going back): equal in the first keys and beyond in the next,
/// for each key in turn; at last the record's number.
fn beyond(sort: &[SortKeyOf], names: &[String], after: &Position, backward: bool) -> Sql {
    let mut pieces = Vec::new();
    let mut equal = Sql::default();
    for ((key, name), value) in sort.iter().zip(names).zip(&after.keys) {
        let mut piece = equal.clone();
        piece.append(&beyond_key(name, value.as_ref(), key.descending, backward));
        pieces.push(piece);
        equal.push(name).push(" IS ").bind(to_sql(value.as_ref())).push(" AND ");
    }
    let mut last = equal;
    last.push(if backward { "rid < " } else { "rid > " }).bind(after.last);
    pieces.push(last);
    let mut sql = Sql::new("((");
    sql.join(&pieces, ") OR (").push("))");
    sql
}

/// Values beyond one value; records without a value come last.
fn beyond_key(name: &str, value: Option<&SortValue>, descending: bool, backward: bool) -> Sql {
    let mut sql = Sql::default();
    match (value, backward) {
        (None, false) => sql.push("0"),
        (None, true) => sql.push(name).push(" IS NOT NULL"),
        (Some(value), _) => {
            let less = descending != backward;
            sql.push("(").push(name).push(if less { " < " } else { " > " }).bind(to_sql(Some(value)));
            if !backward {
                sql.push(" OR ").push(name).push(" IS NULL");
            }
            sql.push(")")
        }
    };
    sql
}

fn to_sql(value: Option<&SortValue>) -> Value {
    match value {
        None => Value::Null,
        Some(SortValue::Int(value)) => Value::Integer(*value),
        Some(SortValue::Text(text)) => Value::Text(text.clone()),
        Some(SortValue::Bytes(bytes)) => Value::Blob(bytes.clone()),
    }
}

/// A sort value out of a row.
pub(super) fn sort_value(value: ValueRef<'_>) -> Option<SortValue> {
    match value {
        ValueRef::Integer(value) => Some(SortValue::Int(value)),
        ValueRef::Text(text) => Some(SortValue::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Some(SortValue::Bytes(bytes.to_vec())),
        ValueRef::Null | ValueRef::Real(_) => None,
    }
}

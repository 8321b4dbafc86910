//! Comparisons with values, as selections of record numbers from the index tables.

use std::collections::BTreeMap;

use ieum_fhir::geo;
use ieum_fhir::index::IndexValue;
use ieum_fhir::search::{
    QuantityTest, ReferenceTest, SystemTest, Test, TextPlace, TokenTest, UnitTest, UriMode, UriTest, passes,
};
use rusqlite::{Connection, params};

use super::compare::{date_condition, number_condition, string_condition, text_condition};
use super::sql::{Sql, any_of, json_numbers};
use crate::commit::StoreError;
use crate::sqlite::apply::find_rid;
use crate::sqlite::dict::{StoredId, dict_find};
use crate::sqlite::registry::{EXTERNAL, Registry, facet};
use crate::sqlite::rows::{CANONICAL, of_type};
use crate::sqlite::words;

/// `SELECT {rid} FROM {table} x WHERE {condition}`.
#[derive(Debug, Clone)]
pub(super) struct Select {
    pub(super) table: &'static str,
    /// The column with the record's number.
    pub(super) rid: &'static str,
    pub(super) condition: Sql,
    /// The rows come out in order of the record's number.
    pub(super) ordered: bool,
}

impl Select {
    fn new(table: &'static str, condition: Sql) -> Self {
        Self { table, rid: "x.rid", condition, ordered: false }
    }

    /// Records with all these terms in a text; `None` when there can be none.
    pub(super) fn words(
        connection: &Connection,
        place: TextPlace,
        terms: &[String],
    ) -> Result<Option<Self>, StoreError> {
        let Some(question) = words::question(connection, terms)? else { return Ok(None) };
        let table = words::table(place);
        let mut condition = Sql::new("x.");
        condition.push(table).push(" MATCH ").bind(question);
        Ok(Some(Self { table, rid: "x.rowid", condition, ordered: true }))
    }

    /// The selection as a statement.
    pub(super) fn statement(&self) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(self.rid).push(" FROM ").push(self.table).push(" x WHERE ").append(&self.condition);
        sql
    }

    /// Whether the record `rid` (an expression) is in the selection.
    pub(super) fn probe(&self, rid: &str) -> Sql {
        let mut sql = Sql::new("EXISTS (");
        sql.append(&self.statement()).push(" AND ").push(self.rid).push(" = ").push(rid).push(")");
        sql
    }
}

/// Makes selections for one parameter.
pub(super) struct Selector<'s> {
    pub(super) connection: &'s Connection,
    pub(super) registry: &'s Registry,
    pub(super) tp: i64,
}

/// What was asked, sorted by how it is looked up.
#[derive(Default)]
struct Asked {
    /// Codes to be equal to, by facet and system (`None` for any).
    codes: BTreeMap<(i64, Option<i64>), Vec<i64>>,
    targets: Vec<i64>,
    /// Conditions on rows of one facet of the parameter in one table.
    ranges: BTreeMap<(&'static str, i64), Vec<Sql>>,
    selects: Vec<Select>,
}

impl Selector<'_> {
    /// Selections that together find every record with a value that passes one of the tests. None at all means that
    /// nothing can match.
    pub(super) fn selects(&self, tests: &[Test]) -> Result<Vec<Select>, StoreError> {
        let mut asked = Asked::default();
        for test in tests {
            self.take(test, &mut asked)?;
        }
        let Asked { codes, mut targets, ranges, mut selects } = asked;
        for ((tp, system), mut codes) in codes {
            codes.sort_unstable();
            codes.dedup();
            selects.extend(values(tp, "tok", "v", &codes).map(|mut select| {
                if let Some(system) = system {
                    select.condition.push(" AND x.s = ").bind(system);
                }
                select
            }));
        }
        targets.sort_unstable();
        targets.dedup();
        selects.extend(values(self.tp, "ref", "target", &targets));
        for ((table, tp), conditions) in ranges {
            let mut condition = of_param(tp);
            condition.push(" AND ").append(&any_of(&conditions));
            selects.push(Select::new(table, condition));
        }
        Ok(selects)
    }

    fn take(&self, test: &Test, asked: &mut Asked) -> Result<(), StoreError> {
        let tp = facet(self.tp, test.facet());
        let mut range = |table, condition| asked.ranges.entry((table, tp)).or_default().push(condition);
        match test {
            Test::Token(token) | Test::Identifier(token) => self.token(tp, token, asked)?,
            Test::OfType { system, code, value } => {
                let system = dict_find(self.connection, &of_type(system, code))?;
                if let (Some(system), Some(value)) = (system, dict_find(self.connection, value)?) {
                    asked.codes.entry((tp, Some(system))).or_default().push(value);
                }
            }
            Test::Uri(uri) => asked.codes.entry((tp, Some(0))).or_default().extend(self.uris(uri)?),
            Test::Text(_) => {
                let texts = self.listed(tp, &|text| passes(test, &IndexValue::Text(text.into())))?;
                asked.codes.entry((tp, Some(0))).or_default().extend(texts);
            }
            Test::Reference(reference) => asked.targets.extend(self.targets(reference)?),
            Test::Date(date) => range("dat", date_condition(date)),
            Test::Number(number) => range("num", number_condition(number, ("x.lo", "x.hi"))),
            Test::Quantity(quantity) => {
                if let Some(condition) = self.quantity(quantity)? {
                    range("num", condition);
                }
            }
            Test::String(string) => {
                let (table, condition) = string_condition(string);
                range(table, condition);
            }
            Test::Near { lat, lon, metres } => range("geo", near_condition(*lat, *lon, *metres)),
            Test::Composite(parts) => {
                if let Some(condition) = self.composite(parts)? {
                    range("cmp", condition);
                }
            }
            Test::Unequal(test) => {
                let (table, condition) = self.unequal(test)?;
                range(table, condition);
            }
        }
        Ok(())
    }

    fn token(&self, tp: i64, token: &TokenTest, asked: &mut Asked) -> Result<(), StoreError> {
        let Some(system) = self.system(&token.system)? else { return Ok(()) };
        match (&token.code, system) {
            (Some(code), system) => {
                asked.codes.entry((tp, system)).or_default().extend(dict_find(self.connection, code)?);
            }
            (None, Some(system)) => {
                let mut condition = of_param(tp);
                condition.push(" AND x.v IN (SELECT v FROM tokdict WHERE tp = ").bind(tp);
                condition.push(" AND s = ").bind(system).push(") AND x.s = ").bind(system);
                asked.selects.push(Select::new("tok", condition));
            }
            (None, None) => asked.selects.push(Select::new("tok", of_param(tp))),
        }
        Ok(())
    }

    /// The number the system must have, or `Some(None)` for any; `None` when no record has that system.
    fn system(&self, system: &SystemTest) -> Result<Option<Option<i64>>, StoreError> {
        Ok(match system {
            SystemTest::Any => Some(None),
            SystemTest::Absent => Some(Some(0)),
            SystemTest::Is(system) => dict_find(self.connection, system)?.map(Some),
        })
    }

    fn uris(&self, uri: &UriTest) -> Result<Vec<i64>, StoreError> {
        match uri.mode {
            UriMode::Exact => Ok(dict_find(self.connection, &uri.text)?.into_iter().collect()),
            UriMode::Above => {
                let mut found = Vec::new();
                for ancestor in uri.ancestors() {
                    found.extend(dict_find(self.connection, ancestor)?);
                }
                Ok(found)
            }
            UriMode::Below => {
                let folder = uri.folder();
                self.listed(self.tp, &|text| text == uri.text || text.starts_with(&folder))
            }
        }
    }

    /// Numbers of the texts that values of this facet ever had, and that pass. Far fewer than there are records.
    fn listed(&self, tp: i64, passes: &dyn Fn(&str) -> bool) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT w.id, w.text FROM tokdict k JOIN dict w ON w.id = k.v WHERE k.tp = ?1 AND k.s = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![tp])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let text = row.get_ref(1)?;
            if text.as_str().is_ok_and(passes) {
                found.push(row.get(0)?);
            }
        }
        Ok(found)
    }

    /// Numbers of the records or addresses that a reference may name.
    pub(super) fn targets(&self, reference: &ReferenceTest) -> Result<Vec<i64>, StoreError> {
        let local = |kind: &str, id: &str| match self.registry.kind(kind) {
            Some(kind) => find_rid(self.connection, kind.no, &StoredId::new(id)),
            None => find_rid(self.connection, EXTERNAL, &StoredId::new(&format!("{kind}/{id}"))),
        };
        match reference {
            ReferenceTest::Local { kind, id } => Ok(local(kind, id)?.into_iter().collect()),
            ReferenceTest::Url(url) => {
                Ok(find_rid(self.connection, EXTERNAL, &StoredId::new(url))?.into_iter().collect())
            }
            ReferenceTest::Id { kinds, id } => {
                let mut found = Vec::new();
                for kind in kinds {
                    found.extend(local(kind, id)?);
                }
                Ok(found)
            }
        }
    }

    /// `None` when no record has this unit at all.
    fn quantity(&self, quantity: &QuantityTest) -> Result<Option<Sql>, StoreError> {
        let number = number_condition(&quantity.number, ("x.lo", "x.hi"));
        Ok(self.unit(&quantity.unit, "x.s")?.map(|unit| both(number, &unit)))
    }

    /// What the columns `code`, `unit` and that of the system must be; `None` when no record has this unit at all.
    fn unit(&self, unit: &UnitTest, system_column: &str) -> Result<Option<Sql>, StoreError> {
        let mut sql = Sql::default();
        match unit {
            UnitTest::Any => {
                sql.push("1");
            }
            UnitTest::Code(code) => {
                let Some(code) = dict_find(self.connection, code)? else { return Ok(None) };
                sql.push("(x.code = ").bind(code).push(" OR x.unit = ").bind(code).push(")");
            }
            UnitTest::Coded { system, code } => {
                let system = dict_find(self.connection, system)?;
                let (Some(system), Some(code)) = (system, dict_find(self.connection, code)?) else {
                    return Ok(None);
                };
                sql.push("x.code = ").bind(code).push(" AND ").push(system_column).push(" = ").bind(system);
            }
            UnitTest::Canonical { unit } => {
                let Some(unit) = dict_find(self.connection, unit)? else { return Ok(None) };
                sql.push("x.code = ").bind(unit);
            }
        }
        Ok(Some(sql))
    }

    /// A condition on `cmp`; `None` when nothing can match.
    fn composite(&self, parts: &[Test]) -> Result<Option<Sql>, StoreError> {
        let [first, second, rest @ ..] = parts else { return Ok(None) };
        let first = match first {
            Test::Token(token) => self.token_part(token, "x.v", "x.s")?,
            Test::Reference(reference) => Some(is_in("x.v", &self.targets(reference)?)),
            _ => None,
        };
        let second = match second {
            Test::Token(token) => self.token_part(token, "x.lo", "x.s2")?,
            Test::Quantity(quantity) => {
                let is_canonical = matches!(quantity.unit, UnitTest::Canonical { .. });
                let mut form = Sql::new(if is_canonical { "x.s2 = " } else { "x.s2 <> " });
                form.bind(CANONICAL);
                let number = both(form, &number_condition(&quantity.number, ("x.lo", "x.hi")));
                self.unit(&quantity.unit, "x.s2")?.map(|unit| both(number, &unit))
            }
            Test::Reference(reference) => Some(is_in("x.lo", &self.targets(reference)?)),
            Test::Number(number) => Some(number_condition(number, ("x.lo", "x.hi"))),
            Test::Date(date) => Some(date_condition(date)),
            Test::String(string) => Some(text_condition(string, ("x.lo", "x.hi"))),
            _ => None,
        };
        let third = match rest {
            [] => Some(Sql::new("1")),
            [Test::Number(number)] => Some(number_condition(number, ("x.lo3", "x.hi3"))),
            _ => None,
        };
        let (Some(first), Some(second), Some(third)) = (first, second, third) else { return Ok(None) };
        Ok(Some(both(both(first, &second), &third)))
    }

    /// A token in the columns `code` and `system`; `None` when nothing can match.
    fn token_part(&self, token: &TokenTest, code: &str, system: &str) -> Result<Option<Sql>, StoreError> {
        let Some(number) = self.system(&token.system)? else { return Ok(None) };
        let mut sql = Sql::new("1");
        if let Some(number) = number {
            sql.push(" AND ").push(system).push(" = ").bind(number);
        }
        if let Some(text) = &token.code {
            let Some(number) = dict_find(self.connection, text)? else { return Ok(None) };
            sql.push(" AND ").push(code).push(" = ").bind(number);
        }
        Ok(Some(sql))
    }

    /// Values that are not as asked, and their table.
    fn unequal(&self, test: &Test) -> Result<(&'static str, Sql), StoreError> {
        let never = || Sql::new("0");
        let (table, equal) = match test {
            Test::Token(token) => ("tok", self.token_part(token, "x.v", "x.s")?.unwrap_or_else(never)),
            Test::Uri(uri) => ("tok", is_in("x.v", &self.uris(uri)?)),
            Test::Reference(reference) => ("ref", is_in("x.target", &self.targets(reference)?)),
            Test::String(string) => ("str", text_condition(string, ("x.norm", "x.raw"))),
            _ => return Err(StoreError::Engine("a comparison that cannot be turned round".into())),
        };
        let mut sql = Sql::new("NOT (");
        sql.append(&equal).push(")");
        Ok((table, sql))
    }
}

fn of_param(tp: i64) -> Sql {
    let mut condition = Sql::new("x.tp = ");
    condition.bind(tp);
    condition
}

/// Rows whose column holds one of the numbers.
fn values(tp: i64, table: &'static str, column: &str, numbers: &[i64]) -> Option<Select> {
    let mut condition = of_param(tp);
    condition.push(" AND x.").push(column);
    match numbers {
        [] => return None,
        [one] => condition.push(" = ").bind(*one),
        several => condition.push(" IN (SELECT value FROM json_each(").bind(json_numbers(several)).push("))"),
    };
    Some(Select { ordered: numbers.len() == 1, ..Select::new(table, condition) })
}

fn is_in(column: &str, numbers: &[i64]) -> Sql {
    let mut sql = Sql::new(column);
    sql.push(" IN (SELECT value FROM json_each(").bind(json_numbers(numbers)).push("))");
    sql
}

fn both(mut left: Sql, right: &Sql) -> Sql {
    left.push(" AND ").append(right);
    let mut sql = Sql::new("(");
    sql.append(&left).push(")");
    sql
}

/// Places in a band of latitude, and then by their distance.
fn near_condition(lat: i64, lon: i64, metres: f64) -> Sql {
    let (from, to) = geo::latitudes(lat, metres);
    let mut sql = Sql::new("(x.lat >= ");
    sql.bind(from).push(" AND x.lat <= ").bind(to).push(" AND metres(x.lat, x.lon, ").bind(lat).push(", ");
    sql.bind(lon).push(") <= ").bind(metres).push(")");
    sql
}

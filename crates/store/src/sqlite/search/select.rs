//! Comparisons with values, as selections of record numbers from the index tables.

use std::collections::BTreeMap;

use ieum_fhir::geo;
use ieum_fhir::index::IndexValue;
use ieum_fhir::search::{QuantityTest, ReferenceTest, Test, TextPlace, UnitTest, passes};
use rusqlite::Connection;

use super::compare::{date_condition, number_condition, string_condition, text_condition};
use super::sql::{Sql, any_of, json_numbers};
use super::tokens::Tokens;
use crate::commit::StoreError;
use crate::sqlite::dict::{StoredId, dict_find};
use crate::sqlite::ids::find_rid;
use crate::sqlite::numbers::{CANONICAL, REFERENCE};
use crate::sqlite::registry::{EXTERNAL, Registry, facet, place};
use crate::sqlite::rows::of_type;
use crate::sqlite::{vals, words};

/// `SELECT {rid} FROM {table} x WHERE {condition}`.
#[derive(Debug, Clone)]
pub(super) struct Select {
    pub(super) table: &'static str,
    /// The column with the record's number.
    pub(super) rid: &'static str,
    pub(super) condition: Sql,
    /// The rows come out in order of the record's number, each record once.
    pub(super) ordered: bool,
    /// Questions to the record's own row (see [`vals`]), one of which must be answered yes, as place of the parameter
    /// and question; where there are some, they say the same as `condition`.
    in_row: Vec<(i64, Vec<u8>)>,
}

impl Select {
    fn new(table: &'static str, condition: Sql) -> Self {
        Self { table, rid: "x.rid", condition, ordered: false, in_row: Vec::new() }
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
        Ok(Some(Self { rid: "x.rowid", ordered: true, ..Self::new(table, condition) }))
    }

    /// The selection as a statement.
    pub(super) fn statement(&self) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(self.rid).push(" FROM ").push(self.table).push(" x WHERE ").append(&self.condition);
        sql
    }

    /// Whether a record's own row answers it.
    pub(super) fn stands_in_row(&self) -> bool {
        !self.in_row.is_empty()
    }

    /// Whether the record of the alias is in the selection.
    pub(super) fn probe(&self, alias: &str) -> Sql {
        if !self.in_row.is_empty() {
            let asks = self.in_row.iter().map(|(place, question)| {
                let mut sql = Sql::new("passes(");
                sql.push(alias).push(".vals, ").bind(*place).push(", ").bind(question.clone()).push(")");
                sql
            });
            return any_of(&asks.collect::<Vec<_>>());
        }
        let mut sql = Sql::new("EXISTS (");
        sql.append(&self.statement()).push(" AND ").push(self.rid).push(" = ").push(alias).push(".rid)");
        sql
    }
}

/// Makes selections for one parameter.
pub(super) struct Selector<'s> {
    pub(super) connection: &'s Connection,
    pub(super) registry: &'s Registry,
    pub(super) tp: i64,
}

/// Conditions on rows of one facet of a parameter in one table, and the same asked of a record's own row.
#[derive(Default)]
struct Ranges {
    conditions: Vec<Sql>,
    questions: Vec<Vec<u8>>,
}

/// What was asked, sorted by how it is looked up.
#[derive(Default)]
struct Asked {
    /// Values to be equal to, by their number in `tokval`.
    keys: Vec<i64>,
    targets: Vec<i64>,
    /// By table and facet of the parameter.
    ranges: BTreeMap<(&'static str, i64), Ranges>,
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
        let Asked { keys, targets, ranges, mut selects } = asked;
        selects.extend(values(Sql::new("x.k"), "tok", keys));
        selects.extend(values(of_param(self.tp, "x.target"), "ref", targets));
        for ((table, tp), Ranges { conditions, questions }) in ranges {
            let mut condition = of_param(tp, "");
            condition.append(&any_of(&conditions));
            let place = place(tp).cast_signed();
            let in_row = questions.into_iter().map(|question| (place, question)).collect();
            selects.push(Select { in_row, ..Select::new(table, condition) });
        }
        Ok(selects)
    }

    fn take(&self, test: &Test, asked: &mut Asked) -> Result<(), StoreError> {
        let tp = facet(self.tp, test.facet());
        let mut range = |table, condition, question: Option<Vec<u8>>| {
            let ranges = asked.ranges.entry((table, tp)).or_default();
            ranges.conditions.push(condition);
            ranges.questions.extend(question);
        };
        match test {
            Test::Token(token) | Test::Identifier(token) => match self.token(tp, token)? {
                Tokens::None => {}
                Tokens::Keys(keys) => asked.keys.extend(keys),
                Tokens::Many(condition) => asked.selects.push(Select::new("tok", condition)),
            },
            Test::OfType { system, code, value } => {
                let system = dict_find(self.connection, &of_type(system, code))?;
                if let (Some(system), Some(value)) = (system, dict_find(self.connection, value)?) {
                    asked.keys.extend(self.keys(tp, value, Some(system))?);
                }
            }
            Test::Uri(uri) => asked.keys.extend(self.uris(uri)?),
            Test::Text(_) => {
                let passes = |text: &str| passes(test, &IndexValue::Text(text.into()));
                asked.keys.extend(self.listed("x", &passes)?);
            }
            Test::Reference(reference) => asked.targets.extend(self.targets(reference)?),
            Test::Date(date) => range("dat", date_condition(date), Some(vals::date_question(date))),
            Test::Number(number) => {
                let question = vals::number_question(&number.asked(), None);
                range("num", number_condition(number, ("x.lo", HI)), Some(question));
            }
            Test::Quantity(quantity) => {
                if let Some((condition, question)) = self.quantity(quantity)? {
                    range("num", condition, Some(question));
                }
            }
            Test::String(string) => {
                let (table, condition) = string_condition(string);
                range(table, condition, None);
            }
            Test::Near { lat, lon, metres } => range("geo", near_condition(*lat, *lon, *metres), None),
            Test::Composite(parts) => {
                if let Some(condition) = self.composite(parts)? {
                    asked.selects.push(Select::new("cmp", condition));
                }
            }
            Test::Unequal(test) => asked.selects.push(self.unequal(test)?),
        }
        Ok(())
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

    /// The condition on `num`, and the question to the record's own row; `None` when no record has this unit at all.
    fn quantity(&self, quantity: &QuantityTest) -> Result<Option<(Sql, Vec<u8>)>, StoreError> {
        let number = number_condition(&quantity.number, ("x.lo", HI));
        let asked = quantity.number.asked();
        Ok(match self.units(&quantity.unit)? {
            None => Some((number, vals::number_question(&asked, None))),
            Some(units) if units.is_empty() => None,
            Some(units) => {
                let question = vals::number_question(&asked, Some(&units));
                Some((both(number, &is_in("x.u", &units)), question))
            }
        })
    }

    /// Numbers of the units asked for; `None` for any.
    fn units(&self, unit: &UnitTest) -> Result<Option<Vec<i64>>, StoreError> {
        let find = |text: &str| Ok::<_, StoreError>(dict_find(self.connection, text)?.unwrap_or(NOTHING));
        let (sql, values) = match unit {
            UnitTest::Any => return Ok(None),
            UnitTest::Code(code) => {
                let code = find(code)?;
                ("SELECT u FROM unit WHERE code = ?1 AND s <> ?2 OR unit = ?1", [code, CANONICAL])
            }
            UnitTest::Coded { system, code } => {
                ("SELECT u FROM unit WHERE code = ?1 AND s = ?2", [find(code)?, find(system)?])
            }
            UnitTest::Canonical { unit } => {
                ("SELECT u FROM unit WHERE code = ?1 AND s = ?2", [find(unit)?, CANONICAL])
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let units = statement.query_map(values, |row| row.get(0))?;
        Ok(Some(units.collect::<Result<_, _>>()?))
    }

    /// A condition on `cmp`; `None` when nothing can match.
    fn composite(&self, parts: &[Test]) -> Result<Option<Sql>, StoreError> {
        let [first, second, rest @ ..] = parts else { return Ok(None) };
        let first = match first {
            Test::Token(token) => self.token_part("x.k", token)?,
            Test::Reference(reference) => {
                let mut sql = Sql::new("s = ");
                sql.bind(REFERENCE).push(" AND ").append(&is_in("v", &self.targets(reference)?));
                Some(self.of_values("x.k", self.tp, &sql))
            }
            _ => None,
        };
        let second = match second {
            Test::Token(token) => self.token_part("x.lo", token)?,
            Test::Quantity(quantity) => self.quantity_part(quantity)?,
            Test::Reference(reference) => Some(is_in("x.lo", &self.targets(reference)?)),
            Test::Number(number) => Some(number_condition(number, ("x.lo", HI))),
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

    /// A quantity as the second part of a combination, where those in canonical units stand beside those as written.
    fn quantity_part(&self, quantity: &QuantityTest) -> Result<Option<Sql>, StoreError> {
        let units = match self.units(&quantity.unit)? {
            Some(units) if units.is_empty() => return Ok(None),
            Some(units) => is_in("x.u", &units),
            None => {
                let mut sql = Sql::new("x.u NOT IN (SELECT u FROM unit WHERE s = ");
                sql.bind(CANONICAL).push(")");
                sql
            }
        };
        Ok(Some(both(number_condition(&quantity.number, ("x.lo", HI)), &units)))
    }

    /// Values that are not as asked.
    fn unequal(&self, test: &Test) -> Result<Select, StoreError> {
        let (table, equal) = match test {
            Test::Token(_) | Test::Uri(_) => {
                return Ok(Select::new("tok", self.unequal_tokens(test)?));
            }
            Test::Reference(reference) => ("ref", is_in("x.target", &self.targets(reference)?)),
            Test::String(string) => ("str", text_condition(string, ("x.norm", "x.raw"))),
            _ => return Err(StoreError::Engine("a comparison that cannot be turned round".into())),
        };
        let mut condition = of_param(self.tp, "NOT (");
        condition.append(&equal).push(")");
        Ok(Select::new(table, condition))
    }
}

/// The greatest number inside a stretch: an empty `hi` is equal to `lo`.
const HI: &str = "iif(x.hi = x'', x.lo, x.hi)";

/// The number of no text.
pub(super) const NOTHING: i64 = -2;

/// Rows of a parameter for which also …
fn of_param(tp: i64, also: &str) -> Sql {
    let mut condition = Sql::new("x.tp = ");
    condition.bind(tp).push(" AND ").push(also);
    condition
}

/// Rows whose column, the last thing in `condition`, holds one of the numbers.
fn values(mut condition: Sql, table: &'static str, mut numbers: Vec<i64>) -> Option<Select> {
    numbers.sort_unstable();
    numbers.dedup();
    match numbers[..] {
        [] => return None,
        [one] => condition.push(" = ").bind(one),
        _ => condition.push(" IN (SELECT value FROM json_each(").bind(json_numbers(&numbers)).push("))"),
    };
    Some(Select { ordered: numbers.len() == 1, ..Select::new(table, condition) })
}

pub(super) fn is_in(column: &str, numbers: &[i64]) -> Sql {
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

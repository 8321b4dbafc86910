//! Comparisons with values, as selections of record numbers from the index tables.

use std::collections::BTreeMap;

use ieum_fhir::decimal::SortKey;
use ieum_fhir::search::{
    DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMode, StringTest, SystemTest, Test,
    TokenTest, UnitTest, UriMode, UriTest,
};
use ieum_fhir::text;
use rusqlite::Connection;

use super::sql::{Sql, any_of, json_numbers};
use crate::commit::StoreError;
use crate::sqlite::apply::find_rid;
use crate::sqlite::dict::{StoredId, dict_find};
use crate::sqlite::registry::{EXTERNAL, Registry};

/// `SELECT x.rid FROM {table} x WHERE {condition}`.
#[derive(Debug, Clone)]
pub(super) struct Select {
    pub(super) table: &'static str,
    pub(super) condition: Sql,
    /// The rows come out in order of the record's number.
    pub(super) ordered: bool,
}

impl Select {
    /// The selection as a statement.
    pub(super) fn statement(&self) -> Sql {
        let mut sql = Sql::new("SELECT x.rid FROM ");
        sql.push(self.table).push(" x WHERE ").append(&self.condition);
        sql
    }

    /// Whether the record `rid` (an expression) is in the selection.
    pub(super) fn probe(&self, rid: &str) -> Sql {
        let mut sql = Sql::new("EXISTS (");
        sql.append(&self.statement()).push(" AND x.rid = ").push(rid).push(")");
        sql
    }
}

/// Makes selections for one parameter.
pub(super) struct Selector<'s> {
    pub(super) connection: &'s Connection,
    pub(super) registry: &'s Registry,
    pub(super) tp: i64,
}

impl Selector<'_> {
    /// Selections that together find every record with a value that passes one of the tests. None at all means that
    /// nothing can match.
    pub(super) fn selects(&self, tests: &[Test]) -> Result<Vec<Select>, StoreError> {
        let mut selects = Vec::new();
        let mut tokens: BTreeMap<Option<i64>, Vec<i64>> = BTreeMap::new();
        let mut targets = Vec::new();
        let mut ranges: BTreeMap<&'static str, Vec<Sql>> = BTreeMap::new();
        for test in tests {
            match test {
                Test::Token(token) => self.token(token, &mut tokens, &mut selects)?,
                Test::Uri(UriTest { mode: UriMode::Exact, text }) => {
                    tokens.entry(Some(0)).or_default().extend(dict_find(self.connection, text)?);
                }
                Test::Reference(reference) => targets.extend(self.targets(reference)?),
                Test::Date(date) => ranges.entry("dat").or_default().push(date_condition(date)),
                Test::Number(number) => ranges.entry("num").or_default().push(number_condition(number)),
                Test::Quantity(quantity) => {
                    if let Some(condition) = self.quantity_condition(quantity)? {
                        ranges.entry("num").or_default().push(condition);
                    }
                }
                Test::String(string) => {
                    let (table, condition) = string_condition(string);
                    ranges.entry(table).or_default().push(condition);
                }
                Test::Uri(_)
                | Test::Text(_)
                | Test::OfType { .. }
                | Test::Identifier(_)
                | Test::Composite(_)
                | Test::Near { .. }
                | Test::Unequal(_) => {
                    return Err(StoreError::Engine("this comparison is not there yet".into()));
                }
            }
        }
        for (system, mut codes) in tokens {
            codes.sort_unstable();
            codes.dedup();
            selects.extend(self.values("tok", "v", &codes).map(|mut select| {
                if let Some(system) = system {
                    select.condition.push(" AND x.s = ").bind(system);
                }
                select
            }));
        }
        targets.sort_unstable();
        targets.dedup();
        selects.extend(self.values("ref", "target", &targets));
        for (table, conditions) in ranges {
            let mut condition = self.of_param();
            condition.push(" AND ").append(&any_of(&conditions));
            selects.push(Select { table, condition, ordered: false });
        }
        Ok(selects)
    }

    fn of_param(&self) -> Sql {
        let mut condition = Sql::new("x.tp = ");
        condition.bind(self.tp);
        condition
    }

    /// Rows whose column holds one of the numbers.
    fn values(&self, table: &'static str, column: &str, numbers: &[i64]) -> Option<Select> {
        let mut condition = self.of_param();
        condition.push(" AND x.").push(column);
        match numbers {
            [] => return None,
            [one] => condition.push(" = ").bind(*one),
            several => {
                condition.push(" IN (SELECT value FROM json_each(").bind(json_numbers(several)).push("))")
            }
        };
        Some(Select { table, condition, ordered: numbers.len() == 1 })
    }

    fn token(
        &self,
        token: &TokenTest,
        tokens: &mut BTreeMap<Option<i64>, Vec<i64>>,
        selects: &mut Vec<Select>,
    ) -> Result<(), StoreError> {
        let system = match &token.system {
            SystemTest::Any => None,
            SystemTest::Absent => Some(0),
            SystemTest::Is(system) => match dict_find(self.connection, system)? {
                Some(system) => Some(system),
                None => return Ok(()),
            },
        };
        match (&token.code, system) {
            (Some(code), system) => {
                tokens.entry(system).or_default().extend(dict_find(self.connection, code)?);
            }
            (None, Some(system)) => {
                let mut condition = self.of_param();
                condition.push(" AND x.v IN (SELECT v FROM tokdict WHERE tp = ").bind(self.tp);
                condition.push(" AND s = ").bind(system).push(") AND x.s = ").bind(system);
                selects.push(Select { table: "tok", condition, ordered: false });
            }
            (None, None) => selects.push(Select { table: "tok", condition: self.of_param(), ordered: false }),
        }
        Ok(())
    }

    fn targets(&self, reference: &ReferenceTest) -> Result<Vec<i64>, StoreError> {
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
    fn quantity_condition(&self, quantity: &QuantityTest) -> Result<Option<Sql>, StoreError> {
        let mut sql = number_condition(&quantity.number);
        match &quantity.unit {
            UnitTest::Any => {}
            UnitTest::Code(code) => {
                let Some(code) = dict_find(self.connection, code)? else { return Ok(None) };
                sql.push(" AND (x.code = ").bind(code).push(" OR x.unit = ").bind(code).push(")");
            }
            UnitTest::Coded { system, code } => {
                let system = dict_find(self.connection, system)?;
                let (Some(system), Some(code)) = (system, dict_find(self.connection, code)?) else {
                    return Ok(None);
                };
                sql.push(" AND x.code = ").bind(code).push(" AND x.s = ").bind(system);
            }
            UnitTest::Canonical { .. } => return Ok(None),
        }
        let mut grouped = Sql::new("(");
        grouped.append(&sql).push(")");
        Ok(Some(grouped))
    }
}

/// [`DateTest::holds`] in SQL.
fn date_condition(test: &DateTest) -> Sql {
    let (lo, hi) = (test.range.lo, test.range.hi);
    let mut sql = Sql::default();
    match test.prefix {
        // The second bound follows from the others and lets the index end the scan.
        Prefix::Eq => {
            sql.push("(x.lo >= ").bind(lo).push(" AND x.lo < ").bind(hi).push(" AND x.hi <= ").bind(hi)
        }
        Prefix::Ne => sql.push("(x.lo < ").bind(lo).push(" OR x.hi > ").bind(hi),
        Prefix::Gt => sql.push("(x.hi > ").bind(hi),
        Prefix::Lt => sql.push("(x.lo < ").bind(lo),
        Prefix::Ge => sql
            .push("(x.hi > ")
            .bind(hi)
            .push(" OR (x.lo >= ")
            .bind(lo)
            .push(" AND x.hi <= ")
            .bind(hi)
            .push(")"),
        Prefix::Le => sql
            .push("(x.lo < ")
            .bind(lo)
            .push(" OR (x.lo >= ")
            .bind(lo)
            .push(" AND x.hi <= ")
            .bind(hi)
            .push(")"),
        Prefix::Sa => sql.push("(x.lo >= ").bind(hi),
        Prefix::Eb => sql.push("(x.hi <= ").bind(lo),
        Prefix::Ap => sql.push("(x.lo < ").bind(hi).push(" AND x.hi > ").bind(lo),
    };
    sql.push(")");
    sql
}

/// [`NumberTest::holds`] in SQL.
fn number_condition(test: &NumberTest) -> Sql {
    let key = |key: &SortKey| key.0.clone();
    let (lo, hi, exact) = (key(&test.lo), key(&test.hi), key(&test.exact));
    let mut sql = Sql::default();
    match test.prefix {
        Prefix::Eq => {
            sql.push("(x.lo >= ").bind(lo).push(" AND x.lo < ").bind(hi.clone()).push(" AND x.hi < ").bind(hi)
        }
        Prefix::Ne => sql.push("(x.lo < ").bind(lo).push(" OR x.hi >= ").bind(hi),
        Prefix::Gt => sql.push("(x.hi > ").bind(exact),
        Prefix::Lt => sql.push("(x.lo < ").bind(exact),
        Prefix::Ge => sql.push("(x.hi >= ").bind(exact),
        Prefix::Le => sql.push("(x.lo <= ").bind(exact),
        Prefix::Sa => sql.push("(x.lo > ").bind(exact),
        Prefix::Eb => sql.push("(x.hi < ").bind(exact),
        Prefix::Ap => sql.push("(x.lo < ").bind(hi).push(" AND x.hi >= ").bind(lo),
    };
    sql.push(")");
    sql
}

fn string_condition(test: &StringTest) -> (&'static str, Sql) {
    let mut sql = Sql::new("(");
    let table = match test.mode {
        StringMode::Exact => {
            let raw = text::nfc(&test.text).into_owned();
            let norm = text::normalize(&raw).into_owned();
            sql.push("x.norm = ").bind(norm.clone()).push(" AND x.raw = ");
            sql.bind(if raw == norm { String::new() } else { raw });
            "str"
        }
        StringMode::Contains => {
            sql.push("instr(x.norm, ").bind(text::normalize(&test.text).into_owned()).push(") > 0");
            "str"
        }
        StringMode::Starts if text::has_initials(&test.text) => {
            initials_condition(&text::initials_query(&test.text), &mut sql);
            "cho"
        }
        StringMode::Starts => {
            prefix_condition("norm", &text::normalize(&test.text), &mut sql);
            "str"
        }
        StringMode::Ends | StringMode::Whole => {
            sql.push("0");
            "str"
        }
    };
    sql.push(")");
    (table, sql)
}

/// Values whose initials begin as asked; where the query has whole syllables, these must stand there too.
fn initials_condition(query: &str, sql: &mut Sql) {
    let initials: String = query.chars().map(|letter| text::initial(letter).unwrap_or(letter)).collect();
    prefix_condition("initials", &initials, sql);
    if initials != query {
        let mut pattern = String::new();
        for letter in query.chars() {
            match (text::initial_range(letter), letter) {
                (Some((first, last)), _) => pattern.extend(['[', letter, first, '-', last, ']']),
                (None, '*' | '?' | '[') => pattern.extend(['[', letter, ']']),
                (None, letter) => pattern.push(letter),
            }
        }
        pattern.push('*');
        sql.push(" AND x.norm GLOB ").bind(pattern);
    }
}

fn prefix_condition(column: &str, prefix: &str, sql: &mut Sql) {
    sql.push("x.").push(column).push(" >= ").bind(prefix.to_owned());
    if let Some(after) = after_prefix(prefix) {
        sql.push(" AND x.").push(column).push(" < ").bind(after);
    }
}

/// The least text greater than every text with this prefix; none when there is no such text.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_they_should() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("김").as_deref(), Some("깁"));
        assert_eq!(after_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(after_prefix("\u{10FFFF}"), None);
        assert_eq!(after_prefix(""), None);
    }
}

//! Tokens, URIs and words, by their numbers in `tokval`.

use ieum_fhir::search::{SystemTest, Test, TokenTest, UriMode, UriTest};
use rusqlite::params;

use super::select::{NOTHING, Selector, is_in};
use super::sql::Sql;
use crate::commit::StoreError;
use crate::sqlite::dict::dict_find;

/// What a comparison with a token asks for.
pub(super) enum Tokens {
    /// Nothing that is here.
    None,
    /// These values.
    Keys(Vec<i64>),
    /// Values that may be many, as a condition on `tok`.
    Many(Sql),
}

/// A token, not a word alone.
const IS_TOKEN: &str = "(v <> 0 OR s <> 0)";

impl Selector<'_> {
    pub(super) fn token(&self, tp: i64, token: &TokenTest) -> Result<Tokens, StoreError> {
        let Some(system) = self.system(&token.system)? else { return Ok(Tokens::None) };
        match &token.code {
            Some(code) => match dict_find(self.connection, code)? {
                Some(code) => Ok(Tokens::Keys(self.keys(tp, code, system)?)),
                None => Ok(Tokens::None),
            },
            None => {
                let mut condition = Sql::new(IS_TOKEN);
                if let Some(system) = system {
                    condition.push(" AND s = ").bind(system);
                }
                Ok(Tokens::Many(self.of_values("x.k", tp, &condition)))
            }
        }
    }

    /// Numbers of the values with this code.
    pub(super) fn keys(&self, tp: i64, code: i64, system: Option<i64>) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT k FROM tokval WHERE tp = ?1 AND v = ?2 AND (?3 IS NULL OR s = ?3)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let keys = statement.query_map(params![tp, code, system], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// The number the system must have, or `Some(None)` for any; `None` when no record has that system.
    fn system(&self, system: &SystemTest) -> Result<Option<Option<i64>>, StoreError> {
        Ok(match system {
            SystemTest::Any => Some(None),
            SystemTest::Absent => Some(Some(0)),
            SystemTest::Is(system) => dict_find(self.connection, system)?.map(Some),
        })
    }

    pub(super) fn uris(&self, uri: &UriTest) -> Result<Vec<i64>, StoreError> {
        let mut texts = match uri.mode {
            UriMode::Below => {
                let folder = uri.folder();
                return self.listed("v", &|text| text == uri.text || text.starts_with(&folder));
            }
            UriMode::Exact => vec![uri.text.as_str()],
            UriMode::Above => uri.ancestors(),
        };
        let mut keys = Vec::new();
        for text in texts.drain(..) {
            if let Some(text) = dict_find(self.connection, text)? {
                keys.extend(self.keys(self.tp, text, Some(0))?);
            }
        }
        Ok(keys)
    }

    /// Numbers of the values of this parameter with a text in this column that passes. Far fewer than there are records.
    pub(super) fn listed(
        &self,
        column: &'static str,
        passes: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<i64>, StoreError> {
        let sql = format!(
            "SELECT m.k, w.text FROM tokval m JOIN dict w ON w.id = m.{column} WHERE m.tp = ?1 AND m.{column} <> 0"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.tp])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get_ref(1)?.as_str().is_ok_and(passes) {
                found.push(row.get(0)?);
            }
        }
        Ok(found)
    }

    /// That a column holds the number of a value of a parameter for which the condition holds.
    pub(super) fn of_values(&self, column: &str, tp: i64, condition: &Sql) -> Sql {
        let mut sql = Sql::new(column);
        sql.push(" IN (SELECT k FROM tokval WHERE tp = ").bind(tp).push(" AND ").append(condition).push(")");
        sql
    }

    /// A token that is part of a combination, by its number in this column; `None` when nothing can match.
    pub(super) fn token_part(&self, column: &str, token: &TokenTest) -> Result<Option<Sql>, StoreError> {
        let equal = self.equal(token)?;
        Ok(equal.map(|equal| self.of_values(column, self.tp, &equal)))
    }

    /// Tokens or URIs that are not as asked, as a condition on `tok`.
    pub(super) fn unequal_tokens(&self, test: &Test) -> Result<Sql, StoreError> {
        let equal = match test {
            Test::Token(token) => self.equal(token)?.unwrap_or_else(|| Sql::new("0")),
            Test::Uri(uri) => is_in("k", &self.uris(uri)?),
            _ => return Err(StoreError::Engine("neither a token nor a URI".into())),
        };
        let mut condition = Sql::new(IS_TOKEN);
        condition.push(" AND NOT (").append(&equal).push(")");
        Ok(self.of_values("x.k", self.tp, &condition))
    }

    /// A condition on `tokval`; `None` when no record has that system.
    fn equal(&self, token: &TokenTest) -> Result<Option<Sql>, StoreError> {
        let Some(system) = self.system(&token.system)? else { return Ok(None) };
        let mut sql = Sql::new(IS_TOKEN);
        if let Some(system) = system {
            sql.push(" AND s = ").bind(system);
        }
        if let Some(code) = &token.code {
            sql.push(" AND v = ").bind(dict_find(self.connection, code)?.unwrap_or(NOTHING));
        }
        Ok(Some(sql))
    }
}

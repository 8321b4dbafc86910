//! Comparisons with dates, numbers and texts as SQL.

use ieum_fhir::decimal::SortKey;
use ieum_fhir::search::{DateTest, NumberTest, Prefix, StringMode, StringTest};
use ieum_fhir::text;

use super::sql::Sql;
use crate::sqlite::rows::stored_raw;

/// [`DateTest::holds`] in SQL.
pub(super) fn date_condition(test: &DateTest) -> Sql {
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
pub(super) fn number_condition(test: &NumberTest, columns: (&str, &str)) -> Sql {
    let (low, high) = columns;
    let key = |key: &SortKey| key.0.clone();
    let (lo, hi, exact) = (key(&test.lo), key(&test.hi), key(&test.exact));
    let mut sql = Sql::new("(");
    match test.prefix {
        Prefix::Eq => {
            sql.push(low).push(" >= ").bind(lo).push(" AND ").push(low).push(" < ").bind(hi.clone());
            sql.push(" AND ").push(high).push(" < ").bind(hi)
        }
        Prefix::Ne => sql.push(low).push(" < ").bind(lo).push(" OR ").push(high).push(" >= ").bind(hi),
        Prefix::Gt => sql.push(high).push(" > ").bind(exact),
        Prefix::Lt => sql.push(low).push(" < ").bind(exact),
        Prefix::Ge => sql.push(high).push(" >= ").bind(exact),
        Prefix::Le => sql.push(low).push(" <= ").bind(exact),
        Prefix::Sa => sql.push(low).push(" > ").bind(exact),
        Prefix::Eb => sql.push(high).push(" < ").bind(exact),
        Prefix::Ap => sql.push(low).push(" < ").bind(hi).push(" AND ").push(high).push(" >= ").bind(lo),
    };
    sql.push(")");
    sql
}

/// The table in which a comparison with text is made, and the comparison.
pub(super) fn string_condition(test: &StringTest) -> (&'static str, Sql) {
    if test.mode == StringMode::Starts && text::has_initials(&test.text) {
        let mut sql = Sql::new("(");
        initials_condition(&text::initials_query(&test.text), &mut sql);
        sql.push(")");
        return ("cho", sql);
    }
    ("str", text_condition(test, ("x.norm", "x.raw")))
}

/// A comparison with text where there is no table of initials: `columns` hold the normal form and the text as it stands.
pub(super) fn text_condition(test: &StringTest, columns: (&str, &str)) -> Sql {
    let (norm, raw) = columns;
    let normal = text::normalize(&test.text).into_owned();
    let mut sql = Sql::new("(");
    match test.mode {
        StringMode::Exact => {
            let exact = text::nfc(&test.text);
            let normal = text::normalize(&exact).into_owned();
            sql.push(norm).push(" = ").bind(normal.clone()).push(" AND ").push(raw).push(" = ");
            sql.bind(stored_raw(&exact, &normal));
        }
        StringMode::Whole => {
            sql.push(norm).push(" = ").bind(normal);
        }
        StringMode::Contains => {
            sql.push("instr(").push(norm).push(", ").bind(normal).push(") > 0");
        }
        StringMode::Ends if normal.is_empty() => {
            sql.push("1");
        }
        StringMode::Ends => {
            let letters = i64::try_from(normal.chars().count()).unwrap_or(i64::MAX);
            sql.push("substr(").push(norm).push(", ").bind(-letters).push(") = ").bind(normal);
        }
        StringMode::Starts if text::has_initials(&test.text) => {
            sql.push(norm).push(" GLOB ").bind(initials_pattern(&text::initials_query(&test.text)));
        }
        StringMode::Starts => prefix_condition(norm, &normal, &mut sql),
    }
    sql.push(")");
    sql
}

/// Values whose initials begin as asked; where the query has whole syllables, these must stand there too.
fn initials_condition(query: &str, sql: &mut Sql) {
    let initials: String = query.chars().map(|letter| text::initial(letter).unwrap_or(letter)).collect();
    prefix_condition("x.initials", &initials, sql);
    if initials != query {
        sql.push(" AND x.norm GLOB ").bind(initials_pattern(query));
    }
}

/// Texts that begin as asked: an initial stands for every syllable that begins with it.
fn initials_pattern(query: &str) -> String {
    let mut pattern = String::new();
    for letter in query.chars() {
        match (text::initial_range(letter), letter) {
            (Some((first, last)), _) => pattern.extend(['[', letter, first, '-', last, ']']),
            (None, '*' | '?' | '[') => pattern.extend(['[', letter, ']']),
            (None, letter) => pattern.push(letter),
        }
    }
    pattern.push('*');
    pattern
}

fn prefix_condition(column: &str, prefix: &str, sql: &mut Sql) {
    sql.push(column).push(" >= ").bind(prefix.to_owned());
    if let Some(after) = after_prefix(prefix) {
        sql.push(" AND ").push(column).push(" < ").bind(after);
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

//! A statement under construction: text with `?` and the values that stand there, in order.

use rusqlite::types::Value;

/// Text and its values.
#[derive(Debug, Clone, Default)]
pub(in crate::sqlite) struct Sql {
    pub(in crate::sqlite) text: String,
    pub(in crate::sqlite) values: Vec<Value>,
}

impl Sql {
    pub(in crate::sqlite) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text.
    pub(in crate::sqlite) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds `?` and its value.
    pub(in crate::sqlite) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.text.push('?');
        self.values.push(value.into());
        self
    }

    /// Adds a number that is always the same, as text: since plans are kept whatever is bound, SQLite uses a partial index only
    /// where its condition (`pat = -1`) stands in the statement.
    pub(in crate::sqlite) fn number(&mut self, number: i64) -> &mut Self {
        self.push(&number.to_string())
    }

    /// Adds another piece.
    pub(in crate::sqlite) fn append(&mut self, other: &Self) -> &mut Self {
        self.text.push_str(&other.text);
        self.values.extend(other.values.iter().cloned());
        self
    }

    /// Adds the pieces with a word between them.
    pub(in crate::sqlite) fn join(&mut self, pieces: &[Self], between: &str) -> &mut Self {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.push(between);
            }
            self.append(piece);
        }
        self
    }
}

/// Whether any of the pieces holds, in brackets. As a balanced tree: SQLite reads `a OR b OR c …` as one nested in the
/// other, and refuses a thousand of them.
pub(in crate::sqlite) fn any_of(pieces: &[Sql]) -> Sql {
    let mut sql = Sql::new("(");
    match pieces {
        [] => sql.push("0"),
        [one] => sql.append(one),
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            sql.append(&any_of(left)).push(" OR ").append(&any_of(right))
        }
    };
    sql.push(")");
    sql
}

/// Numbers as the JSON array that `json_each` reads: one bound value however many there are.
pub(in crate::sqlite) fn json_numbers(numbers: &[i64]) -> String {
    let mut text = String::from("[");
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}

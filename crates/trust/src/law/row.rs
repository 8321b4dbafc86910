//! A row of law.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

/// One rule in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What is ruled, such as `age.own-consent`.
    pub id: String,
    /// The law, by its Korean name.
    pub law: String,
    /// The article.
    pub article: String,
    /// What holds.
    pub value: Value,
    /// The first day on which it holds; without one it held as far back as anybody can ask.
    pub valid_from: Option<Date>,
    /// The last day on which it holds; without one it holds until it is changed.
    pub valid_to: Option<Date>,
    /// What the law says, in our words, in Korean.
    pub source_ko: String,
    /// The same in English.
    pub source_en: String,
    /// How well we know it.
    pub confidence: Confidence,
    /// The file it was read from.
    pub file: String,
    /// The line on which it begins there. Not part of what is in force.
    #[serde(skip)]
    pub line: usize,
}

/// What a row gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number with its unit.
    Number {
        /// How many.
        number: u32,
        /// Of what.
        unit: Unit,
    },
    /// The rule holds.
    Holds(bool),
    /// Named words.
    Words(BTreeMap<String, String>),
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Completed years of life, 만나이.
    Age,
    /// Years.
    Years,
    /// Months.
    Months,
    /// Days, the day of the event not counted.
    Days,
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
    /// People.
    People,
    /// Times.
    Times,
}

/// How well we know a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// From the text of the law.
    Primary,
    /// From the press or an agency's page.
    Reported,
    /// Not certain: never decides alone, a person does.
    Unconfirmed,
    /// No law: this project's own default.
    Project,
}

impl Confidence {
    /// Whether a decision may rest on it.
    #[must_use]
    pub const fn decides(self) -> bool {
        !matches!(self, Self::Unconfirmed)
    }
}

/// A subject of the tables, with the beginnings of its ids.
#[derive(Debug)]
pub struct Subject {
    /// Its name, which is that of its file.
    pub name: &'static str,
    prefixes: &'static [&'static str],
}

/// All subjects, in the order in which people see them.
pub static SUBJECTS: [Subject; 9] = [
    Subject { name: "ages", prefixes: &["age."] },
    Subject {
        name: "representatives",
        prefixes: &[
            "kin.",
            "state.",
            "sending.",
            "guardian.",
            "hidden-from.",
            "representative-",
            "document.",
        ],
    },
    Subject { name: "labels", prefixes: &["label."] },
    Subject { name: "access", prefixes: &["requester", "no-consent.", "emergency-transfer"] },
    Subject { name: "terms", prefixes: &["term.", "access-log.", "break-glass.", "presence.", "notice."] },
    Subject { name: "transfer", prefixes: &["transfer"] },
    Subject { name: "breach", prefixes: &["breach."] },
    Subject { name: "telemedicine", prefixes: &["telemedicine."] },
    Subject { name: "retention", prefixes: &["retention."] },
];

impl Subject {
    /// Whether a row is of this subject, in whatever file it stands.
    #[must_use]
    pub fn holds(&self, row: &Row) -> bool {
        self.prefixes.iter().any(|prefix| row.id.starts_with(prefix))
    }
}

impl Row {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|first| first <= day) && self.valid_to.is_none_or(|last| day <= last)
    }

    /// Its number, if it has one.
    #[must_use]
    pub const fn number(&self) -> Option<u32> {
        match self.value {
            Value::Number { number, .. } => Some(number),
            _ => None,
        }
    }

    /// One of its words.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        match &self.value {
            Value::Words(words) => words.get(name).map(String::as_str),
            _ => None,
        }
    }

    /// The article, as a decision carries it.
    #[must_use]
    pub fn article(&self) -> Article {
        Article {
            rule: self.id.clone(),
            law: self.law.clone(),
            article: self.article.clone(),
            confidence: self.confidence,
        }
    }
}

/// The article that carries a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Id of the row.
    pub rule: String,
    /// The law, by its Korean name.
    pub law: String,
    /// The article.
    pub article: String,
    /// How well we know it.
    pub confidence: Confidence,
}

//! Reading members of a resource, and the times in it.

use ieum_fhir::date;
use ieum_fhir::json::{Document, Limits, Value};
use ieum_store::record::Record;
use ieum_ui::{Lang, format};
use jiff::Timestamp;
use jiff::civil::Date;

/// Reads a record's body; `None` for a deletion, or when the body cannot be read, which is a fault of the store that
/// its own check reports.
pub(crate) fn read<T>(record: &Record, work: impl FnOnce(Value<'_>) -> T) -> Option<T> {
    if record.is_deleted() {
        return None;
    }
    let bytes = record.plain_json();
    let document = Document::parse(&bytes, &Limits::default()).ok()?;
    Some(work(document.root()))
}

/// Reads all records of a page.
pub(crate) fn read_all<T>(records: &[Record], work: impl Fn(Value<'_>) -> T) -> Vec<T> {
    records.iter().filter_map(|record| read(record, &work)).collect()
}

/// The value at a path; of arrays on the way the first element.
pub(crate) fn at<'d>(value: Value<'d>, path: &[&str]) -> Option<Value<'d>> {
    let mut value = value;
    for name in path {
        value = value.each().next()?.get(name)?;
    }
    value.each().next()
}

/// All elements of a member that may repeat.
pub(crate) fn all<'d>(value: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> {
    value.get(name).into_iter().flat_map(Value::each)
}

/// The text at a path.
pub(crate) fn text(value: Value<'_>, path: &[&str]) -> Option<String> {
    let text = at(value, path)?.text()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The number at a path, as it was written and as it is computed with.
pub(crate) fn number(value: Value<'_>, path: &[&str]) -> Option<(String, f64)> {
    let digits = at(value, path)?.number()?;
    Some((digits.to_owned(), digits.parse().ok()?))
}

/// The id in the reference at a path, when it refers to a record of this kind here.
pub(crate) fn reference(value: Value<'_>, path: &[&str], kind: &str) -> Option<String> {
    let text = text(value, &[path, &["reference"]].concat())?;
    let (named, rest) = text.split_once('/')?;
    let id = rest.split('/').next()?;
    (named == kind && !id.is_empty()).then(|| id.to_owned())
}

/// All codes of the concept at a member.
pub(crate) fn codes(value: Value<'_>, name: &str) -> Vec<String> {
    all(value, name)
        .flat_map(|concept| all(concept, "coding"))
        .filter_map(|coding| text(coding, &["code"]))
        .collect()
}

/// Whether a record counts by what it says of itself. One that was entered in error, cancelled or refuted, and one that
/// never left its draft, tells nothing about the patient: pages leave it out, and say how many they left out.
pub(crate) fn is_valid(resource: Value<'_>) -> bool {
    let states = ["status", "docStatus"].into_iter().filter_map(|name| text(resource, &[name]));
    let mut all = states.chain(codes(resource, "verificationStatus"));
    !all.any(|code| matches!(code.as_str(), "entered-in-error" | "cancelled" | "refuted" | "draft"))
}

/// A date or time as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    text: String,
    micros: i64,
}

impl Moment {
    /// The date or time at a path.
    pub(crate) fn read(value: Value<'_>, path: &[&str]) -> Option<Self> {
        let text = text(value, path)?;
        let micros = date::parse(&text).ok()?.lo;
        Some(Self { text, micros })
    }

    /// The first of several paths that holds one.
    pub(crate) fn first(value: Value<'_>, paths: &[&[&str]]) -> Option<Self> {
        paths.iter().find_map(|path| Self::read(value, path))
    }

    /// When it begins, in microseconds since 1970: to order by.
    pub(crate) fn micros(&self) -> i64 {
        self.micros
    }

    /// When it begins.
    pub(crate) fn instant(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros).unwrap_or_default()
    }

    /// The day in Korea, for machines; `None` when only the year or month is known.
    pub(crate) fn date(&self) -> Option<Date> {
        format::fhir_day(&self.text)
    }

    /// The day in words, or less when less is known.
    pub(crate) fn day(&self, lang: Lang) -> String {
        self.date().map_or_else(|| format::fhir_date(&self.text, lang), |date| format::date(date, lang))
    }

    /// The day in few letters, for tables.
    pub(crate) fn short(&self, lang: Lang) -> String {
        self.date().map_or_else(|| format::fhir_date(&self.text, lang), |date| format::date_short(date, lang))
    }

    /// The time of day, when it is known.
    pub(crate) fn time(&self, lang: Lang) -> Option<String> {
        let known = self.text.contains('T');
        known.then(|| format::time(format::korean_time(self.instant()).time(), lang))
    }

    /// The year in Korea.
    pub(crate) fn year(&self) -> i16 {
        format::korean_time(self.instant()).year()
    }
}

/// The key of latest-first order; what has no time comes last.
pub(crate) fn latest_first(moment: Option<&Moment>) -> std::cmp::Reverse<i64> {
    std::cmp::Reverse(moment.map_or(i64::MIN, Moment::micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(json: &str, work: impl FnOnce(Value<'_>) -> T) -> T {
        work(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn paths_go_through_arrays() {
        let json =
            r#"{"a":[{"b":[{"c":" x "}]},{"b":1}],"r":{"reference":"Organization/o1/_history/2"},"n":1.50}"#;
        with(json, |root| {
            assert_eq!(text(root, &["a", "b", "c"]).as_deref(), Some("x"));
            assert_eq!(text(root, &["a", "z"]), None);
            assert_eq!(reference(root, &["r"], "Organization").as_deref(), Some("o1"));
            assert_eq!(reference(root, &["r"], "Patient"), None);
            assert_eq!(number(root, &["n"]), Some(("1.50".to_owned(), 1.5)));
        });
    }

    #[test]
    fn what_was_never_so_does_not_count() {
        let coded = |code: &str| {
            format!(r#"{{"verificationStatus":{{"coding":[{{"code":"x"}},{{"code":"{code}"}}]}}}}"#)
        };
        for json in [
            r#"{"status":"entered-in-error"}"#,
            r#"{"status":"cancelled"}"#,
            r#"{"status":"draft"}"#,
            r#"{"status":"current","docStatus":"entered-in-error"}"#,
            &coded("refuted"),
            &coded("entered-in-error"),
        ] {
            assert!(!with(json, is_valid), "{json}");
        }
        for json in ["{}", r#"{"status":"not-done"}"#, r#"{"status":"final"}"#, &coded("provisional")] {
            assert!(with(json, is_valid), "{json}");
        }
    }

    #[test]
    fn moments_keep_their_precision() {
        let json =
            r#"{"y":"2020","m":"2020-03","d":"2020-03-01","t":"2020-03-01T23:30:00Z","x":"yesterday"}"#;
        with(json, |root| {
            let day = |name| Moment::read(root, &[name]).map(|moment| moment.day(Lang::En));
            assert_eq!(day("y").as_deref(), Some("2020"));
            assert_eq!(day("m").as_deref(), Some("2020-03"));
            assert_eq!(day("d").as_deref(), Some("2020-03-01"));
            assert_eq!(day("t").as_deref(), Some("2020-03-02"), "days are Korean days");
            assert_eq!(day("x"), None);
            assert_eq!(Moment::read(root, &["t"]).unwrap().time(Lang::En).as_deref(), Some("08:30"));
            assert_eq!(Moment::read(root, &["d"]).unwrap().time(Lang::En), None);
        });
    }
}

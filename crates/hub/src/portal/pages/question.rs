//! What somebody means who types into the one search box.

use jiff::civil::Date;

use crate::portal::record::load::escaped;
use crate::portal::record::person::holds_registration_number;

/// Longest text that is looked at.
const LONGEST: usize = 100;

/// One way to read what was typed: parameters of a search on Patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Names and values.
    pub(super) pairs: Vec<(&'static str, String)>,
    /// In which way it was read.
    pub(super) by: By,
}

/// A way to read what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// As names only.
    Name,
    /// With a day, month or year of birth in it.
    Birth,
    /// With a telephone number in it.
    Phone,
    /// With a patient's number in it.
    Number,
}

impl By {
    /// A word for addresses.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Birth => "birth",
            Self::Phone => "phone",
            Self::Number => "number",
        }
    }
}

/// Why nothing is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unasked {
    /// Nothing was typed.
    Nothing,
    /// A resident registration number: too sensitive to search by, and to have in an address.
    Registration,
    /// More than a search needs.
    TooLong,
}

/// The ways to read `text`, the likeliest first.
pub(super) fn questions(text: &str, today: Date) -> Result<Vec<Question>, Unasked> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Unasked::Nothing);
    }
    // First, so that none is sent back with the words about its length either.
    if holds_registration_number(text) {
        return Err(Unasked::Registration);
    }
    if text.chars().count() > LONGEST {
        return Err(Unasked::TooLong);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = reading(&words, today, false);
    let second = reading(&words, today, true);
    let mut all = vec![first];
    if !all.contains(&second) {
        all.push(second);
    }
    Ok(all)
}

/// Reads each word. With `as_number`, what has digits in it is a patient's number, whatever else it may be.
fn reading(words: &[&str], today: Date, as_number: bool) -> Question {
    let mut names: Vec<&str> = Vec::new();
    let mut question = Question { pairs: Vec::new(), by: By::Name };
    for word in words {
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        let (name, value, by) = match (birth(word, today), phone(word)) {
            _ if !has_digit => {
                names.push(word);
                continue;
            }
            (Some(value), _) if !as_number => ("birthdate", value, By::Birth),
            (_, Some(value)) if !as_number => ("phone", value, By::Phone),
            _ => ("identifier", escaped(word), By::Number),
        };
        question.pairs.push((name, value));
        question.by = by;
    }
    if !names.is_empty() {
        question.pairs.push(("name", escaped(&names.join(" "))));
    }
    question
}

/// `1980`, `1980-02`, `1980-02-03`, `1980.2.3.`, `19800203`, `800203` (of either century, but not to come).
fn birth(word: &str, today: Date) -> Option<String> {
    let word = word.trim_end_matches('.');
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return match word.len() {
            4 => year(word, today).map(|year| format!("{year:04}")),
            6 => {
                let days: Vec<String> = ["19", "20"]
                    .iter()
                    .filter_map(|century| {
                        day(&format!("{century}{}", &word[..2]), &word[2..4], &word[4..], today)
                    })
                    .collect();
                (!days.is_empty()).then(|| days.join(","))
            }
            8 => day(&word[..4], &word[4..6], &word[6..], today),
            _ => None,
        };
    }
    let parts: Vec<&str> = word.split(['-', '.', '/']).collect();
    match parts.as_slice() {
        [year_text, month] if year_text.len() == 4 => {
            let (year, month) = (year(year_text, today)?, month.parse::<u8>().ok()?);
            (1..=12).contains(&month).then(|| format!("{year:04}-{month:02}"))
        }
        [year, month, date] if year.len() == 4 => day(year, month, date, today),
        _ => None,
    }
}

fn year(text: &str, today: Date) -> Option<i16> {
    let year: i16 = text.parse().ok()?;
    (1880..=today.year()).contains(&year).then_some(year)
}

fn day(year: &str, month: &str, day: &str, today: Date) -> Option<String> {
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    (date <= today && date.year() >= 1880).then(|| date.to_string())
}

/// A Korean telephone number: as typed, and with the usual hyphens, because that is how they are recorded.
fn phone(word: &str) -> Option<String> {
    if !word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return None;
    }
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    if !digits.starts_with('0') || !(9..=12).contains(&digits.len()) {
        return None;
    }
    let area = if digits.starts_with("02") { 2 } else { 3 };
    let hyphened =
        format!("{}-{}-{}", &digits[..area], &digits[area..digits.len() - 4], &digits[digits.len() - 4..]);
    let mut forms = vec![word.to_owned(), hyphened, digits];
    forms.dedup();
    Some(forms.join(","))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn first(text: &str) -> Vec<(&'static str, String)> {
        questions(text, date(2026, 11, 1)).unwrap()[0].pairs.clone()
    }

    #[test]
    fn words_are_read_as_people_mean_them() {
        for (text, name, value) in [
            ("김민수", "name", "김민수"),
            (" ㄱㅁㅅ ", "name", "ㄱㅁㅅ"),
            ("KIM Min", "name", "KIM Min"),
            ("1980-02-03", "birthdate", "1980-02-03"),
            ("1980.2.3.", "birthdate", "1980-02-03"),
            ("19800203", "birthdate", "1980-02-03"),
            ("800203", "birthdate", "1980-02-03"),
            ("100203", "birthdate", "1910-02-03,2010-02-03"),
            ("1980", "birthdate", "1980"),
            ("1980-02", "birthdate", "1980-02"),
            ("010-0000-1234", "phone", "010-0000-1234,01000001234"),
            ("01000001234", "phone", "01000001234,010-0000-1234,01000001234"),
            ("0212345678", "phone", "0212345678,02-1234-5678,0212345678"),
            ("T42-00000012", "identifier", "T42-00000012"),
            ("991399", "identifier", "991399"),
            ("a,b|1", "identifier", r"a\,b\|1"),
        ] {
            assert_eq!(first(text), [(name, value.to_owned())], "{text}");
        }
        assert_eq!(first("ㄱㅁㅅ 1980"), [("birthdate", "1980".to_owned()), ("name", "ㄱㅁㅅ".to_owned())]);
    }

    #[test]
    fn what_can_be_read_twice_is() {
        let today = date(2026, 11, 1);
        let ways: Vec<By> = questions("800203", today).unwrap().iter().map(|question| question.by).collect();
        assert_eq!(ways, [By::Birth, By::Number]);
        assert_eq!(questions("김민수", today).unwrap().len(), 1);
    }

    #[test]
    fn registration_numbers_are_not_searched_by() {
        let today = date(2026, 11, 1);
        for text in [
            "842507-1000017",
            "8425071000017",
            "김 842507-1000017",
            "842507 1000017",
            "김 842507 1000017 1984",
        ] {
            assert_eq!(questions(text, today), Err(Unasked::Registration), "{text}");
        }
        assert_eq!(questions("  ", today), Err(Unasked::Nothing));
        assert_eq!(questions(&"가".repeat(101), today), Err(Unasked::TooLong));
    }
}

//! The forms of primitive values (R4, `datatypes.html`, section 2.24.0.1), matched by hand.

use crate::definitions::Primitive;
use crate::json::{Kind, Value};

/// R4 lets nobody rely on strings longer than this being kept.
const LONGEST_STRING: usize = 1 << 20;

/// The kind of JSON value that carries the type.
pub(super) fn json_kind(primitive: Primitive) -> Kind {
    match primitive {
        Primitive::Boolean => Kind::Bool,
        Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => {
            Kind::Number
        }
        _ => Kind::String,
    }
}

/// Whether a value of the right kind has the right form; `Err` says what form that is.
pub(super) fn check(primitive: Primitive, value: Value<'_>) -> Result<(), &'static str> {
    if let Some(digits) = value.number() {
        return check_number(primitive, digits);
    }
    match value.text() {
        Some(text) => check_text(primitive, &text),
        None => Ok(()),
    }
}

fn check_number(primitive: Primitive, digits: &str) -> Result<(), &'static str> {
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |text: &str| is_whole(text) && text.parse::<i32>().is_ok();
    let (good, form) = match primitive {
        Primitive::Integer => (
            is_whole(digits.strip_prefix('-').unwrap_or(digits))
                && digits != "-0"
                && digits.parse::<i32>().is_ok(),
            "a whole number from -2147483648 to 2147483647, without fraction or exponent",
        ),
        Primitive::UnsignedInt => {
            (fits(digits), "a whole number from 0 to 2147483647, without fraction or exponent")
        }
        Primitive::PositiveInt => (
            fits(digits) && digits != "0",
            "a whole number from 1 to 2147483647, without fraction or exponent",
        ),
        // JSON's own grammar of numbers is that of decimal; what is left are NaN and Infinity.
        _ => (digits.bytes().any(|byte| byte.is_ascii_digit()), "a decimal number"),
    };
    if good { Ok(()) } else { Err(form) }
}

/// Whether a string has the form of the type.
pub(super) fn check_text(primitive: Primitive, text: &str) -> Result<(), &'static str> {
    let (good, form) = match primitive {
        Primitive::String | Primitive::Markdown => {
            (is_string(text), "text that is not empty, at most 1 MiB, without control characters")
        }
        Primitive::Code => {
            (is_code(text), "a code: not empty, no white space around it, single white space inside")
        }
        Primitive::Id => (is_id(text), "an id: 1 to 64 of A-Z, a-z, 0-9, - and ."),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => {
            (is_uri(text), "a URI: not empty, without white space")
        }
        Primitive::Oid => (is_oid(text), "an OID such as urn:oid:1.2.3"),
        Primitive::Uuid => (is_uuid(text), "a UUID: urn:uuid: and 36 lower-case characters"),
        Primitive::Date => (is_date(text), "a date that exists: YYYY, YYYY-MM or YYYY-MM-DD"),
        Primitive::DateTime => (
            is_date(text) || is_moment(text),
            "a date (YYYY, YYYY-MM or YYYY-MM-DD) or a moment such as 2026-03-01T09:00:00+09:00 that exists",
        ),
        Primitive::Instant => {
            (is_moment(text), "a moment that exists, such as 2026-03-01T09:00:00.000+09:00")
        }
        Primitive::Time => (is_time(text), "a time of day from 00:00:00 to 23:59:60: hh:mm:ss"),
        Primitive::Base64Binary => (is_base64(text), "base64: groups of four characters, padded with ="),
        Primitive::Xhtml
        | Primitive::Boolean
        | Primitive::Decimal
        | Primitive::Integer
        | Primitive::PositiveInt
        | Primitive::UnsignedInt => (true, ""),
    };
    if good { Ok(()) } else { Err(form) }
}

fn is_string(text: &str) -> bool {
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    !text.is_empty() && text.len() <= LONGEST_STRING && !text.bytes().any(is_control)
}

fn is_code(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return !text.is_empty();
    }
    !text.is_empty()
        && text.split(char::is_whitespace).all(|word| !word.is_empty())
        && !text.bytes().any(|byte| byte < b' ' && !byte.is_ascii_whitespace())
}

/// Whether this is a logical id.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 1..=64)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn is_uri(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|letter| letter.is_whitespace() || letter < ' ')
}

fn is_oid(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix("urn:oid:") else { return false };
    let mut parts = numbers.split('.');
    let starts = matches!(parts.next(), Some("0" | "1" | "2"));
    let mut more = false;
    let rest = parts.all(|part| {
        more = true;
        part == "0"
            || (!part.is_empty() && !part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    starts && rest && more
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Two decimal digits.
fn pair(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
        }
        _ => None,
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let dashes = (bytes.len() < 5 || bytes[4] == b'-') && (bytes.len() < 8 || bytes[7] == b'-');
    if !matches!(bytes.len(), 4 | 7 | 10) || !dashes {
        return false;
    }
    let (Some(century), Some(year)) = (pair(&bytes[..2]), pair(&bytes[2..4])) else { return false };
    let year = century * 100 + year;
    if year == 0 || bytes.len() == 4 {
        return year > 0;
    }
    let Some(month @ 1..=12) = pair(&bytes[5..7]) else { return false };
    if bytes.len() == 7 {
        return true;
    }
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    pair(&bytes[8..]).is_some_and(|day| (1..=last).contains(&day))
}

/// `YYYY-MM-DDThh:mm:ss[.fff](Z|±hh:mm)`
fn is_moment(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let Some(rest) = rest.strip_prefix('T') else { return false };
    if !is_date(date) {
        return false;
    }
    if let Some(time) = rest.strip_suffix('Z') {
        return is_time(time);
    }
    let Some((time, zone)) = rest.len().checked_sub(6).and_then(|split| rest.split_at_checked(split)) else {
        return false;
    };
    is_time(time) && is_offset(zone.as_bytes())
}

/// `±hh:mm`, at most 14:00.
fn is_offset(zone: &[u8]) -> bool {
    let signed = matches!(zone.first(), Some(b'+' | b'-')) && zone.get(3) == Some(&b':');
    match (signed, pair(&zone[1..3]), pair(&zone[4..])) {
        (true, Some(hour), Some(minute)) => (hour < 14 && minute < 60) || (hour == 14 && minute == 0),
        _ => false,
    }
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[2] != b':' || bytes[5] != b':' {
        return false;
    }
    let parts = (pair(&bytes[..2]), pair(&bytes[3..5]), pair(&bytes[6..8]));
    let fraction = match &bytes[8..] {
        [] => true,
        [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    matches!(parts, (Some(0..=23), Some(0..=59), Some(0..=60))) && fraction
}

fn is_base64(text: &str) -> bool {
    let mut characters = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => characters += 1,
            b'=' => padding += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return false,
        }
    }
    characters > 0 && padding <= 2 && (characters + padding).is_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Good and bad forms of each type.
    #[test]
    fn matches_the_forms_of_r4() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("string", &["a", " ", "가\n나\t", "a\u{7f}"], &["", "\u{0}", "a\u{1b}b", "\u{c}"]),
            ("markdown", &["# a\n\n*b*"], &["", "\u{8}"]),
            ("code", &["final", "a b", "한글", "a b c"], &["", " a", "a ", "a  b", "a\u{1}b", "a \u{a0}b"]),
            ("id", &["a", "A-1.b", &"x".repeat(64)], &["", "a_b", "가", "a/b", &"x".repeat(65)]),
            ("uri", &["http://a.kr/가", "urn:x:y", "a"], &["", "a b", "a\n", "\u{3000}a", "\u{1}"]),
            ("url", &["http://a.kr"], &["http://a .kr"]),
            ("canonical", &["http://a.kr|1.0"], &["http://a.kr| 1.0"]),
            (
                "oid",
                &["urn:oid:1.2.410.100110", "urn:oid:2.0"],
                &["1.2", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1.", "urn:oid:1.2a"],
            ),
            (
                "uuid",
                &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
                &[
                    "c757873d-ec9a-4326-a141-556f43239520",
                    "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
                    "urn:uuid:c757873d-ec9a-4326-a141-556f4323952",
                    "urn:uuid:c757873dxec9a-4326-a141-556f43239520",
                ],
            ),
            (
                "date",
                &["2026", "2026-03", "2026-03-01", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
                &[
                    "",
                    "26",
                    "2026-",
                    "2026-3",
                    "2026-13",
                    "2026-00",
                    "2026-02-29",
                    "1900-02-29",
                    "2026-04-31",
                    "2026-01-00",
                    "0000",
                    "2026/03/01",
                    "2026-03-01T",
                    "20260301",
                    "２０２６",
                    "+026",
                    "2026-03-1 ",
                ],
            ),
            (
                "dateTime",
                &[
                    "2026",
                    "2026-03-01",
                    "2026-03-01T09:00:00+09:00",
                    "2026-03-01T09:00:00.123456789Z",
                    "2026-06-30T23:59:60Z",
                    "2026-03-01T00:00:00-14:00",
                ],
                &[
                    "2026-03T09:00:00Z",
                    "2026-03-01T09:00:00",
                    "2026-03-01T09:00Z",
                    "2026-03-01T24:00:00Z",
                    "2026-03-01T09:60:00Z",
                    "2026-03-01T09:00:61Z",
                    "2026-03-01T09:00:00+15:00",
                    "2026-03-01T09:00:00+14:30",
                    "2026-03-01T09:00:00+0900",
                    "2026-03-01 09:00:00Z",
                    "2026-02-30T09:00:00Z",
                    "2026-03-01T09:00:00.Z",
                    "2026-03-01t09:00:00Z",
                    "2026-03-01T",
                    "2026-03-0가T09:00:00Z",
                ],
            ),
            (
                "instant",
                &["2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5+13:59"],
                &["2026", "2026-03-01", "2026-03-01T09:00:00"],
            ),
            (
                "time",
                &["00:00:00", "23:59:60", "09:00:00.25"],
                &["24:00:00", "9:00:00", "09:00", "09:00:00Z", "09:00:00.", "09-00-00"],
            ),
            (
                "base64Binary",
                &["QUJD", "QUI=", "QQ==", "QU JD\nQUJD"],
                &["", "QUJ", "Q===", "Q=JD", "QU-D", "====", " "],
            ),
        ];
        for (name, good, bad) in table {
            let primitive = Primitive::from_name(name).unwrap();
            for text in *good {
                assert_eq!(check_text(primitive, text), Ok(()), "{name}: {text}");
            }
            for text in *bad {
                assert!(check_text(primitive, text).is_err(), "{name}: {text}");
            }
        }
    }

    #[test]
    fn matches_numbers() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "integer",
                &["0", "-1", "2147483647", "-2147483648"],
                &["-0", "1.0", "1e2", "2147483648", "-2147483649", "-"],
            ),
            ("unsignedInt", &["0", "1", "2147483647"], &["-1", "-0", "0.0", "2147483648"]),
            ("positiveInt", &["1", "2147483647"], &["0", "-1", "1.0", "2147483648"]),
            (
                "decimal",
                &["0", "-1.10", "1e-400", "123456789012345678901234567890.5"],
                &["NaN", "Infinity", "-Infinity"],
            ),
        ];
        for (name, good, bad) in table {
            let primitive = Primitive::from_name(name).unwrap();
            for digits in *good {
                assert_eq!(check_number(primitive, digits), Ok(()), "{name}: {digits}");
            }
            for digits in *bad {
                assert!(check_number(primitive, digits).is_err(), "{name}: {digits}");
            }
        }
    }
}

//! Random primitive values: few enough to meet again in searches, odd enough to find mistakes.

use serde_json::{Number, Value};

use super::random::Random;
use crate::definitions::Primitive;

/// A narrative.
pub(super) const DIV: &str =
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">요약 <b>a</b> &amp; <a href=\"#x\">x</a></div>";

pub(super) fn primitive(primitive: Primitive, random: &mut Random) -> Value {
    match primitive {
        Primitive::Boolean => (random.below(2) == 1).into(),
        Primitive::Integer => number(random, &["0", "-1", "42", "-2147483648", "2147483647"]),
        Primitive::UnsignedInt => number(random, &["0", "1", "7", "2147483647"]),
        Primitive::PositiveInt => number(random, &["1", "2", "7", "2147483647"]),
        Primitive::Decimal => number(
            random,
            &["0", "1.10", "1.1", "100", "1e2", "-0.5", "5.40", "123456789012345678.90", "0.000001", "99.5"],
        ),
        other => text(other, random).into(),
    }
}

/// Numbers keep their digits: serde_json is built with arbitrary precision.
fn number(random: &mut Random, from: &[&str]) -> Value {
    let digits = random.pick(from).copied().unwrap_or("0");
    digits.parse::<Number>().map_or(Value::from(0), Value::Number)
}

fn text(primitive: Primitive, random: &mut Random) -> String {
    let from: &[&str] = match primitive {
        Primitive::String => &[
            "김민수",
            "김민수",
            "황보관우",
            "Kim Min-su",
            "Ünïcode",
            "a",
            "A",
            "with, comma",
            "with|bar",
            "with\\backslash",
            "with \"quotes\"",
            "line\nline",
            "金民洙",
            "📷",
            " ",
        ],
        Primitive::Markdown => &["# 제목\n\n* 하나", "plain"],
        Primitive::Code => &["a", "b-1", "with space", "한글"],
        Primitive::Id => &["a0", "a1", "X-1.2"],
        Primitive::Uri | Primitive::Url | Primitive::Canonical => &[
            "http://example.kr/a",
            "http://example.kr/b",
            "urn:oid:1.2.410.1",
            "http://example.kr/a|1.0",
            "ftp://example.kr/",
        ],
        Primitive::Oid => &["urn:oid:1.2.410.100110", "urn:oid:2.16.840"],
        Primitive::Uuid => &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        Primitive::Date => &["2026", "2026-03", "2026-03-01", "2024-02-29", "1987-05-10", "2025-12-31"],
        Primitive::DateTime => &[
            "2026",
            "2026-03",
            "2026-03-01",
            "2026-03-01T00:00:00+09:00",
            "2026-02-28T15:00:00Z",
            "2026-03-01T23:59:59.999999+09:00",
            "1988-05-08T02:30:00+10:00",
            "2026-06-30T23:59:60Z",
        ],
        Primitive::Instant => &["2026-03-01T00:00:00+09:00", "2026-02-28T15:00:00.123Z"],
        Primitive::Time => &["00:00:00", "23:59:59.5"],
        Primitive::Base64Binary => &["QUJD", "QQ=="],
        Primitive::Xhtml => &[DIV],
        Primitive::Boolean
        | Primitive::Decimal
        | Primitive::Integer
        | Primitive::PositiveInt
        | Primitive::UnsignedInt => &[],
    };
    random.pick(from).copied().unwrap_or("a").to_owned()
}

//! Whether one value passes one test: the search rules of R4, section 3.1.1.4, as plainly as they can be written.
//!
//! Engines have indexes and must come to the same answers. This is what they are judged by, so it is kept simple
//! and slow, and shares nothing with them.

use super::{
    QuantityTest, ReferenceTest, StringMode, StringTest, SystemTest, Test, TokenTest, UnitTest, UriMode,
    UriTest,
};
use crate::geo;
use crate::index::{IndexValue, Target};
use crate::text;

/// Whether the value passes the test. A value of another type than the test's never does.
#[must_use]
pub fn passes(test: &Test, value: &IndexValue<'_>) -> bool {
    match (test, value) {
        (Test::Token(test), IndexValue::Token { system, code }) => {
            token_passes(test, system.as_deref(), code.as_deref())
        }
        (Test::String(test), IndexValue::String(text)) => string_passes(test, text),
        (Test::Reference(test), IndexValue::Reference(target)) => reference_passes(test, target),
        (Test::Date(test), IndexValue::Date(range)) => test.holds(*range),
        (Test::Number(test), IndexValue::Number(range)) => test.holds(&range.lo, &range.hi),
        (Test::Quantity(test), IndexValue::Quantity { system, code, unit, range }) => {
            test.number.holds(&range.lo, &range.hi)
                && unit_passes(test, system.as_deref(), code.as_deref(), unit.as_deref())
        }
        (Test::Quantity(test), IndexValue::Canonical { unit, range }) => {
            matches!(&test.unit, UnitTest::Canonical { unit: asked } if asked == unit)
                && test.number.holds(&range.lo, &range.hi)
        }
        (Test::Uri(test), IndexValue::Uri(found)) => uri_passes(test, found),
        (Test::Text(test), IndexValue::Text(found)) => string_passes(test, found),
        (
            Test::OfType { system, code, value },
            IndexValue::OfType { system: of, code: as_code, value: found },
        ) => system == of && code == as_code && value == found,
        (Test::Identifier(test), IndexValue::Identifier { system, value }) => {
            token_passes(test, system.as_deref(), value.as_deref())
        }
        (Test::Composite(tests), IndexValue::Composite(parts)) => {
            tests.len() == parts.len() && tests.iter().zip(parts).all(|(test, part)| passes(test, part))
        }
        (Test::Near { lat, lon, metres }, IndexValue::Near { lat: at_lat, lon: at_lon }) => {
            geo::distance((*lat, *lon), (*at_lat, *at_lon)) <= *metres
        }
        (Test::Unequal(test), value) => is_about(test, value) && !passes(test, value),
        _ => false,
    }
}

/// Whether the value is of the form that the test compares with.
fn is_about(test: &Test, value: &IndexValue<'_>) -> bool {
    matches!(
        (test, value),
        (Test::Token(_), IndexValue::Token { .. })
            | (Test::String(_), IndexValue::String(_))
            | (Test::Reference(_), IndexValue::Reference(_))
            | (Test::Uri(_), IndexValue::Uri(_))
    )
}

/// 3.1.1.4.12: "the match is precise, case, accent, and escape sensitive, and the entire URI must match", except with
/// `:above` and `:below`.
fn uri_passes(test: &UriTest, found: &str) -> bool {
    match test.mode {
        UriMode::Exact => test.text == found,
        UriMode::Below => test.text == found || found.starts_with(&test.folder()),
        UriMode::Above => test.ancestors().contains(&found),
    }
}

/// 3.1.1.4.10: `code` whatever the system, `system|code` both, `|code` only without system, `system|` any code.
fn token_passes(test: &TokenTest, system: Option<&str>, code: Option<&str>) -> bool {
    let system_passes = match &test.system {
        SystemTest::Any => true,
        SystemTest::Absent => system.is_none(),
        SystemTest::Is(asked) => system == Some(asked),
    };
    let code_passes = match &test.code {
        None => true,
        Some(asked) => code == Some(asked),
    };
    system_passes && code_passes
}

/// 3.1.1.4.8: equals or starts with, ignoring case and accents; `:contains` anywhere; `:exact` as it stands.
fn string_passes(test: &StringTest, found: &str) -> bool {
    match test.mode {
        StringMode::Starts => text::matches_initials(&test.text, found),
        StringMode::Contains => text::normalize(found).contains(&*text::normalize(&test.text)),
        StringMode::Exact => text::nfc(found) == text::nfc(&test.text),
        StringMode::Ends => text::normalize(found).ends_with(&*text::normalize(&test.text)),
        StringMode::Whole => text::normalize(found) == text::normalize(&test.text),
    }
}

/// 3.1.1.4.11: the record named; by id alone, if it is of a kind the parameter may point to; or the URL.
fn reference_passes(test: &ReferenceTest, target: &Target<'_>) -> bool {
    match (test, target) {
        (ReferenceTest::Local { kind, id }, Target::Local { kind: found_kind, id: found_id }) => {
            kind == found_kind && id == found_id
        }
        (ReferenceTest::Id { kinds, id }, Target::Local { kind: found_kind, id: found_id }) => {
            kinds.iter().any(|kind| kind == found_kind) && id == found_id
        }
        (ReferenceTest::Url(asked), Target::Url(found)) => asked == found,
        _ => false,
    }
}

/// 3.1.1.4.14: without unit any; `||code` the code or the unit as shown; `|system|code` both.
fn unit_passes(test: &QuantityTest, system: Option<&str>, code: Option<&str>, unit: Option<&str>) -> bool {
    match &test.unit {
        UnitTest::Any => true,
        UnitTest::Code(asked) => code == Some(asked) || unit == Some(asked),
        UnitTest::Coded { system: asked_system, code: asked_code } => {
            system == Some(asked_system) && code == Some(asked_code)
        }
        // Looks at canonical values only.
        UnitTest::Canonical { .. } => false,
    }
}

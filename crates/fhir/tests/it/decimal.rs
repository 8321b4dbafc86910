//! Decimals: order, equality and implicit precision, against plain integers.

use ieum_fhir::decimal::{Decimal, DecimalError, SortKey};
use proptest::prelude::*;

fn key(text: &str) -> SortKey {
    Decimal::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).sort_key()
}

#[test]
fn equal_numbers_have_equal_keys() {
    for same in [
        &["1.10", "1.1", "11e-1", "0.11E1", "110e-2", "1.1e+0"][..],
        &["0", "-0", "0.00", "0e5", "-0.0E-3"],
        &["-120", "-1.2e2", "-120.000"],
        &["123456789012345678901234567890", "123456789012345678901234567.890e3"],
    ] {
        for text in same {
            assert_eq!(key(text), key(same[0]), "{text}");
        }
    }
}

#[test]
fn keys_order_as_numbers_do() {
    let ordered = [
        "-1e10000",
        "-1e62",
        "-1e61",
        "-1000",
        "-12",
        "-1.05",
        "-1.01",
        "-1",
        "-0.9",
        "-0.09",
        "-1e-62",
        "-1e-64",
        "-1e-10000",
        "0",
        "1e-10000",
        "1e-64",
        "1e-63",
        "1e-62",
        "0.09",
        "0.9",
        "1",
        "1.01",
        "1.05",
        "9.99",
        "10",
        "12",
        "100",
        "101",
        "1e61",
        "1e62",
        "9e62",
        "1e10000",
    ];
    for pair in ordered.windows(2) {
        assert!(key(pair[0]) < key(pair[1]), "{} < {}", pair[0], pair[1]);
    }
    assert!(SortKey::minus_infinity() < key("-9e10000"));
    assert!(SortKey::plus_infinity() > key("9e10000"));
}

#[test]
fn the_text_tells_the_precision() {
    for (text, lo, hi) in [
        ("100", "99.5", "100.5"),
        ("1e2", "95", "105"),
        ("1.00e2", "99.5", "100.5"),
        ("5.43e1", "54.25", "54.35"),
        ("0e5", "-5000", "5000"),
        ("-2e3", "-2050", "-1950"),
        ("1.0e2", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("0.10", "0.095", "0.105"),
        ("0", "-0.5", "0.5"),
        ("0.00", "-0.005", "0.005"),
        ("-0.10", "-0.105", "-0.095"),
        ("5.4", "5.35", "5.45"),
        ("999", "998.5", "999.5"),
        ("123456789012345678", "123456789012345677.5", "123456789012345678.5"),
    ] {
        assert_eq!(Decimal::parse(text).unwrap().implicit_range(), (key(lo), key(hi)), "{text}");
    }
}

#[test]
fn approximately_is_a_tenth_wider() {
    for (text, lo, hi) in [
        ("100", "89.5", "110.5"),
        ("-100", "-110.5", "-89.5"),
        ("0", "-0.5", "0.5"),
        ("1", "0.4", "1.6"),
        ("0.10", "0.085", "0.115"),
    ] {
        assert_eq!(Decimal::parse(text).unwrap().approximate_range(), (key(lo), key(hi)), "{text}");
    }
}

#[test]
fn what_is_no_decimal_is_refused() {
    for text in [
        "", "-", "+1", ".5", "5.", "01", "-01", "1e", "1e+", "1.5e1.5", "0x1", "1 ", " 1", "NaN", "1,5",
        "１", "--1", "1e--1",
    ] {
        assert_eq!(Decimal::parse(text), Err(DecimalError::Syntax), "{text:?}");
    }
    assert_eq!(Decimal::parse(&"9".repeat(513)), Err(DecimalError::TooLong));
    assert!(Decimal::parse(&"9".repeat(512)).is_ok());
    for text in ["1e10001", "1e-10001", "1e99999999999999999999"] {
        assert_eq!(Decimal::parse(text), Err(DecimalError::Exponent), "{text}");
    }
}

/// `number × 10^-places` as a decimal text, in one of several spellings.
fn spelling(number: i128, places: u32, style: u8) -> String {
    match style % 3 {
        0 => format!("{number}e-{places}"),
        1 if number != 0 => format!("{number}0E-{}", places + 1),
        _ => {
            let sign = if number < 0 { "-" } else { "" };
            let digits = format!("{:0>width$}", number.unsigned_abs(), width = places as usize + 1);
            let (whole, fraction) = digits.split_at(digits.len() - places as usize);
            if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
        }
    }
}

fn scaled() -> impl Strategy<Value = (i128, u32)> {
    let number = prop_oneof![-200_i128..200, -10_i128.pow(18)..10_i128.pow(18)];
    (number, 0_u32..12)
}

proptest! {
    #[test]
    fn order_is_that_of_big_integers(a in scaled(), b in scaled(), styles: (u8, u8)) {
        let integer = |(number, places): (i128, u32)| number * 10_i128.pow(12 - places);
        let expected = integer(a).cmp(&integer(b));
        let found = key(&spelling(a.0, a.1, styles.0)).cmp(&key(&spelling(b.0, b.1, styles.1)));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn implicit_range_is_half_a_unit((number, places) in scaled()) {
        let text = spelling(number, places, 2);
        let (lo, hi) = Decimal::parse(&text).unwrap().implicit_range();
        prop_assert_eq!(lo, key(&format!("{}e-{}", number * 10 - 5, places + 1)));
        prop_assert_eq!(hi, key(&format!("{}e-{}", number * 10 + 5, places + 1)));
        let (lo, hi) = Decimal::parse(&text).unwrap().approximate_range();
        let tenth = number.abs();
        prop_assert_eq!(lo, key(&format!("{}e-{}", number * 10 - 5 - tenth, places + 1)));
        prop_assert_eq!(hi, key(&format!("{}e-{}", number * 10 + 5 + tenth, places + 1)));
    }

    #[test]
    fn just_beside_a_number_lies_no_other(a in scaled(), b in scaled()) {
        let (a, b) = (key(&spelling(a.0, a.1, 0)), key(&spelling(b.0, b.1, 0)));
        let (below, above) = (a.clone().just_below(), a.clone().just_above());
        prop_assert!(SortKey::minus_infinity() < below && below < a && a < above && above < SortKey::plus_infinity());
        prop_assert_eq!(b < a, b < below);
        prop_assert_eq!(b > a, b > above);
    }

    // threat: 20
    #[test]
    fn nothing_panics(text in "[-+0-9.eE]{0,12}|\\PC{0,20}") {
        if let Ok(decimal) = Decimal::parse(&text) {
            let (lo, hi) = decimal.implicit_range();
            prop_assert!(lo < decimal.sort_key() && decimal.sort_key() < hi);
        }
    }
}

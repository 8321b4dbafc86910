//! Numbers and quantities (R4, sections 3.1.1.4.5 and 3.1.1.4.14).

use std::borrow::Cow;

use super::value::prefix;
use crate::decimal::Decimal;
use crate::search::split::{split, unescape};
use crate::search::{NumberTest, Prefix, QuantityTest, UnitTest};
use crate::ucum::{self, Unit};

pub(super) fn number(part: &str) -> Result<NumberTest, &'static str> {
    let (prefix, text) = prefix(part)?;
    number_with(prefix, text)
}

pub(super) fn number_with(prefix: Prefix, text: &str) -> Result<NumberTest, &'static str> {
    let plain = |number: &Decimal| Some(number.clone());
    Ok(test(prefix, &decimal(text)?, plain).expect("a number is itself"))
}

/// `number`, `number|system|code`, `number||code` (3.1.1.4.14).
pub(super) fn quantity(part: &str) -> Result<QuantityTest, &'static str> {
    let number = split(part, b'|').next().unwrap_or_default();
    let (prefix, _) = prefix(number)?;
    let letters = number.bytes().take_while(u8::is_ascii_alphabetic).count();
    quantity_with(prefix, &part[letters..])
}

/// The same without prefix in the text.
pub(super) fn quantity_with(prefix: Prefix, text: &str) -> Result<QuantityTest, &'static str> {
    let parts: Vec<Cow<'_, str>> = split(text, b'|').map(unescape).collect();
    let decimal = decimal(&parts[0])?;
    let unit = match &parts[..] {
        [_] => UnitTest::Any,
        [_, system, code] if !code.is_empty() => {
            if system.is_empty() {
                UnitTest::Code(code.clone().into_owned())
            } else {
                UnitTest::Coded { system: system.clone().into_owned(), code: code.clone().into_owned() }
            }
        }
        _ => return Err("must be a number, number|system|code or number||code"),
    };
    if let UnitTest::Coded { system, code } = &unit
        && system == ucum::SYSTEM
        && let Some(known) = Unit::parse(code)
        && let Some(number) = test(prefix, &decimal, |number| known.canonical(number))
    {
        return Ok(QuantityTest { number, unit: UnitTest::Canonical { unit: known.name().to_owned() } });
    }
    let number = number_with(prefix, &parts[0])?;
    Ok(QuantityTest { number, unit })
}

fn decimal(text: &str) -> Result<Decimal, &'static str> {
    Decimal::parse(text).map_err(|_| "must be a number such as 5, 5.40 or 54e-1, after a prefix if any")
}

/// The comparison, its numbers converted. The precision of a number is that of its text, whatever it is converted to.
fn test(
    prefix: Prefix,
    number: &Decimal,
    convert: impl Fn(&Decimal) -> Option<Decimal>,
) -> Option<NumberTest> {
    let (lo, hi) = if prefix == Prefix::Ap { number.approximate_bounds() } else { number.implicit_bounds() };
    let key = |number: &Decimal| convert(number).map(|number| number.sort_key());
    Some(NumberTest { prefix, exact: key(number)?, lo: key(&lo)?, hi: key(&hi)? })
}

//! Units of UCUM (`http://unitsofmeasure.org`) in canonical form, so that 5 mg is found by 0.005 g (R4, section
//! 3.1.1.4.14).
//!
//! The canonical unit is the product of UCUM's base units and arbitrary units; commensurable units have the same. The
//! factors are decimals of at most 28 digits. A converted number is rounded to [`DIGITS`] significant digits, the same
//! way for what is stored and for what is asked: numbers that differ only further down count as equal when compared
//! across units.
//!
//! Temperatures in degrees are converted with their zero point. Units on other scales that are no ratios (pH, bel,
//! homeopathic potencies) have no canonical form here; like everything that is not UCUM they are compared as written.
//!
//! ```
//! use ieum_fhir::{decimal::Decimal, ucum::Unit};
//! let (mg, g) = (Unit::parse("mg").unwrap(), Unit::parse("g").unwrap());
//! assert_eq!(mg.name(), g.name());
//! let number = |text| Decimal::parse(text).unwrap();
//! assert_eq!(mg.canonical(&number("5")).unwrap().sort_key(), g.canonical(&number("0.005")).unwrap().sort_key());
//! ```

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, PoisonError, RwLock};

use octofhir_ucum::{EvalResult, SpecialKind, evaluate, parse_expression};

use crate::decimal::Decimal;

/// The system of UCUM codes.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// Significant digits that a converted number keeps. Factors have 28: the rest swallows their rounding, so that 60 per
/// minute is exactly 1 per second.
pub const DIGITS: usize = 24;

/// Longer texts are no units to us.
const MOST_LETTERS: usize = 128;
/// Units remembered, known and unknown ones; texts beyond are read again each time.
const MOST_REMEMBERED: usize = 4_096;

/// UCUM's base units, in the order of [`octofhir_ucum::Dimension`].
const BASE: [&str; 7] = ["m", "s", "g", "rad", "K", "C", "cd"];

/// A unit in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    name: String,
    scale: Scale,
}

/// From a number in the unit to the number in the canonical one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Times `factor × 10^exponent`.
    Ratio { factor: u128, exponent: i32 },
    /// Degrees of a temperature: plus the offset in hundredths, times the quotient.
    Degrees { hundredths: i32, times: u32, over: u32 },
}

impl Unit {
    /// The unit of this UCUM code (case counts); `None` when it is none, or has no canonical form.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        static KNOWN: LazyLock<RwLock<HashMap<Box<str>, Option<Unit>>>> = LazyLock::new(RwLock::default);
        if code.len() > MOST_LETTERS {
            return None;
        }
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(unit) = known.get(code) {
            return unit.clone();
        }
        drop(known);
        let unit = read(code);
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_REMEMBERED {
            known.insert(code.into(), unit.clone());
        }
        unit
    }

    /// The canonical unit: the same text for all commensurable units.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A number in this unit as a number in the canonical one; `None` when it is out of all bounds.
    #[must_use]
    pub fn canonical(&self, number: &Decimal) -> Option<Decimal> {
        let converted = match self.scale {
            Scale::Ratio { factor, exponent } => number.times(factor, exponent)?,
            Scale::Degrees { hundredths, times, over } => {
                let offset = Decimal::parse(&format!("{hundredths}e-2")).ok()?;
                number.plus(&offset)?.times(times.into(), 0)?.divided_by(over, DIGITS)
            }
        };
        Some(converted.rounded(DIGITS))
    }

    /// How many of the canonical unit this unit is, as `factor × 10^exponent`; `None` for degrees, whose zero lies
    /// elsewhere.
    pub(crate) fn ratio(&self) -> Option<(u128, i32)> {
        match self.scale {
            Scale::Ratio { factor, exponent } => Some((factor, exponent)),
            Scale::Degrees { .. } => None,
        }
    }
}

fn read(code: &str) -> Option<Unit> {
    let unit = evaluate(&parse_expression(code).ok()?).ok()?;
    let scale = match unit.special {
        None => {
            let (factor, exponent) = unit.factor.to_integer_and_exponent();
            Scale::Ratio { factor: u128::try_from(factor).ok().filter(|&factor| factor > 0)?, exponent }
        }
        // Prefixed degrees (mCel) are not in use.
        Some(special) if special.scale.to_integer_and_exponent() != (1, 0) => return None,
        Some(special) => match special.unit.special {
            SpecialKind::Celsius => Scale::Degrees { hundredths: 27_315, times: 1, over: 1 },
            SpecialKind::Fahrenheit => Scale::Degrees { hundredths: 45_967, times: 5, over: 9 },
            SpecialKind::Reaumur => Scale::Degrees { hundredths: 21_852, times: 5, over: 4 },
            _ => return None,
        },
    };
    Some(Unit { name: name(&unit), scale })
}

/// `m-3.g`; `1` for a mere number.
fn name(unit: &EvalResult) -> String {
    let base = BASE.iter().zip(unit.dim.0).map(|(symbol, power)| (*symbol, i32::from(power)));
    let mut name = String::new();
    for (symbol, power) in base.chain(unit.arbitrary.iter().copied()).filter(|(_, power)| *power != 0) {
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(symbol);
        if power != 1 {
            // Writing to a string cannot fail.
            let _ = write!(name, "{power}");
        }
    }
    if name.is_empty() { "1".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` in one unit is `b` in the other.
    fn equal(a: &str, unit: &str, b: &str, other: &str) {
        let canonical = |number: &str, code: &str| {
            let unit = Unit::parse(code).unwrap_or_else(|| panic!("{code} is no unit"));
            let number = unit.canonical(&Decimal::parse(number).unwrap()).unwrap();
            (unit.name, number.sort_key())
        };
        assert_eq!(canonical(a, unit), canonical(b, other), "{a} {unit} is {b} {other}");
    }

    #[test]
    fn known_cases() {
        equal("5", "mg", "0.005", "g");
        equal("1", "mg/g", "0.1", "%");
        equal("120", "mm[Hg]", "15998.640", "Pa");
        equal("5.5", "mmol/L", "5500", "umol/L");
        equal("37", "Cel", "310.15", "K");
        equal("98.6", "[degF]", "37", "Cel");
        equal("-40", "[degF]", "-40", "Cel");
        equal("29.6", "[degRe]", "37", "Cel");
        equal("4.5", "10*3/uL", "4.5", "10*9/L");
        equal("4.5", "10*3/uL", "4500000000", "/L");
        equal("60", "/min", "1", "Hz");
        equal("60", "{beats}/min", "1", "/s");
        equal("1", "[lb_av]", "453.59237", "g");
        equal("1", "[in_i]", "25.4", "mm");
        equal("7", "m[iU]/mL", "7", "[iU]/L");
        equal("1", "wk", "168", "h");
        equal("123456789012345678901234567890", "mg", "123456789012345678901234567890e-3", "g");
    }

    #[test]
    fn different_dimensions_stay_apart() {
        let name = |code| Unit::parse(code).unwrap().name;
        assert_eq!(name("mg/dL"), "m-3.g");
        assert_eq!(name("{score}"), "1");
        assert_ne!(name("[iU]/L"), name("/L"));
        assert_ne!(name("[iU]/L"), name("[arb'U]/L"));
        assert_ne!(name("Cel"), name("g"));
    }

    #[test]
    fn what_has_no_canonical_form() {
        for code in ["", "xyz", "mg dl", "정", "[pH]", "dB", "mCel", "MG/DL", "1e5"] {
            assert_eq!(Unit::parse(code), None, "{code}");
        }
        assert_eq!(Unit::parse(&"m.".repeat(100)), None);
        let celsius = Unit::parse("Cel").unwrap();
        assert_eq!(celsius.canonical(&Decimal::parse("1e-9999").unwrap()), None);
    }

    proptest::proptest! {
        // threat: 20
        #[test]
        fn nothing_panics(code in "[mgLd/.*(){}\\[\\]0-9^a-zA-Z-]{0,20}|\\PC{0,10}", number in "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?(e-?[0-9]{1,4})?") {
            if let (Some(unit), Ok(number)) = (Unit::parse(&code), Decimal::parse(&number)) {
                let _ = unit.canonical(&number).map(|number| number.sort_key());
            }
        }
    }
}

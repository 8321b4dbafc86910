//! Decimal numbers to calculate with: exact, within 34 digits.
//!
//! FHIRPath asks for at least 28 digits; this keeps up to 34, with the zeros at the end that tell the precision. What
//! does not fit is no number: operators then answer nothing, as the specification says of overflow. Only `exp`, `ln`,
//! `log` and powers with fractions go through binary floating point, and are rounded to 15 digits.

use std::cmp::Ordering;
use std::fmt;

/// Digits kept.
const DIGITS: u32 = 34;
/// Places after the point that a division may make.
const PLACES: u32 = 28;

/// `mantissa ÷ 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    mantissa: i128,
    scale: u32,
}

/// Towards where a number is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    Down,
    Up,
    Zero,
    /// The nearest; halves go away from zero.
    Nearest,
}

impl Number {
    /// Reads a decimal as JSON and FHIRPath write it; `None` when it is none, or has too many digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let places = if text.contains('.') { fraction.len() } else { 0 };
        if whole.is_empty() || fraction.is_empty() {
            return None;
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes().take(places)) {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit))?;
        }
        let mantissa = if negative { -mantissa } else { mantissa };
        let scale = i32::try_from(places).ok()?.checked_sub(exponent)?;
        match u32::try_from(scale) {
            Ok(scale) => Self { mantissa, scale }.kept(),
            Err(_) => {
                let zeros = 10_i128.checked_pow(scale.unsigned_abs())?;
                Self { mantissa: mantissa.checked_mul(zeros)?, scale: 0 }.kept()
            }
        }
    }

    fn kept(self) -> Option<Self> {
        let most = 10_i128.pow(DIGITS);
        (self.mantissa.abs() < most && self.scale <= DIGITS).then_some(self)
    }

    /// Within what is kept, by giving up zeros at the end, and else the last digits.
    fn shortened(mut self) -> Option<Self> {
        while self.scale > 0 && self.kept().is_none() {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self.kept()
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        let one = 10_i128.pow(self.scale);
        if self.mantissa % one == 0 { i64::try_from(self.mantissa / one).ok() } else { None }
    }

    /// Places after the point, zeros at the end included.
    pub(super) fn places(self) -> u32 {
        self.scale
    }

    /// Without zeros at the end.
    pub(super) fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    /// With this many places after the point: zeros are added, or the rest is rounded away.
    pub(super) fn with_places(self, places: u32, towards: Towards) -> Option<Self> {
        if places >= self.scale {
            let zeros = 10_i128.checked_pow(places - self.scale)?;
            return Self { mantissa: self.mantissa.checked_mul(zeros)?, scale: places }.kept();
        }
        let unit = 10_i128.pow(self.scale - places);
        let (whole, rest) = (self.mantissa.div_euclid(unit), self.mantissa.rem_euclid(unit));
        let up = match towards {
            Towards::Down => false,
            Towards::Up => rest > 0,
            Towards::Zero => rest > 0 && self.mantissa < 0,
            Towards::Nearest if self.mantissa < 0 => rest * 2 > unit,
            Towards::Nearest => rest * 2 >= unit,
        };
        Some(Self { mantissa: whole + i128::from(up), scale: places })
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let aligned = |number: Self| number.mantissa.checked_mul(10_i128.checked_pow(scale - number.scale)?);
        Self { mantissa: aligned(self)?.checked_add(aligned(other)?)?, scale }.shortened()
    }

    pub(super) fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    pub(super) fn absolute(self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self }
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let product = |left: Self, right: Self| {
            let mantissa = left.mantissa.checked_mul(right.mantissa)?;
            Self { mantissa, scale: left.scale + right.scale }.shortened()
        };
        product(self, other).or_else(|| product(self.trimmed(), other.trimmed()))
    }

    /// The quotient, to 28 places at most; `None` for a division by zero.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        let (left, right) = (self.trimmed(), other.trimmed());
        let extra = 10_i128.checked_pow(right.scale.saturating_sub(left.scale))?;
        let numerator = left.mantissa.checked_mul(extra)?;
        let mut scale = left.scale.saturating_sub(right.scale);
        let mut quotient = numerator / right.mantissa;
        let mut rest = numerator % right.mantissa;
        while rest != 0 && scale < PLACES {
            let (Some(more), Some(shifted)) = (rest.checked_mul(10), quotient.checked_mul(10)) else { break };
            let Some(next) = shifted.checked_add(more / right.mantissa) else { break };
            quotient = next;
            rest = more % right.mantissa;
            scale += 1;
        }
        Self { mantissa: quotient, scale }.shortened()
    }

    /// `d.ddd` of the first 24 digits of a whole number, and the power of ten that belongs to it.
    pub(super) fn leading(mut digits: u128) -> Option<(Self, i32)> {
        let count = digits.checked_ilog10()?;
        let dropped = count.saturating_sub(23);
        // Half up; at most 10^24 comes of it.
        digits = (digits / 10_u128.pow(dropped))
            .checked_add(u128::from(dropped > 0 && digits / 10_u128.pow(dropped - 1) % 10 >= 5))?;
        let mantissa = i128::try_from(digits).ok()?;
        Some((Self { mantissa, scale: count - dropped }, i32::try_from(count).ok()?))
    }

    /// Times a power of ten.
    pub(super) fn shifted(self, power: i32) -> Option<Self> {
        let scale = i32::try_from(self.scale).ok()?.checked_sub(power)?;
        match u32::try_from(scale) {
            Ok(scale) => Self { scale, ..self }.shortened(),
            Err(_) => {
                let zeros = 10_i128.checked_pow(scale.unsigned_abs())?;
                Self { mantissa: self.mantissa.checked_mul(zeros)?, scale: 0 }.kept()
            }
        }
    }

    /// Rounded to so many digits, without zeros at the end.
    pub(super) fn rounded(self, digits: u32) -> Option<Self> {
        let count = self.mantissa.unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
        let dropped = count.saturating_sub(digits).min(self.scale);
        self.with_places(self.scale - dropped, Towards::Nearest).map(Self::trimmed)
    }

    /// The quotient cut to a whole number.
    pub(super) fn div(self, other: Self) -> Option<Self> {
        self.over(other)?.with_places(0, Towards::Zero)
    }

    /// What is left by [`Number::div`].
    pub(super) fn modulo(self, other: Self) -> Option<Self> {
        self.minus(self.div(other)?.times(other)?)
    }

    /// The power with a whole exponent.
    pub(super) fn power(self, exponent: i64) -> Option<Self> {
        let mut result = Self::from(1);
        let times = u32::try_from(exponent.abs()).ok().filter(|times| *times <= 10_000)?;
        let mut base = self;
        let mut left = times;
        while left > 0 {
            if left & 1 == 1 {
                result = result.times(base)?;
            }
            left >>= 1;
            if left > 0 {
                base = base.times(base)?;
            }
        }
        if exponent < 0 { Self::from(1).over(result) } else { Some(result) }
    }

    /// The square root, to 16 places at most; `None` for negative numbers.
    pub(super) fn root(self) -> Option<Self> {
        if self.mantissa < 0 {
            return None;
        }
        let mut number = self.trimmed();
        if number.scale % 2 == 1 {
            number = Self { mantissa: number.mantissa.checked_mul(10)?, scale: number.scale + 1 };
        }
        while number.scale < 32 {
            let Some(mantissa) = number.mantissa.checked_mul(100) else { break };
            number = Self { mantissa, scale: number.scale + 2 };
        }
        Some(Self { mantissa: number.mantissa.isqrt(), scale: number.scale / 2 }.trimmed())
    }

    /// For functions whose results no decimal holds.
    pub(super) fn approximately(self) -> f64 {
        // The text of a decimal within 34 digits is always a number.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The decimal nearest to a binary number, to 15 digits.
    pub(super) fn nearest(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value:.14e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        if exponent < -30 {
            return Some(Self::from(0));
        }
        let digits = Self::parse(mantissa)?.trimmed();
        Self::parse(&format!("{digits}e{exponent}")).map(Self::trimmed)
    }

    /// The order of two numbers.
    #[must_use]
    pub fn order(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        // A number that does not fit when it is written with more places is the greater one, by its sign.
        let aligned = |number: Self| {
            let zeros = 10_i128.checked_pow(scale - number.scale)?;
            number.mantissa.checked_mul(zeros)
        };
        match (aligned(self), aligned(other)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (None, _) => self.mantissa.cmp(&0),
            (_, None) => 0.cmp(&other.mantissa),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self { mantissa: i128::from(value), scale: 0 }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let one = 10_u128.pow(self.scale);
        let digits = self.mantissa.unsigned_abs();
        if self.scale == 0 {
            return write!(formatter, "{sign}{digits}");
        }
        write!(formatter, "{sign}{}.{:0width$}", digits / one, digits % one, width = self.scale as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn calculates_exactly() {
        assert_eq!(number("0.1").plus(number("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(number("1.2").over(number("1.8")).unwrap().to_string(), "0.6666666666666666666666666666");
        assert_eq!(number("2.2").modulo(number("1.8")).unwrap().to_string(), "0.4");
        assert_eq!(number("-5").div(number("2")).unwrap().to_string(), "-2");
        assert_eq!(number("2.5").power(2).unwrap().to_string(), "6.25");
        assert_eq!(number("2").power(-2).unwrap().to_string(), "0.25");
        assert_eq!(number("2").root().unwrap().to_string(), "1.414213562373095");
        assert_eq!(number("0.0001").root().unwrap().to_string(), "0.01");
        assert!(number("1").over(number("0")).is_none());
        assert!(number("9e33").times(number("9e33")).is_none());
    }

    #[test]
    fn rounds() {
        let round =
            |text: &str, places, towards| number(text).with_places(places, towards).unwrap().to_string();
        assert_eq!(round("2.5", 0, Towards::Nearest), "3");
        assert_eq!(round("-2.5", 0, Towards::Nearest), "-3");
        assert_eq!(round("-2.1", 0, Towards::Down), "-3");
        assert_eq!(round("-2.1", 0, Towards::Up), "-2");
        assert_eq!(round("-1.56", 0, Towards::Zero), "-1");
        assert_eq!(round("1", 2, Towards::Up), "1.00");
    }

    #[test]
    fn reads_and_orders() {
        assert_eq!(number("1.5e3").to_string(), "1500");
        assert_eq!(number("15e-4").to_string(), "0.0015");
        assert_eq!(number("-0.50").to_string(), "-0.50");
        for text in ["", "-", "1.", ".5", "1e", "a", "1e99", "12345678901234567890123456789012345"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
        assert_eq!(number("1.10").order(number("1.1")), Ordering::Equal);
        assert_eq!(number("9e33").order(number("0.000000001")), Ordering::Greater);
        assert_eq!(number("-9e33").order(number("0.000000001")), Ordering::Less);
    }
}

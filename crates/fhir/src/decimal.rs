//! Decimal numbers of any length, exact.
//!
//! FHIR decimals carry their precision in their text (R4, section 2.24.0.1, `decimal`): `1.10` is not `1.1` to a
//! reader, although both are the same number. Here the text is read once, into digits and a power of ten; no
//! floating point anywhere.
//!
//! ```
//! use ieum_fhir::decimal::Decimal;
//! let (a, b) = (Decimal::parse("1.10").unwrap(), Decimal::parse("11e-1").unwrap());
//! assert_eq!(a.sort_key(), b.sort_key());
//! assert!(a.sort_key() < Decimal::parse("12").unwrap().sort_key());
//! ```

mod arithmetic;

/// Longest text that is read as a number.
pub const MAX_LENGTH: usize = 512;
/// Greatest power of ten, up or down, that may be written after the `e`.
pub const MAX_EXPONENT: i32 = 10_000;

/// A decimal number as bytes that order as the numbers do: shorter numbers are not padded, none is rounded.
/// The empty key is minus infinity; `[0xFF]` is plus infinity.
///
/// Layout: zero is `[0x80]`. A positive number `0.d1d2d3… × 10^e` (`d1` not zero, no zeros at the end) is the
/// byte `0xC0 + e`, or `0x81`/`0xFE` and `e` as two bytes when `e` lies below −62 or above 61; then its digits,
/// two to a byte, each pair plus one. A negative number is the complement of its absolute value's bytes and `0xFF`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SortKey(pub Vec<u8>);

impl SortKey {
    /// Below every number.
    #[must_use]
    pub fn minus_infinity() -> Self {
        Self(Vec::new())
    }

    /// Above every number.
    #[must_use]
    pub fn plus_infinity() -> Self {
        Self(vec![0xFF])
    }

    /// Above the number of this key, and below every number that is above it.
    #[must_use]
    pub fn just_above(mut self) -> Self {
        // Digits follow as bytes from 1; the key of a negative number is complete with its last byte, 0xFF.
        self.0.push(0x00);
        self
    }

    /// Below the number of this key, and above every number that is below it. Only for keys of numbers.
    #[must_use]
    pub fn just_below(mut self) -> Self {
        // The last byte of a number's key is at least 11, and no number has 0xFF 0xFF among its bytes.
        if let Some(last) = self.0.last_mut() {
            *last = last.saturating_sub(1);
            self.0.extend_from_slice(&[0xFF, 0xFF]);
        }
        self
    }

    /// The key of a decimal's text; `None` when [`Decimal::parse`] refuses it.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Decimal::parse(text).ok().map(|decimal| decimal.sort_key())
    }
}

/// Why a text is no number we keep. Never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not the grammar of R4 (that of JSON).
    #[error("not a decimal number")]
    Syntax,
    /// Longer than [`MAX_LENGTH`] characters.
    #[error("a decimal number longer than {MAX_LENGTH} characters")]
    TooLong,
    /// Beyond [`MAX_EXPONENT`].
    #[error("a decimal number with an exponent beyond {MAX_EXPONENT}")]
    Exponent,
}

/// A decimal as written: `±digits × 10^exponent`, zeros at the end kept, for they tell the precision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Values 0–9, most significant first, no zeros at the start; empty for zero.
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// Reads a decimal.
    ///
    /// # Errors
    /// [`DecimalError`] when the text is no decimal, or a larger one than we keep.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        if text.len() > MAX_LENGTH {
            return Err(DecimalError::TooLong);
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_parse(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(DecimalError::Syntax),
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return Err(DecimalError::Syntax);
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0');
        let digits = digits.skip_while(|&digit| digit == 0).collect();
        // At most MAX_LENGTH, checked above.
        let places = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)?;
        Ok(Self { negative, digits, exponent: exponent - places })
    }

    /// The key that orders as the number does. Equal numbers have equal keys, however they are written.
    #[must_use]
    pub fn sort_key(&self) -> SortKey {
        let significant =
            self.digits.len() - self.digits.iter().rev().take_while(|&&digit| digit == 0).count();
        if significant == 0 {
            return SortKey(vec![0x80]);
        }
        let mut key = Vec::with_capacity(significant / 2 + 4);
        let magnitude = self.exponent + i32::try_from(self.digits.len()).unwrap_or(i32::MAX / 2);
        match u8::try_from(magnitude + 0xC0) {
            Ok(byte @ 0x82..=0xFD) => key.push(byte),
            _ => {
                key.push(if magnitude < 0 { 0x81 } else { 0xFE });
                // |magnitude| <= MAX_EXPONENT + MAX_LENGTH and a few from arithmetic, well inside 16 bits.
                let biased = u16::try_from(magnitude + 0x8000).unwrap_or(u16::MAX);
                key.extend_from_slice(&biased.to_be_bytes());
            }
        }
        for pair in self.digits[..significant].chunks(2) {
            key.push(pair[0] * 10 + pair.get(1).copied().unwrap_or(0) + 1);
        }
        if self.negative {
            key.iter_mut().for_each(|byte| *byte = !*byte);
            key.push(0xFF);
        }
        SortKey(key)
    }

    /// What the text may stand for, by its precision (R4, section 3.1.1.4.5): `100` is 99.5 up to, and without,
    /// 100.5; `0.10` is 0.095 to 0.105. For `1e2` R4 gives 95 to 105, half of a tenth of the last place, not half of
    /// it: so we do for every text whose last digit stands above the units.
    #[must_use]
    pub fn implicit_range(&self) -> (SortKey, SortKey) {
        let (lo, hi) = self.implicit_bounds();
        (lo.sort_key(), hi.sort_key())
    }

    /// The ends of [`Decimal::implicit_range`] as numbers.
    #[must_use]
    pub fn implicit_bounds(&self) -> (Self, Self) {
        self.widened(10, 10)
    }

    /// The range of `ap`: the implicit range, wider by a tenth of the number on either side (R4, section
    /// 3.1.1.4.6, recommends 10 %), so that `ap` finds whatever `eq` finds.
    #[must_use]
    pub fn approximate_range(&self) -> (SortKey, SortKey) {
        let (lo, hi) = self.approximate_bounds();
        (lo.sort_key(), hi.sort_key())
    }

    /// The ends of [`Decimal::approximate_range`] as numbers.
    #[must_use]
    pub fn approximate_bounds(&self) -> (Self, Self) {
        self.widened(9, 11)
    }

    /// From `near` to `far` tenths of the number, and half a unit of the last place further on each side.
    fn widened(&self, near: u8, far: u8) -> (Self, Self) {
        let mut digits = self.digits.clone();
        let mut exponent = self.exponent - 1;
        if self.exponent > 0 {
            exponent -= 1;
            // Zero has no digits, and stays without.
            if !digits.is_empty() {
                digits.push(0);
            }
        }
        let outer = Self { negative: self.negative, digits: times_plus(&digits, far, 5), exponent };
        let inner = if digits.is_empty() {
            Self { negative: !self.negative, digits: vec![5], exponent }
        } else {
            Self { negative: self.negative, digits: minus_five(times_plus(&digits, near, 0)), exponent }
        };
        if self.negative { (outer, inner) } else { (inner, outer) }
    }
}

fn exponent_parse(text: &str) -> Result<i32, DecimalError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    match text.parse::<i32>() {
        Ok(exponent) if exponent.abs() <= MAX_EXPONENT => Ok(exponent),
        _ => Err(DecimalError::Exponent),
    }
}

/// `digits × factor + addend`.
fn times_plus(digits: &[u8], factor: u8, addend: u8) -> Vec<u8> {
    let mut carry = u16::from(addend);
    let mut product: Vec<u8> = Vec::with_capacity(digits.len() + 2);
    for &digit in digits.iter().rev() {
        carry += u16::from(digit) * u16::from(factor);
        product.push((carry % 10) as u8);
        carry /= 10;
    }
    while carry > 0 {
        product.push((carry % 10) as u8);
        carry /= 10;
    }
    product.reverse();
    product
}

/// `digits − 5`, for numbers of at least 5.
fn minus_five(mut digits: Vec<u8>) -> Vec<u8> {
    let mut owed = 5;
    for digit in digits.iter_mut().rev() {
        if *digit >= owed {
            *digit -= owed;
            break;
        }
        *digit += 10 - owed;
        owed = 1;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
    digits.drain(..zeros);
    digits
}

//! The arithmetic that units need: exact sums and products, and rounding.

use super::Decimal;

/// Numbers with more digits than this, or further from the units, take part in no sum: they would have to be written
/// out with all the zeros between.
const MOST_PLACES: i32 = 1_000;

/// Factors of [`Decimal::times`] stay below this, so that a digit's product and the carry fit 128 bits.
const MOST_FACTOR: u128 = 10_u128.pow(36);

impl Decimal {
    /// `self × factor × 10^exponent`, exactly; `None` for a factor of more than 36 digits.
    pub(crate) fn times(&self, factor: u128, exponent: i32) -> Option<Self> {
        if factor >= MOST_FACTOR {
            return None;
        }
        let mut carry = 0_u128;
        let mut digits: Vec<u8> = Vec::with_capacity(self.digits.len() + 37);
        for &digit in self.digits.iter().rev() {
            carry += u128::from(digit) * factor;
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
        digits.reverse();
        let exponent = self.exponent.checked_add(exponent)?;
        Some(Self { negative: self.negative, digits: without_leading_zeros(digits), exponent })
    }

    /// `self + other`, exactly; `None` when it would take more than a thousand places.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let (left, right) = (self.written_from(exponent)?, other.written_from(exponent)?);
        if self.negative == other.negative {
            return Some(Self { negative: self.negative, digits: sum(&left, &right), exponent });
        }
        let left_is_greater = (left.len(), &left) >= (right.len(), &right);
        let (negative, digits) = if left_is_greater {
            (self.negative, difference(&left, &right))
        } else {
            (other.negative, difference(&right, &left))
        };
        Some(Self { negative, digits, exponent })
    }

    /// The first `places` digits of `self / divisor`; what follows is cut off.
    pub(crate) fn divided_by(&self, divisor: u32, places: usize) -> Self {
        let zeros = places.saturating_sub(self.digits.len()) + 10;
        let mut rest = 0_u64;
        let mut digits = Vec::with_capacity(self.digits.len() + zeros);
        for &digit in self.digits.iter().chain(std::iter::repeat_n(&0, zeros)) {
            let part = rest * 10 + u64::from(digit);
            digits.push((part / u64::from(divisor)) as u8);
            rest = part % u64::from(divisor);
        }
        // `zeros` is at most `places` and ten.
        let exponent = self.exponent - i32::try_from(zeros).unwrap_or(i32::MAX);
        Self { negative: self.negative, digits: without_leading_zeros(digits), exponent }
    }

    /// Rounded to so many digits, half away from zero.
    pub(crate) fn rounded(mut self, places: usize) -> Self {
        if self.digits.len() <= places {
            return self;
        }
        let up = self.digits[places] >= 5;
        let dropped = self.digits.len() - places;
        self.digits.truncate(places);
        // At most MAX_LENGTH and the digits of a factor.
        self.exponent += i32::try_from(dropped).unwrap_or(i32::MAX);
        if up {
            self.digits = sum(&self.digits, &[1]);
        }
        self
    }

    /// The nearest double; infinite beyond its range.
    pub(crate) fn to_f64(&self) -> f64 {
        let digits: String = self.digits.iter().map(|&digit| char::from(b'0' + digit)).collect();
        let text = format!("{}0{digits}e{}", if self.negative { "-" } else { "" }, self.exponent);
        text.parse().expect("digits and an exponent")
    }

    /// The digits when the last one stands for `10^exponent`, which is not above our own.
    fn written_from(&self, exponent: i32) -> Option<Vec<u8>> {
        if self.digits.is_empty() {
            return Some(Vec::new());
        }
        let zeros = usize::try_from(self.exponent - exponent).ok()?;
        if zeros > MOST_PLACES as usize || self.exponent.abs() > MOST_PLACES {
            return None;
        }
        let mut digits = self.digits.clone();
        digits.resize(digits.len() + zeros, 0);
        Some(digits)
    }
}

fn without_leading_zeros(mut digits: Vec<u8>) -> Vec<u8> {
    let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
    digits.drain(..zeros);
    digits
}

fn sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    let length = left.len().max(right.len()) + 1;
    let mut digits = Vec::with_capacity(length);
    let mut carry = 0;
    let at =
        |digits: &[u8], place: usize| digits.len().checked_sub(place + 1).map_or(0, |index| digits[index]);
    for place in 0..length {
        let total = at(left, place) + at(right, place) + carry;
        digits.push(total % 10);
        carry = total / 10;
    }
    digits.reverse();
    without_leading_zeros(digits)
}

/// `left − right`, for `left` not below `right`.
fn difference(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut digits = left.to_vec();
    let offset = left.len() - right.len();
    let mut owed = 0;
    for index in (0..left.len()).rev() {
        let taken = owed + index.checked_sub(offset).map_or(0, |index| right[index]);
        let digit = &mut digits[index];
        owed = u8::from(*digit < taken);
        *digit = *digit + 10 * owed - taken;
    }
    without_leading_zeros(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn same(found: &Decimal, text: &str) {
        assert_eq!(found.sort_key(), number(text).sort_key(), "{found:?} is not {text}");
    }

    #[test]
    fn products_and_sums_are_exact() {
        same(&number("-1.5").times(602_214_076, 15).unwrap(), "-903321114e15");
        same(&number("0").times(5, 3).unwrap(), "0");
        assert_eq!(number("1").times(MOST_FACTOR, 0), None);
        for (left, right, total) in [
            ("37", "273.15", "310.15"),
            ("-273.15", "273.15", "0"),
            ("-300", "273.15", "-26.85"),
            ("0", "273.15", "273.15"),
            ("99.9", "0.1", "100"),
            ("1e3", "-1e-3", "999.999"),
            ("-1", "-2", "-3"),
        ] {
            same(&number(left).plus(&number(right)).unwrap(), total);
            same(&number(right).plus(&number(left)).unwrap(), total);
        }
        assert_eq!(number("1e-9000").plus(&number("1")), None);
    }

    #[test]
    fn quotients_and_rounding() {
        same(&number("2791.35").divided_by(9, 24), "310.15");
        same(&number("1").divided_by(3, 5).rounded(5), "0.33333");
        same(&number("2").divided_by(3, 5).rounded(5), "0.66667");
        same(&number("999.96").rounded(4), "1000");
        same(&number("-12345").rounded(3), "-12300");
        same(&number("12").rounded(3), "12");
    }
}

//! Units of UCUM, as far as FHIRPath compares quantities: what a unit is in base units, exactly.
//!
//! The units that clinical data mostly have, with all prefixes, products, quotients and powers. Units with an offset or
//! a logarithm (`Cel`, `[pH]`) and units not listed compare with themselves alone. `mol` counts as a base unit, so that
//! an amount of substance is never compared with a plain number.

use super::number::Number;

/// A unit in base units: `numerator ÷ denominator × Π base^power`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canonical {
    pub(super) numerator: Number,
    pub(super) denominator: Number,
    pub(super) powers: [i8; BASES.len()],
}

/// Metre, second, gram, kelvin, coulomb, candela, radian, mole, international unit.
const BASES: [&str; 9] = ["m", "s", "g", "K", "C", "cd", "rad", "mol", "[iU]"];

const PREFIXES: [(&str, i64); 20] = [
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("da", 1),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

/// Code, whether it takes prefixes, how many of which other unit.
const UNITS: [(&str, bool, &str, &str); 61] = [
    ("10*", false, "10", "1"),
    ("10^", false, "10", "1"),
    ("%", false, "0.01", "1"),
    ("[ppth]", false, "0.001", "1"),
    ("[ppm]", false, "0.000001", "1"),
    ("[ppb]", false, "0.000000001", "1"),
    ("sr", true, "1", "rad2"),
    ("Hz", true, "1", "s-1"),
    ("N", true, "1", "kg.m/s2"),
    ("Pa", true, "1", "N/m2"),
    ("J", true, "1", "N.m"),
    ("W", true, "1", "J/s"),
    ("A", true, "1", "C/s"),
    ("V", true, "1", "J/C"),
    ("F", true, "1", "C/V"),
    ("Ohm", true, "1", "V/A"),
    ("S", true, "1", "A/V"),
    ("Wb", true, "1", "V.s"),
    ("T", true, "1", "Wb/m2"),
    ("H", true, "1", "Wb/A"),
    ("lm", true, "1", "cd.sr"),
    ("lx", true, "1", "lm/m2"),
    ("Bq", true, "1", "s-1"),
    ("Gy", true, "1", "J/kg"),
    ("Sv", true, "1", "J/kg"),
    ("Ci", true, "37000000000", "Bq"),
    ("l", true, "1", "dm3"),
    ("L", true, "1", "dm3"),
    ("ar", true, "100", "m2"),
    ("t", true, "1000", "kg"),
    ("bar", true, "100000", "Pa"),
    ("u", true, "1.66053906660", "yg"),
    ("m[Hg]", true, "133.322", "kPa"),
    ("m[H2O]", true, "9.80665", "kPa"),
    ("atm", false, "101325", "Pa"),
    ("dyn", true, "1", "g.cm/s2"),
    ("erg", true, "1", "dyn.cm"),
    ("P", true, "1", "dyn.s/cm2"),
    ("cal", true, "4.184", "J"),
    ("cal_th", true, "4.184", "J"),
    ("[Cal]", false, "1", "kcal_th"),
    ("kat", true, "1", "mol/s"),
    ("U", true, "1", "umol/min"),
    ("[IU]", true, "1", "[iU]"),
    ("eq", true, "1", "mol"),
    ("osm", true, "1", "mol"),
    ("min", false, "60", "s"),
    ("h", false, "60", "min"),
    ("d", false, "24", "h"),
    ("wk", false, "7", "d"),
    ("mo", false, "30.4375", "d"),
    ("mo_j", false, "30.4375", "d"),
    ("a", false, "365.25", "d"),
    ("a_j", false, "365.25", "d"),
    ("[in_i]", false, "2.54", "cm"),
    ("[ft_i]", false, "12", "[in_i]"),
    ("[yd_i]", false, "3", "[ft_i]"),
    ("[mi_i]", false, "5280", "[ft_i]"),
    ("[gr]", false, "64.79891", "mg"),
    ("[lb_av]", false, "7000", "[gr]"),
    ("[oz_av]", false, "437.5", "[gr]"),
];

/// Longest unit that is read.
const MAX_LENGTH: usize = 100;
/// How deep definitions and parentheses lead; the table needs six.
const MAX_DEPTH: u8 = 12;

/// A UCUM unit in base units; `None` for what is not listed or too large to calculate with.
pub(super) fn canonical(code: &str) -> Option<Canonical> {
    if code.is_empty() || code.len() > MAX_LENGTH {
        return None;
    }
    let mut reader = Reader { rest: code, depth: MAX_DEPTH };
    let unit = reader.term()?;
    reader.rest.is_empty().then_some(unit)
}

impl Canonical {
    const fn one(one: Number) -> Self {
        Self { numerator: one, denominator: one, powers: [0; BASES.len()] }
    }

    fn times(self, other: Self, sign: i8) -> Option<Self> {
        let (by, over) = if sign > 0 {
            (other.numerator, other.denominator)
        } else {
            (other.denominator, other.numerator)
        };
        let mut powers = self.powers;
        for (power, more) in powers.iter_mut().zip(other.powers) {
            *power = power.checked_add(more.checked_mul(sign)?)?;
        }
        Some(Self {
            numerator: self.numerator.times(by)?,
            denominator: self.denominator.times(over)?,
            powers,
        })
    }

    fn power(self, exponent: i8) -> Option<Self> {
        let sign = if exponent < 0 { -1 } else { 1 };
        let mut result = Self::one(Number::from(1));
        for _ in 0..exponent.unsigned_abs() {
            result = result.times(self, sign)?;
        }
        Some(result)
    }
}

struct Reader<'u> {
    rest: &'u str,
    depth: u8,
}

impl<'u> Reader<'u> {
    fn takes(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Components joined by `.` and `/`.
    fn term(&mut self) -> Option<Canonical> {
        let mut unit = Canonical::one(Number::from(1));
        let mut sign = if self.takes('/') { -1 } else { 1 };
        loop {
            unit = unit.times(self.component()?, sign)?;
            sign = if self.takes('.') {
                1
            } else if self.takes('/') {
                -1
            } else {
                return Some(unit);
            };
        }
    }

    fn component(&mut self) -> Option<Canonical> {
        if self.takes('(') {
            self.depth = self.depth.checked_sub(1)?;
            let inner = self.term()?;
            self.depth += 1;
            return self.takes(')').then_some(inner);
        }
        let symbol = self.symbol();
        let unit = match symbol {
            "" => Canonical::one(Number::from(1)),
            "10*" | "10^" => atom(symbol, self.depth)?.power(self.exponent()?.unwrap_or(1))?,
            _ if symbol.bytes().all(|byte| byte.is_ascii_digit()) => {
                Canonical { numerator: Number::parse(symbol)?, ..Canonical::one(Number::from(1)) }
            }
            _ => atom(symbol, self.depth)?.power(self.exponent()?.unwrap_or(1))?,
        };
        let has_annotation = self.takes('{');
        if has_annotation {
            self.rest = self.rest.split_once('}')?.1;
        }
        (!symbol.is_empty() || has_annotation).then_some(unit)
    }

    /// Up to an operator, an exponent or an annotation.
    fn symbol(&mut self) -> &'u str {
        let rest = self.rest;
        let mut in_brackets = false;
        let mut end = rest.len();
        for (offset, letter) in rest.char_indices() {
            match letter {
                '[' => in_brackets = true,
                ']' => in_brackets = false,
                _ if in_brackets => {}
                '*' | '^' if &rest[..offset] == "10" => {
                    end = offset + 1;
                    break;
                }
                '.' | '/' | '(' | ')' | '{' | '+' | '-' => {
                    end = offset;
                    break;
                }
                '0'..='9' if !rest.starts_with(|first: char| first.is_ascii_digit()) => {
                    end = offset;
                    break;
                }
                _ => {}
            }
        }
        self.rest = &rest[end..];
        &rest[..end]
    }

    /// `None` when an exponent is there and too large.
    fn exponent(&mut self) -> Option<Option<i8>> {
        let unsigned = self.rest.strip_prefix(['+', '-']).unwrap_or(self.rest);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Some(None);
        }
        let length = self.rest.len() - unsigned.len() + digits;
        let exponent = self.rest[..length].parse::<i8>().ok().filter(|exponent| exponent.abs() <= 30)?;
        self.rest = &self.rest[length..];
        Some(Some(exponent))
    }
}

/// A unit of the table, perhaps with a prefix.
fn atom(symbol: &str, depth: u8) -> Option<Canonical> {
    if let Some(unit) = listed(symbol, depth, false) {
        return Some(unit);
    }
    let with_prefix = PREFIXES.into_iter().filter_map(|(prefix, power)| {
        let unit = listed(symbol.strip_prefix(prefix)?, depth, true)?;
        let ten = Canonical::one(Number::from(1));
        let ten = Canonical { numerator: Number::from(10), ..ten };
        ten.power(i8::try_from(power).ok()?)?.times(unit, 1)
    });
    with_prefix.into_iter().next()
}

fn listed(symbol: &str, depth: u8, has_prefix: bool) -> Option<Canonical> {
    if let Some(base) = BASES.iter().position(|base| *base == symbol) {
        let mut unit = Canonical::one(Number::from(1));
        unit.powers[base] = 1;
        return Some(unit);
    }
    let (_, metric, factor, of) = UNITS.iter().find(|(code, ..)| *code == symbol)?;
    if has_prefix && !metric {
        return None;
    }
    let factor = Canonical { numerator: Number::parse(factor)?, ..Canonical::one(Number::from(1)) };
    let mut reader = Reader { rest: of, depth: depth.checked_sub(1)? };
    reader.term()?.times(factor, 1)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    fn ratio(left: &str, right: &str) -> Option<String> {
        let (left, right) = (canonical(left)?, canonical(right)?);
        if left.powers != right.powers {
            return None;
        }
        let quotient = left.times(right, -1)?;
        quotient.numerator.over(quotient.denominator).map(|ratio| ratio.trimmed().to_string())
    }

    #[test]
    fn known_ratios() {
        for (left, right, expected) in [
            ("g", "mg", Some("1000")),
            ("mmol/L", "umol/mL", Some("1")),
            ("cm.m", "m2", Some("0.01")),
            ("[in_i]", "cm", Some("2.54")),
            ("[lb_av]", "kg", Some("0.45359237")),
            ("mm[Hg]", "Pa", Some("133.322")),
            ("10*3/uL", "10*9/L", Some("1")),
            ("wk", "d", Some("7")),
            ("/min", "s-1", Some("0.0166666666666666666666666666")),
            ("kcal", "J", Some("4184")),
            ("m/m", "1", Some("1")),
            ("{cells}/uL", "/uL", Some("1")),
            ("U/L", "ukat/L", Some("0.0166666666666666666666666666")),
            ("kg/m2", "mol/L", None),
            ("Cel", "K", None),
            ("kmin", "s", None),
            ("", "1", None),
            ("((((((((((((((m", "m", None),
        ] {
            assert_eq!(ratio(left, right).as_deref(), expected, "{left} {right}");
        }
    }

    #[test]
    fn every_unit_of_the_table_can_be_used() {
        for (code, _, _, _) in UNITS {
            let unit = canonical(code).unwrap_or_else(|| panic!("{code}"));
            assert_ne!(unit.numerator.order(Number::from(0)), Ordering::Equal, "{code}");
        }
    }
}

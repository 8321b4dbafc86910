//! The dates and numbers of a record in its own row: conditions on few records, and orders, read them from there instead
//! of a second index.
//!
//! Entries follow one another, sorted by value. Each is the place of its parameter (`tp` within its kind) and a tag, both
//! variable-length numbers, and then:
//!
//! | tag | what follows |
//! |---|---|
//! | 0 | nothing: the value of the entry before |
//! | 1 | a stretch of time: its start, eight bytes, and its length in microseconds |
//! | 2 | a number: length and bytes of its key, and the number of its unit |
//! | 3 | a stretch of numbers: both keys in this way, and the number of the unit |

use ieum_fhir::index::TimeRange;
use ieum_fhir::search::{DateTest, NumberAsked, Prefix};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value;
use rusqlite::{Connection, Error};

use super::registry::{facets, place};
use super::rows::{Dat, Num};

/// Writes a number in groups of seven bits, the lowest first.
fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Bytes that are read from the front. `None` means that they are not what this program wrote.
#[derive(Clone, Copy)]
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn int(&mut self) -> Option<i64> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i64::from_le_bytes(*head))
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

/// A value of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stored<'b> {
    Time(TimeRange),
    Number { lo: &'b [u8], hi: &'b [u8], u: u64 },
}

/// The column for these rows.
pub(super) fn encode<'r>(dat: impl Iterator<Item = &'r Dat>, num: impl Iterator<Item = &'r Num>) -> Vec<u8> {
    let dates = dat.map(|row| (Stored::Time(TimeRange { lo: row.lo, hi: row.hi }), place(row.tp)));
    let numbers = num.map(|row| {
        let hi = if row.hi.is_empty() { &row.lo } else { &row.hi };
        (Stored::Number { lo: &row.lo, hi, u: row.u.cast_unsigned() }, place(row.tp))
    });
    write(dates.chain(numbers).collect())
}

/// The column without the values of these places; `None` when it is damaged.
pub(super) fn without(column: &[u8], places: &[u64]) -> Option<Vec<u8>> {
    let mut all = Values::new(column, 0);
    let mut kept = Vec::new();
    while !all.rest.0.is_empty() {
        let (place, value) = all.entry()?;
        if !places.contains(&place) {
            kept.push((value, place));
        }
    }
    Some(write(kept))
}

fn write(mut entries: Vec<(Stored<'_>, u64)>) -> Vec<u8> {
    entries.sort_unstable();
    let mut out = Vec::new();
    let mut before = None;
    for (value, place) in entries {
        put_number(place, &mut out);
        match value {
            _ if before == Some(value) => put_number(0, &mut out),
            Stored::Time(TimeRange { lo, hi }) => {
                put_number(1, &mut out);
                out.extend_from_slice(&lo.to_le_bytes());
                // Also of open ends: what wraps around here wraps back when it is read.
                put_number(hi.wrapping_sub(lo).cast_unsigned(), &mut out);
            }
            Stored::Number { lo, hi, u } => {
                put_number(if lo == hi { 2 } else { 3 }, &mut out);
                put_bytes(lo, &mut out);
                if lo != hi {
                    put_bytes(hi, &mut out);
                }
                put_number(u, &mut out);
            }
        }
        before = Some(value);
    }
    out
}

/// The values of one parameter.
struct Values<'b> {
    rest: Bytes<'b>,
    before: Option<Stored<'b>>,
    place: u64,
}

impl<'b> Values<'b> {
    fn new(column: &'b [u8], place: u64) -> Self {
        Self { rest: Bytes(column), before: None, place }
    }

    /// The next entry, of whatever parameter.
    fn entry(&mut self) -> Option<(u64, Stored<'b>)> {
        let place = self.rest.number()?;
        let value = match self.rest.number()? {
            0 => self.before?,
            1 => {
                let lo = self.rest.int()?;
                let hi = lo.wrapping_add(self.rest.number()?.cast_signed());
                Stored::Time(TimeRange { lo, hi })
            }
            2 => {
                let lo = self.rest.bytes()?;
                Stored::Number { lo, hi: lo, u: self.rest.number()? }
            }
            3 => {
                let (lo, hi) = (self.rest.bytes()?, self.rest.bytes()?);
                Stored::Number { lo, hi, u: self.rest.number()? }
            }
            _ => return None,
        };
        self.before = Some(value);
        Some((place, value))
    }
}

impl<'b> Iterator for Values<'b> {
    /// A value, or `Err` when the column is damaged.
    type Item = Result<Stored<'b>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.0.is_empty() {
            match self.entry() {
                Some((place, value)) if place == self.place => return Some(Ok(value)),
                Some(_) => {}
                None => {
                    self.rest = Bytes(&[]);
                    return Some(Err(Damaged));
                }
            }
        }
        None
    }
}

/// The column is not what this program wrote.
#[derive(Debug, thiserror::Error)]
#[error("the values in a record's row are damaged")]
struct Damaged;

const PREFIXES: [Prefix; 9] = [
    Prefix::Eq,
    Prefix::Ne,
    Prefix::Gt,
    Prefix::Lt,
    Prefix::Ge,
    Prefix::Le,
    Prefix::Sa,
    Prefix::Eb,
    Prefix::Ap,
];

fn put_prefix(prefix: Prefix, out: &mut Vec<u8>) {
    let number = PREFIXES.iter().position(|other| *other == prefix).unwrap_or(0);
    put_number(number as u64, out);
}

/// A comparison with dates, as `passes` takes it.
pub(super) fn date_question(test: &DateTest) -> Vec<u8> {
    let mut out = vec![0];
    put_prefix(test.prefix, &mut out);
    out.extend_from_slice(&test.range.lo.to_le_bytes());
    out.extend_from_slice(&test.range.hi.to_le_bytes());
    out
}

/// A comparison with numbers in one of these units, or any, as `passes` takes it.
pub(super) fn number_question(asked: &NumberAsked<'_>, units: Option<&[i64]>) -> Vec<u8> {
    let mut out = vec![1];
    put_prefix(asked.prefix, &mut out);
    for key in [asked.exact, asked.lo, asked.hi] {
        put_bytes(key, &mut out);
    }
    match units {
        None => put_number(0, &mut out),
        Some(units) => {
            put_number(units.len() as u64 + 1, &mut out);
            units.iter().for_each(|unit| put_number(unit.cast_unsigned(), &mut out));
        }
    }
    out
}

/// A question read back.
enum Question<'b> {
    Date(DateTest),
    Number(NumberAsked<'b>, Option<Vec<u64>>),
}

fn question(bytes: &[u8]) -> Option<Question<'_>> {
    let (&form, rest) = bytes.split_first()?;
    let mut rest = Bytes(rest);
    let prefix = *PREFIXES.get(usize::try_from(rest.number()?).ok()?)?;
    if form == 0 {
        let range = TimeRange { lo: rest.int()?, hi: rest.int()? };
        return Some(Question::Date(DateTest { prefix, range }));
    }
    let asked = NumberAsked { prefix, exact: rest.bytes()?, lo: rest.bytes()?, hi: rest.bytes()? };
    let units = match rest.number()? {
        0 => None,
        count => Some((1..count).map(|_| rest.number()).collect::<Option<_>>()?),
    };
    Some(Question::Number(asked, units))
}

impl Question<'_> {
    fn holds(&self, value: Stored<'_>) -> bool {
        match (self, value) {
            (Self::Date(test), Stored::Time(range)) => test.holds(range),
            (Self::Number(asked, units), Stored::Number { lo, hi, u }) => {
                units.as_ref().is_none_or(|units| units.contains(&u)) && asked.holds(lo, hi)
            }
            _ => false,
        }
    }
}

/// `passes(vals, place, question)`: whether a value of the parameter passes. `least(vals, place)` and `greatest(vals,
/// place)`: where the first and the last of its values begin, to order by. `without(vals, place)`: the column without the
/// values of a parameter.
pub(super) fn register(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("passes", 3, flags, |context| {
        let question = question(blob(context, 2)?).ok_or_else(failed)?;
        for value in values(context)? {
            if question.holds(value.map_err(|_| failed())?) {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    connection.create_scalar_function("without", 2, flags, |context| {
        let place = context.get::<i64>(1)?;
        let places = facets(place).map(i64::cast_unsigned);
        without(blob(context, 0)?, &places).ok_or_else(failed)
    })?;
    connection.create_scalar_function("least", 2, flags, |context| Ok(end(context)?.0))?;
    connection.create_scalar_function("greatest", 2, flags, |context| Ok(end(context)?.1))?;
    Ok(())
}

/// The least and the greatest start of the values; null when there are none.
fn end(context: &Context<'_>) -> Result<(Value, Value), Error> {
    let mut times: Option<(i64, i64)> = None;
    let mut numbers: Option<(&[u8], &[u8])> = None;
    for value in values(context)? {
        match value.map_err(|_| failed())? {
            Stored::Time(TimeRange { lo, .. }) => {
                times = Some(times.map_or((lo, lo), |(least, most)| (least.min(lo), most.max(lo))));
            }
            Stored::Number { lo, .. } => {
                numbers = Some(numbers.map_or((lo, lo), |(least, most)| (least.min(lo), most.max(lo))));
            }
        }
    }
    Ok(match (times, numbers) {
        (Some((least, most)), _) => (Value::Integer(least), Value::Integer(most)),
        (None, Some((least, most))) => (Value::Blob(least.to_vec()), Value::Blob(most.to_vec())),
        (None, None) => (Value::Null, Value::Null),
    })
}

fn values<'c>(context: &'c Context<'_>) -> Result<Values<'c>, Error> {
    Ok(Values::new(blob(context, 0)?, context.get::<i64>(1)?.cast_unsigned()))
}

fn blob<'c>(context: &'c Context<'_>, argument: usize) -> Result<&'c [u8], Error> {
    context.get_raw(argument).as_blob().map_err(|_| failed())
}

fn failed() -> Error {
    Error::UserFunctionError(Box::new(Damaged))
}

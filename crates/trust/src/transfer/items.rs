//! The seven items of a request to send.

use jiff::Span;
use jiff::civil::Date;

use crate::law::Law;
use crate::law::asked::{TRANSFER_ITEM, TRANSFER_SENDER};
use crate::law::day::last_day;
use crate::law::row::Unit;

/// The longest text of an item, in characters.
const MOST_TEXT: usize = 500;
/// Classes of data that one request can name.
const MOST_DATA: usize = 100;
/// The most units of a cycle or of retention.
const MOST_UNITS: u32 = 1_000;

/// The items as somebody gives them: each may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// What for.
    pub purpose: Option<String>,
    /// Who sends: a member of the law's list of senders, such as `nhis`.
    pub sender: Option<String>,
    /// Who receives: the id of an Organization.
    pub receiver: Option<String>,
    /// Classes of data.
    pub data: Vec<String>,
    /// Whether it is sent once or periodically.
    pub periodic: Option<Periodic>,
    /// The last day of the request.
    pub end: Option<Date>,
    /// How long what is received is kept.
    pub retention: Option<Term>,
}

/// The items, whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Items {
    /// What for.
    pub purpose: String,
    /// Who sends.
    pub sender: String,
    /// Who receives.
    pub receiver: String,
    /// Classes of data.
    pub data: Vec<String>,
    /// Whether it is sent once or periodically.
    pub periodic: Periodic,
    /// The last day of the request.
    pub end: Date,
    /// How long what is received is kept.
    pub retention: Term,
}

/// Once, or in a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Periodic {
    /// Once.
    Once,
    /// Again after each such term.
    Every(Term),
}

/// A term of days, months or years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Term {
    /// How many.
    pub number: u32,
    /// Of what.
    pub unit: Unit,
}

/// What is wrong with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It is too long, or there are too many.
    #[error("it is too long")]
    TooLong,
    /// The law names no such sender.
    #[error("the law names no such sender")]
    NoSender,
    /// The term is none of days, months or years, or too long.
    #[error("it must be a term of days, months or years")]
    Term,
    /// The end is over already.
    #[error("it is over already")]
    Past,
}

/// Why items make no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRequest {
    /// The right is not in force on the day.
    #[error("the right to have data sent was not in force on that day")]
    NotInForce,
    /// Items are wrong: name of the item, and what is wrong with it.
    #[error("items of the request are wrong: {}", told(.0))]
    Items(Vec<(&'static str, Wrong)>),
}

fn told(wrong: &[(&'static str, Wrong)]) -> String {
    wrong.iter().map(|(name, wrong)| format!("{name}: {wrong}")).collect::<Vec<_>>().join("; ")
}

impl Given {
    /// The items of a request that is made on a day.
    ///
    /// # Errors
    /// [`NoRequest`] names every item that is wrong, by its name in the law's table.
    pub fn check(self, law: &Law, day: Date) -> Result<Items, NoRequest> {
        if law.family(&TRANSFER_ITEM, day).next().is_none() {
            return Err(NoRequest::NotInForce);
        }
        let mut wrong = Vec::new();
        let mut note =
            |name: &'static str, found: Option<Wrong>| wrong.extend(found.map(|found| (name, found)));
        note("purpose", bad_text(self.purpose.as_deref()));
        let sender = self.sender.as_deref();
        let is_named = sender.is_some_and(|sender| law.deciding(&TRANSFER_SENDER, sender, day).is_some());
        note("sender", bad_text(sender).or((!is_named).then_some(Wrong::NoSender)));
        note("receiver", bad_text(self.receiver.as_deref()));
        note("data", bad_data(&self.data));
        note(
            "periodic",
            match self.periodic {
                None => Some(Wrong::Missing),
                Some(Periodic::Once) => None,
                Some(Periodic::Every(term)) => bad_term(Some(term)),
            },
        );
        note(
            "end",
            match self.end {
                None => Some(Wrong::Missing),
                Some(end) => (end < day).then_some(Wrong::Past),
            },
        );
        note("retention", bad_term(self.retention));
        let Self { purpose, sender, receiver, data, periodic, end, retention } = self;
        match (purpose, sender, receiver, periodic, end, retention) {
            (Some(purpose), Some(sender), Some(receiver), Some(periodic), Some(end), Some(retention))
                if wrong.is_empty() =>
            {
                Ok(Items { purpose, sender, receiver, data, periodic, end, retention })
            }
            _ => Err(NoRequest::Items(wrong)),
        }
    }
}

fn bad_text(text: Option<&str>) -> Option<Wrong> {
    match text {
        None => Some(Wrong::Missing),
        Some(text) if text.trim().is_empty() => Some(Wrong::Missing),
        Some(text) => (text.chars().count() > MOST_TEXT).then_some(Wrong::TooLong),
    }
}

fn bad_data(data: &[String]) -> Option<Wrong> {
    if data.is_empty() {
        return Some(Wrong::Missing);
    }
    if data.len() > MOST_DATA {
        return Some(Wrong::TooLong);
    }
    data.iter().find_map(|class| bad_text(Some(class)))
}

fn bad_term(term: Option<Term>) -> Option<Wrong> {
    let Some(term) = term else { return Some(Wrong::Missing) };
    let is_term = matches!(term.unit, Unit::Days | Unit::Months | Unit::Years);
    (!is_term || !(1..=MOST_UNITS).contains(&term.number)).then_some(Wrong::Term)
}

impl Items {
    /// The next day on which is to be sent: the day it was accepted, and with a cycle every term after it, counted from
    /// that day so that the last of a month stays one. `last`: the day of the newest sending. `None` when nothing is due
    /// any more.
    #[must_use]
    pub fn next_sending(&self, accepted: Date, last: Option<Date>) -> Option<Date> {
        let next = match (last, self.periodic) {
            (None, _) => accepted,
            (Some(_), Periodic::Once) => return None,
            (Some(last), Periodic::Every(term)) => next_after(accepted, term, last)?,
        };
        (next <= self.end).then_some(next)
    }

    /// The last day on which what was received on a day is kept.
    #[must_use]
    pub fn kept_until(&self, received: Date) -> Option<Date> {
        last_day(received, self.retention.number, self.retention.unit)
    }
}

/// The first day after `last` that is a whole number of terms after `start`.
fn next_after(start: Date, term: Term, last: Date) -> Option<Date> {
    let units = match term.unit {
        Unit::Days => i64::from(start.until(last).ok()?.get_days()),
        Unit::Months => months(start, last),
        Unit::Years => months(start, last) / 12,
        _ => return None,
    };
    let step = i64::from(term.number);
    if step == 0 {
        return None;
    }
    // The count may be one too small where months are of unequal length, never more.
    let mut terms = (units / step).max(0);
    loop {
        let span = match term.unit {
            Unit::Days => Span::new().try_days(terms * step),
            Unit::Months => Span::new().try_months(terms * step),
            _ => Span::new().try_years(terms * step),
        };
        let day = start.checked_add(span.ok()?).ok()?;
        if day > last {
            return Some(day);
        }
        terms += 1;
    }
}

/// Months from one date's month to another's, less one: never too many.
fn months(from: Date, to: Date) -> i64 {
    (i64::from(to.year()) - i64::from(from.year())) * 12 + i64::from(to.month()) - i64::from(from.month()) - 1
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn given() -> Given {
        Given {
            purpose: Some("건강관리".into()),
            sender: Some("nhis".into()),
            receiver: Some("o1".into()),
            data: vec!["visits".into()],
            periodic: Some(Periodic::Every(Term { number: 1, unit: Unit::Months })),
            end: Some(date(2027, 3, 31)),
            retention: Some(Term { number: 1, unit: Unit::Years }),
        }
    }

    const DAY: Date = date(2026, 11, 28);

    #[test]
    fn seven_items_are_asked_for_as_the_table_names_them() {
        let law = Law::built_in();
        assert!(given().check(&law, DAY).is_ok());
        let NoRequest::Items(wrong) = Given::default().check(&law, DAY).unwrap_err() else { panic!() };
        let named: Vec<&str> = wrong.iter().map(|(name, _)| *name).collect();
        let of_law: Vec<&str> =
            law.family(&TRANSFER_ITEM, DAY).map(|row| row.word("item").unwrap()).collect();
        assert_eq!(named, of_law);
        let with_sender = wrong.iter().filter(|(_, wrong)| *wrong == Wrong::Missing).count();
        assert_eq!(with_sender, 7);
    }

    #[test]
    fn each_item_is_held_to_its_bounds() {
        let law = Law::built_in();
        let term = |number, unit| Some(Term { number, unit });
        let long = || Some("가".repeat(501));
        for (name, wrong, bad) in [
            ("purpose", Wrong::Missing, Given { purpose: Some(" ".into()), ..given() }),
            ("purpose", Wrong::TooLong, Given { purpose: long(), ..given() }),
            ("sender", Wrong::NoSender, Given { sender: Some("clinic".into()), ..given() }),
            ("receiver", Wrong::TooLong, Given { receiver: long(), ..given() }),
            ("data", Wrong::Missing, Given { data: vec![], ..given() }),
            ("data", Wrong::TooLong, Given { data: vec!["visits".into(); 101], ..given() }),
            ("data", Wrong::Missing, Given { data: vec![String::new()], ..given() }),
            (
                "periodic",
                Wrong::Term,
                Given { periodic: term(1, Unit::Hours).map(Periodic::Every), ..given() },
            ),
            (
                "periodic",
                Wrong::Term,
                Given { periodic: term(0, Unit::Days).map(Periodic::Every), ..given() },
            ),
            ("end", Wrong::Past, Given { end: Some(date(2026, 11, 27)), ..given() }),
            ("retention", Wrong::Term, Given { retention: term(1_001, Unit::Years), ..given() }),
        ] {
            assert_eq!(bad.check(&law, DAY), Err(NoRequest::Items(vec![(name, wrong)])), "{name}");
        }
        assert!(Given { end: Some(DAY), periodic: Some(Periodic::Once), ..given() }.check(&law, DAY).is_ok());
    }

    #[test]
    fn before_the_right_was_in_force_there_is_no_request() {
        let law = Law::built_in();
        assert_eq!(given().check(&law, date(2026, 2, 18)), Err(NoRequest::NotInForce));
        assert!(given().check(&law, date(2026, 2, 19)).is_ok());
    }

    #[test]
    fn cycles_are_counted_from_the_day_of_acceptance() {
        let items = |periodic, end| Items { periodic, end, ..given().check(&Law::built_in(), DAY).unwrap() };
        let every = |number, unit| Periodic::Every(Term { number, unit });
        let end = date(2028, 12, 31);
        for (periodic, accepted, last, next) in [
            (Periodic::Once, date(2026, 1, 31), None, Some(date(2026, 1, 31))),
            (Periodic::Once, date(2026, 1, 31), Some(date(2026, 1, 31)), None),
            (every(1, Unit::Months), date(2026, 1, 31), Some(date(2026, 1, 31)), Some(date(2026, 2, 28))),
            (every(1, Unit::Months), date(2026, 1, 31), Some(date(2026, 2, 28)), Some(date(2026, 3, 31))),
            (every(1, Unit::Months), date(2026, 1, 31), Some(date(2026, 3, 30)), Some(date(2026, 3, 31))),
            // Sent late, the next is where it was.
            (every(1, Unit::Months), date(2026, 1, 31), Some(date(2026, 3, 2)), Some(date(2026, 3, 31))),
            (every(3, Unit::Months), date(2026, 11, 30), Some(date(2026, 11, 30)), Some(date(2027, 2, 28))),
            (every(7, Unit::Days), date(2026, 12, 28), Some(date(2026, 12, 28)), Some(date(2027, 1, 4))),
            (every(7, Unit::Days), date(2026, 12, 28), Some(date(2027, 1, 10)), Some(date(2027, 1, 11))),
            (every(1, Unit::Years), date(2024, 2, 29), Some(date(2025, 2, 28)), Some(date(2026, 2, 28))),
            (every(1, Unit::Years), date(2024, 2, 29), Some(date(2028, 2, 28)), Some(date(2028, 2, 29))),
            (every(1, Unit::Years), date(2026, 2, 1), Some(date(2028, 2, 1)), None),
        ] {
            let found = items(periodic, end).next_sending(accepted, last);
            assert_eq!(found, next, "{periodic:?} from {accepted} after {last:?}");
        }
        let kept = items(Periodic::Once, end).kept_until(date(2024, 2, 29));
        assert_eq!(kept, Some(date(2025, 2, 28)));
    }
}

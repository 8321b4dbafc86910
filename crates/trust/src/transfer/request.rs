//! A request to send, and what happens to it.

use jiff::civil::Date;

use super::items::Items;
use crate::law::Law;
use crate::law::asked::{TRANSFER_LOG, TRANSFER_NOTICE, TRANSFER_REFUSAL};
use crate::law::day::last_day;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Id of the Patient.
    pub patient: String,
    /// Id of the Organization that is to send, where it is one of this hub: its privacy officer answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The seven items.
    pub items: Items,
    /// How it stands, its end apart.
    pub status: Status,
    /// The day it was made.
    pub received: Date,
    /// The day it was first accepted: cycles count from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Date>,
    /// The day of the newest sending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Date>,
    /// How many entries its log has.
    pub entries: u32,
}

/// How a request stands. That its end is over is told by the day: [`Request::standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Made, not yet judged.
    Received,
    /// Refused.
    Refused {
        /// The ground, 1 to 11.
        ground: u8,
        /// Whether the subject was told of it and its reason.
        told: bool,
    },
    /// Accepted: it is sent.
    Active,
    /// Changed by the subject, and not yet judged anew: nothing is sent meanwhile.
    Changed,
    /// Withdrawn by the subject.
    Withdrawn,
    /// Over, or stopped by the sender with a reason.
    Ended,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The sender accepts it.
    Accept,
    /// The sender refuses it.
    Refuse {
        /// The ground, 1 to 11.
        ground: u8,
    },
    /// The subject was told of the refusal.
    Tell,
    /// The subject changes its items.
    Change(Box<Items>),
    /// The subject withdraws it.
    Withdraw,
    /// Something was sent.
    Send,
    /// The sender stops sending.
    Stop,
}

/// By whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The subject, or who may act for them.
    Subject,
    /// The sender.
    Sender,
}

/// Why nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not out of this state.
    #[error("this request is not in a state for that")]
    State,
    /// Not by this one.
    #[error("somebody else must do that")]
    By,
    /// The law has no such ground on this day.
    #[error("the law knows no such ground for refusing")]
    NoGround,
    /// Nothing is due on this day.
    #[error("nothing is to be sent on that day")]
    NotDue,
}

impl Request {
    /// A request made on a day, with items that were checked for it.
    #[must_use]
    pub fn new(patient: &str, organization: Option<String>, items: Items, day: Date) -> Self {
        let (patient, status) = (patient.to_owned(), Status::Received);
        Self { patient, organization, items, status, received: day, accepted: None, sent: None, entries: 0 }
    }

    /// How it stands on a day: after its last day it is over.
    #[must_use]
    pub fn standing(&self, day: Date) -> Status {
        match self.status {
            Status::Received | Status::Active | Status::Changed if self.items.end < day => Status::Ended,
            status => status,
        }
    }

    /// The next day on which is to be sent, if it is in force on a day.
    #[must_use]
    pub fn next_sending(&self, day: Date) -> Option<Date> {
        let accepted = self.accepted.filter(|_| self.standing(day) == Status::Active)?;
        self.items.next_sending(accepted, self.sent)
    }

    /// What becomes of it when something happens on a day.
    ///
    /// # Errors
    /// [`Denied`]; then nothing does.
    pub fn after(&self, law: &Law, event: &Event, by: By, day: Date) -> Result<Self, Denied> {
        if !leads_on(self.standing(day), event) {
            return Err(Denied::State);
        }
        let of_subject = matches!(event, Event::Change(_) | Event::Withdraw);
        if of_subject != (by == By::Subject) {
            return Err(Denied::By);
        }
        let with = |status| Self { status, ..self.clone() };
        match event {
            Event::Accept => Ok(Self { accepted: self.accepted.or(Some(day)), ..with(Status::Active) }),
            Event::Refuse { ground } => {
                let is_ground = law.deciding(&TRANSFER_REFUSAL, &ground.to_string(), day).is_some();
                let refused = Status::Refused { ground: *ground, told: false };
                if is_ground { Ok(with(refused)) } else { Err(Denied::NoGround) }
            }
            Event::Tell => match self.status {
                Status::Refused { ground, .. } => Ok(with(Status::Refused { ground, told: true })),
                _ => Err(Denied::State),
            },
            Event::Change(items) => Ok(Self { items: (**items).clone(), ..with(Status::Changed) }),
            Event::Withdraw => Ok(with(Status::Withdrawn)),
            Event::Send if self.next_sending(day).is_none_or(|due| day < due) => Err(Denied::NotDue),
            Event::Send => Ok(Self { sent: Some(day), ..self.clone() }),
            Event::Stop => Ok(with(Status::Ended)),
        }
    }
}

/// Whether something can happen to a request that stands so.
const fn leads_on(standing: Status, event: &Event) -> bool {
    use Status::{Active, Changed, Received, Refused};
    match event {
        Event::Accept | Event::Refuse { .. } => matches!(standing, Received | Changed),
        Event::Tell => matches!(standing, Refused { told: false, .. }),
        Event::Change(_) | Event::Withdraw => matches!(standing, Received | Active | Changed),
        Event::Send => matches!(standing, Active),
        Event::Stop => matches!(standing, Active | Changed),
    }
}

/// The last day on which an entry of the log is kept; `None` for one of before the right was in force.
#[must_use]
pub fn logged_until(law: &Law, entered: Date) -> Option<Date> {
    let (number, _) = law.number(&TRANSFER_LOG, entered)?;
    last_day(entered, number, TRANSFER_LOG.unit)
}

/// The day by which the subject is told of transfers: a year after the last notice, or after the first sending. `None`
/// while nothing was sent.
#[must_use]
pub fn notice_due(law: &Law, first_sent: Option<Date>, last_notice: Option<Date>) -> Option<Date> {
    let from = first_sent.map(|first| last_notice.map_or(first, |notice| notice.max(first)))?;
    let (number, _) = law.number(&TRANSFER_NOTICE, from)?;
    last_day(from, number, TRANSFER_NOTICE.unit)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::law::row::Unit;
    use crate::transfer::items::{Given, Periodic, Term};

    const DAY: Date = date(2026, 11, 28);

    fn items(end: Date) -> Items {
        let term = Term { number: 1, unit: Unit::Months };
        let given = Given {
            purpose: Some("건강관리".into()),
            sender: Some("nhis".into()),
            receiver: Some("o1".into()),
            data: vec!["visits".into()],
            periodic: Some(Periodic::Every(term)),
            end: Some(end),
            retention: Some(term),
        };
        given.check(&Law::built_in(), date(2026, 11, 1)).unwrap()
    }

    fn standing(name: &str) -> Request {
        let open = Request::new("p1", None, items(date(2027, 3, 31)), date(2026, 11, 1));
        let over = Request::new("p1", None, items(date(2026, 11, 27)), date(2026, 11, 1));
        let (law, first) = (Law::built_in(), date(2026, 11, 1));
        let then = |request: Request, event, by| request.after(&law, &event, by, first).unwrap();
        let accepted = |request| then(request, Event::Accept, By::Sender);
        match name {
            "received" => open,
            "active" => accepted(open),
            "changed" => then(accepted(open), Event::Change(Box::new(items(date(2027, 4, 30)))), By::Subject),
            "refused" => then(open, Event::Refuse { ground: 8 }, By::Sender),
            "told" => then(then(open, Event::Refuse { ground: 8 }, By::Sender), Event::Tell, By::Sender),
            "withdrawn" => then(open, Event::Withdraw, By::Subject),
            "stopped" => then(accepted(open), Event::Stop, By::Sender),
            "over" => accepted(over),
            _ => unreachable!(),
        }
    }

    #[test]
    fn every_event_in_every_state_by_both() {
        let allowed = [
            ("received", "accept", Status::Active),
            ("received", "refuse", Status::Refused { ground: 11, told: false }),
            ("received", "change", Status::Changed),
            ("received", "withdraw", Status::Withdrawn),
            ("active", "change", Status::Changed),
            ("active", "withdraw", Status::Withdrawn),
            ("active", "send", Status::Active),
            ("active", "stop", Status::Ended),
            ("changed", "accept", Status::Active),
            ("changed", "refuse", Status::Refused { ground: 11, told: false }),
            ("changed", "change", Status::Changed),
            ("changed", "withdraw", Status::Withdrawn),
            ("changed", "stop", Status::Ended),
            ("refused", "tell", Status::Refused { ground: 8, told: true }),
        ];
        let events = [
            ("accept", Event::Accept, By::Sender),
            ("refuse", Event::Refuse { ground: 11 }, By::Sender),
            ("tell", Event::Tell, By::Sender),
            ("change", Event::Change(Box::new(items(date(2027, 4, 30)))), By::Subject),
            ("withdraw", Event::Withdraw, By::Subject),
            ("send", Event::Send, By::Sender),
            ("stop", Event::Stop, By::Sender),
        ];
        let law = Law::built_in();
        for from in ["received", "active", "changed", "refused", "told", "withdrawn", "stopped", "over"] {
            for (name, event, whose) in &events {
                for by in [By::Subject, By::Sender] {
                    let row = allowed.iter().find(|row| row.0 == from && row.1 == *name);
                    let expected = match row {
                        None => Err(Denied::State),
                        Some(row) if by == *whose => Ok(row.2),
                        Some(_) => Err(Denied::By),
                    };
                    let found = standing(from).after(&law, event, by, DAY).map(|request| request.status);
                    assert_eq!(found, expected, "{name} of one that is {from}, by the {by:?}");
                }
            }
        }
    }

    #[test]
    fn eleven_grounds_and_no_other() {
        let law = Law::built_in();
        let refuse = |ground| standing("received").after(&law, &Event::Refuse { ground }, By::Sender, DAY);
        assert_eq!((1..=11).filter(|ground| refuse(*ground).is_ok()).count(), 11);
        assert_eq!(refuse(0), Err(Denied::NoGround));
        assert_eq!(refuse(12), Err(Denied::NoGround));
    }

    #[test]
    fn sending_waits_for_its_day_and_stops_with_a_change() {
        let law = Law::built_in();
        let send = |request: &Request, day| request.after(&law, &Event::Send, By::Sender, day);
        let active = standing("active");
        assert_eq!(active.next_sending(DAY), Some(date(2026, 11, 1)));
        let sent = send(&active, DAY).unwrap();
        assert_eq!(sent.next_sending(DAY), Some(date(2026, 12, 1)));
        assert_eq!(send(&sent, date(2026, 11, 30)), Err(Denied::NotDue));
        assert!(send(&sent, date(2026, 12, 1)).is_ok());
        assert_eq!(standing("changed").next_sending(DAY), None);
        assert_eq!(send(&active, date(2027, 4, 1)), Err(Denied::State));
        assert_eq!(active.standing(date(2027, 3, 31)), Status::Active);
        assert_eq!(active.standing(date(2027, 4, 1)), Status::Ended);
    }

    #[test]
    fn logs_are_kept_and_notices_due_by_the_law_of_the_day() {
        let law = Law::built_in();
        assert_eq!(logged_until(&law, date(2026, 2, 18)), None);
        assert_eq!(logged_until(&law, date(2026, 2, 19)), Some(date(2029, 2, 19)));
        assert_eq!(logged_until(&law, date(2028, 2, 29)), Some(date(2031, 2, 28)));
        let day = |month, day| Some(date(2026, month, day));
        assert_eq!(notice_due(&law, None, None), None);
        assert_eq!(notice_due(&law, day(3, 1), None), Some(date(2027, 3, 1)));
        assert_eq!(notice_due(&law, day(3, 1), day(9, 1)), Some(date(2027, 9, 1)));
        assert_eq!(notice_due(&law, day(9, 1), day(3, 1)), Some(date(2027, 9, 1)));
    }
}

//! Every event in every state by everybody, and the records behind them.

use std::sync::Arc;

use ieum_store::catalogue::Catalogue;
use ieum_store::memory::MemoryEngine;
use jiff::civil::date;

use super::*;
use crate::evidence::POLICY;
use crate::law::may::Outcome;

const DAY: Date = date(2026, 6, 15);
const EVERYBODY: [By; 3] = [By::Patient, By::Representative, By::Checker];

fn asked() -> Asked {
    Asked {
        patient: "p1".into(),
        representative: "IeumPerson/r1".into(),
        relation: Relation::Parent,
        patient_state: None,
        nearer_kin: false,
    }
}

fn grant(since: Date, until: Option<Date>) -> Event {
    let papers = [Paper::RequesterIdentity, Paper::GuardianshipProof].into();
    Event::Grant { checked_by: "c1".into(), papers, since, until }
}

fn at(events: Vec<Event>) -> Representation {
    events.into_iter().fold(Representation::new(asked()), |record, event| {
        record.after(event, By::Checker, date(2026, 6, 1)).unwrap()
    })
}

/// Each standing on [`DAY`], by name.
fn standings() -> Vec<(&'static str, Representation)> {
    vec![
        ("asked", at(vec![])),
        ("granted", at(vec![grant(date(2026, 6, 1), Some(DAY))])),
        ("not yet", at(vec![grant(date(2026, 6, 16), None)])),
        ("lapsed", at(vec![grant(date(2026, 6, 1), Some(date(2026, 6, 14)))])),
        ("refused", at(vec![Event::Refuse])),
        ("revoked", at(vec![grant(date(2026, 6, 1), None), Event::Revoke])),
        ("blocked", at(vec![grant(date(2026, 6, 1), None), Event::Block])),
    ]
}

#[test]
fn every_event_in_every_state_by_everybody() {
    use Status::{Asked, Blocked, Granted, Refused, Revoked};
    let all = "patient representative checker";
    // From, event, by whom, to. What is not here is denied.
    let allowed = [
        ("asked", "grant", "checker", Granted),
        ("asked", "refuse", "patient checker", Refused),
        ("asked", "revoke", all, Revoked),
        ("asked", "block", "patient checker", Blocked),
        ("granted", "revoke", all, Revoked),
        ("granted", "block", "patient checker", Blocked),
        ("not yet", "revoke", all, Revoked),
        ("not yet", "block", "patient checker", Blocked),
        ("lapsed", "ask", all, Asked),
        ("lapsed", "block", "patient checker", Blocked),
        ("refused", "ask", all, Asked),
        ("refused", "block", "patient checker", Blocked),
        ("revoked", "ask", all, Asked),
        ("revoked", "block", "patient checker", Blocked),
        ("blocked", "unblock", "checker", Revoked),
    ];
    let events = [
        ("ask", Event::Ask(asked())),
        ("grant", grant(DAY, None)),
        ("refuse", Event::Refuse),
        ("revoke", Event::Revoke),
        ("block", Event::Block),
        ("unblock", Event::Unblock),
    ];
    let mut seen = 0;
    for (from, record) in standings() {
        for (name, event) in &events {
            for by in EVERYBODY {
                let word = format!("{by:?}").to_lowercase();
                let row = allowed.iter().find(|row| row.0 == from && row.1 == *name);
                let expected = match row {
                    None => Err(Denied::State),
                    Some(row) if row.2.split(' ').any(|allowed| allowed == word) => Ok(row.3),
                    Some(_) => Err(Denied::By),
                };
                let found = record.after(event.clone(), by, DAY).map(|record| record.status);
                assert_eq!(found, expected, "{name} of one that is {from}, by the {word}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 7 * 6 * 3);
}

#[test]
fn periods_and_pairs_are_kept() {
    let fresh = at(vec![]);
    let backwards = grant(DAY, Some(date(2026, 6, 14)));
    assert_eq!(fresh.after(backwards, By::Checker, DAY), Err(Denied::Period));
    let refused = at(vec![Event::Refuse]);
    let other = Asked { patient: "p2".into(), ..asked() };
    assert_eq!(refused.after(Event::Ask(other), By::Patient, DAY), Err(Denied::Pair));
    let granted = at(vec![grant(date(2026, 6, 10), Some(date(2026, 6, 20)))]);
    let standing = |day| granted.standing(date(2026, 6, day));
    let held = Standing::Is(Status::Granted);
    assert_eq!([9, 10, 20, 21].map(standing), [Standing::NotYet, held, held, Standing::Lapsed]);
    // Asked for anew, nothing of the old grant is left.
    let again = granted.after(Event::Ask(asked()), By::Representative, date(2026, 6, 21)).unwrap();
    assert_eq!(again, Representation::new(asked()));
}

// threat: 9
#[test]
fn what_is_granted_ends_with_the_birthday_all_the_same() {
    let birth = Birth::parse("2012-07-01").ok();
    let law = Law::built_in();
    let may = |record: &Representation, day| record.may(&law, (birth, false), Act::Consent, day);
    let granted = at(vec![grant(date(2026, 6, 1), None)]);
    assert!(!may(&granted, date(2026, 5, 31)).is_granted());
    assert!(may(&granted, date(2026, 6, 1)).is_granted());
    assert!(may(&granted, date(2026, 6, 30)).is_granted());
    assert!(!may(&granted, date(2026, 7, 1)).is_granted());
    let reason = |record: &Representation| match may(record, DAY).outcome {
        Outcome::Refused { reason, .. } => Some(reason),
        _ => None,
    };
    for (name, record) in standings() {
        let expected = match name {
            "granted" => None,
            "asked" | "refused" => Some(Reason::NotGranted),
            "not yet" => Some(Reason::NotYet),
            "lapsed" => Some(Reason::Lapsed),
            "revoked" => Some(Reason::Revoked),
            _ => Some(Reason::Blocked),
        };
        assert_eq!(reason(&record), expected, "{name}");
    }
    // A lifted block gives nothing back, not even for the days while it held.
    let blocked = at(vec![grant(date(2026, 6, 1), None), Event::Block]);
    let lifted = blocked.after(Event::Unblock, By::Checker, date(2026, 6, 20)).unwrap();
    assert_eq!(reason(&lifted), Some(Reason::Revoked));
}

fn door() -> Door {
    static KINDS: &[&OwnKind] = &[&REPRESENTATION];
    let catalogue = Arc::new(Catalogue::new(KINDS, Vec::new(), POLICY));
    Door::new(Arc::new(MemoryEngine::new(catalogue, Arc::new(|| 0))), [0; 32])
}

#[test]
fn representatives_are_found_from_both_sides_and_by_day() {
    let (door, access) = (door(), Access::system("test"));
    let other = Asked { representative: "IeumPerson/r2".into(), ..asked() };
    let first = ask(&door, &access, asked(), By::Representative, DAY).unwrap();
    let second = ask(&door, &access, other, By::Patient, DAY).unwrap();
    assert!(!first.contains("p1") && first != second);
    let who = |day| {
        let found = representatives(&door, &access, "p1", day).unwrap();
        let mut who: Vec<String> = found.into_iter().map(|kept| kept.record.asked.representative).collect();
        who.sort();
        who
    };
    assert!(who(DAY).is_empty());
    change(&door, &access, &first, grant(DAY, Some(date(2026, 6, 20))), (By::Checker, DAY)).unwrap();
    change(&door, &access, &second, grant(date(2026, 6, 18), None), (By::Checker, DAY)).unwrap();
    assert_eq!(who(DAY), ["IeumPerson/r1"]);
    assert_eq!(who(date(2026, 6, 18)), ["IeumPerson/r1", "IeumPerson/r2"]);
    assert_eq!(who(date(2026, 6, 21)), ["IeumPerson/r2"]);
    let whom = |representative| represented(&door, &access, representative, DAY).unwrap().len();
    assert_eq!((whom("IeumPerson/r1"), whom("IeumPerson/r2"), whom("IeumPerson/r3")), (1, 0, 0));
    assert!(representatives(&door, &access, "p2", DAY).unwrap().is_empty());
}

// threat: 9
#[test]
fn a_block_is_not_passed_by_asking_anew() {
    let (door, access) = (door(), Access::system("test"));
    let id = ask(&door, &access, asked(), By::Representative, DAY).unwrap();
    let twice = ask(&door, &access, asked(), By::Representative, DAY);
    assert!(matches!(twice, Err(ChangeError::Denied(Denied::State))));
    change(&door, &access, &id, Event::Block, (By::Patient, DAY)).unwrap();
    let as_another = Asked { relation: Relation::Agent, ..asked() };
    let anew = ask(&door, &access, as_another, By::Representative, DAY);
    assert!(matches!(anew, Err(ChangeError::Denied(Denied::State))));
    let missing = change(&door, &access, "none", Event::Revoke, (By::Patient, DAY));
    assert!(matches!(missing, Err(ChangeError::Missing)));
}

#[test]
fn changes_are_written_down_and_take_an_access_that_may() {
    let (door, access) = (door(), Access::system("test"));
    let id = ask(&door, &access, asked(), By::Patient, DAY).unwrap();
    change(&door, &access, &id, Event::Revoke, (By::Patient, DAY)).unwrap();
    let operator = Access::new("o", crate::access::Role::Operator);
    let denied = change(&door, &operator, &id, Event::Block, (By::Checker, DAY));
    assert!(matches!(denied, Err(ChangeError::Commit(CommitError::Denied))));
    let entries = door.view(&access).unwrap().audit_entries(None, 10).unwrap();
    let actions: Vec<(&str, bool)> =
        entries.iter().map(|entry| (entry.entry.action.as_str(), entry.entry.allowed)).collect();
    assert_eq!(
        actions,
        [("representation-block", false), ("representation-revoke", true), ("representation-ask", true)]
    );
}

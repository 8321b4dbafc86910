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
        organization: Some("o1".into()),
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
fn representations_are_found_from_every_side() {
    let (door, access) = (door(), Access::system("test"));
    let other = Asked { representative: "IeumPerson/r2".into(), ..asked() };
    let first = ask(&door, &access, asked(), (By::Representative, DAY), Vec::new()).unwrap();
    let second = ask(&door, &access, other, (By::Patient, DAY), Vec::new()).unwrap();
    assert!(!first.contains("p1") && first != second);
    change(&door, &access, &first, grant(DAY, Some(date(2026, 6, 20))), (By::Checker, DAY)).unwrap();
    let ids = |of| {
        let mut ids: Vec<String> = all(&door, of).unwrap().into_iter().map(|kept| kept.id).collect();
        ids.sort();
        ids
    };
    let mut both = vec![first.clone(), second.clone()];
    both.sort();
    assert_eq!((ids(Of::Patient("p1")), ids(Of::Organization("o1"))), (both.clone(), both));
    assert_eq!(ids(Of::Representative("IeumPerson/r1")), std::slice::from_ref(&first));
    assert_eq!(ids(Of::Representative("IeumPerson/r2")), [second]);
    assert!(ids(Of::Patient("p2")).is_empty() && ids(Of::Organization("o2")).is_empty());
    let kept = one(&door, &first).unwrap().unwrap();
    assert_eq!(kept.record.standing(date(2026, 6, 20)), Standing::Is(Status::Granted));
}

// threat: 9
#[test]
fn a_block_is_not_passed_by_asking_anew() {
    let (door, access) = (door(), Access::system("test"));
    let id = ask(&door, &access, asked(), (By::Representative, DAY), Vec::new()).unwrap();
    let twice = ask(&door, &access, asked(), (By::Representative, DAY), Vec::new());
    assert!(matches!(twice, Err(ChangeError::Denied(Denied::State))));
    change(&door, &access, &id, Event::Block, (By::Patient, DAY)).unwrap();
    let as_another = Asked { relation: Relation::Agent, ..asked() };
    let anew = ask(&door, &access, as_another, (By::Representative, DAY), Vec::new());
    assert!(matches!(anew, Err(ChangeError::Denied(Denied::State))));
    let missing = change(&door, &access, "none", Event::Revoke, (By::Patient, DAY));
    assert!(matches!(missing, Err(ChangeError::Missing)));
}

#[test]
fn changes_are_written_down_by_whom() {
    let (door, patient) = (door(), Access::new("a1", crate::access::Role::Patient));
    let id = ask(&door, &patient, asked(), (By::Patient, DAY), Vec::new()).unwrap();
    change(&door, &patient, &id, Event::Revoke, (By::Patient, DAY)).unwrap();
    let denied = change(&door, &patient, &id, Event::Unblock, (By::Patient, DAY));
    assert!(matches!(denied, Err(ChangeError::Denied(Denied::State))));
    let entries = door.view(&Access::system("test")).unwrap().audit_entries(None, 10).unwrap();
    let told: Vec<(&str, &str)> =
        entries.iter().map(|entry| (entry.entry.actor.as_str(), entry.entry.action.as_str())).collect();
    assert_eq!(told, [("a1", "representation-revoke"), ("a1", "representation-ask")]);
}

/// What acting comes to at the beginning of a day: labels that stay hidden and whether they may consent.
fn acting_on(door: &Door, day: Date, id: &str) -> Option<(u32, bool)> {
    let noon = day.at(12, 0, 0, 0).in_tz("Asia/Seoul").unwrap().timestamp().as_microsecond();
    let access = acting::acting(door, &Law::built_in(), ("r1", id), noon).unwrap()?;
    assert_eq!((access.patient.as_deref(), access.role), (Some("p1"), crate::access::Role::Patient));
    let plan = access.plan();
    let behalf = access.behalf.unwrap();
    assert_eq!(
        (plan.denied, plan.write, plan.actor.role),
        (behalf.hidden, false, format!("representative {id}"))
    );
    Some((behalf.hidden, behalf.consents))
}

fn put_patient(door: &Door, json: &str) {
    use ieum_fhir::json::{Document, Limits};
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let catalogue = door.catalogue();
    let kind = catalogue.kind("Patient").unwrap();
    let record = Box::new(catalogue.prepare(kind, "p1", document.root(), &mut |_| None));
    let change = Change::Put { record, expect: Expect::Anything };
    door.commit(&Access::system("test"), "test", Vec::new(), vec![change]).unwrap();
}

#[test]
fn acting_ends_by_itself() {
    let patient = r#"{"resourceType":"Patient","id":"p1","birthDate":"2012-07-01"}"#;
    let adolescent = crate::labels::of_act_code("PSY");
    let all = [Paper::RequesterIdentity, Paper::GuardianshipProof, Paper::ConsentForm];
    let granted = |papers: &[Paper], since, until| {
        let door = door();
        put_patient(&door, patient);
        let id = ask(&door, &reader(), asked(), (By::Representative, DAY), Vec::new()).unwrap();
        let papers = papers.iter().copied().collect();
        let grant = Event::Grant { checked_by: "c1".into(), papers, since, until };
        change(&door, &reader(), &id, grant, (By::Checker, DAY)).unwrap();
        (door, id)
    };
    // A parent of one who is thirteen: alone, until the eve of the birthday; what was signed before it does not count after.
    let (door, id) = granted(&all, DAY, None);
    for (day, expected) in [
        (date(2026, 6, 14), None),
        (DAY, Some((0, true))),
        (date(2026, 6, 30), Some((0, true))),
        (date(2026, 7, 1), None),
    ] {
        assert_eq!(acting_on(&door, day, &id), expected, "{day}");
    }
    let others = acting::acting(&door, &Law::built_in(), ("r2", &id), 1_781_500_000_000_000).unwrap();
    assert!(others.is_none(), "it is somebody else's");
    // A parent of one who is fourteen: with their consent, without what is sensitive, until they come of age.
    let (door, id) = granted(&all, date(2026, 7, 1), None);
    for (day, sees) in [(date(2026, 7, 1), true), (date(2031, 6, 30), true), (date(2031, 7, 1), false)] {
        let found = acting_on(&door, day, &id);
        assert_eq!(found.is_some(), sees, "{day}");
        assert!(found.is_none_or(|(hidden, consents)| hidden & adolescent != 0 && !consents), "{day}");
    }
    let (door, id) = granted(&all[..2], date(2026, 7, 1), None);
    assert_eq!(acting_on(&door, date(2026, 7, 1), &id), None, "without the consent form");
    // The last day; death; a block; the patient's record is gone.
    let (door, id) = granted(&all, DAY, Some(date(2026, 6, 20)));
    assert!(acting_on(&door, date(2026, 6, 20), &id).is_some());
    assert_eq!(acting_on(&door, date(2026, 6, 21), &id), None);
    put_patient(
        &door,
        r#"{"resourceType":"Patient","id":"p1","birthDate":"2012-07-01","deceasedBoolean":true}"#,
    );
    assert_eq!(acting_on(&door, DAY, &id), None, "the patient has died");
    put_patient(&door, patient);
    change(&door, &reader(), &id, Event::Block, (By::Patient, DAY)).unwrap();
    assert_eq!(acting_on(&door, DAY, &id), None, "blocked");
}

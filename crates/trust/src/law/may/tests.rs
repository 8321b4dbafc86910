//! Who may do what, as tables that travel over birthdays and over days on which rules change.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

use super::*;
use crate::law::day::in_korea;
use crate::law::papers::Paper::*;

const DAY: Date = date(2026, 11, 28);
/// Born so that the 14th birthday is 2026-07-01 and the 19th 2031-07-01.
const BORN: &str = "2012-07-01";

fn facts<'f>(relation: Relation, birth: &str, shown: &'f BTreeSet<Paper>) -> Facts<'f> {
    Facts {
        birth: Birth::parse(birth).ok(),
        has_card: true,
        state: None,
        relation,
        nearer_kin: false,
        shown,
        since: None,
        until: None,
        revoked: None,
        blocked: None,
    }
}

fn papers(list: &[Paper]) -> BTreeSet<Paper> {
    list.iter().copied().collect()
}

/// `+` granted, `?` for a person, else the reason.
fn word(decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Granted(grant) if grant.hidden == 0 => "+".to_owned(),
        Outcome::Granted(_) => "+hidden".to_owned(),
        Outcome::ForAPerson(_) => "?".to_owned(),
        Outcome::Refused { reason, missing } if missing.is_empty() => format!("{reason:?}"),
        Outcome::Refused { missing, .. } => format!("{missing:?}"),
    }
}

fn asked(facts: &Facts<'_>, act: Act, day: &str) -> String {
    word(&represent(&Law::built_in(), facts, act, day.parse().unwrap()))
}

// threat: 9
#[test]
fn guardians_act_for_children_and_lapse_at_the_birthdays() {
    use Act::{AskSending, ClosedCopy, Consent, Copy, View};
    let (alone, with) = (
        papers(&[RequesterIdentity, GuardianshipProof]),
        papers(&[RequesterIdentity, GuardianshipProof, ConsentForm]),
    );
    for (birth, shown, act, day, expected) in [
        (BORN, &alone, Consent, "2026-06-30", "+"),
        (BORN, &alone, Consent, "2026-07-01", "OwnConsent"),
        (BORN, &with, Consent, "2026-07-01", "OwnConsent"),
        (BORN, &alone, View, "2026-06-30", "+"),
        (BORN, &alone, View, "2026-07-01", "[ConsentForm]"),
        (BORN, &with, View, "2026-07-01", "+hidden"),
        (BORN, &with, View, "2031-06-30", "+hidden"),
        (BORN, &with, View, "2031-07-01", "ComeOfAge"),
        (BORN, &with, Consent, "2031-07-01", "ComeOfAge"),
        (BORN, &alone, Copy, "2026-06-30", "+"),
        (BORN, &alone, Copy, "2026-07-01", "[ConsentForm]"),
        (BORN, &alone, AskSending, "2026-06-30", "+"),
        // Closed institutions: before the end of March 2026 until 14, then until 19.
        ("2011-07-01", &alone, ClosedCopy, "2025-06-30", "+"),
        ("2011-07-01", &alone, ClosedCopy, "2025-07-01", "ComeOfAge"),
        ("2011-07-01", &alone, ClosedCopy, "2026-03-30", "ComeOfAge"),
        ("2011-07-01", &alone, ClosedCopy, "2026-03-31", "+hidden"),
        ("2011-07-01", &alone, ClosedCopy, "2030-06-30", "+hidden"),
        ("2011-07-01", &alone, ClosedCopy, "2030-07-01", "ComeOfAge"),
        // 29 February: 14 from 1 March of a common year.
        ("2012-02-29", &alone, Consent, "2026-02-28", "+"),
        ("2012-02-29", &alone, Consent, "2026-03-01", "OwnConsent"),
        // Not known well enough: no more than is certain.
        ("2012", &alone, Consent, "2025-12-31", "+"),
        ("2012", &alone, Consent, "2026-06-30", "BirthUncertain"),
        ("2012", &alone, View, "2026-06-30", "[ConsentForm]"),
        ("2012", &with, View, "2026-06-30", "+hidden"),
        ("2012", &with, View, "2031-06-30", "BirthUncertain"),
        ("2012-07", &with, View, "2031-07-01", "BirthUncertain"),
        ("2012-07", &with, View, "2031-07-31", "ComeOfAge"),
        ("unknown", &with, View, "2026-06-30", "BirthUncertain"),
    ] {
        for relation in [Relation::Parent, Relation::LegalGuardian] {
            let found = asked(&facts(relation, birth, shown), act, day);
            assert_eq!(found, expected, "{relation:?} of {birth}, {act:?} on {day}");
        }
    }
}

// threat: 9
#[test]
fn the_birthday_begins_at_midnight_in_korea() {
    let shown = papers(&[RequesterIdentity, GuardianshipProof]);
    let at = |instant: &str| in_korea(instant.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    let asked = |instant| {
        word(&represent(&Law::built_in(), &facts(Relation::Parent, BORN, &shown), Act::Consent, at(instant)))
    };
    assert_eq!(asked("2026-06-30T14:59:59.999999Z"), "+");
    assert_eq!(asked("2026-06-30T15:00:00Z"), "OwnConsent");
}

#[test]
fn grants_say_when_they_lapse_and_what_they_hide() {
    let with = papers(&[RequesterIdentity, GuardianshipProof, ConsentForm]);
    let grant = |birth, until: Option<Date>, day: Date| {
        let facts = Facts { until, ..facts(Relation::Parent, birth, &with) };
        match represent(&Law::built_in(), &facts, Act::View, day).outcome {
            Outcome::Granted(grant) => grant,
            other => panic!("{other:?}"),
        }
    };
    let young = grant(BORN, None, date(2026, 6, 30));
    assert_eq!((young.hidden, young.lapses), (0, Some(date(2026, 7, 1))));
    let older = grant(BORN, None, date(2026, 7, 1));
    assert_eq!(older.lapses, Some(date(2031, 7, 1)));
    for label in ["PSY", "HIV", "STD", "SEX", "SUD", "SDV"] {
        assert_ne!(older.hidden & labels::of_act_code(label), 0, "{label}");
    }
    assert_eq!(older.hidden & labels::VERY_RESTRICTED, 0);
    assert_eq!(grant("2012", None, date(2025, 12, 31)).lapses, Some(date(2026, 1, 1)));
    assert_eq!(grant(BORN, Some(date(2026, 6, 15)), date(2026, 6, 15)).lapses, Some(date(2026, 6, 16)));
}

#[test]
fn kin_need_consent_and_siblings_that_nobody_is_nearer() {
    use Relation::{Lineal, Sibling, Spouse, SpouseLinealAscendant};
    let none = papers(&[]);
    let usual = papers(&[RequesterIdentity, KinshipProof, ConsentForm]);
    let child = papers(&[RequesterIdentity, KinshipProof, GuardianSignature]);
    let proven = papers(&[RequesterIdentity, KinshipProof, ConsentForm, NoNearerKinProof]);
    for relation in [Spouse, Lineal, SpouseLinealAscendant] {
        for act in [Act::View, Act::Copy, Act::ClosedCopy, Act::AskSending] {
            assert_eq!(asked(&facts(relation, "1980-01-01", &usual), act, "2026-11-28"), "+");
        }
        let missing = "[RequesterIdentity, KinshipProof, ConsentForm]";
        assert_eq!(asked(&facts(relation, "1980-01-01", &none), Act::Copy, "2026-11-28"), missing);
        assert_eq!(asked(&facts(relation, "1980-01-01", &usual), Act::Consent, "2026-11-28"), "NoBasis");
    }
    // The consent form is waived at 13 and demanded at 14.
    assert_eq!(asked(&facts(Lineal, BORN, &child), Act::Copy, "2026-06-30"), "+hidden");
    assert_eq!(asked(&facts(Lineal, BORN, &usual), Act::Copy, "2026-06-30"), "[GuardianSignature]");
    assert_eq!(asked(&facts(Lineal, BORN, &child), Act::Copy, "2026-07-01"), "[ConsentForm]");
    // Of adolescents kin see no more than guardians do.
    assert_eq!(asked(&facts(Lineal, BORN, &usual), Act::View, "2031-06-30"), "+hidden");
    assert_eq!(asked(&facts(Lineal, BORN, &usual), Act::View, "2031-07-01"), "+");
    assert_eq!(asked(&facts(Lineal, "unknown", &child), Act::Copy, "2026-06-30"), "[ConsentForm]");
    // The patient's card was asked for until June 2021.
    assert_eq!(asked(&facts(Lineal, "1980", &usual), Act::Copy, "2021-06-29"), "[PatientIdentityCopy]");
    assert_eq!(asked(&facts(Lineal, "1980", &usual), Act::Copy, "2021-06-30"), "+");
    // A sibling with a living spouse of the patient is refused, whatever is shown.
    let sibling = |shown, nearer_kin| Facts { nearer_kin, ..facts(Sibling, "1980", shown) };
    assert_eq!(asked(&sibling(&usual, false), Act::Copy, "2026-11-28"), "[NoNearerKinProof]");
    assert_eq!(asked(&sibling(&proven, false), Act::Copy, "2026-11-28"), "+");
    assert_eq!(asked(&sibling(&proven, true), Act::Copy, "2026-11-28"), "NearerKin");
    assert_eq!(asked(&sibling(&proven, true), Act::AskSending, "2026-11-28"), "NearerKin");
}

#[test]
fn where_the_patient_cannot_consent_a_person_judges() {
    let shown = papers(&[RequesterIdentity, KinshipProof, StateProof]);
    let without = papers(&[RequesterIdentity, KinshipProof]);
    for state in [State::Death, State::Unconscious, State::Missing, State::Incapable] {
        let with = |shown| Facts { state: Some(state), ..facts(Relation::Spouse, "1950", shown) };
        assert_eq!(asked(&with(&shown), Act::Copy, "2026-11-28"), "?", "{state:?}");
        assert_eq!(asked(&with(&without), Act::Copy, "2026-11-28"), "[StateProof]", "{state:?}");
        assert_eq!(asked(&with(&shown), Act::Consent, "2026-11-28"), "NoBasis", "{state:?}");
        let decision = represent(&Law::built_in(), &with(&shown), Act::View, DAY);
        assert!(!decision.is_granted());
        let rule = format!("state.{}", state.name());
        assert!(decision.articles.iter().any(|article| article.rule == rule), "{:?}", decision.articles);
    }
}

#[test]
fn agents_show_a_power_of_attorney() {
    let base = [RequesterIdentityCopy, ConsentForm, PowerOfAttorney];
    let plain = papers(&base);
    let card = papers(&[&base[..], &[PatientIdentityCopy]].concat());
    let guardian = papers(&[&base[..], &[GuardianshipProof]].concat());
    let agent = |birth, shown, has_card| Facts { has_card, ..facts(Relation::Agent, birth, shown) };
    for (birth, shown, has_card, expected) in [
        ("1980-01-01", &card, true, "+"),
        ("1980-01-01", &plain, true, "[PatientIdentityCopy]"),
        // Grown-ups without a card do not get around it.
        ("1980-01-01", &plain, false, "[PatientIdentityCopy]"),
        // 16 on the day: waived without a card; 17 on the day: not.
        ("2009-11-29", &plain, false, "+hidden"),
        ("2009-11-29", &plain, true, "[PatientIdentityCopy]"),
        ("2009-11-28", &plain, false, "[PatientIdentityCopy]"),
        ("2009-11", &plain, false, "[PatientIdentityCopy]"),
        // Below 14 the legal representative writes and proves it.
        ("2012-11-29", &plain, false, "[GuardianshipProof]"),
        ("2012-11-29", &guardian, false, "+hidden"),
        ("2012-11-28", &plain, false, "+hidden"),
    ] {
        let found = asked(&agent(birth, shown, has_card), Act::Copy, "2026-11-28");
        assert_eq!(found, expected, "{birth} {has_card}");
    }
    assert_eq!(asked(&agent("1980", &card, true), Act::AskSending, "2026-11-28"), "+");
    assert_eq!(asked(&agent("1980", &card, true), Act::Consent, "2026-11-28"), "NoBasis");
}

// threat: 9
#[test]
fn blocks_revocations_and_periods_come_first() {
    let all = papers(&Paper::ALL);
    let day = |text: &str| Some(text.parse::<Date>().unwrap());
    for (birth, relation) in [
        (BORN, Relation::Parent),
        (BORN, Relation::LegalGuardian),
        ("1980", Relation::Spouse),
        ("1980", Relation::Lineal),
        ("1980", Relation::SpouseLinealAscendant),
        ("1980", Relation::Sibling),
        ("1980", Relation::Agent),
    ] {
        let plain = || facts(relation, birth, &all);
        for act in Act::ALL {
            let at = |facts: &Facts<'_>, day| asked(facts, act, day);
            let without = at(&plain(), "2026-06-15");
            let blocked = Facts { blocked: day("2026-06-15"), ..plain() };
            assert_eq!(at(&blocked, "2026-06-14"), without);
            assert_eq!(at(&blocked, "2026-06-15"), "Blocked");
            let revoked = Facts { revoked: day("2026-06-15"), ..plain() };
            assert_eq!(
                (at(&revoked, "2026-06-14"), at(&revoked, "2026-06-15")),
                (without.clone(), "Revoked".into())
            );
            let period = Facts { since: day("2026-06-10"), until: day("2026-06-15"), ..plain() };
            let days = ["2026-06-09", "2026-06-10", "2026-06-15", "2026-06-16"].map(|day| at(&period, day));
            assert_eq!(days, ["NotYet".to_owned(), without.clone(), without, "Lapsed".to_owned()]);
        }
    }
}

#[test]
fn what_was_signed_before_the_birthday_does_not_count_after_it() {
    let all = papers(&Paper::ALL);
    for relation in
        [Relation::Parent, Relation::LegalGuardian, Relation::Lineal, Relation::Sibling, Relation::Agent]
    {
        for (birth, since, day, expected) in [
            (BORN, date(2026, 6, 30), "2026-06-30", true),
            (BORN, date(2026, 6, 30), "2026-07-01", false),
            (BORN, date(2026, 7, 1), "2026-07-01", true),
            ("2012-07", date(2026, 6, 30), "2026-07-01", false),
            ("2012-07", date(2026, 7, 1), "2026-07-31", false),
            ("2012-07", date(2026, 7, 1), "2026-07-30", true),
        ] {
            let facts = Facts { since: Some(since), ..facts(relation, birth, &all) };
            let found = asked(&facts, Act::View, day);
            assert_eq!(
                found != "Lapsed",
                expected,
                "{relation:?} of {birth} since {since} on {day}: {found}"
            );
        }
    }
    let grant = |relation| match represent(
        &Law::built_in(),
        &facts(relation, BORN, &all),
        Act::View,
        date(2026, 6, 30),
    ) {
        Decision { outcome: Outcome::Granted(grant), .. } => grant,
        other => panic!("{other:?}"),
    };
    for relation in [Relation::Parent, Relation::Lineal, Relation::Agent] {
        assert_eq!(grant(relation).lapses, Some(date(2026, 7, 1)), "{relation:?}");
    }
}

#[test]
fn the_dead_have_kin_and_nobody_else() {
    let all = papers(&Paper::ALL);
    for (relation, expected) in [
        (Relation::Parent, "?"),
        (Relation::Spouse, "?"),
        (Relation::LegalGuardian, "NoBasis"),
        (Relation::Agent, "NoBasis"),
    ] {
        let dead = Facts { state: Some(State::Death), ..facts(relation, "2013", &all) };
        assert_eq!(asked(&dead, Act::Copy, "2026-06-30"), expected, "{relation:?}");
    }
}

#[test]
fn patients_act_alone_from_fourteen_and_capable_children_ask() {
    for (birth, capable, act, day, expected) in [
        (BORN, false, Act::Consent, "2026-06-30", "TooYoung"),
        (BORN, false, Act::Consent, "2026-07-01", "+"),
        (BORN, true, Act::Consent, "2026-06-30", "TooYoung"),
        (BORN, false, Act::Copy, "2026-06-30", "?"),
        (BORN, true, Act::Copy, "2026-06-30", "+"),
        (BORN, true, Act::View, "2022-06-30", "TooYoung"),
        (BORN, true, Act::View, "2022-07-01", "+"),
        ("2012", false, Act::Consent, "2026-06-30", "BirthUncertain"),
        ("2012", true, Act::View, "2022-06-30", "TooYoung"),
        ("unknown", true, Act::View, "2026-06-30", "BirthUncertain"),
    ] {
        let decision = alone(&Law::built_in(), Birth::parse(birth).ok(), capable, act, day.parse().unwrap());
        assert_eq!(word(&decision), expected, "{birth} {capable} {act:?} {day}");
    }
}

#[test]
fn every_grant_is_carried_by_an_article() {
    let all = papers(&Paper::ALL);
    for relation in [Relation::Parent, Relation::Spouse, Relation::Sibling, Relation::Agent] {
        for act in Act::ALL {
            for state in [None, Some(State::Death)] {
                let facts = Facts { state, ..facts(relation, "2013", &all) };
                let decision = represent(&Law::built_in(), &facts, act, DAY);
                let carried = !decision.articles.is_empty();
                assert!(
                    carried || matches!(decision.outcome, Outcome::Refused { .. }),
                    "{relation:?} {act:?}"
                );
            }
        }
    }
}

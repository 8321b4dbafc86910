use ieum_fhir::json::{Document, Limits};
use ieum_store::access::{Which, day};

use super::*;

/// A Consent that is in force, with this provision and these other members.
fn consent(provision: &str, others: &str) -> Reading {
    let json = format!(
        r#"{{"resourceType":"Consent","id":"c","status":"active",
            "scope":{{"coding":[{{"code":"patient-privacy"}}]}},"patient":{{"reference":"Patient/p"}},
            "dateTime":"2026-03-01T09:00:00+09:00","performer":[{{"reference":"Patient/p"}}]{others},
            "provision":{provision}}}"#
    );
    reading(&json)
}

fn reading(json: &str) -> Reading {
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    read(document.root(), &[])
}

fn places(reading: &Reading) -> Vec<&str> {
    reading.problems.iter().map(|problem| problem.place.as_str()).collect()
}

#[test]
fn a_plain_permission_is_one_rule() {
    let reading = consent(
        r#"{"type":"permit","actor":[{"role":{},"reference":{"reference":"Organization/o"}}],
            "purpose":[{"code":"TREAT"}],"period":{"start":"2026-03-01","end":"2027-02-28"}}"#,
        "",
    );
    assert_eq!(reading.problems, []);
    let [rule] = &reading.rules[..] else { panic!("{reading:?}") };
    assert!(rule.permit && rule.patient == "p" && rule.asker.as_deref() == Some("o"));
    assert_eq!(rule.purposes, Purpose::Treatment.covers());
    let parsed = |text| date::parse(text).unwrap();
    let given = parsed("2026-03-01T09:00:00+09:00").lo;
    assert_eq!((rule.made, rule.from, rule.until), (given, given, parsed("2027-02-28").hi));
    assert_eq!(rule.which, Which::default());
}

#[test]
fn what_is_not_in_force_says_nothing() {
    for json in [
        r#"{"resourceType":"Consent","status":"inactive","scope":{"coding":[{"code":"patient-privacy"}]}}"#,
        r#"{"resourceType":"Consent","status":"active","scope":{"coding":[{"code":"research"}]}}"#,
        r#"{"resourceType":"Consent","status":"active"}"#,
    ] {
        assert_eq!(reading(json), Reading::default(), "{json}");
    }
}

#[test]
fn alternatives_are_rules_of_their_own() {
    let reading = consent(
        r#"{"type":"permit","class":[{"code":"Observation"},{"code":"Condition"}],
            "data":[{"meaning":"authoredby","reference":{"reference":"Organization/o"}},
                    {"meaning":"related","reference":{"reference":"Encounter/e"}},
                    {"meaning":"instance","reference":{"reference":"Encounter/e"}}],
            "extension":[{"url":"https://ieum.example/fhir/StructureDefinition/consent-department","valueCode":"04"}]}"#,
        "",
    );
    assert_eq!((reading.problems.len(), reading.rules.len()), (0, 6));
    assert!(reading.rules.iter().all(|rule| rule.which.department.as_deref() == Some("0400")));
    let count = |test: &dyn Fn(&Which) -> bool| reading.rules.iter().filter(|rule| test(&rule.which)).count();
    assert_eq!(count(&|which| which.institution.as_deref() == Some("o")), 2);
    assert_eq!(count(&|which| which.encounter.as_deref() == Some("e")), 2);
    assert_eq!(count(&|which| which.record.is_some()), 2);
    assert_eq!(count(&|which| which.kind.as_deref() == Some("Condition")), 3);
}

#[test]
fn an_exception_is_within_its_root_and_before_it() {
    let reading = consent(
        r#"{"type":"permit","actor":[{"reference":{"reference":"Organization/a"}},{"reference":{"reference":"Organization/b"}}],
            "provision":[{"type":"deny","securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},
                         {"type":"deny","actor":[{"reference":{"reference":"Organization/b"}},{"reference":{"reference":"Organization/c"}}]},
                         {"type":"deny","actor":[{"reference":{"reference":"Organization/c"}}]}]}"#,
        "",
    );
    assert_eq!(reading.problems, []);
    let (roots, exceptions): (Vec<&Rule>, Vec<&Rule>) = reading.rules.iter().partition(|rule| rule.permit);
    assert_eq!((roots.len(), exceptions.len()), (2, 3));
    let rank = |rule: &Rule| (rule.specificity, rule.made);
    assert!(exceptions.iter().all(|rule| roots.iter().all(|root| rank(rule) > rank(root))));
    let askers: Vec<_> = exceptions.iter().map(|rule| rule.asker.as_deref().unwrap()).collect();
    assert_eq!(askers, ["a", "b", "b"], "the third is about nobody of the root's");
}

#[test]
fn normal_data_are_those_without_any_label() {
    let system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
    let reading =
        consent(&format!(r#"{{"type":"permit","securityLabel":[{{"system":"{system}","code":"N"}}]}}"#), "");
    assert_eq!((reading.rules[0].which.labels, reading.rules[0].which.without), (0, SENSITIVE));
}

/// A permission opens only what surely is meant, a prohibition closes what might be.
#[test]
fn dates_of_data_are_days_in_korea() {
    let period = r#""dataPeriod":{"start":"2022-01-01T12:00:00+09:00","end":"2022-12-31"}"#;
    let days = |kind: &str| {
        let reading = consent(&format!(r#"{{"type":"{kind}",{period}}}"#), "");
        (reading.rules[0].which.since.unwrap(), reading.rules[0].which.before.unwrap())
    };
    let day_of = |text| day(date::parse(text).unwrap().lo);
    assert_eq!(days("deny"), (day_of("2022-01-01"), day_of("2023-01-01")));
    assert_eq!(days("permit"), (day_of("2022-01-02"), day_of("2023-01-01")));
}

#[test]
fn what_cannot_be_enforced_opens_nothing_and_closes_more() {
    let unknown = r#"{"reference":{"reference":"Practitioner/d"}}"#;
    for (element, place) in [
        (format!(r#""actor":[{unknown}]"#), "Consent.provision.actor[0]"),
        (r#""purpose":[{"code":"TREAT"},{"code":"MARKETING"}]"#.to_owned(), "Consent.provision.purpose[1]"),
        (r#""securityLabel":[{"system":"s","code":"?"}]"#.to_owned(), "Consent.provision.securityLabel[0]"),
        (r#""class":[{"code":"Blood"}]"#.to_owned(), "Consent.provision.class[0]"),
        (
            r#""data":[{"meaning":"dependents","reference":{"reference":"Encounter/e"}}]"#.to_owned(),
            "Consent.provision.data[0]",
        ),
        (r#""code":[{}]"#.to_owned(), "Consent.provision.code"),
        (r#""action":[{}]"#.to_owned(), "Consent.provision.action"),
        (r#""modifierExtension":[{}]"#.to_owned(), "Consent.provision.modifierExtension"),
        (r#""period":{"start":"soon"}"#.to_owned(), "Consent.provision.period"),
        (r#""dataPeriod":{"end":"later"}"#.to_owned(), "Consent.provision.dataPeriod"),
    ] {
        let permit = consent(&format!(r#"{{"type":"permit",{element}}}"#), "");
        assert_eq!((permit.rules.len(), places(&permit)), (0, vec![place]), "{element}");
        let deny = consent(&format!(r#"{{"type":"deny",{element}}}"#), "");
        assert_eq!((deny.rules.len(), places(&deny)), (1, vec![place]), "{element}");
        assert_eq!(deny.rules[0].which, Which::default(), "{element}");
    }
}

#[test]
fn a_consent_that_nobody_gave_opens_nothing() {
    let given = |members: &str| {
        reading(&format!(
            r#"{{"resourceType":"Consent","status":"active","scope":{{"coding":[{{"code":"patient-privacy"}}]}},
                "patient":{{"reference":"Patient/p"}},{members}"provision":{{"type":"permit","provision":[{{"type":"deny","class":[{{"code":"Condition"}}]}}]}}}}"#
        ))
    };
    let when = r#""dateTime":"2026","#;
    for members in [
        "".to_owned(),
        when.to_owned(),
        format!(r#"{when}"performer":[{{"reference":"Patient/q"}}],"#),
        format!(r#"{when}"performer":[{{"reference":"Practitioner/p"}}],"#),
        r#""performer":[{"reference":"Patient/p"}],"#.to_owned(),
    ] {
        let reading = given(&members);
        assert!(!reading.problems.is_empty() && reading.rules.iter().all(|rule| !rule.permit), "{members}");
        assert_eq!(reading.rules.len(), 1, "its prohibitions hold: {members}");
    }
    let by = r#""performer":[{"reference":"RelatedPerson/r"}],"#;
    assert_eq!(given(&format!("{when}{by}")).rules.len(), 2, "somebody who represents the patient");
}

#[test]
fn too_many_combinations_open_nothing_and_close_everything() {
    let actors: Vec<String> = (0..300)
        .map(|number| format!(r#"{{"reference":{{"reference":"Organization/o{number}"}}}}"#))
        .collect();
    let provision = |kind: &str| format!(r#"{{"type":"{kind}","actor":[{}]}}"#, actors.join(","));
    assert!(consent(&provision("permit"), "").rules.is_empty());
    let deny = consent(&provision("deny"), "");
    assert!(deny.rules.len() == 1 && deny.rules[0].asker.is_none() && !deny.problems.is_empty());
}

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

fn label(system: &str, code: &str) -> String {
    format!(r#""securityLabel":[{{"system":"{system}","code":"{code}"}}]"#)
}

fn data(meaning: &str, reference: &str) -> String {
    format!(r#"{{"meaning":"{meaning}","reference":{{"reference":"{reference}"}}}}"#)
}

/// The rule of the only exception of a root.
fn exception(root: &str, exception: &str) -> Option<Rule> {
    let reading = consent(&format!(r#"{{{root},"provision":[{{{exception}}}]}}"#), "");
    assert_eq!(reading.problems, []);
    let root_is_permit = root.contains("permit");
    reading.rules.into_iter().find(|rule| rule.permit != root_is_permit)
}

#[test]
fn an_exception_narrows_the_data_of_its_root() {
    let of_o = format!(r#""type":"permit","data":[{}]"#, data("authoredby", "Organization/o"));
    let one = format!(r#""type":"deny","data":[{}]"#, data("instance", "Observation/1"));
    let which = exception(&of_o, &one).unwrap().which;
    assert_eq!(which.institution.as_deref(), Some("o"));
    assert_eq!(which.record, Some(("Observation".to_owned(), "1".to_owned())));
    let visit = format!(r#""type":"deny","data":[{}]"#, data("related", "Encounter/e"));
    let which = exception(&of_o, &visit).unwrap().which;
    assert_eq!((which.institution.as_deref(), which.encounter.as_deref()), (Some("o"), Some("e")));
    let other = format!(r#""type":"deny","data":[{}]"#, data("authoredby", "Organization/q"));
    assert_eq!(exception(&of_o, &other), None, "nothing is made by both");
}

#[test]
fn an_exception_narrows_the_labels_of_its_root() {
    let restricted = format!(r#""type":"permit",{}"#, label(CONFIDENTIALITY, "R"));
    let which =
        exception(&restricted, &format!(r#""type":"deny",{}"#, label(ACT_CODE, "PSY"))).unwrap().which;
    let both = label_mask(CONFIDENTIALITY, "R") | label_mask(ACT_CODE, "PSY");
    assert_eq!((which.labels, which.without), (both, 0));
    assert_eq!(exception(&restricted, &format!(r#""type":"deny",{}"#, label(CONFIDENTIALITY, "N"))), None);
}

/// Noon of a day is in the root: a prohibition within touches that day, a permission does not have it whole.
#[test]
fn an_exception_reads_the_dates_of_its_root_in_its_own_way() {
    let dates = r#""dataPeriod":{"start":"2026-01-01T12:00:00+09:00"}"#;
    let since = |root: &str, own: &str| {
        let root = format!(r#""type":"{root}",{dates}"#);
        exception(&root, &format!(r#""type":"{own}""#)).unwrap().which.since
    };
    let first = day(date::parse("2026-01-01").unwrap().lo);
    assert_eq!((since("permit", "deny"), since("deny", "permit")), (Some(first), Some(first + 1)));
}

#[test]
fn what_was_given_last_goes_before_an_older_exception_that_says_the_same() {
    let class = r#""class":[{"code":"Observation"}]"#;
    let older = exception(r#""type":"deny""#, &format!(r#""type":"permit",{class}"#)).unwrap();
    let newer = consent(&format!(r#"{{"type":"deny",{class}}}"#), "").rules.remove(0);
    assert_eq!(older.specificity, newer.specificity);
    assert_eq!(older.made, newer.made + 1, "before its own root, and not before what comes later");
}

#[test]
fn a_permission_holds_from_when_it_was_given() {
    let period = r#""period":{"start":"2020-01-01"}"#;
    let from = |kind: &str| consent(&format!(r#"{{"type":"{kind}",{period}}}"#), "").rules[0].from;
    assert_eq!(from("permit"), date::parse("2026-03-01T09:00:00+09:00").unwrap().lo);
    assert_eq!(from("deny"), date::parse("2020-01-01").unwrap().lo);
}

/// Each was once passed over, and what was meant to be narrow was wide.
#[test]
fn what_says_something_that_cannot_be_read_is_not_passed_over() {
    let url = DEPARTMENT;
    for (element, place) in [
        (
            format!(r#""extension":[{{"url":"{url}","valueString":"surgery"}}]"#),
            "Consent.provision.extension[0]",
        ),
        (r#""actor":[]"#.to_owned(), "Consent.provision.actor"),
        (
            r#""actor":[{"modifierExtension":[{}],"reference":{"reference":"Organization/o"}}]"#.to_owned(),
            "Consent.provision.actor[0]",
        ),
        (r#""purpose":[{"system":"urn:other","code":"TREAT"}]"#.to_owned(), "Consent.provision.purpose[0]"),
        (r#""class":[{"system":"urn:other","code":"Observation"}]"#.to_owned(), "Consent.provision.class[0]"),
        (r#""period":{"start":"2026-02-01","end":"2026-01-01"}"#.to_owned(), "Consent.provision.period"),
        (r#""dataPeriod":{"_start":{}}"#.to_owned(), "Consent.provision.dataPeriod"),
    ] {
        let permit = consent(&format!(r#"{{"type":"permit",{element}}}"#), "");
        assert_eq!((permit.rules.len(), places(&permit)), (0, vec![place]), "{element}");
        let deny = consent(&format!(r#"{{"type":"deny",{element}}}"#), "");
        assert_eq!((deny.rules.len(), &deny.rules[0].which), (1, &Which::default()), "{element}");
        assert_eq!((deny.rules[0].from, deny.rules[0].until), (i64::MIN, i64::MAX), "{element}");
    }
}

#[test]
fn a_third_level_makes_the_permission_above_it_void() {
    let third = r#""provision":[{"type":"deny","class":[{"code":"Condition"}]}]"#;
    let within =
        |kind: &str| consent(&format!(r#"{{"type":"deny","provision":[{{"type":"{kind}",{third}}}]}}"#), "");
    assert_eq!(places(&within("permit")), ["Consent.provision.provision[0].provision"]);
    assert!(within("permit").rules.iter().all(|rule| !rule.permit));
    assert_eq!(within("deny").rules.len(), 2);
}

#[test]
fn what_says_neither_permit_nor_deny_may_be_a_prohibition() {
    let class = r#""class":[{"code":"Condition"}]"#;
    let reading = consent(&format!(r#"{{"type":"permit","provision":[{{{class}}}]}}"#), "");
    assert_eq!(places(&reading), ["Consent.provision.provision[0].type"]);
    assert!(reading.rules.iter().any(|rule| !rule.permit && rule.which.kind.is_some()));
    let reading = consent(&format!(r#"{{"provision":[{{"type":"permit",{class}}}]}}"#), "");
    assert!(reading.rules.iter().all(|rule| !rule.permit));
}

/// An exception that is too long is still before its root, which is more specific than a rule about everything.
#[test]
fn an_exception_of_too_many_combinations_closes_what_its_root_opens() {
    let list = |count: usize| {
        let actors = (0..count).map(|at| format!(r#"{{"reference":{{"reference":"Organization/o{at}"}}}}"#));
        actors.collect::<Vec<_>>().join(",")
    };
    let data: Vec<String> = (0..20).map(|at| data("instance", &format!("Observation/{at}"))).collect();
    let reading = consent(
        &format!(
            r#"{{"type":"permit","actor":[{}],"provision":[{{"type":"deny","data":[{}]}}]}}"#,
            list(20),
            data.join(",")
        ),
        "",
    );
    let (roots, exceptions): (Vec<&Rule>, Vec<&Rule>) = reading.rules.iter().partition(|rule| rule.permit);
    assert_eq!((roots.len(), exceptions.len(), reading.problems.len()), (20, 20, 1));
    for (root, exception) in roots.iter().zip(exceptions) {
        assert_eq!((&root.asker, &root.which), (&exception.asker, &exception.which));
        assert!((exception.specificity, exception.made) > (root.specificity, root.made));
    }
}

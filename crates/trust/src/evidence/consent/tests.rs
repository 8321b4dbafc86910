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
    assert_eq!((rule.from, rule.until), (parsed("2026-03-01").lo, parsed("2027-02-28").hi));
    assert_eq!(rule.made, parsed("2026-03-01T09:00:00+09:00").lo);
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
    assert!(exceptions.iter().all(|rule| roots.iter().all(|root| rule.specificity > root.specificity)));
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

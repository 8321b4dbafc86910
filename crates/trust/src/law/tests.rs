//! The tables of the program, and directories laid over them.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

use super::asked::{self, FAMILIES, RULES, Shape};
use super::row::{Confidence, SUBJECTS, Unit, Value};
use super::{Law, LawError};

fn laid(files: &[(&str, &str)]) -> Result<Law, LawError> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    Law::with_overlay(directory.path())
}

fn row(id: &str, value: &str, rest: &str) -> String {
    format!(
        "[[row]]\nid = \"{id}\"\nlaw = \"법\"\narticle = \"§1\"\nvalue = {value}\n{rest}\nsource_ko = \"말\"\n\
         source_en = \"words\"\nconfidence = \"primary\"\n"
    )
}

#[test]
fn the_tables_of_the_program_are_right() {
    let law = Law::put_together(&[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(law, Law::built_in());
    assert!(law.rows().len() > 100);
    // Everything that is declared is asked of at least one row.
    for family in FAMILIES {
        assert!(law.rows().iter().any(|row| family.member(&row.id).is_some()), "{}", family.prefix);
    }
    for fact in asked::FACTS {
        assert!(law.rows().iter().any(|row| row.id == *fact), "{fact}");
    }
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
}

#[test]
fn every_row_has_the_subject_of_its_file() {
    for row in Law::built_in().rows() {
        let subjects: Vec<&str> =
            SUBJECTS.iter().filter(|subject| subject.holds(row)).map(|subject| subject.name).collect();
        assert_eq!(subjects, [row.file.strip_suffix(".toml").unwrap()], "{}", row.id);
    }
}

#[test]
fn rules_change_at_their_day() {
    let law = Law::built_in();
    let number = |rule, day| law.number(rule, day).map(|(number, _)| number);
    for (rule, day, expected) in [
        (&asked::OWN_CONSENT, date(1990, 1, 1), Some(14)),
        (&asked::CHILD_ISSUANCE, date(2026, 3, 30), Some(14)),
        (&asked::CHILD_ISSUANCE, date(2026, 3, 31), Some(19)),
        (&asked::TRANSFER_LOG, date(2026, 2, 18), None),
        (&asked::TRANSFER_LOG, date(2026, 2, 19), Some(3)),
        (&asked::SENDING, date(2026, 11, 28), Some(5)),
    ] {
        assert_eq!(number(rule, day), expected, "{} on {day}", rule.id);
    }
    for (id, before, from) in [
        ("requester.20", date(2026, 4, 6), date(2026, 4, 7)),
        ("breach.kind.forgery", date(2026, 9, 10), date(2026, 9, 11)),
        ("breach.kind.possible", date(2026, 9, 10), date(2026, 9, 11)),
        (asked::TELEMEDICINE, date(2026, 12, 23), date(2026, 12, 24)),
    ] {
        assert!(law.at(id, before).is_none() && law.at(id, from).is_some(), "{id}");
    }
}

#[test]
fn the_closed_list_is_closed() {
    let law = Law::built_in();
    let items = |day| {
        law.family(&asked::REQUESTER, day).map(|row| row.word("item").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before: Vec<&str> =
        "1 2 3 4 5 6 6의2 7 8 9 10 11 12 13 14 14의2 14의3 14의4 15 16 17 18 19".split(' ').collect();
    assert_eq!(items(date(2026, 4, 6)), before);
    assert_eq!(items(date(2026, 4, 7)), [before, vec!["20"]].concat());
    assert!(law.member(&asked::REQUESTER, "21", date(2026, 4, 7)).is_none());
}

#[test]
fn a_directory_changes_the_law_without_a_release() {
    let day = "valid_from = 2027-01-01";
    let ended = row("age.own-consent", "14", "unit = \"age\"\nvalid_to = 2026-12-31");
    let new = row("age.own-consent", "13", &format!("unit = \"age\"\n{day}"));
    let member = row("requester.21", "{ item = \"21\", requester = \"x\", basis = \"법 §1\" }", day);
    let law = laid(&[("b.toml", &new), ("a.toml", &format!("{ended}{member}")), ("notes.txt", "no table")])
        .unwrap();
    let own = |day: Date| law.always(&asked::OWN_CONSENT, day).0;
    assert_eq!((own(date(2026, 12, 31)), own(date(2027, 1, 1))), (14, 13));
    assert!(law.member(&asked::REQUESTER, "21", date(2027, 1, 1)).is_some());
    assert_eq!(law.rows().len(), Law::built_in().rows().len() + 2);
    assert_eq!(laid(&[]).unwrap(), Law::built_in());
}

#[test]
fn faults_are_told_with_file_line_and_remedy() {
    let unit = "unit = \"age\"";
    let years = "unit = \"years\"";
    for (text, problem) in [
        (row("age.own-consent", "14", "unit = \"days\""), "must be a number of age"),
        (row("age.own-consent", "\"14\"", ""), "no known form"),
        (row("age.own-consent", "0", unit), "too small"),
        (row("age.own-consent", "14.5", unit), "no known form"),
        (row("age.own-consnt", "14", unit), "no part of the program asks"),
        (row("age.own-consent", "13", "unit = \"age\"\nvalid_from = 2027-01-01"), "overlaps"),
        (
            row("age.own-consent", "14", "unit = \"age\"\nvalid_to = 2026-12-31"),
            "no row holds from 2027-01-01",
        ),
        (
            row("transfer.log", "3", "unit = \"years\"\nvalid_from = 2026-02-19\nvalid_to = 2026-02-18"),
            "before it begins",
        ),
        (row("transfer.log", "3", "unit = \"years\"\nvalid_from = \"2026-02-19\""), "cannot be read"),
        (row("transfer.log", "3", "unit = \"years\"\nvalid_from = 2026-02-19T00:00:00"), "not a day"),
        (row("transfer.log", "3", "unit = \"years\"\nvalid_from = 2026-02-31"), "cannot be read"),
        (row("retention.chart", "10", &format!("{years}\nnote = 1")), "cannot be read"),
        (row("telemedicine.act", "false", "valid_from = 2026-12-24"), "does not hold"),
        (row("telemedicine.act", "3", "valid_from = 2026-12-24\nunit = \"days\""), "must be true"),
        (row("kin.spouse", "{ nearer = \"some\" }", ""), "must be one of any, none"),
        (row("kin.spouse", "{ near = \"any\" }", ""), "the word near is unknown"),
        (row("kin.spouse", "{}", ""), "the word nearer is missing"),
        (row("requester.4", "{ item = \"5\", requester = \"x\", basis = \"y\" }", ""), "the id's own end, 4"),
        (row("hidden-from.proxies", "{ labels = \"PSY X\" }", ""), "labels that this hub knows"),
        (
            row(
                "document.agent.consent-form",
                "{ document = \"consent-form\", waived_below = \"age.x\" }",
                "",
            ),
            "the id of an age",
        ),
        (row("retention.chart", "10", years).repeat(2), "stand twice"),
        (row("retention.chart", "10", years).replace("\"§1\"", "\"\""), "article is empty"),
        (row("retention.chart", "10", years).replace("primary", "certain"), "cannot be read"),
        (row("age.own-consent", "14", unit).replace("primary", "unconfirmed"), "unconfirmed"),
        ("[[row]\n".to_owned(), "cannot be read"),
    ] {
        let error = laid(&[("x.toml", &format!("# A comment.\n\n{text}"))]).unwrap_err().to_string();
        assert!(error.contains(problem), "{problem}: {error}");
        let place = match problem {
            "stand twice" => "/x.toml, line 12: retention.chart: ",
            "no row holds from 2027-01-01" => "the tables together: age.own-consent: ",
            // The line of the fault itself, in a row that cannot be read.
            "cannot be read" => "/x.toml, line ",
            _ => "/x.toml, line 3: ",
        };
        assert!(error.contains(place) && error.contains("; "), "{error}");
    }
}

#[test]
fn what_is_unconfirmed_is_taken_where_it_decides_nothing_alone() {
    let law = Law::built_in();
    let rests = |id: &str| RULES.iter().any(|rule| rule.id == id && rule.decides);
    for row in law.rows() {
        assert!(row.confidence.decides() || !rests(&row.id), "{}", row.id);
    }
    let capable = row("age.capable-child", "12", "unit = \"age\"").replace("primary", "unconfirmed");
    let law = laid(&[("x.toml", &capable)]).unwrap();
    assert_eq!(law.always(&asked::CAPABLE_CHILD, date(2026, 1, 1)).0, 12);
}

#[test]
fn directories_are_bounded() {
    let large = "#".repeat((1 << 20) + 1);
    assert!(matches!(laid(&[("x.toml", &large)]), Err(LawError::TooLarge { .. })));
    let names: Vec<String> = (0..65).map(|number| format!("{number}.toml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert!(matches!(laid(&files), Err(LawError::TooMany { .. })));
    assert!(laid(&files[..64]).is_ok());
    assert!(matches!(Law::with_overlay(std::path::Path::new("/nowhere/law")), Err(LawError::Io { .. })));
    let rows: String = (0..40).map(|_| row("age.own-consnt", "14", "unit = \"age\"")).collect();
    assert!(laid(&[("x.toml", &rows)]).unwrap_err().to_string().lines().count() < 25);
}

#[test]
fn project_defaults_say_that_they_are_no_law() {
    for row in Law::built_in().rows() {
        assert_eq!(row.confidence == Confidence::Project, row.law == "이음 기본값", "{}", row.id);
    }
}

#[test]
fn retention_is_that_of_the_handbook() {
    let law = Law::built_in();
    let years: Vec<u32> = law
        .family(&asked::RETENTION, date(2026, 11, 28))
        .filter(|row| row.id != asked::EXTENSIONS.id)
        .map(|row| row.number().unwrap())
        .collect();
    assert_eq!(years, [5, 10, 2, 10, 5, 5, 5, 5, 3, 2, 5, 3, 1, 5]);
    assert!(matches!(asked::RETENTION.shape, Shape::Number(Unit::Years)));
    assert!(law.rows().iter().any(|row| row.value == Value::Holds(true)));
}

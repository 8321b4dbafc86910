//! Values: what each type of parameter makes of them, and what that matches.

use ieum_fhir::date;
use ieum_fhir::decimal::SortKey;
use ieum_fhir::index::{IndexValue, NumberRange, Target, TimeRange};
use ieum_fhir::search::{Filter, ReferenceTest, Test, passes};

use super::{NOW, SearchProblem, filter, problem, tests, token};

fn text(value: &str) -> IndexValue<'_> {
    IndexValue::String(value.into())
}

fn any_passes(tests: &[Test], value: &IndexValue<'_>) -> bool {
    tests.iter().any(|test| passes(test, value))
}

#[test]
fn tokens() {
    let values = [
        token(Some("s"), Some("a")),
        token(None, Some("a")),
        token(Some("s"), Some("b")),
        token(Some("s"), None),
    ];
    for (value, expected) in [
        ("a", [true, true, false, false]),
        ("s|a", [true, false, false, false]),
        ("|a", [false, true, false, false]),
        ("s|", [true, false, true, true]),
        ("a,b", [true, true, true, false]),
        ("A", [false; 4]),
        ("t|a", [false; 4]),
    ] {
        let tests = tests("Observation", "code", value);
        assert_eq!(values.each_ref().map(|found| any_passes(&tests, found)), expected, "{value}");
    }
    for (value, code) in [
        (r"a\,b", "a,b"),
        (r"a\|b", "a|b"),
        (r"a\$b", "a$b"),
        (r"a\\b", r"a\b"),
        (r"a\b", r"a\b"),
        (r"a\", r"a\"),
        ("12 3", "12 3"),
    ] {
        assert!(any_passes(&tests("Patient", "identifier", value), &token(None, Some(code))), "{value}");
    }
    assert!(any_passes(
        &tests("Patient", "identifier", r"http://s\|x|v"),
        &token(Some("http://s|x"), Some("v"))
    ));
    assert_eq!(problem("Patient", "identifier", "|"), SearchProblem::BadValue);
    assert!(
        matches!(filter("Patient", "gender:not", "male,female"), Filter::None { tests, .. } if tests.len() == 2)
    );
    assert!(any_passes(&tests("Patient", "active", "true"), &token(None, Some("true"))));
}

#[test]
fn strings() {
    for (name, value, found, expected) in [
        ("name", "kim", "KIM Minsu", true),
        ("name", "minsu", "Kim Minsu", false),
        ("name:contains", "minsu", "Kim Minsu", true),
        ("name:exact", "Kim", "Kim", true),
        ("name:exact", "kim", "Kim", false),
        ("name:exact", "Kim", "Kim Minsu", false),
        ("name", "perez", "Pérez", true),
        ("name:exact", "Pe\u{301}rez", "P\u{e9}rez", true),
        ("name", "ㄱㅁㅅ", "김민수", true),
        ("name", "김ㅁ", "김민수", true),
        ("name", "\u{1100}\u{1175}\u{11b7}", "김민수", true),
        ("name", "남궁", "남궁민", true),
        ("name", r"a\,b", "A,B", true),
        ("name", "李", "李舜臣", true),
    ] {
        assert_eq!(
            any_passes(&tests("Patient", name, value), &text(found)),
            expected,
            "{name}={value} on {found}"
        );
    }
    assert_eq!(problem("Patient", "name", " "), SearchProblem::EmptyValue);
    assert_eq!(problem("Patient", "name", "\u{301}"), SearchProblem::BadValue);
}

fn date_value(text: &str) -> IndexValue<'static> {
    IndexValue::Date(date::parse(text).unwrap())
}

#[test]
fn dates() {
    for (value, found, expected) in [
        ("2026-03-01", "2026-03-01T10:00:00+09:00", true),
        ("2026-03-01", "2026-02-28T15:00:00Z", true),
        ("2026-03-01", "2026-03-01T15:00:00Z", false),
        ("2026-03", "2026-03-01", true),
        ("2026-03-01", "2026-03", false),
        ("ne2026-03-01", "2026-03", true),
        ("ne2026-03-01", "2026-03-01", false),
        ("gt2026-03-01", "2026-03", true),
        ("gt2026-03-01", "2026-03-01", false),
        ("lt2026-03-01", "2026-02-28", true),
        ("lt2026-03-01", "2026-03-01", false),
        ("ge2026-03-01", "2026-03-01", true),
        ("ge2026-03-01", "2026-02-28", false),
        ("le2026-03-01", "2026-03-01", true),
        ("sa2026-03-01", "2026-03-02", true),
        ("sa2026-03-01", "2026-03", false),
        ("eb2026-03-01", "2026-02-28", true),
        ("eb2026-03-01", "2026-02", true),
        ("eb2026-03-01", "2026", false),
        ("2026-03-01T10:00", "2026-03-01T01:00:59Z", true),
        ("2026-03-01T10:00:00+09:00", "2026-03-01T01:00:00Z", true),
        ("2026-03-01T10:00:00 09:00", "2026-03-01T01:00:00Z", true),
        ("1988-07-01", "1988-06-30T14:00:00Z", true),
        ("2024-02-29", "2024-02-29", true),
    ] {
        assert_eq!(
            any_passes(&tests("Observation", "date", value), &date_value(found)),
            expected,
            "{value} on {found}"
        );
    }
    let open = |lo, hi| IndexValue::Date(TimeRange { lo, hi });
    let from = date::parse("2026-03-01").unwrap();
    for (value, expected) in
        [("gt2030", true), ("sa2020", true), ("lt2026", false), ("eb2030", false), ("2026", false)]
    {
        assert_eq!(
            any_passes(&tests("Encounter", "date", value), &open(from.lo, i64::MAX)),
            expected,
            "{value}"
        );
    }
    let Test::Date(near) = &tests("Observation", "date", "ap2025-01-01")[0] else { panic!("no date") };
    assert_eq!(near.range, date::approximate(date::parse("2025-01-01").unwrap(), NOW));
    for value in ["tomorrow", "2026-02-30", "2026-03-01T24:00:00", "xx2026", "gt", "2026-03-01T10"] {
        assert_eq!(problem("Observation", "date", value), SearchProblem::BadValue, "{value}");
    }
}

fn range(lo: &str, hi: &str) -> NumberRange {
    NumberRange { lo: SortKey::of(lo).unwrap(), hi: SortKey::of(hi).unwrap() }
}

#[test]
fn numbers() {
    for (value, found, expected) in [
        ("100", "100.4999", true),
        ("100", "100.5", false),
        ("100", "99.5", true),
        ("100.00", "100.004", true),
        ("100.00", "100.005", false),
        ("1e2", "95", true),
        ("1e2", "105", false),
        ("0.10", "0.1", true),
        ("gt0.8", "0.80", false),
        ("ge0.8", "0.80", true),
        ("lt0.8", "0.79999999999999999999", true),
        ("ne100", "100", false),
        ("ne100", "101", true),
        ("ap100", "90", true),
        ("ap100", "111", false),
        ("123456789012345678", "123456789012345678", true),
        ("gt123456789012345678", "123456789012345679", true),
        ("sa5", "5", false),
        ("eb5", "4", true),
    ] {
        let value_found = IndexValue::Number(range(found, found));
        assert_eq!(
            any_passes(&tests("RiskAssessment", "probability", value), &value_found),
            expected,
            "{value} on {found}"
        );
    }
    for value in ["five", "1,2x", "0x10", "1e99999", "+5"] {
        assert_eq!(problem("RiskAssessment", "probability", value), SearchProblem::BadValue, "{value}");
    }
}

#[test]
fn quantities() {
    let of = |lo: SortKey, hi: SortKey| IndexValue::Quantity {
        system: Some("ucum".into()),
        code: Some("mg".into()),
        unit: Some("밀리그램".into()),
        range: NumberRange { lo, hi },
    };
    let five = || SortKey::of("5").unwrap();
    let exact = of(five(), five());
    for (value, expected) in [
        ("5", true),
        ("5|ucum|mg", true),
        ("5|ucum|g", false),
        ("5||mg", true),
        ("5||밀리그램", true),
        ("5||g", false),
        ("gt4|ucum|mg", true),
        ("5.4", false),
    ] {
        assert_eq!(any_passes(&tests("Observation", "value-quantity", value), &exact), expected, "{value}");
    }
    let below_five = of(SortKey::minus_infinity(), five().just_below());
    for (value, expected) in
        [("lt5", true), ("le5", true), ("5", false), ("ge5", false), ("gt4.9999", true), ("lt1", true)]
    {
        assert_eq!(
            any_passes(&tests("Observation", "value-quantity", value), &below_five),
            expected,
            "{value} on <5"
        );
    }
    for value in ["5|mg", "5|ucum|", "|ucum|mg", "5|a|b|c", "mg"] {
        assert_eq!(problem("Observation", "value-quantity", value), SearchProblem::BadValue, "{value}");
    }
}

#[test]
fn references() {
    let local = |kind: &str, id: &str| ReferenceTest::Local { kind: kind.into(), id: id.into() };
    let asked = |name, value| match tests("Observation", name, value).remove(0) {
        Test::Reference(test) => test,
        other => panic!("{other:?}"),
    };
    for (name, value, expected) in [
        ("subject", "Patient/1", local("Patient", "1")),
        ("subject", "Patient/1/_history/3", local("Patient", "1")),
        ("subject", "https://hub.example/fhir/Patient/1", local("Patient", "1")),
        (
            "subject",
            "https://else.example/Patient/1",
            ReferenceTest::Url("https://else.example/Patient/1".into()),
        ),
        ("subject", "urn:uuid:1", ReferenceTest::Url("urn:uuid:1".into())),
        ("subject:Patient", "1", local("Patient", "1")),
        ("subject:Patient", "Patient/1", local("Patient", "1")),
        ("specimen", "1", local("Specimen", "1")),
    ] {
        assert_eq!(asked(name, value), expected, "{name}={value}");
    }
    let ReferenceTest::Id { kinds, id } = asked("subject", "1") else { panic!("not by id") };
    assert_eq!((kinds.join(" "), &*id), ("Device Group Location Patient".into(), "1"));
    let found =
        |kind: &str| IndexValue::Reference(Target::Local { kind: kind.to_owned().into(), id: "1".into() });
    assert!(any_passes(&tests("Observation", "subject", "1"), &found("Patient")));
    assert!(!any_passes(&tests("Observation", "subject", "1"), &found("Practitioner")));
    for (name, value, expected) in [
        ("subject", "Nonsense/1", SearchProblem::BadValue),
        ("subject", "Patient/bad id", SearchProblem::BadValue),
        ("subject:Patient", "Group/1", SearchProblem::BadValue),
        ("subject:Practitioner", "1", SearchProblem::BadValue),
        ("subject:identifier", "|", SearchProblem::BadValue),
        ("subject", "Patient/1|2", SearchProblem::BadValue),
        ("subject", "http://q|", SearchProblem::BadValue),
    ] {
        assert_eq!(problem("Observation", name, value), expected, "{name}={value}");
    }
    let canonical = tests("QuestionnaireResponse", "questionnaire", "http://q|1.0");
    assert_eq!(canonical, [Test::Reference(ReferenceTest::Url("http://q|1.0".into()))]);
}

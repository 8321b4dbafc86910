use super::*;

fn day(text: &str) -> civil::Date {
    text.parse().expect("a date of the table")
}

#[test]
fn ages_follow_the_civil_act() {
    // birth, event, years, months
    for (birth, event, years, months) in [
        ("1990-05-10", "2026-05-09", 35, 11),
        ("1990-05-10", "2026-05-10", 36, 0),
        ("2007-11-23", "2026-11-22", 18, 11),
        ("2007-11-23", "2026-11-23", 19, 0),
        // 29 February: 1 March in common years, 29 February in leap years.
        ("2000-02-29", "2001-02-28", 0, 11),
        ("2000-02-29", "2001-03-01", 1, 0),
        ("2000-02-29", "2004-02-28", 3, 11),
        ("2000-02-29", "2004-02-29", 4, 0),
        ("2000-02-29", "2019-02-28", 18, 11),
        ("2000-02-29", "2019-03-01", 19, 0),
        ("2026-01-31", "2026-02-28", 0, 0),
        ("2026-01-31", "2026-03-01", 0, 1),
        ("2025-12-31", "2026-01-01", 0, 0),
        ("1900-01-01", "2026-01-01", 126, 0),
    ] {
        let age = age(day(birth), day(event)).expect("after birth");
        assert_eq!((age.years, age.months), (years, months), "{birth} {event}");
    }
    assert_eq!(age(day("2026-01-02"), day("2026-01-01")), None);
}

#[test]
fn ages_are_written_in_the_unit_that_fits() {
    for (birth, event, ko, en) in [
        ("2026-03-01", "2026-03-01", "생후 0일", "0 days"),
        ("2026-03-01", "2026-03-02", "생후 1일", "1 day"),
        ("2026-03-01", "2026-08-15", "생후 5개월", "5 months"),
        ("2025-03-01", "2026-03-01", "만 1세", "1 year"),
        ("1950-06-25", "2026-03-01", "만 75세", "75 years"),
    ] {
        let age = age(day(birth), day(event)).expect("after birth");
        assert_eq!((age_text(age, Lang::Ko), age_text(age, Lang::En)), (ko.to_owned(), en.to_owned()));
    }
}

#[test]
fn fhir_dates_of_every_precision_are_shown_in_korean_time() {
    for (text, ko, en) in [
        ("2026", "2026년", "2026"),
        ("2026-03", "2026년 3월", "2026-03"),
        ("2026-03-01", "2026년 3월 1일", "2026-03-01"),
        ("2026-02-28T23:30:00Z", "2026년 3월 1일 오전 8:30", "2026-03-01 08:30 KST"),
        ("2026-03-01T12:05:00+09:00", "2026년 3월 1일 오후 12:05", "2026-03-01 12:05 KST"),
        ("2026-03-01T00:05:00", "2026년 3월 1일 오전 12:05", "2026-03-01 00:05 KST"),
        ("2026-13-01", "2026-13-01", "2026-13-01"),
        ("", "", ""),
        ("<b>", "<b>", "<b>"),
        ("年年", "年年", "年年"),
    ] {
        assert_eq!(
            (fhir_date(text, Lang::Ko), fhir_date(text, Lang::En)),
            (ko.to_owned(), en.to_owned()),
            "{text}"
        );
    }
    assert_eq!(fhir_day("2026-02-28T23:30:00Z"), Some(day("2026-03-01")));
    assert_eq!(fhir_day("2026-02-28"), Some(day("2026-02-28")));
    assert_eq!(fhir_day("2026-02"), None);
}

#[test]
fn numbers_are_grouped_and_keep_no_empty_decimals() {
    for (number, places, expected) in [
        (0.0, 2, "0"),
        (-0.001, 2, "0"),
        (1234.5, 2, "1,234.5"),
        (-1_234_567.0, 0, "-1,234,567"),
        (6.10, 2, "6.1"),
        (f64::NAN, 1, "–"),
        (f64::INFINITY, 1, "–"),
    ] {
        assert_eq!(decimal(number, places), expected);
    }
    assert_eq!(integer(1_234_567), "1,234,567");
    assert_eq!(integer(999), "999");
    assert_eq!(bytes(512), "512 B");
    assert_eq!(bytes(1_572_864), "1.5 MiB");
    assert_eq!(duration(7_505, Lang::Ko), "2시간 5분");
    assert_eq!(duration(65, Lang::En), "1 min 5 s");
}

#[test]
fn phone_numbers_show_their_ends_only() {
    for (number, expected) in [
        ("010-1234-5678", "010-****-5678"),
        ("02-345-6789", "02-***-6789"),
        ("01012345678", "*******5678"),
        ("+82-10-1234-5678", "+82-**-****-5678"),
        ("119", "***"),
        ("", ""),
    ] {
        assert_eq!(phone_masked(number), expected, "{number}");
    }
}

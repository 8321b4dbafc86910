//! Dates: every precision, Korea's clocks, open ends.

use ieum_fhir::date::{self, DateError, parse};
use ieum_fhir::index::TimeRange;
use ieum_fhir::json::{Document, Limits};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_microsecond()
}

fn between(lo: &str, hi: &str) -> TimeRange {
    TimeRange { lo: at(lo), hi: at(hi) }
}

#[test]
fn every_precision() {
    for (text, lo, hi) in [
        ("2026", "2026-01-01T00:00:00+09:00", "2027-01-01T00:00:00+09:00"),
        ("2026-02", "2026-02-01T00:00:00+09:00", "2026-03-01T00:00:00+09:00"),
        ("2026-12", "2026-12-01T00:00:00+09:00", "2027-01-01T00:00:00+09:00"),
        ("2024-02-29", "2024-02-29T00:00:00+09:00", "2024-03-01T00:00:00+09:00"),
        ("2026-03-01T10:00", "2026-03-01T10:00:00+09:00", "2026-03-01T10:01:00+09:00"),
        ("2026-03-01T10:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:01:00Z"),
        ("2026-03-01T10:00:00", "2026-03-01T01:00:00Z", "2026-03-01T01:00:01Z"),
        ("2026-03-01T10:00:00-05:30", "2026-03-01T15:30:00Z", "2026-03-01T15:30:01Z"),
        ("2026-03-01T10:00:00.5Z", "2026-03-01T10:00:00.5Z", "2026-03-01T10:00:00.6Z"),
        ("2026-03-01T10:00:00.123Z", "2026-03-01T10:00:00.123Z", "2026-03-01T10:00:00.124Z"),
        ("2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:00.123456Z", "2026-03-01T10:00:00.123457Z"),
        // A leap second stays in its day.
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"),
    ] {
        assert_eq!(parse(text), Ok(between(lo, hi)), "{text}");
    }
}

#[test]
fn korean_clocks() {
    for (text, lo, hi) in [
        // Summer time from 1987-05-10 and 1988-05-08, to 1987-10-11 and 1988-10-09.
        ("1987-07-01", "1987-06-30T14:00:00Z", "1987-07-01T14:00:00Z"),
        ("1988-05-08", "1988-05-07T15:00:00Z", "1988-05-08T14:00:00Z"),
        ("1988-10-09", "1988-10-08T14:00:00Z", "1988-10-09T15:00:00Z"),
        ("1988-07", "1988-06-30T14:00:00Z", "1988-07-31T14:00:00Z"),
        // Shown twice: the earlier. Skipped: moved on.
        ("1988-10-09T02:30:00", "1988-10-08T16:30:00Z", "1988-10-08T16:30:01Z"),
        ("1988-05-08T02:30:00", "1988-05-07T17:30:00Z", "1988-05-07T17:30:01Z"),
        // Half an hour nearer to Greenwich from 1954 to 1961.
        ("1956-02-01", "1956-01-31T15:30:00Z", "1956-02-01T15:30:00Z"),
        ("1910-01-01", "1909-12-31T15:30:00Z", "1910-01-01T15:30:00Z"),
    ] {
        assert_eq!(parse(text), Ok(between(lo, hi)), "{text}");
    }
    // A day in Korea is not the same day in UTC.
    let day = parse("2026-03-01").unwrap();
    assert!(parse("2026-02-28T15:00:00Z").unwrap().lo == day.lo);
    assert!(parse("2026-03-01T15:00:00Z").unwrap().lo == day.hi);
}

#[test]
fn the_ends_of_the_calendar() {
    for text in
        ["0001", "0001-01", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999", "9999-12", "9999-12-31"]
    {
        let range = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(range.lo < range.hi, "{text}");
    }
    assert_eq!(parse("9999-12-31").unwrap().hi, parse("9999").unwrap().hi);
    assert_eq!(parse("9999-12-31").unwrap().hi - parse("9999-12-31").unwrap().lo, DAY);
}

#[test]
fn what_is_no_date_is_refused() {
    use DateError::{NoSuchDay, NoSuchTime, Syntax};
    for (text, error) in [
        ("", Syntax),
        ("26", Syntax),
        ("2026-", Syntax),
        ("2026-3-1", Syntax),
        ("20260301", Syntax),
        ("2026-03-01T", Syntax),
        ("2026-03-01T10", Syntax),
        ("2026-03-01 10:00:00", Syntax),
        ("2026-03-01T10:00:00.", Syntax),
        ("2026-03-01T10:00:00Zx", Syntax),
        ("2026-03-01T10:00:00+0900", Syntax),
        ("2026-03-01Z", Syntax),
        ("２０２６", Syntax),
        ("0000", NoSuchDay),
        ("2026-13", NoSuchDay),
        ("2026-00", NoSuchDay),
        ("2026-02-29", NoSuchDay),
        ("1900-02-29", NoSuchDay),
        ("2026-04-31", NoSuchDay),
        ("2026-04-00", NoSuchDay),
        ("2026-03-01T24:00:00", NoSuchTime),
        ("2026-03-01T23:60:00", NoSuchTime),
        ("2026-03-01T23:59:61", NoSuchTime),
        ("2026-03-01T10:00:00+14:01", NoSuchTime),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn times_of_day() {
    assert_eq!(
        date::parse_time("15:04"),
        Ok(TimeRange { lo: 15 * HOUR + 240 * SECOND, hi: 15 * HOUR + 300 * SECOND })
    );
    assert_eq!(date::parse_time("00:00:00.5"), Ok(TimeRange { lo: SECOND / 2, hi: SECOND / 10 * 6 }));
    assert_eq!(date::parse_time("24:00:00"), Err(DateError::NoSuchTime));
    assert_eq!(date::parse_time("15:04Z"), Err(DateError::Syntax));
}

fn of_json(json: &str, read: fn(ieum_fhir::json::Value<'_>) -> Option<TimeRange>) -> Option<TimeRange> {
    read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
}

#[test]
fn periods() {
    let day = parse("2026-03-01").unwrap();
    for (json, expected) in [
        (r#"{"start":"2026-03-01","end":"2026-03-01"}"#, Some(day)),
        (r#"{"start":"2026-03-01"}"#, Some(TimeRange { hi: i64::MAX, ..day })),
        (r#"{"end":"2026-03-01"}"#, Some(TimeRange { lo: i64::MIN, ..day })),
        (r#"{"start":"2026-03-01","end":"2020"}"#, Some(day)),
        (r#"{"start":"nonsense"}"#, None),
        (r#"{}"#, None),
        (r#""2026-03-01""#, None),
    ] {
        assert_eq!(of_json(json, date::period), expected, "{json}");
    }
}

#[test]
fn timings() {
    let (first, last) = (parse("2026-03-01").unwrap(), parse("2026-03-09").unwrap());
    for (json, expected) in [
        (r#"{"event":["2026-03-09","2026-03-01"]}"#, Some(TimeRange { lo: first.lo, hi: last.hi })),
        (
            r#"{"repeat":{"boundsPeriod":{"start":"2026-03-01"}}}"#,
            Some(TimeRange { lo: first.lo, hi: i64::MAX }),
        ),
        (
            r#"{"event":["2026-03-01"],"repeat":{"boundsPeriod":{"end":"2026-03-09"}}}"#,
            Some(TimeRange { lo: i64::MIN, hi: last.hi }),
        ),
        (r#"{"repeat":{"frequency":3}}"#, None),
        (r#"{"event":[null]}"#, None),
    ] {
        assert_eq!(of_json(json, date::timing), expected, "{json}");
    }
}

#[test]
fn approximately_widens_by_a_tenth_of_the_gap() {
    let range = TimeRange { lo: 1_000, hi: 2_000 };
    assert_eq!(date::approximate(range, 12_000), TimeRange { lo: 0, hi: 3_000 });
    assert_eq!(date::approximate(range, -9_000), TimeRange { lo: 0, hi: 3_000 });
    assert_eq!(date::approximate(range, 1_500), range);
    let open = TimeRange { lo: i64::MIN, hi: i64::MAX };
    assert_eq!(date::approximate(open, i64::MAX), open);
    assert_eq!(date::approximate(TimeRange { lo: i64::MIN, hi: i64::MIN }, i64::MAX).lo, i64::MIN);
}

#[test]
fn instants_are_written_in_korean_time() {
    for (instant, text) in [
        ("2026-11-23T06:04:05.123456Z", "2026-11-23T15:04:05.123456+09:00"),
        ("2026-12-31T15:00:00Z", "2027-01-01T00:00:00.000000+09:00"),
        ("1988-07-01T00:00:00Z", "1988-07-01T10:00:00.000000+10:00"),
        ("1956-02-01T00:00:00Z", "1956-02-01T08:30:00.000000+08:30"),
    ] {
        assert_eq!(date::format_instant(at(instant)), text);
    }
    for extreme in [i64::MIN, i64::MAX] {
        assert!(parse(&date::format_instant(extreme)).is_ok(), "{}", date::format_instant(extreme));
    }
}

proptest! {
    #[test]
    fn what_we_write_we_read(micros in at("0001-01-03T00:00:00Z")..at("9999-12-30T00:00:00Z")) {
        let range = parse(&date::format_instant(micros)).unwrap();
        prop_assert_eq!(range, TimeRange { lo: micros, hi: micros + 1 });
    }

    #[test]
    fn agrees_with_jiff_on_civil_days(day in -719_000_i32..2_932_000) {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        let zone = jiff::tz::TimeZoneDatabase::bundled().get("Asia/Seoul").unwrap();
        let start = date.to_zoned(zone).unwrap().timestamp().as_microsecond();
        let range = parse(&date.to_string()).unwrap();
        prop_assert_eq!(range.lo, start);
        prop_assert_eq!(range.hi, parse(&date.tomorrow().unwrap().to_string()).unwrap().lo);
    }

    // threat: 20
    #[test]
    fn nothing_panics(text in "[0-9T:Z.+-]{0,30}|\\PC{0,20}") {
        if let Ok(range) = parse(&text) {
            prop_assert!(range.lo < range.hi);
        }
        let _ = date::parse_time(&text);
    }
}

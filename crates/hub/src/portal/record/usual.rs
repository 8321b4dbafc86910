//! What is customary for a grown-up's vital signs. Few records state a range with them, and a fever without a mark
//! beside results with one would read as none.
//!
//! Only what lies outside is marked, never "in range": that a value is good is for those to say who know the patient.
//! Children's limits change with age, so their values are not judged.

use ieum_ui::chart::{Point, Range, Verdict};
use ieum_ui::{Lang, format};
use jiff::civil::Date;

use super::measured::plain_unit;
use super::observation::{LOINC, Observation};

/// From this age on.
const GROWN_YEARS: i16 = 18;
/// Systolic and diastolic pressure from which it is high, as the Korean Society of Hypertension draws it at the doctor's.
pub(crate) const HIGH_PRESSURE: (f64, f64) = (140.0, 90.0);
/// Systolic pressure below which it is low.
const LOW_PRESSURE: f64 = 90.0;

/// The limits of one vital sign.
struct Limits {
    loinc: &'static [&'static str],
    unit: &'static str,
    low: f64,
    high: Option<f64>,
    /// What charts always show.
    span: (f64, f64),
    ko: &'static str,
    en: &'static str,
}

static LIMITS: [Limits; 4] = [
    Limits {
        loinc: &["8867-4"],
        unit: "/min",
        low: 60.0,
        high: Some(100.0),
        span: (40.0, 120.0),
        ko: "맥박 60–100회/분",
        en: "heart rate 60-100/min",
    },
    Limits {
        loinc: &["8310-5"],
        unit: "℃",
        low: 36.0,
        high: Some(37.5),
        span: (35.0, 39.0),
        ko: "체온 36.0–37.5℃",
        en: "temperature 36.0-37.5 C",
    },
    Limits {
        loinc: &["9279-1"],
        unit: "/min",
        low: 12.0,
        high: Some(20.0),
        span: (8.0, 28.0),
        ko: "호흡수 12–20회/분",
        en: "respiratory rate 12-20/min",
    },
    Limits {
        loinc: &["2708-6", "59408-5"],
        unit: "%",
        low: 95.0,
        high: None,
        span: (88.0, 100.0),
        ko: "산소포화도 95% 이상",
        en: "oxygen saturation 95% or more",
    },
];

fn limits(loinc: &str) -> Option<&'static Limits> {
    LIMITS.iter().find(|limits| limits.loinc.contains(&loinc))
}

/// Whether somebody born on the first day is grown up on the second.
pub(crate) fn is_grown((birth, day): (Date, Date)) -> bool {
    format::age(birth, day).is_some_and(|age| age.years >= GROWN_YEARS)
}

/// How a grown-up's vital sign lies: outside, or unknown.
pub(super) fn verdict(observation: &Observation) -> Verdict {
    if let Some(reading) = observation.pressure() {
        return match reading {
            _ if reading.systolic >= HIGH_PRESSURE.0 || reading.diastolic >= HIGH_PRESSURE.1 => Verdict::High,
            _ if reading.systolic < LOW_PRESSURE => Verdict::Low,
            _ => Verdict::Unknown,
        };
    }
    let Some(limits) = observation.concept.code(LOINC).and_then(limits) else { return Verdict::Unknown };
    if plain_unit(observation.value.unit(), Lang::En) != limits.unit {
        return Verdict::Unknown;
    }
    let verdict = observation.value.verdict(Range { low: Some(limits.low), high: limits.high });
    if verdict.is_out() { verdict } else { Verdict::Unknown }
}

/// The values that a chart always reaches: the customary ones where there are such, and a fifth of the newest value for
/// height and weight, which differ between people and little within one.
pub(super) fn span(loinc: &str, points: &[Point]) -> Option<(f64, f64)> {
    let newest = points.iter().max_by_key(|point| point.at)?.value;
    // A value far beyond, as in another unit, has a drawing of its own.
    limits(loinc).map(|limits| limits.span).filter(|span| newest > span.0 / 4.0 && newest < span.1 * 4.0)
}

/// What the marks stand on, in a sentence.
pub(crate) fn words(lang: Lang) -> String {
    let limits: Vec<&str> = LIMITS.iter().map(|limits| lang.pick(limits.ko, limits.en)).collect();
    let limits = limits.join(", ");
    lang.pick(
        format!(
            "기록에 참고범위가 없는 활력징후는 성인(만 18세 이상)의 통상 범위를 벗어났을 때만 ▲▼로 표시합니다: {limits}, \
             혈압 140/90 mmHg 미만·수축기 90 mmHg 이상. 표시가 없다고 정상이라는 뜻은 아니며, 아이의 값은 판정하지 않습니다."
        ),
        format!(
            "Vital signs recorded without a range are marked only when outside what is customary for adults (18 and \
             over): {limits}, blood pressure below 140/90 mmHg with systolic 90 mmHg or more. No mark does not mean \
             normal, and children's values are not judged."
        ),
    )
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn of(value: &str, birth: &str) -> Verdict {
        let json = format!(r#"{{"effectiveDateTime":"2026-11-01",{value}}}"#);
        let birth = birth.parse().ok();
        Observation::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root(), birth)
            .verdict()
    }

    fn vital(loinc: &str, value: &str, unit: &str) -> String {
        format!(
            r#""code":{{"coding":[{{"system":"{LOINC}","code":"{loinc}"}}]}},"valueQuantity":{{"value":{value},"unit":"{unit}"}}"#
        )
    }

    #[test]
    fn what_a_grown_up_should_not_have_is_marked() {
        for (loinc, value, unit, expected) in [
            ("8310-5", "38.8", "Cel", Verdict::High),
            ("8310-5", "36.5", "℃", Verdict::Unknown),
            ("8310-5", "101.3", "[degF]", Verdict::Unknown),
            ("2708-6", "93", "%", Verdict::Low),
            ("59408-5", "100", "%", Verdict::Unknown),
            ("9279-1", "25", "/min", Verdict::High),
            ("9279-1", "25", "회/분", Verdict::High),
            ("8867-4", "55", "/min", Verdict::Low),
            ("29463-7", "300", "kg", Verdict::Unknown),
        ] {
            assert_eq!(of(&vital(loinc, value, unit), "1980-02-03"), expected, "{loinc} {value}");
        }
        assert_eq!(of(&vital("9279-1", "25", "/min"), "2020-02-03"), Verdict::Unknown, "a child");
        assert_eq!(of(&vital("9279-1", "25", "/min"), "?"), Verdict::Unknown, "who may be a child");
        let stated =
            format!(r#"{},"referenceRange":[{{"high":{{"value":30}}}}]"#, vital("9279-1", "25", "/min"));
        assert_eq!(of(&stated, "1980-02-03"), Verdict::Within, "the record's own range is stronger");
    }

    #[test]
    fn blood_pressure_is_judged_by_either_part() {
        let pressure = |systolic: u8, diastolic: u8| {
            let part = |code: &str, value| {
                format!(
                    r#"{{"code":{{"coding":[{{"system":"{LOINC}","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"unit":"mmHg"}}}}"#
                )
            };
            of(
                &format!(r#""component":[{},{}]"#, part("8480-6", systolic), part("8462-4", diastolic)),
                "1980-02-03",
            )
        };
        assert_eq!(pressure(140, 80), Verdict::High);
        assert_eq!(pressure(130, 90), Verdict::High);
        assert_eq!(pressure(89, 60), Verdict::Low);
        assert_eq!(pressure(120, 80), Verdict::Unknown);
    }
}

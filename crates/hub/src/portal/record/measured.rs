//! What came out of a measurement, as recorded.

use ieum_fhir::json::Value;
use ieum_ui::Lang;
use ieum_ui::chart::{Range, Verdict};

use super::concept::Concept;
use super::fields::{at, number, text};

/// What came out of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measured {
    /// A number, its digits as recorded, and its unit.
    Number {
        /// To compute with.
        value: f64,
        /// As recorded.
        digits: String,
        /// Set when the true value is only known to lie to one side.
        side: Option<Side>,
        /// The unit in words; may be empty.
        unit: String,
    },
    /// Words.
    Words(String),
    /// A coded answer.
    Coded(Concept),
    /// Yes or no.
    Truth(bool),
    /// Something that pages cannot show, such as a curve.
    Unreadable,
    /// No value, and why, when that is said.
    Absent(Option<Concept>),
}

/// On which side of the recorded number the true value lies (FHIR's comparator).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Less,
    AtMost,
    AtLeast,
    More,
}

impl Side {
    fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">=" => Self::AtLeast,
            ">" => Self::More,
            _ => return None,
        })
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Less => "< ",
            Self::AtMost => "≤ ",
            Self::AtLeast => "≥ ",
            Self::More => "> ",
        }
    }
}

impl Measured {
    /// Reads the value of an Observation, or of one of its components.
    pub(crate) fn read(value: Value<'_>) -> Self {
        Self::quantity(value)
            .or_else(|| {
                let (digits, value) = number(value, &["valueInteger"])?;
                Some(Self::Number { value, digits, side: None, unit: String::new() })
            })
            .or_else(|| Concept::at(value, &["valueCodeableConcept"]).map(Self::Coded))
            .or_else(|| at(value, &["valueBoolean"])?.boolean().map(Self::Truth))
            .or_else(|| words(value).map(Self::Words))
            .unwrap_or_else(|| Self::without(value))
    }

    fn quantity(value: Value<'_>) -> Option<Self> {
        let (digits, number) = number(value, &["valueQuantity", "value"])?;
        let unit = unit(value, &["valueQuantity"]);
        let sign = text(value, &["valueQuantity", "comparator"]);
        Some(match sign.as_deref().map(|sign| (sign, Side::from_code(sign))) {
            None => Self::Number { value: number, digits, side: None, unit },
            Some((_, Some(side))) => Self::Number { value: number, digits, side: Some(side), unit },
            // Nobody may compute with a sign that is not understood.
            Some((sign, None)) => Self::Words(format!("{sign} {digits} {unit}").trim_end().to_owned()),
        })
    }

    fn without(value: Value<'_>) -> Self {
        if value.get("valueSampledData").is_some() {
            return Self::Unreadable;
        }
        Self::Absent(Concept::at(value, &["dataAbsentReason"]))
    }

    /// In words.
    pub(crate) fn words(&self, lang: Lang) -> String {
        match self {
            Self::Number { digits, side, unit, .. } => {
                let sign = side.map_or("", Side::sign);
                format!("{sign}{digits} {}", plain_unit(unit, lang)).trim_end().to_owned()
            }
            Self::Words(words) => words.clone(),
            Self::Coded(concept) => concept.name(lang).to_owned(),
            Self::Truth(true) => lang.pick("예", "Yes").to_owned(),
            Self::Truth(false) => lang.pick("아니요", "No").to_owned(),
            Self::Unreadable => {
                lang.pick("화면에서 볼 수 없는 형식", "In a form that pages cannot show").to_owned()
            }
            Self::Absent(None) => lang.pick("결과 없음", "No value").to_owned(),
            Self::Absent(Some(reason)) => {
                format!("{} ({})", lang.pick("결과 없음", "No value"), reason_words(reason, lang))
            }
        }
    }

    /// The number and its unit, when it is known exactly.
    pub(crate) fn number(&self) -> Option<(f64, &str)> {
        match self {
            Self::Number { value, side: None, unit, .. } => Some((*value, unit)),
            _ => None,
        }
    }

    /// The unit; empty when there is none.
    pub(crate) fn unit(&self) -> &str {
        match self {
            Self::Number { unit, .. } => unit,
            _ => "",
        }
    }

    /// How the value lies to a range. A value that is only known to lie to one side is judged when every value on that
    /// side lies alike.
    pub(crate) fn verdict(&self, range: Range) -> Verdict {
        let Self::Number { value, side, .. } = self else { return Verdict::Unknown };
        let (value, low, high) = (*value, range.low, range.high);
        let is_low = |holds: fn(f64, f64) -> bool| low.is_some_and(|low| holds(value, low));
        let is_high = |holds: fn(f64, f64) -> bool| high.is_some_and(|high| holds(value, high));
        match side {
            None => range.verdict(value),
            Some(Side::Less) if is_low(|value, low| value <= low) => Verdict::Low,
            Some(Side::AtMost) if is_low(|value, low| value < low) => Verdict::Low,
            Some(Side::More) if is_high(|value, high| value >= high) => Verdict::High,
            Some(Side::AtLeast) if is_high(|value, high| value > high) => Verdict::High,
            Some(Side::Less | Side::AtMost) if low.is_none() && is_high(|value, high| value <= high) => {
                Verdict::Within
            }
            Some(Side::More | Side::AtLeast) if high.is_none() && is_low(|value, low| value >= low) => {
                Verdict::Within
            }
            Some(_) => Verdict::Unknown,
        }
    }
}

fn unit(value: Value<'_>, path: &[&str]) -> String {
    let of = |name| text(value, &[path, &[name]].concat());
    of("unit").or_else(|| of("code")).unwrap_or_default()
}

fn amount(value: Value<'_>, path: &[&str]) -> Option<String> {
    let (digits, _) = number(value, &[path, &["value"]].concat())?;
    let sign = text(value, &[path, &["comparator"]].concat()).unwrap_or_default();
    Some(format!("{sign}{digits} {}", unit(value, path)).trim_end().to_owned())
}

/// Values that are read as text: words, times, ranges and ratios.
fn words(value: Value<'_>) -> Option<String> {
    let plain = ["valueString", "valueDateTime", "valueTime"].iter().find_map(|name| text(value, &[name]));
    let range = || match (amount(value, &["valueRange", "low"]), amount(value, &["valueRange", "high"])) {
        (Some(low), Some(high)) => Some(format!("{low} – {high}")),
        (Some(low), None) => Some(format!("≥ {low}")),
        (None, Some(high)) => Some(format!("≤ {high}")),
        (None, None) => None,
    };
    let ratio = || {
        let part = |name| amount(value, &["valueRatio", name]);
        Some(format!("{}:{}", part("numerator")?, part("denominator")?))
    };
    let period = || {
        let end = |name| text(value, &["valuePeriod", name]);
        let (start, end) = (end("start"), end("end"));
        (start.is_some() || end.is_some())
            .then(|| format!("{} – {}", start.unwrap_or_default(), end.unwrap_or_default()))
    };
    plain.or_else(range).or_else(ratio).or_else(period)
}

/// Why there is no value: HL7's codes in words, others as recorded.
fn reason_words(reason: &Concept, lang: Lang) -> &str {
    match reason.any_code() {
        "unknown" | "asked-unknown" => lang.pick("알 수 없음", "unknown"),
        "temp-unknown" => lang.pick("아직 모름", "not known yet"),
        "not-asked" => lang.pick("묻지 않음", "not asked"),
        "asked-declined" => lang.pick("답하지 않음", "declined to answer"),
        "masked" => lang.pick("비공개", "withheld"),
        "not-applicable" => lang.pick("해당 없음", "not applicable"),
        "error" => lang.pick("검사 오류", "error"),
        "not-performed" => lang.pick("시행하지 않음", "not performed"),
        "not-permitted" => lang.pick("허용되지 않음", "not permitted"),
        "unsupported" => lang.pick("보내는 곳이 지원하지 않음", "not supported by the sender"),
        _ => reason.name(lang),
    }
}

/// UCUM's annotations and codes as people write them.
pub(crate) fn plain_unit(unit: &str, lang: Lang) -> String {
    match unit {
        "Cel" => "℃".to_owned(),
        "mm[Hg]" => "mmHg".to_owned(),
        "/min" | "회/분" => lang.pick("회/분", "/min").to_owned(),
        _ => unit
            .replace("[IU]", "IU")
            .replace("{score}", "")
            .replace("{1.73_m2}", "1.73 m²")
            .replace("10*3/uL", "×10³/µL")
            .replace("10*6/uL", "×10⁶/µL"),
    }
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn measured(json: &str) -> Measured {
        Measured::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn every_form_of_a_value_is_told() {
        for (json, words) in [
            (r#"{"valueQuantity":{"comparator":"<","value":5,"unit":"ng/mL"}}"#, "< 5 ng/mL"),
            (r#"{"valueQuantity":{"comparator":">=","value":1.50,"code":"mg"}}"#, "≥ 1.50 mg"),
            (r#"{"valueQuantity":{"comparator":"ad","value":1}}"#, "ad 1"),
            (r#"{"valueQuantity":{"value":36.50,"unit":"Cel"}}"#, "36.50 ℃"),
            (r#"{"valueBoolean":true}"#, "예"),
            (r#"{"valueBoolean":false}"#, "아니요"),
            (r#"{"valueRange":{"low":{"value":1},"high":{"value":2}}}"#, "1 – 2"),
            (r#"{"valueRange":{"low":{"value":1,"unit":"mg"}}}"#, "≥ 1 mg"),
            (r#"{"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}}"#, "1:128"),
            (r#"{"valuePeriod":{"start":"2026-01-01"}}"#, "2026-01-01 – "),
            (r#"{"valueSampledData":{"origin":{"value":0}}}"#, "화면에서 볼 수 없는 형식"),
            (r#"{"valueQuantity":{"unit":"mg"}}"#, "결과 없음"),
            ("{}", "결과 없음"),
            (r#"{"dataAbsentReason":{"coding":[{"code":"not-performed"}]}}"#, "결과 없음 (시행하지 않음)"),
            (r#"{"dataAbsentReason":{"text":"검체 용혈"}}"#, "결과 없음 (검체 용혈)"),
        ] {
            assert_eq!(measured(json).words(Lang::Ko), words, "{json}");
        }
    }

    #[test]
    fn one_sided_values_are_judged_only_when_every_such_value_lies_alike() {
        let of = |sign: &str, low, high| {
            let json = format!(r#"{{"valueQuantity":{{"comparator":"{sign}","value":10}}}}"#);
            let one = measured(&json);
            assert_eq!(one.number(), None, "no point of a chart");
            one.verdict(Range { low, high })
        };
        assert_eq!(of("<", Some(0.0), Some(9.0)), Verdict::Unknown);
        assert_eq!(of("<", None, Some(9.0)), Verdict::Unknown);
        assert_eq!(of("<", None, Some(10.0)), Verdict::Within);
        assert_eq!(of("<", Some(10.0), None), Verdict::Low);
        assert_eq!(of("<=", Some(10.0), None), Verdict::Unknown);
        assert_eq!(of(">", None, Some(10.0)), Verdict::High);
        assert_eq!(of(">=", None, Some(10.0)), Verdict::Unknown);
        assert_eq!(of(">", Some(3.0), None), Verdict::Within);
    }
}

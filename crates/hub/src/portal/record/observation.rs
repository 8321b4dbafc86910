//! Measurements: laboratory results, vital signs, function tests.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use ieum_ui::Lang;
use ieum_ui::chart::{Point, Range, Reading, Verdict};

use super::concept::Concept;
use super::fields::{Moment, all, at, latest_first, number, reference, text};

const LOINC: &str = "http://loinc.org";
/// Blood pressure, with its two components.
pub(crate) const PRESSURE: &str = "85354-9";
const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";

/// One observation.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// What was measured.
    pub(crate) concept: Concept,
    /// Whether it is a vital sign.
    pub(crate) is_vital: bool,
    /// When.
    pub(crate) at: Option<Moment>,
    /// What came out.
    pub(crate) value: Measured,
    /// The range stated as usual.
    pub(crate) range: Range,
    interpretation: Option<String>,
    /// Parts, such as systolic and diastolic.
    pub(crate) parts: Vec<(Concept, Measured)>,
    /// The visit it belongs to.
    pub(crate) visit: Option<String>,
    is_valid: bool,
}

/// What came out of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measured {
    /// A number, its digits as recorded, and its unit.
    Number {
        /// To compute with.
        value: f64,
        /// As recorded.
        digits: String,
        /// The unit in words; may be empty.
        unit: String,
    },
    /// Words.
    Words(String),
    /// A coded answer.
    Coded(Concept),
    /// Nothing.
    Nothing,
}

impl Measured {
    fn read(value: Value<'_>) -> Self {
        if let Some((digits, number)) = number(value, &["valueQuantity", "value"]) {
            let unit =
                text(value, &["valueQuantity", "unit"]).or_else(|| text(value, &["valueQuantity", "code"]));
            return Self::Number { value: number, digits, unit: unit.unwrap_or_default() };
        }
        if let Some((digits, number)) = number(value, &["valueInteger"]) {
            return Self::Number { value: number, digits, unit: String::new() };
        }
        if let Some(concept) = Concept::at(value, &["valueCodeableConcept"]) {
            return Self::Coded(concept);
        }
        let words =
            ["valueString", "valueDateTime", "valueTime"].iter().find_map(|name| text(value, &[name]));
        words.map_or(Self::Nothing, Self::Words)
    }

    /// In words.
    pub(crate) fn words(&self, lang: Lang) -> String {
        match self {
            Self::Number { digits, unit, .. } if unit.is_empty() => digits.clone(),
            Self::Number { digits, unit, .. } => format!("{digits} {}", plain_unit(unit, lang)),
            Self::Words(words) => words.clone(),
            Self::Coded(concept) => concept.name(lang).to_owned(),
            Self::Nothing => lang.pick("결과 없음", "No value").to_owned(),
        }
    }

    /// The number and its unit.
    pub(crate) fn number(&self) -> Option<(f64, &str)> {
        match self {
            Self::Number { value, unit, .. } => Some((*value, unit)),
            _ => None,
        }
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

impl Observation {
    /// Reads an Observation.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        let categories = all(resource, "category").map(Concept::read);
        let status = text(resource, &["status"]).unwrap_or_default();
        let parts = all(resource, "component")
            .filter_map(|part| Some((Concept::at(part, &["code"])?, Measured::read(part))));
        Self {
            concept: Concept::at(resource, &["code"]).unwrap_or_default(),
            is_vital: { categories }.any(|category| category.any_code() == "vital-signs"),
            at: Moment::first(
                resource,
                &[&["effectiveDateTime"], &["effectivePeriod", "start"], &["effectiveInstant"], &["issued"]],
            ),
            value: Measured::read(resource),
            range: range(resource),
            interpretation: text(resource, &["interpretation", "coding", "code"]),
            parts: parts.collect(),
            visit: reference(resource, &["encounter"], "Encounter"),
            is_valid: !matches!(status.as_str(), "entered-in-error" | "cancelled"),
        }
    }

    /// How the value lies: by its range, else as the laboratory says.
    pub(crate) fn verdict(&self) -> Verdict {
        let computed = self.value.number().map_or(Verdict::Unknown, |(value, _)| self.range.verdict(value));
        if computed != Verdict::Unknown {
            return computed;
        }
        match self.interpretation.as_deref() {
            Some("H" | "HH" | "HU") => Verdict::High,
            Some("L" | "LL" | "LU") => Verdict::Low,
            Some("N") => Verdict::Within,
            _ => Verdict::Unknown,
        }
    }

    /// Systolic and diastolic, when it is a blood pressure.
    pub(crate) fn pressure(&self) -> Option<Reading> {
        let part = |code| {
            let part = self.parts.iter().find(|(concept, _)| concept.code(LOINC) == Some(code))?;
            part.1.number().map(|(value, _)| value)
        };
        let (systolic, diastolic) = (part(SYSTOLIC)?, part(DIASTOLIC)?);
        Some(Reading { at: self.at.as_ref()?.instant(), systolic, diastolic })
    }

    /// The value in words; of parts, each.
    pub(crate) fn words(&self, lang: Lang) -> String {
        if let Some(reading) = self.pressure() {
            return format!("{}/{} mmHg", reading.systolic, reading.diastolic);
        }
        if self.value == Measured::Nothing && !self.parts.is_empty() {
            let parts =
                self.parts.iter().map(|(name, value)| format!("{} {}", name.name(lang), value.words(lang)));
            return parts.collect::<Vec<_>>().join(", ");
        }
        self.value.words(lang)
    }

    /// What it is called. Vital signs have no Korean text in KR Core, so the common ones are named here.
    pub(crate) fn name(&self, lang: Lang) -> &str {
        let Some(code) = self.concept.code(LOINC) else { return self.concept.name(lang) };
        let known = VITALS.iter().find(|(known, _, _)| *known == code);
        known.map_or_else(|| self.concept.name(lang), |(_, ko, en)| lang.pick(ko, en))
    }
}

/// Vital signs by LOINC code, in the order in which pages show them.
const VITALS: [(&str, &str, &str); 11] = [
    (PRESSURE, "혈압", "Blood pressure"),
    ("8867-4", "맥박", "Heart rate"),
    ("8310-5", "체온", "Body temperature"),
    ("9279-1", "호흡수", "Respiratory rate"),
    ("2708-6", "산소포화도", "Oxygen saturation"),
    ("59408-5", "산소포화도", "Oxygen saturation"),
    ("29463-7", "체중", "Body weight"),
    ("8302-2", "키", "Body height"),
    ("39156-5", "체질량지수", "Body mass index"),
    ("8478-0", "평균 혈압", "Mean blood pressure"),
    ("9843-4", "머리둘레", "Head circumference"),
];

fn range(resource: Value<'_>) -> Range {
    let Some(stated) = at(resource, &["referenceRange"]) else { return Range::default() };
    let end = |name| number(stated, &[name, "value"]).map(|(_, value)| value);
    Range { low: end("low"), high: end("high") }
}

/// All measurements of one thing, newest first.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// What is measured.
    pub(crate) key: String,
    /// The measurements.
    pub(crate) items: Vec<Observation>,
}

impl Series {
    /// The newest.
    pub(crate) fn latest(&self) -> &Observation {
        // A series is made of at least one.
        &self.items[0]
    }

    /// The numbers that share the newest one's unit, as points of a chart.
    pub(crate) fn points(&self) -> Vec<Point> {
        let unit = self.latest().value.number().map(|(_, unit)| unit);
        let points = self.items.iter().filter_map(|item| {
            let (value, of) = item.value.number()?;
            (Some(of) == unit).then(|| Some(Point { at: item.at.as_ref()?.instant(), value })).flatten()
        });
        points.collect()
    }

    /// The most decimals that any value was recorded with.
    pub(crate) fn places(&self) -> usize {
        let places = self.items.iter().map(|item| match &item.value {
            Measured::Number { digits, .. } => digits.split_once('.').map_or(0, |(_, rest)| rest.len()),
            _ => 0,
        });
        places.max().unwrap_or(0).min(4)
    }
}

/// Measurements by what is measured: vital signs in their customary order, others with the newest first.
pub(crate) fn series(observations: Vec<Observation>) -> Vec<Series> {
    let mut order: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Series> = Vec::new();
    for observation in observations.into_iter().filter(|observation| observation.is_valid) {
        let key = observation.concept.key();
        let place = *order.entry(key.clone()).or_insert(all.len());
        if place == all.len() {
            all.push(Series { key, items: Vec::new() });
        }
        all[place].items.push(observation);
    }
    for series in &mut all {
        series.items.sort_by_key(|item| latest_first(item.at.as_ref()));
    }
    all.sort_by_key(|series| {
        let latest = series.latest();
        let vital = latest
            .concept
            .code(LOINC)
            .and_then(|code| VITALS.iter().position(|(known, _, _)| *known == code));
        (vital.unwrap_or(usize::MAX), latest_first(latest.at.as_ref()), series.key.clone())
    });
    all
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn observation(value: &str) -> Observation {
        let json = format!(
            r#"{{"status":"final","code":{{"coding":[{{"system":"{LOINC}","code":"2345-7","display":"Glucose"}}]}},{value}}}"#
        );
        Observation::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn values_keep_their_digits_and_verdicts_come_from_the_range() {
        let high = observation(
            r#""effectiveDateTime":"2026-01-02","valueQuantity":{"value":126.0,"unit":"mg/dL"},
            "interpretation":[{"coding":[{"code":"N"}]}],"referenceRange":[{"low":{"value":70},"high":{"value":99}}]"#,
        );
        assert_eq!(high.words(Lang::Ko), "126.0 mg/dL");
        assert_eq!(high.verdict(), Verdict::High, "the range is stronger than the flag");
        let flagged = observation(r#""valueString":"양성","interpretation":[{"coding":[{"code":"HH"}]}]"#);
        assert_eq!((flagged.words(Lang::Ko).as_str(), flagged.verdict()), ("양성", Verdict::High));
        assert_eq!(observation(r#""note":[]"#).words(Lang::En), "No value");
    }

    #[test]
    fn series_hold_one_unit_and_leave_errors_out() {
        let value = |day: &str, value: &str, unit: &str| {
            observation(&format!(
                r#""effectiveDateTime":"2026-01-{day}","valueQuantity":{{"value":{value},"unit":"{unit}"}}"#
            ))
        };
        let mut wrong = value("09", "999", "mg/dL");
        wrong.is_valid = false;
        let all = series(vec![
            value("01", "5.5", "mmol/L"),
            value("03", "98", "mg/dL"),
            wrong,
            value("02", "97.25", "mg/dL"),
        ]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].latest().words(Lang::En), "98 mg/dL");
        assert_eq!(all[0].points().len(), 2, "another unit is another scale");
        assert_eq!(all[0].places(), 2);
    }

    #[test]
    fn blood_pressure_is_one_value_of_two_parts() {
        let part = |code, value| {
            format!(
                r#"{{"code":{{"coding":[{{"system":"{LOINC}","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"unit":"mmHg"}}}}"#
            )
        };
        let both = observation(&format!(
            r#""effectiveDateTime":"2026-01-02","component":[{},{}]"#,
            part(SYSTOLIC, 142),
            part(DIASTOLIC, 91)
        ));
        assert_eq!(both.words(Lang::Ko), "142/91 mmHg");
    }
}

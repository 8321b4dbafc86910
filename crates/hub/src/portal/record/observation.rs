//! Measurements: laboratory results, vital signs, function tests.

use std::collections::HashMap;

use ieum_fhir::json::Value;
use ieum_ui::Lang;
use ieum_ui::chart::{Point, Range, Reading, Verdict};
use jiff::civil::Date;

use super::concept::Concept;
use super::fields::{Moment, all, latest_first, number, reference, text};
use super::measured::{Measured, plain_unit};
use super::usual;

pub(crate) const LOINC: &str = "http://loinc.org";
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
    /// Whether the value may still change.
    pub(crate) is_preliminary: bool,
    /// What is customary for a grown-up, when the record states nothing to judge by.
    usual: Verdict,
    /// Parts, such as systolic and diastolic.
    pub(crate) parts: Vec<(Concept, Measured)>,
    /// The visit it belongs to.
    pub(crate) visit: Option<String>,
}

impl Observation {
    /// Reads an Observation of somebody born on a day, if that is known.
    pub(crate) fn read(resource: Value<'_>, birth: Option<Date>) -> Self {
        let mut categories = all(resource, "category").map(Concept::read);
        let status = text(resource, &["status"]).unwrap_or_default();
        let parts = all(resource, "component")
            .filter_map(|part| Some((Concept::at(part, &["code"])?, Measured::read(part))));
        let value = Measured::read(resource);
        let mut one = Self {
            concept: Concept::at(resource, &["code"]).unwrap_or_default(),
            is_vital: categories.any(|category| category.any_code() == "vital-signs"),
            at: Moment::first(
                resource,
                &[&["effectiveDateTime"], &["effectivePeriod", "start"], &["effectiveInstant"], &["issued"]],
            ),
            range: range(resource, value.unit()),
            value,
            interpretation: text(resource, &["interpretation", "coding", "code"]),
            is_preliminary: matches!(status.as_str(), "registered" | "preliminary"),
            usual: Verdict::Unknown,
            parts: parts.collect(),
            visit: reference(resource, &["encounter"], "Encounter"),
        };
        let is_grown = birth.zip(one.at.as_ref().and_then(Moment::date)).is_some_and(usual::is_grown);
        if is_grown {
            one.usual = usual::verdict(&one);
        }
        one
    }

    /// How the value lies: by its range, else as the laboratory says, else by what is customary for a grown-up.
    pub(crate) fn verdict(&self) -> Verdict {
        let computed = self.value.verdict(self.range);
        if computed != Verdict::Unknown {
            return computed;
        }
        match self.interpretation.as_deref() {
            Some("H" | "HH" | "HU") => Verdict::High,
            Some("L" | "LL" | "LU") => Verdict::Low,
            Some("N") => Verdict::Within,
            _ => self.usual,
        }
    }

    /// Systolic and diastolic in mmHg, when it is a blood pressure and both are known exactly.
    pub(crate) fn pressure(&self) -> Option<Reading> {
        let part = |code| {
            let part = self.parts.iter().find(|(concept, _)| concept.code(LOINC) == Some(code))?;
            part.1.number().filter(|(_, unit)| matches!(*unit, "mmHg" | "mm[Hg]")).map(|(value, _)| value)
        };
        let (systolic, diastolic) = (part(SYSTOLIC)?, part(DIASTOLIC)?);
        Some(Reading { at: self.at.as_ref()?.instant(), systolic, diastolic })
    }

    /// The value in words, and its parts.
    pub(crate) fn words(&self, lang: Lang) -> String {
        if let Some(reading) = self.pressure() {
            return format!("{}/{} mmHg", reading.systolic, reading.diastolic);
        }
        let parts: Vec<String> = self
            .parts
            .iter()
            .map(|(name, value)| format!("{} {}", name.name(lang), value.words(lang)))
            .collect();
        match (&self.value, parts.is_empty()) {
            (value, true) => value.words(lang),
            (Measured::Absent(None), false) => parts.join(", "),
            (value, false) => format!("{} ({})", value.words(lang), parts.join(", ")),
        }
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

/// The range of healthy people, in the unit of the value. Of several, for ages or sexes, nobody here knows which one
/// holds; then there is none.
fn range(resource: Value<'_>, unit: &str) -> Range {
    let is_normal =
        |stated: &Value<'_>| text(*stated, &["type", "coding", "code"]).is_none_or(|code| code == "normal");
    let mut stated = all(resource, "referenceRange").filter(is_normal);
    let (Some(stated), None) = (stated.next(), stated.next()) else { return Range::default() };
    let end = |name| number(stated, &[name, "value"]).map(|(_, value)| value);
    let in_other_unit = |name| text(stated, &[name, "unit"]).is_some_and(|other| other != unit);
    if in_other_unit("low") || in_other_unit("high") {
        return Range::default();
    }
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
        self.items.iter().filter_map(|item| self.point(item)).collect()
    }

    fn point(&self, item: &Observation) -> Option<Point> {
        let (value, unit) = item.value.number()?;
        let newest = self.items.iter().find_map(|item| item.value.number())?;
        let at = item.at.as_ref()?.instant();
        (unit == newest.1).then(|| Point { at, value, range: item.range, verdict: item.verdict() })
    }

    /// The unit of the points.
    pub(crate) fn unit(&self, lang: Lang) -> String {
        let newest = self.items.iter().find_map(|item| item.value.number());
        newest.map_or_else(String::new, |(_, unit)| plain_unit(unit, lang))
    }

    /// What a chart of these leaves out, in sentences.
    pub(crate) fn unplotted(&self, lang: Lang) -> Vec<String> {
        let is_plotted = |item: &Observation| self.point(item).is_some() || item.pressure().is_some();
        let rest = || self.items.iter().filter(|item| !is_plotted(item));
        let other_unit = rest().filter(|item| item.value.number().is_some() && item.at.is_some()).count();
        let others = rest().count() - other_unit;
        let unit = lang.pick(
            format!("단위가 다른 {other_unit}건은 그래프에 없습니다."),
            format!("{other_unit} in another unit are not in the chart."),
        );
        let other = lang.pick(
            format!("부등호가 붙었거나 숫자가 아니거나 날짜가 없는 {others}건은 그래프에 없습니다."),
            format!("{others} that are no exact numbers, or have no date, are not in the chart."),
        );
        [(other_unit, unit), (others, other)]
            .into_iter()
            .filter_map(|(count, words)| (count > 0).then_some(words))
            .collect()
    }

    /// The values that a chart of these always reaches.
    pub(crate) fn span(&self) -> Option<(f64, f64)> {
        usual::span(self.latest().concept.code(LOINC)?, &self.points())
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
    for observation in observations {
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
        Observation::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root(), None)
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
    }

    #[test]
    fn charts_hold_one_unit_and_say_what_they_leave_out() {
        let value = |day: &str, value: &str, unit: &str| {
            observation(&format!(
                r#""effectiveDateTime":"2026-01-{day}","valueQuantity":{{"value":{value},"unit":"{unit}"}}"#
            ))
        };
        let all = series(vec![
            value("01", "5.5", "mmol/L"),
            value("03", "98", "mg/dL"),
            observation(
                r#""effectiveDateTime":"2026-01-01","valueQuantity":{"value":5,"comparator":"<","unit":"mg/dL"}"#,
            ),
            value("02", "97.25", "mg/dL"),
        ]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].latest().words(Lang::En), "98 mg/dL");
        assert_eq!(all[0].points().len(), 2, "another unit is another scale");
        assert_eq!(all[0].places(), 2);
        let left_out = all[0].unplotted(Lang::En);
        assert!(left_out.len() == 2 && left_out.iter().all(|words| words.starts_with("1 ")), "{left_out:?}");
    }

    #[test]
    fn a_range_that_may_not_be_this_values_judges_nothing() {
        let of = |range: &str| {
            observation(&format!(
                r#""valueQuantity":{{"value":126,"unit":"mg/dL"}},"referenceRange":{range}"#
            ))
            .verdict()
        };
        assert_eq!(of(r#"[{"low":{"value":70,"unit":"mg/dL"},"high":{"value":99}}]"#), Verdict::High);
        assert_eq!(of(r#"[{"high":{"value":5.5,"unit":"mmol/L"}}]"#), Verdict::Unknown);
        assert_eq!(of(r#"[{"high":{"value":99}},{"high":{"value":140}}]"#), Verdict::Unknown);
        let therapeutic = r#"{"type":{"coding":[{"code":"therapeutic"}]},"high":{"value":500}}"#;
        assert_eq!(of(&format!(r#"[{therapeutic},{{"high":{{"value":99}}}}]"#)), Verdict::High);
    }

    #[test]
    fn blood_pressure_is_one_value_of_two_parts() {
        let part = |code: &str, value: f64, unit: &str| {
            format!(
                r#"{{"code":{{"coding":[{{"system":"{LOINC}","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"unit":"{unit}"}}}}"#
            )
        };
        let both = |systolic: f64, diastolic: f64, unit: &str| {
            observation(&format!(
                r#""effectiveDateTime":"2026-01-02","component":[{},{}]"#,
                part(SYSTOLIC, systolic, unit),
                part(DIASTOLIC, diastolic, unit)
            ))
        };
        assert_eq!(both(142.0, 91.0, "mmHg").words(Lang::Ko), "142/91 mmHg");
        let other = both(18.9, 12.1, "kPa");
        assert!(other.pressure().is_none() && other.words(Lang::Ko).contains("18.9 kPa"));
    }
}

//! Allergies and intolerances, and records that somebody has none.

use ieum_fhir::json::Value;
use ieum_ui::{Lang, Tone, badge};
use maud::{Markup, html};

use super::concept::Concept;
use super::fields::{Moment, all, codes, text};

/// Parameters that find those which may hold: whatever does not say that it is over. One without a status counts.
pub(crate) const MAY_HOLD: (&str, &str) = ("clinical-status:not", "inactive,resolved");

/// An allergy or intolerance.
#[derive(Debug, Clone)]
pub(crate) struct Allergy {
    /// The cause.
    pub(crate) concept: Concept,
    /// Medicine, food, environment, biologic.
    category: Option<String>,
    /// Whether it may endanger life.
    pub(crate) is_severe: bool,
    /// Whether nobody has confirmed it.
    is_unconfirmed: bool,
    /// How it shows.
    signs: Vec<Concept>,
    /// Since when.
    pub(crate) since: Option<Moment>,
}

impl Allergy {
    /// Reads an AllergyIntolerance.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        let severe = all(resource, "reaction")
            .any(|reaction| text(reaction, &["severity"]).as_deref() == Some("severe"));
        let high = text(resource, &["criticality"]).as_deref() == Some("high");
        let signs =
            all(resource, "reaction").flat_map(|reaction| all(reaction, "manifestation")).map(Concept::read);
        Self {
            concept: Concept::at(resource, &["code"]).unwrap_or_default(),
            category: text(resource, &["category"]),
            is_severe: severe || high,
            is_unconfirmed: codes(resource, "verificationStatus").iter().any(|code| code == "unconfirmed"),
            signs: signs.collect(),
            since: Moment::first(resource, &[&["onsetDateTime"], &["recordedDate"]]),
        }
    }

    /// What is said to be absent, when this is no allergy but a record that there is none.
    pub(crate) fn negation(&self, lang: Lang) -> Option<&'static str> {
        let is_known = |code: &str| self.concept.codings().iter().any(|coding| coding.code == code);
        NEGATIONS.iter().find(|(code, _, _)| is_known(code)).map(|(_, ko, en)| lang.pick(*ko, *en))
    }

    /// Words beside the cause.
    pub(crate) fn marks(&self, lang: Lang) -> Markup {
        html! {
            @if self.is_severe { " " (badge(Tone::Danger, lang.pick("위험도 높음", "High risk"))) }
            @if self.is_unconfirmed { " " (badge(Tone::Warning, lang.pick("미확인", "Unconfirmed"))) }
        }
    }

    /// The kind of cause in words.
    pub(crate) fn category(&self, lang: Lang) -> Option<&'static str> {
        Some(match self.category.as_deref()? {
            "medication" => lang.pick("약", "Medicine"),
            "food" => lang.pick("음식", "Food"),
            "environment" => lang.pick("환경", "Environment"),
            "biologic" => lang.pick("생물학적 제제", "Biologic"),
            _ => return None,
        })
    }

    /// How it shows, in words.
    pub(crate) fn signs(&self, lang: Lang) -> String {
        self.signs.iter().map(|sign| sign.name(lang)).collect::<Vec<_>>().join(", ")
    }
}

/// Codes that say that there is no allergy: SNOMED CT, and HL7's of the patient summary.
const NEGATIONS: [(&str, &str, &str); 11] = [
    ("716186003", "알려진 알레르기 없음", "no known allergy"),
    ("409137002", "알려진 약물 알레르기 없음", "no known drug allergy"),
    ("429625007", "알려진 음식 알레르기 없음", "no known food allergy"),
    ("428607008", "알려진 환경 알레르기 없음", "no known environmental allergy"),
    ("428197003", "알려진 벌레 알레르기 없음", "no known insect allergy"),
    ("716220001", "알려진 동물 알레르기 없음", "no known animal allergy"),
    ("716184000", "알려진 라텍스 알레르기 없음", "no known latex allergy"),
    ("no-known-allergies", "알려진 알레르기 없음", "no known allergy"),
    ("no-known-medication-allergies", "알려진 약물 알레르기 없음", "no known drug allergy"),
    ("no-known-food-allergies", "알려진 음식 알레르기 없음", "no known food allergy"),
    ("no-allergy-info", "알레르기에 대해 알려진 것 없음", "nothing known about allergies"),
];

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    #[test]
    fn no_known_allergy_is_no_allergy() {
        let of = |code: &str| {
            let json = format!(r#"{{"code":{{"coding":[{{"system":"s","code":"{code}"}}]}}}}"#);
            Allergy::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
                .negation(Lang::Ko)
        };
        assert_eq!(of("716186003"), Some("알려진 알레르기 없음"));
        assert_eq!(of("no-known-medication-allergies"), Some("알려진 약물 알레르기 없음"));
        assert_eq!(of("91936005"), None);
    }
}

//! Coded things and their names.

use ieum_fhir::json::Value;
use ieum_ui::Lang;
use maud::{Markup, html};

use super::fields::{all, at, text};

/// Diagnoses of the Korean classification; the code system's name ends with its edition.
const KCD: &str = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-";

/// A CodeableConcept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Concept {
    text: Option<String>,
    codings: Vec<Coding>,
}

/// One of its codings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coding {
    /// Code system.
    pub(crate) system: String,
    /// Code; may be empty.
    pub(crate) code: String,
    /// What the code means, as sent.
    pub(crate) display: Option<String>,
}

impl Concept {
    /// The concept itself.
    pub(crate) fn read(value: Value<'_>) -> Self {
        let codings = all(value, "coding").map(|coding| Coding {
            system: text(coding, &["system"]).unwrap_or_default(),
            code: text(coding, &["code"]).unwrap_or_default(),
            display: text(coding, &["display"]),
        });
        Self { text: text(value, &["text"]), codings: codings.collect() }
    }

    /// The concept at a path.
    pub(crate) fn at(value: Value<'_>, path: &[&str]) -> Option<Self> {
        at(value, path).map(Self::read).filter(|concept| *concept != Self::default())
    }

    /// A concept that is only words.
    pub(crate) fn of_text(text: &str) -> Self {
        Self { text: Some(text.to_owned()), codings: Vec::new() }
    }

    /// What it is called: in Korean the text as recorded, in English an English display where there is one.
    pub(crate) fn name(&self, lang: Lang) -> &str {
        let displays = || self.codings.iter().filter_map(|coding| coding.display.as_deref());
        let english = displays().find(|display| display.is_ascii());
        let recorded = self.text.as_deref();
        let first = match lang {
            Lang::Ko => recorded.or_else(|| displays().find(|display| !display.is_ascii())),
            Lang::En => english,
        };
        let code = self.codings.iter().map(|coding| coding.code.as_str()).find(|code| !code.is_empty());
        first.or(recorded).or_else(|| displays().next()).or(code).unwrap_or(lang.pick("이름 없음", "Unnamed"))
    }

    /// Its code in a code system.
    pub(crate) fn code(&self, system: &str) -> Option<&str> {
        self.codings.iter().find(|coding| coding.system == system).map(|coding| coding.code.as_str())
    }

    /// The first code of any system; empty when there is none.
    pub(crate) fn any_code(&self) -> &str {
        self.codings.first().map_or("", |coding| coding.code.as_str())
    }

    /// All codings.
    pub(crate) fn codings(&self) -> &[Coding] {
        &self.codings
    }

    /// Its code of the Korean classification of diseases.
    pub(crate) fn kcd(&self) -> Option<&str> {
        self.codings.iter().find(|coding| coding.system.starts_with(KCD)).map(|coding| coding.code.as_str())
    }

    /// Whether it is a disease or pattern of Korean medicine: chapter U20 to U99 of the classification.
    pub(crate) fn is_korean_medicine(&self) -> bool {
        self.kcd().is_some_and(|code| {
            let number =
                code.strip_prefix('U').and_then(|rest| rest.get(..2)).and_then(|two| two.parse::<u8>().ok());
            number.is_some_and(|number| number >= 20)
        })
    }

    /// What tells it apart from others of its kind.
    pub(crate) fn key(&self) -> String {
        let coding = self.codings.iter().find(|coding| !coding.code.is_empty());
        coding.map_or_else(
            || self.name(Lang::Ko).to_owned(),
            |coding| format!("{}|{}", coding.system, coding.code),
        )
    }
}

/// Text with its Hanja marked as Korean Hanja, so that browsers take the Korean shapes of the letters.
pub(crate) fn hanja(text: &str) -> Markup {
    let mut parts: Vec<(bool, String)> = Vec::new();
    for letter in text.chars() {
        let is_hanja = is_hanja(letter);
        match parts.last_mut() {
            Some((kind, part)) if *kind == is_hanja => part.push(letter),
            _ => parts.push((is_hanja, letter.into())),
        }
    }
    html! {
        @for (is_hanja, part) in &parts {
            @if *is_hanja { span .i-hanja lang="ko-Hani" { (part) } } @else { (part) }
        }
    }
}

fn is_hanja(letter: char) -> bool {
    matches!(u32::from(letter), 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn concept(json: &str) -> Concept {
        Concept::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn names_follow_the_language_where_they_can() {
        let test = concept(
            r#"{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"HbA1c"}],"text":"당화혈색소"}"#,
        );
        assert_eq!((test.name(Lang::Ko), test.name(Lang::En)), ("당화혈색소", "HbA1c"));
        let bare = concept(r#"{"coding":[{"code":"X1"}]}"#);
        assert_eq!((bare.name(Lang::Ko), bare.name(Lang::En)), ("X1", "X1"));
        assert_eq!(concept("{}").name(Lang::Ko), "이름 없음");
        assert_eq!(test.key(), "http://loinc.org|4548-4");
    }

    #[test]
    fn korean_medicine_is_told_by_its_chapter() {
        let coded = |code: &str| {
            concept(&format!(r#"{{"coding":[{{"system":"{KCD}8","code":"{code}","display":"x"}}]}}"#))
        };
        assert!(coded("U61.1").is_korean_medicine() && coded("U23.7").is_korean_medicine());
        assert!(!coded("U07.1").is_korean_medicine() && !coded("M54.5").is_korean_medicine());
        assert_eq!(coded("I10").kcd(), Some("I10"));
    }

    #[test]
    fn hanja_is_marked_and_everything_is_escaped() {
        let shown = hanja("어혈증(瘀血證)<b>").into_string();
        assert_eq!(shown, "어혈증(<span class=\"i-hanja\" lang=\"ko-Hani\">瘀血證</span>)&lt;b&gt;");
    }
}

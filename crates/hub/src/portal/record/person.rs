//! The patient: names, numbers, age.

use ieum_fhir::json::Value;
use ieum_ui::{Lang, format};
use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;

use super::fields::{Moment, all, text};

/// The ends of systems that number residents and foreigners: a number of theirs is hidden whatever its type and shape.
const REGISTRATIONS: [&str; 3] = ["rrn", "foreigner-registration", "arc"];
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// A patient as pages show them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    /// Logical id.
    pub(crate) id: String,
    /// The name to call them by; `None` when it is hidden or unknown.
    name: Option<String>,
    /// Whether the name was hidden on purpose.
    name_hidden: bool,
    /// Other spellings: Hanja, Latin.
    pub(crate) other_names: Vec<String>,
    gender: Option<String>,
    /// Day of birth.
    pub(crate) birth: Option<Moment>,
    /// Whether the day of birth is being found out.
    pub(crate) birth_pending: bool,
    /// Death: when, if that is known.
    pub(crate) death: Option<Option<Moment>>,
    /// Numbers by which institutions know them.
    pub(crate) numbers: Vec<Number>,
    /// Resident or foreigner number, masked.
    pub(crate) registration: Option<String>,
    /// Telephone numbers, masked.
    pub(crate) phones: Vec<String>,
    /// Address.
    pub(crate) address: Option<String>,
    /// Guardians and next of kin.
    pub(crate) contacts: Vec<Contact>,
}

/// A number given by an institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// The number.
    pub(crate) value: String,
    /// Who gave it.
    pub(crate) place: Option<String>,
}

/// Somebody to turn to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contact {
    /// Name.
    pub(crate) name: String,
    /// Relationship in words.
    pub(crate) relation: Option<String>,
    /// Telephone, masked.
    pub(crate) phone: Option<String>,
}

impl Person {
    /// Reads a Patient.
    pub(crate) fn read(patient: Value<'_>) -> Self {
        let mut person = Self {
            id: text(patient, &["id"]).unwrap_or_default(),
            gender: text(patient, &["gender"]),
            birth: Moment::read(patient, &["birthDate"]),
            birth_pending: absent_reason(patient, "_birthDate").is_some(),
            death: death(patient),
            address: text(patient, &["address", "text"]).or_else(|| address_of_parts(patient)),
            ..Self::default()
        };
        person.read_names(patient);
        person.read_numbers(patient);
        person.phones = phones(patient);
        person.contacts = all(patient, "contact").filter_map(contact).collect();
        person
    }

    fn read_names(&mut self, patient: Value<'_>) {
        let mut official = None;
        let mut names = Vec::new();
        for name in all(patient, "name") {
            self.name_hidden |= absent_reason(name, "_text").as_deref() == Some("masked");
            let Some(text) = text(name, &["text"]).or_else(|| name_of_parts(name)) else { continue };
            let is_official = name.get("use").and_then(Value::text).is_some_and(|usage| usage == "official");
            if official.is_none() && is_official {
                official = Some(names.len());
            }
            names.push(text);
        }
        if !names.is_empty() {
            self.name = Some(names.remove(official.unwrap_or(0)));
        }
        self.other_names = names;
    }

    fn read_numbers(&mut self, patient: Value<'_>) {
        for identifier in all(patient, "identifier") {
            let Some(value) = text(identifier, &["value"]) else { continue };
            let kind = text(identifier, &["type", "coding", "code"]).unwrap_or_default();
            // Nobody who treats needs these.
            if matches!(kind.as_str(), "DL" | "PPN") {
                continue;
            }
            let system = text(identifier, &["system"]).unwrap_or_default().to_ascii_lowercase();
            let is_registration = matches!(kind.as_str(), "NI" | "NNKOR" | "PRC" | "SS")
                || REGISTRATIONS.iter().any(|register| system.ends_with(register))
                || holds_registration_number(&value);
            if is_registration {
                self.registration = Some(masked_registration(&value));
            } else {
                self.numbers.push(Number { value, place: text(identifier, &["assigner", "display"]) });
            }
        }
        self.numbers.dedup();
    }

    /// The name, or words for its absence.
    pub(crate) fn name(&self, lang: Lang) -> &str {
        match (&self.name, self.name_hidden) {
            (Some(name), _) => name,
            (None, true) => lang.pick("이름 비공개", "Name withheld"),
            (None, false) => lang.pick("이름 없음", "No name recorded"),
        }
    }

    /// The sex in words.
    pub(crate) fn sex(&self, lang: Lang) -> &'static str {
        use ieum_ui::Text;
        match self.gender.as_deref() {
            Some("male") => Text::Male,
            Some("female") => Text::Female,
            Some("other") => Text::OtherSex,
            _ => Text::UnknownSex,
        }
        .get(lang)
    }

    /// 만나이 today, or at death.
    pub(crate) fn age(&self, today: Date, lang: Lang) -> Option<String> {
        let birth = self.birth.as_ref()?.date()?;
        let end = match &self.death {
            Some(death) => death.as_ref()?.date()?,
            None => today,
        };
        format::age(birth, end).map(|age| format::age_text(age, lang))
    }

    /// The first number an institution gave.
    pub(crate) fn first_number(&self) -> Option<&str> {
        self.numbers.first().map(|number| number.value.as_str())
    }
}

fn death(patient: Value<'_>) -> Option<Option<Moment>> {
    match Moment::read(patient, &["deceasedDateTime"]) {
        Some(moment) => Some(Some(moment)),
        None => patient.get("deceasedBoolean").and_then(Value::boolean).filter(|dead| *dead).map(|_| None),
    }
}

fn absent_reason(value: Value<'_>, member: &str) -> Option<String> {
    let extension = all(value.get(member)?, "extension")
        .find(|extension| extension.get("url").and_then(Value::text).is_some_and(|url| url == ABSENT))?;
    text(extension, &["valueCode"])
}

/// Korean names are family and given in one; others have a space between them.
fn name_of_parts(name: Value<'_>) -> Option<String> {
    let family = text(name, &["family"]).unwrap_or_default();
    let given: Vec<String> = all(name, "given").filter_map(|part| Some(part.text()?.into_owned())).collect();
    let hangul = family.chars().next().is_some_and(|letter| ('가'..='힣').contains(&letter));
    let whole =
        if hangul { format!("{family}{}", given.concat()) } else { format!("{} {family}", given.join(" ")) };
    let whole = whole.trim();
    (!whole.is_empty()).then(|| whole.to_owned())
}

fn address_of_parts(patient: Value<'_>) -> Option<String> {
    let parts = ["line", "city", "state", "postalCode"].map(|part| text(patient, &["address", part]));
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn phones(value: Value<'_>) -> Vec<String> {
    let is_phone = |telecom: &Value<'_>| {
        telecom.get("system").and_then(Value::text).is_some_and(|system| matches!(&*system, "phone" | "sms"))
    };
    let numbers = all(value, "telecom").filter(is_phone).filter_map(|telecom| text(telecom, &["value"]));
    numbers.map(|number| format::phone_masked(&number)).collect()
}

fn contact(contact: Value<'_>) -> Option<Contact> {
    let name = text(contact, &["name", "text"]).or_else(|| contact.get("name").and_then(name_of_parts))?;
    Some(Contact {
        name,
        relation: text(contact, &["relationship", "text"]),
        phone: phones(contact).into_iter().next(),
    })
}

/// Whether a text holds a registration number, however it is written: thirteen digits in all, whatever stands between
/// them and in whatever letters, or six and seven side by side among others.
pub(crate) fn holds_registration_number(text: &str) -> bool {
    let groups = digit_groups(text);
    let lengths: Vec<usize> = groups.iter().map(String::len).collect();
    lengths.iter().sum::<usize>() == 13
        || lengths.contains(&13)
        || lengths.windows(2).any(|pair| pair == [6, 7])
}

/// The runs of digits of a text; full-width and other forms of digits are digits too.
fn digit_groups(text: &str) -> Vec<String> {
    let plain: String = text.nfkc().collect();
    let groups = plain.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty());
    groups.map(str::to_owned).collect()
}

/// The day of birth and the digit of sex and century stay; the rest, and any number of another shape, is hidden.
fn masked_registration(value: &str) -> String {
    let digits = digit_groups(value).concat();
    if digits.len() != 13 {
        return "*".repeat(value.chars().count().min(14));
    }
    format!("{}-{}******", &digits[..6], &digits[6..7])
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn person(json: &str) -> Person {
        Person::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn names_are_called_hidden_or_missing() {
        let hidden = person(&format!(
            r#"{{"name":[{{"use":"anonymous","_text":{{"extension":[{{"url":"{ABSENT}","valueCode":"masked"}}]}}}}]}}"#
        ));
        assert_eq!(hidden.name(Lang::Ko), "이름 비공개");
        assert_eq!(person("{}").name(Lang::En), "No name recorded");
        let many =
            person(r#"{"name":[{"use":"usual","text":"응우옌"},{"use":"official","text":"NGUYEN VAN A"}]}"#);
        assert_eq!(
            (many.name(Lang::Ko), many.other_names.as_slice()),
            ("NGUYEN VAN A", &["응우옌".to_owned()][..])
        );
        assert_eq!(person(r#"{"name":[{"family":"남궁","given":["민","수"]}]}"#).name(Lang::Ko), "남궁민수");
        assert_eq!(person(r#"{"name":[{"family":"Smith","given":["Ann"]}]}"#).name(Lang::Ko), "Ann Smith");
    }

    #[test]
    fn registration_numbers_are_never_shown_whole() {
        let json = r#"{"identifier":[
            {"type":{"coding":[{"code":"NI"}]},"value":"842507-1000017"},
            {"type":{"coding":[{"code":"MR"}]},"value":"T42-00000001","assigner":{"display":"가상병원"}}]}"#;
        let person = person(json);
        assert_eq!(person.registration.as_deref(), Some("842507-1******"));
        assert_eq!(person.first_number(), Some("T42-00000001"));
        assert_eq!(masked_registration("A1234567"), "********");
        for written in [
            "842507-1000017",
            "8425071000017",
            "8425071000017.",
            "842507 1000017",
            "842507–1000017",
            "842507_1000017",
            "842507- 1000017",
            "84.25.07-1000017",
            "８４２５０７－１０００017",
            "김하나 842507 1000017 1984",
            "(842507)1000017호",
        ] {
            assert!(holds_registration_number(written), "{written}");
        }
        for other in ["T42-00000001", "800203 010-0000-1234", "1980-02-03", "010-0000-1234", "84250710000178"]
        {
            assert!(!holds_registration_number(other), "{other}");
        }
    }

    #[test]
    fn a_number_of_the_register_is_hidden_however_it_is_typed() {
        let of = |system: &str, value: &str| {
            person(&format!(r#"{{"identifier":[{{"system":"{system}","value":"{value}"}}]}}"#))
        };
        for (system, value) in [
            ("https://mois.go.kr/rrn", "842507 1000017"),
            ("https://mois.go.kr/RRN", "8425"),
            ("https://moj.go.kr/foreigner-registration", "x-842507-5"),
            ("urn:any", "842507.1000017"),
        ] {
            let person = of(system, value);
            assert!(person.numbers.is_empty(), "{system} {value}");
            let shown = person.registration.unwrap();
            assert!(!shown.contains("000017") && shown.contains('*'), "{shown}");
        }
        assert_eq!(of("urn:hospital", "T42-00000001").numbers.len(), 1);
    }

    #[test]
    fn ages_stop_at_death() {
        let dead = person(r#"{"birthDate":"1950-05-01","deceasedDateTime":"2020-05-01T10:00:00+09:00"}"#);
        let today = jiff::civil::date(2026, 11, 1);
        assert_eq!(dead.age(today, Lang::Ko).as_deref(), Some("만 70세"));
        assert_eq!(person(r#"{"birthDate":"1950-05-01","deceasedBoolean":true}"#).age(today, Lang::Ko), None);
        assert_eq!(person(r#"{"birthDate":"2026"}"#).age(today, Lang::Ko), None);
    }
}

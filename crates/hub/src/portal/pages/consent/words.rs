//! Scopes in plain words.

use ieum_trust::access::Role;
use ieum_trust::authorization::scopes::{Interactions, Level, Records, Scope, Scopes};
use ieum_ui::Lang;

/// Kinds of records that people have a word for; the others go by their name in FHIR.
const KINDS: &[(&str, &str, &str)] = &[
    ("Patient", "인적사항(이름, 생년월일, 연락처)", "personal details (name, birth date, telephone)"),
    ("Observation", "검사 결과와 활력징후", "test results and vital signs"),
    ("Condition", "진단", "diagnoses"),
    ("AllergyIntolerance", "알레르기", "allergies"),
    ("MedicationRequest", "처방", "prescriptions"),
    ("MedicationStatement", "먹는 약", "medicines taken"),
    ("MedicationDispense", "조제받은 약", "medicines dispensed"),
    ("Immunization", "예방접종", "vaccinations"),
    ("Procedure", "수술과 처치", "operations and procedures"),
    ("Encounter", "진료 이력", "visits"),
    ("DiagnosticReport", "검사 보고서", "reports of tests"),
    ("DocumentReference", "진료 문서", "documents"),
    ("ImagingStudy", "영상 검사", "images"),
    ("FamilyMemberHistory", "가족력", "illnesses in the family"),
    ("CarePlan", "진료 계획", "care plans"),
    ("Appointment", "예약", "appointments"),
    ("Coverage", "보험", "insurance"),
    ("Practitioner", "의료진 정보", "who treats"),
    ("Organization", "의료기관 정보", "institutions"),
];

/// Before the codes of [`CATEGORIES`].
const CATEGORY_SYSTEMS: [&str; 2] = [
    "http://terminology.hl7.org/CodeSystem/observation-category|",
    "http://terminology.hl7.org/CodeSystem/condition-category|",
];

/// Categories of records that people have a word for: kind, code, words.
const CATEGORIES: &[(&str, &str, &str, &str)] = &[
    ("Observation", "laboratory", "검사실 검사 결과", "laboratory results"),
    (
        "Observation",
        "vital-signs",
        "활력징후(혈압, 맥박, 체온 등)",
        "vital signs (blood pressure, pulse, temperature …)",
    ),
    ("Observation", "social-history", "생활 습관(흡연, 음주 등)", "habits (smoking, alcohol …)"),
    ("Observation", "survey", "설문 결과", "answers to questionnaires"),
    ("Condition", "problem-list-item", "계속 관리하는 질환", "illnesses on the problem list"),
    ("Condition", "encounter-diagnosis", "진료 때의 진단", "diagnoses of visits"),
];

/// About whom a scope of one patient is, to whoever reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::portal::pages) enum Whom {
    /// The reader.
    Reader,
    /// A patient whose name stands above.
    Above,
    /// A patient whom the reader chose.
    Chosen,
    /// A patient whom somebody else, who uses the app, chooses.
    OfUser,
}

impl Whom {
    /// Where the patient's name stands above, unless it is the reader.
    pub(super) fn of(role: Role) -> Self {
        if role == Role::Patient { Self::Reader } else { Self::Above }
    }
}

/// Each scope as a line.
pub(in crate::portal::pages) fn scopes(scopes: &Scopes, whom: Whom, lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> = scopes.iter().filter_map(|scope| line(scope, whom, lang)).collect();
    lines.dedup();
    lines
}

fn line(scope: &Scope, whom: Whom, lang: Lang) -> Option<String> {
    let say = |ko: &str, en: &str| Some(lang.pick(ko, en).to_owned());
    match scope {
        Scope::OpenId => say("내가 누구인지 확인", "Learn who you are"),
        Scope::FhirUser => say("이음에 있는 내 기록 번호 확인", "Learn which record in Ieum is yours"),
        Scope::OfflineAccess => {
            say("내가 화면을 보고 있지 않을 때에도 동작", "Work also while you are not there")
        }
        // About whom is said above.
        Scope::Launch | Scope::LaunchPatient => None,
        Scope::Records(records) => Some(of_records(records, whom, lang)),
    }
}

fn of_records(records: &Records, reader: Whom, lang: Lang) -> String {
    let kind = records.kind.as_deref().map(|kind| named(kind, &records.query, lang));
    let kind = kind.as_deref();
    let verbs = verbs(records.may, lang);
    let whom = if records.level == Level::Patient || reader == Whom::Reader { Some(reader) } else { None };
    if lang == Lang::Ko {
        let whose = match whom {
            Some(Whom::Reader) => "내",
            Some(Whom::Above) => "위 환자의",
            Some(Whom::Chosen) => "고른 환자의",
            Some(Whom::OfUser) => "쓰는 사람 본인이나 고른 환자의",
            None if records.level == Level::System => "시스템 계정이 볼 수 있는 모든 사람의",
            None if reader == Whom::OfUser => "쓰는 사람이 볼 수 있는 모든 사람의",
            None => "내가 볼 수 있는 모든 사람의",
        };
        return format!("{whose} {} {verbs}", kind.unwrap_or("모든 기록"));
    }
    let all = kind.unwrap_or("all records");
    let what = match (whom, kind) {
        (Some(Whom::Reader), None) => "all your records".to_owned(),
        (Some(Whom::Reader), Some(kind)) => format!("your {kind}"),
        (Some(Whom::Above), _) => format!("{all} of the patient above"),
        (Some(Whom::Chosen), _) => format!("{all} of the patient chosen"),
        (Some(Whom::OfUser), _) => format!("{all} of the user, or of the patient whom the user chooses"),
        (None, _) if records.level == Level::System => {
            format!("{all} of everybody whom the system's account reaches")
        }
        (None, _) if reader == Whom::OfUser => format!("{all} of everybody whose records the user reaches"),
        (None, _) => format!("{all} of everybody whose records you reach"),
    };
    format!("{verbs} {what}")
}

/// Records of a kind in words, those alone that a scope selects.
fn named(kind: &str, query: &[(String, String)], lang: Lang) -> String {
    // Only what is exactly one code of HL7's lists has a word: whoever says yes must not be told less than is asked for.
    let category = match query {
        [(name, value)] if name == "category" => {
            Some(CATEGORY_SYSTEMS.iter().find_map(|system| value.strip_prefix(system)).unwrap_or(value))
        }
        _ => None,
    };
    if let Some((.., ko, en)) =
        CATEGORIES.iter().find(|(of, code, ..)| *of == kind && Some(*code) == category)
    {
        return (*lang.pick(ko, en)).to_owned();
    }
    let known = KINDS.iter().find(|(name, ..)| *name == kind);
    let kind = known.map_or(kind, |(_, ko, en)| lang.pick(ko, en));
    if query.is_empty() {
        return kind.to_owned();
    }
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let only = lang.pick("다음에 해당하는 것만", "only those with");
    format!("{kind} ({only}: {})", pairs.join(", "))
}

/// What may be done, as the beginning of an English line and the end of a Korean one.
fn verbs(may: Interactions, lang: Lang) -> &'static str {
    let sees = may.include(Interactions::READ) || may.include(Interactions::SEARCH);
    let writes = may.include(Interactions::CREATE) || may.include(Interactions::UPDATE);
    let (ko, en) = match (sees, writes, may.include(Interactions::DELETE)) {
        (true, true, true) => ("보기, 쓰기, 지우기", "See, write and delete"),
        (true, true, false) => ("보기, 쓰기", "See and write"),
        (true, false, true) => ("보기, 지우기", "See and delete"),
        (false, true, true) => ("쓰기, 지우기", "Write and delete"),
        (false, true, false) => ("쓰기", "Write"),
        (false, false, true) => ("지우기", "Delete"),
        (_, false, false) => ("보기", "See"),
    };
    lang.pick(ko, en)
}

#[cfg(test)]
mod tests {
    use ieum_fhir::definitions::r4;

    use super::*;

    #[test]
    fn scopes_are_told_in_plain_words() {
        for (text, role, ko, en) in [
            ("launch/patient openid", Role::Patient, "내가 누구인지 확인", "Learn who you are"),
            ("patient/*.rs", Role::Patient, "내 모든 기록 보기", "See all your records"),
            ("user/*.r", Role::Patient, "내 모든 기록 보기", "See all your records"),
            ("patient/Condition.s", Role::Patient, "내 진단 보기", "See your diagnoses"),
            (
                "user/Condition.cruds",
                Role::Clinician,
                "내가 볼 수 있는 모든 사람의 진단 보기, 쓰기, 지우기",
                "See, write and delete diagnoses of everybody whose records you reach",
            ),
            ("patient/Basic.s", Role::Clinician, "위 환자의 Basic 보기", "See Basic of the patient above"),
            ("user/Condition.d", Role::Patient, "내 진단 지우기", "Delete your diagnoses"),
            (
                "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
                Role::Patient,
                "내 검사실 검사 결과 보기",
                "See your laboratory results",
            ),
            (
                "patient/Observation.rs?status=final&code=4548-4",
                Role::Patient,
                "내 검사 결과와 활력징후 (다음에 해당하는 것만: status=final, code=4548-4) 보기",
                "See your test results and vital signs (only those with: status=final, code=4548-4)",
            ),
        ] {
            let asked = Scopes::parse(text).unwrap();
            assert_eq!(scopes(&asked, Whom::of(role), Lang::Ko), [ko]);
            assert_eq!(scopes(&asked, Whom::of(role), Lang::En), [en]);
        }
    }

    #[test]
    fn words_are_for_kinds_that_there_are() {
        for (kind, ..) in KINDS {
            assert!(r4().is_resource(kind), "{kind}");
        }
    }
}

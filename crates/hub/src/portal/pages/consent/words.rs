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

/// Each scope as a sentence, to somebody in this role.
pub(super) fn scopes(scopes: &Scopes, role: Role, lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> = scopes.iter().filter_map(|scope| sentence(scope, role, lang)).collect();
    lines.dedup();
    lines
}

fn sentence(scope: &Scope, role: Role, lang: Lang) -> Option<String> {
    let say = |ko: &str, en: &str| Some(lang.pick(ko, en).to_owned());
    match scope {
        Scope::OpenId => say("내가 누구인지 확인합니다.", "Learn who you are."),
        Scope::FhirUser => {
            say("이음에 있는 나의 기록 번호를 확인합니다.", "Learn which record in Ieum is yours.")
        }
        Scope::OfflineAccess => {
            say("내가 화면을 보고 있지 않을 때에도 일합니다.", "Work also while you are not there.")
        }
        // About whom is said above.
        Scope::Launch | Scope::LaunchPatient => None,
        Scope::Records(records) => Some(of_records(records, role, lang)),
    }
}

fn of_records(records: &Records, role: Role, lang: Lang) -> String {
    let kind = match &records.kind {
        None => lang.pick("모든 기록", "all records").to_owned(),
        Some(kind) => {
            let known = KINDS.iter().find(|(name, ..)| name == kind);
            known.map_or_else(|| kind.clone(), |(_, ko, en)| lang.pick(*ko, *en).to_owned())
        }
    };
    let whose = match (records.level, role) {
        (Level::Patient, Role::Patient) | (Level::User, Role::Patient) => lang.pick("내 ", "Your "),
        (Level::Patient, _) => lang.pick("위 환자의 ", "Of the patient above: "),
        (Level::User | Level::System, _) => {
            lang.pick("내가 볼 수 있는 모든 사람의 ", "Of everybody whose records you reach: ")
        }
    };
    format!("{whose}{kind} — {}.", verbs(records.may, lang))
}

fn verbs(may: Interactions, lang: Lang) -> String {
    let sees = may.include(Interactions::READ) || may.include(Interactions::SEARCH);
    let writes = may.include(Interactions::CREATE) || may.include(Interactions::UPDATE);
    let verbs = [
        (sees, lang.pick("보기", "see")),
        (writes, lang.pick("쓰고 고치기", "write and change")),
        (may.include(Interactions::DELETE), lang.pick("지우기", "delete")),
    ];
    let verbs: Vec<&str> = verbs.into_iter().filter_map(|(has, verb)| has.then_some(verb)).collect();
    verbs.join(", ")
}

#[cfg(test)]
mod tests {
    use ieum_fhir::definitions::r4;

    use super::*;

    #[test]
    fn scopes_are_told_as_sentences() {
        let told = |text: &str, role| scopes(&Scopes::parse(text).unwrap(), role, Lang::En);
        assert_eq!(
            told("launch/patient openid patient/Observation.rs patient/*.r", Role::Patient),
            ["Learn who you are.", "Your test results and vital signs — see.", "Your all records — see."]
        );
        assert_eq!(
            told("user/Condition.cruds patient/Basic.s", Role::Clinician),
            [
                "Of everybody whose records you reach: diagnoses — see, write and change, delete.",
                "Of the patient above: Basic — see.",
            ]
        );
        assert_eq!(
            scopes(&Scopes::parse("patient/*.rs").unwrap(), Role::Patient, Lang::Ko),
            ["내 모든 기록 — 보기."]
        );
    }

    #[test]
    fn words_are_for_kinds_that_there_are() {
        for (kind, ..) in KINDS {
            assert!(r4().is_resource(kind), "{kind}");
        }
    }
}

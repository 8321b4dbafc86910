//! Names of code systems, and the few codes used everywhere.

pub(crate) const PROFILE_BASE: &str = "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-";
pub(crate) const KCD8: &str = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8";
pub(crate) const EDI_PROCEDURE: &str = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-procedure";
pub(crate) const EDI_MEDICATION: &str = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-medication";
pub(crate) const ORGANIZATION_TYPE: &str =
    "http://www.hl7korea.or.kr/CodeSystem/hira-healthcare-organization-types";
pub(crate) const INSURANCE: &str = "http://www.hl7korea.or.kr/CodeSystem/hira-insurance-types";
pub(crate) const DEPARTMENT: &str = "http://www.hl7korea.or.kr/CodeSystem/hira-medical-department";
pub(crate) const QUALIFICATION: &str =
    "http://www.hl7korea.or.kr/CodeSystem/mohw-practitioner-qualification-types";
pub(crate) const HIRA_SYMBOL: &str = "http://www.hl7korea.or.kr/Identifier/hira-krnpi";
pub(crate) const LICENCE: &str = "http://www.hl7korea.or.kr/Identifier/mohw-md-license-id";
pub(crate) const CONDITION_CATEGORY: &str =
    "http://www.hl7korea.or.kr/fhir/krcore/CodeSystem/krcore-condition-category-types";
pub(crate) const PROCEDURE_CATEGORY: &str =
    "http://www.hl7korea.or.kr/fhir/krcore/CodeSystem/krcore-procedure-category-types";
pub(crate) const VACCINE: &str = "http://www.hl7korea.or.kr/fhir/krcore/CodeSystem/krcore-vcnt-types";
pub(crate) const ATC: &str = "http://www.whocc.no/atc";
pub(crate) const LOINC: &str = "http://loinc.org";
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(crate) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
pub(crate) const TOOTH: &str = "http://terminology.hl7.org/CodeSystem/ex-tooth";
pub(crate) const DATA_ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// A SNOMED CT concept with the words a Korean chart would use for it.
#[derive(Debug)]
pub(crate) struct Concept {
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
    pub(crate) text: &'static str,
}

/// Shorthand for table rows.
pub(crate) const fn concept(code: &'static str, display: &'static str, text: &'static str) -> Concept {
    Concept { code, display, text }
}

/// A diagnosis of KCD-8.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
}

/// Shorthand for table rows.
pub(crate) const fn kcd(code: &'static str, name: &'static str) -> Diagnosis {
    Diagnosis { code, name }
}

/// A procedure: a code in our fake range of the EDI list, and the SNOMED CT code where one is known.
#[derive(Debug)]
pub(crate) struct ProcedureKind {
    pub(crate) edi: &'static str,
    pub(crate) name: &'static str,
    pub(crate) snomed: Option<(&'static str, &'static str)>,
    /// 1 수술, 2 처치, 3 마취.
    pub(crate) category: &'static str,
}

/// The displays of the medical departments in use, all of them in the value set of the 54.
pub(crate) fn department_name(code: &str) -> &'static str {
    match code {
        "00" => "일반의",
        "01" => "내과",
        "02" => "신경과",
        "03" => "정신건강의학과",
        "04" => "외과",
        "05" => "정형외과",
        "06" => "신경외과",
        "10" => "산부인과",
        "11" => "소아청소년과",
        "12" => "안과",
        "13" => "이비인후과",
        "14" => "피부과",
        "15" => "비뇨의학과",
        "16" => "영상의학과",
        "18" => "병리과",
        "19" => "진단검사의학과",
        "21" => "재활의학과",
        "23" => "가정의학과",
        "24" => "응급의학과",
        "50" => "구강악안면외과",
        "54" => "치주과",
        "55" => "치과보존과",
        "61" => "통합치의학과",
        "80" => "한방내과",
        "81" => "한방부인과",
        "85" => "침구과",
        "86" => "한방재활의학과",
        other => unreachable!("department {other} is in no table of institutions"),
    }
}

//! Illness that comes and goes: visits to a clinic, and what brings people to an emergency room.

use super::codes::{Concept, Diagnosis, ProcedureKind, concept, kcd};
use super::laboratory::{self as lab, Panel};
use super::medicines::{self as drug, Medicine};

/// An imaging examination.
#[derive(Debug)]
pub(crate) struct Imaging {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
    pub(crate) text: &'static str,
    pub(crate) modality: &'static str,
    pub(crate) images: i64,
    pub(crate) conclusion: &'static str,
}

/// An illness seen at a clinic once.
pub(crate) struct ShortIllness {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) complaint: Concept,
    pub(crate) department: &'static str,
    /// Youngest and oldest age in years.
    pub(crate) ages: (i64, i64),
    pub(crate) weight: u32,
    pub(crate) medicines: &'static [&'static Medicine],
    pub(crate) days: i64,
    pub(crate) fever: bool,
    pub(crate) panels: &'static [&'static Panel],
    pub(crate) imaging: Option<&'static Imaging>,
    pub(crate) sensitivity: Option<&'static str>,
}

impl ShortIllness {
    /// How common it is among men or women.
    pub(crate) fn weight_of(&self, male: bool) -> u32 {
        let rare = RARE_IN_MEN.iter().find(|(code, _)| *code == self.diagnosis.code);
        rare.filter(|_| male).map_or(self.weight, |(_, times)| self.weight / times)
    }
}

/// Illnesses that are so many times rarer in men.
const RARE_IN_MEN: [(&str, u32); 1] = [("N30.0", 15)];

/// An illness that comes through the emergency room and, mostly, leads to a stay.
pub(crate) struct SevereIllness {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) complaint: Concept,
    pub(crate) department: &'static str,
    pub(crate) ages: (i64, i64),
    pub(crate) weight: u32,
    pub(crate) panels: &'static [&'static Panel],
    pub(crate) imaging: &'static Imaging,
    pub(crate) operation: Option<&'static ProcedureKind>,
    /// Tissue goes to the pathologist, who finds this.
    pub(crate) pathology: Option<&'static str>,
    pub(crate) medicines: &'static [&'static Medicine],
    /// Shortest and longest stay in days; zero means home from the emergency room.
    pub(crate) stay: (i64, i64),
    pub(crate) fever: bool,
    /// The course in one sentence, for the discharge summary.
    pub(crate) story: &'static str,
}

const LOINC: &str = super::codes::LOINC;
const SNOMED: &str = super::codes::SNOMED;

pub(crate) static CHEST_XRAY: Imaging = Imaging {
    system: LOINC,
    code: "36643-5",
    display: "XR Chest 2 Views",
    text: "흉부 X선 촬영",
    modality: "DX",
    images: 2,
    conclusion: "폐야에 활동성 병변 없음",
};
pub(crate) static CHEST_XRAY_PNEUMONIA: Imaging =
    Imaging { conclusion: "우하엽 경화 음영, 폐렴 의심", ..CHEST_XRAY };
pub(crate) static HEAD_CT: Imaging = Imaging {
    system: LOINC,
    code: "24725-4",
    display: "CT Head",
    text: "두부 CT",
    modality: "CT",
    images: 64,
    conclusion: "급성 출혈 소견 없음",
};
pub(crate) static BRAIN_MRI: Imaging = Imaging {
    system: LOINC,
    code: "24590-2",
    display: "MR Brain",
    text: "뇌 MRI",
    modality: "MR",
    images: 180,
    conclusion: "좌측 중대뇌동맥 영역의 급성 경색",
};
pub(crate) static ABDOMEN_US: Imaging = Imaging {
    system: LOINC,
    code: "24558-9",
    display: "US Abdomen",
    text: "복부 초음파",
    modality: "US",
    images: 24,
    conclusion: "담낭 내 결석과 벽 비후",
};
pub(crate) static ABDOMEN_CT: Imaging = Imaging {
    system: LOINC,
    code: "18748-4",
    display: "Diagnostic imaging study",
    text: "복부 CT",
    modality: "CT",
    images: 120,
    conclusion: "충수의 직경 증가와 주위 지방 침윤",
};
pub(crate) static URINARY_CT: Imaging =
    Imaging { conclusion: "우측 원위부 요관에 4mm 결석", text: "요로 CT", ..ABDOMEN_CT };
pub(crate) static WRIST_XRAY: Imaging = Imaging {
    system: SNOMED,
    code: "60027007",
    display: "Radiography of wrist",
    text: "손목 X선 촬영",
    modality: "DX",
    images: 2,
    conclusion: "요골 원위부의 비전위 골절",
};
pub(crate) static PELVIS_XRAY: Imaging = Imaging {
    system: SNOMED,
    code: "268425006",
    display: "Pelvis X-ray",
    text: "골반 X선 촬영",
    modality: "DX",
    images: 2,
    conclusion: "우측 대퇴골 경부 골절",
};
pub(crate) static MAMMOGRAM: Imaging = Imaging {
    system: LOINC,
    code: "24606-6",
    display: "MG Breast Screening",
    text: "유방촬영",
    modality: "MG",
    images: 4,
    conclusion: "양성 소견, 정기 검진 권고",
};
pub(crate) static FETAL_US: Imaging = Imaging {
    system: LOINC,
    code: "18748-4",
    display: "Diagnostic imaging study",
    text: "산과 초음파",
    modality: "US",
    images: 12,
    conclusion: "태아 발육이 주수에 합당함",
};

macro_rules! short_illnesses {
    ($($code:literal $name:literal, $snomed:literal $display:literal $text:literal, $department:literal, $ages:expr, $weight:literal, [$($drug:ident),*] $days:literal, $fever:literal, [$($panel:ident),*], $imaging:expr, $sensitivity:expr;)*) => {
        pub(crate) static SHORT_ILLNESSES: &[ShortIllness] = &[$(ShortIllness {
            diagnosis: kcd($code, $name), complaint: concept($snomed, $display, $text), department: $department,
            ages: $ages, weight: $weight, medicines: &[$(&drug::$drug),*], days: $days, fever: $fever,
            panels: &[$(&lab::$panel),*], imaging: $imaging, sensitivity: $sensitivity,
        }),*];
    };
}

short_illnesses! {
    "J06.9" "상세불명의 급성 상기도감염", "49727002" "Cough" "기침과 목 아픔", "01", (19, 110), 130, [ACETAMINOPHEN, LEVODROPROPIZINE, CETIRIZINE] 3, false, [], None, None;
    "J06.9" "상세불명의 급성 상기도감염", "64531003" "Nasal discharge" "콧물과 기침", "11", (0, 18), 220, [ACETAMINOPHEN_SYRUP, LEVODROPROPIZINE] 3, true, [], None, None;
    "J20.9" "상세불명의 급성 기관지염", "49727002" "Cough" "가래 끓는 기침", "01", (19, 110), 90, [AMBROXOL, LEVODROPROPIZINE, ACETAMINOPHEN] 5, true, [INFLAMMATION], Some(&CHEST_XRAY), None;
    "J20.9" "상세불명의 급성 기관지염", "49727002" "Cough" "밤에 심한 기침", "11", (0, 18), 120, [LEVODROPROPIZINE, ACETAMINOPHEN_SYRUP] 5, true, [], None, None;
    "J10.1" "기타 호흡기증상을 동반한, 확인된 계절성 인플루엔자바이러스에 의한 인플루엔자", "386661006" "Fever" "갑작스러운 고열과 몸살", "01", (13, 110), 35, [OSELTAMIVIR, ACETAMINOPHEN] 5, true, [CBC], None, None;
    "J02.9" "상세불명의 급성 인두염", "162397003" "Pain in throat" "침 삼킬 때 목이 아픔", "13", (3, 80), 60, [IBUPROFEN, AMOXICILLIN_CLAVULANATE] 5, true, [], None, None;
    "H66.9" "상세불명의 중이염", "301354004" "Pain of ear" "귀가 아픔", "11", (0, 9), 60, [CEFACLOR, ACETAMINOPHEN_SYRUP] 7, true, [], None, None;
    "A09.9" "상세불명 기원의 위장염 및 결장염", "62315008" "Diarrhea" "설사와 배 아픔", "01", (13, 110), 60, [SMECTITE, ITOPRIDE] 3, false, [CBC, KIDNEY], None, None;
    "A09.9" "상세불명 기원의 위장염 및 결장염", "422400008" "Vomiting" "토하고 설사함", "11", (0, 12), 60, [SMECTITE] 3, true, [], None, None;
    "K29.7" "상세불명의 위염", "21522001" "Abdominal pain" "명치가 쓰리고 아픔", "01", (16, 100), 70, [ESOMEPRAZOLE, REBAMIPIDE] 14, false, [], None, None;
    "N30.0" "급성 방광염", "49650001" "Dysuria" "소변 볼 때 아프고 자주 마려움", "01", (18, 95), 35, [CIPROFLOXACIN] 5, false, [INFLAMMATION], None, None;
    "M54.5" "아래허리통증", "279039007" "Low back pain" "허리가 아픔", "05", (18, 100), 80, [ACECLOFENAC, EPERISONE] 7, false, [], None, None;
    "S93.4" "발목의 염좌 및 긴장", "417746004" "Traumatic injury" "발목을 삠", "05", (8, 70), 40, [ACECLOFENAC] 5, false, [], None, None;
    "S52.5" "요골 하단의 골절", "417746004" "Traumatic injury" "넘어지며 손을 짚음", "05", (6, 90), 15, [CELECOXIB] 10, false, [], Some(&WRIST_XRAY), None;
    "L23.9" "원인 미상의 알레르기성 접촉피부염", "271807003" "Eruption of skin" "붉은 발진과 가려움", "14", (1, 100), 40, [CETIRIZINE, HYDROCORTISONE_CREAM] 7, false, [], None, None;
    "L50.9" "상세불명의 두드러기", "418363000" "Itching of skin" "두드러기", "14", (1, 100), 30, [CETIRIZINE, PREDNISOLONE] 5, false, [], None, None;
    "H10.9" "상세불명의 결막염", "75705005" "Red eye" "눈이 충혈되고 눈곱이 낌", "12", (1, 100), 40, [LEVOFLOXACIN_DROPS] 7, false, [], None, None;
    "G43.9" "상세불명의 편두통", "25064002" "Headache" "한쪽 머리가 욱신거림", "02", (14, 75), 25, [IBUPROFEN] 5, false, [], Some(&HEAD_CT), None;
    "R42" "어지럼증 및 어지럼", "404640003" "Dizziness" "빙빙 도는 어지러움", "02", (20, 100), 30, [ITOPRIDE] 5, false, [CBC], None, None;
    "A56.0" "하부 비뇨생식관의 클라미디아감염", "49650001" "Dysuria" "분비물과 배뇨통", "15", (18, 60), 6, [DOXYCYCLINE] 7, false, [], None, Some("STD");
    "F43.2" "적응장애", "366979004" "Depressed mood" "불안하고 잠이 오지 않음", "03", (15, 80), 16, [TRAZODONE] 14, false, [], None, Some("PSY");
}

pub(crate) static ANAESTHESIA: ProcedureKind = ProcedureKind {
    edi: "ZZ930",
    name: "전신마취",
    snomed: Some(("50697003", "General anesthesia")),
    category: "3",
};
pub(crate) static CAESAREAN: ProcedureKind = ProcedureKind {
    edi: "ZZ910",
    name: "제왕절개",
    snomed: Some(("11466000", "Cesarean section")),
    category: "1",
};
pub(crate) static COLONOSCOPY: ProcedureKind = ProcedureKind {
    edi: "ZZ920",
    name: "대장내시경검사",
    snomed: Some(("73761001", "Colonoscopy")),
    category: "2",
};
pub(crate) static GASTROSCOPY: ProcedureKind = ProcedureKind {
    edi: "ZZ921",
    name: "상부소화관내시경검사",
    snomed: Some(("76009000", "Esophagogastroduodenoscopy")),
    category: "2",
};
static APPENDECTOMY: ProcedureKind = ProcedureKind {
    edi: "ZZ911",
    name: "충수절제술",
    snomed: Some(("80146002", "Appendectomy")),
    category: "1",
};
static CHOLECYSTECTOMY: ProcedureKind = ProcedureKind {
    edi: "ZZ912",
    name: "복강경 담낭절제술",
    snomed: Some(("45595009", "Laparoscopic cholecystectomy")),
    category: "1",
};
static CORONARY: ProcedureKind = ProcedureKind {
    edi: "ZZ913",
    name: "경피적 관상동맥중재술",
    snomed: Some(("415070008", "Percutaneous coronary intervention")),
    category: "1",
};
static HIP: ProcedureKind =
    ProcedureKind { edi: "ZZ914", name: "고관절 반치환술", snomed: None, category: "1" };
static LITHOTRIPSY: ProcedureKind =
    ProcedureKind { edi: "ZZ915", name: "체외충격파쇄석술", snomed: None, category: "2" };
static SUTURE: ProcedureKind = ProcedureKind {
    edi: "ZZ916",
    name: "열상 봉합",
    snomed: Some(("288086009", "Suture open wound")),
    category: "2",
};

macro_rules! severe_illnesses {
    ($($code:literal $name:literal, $snomed:literal $display:literal $text:literal, $department:literal, $ages:expr, $weight:literal, [$($panel:ident),*], $imaging:ident, $operation:expr, $pathology:expr, [$($drug:ident),*], $stay:expr, $fever:literal, $story:literal;)*) => {
        pub(crate) static SEVERE_ILLNESSES: &[SevereIllness] = &[$(SevereIllness {
            diagnosis: kcd($code, $name), complaint: concept($snomed, $display, $text), department: $department,
            ages: $ages, weight: $weight, panels: &[$(&lab::$panel),*], imaging: &$imaging, operation: $operation,
            pathology: $pathology, medicines: &[$(&drug::$drug),*], stay: $stay, fever: $fever, story: $story,
        }),*];
    };
}

severe_illnesses! {
    "K35.8" "기타 및 상세불명의 급성 충수염", "21522001" "Abdominal pain" "오른쪽 아랫배가 몹시 아픔", "04", (6, 70), 16, [CBC, INFLAMMATION, KIDNEY], ABDOMEN_CT, Some(&APPENDECTOMY), Some("급성 화농성 충수염"), [CEFTRIAXONE, ACETAMINOPHEN], (3, 5), true, "응급 수술 후 경과가 양호하여 퇴원함.";
    "J18.9" "상세불명의 폐렴", "267036007" "Dyspnea" "열과 가래, 숨참", "01", (0, 110), 26, [CBC, INFLAMMATION, KIDNEY], CHEST_XRAY_PNEUMONIA, None, None, [CEFTRIAXONE, AMBROXOL], (5, 10), true, "항생제 치료 후 열이 내리고 산소포화도가 회복됨.";
    "I21.9" "상세불명의 급성 심근경색증", "29857009" "Chest pain" "쥐어짜는 듯한 가슴 통증", "01", (42, 110), 10, [HEART, CBC, KIDNEY, LIPIDS], CHEST_XRAY, Some(&CORONARY), None, [ASPIRIN, CLOPIDOGREL, ATORVASTATIN, BISOPROLOL], (4, 8), false, "관상동맥 중재술을 시행하고 이차 예방 약제를 시작함.";
    "I63.9" "상세불명의 뇌경색증", "26544005" "Muscle weakness" "한쪽 팔다리에 힘이 빠짐", "02", (50, 110), 12, [CBC, KIDNEY, LIPIDS], BRAIN_MRI, None, None, [CLOPIDOGREL, ATORVASTATIN], (7, 16), false, "급성기 치료 후 재활의학과에 의뢰하고 퇴원함.";
    "N20.1" "요관의 결석", "21522001" "Abdominal pain" "옆구리가 끊어질 듯 아픔", "15", (20, 80), 22, [CBC, KIDNEY], URINARY_CT, Some(&LITHOTRIPSY), None, [CELECOXIB, TAMSULOSIN], (0, 0), false, "진통 조절 후 외래에서 쇄석술을 시행하기로 함.";
    "K80.0" "급성 담낭염을 동반한 담낭의 결석", "21522001" "Abdominal pain" "오른쪽 윗배 통증", "04", (25, 95), 12, [CBC, LIVER, INFLAMMATION], ABDOMEN_US, Some(&CHOLECYSTECTOMY), Some("만성 담낭염과 담석"), [CEFTRIAXONE, ESOMEPRAZOLE], (4, 6), true, "복강경 수술 후 식이를 진행하고 퇴원함.";
    "S72.0" "대퇴골경부의 골절", "417746004" "Traumatic injury" "넘어진 뒤 걷지 못함", "05", (68, 110), 14, [CBC, KIDNEY], PELVIS_XRAY, Some(&HIP), None, [CELECOXIB, ASPIRIN], (12, 21), false, "수술 후 보행 훈련을 시작하고 요양병원으로 전원을 계획함.";
    "S01.8" "머리의 기타 부분의 열린상처", "417746004" "Traumatic injury" "이마가 찢어짐", "24", (1, 90), 26, [], HEAD_CT, Some(&SUTURE), None, [ACETAMINOPHEN], (0, 0), false, "상처를 봉합하고 귀가함.";
    "T78.2" "상세불명의 아나필락시스쇼크", "271807003" "Eruption of skin" "온몸의 두드러기와 호흡곤란", "24", (2, 80), 8, [CBC], CHEST_XRAY, None, None, [PREDNISOLONE, CETIRIZINE], (0, 0), false, "에피네프린 투여 후 호전되어 관찰 뒤 귀가함.";
}

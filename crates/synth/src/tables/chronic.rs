//! Diseases that stay: how common they are, and what a regular visit for them holds.

use super::codes::{Concept, Diagnosis, concept, kcd};
use super::laboratory::{self as lab, Panel};
use super::medicines::{self as drug, Medicine};

/// What kind of long disease it is, for the numbers of the body that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chronic {
    Hypertension,
    Diabetes,
    Lipids,
    Kidney,
    Asthma,
    Copd,
    Gout,
    Thyroid,
    AtrialFibrillation,
    Other,
}

/// Information so sensitive that its resources carry a label of v3-ActCode.
pub(crate) type Sensitivity = Option<&'static str>;

/// One long disease.
pub(crate) struct LongDisease {
    pub(crate) kind: Chronic,
    pub(crate) diagnosis: Diagnosis,
    pub(crate) department: &'static str,
    /// People in 1,000 who have it, aged under 20, 20–39, 40–49, 50–59, 60–69, 70 and over.
    pub(crate) prevalence: [u32; 6],
    /// Factors in percent for men and women.
    pub(crate) by_sex: (u32, u32),
    /// Treatment steps: the first from the beginning, the next ones added as years pass.
    pub(crate) steps: &'static [&'static [&'static Medicine]],
    pub(crate) panels: &'static [&'static Panel],
    /// Days between visits.
    pub(crate) interval: i64,
    pub(crate) complaint: Concept,
    pub(crate) sensitivity: Sensitivity,
}

/// Long diseases that children have as well, from three years of age: asthma, hay fever, eczema.
const OF_CHILDREN: [&str; 3] = ["J45.9", "J30.4", "L20.9"];

impl LongDisease {
    /// The age at which it is diagnosed at the earliest: medicines for the others are for those who swallow tablets.
    pub(crate) fn youngest(&self) -> i64 {
        if OF_CHILDREN.contains(&self.diagnosis.code) { 3 } else { 14 }
    }
}

macro_rules! long_diseases {
    ($($kind:ident $code:literal $name:literal, $department:literal, $prevalence:expr, $by_sex:expr, [$([$($drug:ident),*]),*], [$($panel:ident),*], $interval:literal, $complaint:expr, $sensitivity:expr;)*) => {
        /// All long diseases, those of internal medicine first.
        pub(crate) static LONG_DISEASES: &[LongDisease] = &[$(LongDisease {
            kind: Chronic::$kind, diagnosis: kcd($code, $name), department: $department, prevalence: $prevalence,
            by_sex: $by_sex, steps: &[$(&[$(&drug::$drug),*]),*], panels: &[$(&lab::$panel),*], interval: $interval,
            complaint: $complaint, sensitivity: $sensitivity,
        }),*];
    };
}

const FATIGUE: Concept = concept("84229001", "Fatigue", "쉽게 피로함");
const HEADACHE: Concept = concept("25064002", "Headache", "뒷머리가 무겁고 아픔");
const DIZZINESS: Concept = concept("404640003", "Dizziness", "어지러움");
const DYSPNEA: Concept = concept("267036007", "Dyspnea", "움직일 때 숨이 참");
const WHEEZE: Concept = concept("56018004", "Wheezing", "쌕쌕거림");
const PALPITATION: Concept = concept("80313002", "Palpitations", "가슴이 두근거림");
const JOINT: Concept = concept("57676002", "Joint pain", "관절이 아픔");
const KNEE: Concept = concept("30989003", "Knee pain", "무릎이 아픔");
const LOW_MOOD: Concept = concept("366979004", "Depressed mood", "기분이 가라앉음");
const SLEEPLESS: Concept = concept("193462001", "Insomnia", "잠을 이루지 못함");
const HEARTBURN: Concept = concept("16331000", "Heartburn", "속쓰림");
const NASAL: Concept = concept("64531003", "Nasal discharge", "맑은 콧물과 재채기");
const ITCH: Concept = concept("418363000", "Itching of skin", "피부 가려움");
const FORGETFUL: Concept = concept("386807006", "Memory impairment", "기억력이 떨어짐");
const URINE_FLOW: Concept = concept("49650001", "Dysuria", "소변 보기가 불편함");
const BACK: Concept = concept("161891005", "Backache", "등과 허리가 아픔");

long_diseases! {
    Hypertension "I10.9" "기타 및 상세불명의 원발성 고혈압", "01", [0, 30, 140, 290, 430, 600], (110, 90), [[AMLODIPINE], [LOSARTAN], [HYDROCHLOROTHIAZIDE]], [KIDNEY], 91, HEADACHE, None;
    Diabetes "E11.9" "합병증을 동반하지 않은 2형 당뇨병", "01", [1, 15, 70, 140, 220, 270], (115, 85), [[METFORMIN], [SITAGLIPTIN], [EMPAGLIFLOZIN, INSULIN_GLARGINE]], [DIABETES, KIDNEY, URINE], 91, FATIGUE, None;
    Lipids "E78.5" "상세불명의 고지질혈증", "01", [0, 30, 120, 220, 300, 270], (90, 110), [[ATORVASTATIN], [EZETIMIBE]], [LIPIDS, LIVER], 120, FATIGUE, None;
    Kidney "N18.3" "만성 신장병(3기)", "01", [0, 1, 6, 15, 45, 110], (110, 90), [[TELMISARTAN], [FERROUS]], [KIDNEY, CBC, URINE], 91, FATIGUE, None;
    AtrialFibrillation "I48.9" "상세불명의 심방세동 및 심방조동", "01", [0, 1, 4, 12, 28, 60], (120, 80), [[APIXABAN, BISOPROLOL]], [KIDNEY], 91, PALPITATION, None;
    Thyroid "E03.9" "상세불명의 갑상선기능저하증", "01", [2, 12, 22, 30, 32, 30], (40, 160), [[LEVOTHYROXINE]], [THYROID], 150, FATIGUE, None;
    Copd "J44.9" "상세불명의 만성 폐쇄성 폐질환", "01", [0, 0, 4, 18, 45, 75], (160, 40), [[TIOTROPIUM], [BUDESONIDE_FORMOTEROL]], [CBC], 91, DYSPNEA, None;
    Asthma "J45.9" "상세불명의 천식", "01", [35, 16, 20, 26, 30, 36], (95, 105), [[BUDESONIDE_FORMOTEROL, SALBUTAMOL], [MONTELUKAST]], [CBC], 100, WHEEZE, None;
    Other "K21.0" "식도염을 동반한 위-식도역류병", "01", [2, 30, 50, 60, 65, 60], (105, 95), [[ESOMEPRAZOLE]], [], 180, HEARTBURN, None;
    Gout "M10.9" "상세불명의 통풍", "01", [0, 12, 22, 24, 22, 20], (185, 15), [[FEBUXOSTAT], [COLCHICINE]], [GOUT, KIDNEY], 120, JOINT, None;
    Other "B18.1" "델타-병원체가 없는 만성 B형바이러스간염", "01", [0, 5, 16, 22, 18, 10], (110, 90), [[TENOFOVIR]], [LIVER, CBC], 180, FATIGUE, None;
    Other "M17.9" "상세불명의 무릎관절증", "05", [0, 3, 20, 70, 160, 260], (60, 140), [[CELECOXIB], [TRAMADOL]], [], 100, KNEE, None;
    Other "M81.9" "상세불명의 골다공증", "05", [0, 1, 4, 35, 110, 190], (25, 175), [[ALENDRONATE]], [], 180, BACK, None;
    Other "N40" "전립선증식증", "15", [0, 1, 12, 70, 180, 280], (200, 0), [[TAMSULOSIN]], [PROSTATE], 120, URINE_FLOW, None;
    Other "F32.9" "상세불명의 우울에피소드", "03", [8, 34, 34, 36, 40, 44], (70, 130), [[ESCITALOPRAM], [TRAZODONE]], [], 42, LOW_MOOD, Some("PSY");
    Other "F51.0" "비기질성 불면증", "03", [1, 14, 22, 32, 45, 60], (80, 120), [[ZOLPIDEM]], [], 60, SLEEPLESS, Some("PSY");
    Other "F20.9" "상세불명의 조현병", "03", [0, 5, 6, 6, 5, 4], (100, 100), [[RISPERIDONE]], [], 35, SLEEPLESS, Some("PSY");
    Other "G30.9" "상세불명의 알츠하이머병", "02", [0, 0, 0, 3, 20, 110], (80, 120), [[DONEPEZIL]], [], 91, FORGETFUL, None;
    Other "J30.4" "상세불명의 알레르기비염", "13", [110, 70, 60, 45, 35, 30], (100, 100), [[CETIRIZINE, FLUTICASONE_NASAL]], [], 120, NASAL, None;
    Other "L20.9" "상세불명의 아토피피부염", "14", [70, 20, 10, 6, 5, 5], (100, 100), [[HYDROCORTISONE_CREAM, CETIRIZINE]], [], 100, ITCH, None;
    Other "B24" "상세불명의 인체면역결핍바이러스병", "01", [0, 2, 2, 1, 1, 0], (180, 20), [[BICTEGRAVIR]], [IMMUNITY, CBC], 91, FATIGUE, Some("HIV");
    Other "I69.3" "뇌경색증의 후유증", "02", [0, 0, 3, 12, 35, 80], (115, 85), [[CLOPIDOGREL, ATORVASTATIN]], [LIPIDS], 91, DIZZINESS, None;
}

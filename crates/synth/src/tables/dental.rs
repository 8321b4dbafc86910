//! Dentistry: findings, treatments and the teeth they concern (FDI two-digit notation).

use super::codes::{Concept, Diagnosis, ProcedureKind, concept, kcd};

/// A dental case.
pub(crate) struct DentalCase {
    pub(crate) diagnosis: Diagnosis,
    pub(crate) complaint: Concept,
    pub(crate) treatment: ProcedureKind,
    /// Whether one tooth is treated; otherwise the whole mouth is.
    pub(crate) tooth: bool,
    /// Whether a pain reliever and an antibiotic follow.
    pub(crate) medicines: bool,
    /// Youngest and oldest age in years.
    pub(crate) ages: (i64, i64),
    pub(crate) weight: u32,
}

const TOOTHACHE: Concept = concept("27355003", "Toothache", "이가 아픔");
const GUM: Concept = concept("86276007", "Bleeding gums", "잇몸에서 피가 남");

const fn treatment(edi: &'static str, name: &'static str, category: &'static str) -> ProcedureKind {
    ProcedureKind { edi, name, snomed: None, category }
}

pub(crate) static CASES: [DentalCase; 6] = [
    DentalCase {
        diagnosis: kcd("K02.1", "상아질의 우식"),
        complaint: TOOTHACHE,
        treatment: treatment("ZZ960", "복합레진 충전", "2"),
        tooth: true,
        medicines: false,
        ages: (5, 90),
        weight: 35,
    },
    DentalCase {
        diagnosis: kcd("K04.0", "치수염"),
        complaint: TOOTHACHE,
        treatment: treatment("ZZ961", "근관치료", "2"),
        tooth: true,
        medicines: true,
        ages: (12, 85),
        weight: 15,
    },
    DentalCase {
        diagnosis: kcd("K05.1", "만성 치은염"),
        complaint: GUM,
        treatment: treatment("ZZ962", "치석제거(전악)", "2"),
        tooth: false,
        medicines: false,
        ages: (19, 80),
        weight: 30,
    },
    DentalCase {
        diagnosis: kcd("K05.3", "만성 치주염"),
        complaint: GUM,
        treatment: treatment("ZZ963", "치근활택술", "2"),
        tooth: true,
        medicines: false,
        ages: (35, 95),
        weight: 20,
    },
    DentalCase {
        diagnosis: kcd("K01.1", "매복치"),
        complaint: TOOTHACHE,
        treatment: ProcedureKind {
            edi: "ZZ964",
            name: "매복치 발치",
            snomed: Some(("55162003", "Tooth extraction")),
            category: "1",
        },
        tooth: true,
        medicines: true,
        ages: (18, 40),
        weight: 10,
    },
    DentalCase {
        diagnosis: kcd("K08.1", "사고, 추출 또는 국한성 치주병에 의한 치아상실"),
        complaint: concept("27355003", "Toothache", "씹기가 불편함"),
        treatment: treatment("ZZ965", "임플란트 고정체 식립", "1"),
        tooth: true,
        medicines: true,
        ages: (55, 90),
        weight: 12,
    },
];

const PLACES: [&str; 8] =
    ["중절치", "측절치", "견치", "제1소구치", "제2소구치", "제1대구치", "제2대구치", "제3대구치"];

/// The FDI code and Korean name of a permanent tooth: quadrant 1–4, position 1–8.
pub(crate) fn tooth(quadrant: u64, position: u64) -> (String, String) {
    let side = ["상악 우측", "상악 좌측", "하악 좌측", "하악 우측"][quadrant as usize - 1];
    (format!("{quadrant}{position}"), format!("{side} {}", PLACES[position as usize - 1]))
}

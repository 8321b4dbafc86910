//! Korean medicine (한의): what brings people, pattern diagnoses with their Hanja, what is done, herbal prescriptions.

use super::codes::{Concept, Diagnosis, ProcedureKind, concept, kcd};

/// Why someone visits a Korean-medicine clinic.
pub(crate) struct KoreanCase {
    pub(crate) diagnosis: Diagnosis,
    /// The U-code beside it: a disease or pattern of Korean medicine.
    pub(crate) pattern: Diagnosis,
    pub(crate) complaint: Concept,
    /// Position in [`HERBALS`], when one is given.
    pub(crate) herbal: Option<usize>,
}

/// A herbal preparation.
pub(crate) struct Herbal {
    pub(crate) edi: &'static str,
    pub(crate) name: &'static str,
}

pub(crate) static HERBALS: [Herbal; 5] = [
    Herbal { edi: "999970100", name: "가상보중익기탕엑스과립 (補中益氣湯)" },
    Herbal { edi: "999970110", name: "가상갈근탕엑스과립 (葛根湯)" },
    Herbal { edi: "999970120", name: "가상오적산엑스과립 (五積散)" },
    Herbal { edi: "999970130", name: "가상소시호탕엑스과립 (小柴胡湯)" },
    Herbal { edi: "999970140", name: "가상반하사심탕엑스과립 (半夏瀉心湯)" },
];

pub(crate) static CASES: [KoreanCase; 7] = [
    KoreanCase {
        diagnosis: kcd("M54.5", "아래허리통증"),
        pattern: kcd("U61.1", "어혈증(瘀血證)"),
        complaint: concept("279039007", "Low back pain", "허리가 뻐근하고 아픔"),
        herbal: Some(2),
    },
    KoreanCase {
        diagnosis: kcd("M75.0", "어깨의 유착성 관절낭염"),
        pattern: kcd("U61.1", "어혈증(瘀血證)"),
        complaint: concept("45326000", "Shoulder pain", "어깨가 굳고 아픔"),
        herbal: None,
    },
    KoreanCase {
        diagnosis: kcd("G51.0", "벨마비"),
        pattern: kcd("U23.7", "구안와사(口眼喎斜)"),
        complaint: concept("95666008", "Facial weakness", "입이 한쪽으로 돌아감"),
        herbal: Some(1),
    },
    KoreanCase {
        diagnosis: kcd("K30", "기능성 소화불량"),
        pattern: kcd("U68.0", "비기허증(脾氣虛證)"),
        complaint: concept("162031009", "Indigestion", "소화가 되지 않고 더부룩함"),
        herbal: Some(4),
    },
    KoreanCase {
        diagnosis: kcd("F45.8", "기타 신체형장애"),
        pattern: kcd("U22.2", "화병(火病)"),
        complaint: concept("29857009", "Chest pain", "가슴이 답답하고 열이 치밀음"),
        herbal: Some(3),
    },
    KoreanCase {
        diagnosis: kcd("S33.5", "요추의 염좌 및 긴장"),
        pattern: kcd("U61.1", "어혈증(瘀血證)"),
        complaint: concept("279039007", "Low back pain", "물건을 들다가 허리를 삠"),
        herbal: None,
    },
    KoreanCase {
        diagnosis: kcd("R53", "병감 및 피로"),
        pattern: kcd("U60.0", "기허증(氣虛證)"),
        complaint: concept("84229001", "Fatigue", "기운이 없고 쉽게 지침"),
        herbal: Some(0),
    },
];

/// 침, 뜸, 부항.
pub(crate) static TREATMENTS: [ProcedureKind; 3] = [
    ProcedureKind {
        edi: "ZZ970",
        name: "경혈침술(經穴鍼術)",
        snomed: Some(("44868003", "Acupuncture")),
        category: "2",
    },
    ProcedureKind { edi: "ZZ971", name: "간접구술(間接灸術)", snomed: None, category: "2" },
    ProcedureKind { edi: "ZZ972", name: "건식부항(乾式附缸)", snomed: None, category: "2" },
];

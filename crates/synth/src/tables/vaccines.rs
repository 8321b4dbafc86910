//! The national schedule of immunisations, with the codes of krcore-vcnt-types.

/// One dose of the children's schedule.
pub(crate) struct ScheduledDose {
    pub(crate) code: &'static str,
    pub(crate) dose: i64,
    /// Age in months when it is due.
    pub(crate) months: i64,
    /// Given to girls only.
    pub(crate) girls: bool,
}

const fn due(code: &'static str, dose: i64, months: i64) -> ScheduledDose {
    ScheduledDose { code, dose, months, girls: false }
}

const fn girls(code: &'static str, dose: i64, months: i64) -> ScheduledDose {
    ScheduledDose { code, dose, months, girls: true }
}

/// Birth to twelve years, in order of age.
pub(crate) static CHILDREN: [ScheduledDose; 33] = [
    due("18", 1, 0),
    due("19", 1, 1),
    due("18", 2, 1),
    due("22", 1, 2),
    due("27", 1, 2),
    due("28", 1, 2),
    due("22", 2, 4),
    due("27", 2, 4),
    due("28", 2, 4),
    due("18", 3, 6),
    due("22", 3, 6),
    due("27", 3, 6),
    due("35", 1, 7),
    due("26", 4, 12),
    due("27", 4, 13),
    due("29", 1, 12),
    due("30", 1, 13),
    due("31", 1, 14),
    due("32", 1, 15),
    due("20", 4, 16),
    due("32", 2, 16),
    due("35", 2, 19),
    due("31", 2, 22),
    due("32", 3, 28),
    due("35", 3, 31),
    due("35", 4, 43),
    due("21", 5, 54),
    due("29", 2, 56),
    due("32", 4, 74),
    due("24", 6, 137),
    due("32", 5, 145),
    girls("34", 1, 146),
    girls("34", 2, 152),
];

/// The display of a vaccine's code in the code system.
pub(crate) fn vaccine_name(code: &str) -> &'static str {
    match code {
        "18" => "B형간염(HepB)",
        "19" => "결핵(BCG, 피내접종)",
        "20" => "디프테리아/파상풍/백일해 (DTaP)",
        "21" => "디프테리아/파상풍/백일해/폴리오 (DTaP-IPV)",
        "22" => "디프테리아/파상풍/백일해/폴리오/b형 헤모필루스 인플루엔자(DTaP-IPV/Hib)",
        "24" => "파상풍/디프테리아/백일해 (Tdap)",
        "26" => "b형 헤모필루스 인플루엔자 (Hib)",
        "27" => "폐렴구균(PCV, PPSV)",
        "28" => "로타바이러스(RV) 감염증",
        "29" => "홍역/유행성이하선염/풍진 (MMR)",
        "30" => "수두 (VAR)",
        "31" => "A형간염(HepA, 소아용)",
        "32" => "일본뇌염 (IJEV, 불활성화 백신)",
        "34" => "사람유두종바이러스 감염증(HPV2, HP4)",
        "35" => "인플루엔자 (IIV)",
        "43" => "대상포진(HZV)",
        other => unreachable!("vaccine {other} is in no schedule"),
    }
}

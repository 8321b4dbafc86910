//! Laboratory tests: LOINC codes, UCUM units and reference ranges of an imagined laboratory.

/// One quantity that a laboratory measures.
#[derive(Debug)]
pub(crate) struct Analyte {
    pub(crate) loinc: &'static str,
    pub(crate) display: &'static str,
    pub(crate) text: &'static str,
    pub(crate) ucum: &'static str,
    pub(crate) decimals: usize,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// What of the body it shows, when that follows the person's diseases.
    pub(crate) shows: Shows,
}

/// The state of the body behind a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    A1c,
    Glucose,
    TotalCholesterol,
    Ldl,
    Hdl,
    Triglycerides,
    Creatinine,
    Egfr,
    Bun,
    Potassium,
    UrineAlbumin,
    Hemoglobin,
    Hematocrit,
    UricAcid,
    Tsh,
    WhiteCells,
    Crp,
    Troponin,
    /// Nothing in particular: values scatter inside the reference range.
    Health,
}

macro_rules! analytes {
    ($($key:ident = $loinc:literal, $display:literal, $text:literal, $ucum:literal, $decimals:literal, $low:literal .. $high:literal, $shows:ident;)*) => {
        $(pub(crate) static $key: Analyte = Analyte {
            loinc: $loinc, display: $display, text: $text, ucum: $ucum, decimals: $decimals, low: $low, high: $high,
            shows: Shows::$shows,
        };)*
    };
}

analytes! {
    HBA1C = "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "당화혈색소", "%", 1, 4.0 .. 5.6, A1c;
    GLUCOSE = "1558-6", "Fasting glucose [Mass/volume] in Serum or Plasma", "공복혈당", "mg/dL", 0, 70.0 .. 99.0, Glucose;
    CHOLESTEROL = "2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "총콜레스테롤", "mg/dL", 0, 0.0 .. 199.0, TotalCholesterol;
    LDL = "13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "LDL 콜레스테롤", "mg/dL", 0, 0.0 .. 129.0, Ldl;
    HDL = "2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "HDL 콜레스테롤", "mg/dL", 0, 40.0 .. 90.0, Hdl;
    TRIGLYCERIDE = "2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "중성지방", "mg/dL", 0, 0.0 .. 149.0, Triglycerides;
    CREATININE = "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "크레아티닌", "mg/dL", 2, 0.5 .. 1.2, Creatinine;
    EGFR = "62238-1", "Glomerular filtration rate/1.73 sq M.predicted by CKD-EPI", "사구체여과율 추정치", "mL/min/{1.73_m2}", 0, 60.0 .. 130.0, Egfr;
    BUN = "3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma", "혈액요소질소", "mg/dL", 0, 8.0 .. 20.0, Bun;
    POTASSIUM = "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "칼륨", "mmol/L", 1, 3.5 .. 5.1, Potassium;
    SODIUM = "2951-2", "Sodium [Moles/volume] in Serum or Plasma", "나트륨", "mmol/L", 0, 136.0 .. 145.0, Health;
    URINE_ALBUMIN = "9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "소변 알부민/크레아티닌 비", "mg/g", 0, 0.0 .. 29.0, UrineAlbumin;
    AST = "1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "AST", "U/L", 0, 8.0 .. 40.0, Health;
    ALT = "1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "ALT", "U/L", 0, 5.0 .. 40.0, Health;
    GGT = "2324-2", "Gamma glutamyl transferase [Enzymatic activity/volume] in Serum or Plasma", "감마지티피", "U/L", 0, 10.0 .. 60.0, Health;
    ALBUMIN = "1751-7", "Albumin [Mass/volume] in Serum or Plasma", "알부민", "g/dL", 1, 3.5 .. 5.2, Health;
    WBC = "6690-2", "Leukocytes [#/volume] in Blood by Automated count", "백혈구", "10*3/uL", 1, 4.0 .. 10.0, WhiteCells;
    RBC = "789-8", "Erythrocytes [#/volume] in Blood by Automated count", "적혈구", "10*6/uL", 2, 3.9 .. 5.6, Health;
    HEMOGLOBIN = "718-7", "Hemoglobin [Mass/volume] in Blood", "혈색소", "g/dL", 1, 12.0 .. 17.0, Hemoglobin;
    HEMATOCRIT = "4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count", "적혈구용적률", "%", 1, 36.0 .. 51.0, Hematocrit;
    PLATELETS = "777-3", "Platelets [#/volume] in Blood by Automated count", "혈소판", "10*3/uL", 0, 150.0 .. 400.0, Health;
    CRP = "1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "C-반응단백", "mg/L", 1, 0.0 .. 5.0, Crp;
    URIC_ACID = "3084-1", "Urate [Mass/volume] in Serum or Plasma", "요산", "mg/dL", 1, 2.6 .. 7.2, UricAcid;
    TSH = "3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "갑상선자극호르몬", "m[IU]/L", 2, 0.40 .. 4.20, Tsh;
    FREE_T4 = "3024-7", "Thyroxine (T4) free [Mass/volume] in Serum or Plasma", "유리 T4", "ng/dL", 2, 0.80 .. 1.80, Health;
    TROPONIN = "10839-9", "Troponin I.cardiac [Mass/volume] in Serum or Plasma", "트로포닌 I", "ng/mL", 2, 0.0 .. 0.04, Troponin;
    PSA = "2857-1", "Prostate specific Ag [Mass/volume] in Serum or Plasma", "전립선특이항원", "ng/mL", 2, 0.0 .. 4.0, Health;
    CD4 = "24467-3", "CD3+CD4+ (T4 helper) cells [#/volume] in Blood", "CD4 림프구", "/uL", 0, 500.0 .. 1500.0, Health;
}

/// A set of tests ordered together; reported in one DiagnosticReport.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) loinc: &'static str,
    pub(crate) display: &'static str,
    pub(crate) text: &'static str,
    pub(crate) analytes: &'static [&'static Analyte],
    /// Drawn from urine instead of blood.
    pub(crate) urine: bool,
}

macro_rules! panels {
    ($($key:ident = $loinc:literal, $display:literal, $text:literal, $urine:literal, [$($analyte:ident),*];)*) => {
        $(pub(crate) static $key: Panel = Panel {
            loinc: $loinc, display: $display, text: $text, analytes: &[$(&$analyte),*], urine: $urine,
        };)*
    };
}

panels! {
    CBC = "58410-2", "CBC panel - Blood by Automated count", "일반혈액검사", false, [WBC, RBC, HEMOGLOBIN, HEMATOCRIT, PLATELETS];
    LIPIDS = "57698-3", "Lipid panel with direct LDL - Serum or Plasma", "지질검사", false, [CHOLESTEROL, LDL, HDL, TRIGLYCERIDE];
    DIABETES = "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "당화혈색소 및 혈당", false, [HBA1C, GLUCOSE];
    KIDNEY = "51990-0", "Basic metabolic panel - Blood", "신장기능검사", false, [BUN, CREATININE, EGFR, SODIUM, POTASSIUM];
    URINE = "9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "소변 알부민검사", true, [URINE_ALBUMIN];
    LIVER = "24325-3", "Hepatic function 2000 panel - Serum or Plasma", "간기능검사", false, [AST, ALT, GGT, ALBUMIN];
    THYROID = "3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "갑상선기능검사", false, [TSH, FREE_T4];
    GOUT = "3084-1", "Urate [Mass/volume] in Serum or Plasma", "요산검사", false, [URIC_ACID];
    INFLAMMATION = "1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "염증검사", false, [CRP];
    HEART = "10839-9", "Troponin I.cardiac [Mass/volume] in Serum or Plasma", "심근효소검사", false, [TROPONIN];
    PROSTATE = "2857-1", "Prostate specific Ag [Mass/volume] in Serum or Plasma", "전립선특이항원검사", false, [PSA];
    IMMUNITY = "24467-3", "CD3+CD4+ (T4 helper) cells [#/volume] in Blood", "면역세포검사", false, [CD4];
    CHECKUP = "24323-8", "Comprehensive metabolic 2000 panel - Serum or Plasma", "건강검진 혈액검사", false, [GLUCOSE, CHOLESTEROL, LDL, HDL, TRIGLYCERIDE, AST, ALT, GGT, CREATININE, EGFR, HEMOGLOBIN];
}

//! Medicine products: invented names, product codes in a range the EDI list does not use, real ATC ingredients.

/// A product and its usual way of taking.
pub(crate) struct Medicine {
    /// Product code in the fake range `9999`.
    pub(crate) edi: &'static str,
    pub(crate) name: &'static str,
    pub(crate) atc: &'static str,
    pub(crate) ingredient: &'static str,
    /// Form as counted: Korean unit and UCUM code.
    pub(crate) unit: (&'static str, &'static str),
    /// Amount each time.
    pub(crate) dose: f64,
    /// Times a day.
    pub(crate) times: i64,
    /// How it is taken.
    pub(crate) how: &'static str,
    /// Whether requests refer to the shared Medication resource; the others carry the product as a code.
    pub(crate) listed: bool,
}

const TABLET: (&str, &str) = ("정", "{tbl}");
const CAPSULE: (&str, &str) = ("캡슐", "{capsule}");
const SYRUP: (&str, &str) = ("mL", "mL");
const SACHET: (&str, &str) = ("포", "{packet}");
const PUFF: (&str, &str) = ("회", "{puff}");
const DROP: (&str, &str) = ("방울", "[drp]");
const UNIT: (&str, &str) = ("단위", "[iU]");
const AMPOULE: (&str, &str) = ("앰플", "{ampule}");
const AFTER: &str = "식후 30분에 복용";
const MORNING: &str = "아침 식후에 복용";
const BEDTIME: &str = "자기 전에 복용";

/// Below this age nobody swallows tablets or capsules.
const SWALLOWS_FROM: i64 = 7;
/// Below this age a child takes half of what is counted for grown-ups.
const WHOLE_FROM: i64 = 12;
/// Below this age half of what is measured for children is given.
const SMALL_BELOW: i64 = 2;

impl Medicine {
    /// What somebody of an age is given instead: small children take drops, syrups and powders.
    pub(crate) fn for_age(&'static self, age: i64) -> &'static Self {
        if age >= SWALLOWS_FROM || !(self.unit == TABLET || self.unit == CAPSULE) {
            return self;
        }
        FOR_CHILDREN.iter().find(|(adult, _)| adult.edi == self.edi).map_or(self, |(_, child)| child)
    }

    /// The amount each time at an age.
    pub(crate) fn dose_at(&self, age: i64) -> f64 {
        let is_counted = self.unit == TABLET || self.unit == AMPOULE;
        let is_half = (age < WHOLE_FROM && is_counted) || (age < SMALL_BELOW && self.unit == SYRUP);
        if is_half { self.dose / 2.0 } else { self.dose }
    }
}

/// Forms for children. Celecoxib is not given to them; ibuprofen is.
static FOR_CHILDREN: [(&Medicine, &Medicine); 9] = [
    (&ACETAMINOPHEN, &ACETAMINOPHEN_SYRUP),
    (&IBUPROFEN, &IBUPROFEN_SYRUP),
    (&CELECOXIB, &IBUPROFEN_SYRUP),
    (&AMOXICILLIN_CLAVULANATE, &AMOXICILLIN_CLAVULANATE_SYRUP),
    (&CEFACLOR, &CEFACLOR_SYRUP),
    (&CETIRIZINE, &CETIRIZINE_SYRUP),
    (&PREDNISOLONE, &PREDNISOLONE_SYRUP),
    (&AMBROXOL, &AMBROXOL_SYRUP),
    (&MONTELUKAST, &MONTELUKAST_GRANULES),
];

macro_rules! medicines {
    ($($key:ident = $edi:literal, $name:literal, $atc:literal, $ingredient:literal, $unit:expr, $dose:literal x $times:literal, $how:expr, $listed:literal;)*) => {
        $(pub(crate) static $key: Medicine = Medicine {
            edi: $edi, name: $name, atc: $atc, ingredient: $ingredient, unit: $unit, dose: $dose, times: $times,
            how: $how, listed: $listed,
        };)*
        /// All products, in the order of their codes.
        pub(crate) static ALL: &[&Medicine] = &[$(&$key),*];
    };
}

medicines! {
    AMLODIPINE = "999900100", "가상암로정 5mg (암로디핀)", "C08CA01", "amlodipine", TABLET, 1.0 x 1, MORNING, true;
    LOSARTAN = "999900110", "이음로사정 50mg (로사르탄)", "C09CA01", "losartan", TABLET, 1.0 x 1, MORNING, true;
    TELMISARTAN = "999900120", "가상텔미정 40mg (텔미사르탄)", "C09CA07", "telmisartan", TABLET, 1.0 x 1, MORNING, false;
    HYDROCHLOROTHIAZIDE = "999900130", "가상티아정 12.5mg (히드로클로로티아지드)", "C03AA03", "hydrochlorothiazide", TABLET, 1.0 x 1, MORNING, false;
    BISOPROLOL = "999900140", "가상비소정 2.5mg (비소프롤롤)", "C07AB07", "bisoprolol", TABLET, 1.0 x 1, MORNING, true;
    METFORMIN = "999900200", "이음메트정 500mg (메트포르민)", "A10BA02", "metformin", TABLET, 1.0 x 2, AFTER, true;
    SITAGLIPTIN = "999900210", "가상시타정 100mg (시타글립틴)", "A10BH01", "sitagliptin", TABLET, 1.0 x 1, MORNING, true;
    EMPAGLIFLOZIN = "999900220", "가상엠파정 10mg (엠파글리플로진)", "A10BK03", "empagliflozin", TABLET, 1.0 x 1, MORNING, false;
    GLIMEPIRIDE = "999900230", "가상글리정 2mg (글리메피리드)", "A10BB12", "glimepiride", TABLET, 1.0 x 1, "아침 식사 직전에 복용", false;
    INSULIN_GLARGINE = "999900240", "가상란투펜주 100단위 (인슐린글라진)", "A10AE04", "insulin glargine", UNIT, 14.0 x 1, "자기 전에 피하주사", true;
    ATORVASTATIN = "999900300", "이음아토정 10mg (아토르바스타틴)", "C10AA05", "atorvastatin", TABLET, 1.0 x 1, BEDTIME, true;
    ROSUVASTATIN = "999900310", "가상로수정 10mg (로수바스타틴)", "C10AA07", "rosuvastatin", TABLET, 1.0 x 1, BEDTIME, false;
    EZETIMIBE = "999900320", "가상에제정 10mg (에제티미브)", "C10AX09", "ezetimibe", TABLET, 1.0 x 1, BEDTIME, false;
    ASPIRIN = "999900330", "가상아스장용정 100mg (아스피린)", "B01AC06", "acetylsalicylic acid", TABLET, 1.0 x 1, MORNING, true;
    CLOPIDOGREL = "999900340", "가상클로피정 75mg (클로피도그렐)", "B01AC04", "clopidogrel", TABLET, 1.0 x 1, MORNING, true;
    APIXABAN = "999900350", "가상아픽정 5mg (아픽사반)", "B01AF02", "apixaban", TABLET, 1.0 x 2, AFTER, true;
    SALBUTAMOL = "999900400", "가상살부흡입제 (살부타몰)", "R03AC02", "salbutamol", PUFF, 2.0 x 2, "숨찰 때 흡입", true;
    BUDESONIDE_FORMOTEROL = "999900410", "가상심비흡입제 (부데소니드·포르모테롤)", "R03AK07", "formoterol and budesonide", PUFF, 1.0 x 2, "아침저녁으로 흡입하고 입을 헹굼", true;
    MONTELUKAST = "999900420", "가상몬테정 10mg (몬테루카스트)", "R03DC03", "montelukast", TABLET, 1.0 x 1, BEDTIME, false;
    TIOTROPIUM = "999900430", "가상티오흡입제 (티오트로퓸)", "R03BB04", "tiotropium bromide", PUFF, 2.0 x 1, "하루 한 번 흡입", true;
    AMBROXOL = "999900440", "가상암브정 30mg (암브록솔)", "R05CB06", "ambroxol", TABLET, 1.0 x 3, AFTER, false;
    LEVODROPROPIZINE = "999900450", "가상레보시럽 (레보드로프로피진)", "R05DB27", "levodropropizine", SYRUP, 5.0 x 3, AFTER, false;
    ACETAMINOPHEN = "999900500", "이음아세정 500mg (아세트아미노펜)", "N02BE01", "paracetamol", TABLET, 1.0 x 3, AFTER, true;
    ACETAMINOPHEN_SYRUP = "999900510", "가상아세시럽 (아세트아미노펜)", "N02BE01", "paracetamol", SYRUP, 6.0 x 3, "열이 날 때 복용", false;
    IBUPROFEN = "999900520", "가상이부정 400mg (이부프로펜)", "M01AE01", "ibuprofen", TABLET, 1.0 x 3, AFTER, false;
    CELECOXIB = "999900530", "가상세레캡슐 200mg (세레콕시브)", "M01AH01", "celecoxib", CAPSULE, 1.0 x 1, AFTER, true;
    ACECLOFENAC = "999900540", "가상아세클로정 100mg (아세클로페낙)", "M01AB16", "aceclofenac", TABLET, 1.0 x 2, AFTER, false;
    TRAMADOL = "999900550", "가상트라정 (트라마돌·아세트아미노펜)", "N02AJ13", "tramadol and paracetamol", TABLET, 1.0 x 2, AFTER, false;
    EPERISONE = "999900560", "가상에페정 50mg (에페리손)", "M03BX09", "eperisone", TABLET, 1.0 x 3, AFTER, false;
    AMOXICILLIN_CLAVULANATE = "999900600", "가상아목클정 625mg (아목시실린·클라불란산)", "J01CR02", "amoxicillin and beta-lactamase inhibitor", TABLET, 1.0 x 2, AFTER, true;
    CEFACLOR = "999900610", "가상세파캡슐 250mg (세파클러)", "J01DC04", "cefaclor", CAPSULE, 1.0 x 3, AFTER, false;
    CIPROFLOXACIN = "999900620", "가상시프로정 250mg (시프로플록사신)", "J01MA02", "ciprofloxacin", TABLET, 1.0 x 2, AFTER, false;
    DOXYCYCLINE = "999900630", "가상독시캡슐 100mg (독시사이클린)", "J01AA02", "doxycycline", CAPSULE, 1.0 x 2, AFTER, false;
    CEFTRIAXONE = "999900640", "가상세프트주 1g (세프트리악손)", "J01DD04", "ceftriaxone", AMPOULE, 2.0 x 1, "정맥주사", true;
    OSELTAMIVIR = "999900650", "가상오셀캡슐 75mg (오셀타미비르)", "J05AH02", "oseltamivir", CAPSULE, 1.0 x 2, AFTER, true;
    BICTEGRAVIR = "999900660", "가상빅테정 (엠트리시타빈·테노포비르·빅테그라비르)", "J05AR20", "emtricitabine, tenofovir alafenamide and bictegravir", TABLET, 1.0 x 1, MORNING, true;
    TENOFOVIR = "999900670", "가상테노정 25mg (테노포비르알라페나미드)", "J05AF13", "tenofovir alafenamide", TABLET, 1.0 x 1, MORNING, true;
    ESOMEPRAZOLE = "999900700", "가상에소정 20mg (에스오메프라졸)", "A02BC05", "esomeprazole", TABLET, 1.0 x 1, "아침 식전에 복용", true;
    REBAMIPIDE = "999900710", "가상레바정 100mg (레바미피드)", "A02BX14", "rebamipide", TABLET, 1.0 x 3, AFTER, false;
    ITOPRIDE = "999900720", "가상이토정 50mg (이토프리드)", "A03FA07", "itopride", TABLET, 1.0 x 3, "식전에 복용", false;
    SMECTITE = "999900730", "가상스멕현탁액 (디옥타헤드랄스멕타이트)", "A07BC05", "diosmectite", SACHET, 1.0 x 3, "식간에 복용", false;
    LEVOTHYROXINE = "999900800", "가상씬지정 50µg (레보티록신)", "H03AA01", "levothyroxine sodium", TABLET, 1.0 x 1, "아침 공복에 복용", true;
    PREDNISOLONE = "999900810", "가상프레드정 5mg (프레드니솔론)", "H02AB06", "prednisolone", TABLET, 2.0 x 2, AFTER, false;
    FEBUXOSTAT = "999900820", "가상페북정 40mg (페북소스타트)", "M04AA03", "febuxostat", TABLET, 1.0 x 1, MORNING, true;
    COLCHICINE = "999900830", "가상콜키정 0.6mg (콜키신)", "M04AC01", "colchicine", TABLET, 1.0 x 1, AFTER, false;
    ALENDRONATE = "999900840", "가상알렌정 10mg (알렌드론산)", "M05BA04", "alendronic acid", TABLET, 1.0 x 1, "아침 공복에 물 한 컵과 복용", true;
    TAMSULOSIN = "999900850", "가상탐스캡슐 0.2mg (탐스로신)", "G04CA02", "tamsulosin", CAPSULE, 1.0 x 1, BEDTIME, true;
    ESCITALOPRAM = "999900900", "가상에스시정 10mg (에스시탈로프람)", "N06AB10", "escitalopram", TABLET, 1.0 x 1, AFTER, true;
    TRAZODONE = "999900910", "가상트라조정 50mg (트라조돈)", "N06AX05", "trazodone", TABLET, 1.0 x 1, BEDTIME, false;
    ZOLPIDEM = "999900920", "가상졸피정 10mg (졸피뎀)", "N05CF02", "zolpidem", TABLET, 1.0 x 1, BEDTIME, true;
    RISPERIDONE = "999900930", "가상리스페정 2mg (리스페리돈)", "N05AX08", "risperidone", TABLET, 1.0 x 2, AFTER, true;
    DONEPEZIL = "999900940", "가상도네정 10mg (도네페질)", "N06DA02", "donepezil", TABLET, 1.0 x 1, BEDTIME, true;
    CETIRIZINE = "999900950", "가상세티정 10mg (세티리진)", "R06AE07", "cetirizine", TABLET, 1.0 x 1, BEDTIME, false;
    FLUTICASONE_NASAL = "999900960", "가상플루비강분무액 (플루티카손)", "R01AD12", "fluticasone furoate", PUFF, 2.0 x 1, "양쪽 코에 분무", false;
    HYDROCORTISONE_CREAM = "999900970", "가상하이드로크림 (히드로코르티손)", "D07AA02", "hydrocortisone", ("g", "g"), 0.5 x 2, "환부에 얇게 바름", false;
    LEVOFLOXACIN_DROPS = "999900980", "가상레보점안액 (레보플록사신)", "S01AE05", "levofloxacin", DROP, 1.0 x 4, "눈에 점안", false;
    FERROUS = "999900990", "가상훼로정 (황산철)", "B03AA07", "ferrous sulfate", TABLET, 1.0 x 1, AFTER, true;
    FOLIC_ACID = "999901000", "가상엽산정 1mg (엽산)", "B03BB01", "folic acid", TABLET, 1.0 x 1, MORNING, true;
    CHLORHEXIDINE = "999901010", "가상클로르가글 (클로르헥시딘)", "A01AB03", "chlorhexidine", SYRUP, 15.0 x 2, "입안을 헹구고 뱉음", false;
    IBUPROFEN_SYRUP = "999901100", "가상이부시럽 (이부프로펜)", "M01AE01", "ibuprofen", SYRUP, 7.0 x 3, AFTER, false;
    AMOXICILLIN_CLAVULANATE_SYRUP = "999901110", "가상아목클건조시럽 (아목시실린·클라불란산)", "J01CR02", "amoxicillin and beta-lactamase inhibitor", SYRUP, 5.0 x 2, AFTER, false;
    CEFACLOR_SYRUP = "999901120", "가상세파건조시럽 (세파클러)", "J01DC04", "cefaclor", SYRUP, 5.0 x 3, AFTER, false;
    CETIRIZINE_SYRUP = "999901130", "가상세티시럽 (세티리진)", "R06AE07", "cetirizine", SYRUP, 5.0 x 1, BEDTIME, false;
    PREDNISOLONE_SYRUP = "999901140", "가상프레드시럽 (프레드니솔론)", "H02AB06", "prednisolone", SYRUP, 5.0 x 2, AFTER, false;
    AMBROXOL_SYRUP = "999901150", "가상암브시럽 (암브록솔)", "R05CB06", "ambroxol", SYRUP, 5.0 x 2, AFTER, false;
    MONTELUKAST_GRANULES = "999901160", "가상몬테세립 4mg (몬테루카스트)", "R03DC03", "montelukast", SACHET, 1.0 x 1, BEDTIME, false;
    LETROZOLE = "999901020", "가상레트정 2.5mg (레트로졸)", "L02BG04", "letrozole", TABLET, 1.0 x 1, MORNING, true;
}

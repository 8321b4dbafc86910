//! The institutions of synthetic Korea. Symbols begin with `99`; names carry 가상 ("imaginary").

/// A place of care.
#[derive(Clone, Copy)]
pub(crate) struct Institution {
    /// 요양기관기호 in the fake range.
    pub(crate) symbol: &'static str,
    /// Code of healthcare-organization-types.
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    /// Position in [`super::regions::REGIONS`].
    pub(crate) region: usize,
    pub(crate) departments: &'static [&'static str],
    /// Last day of business, for those that have closed.
    pub(crate) closed: Option<(i16, i8, i8)>,
}

const fn open(
    symbol: &'static str,
    kind: &'static str,
    name: &'static str,
    region: usize,
    departments: &'static [&'static str],
) -> Institution {
    Institution { symbol, kind, name, region, departments, closed: None }
}

const fn closed(row: Institution, date: (i16, i8, i8)) -> Institution {
    Institution { closed: Some(date), ..row }
}

/// Every department of a hospital that has them all.
const FULL: &[&str] = &[
    "01", "02", "03", "04", "05", "06", "10", "11", "12", "13", "14", "15", "16", "18", "19", "21", "23",
    "24",
];
const SMALL: &[&str] = &["01", "04", "05", "11", "16", "19", "24"];
const DENTAL: &[&str] = &["61"];
const DENTAL_HOSPITAL: &[&str] = &["50", "54", "55"];
const KOREAN: &[&str] = &["80", "85"];
const PUBLIC: &[&str] = &["00"];
const NONE: &[&str] = &[];

/// All institutions.
pub(crate) static INSTITUTIONS: [Institution; 68] = [
    open("99110001", "01", "이음가상대학교병원", 0, FULL),
    open("99210002", "01", "가상남해대학교병원", 3, FULL),
    open("99360003", "11", "가상달구종합병원", 4, FULL),
    open("99360004", "11", "가상무등종합병원", 5, FULL),
    open("99340005", "11", "가상한밭종합병원", 6, FULL),
    open("99320006", "11", "가상봄내종합병원", 9, FULL),
    open("99390007", "11", "가상한라종합병원", 13, FULL),
    open("99310008", "11", "가상화성종합병원", 2, FULL),
    open("99310009", "21", "가상평택항병원", 14, SMALL),
    open("99380010", "21", "가상창원바다병원", 12, SMALL),
    open("99340011", "21", "가상보령병원", 21, SMALL),
    open("99310012", "28", "가상은빛요양병원", 2, &["01", "21"]),
    open("99360013", "28", "가상노을요양병원", 5, &["01", "21"]),
    open("99210014", "28", "가상파도요양병원", 3, &["01", "21"]),
    open("99310015", "29", "가상마음숲정신병원", 14, &["03"]),
    open("99110101", "31", "이음가상내과의원", 0, &["01"]),
    open("99110102", "31", "가상강서소아청소년과의원", 0, &["11"]),
    open("99110103", "31", "가상나무정신건강의학과의원", 0, &["03"]),
    closed(open("99110104", "31", "가상옛골내과의원", 1, &["01"]), (2024, 6, 30)),
    open("99110105", "31", "가상관악가정의원", 1, &["23", "01"]),
    open("99110106", "31", "가상봄산부인과의원", 1, &["10"]),
    open("99310107", "31", "가상수원튼튼정형외과의원", 2, &["05"]),
    open("99310108", "31", "가상수원속편한내과의원", 2, &["01"]),
    open("99310109", "31", "가상못골소아청소년과의원", 2, &["11"]),
    open("99210110", "31", "가상해운대내과의원", 3, &["01"]),
    open("99210111", "31", "가상등대이비인후과의원", 3, &["13"]),
    open("99230112", "31", "가상수성피부과의원", 4, &["14"]),
    open("99230113", "31", "가상들안내과의원", 4, &["01"]),
    open("99240114", "31", "가상빛고을의원", 5, &["00", "01"]),
    open("99250115", "31", "가상유성안과의원", 6, &["12"]),
    open("99250116", "31", "가상온샘내과의원", 6, &["01", "11"]),
    open("99220117", "31", "가상소래내과의원", 7, &["01", "11"]),
    open("99260118", "31", "가상고래의원", 8, &["01", "11"]),
    open("99320119", "31", "가상호수의원", 9, &["01"]),
    open("99330120", "31", "가상무심내과의원", 10, &["01", "11"]),
    open("99350121", "31", "가상한옥의원", 11, &["01", "11"]),
    open("99380122", "31", "가상용지내과의원", 12, &["01"]),
    open("99390123", "31", "가상오름의원", 13, &["01", "11"]),
    open("99310124", "31", "가상소사의원", 14, &["01", "11"]),
    open("99320125", "31", "가상아라리의원", 15, &["00"]),
    open("99370126", "31", "가상탑리의원", 20, &["00", "01"]),
    open("99110201", "51", "가상하얀이치과의원", 0, DENTAL),
    closed(open("99310202", "51", "가상옛우물치과의원", 2, DENTAL), (2025, 3, 31)),
    open("99210203", "51", "가상바다치과의원", 3, DENTAL),
    open("99240204", "51", "가상미소치과의원", 5, DENTAL),
    open("99310205", "51", "가상성곽치과의원", 2, DENTAL),
    open("99110206", "41", "이음가상치과병원", 1, DENTAL_HOSPITAL),
    open("99110301", "93", "가상이음한의원", 0, KOREAN),
    closed(open("99230302", "93", "가상옛솔한의원", 4, KOREAN), (2023, 12, 31)),
    open("99230303", "93", "가상수성한의원", 4, KOREAN),
    open("99350304", "93", "가상온고을한의원", 11, KOREAN),
    open("99340305", "92", "가상약초한방병원", 6, &["80", "81", "85", "86"]),
    open("99320401", "71", "가상정선군보건소", 15, PUBLIC),
    open("99360402", "71", "가상신안군보건소", 16, PUBLIC),
    open("99370403", "75", "가상울릉군보건의료원", 17, &["00", "01"]),
    open("99220404", "72", "가상백섬보건지소", 18, PUBLIC),
    open("99360405", "72", "가상섬진보건지소", 19, PUBLIC),
    open("99360406", "73", "가상소금보건진료소", 16, PUBLIC),
    open("99250207", "51", "가상유성치과의원", 6, DENTAL),
    open("99320208", "51", "가상봄내치과의원", 9, DENTAL),
    open("99390209", "51", "가상돌하르방치과의원", 13, DENTAL),
    open("99210306", "93", "가상갯바람한의원", 3, KOREAN),
    open("99320307", "93", "가상소양한의원", 9, KOREAN),
    open("99390308", "93", "가상귤향한의원", 13, KOREAN),
    open("99110501", "81", "가상이음약국", 0, NONE),
    open("99210502", "81", "가상등대약국", 3, NONE),
    open("99360503", "81", "가상무돌약국", 5, NONE),
    open("99370504", "81", "가상나리약국", 17, NONE),
];

/// What a kind of institution is called in the value set.
pub(crate) fn kind_name(kind: &str) -> &'static str {
    match kind {
        "01" => "상급종합병원",
        "11" => "종합병원",
        "21" => "병원",
        "28" => "요양병원",
        "29" => "정신병원",
        "31" => "의원",
        "41" => "치과병원",
        "51" => "치과의원",
        "71" => "보건소",
        "72" => "보건지소",
        "73" => "보건진료소",
        "75" => "보건의료원",
        "81" => "약국",
        "92" => "한방병원",
        "93" => "한의원",
        other => unreachable!("kind {other} is in no row"),
    }
}

//! Where people live: real districts, invented roads and quarters.

/// A city district or county. Postal codes begin with `99`, which no real one does.
pub(crate) struct Region {
    /// 시도 and 시군구.
    pub(crate) district: &'static str,
    /// Invented quarters (법정동, 읍면).
    pub(crate) quarters: [&'static str; 2],
    /// First three digits of the postal codes.
    pub(crate) postal: &'static str,
    /// Telephone area code.
    pub(crate) area: &'static str,
    /// Share of the people, in 1/1000 or so.
    pub(crate) weight: u32,
    /// The region whose hospitals serve this one.
    pub(crate) hub: usize,
    /// Island or rural county: older people, and doctors are far.
    pub(crate) remote: bool,
}

/// Roads that exist nowhere; every region has all of them.
pub(crate) const ROADS: [&str; 12] = [
    "가상은하로",
    "가상별빛길",
    "가상해오름로",
    "가상달맞이길",
    "가상솔바람로",
    "가상이음대로",
    "가상물결로",
    "가상꽃구름길",
    "가상나루길",
    "가상한울로",
    "가상다온길",
    "가상누리로",
];

const fn region(
    district: &'static str,
    quarters: [&'static str; 2],
    postal: &'static str,
    area: &'static str,
    weight: u32,
    hub: usize,
    remote: bool,
) -> Region {
    Region { district, quarters, postal, area, weight, hub, remote }
}

/// All regions; institutions refer to them by position.
pub(crate) static REGIONS: [Region; 22] = [
    region("서울특별시 강서구", ["가상마루동", "가상샘터동"], "990", "02", 110, 0, false),
    region("서울특별시 관악구", ["가상고개동", "가상숲동"], "991", "02", 90, 0, false),
    region("경기도 수원시", ["가상성곽동", "가상못골동"], "992", "031", 150, 0, false),
    region("부산광역시 해운대구", ["가상파도동", "가상등대동"], "993", "051", 80, 3, false),
    region("대구광역시 수성구", ["가상연못동", "가상들안동"], "993", "053", 55, 4, false),
    region("광주광역시 북구", ["가상무돌동", "가상빛고을동"], "994", "062", 40, 5, false),
    region("대전광역시 유성구", ["가상온샘동", "가상별솔동"], "994", "042", 45, 6, false),
    region("인천광역시 남동구", ["가상갯벌동", "가상소래동"], "995", "032", 75, 0, false),
    region("울산광역시 남구", ["가상고래동", "가상강변동"], "995", "052", 28, 3, false),
    region("강원특별자치도 춘천시", ["가상호수동", "가상봄내동"], "996", "033", 30, 9, false),
    region("충청북도 청주시", ["가상무심동", "가상우암동"], "996", "043", 38, 6, false),
    region("전북특별자치도 전주시", ["가상한옥동", "가상온고을동"], "997", "063", 38, 5, false),
    region("경상남도 창원시", ["가상용지동", "가상마산포동"], "997", "055", 60, 3, false),
    region("제주특별자치도 제주시", ["가상오름동", "가상바람동"], "998", "064", 28, 13, false),
    region("경기도 평택시", ["가상소사동", "가상항구동"], "998", "031", 70, 0, false),
    region("강원특별자치도 정선군", ["가상아라리읍", "가상동강면"], "999", "033", 9, 9, true),
    region("전라남도 신안군", ["가상천사섬면", "가상소금면"], "999", "061", 9, 5, true),
    region("경상북도 울릉군", ["가상성인봉읍", "가상나리면"], "999", "054", 6, 4, true),
    region("인천광역시 옹진군", ["가상백섬면", "가상물범면"], "999", "032", 7, 0, true),
    region("전라남도 구례군", ["가상산수유읍", "가상섬진면"], "999", "061", 10, 5, true),
    region("경상북도 의성군", ["가상마늘읍", "가상탑리면"], "999", "054", 11, 4, true),
    region("충청남도 보령시", ["가상대천동", "가상외연면"], "994", "041", 21, 6, true),
];

//! What common tests are about, in plain words. Facts that any patient leaflet gives; no advice.

use ieum_ui::Lang;

/// What the test of a LOINC code is about; nothing for tests that are not common.
pub(super) fn test(loinc: &str, lang: Lang) -> Option<&'static str> {
    TESTS.iter().find(|(code, _, _)| *code == loinc).map(|(_, ko, en)| lang.pick(*ko, *en))
}

/// What a reference range is.
pub(super) fn range(lang: Lang) -> &'static str {
    lang.pick(
        "참고범위는 건강한 사람 대부분의 값이 들어가는 범위입니다. 나이, 성별, 복용하는 약, 검사실에 따라 달라지며, \
         벗어났다고 꼭 병이 있는 것은 아닙니다. 뜻은 진료한 의사에게 물어보세요.",
        "The reference range holds the values of most healthy people. It depends on age, sex, medicines and laboratory. \
         A value outside does not have to mean illness: ask the doctor who treats you.",
    )
}

const TESTS: [(&str, &str, &str); 26] = [
    (
        "4548-4",
        "지난 2–3개월 동안의 평균 혈당을 보여 줍니다.",
        "Shows the average blood sugar of the last two to three months.",
    ),
    (
        "1558-6",
        "여덟 시간 넘게 먹지 않은 상태의 혈당입니다.",
        "Blood sugar after at least eight hours without food.",
    ),
    ("2345-7", "혈액 속의 포도당입니다.", "Sugar in the blood."),
    ("2093-3", "혈액 속 콜레스테롤을 모두 더한 값입니다.", "All cholesterol in the blood taken together."),
    (
        "13457-7",
        "혈관 벽에 쌓이기 쉬운 콜레스테롤입니다.",
        "The cholesterol that tends to settle in the walls of vessels.",
    ),
    (
        "2085-9",
        "혈관에서 콜레스테롤을 치우는 쪽으로, 높을수록 좋습니다.",
        "The cholesterol that is carried away from vessels; higher is better.",
    ),
    (
        "2571-8",
        "혈액 속 지방의 하나로, 식사와 음주의 영향을 많이 받습니다.",
        "A fat in the blood that meals and alcohol change much.",
    ),
    (
        "2160-0",
        "근육에서 나오는 찌꺼기로, 콩팥이 걸러 냅니다.",
        "Waste from muscles that the kidneys filter out.",
    ),
    (
        "62238-1",
        "콩팥이 1분 동안 혈액을 거르는 양을 어림한 값입니다.",
        "An estimate of how much blood the kidneys filter in a minute.",
    ),
    (
        "3094-0",
        "단백질의 찌꺼기로, 콩팥 기능과 수분 상태를 비춥니다.",
        "Waste from protein; reflects kidneys and fluids.",
    ),
    ("2823-3", "심장과 근육의 움직임에 필요한 전해질입니다.", "A salt that heart and muscles need."),
    ("2951-2", "몸의 수분 균형을 맞추는 전해질입니다.", "A salt that keeps the body's water in balance."),
    (
        "9318-7",
        "소변으로 새어 나온 단백질로, 콩팥의 이른 변화를 보여 줍니다.",
        "Protein that leaks into urine; shows early changes of the kidneys.",
    ),
    ("1920-8", "간과 근육의 세포에 있는 효소입니다.", "An enzyme of liver and muscle cells."),
    ("1742-6", "주로 간 세포에 있는 효소입니다.", "An enzyme found mostly in liver cells."),
    (
        "2324-2",
        "간과 담도의 효소로, 음주의 영향을 받습니다.",
        "An enzyme of liver and bile ducts that alcohol raises.",
    ),
    ("1751-7", "간에서 만드는 주된 단백질입니다.", "The main protein that the liver makes."),
    ("6690-2", "몸을 지키는 혈액세포의 수입니다.", "The number of blood cells that defend the body."),
    ("789-8", "산소를 나르는 혈액세포의 수입니다.", "The number of blood cells that carry oxygen."),
    (
        "718-7",
        "산소를 나르는 단백질로, 낮으면 빈혈입니다.",
        "The protein that carries oxygen; low means anaemia.",
    ),
    ("4544-3", "혈액에서 적혈구가 차지하는 비율입니다.", "The share of red cells in the blood."),
    ("777-3", "피를 멎게 하는 혈액세포의 수입니다.", "The number of blood cells that stop bleeding."),
    ("1988-5", "몸에 염증이 있을 때 오르는 단백질입니다.", "A protein that rises with inflammation."),
    (
        "3084-1",
        "많으면 통풍을 일으킬 수 있는 찌꺼기입니다.",
        "Waste that can cause gout when there is much of it.",
    ),
    (
        "3016-3",
        "갑상선에 일을 시키는 호르몬으로, 갑상선 기능이 낮으면 오릅니다.",
        "The hormone that drives the thyroid; rises when the thyroid does too little.",
    ),
    ("3024-7", "갑상선이 만드는 호르몬입니다.", "A hormone that the thyroid makes."),
];

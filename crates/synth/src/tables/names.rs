//! How people are called: surnames by frequency, given names by the time of birth. All combinations are chance.

/// A surname: Hangul, Hanja, usual Latin spelling, share (those of two syllables are four times as common as in
/// life, so that small worlds have some).
pub(crate) struct Surname {
    pub(crate) hangul: &'static str,
    pub(crate) hanja: &'static str,
    pub(crate) latin: &'static str,
    pub(crate) weight: u32,
}

const fn surname(hangul: &'static str, hanja: &'static str, latin: &'static str, weight: u32) -> Surname {
    Surname { hangul, hanja, latin, weight }
}

pub(crate) static SURNAMES: [Surname; 36] = [
    surname("김", "金", "Kim", 2150),
    surname("이", "李", "Lee", 1470),
    surname("박", "朴", "Park", 840),
    surname("최", "崔", "Choi", 470),
    surname("정", "鄭", "Jung", 430),
    surname("강", "姜", "Kang", 240),
    surname("조", "趙", "Cho", 210),
    surname("윤", "尹", "Yoon", 200),
    surname("장", "張", "Jang", 195),
    surname("임", "林", "Lim", 165),
    surname("한", "韓", "Han", 155),
    surname("오", "吳", "Oh", 150),
    surname("서", "徐", "Seo", 150),
    surname("신", "申", "Shin", 145),
    surname("권", "權", "Kwon", 140),
    surname("황", "黃", "Hwang", 140),
    surname("안", "安", "Ahn", 135),
    surname("송", "宋", "Song", 135),
    surname("류", "柳", "Ryu", 60),
    surname("홍", "洪", "Hong", 110),
    surname("전", "全", "Jeon", 100),
    surname("고", "高", "Ko", 90),
    surname("문", "文", "Moon", 90),
    surname("양", "梁", "Yang", 90),
    surname("손", "孫", "Son", 90),
    surname("배", "裵", "Bae", 80),
    surname("백", "白", "Baek", 75),
    surname("허", "許", "Heo", 65),
    surname("남", "南", "Nam", 55),
    surname("심", "沈", "Shim", 54),
    surname("남궁", "南宮", "Namgung", 24),
    surname("황보", "皇甫", "Hwangbo", 20),
    surname("선우", "鮮于", "Sunwoo", 16),
    surname("제갈", "諸葛", "Jegal", 12),
    surname("독고", "獨孤", "Dokgo", 8),
    surname("사공", "司空", "Sagong", 8),
];

/// Given names of one generation, commonest first.
pub(crate) struct Generation {
    /// First birth year of the next generation.
    pub(crate) before: i16,
    pub(crate) male: [&'static str; 16],
    pub(crate) female: [&'static str; 16],
}

pub(crate) static GENERATIONS: [Generation; 5] = [
    Generation {
        before: 1950,
        male: [
            "영수", "정웅", "종수", "영길", "상철", "병호", "만수", "재식", "순철", "기수", "복남", "광수",
            "춘식", "석봉", "동수", "태식",
        ],
        female: [
            "순자", "영자", "정순", "춘자", "옥순", "정자", "말순", "복순", "경자", "순이", "명자", "금순",
            "옥자", "분이", "화자", "영숙",
        ],
    },
    Generation {
        before: 1970,
        male: [
            "영수", "영호", "성호", "영철", "정호", "병철", "상호", "종철", "광호", "진수", "경수", "동호",
            "재호", "성수", "기철", "용호",
        ],
        female: [
            "영숙", "정숙", "미숙", "영희", "경숙", "명숙", "은숙", "현숙", "순옥", "미경", "정희", "영미",
            "혜숙", "경희", "옥희", "선희",
        ],
    },
    Generation {
        before: 1990,
        male: [
            "지훈", "성민", "정훈", "현우", "성훈", "동현", "상훈", "준호", "민수", "진우", "영진", "재훈",
            "승현", "태훈", "우진", "경민",
        ],
        female: [
            "은정", "지영", "미영", "지혜", "은주", "수진", "현정", "혜진", "은영", "유진", "선영", "미정",
            "은경", "지현", "정은", "보람",
        ],
    },
    Generation {
        before: 2008,
        male: [
            "민준", "동현", "지훈", "현우", "준영", "승민", "재현", "성현", "민재", "우진", "지원", "태현",
            "준혁", "도현", "승우", "건우",
        ],
        female: [
            "유진", "민지", "서연", "수빈", "지원", "지은", "예진", "수민", "지우", "은서", "다은", "하은",
            "채원", "예은", "소연", "가영",
        ],
    },
    Generation {
        before: 9999,
        male: [
            "민준", "서준", "도윤", "하준", "시우", "이준", "은우", "지호", "예준", "선우", "유준", "우주",
            "이안", "도하", "지안", "로운",
        ],
        female: [
            "서연", "서윤", "하윤", "지우", "서아", "이서", "하은", "아린", "지안", "수아", "지유", "윤슬",
            "채아", "다온", "하린", "슬아",
        ],
    },
];

/// Names of residents from abroad: Latin name, usual Korean rendering, nationality (ISO 3166).
pub(crate) static FOREIGN: [(&str, &str, bool, &str); 12] = [
    ("NGUYEN VAN GASANG", "응우옌 반 가상", true, "VN"),
    ("TRAN THI IEUM", "쩐 티 이음", false, "VN"),
    ("WANG XUNI", "왕쉬니", false, "CN"),
    ("LI MONI", "리모니", true, "CN"),
    ("SUDA SAMMUTI", "수다 삼무띠", false, "TH"),
    ("SOMCHAI SAMMUTI", "솜차이 삼무띠", true, "TH"),
    ("MARIA DELA KATHA", "마리아 델라 카타", false, "PH"),
    ("JOSE DELA KATHA", "호세 델라 카타", true, "PH"),
    ("BAT-ERDENE ZOKHIOMOL", "바트에르덴 조히오멀", true, "MN"),
    ("JANE SYNTHETIC", "제인 신세틱", false, "US"),
    ("JOHN SYNTHETIC", "존 신세틱", true, "US"),
    ("KUMARI KALPANIK", "쿠마리 칼파닉", false, "NP"),
];

/// One Hanja often used for a syllable of given names; names with other syllables have no Hanja form here.
pub(crate) fn hanja(syllable: char) -> Option<char> {
    Some(match syllable {
        '영' => '英',
        '수' => '秀',
        '정' => '貞',
        '자' => '子',
        '순' => '順',
        '숙' => '淑',
        '희' => '姬',
        '경' => '京',
        '미' => '美',
        '호' => '浩',
        '철' => '哲',
        '성' => '成',
        '상' => '相',
        '동' => '東',
        '재' => '在',
        '진' => '眞',
        '지' => '智',
        '현' => '賢',
        '훈' => '勳',
        '민' => '敏',
        '우' => '宇',
        '준' => '俊',
        '은' => '恩',
        '혜' => '惠',
        '주' => '珠',
        '서' => '瑞',
        '연' => '姸',
        '하' => '夏',
        '윤' => '允',
        '명' => '明',
        '옥' => '玉',
        '선' => '善',
        '태' => '泰',
        '승' => '承',
        '병' => '炳',
        '광' => '光',
        '종' => '鍾',
        '유' => '裕',
        '도' => '道',
        '원' => '源',
        _ => return None,
    })
}

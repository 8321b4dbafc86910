//! The words of the frame and the components, Korean first, English second.
//!
//! [`catalogue!`](crate::catalogue) declares an enum whose variants each carry both languages; a variant without one
//! of them does not compile. Pages declare catalogues of their own with the same macro.

/// A language of the portal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// 한국어
    #[default]
    Ko,
    /// English
    En,
}

impl Lang {
    /// Both languages, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// The BCP 47 tag, for `lang` attributes and `?lang=`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }

    /// The name of the language in itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ko => "한국어",
            Self::En => "English",
        }
    }

    /// The language of a tag such as `en` or `en-GB`.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or("");
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// What the reader asked for: `?lang=` before the remembered choice before the browser; otherwise Korean.
    /// `accept` is the value of `Accept-Language`; its order decides and its weights are not read.
    #[must_use]
    pub fn choose(query: Option<&str>, remembered: Option<&str>, accept: Option<&str>) -> Self {
        let listed = accept.unwrap_or("").split(',').filter_map(|part| part.split(';').next());
        query
            .and_then(Self::from_tag)
            .or_else(|| remembered.and_then(Self::from_tag))
            .or_else(|| listed.filter_map(Self::from_tag).next())
            .unwrap_or_default()
    }

    /// One of two values, by language.
    #[must_use]
    pub fn pick<T>(self, ko: T, en: T) -> T {
        match self {
            Self::Ko => ko,
            Self::En => en,
        }
    }
}

/// Declares an enum of texts: `Key => "한국어", "English";` per line, read by `Key.get(lang)`.
///
/// ```
/// ieum_ui::catalogue! {
///     /// Words of one page.
///     enum Words { Title => "환자 찾기", "Find a patient"; }
/// }
/// assert_eq!(Words::Title.get(ieum_ui::Lang::En), "Find a patient");
/// ```
///
/// A text that lacks a language does not compile:
///
/// ```compile_fail
/// ieum_ui::catalogue! { enum Words { Title => "환자 찾기"; } }
/// ```
#[macro_export]
macro_rules! catalogue {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($key:ident => $ko:literal, $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $(#[doc = $ko] #[doc = ""] #[doc = $en] $key,)+ }

        #[allow(dead_code, reason = "a catalogue may be used in part")]
        impl $name {
            /// Every text of the catalogue.
            $vis const ALL: &'static [Self] = &[$(Self::$key),+];

            /// The text in a language.
            #[must_use]
            $vis const fn get(self, lang: $crate::Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$key, $crate::Lang::Ko) => $ko, (Self::$key, $crate::Lang::En) => $en,)+
                }
            }
        }
    };
}

catalogue! {
    /// Words that the frame and the components need themselves.
    pub enum Text {
        Brand => "이음", "Ieum";
        BrandLine => "통합 건강정보 허브", "Integrated health information hub";
        SkipToContent => "본문 바로가기", "Skip to content";
        DemoNotice => "시연용 가상 데이터입니다. 실제 환자 정보가 아니며, 정부 공식 누리집이 아닙니다.",
            "Synthetic data for demonstration. No real patients, and not an official government site.";
        SiteNotice => "이음 통합 건강정보 허브", "Ieum, integrated health information hub";
        MainMenu => "주 메뉴", "Main menu";
        Menu => "메뉴", "Menu";
        Utility => "사용자 메뉴", "User menu";
        Breadcrumb => "현재 경로", "Breadcrumb";
        Home => "홈", "Home";
        SignIn => "로그인", "Sign in";
        SignOut => "로그아웃", "Sign out";
        SignedInAs => "로그인한 사용자", "Signed in as";
        FooterNote => "기록을 바꾼 일은 모두 감사 기록에 남고, 거절된 시도도 남습니다.",
            "Every change to a record is written down, and so are refused attempts.";
        FooterMenu => "하단 메뉴", "Footer menu";
        Required => "필수", "Required";
        Search => "검색", "Search";
        SearchForm => "검색 조건", "Search";
        Select => "선택하세요", "Select";
        Apply => "적용", "Apply";
        Previous => "이전", "Previous";
        Next => "다음", "Next";
        Pages => "쪽 이동", "Pages";
        InThisPage => "이 페이지의 구성", "On this page";
        EmptyTable => "표시할 내용이 없습니다.", "Nothing to show.";
        NoData => "자료가 없습니다.", "No data.";
        NotRecorded => "기록 없음", "Not recorded";
        Information => "안내", "Information";
        Success => "완료", "Done";
        Warning => "주의", "Warning";
        Danger => "오류", "Error";
        Alert => "중요", "Important";
        Done => "완료", "done";
        InProgress => "진행 중", "in progress";
        ShowTable => "표로 보기", "Show as table";
        Date => "날짜", "Date";
        Value => "값", "Value";
        Verdict => "판정", "Reading";
        Count => "건수", "Count";
        Kind => "구분", "Kind";
        ReferenceRange => "참고범위", "Reference range";
        RangesDiffer => "참고범위가 검사마다 달라 그리지 않았습니다. 값마다 그때의 범위로 판정했습니다.",
            "The reference range was not always the same, so it is not drawn. Each value is judged by its own.";
        LineBroken => "오래 재지 않은 동안은 선을 잇지 않았습니다.", "The line is broken where nothing was measured for long.";
        Latest => "최근", "Latest";
        Limit => "기준선", "Limit";
        High => "높음", "High";
        Low => "낮음", "Low";
        Normal => "정상 범위", "In range";
        Systolic => "수축기", "Systolic";
        Diastolic => "이완기", "Diastolic";
        BloodPressure => "혈압", "Blood pressure";
        Timeline => "진료 기록 시간순 보기", "Timeline";
        DateUnknown => "날짜 미상", "Date unknown";
        KindVisit => "진료", "Visit";
        KindProblem => "진단", "Problem";
        KindMedicine => "처방", "Medicine";
        KindResult => "검사", "Result";
        KindVital => "활력징후", "Vital signs";
        KindAllergy => "알레르기", "Allergy";
        KindImmunisation => "예방접종", "Immunisation";
        KindProcedure => "시술·수술", "Procedure";
        KindDocument => "문서", "Document";
        KindImage => "영상", "Images";
        KindOther => "기타", "Other";
        Print => "인쇄", "Print";
        Male => "남", "Male";
        Female => "여", "Female";
        OtherSex => "기타", "Other";
        UnknownSex => "성별 미상", "Sex unknown";
    }
}

/// "3건" / "3 items".
#[must_use]
pub fn items(count: u64, lang: Lang) -> String {
    let number = crate::format::integer(count);
    match (lang, count) {
        (Lang::Ko, _) => format!("{number}건"),
        (Lang::En, 1) => format!("{number} item"),
        (Lang::En, _) => format!("{number} items"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_both_languages() {
        for text in Text::ALL {
            assert!(
                !text.get(Lang::Ko).trim().is_empty() && !text.get(Lang::En).trim().is_empty(),
                "{text:?}"
            );
            assert!(text.get(Lang::En).is_ascii(), "{text:?}: English text holds other letters");
        }
    }

    #[test]
    fn the_language_is_what_was_asked_for_and_otherwise_korean() {
        for (query, remembered, accept, expected) in [
            (None, None, None, Lang::Ko),
            (Some("en"), Some("ko"), Some("ko"), Lang::En),
            (Some("xx"), Some("en"), None, Lang::En),
            (None, None, Some("en-GB,en;q=0.9,ko;q=0.5"), Lang::En),
            (None, None, Some("fr, ko"), Lang::Ko),
            (None, None, Some("ja,zh"), Lang::Ko),
            (Some("\"><script>"), None, Some(""), Lang::Ko),
        ] {
            assert_eq!(
                Lang::choose(query, remembered, accept),
                expected,
                "{query:?} {remembered:?} {accept:?}"
            );
        }
    }
}

//! Text: spelling of Unicode, case, accents, Hangul and its initials.

use ieum_fhir::text::{
    has_initials, initial_range, initials, initials_query, matches_initials, nfc, normalize,
};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

#[test]
fn normal_text() {
    for (text, expected) in [
        ("Smith", "smith"),
        ("  John \t van\u{a0}der\u{3000}Berg\n", "john van der berg"),
        ("PÉREZ", "perez"),
        ("Pe\u{301}rez", "perez"),
        ("Müller-Lüdenscheidt", "muller-ludenscheidt"),
        ("Straße", "strasse"),
        ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
        ("İstanbul", "istanbul"),
        ("Ёлка", "елка"),
        ("김민수", "김민수"),
        ("李舜臣", "李舜臣"),
        ("が", "が"),
        ("ㄱㅁㅅ", "ㄱㅁㅅ"),
        ("서울특별시  중구 세종대로 110", "서울특별시 중구 세종대로 110"),
        ("", ""),
        (" ", ""),
        ("\u{301}", ""),
    ] {
        assert_eq!(normalize(text), expected, "{text:?}");
    }
}

#[test]
fn decomposed_hangul_is_the_same_and_stays_whole() {
    let decomposed: String = "김민수".nfd().collect();
    assert_ne!(decomposed, "김민수");
    assert_eq!(normalize(&decomposed), "김민수");
    assert_eq!(nfc(&decomposed), "김민수");
    assert_eq!(initials(&decomposed), "ㄱㅁㅅ");
    // A name is found by whole syllables: 기 does not begin 김.
    assert!(!normalize("김민수").starts_with(&*normalize("기")));
    assert!(!normalize(&decomposed).starts_with(&*normalize("기")));
}

#[test]
fn initials_of_names() {
    for (name, expected) in [
        ("김민수", "ㄱㅁㅅ"),
        ("남궁민", "ㄴㄱㅁ"),
        ("황보 빈", "ㅎㅂ ㅂ"),
        ("Kim 민수", "kim ㅁㅅ"),
        ("李민수", "李ㅁㅅ"),
        ("", ""),
    ] {
        assert_eq!(initials(name), expected);
    }
}

#[test]
fn search_by_initials() {
    for (query, value, expected) in [
        ("ㄱㅁㅅ", "김민수", true),
        ("ㄱㅁ", "김민수", true),
        ("ㅁㅅ", "김민수", false),
        ("김ㅁㅅ", "김민수", true),
        ("이ㅁㅅ", "김민수", false),
        ("남궁ㅁ", "남궁민", true),
        ("ㄴㄱㅁ", "남궁민", true),
        ("ㄱㅁㅅ", "김민", false),
        // A Korean keyboard joins ㄱ and ㅅ into ㄳ.
        ("ㄳㅁ", "김소미", true),
        ("ㄲ", "김민수", false),
        ("ㄲ", "까치", true),
        ("\u{1100}\u{1106}", "김민수", true),
        ("Kㅁ", "k민수", true),
        ("kim", "KIM Minsu", true),
        ("", "김민수", true),
    ] {
        assert_eq!(matches_initials(query, value), expected, "{query} on {value}");
    }
    assert!(has_initials("김ㅁㅅ") && has_initials("ㄳ") && has_initials("\u{1106}"));
    assert!(!has_initials("김민수") && !has_initials("Kim") && !has_initials("ㅏ") && !has_initials(""));
    assert_eq!(initials_query("ㄳㅁ"), "ㄱㅅㅁ");
}

#[test]
fn initials_are_ranges_of_syllables() {
    assert_eq!(initial_range('ㄱ'), Some(('가', '깋')));
    assert_eq!(initial_range('ㅁ'), Some(('마', '밓')));
    assert_eq!(initial_range('ㅎ'), Some(('하', '힣')));
    assert_eq!(initial_range('ㅏ'), None);
    assert_eq!(initial_range('ㄳ'), None);
    for syllable in '가'..='힣' {
        let initial = initials(&syllable.to_string()).chars().next().unwrap();
        let (first, last) = initial_range(initial).unwrap();
        assert!((first..=last).contains(&syllable));
    }
}

proptest! {
    #[test]
    fn composed_and_decomposed_are_one(text in "[가-힣a-zA-Zà-ÿĀ-žΑ-ωА-я ẛşŞİı]{0,12}|\\PC{0,12}") {
        let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
        prop_assert_eq!(normalize(&composed), normalize(&decomposed));
        prop_assert_eq!(nfc(&composed), nfc(&decomposed));
    }

    #[test]
    fn normal_text_stays(text in "\\PC{0,16}") {
        let once = normalize(&text).into_owned();
        prop_assert_eq!(&*normalize(&once), &once);
    }

    #[test]
    fn a_name_is_found_by_each_prefix_and_its_initials(name in "[가-힣]{1,5}", length in 1_usize..6, mixed: u8) {
        let prefix: String = name.chars().take(length).collect();
        prop_assert!(normalize(&name).starts_with(&*normalize(&prefix)));
        let query: String = prefix
            .chars()
            .zip(initials(&prefix).chars())
            .enumerate()
            .map(|(place, (syllable, initial))| if mixed >> place & 1 == 1 { initial } else { syllable })
            .collect();
        prop_assert!(matches_initials(&query, &name));
    }
}

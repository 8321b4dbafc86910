//! The page of the law.

use crate::support::{Portal, Visitor};

fn page(query: &str) -> String {
    let portal = Portal::with_accounts();
    let reply = portal.get(&Visitor::default(), &format!("/law{query}"));
    assert_eq!(reply.status.as_u16(), 200, "{query}");
    reply.body
}

#[test]
fn it_shows_what_held_on_a_day() {
    for (query, is_there) in [
        ("?subject=access&date=2026-04-06", false),
        ("?subject=access&date=2026-04-07", true),
        ("?subject=access&date=", true),
        // Today is 2026-11-01.
        ("", true),
        ("?subject=ages", false),
    ] {
        assert_eq!(page(query).contains("국가인권위원회법 §36"), is_there, "{query}");
    }
    let never = page("?subject=telemedicine&date=2026-12-23");
    assert!(never.contains("그날 시행된 것이 없습니다."));
    assert!(page("?subject=telemedicine&date=2026-12-24").contains("2026.12.24.부터"));
}

#[test]
fn each_row_has_article_period_and_confidence_in_words() {
    let ages = page("?subject=ages&date=");
    for words in [
        "만 14세",
        "개인정보 보호법 §22의2",
        "시작일 기록 없음, 계속",
        "법령 원문",
        "기관·언론 자료",
        "2026.3.30.까지",
    ] {
        assert!(ages.contains(words), "{words}");
    }
    let english = page("?subject=terms&date=&lang=en");
    for words in ["5 days", "24 h", "text of the law", "this project’s default", "beginning not recorded"] {
        assert!(english.contains(words), "{words}");
    }
    assert!(page("?subject=representatives").contains("미확인, 사람이 판단"));
}

#[test]
fn what_is_no_day_or_subject_is_told_or_passed_over() {
    let wrong = page("?date=yesterday");
    assert!(
        wrong.contains("2026-09-11처럼") && !wrong.contains("yesterday\"") && wrong.contains("aria-invalid")
    );
    assert!(page("?subject=nonsense").contains("만 14세"));
    assert!(page("?date=2026-02-30").contains("2026-09-11처럼"));
    let hostile = page("?subject=%22%3E%3Cscript%3E&date=%22%3E%3Cscript%3E");
    assert!(!hostile.contains("<script>"));
}

#[test]
fn every_page_leads_to_it() {
    let portal = Portal::with_accounts();
    for path in ["/", "/sign-in", "/nowhere", "/law"] {
        assert!(portal.get(&Visitor::default(), path).body.contains("href=\"/law\""), "{path}");
    }
}

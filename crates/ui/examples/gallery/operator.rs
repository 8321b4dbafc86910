//! What an operator sees: figures, imports under way, the feed.

use ieum_ui::{
    Align, Column, Grid, Icon, Lang, Message, Narrow, Progress, Table, Tone, badge, badge_icon, card,
    card_figure, card_link, card_plain,
    chart::{Bar, bars},
    grid,
    maud::{Markup, html},
    section, tab_links,
};

use crate::Sheet;

pub(crate) const SHEET: Sheet = Sheet {
    file: "operator",
    title: ("운영 현황", "Operations"),
    lead: (
        "허브가 가진 기록, 변경 흐름, 진행 중인 가져오기와 상태를 봅니다.",
        "What the hub holds, its change feed, imports under way, and its health.",
    ),
    actions: None,
    content,
};

fn content(lang: Lang) -> Markup {
    let views = [
        (lang.pick("현황", "Overview"), "#", true),
        (lang.pick("변경 흐름", "Feed"), "#", false),
        (lang.pick("감사 기록", "Audit log"), "#", false),
    ];
    let figures = [
        card_figure(lang.pick("환자", "Patients"), "100,000", lang.pick("명", ""), None),
        card_figure(
            lang.pick("기록", "Records"),
            "12,345,678",
            lang.pick("건", ""),
            Some(lang.pick("오늘 +4,210", "+4,210 today")),
        ),
        card_figure(
            lang.pick("저장 공간", "Storage"),
            "3.2",
            "GiB",
            Some(lang.pick("여유 48 GiB", "48 GiB free")),
        ),
        card_figure(lang.pick("순번", "Sequence"), "884,201", "", None),
    ];
    let warning = Message {
        tone: Tone::Warning,
        title: lang.pick("가져오기에서 3건이 거부되었습니다.", "3 records were rejected by an import."),
        body: html! { a href="#" { (lang.pick("거부된 까닭 보기", "See the reasons")) } },
    };
    html! {
        (tab_links(lang.pick("운영 메뉴", "Operator views"), &views))
        (grid(Grid::Small, figures))
        (warning.html(lang))
        (section(lang.pick("진행 중인 가져오기", "Imports under way"), card_plain(imports(lang))))
        (section(lang.pick("종류별 기록", "Records by kind"), card_plain(counts(lang))))
        (section(lang.pick("변경 흐름", "Change feed"), feed(lang)))
        (section(lang.pick("해 볼 만한 것", "Things to try"), grid(Grid::Cards, [
            card_link(Icon::Search, lang.pick("의료진", "Clinician"), lang.pick("환자를 찾고 시간순 기록을 읽습니다.", "Find a patient and read the timeline."), "#"),
            card_link(Icon::Person, lang.pick("환자", "Patient"), lang.pick("내 기록과 누가 보았는지 확인합니다.", "Read your own record and who has seen it."), "#"),
            card_link(Icon::Result, lang.pick("운영자", "Operator"), lang.pick("허브의 상태를 살핍니다.", "Watch the hub at work."), "#"),
        ])))
    }
}

fn imports(lang: Lang) -> Markup {
    html! {
        (Progress { label: "synthea/", done: 98, total: Some(150), note: Some(lang.pick("초당 4,120건 · 남은 시간 1분 5초", "4,120/s, 1 min 5 s left")) }.html(lang))
        (Progress { label: "kr-core/", done: 1_200, total: None, note: None }.html(lang))
    }
}

fn counts(lang: Lang) -> Markup {
    let kinds = [
        (lang.pick("검사 결과", "Observation"), 6_120_000),
        (lang.pick("진료", "Encounter"), 2_400_310),
        (lang.pick("처방", "MedicationRequest"), 1_900_020),
        (lang.pick("진단", "Condition"), 820_400),
        (lang.pick("예방접종", "Immunization"), 61_000),
        (lang.pick("알레르기", "AllergyIntolerance"), 904),
        (lang.pick("영상", "ImagingStudy"), 0),
    ];
    let list: Vec<Bar<'_>> =
        kinds.iter().map(|(label, count)| Bar { label, href: Some("#"), count: *count }).collect();
    bars(lang.pick("종류별 건수", "Count by kind"), &list, lang)
}

fn feed(lang: Lang) -> Markup {
    let columns = [
        Column { label: lang.pick("순번", "Sequence"), align: Align::Keep },
        Column { label: lang.pick("시각", "Time"), align: Align::Keep },
        Column { label: lang.pick("변경", "Change"), align: Align::Keep },
        Column { label: lang.pick("기록", "Record"), align: Align::Keep },
        Column { label: lang.pick("건수", "Count"), align: Align::Number },
        Column { label: lang.pick("상태", "State"), align: Align::Keep },
    ];
    let rows = [
        ("884,201", "만들기", "create", 1),
        ("884,200", "묶음", "transaction", 214),
        ("884,199", "고치기", "update", 1),
    ]
    .map(|(sequence, ko, en, count)| {
        vec![
            html! { (sequence) },
            html! { (lang.pick("2026.11.23. 오후 3:05", "2026-11-23 15:05 KST")) },
            html! { (lang.pick(ko, en)) },
            html! { code { "Observation/9f2c1a" } },
            html! { (count) },
            badge_icon(Tone::Success, Icon::Success, lang.pick("확정", "Committed")),
        ]
    });
    let caption = lang.pick("최근 변경", "Latest changes");
    html! {
        (Table { narrow: Narrow::Scroll, ..Table::new(caption, &columns, rows.to_vec()) }.html(lang))
        (card(lang.pick("상태", "Health"), html! {
            div .i-row {
                (badge(Tone::Success, lang.pick("저장소 정상", "Store healthy")))
                (badge(Tone::Success, lang.pick("감사 기록 정상", "Audit log healthy")))
                (badge(Tone::Neutral, lang.pick("복제 없음", "No replica")))
            }
        }))
    }
}

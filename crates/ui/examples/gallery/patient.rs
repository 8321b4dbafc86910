//! A patient's record: summary, timeline, results.

use ieum_ui::{
    ButtonStyle, Entry, Grid, Group, Icon, Kind, Lang, Tab, Tone, badge, badge_icon, button_link,
    button_print, card, card_plain,
    chart::{LineChart, Point, PressureChart, Range, Reading, Size, Verdict},
    columns, definitions, definitions_inline, grid,
    maud::{Markup, html},
    tabs, timeline,
};

use crate::Sheet;

pub(crate) const SHEET: Sheet = Sheet {
    file: "patient",
    title: ("김민수 님의 기록", "Record of Kim Minsu"),
    lead: ("열람 목적: 진료 · 이 열람은 기록됩니다.", "Purpose: treatment. This access is logged."),
    actions: Some(actions),
    content,
};

/// A day of the year shown, at ten in the morning in Korea.
pub(crate) fn day(number: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_767_229_200 + number * 86_400).expect("a day of this file")
}

fn actions(lang: Lang) -> Markup {
    html! {
        (button_link(ButtonStyle::Secondary, lang.pick("진료의뢰서 쓰기", "Write a referral"), "#"))
        (button_print(lang))
    }
}

fn content(lang: Lang) -> Markup {
    html! {
        (card_plain(html! {
            (definitions_inline(&[
                (lang.pick("성별·나이", "Sex, age"), Some(html! { (lang.pick("남 · 만 65세", "Male, 65 years")) })),
                (lang.pick("생년월일", "Born"), Some(html! { (lang.pick("1961년 4월 12일", "1961-04-12")) })),
                (lang.pick("등록번호", "Record number"), Some(html! { "IE-000-0001" })),
                (lang.pick("혈액형", "Blood group"), None),
            ], lang))
            div .i-row {
                (badge_icon(Tone::Danger, Icon::Allergy, lang.pick("페니실린 알레르기", "Penicillin allergy")))
                (badge_icon(Tone::Warning, Icon::Warning, lang.pick("낙상 위험", "Fall risk")))
                (badge(Tone::Information, lang.pick("만성질환 관리", "Chronic care")))
            }
        }))
        (tabs(&[
            Tab { id: "timeline", label: lang.pick("시간순", "Timeline"), count: Some(8), body: record(lang) },
            Tab { id: "results", label: lang.pick("검사·활력징후", "Results"), count: Some(4), body: results(lang) },
            Tab { id: "about", label: lang.pick("기본정보", "About"), count: None, body: about(lang) },
        ], lang))
    }
}

fn record(lang: Lang) -> Markup {
    columns(timeline(&groups(lang), lang), side(lang))
}

fn entry<'a>(kind: Kind, time: &str, title: &'a str, detail: &str, marks: Markup) -> Entry<'a> {
    let time = (!time.is_empty()).then(|| time.to_owned());
    let detail = if detail.is_empty() {
        html! {}
    } else {
        html! { (detail) }
    };
    Entry { kind, title, href: Some("#"), time, detail, marks }
}

fn groups(lang: Lang) -> Vec<Group<'static>> {
    let none = || html! {};
    let (am, pm) = (lang.pick("오전 9:40", "09:40"), lang.pick("오후 2:10", "14:10"));
    vec![
        Group {
            day: Some(lang.pick("2026년 11월 3일", "2026-11-03").to_owned()),
            machine_day: Some("2026-11-03".to_owned()),
            place: Some(
                lang.pick("가상병원 내분비내과 · 외래", "Gasang Hospital, endocrinology, outpatient"),
            ),
            entries: vec![
                entry(
                    Kind::Visit,
                    am,
                    lang.pick("외래 진료", "Outpatient visit"),
                    lang.pick("담당 의사 이가상", "Dr Lee Gasang"),
                    none(),
                ),
                entry(
                    Kind::Problem,
                    am,
                    lang.pick("제2형 당뇨병 (E11.9)", "Type 2 diabetes (E11.9)"),
                    "",
                    badge(Tone::Primary, lang.pick("지속 중", "Active")),
                ),
                entry(
                    Kind::Result,
                    am,
                    lang.pick("당화혈색소", "HbA1c"),
                    lang.pick("7.2 % (참고범위 4.0–6.0)", "7.2 % (4.0–6.0)"),
                    Verdict::High.badge(lang),
                ),
                entry(
                    Kind::Medicine,
                    am,
                    lang.pick("메트포르민 500밀리그램", "Metformin 500 mg"),
                    lang.pick("1회 1정, 하루 2번, 90일분", "1 tablet twice daily, 90 days"),
                    none(),
                ),
            ],
        },
        Group {
            day: Some(lang.pick("2026년 8월 20일", "2026-08-20").to_owned()),
            machine_day: Some("2026-08-20".to_owned()),
            place: Some(lang.pick("가상의원 · 외래", "Gasang Clinic, outpatient")),
            entries: vec![
                entry(
                    Kind::Vital,
                    pm,
                    lang.pick("혈압 142/91 mmHg", "Blood pressure 142/91 mmHg"),
                    "",
                    none(),
                ),
                entry(
                    Kind::Immunisation,
                    pm,
                    lang.pick("인플루엔자 예방접종", "Influenza vaccine"),
                    lang.pick("2026–2027절기", "Season 2026–2027"),
                    none(),
                ),
                entry(
                    Kind::Document,
                    pm,
                    lang.pick("진료의뢰서", "Referral letter"),
                    lang.pick("수신: 가상병원 내분비내과", "To: Gasang Hospital"),
                    none(),
                ),
            ],
        },
        Group {
            day: None,
            machine_day: None,
            place: None,
            entries: vec![entry(
                Kind::Allergy,
                "",
                lang.pick("페니실린", "Penicillin"),
                lang.pick("두드러기, 중증도 높음", "Urticaria, severe"),
                badge(Tone::Danger, lang.pick("위험", "High risk")),
            )],
        },
    ]
}

fn side(lang: Lang) -> Markup {
    html! {
        (card(lang.pick("진단 목록", "Problems"), html! {
            ul .i-flow-list {
                li { (lang.pick("제2형 당뇨병", "Type 2 diabetes")) " " span .i-soft .i-small { "E11.9 · 2019" } }
                li { (lang.pick("본태성 고혈압", "Essential hypertension")) " " span .i-soft .i-small { "I10 · 2017" } }
            }
        }))
        (card(lang.pick("복용 중인 약", "Medicines"), html! {
            ul .i-flow-list {
                li { (lang.pick("메트포르민 500밀리그램", "Metformin 500 mg")) }
                li { (lang.pick("암로디핀 5밀리그램", "Amlodipine 5 mg")) }
            }
        }))
    }
}

fn results(lang: Lang) -> Markup {
    let series = |values: &[f64], range| -> Vec<Point> {
        (0_i64..).zip(values).map(|(index, value)| Point::new(day(index * 38), *value, range)).collect()
    };
    let line = |id: &str, title: &str, unit: &str, values: &[f64], low, high| {
        let points = series(values, Range { low, high });
        LineChart { title, id, unit, points: &points, span: None, size: Size::CARD, places: 1, notes: &[] }
            .html(lang)
    };
    let readings: Vec<Reading> = (0_i64..)
        .zip([(151.0, 96.0), (146.0, 92.0), (139.0, 88.0), (142.0, 91.0), (134.0, 84.0), (128.0, 82.0)])
        .map(|(index, (systolic, diastolic))| Reading { at: day(index * 55), systolic, diastolic })
        .collect();
    let pressure = PressureChart {
        id: "bp",
        readings: &readings,
        limits: Some((140.0, 90.0)),
        size: Size::CARD,
        verdict: Verdict::Unknown,
        notes: &[],
    };
    grid(
        Grid::Charts,
        [
            line(
                "glucose",
                lang.pick("공복혈당", "Fasting glucose"),
                "mg/dL",
                &[112.0, 118.0, 121.0, 96.0, 131.0, 126.0, 108.0, 98.0, 66.0],
                Some(70.0),
                Some(99.0),
            ),
            line("hba1c", lang.pick("당화혈색소", "HbA1c"), "%", &[8.1, 7.9, 7.6, 7.2], Some(4.0), Some(6.0)),
            pressure.html(lang),
            line("creatinine", lang.pick("크레아티닌", "Creatinine"), "mg/dL", &[0.9], None, Some(1.2)),
            line("potassium", lang.pick("칼륨", "Potassium"), "mmol/L", &[f64::NAN], Some(3.5), Some(5.1)),
        ]
        .map(card_plain),
    )
}

fn about(lang: Lang) -> Markup {
    let address = lang.pick("가상특별시 이음구 가상로 1", "1 Gasang-ro, Ieum-gu, Gasang City");
    let rows = [
        (lang.pick("주소", "Address"), Some(html! { (address) })),
        (lang.pick("연락처", "Telephone"), Some(html! { "010-****-1234" })),
        (
            lang.pick("보험", "Insurance"),
            Some(html! { (lang.pick("건강보험", "National health insurance")) }),
        ),
        (lang.pick("보호자", "Guardian"), None),
    ];
    definitions(&rows, lang)
}

//! A clinician looks for a patient.

use ieum_ui::{
    Align, Column, Field, InputKind, Lang, SearchForm, Table, Tone, badge,
    chart::{Point, Range, sparkline},
    format,
    maud::{Markup, html},
    pagination, section, select, text_input,
};

use crate::Sheet;

pub(crate) const SHEET: Sheet = Sheet {
    file: "patients",
    title: ("환자 찾기", "Find a patient"),
    lead: (
        "이름, 초성, 생년월일, 등록번호로 찾을 수 있습니다. 진료 관계가 있는 환자만 보입니다.",
        "Search by name, initial consonants, birth date or record number. Only patients under your care are shown.",
    ),
    actions: None,
    content,
};

/// Name, birth date, sex, record number, telephone, values.
type Person = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [f64]);

const PEOPLE: [Person; 5] = [
    ("김민수", "1961-04-12", "M", "IE-000-0001", "010-0000-1234", &[112.0, 118.0, 121.0, 131.0, 126.0]),
    ("김미숙", "1974-11-30", "F", "IE-000-0002", "010-0000-5678", &[92.0, 90.0, 94.0, 91.0]),
    ("강무성", "2000-02-29", "M", "IE-000-0003", "010-0000-9012", &[]),
    ("고명순", "1938-01-05", "F", "IE-000-0004", "02-000-3456", &[101.0, 97.0, 99.0, 88.0, 84.0, 79.0]),
    ("권민서", "2026-06-01", "F", "IE-000-0005", "010-0000-7890", &[85.0]),
];

fn content(lang: Lang) -> Markup {
    let name = Field::new("q", lang.pick("이름 또는 초성", "Name or initials"));
    let born = Field::new("born", lang.pick("생년월일", "Birth date"));
    let kind = Field::new("kind", lang.pick("진료 구분", "Care"));
    let kinds = [
        ("all", lang.pick("전체", "All")),
        ("out", lang.pick("외래", "Outpatient")),
        ("in", lang.pick("입원", "Inpatient")),
    ];
    let fields = [
        text_input(&name, InputKind::Search, "ㄱㅁㅅ", "off", lang),
        text_input(&born, InputKind::Date, "", "off", lang),
        select(&kind, &kinds, Some("all"), lang),
    ];
    let hint = lang.pick(
        "초성만 입력해도 됩니다. 예: ㄱㅁㅅ → 김민수",
        "Initial consonants are enough: ㄱㅁㅅ finds 김민수",
    );
    let form = SearchForm { action: "/patients.ko.html", fields: &fields, keep: &[], hint: Some(hint) };
    html! {
        (form.html(lang))
        (section(lang.pick("검색 결과 5명", "5 people found"), table(lang)))
        (pagination(None, Some("?after=5"), lang))
        (section(lang.pick("결과가 없을 때", "When nothing is found"), Table {
            empty: Some(lang.pick("찾는 환자가 없습니다. 검색어를 줄이거나 생년월일을 지워 보세요.",
                "No such patient. Try fewer words, or clear the birth date.")),
            ..Table::new("", &[], vec![])
        }.html(lang)))
    }
}

fn table(lang: Lang) -> Markup {
    let columns = [
        Column { label: lang.pick("이름", "Name"), align: Align::Keep },
        Column { label: lang.pick("생년월일", "Born"), align: Align::Keep },
        Column { label: lang.pick("나이·성별", "Age, sex"), align: Align::Keep },
        Column { label: lang.pick("등록번호", "Record number"), align: Align::Keep },
        Column { label: lang.pick("연락처", "Telephone"), align: Align::Keep },
        Column { label: lang.pick("공복혈당", "Fasting glucose"), align: Align::Keep },
    ];
    let rows = PEOPLE.iter().map(|person| row(person, lang)).collect();
    Table::new(lang.pick("검색 결과", "Results"), &columns, rows).html(lang)
}

fn row((name, born, sex, number, phone, values): &Person, lang: Lang) -> Vec<Markup> {
    let birth = format::fhir_day(born).expect("a date of this file");
    let today = format::fhir_day("2026-11-23").expect("a date of this file");
    let age = format::age(birth, today).map(|age| format::age_text(age, lang)).unwrap_or_default();
    let sex = if *sex == "M" { ieum_ui::Text::Male } else { ieum_ui::Text::Female };
    let range = Range { low: Some(70.0), high: Some(99.0) };
    let points: Vec<Point> = (0_i64..)
        .zip(*values)
        .map(|(index, value)| Point::new(crate::patient::day(index * 30), *value, range))
        .collect();
    vec![
        html! { a href="/patient.ko.html" { (name) } @if *name == "고명순" { " " (badge(Tone::Warning, lang.pick("동명이인", "Same name"))) } },
        html! { (format::date_short(birth, lang)) },
        html! { (age) " · " (sex.get(lang)) },
        html! { (number) },
        html! { span .i-number { (format::phone_masked(phone)) } },
        html! { (sparkline(lang.pick("공복혈당", "Fasting glucose"), &points, None, lang)) },
    ]
}

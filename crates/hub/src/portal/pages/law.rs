//! The tables of law, for everybody: what held on a day, by which article, and how well we know it.

use ieum_trust::law::row::{Confidence, Row, SUBJECTS, Subject, Unit, Value};
use ieum_ui::{ButtonStyle, Lang};
use ieum_ui::{
    Field, InputKind, SearchForm, Table, Tone, badge, button_link, format, section, select, text_input,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;

/// Which day is asked for.
enum When {
    /// What holds, held or will hold on it.
    On(Date),
    /// All periods.
    Ever,
    /// What was typed is no day.
    Unread,
}

/// `GET /law`
#[expect(clippy::unnecessary_wraps, reason = "every page is such a function")]
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let lang = call.lang;
    let when = when(call);
    let chosen = SUBJECTS.iter().find(|subject| subject.name == call.value("subject"));
    let rows = call.portal.hub().law().rows();
    let holds = |row: &Row| match when {
        When::On(day) => row.holds_on(day),
        When::Ever => true,
        When::Unread => false,
    };
    let content = html! {
        (form(call, &when, chosen))
        @for subject in SUBJECTS.iter().filter(|subject| chosen.is_none_or(|chosen| chosen.name == subject.name)) {
            @let rows: Vec<&Row> = rows.iter().filter(|row| subject.holds(row) && holds(row)).collect();
            @if chosen.is_some() || !rows.is_empty() { (section(word(subject, lang), table(subject, &rows, lang))) }
        }
        @if !matches!(when, When::Ever) {
            @let address = format!("/law?subject={}&date=", chosen.map_or("", |chosen| chosen.name));
            (button_link(ButtonStyle::Tertiary, call.say("모든 시기 보기", "Show all periods"), &address))
        }
    };
    let lead = html! { (call.say(
        "이음은 나이, 기간, 근거를 프로그램에 숨기지 않고 표로 두고, 일이 있던 날의 법으로 판단합니다. 내용은 이음이 쉽게 풀어 쓴 것이니, 법의 문장은 국가법령정보센터에서 확인하세요.",
        "Ieum keeps ages, terms and bases in tables, not hidden in the program, and judges by the law of the day on which something happened. The sense is in our words; the law’s own sentences are at the national law information centre.",
    )) };
    let title = call.say("근거 법령", "The law behind it");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), ..Frame::new(title, content) }))
}

/// Without the parameter today; an empty one means all periods.
fn when(call: &Call<'_>) -> When {
    if !call.pairs.iter().any(|(name, _)| name == "date") {
        return When::On(call.today());
    }
    match call.value("date").trim() {
        "" => When::Ever,
        text => text.parse().map_or(When::Unread, When::On),
    }
}

fn form(call: &Call<'_>, when: &When, chosen: Option<&Subject>) -> Markup {
    let lang = call.lang;
    let mut options = vec![("", call.say("모든 주제", "All subjects"))];
    options.extend(SUBJECTS.iter().map(|subject| (subject.name, word(subject, lang))));
    let subject = Field::new("subject", call.say("주제", "Subject"));
    let error = matches!(when, When::Unread)
        .then(|| call.say("2026-09-11처럼 써 주세요.", "Write a day like 2026-09-11."));
    let date = Field { error, ..Field::new("date", call.say("어느 날의 법", "The law of which day")) };
    let typed = match when {
        When::On(day) => day.to_string(),
        When::Ever | When::Unread => String::new(),
    };
    let fields = [
        select(&subject, &options, Some(chosen.map_or("", |chosen| chosen.name)), lang),
        text_input(&date, InputKind::Date, &typed, "off", lang),
    ];
    let hint = call.say("날짜를 비우면 모든 시기를 보입니다.", "Without a day all periods are shown.");
    SearchForm { action: "/law", fields: &fields, keep: &[], hint: Some(hint) }.html(lang)
}

fn table(subject: &Subject, rows: &[&Row], lang: Lang) -> Markup {
    let columns = [
        column(lang.pick("내용", "Rule")),
        column(lang.pick("값", "Value")),
        column(lang.pick("법과 조문", "Law and article")),
        column(lang.pick("시행 기간", "In force")),
        column_keep(lang.pick("확실성", "How well known")),
    ];
    let cells = |row: &&Row| {
        vec![
            html! { (lang.pick(&row.source_ko, &row.source_en)) " " code .i-small .i-soft { (row.id) } },
            html! { (value(row, lang)) },
            html! { span lang="ko" { (row.law) " " (row.article) } },
            html! { (period(row, lang)) },
            confidence(row.confidence, lang),
        ]
    };
    let empty = lang.pick("그날 시행된 것이 없습니다.", "Nothing was in force on that day.");
    let rows = rows.iter().map(cells).collect();
    Table { empty: Some(empty), ..Table::new(word(subject, lang), &columns, rows) }.html(lang)
}

fn word(subject: &Subject, lang: Lang) -> &'static str {
    match subject.name {
        "ages" => lang.pick("나이", "Ages"),
        "representatives" => lang.pick("대리와 보호자", "Representatives and guardians"),
        "labels" => lang.pick("민감한 코드", "Sensitive codes"),
        "access" => lang.pick("동의 없이 볼 수 있는 근거", "Access without consent"),
        "terms" => lang.pick("기간", "Terms"),
        "transfer" => lang.pick("전송요구권", "The right to have data sent"),
        "breach" => lang.pick("유출과 침해사고", "Breaches"),
        "telemedicine" => lang.pick("비대면진료", "Telemedicine"),
        _ => lang.pick("보존 기간", "Retention"),
    }
}

fn value(row: &Row, lang: Lang) -> Markup {
    let (number, unit) = match &row.value {
        Value::Number { number, unit } => (*number, *unit),
        Value::Holds(_) => return html! { (lang.pick("적용", "holds")) },
        Value::Words(_) => {
            let told = ["basis", "labels", "label"].into_iter().find_map(|name| row.word(name));
            return html! { @match told {
                Some(told) => { span lang="ko" { (told) } }
                None => { (lang.pick("적용", "holds")) }
            } };
        }
    };
    let number = format::integer(number.into());
    let ko = match unit {
        Unit::Age => format!("만 {number}세"),
        Unit::Years => format!("{number}년"),
        Unit::Months => format!("{number}개월"),
        Unit::Days => format!("{number}일"),
        Unit::Hours => format!("{number}시간"),
        Unit::Minutes => format!("{number}분"),
        Unit::People => format!("{number}명"),
        Unit::Times => format!("{number}회"),
    };
    let en = match unit {
        Unit::Age => format!("age {number}"),
        Unit::Years => format!("{number} y"),
        Unit::Months => format!("{number} months"),
        Unit::Days => format!("{number} days"),
        Unit::Hours => format!("{number} h"),
        Unit::Minutes => format!("{number} min"),
        Unit::People => format!("{number} people"),
        Unit::Times => format!("{number} ×"),
    };
    html! { (lang.pick(ko, en)) }
}

fn period(row: &Row, lang: Lang) -> String {
    let day = |day: Date| format::date_short(day, lang);
    match (row.valid_from, row.valid_to) {
        (None, None) => lang.pick("시작일 기록 없음, 계속", "beginning not recorded, goes on").to_owned(),
        (Some(first), None) => lang.pick(format!("{}부터", day(first)), format!("from {}", day(first))),
        (None, Some(last)) => lang.pick(format!("{}까지", day(last)), format!("until {}", day(last))),
        (Some(first), Some(last)) => lang.pick(
            format!("{}부터 {}까지", day(first), day(last)),
            format!("{} to {}", day(first), day(last)),
        ),
    }
}

fn confidence(confidence: Confidence, lang: Lang) -> Markup {
    match confidence {
        Confidence::Primary => badge(Tone::Information, lang.pick("법령 원문", "text of the law")),
        Confidence::Reported => badge(Tone::Neutral, lang.pick("기관·언론 자료", "agency or press")),
        Confidence::Unconfirmed => {
            badge(Tone::Warning, lang.pick("미확인, 사람이 판단", "unconfirmed, a person decides"))
        }
        Confidence::Project => badge(Tone::Neutral, lang.pick("이음 기본값", "this project’s default")),
    }
}

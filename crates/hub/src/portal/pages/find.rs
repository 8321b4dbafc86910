//! The clinician's home: find a patient.

use std::collections::HashMap;

use ieum_trust::door::{Page, View};
use ieum_ui::{Field, InputKind, Message, SearchForm, Table, Tone, badge, pagination, text_input};
use maud::{Markup, html};

use super::question::{By, Question, Unasked, questions};
use super::{column, column_keep};
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::fields::{Moment, read_all};
use crate::portal::record::load::{self, Found};
use crate::portal::record::person::Person;
use crate::portal::record::visit::{self, Visit};

/// Patients on one page.
const PATIENTS: usize = 20;
/// Visits looked at to learn when each patient of a page was last seen.
const VISITS: usize = 400;

/// What became of a question.
pub(super) enum Asked {
    /// Nothing was looked for.
    Not(Unasked),
    /// An answer, and in which way the question was read; `None` when all patients are listed.
    Found {
        /// The answer.
        page: Page,
        /// How the question was read.
        by: Option<By>,
    },
}

/// Looks for patients: in each way the text can be read, until somebody is found. Without text, on pages that list
/// everybody, all of them.
pub(super) fn ask(call: &Call<'_>, view: &View<'_>, text: &str, limit: usize) -> Result<Asked, Refusal> {
    let (hub, token) = (call.portal.hub(), call.some("page"));
    // Nobody is signed in where an open hub is entered.
    if let Ok(access) = call.access() {
        hub.matching().count(access, hub.now()).map_err(Refusal::TooManyPeople)?;
    }
    let ways = match questions(text, call.today()) {
        Ok(ways) => ways,
        Err(Unasked::Nothing) => {
            let page = load::search(call, view, "Patient", &[], token, limit)?;
            return Ok(Asked::Found { page, by: None });
        }
        Err(unasked) => return Ok(Asked::Not(unasked)),
    };
    let chosen = call.some("by").and_then(|slug| ways.iter().find(|way| way.by.slug() == slug));
    let ways: Vec<&Question> = chosen.map_or_else(|| ways.iter().collect(), |way| vec![way]);
    let mut answer = Asked::Not(Unasked::Nothing);
    for way in ways {
        let mut pairs: Vec<(&str, &str)> =
            way.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.push(("_sort", "birthdate"));
        let page = load::search(call, view, "Patient", &pairs, token, limit)?;
        let is_found = !page.records.is_empty();
        answer = Asked::Found { page, by: Some(way.by) };
        if is_found {
            break;
        }
    }
    Ok(answer)
}

/// Addresses of the pages before and after.
pub(super) fn next_page(
    path: &str,
    text: &str,
    by: Option<By>,
    page: &Page,
) -> (Option<String>, Option<String>) {
    let address = |token: &String| {
        with_pairs(path, [("q", text), ("by", by.map_or("", By::slug)), ("page", token.as_str())])
    };
    (page.previous.as_ref().map(address), page.next.as_ref().map(address))
}

/// `GET /patients`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let lang = call.lang;
    let text = call.value("q").trim();
    let title = call.say("환자 찾기", "Find a patient");
    if let Some(elsewhere) = without_registration(call, "/patients") {
        return Ok(elsewhere);
    }
    let answer = match (call.value("notice"), text) {
        ("registration", "") => unasked_message(call, Unasked::Registration),
        (_, "") => welcome(call),
        (_, text) => answer(call, text)?,
    };
    let field = Field::new("q", call.say("찾을 사람", "Whom"));
    let input = text_input(&field, InputKind::Search, text, "off", lang);
    let hint = call.say(
        "이름, 초성(ㄱㅁㅅ), 환자번호, 생년월일(800203), 전화번호. 함께 쓸 수 있습니다: ㄱㅁㅅ 1980",
        "Name, initials (ㄱㅁㅅ), patient number, birth date (800203) or telephone; together too: ㄱㅁㅅ 1980",
    );
    let form = SearchForm { action: "/patients", fields: &[input], keep: &[], hint: Some(hint) };
    let content = html! { (form.html(lang)) (answer) };
    let lead = html! { (call.say("진료에 필요한 환자만 찾아보세요. 이 화면에서 찾고 본 것은 기록됩니다.",
    "Look up only whom you treat. What is searched and read on these pages is written down.")) };
    Ok(call.page(Frame { lead: Some(lead), ..Frame::new(title, content) }))
}

/// When a registration number was typed: the same page without it, so that it leaves the address, and with that the
/// browser's history and every link on the page.
pub(super) fn without_registration(call: &Call<'_>, path: &str) -> Option<Reply> {
    let holds = matches!(questions(call.value("q"), call.today()), Err(Unasked::Registration));
    holds.then(|| Reply::See(with_pairs(path, [("notice", "registration")]), Vec::new()))
}

fn welcome(call: &Call<'_>) -> Markup {
    let example =
        |text: &'static str| html! { a href=(with_pairs("/patients", [("q", text)])) { code { (text) } } };
    let rows = [
        (
            call.say("초성", "Initials"),
            Some(html! { (example("ㄱㅁㅅ")) " " (call.say("— 김민수, 강미선, …", "— 김민수, 강미선, …")) }),
        ),
        (
            call.say("이름의 앞부분", "Start of a name"),
            Some(html! { (example("김")) " · " (example("KIM")) }),
        ),
        (
            call.say("생년월일", "Birth date"),
            Some(html! { (example("1960")) " · " (example("1960-02")) " · " code { "600203" } }),
        ),
        (call.say("함께", "Together"), Some(html! { (example("ㄱ 1960")) })),
    ];
    ieum_ui::section(
        call.say("이렇게 찾을 수 있습니다", "How to search"),
        ieum_ui::definitions(&rows, call.lang),
    )
}

fn answer(call: &Call<'_>, text: &str) -> Result<Markup, Refusal> {
    let view = call.view()?;
    let lang = call.lang;
    let (page, by) = match ask(call, &view, text, PATIENTS)? {
        Asked::Found { page, by } => (page, by),
        Asked::Not(unasked) => return Ok(unasked_message(call, unasked)),
    };
    let people = read_all(&page.records, Person::read);
    let seen = last_visits(call, &view, &people)?;
    let (previous, next) = next_page("/patients", text, by, &page);
    let is_all = previous.is_none() && next.is_none();
    Ok(html! {
        section .i-section {
            h2 { (call.say("찾은 환자", "Patients found"))
                @if is_all && !people.is_empty() { " " span .i-soft .i-number { (people.len()) } } }
            (other_way(call, text, by))
            @if people.len() > 1 { p .i-small .i-soft { (call.say("생년월일이 이른 순서입니다.", "In order of birth.")) } }
            (table(call, &people, &seen))
            (pagination(previous.as_deref(), next.as_deref(), lang))
        }
    })
}

pub(super) fn unasked_message(call: &Call<'_>, unasked: Unasked) -> Markup {
    let (title, what) = match unasked {
        Unasked::Registration => (
            call.say("주민등록번호로는 찾지 않습니다.", "Resident registration numbers are not searched by."),
            call.say(
                "이름과 생년월일로 찾아 주세요. 방금 쓴 번호는 저장하지 않았습니다.",
                "Use name and birth date. The number you typed was not kept.",
            ),
        ),
        Unasked::TooLong => (
            call.say("찾을 말이 너무 깁니다.", "That is too long to look for."),
            call.say(
                "이름, 환자번호, 생년월일 가운데 하나로 찾아 주세요.",
                "Use a name, a number or a birth date.",
            ),
        ),
        Unasked::Nothing => return html! {},
    };
    Message { tone: Tone::Information, title, body: html! { p { (what) } } }.announced(call.lang)
}

/// Says in which way digits were read when there is another.
fn other_way(call: &Call<'_>, text: &str, by: Option<By>) -> Markup {
    let Ok(ways) = questions(text, call.today()) else { return html! {} };
    let word = |by: By| match by {
        By::Name => call.say("이름으로", "name"),
        By::Birth => call.say("생년월일로", "birth date"),
        By::Phone => call.say("전화번호로", "telephone number"),
        By::Number => call.say("환자번호로", "patient number"),
    };
    let Some(by) = by.filter(|_| ways.len() > 1) else { return html! {} };
    html! {
        p .i-soft {
            (call.say(format!("숫자를 {} 보고 찾았습니다. ", word(by)), format!("Digits were read as a {}. ", word(by))))
            @for other in ways.iter().filter(|way| way.by != by) {
                a href=(with_pairs("/patients", [("q", text), ("by", other.by.slug())])) {
                    (call.say(format!("{} 찾기", word(other.by)), format!("Search by {}", word(other.by))))
                }
            }
        }
    }
}

/// When each of these patients was last seen, from one search over the latest visits of all of them.
struct LastVisits {
    by_patient: HashMap<String, Moment>,
    /// When the search was cut: who is not in it was last seen before this.
    all_since: Option<Moment>,
}

fn last_visits(call: &Call<'_>, view: &View<'_>, people: &[Person]) -> Result<LastVisits, Refusal> {
    let ids: Vec<String> = people.iter().map(|person| format!("Patient/{}", person.id)).collect();
    let mut last = LastVisits { by_patient: HashMap::new(), all_since: None };
    if ids.is_empty() {
        return Ok(last);
    }
    let (ids, until) = (ids.join(","), load::until_now(call));
    let pairs = [("patient", ids.as_str()), ("_sort", "-date"), visit::TOOK_PLACE, ("date", &until)];
    let Found { items, is_cut, .. } = load::records(call, view, "Encounter", &pairs, VISITS, Visit::read)?;
    if is_cut {
        last.all_since = items.last().and_then(|visit| visit.start.clone());
    }
    for visit in items {
        if let (Some(patient), Some(start)) = (visit.patient, visit.start) {
            last.by_patient.entry(patient).or_insert(start);
        }
    }
    Ok(last)
}

fn table(call: &Call<'_>, people: &[Person], seen: &LastVisits) -> Markup {
    let lang = call.lang;
    let columns = [
        column(call.say("이름", "Name")),
        column_keep(call.say("나이·성별", "Age, sex")),
        column_keep(call.say("생년월일", "Born")),
        column_keep(call.say("환자번호", "Patient number")),
        column_keep(call.say("마지막 진료", "Last visit")),
    ];
    let rows = people.iter().map(|person| {
        let age = person.age(call.today(), lang);
        vec![
            html! {
                a href={ "/patients/" (person.id) } { (person.name(lang)) }
                @if person.death.is_some() { " " (badge(Tone::Neutral, call.say("사망", "Deceased"))) }
                @if let Some(other) = person.other_names.first() { " " span .i-soft .i-small .i-light { (other) } }
            },
            html! { (age.as_deref().unwrap_or(call.say("나이 미상", "Age unknown"))) " · " (person.sex(lang)) },
            html! { (birth(call, person)) },
            html! { span .i-number { (person.first_number().unwrap_or("–")) } },
            html! { (last_seen(call, person, seen)) },
        ]
    });
    let nobody = call.say(
        "찾은 환자가 없습니다. 철자를 줄이거나(김, ㄱㅁ) 생년월일만으로 찾아보세요.",
        "Nobody found. Try fewer letters (김, ㄱㅁ) or the birth date alone.",
    );
    Table {
        empty: Some(nobody),
        ..Table::new(call.say("찾은 환자", "Patients found"), &columns, rows.collect())
    }
    .html(lang)
}

fn birth(call: &Call<'_>, person: &Person) -> String {
    match &person.birth {
        Some(birth) => birth.short(call.lang),
        None if person.birth_pending => call.say("확인 중", "Being verified").to_owned(),
        None => "–".to_owned(),
    }
}

fn last_seen(call: &Call<'_>, person: &Person, seen: &LastVisits) -> String {
    match (seen.by_patient.get(&person.id), &seen.all_since) {
        (Some(last), _) => last.short(call.lang),
        (None, Some(since)) => {
            call.say(format!("{} 이전", since.short(call.lang)), format!("before {}", since.short(call.lang)))
        }
        (None, None) => call.say("없음", "None").to_owned(),
    }
}

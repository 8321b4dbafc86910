//! Entering an open hub in a role, without account: for trying out on one's own machine.

use ieum_trust::access::{Access, Role};
use ieum_ui::{ButtonStyle, Field, InputKind, SearchForm, Table, button_post, pagination, text_input};
use maud::{Markup, html};

use super::entry::replace_session;
use super::find::{Asked, ask, next_page, unasked_message, without_registration};
use super::question::Unasked;
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::fields::read;
use crate::portal::record::person::Person;
use crate::portal::routes;
use crate::portal::session::{Session, Standing};

/// People on one page.
const PEOPLE: usize = 12;

/// `GET /enter`: choose whose record to see as one's own.
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    if !call.portal.is_open() {
        return Err(Refusal::NotFound);
    }
    if let Some(elsewhere) = without_registration(call, "/enter") {
        return Ok(elsewhere);
    }
    let lang = call.lang;
    let text = call.value("q").trim();
    let view = call.portal.hub().door().view(&Access::open())?;
    let asked = ask(call, &view, text, PEOPLE)?;
    let people: Vec<Person> = match &asked {
        Asked::Found { page, .. } => {
            page.records.iter().filter_map(|record| read(record, Person::read)).collect()
        }
        _ => Vec::new(),
    };
    let field = Field::new("q", call.say("이름 또는 초성", "Name or initials"));
    let input = text_input(&field, InputKind::Search, text, "off", lang);
    let hint = call.say("예: 김민수, ㄱㅁㅅ, 800203", "For example: 김민수, ㄱㅁㅅ, 800203");
    let form = SearchForm { action: "/enter", fields: &[input], keep: &[], hint: Some(hint) };
    let (previous, next) = match &asked {
        Asked::Found { page, by } => next_page("/enter", text, *by, page),
        _ => (None, None),
    };
    let content = html! {
        (form.html(lang))
        @if call.value("notice") == "registration" { (unasked_message(call, Unasked::Registration)) }
        @if let Asked::Not(unasked) = &asked { (unasked_message(call, *unasked)) }
        (table(call, &people))
        (pagination(previous.as_deref(), next.as_deref(), lang))
    };
    let title = call.say("누구의 눈으로 볼까요?", "Through whose eyes?");
    let lead = html! { (call.say("고른 사람의 본인 화면으로 들어갑니다. 모두 지어낸 사람입니다.",
    "You will see this person's own pages. All of them are made up.")) };
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), ..Frame::new(title, content) }))
}

fn table(call: &Call<'_>, people: &[Person]) -> Markup {
    let lang = call.lang;
    let columns = [
        column(call.say("이름", "Name")),
        column_keep(call.say("나이·성별", "Age, sex")),
        column_keep(call.say("생년월일", "Born")),
        column_keep(call.say("들어가기", "Enter")),
    ];
    let csrf = call.session.as_ref().map_or("", |session| session.csrf.as_str());
    let rows = people.iter().map(|person| {
        let age = person.age(call.today(), lang).unwrap_or_default();
        let fields = [("role", "patient"), ("patient", person.id.as_str()), ("csrf", csrf)];
        let label = call.say(format!("{} 님으로", person.name(lang)), format!("As {}", person.name(lang)));
        vec![
            html! { (person.name(lang)) },
            html! { (age) " · " (person.sex(lang)) },
            html! { (person.birth.as_ref().map(|birth| birth.short(lang)).unwrap_or_default()) },
            button_post(ButtonStyle::Tertiary, &label, "/enter", &fields),
        ]
    });
    let table = Table {
        empty: Some(call.say("찾은 사람이 없습니다.", "Nobody found.")),
        ..Table::new(call.say("사람", "People"), &columns, rows.collect())
    };
    table.html(lang)
}

/// `POST /enter`
pub(crate) fn enter(call: &Call<'_>) -> Result<Reply, Refusal> {
    if !call.portal.is_open() {
        return Err(Refusal::NotFound);
    }
    let role = Role::from_name(call.field("role")).ok_or(Refusal::Bad)?;
    let home = routes::home(role).ok_or(Refusal::Bad)?;
    let actor = format!("demo-{}", role.name());
    let (patient, name) = if role == Role::Patient {
        let id = call.field("patient");
        let view = call.portal.hub().door().view(&Access::open())?;
        let record = view.read("Patient", id)?.ok_or(Refusal::NotFound)?;
        let person = read(&record, Person::read).ok_or(Refusal::NotFound)?;
        (Some(record.id), Some(person.name(call.lang).to_owned()))
    } else {
        (None, None)
    };
    let session = Session::new(Standing::Demo, &call.device, call.micros())?;
    replace_session(
        call,
        session.acting(Access { patient, ..Access::new(&actor, role) }, name),
        home.to_owned(),
        None,
    )
}

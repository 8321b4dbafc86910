//! The right to have one's data sent (전송요구권, `ieum_trust::transfer`): asking with the seven items, seeing what became of it,
//! changing, withdrawing; the side of the sender is [`sender`]. Nothing is sent to other networks yet, and the pages say so.

use axum::http::StatusCode;
use ieum_trust::access::Access;
use ieum_trust::account::{digest, new_secret};
use ieum_trust::institution::{TERTIARY, is_of_type};
use ieum_trust::law::day::in_korea;
use ieum_trust::representation::Kept;
use ieum_trust::transfer::items::{Given, Items, NoRequest, Wrong};
use ieum_trust::transfer::log::{self, ChangeError};
use ieum_trust::transfer::request::{By, Event, Request, Status};
use ieum_ui::{
    ButtonStyle, Crumb, Field, InputKind, Message, SearchForm, Table, Tone, button, button_post, card_plain,
    checkbox, definitions, form_post, format, radios, section, select, text_input,
};
use maud::{Markup, html};

use super::entry::trouble;
use super::represent::{institution, institutions_of};
use super::sharing::decider;
use super::visit::institutions_found;
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use words::{CYCLES, DATA, RETENTIONS};

pub(crate) mod sender;
mod words;

const PAGE: &str = "/me/transfers";
/// The member of the law's list of senders that an institution of this hub can be.
const SENDER: &str = "tertiary-hospital";
/// Requests that are shown.
const SHOWN: usize = 200;

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            // It is not there for them, or stands otherwise than the page showed.
            ChangeError::Missing | ChangeError::Denied(_) => Self::NotFound,
            ChangeError::Commit(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

fn patient<'c>(call: &'c Call<'_>) -> Result<&'c str, Refusal> {
    decider(call)?.patient.as_deref().ok_or(Refusal::NoRecord)
}

/// `GET /me/transfers`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    list(call, &[])
}

/// The list with the form to ask, and the items that are wrong.
fn list(call: &Call<'_>, wrong: &[(&'static str, Wrong)]) -> Result<Reply, Refusal> {
    let all = log::requests(call.portal.hub().door(), patient(call)?)?;
    tell(call, &all)?;
    let content = html! {
        (truth(call))
        (section(call.say("내 요청", "My requests"), table(call, &all)?))
        (section(call.say("새로 요청하기", "Ask for it"), ask_form(call, wrong)?))
    };
    let done = |title| Some(Message { tone: Tone::Success, title, body: html! {} });
    let flash = match (wrong, call.value("done")) {
        ([_, ..], _) => Some(trouble(call.say("요청하지 못했습니다.", "Nothing was asked for."))),
        (_, "asked") => done(call.say("요청했습니다.", "Asked.")),
        (_, "withdrawn") => done(call.say("철회했습니다.", "Withdrawn.")),
        (_, "changed") => done(call.say("바꾸었습니다.", "Changed.")),
        _ => None,
    };
    let lead = html! { (call.say(
        "법은 큰 병원과 공단이 가진 내 건강정보를 내가 고른 곳으로 보내 달라고 요구할 권리를 줍니다. 바꾸고 철회하는 것은 요구하는 것보다 어렵지 않습니다.",
        "By law you may ask that the large hospitals and public bodies send your health data to whom you choose. To change and withdraw is no harder than to ask.",
    )) };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let title = call.say("내 정보 보내 달라고 하기", "Have my data sent");
    Ok(call
        .page_with(status, Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

/// What is not there yet, said before anybody asks.
fn truth(call: &Call<'_>) -> Markup {
    let title = call.say(
        "이음은 아직 다른 망으로 자료를 보내지 않습니다.",
        "Ieum does not send data to other networks yet.",
    );
    let body = html! { p { (call.say(
        "법에 따라 건강정보는 중계전문기관을 거쳐야 하는데, 아직 이어져 있지 않습니다. 요청과 답은 여기에 남고, 이어지기 전에는 아무것도 보내지 않습니다. 보낸 것이 없으므로 해마다 하는 알림도 아직 없습니다.",
        "By law health data go through a relay body, which is not connected yet. Requests and answers are kept here, and nothing leaves before it is. As nothing was sent, there is no yearly notice either.",
    )) } };
    Message { tone: Tone::Warning, title, body }.html(call.lang)
}

/// That a refusal was told is written down when the page shows it.
fn tell(call: &Call<'_>, all: &[Kept<Request>]) -> Result<(), Refusal> {
    let (hub, day) = (call.portal.hub(), in_korea(call.micros()));
    for kept in all {
        if matches!(kept.record.status, Status::Refused { told: false, .. }) {
            let told = (&Event::Tell, By::Sender, day);
            match log::change(hub.door(), &Access::system("transfer"), hub.law(), &kept.id, told) {
                // Another page of theirs was quicker.
                Ok(_) | Err(ChangeError::Denied(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn table(call: &Call<'_>, all: &[Kept<Request>]) -> Result<Markup, Refusal> {
    let today = call.today();
    let mut rows = Vec::new();
    for Kept { id, record, .. } in all.iter().rev().take(SHOWN) {
        let standing = record.standing(today);
        let href = format!("{PAGE}/{id}");
        rows.push(vec![
            html! { a href=(href) { (format::date(record.received, call.lang)) } },
            html! { (institution(call, record.organization.as_ref())?) },
            html! { (institution(call, Some(&record.items.receiver))?) },
            html! {
                (words::standing(standing, call.lang))
                @if let Some(ground) = words::ground(call, standing) { p .i-small { (ground) } }
            },
        ]);
    }
    let columns = [
        column_keep(call.say("요청한 날", "Asked on")),
        column(call.say("보내는 곳", "Sender")),
        column(call.say("받는 곳", "Receiver")),
        column(call.say("상태", "State")),
    ];
    let (empty, caption) =
        (call.say("요청이 없습니다.", "There is no request."), call.say("내 요청", "My requests"));
    Ok(Table { empty: Some(empty), ..Table::new(caption, &columns, rows) }.html(call.lang))
}

/// The institutions of this hub that must send by law, and have treated the patient.
fn senders(call: &Call<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let mut senders = Vec::new();
    for id in institutions_of(call, patient(call)?)? {
        if is_of_type(call.portal.hub().door(), &id, TERTIARY)? {
            let name = institution(call, Some(&id))?;
            senders.push((id, name));
        }
    }
    Ok(senders)
}

/// First the receiver is looked for by name; then the seven items.
fn ask_form(call: &Call<'_>, wrong: &[(&'static str, Wrong)]) -> Result<Markup, Refusal> {
    let (lang, senders) = (call.lang, senders(call)?);
    let law = words::senders_of_law(call);
    if senders.is_empty() {
        return Ok(card_plain(html! {
            p { (call.say("법이 정한 보내는 곳: ", "Senders by law: ")) (law) }
            p { (call.say(
                "이 가운데 이음에 이어져 있고 나를 진료한 곳이 아직 없어, 여기에서는 요청할 수 없습니다. 공단과 심평원, 질병관리청의 정보는 나의건강기록에서 요청할 수 있습니다.",
                "None of these is connected to Ieum and has treated you, so that nothing can be asked for here yet. Data of the public bodies can be asked for at MyHealthRecord.")) }
        }));
    }
    let asked = if call.value("q").is_empty() { call.field("q") } else { call.value("q") }.trim();
    let field = Field::new("q", call.say("받을 곳의 이름", "Name of the receiver"));
    let input = text_input(&field, InputKind::Search, asked, "off", lang);
    let form = SearchForm { action: PAGE, fields: &[input], keep: &[], hint: None };
    let found = institutions_found(call, asked)?;
    let (receiver_options, sender_options) = (choices(&found), choices(&senders));
    let given = |name: &str| Some(call.field(name).to_owned()).filter(|value| !value.is_empty());
    let (sender, receiver) = (given("sender"), given("receiver"));
    let error = |name: &str| words::wrong_of(wrong, name, lang);
    let receiver_field = Field {
        required: true,
        error: error("receiver"),
        ..Field::new("receiver", call.say("찾은 곳", "Found"))
    };
    let sender_field = Field {
        required: true,
        error: error("sender"),
        ..Field::new("sender", call.say("보내는 곳", "Sender"))
    };
    let fields = html! {
        input type="hidden" name="q" value=(asked);
        (radios(&receiver_field, &receiver_options, receiver.as_deref(), lang))
        (select(&sender_field, &sender_options, sender.as_deref(), lang))
        (other_items(call, None, wrong))
    };
    let actions = button(ButtonStyle::Primary, call.say("요청하기", "Ask"));
    Ok(card_plain(html! {
        p .i-small { (call.say("법이 정한 보내는 곳: ", "Senders by law: ")) (law) }
        (form.html(lang))
        @if !asked.is_empty() && receiver_options.is_empty() {
            p { (call.say("이 이름의 기관이 없습니다.", "No institution has this name.")) }
        }
        @if !receiver_options.is_empty() { (form_post(PAGE, Some(call.csrf()), &fields, &actions)) }
    }))
}

/// Ids and names for a choice.
fn choices(all: &[(String, String)]) -> Vec<(&str, &str)> {
    all.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect()
}

/// The items that can be changed: as they were sent, or as they are in force.
fn other_items(call: &Call<'_>, items: Option<&Items>, wrong: &[(&'static str, Wrong)]) -> Markup {
    let lang = call.lang;
    let error = |name: &str| words::wrong_of(wrong, name, lang);
    let sent = call.field("purpose");
    let purpose = if sent.is_empty() { items.map_or("", |items| &items.purpose) } else { sent };
    let purpose_field = Field {
        required: true,
        error: error("purpose"),
        hint: Some(
            call.say("예: 병원을 옮겨 진료를 이어 가려고", "Such as: to go on with treatment elsewhere"),
        ),
        ..Field::new("purpose", call.say("목적", "Purpose"))
    };
    let is_ticked = |code: &str| {
        let is_sent = !call.field(&format!("data-{code}")).is_empty();
        is_sent || items.is_some_and(|items| items.data.iter().any(|data| data == code))
    };
    let cycle = items.map_or("once".to_owned(), |items| words::cycle_slug(items.periodic));
    let retention = items.map_or("1-years".to_owned(), |items| words::term_slug(items.retention));
    let end = items.map_or_else(|| call.field("end").to_owned(), |items| items.end.to_string());
    let option = |(slug, ko, en): (&'static str, &'static str, &'static str)| (slug, lang.pick(ko, en));
    let (cycles, retentions) = (CYCLES.map(option), RETENTIONS.map(option));
    let cycle_field = Field {
        required: true,
        error: error("periodic"),
        ..Field::new("periodic", call.say("한 번 또는 정기적으로", "Once, or again and again"))
    };
    let end_field = Field {
        required: true,
        error: error("end"),
        ..Field::new("end", call.say("요청이 끝나는 날", "Last day of the request"))
    };
    let retention_field = Field {
        required: true,
        error: error("retention"),
        ..Field::new("retention", call.say("받은 곳이 보관하는 기간", "How long the receiver keeps it"))
    };
    html! {
        (text_input(&purpose_field, InputKind::Text, purpose, "off", lang))
        fieldset .i-plain-fieldset {
            legend { (call.say("보낼 정보", "Which data")) }
            @if let Some(error) = error("data") { p .form-hint-invalid { (error) } }
            @for (code, ko, en) in DATA {
                @let name = format!("data-{code}");
                (checkbox(&Field::new(&name, lang.pick(ko, en)), "on", is_ticked(code), lang))
            }
        }
        (select(&cycle_field, &cycles, Some(&cycle), lang))
        (text_input(&end_field, InputKind::Date, &end, "off", lang))
        (select(&retention_field, &retentions, Some(&retention), lang))
    }
}

/// The items of a form; sender and receiver are given apart.
fn given(call: &Call<'_>, sender: Option<String>, receiver: Option<String>) -> Given {
    let some = |name: &str| Some(call.field(name)).filter(|value| !value.is_empty());
    let ticked = DATA.iter().filter(|(code, ..)| !call.field(&format!("data-{code}")).is_empty());
    Given {
        purpose: some("purpose").map(ToOwned::to_owned),
        sender,
        receiver,
        data: ticked.map(|(code, ..)| (*code).to_owned()).collect(),
        periodic: some("periodic").and_then(words::cycle),
        end: some("end").and_then(format::fhir_day),
        retention: some("retention").and_then(words::term),
    }
}

fn wrong_items(refused: NoRequest) -> Vec<(&'static str, Wrong)> {
    match refused {
        NoRequest::Items(wrong) => wrong,
        NoRequest::NotInForce => vec![("end", Wrong::Past)],
    }
}

/// `POST /me/transfers`
pub(crate) fn ask(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (access, hub, today) = (decider(call)?, call.portal.hub(), call.today());
    let organization = senders(call)?.into_iter().find(|(id, _)| id == call.field("sender"));
    let receiver = call.field("receiver");
    let is_there = !receiver.is_empty()
        && call.view()?.read("Organization", receiver)?.is_some_and(|record| !record.is_deleted());
    let sender = organization.as_ref().map(|_| SENDER.to_owned());
    let items = match given(call, sender, is_there.then(|| receiver.to_owned())).check(hub.law(), today) {
        Ok(items) => items,
        Err(refused) => return list(call, &wrong_items(refused)),
    };
    let (organization, _) = organization.ok_or(Refusal::Bad)?;
    let request = Request::new(patient(call)?, Some(organization), items, today);
    let id = digest(&new_secret()?)[..32].to_owned();
    log::receive(hub.door(), access, &id, request)?;
    Ok(Reply::See(format!("{PAGE}?done=asked"), Vec::new()))
}

/// The request of the page, if it is the patient's.
fn own(call: &Call<'_>) -> Result<Kept<Request>, Refusal> {
    let (patient, kept) = (patient(call)?, log::one(call.portal.hub().door(), call.place.first())?);
    kept.filter(|kept| kept.record.patient == patient).ok_or(Refusal::NotFound)
}

/// `GET /me/transfers/{id}`
pub(crate) fn one(call: &Call<'_>) -> Result<Reply, Refusal> {
    shown(call, &own(call)?, &[])
}

fn shown(call: &Call<'_>, kept: &Kept<Request>, wrong: &[(&'static str, Wrong)]) -> Result<Reply, Refusal> {
    tell(call, std::slice::from_ref(kept))?;
    let standing = kept.record.standing(call.today());
    let is_open = matches!(standing, Status::Received | Status::Active | Status::Changed);
    let address = format!("{PAGE}/{}", kept.id);
    let fields = html! { input type="hidden" name="do" value="change"; (other_items(call, Some(&kept.record.items), wrong)) };
    let actions = button(ButtonStyle::Secondary, call.say("바꾸기", "Change"));
    let withdraw = [("do", "withdraw"), ("csrf", call.csrf())];
    let content = html! {
        (facts(call, kept)?)
        @if is_open {
            div .i-actions { (button_post(ButtonStyle::Danger, call.say("철회하기", "Withdraw"), &address, &withdraw)) }
            (section(call.say("바꾸기", "Change"), card_plain(form_post(&address, Some(call.csrf()), &fields, &actions))))
        }
        (section(call.say("있었던 일", "What happened"), history(call, kept)?))
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let flash = (!wrong.is_empty()).then(|| trouble(call.say("바꾸지 못했습니다.", "Nothing was changed.")));
    let trail =
        [Crumb { label: call.say("내 정보 보내 달라고 하기", "Have my data sent"), href: PAGE }];
    let title = call.say("요청 하나", "One request");
    Ok(call.page_with(status, Frame { trail: Some(&trail), flash, ..Frame::new(title, content) }))
}

/// The seven items, and how it stands.
fn facts(call: &Call<'_>, kept: &Kept<Request>) -> Result<Markup, Refusal> {
    let (record, lang) = (&kept.record, call.lang);
    let (items, standing) = (&record.items, record.standing(call.today()));
    let sender = institution(call, record.organization.as_ref())?;
    let receiver = institution(call, Some(&items.receiver))?;
    let state = html! {
        (words::standing(standing, lang))
        @if let Some(ground) = words::ground(call, standing) { " " (ground) }
    };
    Ok(definitions(
        &[
            (call.say("상태", "State"), Some(state)),
            (call.say("보내는 곳", "Sender"), Some(html! { (sender) })),
            (call.say("받는 곳", "Receiver"), Some(html! { (receiver) })),
            (call.say("목적", "Purpose"), Some(html! { (items.purpose) })),
            (call.say("보낼 정보", "Which data"), Some(html! { (words::data(&items.data, lang)) })),
            (call.say("정기", "Cycle"), Some(html! { (words::periodic(items.periodic, lang)) })),
            (call.say("끝나는 날", "Last day"), Some(html! { (format::date(items.end, lang)) })),
            (call.say("보관 기간", "Kept for"), Some(html! { (words::term_word(items.retention, lang)) })),
        ],
        lang,
    ))
}

fn history(call: &Call<'_>, kept: &Kept<Request>) -> Result<Markup, Refusal> {
    let entries = log::log(call.portal.hub().door(), &kept.id)?;
    let rows = entries.iter().map(|entry| {
        vec![html! { (format::date(entry.day, call.lang)) }, html! { (words::what(entry.what, call.lang)) }]
    });
    let columns = [column_keep(call.say("날", "Day")), column(call.say("무엇", "What"))];
    Ok(Table::new(call.say("있었던 일", "What happened"), &columns, rows.collect()).html(call.lang))
}

/// `POST /me/transfers/{id}`
pub(crate) fn change(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (access, kept, hub, today) = (decider(call)?, own(call)?, call.portal.hub(), call.today());
    let (event, done) = match call.field("do") {
        "withdraw" => (Event::Withdraw, "withdrawn"),
        "change" => {
            let items = &kept.record.items;
            let given = given(call, Some(items.sender.clone()), Some(items.receiver.clone()));
            match given.check(hub.law(), today) {
                Ok(items) => (Event::Change(Box::new(items)), "changed"),
                Err(refused) => return shown(call, &kept, &wrong_items(refused)),
            }
        }
        _ => return Err(Refusal::Bad),
    };
    log::change(hub.door(), access, hub.law(), &kept.id, (&event, By::Subject, today))?;
    Ok(Reply::See(format!("{PAGE}?done={done}"), Vec::new()))
}

/// What the patient is told on their first page: that a request was refused, until they have seen why.
pub(super) fn notice(call: &Call<'_>) -> Result<Markup, Refusal> {
    let Some(patient) = call.access()?.patient.as_deref() else { return Ok(html! {}) };
    let all = log::requests(call.portal.hub().door(), patient)?;
    let is_new = |kept: &Kept<Request>| matches!(kept.record.status, Status::Refused { told: false, .. });
    if !all.iter().any(is_new) {
        return Ok(html! {});
    }
    let title = call
        .say("내 정보를 보내 달라는 요청이 거절되었습니다.", "A request to have your data sent was refused.");
    let body = html! { p { a href=(PAGE) { (call.say("까닭 보기", "See why")) } } };
    Ok(Message { tone: Tone::Warning, title, body }.html(call.lang))
}

//! The representative's side: whom they represent, what they may do and until when; asking, acting, laying down.

use axum::http::StatusCode;
use ieum_trust::access::Access;
use ieum_trust::code::{self, What};
use ieum_trust::law::day::in_korea;
use ieum_trust::law::may::{Act, Relation, State};
use ieum_trust::representation::acting::{self, reference};
use ieum_trust::representation::{
    self, Asked, By, ChangeError, Event, Kept, Of, REPRESENTATION, Representation, Standing, Status,
};
use ieum_ui::{
    ButtonStyle, Field, InputKind, Message, Tone, button, button_post, card_plain, checkbox, form_post,
    section, select, text_input,
};
use maud::{Markup, html};

use super::words::{self, RELATIONS, STATES};
use super::{institution, may, period, represented};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::entry::trouble;
use crate::portal::routes;

const PAGE: &str = "/representing";
/// Representations that are shown.
const SHOWN: usize = 100;

/// `GET /representing`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    list(call, None)
}

/// The list with the form to ask, and what is wrong with what was asked.
fn list(call: &Call<'_>, wrong: Option<&str>) -> Result<Reply, Refusal> {
    let own = reference(call.person()?);
    let mut all = representation::all(call.portal.hub().door(), Of::Representative(&own))?;
    all.truncate(SHOWN);
    let items = all.iter().map(|kept| one(call, kept)).collect::<Result<Vec<_>, _>>()?;
    let content = html! {
        (section(call.say("내가 대신하는 사람", "Whom I act for"), html! {
            @if items.is_empty() { (ieum_ui::empty(call.say("대신하는 사람이 없습니다.", "You act for nobody."))) }
            @for item in &items { (item) }
        }))
        (section(call.say("새로 요청하기", "Ask for it"), form(call, wrong)))
    };
    let done = |tone, title| Some(Message { tone, title, body: html! {} });
    let flash = match (wrong, call.value("done")) {
        (Some(_), _) => Some(trouble(call.say("요청하지 못했습니다.", "Nothing was asked for."))),
        (None, "asked") => done(
            Tone::Success,
            call.say(
                "요청했습니다. 아래에 적힌 기관에 서류를 보여주면 기관이 확인합니다.",
                "Asked. Show the papers at the institution named below, which checks them.",
            ),
        ),
        (None, "ended") => done(Tone::Success, call.say("그만두었습니다.", "You have laid it down.")),
        (None, "lapsed") => done(
            Tone::Warning,
            call.say(
                "대신할 수 있는 권한이 끝났습니다. 까닭은 아래에 있습니다.",
                "Your right to act for somebody has ended. Why is told below.",
            ),
        ),
        _ => None,
    };
    let lead = html! { (call.say(
        "자녀처럼 내가 대신 기록을 볼 수 있는 사람입니다. 권한은 법이 정한 날에 저절로 끝납니다.",
        "Those whose record you may see for them, such as your children. It ends by itself on the day that the law says.",
    )) };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = call.say("다른 사람 대신하기", "Acting for others");
    Ok(call
        .page_with(status, Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

fn one(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Markup, Refusal> {
    let record = &kept.record;
    let standing = record.standing(call.today());
    let person = represented(call, kept)?;
    let gone = call.say("기록이 없는 사람", "Somebody without record");
    let name = person.as_ref().map_or(gone, |person| person.name(call.lang));
    let checks = institution(call, record.asked.organization.as_ref())?;
    let (heading, address) = (format!("r-{}", kept.id), format!("{PAGE}/{}", kept.id));
    let press =
        |style, label: &str, action: &str| button_post(style, label, action, &[("csrf", call.csrf())]);
    let is_open = is_open(call, kept)?;
    Ok(html! {
        article .i-card aria-labelledby=(heading) {
            h3 id=(heading) { (name) " " (words::standing(seen(standing), call.lang)) }
            p { (call.say("나는 이 사람의 ", "I am their ")) (words::relation(record.asked.relation, call.lang)) }
            @match standing {
                Standing::Is(Status::Asked) => p { (call.say(
                    format!("{checks}에 서류를 보여주세요. 확인할 때까지 아무것도 볼 수 없습니다."),
                    format!("Show the papers at {checks}. Until they are checked you see nothing."))) },
                Standing::Is(Status::Granted) => { (may(call, kept)?) (period(call, kept)?) }
                Standing::NotYet | Standing::Lapsed => (period(call, kept)?),
                _ => {}
            }
            div .i-actions {
                @if is_open { (press(ButtonStyle::Primary, call.say("대신하여 보기", "Act for them"), &address)) }
                @if matches!(standing, Standing::NotYet | Standing::Is(Status::Asked | Status::Granted)) {
                    (press(ButtonStyle::Tertiary, call.say("그만두기", "Lay it down"), &format!("{address}/end")))
                }
            }
        }
    })
}

/// As the representative sees it: that somebody blocked them is not told, it would endanger whoever did.
const fn seen(standing: Standing) -> Standing {
    match standing {
        Standing::Is(Status::Blocked) => Standing::Is(Status::Revoked),
        other => other,
    }
}

fn is_open(call: &Call<'_>, kept: &Kept<Representation>) -> Result<bool, Refusal> {
    let hub = call.portal.hub();
    Ok(acting::acting(hub.door(), hub.law(), (call.person()?, &kept.id), call.micros())?.is_some())
}

fn form(call: &Call<'_>, wrong: Option<&str>) -> Markup {
    let lang = call.lang;
    let code = Field {
        hint: Some(call.say(
            "진료받는 기관의 개인정보 보호책임자가, 또는 나를 대리인으로 정한 본인이 줍니다. 12자리입니다.",
            "Given by the privacy officer of the institution, or by whoever names you their agent. It has 12 characters.",
        )),
        error: wrong,
        required: true,
        ..Field::new("code", call.say("코드", "Code"))
    };
    let relations = RELATIONS.map(|(slug, relation)| (slug, words::relation(relation, lang)));
    let states: Vec<(&str, &str)> = [("none", call.say("해당 없음", "None of these"))]
        .into_iter()
        .chain(STATES.map(|(slug, state)| (slug, words::state(state, lang))))
        .collect();
    let chosen = Some(call.field("relation")).filter(|slug| !slug.is_empty());
    let relation =
        Field { required: true, ..Field::new("relation", call.say("나는 이 사람의", "I am their")) };
    let state = Field::new("state", call.say("본인이 동의할 수 없는 상태라면", "If they cannot consent"));
    let nearer = Field::new(
        "nearer",
        call.say(
            "형제자매라면: 배우자나 부모, 자녀가 있습니다",
            "For brothers and sisters: there is a spouse, parent or child",
        ),
    );
    let fields = html! {
        (text_input(&code, InputKind::Text, "", "off", lang))
        (select(&relation, &relations, chosen, lang))
        (select(&state, &states, Some("none"), lang))
        (checkbox(&nearer, "on", false, lang))
    };
    let actions = button(ButtonStyle::Secondary, call.say("요청하기", "Ask"));
    card_plain(form_post(PAGE, Some(call.csrf()), &fields, &actions))
}

/// `POST /representing`. Codes that are none are counted, by person and by address: nobody tries them by the thousand.
pub(crate) fn ask(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (person, hub, now) = (call.person()?, call.portal.hub(), call.micros());
    let (relation, patient_state) = relation_and_state(call)?;
    let tried = format!("representation {person}");
    call.portal.guesses().begin(&tried, now).map_err(Refusal::TooMany)?;
    if let Some(seconds) = call.portal.numbers().wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    let target = REPRESENTATION.name;
    let Some(code) = code::find(hub.door(), What::Representation, call.field("code"), now)? else {
        call.portal.numbers().failed(call.peer, now);
        hub.door().note_person(Some(person), "representation-ask", target, false)?;
        let none = call.say(
            "이 코드를 쓸 수 없습니다. 이미 썼거나 7일이 지났을 수 있습니다.",
            "This code cannot be used. It may have been used, or be older than 7 days.",
        );
        return list(call, Some(none));
    };
    call.portal.guesses().right(&tried);
    let is_own = code.value.by_patient;
    let asked = Asked {
        patient: code.value.patient.clone(),
        representative: reference(person),
        // Whom a patient names is their agent.
        relation: if is_own { Relation::Agent } else { relation },
        patient_state: patient_state.filter(|_| !is_own),
        nearer_kin: !call.field("nearer").is_empty(),
        organization: code.value.organization.clone(),
    };
    hub.door().note_person(Some(person), "representation-ask", target, true)?;
    let (access, also) = (Access::system("people"), vec![code::used(&code)]);
    match representation::ask(hub.door(), &access, asked, (By::Representative, in_korea(now)), also) {
        Ok(_) => Ok(Reply::See(format!("{PAGE}?done=asked"), Vec::new())),
        // Under way, in force, or blocked: which is not told.
        Err(ChangeError::Denied(_)) => {
            let refused = call.say(
                "이 사람에 대한 요청을 받을 수 없습니다. 코드를 준 기관에 물어보세요.",
                "This request cannot be taken. Ask the institution that gave you the code.",
            );
            list(call, Some(refused))
        }
        Err(error) => Err(error.into()),
    }
}

fn relation_and_state(call: &Call<'_>) -> Result<(Relation, Option<State>), Refusal> {
    let chosen = |slug: &str| RELATIONS.iter().find(|(known, _)| *known == slug).map(|(_, value)| *value);
    let relation = chosen(call.field("relation")).ok_or(Refusal::Bad)?;
    let state = match call.field("state") {
        "" | "none" => None,
        slug => Some(STATES.iter().find(|(known, _)| *known == slug).ok_or(Refusal::Bad)?.1),
    };
    Ok((relation, state))
}

/// One of the representations of whoever is signed in.
fn own(call: &Call<'_>) -> Result<Kept<Representation>, Refusal> {
    let own = reference(call.person()?);
    let kept = representation::one(call.portal.hub().door(), call.place.first())?;
    kept.filter(|kept| kept.record.asked.representative == own).ok_or(Refusal::NotFound)
}

/// `POST /representing/{id}`: from now on the session acts for the patient.
pub(crate) fn act(call: &Call<'_>) -> Result<Reply, Refusal> {
    let kept = own(call)?;
    if !is_open(call, &kept)? {
        return Err(Refusal::NotFound);
    }
    let target = format!("{}/{}", REPRESENTATION.name, kept.id);
    call.portal.hub().door().note_person(Some(call.person()?), "represent", &target, true)?;
    if let Some(cookie) = &call.cookie {
        call.portal.sessions().represent(cookie, Some(&kept.id));
    }
    Ok(Reply::See("/me".to_owned(), Vec::new()))
}

/// `POST /representing/stop`
pub(crate) fn stop(call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut home = PAGE;
    if let Some(cookie) = &call.cookie {
        let sessions = call.portal.sessions();
        sessions.represent(cookie, None);
        let session = sessions.peek(cookie, call.micros());
        let role = session.and_then(|session| session.access).map(|access| access.role);
        home = role.and_then(routes::home).unwrap_or(PAGE);
    }
    Ok(Reply::See(home.to_owned(), Vec::new()))
}

/// `POST /representing/{id}/end`
pub(crate) fn end(call: &Call<'_>) -> Result<Reply, Refusal> {
    let kept = own(call)?;
    let (door, target) = (call.portal.hub().door(), format!("{}/{}", REPRESENTATION.name, kept.id));
    door.note_person(Some(call.person()?), "representation-end", &target, true)?;
    let (access, day) = (Access::system("people"), in_korea(call.micros()));
    representation::change(door, &access, &kept.id, Event::Revoke, (By::Representative, day))?;
    Ok(Reply::See(format!("{PAGE}?done=ended"), Vec::new()))
}

/// For the page on which accounts are chosen: for whom whoever is signed in can act now, with a button for each.
pub(in crate::portal::pages) fn choices(call: &Call<'_>) -> Result<Markup, Refusal> {
    let own = reference(call.person()?);
    let all = representation::all(call.portal.hub().door(), Of::Representative(&own))?;
    let mut open = Vec::new();
    for kept in all.iter().take(SHOWN) {
        if is_open(call, kept)?
            && let Some(person) = represented(call, kept)?
        {
            open.push((kept, person));
        }
    }
    Ok(html! {
        @for (kept, person) in &open {
            (card_plain(html! {
                div .i-row .i-row--between {
                    p { strong { (person.name(call.lang)) } " " span .i-soft { (words::act(Act::View, call.lang)) } }
                    (button_post(ButtonStyle::Secondary, call.say("대신하여 보기", "Act for them"), &format!("{PAGE}/{}", kept.id), &[("csrf", call.csrf())]))
                }
            }))
        }
        p { a href=(PAGE) { (call.say("다른 사람 대신하기: 요청과 관리", "Acting for others: ask and manage")) } }
    })
}

//! The institution's side: its privacy officer gives codes to those who want to represent a patient of the institution, looks
//! at what they show, grants with a period, refuses, takes back, blocks and lifts a block.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use ieum_trust::code::{self, What};
use ieum_trust::law::day::in_korea;
use ieum_trust::law::papers::Paper;
use ieum_trust::representation::acting::{self, NotGranted, Patient, reference};
use ieum_trust::representation::{
    self, By, ChangeError, Event, Kept, Of, REPRESENTATION, Representation, Standing, Status,
};
use ieum_ui::{
    ButtonStyle, Crumb, Field, InputKind, Message, Table, Tone, button, button_post, card_plain, checkbox,
    definitions, form_post, format, section, text_input,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::words::{self, paper_slug};
use super::{institutions_of, may, mine, period, representative, represented};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::emergency::patient_of;
use crate::portal::pages::entry::trouble;
use crate::portal::pages::{column, column_keep};

const PAGE: &str = "/privacy/representatives";
/// Representations that are shown.
const SHOWN: usize = 500;

fn organization(call: &Call<'_>) -> Result<String, Refusal> {
    call.access()?.organization.clone().ok_or(Refusal::NotFound)
}

/// `GET /privacy/representatives`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    list(call, None)
}

fn list(call: &Call<'_>, wrong: Option<&str>) -> Result<Reply, Refusal> {
    let (organization, door) = (organization(call)?, call.portal.hub().door());
    let all = representation::all(door, Of::Organization(&organization))?;
    let today = call.today();
    let with = |wanted: &[Standing]| -> Result<Markup, Refusal> {
        let found = all.iter().filter(|kept| wanted.contains(&kept.record.standing(today)));
        table(call, &found.take(SHOWN).collect::<Vec<_>>())
    };
    let to_check = with(&[Standing::Is(Status::Asked)])?;
    let in_force = with(&[Standing::Is(Status::Granted), Standing::NotYet])?;
    let blocked = with(&[Standing::Is(Status::Blocked)])?;
    if !all.is_empty() {
        // Names of patients are on the page.
        door.released(call.access()?, "representations", REPRESENTATION.name)?;
    }
    let content = html! {
        (section(call.say("확인할 것", "To check"), to_check))
        (section(call.say("코드 만들기", "Make a code"), invitation(call, wrong)))
        (section(call.say("대신할 수 있는 사람", "In force"), in_force))
        (section(call.say("차단됨", "Blocked"), blocked))
    };
    let flash = match (wrong, call.value("done")) {
        (Some(_), _) => Some(trouble(call.say("코드를 만들지 못했습니다.", "No code was made."))),
        (None, "saved") => Some(Message {
            tone: Tone::Success,
            title: call.say("저장했습니다. 환자에게 보입니다.", "Saved. The patient sees it."),
            body: html! {},
        }),
        _ => None,
    };
    let lead = html! { (call.say(
        "환자를 대신하려는 사람의 서류를 확인합니다. 이름과 생년월일 말고 환자의 기록은 보이지 않습니다.",
        "You check the papers of those who want to represent a patient. But for name and birth date no record of the patient is shown.",
    )) };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = call.say("대리인 확인", "Representatives");
    Ok(call
        .page_with(status, Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

fn table(call: &Call<'_>, kept: &[&Kept<Representation>]) -> Result<Markup, Refusal> {
    let mut rows = Vec::with_capacity(kept.len());
    for kept in kept {
        let href = format!("{PAGE}/{}", kept.id);
        rows.push(vec![
            html! { a href=(href) { (representative(call, kept)?) } },
            html! { (words::relation(kept.record.asked.relation, call.lang)) },
            html! { (patient_line(call, kept)?) },
            words::standing(kept.record.standing(call.today()), call.lang),
        ]);
    }
    let columns = [
        column(call.say("대리인", "Representative")),
        column(call.say("환자의", "To the patient")),
        column(call.say("환자", "Patient")),
        column_keep(call.say("상태", "State")),
    ];
    let (caption, empty) = (call.say("대리인", "Representatives"), call.say("없습니다.", "None."));
    Ok(Table { empty: Some(empty), ..Table::new(caption, &columns, rows) }.html(call.lang))
}

fn patient_line(call: &Call<'_>, kept: &Kept<Representation>) -> Result<String, Refusal> {
    let person = represented(call, kept)?;
    Ok(person.map_or_else(
        || call.say("기록이 없는 사람", "Somebody without record").to_owned(),
        |person| {
            let birth = person.birth.as_ref().map(|birth| birth.short(call.lang)).unwrap_or_default();
            format!("{} · {birth}", person.name(call.lang))
        },
    ))
}

fn invitation(call: &Call<'_>, wrong: Option<&str>) -> Markup {
    let lang = call.lang;
    let number = Field {
        error: wrong,
        required: true,
        ..Field::new("number", call.say("환자번호", "Patient number"))
    };
    let birth = Field {
        required: true,
        ..Field::new("birth", call.say("환자의 생년월일", "The patient’s date of birth"))
    };
    let fields = html! {
        p { (call.say(
            "대신하려는 사람을 만나 환자를 확인한 뒤 코드를 주세요. 코드만으로는 아무것도 열리지 않습니다.",
            "Meet whoever wants to represent, make sure of the patient, and hand over the code. The code alone opens nothing.")) }
        (text_input(&number, InputKind::Text, call.field("number"), "off", lang))
        (text_input(&birth, InputKind::Date, call.field("birth"), "off", lang))
    };
    let actions = button(ButtonStyle::Secondary, call.say("코드 만들기", "Make a code"));
    card_plain(form_post(PAGE, Some(call.csrf()), &fields, &actions))
}

/// `POST /privacy/representatives`: a code for a patient whom the institution has had to do with. Who guesses numbers here is
/// slowed down, and every guess is written down.
pub(crate) fn invite(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    let (organization, door, now) = (organization(call)?, call.portal.hub().door(), call.micros());
    let throttle = call.portal.numbers();
    if let Some(seconds) = throttle.wait_seconds(call.peer, now) {
        return Err(Refusal::TooMany(seconds));
    }
    let patient = match patient_of(call)? {
        Some(patient) if institutions_of(call, &patient)?.contains(&organization) => patient,
        _ => {
            throttle.failed(call.peer, now);
            door.refused(call.access()?, "representation-invite", "Patient")?;
            let none = call.say(
                "이 기관에서 진료받은 환자 가운데 이 번호와 생년월일의 환자가 없습니다.",
                "No patient of this institution has this number and this birth date.",
            );
            return list(call, Some(none));
        }
    };
    let what = (What::Representation, patient.as_str(), Some(organization.as_str()));
    let code = code::make(door, call.access()?, what, now)?;
    door.released(call.access()?, "representation-invite", &format!("Patient/{patient}"))?;
    Ok(mine::show_code(call, &code, PAGE))
}

/// The representation of the page, if this institution checks it.
fn own(call: &Call<'_>) -> Result<Kept<Representation>, Refusal> {
    let organization = organization(call)?;
    let kept = representation::one(call.portal.hub().door(), call.place.first())?;
    kept.filter(|kept| kept.record.asked.organization.as_ref() == Some(&organization))
        .ok_or(Refusal::NotFound)
}

/// `GET /privacy/representatives/{id}`
pub(crate) fn one(call: &Call<'_>) -> Result<Reply, Refusal> {
    shown(call, &own(call)?, None)
}

/// One representation, with what came of an attempt to grant it.
fn shown(call: &Call<'_>, kept: &Kept<Representation>, wrong: Option<&str>) -> Result<Reply, Refusal> {
    let (record, lang, door) = (&kept.record, call.lang, call.portal.hub().door());
    door.released(call.access()?, "representation-check", &format!("Patient/{}", record.asked.patient))?;
    let standing = record.standing(call.today());
    let state = record.asked.patient_state.map(|state| html! { (words::state(state, lang)) });
    let mut facts = vec![
        (call.say("환자", "Patient"), Some(html! { (patient_line(call, kept)?) })),
        (call.say("관계", "Relation"), Some(html! { (words::relation(record.asked.relation, lang)) })),
    ];
    if state.is_some() {
        facts.push((call.say("동의할 수 없는 까닭", "Cannot consent"), state));
    }
    facts.push((call.say("상태", "State"), Some(words::standing(standing, lang))));
    let facts = definitions(&facts, lang);
    let content = html! {
        (facts)
        @match standing {
            Standing::Is(Status::Asked) => {
                (section(call.say("서류 확인", "Papers"), grant_form(call, kept)?))
                (others(call, kept, &[("refuse", ButtonStyle::Secondary), ("block", ButtonStyle::Danger)]))
            }
            Standing::Is(Status::Granted) | Standing::NotYet => {
                (card_plain(html! { (may(call, kept)?) (period(call, kept)?) }))
                (others(call, kept, &[("revoke", ButtonStyle::Secondary), ("block", ButtonStyle::Danger)]))
            }
            Standing::Is(Status::Blocked) => (others(call, kept, &[("unblock", ButtonStyle::Secondary)])),
            _ => (others(call, kept, &[("block", ButtonStyle::Danger)])),
        }
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let flash = wrong.map(trouble);
    let trail = [Crumb { label: call.say("대리인 확인", "Representatives"), href: PAGE }];
    let title = representative(call, kept)?;
    Ok(call.page_with(status, Frame { trail: Some(&trail), flash, ..Frame::new(&title, content) }))
}

/// What must be shown, each with its article, and the last day.
fn grant_form(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Markup, Refusal> {
    let (hub, lang) = (call.portal.hub(), call.lang);
    let patient = Patient::with_id(hub.door(), &kept.record.asked.patient)?;
    let needed = patient.map(|patient| patient.needed(hub.law(), &kept.record, call.micros()));
    let until = Field {
        hint: Some(call.say(
            "비워 두면 법이 정한 날까지입니다. 그보다 늦은 날을 적어도 그날 끝납니다.",
            "Left empty: until the day that the law sets. It ends on that day whatever is written here.",
        )),
        ..Field::new("until", call.say("마지막 날", "Last day"))
    };
    let fields = html! {
        input type="hidden" name="do" value="grant";
        input type="hidden" name="version" value=(kept.version);
        fieldset .i-plain-fieldset {
            legend { (call.say("직접 본 서류에 표시하세요", "Tick what you have seen")) }
            @for needed in needed.iter().flatten() {
                @let slug = paper_slug(needed.paper);
                @let article = format!("{} {}", needed.article.law, needed.article.article);
                @let field = Field { hint: Some(&article), ..Field::new(slug, words::paper(needed.paper, lang)) };
                (checkbox(&field, "on", !call.field(slug).is_empty(), lang))
            }
        }
        (text_input(&until, InputKind::Date, call.field("until"), "off", lang))
    };
    let actions = button(ButtonStyle::Primary, call.say("확인하고 허락하기", "Checked: grant it"));
    Ok(card_plain(form_post(&format!("{PAGE}/{}", kept.id), Some(call.csrf()), &fields, &actions)))
}

fn others(call: &Call<'_>, kept: &Kept<Representation>, actions: &[(&str, ButtonStyle)]) -> Markup {
    let address = format!("{PAGE}/{}", kept.id);
    let label = |what: &str| match what {
        "refuse" => call.say("거절하기", "Refuse"),
        "revoke" => call.say("거두기", "Take back"),
        "block" => call.say("차단하기", "Block"),
        _ => call.say("차단 풀기", "Lift the block"),
    };
    html! {
        div .i-actions {
            @for (what, style) in actions {
                (button_post(*style, label(what), &address, &[("do", what), ("csrf", call.csrf())]))
            }
        }
    }
}

/// `POST /privacy/representatives/{id}`
pub(crate) fn change(call: &Call<'_>) -> Result<Reply, Refusal> {
    let kept = own(call)?;
    call.fresh(&format!("{PAGE}/{}", kept.id))?;
    let event = match call.field("do") {
        "grant" => return grant(call, &kept),
        "refuse" => Event::Refuse,
        "revoke" => Event::Revoke,
        "block" => Event::Block,
        // Nobody lifts a block of their own.
        "unblock" if kept.record.asked.representative == reference(call.person()?) => {
            return Err(Refusal::NotFound);
        }
        "unblock" => Event::Unblock,
        _ => return Err(Refusal::Bad),
    };
    let day = in_korea(call.micros());
    representation::change(call.portal.hub().door(), call.access()?, &kept.id, event, (By::Checker, day))?;
    Ok(Reply::See(format!("{PAGE}?done=saved"), Vec::new()))
}

fn grant(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Reply, Refusal> {
    if call.field("version") != kept.version.to_string() {
        let changed = call.say(
            "그 사이에 요청이 바뀌었습니다. 다시 확인하세요.",
            "The request has changed in the meantime. Check it again.",
        );
        return shown(call, kept, Some(changed));
    }
    let until: Option<Date> = match call.field("until") {
        "" => None,
        text => Some(format::fhir_day(text).ok_or(Refusal::Bad)?),
    };
    let ticked = Paper::ALL.into_iter().filter(|paper| !call.field(paper_slug(*paper)).is_empty());
    let papers: BTreeSet<Paper> = ticked.collect();
    let (hub, checker) = (call.portal.hub(), (call.access()?, call.person()?));
    match acting::grant(hub.door(), hub.law(), checker, kept, (papers, until), call.micros()) {
        Ok(_) => Ok(Reply::See(format!("{PAGE}?done=saved"), Vec::new())),
        Err(NotGranted::Law { reason, missing }) => {
            let missing: Vec<&str> = missing.iter().map(|paper| words::paper(*paper, call.lang)).collect();
            let (refused, why) =
                (call.say("허락하지 않았습니다.", "Not granted."), words::reason(reason, call.lang));
            shown(call, kept, Some(format!("{refused} {why} {}", missing.join(", ")).trim_end()))
        }
        Err(NotGranted::Own) => {
            let own = call
                .say("자기 요청은 스스로 확인할 수 없습니다.", "Nobody checks what they ask for themself.");
            shown(call, kept, Some(own))
        }
        Err(NotGranted::Change(ChangeError::Denied(representation::Denied::Period))) => {
            let past = call.say("마지막 날이 이미 지났습니다.", "The last day is over already.");
            shown(call, kept, Some(past))
        }
        Err(NotGranted::Change(error)) => Err(error.into()),
    }
}

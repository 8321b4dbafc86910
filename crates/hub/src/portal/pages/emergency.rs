//! Breaking the glass: a clinician who must look without a relation or a consent (`ieum_trust::breaking`).

use axum::http::StatusCode;
use ieum_trust::access::Access;
use ieum_trust::breaking::{self, BreakError, MINUTES, MOST_REASON, REASON};
use ieum_ui::{
    ButtonStyle, Field, InputKind, Message, Tone, button, card_plain, form_post, select, text_area,
    text_input,
};
use maud::html;

use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::load;

const PAGE: &str = "/emergency";

/// What is wrong with what was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Patient,
    Reason,
    NoInstitution,
    /// An account with a secret of its own: nobody has shown who they are.
    NoPerson,
}

/// `GET /emergency`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    if !is_person(call) {
        return no_person(call);
    }
    call.fresh(PAGE)?;
    Ok(form(call, None))
}

fn no_person(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.portal.hub().door().refused(call.access()?, "break-glass", "Patient")?;
    Ok(form(call, Some(Fault::NoPerson)))
}

/// Whether a person has entered, who can show again who they are.
fn is_person(call: &Call<'_>) -> bool {
    call.session.as_ref().is_some_and(|session| session.person().is_some())
}

/// `POST /emergency`
pub(crate) fn open(call: &Call<'_>) -> Result<Reply, Refusal> {
    if !is_person(call) {
        return no_person(call);
    }
    call.fresh(PAGE)?;
    let throttle = call.portal.numbers();
    if let Some(seconds) = throttle.wait_seconds(call.peer, call.micros()) {
        return Err(Refusal::TooMany(seconds));
    }
    let Some(patient) = patient_of(call)? else {
        // Whoever guesses numbers here is slowed down, and every guess is written down.
        throttle.failed(call.peer, call.micros());
        call.portal.hub().door().refused(call.access()?, "break-glass", "Patient")?;
        return Ok(form(call, Some(Fault::Patient)));
    };
    let minutes = call.field("minutes").parse().unwrap_or(MINUTES);
    let asked = (patient.as_str(), call.field("reason"), minutes);
    let hub = call.portal.hub();
    match breaking::break_glass(hub.door(), hub.law(), call.access()?, asked, call.micros()) {
        Ok(_) => Ok(Reply::See(format!("/patients/{patient}"), Vec::new())),
        Err(BreakError::Reason) => Ok(form(call, Some(Fault::Reason))),
        Err(BreakError::Patient) => Ok(form(call, Some(Fault::Patient))),
        Err(BreakError::Role) => Ok(form(call, Some(Fault::NoInstitution))),
        Err(BreakError::Time(_)) => Err(Refusal::Bad),
        Err(BreakError::Commit(error)) => Err(error.into()),
    }
}

/// The one patient with this number and this birth date: both, so that a slip opens nobody else's record.
pub(super) fn patient_of(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let (number, birth) = (call.field("number").trim(), call.field("birth").trim());
    let is_plain = !number.is_empty() && number.len() <= 64 && !number.contains(['|', ',', '\\', '$']);
    if !is_plain || ieum_ui::format::fhir_day(birth).is_none() {
        return Ok(None);
    }
    let view = call.portal.hub().door().view(&Access::system("break-glass"))?;
    let pairs = [("identifier", number), ("birthdate", birth)];
    let page = load::search(call, &view, "Patient", &pairs, None, 2)?;
    match page.records.as_slice() {
        [one] => Ok(Some(one.id.clone())),
        _ => Ok(None),
    }
}

fn form(call: &Call<'_>, fault: Option<Fault>) -> Reply {
    let lang = call.lang;
    let said = |wanted: Fault, text: &'static str| (fault == Some(wanted)).then_some(text);
    let number = Field {
        hint: Some(call.say("환자번호나 등록번호를 그대로 적습니다.", "The patient's number, as it stands.")),
        error: said(
            Fault::Patient,
            call.say(
                "이 번호와 생년월일의 환자를 찾지 못했습니다.",
                "No patient has this number and this birth date.",
            ),
        ),
        required: true,
        ..Field::new("number", call.say("환자번호", "Patient number"))
    };
    let birth = Field { required: true, ..Field::new("birth", call.say("생년월일", "Date of birth")) };
    let hint = call.say(
        format!("왜 지금 보아야 하는지 {REASON}자 넘게 적습니다. 환자와 개인정보 보호책임자가 읽습니다."),
        format!("Why it must be now, in {REASON} to {MOST_REASON} characters. The patient and the privacy officer read it."),
    );
    let reason = Field {
        hint: Some(&hint),
        error: said(
            Fault::Reason,
            call.say("까닭이 너무 짧거나 깁니다.", "The reason is too short or too long."),
        ),
        required: true,
        ..Field::new("reason", call.say("까닭", "Reason"))
    };
    let most = breaking::most_minutes(call.portal.hub().law(), call.micros());
    let hours = breaking::review_hours(call.portal.hub().law(), call.micros());
    let times = [
        ("30", 30, call.say("30분", "30 minutes")),
        ("60", 60, call.say("1시간", "1 hour")),
        ("240", 240, call.say("4시간", "4 hours")),
        ("1440", 1_440, call.say("24시간", "24 hours")),
    ];
    let times = times.into_iter().filter(|(_, minutes, _)| *minutes <= most);
    let minutes: Vec<(&str, &str)> = times.map(|(value, _, label)| (value, label)).collect();
    let fields = html! {
        (text_input(&number, InputKind::Text, call.field("number"), "off", lang))
        (text_input(&birth, InputKind::Date, call.field("birth"), "off", lang))
        (text_area(&reason, call.field("reason"), 3, lang))
        (select(&Field::new("minutes", call.say("얼마 동안", "For how long")), &minutes, Some("60"), lang))
    };
    let csrf = call.session.as_ref().map(|session| session.csrf.as_str());
    let actions = button(ButtonStyle::Danger, call.say("응급 열람 시작", "Open in an emergency"));
    let warning = Message {
        tone: Tone::Warning,
        title: call.say(
            "환자에게 바로 알려지고, 반드시 검토됩니다.",
            "The patient is told at once, and it is always reviewed.",
        ),
        body: html! { p { (call.say(
            format!("동의를 받을 수 없는 응급일 때만 쓰세요. 개인정보 보호책임자가 {hours}시간 안에 검토합니다. 봉인한 기록은 열리지 않습니다."),
            format!("Only in an emergency in which no consent can be had. The privacy officer reviews within {hours} hours. Sealed records stay closed."),
        )) } },
    };
    let content = html! { (warning.html(lang)) (card_plain(form_post(PAGE, csrf, &fields, &actions))) };
    let flash = match fault {
        None => None,
        Some(Fault::NoInstitution) => Some(Message {
            tone: Tone::Danger,
            title: call.say(
                "기관에 속한 의료진 계정만 할 수 있습니다.",
                "Only a clinician's account of an institution can do this.",
            ),
            body: html! { p { (call.say("기관 관리자에게 계정을 받으세요.", "Ask your institution's manager for one.")) } },
        }),
        Some(Fault::NoPerson) => Some(Message {
            tone: Tone::Danger,
            title: call.say(
                "패스키나 암호로 들어온 사람만 할 수 있습니다.",
                "Only somebody who entered with a passkey or a password can do this.",
            ),
            body: html! { p { (call.say("계정 비밀값으로는 누구인지 알 수 없습니다.", "An account's secret does not say who you are.")) } },
        }),
        Some(_) => Some(Message {
            tone: Tone::Danger,
            title: call.say("열지 못했습니다.", "Nothing was opened."),
            body: html! {},
        }),
    };
    let status = match fault {
        None => StatusCode::OK,
        Some(Fault::NoPerson | Fault::NoInstitution) => StatusCode::FORBIDDEN,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let title = call.say("응급 열람", "Emergency access");
    call.page_with(status, Frame { trail: Some(&[]), flash, ..Frame::new(title, content) })
}

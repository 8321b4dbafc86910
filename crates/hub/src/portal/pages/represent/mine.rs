//! The patient's side: who represents them, who has asked, taking back and blocking with one click, naming an agent.

use ieum_trust::code::{self, What};
use ieum_trust::law::day::in_korea;
use ieum_trust::representation::{self, By, Event, Kept, Of, Representation, Standing, Status};
use ieum_ui::{
    ButtonStyle, Field, Message, Tone, button, button_link, button_post, card_plain, form_post, section,
    select,
};
use maud::{Markup, html};

use super::{institution, institutions_of, is_granted, may, period, representative, words};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;

const PAGE: &str = "/me/representatives";
/// Representations and institutions that are shown.
const SHOWN: usize = 100;

fn patient(call: &Call<'_>) -> Result<String, Refusal> {
    call.access()?.patient.clone().ok_or(Refusal::NoRecord)
}

/// `GET /me/representatives`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let patient = patient(call)?;
    let mut all = representation::all(call.portal.hub().door(), Of::Patient(&patient))?;
    all.truncate(SHOWN);
    let today = call.today();
    let is_asked = |kept: &&Kept<Representation>| kept.record.status == Status::Asked;
    let is_now = |kept: &&Kept<Representation>| {
        matches!(kept.record.standing(today), Standing::NotYet | Standing::Is(Status::Granted))
    };
    let is_past = |kept: &&Kept<Representation>| !is_asked(kept) && !is_now(kept);
    let list = |kept: Vec<&Kept<Representation>>, none: &'static str| -> Result<Markup, Refusal> {
        let items = kept.into_iter().map(|kept| one(call, kept)).collect::<Result<Vec<_>, _>>()?;
        Ok(html! { @if items.is_empty() { (ieum_ui::empty(none)) } @for item in &items { (item) } })
    };
    let now = list(
        all.iter().filter(is_now).collect(),
        call.say("나를 대신할 수 있는 사람이 없습니다.", "Nobody represents you."),
    )?;
    let asked =
        list(all.iter().filter(is_asked).collect(), call.say("요청이 없습니다.", "Nobody has asked."))?;
    let past = list(all.iter().filter(is_past).collect(), call.say("없습니다.", "None."))?;
    let content = html! {
        (section(call.say("지금 나를 대신할 수 있는 사람", "Who represents me now"), now))
        (section(call.say("대신하겠다고 요청한 사람", "Who has asked to"), asked))
        (section(call.say("대리인 정하기", "Name an agent"), agent(call, &patient)?))
        (section(call.say("끝난 것과 차단한 것", "Over, and blocked"), past))
        @if call.person().is_ok() {
            p { a href="/representing" { (call.say("내가 다른 사람 대신하기", "Acting for others myself")) } }
        }
    };
    let flash = (call.value("done") == "saved").then(|| Message {
        tone: Tone::Success,
        title: call.say("저장했습니다. 지금부터 적용됩니다.", "Saved. It holds from now on."),
        body: html! {},
    });
    let lead = html! { (call.say(
        "나를 대신해 내 기록을 볼 수 있는 사람입니다. 언제든 한 번에 거둘 수 있습니다.",
        "Those who may see your record for you. You can take it back at any time, with one click.",
    )) };
    let title = call.say("대리인", "Representatives");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

/// One representation with what the patient can do about it.
fn one(call: &Call<'_>, kept: &Kept<Representation>) -> Result<Markup, Refusal> {
    let record = &kept.record;
    let standing = record.standing(call.today());
    let heading = format!("r-{}", kept.id);
    let checks = institution(call, record.asked.organization.as_ref())?;
    let press = |style, label: &str, what: &str| {
        button_post(style, label, &format!("{PAGE}/{}", kept.id), &[("do", what), ("csrf", call.csrf())])
    };
    Ok(html! {
        article .i-card aria-labelledby=(heading) {
            h3 id=(heading) { (representative(call, kept)?) " " (words::standing(standing, call.lang)) }
            p { (words::relation(record.asked.relation, call.lang))
                @if let Some(state) = record.asked.patient_state { " · " (words::state(state, call.lang)) }
                " · " (call.say(format!("확인하는 기관: {checks}"), format!("checked by {checks}"))) }
            @if standing == Standing::Is(Status::Granted) { (may(call, kept)?) }
            (period(call, kept)?)
            div .i-actions {
                @match standing {
                    Standing::Is(Status::Asked) => {
                        (press(ButtonStyle::Secondary, call.say("거절하기", "Refuse"), "refuse"))
                        (press(ButtonStyle::Danger, call.say("차단하기", "Block"), "block"))
                    }
                    Standing::Is(Status::Granted) | Standing::NotYet => {
                        (press(ButtonStyle::Secondary, call.say("거두기", "Take back"), "revoke"))
                        (press(ButtonStyle::Danger, call.say("차단하기", "Block"), "block"))
                    }
                    Standing::Is(Status::Blocked) => {
                        p .i-small { (call.say(
                            format!("차단은 {checks}의 개인정보 보호책임자만 풀 수 있습니다. 아무도 나에게 풀라고 강요할 수 없게 하기 위해서입니다."),
                            format!("Only the privacy officer of {checks} lifts a block, so that nobody can press you to."))) }
                    }
                    _ => (press(ButtonStyle::Danger, call.say("차단하기", "Block"), "block")),
                }
            }
        }
    })
}

/// The form by which a patient makes a code for somebody whom they name.
fn agent(call: &Call<'_>, patient: &str) -> Result<Markup, Refusal> {
    let institutions = institutions_of(call, patient)?;
    let mut options = Vec::new();
    for id in institutions.iter().take(SHOWN) {
        options.push((id.as_str(), institution(call, Some(id))?));
    }
    let options: Vec<(&str, &str)> = options.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let hint = call.say(
        "대리인이 위임장과 동의서, 신분증 사본을 보여줄 기관입니다.",
        "Where your agent shows the power of attorney, the consent form and copies of the cards.",
    );
    let field = Field {
        hint: Some(hint),
        required: true,
        ..Field::new("institution", call.say("확인할 기관", "Institution that checks"))
    };
    let actions =
        button(ButtonStyle::Secondary, call.say("대리인에게 줄 코드 만들기", "Make a code for my agent"));
    Ok(card_plain(html! {
        p { (call.say(
            "코드를 만들어 대리인에게 주세요. 대리인이 이음에 로그인해 코드를 넣고, 고른 기관에 위임장을 보여주면 기관이 확인합니다. 그 전에는 아무것도 볼 수 없습니다.",
            "Make a code and hand it to your agent. They sign in, type it in, and show your power of attorney at the institution, which checks it. Until then they see nothing.")) }
        @if options.is_empty() {
            p { (call.say("아직 진료한 기관이 없어 코드를 만들 수 없습니다.", "No institution has treated you yet, so no code can be made.")) }
        } @else {
            (form_post(PAGE, Some(call.csrf()), &select(&field, &options, None, call.lang), &actions))
        }
    }))
}

/// `POST /me/representatives`
pub(crate) fn invite(call: &Call<'_>) -> Result<Reply, Refusal> {
    let patient = patient(call)?;
    let institutions = institutions_of(call, &patient)?;
    let chosen = institutions.iter().find(|id| *id == call.field("institution")).ok_or(Refusal::Bad)?;
    let what = (What::Representation, patient.as_str(), Some(chosen.as_str()));
    let code = code::make(call.portal.hub().door(), call.access()?, what, call.micros())?;
    Ok(show_code(call, &code, PAGE))
}

/// The page that shows a code, once.
pub(super) fn show_code(call: &Call<'_>, code: &str, back: &str) -> Reply {
    let title = call.say(
        "이 코드는 지금만 보입니다. 대신할 사람에게만 직접 전하세요. 7일 동안 한 번 쓸 수 있습니다.",
        "The code is shown this once. Hand it to the one who is to represent, and nobody else. It is good once, for 7 days.",
    );
    let how = call.say(
        "받은 사람은 이음에 로그인해 ‘다른 사람 대신하기’에서 이 코드를 넣습니다.",
        "They sign in and type it in at “Acting for others”.",
    );
    let content = html! {
        (Message { tone: Tone::Warning, title, body: html! { p { (how) } } }.html(call.lang))
        div .i-code { pre tabindex="0" role="region" aria-label=(call.say("코드", "Code")) { code { (code) } } }
        div .i-actions { (button_link(ButtonStyle::Primary, call.say("돌아가기", "Back"), back)) }
    };
    call.page(Frame {
        trail: Some(&[]),
        ..Frame::new(call.say("대신할 사람에게 줄 코드", "Code for a representative"), content)
    })
}

/// `POST /me/representatives/{id}`
pub(crate) fn change(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (patient, door) = (patient(call)?, call.portal.hub().door());
    let kept = representation::one(door, call.place.first())?;
    let kept = kept.filter(|kept| kept.record.asked.patient == patient).ok_or(Refusal::NotFound)?;
    let event = match call.field("do") {
        "revoke" => Event::Revoke,
        "refuse" => Event::Refuse,
        "block" => Event::Block,
        _ => return Err(Refusal::Bad),
    };
    let day = in_korea(call.micros());
    representation::change(door, call.access()?, &kept.id, event, (By::Patient, day))?;
    Ok(Reply::See(format!("{PAGE}?done=saved"), Vec::new()))
}

/// What the patient is told on their first page: that somebody can act for them, or asks to.
pub(in crate::portal::pages) fn notice(call: &Call<'_>) -> Result<Markup, Refusal> {
    let all = representation::all(call.portal.hub().door(), Of::Patient(&patient(call)?))?;
    let granted = all.iter().filter(|kept| is_granted(call, kept)).collect::<Vec<_>>();
    let asked = all.iter().filter(|kept| kept.record.status == Status::Asked).count();
    if granted.is_empty() && asked == 0 {
        return Ok(html! {});
    }
    let mut names = Vec::new();
    for kept in granted.iter().take(3) {
        names.push(representative(call, kept)?);
    }
    let (names, count) = (names.join(", "), granted.len());
    let title = if count > 0 {
        call.say(
            format!("지금 나를 대신해 내 기록을 볼 수 있는 사람이 {count}명 있습니다: {names}"),
            format!("Who can see your record for you now ({count}): {names}"),
        )
    } else {
        call.say(
            format!("나를 대신하겠다는 요청이 {asked}건 있습니다."),
            format!("Requests to represent you: {asked}"),
        )
    };
    let body = html! { p { a href=(PAGE) { (call.say("대리인 보기", "See representatives")) } } };
    Ok(Message { tone: Tone::Warning, title: &title, body }.html(call.lang))
}

//! What a patient does at an institution, or before: shows by a code that they are there, lets an institution see for some
//! days, and ends either.

use ieum_trust::code::{self, What};
use ieum_trust::evidence::relation::{Basis, OwnRelation};
use ieum_trust::law::asked::{PRESENCE, PRESENCE_PHARMACY};
use ieum_trust::presence::{self, NoRelation};
use ieum_trust::representation::Kept;
use ieum_ui::{
    ButtonStyle, Field, InputKind, Message, SearchForm, Table, Tone, button, button_link, button_post,
    card_plain, form_post, radios, section, select, text_input,
};
use maud::{Markup, html};

use super::entry::factors::qr;
use super::my_login::instant;
use super::represent::institution;
use super::sharing::decider;
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::fields::{read_all, text};
use crate::portal::record::load;

const PAGE: &str = "/me/visit";
/// Institutions to choose from, and relations that are shown.
const SHOWN: usize = 20;

/// `GET /me/visit`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let access = decider(call)?;
    let made = presence::in_force(call.portal.hub().door(), access, call.micros())?;
    let content = html! {
        (section(call.say("내원 코드", "Code of presence"), show(call)))
        (section(call.say("기관에 며칠 동안 허락하기", "Let an institution see for some days"), grants(call)?))
        (section(call.say("내가 연 곳", "What I have opened"), table(call, &made)?))
    };
    let done = |title| Some(Message { tone: Tone::Success, title, body: html! {} });
    let flash = match call.value("done") {
        "granted" => done(call.say("허락했습니다. 지금부터 적용됩니다.", "Done. It holds from now on.")),
        "ended" => {
            done(call.say("끝냈습니다. 지금부터 볼 수 없습니다.", "Ended. From now on they see nothing."))
        }
        _ => None,
    };
    let lead = html! { (call.say(
        "여기서 연 기관은 스스로 쓴 기록과, 기록 공개 설정에서 내가 보여주기로 한 다른 병원의 기록을 봅니다. 언제든 한 번에 끝낼 수 있습니다.",
        "An institution that you open here sees what it wrote itself, and of others what you show by “Who sees it”. You can end it at any time, with one click.",
    )) };
    let title = call.say("병원에서", "At an institution");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

fn show(call: &Call<'_>) -> Markup {
    let label = call.say("코드 보여주기", "Show a code");
    let (law, today) = (call.portal.hub().law(), call.today());
    let (days, pharmacy) = (law.always(&PRESENCE, today).0, law.always(&PRESENCE_PHARMACY, today).0);
    card_plain(html! {
        p { (call.say(
            format!("접수할 때 코드를 보여주면, 내가 왔다는 것이 확인되어 그 기관이 기록을 볼 수 있습니다. 병원은 {days}일, 약국은 {pharmacy}일 동안입니다."),
            format!("Show the code at the desk: it proves that you are there, and the institution may see your records: a hospital for {days} days, a pharmacy for {pharmacy}."))) }
        (button_post(ButtonStyle::Primary, label, "/me/visit/code", &[("csrf", call.csrf())]))
    })
}

/// `POST /me/visit/code`: a page of its own, so that nobody shows an old code.
pub(crate) fn code(call: &Call<'_>) -> Result<Reply, Refusal> {
    let access = decider(call)?;
    let patient = access.patient.as_deref().ok_or(Refusal::NoRecord)?;
    let made = code::make(call.portal.hub().door(), access, (What::Presence, patient, None), call.micros())?;
    let digits = made.replace(' ', "");
    let what = call.say(
        "이 코드는 10분 동안 한 번 쓸 수 있습니다. 접수 직원에게만 보여주세요.",
        "The code is good once, for 10 minutes. Show it to the desk alone.",
    );
    let content = html! {
        (Message { tone: Tone::Information, title: what, body: html! {} }.html(call.lang))
        p .i-digits { (made) }
        (qr(&digits, call.say("내원 코드의 QR 코드", "QR code of the code")))
        div .i-actions { (button_link(ButtonStyle::Primary, call.say("돌아가기", "Back"), PAGE)) }
    };
    let title = call.say("내원 코드", "Code of presence");
    Ok(call.page(Frame { trail: Some(&[]), ..Frame::new(title, content) }))
}

/// An institution is looked for by its name, then chosen with a number of days.
fn grants(call: &Call<'_>) -> Result<Markup, Refusal> {
    let (lang, asked) = (call.lang, call.value("q").trim());
    let field = Field::new("q", call.say("기관 이름", "Name of the institution"));
    let input = text_input(&field, InputKind::Search, asked, "off", lang);
    let form = SearchForm { action: PAGE, fields: &[input], keep: &[], hint: None };
    let found = institutions_found(call, asked)?;
    let options: Vec<(&str, &str)> = found.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    let which = Field {
        required: true,
        ..Field::new("institution", call.say("찾은 기관", "Institutions found"))
    };
    let days = [
        ("7", call.say("7일", "7 days")),
        ("30", call.say("30일", "30 days")),
        ("90", call.say("90일", "90 days")),
        ("365", call.say("1년", "a year")),
    ];
    let length = Field { required: true, ..Field::new("days", call.say("얼마 동안", "For how long")) };
    let fields = html! { (radios(&which, &options, None, lang)) (select(&length, &days, Some("30"), lang)) };
    let actions = button(ButtonStyle::Secondary, call.say("허락하기", "Let them see"));
    Ok(card_plain(html! {
        (form.html(lang))
        @if !asked.is_empty() && options.is_empty() {
            p { (call.say("이 이름의 기관이 없습니다.", "No institution has this name.")) }
        }
        @if !options.is_empty() { (form_post("/me/visit/grants", Some(call.csrf()), &fields, &actions)) }
    }))
}

/// Institutions with a name, by id; none while nothing is asked for.
pub(super) fn institutions_found(call: &Call<'_>, asked: &str) -> Result<Vec<(String, String)>, Refusal> {
    if asked.is_empty() || asked.chars().count() > 100 {
        return Ok(Vec::new());
    }
    let pairs = [("name", &*load::escaped(asked)), ("_sort", "name")];
    let page = load::search(call, &call.view()?, "Organization", &pairs, None, SHOWN)?;
    let found = read_all(&page.records, |organization| {
        Some((text(organization, &["id"])?, text(organization, &["name"])?))
    });
    Ok(found.into_iter().flatten().collect())
}

/// `POST /me/visit/grants`
pub(crate) fn grant(call: &Call<'_>) -> Result<Reply, Refusal> {
    let access = decider(call)?;
    let days = call.field("days").parse().map_err(|_| Refusal::Bad)?;
    let asked = (call.field("institution"), days);
    match presence::grant(call.portal.hub().door(), access, asked, call.micros()) {
        Ok(()) => Ok(Reply::See(format!("{PAGE}?done=granted"), Vec::new())),
        Err(NoRelation::Commit(error)) => Err(error.into()),
        Err(_) => Err(Refusal::Bad),
    }
}

/// `POST /me/visit/relations/{id}/end`
pub(crate) fn end(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (door, access) = (call.portal.hub().door(), decider(call)?);
    let ended = presence::end(door, access, call.place.first(), call.micros())?;
    if ended { Ok(Reply::See(format!("{PAGE}?done=ended"), Vec::new())) } else { Err(Refusal::NotFound) }
}

fn table(call: &Call<'_>, made: &[Kept<OwnRelation>]) -> Result<Markup, Refusal> {
    let mut rows = Vec::new();
    for Kept { id, record, .. } in made.iter().take(SHOWN) {
        let organization = record.organization_reference.strip_prefix("Organization/").map(ToOwned::to_owned);
        let basis = match record.basis {
            Basis::Presence => call.say("내원 확인", "Presence"),
            _ => call.say("내 허락", "My grant"),
        };
        let end = format!("/me/visit/relations/{id}/end");
        rows.push(vec![
            html! { (institution(call, organization.as_ref())?) },
            html! { (basis) },
            html! { (instant(presence::instant(&record.from), call)) },
            html! { (instant(presence::instant(&record.until), call)) },
            button_post(ButtonStyle::Tertiary, call.say("끝내기", "End it"), &end, &[("csrf", call.csrf())]),
        ]);
    }
    let columns = [
        column(call.say("기관", "Institution")),
        column_keep(call.say("까닭", "Because of")),
        column_keep(call.say("언제부터", "From")),
        column_keep(call.say("언제까지", "Until")),
        column_keep(call.say("끝내기", "End")),
    ];
    let empty = call.say("내가 연 곳이 없습니다.", "You have opened nothing.");
    let caption = call.say("내가 연 곳", "What I have opened");
    Ok(Table { empty: Some(empty), ..Table::new(caption, &columns, rows) }.html(call.lang))
}

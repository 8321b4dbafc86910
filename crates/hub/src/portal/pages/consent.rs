//! Somebody comes from an app, reads what it asks for, and says yes or no.

use axum::http::StatusCode;
use ieum_trust::access::{Access, Role};
use ieum_trust::authorization::client::Client;
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::grant::OFFLINE_SECONDS;
use ieum_trust::authorization::request::Request;
use ieum_trust::authorization::scopes::Scope;
use ieum_trust::authorization::server::{Back, Server, Visit};
use ieum_ui::{
    ButtonStyle, Field, InputKind, Message, SearchForm, Tone, button, button_link, button_post, card,
    card_plain, definitions, form_post, format, radios, text_input,
};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::find::{Asked, ask, unasked_message, without_registration};
use crate::authorization::{Authorization, seconds};
use crate::percent;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::fields::read;
use crate::portal::record::load;
use crate::portal::record::person::Person;

pub(super) mod words;

use words::Whom;

/// Patients to choose from.
const PATIENTS: usize = 20;

fn authorization<'c>(call: &Call<'c>) -> Result<&'c Authorization, Refusal> {
    Ok(call.portal.hub().authorization().ok_or(Refusal::NotFound)?)
}

fn now(call: &Call<'_>) -> i64 {
    seconds(call.portal.hub())
}

/// `GET /oauth/authorize`: anybody's browser, sent by an app.
pub(crate) fn arrive(call: &Call<'_>) -> Result<Reply, Refusal> {
    let authorization = authorization(call)?;
    // The language switch is ours, and no parameter of the app's.
    let pairs = call.pairs.iter().filter(|(name, _)| name != "lang").cloned().collect();
    match authorization.server.visit(&pairs, now(call)) {
        Ok(Visit::Ask(name)) => Ok(onward(call, format!("/oauth/consent/{name}"))),
        Ok(Visit::Back(back)) => Ok(go_back(call, &back)),
        Err(Fault::Failed(what)) => Err(Refusal::Broken(what)),
        Err(fault) => {
            let hub = call.portal.hub();
            // What somebody who tries out ids, addresses and requests would meet.
            let is_guess = matches!(fault, Fault::UnknownClient | Fault::RedirectUri | Fault::RequestUri);
            let must_wait =
                is_guess && authorization.failed(hub, call.peer, "authorize", "/oauth/authorize").is_some();
            let status = if must_wait { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::BAD_REQUEST };
            Ok(not_asked(call, status, &fault))
        }
    }
}

/// A page for a request that cannot be shown, and whose app cannot be told.
fn not_asked(call: &Call<'_>, status: StatusCode, fault: &Fault) -> Reply {
    let body = html! {
        p { (call.say(
            "앱으로 돌아가 처음부터 다시 해 보세요. 계속되면 앱을 만든 곳에 아래 내용을 알려 주세요.",
            "Go back to the app and begin anew. If it goes on, tell whoever makes the app what stands below.",
        )) }
        p .i-small { code lang="en" { (fault.error()) ": " (fault) } }
    };
    let title = call.say("아무것도 허용되지 않았습니다.", "Nothing was allowed.");
    let content = html! {
        (Message { tone: Tone::Warning, title, body }.html(call.lang))
        div .i-actions { (button_link(ButtonStyle::Tertiary, call.say("이음 시작 화면", "Start page of Ieum"), "/")) }
    };
    let title = call.say("앱의 요청을 처리할 수 없습니다", "The app's request cannot be taken");
    call.page_with(status, Frame::new(title, content))
}

/// A page that leads to where people say yes or no, or back to the app.
fn onward(call: &Call<'_>, to: String) -> Reply {
    let label = call.say("계속", "Continue");
    let content = html! { div .i-actions { (button_link(ButtonStyle::Primary, label, &to)) } };
    let lead = html! { (call.say("저절로 넘어가지 않으면 아래를 누르세요.", "If this page stays, press the button.")) };
    let title = call.say("다음 화면으로 넘어갑니다", "One moment");
    call.onward(to, Frame { lead: Some(lead), ..Frame::new(title, content) })
}

fn go_back(call: &Call<'_>, back: &Back) -> Reply {
    let pairs = back.pairs.iter().map(|(name, value)| (*name, value.as_str()));
    onward(call, percent::with_pairs(&back.redirect_uri, pairs))
}

/// What waits under the name in the address, and who is to say yes or no.
fn asked<'c>(call: &'c Call<'c>) -> Result<(&'c Server, &'c Access, Request, Client), Refusal> {
    let server = &authorization(call)?.server;
    let access = call.access()?;
    if access.behalf.is_some() {
        // An app's grant would outlive the right to act for somebody.
        return Err(Refusal::Oneself);
    }
    let (request, client) = server.waiting(call.place.first(), now(call)).map_err(refusal)?;
    Ok((server, access, request, client))
}

fn refusal(fault: Fault) -> Refusal {
    match fault {
        Fault::Failed(what) => Refusal::Broken(what),
        // Over, used, or never there: whose it was is nobody's business.
        _ => Refusal::NotFound,
    }
}

/// `GET /oauth/consent/{request}`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (server, access, request, client) = asked(call)?;
    let path = format!("/oauth/consent/{}", call.place.first());
    if let Some(elsewhere) = without_registration(call, &path) {
        return Ok(elsewhere);
    }
    if !client.is_for(access.role, access.organization.as_deref()) {
        return Ok(not_asked(call, StatusCode::FORBIDDEN, &Fault::NotForUser));
    }
    let must_choose = match server.must_choose(&request, access, now(call)) {
        Ok(must_choose) => must_choose,
        Err(Fault::Failed(what)) => return Err(Refusal::Broken(what)),
        Err(fault) => return Ok(not_asked(call, StatusCode::BAD_REQUEST, &fault)),
    };
    let patient = server.patient(&request, access, now(call)).map_err(refusal)?;
    let about = match &patient {
        Some(_) if access.role == Role::Patient => Some(call.say("나", "Myself").to_owned()),
        Some(id) => Some(load::person(&call.view()?, id)?.name(call.lang).to_owned()),
        None => None,
    };
    let content = html! {
        (who(call, &client, &request, about.as_deref()))
        (card(call.say("이 앱이 하려는 일", "What it would do"), html! {
            ul { @for line in words::scopes(&request.scopes, Whom::of(access.role), call.lang) { li { (line) } } }
        }))
        @if must_choose { (choice(call, &path)?) }
        @else { (card_plain(html! { (yes(call, &path, &html! {})) (no(call, &path)) })) }
    };
    let title = call.say(format!("‘{}’에 허용할까요?", client.name), format!("Allow “{}”?", client.name));
    let lead = html! { (call.say(
        "허용하면 이 앱이 내 이름으로 이음에 묻고 답을 받습니다. 모르는 앱이면 허용하지 마세요.",
        "If you allow it, the app asks Ieum in your name and gets the answers. Do not allow an app that you do not know.",
    )) };
    Ok(call.page(Frame { lead: Some(lead), ..Frame::new(&title, content) }))
}

/// Who asks, about whom, for how long, and where it goes from here.
fn who(call: &Call<'_>, client: &Client, request: &Request, about: Option<&str>) -> Markup {
    let is_offline = request.scopes.contains(&Scope::OfflineAccess);
    let until = call.now().checked_add(SignedDuration::from_secs(OFFLINE_SECONDS));
    let until = until.map(|until: Timestamp| format::date(format::korean_time(until).date(), call.lang));
    let length = if is_offline {
        let until = until.unwrap_or_default();
        call.say(
            format!("{until}까지, 내가 화면을 보고 있지 않을 때에도"),
            format!("Until {until}, also while you are not there"),
        )
    } else {
        call.say("지금부터 5분 동안".to_owned(), "For 5 minutes from now".to_owned())
    };
    let site = request.redirect_uri.split('/').nth(2).unwrap_or_default();
    card_plain(definitions(
        &[
            (call.say("앱", "App"), Some(html! { strong { (client.name) } })),
            (call.say("운영하는 곳", "Run by"), Some(html! { (client.organization) })),
            (call.say("누구의 기록", "Whose records"), about.map(|name| html! { (name) })),
            (call.say("기간", "For how long"), Some(html! { (length) })),
            (call.say("끝나면 갈 곳", "Then you go to"), Some(html! { (site) })),
        ],
        call.lang,
    ))
}

fn csrf<'c>(call: &'c Call<'_>) -> &'c str {
    call.session.as_ref().map_or("", |session| session.csrf.as_str())
}

fn yes(call: &Call<'_>, path: &str, fields: &Markup) -> Markup {
    let label = call.say("허용", "Allow");
    form_post(path, Some(csrf(call)), fields, &button(ButtonStyle::Primary, label))
}

fn no(call: &Call<'_>, path: &str) -> Markup {
    let (label, fields) = (call.say("허용하지 않음", "Do not allow"), [("csrf", csrf(call))]);
    button_post(ButtonStyle::Secondary, label, &format!("{path}/deny"), &fields)
}

/// For those who see more than one record: first somebody is looked for, then chosen.
fn choice(call: &Call<'_>, path: &str) -> Result<Markup, Refusal> {
    let lang = call.lang;
    let text = call.value("q").trim();
    let field = Field::new("q", call.say("어느 환자에 대해서인가요?", "About which patient?"));
    let input = text_input(&field, InputKind::Search, text, "off", lang);
    let hint = call.say("이름, 초성, 환자번호, 생년월일", "Name, initials, patient number or birth date");
    let form = SearchForm { action: path, fields: &[input], keep: &[], hint: Some(hint) };
    let found = if text.is_empty() { None } else { Some(ask(call, &call.view()?, text, PATIENTS)?) };
    let people: Vec<Person> = match &found {
        Some(Asked::Found { page, .. }) => {
            page.records.iter().filter_map(|record| read(record, Person::read)).collect()
        }
        _ => Vec::new(),
    };
    if !people.is_empty() {
        call.portal.hub().door().released(call.access()?, "authorize-find", "Patient")?;
    }
    let named: Vec<(String, String)> = people
        .iter()
        .map(|person| {
            let age = person.age(call.today(), lang).unwrap_or_default();
            let birth = person.birth.as_ref().map(|birth| birth.short(lang)).unwrap_or_default();
            (person.id.clone(), format!("{} · {} · {age} · {birth}", person.name(lang), person.sex(lang)))
        })
        .collect();
    let options: Vec<(&str, &str)> = named.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect();
    let field =
        Field { required: true, ..Field::new("patient", call.say("찾은 환자", "Patients found")) };
    Ok(card_plain(html! {
        (form.html(lang))
        @if let Some(Asked::Not(unasked)) = &found { (unasked_message(call, *unasked)) }
        @if let (Some(Asked::Found { .. }), true) = (&found, options.is_empty()) {
            p { (call.say("찾은 환자가 없습니다.", "No patient was found.")) }
        }
        @if !options.is_empty() { (yes(call, path, &radios(&field, &options, None, lang))) }
        (no(call, path))
    }))
}

/// `POST /oauth/consent/{request}`
pub(crate) fn allow(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (server, access, ..) = asked(call)?;
    let chosen = Some(call.field("patient")).filter(|id| !id.is_empty());
    match server.allow(call.place.first(), access, chosen, now(call)) {
        Ok(back) => Ok(go_back(call, &back)),
        Err(Fault::Failed(what)) => Err(Refusal::Broken(what)),
        // Nobody was chosen, or somebody who is not there: the page asks again.
        Err(Fault::Missing("patient")) => page(call),
        Err(fault) => Ok(not_asked(call, StatusCode::BAD_REQUEST, &fault)),
    }
}

/// `POST /oauth/consent/{request}/deny`
pub(crate) fn deny(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (server, access, ..) = asked(call)?;
    let back = server.deny(call.place.first(), access, now(call)).map_err(refusal)?;
    Ok(go_back(call, &back))
}

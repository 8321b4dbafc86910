//! What a person has to prove who they are, and where they are signed in.

use axum::http::StatusCode;
use ieum_trust::person::entry::Way;
use ieum_trust::person::{Person, keep};
use ieum_trust::records::Kept;
use ieum_ui::{
    ButtonStyle, Message, Table, Tone, badge, button, button_link, button_post, card_plain, disclosure,
    form_post, format, section,
};
use jiff::Timestamp;
use maud::{Markup, html};

use super::entry::factors::{Wrong, app_fields, password_fields};
use super::entry::{passkey, set_up, trouble};
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::session::{Session, Standing};

pub(crate) mod change;
mod links;

/// What went wrong with a change.
#[derive(Clone, Copy)]
enum Fault {
    Password(Wrong),
    App(Wrong),
    Passkey(&'static str),
    Link(&'static str),
}

/// `GET /my-login`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    shown(call, None)
}

fn shown(call: &Call<'_>, fault: Option<Fault>) -> Result<Reply, Refusal> {
    let Kept { id, value: person, .. } =
        keep::read(call.portal.hub().door(), call.person()?)?.ok_or(Refusal::SignIn)?;
    let content = html! {
        (section(call.say("패스키", "Passkeys"), passkeys(call, &id, &person)?))
        (section(call.say("비밀번호와 인증 앱", "Password and authenticator app"), password(call, &person, fault)))
        (section(call.say("복구 코드", "Recovery codes"), recovery(call, &person)))
        (links::section_of(call, &person))
        (section(call.say("로그인한 기기", "Where you are signed in"), devices(call, &id, person.generation)))
    };
    let lead = html! { (call.say(
        format!("로그인 이름은 {}입니다. 바꾸려면 본인 확인을 한 번 더 합니다. 패스키, 비밀번호, 인증 앱, 다른 기관의 로그인을 바꾸면 다른 기기에서는 로그아웃됩니다.", person.login),
        format!("Your log-in name is {}. To change something you confirm that it is you. When a passkey, the password, the app or a log-in elsewhere changes, you are signed out everywhere else.", person.login),
    )) };
    let accounts =
        button_link(ButtonStyle::Tertiary, call.say("계정 고르기", "Choose an account"), "/accounts");
    let flash = match fault {
        Some(Fault::Passkey(what) | Fault::Link(what)) => Some(trouble(what)),
        Some(Fault::Password(_) | Fault::App(_)) => Some(trouble(
            call.say("바꾸지 못했습니다. 아래를 고쳐 주세요.", "Nothing was changed: see below."),
        )),
        None => done(call),
    };
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = call.say("내 로그인", "My log-in");
    let frame = Frame {
        lead: Some(lead),
        actions: Some(accounts),
        trail: Some(&[]),
        flash,
        ..Frame::new(title, content)
    };
    Ok(call.page_with(status, frame))
}

fn done<'c>(call: &'c Call<'_>) -> Option<Message<'c>> {
    let title = match call.value("done") {
        "passkey" => call.say("패스키를 더했습니다.", "The passkey was added."),
        "removed" => call.say("패스키를 지웠습니다.", "The passkey was removed."),
        "password" => call.say("비밀번호를 바꾸었습니다.", "The password was changed."),
        "app" => call.say("인증 앱을 바꾸었습니다.", "The authenticator app was changed."),
        "linked" => call.say("다른 기관의 로그인을 이었습니다.", "The log-in elsewhere was linked."),
        "unlinked" => call.say("다른 기관의 로그인을 끊었습니다.", "The log-in elsewhere was unlinked."),
        "ended" => call.say("로그아웃했습니다.", "Signed out there."),
        _ => return None,
    };
    Some(Message { tone: Tone::Success, title, body: html! {} })
}

fn passkeys(call: &Call<'_>, id: &str, person: &Person) -> Result<Markup, Refusal> {
    let columns = [
        column(call.say("이름", "Name")),
        column_keep(call.say("더한 날", "Added")),
        column_keep(call.say("마지막 사용", "Last used")),
        column_keep(call.say("상태", "State")),
        column_keep(call.say("지우기", "Remove")),
    ];
    let rows = person.passkeys.iter().map(|passkey| {
        let state = if passkey.suspect {
            badge(Tone::Danger, call.say("복제 의심", "May be copied"))
        } else {
            badge(Tone::Success, call.say("쓸 수 있음", "Good"))
        };
        let action = format!("/my-login/passkeys/{}/remove", passkey.digest);
        vec![
            html! { (passkey.name) },
            html! { (instant(Some(passkey.added), call)) },
            html! { (instant(passkey.used, call)) },
            state,
            button_post(ButtonStyle::Danger, call.say("지우기", "Remove"), &action, &[("csrf", call.csrf())]),
        ]
    });
    let empty = call.say("패스키가 없습니다.", "There are no passkeys.");
    let table = Table {
        empty: Some(empty),
        ..Table::new(call.say("패스키", "Passkeys"), &columns, rows.collect())
    };
    let form = passkey::form_make(call, "/my-login/passkeys", &set_up::purpose(call)?, (id, person))?;
    Ok(html! { (table.html(call.lang)) (card_plain(form)) })
}

fn password(call: &Call<'_>, person: &Person, fault: Option<Fault>) -> Markup {
    let (of_password, of_app) = match fault {
        Some(Fault::Password(wrong)) => (Some(wrong), None),
        Some(Fault::App(wrong)) => (None, Some(wrong)),
        _ => (None, None),
    };
    let is_complete = person.password.is_some() && person.totp.is_some();
    let (tone, what) = if is_complete {
        (
            Tone::Success,
            call.say("비밀번호와 인증 번호로 들어올 수 있습니다.", "You can enter with password and code."),
        )
    } else {
        (Tone::Information, call.say(
            "비밀번호와 인증 앱을 둘 다 정하면 패스키 없이도 들어올 수 있습니다. 비밀번호만으로는 들어올 수 없습니다.",
            "With both a password and an app you can enter without a passkey. A password alone never suffices."))
    };
    let change = button(ButtonStyle::Secondary, call.say("비밀번호 바꾸기", "Change the password"));
    let use_app = button(ButtonStyle::Secondary, call.say("이 앱 쓰기", "Use this app"));
    let csrf = Some(call.csrf());
    html! {
        (Message { tone, title: what, body: html! {} }.html(call.lang))
        (disclosure(call.say("비밀번호 바꾸기", "Change the password"), of_password.is_some(),
            form_post("/my-login/password", csrf, &password_fields(call, &person.login, of_password), &change)))
        (disclosure(call.say("인증 앱 바꾸기", "Change the app"), of_app.is_some(),
            form_post("/my-login/app", csrf, &app_fields(call, &person.login, of_app), &use_app)))
    }
}

fn recovery(call: &Call<'_>, person: &Person) -> Markup {
    let left = person.recovery.len();
    let what = call.say(
        format!("인증 앱을 쓸 수 없을 때 비밀번호와 함께 인증 번호 대신 넣습니다. 하나를 한 번만 쓸 수 있습니다. 남은 코드: {left}개."),
        format!("When the app is not at hand, one stands in for a code, with the password. Each counts once. Left: {left}."),
    );
    let label = call.say("새로 만들기", "Make new ones");
    html! {
        p { (what) }
        (button_post(ButtonStyle::Secondary, label, "/my-login/recovery", &[("csrf", call.csrf())]))
    }
}

fn devices(call: &Call<'_>, person: &str, generation: u64) -> Markup {
    let current = call.session.as_ref().map_or("", |session| session.number.as_str());
    let columns = [
        column(call.say("기기", "Device")),
        column_keep(call.say("들어온 때", "Since")),
        column_keep(call.say("마지막 사용", "Last used")),
        column_keep(call.say("방법", "How")),
        column_keep(call.say("로그아웃", "Sign out")),
    ];
    let sessions = call.portal.sessions().of_person(person, generation, call.micros());
    let rows = sessions.iter().map(|session| {
        let action = format!("/my-login/devices/{}/end", session.number);
        let end = button_post(
            ButtonStyle::Tertiary,
            call.say("로그아웃", "Sign out"),
            &action,
            &[("csrf", call.csrf())],
        );
        let is_current = session.number == current;
        vec![
            html! { (session.device) },
            html! { (instant(Some(session.opened), call)) },
            html! { (instant(Some(session.seen), call)) },
            html! { (way_word(session, call)) },
            if is_current {
                badge(Tone::Information, call.say("지금 이 기기", "This one"))
            } else {
                end
            },
        ]
    });
    let table = Table::new(call.say("로그인한 기기", "Where you are signed in"), &columns, rows.collect());
    let label = call.say("다른 모든 기기에서 로그아웃", "Sign out everywhere else");
    html! {
        (table.html(call.lang))
        div .i-actions { (button_post(ButtonStyle::Danger, label, "/my-login/devices/end", &[("csrf", call.csrf())])) }
    }
}

fn way_word(session: &Session, call: &Call<'_>) -> String {
    let Standing::Person { way, .. } = &session.standing else { return "–".to_owned() };
    match way {
        Way::Passkey => call.say("패스키", "Passkey").to_owned(),
        Way::Code => call.say("비밀번호와 번호", "Password and code").to_owned(),
        Way::Recovery => call.say("복구 코드", "Recovery code").to_owned(),
        Way::Provider(id) => links::name(call, id),
        Way::ProviderCode(id) => {
            let name = links::name(call, id);
            call.say(format!("{name}, 인증 번호"), format!("{name}, code"))
        }
    }
}

pub(super) fn instant(micros: Option<i64>, call: &Call<'_>) -> String {
    let at = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    at.map_or_else(|| "–".to_owned(), |at| format::date_time(at, call.lang))
}

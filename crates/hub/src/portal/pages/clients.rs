//! The apps and systems of one institution, which its manager registers: the list, and one of them.

use ieum_trust::access::{Access, Role};
use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::authorization::client::{self, Client, Policy};
use ieum_trust::person::keep;
use ieum_trust::records::{self, Kept};
use ieum_ui::{
    ButtonStyle, Crumb, Field, Message, Table, Tone, button, button_link, button_post, card_plain,
    definitions, form_post, section, text_area,
};
use maud::{Markup, html};

use super::consent::words::{self, Whom};
use super::staff::{institution_of, organization};
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;

pub(crate) mod change;
pub(crate) mod register;

const LIST: &str = "/manager/clients";
/// Apps that one institution may have.
const MOST: usize = 200;

/// On whose authority the records of apps are read and written; who did it is in audit entries of their own.
fn access() -> Access {
    Access::system("client")
}

/// `GET /manager/clients`
pub(crate) fn list(call: &Call<'_>) -> Result<Reply, Refusal> {
    let organization = organization(call)?;
    let mut clients = client::of_institution(call.portal.hub().door(), &access(), &organization, MOST)?;
    clients.sort_by(|one, other| one.value.name.cmp(&other.value.name));
    let columns = [
        column(call.say("이름", "Name")),
        column_keep(call.say("무엇", "What")),
        column_keep(call.say("규칙", "Policy")),
        column("client_id"),
    ];
    let rows = clients.iter().map(|Kept { id, value, .. }| {
        vec![
            html! { a href={ (LIST) "/" (id) } { (value.name) } },
            html! { (what(call, value)) },
            html! { (policy_word(call, value.policy)) },
            html! { code { (id) } },
        ]
    });
    let empty = call.say("등록한 앱이나 시스템이 없습니다.", "No app or system is registered.");
    let title = call.say("앱과 시스템", "Apps and systems");
    let table = Table { empty: Some(empty), ..Table::new(title, &columns, rows.collect()) };
    let institution = institution_of(call, &organization)?;
    let lead = html! { (call.say(
        format!("{institution}의 앱과 시스템(EMR)입니다. 사람이 쓰는 앱은 이 기관의 직원과 환자만 쓸 수 있습니다."),
        format!("Apps and systems (EMRs) of {institution}. Apps for people are for its own staff and for patients."),
    )) };
    let register =
        button_link(ButtonStyle::Primary, call.say("등록하기", "Register one"), "/manager/clients/new");
    let flash = (call.value("done") == "ended").then(|| Message {
        tone: Tone::Success,
        title: call.say(
            "등록을 끝냈습니다. 받아 둔 토큰도 이제 쓸 수 없습니다.",
            "The registration has ended, and its tokens with it.",
        ),
        body: html! {},
    });
    let frame = Frame {
        lead: Some(lead),
        actions: Some(register),
        flash,
        ..Frame::new(title, table.html(call.lang))
    };
    Ok(call.page(frame))
}

fn what(call: &Call<'_>, client: &Client) -> &'static str {
    match (client.redirect_uris.is_empty(), client.account.is_some()) {
        (true, _) => call.say("시스템", "System"),
        (false, true) => call.say("앱과 시스템", "App and system"),
        (false, false) => call.say("앱", "App"),
    }
}

fn policy_word(call: &Call<'_>, policy: Policy) -> &'static str {
    match policy {
        Policy::Fapi2 => call.say("엄격 (FAPI 2.0)", "Strict (FAPI 2.0)"),
        Policy::Smart => "SMART",
    }
}

/// The app of the page, if it is one of the own institution.
fn own(call: &Call<'_>) -> Result<(String, Client), Refusal> {
    let organization = organization(call)?;
    let id = call.place.first();
    let client = client::read(call.portal.hub().door(), &access(), id)?.ok_or(Refusal::NotFound)?;
    if client.institution.as_deref() != Some(&organization) {
        return Err(Refusal::NotFound);
    }
    Ok((id.to_owned(), client))
}

/// Accounts of the institution that systems act as.
fn service_accounts(call: &Call<'_>) -> Result<Vec<Kept<Account>>, Refusal> {
    let view = call.portal.hub().door().view(&keep::access())?;
    let all = records::find::<Account>(&view, &ACCOUNT, ("organization", &organization(call)?), 1_000)?;
    Ok(all.into_iter().filter(|kept| kept.value.role == Role::Service).collect())
}

/// `GET /manager/clients/{id}`
pub(crate) fn one(call: &Call<'_>) -> Result<Reply, Refusal> {
    shown(call, None)
}

/// One app, with what is wrong with the keys that were sent.
fn shown(call: &Call<'_>, wrong: Option<&str>) -> Result<Reply, Refusal> {
    let (id, client) = own(call)?;
    let address = format!("{LIST}/{id}");
    let account = match &client.account {
        Some(account) => service_accounts(call)?.into_iter().find(|kept| kept.id == *account),
        None => None,
    };
    let lines = words::scopes(&client.scopes, Whom::OfUser, call.lang);
    let list = |all: &[String]| {
        (!all.is_empty()).then(|| html! { ul { @for one in all { li { code { (one) } } } } })
    };
    let mut facts = vec![
        ("client_id", Some(html! { code { (id) } })),
        (call.say("규칙", "Policy"), Some(html! { (policy_word(call, client.policy)) })),
        (
            call.say("할 수 있는 일", "What it may do"),
            Some(html! { ul { @for line in &lines { li { (line) } } } }),
        ),
        (call.say("범위", "Scopes"), Some(html! { code { (client.scopes) } })),
        (call.say("돌아갈 주소", "Addresses back"), list(&client.redirect_uris)),
        (
            call.say("시작 주소", "Launch address"),
            client.launch_uri.as_ref().map(|uri| html! { code { (uri) } }),
        ),
        (call.say("시스템 계정", "Account"), account.map(|kept| html! { (kept.value.name) })),
    ];
    // A system has no addresses, an app for people no account: that says nothing.
    facts.retain(|(_, fact)| fact.is_some());
    let facts = definitions(&facts, call.lang);
    let end = format!("{address}/end");
    let content = html! {
        (card_plain(facts))
        @if client.jwks.is_some() {
            (section(call.say("공개 키", "Public keys"), html! { (keys(call, &client)) (change_keys(call, &address, wrong)) }))
        }
        (section(call.say("등록 끝내기", "End the registration"), card_plain(html! {
            p { (call.say(
                "받아 둔 토큰까지 바로 쓸 수 없게 됩니다. 되돌릴 수 없고, 다시 쓰려면 새로 등록합니다.",
                "Its tokens are worth nothing from then on. It cannot be undone: to use it again, register it anew.")) }
            (button_post(ButtonStyle::Danger, call.say("끝내기", "End it"), &end, &[("csrf", call.csrf())]))
        })))
    };
    let done =
        match call.value("done") {
            "made" => Some(call.say(
                "등록했습니다. client_id를 앱을 만든 곳에 알려 주세요.",
                "Registered. Tell whoever makes it the client_id.",
            )),
            "keys" => Some(call.say(
                "키를 바꾸었습니다. 지금부터 적용됩니다.",
                "The keys were changed. It holds from now on.",
            )),
            _ => None,
        };
    let flash = match (wrong, done) {
        (Some(_), _) => Some(super::entry::trouble(
            call.say("바꾸지 못했습니다. 아래를 고쳐 주세요.", "Nothing was changed: see below."),
        )),
        (None, done) => done.map(|title| Message { tone: Tone::Success, title, body: html! {} }),
    };
    let trail = [Crumb { label: call.say("앱과 시스템", "Apps and systems"), href: LIST }];
    Ok(call.page_with(
        change::status(wrong),
        Frame { trail: Some(&trail), flash, ..Frame::new(&client.name, content) },
    ))
}

fn keys(call: &Call<'_>, client: &Client) -> Markup {
    let columns = [
        column("kid"),
        column_keep(call.say("종류", "Kind")),
        column(call.say("지문 (RFC 7638)", "Thumbprint (RFC 7638)")),
    ];
    let keys = client.keys();
    let rows = keys.iter().map(|key| {
        vec![
            html! { (key.kid().unwrap_or("–")) },
            html! { (key.kind()) },
            html! { code { (key.thumbprint()) } },
        ]
    });
    Table::new(call.say("공개 키", "Public keys"), &columns, rows.collect()).html(call.lang)
}

fn change_keys(call: &Call<'_>, address: &str, wrong: Option<&str>) -> Markup {
    let field = Field {
        hint: Some(call.say(
            "JWK 모음 전체를 넣습니다. 바꾸는 동안은 옛 키와 새 키를 함께 넣고(각각 kid가 있어야 합니다), 시스템이 새 키를 쓰게 되면 옛 키를 뺍니다.",
            "The whole JWK set. While changing over, give the old and the new key (each with a kid); once the system uses the new one, leave the old one out.",
        )),
        error: wrong,
        required: true,
        ..Field::new("jwks", call.say("새 공개 키 (JWKS)", "New public keys (JWKS)"))
    };
    let label = call.say("키 바꾸기", "Change the keys");
    let fields = text_area(&field, call.field("jwks"), 8, call.lang);
    card_plain(form_post(
        &format!("{address}/keys"),
        Some(call.csrf()),
        &fields,
        &button(ButtonStyle::Secondary, label),
    ))
}

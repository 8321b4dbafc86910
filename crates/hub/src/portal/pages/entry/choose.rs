//! As which account to act: chosen after entering, and changed without entering again.

use ieum_trust::access::Access;
use ieum_trust::account::Account;
use ieum_trust::records::Kept;
use ieum_ui::{ButtonStyle, Table, button_post, section};
use maud::html;

use super::accounts;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};
use crate::portal::pages::represent::representing::choices;
use crate::portal::pages::sign_in::{belongs, local};
use crate::portal::pages::{column, column_keep};
use crate::portal::record::fields::{read, text};
use crate::portal::routes;

/// `GET /accounts`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let accounts = accounts(call, call.person()?)?;
    let columns = [
        column(call.say("역할", "Role")),
        column(call.say("기관", "Institution")),
        column(call.say("부서", "Departments")),
        column_keep(call.say("고르기", "Choose")),
    ];
    let next = local(call.value("next")).unwrap_or("");
    let mut rows = Vec::with_capacity(accounts.len());
    for Kept { id, value, .. } in &accounts {
        let fields = [("account", id.as_str()), ("next", next), ("csrf", call.csrf())];
        rows.push(vec![
            html! { (role_word(value.role, call.lang)) },
            html! { (institution(call, value)?) },
            html! { (value.departments.join(", ")) },
            button_post(
                ButtonStyle::Secondary,
                call.say("이 계정으로", "As this account"),
                "/accounts",
                &fields,
            ),
        ]);
    }
    let caption = call.say("내 계정", "My accounts");
    let empty = call.say(
        "지금은 계정이 없습니다. 일하는 기관의 관리자에게 초대를 부탁하세요.",
        "You have no account at present. Ask the manager of your institution to invite you.",
    );
    let table = Table { empty: Some(empty), ..Table::new(caption, &columns, rows) };
    let lead = html! { (call.say("어느 계정으로 일할지 고르세요. 다시 로그인하지 않고 언제든 바꿀 수 있습니다.",
    "Choose as which account to act. You can change it at any time without signing in again.")) };
    let content = html! {
        (table.html(call.lang))
        (section(call.say("다른 사람을 대신하여", "For somebody else"), choices(call)?))
    };
    let title = call.say("계정 고르기", "Choose an account");
    Ok(call.page(Frame { lead: Some(lead), ..Frame::new(title, content) }))
}

/// `POST /accounts`
pub(crate) fn choose(call: &Call<'_>) -> Result<Reply, Refusal> {
    let chosen = accounts(call, call.person()?)?.into_iter().find(|kept| kept.id == call.field("account"));
    let account = chosen.ok_or(Refusal::NotFound)?;
    let access = account.value.access(&account.id);
    let home = routes::home(access.role).ok_or(Refusal::NotFound)?;
    let to = local(call.field("next")).filter(|path| belongs(path, access.role)).unwrap_or(home).to_owned();
    call.portal.hub().door().released(
        &access,
        "account-choose",
        &format!("IeumPerson/{}", call.person()?),
    )?;
    if let Some(cookie) = &call.cookie {
        call.portal.sessions().choose(cookie, access, &account.value.name);
    }
    Ok(Reply::See(to, Vec::new()))
}

/// What the institution of an account is called.
pub(crate) fn institution(call: &Call<'_>, account: &Account) -> Result<String, Refusal> {
    let Some(id) = &account.organization else { return Ok("–".to_owned()) };
    let view = call.portal.hub().door().view(&Access::system("people"))?;
    let record = view.read("Organization", id)?.filter(|record| !record.is_deleted());
    let name = record.and_then(|record| read(&record, |value| text(value, &["name"])).flatten());
    Ok(name.unwrap_or_else(|| id.clone()))
}

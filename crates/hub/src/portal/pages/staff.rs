//! The staff of one institution: its manager invites, changes and ends accounts; its privacy officer sees who may enter.

use ieum_trust::access::Role;
use ieum_trust::account::{ACCOUNT, Account};
use ieum_trust::person::{Person, State, keep};
use ieum_trust::records::{self, Kept};
use ieum_ui::{Table, Tone, badge};
use maud::{Markup, html};

use super::entry::choose::institution;
use super::my_login::instant;
use super::{column, column_keep};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};

pub(crate) mod change;
pub(crate) mod manager;

/// Accounts of one institution that are shown.
const SHOWN: usize = 1_000;
/// The roles that a manager gives, and whose accounts are staff; systems and operators are not theirs.
pub(crate) const ROLES: [Role; 3] = [Role::Clinician, Role::Manager, Role::Privacy];

/// One account of the staff, with its person if somebody has taken it over.
struct Member {
    account: Kept<Account>,
    person: Option<Kept<Person>>,
}

/// `GET /privacy`: who may enter in the name of the own institution.
pub(crate) fn privacy(call: &Call<'_>) -> Result<Reply, Refusal> {
    let organization = organization(call)?;
    let staff = all(call, &organization)?;
    let content = table(call, &staff, false);
    let name = institution_of(call, &organization)?;
    let lead = html! { (call.say(
        format!("{name}의 이름으로 들어올 수 있는 사람입니다. 그만둔 사람이나 모르는 사람이 있으면 기관 관리자에게 알리세요."),
        format!("Those who may enter in the name of {name}. If somebody has left, or is not known to you, tell the institution's manager."),
    )) };
    let title = call.say("들어올 수 있는 사람", "Who may enter");
    Ok(call.page(Frame { lead: Some(lead), ..Frame::new(title, content) }))
}

/// The institution in whose name somebody acts.
pub(super) fn organization(call: &Call<'_>) -> Result<String, Refusal> {
    call.access()?.organization.clone().ok_or(Refusal::NotFound)
}

fn account(call: &Call<'_>, id: &str) -> Result<Option<Kept<Account>>, Refusal> {
    Ok(records::read(&call.portal.hub().door().view(&keep::access())?, &ACCOUNT, id)?)
}

pub(super) fn institution_of(call: &Call<'_>, organization: &str) -> Result<String, Refusal> {
    let account = Account { organization: Some(organization.to_owned()), ..Account::new("", Role::Manager) };
    institution(call, &account)
}

fn all(call: &Call<'_>, organization: &str) -> Result<Vec<Member>, Refusal> {
    let view = call.portal.hub().door().view(&keep::access())?;
    let accounts = records::find::<Account>(&view, &ACCOUNT, ("organization", organization), SHOWN)?;
    drop(view);
    let accounts = accounts.into_iter().filter(|account| ROLES.contains(&account.value.role));
    let mut staff: Vec<Member> =
        accounts.map(|account| member(call, account)).collect::<Result<_, Refusal>>()?;
    staff.sort_by(|one, other| one.account.value.name.cmp(&other.account.value.name));
    Ok(staff)
}

fn member(call: &Call<'_>, account: Kept<Account>) -> Result<Member, Refusal> {
    let person = account.value.person.as_deref();
    let person = person.map(|id| keep::read(call.portal.hub().door(), id)).transpose()?.flatten();
    Ok(Member { account, person })
}

fn table(call: &Call<'_>, staff: &[Member], with_links: bool) -> Markup {
    let columns = [
        column(call.say("이름", "Name")),
        column_keep(call.say("역할", "Role")),
        column(call.say("부서", "Departments")),
        column(call.say("로그인 이름", "Log-in name")),
        column_keep(call.say("상태", "State")),
        column_keep(call.say("마지막 로그인", "Last entry")),
    ];
    let rows = staff.iter().map(|member| {
        let Account { name, role, departments, .. } = &member.account.value;
        let person = member.person.as_ref().map(|kept| &kept.value);
        let href = format!("/manager/staff/{}", member.account.id);
        vec![
            html! { @if with_links { a href=(href) { (name) } } @else { (name) } },
            html! { (role_word(*role, call.lang)) },
            html! { (departments.join(", ")) },
            html! { (person.map_or("–", |person| person.login.as_str())) },
            state(call, member),
            html! { (instant(person.and_then(|person| person.last_entry), call)) },
        ]
    });
    let empty = call.say("아직 아무도 없습니다.", "There is nobody yet.");
    let table =
        Table { empty: Some(empty), ..Table::new(call.say("직원", "Staff"), &columns, rows.collect()) };
    table.html(call.lang)
}

fn state(call: &Call<'_>, member: &Member) -> Markup {
    match member.person.as_ref().map(|kept| kept.value.state) {
        Some(State::Active) => badge(Tone::Success, call.say("쓰는 중", "Active")),
        Some(State::Locked) => badge(Tone::Danger, call.say("잠김", "Locked")),
        Some(State::Ended) => badge(Tone::Neutral, call.say("끝남", "Ended")),
        None if member.account.value.secret_digest.is_some() => {
            badge(Tone::Information, call.say("비밀값 계정", "With a secret"))
        }
        None | Some(State::Invited) => {
            let open =
                member.account.value.invitation.as_ref().is_some_and(|open| call.micros() < open.until);
            if open {
                badge(Tone::Information, call.say("초대함", "Invited"))
            } else {
                badge(Tone::Warning, call.say("초대 끝남", "Invitation over"))
            }
        }
    }
}

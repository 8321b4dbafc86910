//! What a manager does with accounts of the own institution. Each asks that they have just shown who they are, and
//! leaves an audit entry with the manager's name before it is done.

use ieum_trust::access::Role;
use ieum_trust::account::{self, ACCOUNT, Account};
use ieum_trust::person::keep;
use ieum_trust::records;
use ieum_ui::{ButtonStyle, Message, Tone, button_link};
use maud::html;

use super::manager::{is_self, list, may_invite_again, own};
use super::{ROLES, organization};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;

/// Characters of a name, and of a department.
const NAME_CHARS: usize = 80;
/// Departments of one account.
const DEPARTMENTS: usize = 20;

/// `POST /manager/staff`
pub(crate) fn invite(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh("/manager")?;
    let organization = organization(call)?;
    let name = call.field("name").trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS {
        return list(
            call,
            Some(call.say("이름을 80자까지 넣으세요.", "A name of up to 80 characters is needed.")),
        );
    }
    let (role, departments) = role_and_departments(call)?;
    let account = Account { organization: Some(organization), departments, ..Account::new(name, role) };
    let door = call.portal.hub().door();
    door.released(call.access()?, "staff-invite", role.name())?;
    let (id, token) = account::invite(door, &keep::access(), account, call.micros())?;
    Ok(link(call, &id, &token))
}

/// `POST /manager/staff/{id}/invite`
pub(crate) fn invite_again(call: &Call<'_>) -> Result<Reply, Refusal> {
    let member = own(call)?;
    call.fresh(&format!("/manager/staff/{}", member.account.id))?;
    if is_self(call, &member) || !may_invite_again(call, &member)? {
        return Err(Refusal::NotFound);
    }
    note(call, "staff-invite", &member.account.id)?;
    let door = call.portal.hub().door();
    let (id, within) = (&member.account.id, member.account.value.organization.as_deref());
    let token = account::invite_again(door, &keep::access(), id, within, call.micros())?;
    Ok(link(call, id, &token.ok_or(Refusal::NotFound)?))
}

/// `POST /manager/staff/{id}`
pub(crate) fn change(call: &Call<'_>) -> Result<Reply, Refusal> {
    let member = own(call)?;
    let address = format!("/manager/staff/{}", member.account.id);
    call.fresh(&address)?;
    if is_self(call, &member) {
        return Err(Refusal::NotFound);
    }
    let (role, departments) = role_and_departments(call)?;
    note(call, "staff-change", &member.account.id)?;
    let (organization, id) = (member.account.value.organization, member.account.id);
    let (door, access) = (call.portal.hub().door(), keep::access());
    let changed =
        records::change(door, (&access, "staff-change"), (&ACCOUNT, &id), &[], |account: &mut Account| {
            // It may have been moved since it was looked at.
            if account.organization != organization {
                return None;
            }
            account.role = role;
            account.departments.clone_from(&departments);
            Some(())
        })?;
    changed.ok_or(Refusal::NotFound)?;
    Ok(Reply::See(format!("{address}?done=changed"), Vec::new()))
}

/// `POST /manager/staff/{id}/end`
pub(crate) fn end(call: &Call<'_>) -> Result<Reply, Refusal> {
    let member = own(call)?;
    call.fresh(&format!("/manager/staff/{}", member.account.id))?;
    if is_self(call, &member) {
        return Err(Refusal::NotFound);
    }
    note(call, "staff-end", &member.account.id)?;
    let is_ended =
        keep::end_account(call.portal.hub().door(), (&keep::access(), "staff-end"), &member.account)?;
    if is_ended { Ok(Reply::See("/manager?done=ended".to_owned(), Vec::new())) } else { Err(Refusal::Busy) }
}

fn role_and_departments(call: &Call<'_>) -> Result<(Role, Vec<String>), Refusal> {
    let role = Role::from_name(call.field("role")).filter(|role| ROLES.contains(role)).ok_or(Refusal::Bad)?;
    let departments = call.field("departments").split(',').map(str::trim).filter(|name| !name.is_empty());
    let departments: Vec<String> = departments.map(ToOwned::to_owned).collect();
    let is_bounded = departments.iter().all(|name| name.chars().count() <= NAME_CHARS);
    if departments.len() > DEPARTMENTS || !is_bounded {
        return Err(Refusal::Bad);
    }
    Ok((role, departments))
}

fn note(call: &Call<'_>, action: &str, account: &str) -> Result<(), Refusal> {
    let target = format!("IeumAccount/{account}");
    Ok(call.portal.hub().door().released(call.access()?, action, &target)?)
}

/// The page that shows a link, once.
fn link(call: &Call<'_>, account: &str, token: &str) -> Reply {
    let base = call.portal.hub().base_url();
    let origin = call.portal.site().map_or(base.strip_suffix("/fhir").unwrap_or(base), |site| &site.origin);
    let what = call.say(
        "이 링크는 지금만 보입니다. 본인에게 안전한 길로 전하세요. 가진 사람은 누구나 그 사람이 될 수 있고, 사흘 동안 한 번 쓸 수 있습니다.",
        "The link is shown this once. Give it to them by a safe way: whoever holds it can become them. It is good once, for three days.",
    );
    let copied = call.say("복사했습니다", "Copied");
    let content = html! {
        (Message { tone: Tone::Warning, title: what, body: html! {} }.html(call.lang))
        div .i-code {
            pre tabindex="0" role="region" aria-label=(call.say("초대 링크", "Invitation")) {
                code #invitation { (origin) "/welcome/" (token) }
            }
            button .krds-btn .small .tertiary type="button" hidden data-copy="invitation" data-copied=(copied) {
                (call.say("복사", "Copy"))
            }
        }
        div .i-actions {
            (button_link(ButtonStyle::Primary, call.say("직원 목록으로", "To the staff"), "/manager"))
            (button_link(ButtonStyle::Tertiary, call.say("이 계정 보기", "This account"), &format!("/manager/staff/{account}")))
        }
    };
    call.page(Frame { trail: Some(&[]), ..Frame::new(call.say("초대 링크", "Invitation"), content) })
}

//! The manager's pages: the list with a form to invite, and one account.

use axum::http::StatusCode;
use ieum_trust::account::Account;
use ieum_trust::person::State;
use ieum_ui::{
    ButtonStyle, Crumb, Field, InputKind, Message, Tone, button, button_post, card_plain, definitions,
    form_post, section, select, text_input,
};
use maud::{Markup, html};

use super::{Member, ROLES, account, all, institution_of, member, organization, state, table};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};
use crate::portal::pages::entry::{accounts, trouble};
use crate::portal::pages::my_login::instant;

/// `GET /manager`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    list(call, None)
}

/// The list, with what is missing in the form to invite.
pub(super) fn list(call: &Call<'_>, missing: Option<&str>) -> Result<Reply, Refusal> {
    let organization = organization(call)?;
    let staff = all(call, &organization)?;
    let name = Field { error: missing, required: true, ..Field::new("name", call.say("이름", "Name")) };
    let fields = html! {
        (text_input(&name, InputKind::Text, call.field("name"), "off", call.lang))
        (role_and_departments(call, call.field("role"), call.field("departments")))
    };
    let invite = button(ButtonStyle::Primary, call.say("초대 링크 만들기", "Make an invitation"));
    let content = html! {
        (section(call.say("직원", "Staff"), table(call, &staff, true)))
        (section(call.say("직원 초대", "Invite"), card_plain(form_post("/manager/staff", Some(call.csrf()), &fields, &invite))))
    };
    let institution = institution_of(call, &organization)?;
    let lead = html! { (call.say(
        format!("{institution}의 이름으로 일하는 사람들입니다. 환자의 기록은 여기에서 보이지 않습니다."),
        format!("Those who act in the name of {institution}. No record of a patient is shown here."),
    )) };
    let flash = match (missing, call.value("done")) {
        (Some(_), _) => Some(trouble(call.say("초대하지 못했습니다.", "Nobody was invited."))),
        (None, "ended") => Some(Message {
            tone: Tone::Success,
            title: call.say("계정을 끝냈습니다.", "The account has ended."),
            body: html! {},
        }),
        _ => None,
    };
    let status = if missing.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = call.say("기관 직원", "Staff of the institution");
    Ok(call.page_with(status, Frame { lead: Some(lead), flash, ..Frame::new(title, content) }))
}

fn role_and_departments(call: &Call<'_>, role: &str, departments: &str) -> Markup {
    let options = ROLES.map(|role| (role.name(), role_word(role, call.lang)));
    let chosen = options.iter().map(|(name, _)| *name).find(|name| *name == role).unwrap_or("clinician");
    let field = Field { required: true, ..Field::new("role", call.say("역할", "Role")) };
    let hint = call.say("여럿이면 쉼표로 나눕니다. 예: 내과, 응급실", "Several are parted by commas.");
    let of = Field { hint: Some(hint), ..Field::new("departments", call.say("부서", "Departments")) };
    html! {
        (select(&field, &options, Some(chosen), call.lang))
        (text_input(&of, InputKind::Text, departments, "off", call.lang))
    }
}

/// `GET /manager/staff/{id}`
pub(crate) fn one(call: &Call<'_>) -> Result<Reply, Refusal> {
    let member = own(call)?;
    let Account { name, role, departments, .. } = &member.account.value;
    let person = member.person.as_ref().map(|kept| &kept.value);
    let facts = definitions(
        &[
            (call.say("상태", "State"), Some(state(call, &member))),
            (call.say("역할", "Role"), Some(html! { (role_word(*role, call.lang)) })),
            (call.say("로그인 이름", "Log-in name"), person.map(|person| html! { (person.login) })),
            (
                call.say("마지막 로그인", "Last entry"),
                person.and_then(|person| person.last_entry).map(|at| html! { (instant(Some(at), call)) }),
            ),
        ],
        call.lang,
    );
    let address = format!("/manager/staff/{}", member.account.id);
    let fields = role_and_departments(call, role.name(), &departments.join(", "));
    let save = button(ButtonStyle::Primary, call.say("바꾸기", "Change"));
    let content = html! {
        (facts)
        @if is_self(call, &member) {
            p .i-soft { (call.say("내 계정입니다. 역할을 바꾸거나 끝내려면 다른 관리자에게 부탁하세요.",
                "This is your own account. To change or end it, ask another manager.")) }
        } @else {
            (section(call.say("역할과 부서", "Role and departments"), card_plain(form_post(&address, Some(call.csrf()), &fields, &save))))
            (others(call, &member, &address)?)
        }
    };
    let flash = (call.value("done") == "changed").then(|| Message {
        tone: Tone::Success,
        title: call.say(
            "바꾸었습니다. 다음에 무엇을 누르든 새 역할로 보입니다.",
            "Changed. It holds from their next step on.",
        ),
        body: html! {},
    });
    let trail = [Crumb { label: call.say("직원", "Staff"), href: "/manager" }];
    Ok(call.page(Frame { trail: Some(&trail), flash, ..Frame::new(name, content) }))
}

/// A new invitation, where a manager may make one, and the end.
fn others(call: &Call<'_>, member: &Member, address: &str) -> Result<Markup, Refusal> {
    let fields = [("csrf", call.csrf())];
    let again = format!("{address}/invite");
    let end = format!("{address}/end");
    Ok(html! {
        @if may_invite_again(call, member)? {
            (section(call.say("초대 링크 다시 만들기", "A new invitation"), card_plain(html! {
                p { (call.say(
                    "링크를 잃었거나 로그인 수단을 모두 잃었을 때 씁니다. 그 링크로 로그인 수단을 처음부터 다시 정합니다.",
                    "For a link that was lost, or when every way in was lost: by the new link they set up anew how they sign in.")) }
                (button_post(ButtonStyle::Secondary, call.say("새 링크 만들기", "Make a new link"), &again, &fields))
            })))
        }
        (section(call.say("계정 끝내기", "End the account"), card_plain(html! {
            p { (call.say(
                "이 기관의 이름으로는 더 들어올 수 없습니다. 열려 있던 화면도 바로 닫힙니다. 그동안 남긴 기록은 그대로입니다.",
                "They cannot enter in the name of this institution any more, and what is open closes at once. What they wrote stays.")) }
            (button_post(ButtonStyle::Danger, call.say("끝내기", "End it"), &end, &fields))
        })))
    })
}

/// Who has accounts elsewhere too is not for this manager to give new ways in: those would open the others as well.
pub(super) fn may_invite_again(call: &Call<'_>, member: &Member) -> Result<bool, Refusal> {
    if member.account.value.secret_digest.is_some() {
        return Ok(false);
    }
    let Some(person) = &member.person else { return Ok(true) };
    let accounts = accounts(call, &person.id)?;
    let all_here = accounts.iter().all(|other| other.value.organization == member.account.value.organization);
    Ok(all_here && matches!(person.value.state, State::Invited | State::Active))
}

/// The account of the page, if it is one of the own institution.
pub(super) fn own(call: &Call<'_>) -> Result<Member, Refusal> {
    let organization = organization(call)?;
    let account = account(call, call.place.first())?.ok_or(Refusal::NotFound)?;
    if account.value.organization.as_ref() != Some(&organization) || !ROLES.contains(&account.value.role) {
        return Err(Refusal::NotFound);
    }
    member(call, account)
}

/// Whether it is the manager's own.
pub(super) fn is_self(call: &Call<'_>, member: &Member) -> bool {
    call.access().is_ok_and(|access| access.actor == member.account.id)
}

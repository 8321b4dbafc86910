//! A manager registers an app or a system of the own institution. What it may ask for has bounds: a system acts as a
//! service account of the institution, and what people use is for its own people and for patients (`Client::is_for`).

use ieum_trust::access::Role;
use ieum_trust::account::{self, Account};
use ieum_trust::authorization::client::{self, Client, Policy};
use ieum_trust::authorization::scopes::{ScopeError, Scopes};
use ieum_ui::{
    ButtonStyle, Crumb, Field, InputKind, button, card_plain, form_post, radios, select, text_area,
    text_input,
};
use maud::{Markup, html};

use super::change::{jwks, note, status, unreadable, wrong};
use super::{LIST, MOST, access, service_accounts};
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::pages::entry::trouble;
use crate::portal::pages::staff::{institution_of, organization};

const PAGE: &str = "/manager/clients/new";
/// The choice of an account that is made with the registration.
const NEW_ACCOUNT: &str = "new";
/// Letters of what people know an app's institution by.
const NAME_LETTERS: usize = 80;

/// What is wrong with the form: in which field, and what.
type Wrong = (&'static str, &'static str);

/// `GET /manager/clients/new`: who they are is asked before they fill it in, and not after.
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    shown(call, None)
}

/// `POST /manager/clients`
pub(crate) fn register(call: &Call<'_>) -> Result<Reply, Refusal> {
    call.fresh(PAGE)?;
    let organization = organization(call)?;
    let door = call.portal.hub().door();
    if client::of_institution(door, &access(), &organization, MOST)?.len() >= MOST {
        let full = call.say(
            "200개까지 등록할 수 있습니다. 쓰지 않는 것을 먼저 끝내세요.",
            "There can be 200. End one that is not used first.",
        );
        return shown(call, Some(("name", full)));
    }
    let mut described = match described(call, &organization)? {
        Ok(client) => client,
        Err(wrong) => return shown(call, Some(wrong)),
    };
    if let Err(error) = described.check() {
        let wrong = wrong(call, error)?;
        return shown(call, Some(wrong));
    }
    note(call, "client-register", "")?;
    if described.account.as_deref() == Some(NEW_ACCOUNT) {
        let of_system =
            Account { organization: Some(organization), ..Account::new(&described.name, Role::Service) };
        described.account = Some(account::create_for_tokens(door, &access(), &of_system)?);
    }
    match client::create(door, &access(), &described) {
        Ok(id) => Ok(Reply::See(format!("{LIST}/{id}?done=made"), Vec::new())),
        Err(error) => {
            let wrong = wrong(call, error)?;
            shown(call, Some(wrong))
        }
    }
}

/// The app that the form describes.
fn described(call: &Call<'_>, organization: &str) -> Result<Result<Client, Wrong>, Refusal> {
    let policy = Policy::from_name(call.field("policy")).ok_or(Refusal::Bad)?;
    let scopes = match Scopes::parse(call.field("scope").trim()) {
        Ok(scopes) => scopes,
        Err(error) => return Ok(Err(("scope", scope_word(call, error)))),
    };
    let institution: String = institution_of(call, organization)?.chars().take(NAME_LETTERS).collect();
    let mut client = Client::new(call.field("name").trim(), &institution, policy, scopes);
    client.institution = Some(organization.to_owned());
    let lines = call.field("redirects").lines().map(str::trim).filter(|line| !line.is_empty());
    client.redirect_uris = lines.map(ToOwned::to_owned).collect();
    let given = |name: &str| Some(call.field(name).trim().to_owned()).filter(|text| !text.is_empty());
    client.launch_uri = given("launch");
    client.account = given("account");
    if let Some(account) = &client.account {
        let is_own = account == NEW_ACCOUNT || service_accounts(call)?.iter().any(|kept| kept.id == *account);
        if !is_own {
            return Err(Refusal::Bad);
        }
    }
    if given("jwks").is_some() {
        match jwks(call) {
            Some(jwks) => client.jwks = Some(jwks),
            None => return Ok(Err(("jwks", unreadable(call)))),
        }
    }
    Ok(Ok(client))
}

fn scope_word(call: &Call<'_>, error: ScopeError) -> &'static str {
    match error {
        ScopeError::None => call.say("범위를 하나 이상 넣으세요.", "Name at least one scope."),
        ScopeError::TooMany => call.say("범위가 너무 많습니다: 100개, 4096바이트까지입니다.", "These are too many: 100 scopes and 4096 bytes."),
        ScopeError::Selection => call.say(
            "물음표 뒤의 조건은 레코드 자신의 값만 고를 수 있습니다. 예: category, code",
            "What follows a question mark may select by values of the record itself alone, such as category or code.",
        ),
        ScopeError::Unknown => call.say(
            "알 수 없는 범위가 있습니다. patient/, user/, system/ 뒤에 자원 종류나 *, 점, cruds 가운데 몇 글자를 이 차례로 씁니다.",
            "A scope is not known: patient/, user/ or system/, then a resource type or *, a point, and some of cruds in this order.",
        ),
    }
}

fn shown(call: &Call<'_>, wrong: Option<Wrong>) -> Result<Reply, Refusal> {
    let fields = fields(call, wrong)?;
    let label = call.say("등록", "Register");
    let content =
        card_plain(form_post(LIST, Some(call.csrf()), &fields, &button(ButtonStyle::Primary, label)));
    let lead = html! { (call.say(
        "여기서 정한 것은 앱이 바꿀 수 없습니다. 키는 나중에 바꿀 수 있고, 나머지를 바꾸려면 새로 등록합니다.",
        "What is decided here no app can change. Keys can be changed later; for all else it is registered anew.",
    )) };
    let flash = wrong.map(|_| {
        trouble(call.say("등록하지 못했습니다. 아래를 고쳐 주세요.", "Nothing was registered: see below."))
    });
    let trail = [Crumb { label: call.say("앱과 시스템", "Apps and systems"), href: LIST }];
    let title = call.say("앱이나 시스템 등록", "Register an app or a system");
    let frame = Frame { lead: Some(lead), trail: Some(&trail), flash, ..Frame::new(title, content) };
    Ok(call.page_with(status(wrong.map(|(_, what)| what)), frame))
}

fn fields(call: &Call<'_>, wrong: Option<Wrong>) -> Result<Markup, Refusal> {
    let lang = call.lang;
    let field = |name: &'static str, ko: &'static str, en: &'static str| Field {
        error: wrong.filter(|(field, _)| *field == name).map(|(_, what)| what),
        ..Field::new(name, call.say(ko, en))
    };
    let name = Field { required: true, ..field("name", "이름", "Name") };
    let policies = [
        (
            Policy::Fapi2.name(),
            call.say(
                "엄격 (FAPI 2.0): 키가 있는 앱과 시스템",
                "Strict (FAPI 2.0): apps and systems with keys",
            ),
        ),
        (
            Policy::Smart.name(),
            call.say(
                "SMART: 브라우저나 휴대전화의 앱, SMART 시스템",
                "SMART: apps in a browser or on a phone, SMART systems",
            ),
        ),
    ];
    let chosen = Policy::from_name(call.field("policy")).unwrap_or(Policy::Fapi2).name();
    let policy = Field { required: true, ..field("policy", "규칙", "Policy") };
    let scope = Field {
        required: true,
        hint: Some(call.say(
            "예: 환자의 앱은 launch/patient patient/*.rs, 진료실의 앱은 user/*.rs, EMR은 system/*.cruds",
            "For example: launch/patient patient/*.rs for patients, user/*.rs for staff, system/*.cruds for an EMR",
        )),
        ..field("scope", "범위", "Scopes")
    };
    let redirects = Field {
        hint: Some(call.say(
            "허용한 뒤 돌아갈 주소. 한 줄에 하나씩, 글자 하나까지 같아야 합니다.",
            "Where people are sent back to: one a line, compared letter by letter.",
        )),
        ..field("redirects", "돌아갈 주소", "Addresses back")
    };
    let launch = Field {
        hint: Some(call.say(
            "진료 화면에서 여는 앱만. launch 범위와 함께 씁니다.",
            "Only for apps opened from a chart; goes with the scope launch.",
        )),
        ..field("launch", "시작 주소", "Launch address")
    };
    let jwks = Field {
        hint: Some(call.say(
            "공개 키만: {\"keys\": […]}. 키가 여럿이면 각각 kid가 있어야 합니다.",
            "Public keys alone: {\"keys\": […]}. With several each needs a kid.",
        )),
        ..field("jwks", "공개 키 (JWKS)", "Public keys (JWKS)")
    };
    let account = Field {
        hint: Some(call.say(
            "system/ 범위가 있을 때만. 시스템은 이 계정으로서 이 기관의 이름으로 일합니다.",
            "Only with system/ scopes: the system acts as this account, in the name of the institution.",
        )),
        ..field("account", "시스템 계정", "Account")
    };
    let known = service_accounts(call)?;
    let mut accounts =
        vec![("", call.say("없음", "None")), (NEW_ACCOUNT, call.say("새로 만들기", "Make a new one"))];
    accounts.extend(known.iter().map(|kept| (kept.id.as_str(), kept.value.name.as_str())));
    Ok(html! {
        (text_input(&name, InputKind::Text, call.field("name"), "off", lang))
        (radios(&policy, &policies, Some(chosen), lang))
        (text_input(&scope, InputKind::Text, call.field("scope"), "off", lang))
        (text_area(&redirects, call.field("redirects"), 3, lang))
        (text_input(&launch, InputKind::Text, call.field("launch"), "off", lang))
        (text_area(&jwks, call.field("jwks"), 6, lang))
        (select(&account, &accounts, Some(call.field("account")), lang))
    })
}

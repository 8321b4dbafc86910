//! The apps that somebody has allowed to act in their name, and how they take that back.

use std::collections::BTreeMap;

use ieum_trust::access::{Access, Role};
use ieum_trust::authorization::client::{self, CLIENT, Client};
use ieum_trust::authorization::grant::{self, Grant};
use ieum_ui::{ButtonStyle, Message, Tone, button_post, card, definitions, format};
use jiff::Timestamp;
use maud::{Markup, html};

use super::consent::words::{self, Whom};
use crate::authorization::seconds;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;

const PAGE: &str = "/my-apps";

/// What one app was allowed, as often as that was.
struct App {
    client: Client,
    grants: Vec<Grant>,
}

/// `GET /my-apps`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let apps = apps(call)?;
    let content = html! {
        @if apps.is_empty() {
            (Message {
                tone: Tone::Information,
                title: call.say("연결된 앱이 없습니다.", "No app is connected."),
                body: html! { p { (call.say(
                    "앱이 이음에 연결하려 하면 먼저 나에게 묻습니다. 허용한 앱이 여기에 나타납니다.",
                    "An app that wants to connect asks you first. Those that you allow appear here.")) } },
            }.html(call.lang))
        }
        @for (id, app) in &apps { (card_of(call, id, app)) }
    };
    let flash = (call.value("done") == "ended").then(|| Message {
        tone: Tone::Success,
        title: call.say(
            "연결을 끊었습니다. 이 앱은 지금부터 아무것도 볼 수 없습니다.",
            "Disconnected. From now on the app sees nothing.",
        ),
        body: html! {},
    });
    let lead = html! { (call.say(
        "내 이름으로 이음에 묻도록 내가 허용한 앱입니다. 연결은 언제든 끊을 수 있고, 끊으면 바로 적용됩니다.",
        "The apps that you allowed to ask Ieum in your name. You can disconnect them at any time, and it holds at once.",
    )) };
    let title = call.say("연결된 앱", "Connected apps");
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(title, content) }))
}

/// The apps that whoever is signed in has allowed something, by id.
fn apps(call: &Call<'_>) -> Result<BTreeMap<String, App>, Refusal> {
    let hub = call.portal.hub();
    let mut apps = BTreeMap::<String, App>::new();
    for kept in grant::living(hub.door(), &call.access()?.actor, seconds(hub))? {
        let id = kept.grant.client.clone();
        if let Some(app) = apps.get_mut(&id) {
            app.grants.push(kept.grant);
        } else if let Some(client) = client::read(hub.door(), &Access::system("apps"), &id)? {
            apps.insert(id, App { client, grants: vec![kept.grant] });
        }
    }
    Ok(apps)
}

fn card_of(call: &Call<'_>, id: &str, app: &App) -> Markup {
    let day = |at: i64| {
        let at = Timestamp::from_second(at).unwrap_or_default();
        html! { (format::date(format::korean_time(at).date(), call.lang)) }
    };
    let whom = if call.role() == Some(Role::Patient) { Whom::Reader } else { Whom::Chosen };
    let lines = app.grants.iter().flat_map(|grant| words::scopes(&grant.scopes, whom, call.lang));
    let mut may: Vec<String> = Vec::new();
    for line in lines {
        if !may.contains(&line) {
            may.push(line);
        }
    }
    let facts = definitions(
        &[
            (call.say("운영하는 곳", "Run by"), Some(html! { (app.client.organization) })),
            (call.say("처음 허용한 날", "Since"), app.grants.iter().map(|grant| grant.made).min().map(day)),
            (
                call.say("마지막으로 쓴 날", "Last used"),
                app.grants.iter().filter_map(|grant| grant.used).max().map(day),
            ),
            (call.say("끝나는 날", "Until"), app.grants.iter().map(|grant| grant.ends).max().map(day)),
        ],
        call.lang,
    );
    let label =
        call.say(format!("‘{}’ 연결 끊기", app.client.name), format!("Disconnect “{}”", app.client.name));
    card(
        &app.client.name,
        html! {
            (facts)
            p { (call.say("이 앱이 할 수 있는 일", "What it may do")) }
            ul { @for line in &may { li { (line) } } }
            (button_post(ButtonStyle::Danger, &label, &format!("{PAGE}/{id}/end"), &[("csrf", call.csrf())]))
        },
    )
}

/// `POST /my-apps/{client}/end`: its tokens are worth nothing from the next request on.
pub(crate) fn end(call: &Call<'_>) -> Result<Reply, Refusal> {
    let (door, access) = (call.portal.hub().door(), call.access()?);
    let id = apps(call)?.into_keys().find(|id| id == call.place.first()).ok_or(Refusal::NotFound)?;
    door.released(access, "app-end", &format!("{}/{id}", CLIENT.name))?;
    grant::revoke_app(door, &access.actor, &id)?;
    Ok(Reply::See(format!("{PAGE}?done=ended"), Vec::new()))
}

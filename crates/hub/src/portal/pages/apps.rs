//! Apps that a clinician starts from a patient's record (SMART App Launch 2.2, "EHR launch").

use ieum_trust::access::Access;
use ieum_trust::authorization::client::{self, Client};
use ieum_trust::authorization::fault::Fault;
use ieum_trust::authorization::request::Launch;
use ieum_ui::{ButtonStyle, Message, Tone, button_post, card};
use maud::html;

use super::room::{Part, Room};
use crate::authorization::seconds;
use crate::percent::with_pairs;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::Frame;
use crate::portal::record::load;

/// Those that whoever is signed in can start, with their ids.
fn apps(call: &Call<'_>) -> Result<Vec<(String, Client)>, Refusal> {
    if call.portal.hub().authorization().is_none() {
        return Ok(Vec::new());
    }
    let all = client::list(call.portal.hub().door(), &Access::system("apps"))?;
    let access = call.access()?;
    let is_theirs = |client: &Client| client.is_for(access.role, access.organization.as_deref());
    let can_start = |(_, client): &(String, Client)| client.launch_uri.is_some() && is_theirs(client);
    Ok(all.into_iter().filter(can_start).collect())
}

/// `GET /patients/{id}/apps`
pub(crate) fn of_patient(call: &Call<'_>) -> Result<Reply, Refusal> {
    let room = Room::of_patient(call)?;
    let csrf = call.session.as_ref().map_or("", |session| session.csrf.as_str());
    let (apps, id) = (apps(call)?, &room.person.id);
    let content = html! {
        @if apps.is_empty() {
            (Message {
                tone: Tone::Information,
                title: call.say("여기서 열 수 있는 앱이 없습니다.", "There is no app to open from here."),
                body: html! { p { (call.say("앱은 이음을 운영하는 곳에서 등록합니다.", "Whoever runs Ieum registers apps.")) } },
            }.html(call.lang))
        }
        @for (client, app) in &apps {
            (card(&app.name, html! {
                p { (app.organization) }
                (button_post(
                    ButtonStyle::Secondary,
                    &call.say(format!("{} 열기", app.name), format!("Open {}", app.name)),
                    &format!("/patients/{id}/apps/{client}"),
                    &[("csrf", csrf)],
                ))
            }))
        }
    };
    Ok(room.page_below(Part::Summary, Some(call.say("앱", "Apps")), &content))
}

/// `POST /patients/{id}/apps/{client}`
pub(crate) fn launch(call: &Call<'_>) -> Result<Reply, Refusal> {
    let hub = call.portal.hub();
    let authorization = hub.authorization().ok_or(Refusal::NotFound)?;
    let patient = load::person(&call.view()?, call.place.first())?.id;
    let (id, app) =
        apps(call)?.into_iter().find(|(id, _)| id == call.place.last()).ok_or(Refusal::NotFound)?;
    let access = call.access()?;
    hub.door().released(access, "launch", &format!("Patient/{patient}"))?;
    let launch = Launch { account: access.actor.clone(), client: id, patient };
    let launch = authorization
        .server
        .launch(launch, seconds(hub))
        .map_err(|fault: Fault| Refusal::Broken(fault.to_string()))?;
    let address = app.launch_uri.unwrap_or_default();
    let to = with_pairs(&address, [("iss", hub.base_url()), ("launch", &launch)]);
    let title = call.say("앱을 엽니다", "Opening the app");
    let label = call.say("앱 열기", "Open the app");
    let content = html! { div .i-actions { (ieum_ui::button_link(ButtonStyle::Primary, label, &to)) } };
    Ok(call.onward(to, Frame::new(title, content)))
}

//! The operator's page of subscriptions: how each stands. What it is about is not shown, because filters and ids are
//! patient data; of its endpoint only the host is.

use ieum_ui::{ButtonStyle, Message, Table, Tone, badge, button_post, format};
use maud::{Markup, html};

use super::refresh;
use crate::outgoing::Trouble;
use crate::portal::call::{Call, Refusal, Reply};
use crate::portal::frame::{Frame, role_word};
use crate::portal::pages::{column, column_keep, column_number};
use crate::subscriptions::keep::{self, Kept};
use crate::subscriptions::notify;
use crate::subscriptions::record::{Channel, Reason, State, Subscriber};

/// Subscriptions shown, the newest first.
const SHOWN: usize = 200;

/// `/operator/subscriptions`
pub(crate) fn page(call: &Call<'_>) -> Result<Reply, Refusal> {
    let all = keep::newest(call.portal.hub(), SHOWN)?;
    let columns = [
        column_keep(call.say("상태", "State")),
        column(call.say("주제", "Topic")),
        column(call.say("보내는 곳", "Sent to")),
        column(call.say("누가", "Who")),
        column_number(call.say("보냄", "Told")),
        column_number(call.say("대기", "Waiting")),
        column(call.say("끄기", "Turn off")),
    ];
    let view = call.portal.hub().door().view(&keep::access())?;
    let mut rows = Vec::with_capacity(all.len());
    for kept in &all {
        let key = &kept.subscriber.key;
        let (made, told) =
            (notify::newest_number(call.portal.hub(), &view, key)?, keep::delivered(&view, key)?);
        rows.push(vec![
            state(call, kept),
            html! { (kept.subscriber.topic.rsplit('/').next().unwrap_or_default()) },
            html! { (channel(call, &kept.subscriber)) },
            html! { code .i-small { (kept.subscriber.owner.actor) } " " span .i-soft .i-small { (role_word(kept.subscriber.owner.role, call.lang)) } },
            html! { (format::integer(told)) },
            html! { (format::integer(made.saturating_sub(told))) },
            off_button(call, &kept.subscriber),
        ]);
    }
    drop(view);
    let caption = call.say("구독", "Subscriptions");
    let empty = call.say("구독이 없습니다.", "There are no subscriptions.");
    let table = Table { empty: Some(empty), ..Table::new(caption, &columns, rows) };
    let content = html! { (refresh(call)) (table.html(call.lang)) };
    let lead = html! { (call.say("기록이 바뀌면 알려 달라고 한 곳들입니다. 무엇에 관한 구독인지는 보이지 않습니다. 끄면 더는 아무것도 나가지 않고, 만든 쪽이 다시 켤 수 있습니다.",
    "Those who asked to be told when records change. What a subscription is about is not shown. Once off, nothing leaves any more; its maker can ask again.")) };
    let flash = (call.value("done") == "off").then(|| Message {
        tone: Tone::Success,
        title: call.say("구독을 껐습니다.", "The subscription is off."),
        body: html! {},
    });
    Ok(call.page(Frame { lead: Some(lead), trail: Some(&[]), flash, ..Frame::new(caption, content) }))
}

/// `POST /operator/subscriptions/{key}/off`
pub(crate) fn off(call: &Call<'_>) -> Result<Reply, Refusal> {
    let hub = call.portal.hub();
    let all = keep::newest(hub, SHOWN)?;
    let kept = all.into_iter().find(|kept| kept.subscriber.key == call.place.first());
    let kept = kept.ok_or(Refusal::NotFound)?;
    hub.door().released(call.access()?, "operator-subscription-off", "Subscription")?;
    keep::end(hub, &kept.id, Reason::Operator).map_err(|error| match error {
        ieum_store::commit::CommitError::Store(error) => Refusal::Failed(error),
        _ => Refusal::Busy,
    })?;
    Ok(Reply::See("/operator/subscriptions?done=off".to_owned(), Vec::new()))
}

fn state(call: &Call<'_>, kept: &Kept) -> Markup {
    let subscriber = &kept.subscriber;
    let badge = match subscriber.state {
        State::Requested => badge(Tone::Information, call.say("기다리는 중", "Requested")),
        State::Active => badge(Tone::Success, call.say("켜짐", "Active")),
        State::Error => badge(Tone::Danger, call.say("오류", "Error")),
        State::Off => badge(Tone::Neutral, call.say("꺼짐", "Off")),
    };
    let trouble = call.portal.hub().subscriptions().and_then(|all| all.trouble(&kept.id));
    html! {
        (badge)
        @if let Some(reason) = subscriber.reason { p .i-small .i-soft { (reason_word(call, reason)) } }
        @if let Some((times, trouble)) = trouble { p .i-small .i-soft { (trouble_word(call, times, trouble)) } }
    }
}

fn reason_word(call: &Call<'_>, reason: Reason) -> &'static str {
    match reason {
        Reason::Failed => call.say("여러 번 보내지 못했습니다.", "Could not be told too often."),
        Reason::Access => {
            call.say("만든 계정이 없거나 역할이 바뀌었습니다.", "Its account is gone or has another role.")
        }
        Reason::Filter => call.say("조건을 더는 읽을 수 없습니다.", "Its filters cannot be read any more."),
        Reason::Behind => call.say("대기가 너무 많아졌습니다.", "Too many events waited."),
        Reason::End => call.say("기한이 끝났습니다.", "Its end has come."),
        Reason::Maker => call.say("만든 쪽이 껐습니다.", "Turned off by its maker."),
        Reason::Operator => call.say("운영자가 껐습니다.", "Turned off by an operator."),
    }
}

fn trouble_word(call: &Call<'_>, times: u32, trouble: Trouble) -> String {
    let what = match trouble {
        Trouble::NotAllowed => call.say("허용되지 않은 주소", "address not allowed").to_owned(),
        Trouble::Unreachable => call.say("연결되지 않음", "no connection").to_owned(),
        Trouble::Timeout => call.say("응답 없음", "no answer in time").to_owned(),
        Trouble::Status(status) => call.say(format!("응답 {status}"), format!("answered {status}")),
    };
    call.say(format!("연속 {times}번 실패: {what}"), format!("{times} failures in a row: {what}"))
}

/// The channel, and of an endpoint only where it is: the rest of the address may be a secret.
fn channel(call: &Call<'_>, subscriber: &Subscriber) -> String {
    match &subscriber.channel {
        Channel::RestHook { endpoint, .. } => {
            let uri = endpoint.parse::<axum::http::Uri>().ok();
            uri.as_ref().and_then(|uri| uri.host()).unwrap_or_default().to_owned()
        }
        Channel::Websocket => call.say("웹소켓", "WebSocket").to_owned(),
    }
}

fn off_button(call: &Call<'_>, subscriber: &Subscriber) -> Markup {
    if subscriber.state == State::Off {
        return html! {};
    }
    let csrf = call.session.as_ref().map_or("", |session| session.csrf.as_str());
    let action = format!("/operator/subscriptions/{}/off", subscriber.key);
    button_post(ButtonStyle::Danger, call.say("끄기", "Turn off"), &action, &[("csrf", csrf)])
}

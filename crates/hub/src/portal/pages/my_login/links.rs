//! Who a person is at providers elsewhere: linked and unlinked.

use ieum_trust::person::Person;
use ieum_ui::{ButtonStyle, Table, button_post, section};
use maud::{Markup, html};

use super::instant;
use crate::federation::Known;
use crate::portal::call::Call;
use crate::portal::pages::entry::elsewhere::{What, providers, words};
use crate::portal::pages::{column, column_keep};

/// What people call the provider of an id; the id, when it is not offered any more.
pub(super) fn name(call: &Call<'_>, id: &str) -> String {
    let known = providers(call).iter().find(|known| known.provider.id == id);
    known.map_or(id, |known| words::name(call, &known.provider)).to_owned()
}

/// The section of the page; nothing where no provider is offered and none is linked.
pub(super) fn section_of(call: &Call<'_>, person: &Person) -> Markup {
    if providers(call).is_empty() && person.links.is_empty() {
        return html! {};
    }
    let columns = [
        column(call.say("기관", "Provider")),
        column_keep(call.say("이은 날", "Linked")),
        column_keep(call.say("마지막 사용", "Last used")),
        column_keep(call.say("끊기", "Unlink")),
    ];
    let rows = person.links.iter().map(|link| {
        let known = providers(call).iter().find(|known| known.provider.issuer == link.issuer);
        let action = format!("/my-login/links/{}/remove", link.identity);
        vec![
            match known {
                Some(known) => html! { (words::name(call, &known.provider)) },
                None => html! { (link.issuer) " " span .i-soft { (call.say("(지금은 쓸 수 없음)", "(not offered now)")) } },
            },
            html! { (instant(Some(link.added), call)) },
            html! { (instant(link.used, call)) },
            button_post(ButtonStyle::Danger, call.say("끊기", "Unlink"), &action, &[("csrf", call.csrf())]),
        ]
    });
    let empty = call.say("이어 둔 로그인이 없습니다.", "Nothing is linked.");
    let table = Table { empty: Some(empty), ..Table::new(words::title(call), &columns, rows.collect()) };
    let is_new = |known: &&Known| person.links.iter().all(|link| link.issuer != known.provider.issuer);
    let offered: Vec<&Known> = providers(call).iter().filter(is_new).collect();
    section(
        words::title(call),
        html! {
            (table.html(call.lang))
            @if !offered.is_empty() {
                p { (call.say(
                    "이으면 그 기관의 로그인으로도 들어올 수 있습니다. 그 기관에서 본인을 다시 확인합니다. 이메일이나 이름으로 저절로 이어지는 일은 없습니다.",
                    "Once linked, you can enter with that log-in too. You show there again who you are. Nothing is ever linked by e-mail address or name.")) }
                (words::buttons(call, &offered, What::Link, None))
            }
        },
    )
}

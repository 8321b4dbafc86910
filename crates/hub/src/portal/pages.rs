//! One file for each page, and what several of them share.

pub(crate) mod document;
pub(crate) mod documents;
pub(crate) mod enter;
pub(crate) mod error;
mod explain;
pub(crate) mod find;
pub(crate) mod immunisations;
pub(crate) mod medicines;
pub(crate) mod operator;
pub(crate) mod problems;
mod question;
pub(crate) mod result;
pub(crate) mod results;
mod room;
pub(crate) mod sign_in;
pub(crate) mod start;
pub(crate) mod summary;
pub(crate) mod timeline;
pub(crate) mod vitals;

use ieum_ui::{Align, Column, Lang, Message, Tone};
use maud::{Markup, html};

/// A column of text.
const fn column(label: &str) -> Column<'_> {
    Column { label, align: Align::Text }
}

/// A column whose cells stay on one line.
const fn column_keep(label: &str) -> Column<'_> {
    Column { label, align: Align::Keep }
}

/// A column of numbers.
const fn column_number(label: &str) -> Column<'_> {
    Column { label, align: Align::Number }
}

/// Says that a list does not go all the way back.
fn cut_notice(is_cut: bool, limit: usize, lang: Lang) -> Markup {
    if !is_cut {
        return html! {};
    }
    let title = lang.pick(
        format!("기록이 많아 최근 {limit}건까지만 불러왔습니다."),
        format!("The record is long: only the latest {limit} entries were read."),
    );
    let body = html! {
        p { (lang.pick("더 오래된 것은 진료 이력에서 볼 수 있습니다.", "Older ones are in the visits.")) }
    };
    Message { tone: Tone::Information, title: &title, body }.html(lang)
}

//! Page frame and components of the portal, in KRDS (Korea's government design system), Korean and English.
//!
//! Every component is a pure function from data to [`maud::Markup`]; text given to it is escaped. A page is a
//! [`Page`] with its own content inside:
//!
//! ```
//! use ieum_ui::{Lang, Message, Page, Tone, maud::html, section};
//!
//! let page = Page {
//!     lang: Lang::Ko,
//!     title: "환자 찾기",
//!     lead: None,
//!     actions: None,
//!     path: "/patients?q=ㄱㅁㅅ",
//!     demo: true,
//!     home: "/",
//!     nav: &[],
//!     viewer: None,
//!     banner: None,
//!     trail: Some(&[]),
//!     flash: Some(Message { tone: Tone::Success, title: "저장했습니다.", body: html! {} }),
//!     footer: &[],
//!     content: section("최근 환자", html! { p { "<없음>" } }),
//! };
//! let document = page.html().into_string();
//! assert!(document.starts_with("<!DOCTYPE html><html lang=\"ko\">"));
//! assert!(document.contains("&lt;없음&gt;"));
//! ```
//!
//! Pages hold no inline script or style, so that they can be sent with a strict Content-Security-Policy. `docs/ui.md`
//! tells how to add one.

pub mod assets;
mod block;
pub mod chart;
mod form;
pub mod format;
mod icon;
mod message;
mod page;
mod table;
mod text;
mod timeline;

pub use maud;

pub use block::{
    ButtonStyle, Grid, Tab, button, button_link, button_post, button_print, card, card_figure, card_link,
    card_plain, columns, definitions, definitions_inline, disclosure, disclosure_quiet, grid, pagination,
    section, tab_links, tabs,
};
pub use form::{Field, InputKind, SearchForm, checkbox, form_post, radios, select, text_area, text_input};
pub use icon::Icon;
pub use message::{Message, Progress, Tone, badge, badge_icon, empty};
pub use page::{Crumb, NavItem, Page, Viewer, lang_url};
pub use table::{Align, Column, Narrow, Table};
pub use text::{Lang, Text, items};
pub use timeline::{Entry, Group, Kind, timeline};

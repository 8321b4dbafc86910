//! Blocks of content: cards, definition lists, disclosures, tabs, buttons and page links.

use maud::{Markup, Render, html};

use crate::{Icon, Lang, Text};

/// The weight of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ButtonStyle {
    /// The one main action of a page or form.
    Primary,
    /// An important action beside it.
    Secondary,
    /// Any other action.
    Tertiary,
    /// An action without a frame.
    Text,
    /// An action that takes something away.
    Danger,
}

impl ButtonStyle {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "krds-btn medium primary",
            Self::Secondary => "krds-btn medium secondary",
            Self::Tertiary => "krds-btn medium tertiary",
            Self::Text => "krds-btn medium text",
            Self::Danger => "krds-btn medium i-btn-danger",
        }
    }
}

/// A button that sends the form around it.
#[must_use]
pub fn button(style: ButtonStyle, label: &str) -> Markup {
    html! { button class=(style.class()) type="submit" { (label) } }
}

/// A button that sends its own small form by POST: for actions outside a form. `fields` are hidden names and values.
#[must_use]
pub fn button_post(style: ButtonStyle, label: &str, action: &str, fields: &[(&str, &str)]) -> Markup {
    html! {
        form method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button class=(style.class()) type="submit" { (label) }
        }
    }
}

/// A link that looks like a button.
#[must_use]
pub fn button_link(style: ButtonStyle, label: &str, href: &str) -> Markup {
    html! { a class=(style.class()) href=(href) { (label) } }
}

/// A button that opens the browser's print dialogue; shown only where scripts run.
#[must_use]
pub fn button_print(lang: Lang) -> Markup {
    html! {
        button class=(ButtonStyle::Tertiary.class()) type="button" hidden data-print {
            (Icon::Print.html()) (Text::Print.get(lang))
        }
    }
}

/// A card with a heading of level 3.
#[must_use]
pub fn card(title: &str, body: impl Render) -> Markup {
    html! { section .i-card { h3 .i-card__title { (title) } (body) } }
}

/// A card without heading.
#[must_use]
pub fn card_plain(body: impl Render) -> Markup {
    html! { div .i-card { (body) } }
}

/// A card that is one link as a whole: for start pages.
#[must_use]
pub fn card_link(icon: Icon, title: &str, text: &str, href: &str) -> Markup {
    html! {
        a .i-card href=(href) {
            span .i-card__title { (icon.html()) (title) }
            p .i-soft { (text) }
        }
    }
}

/// A card with one number: for overviews. `unit` may be empty.
#[must_use]
pub fn card_figure(label: &str, number: &str, unit: &str, note: Option<&str>) -> Markup {
    html! {
        div .i-card {
            p .i-soft { (label) }
            p .i-figure { (number) @if !unit.is_empty() { small { (unit) } } }
            @if let Some(note) = note { p .i-small .i-soft { (note) } }
        }
    }
}

/// Names and values. A value that is `None` is shown as "not recorded", so that a gap is seen as a gap.
#[must_use]
pub fn definitions(rows: &[(&str, Option<Markup>)], lang: Lang) -> Markup {
    definitions_in("i-list", rows, lang)
}

/// The same beside one another: for the line under a patient's name.
#[must_use]
pub fn definitions_inline(rows: &[(&str, Option<Markup>)], lang: Lang) -> Markup {
    definitions_in("i-list i-list--inline", rows, lang)
}

fn definitions_in(class: &str, rows: &[(&str, Option<Markup>)], lang: Lang) -> Markup {
    html! {
        dl class=(class) {
            @for (name, value) in rows {
                div {
                    dt { (name) }
                    dd {
                        @match value {
                            Some(value) => (value),
                            None => span .i-soft { (Text::NotRecorded.get(lang)) },
                        }
                    }
                }
            }
        }
    }
}

/// A part of the page that opens on demand.
#[must_use]
pub fn disclosure(summary: &str, open: bool, body: impl Render) -> Markup {
    html! {
        details .i-details open[open] {
            summary { span { (summary) } (Icon::Down.html()) }
            div .i-details__body { (body) }
        }
    }
}

/// The same without a frame: for the table behind a chart.
#[must_use]
pub fn disclosure_quiet(summary: &str, body: impl Render) -> Markup {
    html! {
        details .i-details .i-details--quiet {
            summary { span { (summary) } (Icon::Down.html()) }
            div .i-details__body { (body) }
        }
    }
}

/// One tab over a panel of the same page.
#[derive(Clone, Debug)]
pub struct Tab<'a> {
    /// The panel's `id`, unique in the page.
    pub id: &'a str,
    /// The word on the tab.
    pub label: &'a str,
    /// How many things are in it.
    pub count: Option<u64>,
    /// The panel.
    pub body: Markup,
}

/// Panels under tabs. Without scripts they are sections one below the other with links to them.
#[must_use]
pub fn tabs(tabs: &[Tab<'_>], lang: Lang) -> Markup {
    html! {
        div .i-tabs data-tabs {
            div .tab .line role="navigation" aria-label=(Text::InThisPage.get(lang)) {
                ul data-tab-list {
                    @for tab in tabs {
                        li {
                            a .btn-tab href={ "#" (tab.id) } {
                                (tab.label)
                                @if let Some(count) = tab.count {
                                    span .i-number .i-soft { " " (crate::format::integer(count)) }
                                }
                            }
                        }
                    }
                }
            }
            @for tab in tabs {
                section .i-panel #(tab.id) { h2 .i-panel__title { (tab.label) } (tab.body) }
            }
        }
    }
}

/// Tabs that are pages of their own: label, address, whether it is the page shown.
#[must_use]
pub fn tab_links(label: &str, links: &[(&str, &str, bool)]) -> Markup {
    html! {
        nav .tab .line aria-label=(label) {
            ul {
                @for (label, href, current) in links {
                    li .active[*current] {
                        a .btn-tab href=(href) aria-current=[current.then_some("page")] { (label) }
                    }
                }
            }
        }
    }
}

/// Links to the previous and the next page of a list; nothing when there is neither.
#[must_use]
pub fn pagination(previous: Option<&str>, next: Option<&str>, lang: Lang) -> Markup {
    if previous.is_none() && next.is_none() {
        return html! {};
    }
    html! {
        nav .i-pagination aria-label=(Text::Pages.get(lang)) {
            @if let Some(href) = previous {
                a class=(ButtonStyle::Tertiary.class()) rel="prev" href=(href) {
                    (Icon::Left.html()) (Text::Previous.get(lang))
                }
            }
            @if let Some(href) = next {
                a class=(ButtonStyle::Tertiary.class()) rel="next" href=(href) {
                    (Text::Next.get(lang)) (Icon::Right.html())
                }
            }
        }
    }
}

/// A section with a heading of level 2.
#[must_use]
pub fn section(title: &str, body: impl Render) -> Markup {
    html! { section .i-section { h2 { (title) } (body) } }
}

/// A main column and a narrow one to its right, one below the other on small screens.
#[must_use]
pub fn columns(main: impl Render, side: impl Render) -> Markup {
    html! { div .i-columns { div .i-flow { (main) } div .i-flow { (side) } } }
}

/// How wide the cells of a grid of cards are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grid {
    /// Figures: at least 200 px.
    Small,
    /// Cards: at least 300 px.
    Cards,
    /// Charts: at least 360 px.
    Charts,
}

/// Cards beside one another, as many as fit.
#[must_use]
pub fn grid(width: Grid, cards: impl IntoIterator<Item = Markup>) -> Markup {
    let class = match width {
        Grid::Small => "i-cards i-cards--small",
        Grid::Cards => "i-cards",
        Grid::Charts => "i-cards i-cards--charts",
    };
    html! { div class=(class) { @for card in cards { (card) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_shown_as_missing() {
        let text = definitions(&[("혈액형", None), ("성별", Some(html! { "<i>" }))], Lang::Ko).into_string();
        assert!(text.contains("기록 없음") && text.contains("&lt;i&gt;"));
    }

    #[test]
    fn pagination_appears_only_where_there_is_somewhere_to_go() {
        assert_eq!(pagination(None, None, Lang::Ko).into_string(), "");
        let text = pagination(None, Some("/p?a=1&b=\""), Lang::En).into_string();
        assert!(text.contains("/p?a=1&amp;b=&quot;") && !text.contains("Previous"));
    }
}

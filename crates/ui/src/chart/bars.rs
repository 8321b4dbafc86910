//! Counts by kind as horizontal bars. The chart is itself a table, so no other is needed behind it.

use maud::{Markup, html};

use super::px;
use crate::{Lang, Text, empty, format};

/// One bar.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// What is counted.
    pub label: &'a str,
    /// Where to read on.
    pub href: Option<&'a str>,
    /// How many.
    pub count: u64,
}

/// Bars in the given order, their length in proportion to the largest count.
#[must_use]
pub fn bars(caption: &str, bars: &[Bar<'_>], lang: Lang) -> Markup {
    let Some(largest) = bars.iter().map(|bar| bar.count).max() else {
        return html! { figure .i-chart { figcaption .i-chart__title { (caption) } (empty(Text::NoData.get(lang))) } };
    };
    html! {
        table .i-bars {
            caption { (caption) }
            thead .i-hidden {
                tr { th scope="col" { (Text::Kind.get(lang)) } th scope="col" { (Text::Count.get(lang)) } }
            }
            tbody {
                @for bar in bars {
                    tr {
                        th scope="row" {
                            @match bar.href {
                                Some(href) => a href=(href) { (bar.label) },
                                None => (bar.label),
                            }
                        }
                        td aria-hidden="true" {
                            svg { rect .c-track width="100%" height="100%" rx="3" {}
                                rect .c-bar width={ (px(share(bar.count, largest))) "%" } height="100%" rx="3" {} }
                        }
                        td .i-bars__count { (format::integer(bar.count)) }
                    }
                }
            }
        }
    }
}

/// The length in percent; a count above zero is always seen.
#[expect(clippy::cast_precision_loss, reason = "a length on screen")]
pub(super) fn share(count: u64, largest: u64) -> f64 {
    match (count, largest) {
        (0, _) | (_, 0) => 0.0,
        _ => (count as f64 / largest as f64 * 100.0).max(0.5),
    }
}

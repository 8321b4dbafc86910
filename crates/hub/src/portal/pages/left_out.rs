//! What a page does not show, so that nobody takes it for the whole.

use ieum_ui::{Lang, Message, Tone};
use maud::{Markup, html};

use crate::portal::record::load::Found;

/// What the searches of one page left out.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    cut: Vec<(&'static str, usize)>,
    withdrawn: usize,
}

impl LeftOut {
    /// What was found, remembering what was not. `what` names it in the reader's language.
    pub(super) fn take<T>(&mut self, what: &'static str, found: Found<T>) -> Vec<T> {
        if found.is_cut {
            self.cut(what, found.limit);
        }
        self.withdrawn += found.withdrawn;
        found.items
    }

    /// Remembers that only so many of something were read.
    pub(super) fn cut(&mut self, what: &'static str, limit: usize) {
        self.cut.push((what, limit));
    }

    /// Remembers records that do not count.
    pub(super) fn withdrawn(&mut self, count: usize) {
        self.withdrawn += count;
    }

    /// Whether older ones of something were not read: "none" then means none among the latest.
    pub(super) fn is_cut(&self, what: &str) -> bool {
        self.cut.iter().any(|(other, _)| *other == what)
    }

    /// Says all of it; nothing when nothing was left out.
    pub(super) fn notice(&self, lang: Lang) -> Markup {
        html! {
            @if !self.cut.is_empty() { (self.cut_message(lang)) }
            @if self.withdrawn > 0 { p .i-small .i-soft { (withdrawn_words(self.withdrawn, lang)) } }
        }
    }

    fn cut_message(&self, lang: Lang) -> Markup {
        let each = self.cut.iter().map(|(what, limit)| {
            lang.pick(
                format!("{what} 최근 {limit}건까지만"),
                format!("only the latest {limit} of {}", what.to_lowercase()),
            )
        });
        let each = each.collect::<Vec<_>>().join(", ");
        let title = lang.pick(
            format!("기록이 많아 {each} 불러왔습니다."),
            format!("The record is long: this page read {each}."),
        );
        let body = html! {
            p { (lang.pick("더 오래된 것은 진료 이력에서 볼 수 있습니다.", "Older ones are in the visits.")) }
        };
        Message { tone: Tone::Warning, title: &title, body }.html(lang)
    }
}

fn withdrawn_words(count: usize, lang: Lang) -> String {
    match (lang, count) {
        (Lang::Ko, _) => {
            format!(
                "잘못 입력되었거나, 취소되었거나, 배제되었거나, 작성 중인 기록 {count}건은 보이지 않습니다."
            )
        }
        (Lang::En, 1) => {
            "1 record that was entered in error, cancelled, refuted or never finished is not shown.".into()
        }
        (Lang::En, _) => {
            format!(
                "{count} records that were entered in error, cancelled, refuted or never finished are not shown."
            )
        }
    }
}

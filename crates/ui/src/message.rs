//! Messages, badges and other small marks whose tone is said in words as well as in colour.

use maud::{Markup, html};

use crate::{Icon, Lang, Text};

/// What a mark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Nothing in particular.
    Neutral,
    /// The main colour.
    Primary,
    /// Something to know.
    Information,
    /// Something that went well.
    Success,
    /// Something to look out for.
    Warning,
    /// Something that went wrong or is dangerous.
    Danger,
    /// Something that must not be overlooked, and is nobody's error: an allergy.
    Alert,
}

impl Tone {
    const fn badge_class(self) -> &'static str {
        match self {
            Self::Neutral => "bg-light-gray",
            Self::Primary => "bg-light-primary",
            Self::Information => "bg-light-information",
            Self::Success => "bg-light-success",
            Self::Warning => "bg-light-warning",
            Self::Danger | Self::Alert => "bg-light-danger",
        }
    }

    const fn message_class(self) -> &'static str {
        match self {
            Self::Neutral | Self::Primary | Self::Information => "i-message--information",
            Self::Success => "i-message--success",
            Self::Warning => "i-message--warning",
            Self::Danger | Self::Alert => "i-message--danger",
        }
    }

    /// The picture of the tone.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Primary | Self::Information => Icon::Information,
            Self::Success => Icon::Success,
            Self::Warning => Icon::Warning,
            Self::Danger | Self::Alert => Icon::Danger,
        }
    }

    /// The word of the tone, for those who do not see the picture.
    #[must_use]
    pub const fn word(self) -> Text {
        match self {
            Self::Neutral | Self::Primary | Self::Information => Text::Information,
            Self::Success => Text::Success,
            Self::Warning => Text::Warning,
            Self::Danger => Text::Danger,
            Self::Alert => Text::Alert,
        }
    }
}

/// A message inside the page.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// What it means.
    pub tone: Tone,
    /// The message in one sentence.
    pub title: &'a str,
    /// What it says beyond, and what can be done; may be empty.
    pub body: Markup,
}

impl Message<'_> {
    /// The message as a part of the page, read when the reader comes to it.
    #[must_use]
    pub fn html(&self, lang: Lang) -> Markup {
        html! { div class=(self.classes()) { (self.inside(lang)) } }
    }

    /// The message as an answer to what the reader did: screen readers announce it.
    #[must_use]
    pub fn announced(&self, lang: Lang) -> Markup {
        let role = if self.tone == Tone::Danger { "alert" } else { "status" };
        html! { div class=(self.classes()) role=(role) data-announce { (self.inside(lang)) } }
    }

    fn classes(&self) -> String {
        format!("i-message {}", self.tone.message_class())
    }

    fn inside(&self, lang: Lang) -> Markup {
        html! {
            (self.tone.icon().html())
            div .i-message__text {
                p .i-message__title { span .i-hidden { (self.tone.word().get(lang)) ": " } (self.title) }
                @if !self.body.0.is_empty() { div .i-message__body { (self.body) } }
            }
        }
    }
}

/// A short label. The text must say what the colour says.
#[must_use]
pub fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "krds-badge " (tone.badge_class()) } { (text) } }
}

/// A short label with a picture before its text.
#[must_use]
pub fn badge_icon(tone: Tone, icon: Icon, text: &str) -> Markup {
    html! { span class={ "krds-badge " (tone.badge_class()) } { (icon.html()) (text) } }
}

/// What stands where a list or chart would be if there were anything in it.
#[must_use]
pub fn empty(text: &str) -> Markup {
    html! { div .i-empty { (Icon::Empty.html()) p { (text) } } }
}

/// How far a long task is, in a bar and in words.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is under way.
    pub label: &'a str,
    /// How much is done.
    pub done: u64,
    /// How much there is; `None` while it is not known.
    pub total: Option<u64>,
    /// More words, such as the rate and the time left.
    pub note: Option<&'a str>,
}

impl Progress<'_> {
    /// The share done in whole percent, rounded down so that 100 means all.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let total = self.total?;
        let done = self.done.min(total);
        // Nothing to do is done.
        Some(if total == 0 {
            100
        } else {
            u64::try_from(u128::from(done) * 100 / u128::from(total)).unwrap_or(100)
        })
    }

    /// The bar; a native `progress` element has the role progressbar.
    #[must_use]
    pub fn html(&self, lang: Lang) -> Markup {
        let percent = self.percent();
        let count = crate::format::integer(self.done);
        let words = match (self.total, percent) {
            (Some(total), Some(percent)) => {
                format!("{count} / {} ({percent}%)", crate::format::integer(total))
            }
            _ => format!("{count} · {}", Text::InProgress.get(lang)),
        };
        html! {
            div .i-progress {
                div .i-progress__text { strong { (self.label) } span .i-number { (words) } }
                progress max="100" value=[percent] aria-label=(self.label) aria-valuetext=(words) { (words) }
                @if let Some(note) = self.note { p .i-small .i-soft { (note) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_passes_the_end_and_knows_nothing_to_do() {
        let at = |done, total| Progress { label: "x", done, total, note: None }.percent();
        assert_eq!(at(0, Some(0)), Some(100));
        assert_eq!(at(199, Some(200)), Some(99));
        assert_eq!(at(500, Some(200)), Some(100));
        assert_eq!(at(u64::MAX, Some(u64::MAX)), Some(100));
        assert_eq!(at(5, None), None);
    }

    #[test]
    fn tones_are_said_in_words() {
        for (tone, word) in
            [(Tone::Warning, "주의"), (Tone::Danger, "오류"), (Tone::Success, "완료"), (Tone::Alert, "중요")]
        {
            let message = Message { tone, title: "<b>", body: html! {} };
            let text = message.announced(Lang::Ko).into_string();
            assert!(text.contains(word) && text.contains("&lt;b&gt;"), "{text}");
        }
    }
}

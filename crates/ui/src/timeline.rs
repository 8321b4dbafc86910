//! The timeline: what happened to a person, grouped by day or visit, newest first as given by the caller.

use maud::{Markup, html};

use crate::{Icon, Lang, Text};

/// What kind of thing an entry is; said by a picture and a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A visit or stay.
    Visit,
    /// A diagnosis.
    Problem,
    /// A prescription or dispensing.
    Medicine,
    /// A laboratory or other examination result.
    Result,
    /// A vital sign.
    Vital,
    /// An allergy or intolerance.
    Allergy,
    /// An immunisation.
    Immunisation,
    /// A procedure or operation.
    Procedure,
    /// A document.
    Document,
    /// An imaging study.
    Image,
    /// Anything else.
    Other,
}

impl Kind {
    /// All kinds, in the order in which filters offer them.
    pub const ALL: [Self; 11] = [
        Self::Visit,
        Self::Problem,
        Self::Medicine,
        Self::Result,
        Self::Vital,
        Self::Allergy,
        Self::Immunisation,
        Self::Procedure,
        Self::Document,
        Self::Image,
        Self::Other,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> Text {
        match self {
            Self::Visit => Text::KindVisit,
            Self::Problem => Text::KindProblem,
            Self::Medicine => Text::KindMedicine,
            Self::Result => Text::KindResult,
            Self::Vital => Text::KindVital,
            Self::Allergy => Text::KindAllergy,
            Self::Immunisation => Text::KindImmunisation,
            Self::Procedure => Text::KindProcedure,
            Self::Document => Text::KindDocument,
            Self::Image => Text::KindImage,
            Self::Other => Text::KindOther,
        }
    }

    /// The picture of it.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Visit => Icon::Visit,
            Self::Problem => Icon::Problem,
            Self::Medicine => Icon::Medicine,
            Self::Result => Icon::Result,
            Self::Vital => Icon::Vital,
            Self::Allergy => Icon::Allergy,
            Self::Immunisation => Icon::Immunisation,
            Self::Procedure => Icon::Procedure,
            Self::Document => Icon::Document,
            Self::Image => Icon::Image,
            Self::Other => Icon::Other,
        }
    }

    /// A name for addresses and classes.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Problem => "problem",
            Self::Medicine => "medicine",
            Self::Result => "result",
            Self::Vital => "vital",
            Self::Allergy => "allergy",
            Self::Immunisation => "immunisation",
            Self::Procedure => "procedure",
            Self::Document => "document",
            Self::Image => "image",
            Self::Other => "other",
        }
    }

    /// The kind with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// What kind of thing.
    pub kind: Kind,
    /// What, in a few words.
    pub title: &'a str,
    /// Where to read on.
    pub href: Option<&'a str>,
    /// When within the day.
    pub time: Option<String>,
    /// More: values, doses, badges; may be empty.
    pub detail: Markup,
    /// Badges behind the title; may be empty.
    pub marks: Markup,
}

/// Things that happened on one day or in one visit.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The day, formatted; `None` when it is not known.
    pub day: Option<String>,
    /// The day for machines (`2026-03-01`).
    pub machine_day: Option<String>,
    /// Where and how: institution, department, kind of visit.
    pub place: Option<&'a str>,
    /// What happened.
    pub entries: Vec<Entry<'a>>,
}

/// The timeline, an ordered list of groups. Days are headings of level 3, so that readers can jump between them.
#[must_use]
pub fn timeline(groups: &[Group<'_>], lang: Lang) -> Markup {
    if groups.is_empty() {
        return crate::empty(Text::NoData.get(lang));
    }
    html! {
        ol .i-timeline aria-label=(Text::Timeline.get(lang)) {
            @for group in groups {
                li .i-timeline__group {
                    div .i-timeline__head {
                        h3 .i-timeline__date { (day(group, lang)) }
                        @if let Some(place) = group.place { p .i-timeline__where { (place) } }
                    }
                    ul .i-timeline__items { @for entry in &group.entries { (line(entry, lang)) } }
                }
            }
        }
    }
}

fn day(group: &Group<'_>, lang: Lang) -> Markup {
    let words = group.day.as_deref().unwrap_or(Text::DateUnknown.get(lang));
    html! {
        @match &group.machine_day {
            Some(machine) => time datetime=(machine) { (words) },
            None => (words),
        }
    }
}

fn line(entry: &Entry<'_>, lang: Lang) -> Markup {
    html! {
        li class={ "i-timeline__item i-kind--" (entry.kind.slug()) } {
            span .i-timeline__mark { (entry.kind.icon().html()) }
            div {
                p .i-timeline__line {
                    span .i-timeline__kind { (entry.kind.word().get(lang)) }
                    @if let Some(time) = &entry.time { span .i-timeline__time { (time) } }
                }
                p .i-timeline__line {
                    @match entry.href {
                        Some(href) => a .i-timeline__title href=(href) { (entry.title) },
                        None => span .i-timeline__title { (entry.title) },
                    }
                    (entry.marks)
                }
                @if !entry.detail.0.is_empty() { div .i-timeline__detail { (entry.detail) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_words_and_found_by_slug() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_slug(kind.slug()), Some(kind));
        }
        let entry = Entry {
            kind: Kind::Allergy,
            title: "<페니실린>",
            href: None,
            time: None,
            detail: html! {},
            marks: html! {},
        };
        let group = Group { day: None, machine_day: None, place: Some("<의원>"), entries: vec![entry] };
        let text = timeline(&[group], Lang::Ko).into_string();
        assert!(text.contains("알레르기") && text.contains("날짜 미상"));
        assert!(text.contains("&lt;페니실린&gt;") && text.contains("&lt;의원&gt;"));
        assert!(timeline(&[], Lang::En).into_string().contains("No data."));
    }
}

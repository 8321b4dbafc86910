//! What must not be overlooked on any page of a record: allergies and notes of safety.

use ieum_trust::door::View;
use ieum_ui::{Lang, Message, Tone};
use maud::{Markup, html};

use crate::portal::call::{Call, Refusal};
use crate::portal::record::allergy::{Allergy, MAY_HOLD};
use crate::portal::record::concept::Concept;
use crate::portal::record::fields::text;
use crate::portal::record::load;

/// Allergies and safety notes of one patient, as far as they hold.
pub(super) struct Alerts {
    /// Those that may endanger life first.
    allergies: Vec<Allergy>,
    /// What is recorded as absent.
    negations: Vec<Allergy>,
    allergies_cut: bool,
    notes: Vec<Concept>,
    notes_cut: bool,
}

impl Alerts {
    /// Reads them. The store leaves out what is over: an old list must not crowd out what holds.
    pub(super) fn read(call: &Call<'_>, view: &View<'_>, patient: &str) -> Result<Self, Refusal> {
        let pairs = [("patient", patient), MAY_HOLD];
        let found = load::records(call, view, "AllergyIntolerance", &pairs, load::LIST, Allergy::read)?;
        let (negations, mut allergies): (Vec<_>, Vec<_>) =
            found.items.into_iter().partition(|allergy| allergy.negation(call.lang).is_some());
        allergies.sort_by_key(|allergy| !allergy.is_severe);
        // R4 cannot search flags by status.
        let pairs = [("patient", patient), ("_sort", "-date")];
        let flags = load::records(call, view, "Flag", &pairs, load::LIST, |flag| {
            let is_active = text(flag, &["status"]).as_deref() == Some("active");
            is_active.then(|| Concept::at(flag, &["code"])).flatten()
        })?;
        Ok(Self {
            allergies,
            negations,
            allergies_cut: found.is_cut,
            notes: flags.items.into_iter().flatten().collect(),
            notes_cut: flags.is_cut,
        })
    }

    /// All that is known of allergies. That none is recorded is said too: it is not the same as none.
    pub(super) fn allergies(&self, lang: Lang) -> Markup {
        let body = html! {
            ul .i-plain-list { @for allergy in &self.allergies { li { (line(allergy, lang)) } } }
            @if self.allergies_cut { p { strong { (cut_words(lang)) } } }
        };
        let title = lang.pick("알레르기", "Allergies");
        html! {
            @if !self.allergies.is_empty() || self.allergies_cut {
                (Message { tone: Tone::Alert, title, body }.html(lang))
            }
            (self.without(lang))
        }
    }

    /// The causes alone.
    pub(super) fn allergies_short(&self, lang: Lang) -> Markup {
        let names: Vec<&str> = self.allergies.iter().map(|allergy| allergy.concept.name(lang)).collect();
        let title = format!("{}: {}", lang.pick("알레르기", "Allergies"), names.join(", "));
        let body = html! { @if self.allergies_cut { p { strong { (cut_words(lang)) } } } };
        html! {
            @if !self.allergies.is_empty() || self.allergies_cut {
                (Message { tone: Tone::Alert, title: &title, body }.html(lang))
            }
            (self.without(lang))
        }
    }

    /// What is recorded as absent, or that nothing is recorded.
    fn without(&self, lang: Lang) -> Markup {
        let mut absent: Vec<&str> =
            self.negations.iter().filter_map(|negation| negation.negation(lang)).collect();
        absent.sort_unstable();
        absent.dedup();
        let nothing = self.allergies.is_empty() && absent.is_empty() && !self.allergies_cut;
        html! {
            @if nothing {
                p .i-soft .i-small { (lang.pick("알레르기: 기록된 것이 없습니다.", "Allergies: none recorded.")) }
            } @else if !absent.is_empty() {
                p .i-soft .i-small {
                    (lang.pick("알레르기 문진 기록: ", "Recorded about allergies: ")) (absent.join(", "))
                    @if !self.allergies.is_empty() {
                        (lang.pick(" — 위의 알레르기 기록과 어긋날 수 있습니다.", " — this may contradict the allergies above."))
                    }
                }
            }
        }
    }

    /// Notes of safety.
    pub(super) fn notes(&self, lang: Lang) -> Markup {
        let title = self.notes.iter().map(|note| note.name(lang)).collect::<Vec<_>>().join(", ");
        let cut = lang.pick(
            "주의 표시가 많아 일부만 불러왔습니다. 더 있을 수 있습니다.",
            "There are many notes of safety, and only some were read. There may be more.",
        );
        html! {
            @if !self.notes.is_empty() {
                (Message { tone: Tone::Warning, title: &title, body: html! {} }.html(lang))
            }
            @if self.notes_cut { (Message { tone: Tone::Warning, title: cut, body: html! {} }.html(lang)) }
        }
    }
}

fn line(allergy: &Allergy, lang: Lang) -> Markup {
    let signs = allergy.signs(lang);
    html! {
        strong { (allergy.concept.name(lang)) }
        @if let Some(category) = allergy.category(lang) { " (" (category) ")" }
        @if !signs.is_empty() { " — " (signs) }
        (allergy.marks(lang))
        @if let Some(since) = &allergy.since {
            " " span .i-soft .i-small {
                (lang.pick(format!("{}부터", since.day(lang)), format!("since {}", since.day(lang))))
            }
        }
    }
}

fn cut_words(lang: Lang) -> &'static str {
    lang.pick(
        "알레르기 기록이 많아 일부만 불러왔습니다. 여기에 없는 알레르기가 더 있습니다.",
        "There are many records of allergies, and only some were read: there are more than these.",
    )
}

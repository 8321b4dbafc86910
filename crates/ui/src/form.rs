//! Form fields with label, hint and error tied together for assistive technology, and the search form.

use maud::{Markup, html};

use crate::{ButtonStyle, Icon, Lang, Text, button};

/// What every field has.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The `id` in the page and the `name` in the form.
    pub name: &'a str,
    /// What is asked for.
    pub label: &'a str,
    /// How to answer; shown under the field.
    pub hint: Option<&'a str>,
    /// What is wrong with the answer given.
    pub error: Option<&'a str>,
    /// Whether an answer is needed.
    pub required: bool,
}

impl<'a> Field<'a> {
    /// An optional field without hint or error.
    #[must_use]
    pub const fn new(name: &'a str, label: &'a str) -> Self {
        Self { name, label, hint: None, error: None, required: false }
    }

    fn described_by(&self) -> Option<String> {
        let hint = self.hint.map(|_| format!("{}-hint", self.name));
        let error = self.error.map(|_| format!("{}-error", self.name));
        match (hint, error) {
            (Some(hint), Some(error)) => Some(format!("{error} {hint}")),
            (one, other) => one.or(other),
        }
    }

    fn around(&self, control: &Markup, lang: Lang) -> Markup {
        html! {
            div .form-group {
                div .form-tit {
                    label for=(self.name) { (self.label) @if self.required { (required_mark(lang)) } }
                }
                div .form-conts .is-error[self.error.is_some()] { (control) }
                (self.error_line(lang))
                @if let Some(hint) = self.hint { p .form-hint id={ (self.name) "-hint" } { (hint) } }
            }
        }
    }

    fn error_line(&self, lang: Lang) -> Markup {
        html! {
            @if let Some(error) = self.error {
                p .form-hint-invalid id={ (self.name) "-error" } {
                    (Icon::Danger.html()) span { span .i-hidden { (Text::Danger.get(lang)) ": " } (error) }
                }
            }
        }
    }
}

fn required_mark(lang: Lang) -> Markup {
    html! { span .i-required { (Text::Required.get(lang)) } }
}

/// What kind of text a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// One line of text.
    Text,
    /// Words to search for.
    Search,
    /// A secret.
    Password,
    /// A calendar date.
    Date,
    /// A telephone number.
    Telephone,
    /// Digits, such as a chart number.
    Digits,
}

impl InputKind {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Text | Self::Digits => "text",
            Self::Search => "search",
            Self::Password => "password",
            Self::Date => "date",
            Self::Telephone => "tel",
        }
    }
}

/// A one-line field. `autocomplete` is the HTML token, `off` for other people's data.
#[must_use]
pub fn text_input(field: &Field<'_>, kind: InputKind, value: &str, autocomplete: &str, lang: Lang) -> Markup {
    // Secrets are never sent back to the page.
    let value = if kind == InputKind::Password { "" } else { value };
    let control = html! {
        input .krds-input .medium type=(kind.attribute()) id=(field.name) name=(field.name) value=(value)
            autocomplete=(autocomplete) inputmode=[(kind == InputKind::Digits).then_some("numeric")]
            required[field.required] aria-invalid=[field.error.map(|_| "true")]
            aria-describedby=[field.described_by()];
    };
    field.around(&control, lang)
}

/// A field of several lines.
#[must_use]
pub fn text_area(field: &Field<'_>, value: &str, rows: u8, lang: Lang) -> Markup {
    let control = html! {
        textarea .krds-input id=(field.name) name=(field.name) rows=(rows) required[field.required]
            aria-invalid=[field.error.map(|_| "true")] aria-describedby=[field.described_by()] {
            // The parser drops one line break after the tag; this keeps the one the reader wrote.
            "\n" (value)
        }
    };
    field.around(&control, lang)
}

/// A choice of one among several: values and labels. With no default the first entry asks to choose.
#[must_use]
pub fn select(field: &Field<'_>, options: &[(&str, &str)], chosen: Option<&str>, lang: Lang) -> Markup {
    let control = html! {
        select .krds-form-select .medium id=(field.name) name=(field.name) required[field.required]
            aria-invalid=[field.error.map(|_| "true")] aria-describedby=[field.described_by()] {
            @if chosen.is_none() { option value="" { (Text::Select.get(lang)) } }
            @for (value, label) in options {
                option value=(value) selected[chosen == Some(*value)] { (label) }
            }
        }
    };
    field.around(&control, lang)
}

/// A box to tick.
#[must_use]
pub fn checkbox(field: &Field<'_>, value: &str, checked: bool, lang: Lang) -> Markup {
    html! {
        div .form-group {
            label .i-check {
                input type="checkbox" id=(field.name) name=(field.name) value=(value) checked[checked]
                    required[field.required] aria-invalid=[field.error.map(|_| "true")]
                    aria-describedby=[field.described_by()];
                span { (field.label) @if field.required { (required_mark(lang)) } }
            }
            (field.error_line(lang))
            @if let Some(hint) = field.hint { p .form-hint id={ (field.name) "-hint" } { (hint) } }
        }
    }
}

/// A choice of one among few, all seen at once.
#[must_use]
pub fn radios(field: &Field<'_>, options: &[(&str, &str)], chosen: Option<&str>, lang: Lang) -> Markup {
    html! {
        fieldset .form-group aria-describedby=[field.described_by()] {
            legend .form-tit { (field.label) @if field.required { (required_mark(lang)) } }
            @for (index, (value, label)) in options.iter().enumerate() {
                label .i-check {
                    input type="radio" id=[(index == 0).then_some(field.name)] name=(field.name) value=(value)
                        checked[chosen == Some(*value)] required[field.required];
                    span { (label) }
                }
            }
            (field.error_line(lang))
            @if let Some(hint) = field.hint { p .form-hint id={ (field.name) "-hint" } { (hint) } }
        }
    }
}

/// A form that changes something: sent by POST. `csrf` goes along as a hidden field when given.
#[must_use]
pub fn form_post(action: &str, csrf: Option<&str>, fields: &Markup, actions: &Markup) -> Markup {
    html! {
        form .i-form method="post" action=(action) novalidate {
            @if let Some(csrf) = csrf { input type="hidden" name="csrf" value=(csrf); }
            (fields)
            div .i-actions { (actions) }
        }
    }
}

/// The search form of a list page: sent by GET, so that a search has an address.
#[derive(Clone, Debug)]
pub struct SearchForm<'a> {
    /// Where the form leads.
    pub action: &'a str,
    /// The fields, at most three; the first is the widest.
    pub fields: &'a [Markup],
    /// Hidden names and values that stay, such as a sort order.
    pub keep: &'a [(&'a str, &'a str)],
    /// A sentence under the fields.
    pub hint: Option<&'a str>,
}

impl SearchForm<'_> {
    /// The form.
    #[must_use]
    pub fn html(&self, lang: Lang) -> Markup {
        let columns = (self.fields.len() + 1).min(4);
        html! {
            form .i-search role="search" aria-label=(Text::SearchForm.get(lang)) method="get" action=(self.action) {
                @for (name, value) in self.keep { input type="hidden" name=(name) value=(value); }
                div class={ "i-search__row i-search__row--" (columns) } {
                    @for field in self.fields { (field) }
                    (button(ButtonStyle::Primary, Text::Search.get(lang)))
                }
                @if let Some(hint) = self.hint { p .i-search__hint { (hint) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_hint_and_error_are_tied_to_the_field() {
        let field =
            Field { hint: Some("h"), error: Some("e<"), required: true, ..Field::new("name", "이름") };
        let text = text_input(&field, InputKind::Text, "\"><x", "off", Lang::Ko).into_string();
        assert!(text.contains("label for=\"name\"") && text.contains("id=\"name\""));
        assert!(
            text.contains("aria-describedby=\"name-error name-hint\"")
                && text.contains("aria-invalid=\"true\"")
        );
        assert!(text.contains("value=\"&quot;&gt;&lt;x\"") && text.contains("e&lt;"));
    }

    #[test]
    fn secrets_are_not_sent_back() {
        let text = text_input(&Field::new("p", "암호"), InputKind::Password, "s3cret", "off", Lang::Ko)
            .into_string();
        assert!(!text.contains("s3cret"));
    }

    #[test]
    fn the_chosen_option_is_selected_and_no_other() {
        let options = [("a", "가"), ("b", "나")];
        let text = select(&Field::new("s", "구분"), &options, Some("b"), Lang::Ko).into_string();
        assert_eq!(text.matches(" selected").count(), 1);
        assert!(!text.contains("선택하세요"));
        assert!(
            select(&Field::new("s", "구분"), &options, None, Lang::Ko).into_string().contains("선택하세요")
        );
    }
}

//! The icons, drawn on a grid of 24 with one stroke width. They are always decoration: text stands beside them.

use maud::{Markup, PreEscaped, html};

/// A picture that accompanies a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icon {
    /// Two joined arcs: the mark of Ieum.
    Brand,
    /// A magnifying glass.
    Search,
    /// Three lines.
    Menu,
    /// An angle pointing down.
    Down,
    /// An angle pointing left.
    Left,
    /// An angle pointing right.
    Right,
    /// A globe.
    Language,
    /// A person.
    Person,
    /// A key.
    Key,
    /// A door with an arrow out of it.
    Leave,
    /// A circle with an i.
    Information,
    /// A circle with a tick.
    Success,
    /// A triangle with an exclamation mark.
    Warning,
    /// An octagon with an exclamation mark.
    Danger,
    /// An empty tray.
    Empty,
    /// A building with a cross.
    Visit,
    /// A clipboard.
    Problem,
    /// A capsule.
    Medicine,
    /// A flask.
    Result,
    /// A pulse.
    Vital,
    /// A syringe.
    Immunisation,
    /// A hand held up.
    Allergy,
    /// A pair of scissors.
    Procedure,
    /// A sheet of paper.
    Document,
    /// A framed picture.
    Image,
    /// A disc.
    Other,
    /// A printer.
    Print,
    /// An arrow pointing up: above the range.
    Up,
}

impl Icon {
    const fn paths(self) -> &'static str {
        match self {
            Self::Brand => {
                r#"<path d="M9.5 16.5a5.5 5.5 0 1 1 3.9-9.4"/><path d="M14.5 7.5a5.5 5.5 0 1 1-3.9 9.4"/><path d="M9 12h6"/>"#
            }
            Self::Search => r#"<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>"#,
            Self::Menu => r#"<path d="M4 6h16M4 12h16M4 18h16"/>"#,
            Self::Down => r#"<path d="m6 9 6 6 6-6"/>"#,
            Self::Left => r#"<path d="m15 6-6 6 6 6"/>"#,
            Self::Right => r#"<path d="m9 6 6 6-6 6"/>"#,
            Self::Language => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9s.5-6 3.5-9"/>"#
            }
            Self::Person => r#"<circle cx="12" cy="8" r="4"/><path d="M4 21c.6-4.5 3.8-7 8-7s7.4 2.5 8 7"/>"#,
            Self::Key => r#"<circle cx="8" cy="8" r="4.5"/><path d="m11.5 11.5 8 8M16 16l2.5-2.5"/>"#,
            Self::Leave => r#"<path d="M10 4H5v16h5M14 8l4 4-4 4M18 12H9"/>"#,
            Self::Information => r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7.2v.3"/>"#,
            Self::Success => r#"<circle cx="12" cy="12" r="9"/><path d="m8 12.5 3 3 5-6"/>"#,
            Self::Warning => r#"<path d="M12 3.5 2.5 20h19L12 3.5zM12 10v5M12 17.2v.3"/>"#,
            Self::Danger => r#"<path d="M8 3h8l5 5v8l-5 5H8l-5-5V8l5-5zM12 7.5v6M12 16.3v.3"/>"#,
            Self::Empty => r#"<path d="M3 13l3-8h12l3 8v6H3v-6zM3 13h5l1.5 3h5l1.5-3h5"/>"#,
            Self::Visit => r#"<path d="M4 21V5h16v16M2.5 21h19M12 8v6M9 11h6M10 21v-3.5h4V21"/>"#,
            Self::Problem => r#"<path d="M6 4.5h12V21H6zM9 3h6v3H9zM9 11h6M9 15h4"/>"#,
            Self::Medicine => {
                r#"<path d="M10.5 20.5a5 5 0 0 1-7-7l10-10a5 5 0 0 1 7 7l-10 10zM8.5 8.5l7 7"/>"#
            }
            Self::Result => {
                r#"<path d="M9 3h6M10 3v6L4.5 19c-.6 1.2 0 2 1.2 2h12.6c1.2 0 1.8-.8 1.2-2L14 9V3M7.5 15h9"/>"#
            }
            Self::Vital => r#"<path d="M2.5 12.5h4l2.5-7 5 13 2.5-6h5"/>"#,
            Self::Immunisation => {
                r#"<path d="m16 3 5 5M18.5 5.5l-3 3M12 6l6 6-8.5 8.5-6-6L12 6zM8 10l3 3M3.5 20.5l3-3"/>"#
            }
            Self::Allergy => {
                r#"<path d="M7 13V6.5a1.5 1.5 0 0 1 3 0V11V4.5a1.5 1.5 0 0 1 3 0V11V6a1.5 1.5 0 0 1 3 0v6V9a1.5 1.5 0 0 1 3 0v5c0 4-2.5 7-6.5 7-3 0-4.5-1.5-6-4l-2.5-4c.8-1 2.3-1 3 0z"/>"#
            }
            Self::Procedure => {
                r#"<circle cx="6" cy="6.5" r="3"/><circle cx="6" cy="17.5" r="3"/><path d="M8.5 8 20 17M8.5 16 20 7"/>"#
            }
            Self::Document => r#"<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>"#,
            Self::Image => {
                r#"<path d="M3 5h18v14H3zM3 16l5-5 5 5 3-3 5 4"/><circle cx="16" cy="9" r="1.5"/>"#
            }
            Self::Other => r#"<circle cx="12" cy="12" r="3.5"/>"#,
            Self::Print => r#"<path d="M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7z"/>"#,
            Self::Up => r#"<path d="M12 20V5M6 11l6-6 6 6"/>"#,
        }
    }

    /// The picture, hidden from screen readers.
    #[must_use]
    pub fn html(self) -> Markup {
        html! {
            svg.i-icon viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2"
                stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false" {
                (PreEscaped(self.paths()))
            }
        }
    }
}

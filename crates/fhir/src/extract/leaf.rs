//! From one value of a FHIR type to index values of one type of parameter (R4, section 3.1.1.4).

use std::borrow::Cow;

use super::quantity;
use crate::date;
use crate::expression::Path;
use crate::geo::PER_DEGREE;
use crate::index::{IndexValue, ParamType, Target, TimeRange};
use crate::json::{Kind, Value};
use crate::reference;

/// How to read a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Token from Coding.
    Coding,
    /// Token from CodeableConcept: each coding; its text is no token, but what `:text` looks at.
    CodeableConcept,
    /// Token from Identifier: its system and value; its type for `:text` and `:of-type`.
    Identifier,
    /// Token from ContactPoint: its value; its system (phone, email) is no code system.
    ContactPoint,
    /// Token from code, with the system its required binding implies, if that is one: `final` is found by `final`
    /// and by `http://hl7.org/fhir/observation-status|final`; not by `|final`, which asks for codes that have no
    /// system (3.1.1.4.10: for `code` "the system is implicit, defined in the value set").
    Code(Option<&'static str>),
    /// Token from boolean.
    Boolean,
    /// Token from string, id, uri.
    TextToken,
    /// Date from date, dateTime, instant.
    Date,
    /// Date from Period.
    Period,
    /// Date from Timing.
    Timing,
    /// Number from integer, positiveInt, unsignedInt, decimal.
    Number,
    /// Number from Range.
    NumberRange,
    /// Quantity from Quantity and its kin (Age, Count, Distance, Duration).
    Quantity,
    /// Quantity from Money.
    Money,
    /// Quantity from Range.
    QuantityRange,
    /// String from string, markdown, code.
    Text,
    /// String from HumanName: each part.
    HumanName,
    /// String from Address: each part.
    Address,
    /// Reference from Reference: where it points, and its identifier for `:identifier`.
    Reference,
    /// Reference from canonical, uri; a canonical with version also without it.
    UriReference,
    /// Reference from a whole resource (Bundle.entry.resource).
    Resource,
    /// URI from uri, url, oid, uuid.
    Uri,
    /// URI from canonical: with version also without it.
    Canonical,
    /// A place from `Location.position`.
    Position,
}

impl Leaf {
    /// How a parameter of this type reads what the path finds; `None` when it has no use for that FHIR type.
    pub(super) fn of(kind: ParamType, path: &Path) -> Option<Self> {
        Self::of_type(kind, path.type_name, || path.code_system())
    }

    /// The same for values of a FHIR type, whose codes are of a system if they have one.
    pub(super) fn of_type(
        kind: ParamType,
        type_name: &str,
        code_system: impl FnOnce() -> Option<&'static str>,
    ) -> Option<Self> {
        use ParamType as P;
        Some(match (kind, type_name) {
            (P::Token, "Coding") => Self::Coding,
            (P::Token, "CodeableConcept") => Self::CodeableConcept,
            (P::Token, "Identifier") => Self::Identifier,
            (P::Token, "ContactPoint") => Self::ContactPoint,
            (P::Token, "code") => Self::Code(code_system()),
            (P::Token, "boolean") => Self::Boolean,
            (P::Token, "string" | "id" | "uri" | "url" | "canonical" | "oid" | "uuid") => Self::TextToken,
            (P::Date, "date" | "dateTime" | "instant") => Self::Date,
            (P::Date, "Period") => Self::Period,
            (P::Date, "Timing") => Self::Timing,
            (P::Number, "integer" | "positiveInt" | "unsignedInt" | "decimal") => Self::Number,
            (P::Number, "Range") => Self::NumberRange,
            (P::Quantity, "Quantity" | "Age" | "Count" | "Distance" | "Duration") => Self::Quantity,
            (P::Quantity, "Money") => Self::Money,
            (P::Quantity, "Range") => Self::QuantityRange,
            (P::String, "string" | "markdown" | "code") => Self::Text,
            (P::String, "HumanName") => Self::HumanName,
            (P::String, "Address") => Self::Address,
            (P::Reference, "Reference") => Self::Reference,
            (P::Reference, "canonical" | "uri") => Self::UriReference,
            (P::Reference, "Resource") => Self::Resource,
            (P::Uri, "uri" | "url" | "oid" | "uuid") => Self::Uri,
            (P::Uri, "canonical") => Self::Canonical,
            (P::Special, "Location.position") => Self::Position,
            _ => return None,
        })
    }
}

/// Where index values go.
pub(super) struct Sink<'d, 's> {
    pub(super) values: Vec<(u16, IndexValue<'d>)>,
    pub(super) bases: &'s [String],
    pub(super) is_kind: &'s dyn Fn(&str) -> bool,
}

impl<'d> Sink<'d, '_> {
    /// Adds all that this value gives. What is not of the expected form gives nothing.
    pub(super) fn take(&mut self, param: u16, leaf: Leaf, value: Value<'d>) {
        match leaf {
            Leaf::Coding => self.coding(param, value),
            Leaf::CodeableConcept => {
                self.words(param, text(value, "text"));
                for coding in value.get("coding").into_iter().flat_map(Value::each) {
                    self.coding(param, coding);
                }
            }
            Leaf::Identifier => self.identifier(param, value),
            Leaf::ContactPoint => self.token(param, None, text(value, "value")),
            Leaf::Code(system) => {
                if let Some(code) = value.text() {
                    self.token(param, system.map(Cow::Borrowed), Some(code));
                }
            }
            Leaf::Boolean => {
                if value.kind() == Kind::Bool {
                    self.token(param, None, Some(Cow::Borrowed(value.raw())));
                }
            }
            Leaf::TextToken => self.token(param, None, value.text()),
            Leaf::Date | Leaf::Period | Leaf::Timing => {
                self.values.extend(time(leaf, value).map(|range| (param, IndexValue::Date(range))));
            }
            Leaf::Number | Leaf::NumberRange => {
                let range =
                    if leaf == Leaf::Number { quantity::point(value) } else { quantity::stretch(value) };
                self.values.extend(range.map(|range| (param, IndexValue::Number(range))));
            }
            Leaf::Quantity => self.add(param, quantity::quantity(value)),
            Leaf::Money => self.add(param, quantity::money(value)),
            Leaf::QuantityRange => self.add(param, quantity::range(value)),
            Leaf::Text => self.string(param, value),
            Leaf::HumanName => {
                self.parts(param, value, &["text", "family", "given", "prefix", "suffix"]);
                self.korean_name(param, value);
            }
            Leaf::Address => {
                let parts = ["text", "line", "city", "district", "state", "postalCode", "country"];
                self.parts(param, value, &parts);
            }
            Leaf::Reference => {
                self.reference(param, text(value, "reference"));
                if let Some(identifier) = value.get("identifier") {
                    let part = |name| text(identifier, name).filter(has_ink);
                    let (system, value) = (part("system"), part("value"));
                    if system.is_some() || value.is_some() {
                        self.values.push((param, IndexValue::Identifier { system, value }));
                    }
                }
            }
            Leaf::UriReference => {
                if let Some(versioned) = value.text().filter(|text| text.contains('|')) {
                    self.values.push((param, IndexValue::Reference(Target::Url(versioned))));
                }
                self.reference(param, value.text());
            }
            Leaf::Resource => {
                if let (Some(kind), Some(id)) = (text(value, "resourceType"), text(value, "id")) {
                    let target = Target::Local { kind, id };
                    self.values.push((param, IndexValue::Reference(target)));
                }
            }
            Leaf::Uri => self.uri(param, value.text()),
            Leaf::Canonical => {
                let url = value.text();
                if url.as_ref().is_some_and(|url| url.contains('|')) {
                    self.uri(param, url.clone().map(reference::without_version));
                }
                self.uri(param, url);
            }
            Leaf::Position => {
                let lat = value.get("latitude").and_then(|degrees| degrees_of(degrees, 90));
                let lon = value.get("longitude").and_then(|degrees| degrees_of(degrees, 180));
                if let (Some(lat), Some(lon)) = (lat, lon) {
                    self.values.push((param, IndexValue::Near { lat, lon }));
                }
            }
        }
    }

    fn add(&mut self, param: u16, values: impl IntoIterator<Item = IndexValue<'d>>) {
        self.values.extend(values.into_iter().map(|value| (param, value)));
    }

    fn coding(&mut self, param: u16, coding: Value<'d>) {
        self.token(param, text(coding, "system"), text(coding, "code"));
        self.words(param, text(coding, "display"));
    }

    fn identifier(&mut self, param: u16, identifier: Value<'d>) {
        let value = text(identifier, "value").filter(has_ink);
        self.token(param, text(identifier, "system"), value.clone());
        let Some(of) = identifier.get("type") else { return };
        self.words(param, text(of, "text"));
        let Some(value) = value else { return };
        for coding in of.get("coding").into_iter().flat_map(Value::each) {
            let part = |name| text(coding, name).filter(has_ink);
            if let (Some(system), Some(code)) = (part("system"), part("code")) {
                self.values.push((param, IndexValue::OfType { system, code, value: value.clone() }));
            }
        }
    }

    /// What `:text` looks at.
    fn words(&mut self, param: u16, words: Option<Cow<'d, str>>) {
        self.values.extend(words.filter(has_ink).map(|words| (param, IndexValue::Text(words))));
    }

    pub(super) fn uri(&mut self, param: u16, uri: Option<Cow<'d, str>>) {
        self.values.extend(uri.filter(has_ink).map(|uri| (param, IndexValue::Uri(uri))));
    }

    pub(super) fn token(&mut self, param: u16, system: Option<Cow<'d, str>>, code: Option<Cow<'d, str>>) {
        let (system, code) = (system.filter(has_ink), code.filter(has_ink));
        if code.is_some() || system.is_some() {
            self.values.push((param, IndexValue::Token { system, code }));
        }
    }

    fn string(&mut self, param: u16, value: Value<'d>) {
        if let Some(text) = value.text().filter(has_ink) {
            self.values.push((param, IndexValue::String(text)));
        }
    }

    /// Korean names are one word, however they were taken apart: 김 and 민수, or `김 민수`, are found as 김민수.
    fn korean_name(&mut self, param: u16, value: Value<'d>) {
        let is_hangul =
            |text: &str| !text.is_empty() && text.chars().all(|letter| matches!(letter, '가'..='힣'));
        let mut add = |joined: String| {
            let joined = crate::text::nfc(&joined).into_owned();
            if is_hangul(&joined) {
                self.values.push((param, IndexValue::String(Cow::Owned(joined))));
            }
        };
        if let Some(whole) = text(value, "text").filter(|whole| whole.contains(' ')) {
            add(whole.replace(' ', ""));
        }
        if let Some(family) = text(value, "family") {
            let given = value.get("given").into_iter().flat_map(Value::each).filter_map(Value::text);
            add(given.fold(family.into_owned(), |name, part| name + &part));
        }
    }

    fn parts(&mut self, param: u16, value: Value<'d>, names: &[&str]) {
        for member in value.members() {
            if member.key().is_some_and(|key| names.contains(&&*key)) {
                member.each().for_each(|part| self.string(param, part));
            }
        }
    }

    pub(super) fn reference(&mut self, param: u16, reference: Option<Cow<'d, str>>) {
        let target = reference.and_then(|text| reference::target(text, self.bases, self.is_kind));
        self.values.extend(target.map(|target| (param, IndexValue::Reference(target))));
    }
}

/// The moment a record is ordered by: when it began, or when it ended if its beginning is not known; and all the time it
/// is about.
pub(super) fn main_date(leaf: Leaf, value: Value<'_>) -> Option<(i64, TimeRange)> {
    let range = time(leaf, value)?;
    let known = [range.lo, range.hi].into_iter().find(|&moment| moment != i64::MIN && moment != i64::MAX);
    known.map(|moment| (moment, range))
}

fn time(leaf: Leaf, value: Value<'_>) -> Option<TimeRange> {
    match leaf {
        Leaf::Period => date::period(value),
        Leaf::Timing => date::timing(value),
        _ => date::parse(&value.text()?).ok(),
    }
}

/// Whether there is anything to find: searches for white space alone are refused.
pub(super) fn has_ink(text: &impl AsRef<str>) -> bool {
    !text.as_ref().trim().is_empty()
}

fn text<'d>(value: Value<'d>, name: &str) -> Option<Cow<'d, str>> {
    value.get(name).and_then(Value::text)
}

/// A decimal of degrees in ten-millionths; `None` beyond so many degrees.
fn degrees_of(value: Value<'_>, most: i32) -> Option<i64> {
    let degrees: f64 = value.number()?.parse().ok()?;
    // Eleven digits at most: exact in a double, and far from its limits.
    (degrees.abs() <= f64::from(most)).then(|| (degrees * PER_DEGREE as f64).round() as i64)
}

//! What a resource can be found by: the values that search parameters yield (R4, section 3.1.1.4).

use std::borrow::Cow;

use crate::decimal::SortKey;

/// The type of a search parameter (`http://hl7.org/fhir/search-param-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParamType {
    /// Codes, identifiers, booleans, contact points.
    Token,
    /// References to resources.
    Reference,
    /// Names, addresses and other text.
    String,
    /// Dates, instants and periods.
    Date,
    /// Several parameters of one element at once.
    Composite,
    /// URIs.
    Uri,
    /// Numbers with a unit.
    Quantity,
    /// Bare numbers.
    Number,
    /// `near`: places.
    Special,
}

/// A stretch of time in microseconds since 1970-01-01T00:00:00Z, half open: `lo <= x < hi`.
/// An open start is `i64::MIN`, an open end `i64::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeRange {
    /// First microsecond inside.
    pub lo: i64,
    /// First microsecond after.
    pub hi: i64,
}

/// A closed stretch of numbers, kept as keys that order as the numbers do; exact for any number of digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberRange {
    /// Least number inside.
    pub lo: SortKey,
    /// Greatest number inside.
    pub hi: SortKey,
}

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target<'a> {
    /// A resource of this server: `Type/id`, or the same under the server's own base URL.
    Local {
        /// Resource type.
        kind: Cow<'a, str>,
        /// Logical id.
        id: Cow<'a, str>,
    },
    /// Anything else: another server, a `urn:`, a canonical URL. A canonical with a version gives two values, with
    /// `|version` and without.
    Url(Cow<'a, str>),
}

/// One value under which a resource is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IndexValue<'a> {
    /// A code with its system; either may be absent.
    Token {
        /// Code system or identifier system.
        system: Option<Cow<'a, str>>,
        /// The code or identifier value.
        code: Option<Cow<'a, str>>,
    },
    /// A reference.
    Reference(Target<'a>),
    /// A point or stretch of time.
    Date(TimeRange),
    /// A bare number.
    Number(NumberRange),
    /// A number with its unit as written.
    Quantity {
        /// Unit system, mostly UCUM.
        system: Option<Cow<'a, str>>,
        /// Unit code.
        code: Option<Cow<'a, str>>,
        /// Unit as shown to people.
        unit: Option<Cow<'a, str>>,
        /// The value; a comparator opens the range (`<5` starts at minus infinity).
        range: NumberRange,
    },
    /// Text as it stands in the resource; [`crate::text`] makes the keys.
    String(Cow<'a, str>),
    /// A URI, as it stands. A canonical with a version gives two values, with `|version` and without.
    Uri(Cow<'a, str>),
    /// Beside tokens, the words for them: `CodeableConcept.text`, `Coding.display`, `Identifier.type.text`; for
    /// `:text` (3.1.1.4.10).
    Text(Cow<'a, str>),
    /// Beside the token of an identifier, for each coding of its type: for `:of-type` (3.1.1.4.10). All three parts
    /// are there.
    OfType {
        /// `Identifier.type.coding.system`.
        system: Cow<'a, str>,
        /// `Identifier.type.coding.code`.
        code: Cow<'a, str>,
        /// `Identifier.value`.
        value: Cow<'a, str>,
    },
    /// `Reference.identifier`: for `:identifier` (3.1.1.4.11). At least one part is there.
    Identifier {
        /// Its system.
        system: Option<Cow<'a, str>>,
        /// Its value.
        value: Option<Cow<'a, str>>,
    },
    /// Beside a quantity with a UCUM code, the same in canonical units (see [`crate::ucum`]), so that `mg` finds `g`.
    Canonical {
        /// The product of base units that all commensurable units share.
        unit: Cow<'a, str>,
        /// The value in that unit; open ends stay open.
        range: NumberRange,
    },
    /// One value of each component of a composite parameter, in the order of its components, all out of one element
    /// (3.1.1.4.15). An element whose components have several values gives every combination.
    Composite(Vec<IndexValue<'a>>),
    /// A place on Earth (`Location.position`), WGS 84, in ten-millionths of a degree, rounded.
    Near {
        /// North of the equator, within ±900,000,000.
        lat: i64,
        /// East of Greenwich, within ±1,800,000,000.
        lon: i64,
    },
}

/// What a value is asked by. Values of one parameter that differ in this answer different questions: an engine may
/// keep them apart, and [`crate::search::Test::facet`] says which ones a test looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    /// The parameter without modifier, and most modifiers.
    Value,
    /// `:text` on tokens.
    Text,
    /// `:of-type`.
    OfType,
    /// `:identifier` on references.
    Identifier,
    /// Quantities asked for with a UCUM unit.
    Canonical,
}

impl IndexValue<'_> {
    /// What this value is asked by. That of a composite is [`Facet::Value`], whatever its parts are.
    #[must_use]
    pub fn facet(&self) -> Facet {
        match self {
            Self::Text(_) => Facet::Text,
            Self::OfType { .. } => Facet::OfType,
            Self::Identifier { .. } => Facet::Identifier,
            Self::Canonical { .. } => Facet::Canonical,
            Self::Token { .. }
            | Self::Reference(_)
            | Self::Date(_)
            | Self::Number(_)
            | Self::Quantity { .. }
            | Self::String(_)
            | Self::Uri(_)
            | Self::Composite(_)
            | Self::Near { .. } => Facet::Value,
        }
    }

    /// The value with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> IndexValue<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Token { system, code } => {
                IndexValue::Token { system: system.map(own), code: code.map(own) }
            }
            Self::Reference(Target::Local { kind, id }) => {
                IndexValue::Reference(Target::Local { kind: own(kind), id: own(id) })
            }
            Self::Reference(Target::Url(url)) => IndexValue::Reference(Target::Url(own(url))),
            Self::Date(range) => IndexValue::Date(range),
            Self::Number(range) => IndexValue::Number(range),
            Self::Quantity { system, code, unit, range } => IndexValue::Quantity {
                system: system.map(own),
                code: code.map(own),
                unit: unit.map(own),
                range,
            },
            Self::String(text) => IndexValue::String(own(text)),
            Self::Uri(uri) => IndexValue::Uri(own(uri)),
            Self::Text(text) => IndexValue::Text(own(text)),
            Self::OfType { system, code, value } => {
                IndexValue::OfType { system: own(system), code: own(code), value: own(value) }
            }
            Self::Identifier { system, value } => {
                IndexValue::Identifier { system: system.map(own), value: value.map(own) }
            }
            Self::Canonical { unit, range } => IndexValue::Canonical { unit: own(unit), range },
            Self::Composite(parts) => {
                IndexValue::Composite(parts.into_iter().map(IndexValue::into_owned).collect())
            }
            Self::Near { lat, lon } => IndexValue::Near { lat, lon },
        }
    }
}

/// The terms that a record is found by with `_text` and `_content`; each list sorted, none twice. Made by
/// [`crate::words::full_text`], apart from [`Extracted`], because it costs more than that does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FullText {
    /// Of the narrative: for `_text`.
    pub narrative: Vec<String>,
    /// Of all texts for people in the resource, the narrative and contained resources among them: for `_content`.
    pub content: Vec<String>,
}

/// What one contained resource is found by (`_contained`, R4, section 3.1.1.5.6).
#[derive(Debug, Clone, PartialEq)]
pub struct ContainedValues<'a> {
    /// Its resource type.
    pub kind: &'static str,
    /// Its id inside the container, without `#`.
    pub id: Cow<'a, str>,
    /// As [`Extracted::values`], by the parameters of its own type.
    pub values: Vec<(u16, IndexValue<'a>)>,
}

/// Everything the record store keeps beside a body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extracted<'a> {
    /// Values by parameter, as (position in the parameter list of the kind, value); sorted, no value twice.
    pub values: Vec<(u16, IndexValue<'a>)>,
    /// Memberships of compartments, as (compartment kind, owner id); sorted, none twice. A Patient is in its own.
    pub compartments: Vec<(&'static str, Cow<'a, str>)>,
    /// Security labels as (system, code): `meta.security`, those that stand in the content, and those of resources inside.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The type's main date (Observation.effective, Encounter.period.start, …), in microseconds, if it has one.
    pub main_date: Option<i64>,
    /// All the time that [`Self::main_date`] begins: a day, the stay of an encounter; open where nothing is said.
    pub main_time: Option<TimeRange>,
}

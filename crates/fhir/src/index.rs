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
    /// Anything else: another server, a canonical URL (without `|version`), a `urn:`.
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
    /// A URI, as it stands.
    Uri(Cow<'a, str>),
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
}

//! Comparisons with one value: what is asked of it (R4, section 3.1.1.4).

use crate::decimal::SortKey;
use crate::index::{Facet, TimeRange};

/// A comparison with one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// On tokens.
    Token(TokenTest),
    /// On text.
    String(StringTest),
    /// On references.
    Reference(ReferenceTest),
    /// On dates.
    Date(DateTest),
    /// On bare numbers.
    Number(NumberTest),
    /// On numbers with units.
    Quantity(QuantityTest),
    /// On URIs.
    Uri(UriTest),
    /// On the words for a token (`:text`).
    Text(StringTest),
    /// On identifiers with their type (`:of-type`); equality of all three.
    OfType {
        /// System of the type.
        system: String,
        /// Code of the type.
        code: String,
        /// Value of the identifier.
        value: String,
    },
    /// On the identifier in a reference (`:identifier`), as on a token.
    Identifier(TokenTest),
    /// On a composite value: each test on the part in its place.
    Composite(Vec<Test>),
    /// On places: at most so far away, over the ground ([`crate::geo::distance`]).
    Near {
        /// North of the equator, in ten-millionths of a degree.
        lat: i64,
        /// East of Greenwich, likewise.
        lon: i64,
        /// Greatest distance in metres; not negative.
        metres: f64,
    },
    /// A value that the test is about (of its form and [`Facet`]) and that does not pass it: `ne` of `_filter`, which
    /// asks for "an item in the set" that is unequal. Only around tokens, strings, references and URIs.
    Unequal(Box<Test>),
}

impl Test {
    /// Which values of the parameter this test looks at.
    #[must_use]
    pub fn facet(&self) -> Facet {
        match self {
            Self::Text(_) => Facet::Text,
            Self::OfType { .. } => Facet::OfType,
            Self::Identifier(_) => Facet::Identifier,
            Self::Quantity(QuantityTest { unit: UnitTest::Canonical { .. }, .. }) => Facet::Canonical,
            Self::Unequal(test) => test.facet(),
            Self::Token(_)
            | Self::String(_)
            | Self::Reference(_)
            | Self::Date(_)
            | Self::Number(_)
            | Self::Quantity(_)
            | Self::Uri(_)
            | Self::Composite(_)
            | Self::Near { .. } => Facet::Value,
        }
    }
}

/// A comparison with a URI (R4, section 3.1.1.4.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTest {
    /// How to compare.
    pub mode: UriMode,
    /// As the user gave it.
    pub text: String,
}

/// How URIs are compared. Case, accents and escapes always count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UriMode {
    /// Equal.
    Exact,
    /// `:below`: equal, or the value begins with [`UriTest::folder`].
    Below,
    /// `:above`: the value is one of [`UriTest::ancestors`].
    Above,
}

impl UriTest {
    /// What URIs below the asked one begin with: the text with a slash at its end.
    #[must_use]
    pub fn folder(&self) -> String {
        let mut folder = self.text.clone();
        if !folder.ends_with('/') {
            folder.push('/');
        }
        folder
    }

    /// The asked URI and all that stand above it on the same server, each with and without a slash at its end: of
    /// `http://a.kr/x/y` also `http://a.kr/x/`, `http://a.kr/x`, `http://a.kr/` and `http://a.kr`. A URI without
    /// hierarchy (`urn:oid:1.2`) stands alone.
    #[must_use]
    pub fn ancestors(&self) -> Vec<&str> {
        let text = self.text.as_str();
        let mut found = vec![text];
        let Some(host) = text.find("://").map(|place| place + 3) else { return found };
        let slashes = text[host..].match_indices('/').map(|(place, _)| host + place);
        for slash in slashes.filter(|&slash| slash > host) {
            found.extend([&text[..slash], &text[..=slash]]);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// `code`, `system|code`, `|code` or `system|`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTest {
    /// What the system must be.
    pub system: SystemTest,
    /// What the code must be; `None` for any (`system|`).
    pub code: Option<String>,
}

/// The part of a token before the bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemTest {
    /// No bar: any system, or none.
    Any,
    /// `|code`: must have none.
    Absent,
    /// `system|…`: this one.
    Is(String),
}

/// A comparison with text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringTest {
    /// How to compare.
    pub mode: StringMode,
    /// As the user gave it, NFC.
    pub text: String,
}

/// How text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StringMode {
    /// The normalised value starts with the normalised text. Text with Korean initials in it (`ㄱㅁㅅ`, `김ㅁㅅ`)
    /// matches each initial with any syllable that begins with it.
    Starts,
    /// Equal, case and accents included, compared in NFC.
    Exact,
    /// The normalised value contains the normalised text.
    Contains,
    /// The normalised value ends with the normalised text (`ew` of `_filter`).
    Ends,
    /// The normalised value is the normalised text (`eq` of `_filter`).
    Whole,
}

/// What a reference must point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceTest {
    /// This record.
    Local {
        /// Resource type.
        kind: String,
        /// Logical id.
        id: String,
    },
    /// A record with this id of one of the kinds the parameter may point to.
    Id {
        /// Possible kinds.
        kinds: Vec<String>,
        /// Logical id.
        id: String,
    },
    /// This URL, outside this server; for a canonical with `|version` if that was asked for.
    Url(String),
}

/// Comparison prefixes (R4, section 3.1.1.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// Equal: the asked range contains the value's range.
    Eq,
    /// Not [`Prefix::Eq`].
    Ne,
    /// The part above the asked value overlaps the value's range.
    Gt,
    /// The part below the asked value overlaps the value's range.
    Lt,
    /// [`Prefix::Gt`] or [`Prefix::Eq`].
    Ge,
    /// [`Prefix::Lt`] or [`Prefix::Eq`].
    Le,
    /// Starts after: the value's range lies wholly above the asked range.
    Sa,
    /// Ends before: the value's range lies wholly below the asked range.
    Eb,
    /// Approximately: the asked range, widened, overlaps the value's range; the range here is already widened.
    Ap,
}

/// A comparison with a date. `range` is what the text covers (`2026-03` is a month, in Korean time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTest {
    /// How to compare.
    pub prefix: Prefix,
    /// The stretch the text stands for; for [`Prefix::Ap`] already widened.
    pub range: TimeRange,
}

impl DateTest {
    /// Whether a value passes.
    #[must_use]
    pub fn holds(&self, value: TimeRange) -> bool {
        let (asked, inside) = (self.range, self.range.lo <= value.lo && value.hi <= self.range.hi);
        match self.prefix {
            Prefix::Eq => inside,
            Prefix::Ne => !inside,
            Prefix::Gt => value.hi > asked.hi,
            Prefix::Lt => value.lo < asked.lo,
            Prefix::Ge => value.hi > asked.hi || inside,
            Prefix::Le => value.lo < asked.lo || inside,
            Prefix::Sa => value.lo >= asked.hi,
            Prefix::Eb => value.hi <= asked.lo,
            Prefix::Ap => value.lo < asked.hi && value.hi > asked.lo,
        }
    }
}

/// A comparison with a number. `eq`, `ne` and `ap` use `lo <= value < hi`, the implicit precision of the text
/// (`100` is 99.5 to 100.5); the other prefixes use `exact`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberTest {
    /// How to compare.
    pub prefix: Prefix,
    /// The number as given.
    pub exact: SortKey,
    /// Start of its implicit range, inside.
    pub lo: SortKey,
    /// End of its implicit range, outside.
    pub hi: SortKey,
}

impl NumberTest {
    /// The comparison with its keys as bytes.
    #[must_use]
    pub fn asked(&self) -> NumberAsked<'_> {
        NumberAsked { prefix: self.prefix, exact: &self.exact.0, lo: &self.lo.0, hi: &self.hi.0 }
    }

    /// Whether a value between `lo` and `hi`, both inside, passes.
    #[must_use]
    pub fn holds(&self, lo: &SortKey, hi: &SortKey) -> bool {
        self.asked().holds(&lo.0, &hi.0)
    }
}

/// [`NumberTest`] with borrowed keys ([`SortKey`]), for who reads them out of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberAsked<'a> {
    /// How to compare.
    pub prefix: Prefix,
    /// The number as given.
    pub exact: &'a [u8],
    /// Start of its implicit range, inside.
    pub lo: &'a [u8],
    /// End of its implicit range, outside.
    pub hi: &'a [u8],
}

impl NumberAsked<'_> {
    /// Whether a value between `lo` and `hi`, both inside, passes.
    #[must_use]
    pub fn holds(&self, lo: &[u8], hi: &[u8]) -> bool {
        let inside = self.lo <= lo && hi < self.hi;
        match self.prefix {
            // A Range may be written the wrong way round.
            Prefix::Eq => inside && lo < self.hi,
            Prefix::Ne => !inside,
            Prefix::Gt => hi > self.exact,
            Prefix::Lt => lo < self.exact,
            Prefix::Ge => hi >= self.exact,
            Prefix::Le => lo <= self.exact,
            Prefix::Sa => lo > self.exact,
            Prefix::Eb => hi < self.exact,
            Prefix::Ap => lo < self.hi && hi >= self.lo,
        }
    }
}

/// `[prefix]number|system|code`, `number||code` or `number`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantityTest {
    /// On the value.
    pub number: NumberTest,
    /// Unit asked for.
    pub unit: UnitTest,
}

/// The unit of a quantity search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitTest {
    /// None given: any unit.
    Any,
    /// `number||code`: the code or the unit's text is this.
    Code(String),
    /// `number|system|code`.
    Coded {
        /// Unit system.
        system: String,
        /// Unit code.
        code: String,
    },
    /// `number|http://unitsofmeasure.org|code` with a code that is UCUM: compared with
    /// [`crate::index::IndexValue::Canonical`]. The number is already in this unit.
    Canonical {
        /// The canonical unit.
        unit: String,
    },
}

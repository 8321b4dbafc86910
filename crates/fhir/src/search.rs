//! A search as data: what was asked, free of HTTP on one side and of SQL on the other.
//!
//! [`Query`] is what `GET [base]/Type?…` means after every name and value has been checked against the
//! definitions. Engines turn it into their own statements; the naive oracle evaluates it resource by resource.

pub mod matches;
pub mod parameters;
pub mod parse;
mod r4;
mod split;

use crate::decimal::SortKey;
use crate::index::TimeRange;

pub use matches::passes;
pub use parse::parse;
pub use r4::R4;

/// A checked search on one kind of record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Kind searched: a resource type, or a record kind of our own.
    pub kind: String,
    /// All of these must hold.
    pub filters: Vec<Filter>,
    /// Order of the answer; ends with the record's place in the store, so that it is total.
    pub sort: Vec<SortKeyOf>,
    /// Records to add to each page, not counted.
    pub includes: Vec<Include>,
    /// Page size asked for.
    pub count: Option<u32>,
    /// Whether and how to count.
    pub total: Total,
    /// `_summary`.
    pub summary: Summary,
    /// `_elements`; empty for all.
    pub elements: Vec<String>,
    /// The parameters that took effect, as name and value, in the order given: for the self link.
    pub applied: Vec<(String, String)>,
}

/// A parameter of a kind, as resolved against the definitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Param {
    /// The kind the parameter is defined on.
    pub kind: String,
    /// Its code, as in the URL.
    pub code: String,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Some value of the parameter passes one of the tests.
    Any {
        /// Which parameter.
        param: Param,
        /// Alternatives (comma in the URL).
        tests: Vec<Test>,
    },
    /// No value of the parameter passes any of the tests; holds too when there is no value (`:not`).
    None {
        /// Which parameter.
        param: Param,
        /// Alternatives.
        tests: Vec<Test>,
    },
    /// The parameter has no value (`:missing=true`) or has one (`:missing=false`).
    Missing {
        /// Which parameter.
        param: Param,
        /// True: must have no value.
        missing: bool,
    },
    /// The record's id is one of these (`_id`).
    Id(Vec<String>),
    /// The record's `lastUpdated` passes one of these.
    LastUpdated(Vec<DateTest>),
    /// The parameter refers to a record, of one of these kinds, for which the filter holds (`subject:Patient.name`).
    Chain {
        /// A reference parameter.
        param: Param,
        /// For each kind it may point to, the condition there; one of them must hold.
        targets: Vec<(String, Filter)>,
    },
    /// Some record of `kind` refers to this one through `param`, and the filter holds there (`_has`).
    Has {
        /// A reference parameter of the other kind.
        param: Param,
        /// The condition on the other record.
        filter: Box<Filter>,
    },
}

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
    /// On URIs; equality.
    Uri(String),
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
    /// This URL, outside this server.
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
    /// Whether a value between `lo` and `hi`, both inside, passes.
    #[must_use]
    pub fn holds(&self, lo: &SortKey, hi: &SortKey) -> bool {
        let inside = self.lo <= *lo && *hi < self.hi;
        match self.prefix {
            Prefix::Eq => inside,
            Prefix::Ne => !inside,
            Prefix::Gt => *hi > self.exact,
            Prefix::Lt => *lo < self.exact,
            Prefix::Ge => *hi >= self.exact,
            Prefix::Le => *lo <= self.exact,
            Prefix::Sa => *lo > self.exact,
            Prefix::Eb => *hi < self.exact,
            Prefix::Ap => *lo < self.hi && *hi >= self.lo,
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
}

/// What to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKeyOf {
    /// The value.
    pub by: SortBy,
    /// Greatest first. Ascending takes a record's least value, descending its greatest; without value comes last.
    pub descending: bool,
}

/// A value to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortBy {
    /// `_id`.
    Id,
    /// `_lastUpdated`.
    LastUpdated,
    /// A parameter of the searched kind.
    Param(Param),
}

/// `_include` or `_revinclude`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// True for `_revinclude`.
    pub reverse: bool,
    /// The kind that holds the reference.
    pub source: String,
    /// Which reference parameters of it; never empty.
    pub params: Vec<Param>,
    /// Only this kind of target.
    pub target: Option<String>,
    /// `:iterate`: also from records that were themselves included.
    pub iterate: bool,
}

/// `_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Total {
    /// Do not count.
    None,
    /// Count exactly; also the answer to `estimate`.
    #[default]
    Accurate,
}

/// `_summary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Summary {
    /// The whole resource.
    #[default]
    False,
    /// Elements marked as summary in the definitions.
    True,
    /// Narrative, id, meta and mandatory elements.
    Text,
    /// All but the narrative.
    Data,
    /// Only the count.
    Count,
}

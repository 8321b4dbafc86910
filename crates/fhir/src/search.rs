//! A search as data: what was asked, free of HTTP on one side and of SQL on the other.
//!
//! [`Query`] is what `GET [base]/Type?…` means after every name and value has been checked against the
//! definitions. Engines turn it into their own statements; the naive oracle evaluates it resource by resource.

pub mod compartment;
pub mod custom;
pub mod matches;
pub mod parameters;
pub mod parse;
mod r4;
mod split;
mod test;
pub mod value_sets;

pub use compartment::compartment_filter;
pub use matches::passes;
pub use parse::{parse, parse_system};
pub use r4::R4;
pub use test::*;

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
    /// `_contained` and `_containedType`.
    pub contained: Contained,
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
    /// The parameter refers to a place in the hierarchy above or below one of these records (`:above`, `:below` on
    /// references, 3.1.1.5.9).
    Tree {
        /// A reference parameter of this record.
        param: Param,
        /// The reference parameter by which records of the hierarchy name the one above them (`Location.partof`); it
        /// may be the same as `param`.
        by: Param,
        /// Which way.
        way: Way,
        /// Where to start, all [`ReferenceTest::Local`] and of the kind of `by`. They belong to the answer whether
        /// such records exist or not; every step from record to record goes through records that the caller reaches.
        roots: Vec<ReferenceTest>,
    },
    /// All of these terms are among those of the text ([`crate::words`]; `_text`, `_content`). Never empty.
    Words {
        /// Which text.
        place: TextPlace,
        /// The terms, as [`crate::words::query_words`] makes them.
        terms: Vec<String>,
    },
    /// All of these hold. None at all: holds.
    And(Vec<Filter>),
    /// One of these holds. None at all: holds for no record.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
}

/// A direction in a hierarchy of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// The start, all it is part of, and so on.
    Above,
    /// The start, all that is part of it, and so on.
    Below,
}

/// A text for full-text search; see [`crate::index::FullText`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextPlace {
    /// `_text`: the narrative.
    Narrative,
    /// `_content`: the whole resource.
    Content,
}

/// Whether resources inside others are searched (R4, section 3.1.1.5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Contained {
    /// `_contained`.
    pub search: ContainedSearch,
    /// `_containedType`.
    pub give: ContainedGive,
}

/// `_contained`. A contained resource passes a filter by its own values; its id is the one inside its container, its
/// time that of its container, nothing refers to it, and [`Filter::Words`] never holds for it. Who reaches the container
/// reaches what it contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum ContainedSearch {
    /// Only records.
    #[default]
    No,
    /// Only resources contained in records of any kind (`true`).
    Only,
    /// Both.
    Both,
}

/// `_containedType`: what is given for a contained resource that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum ContainedGive {
    /// The record that contains it, once; then only `_lastUpdated` orders.
    #[default]
    Container,
    /// The contained resource itself.
    Contained,
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
    /// A value of the records that a reference parameter points to (`subject:Patient.name`): the least of theirs when
    /// ascending, else the greatest. Records that the caller does not reach have none.
    Chain {
        /// A reference parameter of the searched kind.
        param: Param,
        /// The kind it must point to.
        target: String,
        /// The value there.
        by: Box<SortBy>,
    },
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

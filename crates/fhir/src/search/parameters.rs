//! Where the parser learns which parameters there are.

use crate::index::ParamType;

/// A search parameter, as far as the parser must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter<'p> {
    /// Its code, as in the URL.
    pub code: &'p str,
    /// Its type.
    pub kind: ParamType,
    /// The kinds a reference may point to; empty for any.
    pub targets: Vec<&'p str>,
    /// The parts of a composite parameter, in order: their types, and the parameters they are defined by.
    pub components: Vec<Parameter<'p>>,
    /// Set while records are still being indexed by it: nobody can search by it until that is done.
    pub indexing: Option<Indexing>,
    /// How it may be asked, when the SearchParameter that defines it says so.
    pub allowed: Option<&'p Allowed>,
}

/// How a parameter may be asked, as the SearchParameter that defines it says (R4, `searchparameter.html`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its modifiers (`http://hl7.org/fhir/search-modifier-code`); without any, all that its type has.
    pub modifiers: Vec<String>,
    /// Its prefixes (`http://hl7.org/fhir/search-comparator`); without any, all.
    pub comparators: Vec<String>,
    /// Whether a value may be a list with commas.
    pub several_values: bool,
    /// Whether it may stand in a search more than once.
    pub repeated: bool,
}

/// How far records are indexed by a parameter that is new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Indexing {
    /// Records looked at.
    pub done: u64,
    /// Records in all, about.
    pub total: u64,
    /// Nobody works on it: it was cancelled, or failed.
    pub is_stopped: bool,
}

impl std::fmt::Display for Indexing {
    /// What to tell whoever asks by the parameter.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { done, total, is_stopped } = *self;
        write!(out, "is not ready: {done} of about {total} records are indexed; ")?;
        out.write_str(if is_stopped {
            "indexing was stopped, and goes on when the SearchParameter is put again"
        } else {
            "ask again when all are"
        })
    }
}

/// The kinds of record that can be searched and their parameters. The R4 definitions are one source; record kinds of
/// our own bring theirs.
///
/// `_id`, `_lastUpdated` and the parameters that shape the answer (`_sort`, `_count`, …) belong to every kind and
/// are not listed here; `_tag`, `_profile`, `_security` and `_source` are.
pub trait Parameters {
    /// All kinds.
    fn kinds(&self) -> Vec<&str>;

    /// Whether there is this kind.
    fn has_kind(&self, kind: &str) -> bool;

    /// The parameter of this kind and code.
    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>>;

    /// All parameters of a kind that can be searched by, in a fixed order.
    fn list(&self, kind: &str) -> Vec<Parameter<'_>>;
}

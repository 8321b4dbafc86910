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

    /// All parameters of a kind, in a fixed order.
    fn list(&self, kind: &str) -> Vec<Parameter<'_>>;
}

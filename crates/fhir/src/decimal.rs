//! Decimal numbers of any length, exact.

/// A decimal number as bytes that order as the numbers do: shorter numbers are not padded, none is rounded.
/// The empty key is minus infinity; `[0xFF]` is plus infinity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SortKey(pub Vec<u8>);

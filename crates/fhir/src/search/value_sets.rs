//! Where the parser learns what is in a value set, and what stands above and below a code (`:in`, `:not-in`, `:above`,
//! `:below` on tokens; R4, section 3.1.1.4.10).

use super::R4;
use crate::definitions::{Codes, r4};

mod listed;
mod system;

pub use listed::{Definitions, Listed};

/// Codes that a value set may have to be searched with.
pub const MOST_CODES: usize = 10_000;

/// A code with its system.
pub type SystemCode = (String, String);

/// Why codes cannot be given. None of these is ever answered with part of the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ValueSetProblem {
    /// No value set, code system or code of this name is known here.
    #[error("is not known here")]
    Unknown,
    /// More than [`MOST_CODES`].
    #[error("has more than {MOST_CODES} codes")]
    TooLarge,
    /// Known, but its content must be worked out by a terminology service.
    #[error("needs a terminology service, which this server does not have yet")]
    NeedsTerminology,
    /// Several of this name are stored.
    #[error("is stored here in several versions; name one of them: url|version")]
    Ambiguous,
    /// The store or what it holds cannot be read.
    #[error("cannot be read just now; try again")]
    Unavailable,
}

/// Value sets and the hierarchies of code systems, as far as they can be listed.
pub trait ValueSets {
    /// The codes of a value set, named by its canonical URL, with `|version` if one is meant, or as `ValueSet/id`.
    ///
    /// # Errors
    /// [`ValueSetProblem`].
    fn members(&self, value_set: &str) -> Result<Vec<SystemCode>, ValueSetProblem>;

    /// The code itself and all codes that it subsumes (`:below`).
    ///
    /// # Errors
    /// [`ValueSetProblem`].
    fn below(&self, system: &str, code: &str) -> Result<Vec<SystemCode>, ValueSetProblem>;

    /// The code itself and all codes that subsume it (`:above`).
    ///
    /// # Errors
    /// [`ValueSetProblem`].
    fn above(&self, system: &str, code: &str) -> Result<Vec<SystemCode>, ValueSetProblem>;
}

/// The value sets of R4's required bindings. Their code systems are given without hierarchy.
impl ValueSets for R4 {
    fn members(&self, value_set: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        let url = value_set.split('|').next().unwrap_or(value_set);
        let elements = r4().types().iter().flat_map(|found| &found.elements);
        let mut bindings = elements.filter_map(|element| element.binding);
        match bindings.find(|binding| binding.url == url).map(|binding| &binding.codes) {
            None => Err(ValueSetProblem::Unknown),
            Some(Codes::Open) => Err(ValueSetProblem::NeedsTerminology),
            Some(Codes::Enumerated(codes)) => {
                let members: Vec<SystemCode> =
                    codes.iter().map(|(system, code)| (system.to_owned(), code.to_owned())).collect();
                if members.len() > MOST_CODES { Err(ValueSetProblem::TooLarge) } else { Ok(members) }
            }
        }
    }

    fn below(&self, _: &str, _: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        Err(ValueSetProblem::NeedsTerminology)
    }

    fn above(&self, _: &str, _: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        Err(ValueSetProblem::NeedsTerminology)
    }
}

//! Codes that say something sensitive by themselves: a diagnosis of one chapter, a test for one virus.
//!
//! A record that holds such a code, with its code system, gets the bits of the code's label beside those of its own security labels, when it
//! is written. When other codes come into force, all records are labelled anew in the background ([`Engine::set_sensitive`]).
//!
//! [`Engine::set_sensitive`]: crate::engine::Engine::set_sensitive

use std::collections::HashMap;
use std::fmt;

use ieum_fhir::json::{Kind, Value};

/// Which codes set which bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SensitiveCodes {
    /// By code system.
    systems: HashMap<String, Vec<Codes>>,
}

/// Codes of one system that set the same bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Codes {
    mask: u32,
    within: Within,
}

/// Which codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    /// This code.
    Is(String),
    /// Codes of a classification from one category to another, both included: `F00` to `F99` has `F20.0` and `f200`. Both ends
    /// have the same length, and a code is compared by so many of its letters, without its point.
    Categories(String, String),
}

/// Why a list of codes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a code nor two categories of the same length with a hyphen between, the lower one first"
)]
pub struct BadCodes(pub String);

impl SensitiveCodes {
    /// Adds codes of a system: words with blanks between, each a code, or with `are_categories` a category or two with a hyphen
    /// between.
    ///
    /// # Errors
    /// [`BadCodes`].
    pub fn add(
        &mut self,
        system: &str,
        words: &str,
        are_categories: bool,
        mask: u32,
    ) -> Result<(), BadCodes> {
        for word in words.split_whitespace() {
            let within = if are_categories { categories(word)? } else { Within::Is(word.to_owned()) };
            let codes = self.systems.entry(system.to_owned()).or_default();
            codes.push(Codes { mask, within });
            codes.sort();
            codes.dedup();
        }
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.systems.is_empty()
    }

    /// The bits that one code sets.
    #[must_use]
    pub fn mask(&self, system: &str, code: &str) -> u32 {
        let Some(known) = self.systems.get(system) else { return 0 };
        let plain = plain(code);
        known.iter().filter(|codes| codes.within.has(code, &plain)).fold(0, |mask, codes| mask | codes.mask)
    }

    /// The bits that the codes set which stand in a resource, wherever they do: search parameters do not find them all.
    #[must_use]
    pub fn of(&self, resource: Value<'_>) -> u32 {
        if self.is_empty() { 0 } else { self.within(resource) }
    }

    /// As deep as documents may be.
    fn within(&self, value: Value<'_>) -> u32 {
        let (mut mask, mut system, mut code) = (0, None, None);
        for inner in value.members().chain(value.elements()) {
            match (inner.kind(), inner.key().as_deref()) {
                (Kind::Object | Kind::Array, _) => mask |= self.within(inner),
                (_, Some("system")) => system = inner.text(),
                (_, Some("code")) => code = inner.text(),
                _ => {}
            }
        }
        match (system, code) {
            (Some(system), Some(code)) => mask | self.mask(&system, &code),
            _ => mask,
        }
    }

    /// Reads what was written.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut codes = Self::default();
        for line in text.lines() {
            let mut parts = line.split('\t');
            let (mask, form, word, system) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            codes.add(system, word, form == "category", mask.parse().ok()?).ok()?;
        }
        Some(codes)
    }
}

/// A line for each code, in a fixed order: what is kept, and compared.
impl fmt::Display for SensitiveCodes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut systems: Vec<_> = self.systems.iter().collect();
        systems.sort();
        for (system, codes) in systems {
            for Codes { mask, within } in codes {
                match within {
                    Within::Is(code) => writeln!(out, "{mask}\tcode\t{code}\t{system}")?,
                    Within::Categories(from, to) => writeln!(out, "{mask}\tcategory\t{from}-{to}\t{system}")?,
                }
            }
        }
        Ok(())
    }
}

impl Within {
    fn has(&self, code: &str, plain: &str) -> bool {
        match self {
            Self::Is(known) => known == code,
            Self::Categories(from, to) => plain
                .get(..from.len())
                .is_some_and(|category| from.as_str() <= category && category <= to.as_str()),
        }
    }
}

fn categories(word: &str) -> Result<Within, BadCodes> {
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let (from, to) = (plain(from), plain(to));
    let is_plain = |end: &str| !end.is_empty() && end.bytes().all(|letter| letter.is_ascii_alphanumeric());
    if !is_plain(&from) || !is_plain(&to) || from.len() != to.len() || from > to {
        return Err(BadCodes(word.to_owned()));
    }
    Ok(Within::Categories(from, to))
}

/// A code as it is compared: classifications are written with and without points, in great and small letters.
fn plain(code: &str) -> String {
    code.chars().filter(|letter| *letter != '.').map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KCD: &str = "kcd";

    fn codes() -> SensitiveCodes {
        let mut codes = SensitiveCodes::default();
        codes.add(KCD, "F00-F09 F20 Z30.2", true, 4).unwrap();
        codes.add(KCD, "B20-B24", true, 8).unwrap();
        codes.add("loinc", "7917-8", false, 8).unwrap();
        codes
    }

    #[test]
    fn categories_have_their_codes_however_they_are_written() {
        for (code, mask) in [
            ("F00", 4),
            ("F09.9", 4),
            ("f05", 4),
            ("F10", 0),
            ("F20.0", 4),
            ("F200", 4),
            ("F2", 0),
            ("F21", 0),
            ("Z302", 4),
            ("Z30.2", 4),
            ("Z30", 0),
            ("Z309", 0),
            ("B24", 8),
            ("B25", 0),
            ("", 0),
            ("가나다", 0),
        ] {
            assert_eq!(codes().mask(KCD, code), mask, "{code}");
        }
        assert_eq!(codes().mask("loinc", "7917-8"), 8);
        assert_eq!(codes().mask("loinc", "7917-80"), 0);
        assert_eq!(codes().mask("other", "F00"), 0);
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(SensitiveCodes::read(&codes().to_string()), Some(codes()));
        assert_eq!(SensitiveCodes::read(""), Some(SensitiveCodes::default()));
        assert_eq!(SensitiveCodes::read("nonsense"), None);
    }

    #[test]
    fn what_is_no_category_is_refused() {
        for word in ["F09-F00", "F0-F99", "F00-", "-F00", "F00_", "가"] {
            assert!(SensitiveCodes::default().add(KCD, word, true, 1).is_err(), "{word}");
        }
    }
}

//! Full-text search (`_text`, `_content`; R4, section 3.1.1.4.9): from texts to terms, and from a question to terms.
//!
//! A record is found when all terms of the question are among its terms. Every engine compares terms for equality, and
//! so all find the same. What is a term:
//!
//! - a Latin, Greek or Cyrillic word or a number: the whole word, without case and accents ([`crate::text::normalize`]);
//! - of a run of Hangul syllables: each syllable, each pair of neighbours, and the same of their initials. Korean
//!   particles stick to their nouns, so that whole words would not be found: pairs find 혈압 in 고혈압이;
//! - of a run of Chinese characters or kana: each character, and each pair of neighbours.
//!
//! A question gives the pairs of each run, or the single character when it has just one: 고혈압 asks for 고혈 and 혈압,
//! ㄱㅎㅇ for ㄱㅎ and ㅎㅇ. That can find a record in which the pairs stand apart.

use crate::index::FullText;
use crate::json::Value;

mod collect;
mod terms;

pub use terms::{query_words, words};

/// Terms kept of one text of a record, at most: those that come first.
pub const MOST_TERMS: usize = 20_000;

/// The terms of both texts of a resource.
#[must_use]
pub fn full_text(kind: &str, resource: Value<'_>) -> FullText {
    collect::full_text(kind, resource)
}

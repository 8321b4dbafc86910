//! Text as people search for it: without case, accents and spelling of Unicode; and Korean names by their initials.
//!
//! Hangul is never taken apart: `김` written as three jamo (as macOS does in file names) equals `김` written as one
//! syllable, and no more than that.
//!
//! ```
//! use ieum_fhir::text;
//! assert_eq!(text::normalize("  José\u{301}  PÉREZ "), "jose perez");
//! assert_eq!(text::initials("김민수"), "ㄱㅁㅅ");
//! assert!(text::matches_initials("김ㅁㅅ", "김민수"));
//! ```

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The nineteen initials of Hangul syllables, in the order of the syllables, as compatibility jamo.
const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ',
    'ㅍ', 'ㅎ',
];

/// Consonant pairs that only end a syllable. A Korean keyboard makes them out of two initials typed in a row.
const PAIRS: [(char, [char; 2]); 11] = [
    ('ㄳ', ['ㄱ', 'ㅅ']),
    ('ㄵ', ['ㄴ', 'ㅈ']),
    ('ㄶ', ['ㄴ', 'ㅎ']),
    ('ㄺ', ['ㄹ', 'ㄱ']),
    ('ㄻ', ['ㄹ', 'ㅁ']),
    ('ㄼ', ['ㄹ', 'ㅂ']),
    ('ㄽ', ['ㄹ', 'ㅅ']),
    ('ㄾ', ['ㄹ', 'ㅌ']),
    ('ㄿ', ['ㄹ', 'ㅍ']),
    ('ㅀ', ['ㄹ', 'ㅎ']),
    ('ㅄ', ['ㅂ', 'ㅅ']),
];

const FIRST_SYLLABLE: u32 = '가' as u32;
const LAST_SYLLABLE: u32 = '힣' as u32;
/// Syllables that share an initial: 21 vowels times 28 ends.
const PER_INITIAL: u32 = 588;

/// The text in Unicode's composed form (NFC): what `:exact` compares.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The text as string searches compare it (R4, section 3.1.1.4.8): composed, lower case, Latin, Greek and Cyrillic
/// letters without accents, each run of white space one space, none at the ends.
#[must_use]
pub fn normalize(text: &str) -> Cow<'_, str> {
    if is_normal(text) {
        return Cow::Borrowed(text);
    }
    let folded: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        // Taken apart first, so that marks stand alone; put together at the end, for what is left of them.
        text.nfd().filter(|&letter| !is_accent(letter)).flat_map(fold).nfc().collect()
    };
    let mut words = folded.split_whitespace();
    let mut out = String::with_capacity(folded.len());
    out.push_str(words.next().unwrap_or(""));
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
    Cow::Owned(out)
}

/// Whether [`normalize`] would change nothing: digits, small letters, Hangul syllables, single spaces.
fn is_normal(text: &str) -> bool {
    let plain = |letter: char| matches!(letter, '!'..='@' | '['..='~' | '가'..='힣');
    let mut after_space = true;
    for letter in text.chars() {
        if !(plain(letter) || (letter == ' ' && !after_space)) {
            return false;
        }
        after_space = letter == ' ';
    }
    !after_space || text.is_empty()
}

/// A letter in lower case; letters that are the same but for their place in a word, or a way of writing, as one.
fn fold(letter: char) -> impl Iterator<Item = char> {
    let mut lower = letter.to_lowercase().flat_map(|letter| match letter {
        'ß' => ['s', 's'].into_iter().take(2),
        'ς' => ['σ', '\0'].into_iter().take(1),
        'ſ' => ['s', '\0'].into_iter().take(1),
        other => [other, '\0'].into_iter().take(1),
    });
    std::iter::from_fn(move || lower.next())
}

/// Combining marks of Latin, Greek and Cyrillic. Those of kana, Hangul and Indic scripts make other letters.
fn is_accent(letter: char) -> bool {
    matches!(u32::from(letter), 0x300..=0x36F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// The first consonant of a Hangul syllable, as compatibility jamo; `None` for any other character.
#[must_use]
pub fn initial(letter: char) -> Option<char> {
    let place = u32::from(letter).checked_sub(FIRST_SYLLABLE)?;
    INITIALS.get((place / PER_INITIAL) as usize).copied()
}

/// A text with every Hangul syllable replaced by its initial; everything else as [`normalize`] leaves it.
#[must_use]
pub fn initials(text: &str) -> String {
    normalize(text).chars().map(|letter| initial(letter).unwrap_or(letter)).collect()
}

/// The first and last syllable that begin with an initial: `ㅁ` gives `마` and `밓`. `None` when it is no initial.
#[must_use]
pub fn initial_range(initial: char) -> Option<(char, char)> {
    let place = INITIALS.iter().position(|&known| known == initial)?;
    let first = FIRST_SYLLABLE + u32::try_from(place).ok()? * PER_INITIAL;
    debug_assert!(first + PER_INITIAL - 1 <= LAST_SYLLABLE);
    Some((char::from_u32(first)?, char::from_u32(first + PER_INITIAL - 1)?))
}

/// Whether a search text has an initial standing alone in it, and so asks for [`matches_initials`].
#[must_use]
pub fn has_initials(query: &str) -> bool {
    query.chars().any(|letter| !matches!(initials_of_jamo(letter), ([None, None], _)))
}

/// A search text, normalised, with every consonant standing alone as an initial: pairs made by the keyboard taken
/// apart (`ㄳ` is `ㄱㅅ`), conjoining jamo as compatibility jamo.
#[must_use]
pub fn initials_query(query: &str) -> String {
    normalize(query)
        .chars()
        .flat_map(|letter| {
            let (jamo, other) = initials_of_jamo(letter);
            jamo.into_iter().flatten().chain(other)
        })
        .collect()
}

/// One or two initials for a consonant; the character itself for anything else.
fn initials_of_jamo(letter: char) -> ([Option<char>; 2], Option<char>) {
    if let Some((_, pair)) = PAIRS.iter().find(|(joined, _)| *joined == letter) {
        return ([Some(pair[0]), Some(pair[1])], None);
    }
    let conjoining = u32::from(letter).checked_sub(0x1100).and_then(|place| INITIALS.get(place as usize));
    match conjoining.or_else(|| INITIALS.iter().find(|&&known| known == letter)) {
        Some(&found) => ([Some(found), None], None),
        None => ([None, None], Some(letter)),
    }
}

/// Whether a value begins with what was asked, each initial in the query standing for any syllable that begins
/// with it (and for itself). Without initials this is plain prefix search.
#[must_use]
pub fn matches_initials(query: &str, value: &str) -> bool {
    let query = initials_query(query);
    let value = normalize(value);
    let mut letters = value.chars();
    query
        .chars()
        .all(|asked| letters.next().is_some_and(|found| asked == found || initial(found) == Some(asked)))
}

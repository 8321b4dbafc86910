//! From text to terms.

use crate::text;

/// Letters of a word that count; what follows is cut off, in records and in questions alike.
const MOST_LETTERS: usize = 64;

/// The terms of a record's text, sorted, none twice.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    each_run(text, &mut |run| record_terms(&run, &mut |term| found.push(term.to_owned())));
    tidy(found)
}

/// The terms that must all be there for a question, sorted, none twice; empty when the question has no letters.
#[must_use]
pub fn query_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    each_run(text, &mut |run| question_terms(&run, &mut |term| found.push(term.to_owned())));
    tidy(found)
}

fn tidy(mut terms: Vec<String>) -> Vec<String> {
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Letters that stand together.
pub(super) enum Run<'t> {
    /// A word of an alphabet, or a number.
    Word(&'t str),
    /// Hangul syllables, and initials standing alone.
    Hangul(Vec<char>),
    /// Chinese characters and kana.
    Characters(Vec<char>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Alphabet,
    Hangul,
    Characters,
}

fn script(letter: char) -> Option<Script> {
    match letter {
        '\0'..='\x7F' => letter.is_ascii_alphanumeric().then_some(Script::Alphabet),
        '가'..='힣' => Some(Script::Hangul),
        '々' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FE}' | '\u{31F0}'..='\u{31FF}' => {
            Some(Script::Characters)
        }
        '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => Some(Script::Characters),
        _ if text::has_initials(letter.encode_utf8(&mut [0; 4])) => Some(Script::Hangul),
        _ if letter.is_alphanumeric() => Some(Script::Alphabet),
        _ => None,
    }
}

/// Calls `found` with each run of the text, in order.
pub(super) fn each_run(text: &str, found: &mut dyn FnMut(Run<'_>)) {
    let normal = text::normalize(text);
    let mut rest = &*normal;
    while let Some(start) = rest.find(|letter| script(letter).is_some()) {
        let kind = rest[start..].chars().next().and_then(script);
        rest = &rest[start..];
        let (run, after) = rest.split_at(rest.find(|letter| script(letter) != kind).unwrap_or(rest.len()));
        rest = after;
        found(match kind {
            Some(Script::Hangul) => Run::Hangul(text::initials_query(run).chars().collect()),
            Some(Script::Characters) => Run::Characters(run.chars().collect()),
            _ => Run::Word(run.char_indices().nth(MOST_LETTERS).map_or(run, |(end, _)| &run[..end])),
        });
    }
}

/// What a record with this run is found by.
pub(super) fn record_terms(run: &Run<'_>, found: &mut dyn FnMut(&str)) {
    match run {
        Run::Word(word) => found(word),
        Run::Characters(letters) => singles_and_pairs(letters, found),
        Run::Hangul(letters) => {
            for syllables in letters.split(|&letter| text::initial(letter).is_none()) {
                singles_and_pairs(syllables, found);
            }
            singles_and_pairs(&initials(letters), found);
        }
    }
}

/// What a question with this run asks for.
fn question_terms(run: &Run<'_>, found: &mut dyn FnMut(&str)) {
    match run {
        Run::Word(word) => found(word),
        Run::Characters(letters) => pairs_or_single(letters, found),
        Run::Hangul(letters) => {
            for syllables in letters.split(|&letter| text::initial(letter).is_none()) {
                pairs_or_single(syllables, found);
            }
            if letters.iter().any(|&letter| text::initial(letter).is_none()) {
                pairs_or_single(&initials(letters), found);
            }
        }
    }
}

/// The run with every syllable as its initial.
fn initials(letters: &[char]) -> Vec<char> {
    letters.iter().map(|&letter| text::initial(letter).unwrap_or(letter)).collect()
}

fn singles_and_pairs(letters: &[char], found: &mut dyn FnMut(&str)) {
    letters.iter().for_each(|letter| found(letter.encode_utf8(&mut [0; 4])));
    pairs(letters, found);
}

fn pairs_or_single(letters: &[char], found: &mut dyn FnMut(&str)) {
    match letters {
        [single] => found(single.encode_utf8(&mut [0; 4])),
        several => pairs(several, found),
    }
}

fn pairs(letters: &[char], found: &mut dyn FnMut(&str)) {
    let mut pair = String::with_capacity(8);
    for two in letters.windows(2) {
        pair.clear();
        pair.extend(two);
        found(&pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(question: &str, record: &str) -> bool {
        let (asked, known) = (query_words(question), words(record));
        assert!(!asked.is_empty(), "{question} asks for nothing");
        asked.iter().all(|term| known.binary_search(term).is_ok())
    }

    #[test]
    fn words_are_found_whole() {
        assert!(found("Diabetes mellitus", "type 2 diabetes; MELLITUS."));
        assert!(!found("diabete", "diabetes"));
        assert!(found("perez", "José Pérez"));
        assert!(found("I10", "(I10.9)"));
        assert!(!found("diabetes asthma", "diabetes"));
        assert!(found(&"x".repeat(70), &"x".repeat(99)));
    }

    #[test]
    fn korean_is_found_inside_words() {
        assert!(found("혈압", "고혈압이 있습니다"));
        assert!(found("고혈압", "고혈압이 있습니다"));
        assert!(found("암", "위암 의심"));
        assert!(found("ㄱㅎㅇ", "고혈압이 있습니다"));
        assert!(found("고ㅎㅇ", "고혈압이 있습니다"));
        assert!(found("ㅇ", "위암"));
        assert!(found("ㄳ", "감사"));
        assert!(!found("혈당", "고혈압이 있습니다"));
        assert!(!found("압이있", "고혈압이 있습니다"));
        assert!(!found("ㅎㄱ", "고혈압"));
        // As macOS writes it.
        assert!(found("고혈압", "\u{1100}\u{1169}\u{1112}\u{1167}\u{11AF}\u{110B}\u{1161}\u{11B8}"));
        assert!(found("2형", "제2형 당뇨"));
    }

    #[test]
    fn characters_are_found_in_pairs() {
        assert!(found("高血壓", "本態性高血壓症"));
        assert!(found("血", "高血壓"));
        assert!(!found("高壓", "高血壓"));
        assert!(found("カルテ", "カルテ開示"));
    }

    #[test]
    fn texts_without_letters_have_no_terms() {
        assert!(query_words(" -– ()!").is_empty());
        assert!(words("").is_empty());
        assert_eq!(words("가나"), ["ㄱ", "ㄱㄴ", "ㄴ", "가", "가나", "나"]);
    }
}

//! Hangul to Latin letters, syllable by syllable after the Revised Romanisation (without sound changes across
//! syllables, as names are written).

const INITIALS: [&str; 19] =
    ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"];
const VOWELS: [&str; 21] = [
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi",
    "yu", "eu", "ui", "i",
];
const FINALS: [&str; 28] = [
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t",
    "ng", "t", "t", "k", "t", "p", "t",
];

/// `민수` becomes `Minsu`; characters that are no Hangul syllables stay.
pub(crate) fn romanize(text: &str) -> String {
    let mut latin = String::with_capacity(text.len() * 2);
    for letter in text.chars() {
        match u32::from(letter).checked_sub(0xAC00) {
            Some(index) if index < 11_172 => {
                let index = index as usize;
                latin.push_str(INITIALS[index / 588]);
                latin.push_str(VOWELS[index % 588 / 28]);
                latin.push_str(FINALS[index % 28]);
            }
            _ => latin.push(letter),
        }
    }
    if let Some(first) = latin.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    latin
}

#[cfg(test)]
mod tests {
    use super::romanize;

    #[test]
    fn names_are_spelt_as_people_read_them() {
        assert_eq!(romanize("민수"), "Minsu");
        assert_eq!(romanize("영희"), "Yeonghui");
        assert_eq!(romanize("은정"), "Eunjeong");
    }
}

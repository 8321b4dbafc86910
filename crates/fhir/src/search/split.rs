//! Separators and escapes of search values (R4, section 3.1.1.4.4): `\,` `\|` `\$` `\\` stand for themselves.

use std::borrow::Cow;

/// Parts between separators that are not escaped. Escapes stay in the parts: see [`unescape`].
pub(super) fn split(value: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(place) = find(text, separator) else {
            rest = None;
            return Some(text);
        };
        rest = Some(&text[place + 1..]);
        Some(&text[..place])
    })
}

/// The text before and after the first separator that is not escaped.
pub(super) fn split_once(value: &str, separator: u8) -> Option<(&str, &str)> {
    find(value, separator).map(|place| (&value[..place], &value[place + 1..]))
}

/// The text meant. A backslash before any other character is itself.
pub(super) fn unescape(part: &str) -> Cow<'_, str> {
    if !part.contains('\\') {
        return Cow::Borrowed(part);
    }
    let mut out = String::with_capacity(part.len());
    let mut letters = part.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some(&escaped @ (',' | '|' | '$' | '\\'))) => {
                out.push(escaped);
                letters.next();
            }
            _ => out.push(letter),
        }
    }
    Cow::Owned(out)
}

fn find(text: &str, separator: u8) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let found = byte == separator && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

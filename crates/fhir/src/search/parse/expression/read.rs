//! The words of an expression.

use std::borrow::Cow;

/// One name of a path, with what stands before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link<'t> {
    pub(super) name: &'t str,
    /// The type after a colon.
    pub(super) kind: Option<&'t str>,
    /// What stands in brackets.
    pub(super) condition: Option<&'t str>,
}

pub(super) struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.trim_start() }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn takes(&mut self, letter: char) -> bool {
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// The word, if it stands here and ends here.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let follows = self.rest.strip_prefix(word);
        let ends = |rest: &&str| rest.starts_with(|next: char| next.is_whitespace() || next == '(');
        match follows.filter(ends) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// `not (`.
    pub(super) fn takes_not(&mut self) -> bool {
        let before = self.rest;
        if self.takes_word("not") && self.takes('(') {
            return true;
        }
        self.rest = before;
        false
    }

    /// Letters up to white space.
    pub(super) fn word(&mut self) -> Option<&'t str> {
        let end = self.rest.find(char::is_whitespace)?;
        let word = &self.rest[..end];
        self.rest = self.rest[end..].trim_start();
        (!word.is_empty()).then_some(word)
    }

    /// `name.name`, `name:Type.name`, `name[condition].name`, and the white space after it.
    pub(super) fn path(&mut self) -> Option<Vec<Link<'t>>> {
        let mut links = Vec::new();
        loop {
            let name = self.name()?;
            let kind = match self.rest.strip_prefix(':') {
                Some(rest) => {
                    self.rest = rest;
                    Some(self.name()?)
                }
                None => None,
            };
            let condition = match self.rest.strip_prefix('[') {
                Some(inside) => {
                    let end = closing_bracket(inside)?;
                    self.rest = &inside[end + 1..];
                    Some(&inside[..end])
                }
                None => None,
            };
            links.push(Link { name, kind, condition });
            match self.rest.strip_prefix('.') {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        let ended = self.rest.starts_with(char::is_whitespace);
        self.rest = self.rest.trim_start();
        // A condition and a type are about the records that the next name is asked of.
        let open = links.last().is_none_or(|last| last.kind.is_some() || last.condition.is_some());
        (ended && !open).then_some(links)
    }

    fn name(&mut self) -> Option<&'t str> {
        let legible = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        let end = self.rest.find(|letter| !legible(letter)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_').then_some(name)
    }

    /// A JSON string, or letters up to white space or a closing parenthesis or bracket.
    pub(super) fn value(&mut self) -> Option<Cow<'t, str>> {
        let (value, rest) = if self.rest.starts_with('"') {
            let end = string_end(self.rest)?;
            let (quoted, rest) = self.rest.split_at(end);
            (Cow::Owned(serde_json::from_str(quoted).ok()?), rest)
        } else {
            let ends = |letter: char| letter.is_whitespace() || letter == ')' || letter == ']';
            let (bare, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
            (Cow::Borrowed(bare), rest)
        };
        self.rest = rest.trim_start();
        (!value.trim().is_empty()).then_some(value)
    }
}

/// Where the string that begins here ends, its last quote included.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return Some(place + 1),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// Where the bracket that was opened just before is closed.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut place = 0;
    while let Some(byte) = text.as_bytes().get(place) {
        match byte {
            b'"' => {
                place += string_end(&text[place..])?;
                continue;
            }
            b'[' => open += 1,
            b']' if open == 0 => return Some(place),
            b']' => open -= 1,
            _ => {}
        }
        place += 1;
    }
    None
}

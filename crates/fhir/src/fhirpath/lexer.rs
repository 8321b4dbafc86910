//! From text to tokens (FHIRPath N1, grammar).

use super::error::{At, PathError, Problem};

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, also one that is a word of the language.
    Word(String),
    /// A name in backticks: never a word of the language.
    Quoted(String),
    /// `'…'`, unescaped.
    Text(String),
    /// Digits, perhaps with a fraction.
    Number(String),
    /// `@…`, without the sign.
    Date(String),
    /// `%name`
    Variable(String),
    /// `$this`, `$index`, `$total`
    Dollar(String),
    /// Operators and brackets.
    Sign(&'static str),
    /// Nothing more.
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 23] = [
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "<", ">",
    "=", "~", ";",
];

/// All tokens with their places, the last of them [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(At, Token)>, PathError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.space()?;
        let at = lexer.at;
        let token = lexer.token()?;
        let ends = token == Token::End;
        tokens.push((at, token));
        if ends {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: At,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn error(&self, what: &'static str) -> PathError {
        PathError::new(self.at, Problem::Syntax(what))
    }

    /// White space and comments.
    fn space(&mut self) -> Result<(), PathError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let end = trimmed.find("*/").ok_or_else(|| self.error("the comment has no end"))?;
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, PathError> {
        let Some(first) = self.rest().chars().next() else { return Ok(Token::End) };
        match first {
            '\'' => Ok(Token::Text(self.quoted('\'')?)),
            '`' => Ok(Token::Quoted(self.quoted('`')?)),
            '0'..='9' => Ok(Token::Number(self.number())),
            '@' => {
                self.at += 1;
                self.date()
            }
            '%' => {
                self.at += 1;
                match self.rest().chars().next() {
                    Some(quote @ ('\'' | '`')) => Ok(Token::Variable(self.quoted(quote)?)),
                    _ => Ok(Token::Variable(self.word("a variable has a name")?)),
                }
            }
            '$' => {
                self.at += 1;
                Ok(Token::Dollar(self.word("only $this, $index and $total begin with a dollar sign")?))
            }
            'A'..='Z' | 'a'..='z' | '_' => Ok(Token::Word(self.word("a name is expected")?)),
            _ => {
                let sign = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign));
                let sign = sign.ok_or_else(|| self.error("this character has no meaning here"))?;
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
        }
    }

    fn span(&mut self, within: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|&byte| within(byte)).count();
        // Every caller asks for ASCII only, so that the cut never falls inside a character.
        self.at += length;
        &rest[..length]
    }

    fn word(&mut self, what: &'static str) -> Result<String, PathError> {
        let word = self.span(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if word.is_empty() || word.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(self.error(what));
        }
        Ok(word.to_owned())
    }

    fn number(&mut self) -> String {
        let mut number = self.span(|byte| byte.is_ascii_digit()).to_owned();
        let mut after = self.rest().bytes();
        // `1.abs()` is a call on 1.
        if after.next() == Some(b'.') && after.next().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            number.push('.');
            number.push_str(self.span(|byte| byte.is_ascii_digit()));
        }
        number
    }

    /// Date and time characters, but not the point of a call that follows (`@2015.is(Date)`), nor the sign of a
    /// subtraction (`@2015 - 1 year` is written with a space).
    fn date(&mut self) -> Result<Token, PathError> {
        let mut date = self.span(|byte| byte.is_ascii_digit() || byte == b'-').to_owned();
        if self.rest().starts_with('T') {
            self.at += 1;
            date.push('T');
            date.push_str(self.span(|byte| byte.is_ascii_digit() || byte == b':'));
            let mut after = self.rest().bytes();
            if after.next() == Some(b'.') && after.next().is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1;
                date.push('.');
                date.push_str(self.span(|byte| byte.is_ascii_digit()));
            }
            // A time of day has no offset.
            if !date.starts_with('T') {
                date.push_str(self.offset());
            }
        }
        if date.is_empty() {
            Err(self.error("a date or time is expected after @"))
        } else {
            Ok(Token::Date(date))
        }
    }

    fn offset(&mut self) -> &'t str {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |range: std::ops::Range<usize>| {
            bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
        };
        let length = match bytes.first() {
            Some(b'Z') => 1,
            Some(b'+' | b'-') if digits(1..3) && bytes.get(3) == Some(&b':') && digits(4..6) => 6,
            _ => 0,
        };
        self.at += length;
        &rest[..length]
    }

    fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, letter)) = chars.next() {
            if letter == quote {
                self.at += offset + 1;
                return Ok(text);
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            let escape = chars.next().map(|(_, letter)| letter);
            text.push(match escape {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).map(|(_, letter)| letter).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                    let found = code.and_then(char::from_u32);
                    found.ok_or_else(|| self.error("four hexadecimal digits of a character follow \\u"))?
                }
                Some(itself @ ('\\' | '/' | '\'' | '"' | '`')) => itself,
                _ => return Err(self.error("there is no such escape in a string")),
            });
        }
        Err(self.error("the string has no end"))
    }
}

//! From text to a tree.

use super::ExpressionError;

/// The longest of R4 has about 3,000 characters.
const MAX_LENGTH: usize = 16_384;
/// Parentheses one inside another; R4 has one.
const MAX_DEPTH: usize = 8;
/// Steps of one path; R4 has six. With the depth it bounds how deep the tree is.
const MAX_STEPS: usize = 64;

/// An expression as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression<'e> {
    /// The first name of a path: a type when it starts with a capital, else an element.
    Name(&'e str),
    /// `%resource`
    Resource,
    Member(Box<Self>, &'e str),
    /// `as`, `.as()`, `.ofType()`
    OfType(Box<Self>, &'e str),
    Where(Box<Self>, &'e str, &'e str),
    ResolvesTo(Box<Self>, &'e str),
    Item(Box<Self>, usize),
    Extension(Box<Self>, &'e str),
    Exists(Box<Self>),
    NotFalse(Box<Self>),
    And(Box<Self>, Box<Self>),
    Union(Vec<Self>),
}

pub(super) fn parse(text: &str) -> Result<Expression<'_>, ExpressionError> {
    if text.len() > MAX_LENGTH {
        return Err(ExpressionError::TooLarge);
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.union()?;
    parser.space();
    if parser.at == text.len() { Ok(expression) } else { Err(parser.error()) }
}

struct Parser<'e> {
    text: &'e str,
    at: usize,
    depth: usize,
}

impl<'e> Parser<'e> {
    fn union(&mut self) -> Result<Expression<'e>, ExpressionError> {
        let mut parts = vec![self.and()?];
        while self.takes("|") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Union(parts) })
    }

    fn and(&mut self) -> Result<Expression<'e>, ExpressionError> {
        let left = self.comparison()?;
        if self.takes_word("and") {
            return Ok(Expression::And(Box::new(left), Box::new(self.comparison()?)));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression<'e>, ExpressionError> {
        let left = self.path()?;
        if self.takes("!=") {
            return if self.takes_word("false") {
                Ok(Expression::NotFalse(Box::new(left)))
            } else {
                Err(self.error())
            };
        }
        if self.takes_word("as") {
            return Ok(Expression::OfType(Box::new(left), self.type_name()?));
        }
        Ok(left)
    }

    fn path(&mut self) -> Result<Expression<'e>, ExpressionError> {
        let mut path = if self.takes("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(ExpressionError::TooLarge);
            }
            let inner = self.union()?;
            self.expect(")")?;
            self.depth -= 1;
            inner
        } else if self.takes("%resource") {
            Expression::Resource
        } else {
            Expression::Name(self.name()?)
        };
        for _ in 0..MAX_STEPS {
            if self.takes("[") {
                let digits = self.span(|byte| byte.is_ascii_digit());
                let item = digits.parse().map_err(|_| self.error())?;
                self.expect("]")?;
                path = Expression::Item(Box::new(path), item);
            } else if self.takes(".") {
                let name = self.name()?;
                path = if self.takes("(") {
                    self.function(path, name)?
                } else {
                    Expression::Member(Box::new(path), name)
                };
            } else {
                return Ok(path);
            }
        }
        Err(ExpressionError::TooLarge)
    }

    /// After `name(`, up to and with the closing parenthesis.
    fn function(&mut self, on: Expression<'e>, name: &str) -> Result<Expression<'e>, ExpressionError> {
        let on = Box::new(on);
        let found = match name {
            "as" | "ofType" => Expression::OfType(on, self.type_name()?),
            "exists" => Expression::Exists(on),
            "extension" => {
                let quoted = self.takes("'");
                let url = self.span(|byte| !matches!(byte, b'\'' | b'(' | b')' | b' '));
                if quoted {
                    self.expect("'")?;
                }
                Expression::Extension(on, url)
            }
            "where" if self.takes("resolve()") => {
                if !self.takes_word("is") {
                    return Err(self.error());
                }
                Expression::ResolvesTo(on, self.type_name()?)
            }
            "where" => {
                let member = self.name()?;
                self.expect("=")?;
                self.expect("'")?;
                let equals = self.span(|byte| byte != b'\'' && byte != b'\\');
                self.expect("'")?;
                Expression::Where(on, member, equals)
            }
            _ => return Err(self.error()),
        };
        self.expect(")")?;
        Ok(found)
    }

    fn name(&mut self) -> Result<&'e str, ExpressionError> {
        self.space();
        let name = self.span(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name.is_empty() { Err(self.error()) } else { Ok(name) }
    }

    /// `Quantity`, `FHIR.Quantity`.
    fn type_name(&mut self) -> Result<&'e str, ExpressionError> {
        let name = self.name()?;
        if name == "FHIR" && self.takes(".") { self.name() } else { Ok(name) }
    }

    fn span(&mut self, within: impl Fn(u8) -> bool) -> &'e str {
        let rest = &self.text[self.at..];
        // Cuts fall on ASCII, never inside a character: a byte outside ASCII is either wanted as a whole or not.
        let length = rest.bytes().take_while(|&byte| within(byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn space(&mut self) {
        self.span(|byte| byte.is_ascii_whitespace());
    }

    fn takes(&mut self, wanted: &str) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        self.space();
        let follows = self.text[self.at..].strip_prefix(wanted);
        let found = follows
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'));
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ExpressionError> {
        if self.takes(wanted) { Ok(()) } else { Err(self.error()) }
    }

    fn error(&self) -> ExpressionError {
        ExpressionError::Syntax { at: self.at }
    }
}

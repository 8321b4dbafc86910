//! From tokens to a tree, by the precedence of the specification (FHIRPath N1, "operator precedence").

use super::Limits;
use super::ast::{Ast, Node, Operator, TypeName};
use super::error::{At, PathError, Problem};
use super::functions;
use super::lexer::{Token, tokens};
use super::number::Number;
use super::quantity::{Quantity, Unit};
use super::temporal::Temporal;

/// Reads an expression.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Ast, PathError> {
    if text.len() > limits.length {
        return Err(PathError::new(limits.length, Problem::Limit("length")));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, limits, nesting: 0 };
    let ast = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(ast),
        _ => Err(parser.error("something follows that does not belong to the expression")),
    }
}

struct Parser<'l> {
    tokens: Vec<(At, Token)>,
    next: usize,
    limits: &'l Limits,
    nesting: usize,
}

/// How strongly type tests bind: more than unions, less than sums.
const TYPE_TEST: u8 = 9;
/// How strongly a sign before a term binds: less than calls and indexes.
const POLARITY: u8 = 12;

/// The operator of a token with its strength.
fn infix(token: &Token) -> Option<(Operator, u8)> {
    Some(match token {
        Token::Word(word) => match word.as_str() {
            "div" => (Operator::Div, 11),
            "mod" => (Operator::Mod, 11),
            "in" => (Operator::In, 5),
            "contains" => (Operator::Contains, 5),
            "and" => (Operator::And, 4),
            "or" => (Operator::Or, 3),
            "xor" => (Operator::Xor, 3),
            "implies" => (Operator::Implies, 2),
            _ => return None,
        },
        Token::Sign(sign) => match *sign {
            "*" => (Operator::Times, 11),
            "/" => (Operator::Divide, 11),
            "+" => (Operator::Plus, 10),
            "-" => (Operator::Minus, 10),
            "&" => (Operator::Concatenate, 10),
            "|" => (Operator::Union, 8),
            "<=" => (Operator::LessOrEqual, 7),
            "<" => (Operator::Less, 7),
            ">" => (Operator::Greater, 7),
            ">=" => (Operator::GreaterOrEqual, 7),
            "=" => (Operator::Equal, 6),
            "~" => (Operator::Equivalent, 6),
            "!=" => (Operator::NotEqual, 6),
            "!~" => (Operator::NotEquivalent, 6),
            _ => return None,
        },
        _ => return None,
    })
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        // The last token is the end, which nobody takes.
        &self.tokens[self.next.min(self.tokens.len() - 1)].1
    }

    fn at(&self) -> At {
        self.tokens[self.next.min(self.tokens.len() - 1)].0
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str, what: &'static str) -> Result<(), PathError> {
        if self.takes(sign) { Ok(()) } else { Err(self.error(what)) }
    }

    fn error(&self, what: &'static str) -> PathError {
        PathError::new(self.at(), Problem::Syntax(what))
    }

    fn node(&self, at: At, node: Node) -> Result<Ast, PathError> {
        let below = match &node {
            Node::Member(on, _) | Node::Minus(on) | Node::Plus(on) => on.depth,
            Node::Is(on, _) | Node::As(on, _) | Node::OfType(on, _) => on.depth,
            Node::Item(on, other) | Node::Binary(_, on, other) => on.depth.max(other.depth),
            Node::Call { on, args, .. } => {
                args.iter().chain(on.as_deref()).map(|arg| arg.depth).max().unwrap_or(0)
            }
            _ => 0,
        };
        if below >= self.limits.depth {
            return Err(PathError::new(at, Problem::Limit("nesting")));
        }
        Ok(Ast { at, node, depth: below + 1 })
    }

    /// Operators that bind at least as strongly as `least`.
    fn expression(&mut self, least: u8) -> Result<Ast, PathError> {
        self.nesting += 1;
        if self.nesting > self.limits.depth {
            return Err(PathError::new(self.at(), Problem::Limit("nesting")));
        }
        let mut left = self.signed()?;
        loop {
            let at = self.at();
            if let Token::Word(word) = self.peek()
                && (word == "is" || word == "as")
                && TYPE_TEST >= least
            {
                let is = word == "is";
                self.next += 1;
                let name = self.type_name()?;
                let left_box = Box::new(left);
                let node = if is { Node::Is(left_box, name) } else { Node::As(left_box, name) };
                left = self.node(at, node)?;
                continue;
            }
            let Some((operator, strength)) = infix(self.peek()).filter(|(_, strength)| *strength >= least)
            else {
                break;
            };
            self.next += 1;
            let right = self.expression(strength + 1)?;
            left = self.node(at, Node::Binary(operator, Box::new(left), Box::new(right)))?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn signed(&mut self) -> Result<Ast, PathError> {
        let at = self.at();
        if self.takes("-") {
            let inner = self.expression(POLARITY)?;
            return self.node(at, Node::Minus(Box::new(inner)));
        }
        if self.takes("+") {
            let inner = self.expression(POLARITY)?;
            return self.node(at, Node::Plus(Box::new(inner)));
        }
        self.path()
    }

    /// A term with everything that is called on it.
    fn path(&mut self) -> Result<Ast, PathError> {
        let mut path = self.term()?;
        loop {
            let at = self.at();
            if self.takes(".") {
                let at = self.at();
                let name = self.name()?;
                path = if self.takes("(") {
                    self.call(at, Some(path), &name)?
                } else {
                    self.node(at, Node::Member(Box::new(path), name))?
                };
            } else if self.takes("[") {
                let index = self.expression(0)?;
                self.expect("]", "the index has no closing bracket")?;
                path = self.node(at, Node::Item(Box::new(path), Box::new(index)))?;
            } else {
                return Ok(path);
            }
        }
    }

    fn name(&mut self) -> Result<String, PathError> {
        match self.peek().clone() {
            Token::Word(name) | Token::Quoted(name) => {
                self.next += 1;
                Ok(name)
            }
            Token::Dollar(name) if name == "this" => {
                self.next += 1;
                Ok("$this".to_owned())
            }
            _ => Err(self.error("a name is expected")),
        }
    }

    fn term(&mut self) -> Result<Ast, PathError> {
        let at = self.at();
        let token = self.take();
        let node = match token {
            Token::Sign("(") => {
                let inner = self.expression(0)?;
                self.expect(")", "the parenthesis is not closed")?;
                return Ok(inner);
            }
            Token::Sign("{") => {
                self.expect("}", "a brace begins the empty collection: {}")?;
                Node::Empty
            }
            Token::Text(text) => Node::Text(text),
            Token::Number(number) => self.number(at, &number)?,
            Token::Date(text) => {
                let temporal = Temporal::literal(&text);
                let wrong = "there is no such date or time";
                Node::Temporal(temporal.ok_or_else(|| PathError::new(at, Problem::Syntax(wrong)))?)
            }
            Token::Variable(name) => Node::Variable(name),
            Token::Dollar(name) => match name.as_str() {
                "this" => Node::This,
                "index" => Node::Index,
                "total" => Node::Total,
                _ => {
                    return Err(PathError::new(
                        at,
                        Problem::Syntax("there is no such name with a dollar sign"),
                    ));
                }
            },
            Token::Word(word) if word == "true" || word == "false" => Node::Boolean(word == "true"),
            Token::Word(name) | Token::Quoted(name) => {
                if self.takes("(") {
                    return self.call(at, None, &name);
                }
                Node::Start(name)
            }
            Token::Sign(_) | Token::End => {
                return Err(PathError::new(
                    at,
                    Problem::Syntax("a value, a name or a parenthesis is expected"),
                ));
            }
        };
        self.node(at, node)
    }

    /// A number, and the unit that may follow it.
    fn number(&mut self, at: At, text: &str) -> Result<Node, PathError> {
        let too_long = || PathError::new(at, Problem::Limit("digits of a number"));
        let unit = match self.peek() {
            Token::Text(code) => Some(Unit::ucum(code)),
            Token::Word(word) => Unit::calendar(word),
            _ => None,
        };
        let number = Number::parse(text).ok_or_else(too_long)?;
        if let Some(unit) = unit {
            self.next += 1;
            return Ok(Node::Quantity(Quantity { value: number, unit }));
        }
        if text.contains('.') {
            return Ok(Node::Decimal(number));
        }
        let integer = text.parse::<i64>().ok().filter(|value| *value <= i64::from(i32::MAX) + 1);
        Ok(Node::Integer(integer.ok_or_else(too_long)?))
    }

    /// After `name(`.
    fn call(&mut self, at: At, on: Option<Ast>, name: &str) -> Result<Ast, PathError> {
        if let "is" | "as" | "ofType" = name {
            let type_name = self.type_name()?;
            self.expect(")", "the parenthesis is not closed")?;
            let on = Box::new(match on {
                Some(on) => on,
                None => self.node(at, Node::This)?,
            });
            return self.node(
                at,
                match name {
                    "is" => Node::Is(on, type_name),
                    "as" => Node::As(on, type_name),
                    _ => Node::OfType(on, type_name),
                },
            );
        }
        let signature = functions::signature(name);
        let signature =
            signature.ok_or_else(|| PathError::new(at, Problem::UnknownFunction(name.to_owned())))?;
        let mut args = Vec::new();
        if !self.takes(")") {
            loop {
                args.push(self.expression(0)?);
                if !self.takes(",") {
                    break;
                }
            }
            self.expect(")", "the parenthesis is not closed")?;
        }
        if !signature.takes(args.len()) {
            return Err(PathError::new(at, Problem::Arguments(signature.name)));
        }
        self.node(at, Node::Call { on: on.map(Box::new), function: signature.name, args })
    }

    /// `Quantity`, `FHIR.Quantity`, `System.String`.
    fn type_name(&mut self) -> Result<TypeName, PathError> {
        let first = self.name()?;
        if !self.takes(".") {
            return Ok(TypeName { namespace: None, name: first });
        }
        let mut name = self.name()?;
        // Backbone types are named by their path: `FHIR.Patient.contact`.
        while self.takes(".") {
            name = format!("{name}.{}", self.name()?);
        }
        Ok(TypeName { namespace: Some(first), name })
    }
}

//! JSON as a flat tape over the bytes it came from.
//!
//! A [`Document`] holds one small node per JSON value, in document order, and borrows everything else from
//! the input: numbers keep their digits, strings keep their spelling, members keep their order. There is no tree
//! to allocate and nothing recursive to overflow. The tokens are read by `jiter`; limits are ours.
//!
//! ```
//! use ieum_fhir::json::{Document, Limits};
//! let document = Document::parse(br#"{"resourceType":"Patient","id":"p1"}"#, &Limits::default()).unwrap();
//! assert_eq!(document.root().get("id").unwrap().text().unwrap(), "p1");
//! ```

use std::borrow::Cow;
use std::collections::HashSet;

use jiter::{Jiter, JiterError, Peek};

/// What untrusted JSON may cost at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of input.
    pub bytes: usize,
    /// Nesting of objects and arrays.
    pub depth: usize,
    /// Values in the whole document.
    pub nodes: usize,
}

impl Default for Limits {
    /// 64 MiB, 64 levels, four million values: above every real bundle, below what hurts a small machine.
    fn default() -> Self {
        Self { bytes: 64 << 20, depth: 64, nodes: 4_000_000 }
    }
}

/// Why bytes are not acceptable JSON. Never carries content of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than [`Limits::bytes`].
    #[error("the document is larger than {limit} bytes")]
    TooLarge {
        /// The limit in force.
        limit: usize,
    },
    /// Nested deeper than [`Limits::depth`].
    #[error("objects and arrays are nested deeper than {limit} levels, at byte {offset}")]
    TooDeep {
        /// The limit in force.
        limit: usize,
        /// Where in the input.
        offset: usize,
    },
    /// More values than [`Limits::nodes`].
    #[error("the document holds more than {limit} values")]
    TooMany {
        /// The limit in force.
        limit: usize,
    },
    /// Not JSON (RFC 8259), or not UTF-8.
    #[error("not valid JSON: {what} at line {line}, column {column}")]
    Syntax {
        /// What the reader found.
        what: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// An object names a member twice.
    #[error("the object at byte {offset} names a member twice")]
    DuplicateMember {
        /// Where the object starts.
        offset: usize,
    },
}

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, its text kept.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// Key as it stands in the input, with its quotes; empty when this is no member.
    key: (u32, u32),
    /// The value as it stands in the input.
    raw: (u32, u32),
    /// Index of the first node after this value's subtree.
    after: u32,
}

/// A parsed document.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

impl<'a> Document<'a> {
    /// Reads `bytes` within `limits`.
    ///
    /// # Errors
    /// [`JsonError`] when the bytes are not JSON, name a member twice or exceed a limit.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, JsonError> {
        if bytes.len() > limits.bytes || bytes.len() > u32::MAX as usize {
            return Err(JsonError::TooLarge { limit: limits.bytes });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let (line, column) = line_column(bytes, error.valid_up_to());
            JsonError::Syntax { what: "bytes that are not UTF-8".into(), line, column }
        })?;
        let mut reader = Reader {
            jiter: Jiter::new(bytes),
            text,
            bytes,
            limits,
            nodes: Vec::with_capacity(bytes.len() / 24),
        };
        reader.read()?;
        Ok(Self { text, nodes: reader.nodes })
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// The value with this [`Value::index`].
    ///
    /// # Panics
    /// When `index` is not of this document: a bug.
    #[must_use]
    pub fn value(&self, index: u32) -> Value<'_> {
        assert!((index as usize) < self.nodes.len(), "node index of another document");
        Value { document: self, index }
    }
}

/// One value of a [`Document`]; as cheap to copy as a reference.
#[derive(Debug, Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    index: u32,
}

impl<'d> Value<'d> {
    fn node(self) -> &'d Node {
        &self.document.nodes[self.index as usize]
    }

    /// Its place in the document, stable for the document's life.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Another value of the same document.
    ///
    /// # Panics
    /// As [`Document::value`].
    #[must_use]
    pub fn at(self, index: u32) -> Value<'d> {
        self.document.value(index)
    }

    /// Its kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The value as it stands in the input.
    #[must_use]
    pub fn raw(self) -> &'d str {
        let (start, end) = self.node().raw;
        &self.document.text[start as usize..end as usize]
    }

    /// The string, unescaped; `None` for other kinds.
    #[must_use]
    pub fn text(self) -> Option<Cow<'d, str>> {
        (self.kind() == Kind::String).then(|| unquote(self.raw()))
    }

    /// The number's own digits; `None` for other kinds.
    #[must_use]
    pub fn number(self) -> Option<&'d str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// The boolean; `None` for other kinds.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The name under which this value is a member; `None` for array elements and the root.
    #[must_use]
    pub fn key(self) -> Option<Cow<'d, str>> {
        let (start, end) = self.node().key;
        (end > start).then(|| unquote(&self.document.text[start as usize..end as usize]))
    }

    /// The member of this name; `None` when there is none or this is no object.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'d>> {
        self.members().find(|member| member.is_named(name))
    }

    /// Members of an object in their order; nothing for other kinds. Each knows its [`Value::key`].
    #[must_use]
    pub fn members(self) -> Children<'d> {
        self.children(Kind::Object)
    }

    /// Elements of an array in their order; nothing for other kinds.
    #[must_use]
    pub fn elements(self) -> Children<'d> {
        self.children(Kind::Array)
    }

    /// The elements of an array, or the value itself: for elements that may repeat.
    #[must_use]
    pub fn each(self) -> Children<'d> {
        if self.kind() == Kind::Array {
            return self.elements();
        }
        Children { document: self.document, next: self.index, end: self.node().after }
    }

    fn children(self, of: Kind) -> Children<'d> {
        let end = self.node().after;
        Children { document: self.document, next: if self.kind() == of { self.index + 1 } else { end }, end }
    }

    fn is_named(self, name: &str) -> bool {
        let (start, end) = self.node().key;
        let quoted = &self.document.text[start as usize..end as usize];
        match quoted.len().checked_sub(2) {
            None => false,
            Some(length) if length == name.len() => quoted[1..=length] == *name,
            // A longer spelling can still be this name when it is written with escapes.
            Some(length) => length > name.len() && quoted.contains('\\') && unquote(quoted) == name,
        }
    }
}

/// The values directly inside an object or array.
#[derive(Debug, Clone)]
pub struct Children<'d> {
    document: &'d Document<'d>,
    next: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value { document: self.document, index: self.next };
        self.next = value.node().after;
        Some(value)
    }
}

/// Writes `value` without white space, its numbers, strings and member order untouched, except where `replace`
/// gives another text for a string value.
pub fn write_minified<'d>(
    value: Value<'d>,
    out: &mut Vec<u8>,
    replace: &mut dyn FnMut(Value<'d>) -> Option<String>,
) {
    let nodes = &value.document.nodes;
    let end = value.node().after;
    // Closers of the objects and arrays we are inside, with the node index after which each is written.
    let mut open: Vec<(u32, u8)> = Vec::new();
    let mut index = value.index;
    let mut first = true;
    while index < end {
        while let Some(&(after, closer)) = open.last()
            && index >= after
        {
            out.push(closer);
            open.pop();
            first = false;
        }
        let node = &nodes[index as usize];
        if !first {
            out.push(b',');
        }
        if index != value.index && node.key.1 > node.key.0 {
            out.extend_from_slice(&value.document.text.as_bytes()[node.key.0 as usize..node.key.1 as usize]);
            out.push(b':');
        }
        first = false;
        match node.kind {
            Kind::Object | Kind::Array => {
                let (opener, closer) = if node.kind == Kind::Object { (b'{', b'}') } else { (b'[', b']') };
                out.push(opener);
                open.push((node.after, closer));
                first = true;
            }
            kind => {
                let this = Value { document: value.document, index };
                match (kind == Kind::String).then(|| replace(this)).flatten() {
                    Some(text) => write_string(&text, out),
                    None => out.extend_from_slice(this.raw().as_bytes()),
                }
            }
        }
        index += 1;
    }
    while let Some((_, closer)) = open.pop() {
        out.push(closer);
    }
}

/// Writes `text` as a JSON string.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("writing a string to memory cannot fail");
}

fn unquote(quoted: &str) -> Cow<'_, str> {
    let inner = &quoted[1..quoted.len() - 1];
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut jiter = Jiter::new(quoted.as_bytes());
    Cow::Owned(jiter.next_str().expect("the string was read once before").to_owned())
}

struct Reader<'a, 'l> {
    jiter: Jiter<'a>,
    text: &'a str,
    bytes: &'a [u8],
    limits: &'l Limits,
    nodes: Vec<Node>,
}

/// What the reader does next inside the innermost open object or array.
enum Next {
    Value(Peek, (u32, u32)),
    Close,
}

impl Reader<'_, '_> {
    fn read(&mut self) -> Result<(), JsonError> {
        let mut open: Vec<u32> = Vec::new();
        let peek = self.jiter.peek().map_err(|error| self.syntax(&error))?;
        let mut next = Next::Value(peek, (0, 0));
        loop {
            next = match next {
                Next::Value(peek, key) => {
                    let opened = self.value(peek, key)?;
                    if let Some(first) = opened {
                        open.push(to_u32(self.nodes.len() - 1));
                        if open.len() > self.limits.depth {
                            let offset = self.jiter.current_index();
                            return Err(JsonError::TooDeep { limit: self.limits.depth, offset });
                        }
                        first
                    } else if let Some(&parent) = open.last() {
                        self.step(parent)?
                    } else {
                        break;
                    }
                }
                Next::Close => {
                    let Some(closed) = open.pop() else { break };
                    self.close(closed)?;
                    match open.last() {
                        Some(&parent) => self.step(parent)?,
                        None => break,
                    }
                }
            };
        }
        self.jiter.finish().map_err(|error| self.syntax(&error))
    }

    /// Reads one scalar, or opens an object or array and says what comes first in it.
    fn value(&mut self, peek: Peek, key: (u32, u32)) -> Result<Option<Next>, JsonError> {
        if self.nodes.len() >= self.limits.nodes {
            return Err(JsonError::TooMany { limit: self.limits.nodes });
        }
        let start = self.jiter.current_index();
        let (kind, opened) = match peek {
            Peek::Null => (Kind::Null, self.jiter.known_null().map(|()| None)),
            Peek::True | Peek::False => (Kind::Bool, self.jiter.known_bool(peek).map(|_| None)),
            Peek::String => (Kind::String, self.jiter.known_str().map(|_| None)),
            Peek::Array => (Kind::Array, self.jiter.known_array().map(Some)),
            Peek::Object => {
                (Kind::Object, self.jiter.known_object().map(|key| Some(key.map(|_| Peek::Object))))
            }
            _ => (Kind::Number, self.jiter.known_number_bytes(peek).map(|_| None)),
        };
        let opened = opened.map_err(|error| self.syntax(&error))?;
        let end = to_u32(self.jiter.current_index());
        let after = to_u32(self.nodes.len() + 1);
        self.nodes.push(Node { kind, key, raw: (to_u32(start), end), after });
        match (kind, opened) {
            (Kind::Array, Some(Some(first))) => Ok(Some(Next::Value(first, (0, 0)))),
            (Kind::Object, Some(Some(_))) => self.member(start + 1).map(Some),
            (Kind::Array | Kind::Object, _) => Ok(Some(Next::Close)),
            _ => Ok(None),
        }
    }

    /// After a value: the next one in the same parent, or its end.
    fn step(&mut self, parent: u32) -> Result<Next, JsonError> {
        if self.nodes[parent as usize].kind == Kind::Array {
            let next = self.jiter.array_step().map_err(|error| self.syntax(&error))?;
            return Ok(next.map_or(Next::Close, |peek| Next::Value(peek, (0, 0))));
        }
        let from = self.jiter.current_index();
        match self.jiter.next_key() {
            Ok(None) => Ok(Next::Close),
            Ok(Some(_)) => self.member(from),
            Err(error) => Err(self.syntax(&error)),
        }
    }

    /// A key has just been read, somewhere after `from`: finds its span and looks at its value.
    fn member(&mut self, from: usize) -> Result<Next, JsonError> {
        let until = self.jiter.current_index();
        let read = &self.bytes[from..until];
        let unreadable = "the reader has just accepted a key here";
        let start = from + read.iter().position(|&byte| byte == b'"').expect(unreadable);
        let end = from + read.iter().rposition(|&byte| byte == b'"').expect(unreadable) + 1;
        let peek = self.jiter.peek().map_err(|error| self.syntax(&error))?;
        Ok(Next::Value(peek, (to_u32(start), to_u32(end))))
    }

    fn close(&mut self, closed: u32) -> Result<(), JsonError> {
        let after = to_u32(self.nodes.len());
        let end = to_u32(self.jiter.current_index());
        let node = &mut self.nodes[closed as usize];
        node.after = after;
        node.raw.1 = end;
        if node.kind == Kind::Object && self.repeats_a_key(closed) {
            let offset = self.nodes[closed as usize].raw.0 as usize;
            return Err(JsonError::DuplicateMember { offset });
        }
        Ok(())
    }

    fn repeats_a_key(&self, object: u32) -> bool {
        // Not made anew from the bytes: checking all of them for every object would cost the square of the input.
        let text = self.text;
        let keys = {
            let end = self.nodes[object as usize].after;
            let mut index = object + 1;
            std::iter::from_fn(move || {
                let node = (index < end).then(|| &self.nodes[index as usize])?;
                index = node.after;
                Some(&text[node.key.0 as usize..node.key.1 as usize])
            })
        };
        let mut few: [&str; 24] = [""; 24];
        let mut many: HashSet<Cow<'_, str>> = HashSet::new();
        let mut escaped = false;
        for (count, key) in keys.clone().enumerate() {
            escaped |= key.contains('\\');
            if count == few.len() {
                escaped = true;
                break;
            }
            if few[..count].contains(&key) {
                return true;
            }
            few[count] = key;
        }
        // Objects with many members, or with keys that can be spelt in two ways, are compared by meaning.
        escaped && keys.into_iter().any(|key| !many.insert(unquote(key)))
    }

    fn syntax(&self, error: &JiterError) -> JsonError {
        let what = match &error.error_type {
            jiter::JiterErrorType::JsonError(kind) => kind.to_string(),
            jiter::JiterErrorType::WrongType { expected, actual } => {
                format!("expected {expected}, found {actual}")
            }
        };
        let (line, column) = line_column(self.bytes, error.index);
        JsonError::Syntax { what, line, column }
    }
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).expect("the input is shorter than 4 GiB, checked before reading")
}

fn line_column(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests;

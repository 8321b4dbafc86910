//! JSON as a tree that can be changed. Scalars keep their text.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::decimal::SortKey;
use crate::json::{Document, Kind, Limits, Value, write_string};

/// A JSON value. Depth is bounded by what it was read from and by those who change it.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    /// Text of a string, number, boolean or null.
    Scalar(String),
    Array(Vec<Tree>),
    /// Members in their order.
    Object(Vec<(String, Tree)>),
}

/// A step down a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Down {
    Name(String),
    Index(usize),
}

impl Tree {
    pub(super) fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Object => Self::Object(
                value
                    .members()
                    .map(|member| (member.key().map(Cow::into_owned).unwrap_or_default(), Self::of(member)))
                    .collect(),
            ),
            Kind::Array => Self::Array(value.elements().map(Self::of).collect()),
            _ => Self::Scalar(value.raw().to_owned()),
        }
    }

    pub(super) fn null() -> Self {
        Self::Scalar("null".to_owned())
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(text) if text == "null")
    }

    /// Whether there is nothing in it: no member, no item but nulls.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(_) => self.is_null(),
            Self::Array(items) => items.iter().all(Self::is_null),
            Self::Object(members) => members.is_empty(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(members) => members.iter_mut().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Sets a member, in its place or at the end. Nothing for others than objects.
    pub(super) fn set(&mut self, name: &str, value: Self) {
        match self.get_mut(name) {
            Some(own) => *own = value,
            None => {
                if let Self::Object(members) = self {
                    members.push((name.to_owned(), value));
                }
            }
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else { return None };
        let position = members.iter().position(|(own, _)| own == name)?;
        Some(members.remove(position).1)
    }

    /// What is at the end of the steps.
    pub(super) fn at_mut(&mut self, steps: &[Down]) -> Option<&mut Self> {
        steps.iter().try_fold(self, |tree, step| match (tree, step) {
            (tree @ Self::Object(_), Down::Name(name)) => tree.get_mut(name),
            (Self::Array(items), Down::Index(index)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// Bytes, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Scalar(text) => text.len() + 1,
            Self::Array(items) => items.iter().map(Self::size).sum::<usize>() + 2,
            Self::Object(members) => {
                members.iter().map(|(name, value)| name.len() + 4 + value.size()).sum::<usize>() + 2
            }
        }
    }

    /// Objects and arrays one inside another.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Scalar(_) => 0,
            Self::Array(items) => items.iter().map(Self::depth).max().unwrap_or(0) + 1,
            Self::Object(members) => members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0) + 1,
        }
    }

    /// Equal as RFC 6902 (section 4.6) says: numbers by value, strings by characters, objects without order.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(left), Self::Scalar(right)) => left == right || scalars_equal(left, right),
            (Self::Array(left), Self::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.equals(right))
            }
            (Self::Object(left), Self::Object(right)) => {
                // By a table: names come from outside, and comparing each with each would cost the square.
                let others: HashMap<&str, &Self> =
                    right.iter().map(|(name, value)| (name.as_str(), value)).collect();
                let matches =
                    |name: &str, value: &Self| others.get(name).is_some_and(|other| value.equals(other));
                left.len() == right.len() && left.iter().all(|(name, value)| matches(name, value))
            }
            _ => false,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Scalar(text) => out.extend_from_slice(text.as_bytes()),
            Self::Array(items) => {
                out.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (position, (name, value)) in members.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

fn scalars_equal(left: &str, right: &str) -> bool {
    let is_number = |text: &str| text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if is_number(left) && is_number(right) {
        return SortKey::of(left).is_some_and(|key| SortKey::of(right) == Some(key));
    }
    // Strings can be spelt in several ways: `\u00e9` is `é`.
    let unescaped = |text: &str| {
        let document = Document::parse(text.as_bytes(), &Limits::default()).ok()?;
        document.root().text().map(Cow::into_owned)
    };
    left.starts_with('"') && right.starts_with('"') && unescaped(left) == unescaped(right)
}

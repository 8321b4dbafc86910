//! JSON that is only ever written: static keys and strings cost nothing, nested values are moved, not copied.
//!
//! `serde_json::Value` would do the same at about a third of the speed: it owns every key, hashes it, and copies each
//! value that `json!` is given.

use std::io::Write;
use std::ops::{Index, IndexMut};

/// A JSON value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i64),
    Decimal(f64),
    Static(&'static str),
    Text(String),
    Array(Vec<Value>),
    Object(Vec<(&'static str, Value)>),
}

/// Makes a [`Value`] from something that looks like JSON, with expressions in the place of values.
macro_rules! json {
    (@object [$($done:tt)*]) => { $crate::json::Value::Object(vec![$($done)*]) };
    (@object [$($done:tt)*] $key:literal : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        json!(@object [$($done)* ($key, json!({ $($inner)* })),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $key:literal : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        json!(@object [$($done)* ($key, json!([ $($inner)* ])),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $key:literal : $value:expr $(, $($rest:tt)*)?) => {
        json!(@object [$($done)* ($key, $crate::json::Value::from($value)),] $($($rest)*)?)
    };
    (@array [$($done:tt)*]) => { $crate::json::Value::Array(vec![$($done)*]) };
    (@array [$($done:tt)*] { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        json!(@array [$($done)* json!({ $($inner)* }),] $($($rest)*)?)
    };
    (@array [$($done:tt)*] $value:expr $(, $($rest:tt)*)?) => {
        json!(@array [$($done)* $crate::json::Value::from($value),] $($($rest)*)?)
    };
    ({ $($body:tt)* }) => { json!(@object [] $($body)*) };
    ([ $($body:tt)* ]) => { json!(@array [] $($body)*) };
}
pub(crate) use json;

impl Value {
    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Value::Static(text) => Some(text),
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Appends the value as minified JSON.
    pub(crate) fn write(&self, json: &mut Vec<u8>) {
        const MEMORY: &str = "writing to memory does not fail";
        match self {
            Value::Bool(value) => json.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Integer(value) => write!(json, "{value}").expect(MEMORY),
            Value::Decimal(value) => write!(json, "{value:?}").expect(MEMORY),
            Value::Static(text) => text_write(text, json),
            Value::Text(text) => text_write(text, json),
            Value::Array(items) => {
                json.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        json.push(b',');
                    }
                    item.write(json);
                }
                json.push(b']');
            }
            Value::Object(members) => {
                json.push(b'{');
                for (at, (key, value)) in members.iter().enumerate() {
                    json.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
                    json.extend_from_slice(key.as_bytes());
                    json.extend_from_slice(b"\":");
                    value.write(json);
                }
                json.push(b'}');
            }
        }
    }
}

fn text_write(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        json.extend_from_slice(&text.as_bytes()[written..at]);
        match byte {
            b'"' | b'\\' => json.extend_from_slice(&[b'\\', byte]),
            control => json.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        written = at + 1;
    }
    json.extend_from_slice(&text.as_bytes()[written..]);
    json.push(b'"');
}

impl Index<&'static str> for Value {
    type Output = Value;

    /// The member `key` of an object that has it.
    fn index(&self, key: &'static str) -> &Value {
        let Value::Object(members) = self else { unreachable!("only objects are indexed") };
        let member = members.iter().find(|member| member.0 == key);
        &member.expect("the member asked for was made").1
    }
}

impl IndexMut<&'static str> for Value {
    /// The member `key` of an object; made if it is not there yet.
    fn index_mut(&mut self, key: &'static str) -> &mut Value {
        let Value::Object(members) = self else { unreachable!("only objects are indexed") };
        let at = members.iter().position(|member| member.0 == key).unwrap_or_else(|| {
            members.push((key, Value::Bool(false)));
            members.len() - 1
        });
        &mut members[at].1
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $make
            }
        })*
    };
}

from! {
    bool => |value| Value::Bool(value);
    i64 => |value| Value::Integer(value);
    i32 => |value| Value::Integer(value.into());
    usize => |value| Value::Integer(value as i64);
    f64 => |value| Value::Decimal(value);
    &'static str => |value| Value::Static(value);
    &&'static str => |value| Value::Static(value);
    String => |value| Value::Text(value);
    Vec<Value> => |value| Value::Array(value);
    &String => |value| Value::Text(value.clone());
    &Value => |value| value.clone();
}

#[cfg(test)]
mod tests {
    use super::Value;

    fn written(value: &Value) -> String {
        let mut json = Vec::new();
        value.write(&mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn values_are_written_as_json() {
        let mut value =
            json!({ "text": "큰따옴표 \" 와 \\\n", "numbers": [1, 36.5, 5.0], "nested": { "yes": true } });
        value["more"] = json!([{ "a": 1 }, "b".to_owned()]);
        let text = written(&value);
        assert_eq!(
            text,
            r#"{"text":"큰따옴표 \" 와 \\\u000a","numbers":[1,36.5,5.0],"nested":{"yes":true},"more":[{"a":1},"b"]}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}

//! JSON objects as they come together from elements in any order of XML.

use crate::definitions::Primitive;
use crate::json::write_string;

/// One occurrence of an element.
#[derive(Debug)]
pub(super) struct Value {
    /// Its JSON; `None` for a primitive without value.
    pub(super) json: Option<String>,
    /// For primitives with id or extensions: the object beside the value.
    pub(super) beside: Option<Beside>,
}

/// The object beside a primitive value.
#[derive(Debug)]
pub(super) struct Beside(String);

impl Beside {
    /// `None` when there is nothing in it.
    pub(super) fn of(object: Object) -> Option<Self> {
        if object.members.is_empty() {
            return None;
        }
        let mut out = String::new();
        object.write(None, &mut out);
        Some(Self(out))
    }
}

/// Members in the order of their first occurrence.
#[derive(Debug, Default)]
pub(super) struct Object {
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    repeats: bool,
    values: Vec<Value>,
}

impl Object {
    pub(super) fn add(&mut self, name: &str, repeats: bool, value: Value) {
        // Elements of a name stand together, so that the last member is nearly always the one.
        match self.members.iter_mut().rev().find(|member| member.name == name) {
            Some(member) => member.values.push(value),
            None => self.members.push(Member { name: name.to_owned(), repeats, values: vec![value] }),
        }
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.add(name, false, Value { json: Some(quoted(text)), beside: None });
    }

    pub(super) fn write(self, resource_type: Option<&str>, out: &mut String) {
        out.push('{');
        let mut first = true;
        let mut member = |out: &mut String, name: &str, json: &str| {
            if !first {
                out.push(',');
            }
            first = false;
            out.push_str(&quoted(name));
            out.push(':');
            out.push_str(json);
        };
        if let Some(name) = resource_type {
            member(out, "resourceType", &quoted(name));
        }
        for Member { name, repeats, values } in self.members {
            let is_array = repeats || values.len() > 1;
            let value = |value: &Value| value.json.clone();
            let beside = |value: &Value| value.beside.as_ref().map(|beside| beside.0.clone());
            if let Some(json) = joined(&values, is_array, value) {
                member(out, &name, &json);
            }
            if let Some(json) = joined(&values, is_array, beside) {
                member(out, &format!("_{name}"), &json);
            }
        }
        out.push('}');
    }
}

/// The parts as one value or as an array with `null` for those that are missing; `None` when all are.
fn joined(values: &[Value], is_array: bool, part: impl Fn(&Value) -> Option<String>) -> Option<String> {
    let parts: Vec<Option<String>> = values.iter().map(part).collect();
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let parts: Vec<String> = parts.into_iter().map(|part| part.unwrap_or_else(|| "null".into())).collect();
    // What must not repeat and does becomes an array all the same: validation tells where.
    Some(if is_array { format!("[{}]", parts.join(",")) } else { parts.concat() })
}

pub(super) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    String::from_utf8(out).expect("a string was written as JSON, which is UTF-8")
}

/// The JSON of a primitive value; `None` when it is no boolean or number, and must be one.
pub(super) fn primitive(of: Primitive, text: &str) -> Option<String> {
    match of {
        Primitive::Boolean => matches!(text, "true" | "false").then(|| text.to_owned()),
        Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => {
            is_number(text).then(|| text.to_owned())
        }
        _ => Some(quoted(text)),
    }
}

/// The grammar of JSON numbers.
fn is_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
        && !text.contains(|letter: char| letter.is_whitespace())
}

//! Record kinds of our own: what only Ieum needs, kept like every other record.
//!
//! A capability declares a kind as data: its name, to whom its records belong, and what they are found by. The body is
//! plain JSON written by that capability.

use ieum_fhir::date;
use ieum_fhir::decimal;
use ieum_fhir::index::{Extracted, IndexValue, NumberRange, ParamType, Target};
use ieum_fhir::json::Value;

use crate::access::Family;

/// A record kind of our own.
#[derive(Debug)]
pub struct OwnKind {
    /// Name, in the style of resource types; none may be a resource type.
    pub name: &'static str,
    /// To whom its records belong.
    pub family: Family,
    /// What its records are found by.
    pub params: &'static [OwnParam],
}

/// A search parameter of a kind of our own.
#[derive(Debug)]
pub struct OwnParam {
    /// Its code.
    pub code: &'static str,
    /// Its type: token, reference, string, date, number or uri.
    pub param_type: ParamType,
    /// Member names from the root; arrays on the way are walked through.
    pub path: &'static [&'static str],
}

impl OwnKind {
    /// The values a record of this kind is found by.
    #[must_use]
    pub fn extract<'d>(&self, record: Value<'d>) -> Extracted<'d> {
        let mut extracted = Extracted::default();
        for (position, param) in (0u16..).zip(self.params) {
            walk(record, param.path, &mut |value| {
                if let Some(value) = index_value(param.param_type, value) {
                    extracted.values.push((position, value));
                }
            });
        }
        extracted.values.sort();
        extracted.values.dedup();
        extracted
    }
}

fn walk<'d>(value: Value<'d>, path: &[&str], found: &mut impl FnMut(Value<'d>)) {
    match path.split_first() {
        None => value.each().for_each(found),
        Some((name, rest)) => {
            for element in value.each() {
                if let Some(member) = element.get(name) {
                    walk(member, rest, found);
                }
            }
        }
    }
}

fn index_value(param_type: ParamType, value: Value<'_>) -> Option<IndexValue<'_>> {
    match param_type {
        ParamType::Token => {
            let code = value.text().or_else(|| value.boolean().map(|_| value.raw().into()));
            code.or_else(|| value.number().map(Into::into))
                .map(|code| IndexValue::Token { system: None, code: Some(code) })
        }
        ParamType::Reference => {
            let text = value.text()?;
            let (kind, id) = text.split_once('/')?;
            let (kind, id) = (kind.to_owned().into(), id.to_owned().into());
            Some(IndexValue::Reference(Target::Local { kind, id }))
        }
        ParamType::String => value.text().map(IndexValue::String),
        ParamType::Uri => value.text().map(IndexValue::Uri),
        ParamType::Date => date::parse(&value.text()?).ok().map(IndexValue::Date),
        ParamType::Number => {
            let key = decimal::Decimal::parse(value.number()?).ok()?.sort_key();
            Some(IndexValue::Number(NumberRange { lo: key.clone(), hi: key }))
        }
        ParamType::Quantity | ParamType::Composite | ParamType::Special => None,
    }
}

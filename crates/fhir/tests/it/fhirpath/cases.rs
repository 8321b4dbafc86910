//! The suite's own format.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// One case.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) expression: String,
    /// An error is expected.
    pub(crate) invalid: bool,
    /// The error is one of types, or the case asks for strictness.
    pub(crate) strict: bool,
    pub(crate) predicate: bool,
    pub(crate) ordered: bool,
    pub(crate) outputs: Vec<Output>,
}

/// One item that is expected, or was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) kind: Option<String>,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).unwrap()?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned())
}

pub(crate) fn read(text: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(text);
    let mut cases = Vec::new();
    let mut case = Case::default();
    let mut collected = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return cases,
            Event::Start(start) | Event::Empty(start) => match start.name().into_inner() {
                "test" => {
                    case = Case {
                        name: attribute(&start, "name").unwrap(),
                        input: attribute(&start, "inputfile").unwrap_or_default(),
                        strict: attribute(&start, "mode").as_deref() == Some("strict"),
                        predicate: attribute(&start, "predicate").as_deref() == Some("true"),
                        ordered: attribute(&start, "ordered").as_deref() != Some("false"),
                        ..Case::default()
                    };
                }
                "expression" => {
                    let invalid = attribute(&start, "invalid");
                    case.invalid = invalid.is_some();
                    case.strict |= invalid.as_deref() == Some("semantic");
                    collected.clear();
                }
                "output" => {
                    case.outputs.push(Output { kind: attribute(&start, "type"), text: String::new() });
                    collected.clear();
                }
                _ => {}
            },
            Event::Text(text) => collected.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => collected.push(match &*name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                other => panic!("{other:?}"),
            }),
            Event::End(end) => match end.name().into_inner() {
                "expression" => case.expression = collected.clone(),
                "output" => case.outputs.last_mut().unwrap().text = collected.trim().to_owned(),
                "test" => cases.push(std::mem::take(&mut case)),
                _ => {}
            },
            _ => {}
        }
    }
}

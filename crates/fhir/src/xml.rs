//! FHIR XML (R4, `xml.html`) read into FHIR JSON (`json.html`).
//!
//! The definitions say which elements repeat and which are numbers, so that the JSON is what its author would have sent.
//! There is no DTD, and so no entity of one's own; size and nesting are bounded. What is read is structure: values are
//! checked by [`crate::validate`], as for JSON.
//!
//! ```
//! let xml = r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><given value="Min-su"/></name></Patient>"#;
//! let json = ieum_fhir::xml::to_json(xml, &Default::default()).unwrap();
//! assert_eq!(json, r#"{"resourceType":"Patient","active":true,"name":[{"given":["Min-su"]}]}"#);
//! ```

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::definitions::{Property, TypeDef, TypeKind, r4};

mod object;

use object::{Beside, Object, Value};

/// The namespace of FHIR.
const FHIR: &str = "http://hl7.org/fhir";

/// What untrusted XML may cost at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of input.
    pub bytes: usize,
    /// Nesting of elements.
    pub depth: usize,
}

impl Default for Limits {
    /// As for JSON: 64 MiB and 64 levels.
    fn default() -> Self {
        Self { bytes: 64 << 20, depth: 64 }
    }
}

/// Why a text is no resource in XML. Never carries content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at byte {at}")]
pub struct XmlError {
    /// Where.
    pub at: u64,
    /// What is wrong.
    pub problem: XmlProblem,
}

/// What is wrong with XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlProblem {
    /// Larger than [`Limits::bytes`].
    #[error("the document is too large")]
    TooLarge,
    /// Nested deeper than [`Limits::depth`].
    #[error("elements are nested too deeply")]
    TooDeep,
    /// Not well-formed.
    #[error("not well-formed XML")]
    Syntax,
    /// A DTD or processing instruction.
    #[error("document type declarations and processing instructions are not taken")]
    Declaration,
    /// Text where FHIR has attributes.
    #[error("text outside of attributes")]
    Text,
    /// The outermost element, or that of a resource inside, is no resource type of R4 in FHIR's namespace.
    #[error("no resource of FHIR R4")]
    NoResource,
    /// The type has no such element.
    #[error("{0} has no element of this name")]
    UnknownElement(&'static str),
    /// The element has no such attribute.
    #[error("{0} has no attribute of this name")]
    UnknownAttribute(&'static str),
    /// A boolean or number that is none.
    #[error("a value that is no {0}")]
    Value(&'static str),
}

/// Reads a resource.
///
/// # Errors
/// [`XmlError`].
pub fn to_json(xml: &str, limits: &Limits) -> Result<String, XmlError> {
    if xml.len() > limits.bytes {
        return Err(XmlError { at: 0, problem: XmlProblem::TooLarge });
    }
    let mut walk =
        Walk { xml, reader: Reader::from_str(xml.trim_start_matches('\u{feff}')), depth: limits.depth };
    let mut out = String::new();
    let resource = walk.next()?;
    match resource {
        Some((start, empty)) => walk.resource(&start, empty, &mut out)?,
        None => return Err(walk.error(XmlProblem::NoResource)),
    }
    loop {
        match walk.event()? {
            Event::Eof => return Ok(out),
            Event::Comment(_) => {}
            Event::Text(text) if text.trim_ascii().is_empty() => {}
            _ => return Err(walk.error(XmlProblem::Syntax)),
        }
    }
}

struct Walk<'x> {
    xml: &'x str,
    reader: Reader<&'x [u8]>,
    /// Levels that may still be opened.
    depth: usize,
}

impl<'x> Walk<'x> {
    fn error(&self, problem: XmlProblem) -> XmlError {
        XmlError { at: self.reader.buffer_position(), problem }
    }

    fn event(&mut self) -> Result<Event<'x>, XmlError> {
        let event = self.reader.read_event();
        event.map_err(|_| XmlError { at: self.reader.error_position(), problem: XmlProblem::Syntax })
    }

    /// The next element inside the present one, and whether it is empty; `None` at the end.
    fn next(&mut self) -> Result<Option<(BytesStart<'x>, bool)>, XmlError> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Some((start, false))),
                Event::Empty(start) => return Ok(Some((start, true))),
                Event::End(_) | Event::Eof => return Ok(None),
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Comment(_) | Event::Decl(_) => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(self.error(XmlProblem::Text));
                }
                Event::DocType(_) | Event::PI(_) => return Err(self.error(XmlProblem::Declaration)),
            }
        }
    }

    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, XmlError>) -> Result<T, XmlError> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.error(XmlProblem::TooDeep))?;
        let done = work(self)?;
        self.depth += 1;
        Ok(done)
    }

    /// A resource, whose start has been read.
    fn resource(&mut self, start: &BytesStart<'x>, empty: bool, out: &mut String) -> Result<(), XmlError> {
        let name = start.local_name().into_inner();
        let def = r4().type_of(name).filter(|def| def.kind == TypeKind::Resource && !def.is_abstract);
        let def = def.ok_or_else(|| self.error(XmlProblem::NoResource))?;
        let mut object = Object::default();
        for (name, value) in self.attributes(start, def)? {
            if name == "xmlns" && value != FHIR {
                return Err(self.error(XmlProblem::NoResource));
            }
            if name != "xmlns" {
                return Err(self.error(XmlProblem::UnknownAttribute(def.name)));
            }
        }
        self.deeper(|walk| walk.elements(def, empty, &mut object))?;
        object.write(Some(def.name), out);
        Ok(())
    }

    /// Name and value of the attributes of an element; those of other namespaces than FHIR's are left out.
    fn attributes(
        &self,
        start: &BytesStart<'x>,
        def: &'static TypeDef,
    ) -> Result<Vec<(String, String)>, XmlError> {
        let mut found = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.error(XmlProblem::Syntax))?;
            let name = attribute.key.into_inner();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| self.error(XmlProblem::Syntax))?;
            match name {
                "xmlns" | "id" | "url" | "value" => found.push((name.to_owned(), value.into_owned())),
                _ if name.contains(':') => {}
                _ => return Err(self.error(XmlProblem::UnknownAttribute(def.name))),
            }
        }
        Ok(found)
    }

    /// The elements inside an element of this type, up to its end.
    fn elements(&mut self, def: &'static TypeDef, empty: bool, object: &mut Object) -> Result<(), XmlError> {
        if empty {
            return Ok(());
        }
        loop {
            let Some((start, empty)) = self.next()? else { return Ok(()) };
            let name = start.local_name().into_inner().to_owned();
            let property = def.property(&name);
            let property = property.ok_or_else(|| self.error(XmlProblem::UnknownElement(def.name)))?;
            let value = self.deeper(|walk| walk.element(property, &start, empty))?;
            object.add(&name, property.element.repeats(), value);
        }
    }

    fn element(
        &mut self,
        property: Property,
        start: &BytesStart<'x>,
        empty: bool,
    ) -> Result<Value, XmlError> {
        let def = property.type_ref.definition();
        if def.name == "xhtml" {
            return self.narrative(start, empty);
        }
        if def.kind == TypeKind::Resource {
            let mut out = String::new();
            let inner = if empty { None } else { self.next()? };
            let (inner, inner_empty) = inner.ok_or_else(|| self.error(XmlProblem::NoResource))?;
            self.deeper(|walk| walk.resource(&inner, inner_empty, &mut out))?;
            if self.next()?.is_some() {
                return Err(self.error(XmlProblem::NoResource));
            }
            return Ok(Value { json: Some(out), beside: None });
        }
        let mut object = Object::default();
        let mut own = None;
        for (name, value) in self.attributes(start, def)? {
            match name.as_str() {
                "xmlns" if value == FHIR => {}
                "id" => object.text("id", &value),
                "url" if def.name == "Extension" => object.text("url", &value),
                "value" if def.primitive.is_some() => own = Some(value),
                _ => return Err(self.error(XmlProblem::UnknownAttribute(def.name))),
            }
        }
        self.elements(def, empty, &mut object)?;
        let Some(primitive) = def.primitive else {
            let mut out = String::new();
            object.write(None, &mut out);
            return Ok(Value { json: Some(out), beside: None });
        };
        let json = match own {
            Some(text) => Some(
                object::primitive(primitive, &text).ok_or_else(|| self.error(XmlProblem::Value(def.name)))?,
            ),
            None => None,
        };
        Ok(Value { json, beside: Beside::of(object) })
    }

    /// A narrative stands in JSON as it stands in XML.
    fn narrative(&mut self, start: &BytesStart<'x>, empty: bool) -> Result<Value, XmlError> {
        let after_start = self.reader.buffer_position();
        let end = if empty {
            after_start
        } else {
            self.reader.read_to_end(start.name()).map_err(|_| self.error(XmlProblem::Syntax))?;
            self.reader.buffer_position()
        };
        // The start tag is the name and attributes between `<` and `>`, or `/>`.
        let around = if empty { 3 } else { 2 };
        let length = u64::try_from(start.len()).unwrap_or(0) + around;
        let begin = after_start.saturating_sub(length);
        let skipped = self.xml.len() - self.xml.trim_start_matches('\u{feff}').len();
        let range = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).saturating_add(skipped);
        let raw = self.xml.get(range(begin)..range(end)).ok_or_else(|| self.error(XmlProblem::Syntax))?;
        Ok(Value { json: Some(object::quoted(raw)), beside: None })
    }
}

#[cfg(test)]
mod tests;

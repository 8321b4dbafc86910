//! The texts of a resource.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::MOST_TERMS;
use super::terms::{each_run, record_terms};
use crate::definitions::{Primitive, TypeDef, r4};
use crate::index::FullText;
use crate::json::Value;

/// The terms of both texts; nothing for kinds that are no R4 resource type.
pub(super) fn full_text(kind: &str, resource: Value<'_>) -> FullText {
    let mut narrative = Terms::default();
    if let Some(div) = resource.get("text").and_then(|text| text.get("div")).and_then(Value::text) {
        narrative.add(&without_tags(&div));
    }
    let mut content = Terms::default();
    if let Some(of) = r4().type_of(kind) {
        collect(of, resource, &mut content);
    }
    FullText { narrative: narrative.sorted(), content: content.sorted() }
}

#[derive(Default)]
struct Terms(HashSet<String, RandomState>);

impl Terms {
    fn add(&mut self, text: &str) {
        each_run(text, &mut |run| {
            record_terms(&run, &mut |term| {
                // Most terms of a record stand in it several times.
                if !self.0.contains(term) && self.0.len() < MOST_TERMS {
                    self.0.insert(term.to_owned());
                }
            });
        });
    }

    fn sorted(self) -> Vec<String> {
        let mut terms: Vec<String> = self.0.into_iter().collect();
        terms.sort_unstable();
        terms
    }
}

/// As deep as the document, which its parser bounds.
fn collect(of: &TypeDef, value: Value<'_>, terms: &mut Terms) {
    for member in value.members() {
        let Some(name) = member.key() else { continue };
        // Ids and references are of type string, and no text.
        if name == "id" || (name == "reference" && of.name == "Reference") {
            continue;
        }
        let Some(property) = of.property(&name) else { continue };
        let member_type = property.type_ref.definition();
        for element in member.each() {
            match member_type.primitive {
                Some(Primitive::String | Primitive::Markdown | Primitive::Code) => {
                    if let Some(text) = element.text() {
                        terms.add(&text);
                    }
                }
                Some(Primitive::Xhtml) => {
                    if let Some(div) = element.text() {
                        terms.add(&without_tags(&div));
                    }
                }
                Some(_) => {}
                None => collect(own_type(member_type, element), element, terms),
            }
        }
    }
}

/// The type of a resource inside another (contained, entries of bundles); else the element's type.
fn own_type(declared: &'static TypeDef, value: Value<'_>) -> &'static TypeDef {
    if declared.name != "Resource" {
        return declared;
    }
    value.get("resourceType").and_then(Value::text).and_then(|kind| r4().type_of(&kind)).unwrap_or(declared)
}

/// The text of a narrative: each tag and comment a space, entities as what they stand for.
fn without_tags(div: &str) -> Cow<'_, str> {
    if !div.contains(['<', '&']) {
        return Cow::Borrowed(div);
    }
    let mut out = String::with_capacity(div.len());
    let mut rest = div;
    while let Some(place) = rest.find(['<', '&']) {
        out.push_str(&rest[..place]);
        let markup = &rest[place..];
        let length = if markup.starts_with('<') {
            out.push(' ');
            tag_length(markup)
        } else {
            let (letter, length) = entity(markup);
            out.push(letter);
            length
        };
        rest = &markup[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Bytes of the tag or comment that the text begins with; all of it when it never ends.
fn tag_length(markup: &str) -> usize {
    if markup.starts_with("<!--") {
        return markup.find("-->").map_or(markup.len(), |end| end + 3);
    }
    let mut quote = None;
    for (place, byte) in markup.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return place + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    markup.len()
}

/// The character of the entity that the text begins with, and its length; the ampersand itself when it is none.
fn entity(markup: &str) -> (char, usize) {
    // The longest is `&#x10FFFF;`.
    let end = markup.bytes().take(10).position(|byte| byte == b';');
    let letter = end.and_then(|end| match &markup[1..end] {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        number => {
            let digits = number.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    });
    match (letter, end) {
        (Some(letter), Some(end)) => (letter, end + 1),
        _ => ('&', 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    #[test]
    fn markup_is_no_text() {
        for (div, text) in [
            ("plain", "plain"),
            (r#"<div title="a > b">x &amp; y&#xAC00;&#65;</div>"#, " x & y가A "),
            ("a<!-- <b>hidden</b> -->b", "a b"),
            ("a & b &none; <br", "a & b &none;  "),
            ("<", " "),
        ] {
            assert_eq!(without_tags(div), text, "{div}");
        }
    }

    #[test]
    fn content_is_what_people_read() {
        let json = r#"{"resourceType":"Observation","id":"hiddenid","status":"final",
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">혈압 <b title='secret'>높음</b></div>"},
            "contained":[{"resourceType":"Patient","id":"c","name":[{"text":"Kim"}],"photo":[{"data":"aGlkZGVu","title":"portrait"}]}],
            "code":{"coding":[{"system":"http://loinc.org","code":"8867","display":"Heart rate"}],"text":"pulse"},
            "subject":{"reference":"Patient/refid","display":"Lee"},"note":[{"text":"resting","time":"2026-01-01"}],
            "extension":[{"url":"http://x.test/e","valueString":"extra"}]}"#;
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let found = full_text("Observation", document.root());
        let has = |terms: &[String], word: &str| terms.binary_search(&word.to_owned()).is_ok();
        for word in
            ["final", "혈압", "높음", "kim", "portrait", "8867", "heart", "pulse", "lee", "resting", "extra"]
        {
            assert!(has(&found.content, word), "{word}");
        }
        for word in ["hiddenid", "refid", "loinc", "secret", "aglkzgvu", "2026", "http", "c"] {
            assert!(!has(&found.content, word), "{word}");
        }
        assert!(has(&found.narrative, "혈압") && !has(&found.narrative, "pulse"));
    }
}

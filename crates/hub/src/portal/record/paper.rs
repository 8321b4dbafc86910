//! Documents and imaging studies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ieum_fhir::json::Value;

use super::concept::Concept;
use super::fields::{Moment, all, number, reference, text};

/// Text of a document beyond this is not shown on a page.
pub(crate) const TEXT_BYTES: usize = 256 << 10;

/// A document.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    /// Logical id.
    pub(crate) id: String,
    /// What kind of document.
    pub(crate) concept: Concept,
    /// When it was written.
    pub(crate) at: Option<Moment>,
    /// The institution that keeps it.
    pub(crate) custodian: Option<String>,
    /// Who wrote it.
    pub(crate) author: Option<String>,
    /// What is in it.
    pub(crate) parts: Vec<Part>,
    /// The visit.
    pub(crate) visit: Option<String>,
}

/// One attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Media type, without parameters.
    pub(crate) media_type: String,
    /// Bytes, as stated or as there are.
    pub(crate) size: Option<u64>,
    /// The text, when it is plain text; whether it was cut.
    pub(crate) text: Option<(String, bool)>,
}

impl Paper {
    /// Reads a DocumentReference.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        Self {
            id: text(resource, &["id"]).unwrap_or_default(),
            concept: Concept::at(resource, &["type"])
                .or_else(|| {
                    text(resource, &["content", "attachment", "title"]).map(|title| Concept::of_text(&title))
                })
                .unwrap_or_default(),
            at: Moment::first(resource, &[&["date"], &["context", "period", "start"]]),
            custodian: reference(resource, &["custodian"], "Organization"),
            author: reference(resource, &["author"], "Practitioner"),
            parts: all(resource, "content")
                .filter_map(|content| content.get("attachment"))
                .map(part)
                .collect(),
            visit: reference(resource, &["context", "encounter"], "Encounter"),
        }
    }
}

/// Plain text is shown; other kinds are only named, because showing them safely needs a reader of their own.
fn part(attachment: Value<'_>) -> Part {
    let content_type = text(attachment, &["contentType"]).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let size = number(attachment, &["size"]).and_then(|(digits, _)| digits.parse().ok());
    let shown = (media_type == "text/plain").then(|| plain_text(attachment)).flatten();
    Part { media_type, size, text: shown }
}

fn plain_text(attachment: Value<'_>) -> Option<(String, bool)> {
    let data = text(attachment, &["data"])?;
    let is_cut = data.len() > TEXT_BYTES / 3 * 4;
    // Whole groups of four letters, so that what is cut off leaves whole bytes behind.
    let data = if is_cut { data.get(..TEXT_BYTES / 3 * 4)? } else { &data };
    let bytes = STANDARD.decode(data).ok()?;
    Some((String::from_utf8_lossy(&bytes).into_owned(), is_cut))
}

/// An imaging study.
#[derive(Debug, Clone)]
pub(crate) struct Study {
    /// Logical id.
    pub(crate) id: String,
    /// What was examined.
    pub(crate) description: Option<String>,
    /// When.
    pub(crate) at: Option<Moment>,
    /// CT, MR, …
    pub(crate) modalities: Vec<String>,
    /// How many images.
    pub(crate) images: Option<String>,
    /// The visit.
    pub(crate) visit: Option<String>,
}

impl Study {
    /// Reads an ImagingStudy.
    pub(crate) fn read(resource: Value<'_>) -> Self {
        let mut modalities: Vec<String> =
            all(resource, "modality").filter_map(|modality| text(modality, &["code"])).collect();
        if modalities.is_empty() {
            let of_series = all(resource, "series").filter_map(|series| text(series, &["modality", "code"]));
            modalities.extend(of_series.take(1));
        }
        Self {
            id: text(resource, &["id"]).unwrap_or_default(),
            description: text(resource, &["description"]),
            at: Moment::read(resource, &["started"]),
            modalities,
            images: number(resource, &["numberOfInstances"]).map(|(digits, _)| digits),
            visit: reference(resource, &["encounter"], "Encounter"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ieum_fhir::json::{Document, Limits};

    use super::*;

    fn paper(content_type: &str, data: &str) -> Paper {
        let json = format!(
            r#"{{"id":"d","content":[{{"attachment":{{"contentType":"{content_type}","data":"{data}"}}}}]}}"#
        );
        Paper::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn only_plain_text_is_shown_and_never_without_end() {
        let data = STANDARD.encode("<b>소견</b>");
        let text = |paper: Paper| paper.parts[0].text.clone();
        assert_eq!(text(paper("text/plain; charset=utf-8", &data)), Some(("<b>소견</b>".to_owned(), false)));
        assert_eq!(text(paper("text/html", &data)), None);
        assert_eq!(text(paper("text/plain", "not base64!")), None);
        let (shown, is_cut) =
            text(paper("text/plain", &STANDARD.encode(vec![b'a'; TEXT_BYTES * 2]))).unwrap();
        assert!(is_cut && shown.len() <= TEXT_BYTES && shown.len() > TEXT_BYTES - 4);
    }
}

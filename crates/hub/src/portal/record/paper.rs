//! Documents and imaging studies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{EUC_KR, Encoding, UTF_8};
use ieum_fhir::json::Value;
use ieum_ui::{Lang, Tone, badge};
use maud::{Markup, html};

use super::concept::Concept;
use super::fields::{Moment, all, number, reference, text};
use super::items::preliminary;

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
    is_superseded: bool,
    is_preliminary: bool,
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
            is_superseded: text(resource, &["status"]).as_deref() == Some("superseded"),
            is_preliminary: text(resource, &["docStatus"]).as_deref() == Some("preliminary"),
        }
    }

    /// A word beside what is not, or not any more, what to go by.
    pub(crate) fn mark(&self, lang: Lang) -> Markup {
        html! {
            @if self.is_superseded { (badge(Tone::Warning, lang.pick("다른 문서로 대체됨", "Superseded"))) }
            @if self.is_preliminary { (badge(Tone::Warning, preliminary(lang))) }
        }
    }
}

/// Plain text is shown; other kinds are only named, because showing them safely needs a reader of their own.
fn part(attachment: Value<'_>) -> Part {
    let content_type = text(attachment, &["contentType"]).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let size = number(attachment, &["size"]).and_then(|(digits, _)| digits.parse().ok());
    let shown =
        (media_type == "text/plain").then(|| plain_text(attachment, charset(&content_type)?)).flatten();
    Part { media_type, size, text: shown }
}

/// The letters that a text says it is written in: hospitals still send EUC-KR. UTF-8 when it says nothing, and nothing
/// when it says something unknown.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|part| part.split_once('='));
    let named = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let Some((_, name)) = named else { return Some(UTF_8) };
    let name = name.trim().trim_matches('"').to_ascii_lowercase();
    // Names that Windows and Java give to EUC-KR, and the web's list does not know.
    if matches!(name.as_str(), "cp949" | "ms949" | "uhc" | "x-windows-949") {
        return Some(EUC_KR);
    }
    Encoding::for_label(name.as_bytes())
}

/// A text that is not in the letters it says it is in is not shown: half of it would be wrong, and look like the rest.
fn plain_text(attachment: Value<'_>, encoding: &'static Encoding) -> Option<(String, bool)> {
    let data = text(attachment, &["data"])?;
    let is_cut = data.len() > TEXT_BYTES / 3 * 4;
    // Whole groups of four letters, so that what is cut off leaves whole bytes behind.
    let data = if is_cut { data.get(..TEXT_BYTES / 3 * 4)? } else { &data };
    let bytes = STANDARD.decode(data).ok()?;
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut shown = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len())?);
    // A letter in two halves at the cut is no error.
    let (_, _, is_broken) = decoder.decode_to_string(&bytes, &mut shown, !is_cut);
    (!is_broken).then_some((shown, is_cut))
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
    is_registered: bool,
}

impl Study {
    /// A word beside a study without images.
    pub(crate) fn mark(&self, lang: Lang) -> Markup {
        html! { @if self.is_registered { (badge(Tone::Information, lang.pick("영상 아직 없음", "No images yet"))) } }
    }

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
            is_registered: text(resource, &["status"]).as_deref() == Some("registered"),
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
        let latin = STANDARD.encode([b'a', 0xe9]);
        assert_eq!(text(paper("text/plain", &latin)), None, "not in the letters it says");
        let (shown, is_cut) =
            text(paper("text/plain", &STANDARD.encode(vec![b'a'; TEXT_BYTES * 2]))).unwrap();
        assert!(is_cut && shown.len() <= TEXT_BYTES && shown.len() > TEXT_BYTES - 4);
    }

    #[test]
    fn text_is_read_in_the_letters_it_says_it_is_in() {
        let text = |paper: Paper| paper.parts[0].text.clone().map(|(text, _)| text);
        // "소견 정상" in EUC-KR.
        let korean = STANDARD.encode([0xbc, 0xd2, 0xb0, 0xdf, 0x20, 0xc1, 0xa4, 0xbb, 0xf3]);
        for charset in [
            "text/plain; charset=euc-kr",
            "Text/Plain;Charset=\\\"KS_C_5601-1987\\\"",
            "text/plain; charset=cp949",
        ] {
            assert_eq!(text(paper(charset, &korean)).as_deref(), Some("소견 정상"), "{charset}");
        }
        assert_eq!(text(paper("text/plain", &korean)), None);
        assert_eq!(text(paper("text/plain; charset=x-unknown", &korean)), None);
        let long: Vec<u8> = [0xbc, 0xd2].repeat(TEXT_BYTES);
        let (shown, is_cut) =
            paper("text/plain; charset=euc-kr", &STANDARD.encode(long)).parts[0].text.clone().unwrap();
        assert!(is_cut && shown.chars().all(|letter| letter == '소'));
    }
}

//! `encode`, `decode`, `escape`, `unescape`. What is not known, or cannot be read, has no result.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

pub(super) fn encode(text: &str, format: &str) -> Option<String> {
    Some(match format {
        "base64" => STANDARD.encode(text),
        "urlbase64" => URL_SAFE.encode(text),
        "hex" => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        _ => return None,
    })
}

pub(super) fn decode(text: &str, format: &str) -> Option<String> {
    let bytes = match format {
        "base64" => STANDARD.decode(text).ok()?,
        "urlbase64" => URL_SAFE.decode(text).ok()?,
        "hex" => {
            let digits: Option<Vec<u8>> =
                text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
            let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
            digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
        }
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

/// Characters of HTML with their names; the ampersand comes first when escaping, and last when unescaping.
const HTML: [(&str, &str); 5] =
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];

pub(super) fn escape(text: &str, target: &str) -> Option<String> {
    match target {
        "html" => Some(HTML.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))),
        "json" => {
            let quoted = serde_json::to_string(text).ok()?;
            Some(quoted[1..quoted.len() - 1].to_owned())
        }
        _ => None,
    }
}

pub(super) fn unescape(text: &str, target: &str) -> Option<String> {
    match target {
        "html" => Some(HTML.iter().rev().fold(text.to_owned(), |text, (to, from)| text.replace(from, to))),
        "json" => {
            // Quotes that were unescaped already, as those in a literal, are quotes.
            let mut quoted = String::from('"');
            let mut escaped = false;
            for letter in text.chars() {
                if letter == '"' && !escaped {
                    quoted.push('\\');
                }
                escaped = letter == '\\' && !escaped;
                quoted.push(letter);
            }
            quoted.push('"');
            serde_json::from_str(&quoted).ok()
        }
        _ => None,
    }
}

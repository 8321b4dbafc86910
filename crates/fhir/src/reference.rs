//! The text of references (R4, section 2.3.0): relative, absolute, canonical, contained.

use std::borrow::Cow;

use crate::index::Target;

/// Whether a text can be a logical id (R4, section 2.24.0.1): 1 to 64 letters, digits, hyphens and points.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// Splits `Type/id` and `Type/id/_history/version` into type and id, without asking whether there is such a type.
#[must_use]
pub fn split_relative(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.split_once('/')?;
    let id = match rest.split_once('/') {
        None => rest,
        Some((id, version)) if version.strip_prefix("_history/").is_some_and(is_id) => id,
        Some(_) => return None,
    };
    let legible = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_kind = kind.starts_with(|first: char| first.is_ascii_alphabetic()) && kind.bytes().all(legible);
    (is_kind && is_id(id)).then_some((kind, id))
}

/// Where a reference points: to a record of this server when it is relative or starts with one of the server's own
/// addresses, and names a kind there is; else to a URL, without `|version`. `None` for `#contained` and for empty texts.
#[must_use]
pub fn target<'a>(
    text: Cow<'a, str>,
    bases: &[String],
    is_kind: &dyn Fn(&str) -> bool,
) -> Option<Target<'a>> {
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let own = |text: &str| {
        let under =
            |base: &str| text.strip_prefix(base.trim_end_matches('/'))?.strip_prefix('/').map(str::len);
        let length = bases.iter().find_map(|base| under(base)).unwrap_or(text.len());
        let start = text.len() - length;
        let (kind, id) = split_relative(&text[start..]).filter(|(kind, _)| is_kind(kind))?;
        Some((start, kind.len(), id.len()))
    };
    if let Some((start, kind, id)) = own(&text) {
        let (kind, id) = (start..start + kind, start + kind + 1..start + kind + 1 + id);
        return Some(match text {
            Cow::Borrowed(text) => {
                Target::Local { kind: Cow::Borrowed(&text[kind]), id: Cow::Borrowed(&text[id]) }
            }
            Cow::Owned(text) => {
                Target::Local { kind: Cow::Owned(text[kind].to_owned()), id: Cow::Owned(text[id].to_owned()) }
            }
        });
    }
    Some(Target::Url(without_version(text)))
}

/// A canonical URL without its `|version`.
#[must_use]
pub fn without_version(url: Cow<'_, str>) -> Cow<'_, str> {
    match url {
        Cow::Borrowed(url) => Cow::Borrowed(url.split('|').next().unwrap_or(url)),
        Cow::Owned(mut url) => {
            url.truncate(url.find('|').unwrap_or(url.len()));
            Cow::Owned(url)
        }
    }
}

//! The style sheet, script, fonts and icons, embedded in the binary.
//!
//! Pages name assets by [`url`], which carries a hash of the content, so that browsers may keep them for ever; a
//! handler answers `/assets/{name}` from [`get`].

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

struct Embedded {
    name: &'static str,
    hashed: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

/// The path prefix under which the hub serves assets.
pub const PREFIX: &str = "/assets/";

/// One embedded file, ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The content.
    pub bytes: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The hashed name; in double quotes it is the value of `ETag`.
    pub tag: &'static str,
    /// Whether the name asked for carried the hash, so that the answer never changes.
    pub immutable: bool,
}

impl Asset {
    /// The value of `ETag`.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.tag)
    }

    /// The value of `Cache-Control`.
    #[must_use]
    pub fn cache_control(&self) -> &'static str {
        if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" }
    }
}

/// The asset with this name, with or without the hash; a leading [`PREFIX`] is accepted.
#[must_use]
pub fn get(path: &str) -> Option<Asset> {
    let name = path.strip_prefix(PREFIX).unwrap_or(path);
    let found = EMBEDDED.iter().find(|asset| asset.hashed == name || asset.name == name)?;
    Some(Asset {
        bytes: found.bytes,
        content_type: found.content_type,
        tag: found.hashed,
        immutable: found.hashed == name,
    })
}

/// The address of an asset by its plain name, such as `ieum.css`; an unknown name gives an address that answers 404.
#[must_use]
pub fn url(name: &str) -> String {
    let hashed = EMBEDDED.iter().find(|asset| asset.name == name).map_or(name, |asset| asset.hashed);
    format!("{PREFIX}{hashed}")
}

/// The hashed names of all assets, for those who copy them elsewhere.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|asset| asset.hashed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_names_are_immutable_and_plain_names_are_not() {
        let hashed = get(&url("ieum.css")).expect("the style sheet is always embedded");
        let plain = get("ieum.css").expect("plain names answer too");
        assert!(hashed.immutable && !plain.immutable);
        assert_eq!(hashed.bytes, plain.bytes);
        assert_eq!(hashed.content_type, "text/css; charset=utf-8");
        assert!(hashed.cache_control().contains("immutable"));
        assert_eq!(get("../Cargo.toml"), None);
    }

    #[test]
    fn the_style_sheet_names_only_embedded_files_and_no_other_host() {
        let css = std::str::from_utf8(get("ieum.css").expect("embedded").bytes).expect("UTF-8");
        assert!(!css.contains("http:") && !css.contains("https:") && !css.contains("data:"));
        for part in css.split("url(").skip(1) {
            let name = part.split(')').next().expect("closed").trim_matches(['"', '\'']);
            let name = name.strip_prefix("./").expect("relative to the sheet");
            assert!(get(name).is_some_and(|asset| asset.immutable), "{name}");
        }
    }

    #[test]
    fn all_assets_together_stay_small() {
        let total: usize = EMBEDDED.iter().map(|asset| asset.bytes.len()).sum();
        assert!(total < 2_000_000, "{total} bytes");
    }
}

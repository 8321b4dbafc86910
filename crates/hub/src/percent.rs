//! Percent-encoding of URLs and forms. Text that is no UTF-8 is refused, not repaired.

/// Why a text cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percent sign is not followed by two hexadecimal digits, or the bytes are not UTF-8")]
pub struct BadEncoding;

/// Names and values, in order.
pub type Pairs = Vec<(String, String)>;

/// Names and values of a query or form, decoded; a plus sign is a space. Empty parts are left out.
///
/// # Errors
/// [`BadEncoding`].
pub fn pairs(text: &str) -> Result<Pairs, BadEncoding> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// One part of a path, decoded.
///
/// # Errors
/// [`BadEncoding`].
pub fn path_part(text: &str) -> Result<String, BadEncoding> {
    decode(text, false)
}

fn decode(text: &str, plus_is_space: bool) -> Result<String, BadEncoding> {
    let digit = |byte: Option<u8>| {
        let digit = char::from(byte.ok_or(BadEncoding)?).to_digit(16).ok_or(BadEncoding)?;
        u8::try_from(digit).map_err(|_| BadEncoding)
    };
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => digit(bytes.next())? << 4 | digit(bytes.next())?,
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).map_err(|_| BadEncoding)
}

/// Appends names and values to a URL, which may have some already.
#[must_use]
pub fn with_pairs<'p>(url: &str, pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut out = url.to_owned();
    for (name, value) in pairs {
        out.push(if out.contains('?') { '&' } else { '?' });
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,*$/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back() {
        let given =
            [("name", "김 민수"), ("identifier", "http://a.kr|1&2=3"), ("x", "100%+1"), ("empty", "")];
        let url = with_pairs("http://h/fhir/Patient", given);
        let read = pairs(url.split_once('?').unwrap().1).unwrap();
        assert_eq!(read, given.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn pairs_are_added_to_those_there_are() {
        assert_eq!(with_pairs("http://h/a?b=c", [("d", "e"), ("f", "")]), "http://h/a?b=c&d=e&f=");
    }

    #[test]
    fn refuses_what_is_no_text() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%ff", "%c3%28=1"] {
            assert_eq!(pairs(text), Err(BadEncoding), "{text}");
        }
        assert_eq!(pairs("&&a=1&").unwrap(), [("a".to_owned(), "1".to_owned())]);
        assert_eq!(path_part("a+b%2B").unwrap(), "a+b+");
    }
}

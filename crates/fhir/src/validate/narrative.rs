//! Narratives: well-formed XHTML of formatting elements, links and images only (R4, section 2.24.0.18 and invariant
//! txt-1). The portal shows narratives in HTML pages, so what an HTML reader would take for something else than an
//! XML reader does (CDATA sections, odd comments) is refused too.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::outcome::Code;

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Elements of txt-1 and their harmless neighbours; sorted.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// Attributes of txt-1; sorted.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xml:space",
    "xmlns",
];

const SYNTAX: &str = "the narrative must be one <div xmlns=\"http://www.w3.org/1999/xhtml\"> of well-formed XHTML; \
                      close every element and write & as &amp;";
const ENTITY: &str =
    "use only the entities lt, gt, amp, quot and apos, or numeric ones; write other characters as they are";
const ELEMENT: &str = "use only formatting elements, links and images; scripts, forms, frames, objects, styles and \
                       embedded content are refused";
const ATTRIBUTE: &str = "use only formatting attributes; event handlers and foreign attributes are refused";
const LINK: &str =
    "links must be relative or http, https, ftp, mailto, tel or urn; images may also be data:image";
const MARKUP: &str =
    "leave out DTDs, processing instructions, CDATA sections and comments that HTML reads differently";

/// What is wrong and what to do about it.
type Refusal = (Code, &'static str);

/// Checks a `div`. `Ok(true)` when it has links or images that point out of it.
pub(super) fn check(div: &str) -> Result<bool, Refusal> {
    let syntax = (Code::NarrativeSyntax, SYNTAX);
    let mut reader = Reader::from_str(div);
    reader.config_mut().check_comments = true;
    let mut depth = 0_usize;
    let mut roots = 0;
    let mut linked = false;
    loop {
        let event = reader.read_event().map_err(|_| syntax)?;
        match event {
            Event::Start(start) | Event::Empty(start) if depth == 0 && !is_root(&start) => {
                return Err(syntax);
            }
            Event::Start(start) => {
                linked |= element(&start)?;
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(start) => {
                linked |= element(&start)?;
                roots += usize::from(depth == 0);
            }
            Event::End(_) => depth = depth.checked_sub(1).ok_or(syntax)?,
            Event::Text(text) => {
                let is_outside = depth == 0 && !text.chars().all(char::is_whitespace);
                if is_outside || text.contains("]]>") || text.chars().any(is_forbidden) {
                    return Err(syntax);
                }
            }
            Event::GeneralRef(reference) => {
                let known = matches!(&*reference, "lt" | "gt" | "amp" | "quot" | "apos");
                let numeric =
                    || matches!(reference.resolve_char_ref(), Ok(Some(letter)) if !is_forbidden(letter));
                if depth == 0 || !(known || numeric()) {
                    return Err((Code::NarrativeSyntax, ENTITY));
                }
            }
            Event::Comment(comment) if is_plain(&comment) => {}
            Event::Comment(_) | Event::CData(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err((Code::NarrativeContent, MARKUP));
            }
            Event::Eof => break,
        }
    }
    if depth == 0 && roots == 1 { Ok(linked) } else { Err(syntax) }
}

/// Characters that XML 1.0 does not have.
fn is_forbidden(letter: char) -> bool {
    matches!(letter, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether HTML ends this comment where XML does.
fn is_plain(comment: &str) -> bool {
    !comment.starts_with('>')
        && !comment.starts_with("->")
        && !comment.contains("--")
        && !comment.ends_with('-')
}

fn is_root(start: &BytesStart<'_>) -> bool {
    let is_xhtml = |value: &str| value == XHTML;
    start.name().0 == "div"
        && start
            .attributes()
            .flatten()
            .any(|attribute| attribute.key.0 == "xmlns" && is_xhtml(&attribute.value))
}

/// Checks one element; `true` when it links out of the narrative.
fn element(start: &BytesStart<'_>) -> Result<bool, Refusal> {
    let name = start.name().0;
    if ELEMENTS.binary_search(&name).is_err() {
        return Err((Code::NarrativeContent, ELEMENT));
    }
    let mut linked = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| (Code::NarrativeSyntax, SYNTAX))?;
        let key = attribute.key.0;
        if ATTRIBUTES.binary_search(&key).is_err() {
            return Err((Code::NarrativeContent, ATTRIBUTE));
        }
        if attribute.value.contains('<') {
            return Err((Code::NarrativeSyntax, SYNTAX));
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| (Code::NarrativeSyntax, ENTITY))?;
        match key {
            "href" | "src" | "cite" | "longdesc" => {
                if !is_harmless_link(&value, name == "img" && key == "src") {
                    return Err((Code::NarrativeContent, LINK));
                }
                linked |= !value.starts_with('#');
            }
            "style" if !is_harmless_style(&value) => return Err((Code::NarrativeContent, ATTRIBUTE)),
            "xmlns" if value != XHTML => return Err((Code::NarrativeContent, ATTRIBUTE)),
            _ => {}
        }
    }
    Ok(linked)
}

/// Browsers skip white space and control characters in schemes: so do we.
fn is_harmless_link(link: &str, is_image: bool) -> bool {
    let link: String =
        link.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).collect();
    let Some((scheme, rest)) = link.split_once(':') else { return true };
    if scheme.contains(['/', '?', '#']) {
        return true;
    }
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "ftp" | "mailto" | "tel" | "urn" => true,
        "data" => {
            is_image
                && ["image/png", "image/jpeg", "image/gif", "image/webp"]
                    .iter()
                    .any(|kind| rest.starts_with(kind))
        }
        _ => false,
    }
}

/// No style that loads or runs anything; a backslash could hide it.
fn is_harmless_style(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    !["url(", "expression(", "javascript:", "behavior:", "-moz-binding", "@import", "\\", "/*"]
        .iter()
        .any(|risk| style.contains(risk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn div(inner: &str) -> String {
        format!("<div xmlns=\"{XHTML}\">{inner}</div>")
    }

    #[test]
    fn lists_are_sorted() {
        assert!(ELEMENTS.is_sorted() && ATTRIBUTES.is_sorted());
    }

    #[test]
    fn takes_formatting() {
        for (inner, linked) in [
            ("", false),
            ("김민수 &lt;a&gt; &#44608; &#xAE40;<br/><!-- plain -->", false),
            (
                "<p class=\"a\" style=\"color: red\">x</p><table><tr><td colspan='2'>1</td></tr></table>",
                false,
            ),
            ("<a href=\"#here\">x</a>", false),
            ("<a href=\"Patient/1\">x</a>", true),
            ("<a href=\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\">x</a>", true),
            ("<img src=\"data:image/png;base64,AAAA\" alt=\"x\"/>", true),
            ("<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"ko\" lang=\"ko\">x</div>", false),
        ] {
            assert_eq!(check(&div(inner)), Ok(linked), "{inner}");
        }
        assert_eq!(check(&format!("  {}\n", div("x"))), Ok(false));
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for text in [
            "",
            "text",
            "<div>x</div>",
            "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"></p>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"/>x",
        ] {
            assert_eq!(check(text).unwrap_err().0, Code::NarrativeSyntax, "{text}");
        }
        for inner in [
            "<p>",
            "</p>",
            "a & b",
            "&nbsp;",
            "&#0;",
            "&#x1f;",
            "<p id='a' id='b'/>",
            "<p id=a/>",
            "<p title='<'/>",
            "a ]]> b",
        ] {
            assert_eq!(check(&div(inner)).unwrap_err().0, Code::NarrativeSyntax, "{inner}");
        }
        assert_eq!(check(&(div("a") + &div("b"))).unwrap_err().0, Code::NarrativeSyntax);
    }

    // threat: 20
    #[test]
    fn refuses_what_could_run() {
        for inner in [
            "<script>x</script>",
            "<SCRIPT/>",
            "<form/>",
            "<iframe/>",
            "<object/>",
            "<embed/>",
            "<style>x</style>",
            "<svg/>",
            "<input/>",
            "<link/>",
            "<base/>",
            "<x:script xmlns:x=\"http://www.w3.org/1999/xhtml\"/>",
            "<p onclick=\"x\"/>",
            "<p ONCLICK=\"x\"/>",
            "<a href=\"javascript:x\"/>",
            "<a href=\" java&#10;Script:x\"/>",
            "<a href=\"&#106;avascript:x\"/>",
            "<a href=\"vbscript:x\"/>",
            "<a href=\"data:text/html,x\"/>",
            "<img src=\"data:image/svg+xml,x\"/>",
            "<p style=\"background: URL(x)\"/>",
            "<p style=\"width: expr\\65ssion(x)\"/>",
            "<![CDATA[><script>x</script>]]>",
            "<?x ><script>x</script>?>",
            "<!--><script>x</script>-->",
            "<!--->x-->",
            "<p xmlns=\"http://www.w3.org/2000/svg\"/>",
            "<p srcdoc=\"x\"/>",
            "<p xlink:href=\"x\"/>",
        ] {
            assert!(check(&div(inner)).is_err(), "{inner}");
        }
        let doctype = format!("<!DOCTYPE div [<!ENTITY a \"b\">]>{}", div("&a;"));
        assert_eq!(check(&doctype).unwrap_err().0, Code::NarrativeContent);
    }
}

//! References between the entries of a transaction: what each text becomes (R4, `http.html#trules`, «replacing
//! references»).
//!
//! `fullUrl`s become `Type/id`, in references, in elements of type uri, url, oid and uuid, and in the links of
//! narratives; canonical URLs stay. Relative references mean entries whose `fullUrl` has the same base as that of the
//! entry they stand in. Conditional references become what they match.

use std::borrow::Cow;
use std::collections::HashMap;

use ieum_fhir::json::{Document, Value};
use ieum_fhir::reference::split_relative;
use ieum_fhir::validate::Validation;
use ieum_store::catalogue::KindDef;
use ieum_store::commit::Guard;
use ieum_store::prepare::Prepared;
use ieum_trust::door::View;

use super::super::bundle::Entry;
use super::super::conditional::Stumble;
use super::super::update;
use super::Fate;
use super::conditional_references::Conditional;
use crate::call::{Call, Failure};

/// What becomes of references.
pub(super) struct References {
    /// New texts, by [`Value::index`] of the string they replace.
    texts: HashMap<u32, String>,
    /// `fullUrl` to `Type/id`.
    targets: HashMap<String, String>,
}

impl References {
    /// What becomes of each text in the resources that are written.
    ///
    /// # Errors
    /// When a conditional reference does not mean exactly one record.
    pub(super) fn resolve(
        call: &Call<'_>,
        view: &View<'_>,
        entries: &[&Entry<'_>],
        fates: &[Fate],
        validation: &Validation,
        guards: &mut Vec<Guard>,
    ) -> Result<Self, Stumble> {
        let targets = targets(entries, fates);
        let mut texts = HashMap::new();
        let mut conditional = Vec::new();
        let owners = Owners::new(entries, fates);
        let Some(document) = entries.iter().find_map(|entry| entry.resource) else {
            return Ok(Self { texts, targets });
        };
        for &index in &validation.references {
            let Some(entry) = owners.of(index) else { continue };
            let Some(text) = document.at(index).text() else { continue };
            match target(&targets, entry, &text) {
                Some(target) => drop(texts.insert(index, target.to_owned())),
                None if text.contains('?') => conditional.push((index, entry, text)),
                None => {}
            }
        }
        for &index in &validation.uris {
            let target = document.at(index).text().and_then(|text| targets.get(&*text));
            if let Some(target) = target.filter(|_| owners.of(index).is_some()) {
                texts.insert(index, target.clone());
            }
        }
        for &index in &validation.linked_narratives {
            let Some(entry) = owners.of(index) else { continue };
            let Some(text) = document.at(index).text() else { continue };
            let replaced = replace_links(&text, &|link| target(&targets, entry, link));
            texts.extend(replaced.map(|replaced| (index, replaced)));
        }
        // Last: they may mean what the transaction writes, and that has its other references by now.
        let mut resolved = Self { texts, targets };
        let mut lookup = Conditional::new(call, view, entries, fates, guards);
        let mut found = Vec::new();
        for (index, entry, text) in conditional {
            found.extend(lookup.target(entry, &text, &resolved)?.map(|target| (index, target)));
        }
        resolved.texts.extend(found);
        Ok(resolved)
    }

    /// What a string becomes.
    pub(super) fn replacement(&self, value: Value<'_>) -> Option<String> {
        self.texts.get(&value.index()).cloned()
    }

    /// The same for a resource that a patch has made, which is no part of the bundle's document: `fullUrl`s become
    /// records, by the index of their strings. Relative references stay, for they mean records that were there.
    fn in_document(&self, validation: &Validation, root: Value<'_>) -> HashMap<u32, String> {
        let indexes = validation.references.iter().chain(&validation.uris);
        let replaced = indexes.filter_map(|&index| {
            let text = root.at(index).text()?;
            Some((index, self.targets.get(&*text)?.clone()))
        });
        replaced.collect()
    }

    /// What a patch has made, ready for the commit.
    ///
    /// # Errors
    /// 413 when it has become too large.
    pub(super) fn prepare_patched(
        &self,
        call: &Call<'_>,
        kind: &KindDef,
        id: &str,
        json: &[u8],
        validation: &Validation,
    ) -> Result<Prepared, Failure> {
        let document = Document::parse(json, &update::document_limits(call))?;
        let replaced = self.in_document(validation, document.root());
        let catalogue = call.kinds.catalogue();
        Ok(catalogue.prepare(kind, id, document.root(), &mut |value| replaced.get(&value.index()).cloned()))
    }
}

/// `fullUrl` to `Type/id`, for entries that write a record or found it.
fn targets(entries: &[&Entry<'_>], fates: &[Fate]) -> HashMap<String, String> {
    let pairs = entries.iter().zip(fates).filter_map(|(entry, fate)| match fate {
        Fate::Put { id, .. } | Fate::Patched { id, .. } | Fate::Existing { id, .. } => {
            Some((entry.full_url.as_ref()?.to_string(), format!("{}/{id}", entry.place.kind)))
        }
        Fate::Delete { .. } | Fate::Read => None,
    });
    pairs.collect()
}

/// What a reference standing in `entry` means within the bundle.
fn target<'t>(targets: &'t HashMap<String, String>, entry: &Entry<'_>, text: &str) -> Option<&'t str> {
    if let Some(target) = targets.get(text) {
        return Some(target);
    }
    // `http://a.kr/fhir/Observation/1` refers to `Patient/2`: `http://a.kr/fhir/Patient/2` is meant.
    let (kind, id) = split_relative(text)?;
    let mut parts = entry.full_url.as_deref()?.rsplitn(3, '/');
    let (_, _, base) = (parts.next()?, parts.next()?, parts.next()?);
    targets.get(&format!("{base}/{kind}/{id}")).map(String::as_str)
}

/// Which entry a node belongs to. Entries and nodes are both in document order.
struct Owners<'o>(Vec<(u32, Option<&'o Entry<'o>>)>);

impl<'o> Owners<'o> {
    fn new(entries: &[&'o Entry<'o>], fates: &[Fate]) -> Self {
        let start = |entry: &Entry<'_>| entry.resource.map(Value::index);
        let owned = entries.iter().zip(fates).filter_map(|(entry, fate)| {
            let is_written = matches!(fate, Fate::Put { .. });
            Some((start(entry)?, is_written.then_some(*entry)))
        });
        Self(owned.collect())
    }

    fn of(&self, index: u32) -> Option<&'o Entry<'o>> {
        let after = self.0.partition_point(|(start, _)| *start <= index);
        self.0[..after].last()?.1
    }
}

/// A narrative with the values of `href` and `src` replaced; `None` when none has to be. The narrative is well-formed:
/// validation has seen to that.
fn replace_links<'t>(div: &str, target: &dyn Fn(&str) -> Option<&'t str>) -> Option<String> {
    let mut out = String::with_capacity(div.len());
    let mut replaced = false;
    let mut rest = div;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        if tag.starts_with("<!--") {
            let end = tag.find("-->").map_or(tag.len(), |end| end + 3);
            out.push_str(&tag[..end]);
            rest = &tag[end..];
            continue;
        }
        let mut left = tag;
        loop {
            // The next quoted value, or the end of the tag.
            let Some(place) = left.find(['"', '\'', '>']) else {
                out.push_str(left);
                left = "";
                break;
            };
            if left.as_bytes()[place] == b'>' {
                out.push_str(&left[..=place]);
                left = &left[place + 1..];
                break;
            }
            let quote = char::from(left.as_bytes()[place]);
            let name = left[..place].trim_end().strip_suffix('=').unwrap_or_default().trim_end();
            let name = name.rsplit(|letter: char| letter.is_whitespace()).next().unwrap_or_default();
            out.push_str(&left[..=place]);
            let after = &left[place + 1..];
            let end = after.find(quote).unwrap_or(after.len());
            let value = &after[..end];
            let meant = if value.contains('&') {
                Cow::Owned(value.replace("&amp;", "&"))
            } else {
                Cow::Borrowed(value)
            };
            match target(&meant).filter(|_| matches!(name, "href" | "src")) {
                Some(target) => {
                    replaced = true;
                    out.push_str(target);
                }
                None => out.push_str(value),
            }
            left = &after[end..];
            if let Some(after) = left.strip_prefix(quote) {
                out.push(quote);
                left = after;
            }
        }
        rest = left;
    }
    out.push_str(rest);
    replaced.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::replace_links;

    #[test]
    fn replaces_links_in_tags_only() {
        let target = |link: &str| match link {
            "urn:uuid:1" => Some("Patient/a"),
            "http://a.kr/?x=1&y=2" => Some("Patient/b"),
            _ => None,
        };
        for (given, expected) in [
            ("<div><a href=\"urn:uuid:1\">x</a></div>", Some("<div><a href=\"Patient/a\">x</a></div>")),
            ("<a title='>' href = 'urn:uuid:1'/>", Some("<a title='>' href = 'Patient/a'/>")),
            ("<img alt=\"\" src=\"http://a.kr/?x=1&amp;y=2\"/>", Some("<img alt=\"\" src=\"Patient/b\"/>")),
            ("<a title=\"urn:uuid:1\">href=\"urn:uuid:1\"</a>", None),
            ("<!-- <a href=\"urn:uuid:1\"> --><p>1 > 0</p>", None),
            ("<a href=\"#x\">김민수</a>", None),
        ] {
            assert_eq!(replace_links(given, &target).as_deref(), expected, "{given}");
        }
    }
}

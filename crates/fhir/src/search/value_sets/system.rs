//! A code system as far as its content is written out (R4, `codesystem.html`).

use std::collections::{HashMap, HashSet, VecDeque};

use crate::json::Value;

use super::ValueSetProblem;

/// The codes of a code system, and which stand directly above which.
#[derive(Debug, Default)]
pub(super) struct System {
    /// In the order in which they stand.
    pub(super) codes: Vec<String>,
    places: HashMap<String, usize>,
    /// Pairs of places: below, above.
    links: Vec<(usize, usize)>,
    /// Whether being below means being subsumed.
    is_hierarchy: bool,
}

/// Which properties of a concept name concepts above and below it.
struct Names {
    above: HashSet<String>,
    below: HashSet<String>,
}

impl System {
    /// Reads a CodeSystem resource.
    ///
    /// # Errors
    /// [`ValueSetProblem::NeedsTerminology`] when not all of its content is written out in it.
    pub(super) fn read(resource: Value<'_>) -> Result<Self, ValueSetProblem> {
        let text = |name| resource.get(name).and_then(Value::text);
        if text("content").as_deref() != Some("complete") {
            return Err(ValueSetProblem::NeedsTerminology);
        }
        // `grouped-by`, `part-of` and `classified-with` do not mean that the upper code holds for what the lower does.
        let is_hierarchy = text("hierarchyMeaning").is_none_or(|meaning| meaning == "is-a");
        let mut system = Self { is_hierarchy, ..Self::default() };
        let names = Names::read(resource);
        let mut named = Vec::new();
        // A queue and not a recursion. Concepts inside others have their parent's place with them.
        let mut waiting: VecDeque<(Value<'_>, Option<usize>)> =
            children(resource, "concept").map(|concept| (concept, None)).collect();
        while let Some((concept, parent)) = waiting.pop_front() {
            let Some(code) = concept.get("code").and_then(Value::text) else { continue };
            let place = system.add(&code);
            system.links.extend(parent.map(|parent| (place, parent)));
            for property in children(concept, "property") {
                let member = |name| property.get(name).and_then(Value::text);
                if let (Some(name), Some(other)) = (member("code"), member("valueCode")) {
                    let (above, below) = (names.above.contains(&*name), names.below.contains(&*name));
                    named.extend(above.then(|| (place, other.to_string(), true)));
                    named.extend(below.then(|| (place, other.into_owned(), false)));
                }
            }
            waiting.extend(children(concept, "concept").map(|inner| (inner, Some(place))));
        }
        for (place, other, is_above) in named {
            let Some(other) = system.places.get(&other).copied() else { continue };
            system.links.push(if is_above { (place, other) } else { (other, place) });
        }
        Ok(system)
    }

    fn add(&mut self, code: &str) -> usize {
        *self.places.entry(code.to_owned()).or_insert_with(|| {
            self.codes.push(code.to_owned());
            self.codes.len() - 1
        })
    }

    /// A code, and all that can be reached from it going up, or going down.
    ///
    /// # Errors
    /// [`ValueSetProblem::Unknown`] for a code that is not in the system, [`ValueSetProblem::NeedsTerminology`] when its
    /// order is not one of meanings.
    pub(super) fn reach(&self, code: &str, up: bool) -> Result<Vec<&str>, ValueSetProblem> {
        let start = *self.places.get(code).ok_or(ValueSetProblem::Unknown)?;
        if !self.is_hierarchy {
            return Err(ValueSetProblem::NeedsTerminology);
        }
        let mut next: HashMap<usize, Vec<usize>> = HashMap::new();
        for (below, above) in &self.links {
            let (from, to) = if up { (below, above) } else { (above, below) };
            next.entry(*from).or_default().push(*to);
        }
        let (mut found, mut seen) = (vec![start], HashSet::from([start]));
        let mut at = 0;
        while let Some(place) = found.get(at).copied() {
            at += 1;
            for other in next.get(&place).into_iter().flatten() {
                if seen.insert(*other) {
                    found.push(*other);
                }
            }
        }
        Ok(found.into_iter().map(|place| self.codes[place].as_str()).collect())
    }
}

impl Names {
    /// The usual names, and those that the code system declares to mean the same.
    fn read(resource: Value<'_>) -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut read = Self { above: names(&["parent", "subsumedBy"]), below: names(&["child"]) };
        for property in children(resource, "property") {
            let member = |name| property.get(name).and_then(Value::text);
            let (Some(code), Some(uri)) = (member("code"), member("uri")) else { continue };
            match uri.rsplit_once("concept-properties#").map(|(_, name)| name) {
                Some("parent" | "subsumedBy") => drop(read.above.insert(code.into_owned())),
                Some("child") => drop(read.below.insert(code.into_owned())),
                _ => {}
            }
        }
        read
    }
}

pub(super) fn children<'d>(value: Value<'d>, name: &str) -> impl Iterator<Item = Value<'d>> {
    value.get(name).into_iter().flat_map(Value::elements)
}

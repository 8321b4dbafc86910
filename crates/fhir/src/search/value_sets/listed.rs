//! Value sets and code systems whose content is written out in stored resources (R4, `valueset.html`, section 4.9.5).
//!
//! Taken are lists of codes, whole code systems that are stored complete, other value sets of the same sort, what is
//! excluded, and expansions that are complete. Filters and everything else need a terminology service, and are refused:
//! part of a value set is never given for the whole.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::system::{System, children};
use super::{MOST_CODES, SystemCode, ValueSetProblem, ValueSets};
use crate::json::{Document, Limits, Value};
use crate::search::R4;

/// Definitions read for one search, at most.
const MOST_READ: usize = 50;

type Codes = Rc<Vec<SystemCode>>;
type Named<K, T> = RefCell<HashMap<K, T>>;

/// Where definitions are kept.
pub trait Definitions {
    /// The JSON of the ValueSet of this canonical URL and version, if there is one.
    ///
    /// # Errors
    /// [`ValueSetProblem::Ambiguous`] when several are meant, [`ValueSetProblem::Unavailable`].
    fn value_set(&self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, ValueSetProblem>;

    /// The JSON of the ValueSet of this id, if there is one.
    ///
    /// # Errors
    /// [`ValueSetProblem::Unavailable`].
    fn value_set_of_id(&self, id: &str) -> Result<Option<Vec<u8>>, ValueSetProblem>;

    /// The JSON of the CodeSystem of this canonical URL and version, if there is one.
    ///
    /// # Errors
    /// [`ValueSetProblem::Ambiguous`] when several are meant, [`ValueSetProblem::Unavailable`].
    fn code_system(&self, url: &str, version: Option<&str>) -> Result<Option<Vec<u8>>, ValueSetProblem>;
}

/// The value sets of R4's required bindings, and those whose content is listed in stored definitions. What was read is
/// kept as long as this lives: make one for each search.
pub struct Listed<D> {
    definitions: D,
    /// `None` while it is being worked out: whatever comes back to it goes round in circles.
    sets: Named<String, Option<Result<Codes, ValueSetProblem>>>,
    /// By URL and version.
    systems: Named<(String, Option<String>), Result<Rc<System>, ValueSetProblem>>,
    /// Definitions that may still be read.
    left: Cell<usize>,
}

impl<D: Definitions> ValueSets for Listed<D> {
    fn members(&self, value_set: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        self.set(value_set).map(|codes| codes.to_vec())
    }

    fn below(&self, system: &str, code: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        self.reach(system, code, false)
    }

    fn above(&self, system: &str, code: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        self.reach(system, code, true)
    }
}

impl<D: Definitions> Listed<D> {
    /// Nothing is read before it is asked for.
    #[must_use]
    pub fn new(definitions: D) -> Self {
        let (sets, systems) = (RefCell::default(), RefCell::default());
        Self { definitions, sets, systems, left: Cell::new(MOST_READ) }
    }

    fn set(&self, name: &str) -> Result<Codes, ValueSetProblem> {
        if let Some(known) = self.sets.borrow().get(name) {
            return known.clone().unwrap_or(Err(ValueSetProblem::NeedsTerminology));
        }
        self.sets.borrow_mut().insert(name.to_owned(), None);
        let codes = self.find(name).map(Rc::new);
        self.sets.borrow_mut().insert(name.to_owned(), Some(codes.clone()));
        codes
    }

    fn find(&self, name: &str) -> Result<Vec<SystemCode>, ValueSetProblem> {
        let built_in = R4.members(name);
        if built_in.is_ok() {
            return built_in;
        }
        self.spend()?;
        let json = match name.strip_prefix("ValueSet/") {
            Some(id) => self.definitions.value_set_of_id(id)?,
            None => {
                let (url, version) = canonical(name);
                self.definitions.value_set(url, version)?
            }
        };
        let Some(json) = json else { return built_in };
        parsed(&json, |resource| self.content(resource))
    }

    fn content(&self, resource: Value<'_>) -> Result<Vec<SystemCode>, ValueSetProblem> {
        let composed = match resource.get("compose") {
            Some(compose) => self.composed(compose),
            None => Err(ValueSetProblem::NeedsTerminology),
        };
        match (composed, resource.get("expansion")) {
            (Err(ValueSetProblem::NeedsTerminology | ValueSetProblem::Unknown), Some(expansion)) => {
                expanded(expansion)
            }
            // A code system or value set that it names is not here: it is not the value set that is unknown.
            (Err(ValueSetProblem::Unknown), None) => Err(ValueSetProblem::NeedsTerminology),
            (composed, _) => composed,
        }
    }

    fn composed(&self, compose: Value<'_>) -> Result<Vec<SystemCode>, ValueSetProblem> {
        if compose.get("inactive").and_then(Value::boolean) == Some(false) {
            return Err(ValueSetProblem::NeedsTerminology);
        }
        let mut excluded = HashSet::new();
        for part in children(compose, "exclude") {
            excluded.extend(self.part(part)?);
        }
        let (mut codes, mut seen) = (Vec::new(), HashSet::new());
        for part in children(compose, "include") {
            for code in self.part(part)? {
                if !excluded.contains(&code) && seen.insert(code.clone()) {
                    codes.push(code);
                }
                if codes.len() > MOST_CODES {
                    return Err(ValueSetProblem::TooLarge);
                }
            }
        }
        Ok(codes)
    }

    /// What one `include` or `exclude` selects: codes of a system that are also in each of the value sets it names.
    fn part(&self, part: Value<'_>) -> Result<Vec<SystemCode>, ValueSetProblem> {
        if children(part, "filter").next().is_some() {
            return Err(ValueSetProblem::NeedsTerminology);
        }
        let mut codes: Option<Vec<SystemCode>> = None;
        if let Some(system) = part.get("system").and_then(Value::text) {
            let named: Vec<SystemCode> = children(part, "concept")
                .filter_map(|concept| concept.get("code").and_then(Value::text))
                .map(|code| (system.to_string(), code.into_owned()))
                .collect();
            codes = Some(if named.is_empty() {
                let (url, version) = canonical(&system);
                let own = part.get("version").and_then(Value::text);
                let whole = self.system(url, own.as_deref().or(version))?;
                if whole.codes.len() > MOST_CODES {
                    return Err(ValueSetProblem::TooLarge);
                }
                whole.codes.iter().map(|code| (url.to_owned(), code.clone())).collect()
            } else {
                named
            });
        }
        for set in children(part, "valueSet").filter_map(Value::text) {
            let set = self.set(&set)?;
            codes = Some(match codes {
                None => set.to_vec(),
                Some(codes) => {
                    let both: HashSet<&SystemCode> = set.iter().collect();
                    codes.into_iter().filter(|code| both.contains(code)).collect()
                }
            });
        }
        codes.ok_or(ValueSetProblem::NeedsTerminology)
    }

    fn reach(&self, system: &str, code: &str, up: bool) -> Result<Vec<SystemCode>, ValueSetProblem> {
        let found = match self.system(system, None) {
            // Systems that are not here may well have a hierarchy elsewhere.
            Err(ValueSetProblem::Unknown) => return Err(ValueSetProblem::NeedsTerminology),
            found => found?,
        };
        let codes = found.reach(code, up)?;
        if codes.len() > MOST_CODES {
            return Err(ValueSetProblem::TooLarge);
        }
        Ok(codes.into_iter().map(|code| (system.to_owned(), code.to_owned())).collect())
    }

    fn system(&self, url: &str, version: Option<&str>) -> Result<Rc<System>, ValueSetProblem> {
        let key = (url.to_owned(), version.map(str::to_owned));
        if let Some(known) = self.systems.borrow().get(&key) {
            return known.clone();
        }
        self.spend()?;
        let json = self.definitions.code_system(url, version);
        let system = json.and_then(|json| {
            let json = json.ok_or(ValueSetProblem::Unknown)?;
            parsed(&json, System::read).map(Rc::new)
        });
        self.systems.borrow_mut().insert(key, system.clone());
        system
    }

    fn spend(&self) -> Result<(), ValueSetProblem> {
        self.left.set(self.left.get().checked_sub(1).ok_or(ValueSetProblem::NeedsTerminology)?);
        Ok(())
    }
}

fn parsed<T>(
    json: &[u8],
    read: impl FnOnce(Value<'_>) -> Result<T, ValueSetProblem>,
) -> Result<T, ValueSetProblem> {
    let limits = Limits { bytes: usize::MAX, depth: usize::MAX, nodes: usize::MAX };
    read(Document::parse(json, &limits).map_err(|_| ValueSetProblem::Unavailable)?.root())
}

/// A canonical URL and its version.
fn canonical(name: &str) -> (&str, Option<&str>) {
    name.split_once('|').map_or((name, None), |(url, version)| (url, Some(version)))
}

/// The codes of an expansion that is all there.
fn expanded(expansion: Value<'_>) -> Result<Vec<SystemCode>, ValueSetProblem> {
    let is_from_start = expansion.get("offset").and_then(Value::number).is_none_or(|offset| offset == "0");
    let mut codes = Vec::new();
    let mut count = 0_u64;
    let mut waiting: Vec<Value<'_>> = children(expansion, "contains").collect();
    while let Some(entry) = waiting.pop() {
        count += 1;
        let text = |name| entry.get(name).and_then(Value::text);
        // An abstract entry holds others together, and is no code to be found.
        let is_abstract = entry.get("abstract").and_then(Value::boolean) == Some(true);
        if let (Some(system), Some(code), false) = (text("system"), text("code"), is_abstract) {
            codes.push((system.into_owned(), code.into_owned()));
        }
        if codes.len() > MOST_CODES {
            return Err(ValueSetProblem::TooLarge);
        }
        waiting.extend(children(entry, "contains"));
    }
    let total = expansion.get("total").and_then(Value::number);
    let is_whole = total.is_none_or(|total| total.parse::<u64>().is_ok_and(|total| total <= count));
    // Expansions that were cut say so by extensions of many names.
    let is_plain = children(expansion, "extension").next().is_none();
    if is_from_start && is_whole && is_plain && !codes.is_empty() {
        Ok(codes)
    } else {
        Err(ValueSetProblem::NeedsTerminology)
    }
}

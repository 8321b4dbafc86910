//! `types.txt`: resource types, data types and the types of their backbone elements.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use serde_json::Value;

use super::package::{Package, list, text};
use crate::Result;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
/// HL7 named data elements `de-<path>` and left out those whose name would not fit a FHIR id (64 characters).
const LONGEST_JUDGED: usize = 61;

/// One element, as a line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) min: String,
    pub(super) max: String,
    summary: bool,
    /// Types as written in the table: `Quantity`, `Reference(Patient|Group)`, `@Observation.component`.
    pub(super) types: Vec<String>,
    value_set: Option<String>,
}

/// One type.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) kind: &'static str,
    pub(super) base: String,
    pub(super) is_abstract: bool,
    pub(super) elements: Vec<Element>,
}

/// All types by name; backbone types by path.
pub(super) struct Types {
    pub(super) types: BTreeMap<String, Type>,
}

impl Types {
    /// Reads the profiles and lets the data elements judge them.
    pub(super) fn read(package: &Package) -> Result<Self> {
        let official = official_names(package)?;
        let data_elements = package.resources("dataelements.json")?;
        let mut judge: BTreeMap<&str, &Value> = BTreeMap::new();
        for definition in &data_elements {
            let element = &definition["snapshot"]["element"][0];
            judge.insert(text(element, "path"), element);
        }
        let schema = package.read("fhir.schema.json")?;
        let judge = Judge { elements: judge, schema: &schema["definitions"] };
        let mut types = BTreeMap::new();
        for file in ["profiles-types.json", "profiles-resources.json"] {
            for definition in package.resources(file)? {
                let is_type = definition["resourceType"] == "StructureDefinition"
                    && definition["derivation"] != "constraint"
                    && official.contains(text(&definition, "name"));
                if is_type {
                    read_type(&definition, &judge, &mut types);
                }
            }
        }
        for name in &official {
            if !types.contains_key(name) {
                return Err(format!("the package does not define {name}").into());
            }
        }
        let mut types = Self { types };
        types.drop_inherited();
        types.check_targets()?;
        Ok(types)
    }

    /// The concrete resource types.
    pub(super) fn resources(&self) -> BTreeSet<&str> {
        let concrete = self.types.iter().filter(|(_, entry)| entry.kind == "resource" && !entry.is_abstract);
        concrete.map(|(name, _)| name.as_str()).collect()
    }

    /// The value sets of required bindings.
    pub(super) fn required_value_sets(&self) -> BTreeSet<String> {
        let elements = self.types.values().flat_map(|entry| &entry.elements);
        elements.filter_map(|element| element.value_set.clone()).collect()
    }

    /// The table.
    pub(super) fn table(&self) -> String {
        let mut out = String::from(
            "# type <name> <kind> <base> [abstract]\n#  <element> <min>..<max> <s: in summary> <types> [!<required value set>]\n",
        );
        for (name, entry) in &self.types {
            let base = if entry.base.is_empty() { "-" } else { &entry.base };
            let is_abstract = if entry.is_abstract { " abstract" } else { "" };
            let _ = writeln!(out, "type {name} {} {base}{is_abstract}", entry.kind);
            for element in &entry.elements {
                let Element { name, min, max, summary, types, value_set } = element;
                let summary = if *summary { 's' } else { '-' };
                let binding = value_set.as_ref().map(|url| format!(" !{url}")).unwrap_or_default();
                let _ = writeln!(out, " {name} {min}..{max} {summary} {}{binding}", types.join(" "));
            }
        }
        out
    }

    /// Snapshots repeat what a type inherits: keep only what is its own or differs.
    fn drop_inherited(&mut self) {
        let mut inherited: HashMap<String, Vec<Element>> = HashMap::new();
        for name in self.types.keys() {
            let mut elements = Vec::new();
            let mut base = self.types[name].base.as_str();
            while let Some(entry) = self.types.get(base) {
                elements.extend(entry.elements.iter().cloned());
                base = &entry.base;
            }
            inherited.insert(name.clone(), elements);
        }
        for (name, entry) in &mut self.types {
            entry.elements.retain(|element| !inherited[name].contains(element));
        }
    }

    fn check_targets(&self) -> Result<()> {
        for (name, entry) in &self.types {
            for written in entry.elements.iter().flat_map(|element| &element.types) {
                let (kind, targets) = written.split_once('(').unwrap_or((written, ""));
                let targets = targets.trim_end_matches(')').split('|').filter(|target| !target.is_empty());
                for used in targets.chain([kind.trim_start_matches('@')]) {
                    if !self.types.contains_key(used) {
                        return Err(format!("{name} uses {used}, which is not defined").into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// The names of R4's own code systems `resource-types` and `data-types`, without profiles on data types.
fn official_names(package: &Package) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for resource in package.resources("valuesets.json")? {
        let url = text(&resource, "url");
        if matches!(url, "http://hl7.org/fhir/resource-types" | "http://hl7.org/fhir/data-types")
            && resource["resourceType"] == "CodeSystem"
        {
            names.extend(list(&resource, "concept").iter().map(|concept| text(concept, "code").to_owned()));
        }
    }
    for profile in ["SimpleQuantity", "MoneyQuantity"] {
        names.remove(profile);
    }
    Ok(names)
}

/// What says whether an element of a profile is R4's.
struct Judge<'a> {
    /// HL7's data elements by path.
    elements: BTreeMap<&'a str, &'a Value>,
    /// The JSON schema's types, `Observation_Component` for `Observation.component`.
    schema: &'a Value,
}

impl<'a> Judge<'a> {
    /// The definition to use: HL7's data element if there is one, the profile's for what HL7 did not list, `None`
    /// for what is not R4.
    fn verdict(&self, element: &'a Value) -> Option<&'a Value> {
        let path = text(element, "path");
        if let Some(&judged) = self.elements.get(path) {
            // Profiles on Quantity were listed under the path of Quantity itself: max 0 is SimpleQuantity's.
            return Some(if judged["max"] == "0" { element } else { judged });
        }
        if backbone_base(element).is_some() {
            return self.knows_backbone(path).then_some(element);
        }
        let is_inherited = text(&element["base"], "path") != path;
        let is_reference = element["contentReference"].is_string();
        let is_root = ["Element.", "BackboneElement.", "Resource.", "DomainResource.", "Extension."]
            .iter()
            .any(|root| path.starts_with(root));
        (is_inherited || is_reference || is_root || path.len() > LONGEST_JUDGED).then_some(element)
    }

    fn knows_backbone(&self, path: &str) -> bool {
        let prefix = format!("{path}.");
        let mut after = self.elements.range(prefix.as_str()..);
        let has_children = after.next().is_some_and(|(child, _)| child.starts_with(&prefix));
        has_children
            || (prefix.len() + "id".len() > LONGEST_JUDGED && self.schema[schema_name(path)].is_object())
    }
}

/// `Observation_Component` for `Observation.component`: the first name and the last, capitalised.
pub(super) fn schema_name(path: &str) -> String {
    let Some((root, rest)) = path.split_once('.') else { return path.to_owned() };
    let last = rest.rsplit('.').next().unwrap_or(rest);
    format!("{root}_{}", capitalised(last))
}

/// With a capital first letter.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn read_type(definition: &Value, judge: &Judge<'_>, types: &mut BTreeMap<String, Type>) {
    let root = text(definition, "name");
    let kind = match text(definition, "kind") {
        "primitive-type" => "primitive",
        "resource" => "resource",
        _ => "complex",
    };
    let base = text(definition, "baseDefinition").trim_start_matches(BASE).to_owned();
    let is_abstract = definition["abstract"] == true;
    types.insert(root.to_owned(), Type { kind, base, is_abstract, elements: Vec::new() });
    let snapshot = list(&definition["snapshot"], "element").iter().skip(1);
    let known: BTreeSet<&str> = snapshot.clone().map(|element| text(element, "path")).collect();
    // Elements that R4 has and the package's profile has lost.
    let prefix = format!("{root}.");
    let lost = judge.elements.iter().filter(|(path, _)| path.starts_with(&prefix) && !known.contains(*path));
    for element in snapshot.chain(lost.map(|(_, element)| *element)) {
        let path = text(element, "path");
        if kind == "primitive" && path.ends_with(".value") {
            continue;
        }
        let Some(element) = judge.verdict(element) else { continue };
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        if let Some(base) = backbone_base(element) {
            let backbone = Type { kind: "backbone", base, is_abstract: false, elements: Vec::new() };
            types.insert(path.to_owned(), backbone);
        }
        if let Some(parent) = types.get_mut(parent) {
            parent.elements.push(read_element(element, kind, path, name));
        }
    }
}

fn backbone_base(element: &Value) -> Option<String> {
    let types = list(element, "type");
    let code = text(types.first()?, "code");
    (types.len() == 1 && matches!(code, "BackboneElement" | "Element")).then(|| code.to_owned())
}

fn read_element(element: &Value, kind: &str, path: &str, name: &str) -> Element {
    let binding = &element["binding"];
    let value_set = (binding["strength"] == "required").then(|| {
        let url = text(binding, "valueSet");
        let url = url.split_once('|').map_or(url, |(url, _)| url);
        url.trim_start_matches("http://hl7.org/fhir/ValueSet/").to_owned()
    });
    let types = if let Some(reference) = element["contentReference"].as_str() {
        vec![reference.replace('#', "@")]
    } else if backbone_base(element).is_some() {
        vec![format!("@{path}")]
    } else if name == "id" && kind == "resource" && path.matches('.').count() == 1 {
        // Files of R4 say `string` here; the page of Resource says `id`.
        vec!["id".to_owned()]
    } else {
        list(element, "type").iter().map(written_type).collect()
    };
    Element {
        name: name.to_owned(),
        min: element["min"].to_string(),
        max: text(element, "max").to_owned(),
        summary: element["isSummary"] == true,
        types,
        value_set,
    }
}

fn written_type(entry: &Value) -> String {
    let code = text(entry, "code");
    if code.starts_with("http://hl7.org/fhirpath/") {
        // The type of ids and of Extension.url, given by an extension.
        let extension = list(entry, "extension").iter().find(|extension| extension["valueUrl"].is_string());
        return extension.map_or("string", |extension| text(extension, "valueUrl")).to_owned();
    }
    let mut targets: Vec<&str> = list(entry, "targetProfile")
        .iter()
        .filter_map(Value::as_str)
        .map(|url| url.trim_start_matches(BASE))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    if targets.is_empty() { code.to_owned() } else { format!("{code}({})", targets.join("|")) }
}

//! Search parameters that a hub's own `SearchParameter` resources define: read, and judged before anybody relies on
//! them.
//!
//! What is taken: parameters of every type but `special`, on resource types of R4, whose code R4 does not use itself
//! for that type. R4's own definitions, stored again, are nothing new. Who sees what never follows from these
//! parameters: owners and compartments come from R4's own alone.

use std::collections::BTreeSet;

use crate::definitions::{SearchParamDef, r4};
use crate::extract::{CustomProgram, Unfit};
use crate::index::{IndexValue, ParamType};
use crate::json::Value;
use crate::outcome::{Code, Issue};
use crate::reference::without_version;
use crate::search::parameters::Allowed;

/// Letters of a code.
const MOST_LETTERS: usize = 64;
/// Types that one parameter may be on.
const MOST_BASES: usize = 32;
/// Raised when values are read in another way than before: records are indexed again.
const REVISION: u32 = 1;

/// A parameter on one resource type.
#[derive(Debug)]
pub struct CustomParam {
    /// Id of the SearchParameter.
    pub resource: String,
    /// Its canonical URL.
    pub url: String,
    /// The resource type.
    pub kind: &'static str,
    /// Its code in URLs.
    pub code: String,
    /// Its type.
    pub param_type: ParamType,
    /// Types a reference may point to; empty for any.
    pub targets: Vec<String>,
    /// The parameters that its components are defined by.
    pub components: Vec<&'static SearchParamDef>,
    /// How it may be asked.
    pub allowed: Allowed,
    /// The text that decides what it yields; when it changes, records must be indexed again.
    pub definition: String,
    program: CustomProgram,
}

impl CustomParam {
    /// The values in a resource of its type, as a hub with these addresses finds them.
    #[must_use]
    pub fn values<'d>(&self, resource: Value<'d>, bases: &[String]) -> Vec<IndexValue<'d>> {
        self.program.values(resource, bases)
    }
}

/// What a SearchParameter asks of the hub.
#[derive(Debug)]
pub enum Definition {
    /// Nothing: it is a draft, or retired.
    NotActive,
    /// Nothing: it describes what R4 has.
    BuiltIn,
    /// To be searched by, on each of these types.
    Custom(Vec<CustomParam>),
}

/// Reads a SearchParameter that is valid by R4's definitions.
///
/// # Errors
/// Every reason found why it cannot be taken into service.
pub fn read(resource: Value<'_>) -> Result<Definition, Vec<Issue>> {
    let text = |name: &str| resource.get(name).and_then(Value::text).map(std::borrow::Cow::into_owned);
    if text("status").as_deref() != Some("active") {
        return Ok(Definition::NotActive);
    }
    let (url, code) = (text("url").unwrap_or_default(), text("code").unwrap_or_default());
    if r4().search_param_by_url(&url).is_some_and(|known| known.code == code) {
        return Ok(Definition::BuiltIn);
    }
    let mut reader = Reader { resource, issues: Vec::new() };
    reader.code(&code);
    let param_type = reader.param_type();
    let bases = reader.bases(&code);
    let (targets, allowed) = (reader.targets(), reader.allowed());
    let components = param_type.map(|of| reader.components(of)).unwrap_or_default();
    let expression = text("expression").unwrap_or_default();
    if expression.is_empty() {
        reader.refuse("expression", "is needed: a FHIRPath expression says what is found");
    }
    let (Some(param_type), true) = (param_type, reader.issues.is_empty()) else { return Err(reader.issues) };

    let parts: Vec<(ParamType, &str)> =
        components.iter().map(|(of, expression)| (of.kind, expression.as_str())).collect();
    let id = text("id").unwrap_or_default();
    let definition = definition_text(param_type, &expression, &parts);
    let mut params = Vec::new();
    for kind in bases {
        match CustomProgram::new(kind, param_type, &expression, &parts) {
            Ok(program) => params.push(CustomParam {
                resource: id.clone(),
                url: url.clone(),
                kind,
                code: code.clone(),
                param_type,
                targets: targets.clone(),
                components: components.iter().map(|(of, _)| *of).collect(),
                allowed: allowed.clone(),
                definition: definition.clone(),
                program,
            }),
            Err(unfit) => reader.unfit(kind, &unfit),
        }
    }
    if reader.issues.is_empty() { Ok(Definition::Custom(params)) } else { Err(reader.issues) }
}

fn definition_text(param_type: ParamType, expression: &str, components: &[(ParamType, &str)]) -> String {
    let mut text = format!("{param_type:?} {expression}");
    for (of, expression) in components {
        text.push_str(&format!(" $ {of:?} {expression}"));
    }
    text + &format!(" #custom {REVISION}")
}

/// Looks at one element after the other and collects what is wrong.
struct Reader<'r> {
    resource: Value<'r>,
    issues: Vec<Issue>,
}

impl<'r> Reader<'r> {
    fn refuse(&mut self, place: &str, what: &str) {
        let place = format!("SearchParameter.{place}");
        self.issues.push(Issue::error(Code::DefinitionRefused, place, what));
    }

    /// The texts of an element that repeats.
    fn texts(&self, name: &str) -> Vec<String> {
        let values = self.resource.get(name).into_iter().flat_map(Value::each).filter_map(Value::text);
        values.map(std::borrow::Cow::into_owned).collect()
    }

    fn code(&mut self, code: &str) {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let starts = code.starts_with(|first: char| first.is_ascii_alphabetic());
        if !starts || code.len() > MOST_LETTERS || !code.bytes().all(is_letter) {
            self.refuse(
                "code",
                "must begin with a letter, go on with letters, digits, - and _, and have at most 64 of them",
            );
        }
    }

    fn param_type(&mut self) -> Option<ParamType> {
        let found = match self.resource.get("type").and_then(Value::text).as_deref() {
            Some("token") => ParamType::Token,
            Some("reference") => ParamType::Reference,
            Some("string") => ParamType::String,
            Some("date") => ParamType::Date,
            Some("uri") => ParamType::Uri,
            Some("quantity") => ParamType::Quantity,
            Some("number") => ParamType::Number,
            Some("composite") => ParamType::Composite,
            _ => {
                let what = "must be number, date, string, token, reference, composite, quantity or uri";
                self.refuse("type", what);
                return None;
            }
        };
        Some(found)
    }

    fn bases(&mut self, code: &str) -> BTreeSet<&'static str> {
        let names = self.texts("base");
        if names.len() > MOST_BASES {
            self.refuse("base", "names too many types: 32 at most, each is indexed by itself");
            return BTreeSet::new();
        }
        let mut bases = BTreeSet::new();
        for (place, name) in names.iter().enumerate() {
            let known = r4().resource_types().iter().find(|known| *known == name);
            match known {
                None => self
                    .refuse(&format!("base[{place}]"), "must be a resource type of R4, and no abstract one"),
                Some(kind) if r4().search_param(kind, code).is_some() => {
                    let what = "has a parameter of this code in R4 or KR Core already; use another code";
                    self.refuse(&format!("base[{place}]"), what);
                }
                Some(kind) => drop(bases.insert(*kind)),
            }
        }
        bases
    }

    fn targets(&mut self) -> Vec<String> {
        let targets = self.texts("target");
        for (place, target) in targets.iter().enumerate() {
            if !r4().is_resource(target) {
                self.refuse(&format!("target[{place}]"), "must be a resource type of R4");
            }
        }
        targets
    }

    /// How it may be asked. R4 says nothing of what is meant by an element that is not there: everything is allowed then.
    fn allowed(&self) -> Allowed {
        let is_allowed = |name: &str| self.resource.get(name).and_then(Value::boolean) != Some(false);
        Allowed {
            modifiers: self.texts("modifier"),
            comparators: self.texts("comparator"),
            several_values: is_allowed("multipleOr"),
            repeated: is_allowed("multipleAnd"),
        }
    }

    /// What the components are defined by, with their expressions.
    fn components(&mut self, param_type: ParamType) -> Vec<(&'static SearchParamDef, String)> {
        let given: Vec<Value<'r>> =
            self.resource.get("component").into_iter().flat_map(Value::each).collect();
        if param_type != ParamType::Composite {
            if !given.is_empty() {
                self.refuse("component", "belongs to parameters of type composite");
            }
            return Vec::new();
        }
        let mut components = Vec::new();
        for (place, component) in given.iter().enumerate() {
            let text = |name: &str| component.get(name).and_then(Value::text);
            let known = text("definition").map(without_version);
            match (known.and_then(|url| r4().search_param_by_url(&url)), text("expression")) {
                (Some(known), Some(expression)) => components.push((known, expression.into_owned())),
                (None, _) => self.refuse(
                    &format!("component[{place}].definition"),
                    "must be the canonical URL of one of R4's or KR Core's search parameters",
                ),
                (_, None) => self.refuse(&format!("component[{place}].expression"), "is needed"),
            }
        }
        let kinds: Vec<ParamType> = components.iter().map(|(known, _)| known.kind).collect();
        if self.issues.is_empty() && !can_be_kept(&kinds) {
            let what = "must be two or three: first a token or reference, then any but uri, special and composite, \
                        then a number";
            self.refuse("component", what);
        }
        components
    }

    fn unfit(&mut self, kind: &str, unfit: &Unfit) {
        let remedy = match unfit {
            Unfit::OtherType => "; leave this type out of base, or add an alternative for it",
            Unfit::OtherValues => "; correct type or expression",
            Unfit::Expression(_) => {
                "; correct it, and give types that need different expressions parameters of their own"
            }
            Unfit::TooWide => "; name the type of elements with a choice",
            Unfit::NotOfTheResource(_) => "; where(resolve() is Type) alone can be used",
            Unfit::Components => "; correct the expressions",
        };
        self.refuse("expression", &format!("for {kind}: {unfit}{remedy}"));
    }
}

/// Whether composites of these types are what engines keep: R4 has no others.
fn can_be_kept(components: &[ParamType]) -> bool {
    use ParamType::{Date, Number, Quantity, Reference, String, Token};
    match components {
        [Token | Reference, Token | Reference | Quantity | Number | Date | String, rest @ ..] => {
            matches!(rest, [] | [Number])
        }
        _ => false,
    }
}

//! From a resource to all it can be found by: search values, compartments, security labels, main date.
//!
//! The expressions of all parameters of a resource type are joined into one tree of property names, built once; a
//! resource is walked once along it. Members that no parameter asks for are stepped over.
//!
//! ```
//! use ieum_fhir::extract::{ExtractOptions, extract};
//! use ieum_fhir::json::{Document, Limits};
//! let text = br#"{"resourceType":"Patient","id":"p1","name":[{"family":"Kim"}]}"#;
//! let document = Document::parse(text, &Limits::default()).unwrap();
//! let found = extract("Patient", document.root(), &ExtractOptions::default());
//! assert_eq!(found.compartments, [("Patient", "p1".into())]);
//! ```
//!
//! Left out: `_id` and `_lastUpdated`, which the store knows itself; and values that are not of their type, which
//! validation reports. Full text is apart: [`crate::words`].

mod composite;
mod custom;
mod labels;
mod leaf;
mod main_date;
mod program;
mod quantity;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use crate::definitions::r4;
use crate::expression::{Meaning, Path};
use crate::index::{ContainedValues, Extracted, IndexValue, ParamType, Target, TimeRange};
use crate::json::{Kind, Value};
use leaf::{Leaf, Sink};
use program::{Action, Program};

pub use custom::{CustomProgram, Unfit};
pub use main_date::main_date_expressions;

/// What extraction must know beside the resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractOptions<'o> {
    /// This server's addresses (`https://hub.example/fhir`): references written with one of them are local.
    pub bases: &'o [String],
}

/// All values under which a resource of this kind is found. Positions are those of
/// [`crate::definitions::Definitions::search_params`]. Nothing for kinds that are no R4 resource type.
#[must_use]
pub fn extract<'d>(kind: &str, resource: Value<'d>, options: &ExtractOptions<'_>) -> Extracted<'d> {
    let Some(program) = program_of(kind) else { return Extracted::default() };
    let is_kind = |name: &str| r4().is_resource(name);
    let mut walk = Walk {
        program,
        resource,
        sink: Sink { values: Vec::with_capacity(16), bases: options.bases, is_kind: &is_kind },
        labels: Vec::new(),
        main_date: None,
        truths: 0,
    };
    walk.visit(0, resource);
    let Walk { sink, mut labels, main_date, truths, .. } = walk;
    labels::of_content(kind, resource, &mut labels);
    let mut values = sink.values;
    for (place, param) in program.truths.iter().enumerate() {
        let code = if truths >> place & 1 == 1 { "true" } else { "false" };
        values.push((*param, IndexValue::Token { system: None, code: Some(Cow::Borrowed(code)) }));
    }
    values.sort_unstable();
    values.dedup();
    labels.sort_unstable();
    labels.dedup();
    let compartments = compartments(program, resource, &values);
    let (main_date, main_time) = main_date.map(|(_, date, time)| (date, time)).unzip();
    Extracted { values, compartments, labels, main_date, main_time }
}

/// Adds the values that a hub's own parameters find in a resource of this type.
pub type More<'m, 'd> = &'m dyn Fn(&str, Value<'d>, &mut Vec<(u16, IndexValue<'d>)>);

/// What the resources contained in this one are found by (`_contained`): those of a known type and with an id. `more`
/// adds to each what a hub's own parameters find in it.
#[must_use]
pub fn contained<'d>(
    resource: Value<'d>,
    options: &ExtractOptions<'_>,
    more: More<'_, 'd>,
) -> Vec<ContainedValues<'d>> {
    let mut found = Vec::new();
    for inner in resource.get("contained").into_iter().flat_map(Value::each) {
        let text = |name| inner.get(name).and_then(Value::text);
        let (Some(kind), Some(id)) = (text("resourceType"), text("id")) else { continue };
        let Ok(place) = r4().resource_types().binary_search(&&*kind) else { continue };
        let kind = r4().resource_types()[place];
        let mut values = extract(kind, inner, options).values;
        more(kind, inner, &mut values);
        found.push(ContainedValues { kind, id, values });
    }
    found
}

/// Whether a parameter of this type can read what the path finds: a `date` parameter reads a Period and passes over
/// a string.
#[must_use]
pub fn reads(kind: ParamType, path: &Path) -> bool {
    path.meaning == Meaning::Truth || Leaf::of(kind, path).is_some()
}

/// The programs of all resource types, each built when it is first needed.
fn program_of(kind: &str) -> Option<&'static Program> {
    static PROGRAMS: OnceLock<HashMap<&'static str, OnceLock<Program>>> = OnceLock::new();
    let programs =
        PROGRAMS.get_or_init(|| r4().resource_types().iter().map(|kind| (*kind, OnceLock::new())).collect());
    let (kind, program) = programs.get_key_value(kind)?;
    Some(program.get_or_init(|| Program::new(kind)))
}

/// Owners named by the parameters that lead into a compartment, and the resource itself if it is an owner.
fn compartments<'d>(
    program: &Program,
    resource: Value<'d>,
    values: &[(u16, IndexValue<'d>)],
) -> Vec<(&'static str, Cow<'d, str>)> {
    let mut found = Vec::new();
    if let (Some(own), Some(id)) = (program.own_compartment, resource.get("id").and_then(Value::text)) {
        found.push((own, id));
    }
    for &(param, compartment) in &program.compartments {
        let first = values.partition_point(|(position, _)| *position < param);
        for (_, value) in values[first..].iter().take_while(|(position, _)| *position == param) {
            if let IndexValue::Reference(Target::Local { kind, id }) = value
                && kind == compartment
            {
                found.push((compartment, id.clone()));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// One walk through one resource.
struct Walk<'d, 'w> {
    program: &'w Program,
    resource: Value<'d>,
    sink: Sink<'d, 'w>,
    labels: Vec<(Cow<'d, str>, Cow<'d, str>)>,
    /// The best main date so far and its time, with its rank in the list of the type.
    main_date: Option<(u8, i64, TimeRange)>,
    /// A bit for each of [`Program::truths`] that has been seen to hold.
    truths: u32,
}

impl<'d> Walk<'d, '_> {
    /// As deep as the longest expression, whatever the depth of the resource.
    fn visit(&mut self, node: u32, value: Value<'d>) {
        let program = self.program;
        let node = &program.nodes[node as usize];
        for action in &node.actions {
            self.act(action, value);
        }
        for (condition, next) in &node.conditions {
            if condition.holds(value) {
                self.visit(*next, value);
            }
        }
        if node.members.is_empty() {
            return;
        }
        for member in value.members() {
            let Some(name) = member.key() else { continue };
            for edge in node.members.iter().filter(|edge| *edge.name == *name) {
                let elements = member
                    .each()
                    .enumerate()
                    .filter(|(place, _)| edge.item.is_none_or(|item| item == *place));
                for (_, element) in elements.filter(|(_, element)| element.kind() != Kind::Null) {
                    self.visit(edge.to, element);
                }
            }
        }
    }

    fn act(&mut self, action: &Action, value: Value<'d>) {
        match *action {
            Action::Value { param, leaf } => self.sink.take(param, leaf, value),
            Action::Composite { number } => {
                self.program.composites[usize::from(number)].take(value, self.resource, &mut self.sink);
            }
            Action::Truth { place } => {
                if value.boolean() != Some(false) {
                    self.truths |= 1 << place;
                }
            }
            Action::Label => self.labels.extend(labels::label(value)),
            Action::MainDate { rank, leaf } => {
                if self.main_date.is_none_or(|(best, ..)| rank < best)
                    && let Some((date, time)) = leaf::main_date(leaf, value)
                {
                    self.main_date = Some((rank, date, time));
                }
            }
        }
    }
}

//! All expressions of one resource type as one tree.

use super::composite::Composite;
use super::leaf::Leaf;
use super::main_date::main_date_expressions;
use crate::definitions::{COMPARTMENTS, ComponentDef, SearchParamDef, r4};
use crate::expression::{Meaning, Path, Step, compile};
use crate::index::ParamType;

/// Parameters that the store answers from its own columns.
const NOT_EXTRACTED: [&str; 2] = ["_id", "_lastUpdated"];

/// What to look for in resources of one type.
#[derive(Debug)]
pub(super) struct Program {
    /// The tree; the first node is the resource.
    pub(super) nodes: Vec<Node>,
    /// Parameters that are true or false for every resource (`deceased`).
    pub(super) truths: Vec<u16>,
    /// What [`Action::Composite`] reads.
    pub(super) composites: Vec<Composite>,
    /// Parameters that lead into a compartment.
    pub(super) compartments: Vec<(u16, &'static str)>,
    /// The compartment that each resource of this type owns.
    pub(super) own_compartment: Option<&'static str>,
}

/// A place in the resource.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What to do with each value here.
    pub(super) actions: Vec<Action>,
    /// Nodes for the same value, where the condition holds.
    pub(super) conditions: Vec<(Step, u32)>,
    /// Nodes for members of the value.
    pub(super) members: Vec<Edge>,
}

/// The way to a member.
#[derive(Debug)]
pub(super) struct Edge {
    /// Name of the JSON property.
    pub(super) name: Box<str>,
    /// Only this element of it, from 0.
    pub(super) item: Option<usize>,
    /// Where it leads.
    pub(super) to: u32,
}

/// What to do with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Read it for a parameter.
    Value { param: u16, leaf: Leaf },
    /// Read it as one of [`Program::composites`].
    Composite { number: u16 },
    /// Note that one of [`Program::truths`] holds, unless the value is `false`.
    Truth { place: u8 },
    /// Keep it as a security label.
    Label,
    /// Keep it as main date, unless one of lower rank is found.
    MainDate { rank: u8, leaf: Leaf },
}

impl Program {
    /// Parameters whose expression does not fit the definitions are left out: a test knows them by name.
    pub(super) fn new(kind: &'static str) -> Self {
        let own_compartment = COMPARTMENTS.into_iter().find(|name| *name == kind);
        let mut program = Self {
            nodes: vec![Node::default()],
            truths: Vec::new(),
            composites: Vec::new(),
            compartments: Vec::new(),
            own_compartment,
        };
        for (position, definition) in r4().search_params(kind).iter().enumerate() {
            // No type has more than a hundred parameters.
            let Ok(param) = u16::try_from(position) else { break };
            program.add_param(kind, param, definition);
        }
        for path in compile(kind, "Resource.meta.security").unwrap_or_default() {
            program.add(&path, Action::Label);
        }
        for (rank, expression) in (0_u8..).zip(main_date_expressions(kind)) {
            for path in compile(kind, expression).unwrap_or_default() {
                if let Some(leaf) = Leaf::of(ParamType::Date, &path) {
                    program.add(&path, Action::MainDate { rank, leaf });
                }
            }
        }
        for name in COMPARTMENTS {
            let codes = r4().compartment(name, kind).unwrap_or_default();
            let params = codes.iter().filter_map(|code| r4().search_param(kind, code));
            let params = params.filter_map(|(position, _)| u16::try_from(position).ok());
            program.compartments.extend(params.map(|param| (param, name)));
        }
        program
    }

    fn add_param(&mut self, kind: &str, param: u16, definition: &SearchParamDef) {
        let Some(expression) = definition.expression else { return };
        if NOT_EXTRACTED.contains(&definition.code) {
            return;
        }
        if definition.kind == ParamType::Composite {
            self.add_composite(kind, param, definition, expression);
            return;
        }
        let mut truth = None;
        for path in compile(kind, expression).unwrap_or_default() {
            let action = match path.meaning {
                Meaning::Values => Leaf::of(definition.kind, &path).map(|leaf| Action::Value { param, leaf }),
                Meaning::Truth => {
                    let place = *truth.get_or_insert_with(|| {
                        self.truths.push(param);
                        self.truths.len() - 1
                    });
                    u8::try_from(place).ok().map(|place| Action::Truth { place })
                }
            };
            if let Some(action) = action {
                self.add(&path, action);
            }
        }
    }

    fn add_composite(&mut self, kind: &str, param: u16, definition: &SearchParamDef, expression: &str) {
        let component =
            |part: &ComponentDef| Some((r4().search_param_by_url(part.definition)?.kind, part.expression));
        let Some(components) = definition.components.iter().map(component).collect::<Option<Vec<_>>>() else {
            return;
        };
        for path in compile(kind, expression).unwrap_or_default() {
            let Some(composite) = Composite::new(kind, path.type_name, param, &components) else { continue };
            // No type has more than a hundred parameters.
            let Ok(number) = u16::try_from(self.composites.len()) else { return };
            self.composites.push(composite);
            self.add(&path, Action::Composite { number });
        }
    }

    fn add(&mut self, path: &Path, action: Action) {
        let mut node = 0;
        let mut steps = path.steps.iter().peekable();
        while let Some(step) = steps.next() {
            let next = u32::try_from(self.nodes.len()).expect("a few hundred nodes");
            let at = &mut self.nodes[node as usize];
            let to = match step {
                Step::Member(name) => {
                    let item = steps.next_if(|step| matches!(step, Step::Item(_)));
                    let item =
                        item.and_then(|step| if let Step::Item(item) = step { Some(*item) } else { None });
                    let known = at.members.iter().find(|edge| edge.name == *name && edge.item == item);
                    let to = known.map_or(next, |edge| edge.to);
                    if to == next {
                        at.members.push(Edge { name: name.clone(), item, to });
                    }
                    to
                }
                condition => {
                    let known = at.conditions.iter().find(|(known, _)| known == condition);
                    let to = known.map_or(next, |(_, to)| *to);
                    if to == next {
                        at.conditions.push((condition.clone(), to));
                    }
                    to
                }
            };
            if to == next {
                self.nodes.push(Node::default());
            }
            node = to;
        }
        let actions = &mut self.nodes[node as usize].actions;
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
}

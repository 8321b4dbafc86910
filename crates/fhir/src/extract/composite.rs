//! Composite parameters: values that stand together in one element (R4, section 3.1.1.4.15).

use super::leaf::{Leaf, Sink};
use crate::expression::{Path, compile_in};
use crate::index::{Facet, IndexValue, ParamType};
use crate::json::Value;

/// Combinations kept of one element. A code with twenty codings and a value with twenty give 400.
const MOST_TUPLES: usize = 1_000;

/// How a composite parameter reads elements of one type.
#[derive(Debug)]
pub(super) struct Composite {
    pub(super) param: u16,
    /// Ways to the values of each component, from the element or from the resource.
    components: Vec<Vec<(Path, Leaf)>>,
}

impl Composite {
    /// Of components by their types and expressions; `None` when one of them can find nothing in elements of this type.
    pub(super) fn new(
        kind: &str,
        context: &str,
        param: u16,
        components: &[(ParamType, &str)],
    ) -> Option<Self> {
        let component = |(of, expression): &(ParamType, &str)| {
            let paths = compile_in(kind, context, expression).ok()?.into_iter();
            let readable: Vec<(Path, Leaf)> =
                paths.filter_map(|path| Leaf::of(*of, &path).map(|leaf| (path, leaf))).collect();
            (!readable.is_empty()).then_some(readable)
        };
        let components = components.iter().map(component).collect::<Option<Vec<_>>>()?;
        (!components.is_empty()).then_some(Self { param, components })
    }

    /// Adds each combination of the components' values in this element.
    pub(super) fn take<'d>(&self, element: Value<'d>, resource: Value<'d>, sink: &mut Sink<'d, '_>) {
        // Codes come first and are always there; values come last and mostly are of another type.
        let mut parts = Vec::with_capacity(self.components.len());
        for component in self.components.iter().rev() {
            let values = values(component, element, resource, sink);
            if values.is_empty() {
                return;
            }
            parts.push(values);
        }
        let mut tuples = vec![Vec::new()];
        for values in parts.iter().rev() {
            let longer = |tuple: &Vec<IndexValue<'d>>| {
                let tuple = tuple.clone();
                values.iter().map(move |value| {
                    let mut longer = tuple.clone();
                    longer.push(value.clone());
                    longer
                })
            };
            tuples = tuples.iter().flat_map(longer).take(MOST_TUPLES).collect();
        }
        sink.values.extend(tuples.into_iter().map(|tuple| (self.param, IndexValue::Composite(tuple))));
    }
}

/// The values of one component. Components take no modifiers: what only those look at is left out.
fn values<'d>(
    component: &[(Path, Leaf)],
    element: Value<'d>,
    resource: Value<'d>,
    sink: &Sink<'d, '_>,
) -> Vec<IndexValue<'d>> {
    let mut found = Sink { values: Vec::new(), bases: sink.bases, is_kind: sink.is_kind };
    for (path, leaf) in component {
        let start = if path.from_resource { resource } else { element };
        path.evaluate(start, &mut |value| found.take(0, *leaf, value));
    }
    let values = found.values.into_iter().map(|(_, value)| value);
    let mut values: Vec<IndexValue<'d>> =
        values.filter(|value| matches!(value.facet(), Facet::Value | Facet::Canonical)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

//! The parameters of R4 and KR Core for the parser.

use super::parameters::{Parameter, Parameters};
use crate::definitions::{SearchParamDef, r4};

/// The resource types and search parameters of [`r4`].
#[derive(Debug, Clone, Copy, Default)]
pub struct R4;

fn parameter(definition: &'static SearchParamDef) -> Parameter<'static> {
    let components = definition.components.iter();
    let components = components.filter_map(|component| r4().search_param_by_url(component.definition));
    Parameter {
        code: definition.code,
        kind: definition.kind,
        targets: definition.targets.clone(),
        // Components are never composite themselves.
        components: components.map(parameter).collect(),
        indexing: None,
        allowed: None,
    }
}

impl Parameters for R4 {
    fn kinds(&self) -> Vec<&str> {
        r4().resource_types().to_vec()
    }

    fn has_kind(&self, kind: &str) -> bool {
        r4().is_resource(kind)
    }

    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>> {
        r4().search_param(kind, code).map(|(_, definition)| parameter(definition))
    }

    fn list(&self, kind: &str) -> Vec<Parameter<'_>> {
        r4().search_params(kind).iter().map(|definition| parameter(definition)).collect()
    }
}

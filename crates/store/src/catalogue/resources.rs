//! The resource types of a catalogue, as a client of the FHIR interface may ask for them.

use std::sync::Arc;

use ieum_fhir::definitions;
use ieum_fhir::search::parameters::{Parameter, Parameters};

use super::Catalogue;

impl Catalogue {
    /// The resource types alone, for whoever may not ask by record kinds of our own.
    #[must_use]
    pub fn resources(self: Arc<Self>) -> Resources {
        Resources(self)
    }
}

/// See [`Catalogue::resources`].
#[derive(Debug, Clone)]
pub struct Resources(Arc<Catalogue>);

impl Resources {
    /// The whole catalogue.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.0
    }
}

impl Parameters for Resources {
    fn kinds(&self) -> Vec<&str> {
        definitions::r4().resource_types().to_vec()
    }

    fn has_kind(&self, kind: &str) -> bool {
        definitions::r4().is_resource(kind)
    }

    fn find(&self, kind: &str, code: &str) -> Option<Parameter<'_>> {
        self.0.find(kind, code).filter(|_| self.has_kind(kind))
    }

    fn list(&self, kind: &str) -> Vec<Parameter<'_>> {
        if self.has_kind(kind) { self.0.list(kind) } else { Vec::new() }
    }
}

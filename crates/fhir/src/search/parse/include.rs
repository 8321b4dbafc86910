//! `_include` and `_revinclude` (R4, section 3.1.1.5.4).

use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::parameters::Parameter;
use crate::search::{Include, Param, Query};

impl Parser<'_> {
    /// `Source:param`, `Source:param:Target`, `Source:*` or `*`.
    pub(super) fn include(
        &self,
        query: &mut Query,
        name: &str,
        modifier: Option<&str>,
        value: &str,
        reverse: bool,
    ) -> Result<(), SearchError> {
        let error = |problem, text: &str| SearchError::new(problem, name, text);
        let iterate = match modifier {
            None => false,
            Some("iterate") => true,
            Some(_) => return Err(error(SearchProblem::UnknownModifier, "takes no modifier but :iterate")),
        };
        if value.is_empty() {
            return Err(error(SearchProblem::EmptyValue, "has no value"));
        }
        let (source, code, target) = match value.split(':').collect::<Vec<_>>()[..] {
            ["*"] => ("*", "*", None),
            [source, code] => (source, code, None),
            [source, code, target] => (source, code, Some(target)),
            _ => {
                return Err(error(
                    SearchProblem::BadValue,
                    "must be Type:parameter, Type:parameter:Target or *",
                ));
            }
        };
        let parameters = self.context.parameters;
        for kind in [Some(source).filter(|&source| source != "*"), target].into_iter().flatten() {
            if !parameters.has_kind(kind) {
                return Err(error(SearchProblem::BadValue, "names a type that does not exist"));
            }
        }
        // Without :iterate only the records found are looked at: they hold the reference, or are what it points to.
        if !iterate && !reverse && source != "*" && source != query.kind {
            let text = "starts from another type than the one searched: write :iterate to start from included records";
            return Err(error(SearchProblem::UnknownParameter, text));
        }
        let wanted = match (reverse, iterate) {
            (true, false) => Some(target.unwrap_or(&query.kind)),
            _ => target,
        };
        let sources = match source {
            // Records that were included may be of any kind, and go on from there.
            "*" if reverse || iterate => parameters.kinds(),
            "*" => vec![query.kind.as_str()],
            _ => vec![source],
        };
        let mut includes = Vec::new();
        for source in sources {
            let params = self.references(name, source, code, wanted)?;
            if !params.is_empty() {
                let (source, target) = (source.to_owned(), target.map(str::to_owned));
                includes.push(Include { reverse, source, params, target, iterate });
            }
        }
        if includes.is_empty() && code != "*" {
            let text = "names no reference parameter of that type, or one that cannot point there";
            return Err(error(SearchProblem::UnknownParameter, text));
        }
        Self::spend(&self.conditions, includes.len(), name)?;
        query.includes.append(&mut includes);
        Ok(())
    }

    /// The reference parameters of `source` with this code (`*` for all) that may point to `target`.
    fn references(
        &self,
        name: &str,
        source: &str,
        code: &str,
        target: Option<&str>,
    ) -> Result<Vec<Param>, SearchError> {
        let found = if code == "*" {
            self.context.parameters.list(source)
        } else {
            self.ready(source, name, code)?.into_iter().collect()
        };
        let fits = |parameter: &Parameter<'_>| {
            parameter.kind == ParamType::Reference
                && target
                    .is_none_or(|target| parameter.targets.is_empty() || parameter.targets.contains(&target))
        };
        let param = |found: Parameter<'_>| Param { kind: source.to_owned(), code: found.code.to_owned() };
        Ok(found.into_iter().filter(fits).map(param).collect())
    }
}

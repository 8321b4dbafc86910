//! `:above` and `:below` on references: hierarchies of records, such as wards of hospitals (R4, section 3.1.1.4.11).

use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::reference::is_id;
use crate::search::parameters::Parameter;
use crate::search::{Filter, Param, ReferenceTest, Way};

/// Codes of the parameters by which records of one kind name the one they are part of.
const PART_OF: [&str; 2] = ["partof", "part-of"];

impl Parser<'_> {
    pub(super) fn tree(
        &self,
        param: &Param,
        parameter: &Parameter<'_>,
        way: Way,
        whole: &str,
        value: &str,
    ) -> Result<Filter, SearchError> {
        let error = |problem, text: &str| SearchError::new(problem, whole, text);
        let hierarchies: Vec<(&str, Param)> = self
            .targets(parameter)
            .into_iter()
            .filter_map(|kind| self.hierarchy(kind).map(|by| (kind, by)))
            .collect();
        if hierarchies.is_empty() {
            let text = "points to no records that are part of one another";
            return Err(error(SearchProblem::UnknownModifier, text));
        }
        let roots = self.each_value(whole, value, |part| {
            let part = match &hierarchies[..] {
                [(kind, _)] if is_id(part) => format!("{kind}/{part}"),
                _ => part.to_owned(),
            };
            match self.reference(parameter, None, whole, &part)? {
                root @ ReferenceTest::Local { .. } => Ok(root),
                ReferenceTest::Url(_) => {
                    let text = "hierarchies of records elsewhere, and of versions, are not supported";
                    Err(error(SearchProblem::NotSupported, text))
                }
                ReferenceTest::Id { .. } => {
                    Err(error(SearchProblem::BadValue, "must be Type/id: several types have a hierarchy"))
                }
            }
        })?;
        let mut trees = Vec::new();
        for (kind, by) in &hierarchies {
            let of_kind =
                |root: &&ReferenceTest| matches!(root, ReferenceTest::Local { kind: of, .. } if of == kind);
            let roots: Vec<ReferenceTest> = roots.iter().filter(of_kind).cloned().collect();
            if !roots.is_empty() {
                trees.push(Filter::Tree { param: param.clone(), by: by.clone(), way, roots });
            }
        }
        match trees.len() {
            0 => {
                Err(error(SearchProblem::BadValue, "names a type whose records are not part of one another"))
            }
            1 => Ok(trees.remove(0)),
            _ => Ok(Filter::Or(trees)),
        }
    }

    /// The parameter by which records of this kind name the one above them.
    fn hierarchy(&self, kind: &str) -> Option<Param> {
        let above = |code: &str| {
            let found = self.context.parameters.find(kind, code);
            found.is_some_and(|found| {
                found.kind == ParamType::Reference
                    && found.targets.contains(&kind)
                    && found.indexing.is_none()
            })
        };
        PART_OF
            .into_iter()
            .find(|code| above(code))
            .map(|code| Param { kind: kind.to_owned(), code: code.to_owned() })
    }
}

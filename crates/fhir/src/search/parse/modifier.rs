//! What may follow the colon of a name (R4, section 3.1.1.4.4).

use super::{Parser, SearchError, SearchProblem};
use crate::index::ParamType;
use crate::search::parameters::Parameter;
use crate::search::{StringMode, UriMode, Way};

/// What follows the colon of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modifier<'m> {
    None,
    Missing,
    Not,
    String(StringMode),
    Uri(UriMode),
    /// The type that a reference points to.
    Type(&'m str),
    Text,
    OfType,
    Identifier,
    In,
    NotIn,
    /// `:above` and `:below` on tokens and references.
    Way(Way),
}

impl Modifier<'_> {
    /// Its code in definitions (`http://hl7.org/fhir/search-modifier-code`).
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Missing => "missing",
            Self::Not => "not",
            Self::String(StringMode::Exact) => "exact",
            // The other modes are no modifiers.
            Self::String(_) => "contains",
            Self::Uri(UriMode::Above) | Self::Way(Way::Above) => "above",
            Self::Uri(_) | Self::Way(Way::Below) => "below",
            Self::Type(_) => "type",
            Self::Text => "text",
            Self::OfType => "ofType",
            Self::Identifier => "identifier",
            Self::In => "in",
            Self::NotIn => "not-in",
        }
    }
}

impl Parser<'_> {
    pub(super) fn modifier<'m>(
        &self,
        parameter: &Parameter<'_>,
        whole: &str,
        modifier: Option<&'m str>,
    ) -> Result<Modifier<'m>, SearchError> {
        use ParamType::{Reference, String, Token, Uri};
        let Some(modifier) = modifier else { return Ok(Modifier::None) };
        let modifier = match (modifier, parameter.kind) {
            ("missing", _) => Modifier::Missing,
            ("not", Token) => Modifier::Not,
            ("text", Token) => Modifier::Text,
            ("of-type", Token) => Modifier::OfType,
            ("in", Token) => Modifier::In,
            ("not-in", Token) => Modifier::NotIn,
            ("exact", String) => Modifier::String(StringMode::Exact),
            ("contains", String) => Modifier::String(StringMode::Contains),
            ("below", Uri) => Modifier::Uri(UriMode::Below),
            ("above", Uri) => Modifier::Uri(UriMode::Above),
            ("below", Token | Reference) => Modifier::Way(Way::Below),
            ("above", Token | Reference) => Modifier::Way(Way::Above),
            ("identifier", Reference) => Modifier::Identifier,
            (kind, Reference) if self.context.parameters.has_kind(kind) => {
                if !parameter.targets.is_empty() && !parameter.targets.contains(&kind) {
                    let text = "cannot point to that type";
                    return Err(SearchError::new(SearchProblem::BadValue, whole, text));
                }
                Modifier::Type(kind)
            }
            _ => {
                let text = "there is no such modifier for this type of parameter";
                return Err(SearchError::new(SearchProblem::UnknownModifier, whole, text));
            }
        };
        Self::check_modifier(parameter, modifier, whole)?;
        Ok(modifier)
    }
}

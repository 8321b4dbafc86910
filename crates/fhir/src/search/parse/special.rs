//! Parameters with rules of their own: `_id`, `_lastUpdated`, `_list`, `_text`, `_content`, `near`.

use super::{Parser, SearchError, SearchProblem};
use crate::decimal::Decimal;
use crate::geo::PER_DEGREE;
use crate::index::ParamType;
use crate::reference::is_id;
use crate::search::parameters::Parameter;
use crate::search::split::{split, unescape};
use crate::search::{Filter, Param, Test, TextPlace};
use crate::ucum::Unit;
use crate::words::query_words;

/// How far is near when the question does not say: R4 leaves it to the server.
const DEFAULT_METRES: f64 = 10_000.0;
/// Half the way around the Earth, and a little: nothing is further away.
const MOST_METRES: f64 = 20_100_000.0;

impl Parser<'_> {
    /// `_id` and `_lastUpdated`, which every record has.
    pub(super) fn own_column(
        &self,
        whole: &str,
        (code, modifier): (&str, Option<&str>),
        value: &str,
    ) -> Result<Filter, SearchError> {
        match (code, modifier) {
            ("_id", None) => self.ids(whole, value).map(Filter::Id),
            ("_id", Some("not")) => Ok(Filter::Not(Box::new(Filter::Id(self.ids(whole, value)?)))),
            (_, None) => self.dates(whole, value).map(Filter::LastUpdated),
            (_, Some("missing")) => match value {
                "true" => Ok(Filter::Or(Vec::new())),
                "false" => Ok(Filter::And(Vec::new())),
                _ => {
                    let text = "with :missing must be true or false";
                    Err(SearchError::new(SearchProblem::BadValue, whole, text))
                }
            },
            (_, Some(_)) => {
                Err(SearchError::new(SearchProblem::UnknownModifier, whole, "takes no such modifier"))
            }
        }
    }

    /// `_list=id`: records that a List has among its items (3.1.1.4.9).
    pub(super) fn list(&self, kind: &str, whole: &str, value: &str) -> Result<Filter, SearchError> {
        let item = self.find("List", whole, "item")?;
        if item.kind != ParamType::Reference || !(item.targets.is_empty() || item.targets.contains(&kind)) {
            let text = "lists cannot hold records of this kind";
            return Err(SearchError::new(SearchProblem::BadValue, whole, text));
        }
        let ids = self.each_value(whole, value, |part| {
            let id = part.strip_prefix("List/").unwrap_or(part);
            if part.starts_with('$') {
                let text =
                    "functional lists such as $current-allergies are not supported: name a List by its id";
                Err(SearchError::new(SearchProblem::NotSupported, whole, text))
            } else if is_id(id) {
                Ok(id.to_owned())
            } else {
                Err(SearchError::new(SearchProblem::BadValue, whole, "must be the id of a List"))
            }
        })?;
        let param = Param { kind: "List".to_owned(), code: "item".to_owned() };
        Ok(Filter::Has { param, filter: Box::new(Filter::Id(ids)) })
    }

    /// `_text` and `_content` (3.1.1.4.9). R4 leaves the syntax to servers: all words of a value must be found, values
    /// with commas between them are alternatives.
    pub(super) fn words(
        &self,
        kind: &str,
        whole: &str,
        code: &str,
        value: &str,
    ) -> Result<Filter, SearchError> {
        self.find(kind, whole, code)?;
        let place = if code == "_text" { TextPlace::Narrative } else { TextPlace::Content };
        let mut alternatives = self.each_value(whole, value, |part| {
            let terms = query_words(&unescape(part));
            if terms.is_empty() {
                let text = "must have letters or digits in it";
                return Err(SearchError::new(SearchProblem::BadValue, whole, text));
            }
            Self::spend(&self.tests, terms.len(), whole)?;
            Ok(Filter::Words { place, terms })
        })?;
        Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Filter::Or(alternatives) })
    }

    /// `near`: `latitude|longitude|distance|unit`, the last two optional (R4, `location.html#positional`).
    pub(super) fn special(
        &self,
        parameter: &Parameter<'_>,
        whole: &str,
        part: &str,
    ) -> Result<Test, SearchError> {
        let error = |problem, text: &str| Err(SearchError::new(problem, whole, text));
        if parameter.code != "near" {
            return error(SearchProblem::NotSupported, "is not supported");
        }
        let parts: Vec<_> = split(part, b'|').map(unescape).collect();
        let (lat, lon) =
            (parts.first().map(|text| degrees(text, 90)), parts.get(1).map(|text| degrees(text, 180)));
        let (Some(Some(lat)), Some(Some(lon)), true) = (lat, lon, parts.len() <= 4) else {
            let text = "must be latitude|longitude|distance|unit, in degrees, such as 37.5665|126.9780|5|km";
            return error(SearchProblem::BadValue, text);
        };
        let given = |place: usize| parts.get(place).map(AsRef::as_ref).filter(|text: &&str| !text.is_empty());
        let metres = match (given(2), given(3)) {
            (None, None) => Some(DEFAULT_METRES),
            // "If the units are omitted, then kms should be assumed."
            (Some(distance), unit) => metres(distance, unit.unwrap_or("km")),
            (None, Some(_)) => None,
        };
        match metres {
            Some(metres) => Ok(Test::Near { lat, lon, metres }),
            None => {
                error(SearchProblem::BadValue, "must have a distance from 0, and a unit of length such as km")
            }
        }
    }
}

/// Degrees in ten-millionths; `None` beyond so many.
fn degrees(text: &str, most: i32) -> Option<i64> {
    Decimal::parse(text).ok()?;
    let degrees: f64 = text.parse().ok()?;
    (degrees.abs() <= f64::from(most)).then(|| (degrees * PER_DEGREE as f64).round() as i64)
}

fn metres(distance: &str, unit: &str) -> Option<f64> {
    let unit = Unit::parse(unit).filter(|unit| unit.name() == "m")?;
    let metres = unit.canonical(&Decimal::parse(distance).ok()?)?.to_f64();
    (metres >= 0.0).then(|| metres.min(MOST_METRES))
}

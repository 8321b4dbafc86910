//! FHIR Consent as rules (R4, Consent; IHE PCF 1.1.1, profiles Basic, Intermediate and Advanced).
//!
//! The root provision is the general rule, nested ones are its exceptions: each holds within what the root is about.
//! Nothing is guessed. What cannot be read or enforced makes a permission void and a prohibition wider, and is told
//! ([`Reading::problems`]), so that such a consent can be refused before it is written.

use ieum_fhir::date;
use ieum_fhir::definitions;
use ieum_fhir::index::TimeRange;
use ieum_fhir::json::Value;
use ieum_store::access::{Rule, day};

use super::{Refer, department_code, text};
use crate::labels::{SENSITIVE, is_unrestricted, label_mask};
use crate::purpose::Purpose;

mod conditions;

use conditions::{Conditions, Data, Labels};

/// Extension on a provision: the department of the encounters that it is about (`valueCode`).
pub const DEPARTMENT: &str = "https://ieum.example/fhir/StructureDefinition/consent-department";

/// What a Consent says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Its rules; none when it is not in force.
    pub rules: Vec<Rule>,
    /// What in it cannot be enforced as it stands; none when it is not in force.
    pub problems: Vec<Problem>,
}

/// Something that cannot be enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, as FHIRPath.
    pub place: String,
    /// Why, in a few words.
    pub what: &'static str,
}

/// Reads a Consent; references under one of the addresses are references to records here.
#[must_use]
pub fn read(consent: Value<'_>, bases: &[String]) -> Reading {
    let mut reading = Reading::default();
    let is_privacy = consent.get("scope").is_some_and(|scope| has_code(scope, "patient-privacy"));
    if text(consent, "status").as_deref() != Some("active") || !is_privacy {
        return reading;
    }
    let refer = Refer { bases };
    let Some(patient) = refer.member(consent, "patient", "Patient") else {
        reading.problem("Consent.patient".into(), "no patient of this hub");
        return reading;
    };
    let made = text(consent, "dateTime").and_then(|text| date::parse(&text).ok()).map(|range| range.lo);
    let performers = consent.get("performer").into_iter().flat_map(Value::elements);
    let is_given = performers
        .filter_map(|performer| refer.target(performer))
        .any(|(kind, id)| kind == "RelatedPerson" || kind == "Patient" && id == patient);
    let Some(provision) = consent.get("provision") else {
        reading.problem("Consent.provision".into(), "nothing is provided");
        return reading;
    };
    let mut reader = Reader { refer, reading, patient, made: made.unwrap_or(i64::MAX) };
    let mut is_read = true;
    if made.is_none() {
        is_read = reader.cannot("Consent.dateTime", "no time at which it was given");
    }
    if !is_given {
        is_read = reader.cannot("Consent.performer", "neither the patient nor a representative gives it");
    }
    for unknown in ["modifierExtension", "implicitRules", "verification"] {
        if consent.get(unknown).is_some() {
            is_read = reader.cannot(&format!("Consent.{unknown}"), "what it says is not known here");
        }
    }
    let root = Conditions { is_read, ..Conditions::default() };
    let within = reader.provision(provision, "Consent.provision", &root, 0);
    let nested = provision.get("provision").into_iter().flat_map(Value::elements);
    for (number, exception) in nested.enumerate() {
        let place = format!("Consent.provision.provision[{number}]");
        reader.provision(exception, &place, &within, 1);
        if exception.get("provision").is_some() {
            reader.cannot(&format!("{place}.provision"), "a third level of provisions");
        }
    }
    reader.reading
}

impl Reading {
    fn problem(&mut self, place: String, what: &'static str) {
        self.problems.push(Problem { place, what });
    }
}

fn has_code(concept: Value<'_>, code: &str) -> bool {
    let codings = concept.get("coding").into_iter().flat_map(Value::elements);
    codings.filter_map(|coding| text(coding, "code")).any(|given| given == code)
}

struct Reader<'b> {
    refer: Refer<'b>,
    reading: Reading,
    patient: String,
    made: i64,
}

impl Reader<'_> {
    /// Says that something cannot be enforced; gives `false`, for «not read».
    fn cannot(&mut self, place: &str, what: &'static str) -> bool {
        self.reading.problem(place.to_owned(), what);
        false
    }

    /// Adds the rules of a provision, and gives what its exceptions are within.
    fn provision(
        &mut self,
        provision: Value<'_>,
        place: &str,
        within: &Conditions,
        depth: u32,
    ) -> Conditions {
        let permit = match text(provision, "type").as_deref() {
            Some("permit") => true,
            Some("deny") => false,
            _ => {
                self.cannot(&format!("{place}.type"), "neither permit nor deny");
                return Conditions { is_read: false, ..within.clone() };
            }
        };
        let own = self.conditions(provision, place, permit);
        let Some(all) = within.and(&own) else { return own };
        if permit && !all.is_read {
            return all;
        }
        match all.rules(&self.patient, permit, self.made, depth) {
            Some(rules) => self.reading.rules.extend(rules),
            None => {
                self.cannot(place, "more combinations than can be enforced");
                // A prohibition is not lost: it is taken for one of everything, at all times that were meant.
                let wide = Conditions { period: all.period, ..Conditions::default() };
                let rules = wide.rules(&self.patient, false, self.made, depth).filter(|_| !permit);
                self.reading.rules.extend(rules.into_iter().flatten());
            }
        }
        all
    }

    fn conditions(&mut self, provision: Value<'_>, place: &str, permit: bool) -> Conditions {
        let mut all = Conditions::default();
        for unknown in ["modifierExtension", "code", "action"] {
            if provision.get(unknown).is_some() {
                all.is_read = self.cannot(&format!("{place}.{unknown}"), "not enforced here");
            }
        }
        if let Some(period) = provision.get("period") {
            match stretch(period) {
                Some(range) => all.period = range,
                None => all.is_read = self.cannot(&format!("{place}.period"), "no period"),
            }
        }
        if let Some(period) = provision.get("dataPeriod") {
            match stretch(period) {
                Some(range) => all.dates = days(range, permit),
                None => all.is_read = self.cannot(&format!("{place}.dataPeriod"), "no period"),
            }
        }
        let mut lists = Lists { reader: self, provision, place, is_read: true };
        let purposes = lists.read("purpose", "a purpose that is not known", |_, purpose| {
            Purpose::from_code(&text(purpose, "code")?).map(Purpose::covers)
        });
        all.purposes = purposes.map(|purposes| purposes.into_iter().fold(0, |all, bits| all | bits));
        all.askers = lists.read("actor", "no institution of this hub", |refer, actor| {
            refer.member(actor, "reference", "Organization")
        });
        all.labels = lists.read("securityLabel", "a label that is not known", |_, label| {
            labels_of(&text(label, "system")?, &text(label, "code")?)
        });
        all.kinds = lists.read("class", "no type of resource", |_, class| {
            text(class, "code").filter(|code| definitions::r4().is_resource(code))
        });
        all.data = lists.read("data", "data that cannot be told apart", data_of);
        all.is_read &= lists.is_read;
        let departments = departments(provision);
        all.departments = (!departments.is_empty()).then_some(departments);
        all
    }
}

/// Reads the lists of a provision.
struct Lists<'r, 'b, 'd> {
    reader: &'r mut Reader<'b>,
    provision: Value<'d>,
    place: &'r str,
    is_read: bool,
}

impl Lists<'_, '_, '_> {
    /// A list of members of which one must be meant. When one of them cannot be read it is a list of anything: right for a
    /// prohibition, and a permission is void then.
    fn read<T>(
        &mut self,
        name: &str,
        what: &'static str,
        read: impl Fn(Refer<'_>, Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let elements = self.provision.get(name)?.elements().enumerate();
        let mut members = Vec::new();
        let mut is_read = true;
        for (number, element) in elements {
            match read(self.reader.refer, element) {
                Some(member) => members.push(member),
                None => is_read = self.reader.cannot(&format!("{}.{name}[{number}]", self.place), what),
            }
        }
        self.is_read &= is_read;
        is_read.then_some(members)
    }
}

/// From the first instant of a Period to its last; open where nothing is said.
fn stretch(period: Value<'_>) -> Option<TimeRange> {
    let end = |name: &str| match period.get(name) {
        None => Some(None),
        Some(value) => date::parse(&value.text()?).ok().map(Some),
    };
    let (start, end) = (end("start")?, end("end")?);
    Some(TimeRange {
        lo: start.map_or(i64::MIN, |range| range.lo),
        hi: end.map_or(i64::MAX, |range| range.hi),
    })
}

/// The days of a stretch of time: for a permission those that lie in it whole, for a prohibition those that touch it.
fn days(range: TimeRange, permit: bool) -> (Option<i64>, Option<i64>) {
    let start = |micros: i64| if permit { day(micros - 1) + 1 } else { day(micros) };
    let end = |micros: i64| if permit { day(micros) } else { day(micros - 1) + 1 };
    ((range.lo != i64::MIN).then(|| start(range.lo)), (range.hi != i64::MAX).then(|| end(range.hi)))
}

/// The labels meant by one: a class of sensitive data, or everything that is not sensitive.
fn labels_of(system: &str, code: &str) -> Option<Labels> {
    match label_mask(system, code) {
        0 => is_unrestricted(system, code).then_some(Labels { with: 0, without: SENSITIVE }),
        with => Some(Labels { with, without: 0 }),
    }
}

fn data_of(refer: Refer<'_>, data: Value<'_>) -> Option<Data> {
    let (kind, id) = refer.target(data.get("reference")?)?;
    match (text(data, "meaning")?.as_str(), kind.as_str()) {
        ("instance", _) => Some(Data::Record(kind, id)),
        ("related", "Encounter") => Some(Data::Encounter(id)),
        ("authoredby", "Organization") => Some(Data::Institution(id)),
        _ => None,
    }
}

fn departments(provision: Value<'_>) -> Vec<String> {
    let extensions = provision.get("extension").into_iter().flat_map(Value::elements);
    let ours = extensions.filter(|extension| text(*extension, "url").as_deref() == Some(DEPARTMENT));
    ours.filter_map(|extension| text(extension, "valueCode")).map(|code| department_code(&code)).collect()
}

#[cfg(test)]
mod tests;

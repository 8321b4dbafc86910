//! FHIR Consent as rules (R4, Consent; IHE PCF 1.1.1, profiles Basic, Intermediate and Advanced).
//!
//! The root provision is the general rule, nested ones are its exceptions: each holds within what the root is about.
//! Nothing is guessed. What cannot be read or enforced makes a permission void and a prohibition wider, and is told
//! ([`Reading::problems`]), so that such a consent can be refused before it is written.

use ieum_fhir::date;
use ieum_fhir::definitions;
use ieum_fhir::index::TimeRange;
use ieum_fhir::json::Value;
use ieum_store::access::Rule;

use super::{Refer, department_code, text};
use crate::labels::{SENSITIVE, is_unrestricted, label_mask};
use crate::purpose::Purpose;

mod conditions;

use conditions::{Conditions, Data, Labels, MOST};

/// Extension on a provision: the department of the encounters that it is about (`valueCode`).
pub const DEPARTMENT: &str = "https://ieum.example/fhir/StructureDefinition/consent-department";

const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

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
    let given = text(consent, "dateTime").and_then(|text| date::parse(&text).ok()).map(|range| range.lo);
    let performers = consent.get("performer").into_iter().flat_map(Value::elements);
    let is_given = performers
        .filter_map(|performer| refer.target(performer))
        .any(|(kind, id)| kind == "RelatedPerson" || kind == "Patient" && id == patient);
    let Some(provision) = consent.get("provision") else {
        reading.problem("Consent.provision".into(), "nothing is provided");
        return reading;
    };
    let mut reader = Reader { refer, reading, patient, given: given.unwrap_or(i64::MAX) };
    let mut is_read = true;
    if given.is_none() {
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
        reader.provision(exception, &format!("Consent.provision.provision[{number}]"), &within, 1);
    }
    reader.reading
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The DocumentReference of this id.
    Document(String),
    /// It is inside the Consent.
    Inside,
}

/// The least that a signed form takes inside a Consent, in letters of base64: a picture or a PDF takes thousands.
const LEAST_FORM: usize = 400;

/// What was signed, as far as a Consent names it: a document of this hub, or one inside it with its type. That there is
/// something is evidence for whoever looks into it later; it proves nothing by itself.
#[must_use]
pub fn source(consent: Value<'_>, bases: &[String]) -> Option<Source> {
    let refer = Refer { bases };
    let document = consent.get("sourceReference").and_then(|source| refer.id(source, "DocumentReference"));
    let attachment = consent.get("sourceAttachment");
    let inside = attachment.is_some_and(|attachment| {
        let is_long = text(attachment, "data").is_some_and(|data| data.len() >= LEAST_FORM);
        is_long && text(attachment, "contentType").is_some_and(|kind| !kind.is_empty())
    });
    document.map(Source::Document).or(inside.then_some(Source::Inside))
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
    given: i64,
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
        let mut own = self.conditions(provision, place, depth);
        let permit = match text(provision, "type").as_deref() {
            Some("permit") => true,
            Some("deny") => false,
            _ => {
                // It may be meant as a prohibition.
                own.is_read = self.cannot(&format!("{place}.type"), "neither permit nor deny");
                false
            }
        };
        let Some(all) = within.and(&own) else { return own };
        if permit && !all.is_read {
            return all;
        }
        let rules = all.rules(&self.patient, permit, self.given, depth).or_else(|| {
            self.cannot(place, "more combinations than can be enforced");
            // A prohibition is not lost: it is taken for one of everything that its root is about.
            within.rules(&self.patient, false, self.given, depth).filter(|_| !permit)
        });
        self.reading.rules.extend(rules.into_iter().flatten());
        all
    }

    fn conditions(&mut self, provision: Value<'_>, place: &str, depth: u32) -> Conditions {
        let mut all = Conditions::default();
        for unknown in ["modifierExtension", "code", "action"] {
            if provision.get(unknown).is_some() {
                all.is_read = self.cannot(&format!("{place}.{unknown}"), "not enforced here");
            }
        }
        if depth > 0 && provision.get("provision").is_some() {
            all.is_read = self.cannot(&format!("{place}.provision"), "a third level of provisions");
        }
        for (name, range) in [("period", &mut all.period), ("dataPeriod", &mut all.dates)] {
            match provision.get(name).map(stretch) {
                None => {}
                Some(Some(read)) => *range = read,
                Some(None) => all.is_read = self.cannot(&format!("{place}.{name}"), "no period"),
            }
        }
        let mut lists = Lists { reader: self, provision, place, is_read: true };
        let purposes = lists.read("purpose", "a purpose that is not known", |_, purpose| {
            Purpose::from_code(&code_of(purpose, ACT_REASON)?).map(Purpose::covers)
        });
        all.purposes = purposes.map(|purposes| purposes.into_iter().fold(0, |all, bits| all | bits));
        all.askers = lists.read("actor", "no institution of this hub", |refer, actor| {
            refer.member(actor, "reference", "Organization")
        });
        all.labels = lists.read("securityLabel", "a label that is not known", |_, label| {
            labels_of(&text(label, "system")?, &text(label, "code")?)
        });
        all.kinds = lists.read("class", "no type of resource", |_, class| {
            code_of(class, RESOURCE_TYPES).filter(|code| definitions::r4().is_resource(code))
        });
        all.data = lists.read("data", "data that cannot be told apart", data_of);
        all.departments = lists.departments();
        all.is_read &= lists.is_read;
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
        let list = self.provision.get(name)?;
        self.members(name, what, list.elements().enumerate(), |refer, element| {
            let is_modified = element.get("modifierExtension").is_some();
            read(refer, element).filter(|_| !is_modified)
        })
    }

    fn departments(&mut self) -> Option<Vec<String>> {
        let extensions = self.provision.get("extension").into_iter().flat_map(Value::elements).enumerate();
        let is_ours =
            |(_, extension): &(usize, Value<'_>)| text(*extension, "url").as_deref() == Some(DEPARTMENT);
        let mut ours = extensions.filter(is_ours).peekable();
        ours.peek()?;
        self.members("extension", "no code of a department", ours, |_, extension| {
            text(extension, "valueCode").map(|code| department_code(&code))
        })
    }

    fn members<'v, T>(
        &mut self,
        name: &str,
        what: &'static str,
        elements: impl Iterator<Item = (usize, Value<'v>)>,
        read: impl Fn(Refer<'_>, Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut members = Vec::new();
        let mut is_read = true;
        for (number, element) in elements {
            match read(self.reader.refer, element) {
                Some(member) => members.push(member),
                None => is_read = self.reader.cannot(&format!("{}.{name}[{number}]", self.place), what),
            }
        }
        if is_read && !(1..=MOST).contains(&members.len()) {
            is_read =
                self.reader.cannot(&format!("{}.{name}", self.place), "none, or more than can be enforced");
        }
        self.is_read &= is_read;
        is_read.then_some(members)
    }
}

/// From the first instant of a Period to its last; open where nothing is said. Nothing for one that says neither, or that
/// ends before it begins.
fn stretch(period: Value<'_>) -> Option<TimeRange> {
    let end = |name: &str| match period.get(name) {
        None => Some(None),
        Some(value) => date::parse(&value.text()?).ok().map(Some),
    };
    let (start, end) = (end("start")?, end("end")?);
    let is_said = start.is_some() || end.is_some();
    let range = TimeRange {
        lo: start.map_or(i64::MIN, |range| range.lo),
        hi: end.map_or(i64::MAX, |range| range.hi),
    };
    (is_said && range.lo < range.hi).then_some(range)
}

/// The code of a Coding of this system, or of one that names none.
fn code_of(coding: Value<'_>, system: &str) -> Option<String> {
    let is_of = coding.get("system").is_none_or(|given| given.text().is_some_and(|given| given == system));
    text(coding, "code").filter(|_| is_of)
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
    let mut meant = Data::default();
    match (text(data, "meaning")?.as_str(), kind.as_str()) {
        ("instance", _) => meant.record = Some((kind, id)),
        ("related", "Encounter") => meant.encounter = Some(id),
        ("authoredby", "Organization") => meant.institution = Some(id),
        _ => return None,
    }
    Some(meant)
}

#[cfg(test)]
mod tests;

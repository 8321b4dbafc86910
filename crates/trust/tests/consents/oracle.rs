//! What docs/access.md says, read again for each question: plain recursion over the Consents as they are written.

use ieum_store::access::{Relation, RelationReach};
use ieum_trust::access::{Access, Role};
use serde_json::Value;

use crate::world::{DATES, Record, World, micros};

/// Why a record exists for somebody, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// About nobody.
    Shared,
    /// Sealed.
    Sealed,
    /// The role says it: everything, nothing, or what is their own.
    Role(bool),
    /// No treatment relation to a patient.
    Stranger,
    /// A relation opens it: the institution's own, the Patient record, or everything.
    Relation,
    /// A consent permits it, and each of several patients.
    Permitted,
    /// A consent denies it.
    Denied,
    /// No consent says anything.
    Closed,
}

impl Why {
    pub(crate) fn is_allowed(self) -> bool {
        matches!(self, Self::Shared | Self::Role(true) | Self::Relation | Self::Permitted)
    }
}

/// The table «who reaches».
pub(crate) fn decide(world: &World, who: &Access, record: &Record) -> Why {
    let is_sealed = record.labels.iter().any(|(_, code)| *code == "V");
    match who.role {
        Role::Operator | Role::Manager | Role::Privacy => Why::Role(false),
        Role::Clinician if is_sealed => Why::Sealed,
        _ if record.shared => Why::Shared,
        Role::Patient => {
            Why::Role(who.patient.as_ref().is_some_and(|patient| record.patients.contains(patient)))
        }
        Role::Clinician | Role::Service => match &who.organization {
            None => Why::Role(true),
            Some(own) if who.role == Role::Service => Why::Role(record.institution.as_ref() == Some(own)),
            Some(own) if record.patients.is_empty() => Why::Role(record.institution.as_ref() == Some(own)),
            Some(own) => of_each_patient(world, who, own, record),
        },
        _ => Why::Role(true),
    }
}

/// Each patient of a record decides: the first who does not open it closes it.
fn of_each_patient(world: &World, who: &Access, own: &str, record: &Record) -> Why {
    let mut why = Why::Relation;
    for patient in &record.patients {
        match of_patient(world, who, own, record, patient) {
            Why::Relation => {}
            Why::Permitted => why = Why::Permitted,
            closed => return closed,
        }
    }
    why
}

fn of_patient(world: &World, who: &Access, own: &str, record: &Record, patient: &str) -> Why {
    let now = micros(world.now);
    let concerns = |relation: &&Relation| {
        relation.patient == patient
            && relation.institution.as_deref() == Some(own)
            && relation.person.as_ref().is_none_or(|person| *person == who.actor)
            && (relation.from..relation.until).contains(&now)
    };
    let mut relations = world.relations.iter().filter(concerns).peekable();
    if relations.peek().is_none() {
        return Why::Stranger;
    }
    let is_the_patient = record.kind == "Patient" && record.id == patient;
    let is_own = record.institution.as_deref() == Some(own) || is_the_patient;
    if is_own || relations.any(|relation| relation.reach == RelationReach::All) {
        return Why::Relation;
    }
    let question = Question { now: world.now, own, purpose: who.purpose.code(), record };
    match consented(&world.consents, patient, &question) {
        Some(true) => Why::Permitted,
        Some(false) => Why::Denied,
        None => Why::Closed,
    }
}

/// Who asks, what for, when, about which record.
struct Question<'q> {
    now: i64,
    own: &'q str,
    purpose: &'q str,
    record: &'q Record,
}

/// How specific: a record, an encounter, a department, who made it, a label, a class, dates, who asks, a purpose.
type Weight = [bool; 9];

/// What a provision says that applies.
struct Said {
    permit: bool,
    weight: Weight,
    /// When, and that an exception goes before its root when they say the same.
    given: (i64, bool),
}

/// What a patient's consents say together; nothing where none applies.
fn consented(consents: &[Value], patient: &str, question: &Question<'_>) -> Option<bool> {
    let mut said = Vec::new();
    for consent in consents {
        let is_theirs = local(&consent["patient"], "Patient").as_deref() == Some(patient);
        if is_theirs && consent["status"] == "active" && is_about_privacy(consent) {
            apply(consent, patient, question, &mut said);
        }
    }
    let first = said.iter().map(|one| (one.weight, one.given)).max()?;
    Some(said.iter().filter(|one| (one.weight, one.given) == first).all(|one| one.permit))
}

fn is_about_privacy(consent: &Value) -> bool {
    let scope = "http://terminology.hl7.org/CodeSystem/consentscope";
    each(&consent["scope"]["coding"])
        .any(|coding| coding["system"] == scope && coding["code"] == "patient-privacy")
}

fn apply(consent: &Value, patient: &str, question: &Question<'_>, said: &mut Vec<Said>) {
    let given = date(&consent["dateTime"]).map(|(first, _)| first);
    let by_patient = |performer: &Value| {
        local(performer, "Patient").as_deref() == Some(patient) || local(performer, "RelatedPerson").is_some()
    };
    let is_given = given.is_some() && each(&consent["performer"]).any(by_patient);
    let is_clear =
        ["verification", "modifierExtension", "implicitRules"].iter().all(|name| consent[name].is_null());
    // A permission holds from when it was given.
    let may_permit = is_given && is_clear && given.is_some_and(|given| given <= question.now);
    let root = &consent["provision"];
    let levels = one(root).map(|root| vec![root]).chain(each(&root["provision"]).map(|own| vec![root, own]));
    for levels in levels {
        let kinds: Vec<Option<bool>> = levels.iter().map(|provision| kind_of(provision)).collect();
        // What says neither may be meant as a prohibition; and nothing is permitted within it.
        let permit = kinds[kinds.len() - 1] == Some(true);
        if permit && !(may_permit && kinds.iter().all(Option::is_some)) {
            continue;
        }
        if let Some(weight) = weight(&levels, permit, question) {
            // Nobody knows when a prohibition was given whose date cannot be read: nothing is newer.
            said.push(Said { permit, weight, given: (given.unwrap_or(i64::MAX), levels.len() > 1) });
        }
    }
}

fn kind_of(provision: &Value) -> Option<bool> {
    match provision["type"].as_str()? {
        "permit" => Some(true),
        "deny" => Some(false),
        _ => None,
    }
}

/// What one element of a provision says of a question.
enum Element {
    /// It is not there.
    Absent,
    /// It applies, in these ways, each so specific.
    Holds(Vec<Weight>),
    Fails,
    Unreadable,
}

/// How specific a provision is that applies, with what its root says; nothing when it does not apply.
fn weight(levels: &[&Value], permit: bool, question: &Question<'_>) -> Option<Weight> {
    let mut ways = vec![[false; 9]];
    for (depth, provision) in levels.iter().enumerate() {
        let is_last_level = depth == 1;
        for element in elements(provision, permit, is_last_level, question) {
            match element {
                Element::Absent => {}
                Element::Fails => return None,
                Element::Unreadable if permit => return None,
                Element::Unreadable => {}
                Element::Holds(more) => {
                    let with =
                        |way: &Weight, more: &Weight| std::array::from_fn(|place| way[place] || more[place]);
                    ways = ways.iter().flat_map(|way| more.iter().map(move |more| with(way, more))).collect();
                }
            }
        }
    }
    ways.into_iter().max()
}

fn elements(provision: &Value, permit: bool, is_last_level: bool, question: &Question<'_>) -> Vec<Element> {
    let record = question.record;
    let never = ["modifierExtension", "code", "action"].map(|name| match provision[name] {
        Value::Null => Element::Absent,
        _ => Element::Unreadable,
    });
    let third = if is_last_level && !provision["provision"].is_null() {
        Element::Unreadable
    } else {
        Element::Absent
    };
    let mut elements = Vec::from(never);
    elements.extend([
        third,
        any(listed(&provision["data"]), |data| of_data(data, record)),
        any(departments(provision).collect(), |code| {
            let same =
                |code: &str, other: &str| code == other || code.len() == 2 && format!("{code}00") == other;
            let code = code.as_str()?;
            let own = record.encounter.and_then(|(_, department)| department);
            let holds = own.is_some_and(|own| same(own, code) || same(code, own));
            Some(holds.then_some(2))
        }),
        any(listed(&provision["securityLabel"]), |label| of_label(label, record)),
        any(listed(&provision["class"]), |class| {
            let is_known =
                class["system"] == "http://hl7.org/fhir/resource-types" && class["code"] != "Nonsense";
            is_known.then(|| (class["code"] == record.kind).then_some(5))
        }),
        any(one(&provision["dataPeriod"]).collect(), |period| {
            let (from, until) = range(period)?;
            let holds = record.date.is_some_and(|date| is_in(date, from, until, permit));
            Some(holds.then_some(6))
        }),
        any(listed(&provision["actor"]), |actor| {
            let institution = local(&actor["reference"], "Organization")?;
            (actor["modifierExtension"].is_null()).then(|| (institution == question.own).then_some(7))
        }),
        any(listed(&provision["purpose"]), |purpose| {
            let is_known = purpose["system"] == "http://terminology.hl7.org/CodeSystem/v3-ActReason";
            let covers = covers(purpose["code"].as_str().filter(|_| is_known)?)?;
            Some(covers.contains(&question.purpose).then_some(8))
        }),
        match one(&provision["period"]).next().map(range) {
            None => Element::Absent,
            Some(None) => Element::Unreadable,
            Some(Some((from, until))) if (from..until).contains(&question.now) => {
                Element::Holds(vec![[false; 9]])
            }
            Some(Some(_)) => Element::Fails,
        },
    ]);
    elements
}

/// Several values of one element are alternatives; one that cannot be read makes the element unreadable. A value says at
/// which place of [`Weight`] it counts when it holds.
fn any(values: Vec<&Value>, says: impl Fn(&Value) -> Option<Option<usize>>) -> Element {
    let Some(said) = values.into_iter().map(says).collect::<Option<Vec<_>>>() else {
        return Element::Unreadable;
    };
    if said.is_empty() {
        return Element::Absent;
    }
    let places: Vec<usize> = said.into_iter().flatten().collect();
    if places.is_empty() {
        return Element::Fails;
    }
    Element::Holds(places.into_iter().map(|place| std::array::from_fn(|other| other == place)).collect())
}

fn of_data(data: &Value, record: &Record) -> Option<Option<usize>> {
    if !data["modifierExtension"].is_null() {
        return None;
    }
    let reference = &data["reference"];
    match data["meaning"].as_str()? {
        "instance" => {
            target(reference).map(|(kind, id)| (kind == record.kind && id == record.id).then_some(0))
        }
        "related" => {
            let encounter = local(reference, "Encounter")?;
            Some(record.encounter.is_some_and(|(own, _)| own == encounter).then_some(1))
        }
        "authoredby" => {
            let institution = local(reference, "Organization")?;
            Some((record.institution.as_ref() == Some(&institution)).then_some(3))
        }
        _ => None,
    }
}

fn of_label(label: &Value, record: &Record) -> Option<Option<usize>> {
    let (system, code) = (label["system"].as_str()?, label["code"].as_str()?);
    let is_sensitive = |code: &str| !matches!(code, "N" | "M" | "L" | "U");
    let holds = match (system, code) {
        ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N" | "M" | "L" | "U") => {
            !record.labels.iter().any(|(_, code)| is_sensitive(code))
        }
        ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R" | "V")
        | ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "PSY" | "HIV" | "SDV") => {
            record.labels.contains(&(system, code)) // the same system and code
        }
        _ => return None,
    };
    Some(holds.then_some(4))
}

/// The codes of the departments of a provision; one without a code is null.
fn departments(provision: &Value) -> impl Iterator<Item = &Value> {
    let url = "https://ieum.example/fhir/StructureDefinition/consent-department";
    each(&provision["extension"])
        .filter(move |extension| extension["url"] == url)
        .map(|extension| &extension["valueCode"])
}

/// What a consent to a purpose is a consent to.
fn covers(purpose: &str) -> Option<&'static [&'static str]> {
    Some(match purpose {
        "TREAT" => &["TREAT", "ETREAT", "BTG"],
        "ETREAT" => &["ETREAT", "BTG"],
        "BTG" => &["BTG"],
        "HRESCH" => &["HRESCH"],
        _ => return None,
    })
}

/// Whether the day in Korea of a date lies in a period whole (for a permission), or touches it.
fn is_in(date: i64, from: i64, until: i64, whole: bool) -> bool {
    const DAY: i64 = 86_400;
    let morning = date.div_euclid(DAY) * DAY;
    let next = morning + DAY;
    if whole { from <= morning && next <= until } else { morning < until && from < next }
}

/// The first second of a Period, and the first after it. One that says neither, or that ends before it begins, cannot be
/// read.
fn range(period: &Value) -> Option<(i64, i64)> {
    let from =
        one(&period["start"]).next().map_or(Some(i64::MIN), |start| date(start).map(|(first, _)| first))?;
    if period["start"].is_null() && period["end"].is_null() {
        return None;
    }
    let until = one(&period["end"]).next().map_or(Some(i64::MAX), |end| date(end).map(|(_, after)| after))?;
    (from < until).then_some((from, until))
}

fn date(text: &Value) -> Option<(i64, i64)> {
    DATES.iter().find(|(known, _, _)| *text == *known).map(|(_, first, after)| (*first, *after))
}

/// Kind and id of the record here to which a Reference leads.
fn target(reference: &Value) -> Option<(&str, &str)> {
    let text = reference["reference"].as_str()?;
    let text = text.strip_prefix("https://hub.example/fhir/").unwrap_or(text);
    text.split_once('/').filter(|(kind, _)| kind.chars().all(char::is_alphabetic))
}

fn local(reference: &Value, wanted: &str) -> Option<String> {
    target(reference).filter(|(kind, _)| *kind == wanted).map(|(_, id)| id.to_owned())
}

fn each(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter()
}

/// The values of a list; one that cannot be read where it is empty.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) if !values.is_empty() => values.iter().collect(),
        _ => vec![&Value::Null],
    }
}

fn one(value: &Value) -> impl Iterator<Item = &Value> {
    Some(value).filter(|value| !value.is_null()).into_iter()
}

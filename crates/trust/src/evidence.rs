//! What records say about access: which institution made them, who treats whom, what patients consent to.
//!
//! It is read when a record is written, and kept beside it in rows that every question looks at. docs/access.md tells
//! the rules.

use ieum_fhir::definitions;
use ieum_fhir::index::Target;
use ieum_fhir::json::Value;
use ieum_fhir::reference;
use ieum_store::access::{Facts, Policy};

use crate::labels::label_mask;

pub mod consent;
pub mod relation;

/// How this program reads records.
pub const POLICY: Policy = Policy { label_mask, facts };

fn facts(kind: &str, id: &str, record: Value<'_>, bases: &[String]) -> Facts {
    let refer = Refer { bases };
    let encounter = match kind {
        "Encounter" => Some(id.to_owned()),
        "DocumentReference" => {
            let encounters = record.get("context").and_then(|context| context.get("encounter"));
            encounters.and_then(|encounters| refer.each(encounters, "Encounter").next())
        }
        _ => refer.member(record, "encounter", "Encounter"),
    };
    let institution = match kind {
        "Encounter" => refer.member(record, "serviceProvider", "Organization"),
        "DocumentReference" | "Composition" => refer.member(record, "custodian", "Organization"),
        "EpisodeOfCare" => refer.member(record, "managingOrganization", "Organization"),
        _ => None,
    };
    Facts {
        institution,
        encounter,
        department: if kind == "Encounter" { department(record) } else { None },
        relations: relation::of(kind, record, refer),
        rules: if kind == "Consent" { consent::read(record, bases).rules } else { Vec::new() },
        signed: kind == "Consent" && consent::source(record, bases).is_some(),
    }
}

/// The code of the department of an encounter: the four characters that the exchange uses (two of HIRA's departments and
/// `00`), or the code as it stands.
fn department(encounter: Value<'_>) -> Option<String> {
    const HIRA: &str = "http://www.hl7korea.or.kr/CodeSystem/hira-medical-department";
    let codings = encounter.get("serviceType").and_then(|concept| concept.get("coding"));
    let mut codings = codings.into_iter().flat_map(Value::elements);
    let coding = codings.find(|coding| text(*coding, "system").is_some_and(|system| system == HIRA))?;
    text(coding, "code").map(|code| department_code(&code))
}

/// A department's code as it is compared: two characters and four mean the same.
#[must_use]
pub fn department_code(code: &str) -> String {
    if code.len() == 2 { format!("{code}00") } else { code.to_owned() }
}

/// Reads references.
#[derive(Clone, Copy)]
struct Refer<'b> {
    bases: &'b [String],
}

impl Refer<'_> {
    /// The id of the record of this kind to which a Reference leads, when it is one here.
    fn id(self, reference: Value<'_>, kind: &str) -> Option<String> {
        self.target(reference).filter(|(of, _)| of == kind).map(|(_, id)| id)
    }

    /// Kind and id of the record to which a Reference leads, when it is one here.
    fn target(self, reference: Value<'_>) -> Option<(String, String)> {
        let is_kind = |name: &str| definitions::r4().is_resource(name);
        let text = reference.get("reference").and_then(Value::text)?;
        match reference::target(text, self.bases, &is_kind)? {
            Target::Local { kind, id } => Some((kind.into_owned(), id.into_owned())),
            Target::Url(_) => None,
        }
    }

    fn member(self, value: Value<'_>, name: &str, kind: &str) -> Option<String> {
        value.get(name).and_then(|reference| self.id(reference, kind))
    }

    fn each<'d>(self, references: Value<'d>, kind: &'d str) -> impl Iterator<Item = String> {
        references.each().filter_map(move |reference| self.id(reference, kind))
    }
}

fn text(value: Value<'_>, name: &str) -> Option<String> {
    value.get(name).and_then(Value::text).map(std::borrow::Cow::into_owned)
}

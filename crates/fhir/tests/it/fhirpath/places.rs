//! What an expression selects can be found again by its path; bounds hold.

use ieum_fhir::fhirpath::{Context, Expression, Limits, Problem, Step};
use ieum_fhir::json::{self, Document, Value};

const PATIENT: &str = r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"A"}],
  "name":[{"given":["Min","Su"],"_given":[null,{"extension":[{"url":"u","valueCode":"x"}]}]}],
  "managingOrganization":{"reference":"#o"},"generalPractitioner":[{"reference":"Practitioner/1"}],
  "_birthDate":{"id":"b"},"multipleBirthInteger":2}"##;

fn paths(expression: &str) -> Vec<String> {
    let document = Document::parse(PATIENT.as_bytes(), &json::Limits::default()).unwrap();
    let found = Expression::parse(expression).unwrap().evaluate(&Context::of(document.root())).unwrap();
    let write = |step: &Step<'_>| match step {
        Step::Name(name) => format!(".{name}"),
        Step::Index(index) => format!("[{index}]"),
        Step::Beside => "_".to_owned(),
    };
    found.iter().map(|item| item.element().unwrap().path().iter().map(write).collect()).collect()
}

#[test]
fn elements_know_their_way_from_the_root() {
    assert_eq!(paths("Patient"), [""]);
    assert_eq!(paths("Patient.name.given"), [".name[0].given[0]", ".name[0].given[1]"]);
    assert_eq!(paths("name.given.extension.value"), [".name[0].given[1]_.extension[0].valueCode"]);
    assert_eq!(paths("Patient.multipleBirth"), [".multipleBirthInteger"]);
    assert_eq!(paths("birthDate"), [".birthDate"]);
    assert_eq!(paths("birthDate.id"), [".birthDate_.id"]);
    assert_eq!(paths("contained.where(id = 'o').name"), [".contained[0].name"]);
    assert_eq!(paths("name.where(given = 'none')"), [""; 0]);
}

#[test]
fn references_are_resolved_within_and_by_the_caller() {
    let document = Document::parse(PATIENT.as_bytes(), &json::Limits::default()).unwrap();
    let other = br#"{"resourceType":"Practitioner","id":"1","gender":"female"}"#;
    let other = Document::parse(other, &json::Limits::default()).unwrap();
    let resolver = |url: &str| (url == "Practitioner/1").then(|| other.root());
    let context = Context { resolver: Some(&resolver), ..Context::of(document.root()) };
    let holds = |text: &str| Expression::parse(text).unwrap().holds(&context).unwrap();
    assert!(holds("managingOrganization.resolve().name = 'A'"));
    assert!(holds("generalPractitioner.resolve() is Practitioner"));
    assert!(holds("generalPractitioner.resolve().gender = 'female'"));
    assert!(holds("'Practitioner/2'.resolve().empty()"));
    assert!(holds("birthDate.exists() and birthDate.hasValue().not()"));
}

#[test]
fn costs_are_bounded() {
    let patient = Document::parse(PATIENT.as_bytes(), &json::Limits::default()).unwrap();
    let problem = |text: &str| match Expression::parse(text) {
        Ok(expression) => expression.evaluate(&Context::of(patient.root())).unwrap_err().problem,
        Err(error) => error.problem,
    };
    assert_eq!(problem(&"(".repeat(1_000)), Problem::Limit("nesting"));
    assert_eq!(problem(&"-".repeat(1_000)), Problem::Limit("nesting"));
    assert_eq!(problem(&format!("1{}", "+1".repeat(1_000))), Problem::Limit("nesting"));
    assert_eq!(problem(&format!("name{}", ".where(true)".repeat(1_000))), Problem::Limit("nesting"));
    assert_eq!(problem(&" ".repeat(20_000)), Problem::Limit("length"));
    let growing = "(1|2).repeat($this + 1)";
    assert_eq!(problem(growing), Problem::Limit("steps"));
    let doubling = format!("'a'{}", ".select($this & $this)".repeat(60));
    assert!(matches!(problem(&doubling), Problem::Limit(_)));
    // Making regular expressions is what costs; the same one is made once.
    let holds = |text: &str| Expression::parse(text).unwrap().holds(&Context::of(patient.root())).unwrap();
    assert!(holds("'abc'.replaceMatches('(a)(b)', '$2x$1') = 'bxac'"));
    let many = "(1|2|3|4|5|6|7|8|9|10).select((1|2|3|4|5|6|7|8|9|10).select($this.toString() & '0')).select(";
    assert!(holds(&format!("{many}$this.matches('[0-9]')).count() = 100")));
    let ever_new =
        format!("{many}(1|2|3|4|5|6|7|8|9|10).select('a'.matches($this.toString() & 'x'))).count()");
    assert_eq!(problem(&ever_new), Problem::Limit("steps"));
    // As deep as is allowed, evaluated on the small stack of a test.
    let deep = format!("{}1{}", "iif(true, ".repeat(100), ")".repeat(100));
    let found = Expression::parse(&deep).unwrap().evaluate(&Context::of(patient.root())).unwrap();
    assert_eq!(found.len(), 1);
    let tight = Limits { items: 3, ..Limits::default() };
    let expression = Expression::parse_within("(1|2|3|4)", tight).unwrap();
    let error = expression.evaluate(&Context::of(patient.root())).unwrap_err();
    assert_eq!(error.problem, Problem::Limit("items of a collection"));
}

#[test]
fn errors_tell_the_place() {
    let at = |text: &str| Expression::parse(text).unwrap_err().at;
    assert_eq!(at("name.given."), 11);
    assert_eq!(at("name.colour()"), 5);
    assert_eq!(at("name.where(given = 'x"), 19);
    assert_eq!(at("1 + @2020-13"), 4);
    let check = |text: &str| Expression::parse(text).unwrap().check("Patient").unwrap_err();
    assert_eq!(check("name.where(colour = 'red')").at, 11);
    assert!(matches!(check("Observation.value").problem, Problem::UnknownElement { .. }));
    let document = Document::parse(PATIENT.as_bytes(), &json::Limits::default()).unwrap();
    let evaluated = |text: &str| {
        let root: Value<'_> = document.root();
        Expression::parse(text).unwrap().evaluate(&Context::of(root)).unwrap_err()
    };
    assert_eq!(evaluated("1 = 1 and name.given.single() = 'x'").at, 21);
    assert!(matches!(evaluated("gender.memberOf('x')").problem, Problem::NotAvailable(_)));
}

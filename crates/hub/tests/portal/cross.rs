//! Pages that name a patient, a record or a person, asked by somebody to whom these are not: the answer is that of a page
//! about what never was.

use axum::http::Method;
use ieum::portal::routes::{ROUTES, Route};
use ieum_trust::access::{Access, Role};
use ieum_trust::account::{self, Account};
use ieum_trust::person::keep;
use serde_json::json;

use crate::support::{Portal, Visitor};

/// What the variable part of a path names, and so who is asked with whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// A patient: a clinician asks with one to whom the institution has no relation.
    Patient,
    /// A record of a patient: asked with one of another patient, and with one that another institution made.
    Record,
    /// A kind of result: asked with one that only another patient, or another institution, has.
    Result,
    /// A consent: a patient asks with one of another patient.
    Consent,
    /// A member of the staff: a manager asks with one of another institution.
    Staff,
    /// A review: a privacy officer asks with one of another institution.
    Review,
    /// Nothing that is one person's more than another's, or a secret; the test named here holds it.
    HeldBy(&'static str),
}

use Names::{Consent, HeldBy, Patient, Record, Result, Review, Staff};

/// Every route with a variable part. One without a row here fails the test, and so does a row without a route.
const NAMED: &[(&str, &str, Names)] = &[
    ("GET", "/welcome/{token}", HeldBy("an_invitation_is_good_once_and_for_a_time")),
    ("POST", "/welcome/{token}", HeldBy("an_invitation_is_good_once_and_for_a_time")),
    ("POST", "/my-login/passkeys/{digest}/remove", HeldBy("every_route_answers_every_asker_as_declared")),
    (
        "POST",
        "/my-login/devices/{number}/end",
        HeldBy("devices_are_listed_and_ended_one_by_one_and_all_together"),
    ),
    ("POST", "/sign-in/with/{provider}", HeldBy("providers_are_not_taken_for_one_another")),
    ("GET", "/sign-in/with/{provider}/return", HeldBy("providers_are_not_taken_for_one_another")),
    ("GET", "/sign-in/with/{provider}/finish", HeldBy("providers_are_not_taken_for_one_another")),
    ("POST", "/set-up/with/{provider}", HeldBy("a_first_entry_is_set_up_elsewhere_and_confirmed_there_anew")),
    ("POST", "/confirm/with/{provider}", HeldBy("providers_are_not_taken_for_one_another")),
    (
        "POST",
        "/my-login/links/with/{provider}",
        HeldBy("an_identity_is_one_persons_and_lets_nobody_in_who_may_not"),
    ),
    (
        "POST",
        "/my-login/links/{link}/remove",
        HeldBy("an_identity_is_one_persons_and_lets_nobody_in_who_may_not"),
    ),
    ("POST", "/claim/{check}", HeldBy("who_is_not_that_patient_gets_nothing")),
    ("GET", "/claim/{check}/return", HeldBy("results_that_are_none_prove_nobody")),
    ("POST", "/my-apps/{client}/end", HeldBy("a_patient_sees_what_is_connected_and_takes_it_back")),
    ("POST", "/me/sharing/{id}/withdraw", Consent),
    ("POST", "/me/representatives/{id}", HeldBy("every_act_in_every_state_by_every_side")),
    ("POST", "/representing/{id}", HeldBy("every_act_in_every_state_by_every_side")),
    ("POST", "/representing/{id}/end", HeldBy("every_act_in_every_state_by_every_side")),
    ("GET", "/privacy/representatives/{id}", HeldBy("every_act_in_every_state_by_every_side")),
    ("POST", "/privacy/representatives/{id}", HeldBy("every_act_in_every_state_by_every_side")),
    ("POST", "/me/visit/relations/{id}/end", HeldBy("a_patient_lets_an_institution_see_and_ends_it")),
    ("GET", "/me/transfers/{id}", HeldBy("every_act_in_every_state_by_both_sides")),
    ("POST", "/me/transfers/{id}", HeldBy("every_act_in_every_state_by_both_sides")),
    ("POST", "/privacy/transfers/{id}", HeldBy("every_act_in_every_state_by_both_sides")),
    ("GET", "/manager/clients/{id}", HeldBy("an_institution_reaches_its_own_alone")),
    ("POST", "/manager/clients/{id}/keys", HeldBy("an_institution_reaches_its_own_alone")),
    ("POST", "/manager/clients/{id}/end", HeldBy("an_institution_reaches_its_own_alone")),
    ("GET", "/oauth/consent/{request}", HeldBy("an_app_is_started_from_a_chart")),
    ("POST", "/oauth/consent/{request}", HeldBy("an_app_is_started_from_a_chart")),
    ("POST", "/oauth/consent/{request}/deny", HeldBy("an_app_is_started_from_a_chart")),
    ("GET", "/patients/{id}", Patient),
    ("GET", "/patients/{id}/visits", Patient),
    ("GET", "/patients/{id}/problems", Patient),
    ("GET", "/patients/{id}/medicines", Patient),
    ("GET", "/patients/{id}/results", Patient),
    ("GET", "/patients/{id}/results/{code}", Result),
    ("GET", "/patients/{id}/vitals", Patient),
    ("GET", "/patients/{id}/immunisations", Patient),
    ("GET", "/patients/{id}/documents", Patient),
    ("GET", "/patients/{id}/documents/{document}", Record),
    ("GET", "/patients/{id}/apps", Patient),
    ("POST", "/patients/{id}/apps/{client}", Patient),
    ("GET", "/me/results/{code}", Result),
    ("GET", "/me/documents/{document}", Record),
    ("GET", "/manager/staff/{id}", Staff),
    ("POST", "/manager/staff/{id}", Staff),
    ("POST", "/manager/staff/{id}/invite", Staff),
    ("POST", "/manager/staff/{id}/end", Staff),
    ("POST", "/privacy/reviews/{id}", Review),
    // Operators see the hub's jobs and subscriptions, whoever asked for them.
    ("POST", "/operator/jobs/{id}/cancel", HeldBy("every_route_answers_every_asker_as_declared")),
    ("POST", "/operator/subscriptions/{key}/off", HeldBy("every_route_answers_every_asker_as_declared")),
    ("GET", "/assets/{name}", HeldBy("every_route_answers_every_asker_as_declared")),
];

/// Two patients, two institutions, and what each wrote.
fn portal() -> Portal {
    let portal = Portal::with_accounts();
    for id in ["a", "b"] {
        portal.put(&[json!({"resourceType": "Organization", "id": id, "name": format!("가상 {id}")})]);
    }
    for (id, number) in [("p1", "A-1"), ("p2", "A-2")] {
        portal.put(&[json!({"resourceType": "Patient", "id": id, "name": [{"text": "김시험"}], "birthDate": "1980-02-03",
            "identifier": [{"system": "urn:test", "value": number}]})]);
    }
    for patient in ["p1", "p2"] {
        let subject = json!({"reference": format!("Patient/{patient}")});
        portal.put(&[json!({"resourceType": "Consent", "id": format!("k-{patient}"), "status": "active",
            "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"coding": [{"code": "59284-0"}]}],
            "patient": subject, "performer": [subject], "dateTime": "2026-01-01T00:00:00Z", "policy": [{"uri": "urn:test"}],
            "provision": {"type": "deny"}})]);
    }
    for (patient, by) in [("p1", "a"), ("p1", "b"), ("p2", "b")] {
        let (start, end) =
            if by == "a" { ("2026-01-01", "2099-01-01") } else { ("2001-01-01", "2001-01-02") };
        let (id, subject) = (format!("{patient}-{by}"), json!({"reference": format!("Patient/{patient}")}));
        let encounter = json!({"reference": format!("Encounter/e-{id}")});
        portal.put(&[
            json!({"resourceType": "Encounter", "id": format!("e-{id}"), "status": "finished", "class": {"code": "AMB"}, "subject": subject,
                "period": {"start": start, "end": end}, "serviceProvider": {"reference": format!("Organization/{by}")}}),
            json!({"resourceType": "Observation", "id": format!("o-{id}"), "status": "final", "subject": subject, "encounter": encounter,
                "code": {"coding": [{"system": "http://loinc.org", "code": format!("code-{id}")}]}, "effectiveDateTime": "2001-01-01",
                "valueQuantity": {"value": 6.1, "unit": "%"}}),
            json!({"resourceType": "DocumentReference", "id": format!("d-{id}"), "status": "current", "subject": subject,
                "custodian": {"reference": format!("Organization/{by}")},
                "content": [{"attachment": {"contentType": "text/plain", "data": "7IaM6rKs"}}]}),
        ]);
    }
    portal
}

/// Who asks, and with what: the name of what is somebody else's, and of what never was.
struct Asked<'v> {
    who: &'v Visitor,
    path: String,
    never: String,
}

struct People {
    clinician: Visitor,
    patient: Visitor,
    manager: Visitor,
    officer: Visitor,
    /// An account of the staff of `b`, and a review there.
    staff: String,
    review: String,
    /// A registered app.
    client: String,
}

impl People {
    fn new(portal: &Portal) -> Self {
        let enrol =
            |role, organization, login| portal.enrol(&portal.invite(role, Some(organization)), login).1;
        let doctor = enrol(Role::Clinician, "b", "doctor.b");
        let reason = "reason=a+reason+that+is+long+enough&minutes=30&number=A-1&birth=1980-02-03";
        portal.post(&doctor, "/emergency", reason).expect(303);
        let of_b = portal.get(&enrol(Role::Privacy, "b", "officer.b"), "/privacy/reviews").expect(200).body;
        let review =
            of_b.split("action=\"/privacy/reviews/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let person = keep::by_login(&portal.door, "doctor.b").unwrap().unwrap().id;
        let accounts = account::list(&portal.door, &Access::system("test")).unwrap();
        let is_of_b = |(_, account): &&(String, Account)| account.person.as_ref() == Some(&person);
        Self {
            clinician: enrol(Role::Clinician, "a", "doctor.a"),
            patient: portal.sign_in(&portal.account(Role::Patient, Some("p1"))),
            manager: enrol(Role::Manager, "a", "manager.a"),
            officer: enrol(Role::Privacy, "a", "officer.a"),
            staff: accounts.iter().find(is_of_b).unwrap().0.clone(),
            review,
            client: crate::authorization::app_for_charts(portal),
        }
    }

    fn ask(&self, route: &Route, names: Names) -> Vec<Asked<'_>> {
        let is_own = route.pattern.starts_with("/me/");
        let record = if is_own { &self.patient } else { &self.clinician };
        let (who, others): (_, Vec<(&str, &str, &str)>) = match names {
            Patient => (&self.clinician, vec![("{id}", "p2", "never")]),
            Record => (record, vec![("{document}", "d-p2-b", "never"), ("{document}", "d-p1-b", "never")]),
            Result => {
                (record, vec![("{code}", "code-p2-b", "code-never"), ("{code}", "code-p1-b", "code-never")])
            }
            Consent => (&self.patient, vec![("{id}", "k-p2", "never")]),
            Staff => (&self.manager, vec![("{id}", &self.staff, "never")]),
            Review => (&self.officer, vec![("{id}", &self.review, "never")]),
            HeldBy(_) => (&self.patient, Vec::new()),
        };
        let fill = |part: &str, value: &str| {
            let path = route.pattern.replace(part, value).replace("{id}", "p1");
            path.replace("{client}", &self.client)
        };
        // What another institution made is the patient's own all the same.
        let others = others.into_iter().filter(|(_, other, _)| !is_own || !other.contains("p1"));
        others
            .map(|(part, other, never)| Asked { who, path: fill(part, other), never: fill(part, never) })
            .collect()
    }
}

// threat: 2
#[test]
fn what_is_somebody_elses_is_answered_as_what_never_was() {
    let portal = portal();
    let people = People::new(&portal);
    let form = "role=privacy&departments=&decision=justified&note=x";
    for route in ROUTES.iter().filter(|route| route.pattern.contains('{')) {
        let row = NAMED.iter().find(|row| row.0 == route.method.as_str() && row.1 == route.pattern);
        let Some((_, _, names)) = row else { panic!("{} {} has no row", route.method, route.pattern) };
        for asked in people.ask(route, *names) {
            let answer = |path: &str| {
                let before = refusals(&portal);
                let reply = if route.method == Method::POST {
                    portal.post(asked.who, path, form)
                } else {
                    portal.get(asked.who, path)
                };
                let told = reply.body.replace(path.trim_end_matches("/end"), "PATH");
                let last = path.rsplit('/').next().unwrap();
                (
                    reply.status.as_u16(),
                    reply.header("location").to_owned(),
                    plain(&told.replace(last, "LAST")),
                    refusals(&portal) - before,
                )
            };
            let (told, expected) = (answer(&asked.path), answer(&asked.never));
            assert_eq!(told, expected, "{} {}", route.method, asked.path);
            if told.0 == 404 {
                assert_eq!(told.3, 1, "{}: written down", asked.path);
            } else {
                assert!(*names == Result && told.0 == 200, "{} {}: {told:?}", route.method, asked.path);
            }
        }
    }
    for (method, pattern, _) in NAMED {
        let is_there =
            ROUTES.iter().any(|route| route.method.as_str() == *method && route.pattern == *pattern);
        assert!(is_there, "{method} {pattern} is a row without a route");
    }
    // The same names mean something to those whose they are.
    for (who, path) in [
        (&people.clinician, "/patients/p1/documents/d-p1-a"),
        (&people.patient, "/me/documents/d-p1-b"),
        (&people.clinician, "/patients/p1/apps"),
    ] {
        portal.get(who, path).expect(200);
    }
}

/// How many refusals are written down.
fn refusals(portal: &Portal) -> usize {
    let view = portal.door.view(&Access::system("test")).unwrap();
    view.audit_entries(None, 1_000).unwrap().iter().filter(|stored| !stored.entry.allowed).count()
}

/// A page without what each answer names by itself: the number of the request and tokens of forms.
fn plain(page: &str) -> String {
    let words = page.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_".contains(letter));
    words.filter(|word| word.len() < 30).collect::<Vec<_>>().join(" ")
}

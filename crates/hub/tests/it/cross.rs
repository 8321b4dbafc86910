//! The wrong patient, the wrong institution, the wrong role, the wrong purpose, at every route: what one may not know of
//! is answered as what was never there.
//!
//! Two servers are asked the same: one holds everything, the other never held what is hidden from the asker. The answers
//! must be the same but for the time and the names that the servers give. The questions follow from the table of routes;
//! that they would tell is shown by asking the same for the hub's own system, which must learn more from the first.

use ieum::routes;
use ieum_fhir::search::Query;
use ieum_trust::access::{Access, Role};
use ieum_trust::purpose::Purpose;

use crate::support::{Kind, Reply, Server, on_every_engine};

mod questions;
pub(crate) mod world;

use questions::{Others, Question};
use world::{Asker, World, hidden};

on_every_engine!(
    the_wrong_patient_is_answered_as_nobody,
    the_wrong_institution_is_answered_as_nobody,
    the_wrong_role_is_answered_as_nobody,
    every_question_would_tell,
    a_consent_is_for_its_purpose,
);

// threat: 2, 3
fn the_wrong_patient_is_answered_as_nobody(kind: Kind) {
    cross(kind, &[Asker::Patient]);
}

// threat: 1, 2, 3
fn the_wrong_institution_is_answered_as_nobody(kind: Kind) {
    cross(kind, &[Asker::Doctor, Asker::System, Asker::Elsewhere]);
}

// threat: 2
fn the_wrong_role_is_answered_as_nobody(kind: Kind) {
    cross(kind, &[Asker::Operator, Asker::Manager, Asker::Privacy]);
}

fn cross(kind: Kind, askers: &[Asker]) {
    let mut faults = Vec::new();
    for asker in askers {
        let (whole, without) = (World::whole(kind), World::without(kind, *asker));
        let (knows, never) = (whole.account(*asker), without.account(*asker));
        let others = Others { job: &whole.job, subscription: &whole.subscription };
        for route in routes::all() {
            let questions = questions::at(route, &hidden(*asker), &others);
            assert!(!questions.is_empty(), "no question for {} {}", route.method, route.pattern);
            for question in questions {
                let told = answer(&whole.server, &knows, &question);
                if question.tells_taken {
                    let refused =
                        told.starts_with("403") || told.starts_with("422") || told.starts_with("400");
                    assert!(refused && !told.contains("canary"), "{asker:?} {question:?}: {told}");
                    continue;
                }
                let expected = answer(&without.server, &never, &question);
                if told != expected {
                    faults.push(format!("{asker:?}: {question:?}\n  {}", difference(&told, &expected)));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} answers tell:\n{}", faults.len(), faults.join("\n"));
}

/// Where two answers part.
fn difference(told: &str, expected: &str) -> String {
    let same = told.chars().zip(expected.chars()).take_while(|(one, other)| one == other).count();
    let part = |text: &str| text.chars().skip(same.saturating_sub(60)).take(200).collect::<String>();
    format!("{:?}\n  instead of {:?}", part(told), part(expected))
}

/// The routes at which nothing about records is told, and those whose questions are about names that the first server gave.
const TELL_NOTHING: [&str; 6] = [
    "/fhir/metadata",
    "/fhir/.well-known/smart-configuration",
    "/fhir/openapi.json",
    "/fhir/$ws",
    "/fhir/$jobs/{id}",
    "/fhir/$import",
];

// threat: 2
fn every_question_would_tell(kind: Kind) {
    let asker = Asker::Elsewhere;
    let (whole, without) = (World::whole(kind), World::without(kind, asker));
    let others = Others { job: &whole.job, subscription: &whole.subscription };
    for route in routes::all().filter(|route| !TELL_NOTHING.contains(&route.pattern)) {
        if !["GET", "POST"].contains(&route.method.as_str()) || route.pattern == "/fhir/$jobs/{id}/{file}" {
            continue;
        }
        let tells = |question: &Question| {
            let told = answer(&whole.server, whole.hub(), question);
            assert!(!told.starts_with("400") || route.action == "bundle", "{question:?}: {told}");
            told != answer(&without.server, without.hub(), question)
        };
        let questions = questions::at(route, &hidden(asker), &others);
        let telling = questions.iter().filter(|question| tells(question)).count();
        assert!(telling > 0, "no question at {} {} would tell", route.method, route.pattern);
    }
}

/// What is told: the status, the headers that may tell, and the body; of a job that is begun, its result with its files.
fn answer(server: &Server, secret: &str, question: &Question) -> String {
    let bearer = format!("Bearer {secret}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(question.headers.iter().map(|(name, value)| (*name, value.as_str())));
    let body =
        (!question.headers.is_empty() && !question.body.is_empty()).then_some(question.body.as_bytes());
    let reply = server.request(question.method, &question.path.replace(['|', ' '], "%7C"), &headers, body);
    let mut told = plain(server, &reply);
    if reply.status == 202 && reply.header("content-location").is_some() {
        let result = server.result(Some(secret), &reply);
        told += &plain(server, &result);
        if result.status == 200 {
            let manifest = result.json();
            for part in ["output", "deleted", "error"] {
                for file in manifest[part].as_array().into_iter().flatten() {
                    if let Some(url) = file["url"].as_str() {
                        told += &plain(server, &server.get_as(secret, url));
                    }
                }
            }
        }
    }
    told
}

fn plain(server: &Server, reply: &Reply) -> String {
    let headers = ["etag", "location", "allow", "www-authenticate", "content-type", "retry-after"];
    let headers: Vec<_> = headers.iter().filter_map(|name| reply.header(name)).collect();
    let text = format!("{} {headers:?}\n{}\n", reply.status, String::from_utf8_lossy(&reply.body));
    without_names(&text.replace(&server.address.to_string(), "HERE"))
}

/// The text without what each server names by itself: ids, instants, digests, page tokens.
fn without_names(text: &str) -> String {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "-_:.+".contains(letter);
    let mut out = String::new();
    for piece in text.split_inclusive(|letter: char| !is_of_name(letter)) {
        let (word, end) = match piece.char_indices().next_back() {
            Some((at, last)) if !is_of_name(last) => (&piece[..at], &piece[at..]),
            _ => (piece, ""),
        };
        let is_uuid =
            word.strip_prefix("urn:uuid:").unwrap_or(word).len() == 36 && word.matches('-').count() == 4;
        let is_instant = word.len() >= 20 && word.starts_with("20") && word.as_bytes()[10] == b'T';
        let is_long = word.len() >= 40;
        out += if is_uuid || is_instant || is_long { "NAME" } else { word };
        out += end;
    }
    out
}

// threat: 7
fn a_consent_is_for_its_purpose(kind: Kind) {
    let world = World::whole(kind);
    let seen = |purpose: Purpose| {
        let doctor =
            Access { organization: Some("a".into()), purpose, ..Access::new("somebody", Role::Clinician) };
        let view = world.server.door.resource_view(&doctor).unwrap();
        let query = |kind: &str| Query { kind: kind.into(), ..Query::default() };
        let kinds = ["Condition", "Observation", "Encounter", "DocumentReference", "Provenance"];
        let mut ids: Vec<String> =
            kinds.iter().flat_map(|kind| view.matching_ids(&query(kind), 100).unwrap()).collect();
        ids.sort();
        ids
    };
    let own = ["c-p1-a", "d-p1-a", "e-p1-a", "o-p1-a", "v-p1-a"];
    for purpose in [
        Purpose::Treatment,
        Purpose::Emergency,
        Purpose::BreakGlass,
        Purpose::Payment,
        Purpose::Operations,
        Purpose::PublicHealth,
        Purpose::PatientRequest,
        Purpose::FamilyRequest,
        Purpose::Compliance,
        Purpose::Administration,
        Purpose::Test,
    ] {
        assert_eq!(seen(purpose), own, "{purpose:?}");
    }
    let all =
        ["c-p1-a", "c-p1-b", "d-p1-a", "d-p1-b", "e-p1-a", "e-p1-b", "o-p1-a", "o-p1-b", "v-p1-a", "v-p1-b"];
    assert_eq!(seen(Purpose::Research), all, "what the consent is for");
}

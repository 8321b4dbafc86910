//! What access costs: each question asked in turn by a clinician of the hub's one institution, and by one of another institution who
//! reaches everything by a relation to each patient and a consent of each with an exception: the dearest case there is.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bulk::import;
use crate::http::Client;
use crate::report::{Better, percentile};
use crate::server::{Program, emptied};
use crate::shapes::{Class, SHAPES, Values};
use crate::{Bench, Result};

const TIME: (&str, Better) = ("ms", Better::Less);
/// The institution that acts.
const ACTING: &str = "acting";
const PAGE: &str = "&_count=20&_total=none";

/// Runs the workload. In the table the first column is the other institution, the floor that of the hub itself.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let values = Values::new(&bench.corpus)?;
    let data = bench.data_of(Program::Ieum, "access");
    emptied(&data)?;
    let folder = bench.place("access-ndjson");
    emptied(&folder)?;
    bench.corpus.write_ndjson(&folder, 0)?;
    std::fs::write(folder.join("access.ndjson"), evidence(&bench.corpus.of_kind("Patient")?)?)?;
    import(bench, &data, &folder)?;
    let hub = account(&bench.programs.ieum, &data, &[])?;
    let other = account(&bench.programs.ieum, &data, &["--organization", ACTING])?;
    let server = bench.programs.start_with_accounts(&data, &hub)?;
    let callers = [server.client(), server.client_with(&other)];
    let reads = bench.corpus.of_kind("Observation")?;
    compare(bench, "read", &["Observation/{o.id}"], callers, |n| {
        format!("Observation/{}", reads[(n * 7_919 + 13) % reads.len()]["id"].as_str().unwrap_or_default())
    })?;
    for class in Class::ALL {
        let shapes: Vec<&str> =
            SHAPES.iter().filter(|(of, _)| *of == class).map(|(_, shape)| *shape).collect();
        let callers = [server.client(), server.client_with(&other)];
        compare(bench, class.name(), &shapes, callers, |n| {
            let question = values.fill(shapes[n % shapes.len()], n / shapes.len());
            if question.contains("_summary=count") { question } else { format!("{question}{PAGE}") }
        })?;
    }
    server.stop()
}

/// Asks both the same questions in turn.
fn compare(
    bench: &mut Bench,
    what: &str,
    shapes: &[&str],
    mut callers: [Client; 2],
    question: impl Fn(usize) -> String,
) -> Result<()> {
    let mut times: [Vec<Duration>; 2] = Default::default();
    let mut sums = vec![[0.0; 2]; shapes.len()];
    for n in 0..if bench.quick { 8 } else { 1_200 } {
        let question = question(n);
        let mut answers = [Vec::new(), Vec::new()];
        for place in [n % 2, 1 - n % 2] {
            let started = Instant::now();
            let answer = callers[place].get(&question)?;
            let time = started.elapsed();
            if answer.status != 200 {
                return Err(format!("{question}: status {}", answer.status).into());
            }
            times[place].push(time);
            sums[n % shapes.len()][place] += time.as_secs_f64();
            let body = answer.json()?;
            answers[place] = told(&body);
        }
        if answers[0] != answers[1] {
            return Err(format!("{question}: the answers are not the same").into());
        }
    }
    let [hub, other] = &mut times;
    for percent in [50, 95] {
        if let (Some(hub), Some(other)) = (percentile(hub, percent), percentile(other, percent)) {
            let what = format!("{what}, p{percent}");
            bench.report.floor(("access", &what), TIME, hub);
            bench.report.server(("access", &what), TIME, Program::Ieum, other);
        }
    }
    for (shape, [hub, other]) in shapes.iter().zip(sums) {
        let more = (other / hub - 1.0) * 100.0;
        bench.report.note(format!("access: `{}`: {more:+.0} % time in all", shape.replace("%7C", "\\|")));
    }
    Ok(())
}

/// What is answered: the record, or the number of matches and the entries in their order.
fn told(body: &Value) -> Vec<Value> {
    let entries = body["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = entries.iter().map(|entry| entry["fullUrl"].clone());
    [body["id"].clone(), body["meta"]["versionId"].clone(), body["total"].clone()]
        .into_iter()
        .chain(named)
        .collect()
}

/// The institution, and for each patient an order to it and a consent.
fn evidence(patients: &[Value]) -> Result<String> {
    let date = Command::new("date").args(["--utc", "+%FT%TZ"]).output()?;
    let now = String::from_utf8(date.stdout)?.trim().to_owned();
    let mut lines = vec![json!({ "resourceType": "Organization", "id": ACTING, "name": "가상기관" })];
    for patient in patients {
        let id = patient["id"].as_str().ok_or("a patient without id")?;
        let subject = json!({ "reference": format!("Patient/{id}") });
        lines.push(json!({
            "resourceType": "ServiceRequest", "id": format!("sr-{id}"), "status": "active", "intent": "order",
            "subject": subject, "authoredOn": now,
            "performer": [{ "reference": format!("Organization/{ACTING}") }],
        }));
        let coding = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
        let label = json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY" });
        lines.push(json!({
            "resourceType": "Consent", "id": format!("co-{id}"), "status": "active", "dateTime": now,
            "scope": coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
            "category": [coding("http://loinc.org", "59284-0")],
            "patient": subject, "performer": [subject],
            "policy": [{ "uri": "https://ieum.example/policies/bench" }],
            "provision": { "type": "permit", "provision": [{ "type": "deny", "securityLabel": [label] }] },
        }));
    }
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// A clinician's account; gives its secret.
fn account(ieum: &Path, data: &Path, more: &[&str]) -> Result<String> {
    let mut command = Command::new(ieum);
    command.args(["account", "add", "--role", "clinician", "--name", "bench"]).args(more);
    let output = command.arg("--data").arg(data).stdin(Stdio::null()).output()?;
    let told = String::from_utf8(output.stdout)?;
    told.lines().last().map(ToOwned::to_owned).ok_or_else(|| "`ieum account add` told no secret".into())
}

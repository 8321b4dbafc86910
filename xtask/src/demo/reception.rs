//! Who is at the demo's clinic: visits of this day, without which nobody there would reach a record.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::Demo;
use super::people::{patient_id, richest_patient};
use crate::Result;
use crate::process::{output, run};

/// The clinic of the demo's clinician: 이음가상내과의원.
pub(super) const CLINIC: &str = "org-99110101";

/// Visits to the clinic.
const VISITS: u64 = 60;

/// Registers the first of the demo's people, and the one with an account, at the clinic.
pub(super) fn open(demo: &Demo, ieum: &Path) -> Result<()> {
    let folder = demo.folder.join("reception");
    fs::create_dir_all(&folder)?;
    let mut patients: Vec<String> = (0..VISITS.min(demo.patients)).map(patient_id).collect();
    patients.push(richest_patient(demo.patients));
    patients.dedup();
    let now = output(Command::new("date").args(["--utc", "+%FT%TZ"]))?;
    let visits: Vec<String> = patients.iter().map(|patient| visit(patient, now.trim())).collect();
    fs::write(folder.join("visits.ndjson"), visits.join("\n") + "\n")?;
    run(Command::new(ieum).arg("import").arg("--data").arg(demo.data()).arg(&folder))
}

fn visit(patient: &str, now: &str) -> String {
    json!({
        "resourceType": "Encounter",
        "id": format!("reception-{patient}"),
        "status": "in-progress",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
        "subject": { "reference": format!("Patient/{patient}") },
        "serviceProvider": { "reference": format!("Organization/{CLINIC}") },
        "period": { "start": now },
    })
    .to_string()
}

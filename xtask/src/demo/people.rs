//! The demo's accounts: one for each role, made once.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ieum_synth::{Options as SynthOptions, patient_bundle};

use super::{Demo, SEED};
use crate::{Result, accounts};

/// Somebody who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// Role in Korean and English.
    pub(super) role: &'static str,
    /// What they log in with.
    pub(super) secret: String,
}

/// Role for the command, and its name for readers.
const ROLES: [(&str, &str, &str); 4] = [
    ("clinician", "의료진 clinician", "가상 의료진 (demo clinician)"),
    ("patient", "환자 patient", "가상 환자 (demo patient)"),
    ("operator", "운영자 operator", "가상 운영자 (demo operator)"),
    ("service", "시스템 (FHIR) service", "가상 시스템 (demo service)"),
];

/// Makes the accounts, or reads those made at an earlier start.
pub(super) fn ensure(demo: &Demo, ieum: &Path) -> Result<Vec<Person>> {
    let path = demo.folder.join("accounts.txt");
    let mut kept = fs::read_to_string(&path).unwrap_or_default();
    for (role, _, name) in ROLES {
        if secret_of(&kept, role).is_some() {
            continue;
        }
        let patient = (role == "patient").then(|| richest_patient(demo.patients));
        let secret = accounts::add(ieum, &demo.data(), role, name, patient.as_deref())?;
        let line = format!("{role} {secret}\n");
        // Only the owner may read secrets, even those of a demo.
        let mut file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.write_all(line.as_bytes())?;
        kept += &line;
    }
    let person = |(role, title, _): (&str, &'static str, &str)| {
        let secret = secret_of(&kept, role).ok_or("an account just made has no secret")?;
        Ok(Person { role: title, secret: secret.to_owned() })
    };
    ROLES.into_iter().map(person).collect()
}

fn secret_of<'t>(kept: &'t str, role: &str) -> Option<&'t str> {
    kept.lines().filter_map(|line| line.split_once(' ')).find(|(of, _)| *of == role).map(|(_, secret)| secret)
}

/// The id of the patient with the longest records among the first: there is most to see.
fn richest_patient(patients: u64) -> String {
    let options = SynthOptions::new(patients, SEED);
    let longest = (0..patients.min(100)).max_by_key(|patient| patient_bundle(&options, *patient).json.len());
    format!("s{SEED}-p{}", longest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_role() {
        let kept = "clinician abc\npatient def\n";
        assert_eq!(secret_of(kept, "patient"), Some("def"));
        assert_eq!(secret_of(kept, "operator"), None);
    }

    #[test]
    fn the_demos_patient_is_one_of_its_people() {
        let id = richest_patient(3);
        let options = SynthOptions::new(3, SEED);
        let of_anybody = (0..3).any(|patient| {
            let json = patient_bundle(&options, patient).json;
            String::from_utf8(json).unwrap().contains(&format!("\"Patient/{id}\""))
        });
        assert!(of_anybody, "{id}");
    }
}

//! The demo's accounts: one for each role, made once. Those who treat, manage and review are at institutions of the country.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ieum_synth::{Options as SynthOptions, patient_bundle};

use super::reception::CLINIC;
use super::{Demo, SEED};
use crate::{Result, accounts};

/// Somebody who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// Role in Korean and English.
    pub(super) role: &'static str,
    /// What they log in with: a secret, or the end of the link where they choose how.
    pub(super) way: String,
}

/// One account of the demo.
struct Made {
    /// Its name in the file of secrets.
    key: &'static str,
    /// Role for the command.
    role: &'static str,
    /// What the sign calls it.
    title: &'static str,
    name: &'static str,
    at: At,
}

/// Where somebody acts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the clinic where the demo's patients were today, with a secret.
    Clinic,
    /// There, as a person who sets up how they sign in.
    ClinicInPerson,
    /// At a hospital that none of them has been to lately, likewise.
    HospitalInPerson,
    /// As themselves.
    Patient,
    /// For the hub itself.
    Hub,
}

const ACCOUNTS: [Made; 7] = [
    Made {
        key: "clinic",
        role: "clinician",
        title: "의원 의료진 clinician",
        name: "가상 의료진 (demo clinician)",
        at: At::Clinic,
    },
    Made {
        key: "patient",
        role: "patient",
        title: "환자 patient",
        name: "가상 환자 (demo patient)",
        at: At::Patient,
    },
    Made {
        key: "operator",
        role: "operator",
        title: "운영자 operator",
        name: "가상 운영자 (demo operator)",
        at: At::Hub,
    },
    Made {
        key: "service",
        role: "service",
        title: "시스템 (FHIR) service",
        name: "가상 시스템 (demo service)",
        at: At::Hub,
    },
    Made {
        key: "hospital",
        role: "clinician",
        title: "응급실 의사 emergency",
        name: "가상 응급의 (demo emergency doctor)",
        at: At::HospitalInPerson,
    },
    Made {
        key: "manager",
        role: "manager",
        title: "의원 관리자 manager",
        name: "가상 관리자 (demo manager)",
        at: At::ClinicInPerson,
    },
    Made {
        key: "privacy",
        role: "privacy",
        title: "보호책임자 privacy",
        name: "가상 보호책임자 (demo privacy officer)",
        at: At::HospitalInPerson,
    },
];

/// The hospital of those who have no relation to the demo's patients.
const HOSPITAL: &str = "org-99110001";

/// Makes the accounts, or reads those made at an earlier start.
pub(super) fn ensure(demo: &Demo, ieum: &Path) -> Result<Vec<Person>> {
    let path = demo.folder.join("accounts.txt");
    let mut kept = fs::read_to_string(&path).unwrap_or_default();
    for made in &ACCOUNTS {
        if way_of(&kept, made.key).is_some() {
            continue;
        }
        let line = format!("{} {}\n", made.key, make(demo, ieum, made)?);
        // Only the owner may read secrets, even those of a demo.
        let mut file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.write_all(line.as_bytes())?;
        kept += &line;
    }
    let person = |made: &Made| {
        let way = way_of(&kept, made.key).ok_or("an account just made has no secret")?;
        Ok(Person { role: made.title, way: way.to_owned() })
    };
    ACCOUNTS.iter().map(person).collect()
}

fn make(demo: &Demo, ieum: &Path, made: &Made) -> Result<String> {
    let (who, data) = ((made.role, made.name), demo.data());
    match made.at {
        At::Hub => accounts::add(ieum, &data, who, &[]),
        At::Clinic => accounts::add(ieum, &data, who, &["--organization", CLINIC]),
        At::Patient => accounts::add(ieum, &data, who, &["--patient", &richest_patient(demo.patients)]),
        At::ClinicInPerson => accounts::invite(ieum, &data, who, CLINIC),
        At::HospitalInPerson => accounts::invite(ieum, &data, who, HOSPITAL),
    }
}

fn way_of<'t>(kept: &'t str, key: &str) -> Option<&'t str> {
    kept.lines().filter_map(|line| line.split_once(' ')).find(|(of, _)| *of == key).map(|(_, way)| way)
}

/// The id of the patient with the longest records among the first: there is most to see.
pub(super) fn richest_patient(patients: u64) -> String {
    let options = SynthOptions::new(patients, SEED);
    let longest = (0..patients.min(100)).max_by_key(|patient| patient_bundle(&options, *patient).json.len());
    patient_id(longest.unwrap_or_default())
}

/// The id of the `n`th patient.
pub(super) fn patient_id(n: u64) -> String {
    format!("s{SEED}-p{n}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_role() {
        let kept = "clinician abc\npatient def\n";
        assert_eq!(way_of(kept, "patient"), Some("def"));
        assert_eq!(way_of(kept, "operator"), None);
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

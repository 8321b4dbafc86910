//! `ieum account`: on the data directory itself, or through the hub that runs on it.

use std::path::Path;
use std::process::ExitCode;

use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::door::Door;
use serde::{Deserialize, Serialize};

use super::control::{self, Answer};
use super::{Account, Result, say};
use crate::data::{Data, DataError, holds_records};

/// What is to be done with accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Task {
    Add { role: Role, name: String, patient: Option<String> },
    List,
    Remove { id: String },
}

pub(super) fn run(command: &Account) -> Result<ExitCode> {
    let (data, task) = match command {
        Account::Add { data, role, name, patient } => {
            if (*role == Role::Patient) != patient.is_some() {
                return Err("--patient ID goes with --role patient, and only with it".into());
            }
            (data, Task::Add { role: *role, name: name.clone(), patient: patient.clone() })
        }
        Account::List { data } => (data, Task::List),
        Account::Remove { data, id } => (data, Task::Remove { id: id.clone() }),
    };
    for line in done(data, &task)?? {
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Does it here, or has the hub do it that has the directory open.
fn done(directory: &Path, task: &Task) -> Result<Answer> {
    let is_new = !holds_records(directory);
    let opened = match task {
        // The first account may come before the first start.
        Task::Add { .. } => Data::open(directory, None),
        Task::List | Task::Remove { .. } => Data::existing(directory, None),
    };
    let data = match opened {
        Ok(data) => data,
        Err(DataError::InUse(_)) => return control::ask(directory, &control::Task::Account(task.clone())),
        Err(error) => return Err(error.into()),
    };
    if is_new {
        eprintln!("{} held no records: made a new data directory there", directory.display());
    }
    let answer = perform(&data.door, task);
    data.engine.stop();
    Ok(answer)
}

/// Does a task; gives the lines to print, or why it cannot be done.
pub(super) fn perform(door: &Door, task: &Task) -> Answer {
    let access = Access::system("account");
    match task {
        Task::Add { role, name, patient } => add(door, &access, *role, name, patient.as_deref()),
        Task::List => {
            let accounts = account::list(door, &access).map_err(|error| error.to_string())?;
            let line = |(id, account): &(String, account::Account)| {
                let patient = account.patient.as_ref().map(|patient| format!("  Patient/{patient}"));
                format!("{id}  {:<9}  {}{}", account.role.name(), account.name, patient.unwrap_or_default())
            };
            Ok(accounts.iter().map(line).collect())
        }
        Task::Remove { id } => {
            if account::remove(door, &access, id).map_err(|error| error.to_string())? {
                Ok(vec![format!("{id} is removed: its secret and its sessions let nobody in any more")])
            } else {
                Err("there is no account with this id; `ieum account list` prints them".into())
            }
        }
    }
}

fn add(door: &Door, access: &Access, role: Role, name: &str, patient: Option<&str>) -> Answer {
    if let Some(patient) = patient {
        let view = door.view(access).map_err(|error| error.to_string())?;
        let record = view.read("Patient", patient).map_err(|error| error.to_string())?;
        if record.is_none_or(|record| record.is_deleted()) {
            return Err("there is no Patient record with this id".into());
        }
    }
    let secret = account::new_secret().map_err(|error| error.to_string())?;
    account::create(door, access, name, role, patient, &secret).map_err(|error| error.to_string())?;
    Ok(vec![secret])
}

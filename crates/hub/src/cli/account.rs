//! `ieum account`: on the data directory itself, or through the hub that runs on it.

use std::path::Path;
use std::process::ExitCode;

use ieum_store::clock::system_clock;
use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::access::{Access, Role};
use ieum_trust::account;
use ieum_trust::door::Door;
use ieum_trust::person::{State, keep, login_name};
use serde::{Deserialize, Serialize};

use super::control::{self, Answer};
use super::{Account, Result, say};
use crate::data::{Data, DataError, holds_records};

/// What is to be done with accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Task {
    Add { role: Role, name: String, patient: Option<String>, organization: Option<String> },
    Invite(Invited),
    Again { id: String },
    Lock { login: String },
    Unlock { login: String },
    List,
    Remove { id: String },
}

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Invited {
    role: Role,
    name: String,
    patient: Option<String>,
    organization: Option<String>,
    departments: Vec<String>,
}

pub(super) fn run(command: &Account) -> Result<ExitCode> {
    let (data, task) = match command {
        Account::Add { data, role, name, patient, organization } => {
            check_patient(*role, patient.as_deref())?;
            let (name, patient, organization) = (name.clone(), patient.clone(), organization.clone());
            (data, Task::Add { role: *role, name, patient, organization })
        }
        Account::Invite { data, account: Some(id), .. } => (data, Task::Again { id: id.clone() }),
        Account::Invite { data, role, name, patient, organization, departments, account: None } => {
            let (Some(role), Some(name)) = (*role, name.clone()) else {
                return Err("give --role and --name".into());
            };
            check_patient(role, patient.as_deref())?;
            if matches!(role, Role::Manager | Role::Privacy) && organization.is_none() {
                return Err("--organization ID goes with --role manager and --role privacy".into());
            }
            let (patient, organization) = (patient.clone(), organization.clone());
            let departments = departments.clone();
            (data, Task::Invite(Invited { role, name, patient, organization, departments }))
        }
        Account::Lock { data, login } => (data, Task::Lock { login: login.clone() }),
        Account::Unlock { data, login } => (data, Task::Unlock { login: login.clone() }),
        Account::List { data } => (data, Task::List),
        Account::Remove { data, id } => (data, Task::Remove { id: id.clone() }),
    };
    for line in done(data, &task)?? {
        say(&line);
    }
    if matches!(task, Task::Invite(_) | Task::Again { .. }) {
        eprintln!("open this below the hub's address; it is good once, for 72 hours, for whoever holds it");
    }
    Ok(ExitCode::SUCCESS)
}

fn check_patient(role: Role, patient: Option<&str>) -> Result<()> {
    if (role == Role::Patient) == patient.is_some() {
        Ok(())
    } else {
        Err("--patient ID goes with --role patient, and only with it".into())
    }
}

/// Does it here, or has the hub do it that has the directory open.
fn done(directory: &Path, task: &Task) -> Result<Answer> {
    let is_new = !holds_records(directory);
    let opened = match task {
        // The first account may come before the first start.
        Task::Add { .. } | Task::Invite(_) => Data::open(directory, None),
        _ => Data::existing(directory, None),
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
        Task::Add { role, name, patient, organization } => {
            let (patient, organization) = (patient.clone(), organization.clone());
            let new = account::Account { patient, organization, ..account::Account::new(name, *role) };
            add(door, &access, new)
        }
        Task::Invite(invited) => invite(door, &access, invited),
        Task::Again { id } => {
            let made = account::invite_again(door, &access, id, None, system_clock()())
                .map_err(|error| text(&error))?;
            let token = made.ok_or(
                "there is no account with this id that people enter; `ieum account list` prints them",
            )?;
            Ok(vec![format!("/welcome/{token}")])
        }
        Task::Lock { login } => set_state(door, "person-lock", login, State::Active, State::Locked),
        Task::Unlock { login } => set_state(door, "person-unlock", login, State::Locked, State::Active),
        Task::List => {
            let accounts = account::list(door, &access).map_err(|error| error.to_string())?;
            let line = |(id, account): &(String, account::Account)| {
                let patient = account.patient.as_ref().map(|patient| format!("  Patient/{patient}"));
                format!("{id}  {:<9}  {}{}", account.role.name(), account.name, patient.unwrap_or_default())
            };
            Ok(accounts.iter().map(line).collect())
        }
        Task::Remove { id } => {
            if account::remove(door, &access, id).map_err(|error| text(&error))? {
                Ok(vec![format!("{id} is removed: its secret and its sessions let nobody in any more")])
            } else {
                Err("there is no account with this id; `ieum account list` prints them".into())
            }
        }
    }
}

fn add(door: &Door, access: &Access, account: account::Account) -> Answer {
    check_record(door, access, "Patient", account.patient.as_deref())?;
    check_record(door, access, "Organization", account.organization.as_deref())?;
    let secret = account::new_secret().map_err(|error| error.to_string())?;
    account::create(door, access, account, &secret).map_err(|error| text(&error))?;
    Ok(vec![secret])
}

fn invite(door: &Door, access: &Access, invited: &Invited) -> Answer {
    check_record(door, access, "Patient", invited.patient.as_deref())?;
    check_record(door, access, "Organization", invited.organization.as_deref())?;
    let account = account::Account {
        patient: invited.patient.clone(),
        organization: invited.organization.clone(),
        departments: invited.departments.clone(),
        ..account::Account::new(&invited.name, invited.role)
    };
    let (_, token) =
        account::invite(door, access, account, system_clock()()).map_err(|error| text(&error))?;
    Ok(vec![format!("/welcome/{token}")])
}

fn set_state(door: &Door, action: &'static str, login: &str, from: State, to: State) -> Answer {
    let login = login_name(login).ok_or("this cannot be a log-in name")?;
    let found = keep::by_login(door, &login).map_err(|error: StoreError| error.to_string())?;
    let kept = found.ok_or("there is nobody with this log-in name")?;
    let changed = keep::change(door, action, &kept.id, |person| {
        if person.state != from {
            return None;
        }
        person.state = to;
        person.end_sessions();
        Some(())
    });
    match changed.map_err(|error| text(&error))? {
        Some(()) if to == State::Locked => {
            Ok(vec![format!("{login} is locked: nothing lets them in until `ieum account unlock`")])
        }
        Some(()) => Ok(vec![format!("{login} may enter again")]),
        None => Err(format!("{login} is not {}", if from == State::Active { "active" } else { "locked" })),
    }
}

fn check_record(
    door: &Door,
    access: &Access,
    kind: &str,
    id: Option<&str>,
) -> std::result::Result<(), String> {
    let Some(id) = id else { return Ok(()) };
    let view = door.view(access).map_err(|error| error.to_string())?;
    let record = view.read(kind, id).map_err(|error| error.to_string())?;
    if record.is_none_or(|record| record.is_deleted()) {
        return Err(format!("there is no {kind} record with this id"));
    }
    Ok(())
}

fn text(error: &CommitError) -> String {
    error.to_string()
}

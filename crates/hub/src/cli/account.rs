//! `ieum account`.

use std::process::ExitCode;

use ieum_trust::access::{Access, Role};
use ieum_trust::account;

use super::{Account, Result, say};
use crate::data::Data;

pub(super) fn run(command: &Account) -> Result<ExitCode> {
    let Account::Add { data, role, name, patient } = command;
    if (*role == Role::Patient) != patient.is_some() {
        return Err("--patient ID goes with --role patient, and only with it".into());
    }
    let data = Data::open(data, None)?;
    let access = Access::system("account");
    if let Some(patient) = patient {
        let record = data.door.view(&access)?.read("Patient", patient)?;
        if record.is_none_or(|record| record.is_deleted()) {
            return Err("there is no Patient record with this id".into());
        }
    }
    let secret = account::new_secret()?;
    account::create(&data.door, &access, name, *role, patient.as_deref(), &secret)?;
    say(&secret);
    Ok(ExitCode::SUCCESS)
}

//! `ieum client`: on the data directory itself, or through the hub that runs on it.

use std::path::Path;
use std::process::ExitCode;

use ieum_trust::access::Access;
use ieum_trust::account;
use ieum_trust::authorization::client;
use ieum_trust::authorization::scopes::Scopes;
use ieum_trust::door::Door;
use serde::{Deserialize, Serialize};

use super::control::{self, Answer};
use super::{Client, ClientAdd, Result, say};
use crate::data::{Data, DataError};

/// Bytes of a file of keys.
const JWKS_BYTES: u64 = 64 << 10;

/// What is to be done with apps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Task {
    Add(Box<client::Client>),
    List,
    Remove { id: String },
}

pub(super) fn run(command: &Client) -> Result<ExitCode> {
    let (data, task) = match command {
        Client::Add(add) => (&add.data, Task::Add(Box::new(described(add)?))),
        Client::List { data } => (data, Task::List),
        Client::Remove { data, id } => (data, Task::Remove { id: id.clone() }),
    };
    for line in done(data, task)?? {
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

fn described(add: &ClientAdd) -> Result<client::Client> {
    let jwks = match &add.jwks {
        Some(file) => {
            let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            if std::fs::metadata(file).map_err(|error| told(&error))?.len() > JWKS_BYTES {
                return Err(told(&"a JWK set has 64 kB at most").into());
            }
            let text = std::fs::read(file).map_err(|error| told(&error))?;
            Some(serde_json::from_slice(&text).map_err(|error| told(&error))?)
        }
        None => None,
    };
    let scopes = Scopes::parse(&add.scope)?;
    let client = client::Client {
        redirect_uris: add.redirects.clone(),
        launch_uri: add.launch.clone(),
        jwks,
        account: add.account.clone(),
        certificate: certificate(add),
        ..client::Client::new(&add.name, &add.organization, add.policy, scopes)
    };
    client.check()?;
    Ok(client)
}

/// How its certificate is known; the flags exclude one another.
fn certificate(add: &ClientAdd) -> Option<client::ByCertificate> {
    let subject = add.certificate_subject.clone().map(client::ByCertificate::Subject);
    let host = add.certificate_host.clone().map(client::ByCertificate::Host);
    let uri = add.certificate_uri.clone().map(client::ByCertificate::Uri);
    subject.or(host).or(uri).or(add.certificate_own.then_some(client::ByCertificate::Own))
}

/// Does it here, or has the hub do it that has the directory open.
fn done(directory: &Path, task: Task) -> Result<Answer> {
    let data = match Data::existing(directory, None) {
        Ok(data) => data,
        Err(DataError::InUse(_)) => return control::ask(directory, &control::Task::Client(task)),
        Err(error) => return Err(error.into()),
    };
    let answer = perform(&data.door, &task);
    data.engine.stop();
    Ok(answer)
}

/// Does a task; gives the lines to print, or why it cannot be done.
pub(super) fn perform(door: &Door, task: &Task) -> Answer {
    let access = Access::system("client");
    match task {
        Task::Add(client) => add(door, &access, client),
        Task::List => {
            let clients = client::list(door, &access).map_err(|error| error.to_string())?;
            let line = |(id, client): &(String, client::Client)| {
                let client::Client { policy, name, organization, scopes, .. } = client;
                format!("{id}  {:<5}  {name} ({organization})  {scopes}", policy.name())
            };
            Ok(clients.iter().map(line).collect())
        }
        Task::Remove { id } => {
            if client::remove(door, &access, id).map_err(|error| error.to_string())? {
                Ok(vec![format!("{id} is removed: its tokens are worth nothing any more")])
            } else {
                Err("there is no app with this client_id; `ieum client list` prints them".into())
            }
        }
    }
}

fn add(door: &Door, access: &Access, client: &client::Client) -> Answer {
    if let Some(account) = &client.account {
        let accounts = account::list(door, access).map_err(|error| error.to_string())?;
        if !accounts.iter().any(|(id, _)| id == account) {
            return Err("there is no account with this id; `ieum account list` prints them".into());
        }
    }
    Ok(vec![client::create(door, access, client).map_err(|error| error.to_string())?])
}

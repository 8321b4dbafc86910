//! Accounts made with `ieum account add`.

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::process::output;

/// Makes an account and returns its secret, which the hub tells only this once.
/// `about`: further options, such as `--patient ID`.
pub(crate) fn add(ieum: &Path, data: &Path, (role, name): (&str, &str), about: &[&str]) -> Result<String> {
    let mut command = Command::new(ieum);
    command.args(["account", "add", "--role", role, "--name", name]).args(about).arg("--data").arg(data);
    let told = output(&mut command)?;
    let secret = secret_in(&told).ok_or_else(|| format!("`ieum account add` told no secret for {role}"))?;
    Ok(secret.to_owned())
}

/// Invites somebody to an account at an institution; returns the end of the link, which is good once.
pub(crate) fn invite(
    ieum: &Path,
    data: &Path,
    (role, name): (&str, &str),
    organization: &str,
) -> Result<String> {
    let mut command = Command::new(ieum);
    command.args(["account", "invite", "--role", role, "--name", name, "--organization", organization]);
    Ok(output(command.arg("--data").arg(data))?.trim().to_owned())
}

/// The secret in what the command printed: its only word of 43 letters of base64url.
fn secret_in(told: &str) -> Option<&str> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    told.split(|letter: char| !is_letter(letter)).find(|word| word.len() == 43)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_found_wherever_it_stands() {
        let secret = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0";
        for told in [format!("{secret}\n"), format!("account 3f\nsecret: {secret} (shown once)\n")] {
            assert_eq!(secret_in(&told), Some(secret));
        }
        assert_eq!(secret_in("no secret here"), None);
    }
}

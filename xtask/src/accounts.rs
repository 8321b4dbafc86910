//! Accounts made with `ieum account add`.

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::process::output;

/// Makes an account and returns its secret, which the hub tells only this once.
pub(crate) fn add(ieum: &Path, data: &Path, role: &str, name: &str, patient: Option<&str>) -> Result<String> {
    let mut command = Command::new(ieum);
    command.args(["account", "add", "--role", role, "--name", name]).arg("--data").arg(data);
    if let Some(patient) = patient {
        command.args(["--patient", patient]);
    }
    let told = output(&mut command)?;
    let secret = secret_in(&told).ok_or_else(|| format!("`ieum account add` told no secret for {role}"))?;
    Ok(secret.to_owned())
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

//! Codes that one person shows or hands to another, who types them in: good once, and for a short time. Only a digest is
//! kept. A new code for the same thing ends the one before, so that nobody gathers them.

use ieum_fhir::index::ParamType;
use ieum_store::access::Family;
use ieum_store::commit::{Change, CommitError, Expect, StoreError};
use ieum_store::own::{OwnKind, OwnParam};

use crate::access::{Access, Role};
use crate::account::digest;
use crate::door::Door;
use crate::records::{self, Kept, put};

/// The record kind.
pub static CODE: OwnKind = OwnKind {
    name: "IeumCode",
    family: Family::System,
    params: &[OwnParam { code: "patient", param_type: ParamType::Token, path: &["patient"] }],
};

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// To ask to represent the patient: made by an institution that knows them, or by the patient for an agent.
    Representation,
    /// To show that the patient is there: made by the patient.
    Presence,
}

impl What {
    /// Letters of a code, without those that are taken for others. A code of presence is read aloud and typed in at once; the
    /// other is handed over on paper.
    const fn letters(self) -> (&'static [u8; 32], u64, usize) {
        const ALL: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        match self {
            Self::Representation => (ALL, 32, 12),
            Self::Presence => (ALL, 10, 8),
        }
    }

    /// How long it is good.
    const fn micros(self) -> i64 {
        const MINUTE: i64 = 60_000_000;
        match self {
            Self::Representation => 7 * 24 * 60 * MINUTE,
            Self::Presence => 10 * MINUTE,
        }
    }
}

/// A code that is good.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// What it is for.
    pub what: What,
    /// Id of the Patient.
    pub patient: String,
    /// Id of the Organization whose it is, or to which it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The account that made it.
    pub made_by: String,
    /// Whether that was the patient.
    pub by_patient: bool,
    /// Until before when it is good, in microseconds since 1970.
    pub until: i64,
}

/// Codes of one patient that are looked at when another is made.
const EARLIER: usize = 100;
/// Attempts to find one that nobody else has.
const ATTEMPTS: u32 = 8;

/// Makes a code and gives it, in groups of four, this once.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn make(
    door: &Door,
    access: &Access,
    (what, patient, organization): (What, &str, Option<&str>),
    now: i64,
) -> Result<String, CommitError> {
    let code = Code {
        what,
        patient: patient.to_owned(),
        organization: organization.map(ToOwned::to_owned),
        made_by: access.actor.clone(),
        by_patient: access.role == Role::Patient && access.behalf.is_none(),
        until: now + what.micros(),
    };
    for _ in 0..ATTEMPTS {
        let plain = random(what).map_err(|error| StoreError::Engine(error.to_string()))?;
        let mut changes = earlier(door, &code)?;
        changes.push(put(door, &CODE, &id(what, &plain), &code, Expect::New));
        match door.commit_own(access, "code-make", changes) {
            // Somebody has the same, or made another for the patient meanwhile.
            Err(CommitError::Taken { .. } | CommitError::Version { .. }) => {}
            done => return done.map(|_| grouped(&plain)),
        }
    }
    Err(CommitError::Overloaded)
}

/// The codes that another takes the place of.
fn earlier(door: &Door, code: &Code) -> Result<Vec<Change>, StoreError> {
    let view = door.view(&Access::system("codes"))?;
    let all = records::find::<Code>(&view, &CODE, ("patient", &code.patient), EARLIER)?;
    let same = |kept: &&Kept<Code>| kept.value.what == code.what && kept.value.made_by == code.made_by;
    Ok(all.iter().filter(same).map(used).collect())
}

/// The code that somebody typed, if it is good.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn find(door: &Door, what: What, typed: &str, now: i64) -> Result<Option<Kept<Code>>, StoreError> {
    let Some(plain) = plain(what, typed) else { return Ok(None) };
    let view = door.view(&Access::system("codes"))?;
    let kept = records::read::<Code>(&view, &CODE, &id(what, &plain))?;
    Ok(kept.filter(|kept| kept.value.what == what && now < kept.value.until))
}

/// Uses a code up: for the commit of what it was used for.
#[must_use]
pub fn used(kept: &Kept<Code>) -> Change {
    let expect = Expect::Version(kept.version);
    Change::Delete { kind: CODE.name.into(), id: kept.id.clone(), expect }
}

fn id(what: What, plain: &str) -> String {
    digest(&format!("code {what:?}\n{plain}"))[..32].to_owned()
}

fn random(what: What) -> Result<String, getrandom::Error> {
    let (letters, of, length) = what.letters();
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    // No code has more than 60 bits, and the rest of the division favours none by more than one in 2^37.
    let mut number = u64::from_le_bytes(bytes);
    let mut letter = || {
        let place = usize::try_from(number % of).expect("below 32");
        number /= of;
        char::from(letters[place])
    };
    Ok((0..length).map(|_| letter()).collect())
}

/// What was typed as it was made: without spaces and dashes, in capital letters, with the letters that it was taken for.
fn plain(what: What, typed: &str) -> Option<String> {
    let (letters, of, length) = what.letters();
    let known = &letters[..usize::try_from(of).expect("at most 32")];
    let typed = typed.chars().take(64).filter(|letter| !letter.is_whitespace() && *letter != '-');
    let plain: String = typed
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let is_known = plain.bytes().all(|letter| known.contains(&letter));
    (plain.len() == length && is_known).then_some(plain)
}

fn grouped(plain: &str) -> String {
    let groups = plain.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ieum_store::catalogue::Catalogue;
    use ieum_store::memory::MemoryEngine;

    use super::*;
    use crate::evidence::POLICY;

    fn door() -> Door {
        static KINDS: &[&OwnKind] = &[&CODE];
        let catalogue = Arc::new(Catalogue::new(KINDS, Vec::new(), POLICY));
        Door::new(Arc::new(MemoryEngine::new(catalogue, Arc::new(|| 0))), [0; 32])
    }

    #[test]
    fn a_code_is_good_once_for_its_time_and_for_its_purpose() {
        let (door, access) = (door(), Access::new("a1", Role::Patient));
        for (what, other, minutes) in
            [(What::Presence, What::Representation, 10), (What::Representation, What::Presence, 7 * 24 * 60)]
        {
            let code = make(&door, &access, (what, "p1", None), 0).unwrap();
            let end = minutes * 60_000_000;
            let found = find(&door, what, &code, end - 1).unwrap().expect("it is good");
            assert_eq!((found.value.patient.as_str(), found.value.made_by.as_str()), ("p1", "a1"));
            assert!(find(&door, what, &code, end).unwrap().is_none(), "its time is over");
            assert!(find(&door, other, &code, 0).unwrap().is_none());
            door.commit_own(&access, "test", vec![used(&found)]).unwrap();
            assert!(find(&door, what, &code, 0).unwrap().is_none(), "it was used");
            assert!(door.commit_own(&access, "test", vec![used(&found)]).is_err(), "by one alone");
        }
    }

    #[test]
    fn a_new_code_ends_the_one_before_and_no_other() {
        let (door, own, other) = (door(), Access::new("a1", Role::Patient), Access::new("a2", Role::Patient));
        let first = make(&door, &own, (What::Presence, "p1", None), 0).unwrap();
        let others = make(&door, &other, (What::Presence, "p1", None), 0).unwrap();
        let second = make(&door, &own, (What::Presence, "p1", None), 0).unwrap();
        let is_good = |code: &str| find(&door, What::Presence, code, 0).unwrap().is_some();
        assert_eq!([&first, &others, &second].map(|code| is_good(code)), [false, true, true]);
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(plain(What::Presence, " 1234-5678 ").as_deref(), Some("12345678"));
        assert_eq!(plain(What::Presence, "1234567O").as_deref(), Some("12345670"));
        for bad in ["", "1234567", "123456789", "1234567A", "１２３４５６７８"] {
            assert_eq!(plain(What::Presence, bad), None, "{bad}");
        }
        assert_eq!(plain(What::Representation, "abcd efgh-jkmi").as_deref(), Some("ABCDEFGHJKM1"));
        assert_eq!(plain(What::Representation, "ABCDEFGHJKMU"), None);
        assert_eq!(grouped("12345678"), "1234 5678");
    }
}

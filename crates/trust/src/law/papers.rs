//! What is shown when somebody asks for another's records, out of the rows `document.WAY.PAPER`.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Law;
use super::asked::{DOCUMENT, RULES};
use super::day::{Birth, Reached};
use super::row::{Article, Row};

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paper {
    /// The representative's own identity: a card, a telephone, a certificate.
    RequesterIdentity,
    /// A copy of the representative's card.
    RequesterIdentityCopy,
    /// Proof of kinship.
    KinshipProof,
    /// Proof of being a parent or legal guardian.
    GuardianshipProof,
    /// The consent form 별지 9의2.
    ConsentForm,
    /// The signature of the legal guardian, where the patient is too young to sign.
    GuardianSignature,
    /// The power of attorney 별지 9의3.
    PowerOfAttorney,
    /// A copy of the patient's card.
    PatientIdentityCopy,
    /// Proof of the state in which the patient cannot consent.
    StateProof,
    /// Proof that no nearer kin exist.
    NoNearerKinProof,
}

/// The names of all papers, as tables and records write them.
pub(super) const PAPER_NAMES: &[&str] = &[
    "requester-identity",
    "requester-identity-copy",
    "kinship-proof",
    "guardianship-proof",
    "consent-form",
    "guardian-signature",
    "power-of-attorney",
    "patient-identity-copy",
    "state-proof",
    "no-nearer-kin-proof",
];

impl Paper {
    /// Every paper, in the order of their names in the tables.
    pub const ALL: [Self; 10] = [
        Self::RequesterIdentity,
        Self::RequesterIdentityCopy,
        Self::KinshipProof,
        Self::GuardianshipProof,
        Self::ConsentForm,
        Self::GuardianSignature,
        Self::PowerOfAttorney,
        Self::PatientIdentityCopy,
        Self::StateProof,
        Self::NoNearerKinProof,
    ];

    fn named(name: &str) -> Option<Self> {
        PAPER_NAMES.iter().zip(Self::ALL).find_map(|(known, paper)| (*known == name).then_some(paper))
    }
}

/// How somebody comes to act for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// As parent or legal guardian.
    Guardian,
    /// As kin, with the patient's consent.
    KinWithConsent,
    /// As kin, the patient being unable to consent.
    KinWithState,
    /// With a power of attorney.
    Agent,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Guardian => "guardian",
            Self::KinWithConsent => "kin-consent",
            Self::KinWithState => "kin-state",
            Self::Agent => "agent",
        }
    }
}

/// A paper that is needed, with the article that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The paper.
    pub paper: Paper,
    /// The article.
    pub article: Article,
}

/// What is needed on a way on a day. A paper that is waived below an age is so only for one who is surely below; one that
/// is asked for below an age is asked of everybody who may be. `has_card`: whether the patient has a card of their own;
/// a copy of it is waived only where there is none.
#[must_use]
pub fn needed(law: &Law, way: Way, birth: Option<Birth>, has_card: bool, day: Date) -> Vec<Needed> {
    let prefix = format!("{}{}.", DOCUMENT.prefix, way.name());
    let rows = law.family(&DOCUMENT, day).filter(|row| row.id.starts_with(&prefix));
    let reached =
        |row: &Row, word: &str| age_of(law, row, word, day).map(|years| has_reached(birth, years, day));
    rows.filter_map(|row| {
        let paper = Paper::named(row.word("document")?)?;
        let surely_below = reached(row, "waived_below") == Some(Reached::No);
        let is_waived = surely_below && !(paper == Paper::PatientIdentityCopy && has_card);
        let is_asked = reached(row, "required_below").is_none_or(|reached| reached != Reached::Yes);
        (is_asked && !is_waived).then(|| Needed { paper, article: row.article() })
    })
    .collect()
}

/// The papers that are needed and were not shown.
#[must_use]
pub fn missing(needed: &[Needed], shown: &BTreeSet<Paper>) -> Vec<Paper> {
    needed.iter().map(|needed| needed.paper).filter(|paper| !shown.contains(paper)).collect()
}

fn age_of(law: &Law, row: &Row, word: &str, day: Date) -> Option<u32> {
    let id = row.word(word)?;
    let rule = RULES.iter().find(|rule| rule.id == id)?;
    law.number(rule, day).map(|(years, _)| years)
}

/// Of somebody whose birth date is unknown nothing is certain.
pub(super) fn has_reached(birth: Option<Birth>, years: u32, day: Date) -> Reached {
    birth.map_or(Reached::Perhaps, |birth| birth.has_reached(years, day))
}

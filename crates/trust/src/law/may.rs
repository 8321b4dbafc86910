//! What somebody may do for a patient on a day. Pure: facts and the day in, a decision with its articles out.
//!
//! Where a birth date is not known well enough, the careful answer is given: a guardian acts alone only for one who is
//! surely too young to consent, and nobody counts as grown up who may not be.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::asked::{self, CAPABLE_CHILD, CHILD_ISSUANCE, KIN, MAJORITY, OWN_CONSENT, SENDING_BY, STATE};
use super::day::{Birth, Reached};
use super::papers::{self, Needed, Paper, Way};
use super::row::{Article, Row};
use super::{Law, papers::has_reached};
use crate::labels;

/// What somebody is to a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Mother or father of a minor.
    Parent,
    /// Another legal guardian of a minor.
    LegalGuardian,
    /// Husband or wife.
    Spouse,
    /// Lineal relative: a parent or child of a grown-up, and further up or down.
    Lineal,
    /// Lineal ascendant of the spouse.
    SpouseLinealAscendant,
    /// Brother or sister.
    Sibling,
    /// Whom the patient named, with a power of attorney.
    Agent,
}

/// A state in which a patient cannot consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Has died.
    Death,
    /// Is unconscious, or too ill.
    Unconscious,
    /// Is missing.
    Missing,
    /// Lacks capacity.
    Incapable,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// To consent to a use of the patient's records.
    Consent,
    /// To see the records.
    View,
    /// To have copies of them.
    Copy,
    /// To have records of a closed institution issued by the national archive.
    ClosedCopy,
    /// To ask that records be sent when the patient moves to another institution.
    AskSending,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 5] = [Self::Consent, Self::View, Self::Copy, Self::ClosedCopy, Self::AskSending];
}

/// What is known of a patient and of one who wants to act for them.
#[derive(Debug, Clone)]
pub struct Facts<'f> {
    /// The patient's birth date, if it is known at all.
    pub birth: Option<Birth>,
    /// Whether the patient has a card of their own.
    pub has_card: bool,
    /// The state of a patient who cannot consent.
    pub state: Option<State>,
    /// What the representative is to the patient.
    pub relation: Relation,
    /// Whether kin are known to exist who come before siblings.
    pub nearer_kin: bool,
    /// What was shown.
    pub shown: &'f BTreeSet<Paper>,
    /// The first day of the representation.
    pub since: Option<Date>,
    /// The last day of the representation.
    pub until: Option<Date>,
    /// The day on which the patient, or who acts for them, took it back.
    pub revoked: Option<Date>,
    /// The day from which the representative is kept away from the patient: estrangement, abuse.
    pub blocked: Option<Date>,
}

/// A decision, with the articles that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is decided.
    pub outcome: Outcome,
    /// By which articles.
    pub articles: Vec<Article>,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It may be done.
    Granted(Grant),
    /// A person decides: what speaks for it is not certain enough. Until then it may not be done.
    ForAPerson(Grant),
    /// It may not.
    Refused {
        /// Why.
        reason: Reason,
        /// What would have to be shown besides.
        missing: Vec<Paper>,
    },
}

/// How far a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Bits of sensitivity labels (`crate::labels`) that stay hidden.
    pub hidden: u32,
    /// The first day on which it holds no more.
    pub lapses: Option<Date>,
}

/// Why something may not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The representative is kept away from the patient.
    Blocked,
    /// Nobody has granted it.
    NotGranted,
    /// It was taken back.
    Revoked,
    /// It has not begun.
    NotYet,
    /// Its time is over.
    Lapsed,
    /// The patient has come of age, so that a guardian's powers are over.
    ComeOfAge,
    /// The patient consents for themself.
    OwnConsent,
    /// The patient is too young to act alone.
    TooYoung,
    /// The birth date is not known well enough: the exact one is missing.
    BirthUncertain,
    /// Nearer kin exist.
    NearerKin,
    /// Something was not shown.
    PapersMissing,
    /// No rule allows it on this day.
    NoBasis,
}

impl Decision {
    pub(crate) const fn refused(reason: Reason, articles: Vec<Article>) -> Self {
        Self { outcome: Outcome::Refused { reason, missing: Vec::new() }, articles }
    }

    /// Whether it may be done now.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self.outcome, Outcome::Granted(_))
    }
}

/// What a representative may do for a patient on a day.
#[must_use]
pub fn represent(law: &Law, facts: &Facts<'_>, act: Act, day: Date) -> Decision {
    let begun = |start: Option<Date>| start.is_some_and(|start| start <= day);
    let block = law.at(asked::BLOCK, day).map(Row::article);
    if begun(facts.blocked) {
        return Decision::refused(Reason::Blocked, block.into_iter().collect());
    }
    if begun(facts.revoked) {
        return Decision::refused(Reason::Revoked, Vec::new());
    }
    if facts.since.is_some_and(|since| day < since) {
        return Decision::refused(Reason::NotYet, Vec::new());
    }
    if facts.until.is_some_and(|until| until < day) || has_passed_birthday(law, facts, day) {
        return Decision::refused(Reason::Lapsed, Vec::new());
    }
    match (facts.relation, kin_of(facts)) {
        (_, Some(relation)) => kin(law, facts, relation, act, day),
        // Both end with the patient's death.
        _ if facts.state == Some(State::Death) => Decision::refused(Reason::NoBasis, Vec::new()),
        (Relation::Agent, None) => agent(law, facts, act, day),
        (_, None) => guardian(law, facts, act, day),
    }
}

/// What must be shown for something to be done on a day.
#[must_use]
pub fn needed(law: &Law, facts: &Facts<'_>, act: Act, day: Date) -> Vec<Needed> {
    let of = |way| papers::needed(law, way, facts.birth, facts.has_card, day);
    match (facts.relation, kin_of(facts)) {
        (_, Some(kin)) => {
            let mut needed = of(kin_way(facts, act));
            let row = law.member(&KIN, kin, day).filter(|row| row.word("nearer") == Some("none"));
            needed.extend(row.map(|row| Needed { paper: Paper::NoNearerKinProof, article: row.article() }));
            needed
        }
        (Relation::Agent, None) => of(Way::Agent),
        (_, None) => {
            let mut needed = of(Way::Guardian);
            let (own, row) = law.always(&OWN_CONSENT, day);
            // From the age of own consent on, a guardian sees with the person's consent.
            if act != Act::ClosedCopy && has_reached(facts.birth, own, day) != Reached::No {
                needed.push(Needed { paper: Paper::ConsentForm, article: row.article() });
            }
            needed
        }
    }
}

/// The name in the tables of what somebody is as kin; nothing for guardians and agents. Parents are kin of the dead.
fn kin_of(facts: &Facts<'_>) -> Option<&'static str> {
    match facts.relation {
        Relation::Parent if facts.state == Some(State::Death) => Some("lineal"),
        Relation::Parent | Relation::LegalGuardian | Relation::Agent => None,
        Relation::Spouse => Some("spouse"),
        Relation::Lineal => Some("lineal"),
        Relation::SpouseLinealAscendant => Some("spouse-lineal-ascendant"),
        Relation::Sibling => Some("sibling"),
    }
}

/// How kin come to act: without the patient's consent where the patient cannot give it, but for sending.
const fn kin_way(facts: &Facts<'_>, act: Act) -> Way {
    match (act, facts.state) {
        (Act::AskSending, _) | (_, None) => Way::KinWithConsent,
        (_, Some(_)) => Way::KinWithState,
    }
}

/// Whether the patient has passed the birthday of own consent since the representation began: what was signed before it
/// was signed by somebody else.
fn has_passed_birthday(law: &Law, facts: &Facts<'_>, day: Date) -> bool {
    let reached = |day| has_reached(facts.birth, law.always(&OWN_CONSENT, day).0, day);
    facts.since.is_some_and(|since| reached(since) != reached(day))
}

/// How far kin and agents see. Of a patient who may be a minor they do not see what is sensitive; what was granted for one
/// who is too young to consent ends with that.
fn of_others(law: &Law, facts: &Facts<'_>, articles: &mut Vec<Article>, day: Date) -> Grant {
    let ((own, _), (majority, _)) = (law.always(&OWN_CONSENT, day), law.always(&MAJORITY, day));
    let is_grown_up = has_reached(facts.birth, majority, day) == Reached::Yes;
    let hidden = if is_grown_up { 0 } else { hidden(law, articles, day) };
    let is_young = has_reached(facts.birth, own, day) == Reached::No;
    let ends = facts.birth.filter(|_| is_young).and_then(|birth| birth.earliest(own));
    Grant { hidden, lapses: earlier(ends, facts.until) }
}

/// The labels that representatives of adolescents do not see; adds the article.
fn hidden(law: &Law, articles: &mut Vec<Article>, day: Date) -> u32 {
    let row = law.always_member(&asked::HIDDEN_FROM, "proxies", day);
    articles.push(row.article());
    let masks = row.word("labels").unwrap_or_default().split(' ').map(labels::of_act_code);
    masks.fold(0, |all, mask| all | mask)
}

/// A parent or legal guardian of a minor: alone until the age of own consent, then with the person's consent and without
/// what is sensitive, until majority; closed institutions' records until an age of their own.
fn guardian(law: &Law, facts: &Facts<'_>, act: Act, day: Date) -> Decision {
    let reached = |years| has_reached(facts.birth, years, day);
    let ends = if act == Act::ClosedCopy { &CHILD_ISSUANCE } else { &MAJORITY };
    let ((own, own_row), (end, end_row)) = (law.always(&OWN_CONSENT, day), law.always(ends, day));
    let mut articles = vec![end_row.article()];
    match reached(end) {
        Reached::Yes => return Decision::refused(Reason::ComeOfAge, articles),
        Reached::Perhaps => return Decision::refused(Reason::BirthUncertain, articles),
        Reached::No => {}
    }
    articles.insert(0, own_row.article());
    let needed = needed(law, facts, act, day);
    let ends_at = |years| facts.birth.and_then(|birth| birth.earliest(years));
    if reached(own) == Reached::No {
        if act == Act::Consent {
            let Some(row) = law.at(asked::GUARDIAN_CONSENT, day) else {
                return Decision::refused(Reason::NoBasis, articles);
            };
            articles.push(row.article());
        }
        // From the age of own consent on it is another grant, if the child consents.
        let grant = Grant { hidden: 0, lapses: earlier(ends_at(own.min(end)), facts.until) };
        return shown(facts, needed, articles, grant);
    }
    if act == Act::Consent {
        let is_own = reached(own) == Reached::Yes;
        let reason = if is_own { Reason::OwnConsent } else { Reason::BirthUncertain };
        return Decision::refused(reason, articles);
    }
    let hidden = hidden(law, &mut articles, day);
    let grant = Grant { hidden, lapses: earlier(ends_at(end), facts.until) };
    shown(facts, needed, articles, grant)
}

/// Kin: with the patient's consent, or without where the patient cannot give it.
fn kin(law: &Law, facts: &Facts<'_>, relation: &str, act: Act, day: Date) -> Decision {
    let Some(row) = law.member(&KIN, relation, day) else {
        return Decision::refused(Reason::NoBasis, Vec::new());
    };
    let mut articles = vec![row.article()];
    if act == Act::Consent {
        return Decision::refused(Reason::NoBasis, articles);
    }
    if let (Way::KinWithState, Some(state)) = (kin_way(facts, act), facts.state) {
        let Some(row) = law.member(&STATE, state.name(), day) else {
            return Decision::refused(Reason::NoBasis, articles);
        };
        articles.push(row.article());
    }
    if act == Act::AskSending {
        let Some(row) = law.member(&SENDING_BY, "kin", day) else {
            return Decision::refused(Reason::NoBasis, articles);
        };
        articles.push(row.article());
    }
    if row.word("nearer") == Some("none") && facts.nearer_kin {
        return Decision::refused(Reason::NearerKin, articles);
    }
    let needed = needed(law, facts, act, day);
    let grant = of_others(law, facts, &mut articles, day);
    shown(facts, needed, articles, grant)
}

/// Somebody with a power of attorney.
fn agent(law: &Law, facts: &Facts<'_>, act: Act, day: Date) -> Decision {
    let mut articles = Vec::new();
    if act == Act::Consent {
        return Decision::refused(Reason::NoBasis, articles);
    }
    if act == Act::AskSending {
        let Some(row) = law.member(&SENDING_BY, "agent", day) else {
            return Decision::refused(Reason::NoBasis, articles);
        };
        articles.push(row.article());
    }
    let needed = needed(law, facts, act, day);
    if needed.is_empty() {
        // Where no paper is asked for, nothing says that there may be an agent.
        return Decision::refused(Reason::NoBasis, articles);
    }
    let grant = of_others(law, facts, &mut articles, day);
    shown(facts, needed, articles, grant)
}

/// The decision when only papers may be missing. Every article that asks for a paper carries it too.
fn shown(facts: &Facts<'_>, needed: Vec<Needed>, mut articles: Vec<Article>, grant: Grant) -> Decision {
    let missing = papers::missing(&needed, facts.shown);
    for needed in needed {
        if !articles.contains(&needed.article) {
            articles.push(needed.article);
        }
    }
    let is_certain = articles.iter().all(|article| article.confidence.decides());
    let outcome = match (missing.is_empty(), is_certain) {
        (false, _) => Outcome::Refused { reason: Reason::PapersMissing, missing },
        (true, true) => Outcome::Granted(grant),
        (true, false) => Outcome::ForAPerson(grant),
    };
    Decision { outcome, articles }
}

/// The first day without a grant that ends at `first`, or after the last day `until`.
fn earlier(first: Option<Date>, until: Option<Date>) -> Option<Date> {
    [first, until.and_then(|until| until.tomorrow().ok())].into_iter().flatten().min()
}

/// What a patient may do alone on a day. `capable`: a person has found that this child has capacity.
#[must_use]
pub fn alone(law: &Law, birth: Option<Birth>, capable: bool, act: Act, day: Date) -> Decision {
    let (own, row) = law.always(&OWN_CONSENT, day);
    let mut articles = vec![row.article()];
    let grant = Grant { hidden: 0, lapses: None };
    let too_young = match has_reached(birth, own, day) {
        Reached::Yes => return Decision { outcome: Outcome::Granted(grant), articles },
        Reached::No => Reason::TooYoung,
        Reached::Perhaps => Reason::BirthUncertain,
    };
    let (years, row) = law.always(&CAPABLE_CHILD, day);
    let may_ask = matches!(act, Act::View | Act::Copy) && has_reached(birth, years, day) == Reached::Yes;
    if !may_ask {
        return Decision::refused(too_young, articles);
    }
    articles.push(row.article());
    let is_certain = capable && row.confidence.decides();
    let outcome = if is_certain { Outcome::Granted(grant) } else { Outcome::ForAPerson(grant) };
    Decision { outcome, articles }
}

impl State {
    /// Its name in the tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Death => "death",
            Self::Unconscious => "unconscious",
            Self::Missing => "missing",
            Self::Incapable => "incapable",
        }
    }
}

#[cfg(test)]
mod tests;

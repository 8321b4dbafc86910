//! What the code asks the tables for. A row that is none of these is refused: nobody would ever ask for it, and a slip in
//! an id must not pass for a change of the law.

use jiff::civil::Date;
use jiff::civil::date;

use super::row::Unit;

/// A number that the code asks for.
#[derive(Debug)]
pub struct Rule {
    /// Its id.
    pub id: &'static str,
    /// What it counts. A row in another unit is refused: five hours are not five days.
    pub unit: Unit,
    /// The first day it can be asked for; without one it must be there for every day.
    pub since: Option<Date>,
    /// Whether decisions rest on it alone, so that no unconfirmed row is taken.
    pub decides: bool,
}

/// Rules of one kind, each a row whose id begins alike. New members can be laid over.
#[derive(Debug)]
pub struct Family {
    /// How the ids begin.
    pub prefix: &'static str,
    /// What each gives.
    pub shape: Shape,
    /// Members that the code asks for, which must be there from the day on.
    pub required: &'static [&'static str],
    /// The first day these can be asked for; without one they must be there for every day.
    pub since: Option<Date>,
}

/// What the rows of a family give.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// That the rule holds.
    Holds,
    /// A number of this unit.
    Number(Unit),
    /// Named words.
    Words(&'static [Word]),
}

/// One word of a row.
#[derive(Debug)]
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// Whether every row has it.
    pub required: bool,
    /// What it may be.
    pub of: Of,
}

/// What a word may be.
#[derive(Debug)]
pub enum Of {
    /// Any text.
    Text,
    /// One of these.
    These(&'static [&'static str]),
    /// The id of a rule of ages.
    Age,
    /// The end of the row's own id.
    Member,
    /// Codes of sensitivity labels that this hub knows, parted by spaces.
    Labels,
    /// Categories of a classification, or two with a hyphen between, parted by spaces.
    Categories,
}

impl Family {
    /// What comes after the prefix, if the id is one of this family.
    #[must_use]
    pub fn member<'i>(&self, id: &'i str) -> Option<&'i str> {
        id.strip_prefix(self.prefix).filter(|member| !member.is_empty())
    }
}

const fn rule(id: &'static str, unit: Unit) -> Rule {
    Rule { id, unit, since: None, decides: true }
}

/// The day from which the rules of the transfer right are known.
pub const TRANSFER_SINCE: Date = date(2026, 2, 19);

/// From this age a person consents for themself.
pub static OWN_CONSENT: Rule = rule("age.own-consent", Unit::Age);
/// From this age a signed consent form is asked for.
pub static CONSENT_FORM: Rule = rule("age.consent-form", Unit::Age);
/// From this age a copy of the patient's card is asked for even when there is none.
pub static IDENTITY_COPY: Rule = rule("age.identity-copy", Unit::Age);
/// Until this age guardians have a child's records of closed institutions issued.
pub static CHILD_ISSUANCE: Rule = rule("age.child-issuance", Unit::Age);
/// Majority.
pub static MAJORITY: Rule = rule("age.majority", Unit::Age);
/// From this age a child with capacity may ask alone, if a person found the capacity.
pub static CAPABLE_CHILD: Rule = Rule { decides: false, ..rule("age.capable-child", Unit::Age) };
/// Within so many days records are sent on transfer.
pub static SENDING: Rule = rule("term.sending", Unit::Days);
/// The least time for which access logs are kept.
pub static LOG_LEAST: Rule = rule("access-log.least", Unit::Years);
/// How long they are kept here.
pub static LOG_KEEP: Rule = rule("access-log.keep", Unit::Years);
/// How often they are looked through.
pub static LOG_REVIEW: Rule = rule("access-log.review", Unit::Months);
/// How long break-glass stays open at most.
pub static BREAK_GLASS_WINDOW: Rule = rule("break-glass.window", Unit::Hours);
/// Within so many minutes the patient is told of it.
pub static BREAK_GLASS_NOTICE: Rule = rule("break-glass.notice", Unit::Minutes);
/// Within so many hours it is reviewed.
pub static BREAK_GLASS_REVIEW: Rule = rule("break-glass.review", Unit::Hours);
/// How many days an institution may look after the patient was there.
pub static PRESENCE: Rule = rule("presence.institution", Unit::Days);
/// The same for a pharmacy.
pub static PRESENCE_PHARMACY: Rule = rule("presence.pharmacy", Unit::Days);
/// So many days before a closure it is announced.
pub static CLOSURE_NOTICE: Rule = rule("notice.closure", Unit::Days);
/// So many days before it in-patients are told.
pub static CLOSURE_INPATIENTS: Rule = rule("notice.closure-inpatients", Unit::Days);
/// Within so many hours subjects are told of a breach.
pub static BREACH_SUBJECTS: Rule = rule("breach.subject-notice", Unit::Hours);
/// For so many days it stands on the website when no contact is known.
pub static BREACH_WEBSITE: Rule = rule("breach.website-notice", Unit::Days);
/// Within so many hours it is reported.
pub static BREACH_REPORT: Rule = rule("breach.report", Unit::Hours);
/// From so many people on it is reported whatever the data.
pub static BREACH_PEOPLE: Rule = rule("breach.report-people", Unit::People);
/// How long logs of transfers are kept.
pub static TRANSFER_LOG: Rule = Rule { since: Some(TRANSFER_SINCE), ..rule("transfer.log", Unit::Years) };
/// How often the subject is told of transfers.
pub static TRANSFER_NOTICE: Rule =
    Rule { since: Some(TRANSFER_SINCE), ..rule("transfer.notice", Unit::Years) };
/// How often a retention term may be extended.
pub static EXTENSIONS: Rule = rule("retention.extensions", Unit::Times);

/// All of them.
pub static RULES: &[&Rule] = &[
    &OWN_CONSENT,
    &CONSENT_FORM,
    &IDENTITY_COPY,
    &CHILD_ISSUANCE,
    &MAJORITY,
    &CAPABLE_CHILD,
    &SENDING,
    &LOG_LEAST,
    &LOG_KEEP,
    &LOG_REVIEW,
    &BREAK_GLASS_WINDOW,
    &BREAK_GLASS_NOTICE,
    &BREAK_GLASS_REVIEW,
    &PRESENCE,
    &PRESENCE_PHARMACY,
    &CLOSURE_NOTICE,
    &CLOSURE_INPATIENTS,
    &BREACH_SUBJECTS,
    &BREACH_WEBSITE,
    &BREACH_REPORT,
    &BREACH_PEOPLE,
    &TRANSFER_LOG,
    &TRANSFER_NOTICE,
    &EXTENSIONS,
];

const fn holds(prefix: &'static str, required: &'static [&'static str]) -> Family {
    Family { prefix, shape: Shape::Holds, required, since: None }
}

const fn words(prefix: &'static str, words: &'static [Word]) -> Family {
    Family { prefix, shape: Shape::Words(words), required: &[], since: None }
}

const fn word(name: &'static str, of: Of) -> Word {
    Word { name, required: true, of }
}

/// Kin who may act with the patient's consent. `nearer`: whether nearer kin may exist.
pub static KIN: Family = words("kin.", &[word("nearer", Of::These(&["any", "none"]))]);
/// States of a patient in which kin need no consent.
pub static STATE: Family = holds("state.", &[]);
/// Who may ask for sending on transfer.
pub static SENDING_BY: Family = holds("sending.", &[]);
/// Sensitivity labels of items that are hidden from somebody, parted by spaces.
pub static HIDDEN_FROM: Family =
    Family { required: &["proxies"], ..words("hidden-from.", &[word("labels", Of::Labels)]) };
/// Codes that label the records that are found by them.
pub static LABEL: Family = words(
    "label.",
    &[
        word("label", Of::Labels),
        word("systems", Of::Text),
        Word { name: "codes", required: false, of: Of::Text },
        Word { name: "categories", required: false, of: Of::Categories },
    ],
);
/// What is shown, by way and paper.
pub static DOCUMENT: Family = words(
    "document.",
    &[
        word("document", Of::These(super::papers::PAPER_NAMES)),
        Word { name: "waived_below", required: false, of: Of::Age },
        Word { name: "required_below", required: false, of: Of::Age },
    ],
);
/// The closed list of those who get records without the patient's consent (의료법 §21③).
pub static REQUESTER: Family =
    words("requester.", &[word("item", Of::Member), word("requester", Of::Text), word("basis", Of::Text)]);
/// Cases in which records go to another institution without consent (의료법 §21의2①).
pub static NO_CONSENT: Family = holds("no-consent.", &[]);
/// What counts as a breach.
pub static BREACH_KIND: Family = holds("breach.kind.", &["leak"]);
/// The seven items of a request to send.
pub static TRANSFER_ITEM: Family = Family {
    required: &["purpose", "sender", "receiver", "data", "periodic", "end", "retention"],
    since: Some(TRANSFER_SINCE),
    ..words("transfer-item.", &[word("item", Of::Member)])
};
/// The grounds for refusing one.
pub static TRANSFER_REFUSAL: Family = Family {
    required: &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
    since: Some(TRANSFER_SINCE),
    ..words("transfer-refusal.", &[word("code", Of::Member)])
};
/// Who must send.
pub static TRANSFER_SENDER: Family =
    Family { since: Some(TRANSFER_SINCE), ..words("transfer-sender.", &[word("sender", Of::Member)]) };
/// Retention by kind of record, in years.
pub static RETENTION: Family =
    Family { prefix: "retention.", shape: Shape::Number(Unit::Years), required: &["chart"], since: None };

/// All of them.
pub static FAMILIES: &[&Family] = &[
    &KIN,
    &STATE,
    &SENDING_BY,
    &HIDDEN_FROM,
    &LABEL,
    &DOCUMENT,
    &REQUESTER,
    &NO_CONSENT,
    &BREACH_KIND,
    &TRANSFER_ITEM,
    &TRANSFER_REFUSAL,
    &TRANSFER_SENDER,
    &RETENTION,
];

/// A guardian consents for a child who cannot yet.
pub const GUARDIAN_CONSENT: &str = "guardian.consent";
/// Whoever is kept away from a patient cannot act for them. What is kept away stays so without the row too.
pub const BLOCK: &str = "representative-block";
/// A physician may withhold records from a requester of the closed list.
pub const WITHHOLDING: &str = "requester-withholding";
/// Records go along with an emergency patient.
pub const EMERGENCY_TRANSFER: &str = "emergency-transfer";
/// The subject is told of unauthorised viewing.
pub const UNAUTHORISED_VIEWING: &str = "notice.unauthorised-viewing";
/// A hospital tells the ministry of a cyber incident.
pub const CYBER_INCIDENT: &str = "breach.cyber-incident";
/// The telemedicine act is in force.
pub const TELEMEDICINE: &str = "telemedicine.act";
/// Health data go through a relay body alone.
pub const RELAY_ONLY: &str = "transfer.relay-only";
/// A refusal to send is told at once.
pub const REFUSAL_NOTICE: &str = "transfer.refusal-notice";

/// Rules of which only is asked whether they hold; without a row they do not.
pub static FACTS: &[&str] = &[
    GUARDIAN_CONSENT,
    BLOCK,
    WITHHOLDING,
    EMERGENCY_TRANSFER,
    UNAUTHORISED_VIEWING,
    CYBER_INCIDENT,
    TELEMEDICINE,
    RELAY_ONLY,
    REFUSAL_NOTICE,
];

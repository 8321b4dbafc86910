//! What we tell people who send something we cannot take: issues with a stable code, the place and what to do, and
//! the OperationOutcome made of them (R4, `operationoutcome.html`).
//!
//! Nothing here ever carries a value of a resource: diagnostics name elements, types and allowed codes only.
//!
//! To add a code, add a line to `codes!` below and a section of the same number to `docs/errors.md`; a test holds the
//! two together. Numbers are never used again. The letter says what it is about: `J` JSON, `V` validation, `R` the REST
//! interface, `S` search, `B` bundles, `P` patches, `A` what is done asynchronously, `O` apps and their tokens,
//! `N` notifications, `L` log-in elsewhere and identity checks.

use crate::json::{JsonError, write_string};
use crate::search::parse::{SearchError, SearchProblem};

/// The code system of our stable codes, in `OperationOutcome.issue.details.coding.system`.
pub const CODE_SYSTEM: &str = "https://ieum.example/errors";

/// How bad an issue is (`http://hl7.org/fhir/issue-severity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing further could be looked at.
    Fatal,
    /// The content is refused.
    Error,
    /// The content is taken, but something may be wrong.
    Warning,
    /// Good to know.
    Information,
}

impl Severity {
    /// As in FHIR.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// FHIR's own kinds of issue (`http://hl7.org/fhir/issue-type`); those in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the codes of the code system, in our spelling")]
pub enum IssueType {
    Invalid,
    Structure,
    Required,
    Value,
    Invariant,
    Security,
    Login,
    Forbidden,
    Processing,
    NotSupported,
    Duplicate,
    MultipleMatches,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    LockError,
    Timeout,
    Throttled,
    Exception,
    Informational,
}

impl IssueType {
    /// As in FHIR.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Security => "security",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::LockError => "lock-error",
            Self::Timeout => "timeout",
            Self::Throttled => "throttled",
            Self::Exception => "exception",
            Self::Informational => "informational",
        }
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $kind:ident, $title:literal;)+) => {
        /// Our stable codes; each has a section in `docs/errors.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The code as people see it: `IEUM-V004`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// What it means, in one line.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// FHIR's kind of issue for it.
            #[must_use]
            pub fn issue_type(self) -> IssueType {
                match self { $(Self::$name => IssueType::$kind,)+ }
            }
        }
    };
}

codes! {
    JsonTooLarge = "IEUM-J001", TooLong, "The document is too large";
    JsonTooDeep = "IEUM-J002", TooLong, "The document is nested too deeply";
    JsonTooMany = "IEUM-J003", TooLong, "The document holds too many values";
    JsonSyntax = "IEUM-J004", Structure, "The document is not valid JSON";
    JsonDuplicateMember = "IEUM-J005", Structure, "An object names a member twice";
    NoResource = "IEUM-V001", Structure, "There is no resource here";
    UnknownResourceType = "IEUM-V002", Structure, "The resource type is not one of FHIR R4";
    OtherResourceType = "IEUM-V003", Structure, "The resource is of another type than expected";
    UnknownElement = "IEUM-V004", Structure, "The element is not defined";
    MissingElement = "IEUM-V005", Required, "A required element is missing";
    ArrayNeeded = "IEUM-V006", Structure, "The element repeats and must be an array";
    ArrayNotAllowed = "IEUM-V007", Structure, "The element does not repeat and must not be an array";
    JsonType = "IEUM-V008", Structure, "The JSON type does not fit the element";
    ChoiceType = "IEUM-V009", Structure, "The choice element does not allow this type";
    Empty = "IEUM-V010", Structure, "An object, array or element is empty";
    Format = "IEUM-V011", Value, "The value does not have the form of its type";
    ChoiceTwice = "IEUM-V012", Structure, "A choice element is given with two types";
    Alignment = "IEUM-V013", Structure, "Values and their extensions do not line up";
    ExtensionContent = "IEUM-V014", Extension, "An extension needs either a value or extensions";
    ContainedNested = "IEUM-V015", Structure, "A contained resource contains resources";
    ReferenceForm = "IEUM-V016", Value, "The reference does not have the form of a reference";
    ReferenceTarget = "IEUM-V017", Value, "The reference points to a type that is not allowed here";
    ContainedMissing = "IEUM-V018", Value, "The contained resource does not exist";
    CodeNotAllowed = "IEUM-V019", CodeInvalid, "The code is not in the required value set";
    NarrativeSyntax = "IEUM-V020", Structure, "The narrative is not well-formed XHTML";
    NarrativeContent = "IEUM-V021", Security, "The narrative holds something it must not";
    MoreIssues = "IEUM-V022", Informational, "There are more issues than are listed";
    Subsetted = "IEUM-V023", BusinessRule, "The resource is marked as a part of one";
    DefinitionRefused = "IEUM-V024", BusinessRule, "The search parameter cannot be taken into service";
    ConsentNotEnforced = "IEUM-V025", BusinessRule, "The consent says something that cannot be enforced";
    SearchUnknownKind = "IEUM-S001", NotFound, "There is no such kind of record";
    SearchUnknownParameter = "IEUM-S002", NotSupported, "The search parameter is not defined here";
    SearchUnknownModifier = "IEUM-S003", NotSupported, "The modifier does not go with this parameter";
    SearchNotSupported = "IEUM-S004", NotSupported, "The search uses something this server does not have yet";
    SearchValue = "IEUM-S005", Value, "The value of a search parameter cannot be read";
    SearchEmpty = "IEUM-S006", Value, "A search parameter has no value";
    SearchRepeated = "IEUM-S007", Invalid, "A parameter is given more often than once";
    SearchTooCostly = "IEUM-S008", TooCostly, "The search would cost too much";
    TooSlow = "IEUM-S009", TooCostly, "The search took too long";
    ParameterPassedOver = "IEUM-S010", NotSupported, "A parameter was passed over";
    IncludesCut = "IEUM-S011", TooCostly, "Not everything that goes with the page is on it";
    LongLink = "IEUM-S012", TooLong, "A link is longer than an address may be";
    SearchNotReady = "IEUM-S013", Transient, "Records are still being indexed by the parameter";
    Unauthenticated = "IEUM-R001", Login, "No account is known by what was sent";
    Forbidden = "IEUM-R002", Forbidden, "The role may not do this";
    UnknownRoute = "IEUM-R003", NotFound, "There is nothing at this address";
    UnknownType = "IEUM-R004", NotSupported, "The address names no resource type";
    UnknownOperation = "IEUM-R005", NotSupported, "There is no such operation";
    NotFound = "IEUM-R006", NotFound, "There is no such record";
    Deleted = "IEUM-R007", Deleted, "The record has been deleted";
    MethodNotAllowed = "IEUM-R008", NotSupported, "The address does not know this method";
    NotAcceptable = "IEUM-R009", NotSupported, "The format asked for is not served";
    MediaType = "IEUM-R010", NotSupported, "The body is in a format that is not taken";
    BodyTooLarge = "IEUM-R011", TooLong, "The body is too large";
    UriTooLong = "IEUM-R012", TooLong, "The address is too long";
    BadHeader = "IEUM-R013", Value, "A header cannot be read";
    PreconditionFailed = "IEUM-R014", Conflict, "The record is not at the version named";
    MultipleMatches = "IEUM-R015", MultipleMatches, "The criteria match more than one record";
    IdMismatch = "IEUM-R016", Value, "The id of the resource is not that of the address";
    IdTaken = "IEUM-R017", Duplicate, "The id is taken";
    Busy = "IEUM-R018", Throttled, "The server has too much to do";
    Contended = "IEUM-R019", LockError, "Others keep changing the same records";
    DiskFull = "IEUM-R020", Exception, "The disk is full";
    ReadOnly = "IEUM-R021", Exception, "The data directory cannot be written";
    Internal = "IEUM-R022", Exception, "The server failed";
    BodyTooSlow = "IEUM-R023", Timeout, "The body did not arrive in time";
    PageToken = "IEUM-R024", Value, "The page token is not taken";
    CriteriaMissing = "IEUM-R025", Required, "The criteria do not say which record is meant";
    BadId = "IEUM-R026", Value, "The id is not an id";
    BadEncoding = "IEUM-R027", Value, "The address or form is not encoded as it must be";
    BadBody = "IEUM-R028", Structure, "The body broke off";
    Stopping = "IEUM-R029", Transient, "The server is stopping";
    Done = "IEUM-R030", Informational, "The request was carried out";
    HeadTooLarge = "IEUM-R031", TooLong, "The headers are too large";
    ForeignName = "IEUM-R032", Forbidden, "The hub does not answer under this name";
    DiskFails = "IEUM-R033", Exception, "The disk fails";
    TooManyPeople = "IEUM-R034", Throttled, "The account looks for people too often";
    NoTransaction = "IEUM-B001", Structure, "The bundle is neither a batch nor a transaction";
    BundleTooLong = "IEUM-B002", TooLong, "The bundle has too many entries";
    EntryRequest = "IEUM-B003", Structure, "An entry does not say what to do";
    DuplicateRecord = "IEUM-B004", Duplicate, "A transaction names a record twice";
    DuplicateFullUrl = "IEUM-B005", Duplicate, "Two entries have the same fullUrl";
    ReferenceUnmatched = "IEUM-B006", NotFound, "A conditional reference matches no record";
    AnswerTooLarge = "IEUM-B007", TooLong, "The answer to the bundle is too large";
    PatchForm = "IEUM-P001", Structure, "The patch is not a patch";
    PatchPath = "IEUM-P002", Value, "A path of the patch cannot be used";
    PatchTarget = "IEUM-P003", NotFound, "The patch names something that is not there";
    PatchSeveral = "IEUM-P004", MultipleMatches, "A path of the patch does not select what it must";
    PatchValue = "IEUM-P005", Value, "The patch does something that is not possible there";
    PatchTest = "IEUM-P006", BusinessRule, "A test of the patch failed";
    PatchTooCostly = "IEUM-P007", TooCostly, "The patch would cost too much";
    AsyncOnly = "IEUM-A001", Required, "The operation is done asynchronously only";
    AsyncParameter = "IEUM-A002", Invalid, "A parameter of the operation cannot be used";
    AsyncNotHere = "IEUM-A003", NotSupported, "The process does not run jobs";
    AsyncTooMany = "IEUM-A004", Throttled, "Too many jobs are open";
    AsyncFailed = "IEUM-A005", Processing, "The job was given up";
    AsyncAccess = "IEUM-A006", Forbidden, "Whoever asked may not any more";
    AsyncGroup = "IEUM-A007", TooCostly, "The export is about too many named patients";
    AsyncRange = "IEUM-A008", Value, "The range lies beyond the end of the file";
    AsyncSource = "IEUM-A009", Security, "A file cannot be fetched from there";
    AsyncImport = "IEUM-A010", Processing, "The import stopped";
    AsyncTooLarge = "IEUM-A011", TooCostly, "The answer is too large";
    TokenRefused = "IEUM-O001", Login, "The access token is not taken";
    ProofRefused = "IEUM-O002", Login, "The proof of the token's key is not taken";
    ScopeMissing = "IEUM-O003", Forbidden, "The token's scopes do not allow this";
    NotifyTopic = "IEUM-N001", NotFound, "The topic is not one of this hub";
    NotifyForm = "IEUM-N002", Invalid, "Something in the subscription is not as it must be";
    NotifyFilter = "IEUM-N003", NotSupported, "The filter does not go with the topic";
    NotifyEndpoint = "IEUM-N004", Security, "Notifications may not go there";
    NotifyOwner = "IEUM-N005", Forbidden, "The subscription is another account's";
    NotifyTooMany = "IEUM-N006", Throttled, "Too many subscriptions are open";
    NotifyAlone = "IEUM-N007", NotSupported, "Subscriptions are not written in transactions";
    NotifyNotHere = "IEUM-N008", NotSupported, "The process sends no notifications";
    NotifyFailed = "IEUM-N009", Processing, "Notifications cannot be delivered";
    NotifyAccess = "IEUM-N010", Forbidden, "Whoever subscribed may not any more";
    NotifyBehind = "IEUM-N011", TooCostly, "Too many events wait";
    NotifyEnded = "IEUM-N012", Informational, "The subscription was ended";
    LoginUnreachable = "IEUM-L001", Login, "The provider cannot be asked";
    LoginState = "IEUM-L002", Login, "The answer goes with no question of this browser";
    LoginDenied = "IEUM-L003", Login, "Nobody has logged in at the provider";
    LoginProof = "IEUM-L004", Login, "The answer of the provider does not prove who it is";
    LoginWeak = "IEUM-L005", Login, "The log-in at the provider is not strong or not new enough";
    LoginUnlinked = "IEUM-L006", Login, "The log-in at the provider is linked to nobody";
    LoginOut = "IEUM-L007", Login, "The person may not enter";
    LoginTaken = "IEUM-L008", Login, "The log-in at the provider belongs elsewhere";
    IdentityUnfinished = "IEUM-L009", Login, "The identity check was not finished";
    IdentityUntrusted = "IEUM-L010", Login, "The result of the identity check cannot be trusted";
    IdentityNoAccount = "IEUM-L011", Login, "No account is prepared for whoever was checked";
    IdentityHasLogIn = "IEUM-L012", Login, "The account of whoever was checked has a log-in already";
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// Our stable code; FHIR's kind of issue follows from it.
    pub code: Code,
    /// FHIRPath of the element (`Patient.name[0].given[1]`); empty when there is none.
    pub place: String,
    /// What is wrong and what to do; never a value of the resource.
    pub diagnostics: String,
}

impl Issue {
    /// An error.
    #[must_use]
    pub fn error(code: Code, place: impl Into<String>, diagnostics: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, place: place.into(), diagnostics: diagnostics.into() }
    }
}

impl From<&JsonError> for Issue {
    fn from(error: &JsonError) -> Self {
        let (code, advice) = match error {
            JsonError::TooLarge { .. } => (Code::JsonTooLarge, "send it in parts"),
            JsonError::TooDeep { .. } => (Code::JsonTooDeep, "flatten it"),
            JsonError::TooMany { .. } => (Code::JsonTooMany, "send it in parts"),
            JsonError::Syntax { .. } => (Code::JsonSyntax, "correct it there"),
            JsonError::DuplicateMember { .. } => (Code::JsonDuplicateMember, "keep one of the two"),
        };
        Self {
            severity: Severity::Fatal,
            code,
            place: String::new(),
            diagnostics: format!("{error}; {advice}"),
        }
    }
}

impl From<&SearchError> for Issue {
    fn from(error: &SearchError) -> Self {
        let code = match error.problem {
            SearchProblem::UnknownKind => Code::SearchUnknownKind,
            SearchProblem::UnknownParameter => Code::SearchUnknownParameter,
            SearchProblem::UnknownModifier | SearchProblem::NotAllowed => Code::SearchUnknownModifier,
            SearchProblem::NotSupported => Code::SearchNotSupported,
            SearchProblem::BadValue => Code::SearchValue,
            SearchProblem::EmptyValue => Code::SearchEmpty,
            SearchProblem::Repeated => Code::SearchRepeated,
            SearchProblem::TooCostly => Code::SearchTooCostly,
            SearchProblem::NotReady => Code::SearchNotReady,
            SearchProblem::Unavailable => Code::Busy,
        };
        // R4's way to name a parameter of the request: `http.` and its name.
        let place =
            if error.parameter.is_empty() { String::new() } else { format!("http.{}", error.parameter) };
        Self::error(code, place, error.to_string())
    }
}

/// The issues as an OperationOutcome, JSON.
#[must_use]
pub fn operation_outcome(issues: &[Issue]) -> Vec<u8> {
    let mut out = br#"{"resourceType":"OperationOutcome","issue":["#.to_vec();
    for (position, issue) in issues.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let member = |out: &mut Vec<u8>, name: &str, value: &str| {
            out.extend_from_slice(name.as_bytes());
            write_string(value, out);
        };
        member(&mut out, r#"{"severity":"#, issue.severity.as_str());
        member(&mut out, r#","code":"#, issue.code.issue_type().as_str());
        member(&mut out, r#","details":{"coding":[{"system":"#, CODE_SYSTEM);
        member(&mut out, r#","code":"#, issue.code.id());
        member(&mut out, r#","display":"#, issue.code.title());
        member(&mut out, r#"}],"text":"#, issue.code.title());
        out.push(b'}');
        if !issue.diagnostics.is_empty() {
            member(&mut out, r#","diagnostics":"#, &issue.diagnostics);
        }
        if !issue.place.is_empty() {
            member(&mut out, r#","expression":["#, &issue.place);
            out.push(b']');
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::json::{Document, Limits};
    use crate::validate::validate;

    #[test]
    fn every_code_has_its_section_and_every_section_its_code() {
        let page = include_str!("../../../docs/errors.md");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let codes: Vec<String> =
            Code::ALL.iter().map(|code| format!("{}: {}", code.id(), code.title())).collect();
        assert_eq!(sections, codes);
        let ids: BTreeSet<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), codes.len(), "a code is used twice");
        for section in page.split("\n## ").skip(1) {
            for part in ["**Cause.**", "**Remedy.**", "**Example.**"] {
                assert!(section.contains(part), "{part} is missing in {section}");
            }
        }
    }

    #[test]
    fn outcomes_are_valid_resources() {
        let issues: Vec<Issue> = Code::ALL
            .iter()
            .map(|code| Issue::error(*code, "Patient.name[0].given[1]", "say \"what\" to do"))
            .chain([Issue::from(&JsonError::TooLarge { limit: 10 })])
            .collect();
        let outcome = operation_outcome(&issues);
        let document = Document::parse(&outcome, &Limits::default()).unwrap();
        assert_eq!(validate(document.root(), Some("OperationOutcome")).issues, []);
        assert_eq!(document.root().get("issue").unwrap().elements().count(), issues.len());
    }
}

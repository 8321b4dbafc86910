//! An interaction as its handler sees it: the same over HTTP and inside a bundle.

use std::path::PathBuf;

use axum::http::{HeaderName, Method, StatusCode};
use ieum_fhir::json::{Document, Limits, Value};
use ieum_fhir::outcome::{Issue, operation_outcome};
use ieum_store::catalogue::Resources;
use ieum_store::commit::StoreError;
use ieum_trust::access::Access;
use ieum_trust::authorization::server::Authority;
use ieum_trust::door::View;

use crate::authorization::scope;
use crate::fhir::definitions::DEFINITION;
use crate::fhir::format::{self, Format};
use crate::hub::Hub;
use crate::jobs::upload::Upload;
use crate::routes::Route;

/// One call. Handlers are blocking functions from this to an [`Answer`].
pub struct Call<'c> {
    /// The hub.
    pub hub: &'c Hub,
    /// What can be searched, and by what: the same from the beginning of the call to its end.
    pub kinds: Resources,
    /// The route that was found.
    pub route: &'static Route,
    /// On whose authority.
    pub access: &'c Access,
    /// The token that narrows it, if there is one.
    pub token: Option<&'c Authority>,
    /// Where in the FHIR interface.
    pub place: Place,
    /// Parameters of the URL, and of the form if there is one.
    pub pairs: Vec<(String, String)>,
    /// What must hold.
    pub conditions: Conditions,
    /// What the client would like.
    pub prefer: Prefer,
    /// What was sent.
    pub body: Body<'c>,
}

/// The variable parts of a path; empty where the pattern has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Resource type.
    pub kind: String,
    /// Logical id.
    pub id: String,
    /// Within its compartment: a resource type, or `*` for all.
    pub inner: String,
    /// Version.
    pub version: String,
    /// File of a job's result.
    pub file: String,
}

/// Conditions on the state before (`If-…`), as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<String>,
    /// `If-None-Exist`.
    pub if_none_exist: Option<String>,
    /// `Range`.
    pub range: Option<String>,
}

/// `Prefer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prefer {
    /// `return=`; what is sent back after a write.
    pub returns: Option<Returns>,
    /// `handling=lenient`: pass over search parameters that do not exist.
    pub lenient: bool,
    /// `respond-async`: do it later, and say where the answer will be.
    pub respond_async: bool,
}

/// What is sent back after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Headers alone.
    Minimal,
    /// The resource.
    Representation,
    /// An OperationOutcome.
    Outcome,
}

/// The kinds of patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// JSON Patch (RFC 6902).
    Json,
    /// JSON Merge Patch (RFC 7386).
    Merge,
    /// FHIRPath Patch: a Parameters resource.
    FhirPath,
}

impl PatchKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Json, Self::Merge, Self::FhirPath];

    /// Its media type.
    #[must_use]
    pub fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::FhirPath => "application/fhir+json",
        }
    }
}

/// What was sent.
#[derive(Debug, Clone, Copy)]
pub enum Body<'c> {
    /// Nothing.
    None,
    /// Bytes, not read yet.
    Bytes(&'c [u8]),
    /// A patch, not read yet.
    Patch(PatchKind, &'c [u8]),
    /// Part of a document that has been read: the resource of a bundle's entry.
    Parsed(Value<'c>),
    /// A file on disk.
    Upload(&'c Upload),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Version of the resource: the ETag.
    pub version: Option<u64>,
    /// When that version was made, in microseconds since 1970.
    pub instant: Option<i64>,
    /// Where the resource is, with its version.
    pub location: Option<String>,
    /// Headers that only few interactions have.
    pub headers: Vec<(HeaderName, String)>,
    /// What is sent.
    pub content: Content,
}

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    None,
    /// A resource, JSON.
    Resource(Vec<u8>),
    /// An OperationOutcome, JSON.
    Outcome(Vec<u8>),
    /// JSON that is no resource, such as the manifest of an export.
    Json(Vec<u8>),
    /// Part of a file, sent as it is read.
    File(FilePart),
}

/// Part of a file on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Where it is.
    pub path: PathBuf,
    /// The first byte.
    pub start: u64,
    /// How many bytes.
    pub length: u64,
    /// `Content-Type`.
    pub media: &'static str,
}

/// Why a call was not done. Nothing of it has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Status.
    pub status: StatusCode,
    /// What to tell.
    pub issues: Vec<Issue>,
    /// For 405: the methods there are.
    pub allow: Option<Vec<Method>>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
}

impl Conditions {
    /// Whether a write depends on the current version.
    #[must_use]
    pub fn are_on_version(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }
}

impl Answer {
    /// An answer with a resource.
    #[must_use]
    pub fn resource(json: Vec<u8>) -> Self {
        Self { content: Content::Resource(json), ..Self::empty(StatusCode::OK) }
    }

    /// The same, written as the client asked for it.
    #[must_use]
    pub fn laid_out(mut self, format: Format) -> Self {
        if let Content::Resource(json) | Content::Outcome(json) | Content::Json(json) = &mut self.content
            && format.pretty
        {
            *json = format::pretty(json);
        }
        self
    }

    /// An answer without content.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        let content = Content::None;
        Self { status, version: None, instant: None, location: None, headers: Vec::new(), content }
    }
}

impl Content {
    /// How much of memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Resource(json) | Self::Outcome(json) | Self::Json(json) => json.len(),
            // Sent as it is read.
            Self::File(_) => 0,
        }
    }
}

impl Failure {
    /// A failure for one reason.
    #[must_use]
    pub fn new(status: StatusCode, issue: Issue) -> Self {
        Self::of(status, vec![issue])
    }

    /// A failure for several reasons.
    #[must_use]
    pub fn of(status: StatusCode, issues: Vec<Issue>) -> Self {
        Self { status, issues, allow: None, retry_after: None }
    }

    /// The same inside a bundle: issues without a place of their own, or with one in the URL, have `prefix`
    /// (`Bundle.entry[3]`) instead.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        for issue in &mut self.issues {
            if issue.place.is_empty() || issue.place.starts_with("http.") {
                prefix.clone_into(&mut issue.place);
            }
        }
        self
    }

    /// As an answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer { content: Content::Outcome(operation_outcome(&self.issues)), ..Answer::empty(self.status) }
    }
}

impl Call<'_> {
    /// Gives what was sent, read within `limits`, to `work`.
    ///
    /// # Errors
    /// What `work` says, or why the bytes are no JSON.
    pub fn with_body<T>(
        &self,
        limits: &Limits,
        work: impl FnOnce(Value<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.body {
            Body::None | Body::Upload(_) => work(Document::parse(b"", limits)?.root()),
            Body::Bytes(bytes) | Body::Patch(_, bytes) => work(Document::parse(bytes, limits)?.root()),
            Body::Parsed(value) => work(value),
        }
    }

    /// What the caller reaches of what the address names.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot serve.
    pub fn view(&self) -> Result<View<'_>, StoreError> {
        let door = self.hub.door();
        if self.place.kind == DEFINITION && self.place.inner.is_empty() {
            return Ok(self.narrowed(door.definition_view(self.access)?));
        }
        Ok(self.narrowed(door.resource_view(self.access)?))
    }

    /// A view as far as the token reaches, if there is one.
    fn narrowed<'v>(&self, mut view: View<'v>) -> View<'v> {
        if let Some(patients) = self.token.and_then(scope::patients) {
            view = view.of_patients(&patients);
        }
        if let Some(selections) = scope::selections(self) {
            view = view.of_selections(selections);
        }
        view
    }

    /// The values of a parameter of the URL.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &str> + use<'_, 'n> {
        self.pairs.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

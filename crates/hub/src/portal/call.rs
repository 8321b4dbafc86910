//! A request as its page sees it, and what a page can answer.

use std::net::IpAddr;

use axum::http::StatusCode;
use ieum_store::commit::{CommitError, StoreError};
use ieum_trust::access::{Access, Behalf, Role};
use ieum_trust::door::{DoorError, View};
use ieum_ui::Lang;
use jiff::Timestamp;
use jiff::civil::Date;
use maud::Markup;

use super::Portal;
use super::routes::Place;
use super::session::Session;

/// One request. Pages are blocking functions from this to a [`Reply`].
pub(crate) struct Call<'c> {
    /// The portal.
    pub(crate) portal: &'c Portal,
    /// The language of the answer.
    pub(crate) lang: Lang,
    /// Path and query as sent, for the language switch.
    pub(crate) address: &'c str,
    /// The variable parts of the path.
    pub(crate) place: Place,
    /// Parameters of the URL.
    pub(crate) pairs: Vec<(String, String)>,
    /// Fields of the form that was sent.
    pub(crate) form: Vec<(String, String)>,
    /// Who is signed in.
    pub(crate) session: Option<Session>,
    /// The value of the session cookie.
    pub(crate) cookie: Option<String>,
    /// What the browser holds if somebody has entered from it before.
    pub(crate) browser: Option<String>,
    /// What the browser was sent to a provider elsewhere with.
    pub(crate) elsewhere: Option<String>,
    /// The browser and system, as it says itself.
    pub(crate) device: String,
    /// Where the request comes from, if the server says.
    pub(crate) peer: Option<IpAddr>,
}

/// What a page answers.
pub(crate) enum Reply {
    /// A page.
    Page(StatusCode, Markup),
    /// A page that leads on by itself to another site, or from another site to a page of ours. A redirect would not do: a
    /// form may lead to us alone (`form-action`), and what other sites lead to comes without the session cookie
    /// (`SameSite=Strict`). With cookies set on the way.
    Onward(String, Markup, Vec<String>),
    /// Go there instead, with cookies set on the way.
    See(String, Vec<String>),
    /// Bytes that are no page.
    Bytes(StatusCode, Bytes),
}

/// Bytes with how they may be kept.
pub(crate) struct Bytes {
    /// `Content-Type`.
    pub(crate) content_type: &'static str,
    /// `Cache-Control`.
    pub(crate) cache: &'static str,
    /// `ETag`.
    pub(crate) etag: Option<String>,
    /// The content.
    pub(crate) bytes: std::borrow::Cow<'static, [u8]>,
}

/// Why a page is not shown.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nothing here for this reader, whether or not it exists for others.
    NotFound,
    /// The reader's own record is not there.
    NoRecord,
    /// The page knows other methods.
    Method,
    /// Somebody must sign in first.
    SignIn,
    /// The page is another role's.
    WrongRole,
    /// Only the patient may do this, and nobody for them.
    Oneself,
    /// The right to act for somebody has ended.
    Lapsed,
    /// Whoever was invited must first set up what proves who they are.
    SetUp,
    /// The person must first choose as what to act.
    Choose,
    /// The person must show again who they are, and is then led here.
    Confirm(String),
    /// The form did not come from our own page, or from an earlier session.
    Forged,
    /// The request cannot be read.
    Bad,
    /// More than the portal takes.
    TooLarge,
    /// A page token that is not valid any more.
    Stale,
    /// Too many attempts; try again after so many seconds.
    TooMany(u64),
    /// Looked for people too often; look again after so many seconds.
    TooManyPeople(u32),
    /// Nobody has time at the moment.
    Busy,
    /// The store failed.
    Failed(StoreError),
    /// A bug.
    Broken(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Failed(error),
            // Others were quicker, or too much is waiting; nothing was written.
            _ => Self::Busy,
        }
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<DoorError> for Refusal {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Cursor(_) => Self::Stale,
            DoorError::Store(error) => Self::Failed(error),
        }
    }
}

impl Call<'_> {
    /// The authority of whoever is signed in.
    ///
    /// # Errors
    /// When nobody is.
    pub(crate) fn access(&self) -> Result<&Access, Refusal> {
        self.session.as_ref().and_then(|session| session.access.as_ref()).ok_or(Refusal::SignIn)
    }

    /// What whoever is signed in reaches, at this moment.
    ///
    /// # Errors
    /// When nobody is signed in, or the store cannot serve.
    pub(crate) fn view(&self) -> Result<View<'_>, Refusal> {
        Ok(self.portal.hub().door().view(self.access()?)?)
    }

    /// The role of whoever is signed in.
    pub(crate) fn role(&self) -> Option<Role> {
        self.session.as_ref().and_then(|session| session.access.as_ref()).map(|access| access.role)
    }

    /// Acting for somebody else, if whoever is signed in does.
    pub(crate) fn behalf(&self) -> Option<&Behalf> {
        self.session.as_ref().and_then(|session| session.access.as_ref())?.behalf.as_ref()
    }

    /// The id of the person whose session it is.
    ///
    /// # Errors
    /// When it is not a person's.
    pub(crate) fn person(&self) -> Result<&str, Refusal> {
        self.session.as_ref().and_then(Session::person).ok_or(Refusal::SignIn)
    }

    /// That the person has just shown who they are.
    ///
    /// # Errors
    /// When not: they are asked to, and then led to `next`.
    pub(crate) fn fresh(&self, next: &str) -> Result<(), Refusal> {
        let is_fresh = self.session.as_ref().is_some_and(|session| session.is_fresh(self.micros()));
        if is_fresh { Ok(()) } else { Err(Refusal::Confirm(next.to_owned())) }
    }

    /// What forms of this session carry; empty when there is none.
    pub(crate) fn csrf(&self) -> &str {
        self.session.as_ref().map_or("", |session| session.csrf.as_str())
    }

    /// The time now in microseconds since 1970.
    pub(crate) fn micros(&self) -> i64 {
        self.portal.hub().now()
    }

    /// A parameter of the URL; empty when it is not there.
    pub(crate) fn value(&self, name: &str) -> &str {
        value(&self.pairs, name)
    }

    /// A parameter of the URL, unless it is empty.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        Some(self.value(name)).filter(|value| !value.is_empty())
    }

    /// A field of the form; empty when it is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        value(&self.form, name)
    }

    /// The field of the form whose name begins so: where a page has several forms alike, each name stands there once.
    pub(crate) fn field_of(&self, begin: &str) -> &str {
        self.form.iter().find(|(name, _)| name.starts_with(begin)).map_or("", |(_, value)| value)
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.portal.hub().now()).unwrap_or_default()
    }

    /// Today in Korea.
    pub(crate) fn today(&self) -> Date {
        ieum_ui::format::korean_time(self.now()).date()
    }

    /// One of two texts, by language.
    pub(crate) fn say<T>(&self, ko: T, en: T) -> T {
        self.lang.pick(ko, en)
    }
}

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> &'p str {
    pairs.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
}

//! What a token may be used for (SMART App Launch 2.2, "Scopes for requesting FHIR resources").
//!
//! A scope only ever takes away: a token reaches what its account reaches, of that what its scopes name, and of that, if
//! one of them begins with `patient/`, the record of one patient. `patient/Observation.rs` reads and searches the
//! observations of that patient; `user/*.cruds` does with every kind what the account may do; `system/` is the same for an
//! app that acts for nobody but itself. What follows a `?` selects records as a search would (all its parameters must
//! hold, and one such scope widens another, as all scopes do).

mod selection;

use std::fmt;

use ieum_fhir::definitions::r4;

/// Bytes of all scopes together.
pub const MOST_BYTES: usize = 4 << 10;
/// Scopes in one list.
pub const MOST_SCOPES: usize = 100;
/// Search parameters in one scope.
pub const MOST_PARAMETERS: usize = 8;

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `launch`: started from a chart, which says about whom.
    Launch,
    /// `launch/patient`: somebody chooses about whom.
    LaunchPatient,
    /// `openid`: who the user is, as an ID token.
    OpenId,
    /// `fhirUser`: with it, the record of the user.
    FhirUser,
    /// `offline_access`: also when the user is not there.
    OfflineAccess,
    /// Records.
    Records(Records),
}

/// A scope of records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Records {
    /// Whose.
    pub level: Level,
    /// A resource type; `None` for every one (`*`).
    pub kind: Option<String>,
    /// What may be done.
    pub may: Interactions,
    /// Which records of the kind: the parameters of a search, all of which must hold, as they are written, percent signs
    /// and all. Empty: all. Those that are read out of a list of scopes can be asked of each record alone
    /// ([`Records::selection`]), and stand with a kind, `r` and `s` only.
    pub query: Vec<(String, String)>,
}

/// Whose records a scope names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Those of the patient that the app was launched for.
    Patient,
    /// What the user reaches.
    User,
    /// What the app itself reaches, without a user.
    System,
}

impl Level {
    const ALL: [Self; 3] = [Self::Patient, Self::User, Self::System];

    const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// A set of interactions: create, read, update, delete, search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interactions(u8);

impl Interactions {
    /// `c`: create.
    pub const CREATE: Self = Self(1);
    /// `r`: read, read a version, history of a record.
    pub const READ: Self = Self(2);
    /// `u`: update and patch.
    pub const UPDATE: Self = Self(4);
    /// `d`: delete.
    pub const DELETE: Self = Self(8);
    /// `s`: search, history of a kind.
    pub const SEARCH: Self = Self(16);
    const LETTERS: [(char, Self); 5] = [
        ('c', Self::CREATE),
        ('r', Self::READ),
        ('u', Self::UPDATE),
        ('d', Self::DELETE),
        ('s', Self::SEARCH),
    ];

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of those are among these.
    #[must_use]
    pub const fn include(self, those: Self) -> bool {
        self.0 & those.0 == those.0
    }

    /// Whether any of these changes a record.
    #[must_use]
    pub const fn write(self) -> bool {
        self.0 & (Self::CREATE.0 | Self::UPDATE.0 | Self::DELETE.0) != 0
    }

    /// One or more of the letters `cruds`, in this order and none twice.
    fn parse(text: &str) -> Option<Self> {
        let mut left = Self::LETTERS.iter();
        let mut set = Self::default();
        for letter in text.chars() {
            set = set.and(left.find(|(known, _)| *known == letter)?.1);
        }
        (set != Self::default()).then_some(set)
    }
}

impl fmt::Display for Interactions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Self::LETTERS.iter().filter(|(_, one)| self.include(*one));
        letters.map(|(letter, _)| letter).collect::<String>().fmt(out)
    }
}

/// Why scopes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// None at all.
    #[error("name at least one scope")]
    None,
    /// Too long, too many, or too many parameters.
    #[error("a list of scopes may have 100 of them, 4096 bytes, and 8 search parameters in each")]
    TooMany,
    /// Not a scope that this server has.
    #[error(
        "scopes are `patient/`, `user/` or `system/`, then a resource type of R4 or `*`, a point, and some of `cruds` in \
         this order; and `launch`, `launch/patient`, `openid`, `fhirUser`, `offline_access`"
    )]
    Unknown,
    /// What selects records cannot be asked of each record.
    #[error(
        "a scope that selects names one resource type, `r` and `s` alone, and after `?` search parameters of R4 that look at \
         nothing but the record itself: no chain, no `_has`, nothing about order or pages"
    )]
    Selection,
}

impl Scope {
    fn parse(text: &str) -> Result<Self, ScopeError> {
        Ok(match text {
            "launch" => Self::Launch,
            "launch/patient" => Self::LaunchPatient,
            "openid" => Self::OpenId,
            "fhirUser" => Self::FhirUser,
            "offline_access" => Self::OfflineAccess,
            _ => Self::Records(Records::parse(text)?),
        })
    }

    /// Whether having this scope is having that one too. Two with search parameters are compared as they are written:
    /// what only a search could tell apart is not the same.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Records(own), Self::Records(other)) => own.covers(other),
            _ => self == other,
        }
    }
}

impl Records {
    fn parse(text: &str) -> Result<Self, ScopeError> {
        let (level, rest) = text.split_once('/').ok_or(ScopeError::Unknown)?;
        let level = Level::ALL.into_iter().find(|known| known.name() == level).ok_or(ScopeError::Unknown)?;
        let (what, query) = rest.split_once('?').map_or((rest, None), |(what, query)| (what, Some(query)));
        let (kind, may) = what.split_once('.').ok_or(ScopeError::Unknown)?;
        let kind = match kind {
            "*" => None,
            kind if r4().is_resource(kind) => Some(kind.to_owned()),
            _ => return Err(ScopeError::Unknown),
        };
        let may = Interactions::parse(may).ok_or(ScopeError::Unknown)?;
        let query = query.map_or(Ok(Vec::new()), parameters)?;
        let records = Self { level, kind, may, query };
        if !records.query.is_empty() {
            records.selection(&[], 0)?;
        }
        Ok(records)
    }

    fn covers(&self, other: &Self) -> bool {
        self.level == other.level
            && (self.kind.is_none() || self.kind == other.kind)
            && self.may.include(other.may)
            && (self.query.is_empty() || self.query == other.query)
    }

    /// Whether it names this kind of record; `None` asks for all of them.
    #[must_use]
    pub fn names(&self, kind: Option<&str>) -> bool {
        self.kind.is_none() || self.kind.as_deref() == kind
    }
}

/// The parameters after a `?`, as they are written: percent signs and all.
fn parameters(text: &str) -> Result<Vec<(String, String)>, ScopeError> {
    let pairs: Vec<_> = text.split('&').map(|pair| pair.split_once('=').ok_or(ScopeError::Unknown)).collect();
    if pairs.len() > MOST_PARAMETERS {
        return Err(ScopeError::TooMany);
    }
    let pair = |pair: Result<(&str, &str), ScopeError>| {
        let (name, value) = pair?;
        if name.is_empty() || value.is_empty() {
            return Err(ScopeError::Unknown);
        }
        Ok((name.to_owned(), value.to_owned()))
    };
    pairs.into_iter().map(pair).collect()
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Records { level, kind, may, query } = match self {
            Self::Launch => return out.write_str("launch"),
            Self::LaunchPatient => return out.write_str("launch/patient"),
            Self::OpenId => return out.write_str("openid"),
            Self::FhirUser => return out.write_str("fhirUser"),
            Self::OfflineAccess => return out.write_str("offline_access"),
            Self::Records(records) => records,
        };
        write!(out, "{}/{}.{may}", level.name(), kind.as_deref().unwrap_or("*"))?;
        for (index, (name, value)) in query.iter().enumerate() {
            write!(out, "{}{name}={value}", if index == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

/// Scopes, each once, in the order they were named.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads a list with spaces between (RFC 6749, section 3.3).
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MOST_BYTES {
            return Err(ScopeError::TooMany);
        }
        let mut scopes = Vec::new();
        for part in text.split(' ').filter(|part| !part.is_empty()) {
            let scope = Scope::parse(part)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        match scopes.len() {
            0 => Err(ScopeError::None),
            1..=MOST_SCOPES => Ok(Self(scopes)),
            _ => Err(ScopeError::TooMany),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Those of records.
    pub fn records(&self) -> impl Iterator<Item = &Records> {
        self.0
            .iter()
            .filter_map(|scope| if let Scope::Records(records) = scope { Some(records) } else { None })
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether each of those is within one of these: what is granted must be within what the app is registered for.
    #[must_use]
    pub fn cover(&self, those: &Self) -> bool {
        those.iter().all(|other| self.iter().any(|own| own.covers(other)))
    }

    /// Whether some of them names records of one patient, to whom the token is held then.
    #[must_use]
    pub fn are_about_a_patient(&self) -> bool {
        self.records().any(|records| records.level == Level::Patient)
    }

    /// Whether they allow this on all records of a kind, or, with `None`, of every kind.
    #[must_use]
    pub fn allow(&self, kind: Option<&str>, what: Interactions) -> bool {
        let whole = self.records().filter(|records| records.query.is_empty() && records.names(kind));
        whole.fold(Interactions::default(), |all, records| all.and(records.may)).include(what)
    }

    /// Whether they allow this on some records of a kind, or, with `None`, of any kind.
    #[must_use]
    pub fn allow_some(&self, kind: Option<&str>, what: Interactions) -> bool {
        let mut naming = self.records().filter(|records| kind.is_none() || records.names(kind));
        naming.any(|records| self.with_whole(records).include(what))
    }

    /// Whether they allow this on all records of some kind.
    #[must_use]
    pub fn allow_some_kind(&self, what: Interactions) -> bool {
        let mut whole = self.records().filter(|records| records.query.is_empty());
        whole.any(|records| self.with_whole(records).include(what))
    }

    /// What may be done with the records that one scope names: what it says, and what others say of their whole kind.
    fn with_whole(&self, one: &Records) -> Interactions {
        let whole = self.records().filter(|records| records.query.is_empty());
        let naming = whole.filter(|records| records.names(one.kind.as_deref()));
        naming.fold(one.may, |all, records| all.and(records.may))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            write!(out, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Scopes {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        Self::parse(&text)
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

#[cfg(test)]
mod tests;

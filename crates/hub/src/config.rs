//! Settings: each is a flag, an environment variable (`IEUM_…`) and a line of one TOML file, and knows where it
//! came from.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use axum::http::Uri;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ieum_store::sqlite::SqliteOptions;
use ieum_trust::authorization::server::Anchor;
use ieum_trust::federation::{self, Provider, SetUpError};
use ieum_trust::identity::{self, Relay};
use ieum_trust::law::{Law, LawError};
use serde::{Deserialize, Serialize};

use crate::authorization::anchors::{self, AnchorsError};
use crate::limits::Limits;
use crate::portal::guard::is_loopback_url;
use crate::tls;

/// All settings of `ieum serve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen.
    #[serde(deserialize_with = "listen")]
    pub listen: SocketAddr,
    /// Let anybody in; on loopback only.
    pub open: bool,
    /// Say on every page that all records are synthetic. An open hub always says so.
    pub demo: bool,
    /// Address of the FHIR interface as clients see it; derived from `listen` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How the log is written.
    pub log: LogFormat,
    /// Hours for which results of jobs are kept.
    pub jobs_keep_hours: u32,
    /// Records that one search may look at, each condition counted; more is refused before it begins.
    pub search_records: u64,
    /// Searches for people that one account may make in a minute.
    pub people_searches: u32,
    /// Origins, such as `http://files.example`, that `$import` may fetch files from.
    pub import_origins: Vec<String>,
    /// Let these lie in private networks, or on this machine.
    pub import_private: bool,
    /// Origins, such as `https://emr.example`, that notifications of subscriptions may be sent to.
    pub subscription_origins: Vec<String>,
    /// Let these lie in private networks, or on this machine.
    pub subscription_private: bool,
    /// Directory with tables of law that are laid over those of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<PathBuf>,
    /// File with the hub's certificate, and those that lead from it to an authority; then it speaks TLS alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// File with the key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// File with authorities for certificates of clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Directory with authorities whose apps may register by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_anchors: Option<PathBuf>,
    /// Providers elsewhere that people may enter by; in the file alone.
    #[serde(default)]
    pub login_provider: Vec<Provider>,
    /// Relays by which people prove who they are; in the file alone.
    #[serde(default)]
    pub identity_check: Vec<Relay>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line of text an event.
    Text,
    /// A JSON object an event.
    Json,
}

/// Settings given as flags; what is absent comes from elsewhere.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub struct Flags {
    /// Address and port to listen on
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Let anybody in, without account: for trying out, on loopback only
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// Say on every page that all records are synthetic
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// Address of the FHIR interface as clients see it, if it is not http://HOST:PORT/fhir
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// How the log is written
    #[arg(long, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogFormat>,
    /// Hours for which results of exports and other jobs are kept
    #[arg(long, value_name = "HOURS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs_keep_hours: Option<u32>,
    /// Records that one search may look at, each condition counted; more is refused before it begins
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_records: Option<u64>,
    /// Searches for people that one account may make in a minute
    #[arg(long, value_name = "COUNT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_searches: Option<u32>,
    /// Origin that $import may fetch files from, scheme and host; may be given several times
    #[arg(long = "import-origin", value_name = "ORIGIN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub import_origins: Vec<String>,
    /// Let these origins lie in private networks, or on this machine
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub import_private: bool,
    /// Origin that notifications may be sent to, scheme and host; may be given several times
    #[arg(long = "subscription-origin", value_name = "ORIGIN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscription_origins: Vec<String>,
    /// Let these origins lie in private networks, or on this machine
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subscription_private: bool,
    /// Directory with tables of law that are laid over those of the program
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<PathBuf>,
    /// File with the hub's certificate and those that lead from it to an authority (PEM); it is read anew when it changes
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// File with the key of that certificate (PEM)
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// File with authorities for certificates of clients (PEM); then apps may prove by them who they are
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Directory with authorities whose apps may register by themselves: NAME.pem and NAME.toml for each
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_anchors: Option<PathBuf>,
    /// Settings file; otherwise `ieum.toml` in the data directory, if there is one
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self {
            listen,
            open: false,
            demo: false,
            base_url: None,
            log: LogFormat::Text,
            jobs_keep_hours: 24,
            search_records: SqliteOptions::default().query_records,
            people_searches: Limits::default().people_searches,
            import_origins: Vec::new(),
            import_private: false,
            subscription_origins: Vec::new(),
            subscription_private: false,
            law: None,
            tls_certificate: None,
            tls_key: None,
            client_ca: None,
            registration_anchors: None,
            login_provider: Vec::new(),
            identity_check: Vec::new(),
        }
    }
}

/// Why settings that can each be read cannot be served together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// An open hub on an address that others can reach.
    #[error(
        "an open hub may listen on loopback only (127.0.0.1 or ::1); leave out --open, or choose such an address"
    )]
    OpenBeyondLoopback,
    /// Clients elsewhere would be sent to an address that is none.
    #[error(
        "listening beyond this machine takes --base-url https://NAME/fhir: the address as clients see it, at this hub or at a proxy with TLS"
    )]
    BaseUrlMissing,
    /// Secrets and records would go over the network for all to read, and browsers would refuse to sign in.
    #[error(
        "base_url must begin with https:// unless it names this machine: give --tls-certificate and --tls-key, or put a proxy \
         with TLS in front"
    )]
    BaseUrlPlain,
    /// A certificate without key, or a key without certificate.
    #[error("--tls-certificate and --tls-key go together")]
    TlsHalf,
    /// Certificates of clients where there is no TLS: what a proxy says of them is not believed.
    #[error(
        "--client-ca takes --tls-certificate and --tls-key: certificates of clients are looked at where TLS ends"
    )]
    ClientsWithoutTls,
    /// Clients would be led to where nobody answers.
    #[error("base_url must begin with https:// where the hub speaks TLS")]
    BaseUrlNotTls,
    /// No address.
    #[error("base_url is no address of a FHIR interface; write it like https://hub.example/fhir")]
    BaseUrlForm,
    /// A provider elsewhere.
    #[error(transparent)]
    LoginProvider(#[from] SetUpError),
    /// A relay of identity checks.
    #[error(transparent)]
    IdentityCheck(#[from] identity::SetUpError),
}

impl Settings {
    /// The law in force: the program's tables, with those of the directory laid over them.
    ///
    /// # Errors
    /// [`LawError`] names every fault with its place and remedy.
    pub fn law_in_force(&self) -> Result<Law, LawError> {
        self.law.as_deref().map_or_else(|| Ok(Law::built_in()), Law::with_overlay)
    }

    /// The files of TLS, if the hub has its own.
    #[must_use]
    pub fn tls(&self) -> Option<tls::Files> {
        let (certificate, key) = self.tls_certificate.clone().zip(self.tls_key.clone())?;
        Some(tls::Files { certificate, key, clients: self.client_ca.clone() })
    }

    /// The authorities whose apps may register by themselves.
    ///
    /// # Errors
    /// [`AnchorsError`] when the directory of the setting cannot be read.
    pub fn anchors(&self) -> Result<Vec<Anchor>, AnchorsError> {
        self.registration_anchors.as_deref().map_or_else(|| Ok(Vec::new()), anchors::read)
    }

    /// Whether the settings can be served.
    ///
    /// # Errors
    /// [`Misfit`]; its message says what to change.
    pub fn check(&self) -> Result<(), Misfit> {
        federation::check(&self.login_provider)?;
        identity::check(&self.identity_check)?;
        let beyond = !self.listen.ip().is_loopback();
        if self.open && beyond {
            return Err(Misfit::OpenBeyondLoopback);
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(Misfit::TlsHalf);
        }
        if self.client_ca.is_some() && self.tls_key.is_none() {
            return Err(Misfit::ClientsWithoutTls);
        }
        let Some(base_url) = &self.base_url else {
            return if beyond { Err(Misfit::BaseUrlMissing) } else { Ok(()) };
        };
        let uri: Uri = base_url.parse().map_err(|_| Misfit::BaseUrlForm)?;
        if uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
            return Err(Misfit::BaseUrlForm);
        }
        match uri.scheme_str() {
            Some("https") => Ok(()),
            Some("http") if self.tls_key.is_some() => Err(Misfit::BaseUrlNotTls),
            Some("http") if is_loopback_url(base_url) => Ok(()),
            Some("http") => Err(Misfit::BaseUrlPlain),
            _ => Err(Misfit::BaseUrlForm),
        }
    }
}

/// An address to listen on; the host may be a name, such as `localhost`.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let form = "give an address and a port, such as 127.0.0.1:8080 or [::1]:8080";
    let has_port =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !has_port {
        return Err(form.to_owned());
    }
    let found: Vec<SocketAddr> =
        text.to_socket_addrs().map_err(|error| format!("{error}; {form}"))?.collect();
    // Of two addresses of this machine the one that people type.
    let preferred = found.iter().find(|address| address.is_ipv4()).or(found.first());
    preferred.copied().ok_or_else(|| form.to_owned())
}

fn listen<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    address(&text).map_err(serde::de::Error::custom)
}

/// One setting as `ieum doctor` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

/// The names of all settings, in the order of [`Settings`].
const NAMES: [&str; 17] = [
    "listen",
    "open",
    "demo",
    "base_url",
    "log",
    "jobs_keep_hours",
    "search_records",
    "people_searches",
    "import_origins",
    "import_private",
    "subscription_origins",
    "subscription_private",
    "law",
    "tls_certificate",
    "tls_key",
    "client_ca",
    "registration_anchors",
];

/// Settings with their origins.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    figment: Figment,
}

impl Loaded {
    /// Puts together defaults, file, environment and flags, the later ones winning.
    ///
    /// # Errors
    /// Every fault found, each with the setting's name and where it stands.
    pub fn new(data: &Path, flags: &Flags) -> Result<Self, Box<figment::Error>> {
        let file = match &flags.config {
            Some(file) => Toml::file_exact(file),
            None => Toml::file_exact(data.join("ieum.toml")),
        };
        let mut figment = Figment::from(Serialized::defaults(Settings::default()));
        if flags.config.is_some() || data.join("ieum.toml").exists() {
            figment = figment.merge(file);
        }
        // IEUM_TEST_… and other variables of ours are not settings.
        figment = figment.merge(Env::prefixed("IEUM_").only(&NAMES));
        figment = figment.merge(Serialized::from(flags, figment::Profile::Default));
        let settings = figment.extract().map_err(Box::new)?;
        Ok(Self { settings, figment })
    }

    /// Each setting with its origin.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let shown = |name: &'static str| {
            let value = self.figment.find_value(name).ok().map(|value| plain(&value));
            let origin = self.figment.find_metadata(name).map_or_else(|| "-".to_owned(), origin);
            Shown { name, value: value.unwrap_or_else(|| "(derived)".to_owned()), origin }
        };
        NAMES.into_iter().map(shown).collect()
    }
}

fn plain(value: &figment::value::Value) -> String {
    use figment::value::Value;
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, value) => value.to_string(),
        Value::Num(_, number) => {
            number.to_u128().map_or_else(|| format!("{number:?}"), |number| number.to_string())
        }
        Value::Array(_, values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => format!("{other:?}"),
    }
}

fn origin(metadata: &figment::Metadata) -> String {
    match (&*metadata.name, &metadata.source) {
        (_, Some(figment::Source::File(path))) => path.display().to_string(),
        (name, _) if name.contains("environment") => "environment".to_owned(),
        (name, _) if name.contains("Flags") => "flag".to_owned(),
        _ => "default".to_owned(),
    }
}

#[cfg(test)]
mod tests;

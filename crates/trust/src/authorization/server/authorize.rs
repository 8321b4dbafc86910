//! The way to a code: a request is pushed or brought, waits for somebody's yes or no, and goes back with one of them.

use serde_json::{Value, json};

use super::{Pairs, Server, check_once, required, value};
use crate::access::{Access, Role};
use crate::account::{digest, new_secret};
use crate::authorization::client::{CLIENT, Client, Policy};
use crate::authorization::dpop::{self, Sent};
use crate::authorization::fault::Fault;
use crate::authorization::grant::{self, CODE_SECONDS, Grant, OFFLINE_SECONDS};
use crate::authorization::keys::TOKEN_SECONDS;
use crate::authorization::pkce;
use crate::authorization::request::{Launch, Request, WAIT_SECONDS, WhenFull};
use crate::authorization::scopes::{Level, Scope, Scopes};

/// What every `request_uri` of ours begins with (RFC 9126, section 2.2).
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";
/// Bytes of `state` and of `nonce`.
const TEXT_BYTES: usize = 1 << 10;

/// Where somebody's browser goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// To the page that asks, for the request of this name.
    Ask(String),
    /// Back to the app.
    Back(Back),
}

/// The way back to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// One of its addresses.
    pub redirect_uri: String,
    /// What is told it, as parameters.
    pub pairs: Vec<(&'static str, String)>,
}

impl Server {
    /// PAR (RFC 9126): takes the parameters from the app itself; gives what it sends along with the user.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn push(&self, pairs: &Pairs, sent: Sent<'_>, now: i64) -> Result<Value, Fault> {
        check_once(pairs)?;
        let (id, client) = self.authenticate(pairs, now)?;
        if value(pairs, "request_uri").is_some() {
            return Err(Fault::RequestUriInside);
        }
        let proven = dpop::check(sent, None, self.replay_of(&client), now)?;
        let mut request = self.checked(&id, &client, pairs)?;
        if proven.is_some() && request.key.is_some() && proven != request.key {
            return Err(Fault::Dpop("dpop_jkt is the thumbprint of another key"));
        }
        request.key = proven.or(request.key);
        let name = if client.is_public() {
            self.brought.put(request, WhenFull::DropOldest, now)?
        } else {
            self.pushed.put(request, WhenFull::Refuse, now)?
        };
        Ok(json!({ "request_uri": format!("{REQUEST_URI}{name}"), "expires_in": WAIT_SECONDS }))
    }

    /// Somebody's browser comes from an app.
    ///
    /// # Errors
    /// [`Fault`] where it is not certain that the app's own address would be told: the user is told instead.
    pub fn visit(&self, pairs: &Pairs, now: i64) -> Result<Visit, Fault> {
        check_once(pairs)?;
        let id = required(pairs, "client_id")?;
        let client = self.client(id)?.ok_or(Fault::UnknownClient)?;
        if let Some(uri) = value(pairs, "request_uri") {
            // It goes on waiting until there is a yes or no: a page may be loaded again, and log-in comes between.
            let name = uri.strip_prefix(REQUEST_URI).ok_or(Fault::RequestUri)?;
            let pushed = self.read(name, now).filter(|request| request.client == id);
            return pushed.map(|_| Visit::Ask(name.to_owned())).ok_or(Fault::RequestUri);
        }
        let redirect_uri = redirect_uri(&client, pairs)?;
        let checked = match client.policy {
            Policy::Fapi2 => Err(Fault::PushFirst),
            Policy::Smart => self.checked(id, &client, pairs),
        };
        let state = value(pairs, "state").filter(|state| state.len() <= TEXT_BYTES).map(ToOwned::to_owned);
        match checked {
            Ok(request) => Ok(Visit::Ask(self.brought.put(request, WhenFull::DropOldest, now)?)),
            Err(fault) => Ok(Visit::Back(self.back_with(redirect_uri.to_owned(), state, &fault))),
        }
    }

    fn read(&self, name: &str, now: i64) -> Option<Request> {
        self.pushed.read(name, now).or_else(|| self.brought.read(name, now))
    }

    fn take(&self, name: &str, now: i64) -> Result<Request, Fault> {
        let taken = self.pushed.take(name, now).or_else(|| self.brought.take(name, now));
        taken.ok_or(Fault::RequestUri)
    }

    /// Checks the parameters of a request.
    fn checked(&self, id: &str, client: &Client, pairs: &Pairs) -> Result<Request, Fault> {
        if value(pairs, "request").is_some() {
            return Err(Fault::RequestObject);
        }
        let redirect_uri = redirect_uri(client, pairs)?.to_owned();
        if required(pairs, "response_type")? != "code" {
            return Err(Fault::ResponseType);
        }
        if value(pairs, "response_mode").is_some_and(|mode| mode != "query") {
            return Err(Fault::Value("response_mode"));
        }
        if value(pairs, "prompt").is_some_and(|prompt| prompt.split(' ').any(|one| one == "none")) {
            return Err(Fault::Interaction);
        }
        let challenge = value(pairs, "code_challenge").filter(|text| pkce::is_challenge(text));
        let challenge = challenge.ok_or(Fault::Challenge)?.to_owned();
        if value(pairs, "code_challenge_method") != Some("S256") {
            return Err(Fault::Challenge);
        }
        self.check_audience(client.policy, pairs)?;
        let text = |name: &'static str| match value(pairs, name) {
            Some(text) if text.len() > TEXT_BYTES => Err(Fault::Value(name)),
            text => Ok(text.map(ToOwned::to_owned)),
        };
        let (state, nonce, launch) = (text("state")?, text("nonce")?, text("launch")?);
        let key = value(pairs, "dpop_jkt").map(ToOwned::to_owned);
        if key.as_ref().is_some_and(|key| !pkce::is_challenge(key)) {
            return Err(Fault::Value("dpop_jkt"));
        }
        let scopes = asked(client, pairs)?;
        if scopes.records().any(|records| records.level == Level::System) {
            return Err(Fault::ScopeMisfit(
                "`system/` scopes are for apps without a user (client_credentials)",
            ));
        }
        if scopes.records().any(|records| records.level == Level::Patient && records.may.write()) {
            return Err(Fault::ScopeMisfit("`patient/` scopes may read and search (rs), not write"));
        }
        if scopes.contains(&Scope::Launch) != launch.is_some() {
            return Err(Fault::ScopeMisfit("the scope `launch` and the parameter launch go together"));
        }
        Ok(Request { client: id.to_owned(), redirect_uri, scopes, state, challenge, nonce, launch, key })
    }

    /// Whether the app means us: a token must not be got here for another server (SMART, "Obtain authorization code").
    fn check_audience(&self, policy: Policy, pairs: &Pairs) -> Result<(), Fault> {
        let given = [value(pairs, "aud"), value(pairs, "resource")];
        if policy == Policy::Smart && given[0].is_none() {
            return Err(Fault::Missing("aud"));
        }
        let is_ours = |address: &str| address.strip_suffix('/').unwrap_or(address) == self.fhir;
        if given.into_iter().flatten().all(is_ours) { Ok(()) } else { Err(Fault::Audience) }
    }

    /// A request that waits, and the app that asks.
    ///
    /// # Errors
    /// [`Fault::RequestUri`] when it waits no more.
    pub fn waiting(&self, name: &str, now: i64) -> Result<(Request, Client), Fault> {
        let request = self.read(name, now).ok_or(Fault::RequestUri)?;
        let client = self.client(&request.client)?.ok_or(Fault::RequestUri)?;
        Ok((request, client))
    }

    /// About which patient a request of this user is, as far as that is certain without asking: the chart it was started
    /// from, or the user.
    ///
    /// # Errors
    /// [`Fault::Launch`] when the launch is another's or over.
    pub fn patient(&self, request: &Request, user: &Access, now: i64) -> Result<Option<String>, Fault> {
        if let Some(name) = &request.launch {
            let is_theirs = |launch: &Launch| launch.account == user.actor && launch.client == request.client;
            let launch = self.launches.read(name, now).filter(is_theirs);
            return launch.map(|launch| Some(launch.patient)).ok_or(Fault::Launch);
        }
        Ok(if user.role == Role::Patient && is_about_a_patient(&request.scopes) {
            user.patient.clone()
        } else {
            None
        })
    }

    /// Whether this user must still choose about which patient it is.
    ///
    /// # Errors
    /// [`Fault::Launch`] when the launch is another's or over.
    pub fn must_choose(&self, request: &Request, user: &Access, now: i64) -> Result<bool, Fault> {
        Ok(is_about_a_patient(&request.scopes) && self.patient(request, user, now)?.is_none())
    }

    /// Somebody says yes. The request waits no more.
    ///
    /// # Errors
    /// [`Fault`]; then nothing was allowed.
    pub fn allow(&self, name: &str, user: &Access, chosen: Option<&str>, now: i64) -> Result<Back, Fault> {
        let (request, _) = self.waiting(name, now)?;
        let patient = match self.patient(&request, user, now)? {
            Some(patient) => Some(patient),
            None if is_about_a_patient(&request.scopes) => Some(self.chosen(user, chosen)?),
            None => None,
        };
        // Whoever takes it says yes: two tabs do not make two grants.
        let request = self.take(name, now)?;
        if let Some(launch) = &request.launch {
            self.launches.take(launch, now).ok_or(Fault::Launch)?;
        }
        let code = new_secret()?;
        let is_offline = request.scopes.contains(&Scope::OfflineAccess);
        let ends = now + if is_offline { OFFLINE_SECONDS } else { CODE_SECONDS + TOKEN_SECONDS };
        let grant = Grant {
            account: user.actor.clone(),
            client: request.client,
            scopes: request.scopes,
            patient,
            made: now,
            ends,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge,
            nonce: request.nonce,
            key: request.key,
            code_digest: digest(&code),
            code_used: false,
            refresh_digest: None,
            refresh_before: None,
        };
        let id = grant::create(&self.door, &grant)?;
        self.door.released(user, "authorize", &format!("{}/{id}", grant::GRANT.name))?;
        Ok(self.back(request.redirect_uri, request.state, vec![("code", code)]))
    }

    /// The patient that somebody chose, if they reach that record.
    fn chosen(&self, user: &Access, chosen: Option<&str>) -> Result<String, Fault> {
        let id = chosen.filter(|id| ieum_fhir::reference::is_id(id)).ok_or(Fault::Missing("patient"))?;
        let record = self.door.resource_view(user)?.read("Patient", id)?;
        let record = record.filter(|record| !record.is_deleted());
        record.map(|record| record.id).ok_or(Fault::Missing("patient"))
    }

    /// Somebody says no. The request waits no more.
    ///
    /// # Errors
    /// [`Fault::RequestUri`] when it waits no more.
    pub fn deny(&self, name: &str, user: &Access, now: i64) -> Result<Back, Fault> {
        let request = self.take(name, now)?;
        self.door.refused(user, "authorize", &format!("{}/{}", CLIENT.name, request.client))?;
        Ok(self.back_with(request.redirect_uri, request.state, &Fault::Denied))
    }

    fn back_with(&self, redirect_uri: String, state: Option<String>, fault: &Fault) -> Back {
        let pairs = vec![("error", fault.error().to_owned()), ("error_description", fault.to_string())];
        self.back(redirect_uri, state, pairs)
    }

    /// With `iss`, so that an app that uses several servers knows whose answer it is (RFC 9207).
    fn back(
        &self,
        redirect_uri: String,
        state: Option<String>,
        mut pairs: Vec<(&'static str, String)>,
    ) -> Back {
        pairs.extend(state.map(|state| ("state", state)));
        pairs.push(("iss", self.issuer.clone()));
        Back { redirect_uri, pairs }
    }
}

/// Whether a request needs to know about which patient it is.
fn is_about_a_patient(scopes: &Scopes) -> bool {
    scopes.are_about_a_patient() || scopes.contains(&Scope::LaunchPatient)
}

fn redirect_uri<'p>(client: &Client, pairs: &'p Pairs) -> Result<&'p str, Fault> {
    let given = required(pairs, "redirect_uri")?;
    if client.redirect_uris.iter().any(|uri| uri == given) { Ok(given) } else { Err(Fault::RedirectUri) }
}

/// The scopes that an app asks for, none of them beyond those it is registered for.
pub(super) fn asked(client: &Client, pairs: &Pairs) -> Result<Scopes, Fault> {
    let scopes = Scopes::parse(required(pairs, "scope")?)?;
    if !client.scopes.cover(&scopes) {
        return Err(Fault::ScopeBeyond);
    }
    Ok(scopes)
}

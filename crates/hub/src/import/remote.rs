//! A hub that is running elsewhere.

use std::time::Duration;

use super::target::{Refusal, RefusedEntry, Target, outcome_diagnostics, refused_entries};

/// Takes transactions over HTTP.
pub struct Remote {
    agent: ureq::Agent,
    base_url: String,
    secret: Option<String>,
}

/// How often a request is tried again when the hub is busy or restarting.
const ATTEMPTS: u32 = 8;
/// The largest answer read.
const ANSWER_BYTES: u64 = 256 << 20;

/// Status and body.
type Answer = (u16, Vec<u8>);

impl Remote {
    /// The hub at this address of a FHIR interface.
    #[must_use]
    pub fn new(base_url: &str, secret: Option<&str>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(600)));
        Self {
            agent: config.build().into(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            secret: secret.map(ToOwned::to_owned),
        }
    }

    /// Whether a FHIR interface is at the address.
    ///
    /// # Errors
    /// What is there instead, and what to do: better told once than for every record.
    pub fn check(&self) -> Result<(), String> {
        let address = &self.base_url;
        if !address.starts_with("http://") && !address.starts_with("https://") {
            return Err(format!("{address}: begin the address with http:// or https://"));
        }
        let mut request =
            self.agent.get(format!("{address}/metadata")).header("accept", "application/fhir+json");
        if let Some(secret) = &self.secret {
            request = request.header("authorization", format!("Bearer {secret}"));
        }
        let answer = request.call().map_err(|error| error.to_string()).and_then(read);
        match answer {
            Ok((200, body)) if is_capability_statement(&body) => Ok(()),
            // Also when it wants to know first who asks: sending will tell.
            Ok((status, body)) if status >= 400 && outcome_diagnostics(&body).is_some() => Ok(()),
            Ok((status, _)) => Err(self.no_interface(status)),
            Err(error) => Err(format!("{address}: {error}; is the hub running there?")),
        }
    }

    fn no_interface(&self, status: u16) -> String {
        let address = &self.base_url;
        format!(
            "{address} answers {status}, and not as a FHIR interface does; give the address of one: Ieum's ends in /fhir"
        )
    }

    fn try_once(&self, bundle: &[u8]) -> Result<Answer, String> {
        let mut request = self.agent.post(&self.base_url).header("content-type", "application/fhir+json");
        request = request.header("prefer", "return=minimal");
        if let Some(secret) = &self.secret {
            request = request.header("authorization", format!("Bearer {secret}"));
        }
        request.send(bundle).map_err(|error| error.to_string()).and_then(read)
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, String> {
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
    Ok((status, body.map_err(|error| error.to_string())?))
}

fn is_capability_statement(json: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Resource {
        resource_type: String,
    }
    serde_json::from_slice::<Resource>(json)
        .is_ok_and(|resource| resource.resource_type == "CapabilityStatement")
}

impl Target for Remote {
    fn send(&self, bundle: &[u8]) -> Result<Vec<RefusedEntry>, Refusal> {
        let mut why = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(100 << attempt));
            }
            match self.try_once(bundle) {
                Ok((200..300, body)) => match refused_entries(&body) {
                    Err(Refusal::Unreachable(reason)) => why = reason,
                    other => return other,
                },
                Ok((401 | 403, _)) => {
                    return Err(Refusal::Unreachable(
                        "the hub does not let this account in or write; give --secret".into(),
                    ));
                }
                Ok((429 | 500.., _)) => why = "the hub is busy or failing".into(),
                // A proxy may say this for the hub, in words of its own.
                Ok((413, outcome)) => return Err(Refusal::Invalid { status: 413, outcome }),
                Ok((status, outcome)) if outcome_diagnostics(&outcome).is_some() => {
                    return Err(Refusal::Invalid { status, outcome });
                }
                Ok((status, _)) => return Err(Refusal::Unreachable(self.no_interface(status))),
                Err(error) => why = error,
            }
        }
        Err(Refusal::Unreachable(format!("{}: {why}; run the import again to go on", self.base_url)))
    }

    fn at_once(&self) -> usize {
        8
    }
}

//! The authorization server: which app may act for whom, and how far (OAuth 2.0 as SMART App Launch 2.2 and the FAPI 2.0
//! Security Profile narrow it). No HTTP and no clock in here: parameters and the time come in, answers go out.
//!
//! | file | what it holds |
//! |---|---|
//! | [`client`] | registered apps: their policy, addresses, keys and scopes |
//! | [`grant`] | what somebody allowed an app: the record that codes and refresh tokens stand on |
//! | [`scopes`] | what a token may be used for |
//! | [`jwk`], [`jws`] | public keys and signatures, strictly |
//! | [`keys`] | the keys we sign with |
//! | [`assertion`], [`dpop`], [`pkce`], [`replay`] | the proofs that requests carry, each used once |
//! | [`certificate`] | certificates: whom they name, and whether they lead back to an authority |
//! | [`request`] | requests for authorization that wait for somebody's yes |
//! | [`server`] | all of it together: what each address of the server does |
//! | [`fault`] | why something was refused |

pub mod assertion;
pub mod certificate;
pub mod client;
pub mod dpop;
pub mod fault;
pub mod grant;
pub mod jwk;
pub mod jws;
pub mod keys;
pub mod pkce;
pub mod replay;
pub mod request;
pub mod scopes;
pub mod server;

/// Names and values of a form or query, in the order they were sent.
pub type Pairs = Vec<(String, String)>;

/// The value of a parameter; `None` when it is not there or empty (RFC 6749, section 3.1: as if it were left out).
fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

//! Ieum, the hub: HTTP in front of the one door.
//!
//! | file | what it holds |
//! |---|---|
//! | [`hub`] | everything a request needs: the door, the address, the limits |
//! | [`routes`] | the one list of routes; the router, the checks and the CapabilityStatement come from it |
//! | [`server`] | listening, time limits of connections, graceful stop |
//! | [`tls`] | TLS of the hub's own, and certificates of clients |
//! | [`serve`], [`receive`], [`send`] | one request from its head to its answer; its body; answers that are files |
//! | [`caller`] | who asks |
//! | `unread` | answers that clients do not read: how long, and how much of memory |
//! | `host`, `refusals` | under which names an open hub answers; refusals that are written down |
//! | [`authorization`] | apps: their tokens, and how they come by them |
//! | [`federation`] | log-in at providers elsewhere: what is asked of them, over HTTP |
//! | [`identity`], [`simulator`] | proving who somebody is in the world: adapters to relays, and a relay that is none |
//! | [`secret_file`] | secrets in files of their own |
//! | [`call`] | an interaction as its handler sees it, over HTTP or inside a bundle |
//! | [`fhir`] | the FHIR R4 interface, one file for each interaction |
//! | [`jobs`] | long work that survives a restart: exports, imports, answers asked for later |
//! | [`subscriptions`] | events from the change feed, and who is told of them |
//! | [`outgoing`] | requests that the hub makes to others |
//! | [`portal`] | the pages for people, one file for each page |
//! | [`status`] | whether the process lives and can serve, and its numbers |

pub mod authorization;
pub mod call;
pub mod caller;
pub mod cli;
pub mod config;
pub mod data;
pub mod federation;
pub mod fhir;
mod host;
pub mod hub;
pub mod identity;
pub mod import;
pub mod jobs;
pub mod limits;
mod matching;
pub mod outgoing;
pub mod percent;
pub mod portal;
pub mod receive;
mod refusals;
pub mod routes;
pub mod secret_file;
pub mod send;
pub mod serve;
pub mod server;
pub mod simulator;
pub mod status;
pub mod subscriptions;
pub mod tls;
mod unread;

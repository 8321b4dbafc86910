//! Who may see what: access decisions, and the one door through which everything passes.
//!
//! [`access::Access`] says who asks, in which role, about whom and why; [`door::Door`] is the only way from there to
//! records. Demo roles stand in for the real evidence (treatment relations, consent, law) that comes with the access
//! chapter; the shape of the door stays.

pub mod access;
pub mod account;
pub mod authorization;
pub mod breaking;
pub mod code;
pub mod door;
pub mod evidence;
pub mod federation;
pub mod identity;
pub mod institution;
pub mod labels;
pub mod law;
mod own;
pub mod person;
pub mod presence;
pub mod purpose;
pub mod records;
mod refusals;
pub mod representation;
pub mod sharing;
pub mod transfer;

//! Records, their versions and the change feed, behind one trait.
//!
//! Everything that happens is a record version; a commit is one durable transaction with one number; every call names
//! the [`access::AccessPlan`] under which it is made. Two engines exist: [`sqlite`], which keeps records on disk, and
//! [`memory`], a naive oracle that the other is tested against.

pub mod access;
pub mod alone;
pub mod body;
mod bounded;
pub mod catalogue;
pub mod clock;
pub mod commit;
pub mod compress;
pub mod cursor;
pub mod custom;
pub mod engine;
pub mod include;
pub mod memory;
pub mod own;
pub mod prepare;
pub mod record;
pub mod sensitive;
pub mod sqlite;

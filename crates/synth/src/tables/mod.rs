//! What synthetic Korea is made of: small tables, written for this project. Codes are public facts; every sentence,
//! name and choice is ours.

pub(crate) mod acute;
pub(crate) mod chronic;
pub(crate) mod codes;
pub(crate) mod dental;
pub(crate) mod institutions;
pub(crate) mod korean_medicine;
pub(crate) mod laboratory;
pub(crate) mod medicines;
pub(crate) mod names;
pub(crate) mod regions;
pub(crate) mod vaccines;

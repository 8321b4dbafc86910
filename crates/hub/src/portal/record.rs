//! A patient's record as pages need it: which searches, and resources read into view models.
//!
//! Models are lenient: a record that lacks what KR Core asks for is shown with what it has. They hold text as recorded;
//! pages escape it.

pub(crate) mod allergy;
pub(crate) mod concept;
pub(crate) mod fields;
pub(crate) mod items;
pub(crate) mod load;
pub(crate) mod measured;
pub(crate) mod medicine;
pub(crate) mod observation;
pub(crate) mod paper;
pub(crate) mod person;
pub(crate) mod tooth;
pub(crate) mod usual;
pub(crate) mod visit;

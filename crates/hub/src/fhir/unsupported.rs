//! What R4 has and this server has not, so far: answered, not ignored.

use ieum_fhir::outcome::Code;

use super::error;
use crate::call::{Answer, Call, Failure};

/// `GET [base]?…` and `POST [base]/_search`: search over all types.
pub(super) fn search_system(_: &Call<'_>) -> Result<Answer, Failure> {
    let what = "search over several types is not supported yet; search one type at a time: GET [base]/Type?…";
    Err(error::bad(Code::SearchNotSupported, what))
}

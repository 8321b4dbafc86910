//! vread (R4, `http.html#vread`).

use super::read::respond_to_reader;
use super::{error, subset};
use crate::call::{Answer, Call, Failure};

/// `GET [base]/Type/id/_history/version`. The version that deleted a record is gone, like the record itself.
pub(super) fn vread(call: &Call<'_>) -> Result<Answer, Failure> {
    let subset = subset::asked(call, &[])?;
    let version: u64 = call.place.version.parse().map_err(|_| error::not_found())?;
    // `+1` and `01` are numbers, but versions are written in one way only.
    if version.to_string() != call.place.version {
        return Err(error::not_found());
    }
    let view = call.view()?;
    let record = view.read_version(&call.place.kind, &call.place.id, version)?;
    let record = record.ok_or_else(error::not_found)?;
    if record.is_deleted() {
        return Err(error::deleted());
    }
    respond_to_reader(call, &record, &subset)
}

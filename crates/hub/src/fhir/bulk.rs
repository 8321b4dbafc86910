//! What is done later: bulk export (FHIR Bulk Data Access 2.0.0), bulk import, and any answer that is asked for with
//! `Prefer: respond-async` (R4, `async.html`).
//!
//! | file | what it holds |
//! |---|---|
//! | `parameters` | parameters of the URL, or of a Parameters resource |
//! | `ask` | taking a job, and saying where its state is told |
//! | [`export`] | what an export asks for |
//! | `export_run` | an export under way |
//! | `export_list` | records that a `_typeFilter` selects, listed at the start |
//! | [`import`] | what an import asks for |
//! | `import_run` | an import under way |
//! | `fetch` | getting files from elsewhere |
//! | [`later`] | searches and `$everything` that are answered later |
//! | `out` | files of a result, one after another |
//! | `status` | the state of a job, its manifest, its end |
//! | `file` | the files of its result |

use serde::{Deserialize, Serialize};

use crate::jobs::index;
use crate::jobs::work::{Stop, Work};

mod ask;
pub mod export;
mod export_list;
mod export_run;
mod fetch;
mod file;
pub mod import;
mod import_run;
pub mod later;
mod out;
pub(super) mod parameters;
mod status;

pub(super) use ask::export as ask_export;
pub(super) use ask::status_url;
pub(crate) use ask::{check_upload, io_failure};
pub(super) use file::file;
pub(super) use import::import as ask_import;
pub(super) use status::{cancel, status};

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Request {
    /// Writes records into files.
    Export(export::Export),
    /// Brings records in from files.
    Import(import::Import),
    /// Answers a search or `$everything`.
    Later(later::Later),
    /// Indexes by a new search parameter.
    Index(index::Index),
    /// Labels records by other sensitive codes.
    Label,
}

impl Request {
    /// Its name, for metrics, logs and pages.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Export(_) => "export",
            Self::Import(_) => "import",
            Self::Later(_) => "later",
            Self::Index(_) => "index",
            Self::Label => "label",
        }
    }
}

/// Does a job, or goes on with it.
///
/// # Errors
/// [`Stop`] when it ends before its end.
pub fn execute(work: &mut Work<'_>) -> Result<(), Stop> {
    match work.job.request.clone() {
        Request::Export(export) => export_run::run(work, export),
        Request::Import(import) => import_run::run(work, &import),
        Request::Later(later) => later::run(work, &later),
        Request::Index(index) => index::run(work, &index),
        Request::Label => index::label(work),
    }
}

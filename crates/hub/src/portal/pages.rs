//! One file for each page, and what several of them share.

mod alerts;
pub(crate) mod apps;
pub(crate) mod clients;
pub(crate) mod consent;
pub(crate) mod document;
pub(crate) mod documents;
pub(crate) mod emergency;
pub(crate) mod enter;
pub(crate) mod entry;
pub(crate) mod error;
mod explain;
pub(crate) mod find;
pub(crate) mod immunisations;
pub(crate) mod law;
mod left_out;
pub(crate) mod medicines;
pub(crate) mod my_apps;
pub(crate) mod my_login;
pub(crate) mod operator;
pub(crate) mod presence;
pub(crate) mod problems;
mod question;
pub(crate) mod represent;
pub(crate) mod result;
pub(crate) mod results;
pub(crate) mod reviews;
mod room;
pub(crate) mod sharing;
pub(crate) mod sign_in;
pub(crate) mod staff;
pub(crate) mod start;
pub(crate) mod summary;
pub(crate) mod timeline;
pub(crate) mod transfers;
pub(crate) mod visit;
pub(crate) mod vitals;

use ieum_ui::{Align, Column};

/// A column of text.
const fn column(label: &str) -> Column<'_> {
    Column { label, align: Align::Text }
}

/// A column whose cells stay on one line.
const fn column_keep(label: &str) -> Column<'_> {
    Column { label, align: Align::Keep }
}

/// A column of numbers.
const fn column_number(label: &str) -> Column<'_> {
    Column { label, align: Align::Number }
}

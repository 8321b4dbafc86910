//! Synthetic Korea: people, institutions and their records, in FHIR R4 after KR Core 2.0.0.
//!
//! Everything is made from a seed, nothing from the clock, the network or chance: the same options give the same
//! bytes, and patient `k` of a seed is the same however many patients are made. Nothing in it is real, and the
//! numbers say so: see [`is_fake_rrn`] and its neighbours, and `docs/synth.md`.
//!
//! ```
//! use ieum_synth::Options;
//!
//! let options = Options::new(2, 42);
//! let mut bundles = ieum_synth::bundles(&options);
//! let country = bundles.next().unwrap();
//! assert_eq!(country.name, "shared");
//! assert!(country.json.starts_with(br#"{"resourceType":"Bundle","type":"transaction""#));
//! // Any patient can be made alone, so that several threads may share the work.
//! assert_eq!(bundles.nth(1).unwrap().json, ieum_synth::patient_bundle(&options, 1).json);
//! ```
//!
//! The shared bundle comes first: patients refer to its institutions, practitioners and medicines. After it, bundles
//! may be imported in any order and any number of times, because every entry is a PUT with a fixed id.

mod body;
mod calendar;
mod chart;
mod country;
mod course;
mod dice;
mod fake;
mod json;
mod person;
mod resource;
mod romanize;
mod shared;
mod tables;

use jiff::civil::{Date, date};

pub use fake::{
    FOREIGNER_SYSTEM, RRN_SYSTEM, is_fake_institution_symbol, is_fake_phone, is_fake_postal_code,
    is_fake_procedure_code, is_fake_product_code, is_fake_rrn,
};

use dice::Dice;
use person::Person;

/// The day on which synthetic Korea stands still, unless another is asked for.
pub const DEFAULT_AS_OF: Date = date(2026, 11, 1);

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many patients.
    pub patients: u64,
    /// Which world; worlds of different seeds have different patients and the same institutions.
    pub seed: u64,
    /// The last day of every record, instead of today: ages, closures and courses are counted from it.
    pub as_of: Date,
}

impl Options {
    /// `patients` patients of the world `seed`, as of [`DEFAULT_AS_OF`].
    pub const fn new(patients: u64, seed: u64) -> Self {
        Options { patients, seed, as_of: DEFAULT_AS_OF }
    }
}

/// A FHIR transaction Bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBundle {
    /// A name fit for a file, without extension: `shared`, or the id of the patient.
    pub name: String,
    /// The Bundle as minified JSON in UTF-8.
    pub json: Vec<u8>,
}

/// All bundles, the shared one first; each is made when it is asked for, so memory holds one at a time.
pub fn bundles(options: &Options) -> impl Iterator<Item = NamedBundle> {
    let options = *options;
    std::iter::once_with(move || shared_bundle(&options))
        .chain((0..options.patients).map(move |number| patient_bundle(&options, number)))
}

/// The Bundle of institutions, locations, practitioners with their roles, and medicines.
pub fn shared_bundle(options: &Options) -> NamedBundle {
    NamedBundle { name: "shared".to_owned(), json: shared::country_record(options.as_of).bundle() }
}

/// The Bundle of patient `number` (from 0), with everything of theirs; `options.patients` does not matter.
pub fn patient_bundle(options: &Options, number: u64) -> NamedBundle {
    let mut dice = Dice::new(options.seed, number);
    let person = Person::draw(options.seed, number, options.as_of, &mut dice);
    let chart = course::record(&person, dice);
    NamedBundle { name: person.prefix(), json: chart.bundle() }
}

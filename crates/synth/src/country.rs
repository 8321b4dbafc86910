//! Who treats whom: the open institutions near a person, and the doctors who work there.

use jiff::civil::{Date, date};

use crate::tables::institutions::{INSTITUTIONS, Institution};
use crate::tables::regions::REGIONS;

/// What kind of place a visit needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    /// A clinic or health centre with this department, or the next best.
    Clinic(&'static str),
    /// A hospital with this department.
    Hospital(&'static str),
    Dentist,
    KoreanMedicine,
    PublicHealth,
    NursingHospital,
    HomeNurse,
}

impl Institution {
    /// The day of closure, if it has one.
    pub(crate) fn closing_day(&self) -> Option<Date> {
        self.closed.map(|(year, month, day)| date(year, month, day))
    }

    /// Whether the doors are open on `day`.
    pub(crate) fn is_open(&self, day: Date) -> bool {
        self.closing_day().is_none_or(|closing| day <= closing)
    }

    /// Reference to the Organization.
    pub(crate) fn reference(&self) -> String {
        format!("Organization/org-{}", self.symbol)
    }

    /// How many doctors each department has.
    pub(crate) fn doctors_per_department(&self) -> u64 {
        match self.kind {
            "01" => 3,
            "11" | "92" => 2,
            "81" => 0,
            _ => 1,
        }
    }

    fn fits(&self, want: Want) -> bool {
        match want {
            Want::Clinic(department) => {
                matches!(self.kind, "31" | "71" | "72" | "75" | "29") && self.has(department)
            }
            Want::Hospital(department) => matches!(self.kind, "01" | "11" | "21") && self.has(department),
            Want::Dentist => matches!(self.kind, "41" | "51"),
            Want::KoreanMedicine => matches!(self.kind, "92" | "93"),
            Want::PublicHealth => matches!(self.kind, "71" | "72" | "75"),
            Want::NursingHospital => self.kind == "28",
            Want::HomeNurse => matches!(self.kind, "73" | "72" | "71"),
        }
    }

    /// A general doctor (00) of a public or rural clinic stands in for internal and family medicine and children.
    fn has(&self, department: &str) -> bool {
        let generalist = matches!(department, "01" | "11" | "23") && self.departments.contains(&"00");
        generalist || self.departments.contains(&department)
    }
}

/// The place in `region` (else its hub, else anywhere) that fits, open on `day`; the same person (`loyalty`) goes to
/// the same place as long as it is open.
pub(crate) fn place_find(region: usize, want: Want, day: Date, loyalty: u64) -> Option<&'static Institution> {
    let pick = |near: &dyn Fn(&Institution) -> bool| {
        let fits = |place: &&Institution| place.fits(want) && near(place) && place.is_open(day);
        let count = INSTITUTIONS.iter().filter(fits).count() as u64;
        (count > 0).then(|| INSTITUTIONS.iter().filter(fits).nth((loyalty % count) as usize)).flatten()
    };
    let hub = REGIONS[region].hub;
    // Nobody travels to an island to see a doctor.
    let mainland = |place: &Institution| !REGIONS[place.region].remote;
    let near = pick(&|place| place.region == region)
        .or_else(|| pick(&|place| place.region == hub))
        .or_else(|| pick(&|place| REGIONS[place.region].hub == hub && mainland(place)));
    match want {
        // Where no clinic has the department, the hospital of the region does.
        Want::Clinic(department) if near.is_none() => {
            place_find(region, Want::Hospital(department), day, loyalty)
        }
        _ => near.or_else(|| pick(&mainland)).or_else(|| pick(&|_| true)),
    }
}

/// The department of `place` that takes a case of `department`.
pub(crate) fn department_at(place: &Institution, department: &'static str) -> &'static str {
    if place.departments.contains(&department) { department } else { place.departments[0] }
}

/// Id of the doctor on duty, without its type.
pub(crate) fn doctor_id(place: &Institution, department: &str, number: u64) -> String {
    format!("{}-{department}-{}", place.symbol, number % place.doctors_per_department() + 1)
}

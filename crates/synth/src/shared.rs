//! What all patients share: institutions, their places, the people who work there, and the list of medicines.
//!
//! None of it depends on the seed, so that worlds of different seeds fit into one hub.

use crate::json::{Value, json};
use jiff::civil::Date;

use crate::chart::{Chart, coded, meta};
use crate::dice::Dice;
use crate::fake::phone;
use crate::resource::{medication, road_address};
use crate::tables::codes::{
    DEPARTMENT, HIRA_SYMBOL, LICENCE, ORGANIZATION_TYPE, QUALIFICATION, department_name,
};
use crate::tables::institutions::{INSTITUTIONS, Institution, kind_name};
use crate::tables::medicines;
use crate::tables::names::{GENERATIONS, SURNAMES};
use crate::tables::regions::REGIONS;

/// Writes the country as it stands on `as_of`.
pub(crate) fn country_record(as_of: Date) -> Chart {
    let mut chart = Chart::new("shared".to_owned());
    let mut dice = Dice::new(0x1e0, 0);
    let mut licence = 990_000;
    for place in &INSTITUTIONS {
        let address = road_address(place.region, false, &mut dice);
        chart.push(organization(place, &address, as_of, &mut dice));
        chart.push(location(place, &address, as_of));
        for department in place.departments {
            for number in 1..=place.doctors_per_department() {
                licence += 1;
                let id = format!("{}-{department}-{number}", place.symbol);
                chart.push(practitioner(&id, place, department, licence, &mut dice));
                chart.push(practitioner_role(&id, place, department, as_of));
            }
        }
    }
    for medicine in medicines::ALL.iter().filter(|medicine| medicine.listed) {
        chart.push(medication(medicine));
    }
    chart
}

/// The end of an institution that has closed by `as_of`.
fn ended(place: &Institution, as_of: Date) -> Option<Date> {
    place.closing_day().filter(|day| *day < as_of)
}

fn organization(place: &Institution, address: &Value, as_of: Date, dice: &mut Dice) -> Value {
    let area = REGIONS[place.region].area;
    let closed = ended(place, as_of);
    let mut identifier = json!({ "use": "official", "system": HIRA_SYMBOL, "value": place.symbol });
    if let Some(day) = closed {
        identifier["period"] = json!({ "end": day.to_string() });
    }
    let mut organization = json!({
        "resourceType": "Organization",
        "id": format!("org-{}", place.symbol),
        "meta": meta(Some("healthcare-organization"), None),
        "identifier": [identifier],
        "active": closed.is_none(),
        "type": [coded(ORGANIZATION_TYPE, place.kind, kind_name(place.kind))],
        "name": place.name,
        "telecom": [
            { "system": "phone", "value": format!("{area}-0000-{:04}", dice.below(10_000)), "use": "work" },
            { "system": "fax", "value": format!("{area}-0000-{:04}", dice.below(10_000)), "use": "work" }
        ],
        "address": [address]
    });
    if let Some(day) = closed {
        organization["alias"] = json!([format!("{} (폐업 {day})", place.name)]);
    }
    organization
}

fn location(place: &Institution, address: &Value, as_of: Date) -> Value {
    json!({
        "resourceType": "Location",
        "id": format!("loc-{}", place.symbol),
        "meta": meta(None, None),
        "status": if ended(place, as_of).is_some() { "inactive" } else { "active" },
        "name": place.name,
        "mode": "instance",
        "address": address,
        "managingOrganization": { "reference": place.reference() }
    })
}

/// The profession that works in a department.
fn profession(department: &str) -> &'static str {
    match department.as_bytes()[0] {
        b'5' | b'6' => "치과의사",
        b'8' => "한의사",
        _ => "의사",
    }
}

fn practitioner(id: &str, place: &Institution, department: &str, licence: u32, dice: &mut Dice) -> Value {
    let surname = dice.weighted(&SURNAMES, |surname| surname.weight).hangul;
    let male = dice.permille(620);
    let generation = &GENERATIONS[1 + dice.below(2) as usize];
    let given = *dice.pick(if male { &generation.male } else { &generation.female });
    let profession = profession(department);
    let code = |code: &'static str| json!({ "coding": [{ "system": QUALIFICATION, "code": code, "display": code }] });
    let number = |value: u32| json!([{ "system": LICENCE, "value": value.to_string() }]);
    let mut qualifications = vec![json!({ "identifier": number(licence), "code": code(profession) })];
    // General departments have no specialist's title; 응급의학과 and the others are titles of their own.
    if !matches!(department, "00" | "61" | "85") {
        // Their numbers are a series of their own.
        let title = code(department_name(department));
        qualifications.push(json!({ "identifier": number(licence - 10_000), "code": title }));
    }
    json!({
        "resourceType": "Practitioner",
        "id": format!("doc-{id}"),
        "meta": meta(Some("medical-doctor"), None),
        "active": true,
        "name": [{ "text": format!("{surname}{given}") }],
        "telecom": [{ "system": "phone", "value": phone(dice.below(10_000)), "use": "work" }],
        "address": [road_address(place.region, false, dice)],
        "gender": if male { "male" } else { "female" },
        "qualification": qualifications
    })
}

fn practitioner_role(id: &str, place: &Institution, department: &'static str, as_of: Date) -> Value {
    let closed = ended(place, as_of);
    let mut role = json!({
        "resourceType": "PractitionerRole",
        "id": format!("role-{id}"),
        "meta": meta(Some("medical-doctor-role"), None),
        "active": closed.is_none(),
        "practitioner": { "reference": format!("Practitioner/doc-{id}") },
        "organization": { "reference": place.reference() },
        "code": [coded("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor", "Doctor")],
        "specialty": [coded(DEPARTMENT, department, department_name(department))],
        "location": [{ "reference": format!("Location/loc-{}", place.symbol) }]
    });
    if let Some(day) = closed {
        role["period"] = json!({ "end": day.to_string() });
    }
    role
}

//! Order in time: visits, lives, closures.

use std::collections::HashMap;

use crate::{patients, shared, text, walk};

const AS_OF: &str = "2026-11-01";

#[test]
fn periods_are_ordered_and_times_are_korean() {
    for resource in patients().iter().flat_map(|record| &record.resources) {
        walk(resource, &mut |map| {
            if let (Some(start), Some(end)) = (map.get("start"), map.get("end")) {
                assert!(text(start) <= text(end), "{start} {end} in {}", resource["id"]);
            }
            for value in map.values().filter_map(|value| value.as_str()) {
                // Anything shaped as a date and time carries the offset.
                if value.len() > 11 && value.as_bytes()[10] == b'T' && value.starts_with("20") {
                    assert!(value.ends_with("+09:00") && value.len() == 25, "{value}");
                }
            }
        });
    }
}

#[test]
fn nothing_happens_before_birth_after_death_or_after_the_last_day() {
    for record in patients() {
        let patient = record.patient();
        let birth = patient["birthDate"].as_str().unwrap_or("1900-01-01");
        let death = patient["deceasedDateTime"].as_str().map_or(AS_OF, |time| &time[..10]);
        assert!(birth < AS_OF && death <= AS_OF);
        for resource in record.resources.iter().filter(|resource| resource["resourceType"] != "Patient") {
            walk(resource, &mut |map| {
                for value in map.values().filter_map(|value| value.as_str()) {
                    let dated = value.len() == 10 || (value.len() == 25 && value.ends_with("+09:00"));
                    if dated && value.as_bytes()[4] == b'-' && value.as_bytes()[7] == b'-' {
                        let day = &value[..10];
                        assert!(birth <= day && day <= death, "{} {day}: {birth}–{death}", resource["id"]);
                    }
                }
            });
        }
    }
}

#[test]
fn what_happens_in_a_visit_happens_during_it() {
    for record in patients() {
        let visits: HashMap<String, (&str, &str)> = record
            .of("Encounter")
            .map(|visit| {
                let period = &visit["period"];
                (format!("Encounter/{}", text(&visit["id"])), (text(&period["start"]), text(&period["end"])))
            })
            .collect();
        for resource in &record.resources {
            let Some(visit) = resource["encounter"]["reference"].as_str() else { continue };
            let (start, end) = visits[visit];
            for key in ["effectiveDateTime", "authoredOn", "occurrenceDateTime", "started", "recordedDate"] {
                if let Some(time) = resource[key].as_str() {
                    assert!(start <= time && time <= end, "{}.{key} {time}: {start}–{end}", resource["id"]);
                }
            }
        }
    }
}

#[test]
fn one_clinic_of_each_kind_has_closed_and_sees_nobody_since() {
    let mut closings = HashMap::new();
    let mut kinds = Vec::new();
    for organization in shared().of("Organization").filter(|organization| organization["active"] == false) {
        let end = text(&organization["identifier"][0]["period"]["end"]);
        closings.insert(format!("Organization/{}", text(&organization["id"])), end);
        kinds.push(text(&organization["type"][0]["coding"][0]["code"]));
        let role = shared().of("PractitionerRole").find(|role| {
            role["organization"]["reference"] == format!("Organization/{}", text(&organization["id"]))
        });
        assert_eq!(role.unwrap()["active"], false);
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["31", "51", "93"]);
    let mut before: HashMap<&str, u32> = HashMap::new();
    for visit in patients().iter().flat_map(|record| record.of("Encounter")) {
        let place = text(&visit["serviceProvider"]["reference"]);
        if let Some(closing) = closings.get(place) {
            assert!(&text(&visit["period"]["end"])[..10] <= *closing, "{}", visit["id"]);
            *before.entry(place).or_default() += 1;
        }
    }
    assert_eq!(before.len(), 3, "each of them had patients before: {before:?}");
}

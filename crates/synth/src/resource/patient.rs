//! Patient, and the guardian of a child.

use crate::json::{Value, json};

use super::Scribe;
use crate::calendar::instant;
use crate::chart::meta;
use crate::dice::Dice;
use crate::fake::{FOREIGNER_SYSTEM, RRN_SYSTEM, phone, rrn};
use crate::person::{Naming, Person};
use crate::romanize::romanize;
use crate::tables::codes::DATA_ABSENT;
use crate::tables::institutions::Institution;
use crate::tables::names::{GENERATIONS, SURNAMES, hanja};
use crate::tables::regions::{REGIONS, ROADS};

/// An Address with the road-name extension, somewhere in `region`.
pub(crate) fn road_address(region: usize, home: bool, dice: &mut Dice) -> Value {
    let region = &REGIONS[region];
    let road = *dice.pick(&ROADS);
    let quarter = *dice.pick(&region.quarters);
    let number = dice.between(1, 240);
    let detail = if home && !region.remote && dice.permille(620) {
        format!("{number}, {}동 {}호", dice.between(101, 118), dice.between(1, 24) * 100 + dice.between(1, 4))
    } else {
        format!("{number}")
    };
    let postal = format!("{}{:02}", region.postal, dice.between(1, 98));
    json!({
        "extension": [{
            "extension": [
                { "url": "district", "valueString": region.district },
                { "url": "roadName", "valueString": road },
                { "url": "detailedAddress", "valueString": &detail },
                { "url": "complements", "valueString": quarter }
            ],
            "url": "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-roadNameAddress"
        }],
        "use": if home { "home" } else { "work" },
        "text": format!("{} {road} {detail} ({quarter})", region.district),
        "postalCode": postal,
        "country": "KR"
    })
}

fn absent(code: &'static str) -> Value {
    json!({ "extension": [{ "url": DATA_ABSENT, "valueCode": code }] })
}

impl Person {
    /// The name as charts show it.
    pub(crate) fn display_name(&self) -> String {
        match &self.naming {
            Naming::Korean { surname, given } => format!("{}{given}", surname.hangul),
            Naming::Foreign { hangul, .. } => (*hangul).to_owned(),
            Naming::Unidentified => "신원미확인".to_owned(),
        }
    }

    fn identifiers(&self, places: &[&Institution]) -> Value {
        let class = |code: &'static str| json!({ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code }] });
        let mut identifiers = Vec::with_capacity(places.len() + 1);
        for place in places {
            identifiers.push(json!({
                "use": "usual",
                "type": class("MR"),
                "system": format!("urn:oid:1.2.410.100110.10.{}", place.symbol),
                "value": format!("T{}-{:08}", self.seed, self.number),
                "assigner": { "reference": place.reference(), "display": place.name }
            }));
        }
        let foreigner = matches!(self.naming, Naming::Foreign { .. });
        if !matches!(self.naming, Naming::Unidentified) {
            let serial = self.number.wrapping_add(self.seed.wrapping_mul(7_919));
            identifiers.push(json!({
                "use": "official",
                "type": class("NI"),
                "system": if foreigner { FOREIGNER_SYSTEM } else { RRN_SYSTEM },
                "value": rrn(self.birth, self.male, foreigner, serial)
            }));
        }
        Value::Array(identifiers)
    }

    fn names(&self, dice: &mut Dice) -> Value {
        if self.masked {
            // Half are hidden behind a pattern, half are not there at all.
            return match dice.below(2) {
                0 => json!([{ "use": "anonymous", "text": self.masked_name() }]),
                _ => json!([{ "use": "anonymous", "_text": absent("masked") }]),
            };
        }
        let mut names = vec![json!({ "use": "official", "text": self.display_name() })];
        match &self.naming {
            Naming::Korean { surname, given } => {
                if dice.permille(500) {
                    names[0]["family"] = surname.hangul.into();
                    names[0]["given"] = json!([given]);
                }
                let written: Option<String> = given.chars().map(hanja).collect();
                if let Some(written) = written.filter(|_| dice.permille(180)) {
                    names.push(json!({ "use": "usual", "text": format!("{}{written}", surname.hanja) }));
                }
                if dice.permille(120) {
                    names.push(
                        json!({ "use": "usual", "text": format!("{} {}", surname.latin, romanize(given)) }),
                    );
                }
            }
            Naming::Foreign { latin, .. } => {
                names[0]["use"] = "usual".into();
                names.insert(0, json!({ "use": "official", "text": latin }));
            }
            Naming::Unidentified => names[0]["use"] = "temp".into(),
        }
        Value::Array(names)
    }

    fn masked_name(&self) -> String {
        match &self.naming {
            Naming::Korean { surname, .. } => format!("{}○○", surname.hangul),
            _ => "○○○".to_owned(),
        }
    }
}

impl Scribe<'_> {
    /// The Patient, known at the first places visited, and a RelatedPerson for a small child. Comes last, when the
    /// places are known.
    pub(crate) fn patient_record(&mut self) {
        let person = self.person;
        let places = std::mem::take(&mut self.places);
        let places = &places[..places.len().min(3)];
        let unidentified = matches!(person.naming, Naming::Unidentified);
        let mut patient = json!({
            "resourceType": "Patient",
            "id": person.prefix(),
            "meta": meta(Some("patient"), None),
            "identifier": person.identifiers(places),
            "active": true,
            "name": person.names(&mut self.dice),
            "gender": if person.male { "male" } else { "female" }
        });
        if unidentified {
            patient["gender"] = "unknown".into();
            patient["_birthDate"] = absent("temp-unknown");
        } else {
            patient["birthDate"] = person.birth.to_string().into();
            let address = road_address(person.region, true, &mut self.dice);
            self.contact_fill(&mut patient, &address);
            patient["address"] = json!([address]);
        }
        if let Some(death) = person.death {
            let moment = crate::calendar::any_hour(death, &mut self.dice);
            patient["deceasedDateTime"] = instant(moment).into();
        }
        if let Naming::Foreign { nation, .. } = person.naming {
            let nation = json!({ "coding": [{ "system": "urn:iso:std:iso:3166", "code": nation }] });
            patient["extension"] = json!([{
                "extension": [{ "url": "code", "valueCodeableConcept": nation }],
                "url": "http://hl7.org/fhir/StructureDefinition/patient-nationality"
            }]);
        }
        if let Some(first) = places.first() {
            patient["managingOrganization"] = json!({ "reference": first.reference() });
        }
        self.chart.push_first(patient);
    }

    /// Telephone and mail; a parent for those under 19, kin for some of the old.
    fn contact_fill(&mut self, patient: &mut Value, address: &Value) {
        let person = self.person;
        let years = person.age_on(person.as_of);
        let number = phone(self.dice.below(10_000));
        if years >= 12 {
            let mut telecom = vec![json!({ "system": "phone", "value": &number, "use": "mobile" })];
            if years < 75 && self.dice.permille(300) {
                let mail = format!("s{}p{}@example.com", person.seed, person.number);
                telecom.push(json!({ "system": "email", "value": mail }));
            }
            patient["telecom"] = Value::Array(telecom);
        }
        let minor = years < 19;
        let aged_with_kin = years >= 75 && self.dice.permille(500);
        if !minor && !aged_with_kin {
            return;
        }
        let mother = self.dice.permille(650);
        let surname = match (&person.naming, minor && !mother) {
            // Children carry their father's name; others' kin may have any.
            (Naming::Korean { surname, .. }, true) => surname.hangul,
            _ => self.dice.weighted(&SURNAMES, |surname| surname.weight).hangul,
        };
        // Parents of children and children of the old are of the same two generations.
        let names = &GENERATIONS[if years < 80 { 2 } else { 1 }];
        let given = *self.dice.pick(if mother { &names.female } else { &names.male });
        let name = format!("{surname}{given}");
        let (code, display, text) = match (minor, mother) {
            (true, true) => ("MTH", "mother", "어머니"),
            (true, false) => ("FTH", "father", "아버지"),
            (false, true) => ("DAUC", "daughter", "딸"),
            (false, false) => ("SONC", "son", "아들"),
        };
        let relationship = json!([{
            "coding": [
                { "system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N", "display": "Next-of-Kin" },
                { "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code, "display": display }
            ],
            "text": text
        }]);
        patient["contact"] = json!([{
            "relationship": relationship,
            "name": { "text": &name },
            "telecom": [{ "system": "phone", "value": &number, "use": "mobile" }],
            "address": address,
            "gender": if mother { "female" } else { "male" }
        }]);
        if minor && years < 14 {
            let guardian = json!({
                "resourceType": "RelatedPerson",
                "id": self.chart.id_next("rel"),
                "meta": meta(None, None),
                "active": true,
                "patient": self.subject(),
                "relationship": [{
                    "coding": [
                        { "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code, "display": display }
                    ],
                    "text": text
                }],
                "name": [{ "text": &name }],
                "telecom": [{ "system": "phone", "value": &number }],
                "gender": if mother { "female" } else { "male" },
                "address": [address]
            });
            self.chart.push(guardian);
        }
    }
}

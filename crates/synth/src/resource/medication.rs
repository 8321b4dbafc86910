//! Medication (the shared list) and MedicationRequest.

use crate::json::{Value, json};

use super::{Scribe, Visit};
use crate::calendar::{instant, plus_days};
use crate::chart::{coded, meta, quantity};
use crate::tables::codes::{ATC, EDI_MEDICATION};
use crate::tables::korean_medicine::Herbal;
use crate::tables::medicines::Medicine;

const INGREDIENT: &str =
    "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-medicationIngredient";

/// The shared Medication resource of a product.
pub(crate) fn medication(medicine: &Medicine) -> Value {
    json!({
        "resourceType": "Medication",
        "id": format!("med-{}", medicine.edi),
        "meta": meta(Some("medication"), None),
        "code": coded(EDI_MEDICATION, medicine.edi, medicine.name),
        "status": "active",
        "ingredient": [{ "itemCodeableConcept": coded(ATC, medicine.atc, medicine.ingredient) }]
    })
}

/// What is prescribed, as the request will say it.
struct Order {
    /// `medicationReference` or `medicationCodeableConcept`, with its value.
    medication: (&'static str, Value),
    unit: (&'static str, &'static str),
    dose: f64,
    times: i64,
    how: &'static str,
}

impl Scribe<'_> {
    /// A prescription of `days` days, in the form and amount for the age.
    pub(crate) fn medicine_prescribe(&mut self, visit: &Visit, medicine: &'static Medicine, days: i64) {
        let age = self.person.age_on(visit.start.date());
        let medicine = medicine.for_age(age);
        let medication = if medicine.listed {
            ("medicationReference", json!({ "reference": format!("Medication/med-{}", medicine.edi) }))
        } else {
            let mut concept = coded(EDI_MEDICATION, medicine.edi, medicine.name);
            concept["extension"] = json!([{
                "url": INGREDIENT, "valueCodeableConcept": coded(ATC, medicine.atc, medicine.ingredient)
            }]);
            ("medicationCodeableConcept", concept)
        };
        let dose = medicine.dose_at(age);
        self.order_write(
            visit,
            Order { medication, unit: medicine.unit, dose, times: medicine.times, how: medicine.how },
            days,
        );
    }

    /// A prescription of a herbal preparation; ATC has no code for it, and the extension says so.
    pub(crate) fn herbal_prescribe(&mut self, visit: &Visit, herbal: &Herbal, days: i64) {
        let mut concept = coded(EDI_MEDICATION, herbal.edi, herbal.name);
        let absent = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
        concept["extension"] = json!([{
            "url": INGREDIENT, "valueCodeableConcept": coded(absent, "not-applicable", "Not Applicable")
        }]);
        let medication = ("medicationCodeableConcept", concept);
        let order = Order {
            medication,
            unit: ("포", "{packet}"),
            dose: 1.0,
            times: 3,
            how: "식전에 따뜻한 물과 복용",
        };
        self.order_write(visit, order, days);
    }

    fn order_write(&mut self, visit: &Visit, order: Order, days: i64) {
        let until = plus_days(visit.start.date(), days);
        let active = until >= self.person.as_of && self.person.death.is_none();
        let setting = if visit.is_stay() { "inpatient" } else { "outpatient" };
        let amount = order.dose;
        let (unit, ucum) = order.unit;
        let mut request = json!({
            "resourceType": "MedicationRequest",
            "id": self.chart.id_next("rx"),
            "meta": meta(Some("medicationrequest"), visit.label),
            "status": if active { "active" } else { "completed" },
            "intent": "order",
            "category": [{
                "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": setting
                }]
            }],
            "subject": self.subject(),
            "encounter": visit.reference(),
            "authoredOn": instant(visit.moment(12)),
            "requester": visit.practitioner(),
            "dosageInstruction": [{
                "text": format!("1회 {amount}{unit}, 1일 {}회, {days}일분. {}", order.times, order.how),
                "timing": { "repeat": { "frequency": order.times, "period": 1, "periodUnit": "d" } },
                "doseAndRate": [{ "doseQuantity": quantity(number(amount), unit, ucum) }]
            }],
            "dispenseRequest": {
                "quantity": quantity(number(order.dose * (order.times * days) as f64), unit, ucum),
                "expectedSupplyDuration": quantity(days, "일", "d")
            }
        });
        request[order.medication.0] = order.medication.1;
        self.chart.push(request);
    }
}

/// A whole amount as an integer, another as a decimal.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { Value::Integer(value as i64) } else { Value::Decimal(value) }
}

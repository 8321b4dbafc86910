//! The numbers of a body, and how they move with age, disease and treatment.

use jiff::civil::Date;

use crate::calendar::years_between;
use crate::dice::Dice;
use crate::person::Person;
use crate::tables::chronic::Chronic;
use crate::tables::laboratory::{Analyte, Shows};

/// What someone is born with or keeps for life.
pub(crate) struct Frame {
    /// Height when grown, in cm.
    height: f64,
    /// Body mass index when grown.
    bmi: f64,
    /// Leanings of the blood pressure, sugar, LDL cholesterol and kidney function, in standard deviations.
    pressure: f64,
    sugar: f64,
    fat: f64,
    kidney: f64,
}

impl Frame {
    pub(crate) fn draw(male: bool, dice: &mut Dice) -> Self {
        let (height, bmi) = if male { (173.0, 24.6) } else { (160.0, 23.2) };
        Frame {
            height: dice.normal(height, 5.6),
            bmi: dice.normal(bmi, 2.9),
            pressure: dice.normal(0.0, 1.0),
            sugar: dice.normal(0.0, 1.0),
            fat: dice.normal(0.0, 1.0),
            kidney: dice.normal(0.0, 1.0),
        }
    }
}

/// Vital signs of one moment.
pub(crate) struct Vitals {
    pub(crate) systolic: i64,
    pub(crate) diastolic: i64,
    pub(crate) heart_rate: i64,
    pub(crate) respiration: i64,
    pub(crate) temperature: f64,
    pub(crate) saturation: i64,
    pub(crate) height: f64,
    pub(crate) weight: f64,
}

/// From `start` towards `goal` as treatment works over the years; most of it within the first year.
fn treated(start: f64, goal: f64, years: f64) -> f64 {
    goal + (start - goal) * (-1.4 * years).exp()
}

/// Rounds to `decimals` places, so that JSON shows no more.
pub(crate) fn rounded(value: f64, decimals: usize) -> f64 {
    let scale = 10_f64.powi(decimals as i32);
    (value * scale).round() / scale
}

/// Height in cm and weight in kg at an age of `years`.
fn stature(person: &Person, years: f64) -> (f64, f64) {
    if years >= 18.0 {
        let shrinking = (years - 60.0).max(0.0) * 0.08;
        let height = person.frame.height - shrinking;
        return (height, person.frame.bmi * (height / 100.0).powi(2));
    }
    // A growth curve through 50 cm at birth, 75 cm at one year and the grown height at 18.
    let share =
        if years < 1.0 { 0.29 + 0.145 * years } else { 0.435 + 0.565 * ((years - 1.0) / 17.0).powf(0.85) };
    let height = person.frame.height * share;
    let bmi = if years < 1.0 {
        13.4 + 3.4 * years
    } else {
        16.0 + (person.frame.bmi - 17.5) * ((years - 1.0) / 17.0)
    };
    (height, bmi * (height / 100.0).powi(2))
}

impl Vitals {
    /// Measures `person` on `day`; `ill` adds fever, `breathless` takes oxygen.
    pub(crate) fn measure(person: &Person, day: Date, ill: bool, breathless: bool, dice: &mut Dice) -> Self {
        let years = years_between(person.birth, day);
        let (height, weight) = stature(person, years);
        let mut systolic = if years < 18.0 { 88.0 + 1.5 * years } else { 112.0 + 0.16 * (years - 18.0) };
        systolic += 4.5 * person.frame.pressure;
        if let Some(since) = person.since(Chronic::Hypertension) {
            let severity = 4.0 * person.frame.pressure;
            systolic = treated(158.0 + severity, 131.0 + severity, years_between(since, day).max(0.0));
        }
        let systolic = dice.normal(systolic, 6.0).clamp(70.0, 210.0);
        let diastolic = (systolic * 0.61 + dice.normal(1.0, 4.0)).clamp(40.0, 120.0);
        let resting = if years < 12.0 { 118.0 - 3.2 * years } else { 74.0 };
        let fever = if ill { dice.normal(1.7, 0.45).max(0.6) } else { 0.0 };
        let lungs = if person.since(Chronic::Copd).is_some() { 2.5 } else { 0.0 };
        let saturation = dice.normal(98.2 - lungs - if breathless { 5.0 } else { 0.0 }, 0.8);
        Vitals {
            systolic: systolic as i64,
            diastolic: diastolic as i64,
            heart_rate: dice.normal(resting + fever * 12.0, 7.0) as i64,
            respiration: dice
                .normal(if years < 6.0 { 26.0 } else { 16.0 } + if breathless { 7.0 } else { 0.0 }, 1.6)
                as i64,
            temperature: rounded(dice.normal(36.5 + fever, 0.2), 1),
            saturation: saturation.clamp(82.0, 100.0) as i64,
            height: rounded(dice.normal(height, 0.15), 1),
            weight: rounded(dice.normal(weight, 0.7).max(2.4), 1),
        }
    }
}

/// One drawing of blood: values that belong together.
pub(crate) struct Sample {
    a1c: f64,
    ldl: f64,
    hdl: f64,
    triglycerides: f64,
    egfr: f64,
    hemoglobin: f64,
    male: bool,
    kidney_ill: bool,
    gout: Option<f64>,
    thyroid: Option<f64>,
    ill: bool,
    heart: bool,
}

impl Sample {
    /// Draws blood of `person` on `day`; `ill` with an infection, `heart` with an infarction.
    pub(crate) fn draw(person: &Person, day: Date, ill: bool, heart: bool, dice: &mut Dice) -> Self {
        let since = |kind| person.since(kind).map(|date| years_between(date, day).max(0.0));
        let years = years_between(person.birth, day);
        let frame = &person.frame;
        let a1c = match since(Chronic::Diabetes) {
            Some(y) => treated(8.9 + 0.7 * frame.sugar, 6.8 + 0.45 * frame.sugar, y) + 0.04 * y,
            None => 5.3 + 0.15 * frame.sugar + 0.003 * (years - 40.0).max(0.0),
        };
        let ldl = match since(Chronic::Lipids) {
            Some(y) => treated(168.0 + 12.0 * frame.fat, 86.0 + 10.0 * frame.fat, y),
            None => (if years < 20.0 { 94.0 } else { 110.0 }) + 15.0 * frame.fat,
        };
        let egfr = match since(Chronic::Kidney) {
            Some(y) => 55.0 + 3.0 * frame.kidney - 1.9 * y,
            None => 112.0 - 0.62 * (years - 25.0).max(0.0) + 6.0 * frame.kidney,
        };
        let kidney_ill = person.since(Chronic::Kidney).is_some();
        let anaemia = if kidney_ill { 1.6 } else { 0.0 };
        let lipids = if person.since(Chronic::Lipids).is_some() { 165.0 } else { 112.0 };
        Sample {
            a1c: dice.normal(a1c, 0.18).max(4.2),
            ldl: dice.normal(ldl, 9.0).max(35.0),
            hdl: dice.normal(if person.male { 49.0 } else { 57.0 }, 8.0).max(25.0),
            triglycerides: dice.normal(lipids, 30.0).max(40.0),
            egfr: dice.normal(egfr, 3.0).clamp(8.0, 135.0),
            hemoglobin: dice.normal(if person.male { 15.0 } else { 13.1 } - anaemia, 0.7),
            male: person.male,
            kidney_ill,
            gout: since(Chronic::Gout),
            thyroid: since(Chronic::Thyroid),
            ill,
            heart,
        }
    }

    /// The value of one test in this sample, rounded as the laboratory reports it.
    pub(crate) fn value(&self, analyte: &Analyte, dice: &mut Dice) -> f64 {
        let value = match analyte.shows {
            Shows::A1c => self.a1c,
            Shows::Glucose => dice.normal(28.7 * self.a1c - 50.0, 7.0),
            Shows::TotalCholesterol => self.ldl.round() + self.hdl.round() + self.triglycerides / 5.0,
            Shows::Ldl => self.ldl,
            Shows::Hdl => self.hdl,
            Shows::Triglycerides => self.triglycerides,
            Shows::Egfr => self.egfr,
            Shows::Creatinine => (if self.male { 0.96 } else { 0.74 }) * (90.0 / self.egfr).powf(0.88),
            Shows::Bun => dice.normal(14.0 * (90.0 / self.egfr).powf(0.6), 1.5),
            Shows::Potassium => dice.normal(if self.kidney_ill { 4.8 } else { 4.2 }, 0.25),
            Shows::UrineAlbumin => {
                dice.normal(if self.kidney_ill { 160.0 } else { 13.0 + (self.a1c - 5.0) * 6.0 }, 6.0).max(2.0)
            }
            Shows::Hemoglobin => self.hemoglobin,
            Shows::Hematocrit => self.hemoglobin * 2.95,
            Shows::UricAcid => dice.normal(self.gout.map_or(5.2, |years| treated(9.1, 5.8, years)), 0.5),
            Shows::Tsh => {
                dice.normal(self.thyroid.map_or(1.9, |years| treated(11.0, 2.4, years)), 0.5).max(0.1)
            }
            Shows::WhiteCells => dice.normal(if self.ill { 13.2 } else { 6.4 }, 1.3),
            Shows::Crp => {
                if self.ill {
                    dice.normal(64.0, 22.0).max(8.0)
                } else {
                    dice.normal(1.6, 0.8).max(0.2)
                }
            }
            Shows::Troponin => {
                if self.heart {
                    dice.normal(6.2, 2.2).max(0.6)
                } else {
                    0.01
                }
            }
            Shows::Health => {
                let width = analyte.high - analyte.low;
                dice.normal(analyte.low + width * 0.48, width * 0.17).max(analyte.low * 0.8)
            }
        };
        rounded(value, analyte.decimals)
    }
}

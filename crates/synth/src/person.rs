//! Who a patient is: drawn once, before anything happens to them.

use jiff::civil::Date;

use crate::body::Frame;
use crate::calendar::{age, plus_days};
use crate::dice::Dice;
use crate::tables::chronic::{Chronic, LONG_DISEASES, LongDisease};
use crate::tables::names::{FOREIGN, GENERATIONS, SURNAMES, Surname};
use crate::tables::regions::REGIONS;

/// Share of people per age band of ten years, in 1/1000; close to Korea's pyramid of the middle 2020s.
const AGE_BANDS: [(i64, u32); 10] =
    [(0, 62), (10, 88), (20, 115), (30, 130), (40, 150), (50, 168), (60, 150), (70, 84), (80, 45), (90, 8)];

/// How someone is called and known.
pub(crate) enum Naming {
    /// Surname and given name in Hangul.
    Korean { surname: &'static Surname, given: &'static str },
    /// Latin name and Korean rendering.
    Foreign { latin: &'static str, hangul: &'static str, nation: &'static str },
    /// Nobody knows (신원미확인).
    Unidentified,
}

/// A long disease someone has, since when.
pub(crate) struct Illness {
    pub(crate) disease: &'static LongDisease,
    pub(crate) since: Date,
}

/// One inhabitant of synthetic Korea.
pub(crate) struct Person {
    pub(crate) seed: u64,
    pub(crate) number: u64,
    pub(crate) naming: Naming,
    /// The name is withheld for privacy.
    pub(crate) masked: bool,
    pub(crate) male: bool,
    pub(crate) birth: Date,
    pub(crate) death: Option<Date>,
    pub(crate) region: usize,
    /// Steady preference when several institutions would do.
    pub(crate) loyalty: u64,
    /// Code of hira-insurance-types.
    pub(crate) insurance: (&'static str, &'static str),
    pub(crate) illnesses: Vec<Illness>,
    pub(crate) frame: Frame,
    pub(crate) as_of: Date,
}

impl Person {
    /// Draws the person `number` of the world `seed`.
    pub(crate) fn draw(seed: u64, number: u64, as_of: Date, dice: &mut Dice) -> Self {
        let region = region_draw(dice);
        let birth = birth_draw(as_of, REGIONS[region].remote, dice);
        let years = age(birth, as_of);
        let male = dice.permille(if years >= 75 { 410 } else { 503 });
        let naming = naming_draw(birth, male, years, dice);
        let male = match &naming {
            Naming::Foreign { latin, .. } => FOREIGN.iter().any(|row| row.0 == *latin && row.2),
            _ => male,
        };
        let masked = matches!(naming, Naming::Korean { .. }) && dice.permille(6);
        let death = death_draw(years, as_of, dice);
        let mut person = Person {
            seed,
            number,
            naming,
            masked,
            male,
            birth,
            death,
            region,
            loyalty: dice.below(1 << 20),
            insurance: insurance_draw(dice),
            illnesses: Vec::new(),
            frame: Frame::draw(male, dice),
            as_of,
        };
        if !matches!(person.naming, Naming::Unidentified) {
            person.illnesses_draw(dice);
        }
        person
    }

    /// The last day on which anything can happen.
    pub(crate) fn last_day(&self) -> Date {
        self.death.unwrap_or(self.as_of)
    }

    /// Full years of age on `day`.
    pub(crate) fn age_on(&self, day: Date) -> i64 {
        age(self.birth, day)
    }

    /// Since when the person has a disease of this kind.
    pub(crate) fn since(&self, kind: Chronic) -> Option<Date> {
        self.illnesses.iter().find(|illness| illness.disease.kind == kind).map(|illness| illness.since)
    }

    /// Prefix of every id of this patient's record.
    pub(crate) fn prefix(&self) -> String {
        format!("s{}-p{}", self.seed, self.number)
    }

    fn illnesses_draw(&mut self, dice: &mut Dice) {
        let last = self.last_day();
        let years = self.age_on(last);
        let band = match years {
            ..20 => 0,
            20..40 => 1,
            40..50 => 2,
            50..60 => 3,
            60..70 => 4,
            _ => 5,
        };
        for disease in LONG_DISEASES {
            let share = if self.male { disease.by_sex.0 } else { disease.by_sex.1 };
            let mut permille = disease.prevalence[band] * share / 100;
            let metabolic = matches!(disease.kind, Chronic::Kidney | Chronic::Lipids);
            if metabolic && (self.since(Chronic::Diabetes).or(self.since(Chronic::Hypertension))).is_some() {
                permille = permille * 17 / 10;
            }
            let youngest = disease.youngest();
            if years >= youngest && dice.permille(permille.min(950)) {
                // Diagnosed some years ago, but not before the age at which it is.
                let longest = ((years - youngest) * 365).clamp(0, 365 * 12);
                let since = plus_days(last, -dice.between(longest.min(200), longest));
                self.illnesses.push(Illness { disease, since });
            }
        }
    }
}

fn region_draw(dice: &mut Dice) -> usize {
    let chosen = dice.weighted(&REGIONS, |region| region.weight);
    REGIONS.iter().position(|region| std::ptr::eq(region, chosen)).expect("the draw is one of the regions")
}

fn birth_draw(as_of: Date, remote: bool, dice: &mut Dice) -> Date {
    let mut band = dice.weighted(&AGE_BANDS, |band| band.1).0;
    if remote && band < 50 && dice.permille(450) {
        band = *dice.pick(&[60, 70, 80]);
    }
    let days = dice.between(band * 3_653 / 10, (band + 10) * 3_653 / 10 - 1);
    plus_days(as_of, -days.max(45))
}

fn naming_draw(birth: Date, male: bool, years: i64, dice: &mut Dice) -> Naming {
    if years >= 16 && dice.permille(4) {
        return Naming::Unidentified;
    }
    if (18..70).contains(&years) && dice.permille(38) {
        let (latin, hangul, _, nation) = *dice.pick(&FOREIGN);
        return Naming::Foreign { latin, hangul, nation };
    }
    let surname = dice.weighted(&SURNAMES, |surname| surname.weight);
    let generation = GENERATIONS.iter().find(|generation| birth.year() < generation.before);
    let generation = generation.expect("the last generation has no end");
    let names = if male { &generation.male } else { &generation.female };
    // Names at the head of the list are more common: the smaller of two draws.
    let at = dice.below(16).min(dice.below(16)) as usize;
    Naming::Korean { surname, given: names[at] }
}

fn death_draw(years: i64, as_of: Date, dice: &mut Dice) -> Option<Date> {
    let permille = match years {
        ..50 => 1,
        50..65 => 8,
        65..75 => 22,
        75..85 => 60,
        _ => 140,
    };
    (years >= 5 && dice.permille(permille)).then(|| plus_days(as_of, -dice.between(20, 900)))
}

fn insurance_draw(dice: &mut Dice) -> (&'static str, &'static str) {
    const TYPES: [(&str, &str, u32); 4] =
        [("4", "건강보험", 955), ("5", "의료급여", 35), ("7", "보훈", 8), ("9", "무료진료", 2)];
    let chosen = dice.weighted(&TYPES, |row| row.2);
    (chosen.0, chosen.1)
}

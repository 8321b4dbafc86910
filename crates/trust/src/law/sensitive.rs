//! Codes that label records, as the tables have them.

use ieum_store::sensitive::SensitiveCodes;
use jiff::civil::Date;

use super::Law;
use super::asked::LABEL;
use crate::labels;

impl Law {
    /// The codes that label records on a day.
    ///
    /// # Panics
    /// Never: what the words must be was checked when the tables were read.
    #[must_use]
    pub fn sensitive_codes(&self, day: Date) -> SensitiveCodes {
        let mut codes = SensitiveCodes::default();
        for row in self.family(&LABEL, day) {
            let words = |name| row.word(name).unwrap_or_default();
            let mask = words("label").split(' ').fold(0, |mask, label| mask | labels::of_act_code(label));
            for system in words("systems").split_whitespace() {
                for (name, are_categories) in [("codes", false), ("categories", true)] {
                    codes
                        .add(system, words(name), are_categories, mask)
                        .expect("words of the tables were checked when they were read");
                }
            }
        }
        codes
    }
}

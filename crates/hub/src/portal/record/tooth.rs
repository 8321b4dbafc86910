//! Teeth in FDI two-digit notation (ISO 3950).

use ieum_ui::Lang;

/// A tooth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tooth {
    quadrant: u8,
    place: u8,
}

impl Tooth {
    /// The tooth of a code: quadrants 1–4 have eight permanent teeth, 5–8 five deciduous ones.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        let &[quadrant, place] = code.as_bytes() else { return None };
        let (quadrant, place) = (quadrant.wrapping_sub(b'0'), place.wrapping_sub(b'0'));
        let places = if (1..=4).contains(&quadrant) { 8 } else { 5 };
        ((1..=8).contains(&quadrant) && (1..=places).contains(&place)).then_some(Self { quadrant, place })
    }

    /// The code.
    pub(crate) fn code(self) -> String {
        format!("{}{}", self.quadrant, self.place)
    }

    /// What it is called.
    pub(crate) fn name(self, lang: Lang) -> String {
        let side = usize::from((self.quadrant - 1) % 4);
        let place = usize::from(self.place - 1);
        let deciduous = self.quadrant > 4;
        let (ko, en) = if deciduous {
            (["유중절치", "유측절치", "유견치", "제1유구치", "제2유구치"][place], DECIDUOUS[place])
        } else {
            (PERMANENT[place].0, PERMANENT[place].1)
        };
        match lang {
            Lang::Ko => format!("{} {ko}", ["상악 우측", "상악 좌측", "하악 좌측", "하악 우측"][side]),
            Lang::En => format!("{} {en}", ["upper right", "upper left", "lower left", "lower right"][side]),
        }
    }

    /// The teeth of a jaw as the dentist sees them, from the patient's right to left: upper, or lower.
    pub(crate) fn jaw(upper: bool) -> impl Iterator<Item = Self> {
        let (right, left) = if upper { (1, 2) } else { (4, 3) };
        let tooth = |quadrant| move |place| Self { quadrant, place };
        (1..=8).rev().map(tooth(right)).chain((1..=8).map(tooth(left)))
    }
}

const PERMANENT: [(&str, &str); 8] = [
    ("중절치", "central incisor"),
    ("측절치", "lateral incisor"),
    ("견치", "canine"),
    ("제1소구치", "first premolar"),
    ("제2소구치", "second premolar"),
    ("제1대구치", "first molar"),
    ("제2대구치", "second molar"),
    ("제3대구치", "third molar"),
];

const DECIDUOUS: [&str; 5] = [
    "deciduous central incisor",
    "deciduous lateral incisor",
    "deciduous canine",
    "deciduous first molar",
    "deciduous second molar",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_teeth_or_nothing() {
        let tooth = Tooth::from_code("36").unwrap();
        assert_eq!(tooth.name(Lang::Ko), "하악 좌측 제1대구치");
        assert_eq!(tooth.name(Lang::En), "lower left first molar");
        assert_eq!(Tooth::from_code("55").unwrap().name(Lang::Ko), "상악 우측 제2유구치");
        for code in ["", "0", "19", "10", "56", "91", "3a", "361", "치아"] {
            assert_eq!(Tooth::from_code(code), None, "{code}");
        }
        assert_eq!(
            Tooth::jaw(true).map(Tooth::code).collect::<Vec<_>>().first().map(String::as_str),
            Some("18")
        );
        assert_eq!(Tooth::jaw(false).count(), 16);
    }
}

//! What somebody wants records for.

/// A purpose of use (`http://terminology.hl7.org/CodeSystem/v3-ActReason`). Bits are stored with consents: never give one
/// another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Purpose {
    /// Treatment.
    #[serde(rename = "TREAT")]
    Treatment,
    /// Treatment in an emergency.
    #[serde(rename = "ETREAT")]
    Emergency,
    /// Breaking the glass.
    #[serde(rename = "BTG")]
    BreakGlass,
    /// Payment.
    #[serde(rename = "HPAYMT")]
    Payment,
    /// Running an institution.
    #[serde(rename = "HOPERAT")]
    Operations,
    /// Research.
    #[serde(rename = "HRESCH")]
    Research,
    /// Public health.
    #[serde(rename = "PUBHLTH")]
    PublicHealth,
    /// The patient asks.
    #[serde(rename = "PATRQT")]
    PatientRequest,
    /// Somebody asks who represents the patient.
    #[serde(rename = "FAMRQT")]
    FamilyRequest,
    /// Answering for privacy.
    #[serde(rename = "HCOMPL")]
    Compliance,
    /// Running the hub.
    #[serde(rename = "HSYSADMIN")]
    Administration,
    /// Trying out.
    #[serde(rename = "HTEST")]
    Test,
}

impl Purpose {
    /// Every purpose, with its code; its place is its bit.
    const CODES: [(Self, &'static str); 12] = [
        (Self::Treatment, "TREAT"),
        (Self::Emergency, "ETREAT"),
        (Self::BreakGlass, "BTG"),
        (Self::Payment, "HPAYMT"),
        (Self::Operations, "HOPERAT"),
        (Self::Research, "HRESCH"),
        (Self::PublicHealth, "PUBHLTH"),
        (Self::PatientRequest, "PATRQT"),
        (Self::FamilyRequest, "FAMRQT"),
        (Self::Compliance, "HCOMPL"),
        (Self::Administration, "HSYSADMIN"),
        (Self::Test, "HTEST"),
    ];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES[self as usize].1
    }

    /// Its bit.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The purpose of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.into_iter().find(|(_, known)| *known == code).map(|(purpose, _)| purpose)
    }

    /// The bits of everything that a consent to this purpose is a consent to: in v3-ActReason an emergency, and breaking the
    /// glass in one, are treatment.
    #[must_use]
    pub const fn covers(self) -> u32 {
        match self {
            Self::Treatment => Self::Treatment.bit() | Self::Emergency.bit() | Self::BreakGlass.bit(),
            Self::Emergency => Self::Emergency.bit() | Self::BreakGlass.bit(),
            other => other.bit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_places_and_codes_lead_back() {
        for (place, (purpose, code)) in Purpose::CODES.into_iter().enumerate() {
            assert_eq!(purpose.bit(), 1 << place);
            assert_eq!((purpose.code(), Purpose::from_code(code)), (code, Some(purpose)));
            assert_ne!(purpose.covers() & purpose.bit(), 0);
        }
    }
}

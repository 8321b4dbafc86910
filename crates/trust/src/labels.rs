//! Sensitivity labels as bits: what a record's `meta.security` says about who may see it.

/// `V` of HL7 Confidentiality: very restricted.
pub const VERY_RESTRICTED: u32 = 1 << 1;

/// Label systems, codes and the bit each sets. Bits are stored with records: never give one another meaning.
const BITS: &[(&str, &str, u32)] = &[
    (CONFIDENTIALITY, "R", 1 << 0),
    (CONFIDENTIALITY, "V", VERY_RESTRICTED),
    (ACT_CODE, "PSY", 1 << 2),
    (ACT_CODE, "HIV", 1 << 3),
    (ACT_CODE, "STD", 1 << 4),
    (ACT_CODE, "SEX", 1 << 5),
    (ACT_CODE, "ETH", 1 << 6),
    (ACT_CODE, "SUD", 1 << 6),
    (ACT_CODE, "ETHUD", 1 << 6),
    (ACT_CODE, "OPIOIDUD", 1 << 6),
    (ACT_CODE, "GDIS", 1 << 7),
    (ACT_CODE, "SDV", 1 << 8),
];

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Every bit: data with none of them are not sensitive.
pub const SENSITIVE: u32 = {
    let (mut all, mut place) = (0, 0);
    while place < BITS.len() {
        all |= BITS[place].2;
        place += 1;
    }
    all
};

/// Whether a label says that nothing is sensitive: the confidentiality codes up to «normal».
#[must_use]
pub fn is_unrestricted(system: &str, code: &str) -> bool {
    system == CONFIDENTIALITY && matches!(code, "U" | "L" | "M" | "N")
}

/// The bits of one label; 0 for one that restricts nothing.
#[must_use]
pub fn label_mask(system: &str, code: &str) -> u32 {
    let matching = BITS.iter().filter(|(known, label, _)| *known == system && *label == code);
    matching.fold(0, |mask, (_, _, bit)| mask | bit)
}

/// The bits of a label of the act code system, by its code alone.
#[must_use]
pub fn of_act_code(code: &str) -> u32 {
    label_mask(ACT_CODE, code)
}

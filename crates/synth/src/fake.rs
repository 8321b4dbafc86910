//! The rules that make every number of synthetic Korea impossible in the real one.
//!
//! Each rule is a function, used by the generator's tests and free for anyone who must tell synthetic records from
//! real ones.

use jiff::civil::Date;

/// The code system of resident registration numbers (주민등록번호).
pub const RRN_SYSTEM: &str = "https://mois.go.kr/rrn";
/// The system under which foreigners' registration numbers (외국인등록번호) are written; same shape, same fakeness.
pub const FOREIGNER_SYSTEM: &str = "https://moj.go.kr/foreigner-registration";

/// Whether `text` is a number of ours: shaped `YYMMDD-SNNNNNN`, with the month field raised by 20 (21 to 32), which
/// no real resident or foreigner registration number can have.
///
/// ```
/// assert!(ieum_synth::is_fake_rrn("842507-1000017")); // "May" 1984
/// assert!(!ieum_synth::is_fake_rrn("840507-1000017"));
/// ```
pub fn is_fake_rrn(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 14
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 6 { *byte == b'-' } else { byte.is_ascii_digit() });
    if !shape {
        return false;
    }
    let two = |at: usize| (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
    (21..=32).contains(&two(2)) && (1..=31).contains(&two(4))
}

/// Whether `symbol` is an institution symbol (요양기관기호) of ours: eight digits, the first two `99`, a region that
/// does not exist.
pub fn is_fake_institution_symbol(symbol: &str) -> bool {
    symbol.len() == 8 && symbol.starts_with("99") && symbol.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `phone` is a number of ours: the exchange `0000` is never given out.
pub fn is_fake_phone(phone: &str) -> bool {
    phone.split('-').nth(1) == Some("0000")
}

/// Whether `code` is a postal code of ours: real ones end at 63644.
pub fn is_fake_postal_code(code: &str) -> bool {
    code.len() == 5 && code.starts_with("99") && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `code` is a medicine product code of ours in the EDI list: nine digits in the unused range `9999`.
pub fn is_fake_product_code(code: &str) -> bool {
    code.len() == 9 && code.starts_with("9999") && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `code` is a procedure code of ours in the EDI list: `ZZ9` and two digits.
pub fn is_fake_procedure_code(code: &str) -> bool {
    code.len() == 5 && code.starts_with("ZZ9") && code[3..].bytes().all(|byte| byte.is_ascii_digit())
}

/// The registration number of the person `serial`, born on `birth`.
pub(crate) fn rrn(birth: Date, male: bool, foreigner: bool, serial: u64) -> String {
    let base = match (birth.year() >= 2000, foreigner) {
        (false, false) => 1,
        (true, false) => 3,
        (false, true) => 5,
        (true, true) => 7,
    };
    let century_and_sex = base + u8::from(!male);
    let year = birth.year() % 100;
    let month = birth.month() + 20;
    format!("{year:02}{month:02}{:02}-{century_and_sex}{:06}", birth.day(), serial % 1_000_000)
}

/// A mobile phone number that reaches nobody.
pub(crate) fn phone(last: u64) -> String {
    format!("010-0000-{:04}", last % 10_000)
}

//! What items, states and grounds are called, and how forms write them.

use ieum_trust::law::asked::{TRANSFER_REFUSAL, TRANSFER_SENDER};
use ieum_trust::law::row::Unit;
use ieum_trust::transfer::items::{Periodic, Term, Wrong};
use ieum_trust::transfer::log::What;
use ieum_trust::transfer::request::Status;
use ieum_ui::{Lang, Tone, badge};
use maud::Markup;

use crate::portal::call::Call;

/// Classes of data: word, Korean, English.
pub(super) const DATA: [(&str, &str, &str); 6] = [
    ("visits", "진료 이력", "Visits"),
    ("diagnoses", "진단", "Diagnoses"),
    ("medicines", "처방과 조제", "Medicines"),
    ("results", "검사 결과", "Test results"),
    ("immunisations", "예방접종", "Vaccinations"),
    ("documents", "문서와 영상", "Documents and images"),
];
/// Cycles: word, Korean, English.
pub(super) const CYCLES: [(&str, &str, &str); 4] = [
    ("once", "한 번", "Once"),
    ("1-months", "한 달마다", "Every month"),
    ("3-months", "석 달마다", "Every three months"),
    ("1-years", "해마다", "Every year"),
];
/// Terms for which it is kept: word, Korean, English.
pub(super) const RETENTIONS: [(&str, &str, &str); 4] = [
    ("30-days", "30일", "30 days"),
    ("6-months", "6개월", "6 months"),
    ("1-years", "1년", "1 year"),
    ("3-years", "3년", "3 years"),
];

/// The term of a word such as `3-months`.
pub(super) fn term(slug: &str) -> Option<Term> {
    let (number, unit) = slug.split_once('-')?;
    let unit = match unit {
        "days" => Unit::Days,
        "months" => Unit::Months,
        "years" => Unit::Years,
        _ => return None,
    };
    Some(Term { number: number.parse().ok()?, unit })
}

pub(super) fn term_slug(term: Term) -> String {
    let unit = match term.unit {
        Unit::Days => "days",
        Unit::Months => "months",
        _ => "years",
    };
    format!("{}-{unit}", term.number)
}

pub(super) fn term_word(term: Term, lang: Lang) -> String {
    let (number, (ko, en)) = (
        term.number,
        match term.unit {
            Unit::Days => ("일", "days"),
            Unit::Months => ("개월", "months"),
            _ => ("년", "years"),
        },
    );
    lang.pick(format!("{number}{ko}"), format!("{number} {en}"))
}

pub(super) fn cycle(slug: &str) -> Option<Periodic> {
    if slug == "once" { Some(Periodic::Once) } else { term(slug).map(Periodic::Every) }
}

pub(super) fn cycle_slug(periodic: Periodic) -> String {
    match periodic {
        Periodic::Once => "once".to_owned(),
        Periodic::Every(term) => term_slug(term),
    }
}

pub(super) fn periodic(periodic: Periodic, lang: Lang) -> String {
    match periodic {
        Periodic::Once => lang.pick("한 번", "Once").to_owned(),
        Periodic::Every(term) => {
            let term = term_word(term, lang);
            lang.pick(format!("{term}마다"), format!("Every {term}"))
        }
    }
}

/// Classes of data in words; one that is not known here stands as it was given.
pub(super) fn data(codes: &[String], lang: Lang) -> String {
    let word = |code: &String| {
        let known = DATA.iter().find(|(known, ..)| known == code);
        known.map_or(code.clone(), |(_, ko, en)| lang.pick(*ko, *en).to_owned())
    };
    codes.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// What is wrong with an item.
pub(super) fn wrong_of(wrong: &[(&'static str, Wrong)], name: &str, lang: Lang) -> Option<&'static str> {
    let (_, wrong) = wrong.iter().find(|(of, _)| *of == name)?;
    Some(match wrong {
        Wrong::Missing => lang.pick("빠졌습니다.", "It is missing."),
        Wrong::TooLong => lang.pick("너무 깁니다.", "It is too long."),
        Wrong::NoSender => lang.pick("법이 정한 보내는 곳이 아닙니다.", "The law names no such sender."),
        Wrong::Term => lang.pick("기간을 고르세요.", "Choose a term."),
        Wrong::Past => lang.pick("이미 지난 날입니다.", "That day is over."),
    })
}

/// How a request stands.
pub(super) fn standing(status: Status, lang: Lang) -> Markup {
    match status {
        Status::Received => badge(Tone::Information, lang.pick("답을 기다림", "Waiting for an answer")),
        Status::Refused { .. } => badge(Tone::Danger, lang.pick("거절됨", "Refused")),
        Status::Active => badge(Tone::Success, lang.pick("받아들여짐", "Accepted")),
        Status::Changed => {
            badge(Tone::Information, lang.pick("바꾼 뒤 답을 기다림", "Changed, waiting for an answer"))
        }
        Status::Withdrawn => badge(Tone::Neutral, lang.pick("철회함", "Withdrawn")),
        Status::Ended => badge(Tone::Neutral, lang.pick("끝남", "Over")),
    }
}

/// The ground of a refusal in the words of the law's table of today.
pub(super) fn ground(call: &Call<'_>, status: Status) -> Option<String> {
    let Status::Refused { ground, .. } = status else { return None };
    let row = call.portal.hub().law().member(&TRANSFER_REFUSAL, &ground.to_string(), call.today())?;
    Some(format!("{ground}. {} ({})", call.say(&row.source_ko, &row.source_en), row.article))
}

/// Those who must send, as the law of today lists them.
pub(super) fn senders_of_law(call: &Call<'_>) -> String {
    let rows = call.portal.hub().law().family(&TRANSFER_SENDER, call.today());
    let words = rows.map(|row| call.say(&row.source_ko, &row.source_en).trim_end_matches('.').to_owned());
    words.collect::<Vec<_>>().join(", ")
}

/// What an entry of the log tells.
pub(super) fn what(what: What, lang: Lang) -> &'static str {
    match what {
        What::Received => lang.pick("요청함", "Asked"),
        What::Accepted => lang.pick("받아들여짐", "Accepted"),
        What::Refused => lang.pick("거절됨", "Refused"),
        What::Told => lang.pick("거절한 까닭을 알림", "The reason was told"),
        What::Changed => lang.pick("바꿈", "Changed"),
        What::Withdrawn => lang.pick("철회함", "Withdrawn"),
        What::Sent => lang.pick("보냄", "Sent"),
        What::Stopped => lang.pick("보내는 곳이 중단함", "Stopped by the sender"),
    }
}

//! What representations, papers and reasons are called.

use ieum_trust::law::Law;
use ieum_trust::law::asked::{MAJORITY, OWN_CONSENT};
use ieum_trust::law::day::Birth;
use ieum_trust::law::may::{Act, Reason, Relation, State};
use ieum_trust::law::papers::Paper;
use ieum_trust::representation::{Standing, Status};
use ieum_ui::{Lang, Tone, badge};
use jiff::civil::Date;
use maud::Markup;

/// Every relation, by the word that forms send.
pub(super) const RELATIONS: [(&str, Relation); 7] = [
    ("parent", Relation::Parent),
    ("legal-guardian", Relation::LegalGuardian),
    ("spouse", Relation::Spouse),
    ("lineal", Relation::Lineal),
    ("spouse-lineal-ascendant", Relation::SpouseLinealAscendant),
    ("sibling", Relation::Sibling),
    ("agent", Relation::Agent),
];

/// Every state, by the word that forms send.
pub(super) const STATES: [(&str, State); 4] = [
    ("death", State::Death),
    ("unconscious", State::Unconscious),
    ("missing", State::Missing),
    ("incapable", State::Incapable),
];

/// What somebody is to the patient.
pub(super) const fn relation(relation: Relation, lang: Lang) -> &'static str {
    let (ko, en) = match relation {
        Relation::Parent => ("부모", "Parent"),
        Relation::LegalGuardian => ("법정대리인(후견인)", "Legal guardian"),
        Relation::Spouse => ("배우자", "Spouse"),
        Relation::Lineal => (
            "직계 가족(성인의 부모, 자녀, 조부모, 손자녀)",
            "Lineal relative (parent of a grown-up, child, grandparent, grandchild)",
        ),
        Relation::SpouseLinealAscendant => ("배우자의 부모나 조부모", "Parent or grandparent of the spouse"),
        Relation::Sibling => ("형제자매", "Brother or sister"),
        Relation::Agent => ("위임받은 사람", "Agent with a power of attorney"),
    };
    match lang {
        Lang::Ko => ko,
        Lang::En => en,
    }
}

/// The state of a patient who cannot consent.
pub(super) fn state(state: State, lang: Lang) -> &'static str {
    match state {
        State::Death => lang.pick("사망", "Has died"),
        State::Unconscious => lang.pick("의식이 없거나 위중함", "Unconscious, or too ill"),
        State::Missing => lang.pick("행방불명", "Missing"),
        State::Incapable => lang.pick("의사능력이 없음", "Lacks capacity"),
    }
}

/// How a representation stands.
pub(super) fn standing(standing: Standing, lang: Lang) -> Markup {
    match standing {
        Standing::Is(Status::Asked) => badge(Tone::Information, lang.pick("요청함, 확인 전", "Asked")),
        Standing::Is(Status::Granted) => badge(Tone::Success, lang.pick("대신할 수 있음", "In force")),
        Standing::Is(Status::Refused) => badge(Tone::Neutral, lang.pick("거절됨", "Refused")),
        Standing::Is(Status::Revoked) => badge(Tone::Neutral, lang.pick("거두었거나 그만둠", "Ended")),
        Standing::Is(Status::Blocked) => badge(Tone::Danger, lang.pick("차단됨", "Blocked")),
        Standing::NotYet => badge(Tone::Information, lang.pick("아직 시작 전", "Not begun")),
        Standing::Lapsed => badge(Tone::Neutral, lang.pick("기간이 끝남", "Over")),
    }
}

/// What may be done.
pub(super) fn act(act: Act, lang: Lang) -> &'static str {
    match act {
        Act::Consent => lang.pick("기록 공개에 동의하기", "consent to sharing"),
        Act::View => lang.pick("기록 보기", "see the record"),
        Act::Copy => lang.pick("병원에서 사본 받기", "have copies at the institution"),
        Act::ClosedCopy => {
            lang.pick("문 닫은 병원의 기록 발급받기", "have records of closed institutions issued")
        }
        Act::AskSending => {
            lang.pick("옮기는 병원으로 기록을 보내 달라고 하기", "ask that records be sent on transfer")
        }
    }
}

/// That something stays hidden.
pub(super) fn hides(lang: Lang) -> &'static str {
    lang.pick(
        "정신건강, HIV, 성 건강, 약물, 폭력 피해로 표시된 기록은 보이지 않습니다.",
        "What is labelled mental health, HIV, sexual health, substance use or violence stays hidden.",
    )
}

/// That a person must decide, and until then nothing is open.
pub(super) fn for_a_person(lang: Lang) -> &'static str {
    lang.pick(
        "이 경우는 법령이 정한 서류가 아직 확인되지 않아, 화면으로는 열리지 않습니다. 기관에서 사람이 판단합니다.",
        "Which papers the law asks for here is not certain yet, so nothing is opened. A person at the institution decides.",
    )
}

/// Why something may not be done.
pub(super) fn reason(reason: Reason, lang: Lang) -> &'static str {
    match reason {
        Reason::Blocked => lang.pick("차단되었습니다.", "Blocked."),
        Reason::NotGranted => lang.pick("아직 확인받지 않았습니다.", "Not checked yet."),
        Reason::Revoked => lang.pick("거두었거나 그만두었습니다.", "Taken back, or laid down."),
        Reason::NotYet => lang.pick("아직 시작하지 않았습니다.", "Not begun."),
        Reason::Lapsed => lang.pick("기간이 끝났습니다.", "Its time is over."),
        Reason::ComeOfAge => lang.pick("본인이 성년이 되었습니다.", "The patient has come of age."),
        Reason::OwnConsent => {
            lang.pick("본인이 스스로 동의하는 나이입니다.", "The patient consents for themself.")
        }
        Reason::TooYoung => lang.pick("본인이 아직 어립니다.", "The patient is too young."),
        Reason::BirthUncertain => lang.pick(
            "기록에 정확한 생년월일이 없습니다. 진료받은 기관에 정정을 요청하세요.",
            "The record has no exact birth date. Ask the institution to correct it.",
        ),
        Reason::NearerKin => lang.pick("더 가까운 가족이 있습니다.", "There are nearer kin."),
        Reason::PapersMissing => lang.pick("보여주지 않은 서류가 있습니다.", "Papers are missing."),
        Reason::NoBasis => lang.pick("법에 근거가 없습니다.", "No rule allows it."),
    }
}

/// What a paper is called.
pub(super) fn paper(paper: Paper, lang: Lang) -> &'static str {
    match paper {
        Paper::RequesterIdentity => {
            lang.pick("대리인의 신분증(또는 본인확인)", "The representative’s identity")
        }
        Paper::RequesterIdentityCopy => {
            lang.pick("대리인의 신분증 사본", "A copy of the representative’s card")
        }
        Paper::KinshipProof => lang.pick("가족관계를 증명하는 서류", "Proof of kinship"),
        Paper::GuardianshipProof => {
            lang.pick("부모나 법정대리인임을 증명하는 서류", "Proof of being parent or legal guardian")
        }
        Paper::ConsentForm => {
            lang.pick("환자가 자필 서명한 동의서(별지 9의2)", "The patient’s signed consent (form 9-2)")
        }
        Paper::GuardianSignature => lang.pick("법정대리인의 서명", "The legal guardian’s signature"),
        Paper::PowerOfAttorney => lang.pick(
            "환자가 자필 서명한 위임장(별지 9의3)",
            "The patient’s signed power of attorney (form 9-3)",
        ),
        Paper::PatientIdentityCopy => lang.pick("환자의 신분증 사본", "A copy of the patient’s card"),
        Paper::StateProof => {
            lang.pick("환자가 동의할 수 없음을 증명하는 서류", "Proof that the patient cannot consent")
        }
        Paper::NoNearerKinProof => {
            lang.pick("더 가까운 가족이 없음을 증명하는 서류", "Proof that there are no nearer kin")
        }
    }
}

/// The word of a paper in forms.
pub(super) const fn paper_slug(paper: Paper) -> &'static str {
    match paper {
        Paper::RequesterIdentity => "requester-identity",
        Paper::RequesterIdentityCopy => "requester-identity-copy",
        Paper::KinshipProof => "kinship-proof",
        Paper::GuardianshipProof => "guardianship-proof",
        Paper::ConsentForm => "consent-form",
        Paper::GuardianSignature => "guardian-signature",
        Paper::PowerOfAttorney => "power-of-attorney",
        Paper::PatientIdentityCopy => "patient-identity-copy",
        Paper::StateProof => "state-proof",
        Paper::NoNearerKinProof => "no-nearer-kin-proof",
    }
}

/// Why a representation ends with this day, where a birthday is why.
pub(super) fn why_then(law: &Law, birth: Option<Birth>, until: Date, lang: Lang) -> Option<String> {
    let (birth, next) = (birth?, until.tomorrow().ok()?);
    let is_birthday = |years| birth.earliest(years) == Some(next);
    let ((own, _), (majority, _)) = (law.always(&OWN_CONSENT, next), law.always(&MAJORITY, next));
    if is_birthday(own) {
        Some(lang.pick(
            format!("만 {own}세부터는 본인이 동의해야 합니다. 그때 동의서를 내고 새로 요청할 수 있습니다."),
            format!(
                "From {own} on the person must consent: it can be asked for anew then, with a consent form."
            ),
        ))
    } else if is_birthday(majority) {
        Some(lang.pick(
            format!("만 {majority}세에 성년이 되어 끝납니다."),
            format!("It ends at majority, {majority}."),
        ))
    } else {
        None
    }
}

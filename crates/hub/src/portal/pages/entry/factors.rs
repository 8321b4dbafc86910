//! Password and code app in forms: choosing them, and what is wrong with what was chosen.

use ieum_trust::person::password::{self, Unfit};
use ieum_trust::person::totp::Totp;
use ieum_ui::{Field, InputKind, text_input};
use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::portal::call::Call;

/// What is wrong with what was chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The password.
    Password(Unfit),
    /// The two passwords differ.
    Repeated,
    /// The code.
    Code,
}

/// The password chosen in a form.
pub(crate) fn chosen_password(call: &Call<'_>, login: &str) -> Result<String, Wrong> {
    let password = call.field("password");
    password::check(password, login).map_err(Wrong::Password)?;
    if password == call.field("again") { Ok(password.to_owned()) } else { Err(Wrong::Repeated) }
}

/// The code app of this session, once a code of it was right.
pub(crate) fn chosen_app(call: &Call<'_>) -> Result<Totp, Wrong> {
    let secret = call.session.as_ref().map(|session| session.app_secret.clone()).ok_or(Wrong::Code)?;
    let mut app = Totp::new(secret);
    if app.take(call.field("code"), call.micros()) { Ok(app) } else { Err(Wrong::Code) }
}

/// Two fields for a new password.
pub(crate) fn password_fields(call: &Call<'_>, login: &str, wrong: Option<Wrong>) -> Markup {
    let error = match wrong {
        Some(Wrong::Password(Unfit::Short)) => {
            Some(call.say("10자보다 짧습니다.", "It has fewer than 10 characters."))
        }
        Some(Wrong::Password(Unfit::Long)) => Some(call.say("너무 깁니다.", "It is too long.")),
        Some(Wrong::Password(Unfit::Simple)) => Some(call.say(
            "너무 쉽습니다. 같은 글자나 이어지는 글자, 로그인 이름이 대부분입니다.",
            "It is too simple: mostly the same or neighbouring characters, or the log-in name.",
        )),
        _ => None,
    };
    let first = Field {
        hint: Some(call.say(
            "10자 이상. 띄어쓰기도 됩니다. 낱말 몇 개를 이은 것이 외우기 쉽고 안전합니다.",
            "At least 10 characters; spaces count. A few words in a row are easy to keep in mind, and safe.",
        )),
        error,
        required: true,
        ..Field::new("password", call.say("새 비밀번호", "New password"))
    };
    let differs = call.say("위와 다릅니다.", "It differs from the one above.");
    let second = Field {
        error: (wrong == Some(Wrong::Repeated)).then_some(differs),
        required: true,
        ..Field::new("again", call.say("새 비밀번호 다시", "New password again"))
    };
    html! {
        // For password managers, which keep the name with the password.
        input type="text" name="username" value=(login) autocomplete="username" hidden;
        (text_input(&first, InputKind::Password, "", "new-password", call.lang))
        (text_input(&second, InputKind::Password, "", "new-password", call.lang))
    }
}

/// The QR code for the app, its secret in letters, and a field for the first code.
pub(crate) fn app_fields(call: &Call<'_>, login: &str, wrong: Option<Wrong>) -> Markup {
    let secret = call.session.as_ref().map_or("", |session| session.app_secret.as_str());
    let in_groups: Vec<&str> =
        (0..secret.len()).step_by(4).filter_map(|at| secret.get(at..(at + 4).min(secret.len()))).collect();
    html! {
        p { (call.say(
            "휴대전화의 인증 앱(OTP 앱)으로 아래 그림을 찍으면 30초마다 바뀌는 6자리 번호가 나옵니다.",
            "Scan this with an authenticator app on your telephone. It then shows a number of 6 digits that changes every 30 seconds.")) }
        (qr(&Totp::uri(secret, login), call.say("인증 앱에 등록하는 QR 코드", "QR code for the authenticator app")))
        p .i-small { (call.say("찍을 수 없으면 이 값을 앱에 넣으세요: ", "If you cannot scan it, type this into the app: "))
            code { (in_groups.join(" ")) } }
        (code_field(call, (wrong == Some(Wrong::Code)).then(|| call.say(
            "번호가 맞지 않습니다. 앱에 지금 보이는 번호를 넣으세요. 휴대전화의 시각이 맞는지도 보세요.",
            "The number is not right. Type the one shown now, and check the telephone’s clock."))))
    }
}

/// A field for a code of the app.
pub(crate) fn code_field(call: &Call<'_>, error: Option<&str>) -> Markup {
    let field = Field {
        hint: Some(call.say("인증 앱에 보이는 6자리", "The 6 digits that the app shows")),
        error,
        required: true,
        ..Field::new("code", call.say("인증 번호", "Code"))
    };
    text_input(&field, InputKind::Digits, "", "one-time-code", call.lang)
}

/// A QR code, black on white in every colour scheme, because cameras want that.
pub(in crate::portal::pages) fn qr(text: &str, label: &str) -> Markup {
    // An address of at most some 400 bytes; codes hold almost 3,000.
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return html! {} };
    let (size, border) = (code.size(), 4);
    let whole = size + 2 * border;
    let dark =
        (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path: String = dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + border, y + border)).collect();
    html! {
        svg .i-qr role="img" aria-label=(label) viewBox={ "0 0 " (whole) " " (whole) } width="220" height="220"
            shape-rendering="crispEdges" {
            rect width=(whole) height=(whole) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_has_its_corners_and_its_border() {
        let svg = qr("otpauth://totp/Ieum:kim?secret=ABC&issuer=Ieum", "코드").into_string();
        // The first row of the finder pattern: seven dark modules, four modules in.
        for x in 4..11 {
            assert!(svg.contains(&format!("M{x} 4h1v1h-1z")), "{x}");
        }
        assert!(!svg.contains("M11 4h1v1h-1z") && !svg.contains("M3 ") && svg.contains("role=\"img\""));
    }
}

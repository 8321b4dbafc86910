//! The cookies of the portal: the session, the browser that somebody has entered from, the language.

use ieum_ui::Lang;

use super::Portal;

/// Remembers the language.
pub(crate) const LANG_COOKIE: &str = "lang";

/// The name of the cookie by which a browser is known that somebody has entered from.
pub(crate) fn browser_name(portal: &Portal) -> String {
    format!("{}-browser", portal.cookie_name())
}

/// The name of the cookie by which a browser is known again that was sent to a provider elsewhere.
pub(crate) fn elsewhere_name(portal: &Portal) -> String {
    format!("{}-elsewhere", portal.cookie_name())
}

/// That cookie, for ten minutes. It comes back when another site leads here (`Lax`), and lets nobody in.
pub(crate) fn elsewhere(portal: &Portal, value: &str) -> String {
    let (name, secure) = (elsewhere_name(portal), secure(portal));
    format!("{name}={value}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax{secure}")
}

/// The session cookie; with nothing in it, it is taken away.
pub(crate) fn session(portal: &Portal, value: &str) -> String {
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{}{age}", portal.cookie_name(), secure(portal))
}

/// The cookie of a known browser, for half a year. It lets nobody in.
pub(crate) fn browser(portal: &Portal, value: &str) -> String {
    let (name, secure) = (browser_name(portal), secure(portal));
    format!("{name}={value}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Strict{secure}")
}

/// The cookie of the language, for a year.
pub(crate) fn language(portal: &Portal, lang: Lang) -> String {
    format!(
        "{LANG_COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{}",
        lang.tag(),
        secure(portal)
    )
}

fn secure(portal: &Portal) -> &'static str {
    if portal.is_secure() { "; Secure" } else { "" }
}

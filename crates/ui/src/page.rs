//! The page frame: what every page has around its own content.

use maud::{DOCTYPE, Markup, html};

use crate::{Icon, Lang, Message, Text, assets};

/// One entry of the main menu.
#[derive(Clone, Copy, Debug)]
pub struct NavItem<'a> {
    /// What the entry is called.
    pub label: &'a str,
    /// Where it leads.
    pub href: &'a str,
    /// Whether the page shown lies under it.
    pub current: bool,
}

/// One step of the breadcrumb; the home page before and the page itself after are added by the frame.
#[derive(Clone, Copy, Debug)]
pub struct Crumb<'a> {
    /// What the step is called.
    pub label: &'a str,
    /// Where it leads.
    pub href: &'a str,
}

/// Who is looking.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// The person's name.
    pub name: &'a str,
    /// The role in which they are signed in, in words.
    pub role: &'a str,
    /// Where they look after their log-in: what the link says, and where it leads.
    pub own: Option<(&'a str, &'a str)>,
    /// Where the sign-out form is posted.
    pub sign_out: &'a str,
    /// A value that proves the sign-out form came from us, sent as `csrf`; left out when `None`.
    pub csrf: Option<&'a str>,
}

/// A page. Every part is stated by the caller; parts that a page lacks are `None` or empty.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The language of everything on the page.
    pub lang: Lang,
    /// The heading of the page, also the first part of the document title.
    pub title: &'a str,
    /// A sentence under the heading.
    pub lead: Option<Markup>,
    /// Buttons to the right of the heading.
    pub actions: Option<Markup>,
    /// The path and query of this request; the language switch leads back here.
    pub path: &'a str,
    /// Whether the data are synthetic, which the masthead then says.
    pub demo: bool,
    /// The role's home page, behind the brand and the first breadcrumb.
    pub home: &'a str,
    /// The main menu.
    pub nav: &'a [NavItem<'a>],
    /// Who is signed in.
    pub viewer: Option<Viewer<'a>>,
    /// What must stay in sight on every page, above the content, such as for whom somebody acts: its label and the content.
    pub banner: Option<(&'a str, Markup)>,
    /// The steps between home and this page; the trail is left out when this is `None`.
    pub trail: Option<&'a [Crumb<'a>]>,
    /// A message about what the reader just did, announced by screen readers.
    pub flash: Option<Message<'a>>,
    /// Links at the foot of the page.
    pub footer: &'a [NavItem<'a>],
    /// The page's own part.
    pub content: Markup,
}

impl Page<'_> {
    /// The whole document.
    #[must_use]
    pub fn html(&self) -> Markup {
        let lang = self.lang;
        html! {
            (DOCTYPE)
            html lang=(lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="format-detection" content="telephone=no";
                    title { (self.title) " | " (Text::Brand.get(lang)) }
                    link rel="icon" type="image/svg+xml" href=(assets::url("favicon.svg"));
                    link rel="stylesheet" href=(assets::url("ieum.css"));
                    script src=(assets::url("ieum.js")) defer {}
                }
                body {
                    div #krds-skip-link { a href="#content" { (Text::SkipToContent.get(lang)) } }
                    (self.masthead())
                    (self.header())
                    @if let Some((label, banner)) = &self.banner {
                        div .i-banner role="region" aria-label=(label) { div .i-inner { (banner) } }
                    }
                    main .i-main #content tabindex="-1" {
                        div .i-inner .i-breadcrumbed[self.trail.is_some()] {
                            (self.trail())
                            (self.heading())
                            div .i-flow {
                                @if let Some(flash) = &self.flash { (flash.announced(lang)) }
                                (self.content)
                            }
                        }
                    }
                    (self.footer())
                }
            }
        }
    }

    fn masthead(&self) -> Markup {
        let notice = if self.demo { Text::DemoNotice } else { Text::SiteNotice };
        html! {
            div #krds-masthead role="region" aria-label=(Text::Information.get(self.lang)) {
                div .inner {
                    @if self.demo { (Icon::Information.html()) }
                    span .nuri-txt { (notice.get(self.lang)) }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let lang = self.lang;
        html! {
            header .i-header {
                div .i-inner {
                    div .i-header__top {
                        a .i-brand href=(self.home) {
                            (Icon::Brand.html())
                            span {
                                span .i-brand__name { (Text::Brand.get(lang)) } " "
                                span .i-brand__line { (Text::BrandLine.get(lang)) }
                            }
                        }
                        (self.utility())
                        @if !self.nav.is_empty() {
                            button .i-menu-toggle type="button" hidden data-menu-toggle aria-expanded="false"
                                aria-controls="main-menu" { (Icon::Menu.html()) (Text::Menu.get(lang)) }
                        }
                    }
                    @if !self.nav.is_empty() { (self.menu()) }
                }
            }
        }
    }

    fn utility(&self) -> Markup {
        let lang = self.lang;
        html! {
            div .i-utility role="group" aria-label=(Text::Utility.get(lang)) {
                @if let Some(viewer) = &self.viewer {
                    span .i-viewer {
                        (Icon::Person.html())
                        span .i-hidden { (Text::SignedInAs.get(lang)) " " }
                        strong { (viewer.name) } " " span { (viewer.role) }
                    }
                    @if let Some((label, href)) = viewer.own { a href=(href) { (Icon::Key.html()) (label) } }
                    form .i-utility__push method="post" action=(viewer.sign_out) {
                        @if let Some(csrf) = viewer.csrf { input type="hidden" name="csrf" value=(csrf); }
                        button type="submit" { (Icon::Leave.html()) (Text::SignOut.get(lang)) }
                    }
                }
                @for other in Lang::ALL.into_iter().filter(|other| *other != lang) {
                    a href=(lang_url(self.path, other)) lang=(other.tag()) hreflang=(other.tag()) {
                        (Icon::Language.html()) (other.name())
                    }
                }
            }
        }
    }

    fn menu(&self) -> Markup {
        html! {
            nav .i-nav #main-menu aria-label=(Text::MainMenu.get(self.lang)) {
                ul {
                    @for item in self.nav {
                        li { a href=(item.href) aria-current=[item.current.then_some("page")] { (item.label) } }
                    }
                }
            }
        }
    }

    fn trail(&self) -> Markup {
        let Some(trail) = self.trail else { return html! {} };
        html! {
            nav .krds-breadcrumb-wrap aria-label=(Text::Breadcrumb.get(self.lang)) {
                ol .breadcrumb {
                    li .home { a .txt href=(self.home) { (Text::Home.get(self.lang)) } }
                    @for crumb in trail { li { a .txt href=(crumb.href) { (crumb.label) } } }
                    li { span .txt aria-current="page" { (self.title) } }
                }
            }
        }
    }

    fn heading(&self) -> Markup {
        html! {
            div .i-title {
                div {
                    h1 { (self.title) }
                    @if let Some(lead) = &self.lead { p .i-title__lead { (lead) } }
                }
                @if let Some(actions) = &self.actions { div .i-actions { (actions) } }
            }
        }
    }

    fn footer(&self) -> Markup {
        let lang = self.lang;
        html! {
            footer .i-footer {
                div .i-inner {
                    p .i-footer__brand { (Text::Brand.get(lang)) " · " (Text::BrandLine.get(lang)) }
                    p { (Text::FooterNote.get(lang)) }
                    @if self.demo { p { (Text::DemoNotice.get(lang)) } }
                    @if !self.footer.is_empty() {
                        nav aria-label=(Text::FooterMenu.get(lang)) {
                            ul {
                                @for item in self.footer {
                                    li { a href=(item.href) aria-current=[item.current.then_some("page")] { (item.label) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The same path and query with `lang` set to another language. It begins with one slash: two would be another host's
/// address, and a path is the visitor's own text.
#[must_use]
pub fn lang_url(path: &str, lang: Lang) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.trim_start_matches(['/', '\\']);
    let others =
        query.split('&').filter(|pair| !pair.is_empty() && *pair != "lang" && !pair.starts_with("lang="));
    let kept: String = others.map(|pair| format!("{pair}&")).collect();
    format!("/{path}?{kept}lang={}", lang.tag())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>'&";

    fn hostile_page() -> Page<'static> {
        Page {
            lang: Lang::Ko,
            title: HOSTILE,
            lead: None,
            actions: None,
            path: "/p?q=\"><script>",
            demo: true,
            home: "/",
            nav: &[NavItem { label: HOSTILE, href: HOSTILE, current: true }],
            viewer: Some(Viewer {
                name: HOSTILE,
                role: HOSTILE,
                own: Some((HOSTILE, "/own")),
                sign_out: "/out",
                csrf: Some(HOSTILE),
            }),
            banner: None,
            trail: Some(&[Crumb { label: HOSTILE, href: HOSTILE }]),
            flash: Some(Message { tone: crate::Tone::Danger, title: HOSTILE, body: html! { (HOSTILE) } }),
            footer: &[NavItem { label: HOSTILE, href: HOSTILE, current: false }],
            content: html! { p { (HOSTILE) } },
        }
    }

    #[test]
    fn hostile_text_stays_text_everywhere_in_the_frame() {
        let page = hostile_page().html().into_string();
        assert_eq!(page.matches("<script").count(), 1, "only our own script");
        assert!(!page.contains("\"><script>"));
    }

    #[test]
    fn the_frame_obeys_a_strict_content_security_policy() {
        let page = hostile_page().html().into_string();
        assert!(!page.contains(" style=") && !page.contains("<style") && !page.contains("javascript:"));
        assert!(page.contains("<script src=\"/assets/ieum."));
    }

    #[test]
    fn the_language_switch_keeps_the_rest_of_the_query() {
        for (path, expected) in [
            ("/", "/?lang=en"),
            ("/p?q=a&lang=ko&page=2", "/p?q=a&page=2&lang=en"),
            ("/p?language=x&lang", "/p?language=x&lang=en"),
            ("//evil.test/x", "/evil.test/x?lang=en"),
            ("/\\evil.test//x", "/evil.test//x?lang=en"),
        ] {
            assert_eq!(lang_url(path, Lang::En), expected);
        }
    }
}

//! Writes a static gallery of all components, in Korean and English, to a directory, with the assets beside it:
//! `cargo run -p ieum-ui --example gallery -- DIR`. The browser tests in `web/tests` open it.

use std::{fs, path::Path};

use ieum_ui::{Crumb, Lang, NavItem, Page, Viewer, assets, maud::Markup};

mod components;
mod operator;
mod patient;
mod patients;

/// One page of the gallery: file name, title in both languages, lead in both, content.
struct Sheet {
    file: &'static str,
    title: (&'static str, &'static str),
    lead: (&'static str, &'static str),
    actions: Option<fn(Lang) -> Markup>,
    content: fn(Lang) -> Markup,
}

const SHEETS: [Sheet; 4] = [patients::SHEET, patient::SHEET, operator::SHEET, components::SHEET];

fn main() -> std::io::Result<()> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned());
    let directory = Path::new(&directory);
    fs::create_dir_all(directory.join("assets"))?;
    for name in assets::names() {
        let asset = assets::get(name).expect("a name that the crate itself lists");
        fs::write(directory.join("assets").join(name), asset.bytes)?;
    }
    for lang in Lang::ALL {
        for sheet in &SHEETS {
            let path = directory.join(format!("{}.{}.html", sheet.file, lang.tag()));
            fs::write(path, page(sheet, lang).into_string())?;
        }
    }
    Ok(())
}

fn page(sheet: &Sheet, lang: Lang) -> Markup {
    let hrefs: Vec<String> =
        SHEETS.iter().map(|other| format!("/{}.{}.html", other.file, lang.tag())).collect();
    let nav: Vec<NavItem<'_>> = SHEETS
        .iter()
        .zip(&hrefs)
        .map(|(other, href)| NavItem {
            label: lang.pick(other.title.0, other.title.1),
            href,
            current: other.file == sheet.file,
        })
        .collect();
    let lead = lang.pick(sheet.lead.0, sheet.lead.1);
    Page {
        lang,
        title: lang.pick(sheet.title.0, sheet.title.1),
        lead: Some(ieum_ui::maud::html! { (lead) }),
        actions: sheet.actions.map(|actions| actions(lang)),
        path: &format!("/{}.{}.html", sheet.file, lang.tag()),
        demo: true,
        home: &hrefs[0],
        nav: &nav,
        viewer: Some(Viewer {
            name: lang.pick("김가상", "Kim Gasang"),
            role: lang.pick("의사 · 가상병원", "Physician, Gasang Hospital"),
            own: Some((lang.pick("내 로그인", "My log-in"), "/my-login")),
            sign_out: "/sign-out",
            csrf: None,
        }),
        banner: None,
        trail: Some(&[Crumb { label: lang.pick("진료", "Care"), href: "/" }]),
        flash: components::flash(sheet.file, lang),
        footer: &nav[..1],
        content: (sheet.content)(lang),
    }
    .html()
}

//! Embeds `web/dist` into the crate. When it is missing or stale it is built with npm; when npm or its registry is
//! not there, our own plain style sheet takes its place, so that `cargo build` never fails for want of npm.
//!
//! `IEUM_WEB=skip` leaves npm alone (a stale or missing `web/dist` then means the plain sheet).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let web = manifest.join("../../web");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    // Only sources: `web/dist` and `node_modules` are written by the run itself and would make every build rerun.
    let sources = ["src", "build.mjs", "krds.mjs", "package-lock.json"].map(|name| web.join(name));
    for source in &sources {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=IEUM_WEB");

    let krds = match dist_ensure(&web, &sources) {
        Ok(()) => true,
        Err(reason) => {
            println!(
                "cargo:warning=portal styles without KRDS ({reason}); for the full look run `npm ci && npm run build` \
                 in web/, then `touch crates/ui/build.rs`"
            );
            false
        }
    };
    let files = if krds { dist_read(&web.join("dist")) } else { plain_read(&web) };
    fs::write(out.join("embedded.rs"), embed(files, krds, &out)).expect("OUT_DIR is writable");
}

/// Makes sure that `web/dist` is there and not older than any source.
fn dist_ensure(web: &Path, sources: &[PathBuf]) -> Result<(), String> {
    let built = modified(&web.join("dist/ieum.css"));
    let newest = sources.iter().filter_map(|source| newest_in(source)).max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    if env::var("IEUM_WEB").is_ok_and(|value| value == "skip") {
        return Err("IEUM_WEB=skip".to_owned());
    }
    if !web.join("node_modules/krds-uiux").is_dir() {
        // Few and short tries: a build without network should say so soon, not after minutes.
        npm(web, &["ci", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"])?;
    }
    npm(web, &["run", "build"])
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), String> {
    let plain: Vec<&str> = arguments.iter().copied().filter(|argument| !argument.starts_with("--")).collect();
    let shown = plain.join(" ");
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(web)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("npm cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("rror")).unwrap_or("no message");
    Err(format!("`npm {shown}` failed: {}", line.trim()))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn newest_in(path: &Path) -> Option<SystemTime> {
    let inside =
        fs::read_dir(path).into_iter().flatten().flatten().filter_map(|entry| newest_in(&entry.path()));
    inside.chain(modified(path)).max()
}

/// The files of a complete build, in the order of their names.
fn dist_read(dist: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dist)
        .expect("web/dist was just seen")
        .flatten()
        .map(|entry| {
            let name = entry.file_name().into_string().expect("esbuild writes plain names");
            (name, fs::read(entry.path()).expect("web/dist is readable"))
        })
        .collect();
    files.sort();
    files
}

/// Our own sheets alone; the script is empty because TypeScript needs esbuild, and pages work without it.
fn plain_read(web: &Path) -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<_> =
        fs::read_dir(web.join("src/css")).expect("web/src/css is in the repository").flatten().collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    let css: Vec<u8> =
        names.iter().flat_map(|entry| fs::read(entry.path()).expect("sources are readable")).collect();
    let icon = fs::read(web.join("src/favicon.svg")).expect("sources are readable");
    vec![
        ("favicon.svg".to_owned(), icon),
        ("ieum.css".to_owned(), css),
        ("ieum.js".to_owned(), b"\n".to_vec()),
    ]
}

/// Writes each file under its content-hashed name and the Rust table that includes them.
fn embed(files: Vec<(String, Vec<u8>)>, krds: bool, out: &Path) -> String {
    let (sheets, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| name.ends_with(".css"));
    let mut named: Vec<(String, String, Vec<u8>)> =
        others.into_iter().map(|(name, bytes)| (hashed_name(&name, &bytes), name, bytes)).collect();
    for (name, bytes) in sheets {
        let mut text = String::from_utf8(bytes).expect("style sheets are UTF-8");
        for (hashed, plain, _) in &named {
            text = text.replace(&format!("./{plain}"), &format!("./{hashed}"));
        }
        named.push((hashed_name(&name, text.as_bytes()), name, text.into_bytes()));
    }
    let mut code = format!(
        "/// Whether the KRDS styles and fonts are in this binary, and not only our own plain sheet.\n\
         pub const KRDS_PRESENT: bool = {krds};\n\nstatic EMBEDDED: &[Embedded] = &[\n"
    );
    for (hashed, name, bytes) in named {
        let path = out.join(&hashed);
        fs::write(&path, bytes).expect("OUT_DIR is writable");
        code += &format!(
            "    Embedded {{ name: {name:?}, hashed: {hashed:?}, content_type: {:?}, bytes: include_bytes!({:?}) }},\n",
            content_type(&name),
            path.display().to_string()
        );
    }
    code + "];\n"
}

fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let (stem, extension) = name.rsplit_once('.').expect("every asset has an extension");
    format!("{stem}.{:016x}.{extension}", fnv1a(bytes))
}

/// FNV-1a: the hash only tells builds apart in caches; nothing trusts it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

//! The table of threats in `docs/security.md`: what is done against each, and the tests that hold it. A test says so itself,
//! by a line above it: `// threat: 2`, or `// threat: 2, 3`; in Python with `#`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::name_in_line;
use crate::{Result, root};

/// A threat, of the list that the project works through.
struct Threat {
    number: u32,
    what: &'static str,
    /// What is done against it; for one that is open, what will be.
    control: &'static str,
    stands: Stands,
}

/// How far something is done against a threat.
enum Stands {
    /// It is done, and tests hold it.
    Held,
    /// A part is done, and tests hold that; this is missing.
    Part(&'static str),
    /// Nothing is there yet that it could threaten, or that would hold it off: it comes with this.
    Open(&'static str),
}

use Stands::{Held, Open, Part};

const THREATS: &[Threat] = &[
    threat(
        1,
        "Somebody claims to treat, and does not",
        "Nobody is believed: a role opens nothing without a treatment relation that somebody had to write down, dated and ending by itself; the patient sees who can read, and why",
        Part("a score of unusual reading by institution"),
    ),
    threat(
        2,
        "Another patient's id",
        "Each statement to the store asks whose a record is; what one may not know of is answered as what was never there, at every route and page",
        Held,
    ),
    threat(
        3,
        "A search tells what it does not show: chains, `_has`, includes, totals, order, 404 instead of 403",
        "The rule is part of the query at every place where it looks at a record; an answer equals that of a store which never held what is hidden",
        Held,
    ),
    threat(
        4,
        "A field tells what its record hides: `_elements`, narrative, labels inside",
        "Labels count wherever they stand, and hide the whole record; what was read in part is not written back",
        Part("masks for single fields"),
    ),
    threat(
        5,
        "A token is stolen or used again",
        "Tokens last 300 seconds, end with whatever they stand on, and are bound to a key (DPoP); proofs, codes and assertions count once",
        Held,
    ),
    threat(
        6,
        "A signed token that leads elsewhere: algorithm, key id, address of keys",
        "A fixed list of algorithms; keys are those that were registered; nothing that a header names is fetched",
        Held,
    ),
    threat(
        7,
        "A consent is withdrawn and still used",
        "Consents are looked up in the snapshot that answers: a withdrawal works from its commit on, also in the middle of a walk through pages",
        Part("between hubs"),
    ),
    threat(
        8,
        "Breaking the glass is misused",
        "It takes a reason and showing anew who one is, opens one patient to one person for a time, is told to the patient at once and reviewed by the privacy officer; what is sealed stays sealed",
        Held,
    ),
    threat(
        9,
        "A guardian goes on after the birthday, or is kept away from the child",
        "Ages are dated rows of the law; powers end at midnight in Korea; a block comes before all else",
        Held,
    ),
    threat(
        10,
        "Two people become one by mistake",
        "Links with thresholds that a person confirms and that can be undone",
        Open("identity matching"),
    ),
    threat(
        11,
        "People are listed by trying",
        "Entering and matching tell nothing of who is there; failures wait, and so do searches for patients beyond what a person needs",
        Part("`$match`, which comes with identity matching"),
    ),
    threat(
        12,
        "A hub that is not one, or is no longer in good hands",
        "A signed list of hubs, from which one is struck in a minute",
        Open("exchange between hubs"),
    ),
    threat(
        13,
        "A list of trust that is forged or old",
        "Lists are signed, fresh and never older than the last",
        Open("exchange between hubs"),
    ),
    threat(
        14,
        "Messages are repeated, reordered, cut or exchanged",
        "Signed messages with a number that counts once",
        Open("exchange between hubs"),
    ),
    threat(
        15,
        "A number or key of encryption is used twice",
        "A key for each request",
        Open("exchange between hubs"),
    ),
    threat(
        16,
        "Whoever runs the machine reads the records",
        "What is written is for the program's own user alone",
        Part("encryption at rest: use an encrypted disk"),
    ),
    threat(
        17,
        "Somebody inside edits the audit log",
        "Every commit writes its entry in the same transaction, every refusal its own; floods are counted, not kept",
        Part("a log with proofs that patients can check"),
    ),
    threat(
        18,
        "Patient data in logs, metrics, traces and error texts",
        "Logs and metrics name patterns and numbers of requests; errors name elements, parameters and limits, never values",
        Held,
    ),
    threat(
        19,
        "The hub is made to ask elsewhere: references, endpoints, files",
        "Requests leave only for origins that the operator allows, to public addresses, without following redirects",
        Held,
    ),
    threat(
        20,
        "Hostile input: depth, entities, scripts in narrative, numbers without end",
        "Parsers of our own with limits of size, depth and work, without panics; narrative holds nothing that could run",
        Part("images and documents, which come later"),
    ),
    threat(
        21,
        "Exhaustion: costly searches, exports, forms, silent clients",
        "Everything has a bound: bodies, answers, pages, turns, time, jobs, subscriptions, and what a search may look at",
        Held,
    ),
    threat(
        22,
        "Requests hidden in requests, headers that lie",
        "One reader of HTTP/1.1, which refuses two lengths; our own address is a setting and no header; an open hub answers under names of this machine alone",
        Held,
    ),
    threat(
        23,
        "Scripts, forged forms and frames on pages",
        "A policy without inline scripts, text that stays text, forms with the token of their session and from our own origin, cookies out of reach of scripts",
        Held,
    ),
    threat(
        24,
        "Something foreign in what we are built of",
        "Few dependencies, each with a reason, a licence and a pinned version; advisories are looked up on every run",
        Part("signed releases that can be built again bit by bit"),
    ),
    threat(
        25,
        "A disk that fails, data held for ransom, a region lost",
        "An answered commit is on disk; damage stays where it is; a disk that is full or fails is told, and loses nothing that was answered",
        Part("backups that cannot be changed, and other regions"),
    ),
];

const fn threat(number: u32, what: &'static str, control: &'static str, stands: Stands) -> Threat {
    Threat { number, what, control, stands }
}

/// The page, and where in it the table stands.
const PAGE: &str = "docs/security.md";
const BEGINS: &str = "<!-- The table of threats: made by `cargo xtask documents` from the tests. -->\n";
const ENDS: &str = "<!-- The end of the table. -->\n";

/// Tests by file, for each threat.
type ByThreat = BTreeMap<u32, BTreeMap<String, Vec<String>>>;

/// Writes the table into its page.
pub(super) fn write() -> Result<()> {
    let (page, made) = page_and_made()?;
    if page != made {
        fs::write(root().join(PAGE), made)?;
    }
    Ok(())
}

/// What is wrong with the table; how many tests it names.
pub(super) fn check() -> Result<(Vec<String>, usize)> {
    let (page, made) = page_and_made()?;
    let is_new = page != made;
    let faults =
        is_new.then(|| format!("{PAGE} is not what the tests say; make it anew: cargo xtask documents"));
    Ok((
        faults.into_iter().collect(),
        tests_in_tree()?.values().flatten().map(|(_, tests)| tests.len()).sum(),
    ))
}

fn page_and_made() -> Result<(String, String)> {
    let page = fs::read_to_string(root().join(PAGE))?;
    let held = tests_in_tree()?;
    let (before, rest) =
        page.split_once(BEGINS).ok_or_else(|| format!("{PAGE} has no place for the table"))?;
    let (_, after) =
        rest.split_once(ENDS).ok_or_else(|| format!("{PAGE} has no place where the table ends"))?;
    let made = format!("{before}{BEGINS}{}{ENDS}{after}", table(&held)?);
    Ok((page, made))
}

/// The table.
fn table(held: &ByThreat) -> Result<String> {
    if let Some(number) = held.keys().find(|number| THREATS.iter().all(|threat| threat.number != **number)) {
        return Err(format!("a test says that it is about threat {number}, which is not in the list").into());
    }
    let mut out = "| | threat | control | tests |\n|---|---|---|---|\n".to_owned();
    for Threat { number, what, control, stands } in THREATS {
        let tests = held.get(number);
        let control = match (stands, tests) {
            (Held, Some(_)) => format!("{control}."),
            (Part(missing), Some(_)) => format!("{control}. **Missing:** {missing}."),
            (Open(with), None) => format!("**Open**, comes with {with}: {}.", lower_first(control)),
            (Open(_), Some(_)) => return Err(format!("threat {number} is open, and yet has a test").into()),
            (_, None) => {
                return Err(
                    format!("threat {number} has no test; say `// threat: {number}` above one").into()
                );
            }
        };
        let files = tests.into_iter().flatten().map(|(file, tests)| {
            let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            format!("{file}: {}", tests.join(", "))
        });
        let files: Vec<String> = files.collect();
        out += &format!("| {number} | {what} | {control} | {} |\n", files.join("<br>"));
    }
    Ok(out)
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

fn tests_in_tree() -> Result<ByThreat> {
    let mut held = ByThreat::new();
    for path in super::files_in_tree()? {
        let text = fs::read_to_string(&path)?;
        let file = path.strip_prefix(root()).unwrap_or(&path);
        for (name, numbers) in annotated(file, &text)? {
            for number in numbers {
                let files = held.entry(number).or_default();
                files.entry(file.display().to_string()).or_default().push(name.clone());
            }
        }
    }
    Ok(held)
}

/// The tests of a file that say which threats they are about.
fn annotated(file: &Path, text: &str) -> Result<Vec<(String, Vec<u32>)>> {
    let mut found = Vec::new();
    let mut waiting: Option<Vec<u32>> = None;
    let mut is_marked = false;
    for line in text.lines() {
        let fault = |what: &str| format!("{}: {what}: {}", file.display(), line.trim());
        if let Some(numbers) = said(line) {
            let numbers: std::result::Result<_, _> =
                numbers.split(',').map(|number| number.trim().parse()).collect();
            waiting = Some(numbers.map_err(|_| fault("`threat:` is followed by numbers"))?);
            is_marked = false;
        } else if waiting.is_some() {
            is_marked |= line.trim() == "#[test]";
            if let Some(name) = name_in_line(file, line) {
                // Rust's are marked, or run on every engine: named in a list, or written into one.
                let is_rust = file.extension().is_some_and(|extension| extension == "rs");
                if is_rust && !is_marked && !is_listed(text, &name, line) {
                    return Err(fault("`threat:` stands above what is no test").into());
                }
                found.extend(waiting.take().map(|numbers| (name, numbers)));
            } else if !is_between(line) {
                return Err(fault("`threat:` stands above what is no test").into());
            }
        }
    }
    Ok(found)
}

fn is_listed(text: &str, name: &str, line: &str) -> bool {
    if line.starts_with(' ') && text.contains("on_every_engine! {") {
        return true;
    }
    let lists = text.lines().filter(|line| !line.contains("fn "));
    lists.flat_map(|line| line.split([',', '(', ')', ';'])).any(|word| word.trim() == name)
}

fn said(line: &str) -> Option<&str> {
    let line = line.trim();
    line.strip_prefix("// threat: ").or_else(|| line.strip_prefix("# threat: "))
}

/// Whether a line may stand between what is said of a test and the test: comments and attributes.
fn is_between(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("//") || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<(String, Vec<u32>)>> {
        annotated(Path::new("x.rs"), text)
    }

    #[test]
    fn tests_say_what_they_are_about() {
        let text = "// threat: 2, 3\n#[test]\nfn a() {}\n\non!(b, c);\non!(\n    d,\n);\n\n/// Why.\n// threat: 4\nfn d(kind: Kind) {}\nfn e() {}\n";
        assert_eq!(of(text).unwrap(), [("a".to_owned(), vec![2, 3]), ("d".to_owned(), vec![4])]);
        let script = annotated(Path::new("x.mjs"), "// threat: 23\ntest(\"a page\", () => {\n").unwrap();
        assert_eq!(script, [("a page".to_owned(), vec![23])]);
        assert!(of("// threat: 1\nfn helper() {}\n").is_err());
        assert!(of("// threat: 1\n\nfn a() {}\n").is_err(), "it stands right above");
        assert!(of("// threat: one\n#[test]\nfn a() {}\n").is_err());
    }

    #[test]
    fn a_threat_without_test_is_a_fault_unless_it_is_open() {
        assert!(table(&ByThreat::new()).unwrap_err().to_string().contains("threat 1 has no test"));
        let all =
            THREATS.iter().filter(|threat| !matches!(threat.stands, Open(_))).map(|threat| threat.number);
        let mut held: ByThreat =
            all.map(|number| (number, [("f.rs".to_owned(), vec!["t".to_owned()])].into())).collect();
        assert!(table(&held).unwrap().contains("f.rs: `t` |"));
        held.insert(99, BTreeMap::new());
        assert!(table(&held).unwrap_err().to_string().contains("99"));
    }

    #[test]
    fn threats_are_numbered_in_order() {
        let numbers: Vec<u32> = THREATS.iter().map(|threat| threat.number).collect();
        assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
    }
}

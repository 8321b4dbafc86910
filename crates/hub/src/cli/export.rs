//! `ieum export`: all current records, as they were sent, one NDJSON file a kind.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use ieum_fhir::search::{Query, Total};
use ieum_store::access::Family;
use ieum_trust::access::Access;
use ieum_trust::door::View;
use indicatif::ProgressBar;

use super::{Export, Result, say};
use crate::data::Data;
use crate::import::progress_style;

/// Records read at a time.
const PAGE: usize = 1_000;

pub(super) fn run(arguments: &Export) -> Result<ExitCode> {
    let data = Data::existing(&arguments.data, None)?;
    std::fs::create_dir_all(&arguments.out)?;
    let access = Access::system("export");
    let view = data.door.view(&access)?;
    let census = view.census()?;
    // The system's own records (accounts, imports) belong to this hub and do not leave it.
    let catalogue = data.door.catalogue();
    let kinds = catalogue.kinds().iter().filter(|kind| kind.family != Family::System);
    let kinds: Vec<&str> = kinds.map(|kind| kind.name.as_str()).collect();
    let counts: Vec<_> = census.into_iter().filter(|(kind, _)| kinds.contains(&kind.as_str())).collect();
    let bar =
        ProgressBar::new(counts.iter().map(|(_, count)| count).sum()).with_style(progress_style("records"));
    let mut total = 0;
    for (kind, _) in &counts {
        total += export_kind(&view, kind, &arguments.out, arguments.compress, &bar)?;
    }
    bar.finish_and_clear();
    say(&format!("{total} records of {} kinds in {}", counts.len(), arguments.out.display()));
    Ok(ExitCode::SUCCESS)
}

fn export_kind(view: &View<'_>, kind: &str, out: &Path, compress: bool, bar: &ProgressBar) -> Result<u64> {
    let name = out.join(format!("{kind}.ndjson{}", if compress { ".zst" } else { "" }));
    let part = out.join(format!("{kind}.part"));
    let mut file = BufWriter::new(File::create(&part)?);
    let count = if compress {
        let mut encoder = zstd::Encoder::new(&mut file, 3)?;
        let count = write_kind(view, kind, &mut encoder, bar)?;
        encoder.finish()?;
        count
    } else {
        write_kind(view, kind, &mut file, bar)?
    };
    file.into_inner()?.sync_all()?;
    std::fs::rename(part, name)?;
    Ok(count)
}

fn write_kind(view: &View<'_>, kind: &str, out: &mut impl Write, bar: &ProgressBar) -> Result<u64> {
    let query = Query { kind: kind.to_owned(), total: Total::None, ..Query::default() };
    let mut token: Option<String> = None;
    let mut line = Vec::new();
    let mut count = 0;
    loop {
        let page = view.search(&query, token.as_deref(), PAGE)?;
        for record in &page.records {
            line.clear();
            record.write_json(&mut line);
            line.push(b'\n');
            out.write_all(&line)?;
        }
        count += page.records.len() as u64;
        bar.inc(page.records.len() as u64);
        token = page.next;
        if token.is_none() {
            return Ok(count);
        }
    }
}

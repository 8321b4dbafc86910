//! Bytes on disk, by table; memory; time to start.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::bulk::loaded;
use crate::report::Better;
use crate::server::{Program, bytes_below, emptied};
use crate::{Bench, Result};

/// Unit of sizes on disk.
pub(crate) const BYTES: (&str, Better) = ("bytes/resource", Better::Less);
/// Tables below this part of a byte a resource are one row together.
const SMALL: f64 = 2.0;

/// Runs the workload.
pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let size = bench.corpus.resources.len();
    for program in bench.servers() {
        let empty = bench.data_of(program, "empty");
        emptied(&empty)?;
        start(bench, program, &empty, "empty")?;
        let data = loaded(bench, program)?;
        start(bench, program, &data, &format!("with {size}"))?;
        let bytes = bytes_below(&data)? / size as f64;
        bench.report.server(("footprint", "bytes on disk"), BYTES, program, bytes);
    }
    tables(bench, &loaded(bench, Program::Ieum)?, size as f64)
}

/// Starts on a data directory, and tells how long that took and how much memory it takes before anything is asked.
pub(crate) fn start(bench: &mut Bench, program: Program, data: &Path, when: &str) -> Result<()> {
    // A first start may have something to do that no later one has.
    bench.programs.start(program, data)?.stop()?;
    let server = bench.programs.start(program, data)?;
    let seconds = server.ready.as_secs_f64();
    std::thread::sleep(std::time::Duration::from_millis(if bench.quick { 100 } else { 2_000 }));
    let (now, _) = server.memory()?;
    server.stop()?;
    bench.report.server(("footprint", &format!("ready, {when}")), ("s", Better::Less), program, seconds);
    bench.report.server(
        ("footprint", &format!("idle memory, {when}")),
        ("MB", Better::Less),
        program,
        now / 1e6,
    );
    Ok(())
}

/// What each table and index of ours takes.
fn tables(bench: &mut Bench, data: &Path, size: f64) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data.join("records.sqlite"), flags)?;
    let sql = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)? / size)))?;
    let mut rest = 0.0;
    for row in rows {
        let (name, bytes) = row?;
        if bytes < SMALL {
            rest += bytes;
        } else {
            bench.report.server(("footprint", &format!("table `{name}`")), BYTES, Program::Ieum, bytes);
        }
    }
    bench.report.server(("footprint", "other tables"), BYTES, Program::Ieum, rest);
    Ok(())
}

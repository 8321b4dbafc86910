//! `ieum`, the hub's one program. Everything is in the library, where tests can reach it.

use std::process::ExitCode;

/// Records are many small pieces of memory, made by one thread and freed by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ieum::cli::main()
}

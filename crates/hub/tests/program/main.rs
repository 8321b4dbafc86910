//! The program as people run it: the `ieum` binary as a child process.

mod commands;
mod jobs_kill;
mod kill;
mod real_data;
mod support;

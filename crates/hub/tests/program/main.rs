//! The program as people run it: the `ieum` binary as a child process.

mod bench;
mod commands;
mod disk;
mod import;
mod import_kill;
mod jobs_kill;
mod kill;
mod operating;
mod real_data;
mod receiver;
mod subscriptions;
mod support;

//! The program as people run it: the `ieum` binary as a child process.

mod bench;
mod canary;
mod commands;
mod definitions_kill;
mod disk;
mod faults;
mod import;
mod import_kill;
mod jobs_kill;
mod kill;
mod law;
mod operating;
mod own_tls;
mod pairs;
mod real_data;
mod receiver;
mod subscriptions;
mod support;

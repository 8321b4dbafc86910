//! `ieum simulator`.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use ieum_store::clock::system_clock;
use tokio::net::TcpListener;

use super::{Result, Simulator, say};
use crate::{secret_file, simulator};

pub(super) fn run(arguments: &Simulator) -> Result<ExitCode> {
    let key = secret_file::read(&arguments.key_file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        say(&format!("A simulated relay of identity checks listens on {origin}: nobody is proven by it"));
        axum::serve(listener, simulator::router(&origin, &key, system_clock())).await
    })?;
    Ok(ExitCode::SUCCESS)
}

//! `ieum serve`.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ieum_store::clock::system_clock;
use ieum_store::sqlite::SqliteOptions;
use ieum_trust::law::day::in_korea;
use ieum_trust::law::kept;

use super::control::Control;
use super::{Result, Serve, log, say};
use crate::authorization::Authorization;
use crate::config::{Loaded, Settings};
use crate::data::Data;
use crate::federation::Federation;
use crate::hub::{Entrance, Hub, Options};
use crate::identity::Identity;
use crate::import::journal::close_left_open;
use crate::jobs::{JobOptions, Service};
use crate::limits::Limits;
use crate::outgoing::Rules;
use crate::portal;
use crate::server::Listening;
use crate::status::SqliteInfo;
use crate::subscriptions::{SubscriptionOptions, SubscriptionService};
use crate::tls::Tls;

pub(super) fn run(arguments: &Serve) -> Result<ExitCode> {
    let settings = Loaded::new(&arguments.data, &arguments.flags)?.settings;
    log::start(settings.log);
    settings.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments, &settings))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &Serve, settings: &Settings) -> Result<()> {
    let law = settings.law_in_force()?;
    // Listening first: the port may have been left to the operating system, and the address is part of the data's meaning.
    let listening =
        Listening::on(settings.listen).await.map_err(|error| cannot_listen(settings.listen, &error))?;
    let address = listening.address()?;
    let scheme = if settings.tls_key.is_some() { "https" } else { "http" };
    let base_url = settings.base_url.clone().unwrap_or_else(|| format!("{scheme}://{address}/fhir"));
    let store = SqliteOptions { query_records: settings.search_records, ..SqliteOptions::default() };
    let data = Data::open_with(&arguments.data, Some(&base_url), store)?;
    let entrance = if settings.open { Entrance::Open } else { Entrance::Accounts };
    let limits = Limits { people_searches: settings.people_searches, ..Limits::default() };
    let options = Options { base_url, entrance, limits };
    let hub = Hub::new(data.door.clone(), system_clock(), options);
    if kept::keep(&data.door, &law)? {
        tracing::info!(rows = law.rows().len(), "the tables of law are not those of the last start");
    }
    data.door.set_sensitive(law.sensitive_codes(in_korea(hub.now())))?;
    hub.take_law(law);
    Authorization::start_with(&hub, &arguments.data, settings.anchors()?)?;
    let tls = settings.tls().map(|files| Tls::start(&hub, files)).transpose()?;
    Federation::start(&hub, &arguments.data, &settings.login_provider)?;
    Identity::start(&hub, &arguments.data, &settings.identity_check)?;
    close_left_open(&hub)?;
    let _control = Control::start(&data);
    let mut options = JobOptions::new(&arguments.data.join("jobs"));
    options.keep = Duration::from_hours(settings.jobs_keep_hours.into());
    settings.import_origins.clone_into(&mut options.sources.origins);
    options.sources.private = settings.import_private;
    let jobs = Service::start(&hub, options)?;
    let (origins, private) = (settings.subscription_origins.clone(), settings.subscription_private);
    let subscriptions =
        SubscriptionService::start(&hub, SubscriptionOptions::new(Rules { origins, private }))?;
    // Before anybody is told: from then on a signal means a tidy stop.
    let stop = stop_asked()?;
    say(&format!("Ieum is listening on {scheme}://{address}/ (FHIR: {})", hub.base_url()));
    tracing::info!(address = %address, open = settings.open, version = env!("CARGO_PKG_VERSION"), "started");
    let operator = Arc::new(SqliteInfo::new(Arc::clone(&data.engine), &data.path));
    // A hub that anybody may enter holds nothing but synthetic records.
    let setup = portal::Setup { demo: settings.open || settings.demo, operator };
    listening.over(tls).serve(&hub, portal::app(hub.clone(), setup), stop).await?;
    // Joining threads blocks, and nothing else is left to do.
    subscriptions.stop();
    jobs.stop();
    data.engine.stop();
    tracing::info!("stopped");
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another port with --listen"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need the right to: choose another with --listen",
        _ => "choose an address of this machine with --listen",
    };
    format!("cannot listen on {address}: {error}; {advice}")
}

/// Done when the process is asked to stop.
fn stop_asked() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

//! The log of the process: to standard error, without patient data.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts writing events. `RUST_LOG` narrows or widens what is written.
pub(super) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, leaves the first as it is.
    let _ = match format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

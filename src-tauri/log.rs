//! The log of the application: to standard error, at the level that `QIANTAI_LOG` asks for.
//!
//! Messages carry ids and amounts, never names, phone numbers, keys or PINs.

use tracing_subscriber::EnvFilter;

const USUAL: &str = "warn";

/// Starts the log, and sends panics to it as errors.
pub fn start() {
    let filter = EnvFilter::try_from_env("QIANTAI_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        // The payload may quote what the code was working on; the place is enough to find it.
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

//! The log: to a file in the state folder, never to the terminal.

use std::path::Path;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// vaultrs and rustify log every answer that is not a success with its body; kube logs undecodable bodies whole. Neither may reach a file.
const SILENCED: &str = "warn,partywall=info,vaultrs=off,rustify=off,kube_client=off,kube_runtime=off,hyper=off,reqwest=off";

/// So many lines may wait for the disk; more are dropped. The room for them is taken at once: the library's own number costs 4 MB.
const LINES_WAITING: usize = 4096;

/// Starts logging to `partywall.log` in the state folder. The guard flushes when dropped. A folder that can't be written only costs the log.
pub fn start(state: &Path) -> Option<WorkerGuard> {
    std::fs::create_dir_all(state).ok()?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(state.join("partywall.log")).ok()?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING).finish(file);
    // PARTYWALL_LOG can make our own words louder, but never un-silences those that may print bodies or tokens
    let own = std::env::var("PARTYWALL_LOG").ok().filter(|level| matches!(level.as_str(), "error" | "warn" | "info" | "debug" | "trace"));
    let filter = EnvFilter::new(own.map_or_else(|| SILENCED.to_owned(), |level| format!("{SILENCED},partywall={level}")));
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(writer).finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(guard)
}

//! Opening a ledger, with its log when it has one.

use crate::aws::LogTable;
use crate::config::{Config, LogSettings};
use crate::ident::Region;
use crate::ledger::{Ledger, LedgerError, Log};
use std::sync::Arc;
use std::time::Duration;

/// Time for which a command waits for a log that does not answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Name of the log in its table. A table can have several; an installation has one.
pub const LOG: &str = "rescind";

/// The ledger of the configuration, for what is appended under whoever leads: answers, orders, and what commands record.
/// Where there is a log, what it has and the file has not is read first.
///
/// # Errors
/// When the file cannot be used, or is not of the log.
pub fn open_ledger(config: &Config) -> Result<Ledger, LedgerError> {
    match &config.log {
        None => Ledger::open(&config.ledger),
        Some(settings) => {
            let log = log_for_command(settings, config.home_region())?;
            Ledger::of_log(&config.ledger, &log)
        }
    }
}

/// The log that the configuration names, for a command: it says what is wrong instead of waiting for it.
///
/// # Errors
/// When the certificates that the environment names cannot be used.
pub fn log_for_command(settings: &LogSettings, home: &Region) -> Result<Log, LedgerError> {
    log_of(settings, home).map(|log| log.with_patience(PATIENCE))
}

/// The log that the configuration names.
pub(super) fn log_of(settings: &LogSettings, home: &Region) -> Result<Log, LedgerError> {
    let region = settings.region.clone().unwrap_or_else(|| home.clone());
    let (table, endpoint) = (settings.table.clone(), settings.endpoint.clone());
    let opened =
        Log::block_on(async move { LogTable::open(&region, &table, endpoint.as_deref(), LOG).await });
    let store = opened.map_err(|error| LedgerError::Log { error })?;
    Ok(Log::new(Arc::new(store), process_name()))
}

/// The host's name, and a number of that process.
fn process_name() -> String {
    let host = whoami::hostname().unwrap_or_default();
    let host: String = host.chars().filter(|c| c.is_ascii_graphic() && *c != '/').take(64).collect();
    let mut token = [0_u8; 4];
    // Without randomness the process id has to do.
    if getrandom::fill(&mut token).is_err() {
        token = std::process::id().to_be_bytes();
    }
    format!("{}/{}", if host.is_empty() { "host" } else { &host }, crate::digest::hex(&token))
}

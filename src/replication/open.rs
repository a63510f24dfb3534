//! Opening a ledger, with its log when it has one.

use crate::aws::{LogTable, own_region};
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

/// The region whose table this host uses.
pub async fn region_of_log(settings: &LogSettings, home: &Region) -> Region {
    // Where nothing depends on it, nobody asks.
    let own = if settings.replicas.is_empty() { None } else { own_region().await };
    settings.region_in(own.as_ref(), home).clone()
}

/// The log that the configuration names.
pub(super) fn log_of(settings: &LogSettings, home: &Region) -> Result<Log, LedgerError> {
    let (settings, home) = (settings.clone(), home.clone());
    let opened = Log::block_on(async move {
        let (table, endpoint) = (&settings.table, settings.endpoint.as_deref());
        let region = region_of_log(&settings, &home).await;
        let store = LogTable::open(&region, table, endpoint, LOG).await;
        let store = store.map_err(|error| LedgerError::Log { error })?;
        if !settings.replicas.is_empty() {
            see_that_it_is_strong(&store, table, &region).await?;
        }
        Ok::<_, LedgerError>(store)
    });
    Ok(Log::new(Arc::new(opened?), process_name()))
}

/// Two regions that agree only later would each let a leader put an item where none stands.
async fn see_that_it_is_strong(store: &LogTable, table: &str, region: &Region) -> Result<(), LedgerError> {
    match store.describe().await {
        Ok(facts) if !facts.is_strong => {
            Err(LedgerError::NotStrong { table: table.to_owned(), region: region.to_string() })
        }
        Ok(_) => Ok(()),
        // The control plane may be down while items can be read and put. Nobody makes another table of it meanwhile.
        Err(error) => {
            tracing::warn!("it is not known whether the log's table is strongly consistent: {error}");
            Ok(())
        }
    }
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

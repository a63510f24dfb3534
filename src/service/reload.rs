//! The configuration, read again while the service runs.

use super::Service;
use crate::config::Config;
use crate::ledger::{Draft, Event, LedgerError};

impl Service {
    /// Reads `rescind.toml` again. What decides about findings applies at once: mode, rules, protected
    /// roles, budgets, the age, the account tag. Of the rest it is said that it needs a start. A file
    /// that cannot be used changes nothing.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub(super) async fn reload(&self) -> Result<(), LedgerError> {
        let config = match Config::load_alone(&self.config_file) {
            Ok(config) => config,
            Err(error) => {
                let error = error.to_string();
                tracing::error!(
                    "the configuration is NOT taken over, that from before still applies: {error}"
                );
                return self
                    .ledger
                    .append(Draft::of_service(Event::ReloadRefused { error }))
                    .await
                    .map(|_| ());
            }
        };
        let needs_restart = needs_restart(&self.config, &config);
        // Recorded before it counts.
        let event = Event::Reloaded {
            mode: config.mode,
            config_sha256: config.sha256.clone(),
            needs_restart: needs_restart.iter().map(|key| (*key).to_owned()).collect(),
        };
        self.ledger.append(Draft::of_service(event)).await?;
        self.engine.use_config(&config);
        tracing::info!(mode = %config.mode, "the configuration was read again");
        if !needs_restart.is_empty() {
            tracing::warn!(keys = needs_restart.join(", "), "these changes apply only after a restart");
        }
        Ok(())
    }
}

/// The keys that are others and that a running service does not take over.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}");
    let pairs: [(&'static str, String, String); 14] = [
        ("regions", text(&(&old.regions, old.all_regions)), text(&(&new.regions, new.all_regions))),
        ("ledger", text(&old.ledger), text(&new.ledger)),
        ("signing_key", text(&old.signing_key), text(&new.signing_key)),
        ("poll_interval", text(&old.poll_interval), text(&new.poll_interval)),
        ("calls_per_second", text(&old.calls_per_second), text(&new.calls_per_second)),
        ("concurrency", text(&old.concurrency), text(&new.concurrency)),
        ("opt_outs", text(&old.opt_outs_file), text(&new.opt_outs_file)),
        ("approval_timeout", text(&old.approval_timeout), text(&new.approval_timeout)),
        ("events", text(&old.events), text(&new.events)),
        ("folder", text(&old.folder), text(&new.folder)),
        ("confirm", text(&old.confirm), text(&new.confirm)),
        (
            "raise_after, drain_timeout",
            text(&(old.raise_after, old.drain_timeout)),
            text(&(new.raise_after, new.drain_timeout)),
        ),
        ("listen", text(&old.listen), text(&new.listen)),
        ("member", text(&old.member), text(&new.member)),
    ];
    pairs.into_iter().filter(|(_, old, new)| old != new).map(|(key, _, _)| key).collect()
}

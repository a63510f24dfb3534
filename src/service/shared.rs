//! What several tasks know of the service, and the web shows.

use super::live::Live;
use crate::chain::chain;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::reconcile::Reconciler;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What several tasks know of the service, and the web shows. It goes on while a host follows, takes over and leads.
pub struct Shared {
    /// The ledger that this process uses.
    ledger: PathBuf,
    /// The last status that was published.
    published: watch::Sender<Option<Arc<Live>>>,
    /// Where the service answers, once it does.
    listen: Mutex<Option<SocketAddr>>,
    /// What acts, while something does.
    actor: Mutex<Option<Actor>>,
    /// The configuration that was accepted last.
    config: Mutex<Arc<Config>>,
    /// Why a changed configuration, or changed opt-outs, were rejected, if they were.
    refused: Mutex<[Option<String>; 2]>,
}

/// What acts on the ledger in this process.
#[derive(Clone)]
pub struct Actor {
    /// The ledger, for writing.
    pub ledger: Ledger,
    /// What carries out decisions.
    pub reconciler: Arc<Reconciler>,
}

/// A file that is read again while the service runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reread {
    Config,
    OptOuts,
}

impl Shared {
    /// Nothing is known yet but the configuration.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            ledger: config.ledger.clone(),
            published: watch::Sender::default(),
            listen: Mutex::default(),
            actor: Mutex::default(),
            config: Mutex::new(config),
            refused: Mutex::default(),
        }
    }

    /// The configuration that was accepted last. What of it needs a restart is as it was at the start.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&locked(&self.config))
    }

    /// This configuration was accepted.
    pub(super) fn accept(&self, config: Arc<Config>) {
        if let Err(error) = config.keep_as_served(&self.ledger) {
            tracing::warn!(
                "no copy of the configuration is beside the ledger, for when its file breaks: {error}"
            );
        }
        *locked(&self.config) = config;
        self.refuse(Reread::Config, None);
    }

    /// Reads the configuration again, where nothing acts that must take it over: for who may do what.
    pub(super) fn read_again(&self) {
        match Config::load_alone(&self.config().file) {
            Ok(config) => {
                self.accept(Arc::new(config));
                tracing::info!("the configuration was read again");
            }
            Err(error) => {
                let error = chain(&error);
                tracing::error!(
                    "the configuration was REJECTED; the previous version stays in effect: {error}"
                );
                self.refuse(Reread::Config, Some(error));
            }
        }
    }
    /// The last status that was published.
    #[must_use]
    pub fn live(&self) -> Option<Arc<Live>> {
        self.published.borrow().clone()
    }

    /// Each status that is published from now on.
    #[must_use]
    pub fn statuses(&self) -> watch::Receiver<Option<Arc<Live>>> {
        self.published.subscribe()
    }

    /// What acts on the ledger in this process, while something does.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        locked(&self.actor).clone()
    }

    /// The service answers there.
    pub fn listens_on(&self, address: SocketAddr) {
        *locked(&self.listen) = Some(address);
    }

    /// Where the service answers, once it does.
    pub(super) fn listen(&self) -> Option<SocketAddr> {
        *locked(&self.listen)
    }

    pub(super) fn publish(&self, live: Live) {
        self.published.send_replace(Some(Arc::new(live)));
    }

    pub(super) fn acts(&self, actor: Option<Actor>) {
        *locked(&self.actor) = actor;
    }

    /// Notes why a changed file was rejected; none when it was accepted. Where it stands on this host is nobody's business
    /// who asks over the network.
    pub(super) fn refuse(&self, file: Reread, error: Option<String>) {
        let directory = self.config().file.parent().map(|path| format!("{}/", path.display()));
        let directory = directory.filter(|path| path.len() > 1).unwrap_or_default();
        let short = |text: String| if directory.is_empty() { text } else { text.replace(&directory, "") };
        let error = error.map(short);
        locked(&self.refused)[file as usize] = error;
    }

    pub(super) fn refused(&self) -> Option<String> {
        let refused = locked(&self.refused);
        let all: Vec<&str> = refused.iter().flatten().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

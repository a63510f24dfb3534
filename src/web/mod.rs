//! The web: probes, the API for programs, the console for people.
//!
//! One listener answers for all of it ([`listener`]), with TLS or behind a proxy. Who asks is found out once
//! ([`caller`]), what they may do is looked up in the grants of the configuration ([`access`]), and everything that is
//! read or changed goes through [`crate::desk`], as on the command line.

mod access;
mod act;
mod answers;
mod api;
mod app;
mod caller;
mod console;
mod fault;
mod guard;
mod identity;
mod limits;
mod listener;
mod login;
mod peer;
mod probes;
mod problem;
mod refusals;
mod refused;
mod routes;
mod tls;

pub use fault::{Fault, faults};

use crate::config::Config;
use crate::service::Shared;
use app::App;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Answers on the configured address, until it is dropped.
pub struct Server {
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins to answer, if the configuration names an address. That nobody can ask stops nothing.
    #[must_use]
    pub fn start(config: &Config, shared: &Arc<Shared>) -> Self {
        let task = config.listen.map(|address| {
            let app = Arc::new(App::new(config.clone(), Arc::clone(shared)));
            tokio::spawn(listener::run(address, app))
        });
        Self { task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

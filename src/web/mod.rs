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
mod report_turns;
mod routes;
mod tls;

pub use fault::{Fault, faults};

use crate::config::Config;
use crate::service::Shared;
use app::App;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};

/// Number of threads that answer.
const THREADS: usize = 2;

/// Maximum number of threads that read files and the ledger.
const READING: usize = 16;

/// How much less of a processor the web's threads get than those that revoke, where both want it (`nice`).
const NICE: i32 = 10;

/// Answers on the configured address, until it is dropped. It has threads of its own, to which denies never give way:
/// however many ask, only those who ask wait.
pub struct Server {
    runtime: Option<Runtime>,
}

impl Server {
    /// Begins to answer, if the configuration names an address. That nobody can ask stops nothing. What is called of AWS
    /// is called by the runtime in which this is.
    #[must_use]
    pub fn start(config: &Config, shared: &Arc<Shared>) -> Self {
        let Some(address) = config.listen else { return Self { runtime: None } };
        let app = Arc::new(App::new(config.clone(), Arc::clone(shared), Handle::current()));
        let threads = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(READING)
            .thread_keep_alive(Duration::from_mins(1))
            .thread_name("web")
            .on_thread_start(give_way)
            .enable_all()
            .build();
        match threads {
            Ok(runtime) => {
                runtime.spawn(listener::run(address, app));
                Self { runtime: Some(runtime) }
            }
            Err(error) => {
                tracing::error!(
                    "the console and the API do not answer: there are no threads for them: {error}"
                );
                Self { runtime: None }
            }
        }
    }
}

/// This thread gives way to those of other priority.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the web's threads have the priority of all others");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

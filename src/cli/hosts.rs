//! `rescind run` on several hosts that share a log: follow, lead, and follow again.

use super::Exit;
use super::act::act;
use super::output::Screen;
use crate::backoff::Backoff;
use crate::chain::chain;
use crate::config::Config;
use crate::ledger::LedgerError;
use crate::replication::Follower;
use crate::service::{self, Face, Live, Purpose, Service, ServiceError};
use crate::web::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// For how long a host that could not lead lets others try, longer each time. Where none can lead, that is how long
/// nobody does after what they all lacked is back.
const YIELDS: Backoff = Backoff { first: Duration::from_secs(10), longest: Duration::from_secs(30) };

/// Time for which a host led well after which its failures before that no longer count.
const WELL: Duration = Duration::from_mins(10);

/// Follows while another leads, and leads when nobody does, until it is stopped.
pub(super) async fn take_turns(
    backlog: bool,
    config: &Config,
    screen: &Screen,
    stop: &CancellationToken,
    reload: &Arc<Notify>,
) -> anyhow::Result<Exit> {
    let (mut failures, mut has_followed) = (0, false);
    let face = Face::new(config);
    let _web = Server::start(config, face.shared());
    loop {
        // At the very beginning an error is one of the configuration, and somebody is looking.
        let follower = match Follower::start(config, "run").await {
            Err(LedgerError::Log { error }) if has_followed => {
                tracing::error!("the log does not answer, and this host waits: {error}");
                let again = tokio::time::sleep(YIELDS.first);
                match stop.run_until_cancelled(again).await {
                    Some(()) => continue,
                    None => return Ok(Exit::Done),
                }
            }
            follower => follower?,
        };
        let Some(mut follower) = follower else { return Ok(Exit::Done) };
        let name = follower.name().to_owned();
        screen.line(format!("Follows the log as {name}; leads when nobody else does."));
        let _ = screen.json(&serde_json::json!({ "follows": { "host": name } }));
        let patience = if failures == 0 { Duration::ZERO } else { YIELDS.after(failures) };
        let following = Instant::now();
        let outcome = service::follow(config, &mut follower, patience, stop, (&face, reload)).await;
        if outcome.is_err() || stop.is_cancelled() {
            follower.end().await;
            Live::remove(&config.ledger);
            return outcome.map(|()| Exit::Done).map_err(Into::into);
        }
        // Whoever is in charge of a standby is not looking any more.
        has_followed |= config.log.as_ref().is_some_and(|log| following.elapsed() >= log.lease);
        // Cancelled when another leads, and by a signal.
        let (lead, begun) = (stop.child_token(), Instant::now());
        let starting = start(backlog, current(config, &face.shared().config()), follower, &lead, &face);
        let ended = match face.while_starting(config, Box::pin(starting)).await {
            Ok(service) => act(backlog, service, screen, Arc::clone(reload)).await,
            Err(error) => Err(error.into()),
        };
        if stop.is_cancelled() {
            return ended;
        }
        let may_go_on = match &ended {
            Ok(_) => true,
            Err(error) => can_follow(error) && (has_followed || is_other_leading(error)),
        };
        if !may_go_on {
            return ended;
        }
        has_followed = true;
        failures = match &ended {
            Err(error) if is_other_leading(error) => 0,
            _ if begun.elapsed() > WELL => 1,
            _ => failures + 1,
        };
        if let Err(error) = &ended {
            tracing::error!("this host follows again: {}", chain(&**error));
        }
        screen.line("This host leads no longer: it follows.");
    }
}

/// The configuration and the opt-outs as they are now: what was read at the start may be days old. One that is not
/// valid is rejected, as by a service that runs; who may do what stays as it was `accepted` last.
fn current(config: &Config, accepted: &Config) -> Config {
    let previous = || {
        let mut config = config.clone();
        config.web.grants.clone_from(&accepted.web.grants);
        config
    };
    match Config::load(&config.file) {
        Ok(read) if read.log == config.log && read.ledger == config.ledger => read,
        Ok(_) => {
            tracing::error!(
                "the ledger is another in the configuration now: restart, or it stays the one it was"
            );
            previous()
        }
        Err(error) => {
            tracing::error!("the configuration was rejected; the previous version stays in effect: {error}");
            previous()
        }
    }
}

async fn start(
    backlog: bool,
    config: Config,
    follower: Follower,
    lead: &CancellationToken,
    face: &Face,
) -> Result<Service, ServiceError> {
    let acting = follower.take_over(&config, lead.clone()).await?;
    let purpose = Purpose::Act { backlog };
    Service::start_with(Some(acting), config, "run", purpose, lead.clone(), Some(face)).await
}

/// Whether it ended because another host leads.
fn is_other_leading(error: &anyhow::Error) -> bool {
    ledger_error(error).is_some_and(LedgerError::is_deposed)
}

/// Whether another host could do what this one cannot, or this one later.
fn can_follow(error: &anyhow::Error) -> bool {
    let of_aws = error
        .chain()
        .any(|cause| matches!(cause.downcast_ref::<ServiceError>(), Some(ServiceError::Aws { .. })));
    of_aws || ledger_error(error).is_some_and(|error| error.is_deposed() || error.is_of_log())
}

fn ledger_error(error: &anyhow::Error) -> Option<&LedgerError> {
    error.chain().find_map(|cause| match cause.downcast_ref::<ServiceError>() {
        Some(ServiceError::Ledger(error)) => Some(error),
        _ => cause.downcast_ref::<LedgerError>(),
    })
}

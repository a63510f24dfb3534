//! `rescind run`: poll GuardDuty and act on what comes.

use super::act::act;
use super::output::Screen;
use super::runtime::block_on;
use super::{Exit, hosts, signals, summary};
use crate::config::Config;
use crate::ingest::Seen;
use crate::service::{Face, Purpose, Service, ServiceError};
use crate::web::Server;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Poll each region once, finish what comes of it, and stop.
    #[arg(long)]
    once: bool,

    /// Also act on recent findings that were there before rescind began to watch, or that were only
    /// observed so far.
    #[arg(long)]
    backlog: bool,
}

impl Args {
    /// It goes on until it is stopped.
    pub fn is_service(&self) -> bool {
        !self.once
    }
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    block_on(async {
        // Before anything else: a SIGHUP that comes early must not end the process.
        let reload = signals::reload();
        let stop = signals::stop_token();
        if args.once {
            return once(args, config.for_one_run(), screen, stop).await;
        }
        if config.log.is_some() {
            return Box::pin(hosts::take_turns(args.backlog, &config, screen, &stop, &reload)).await;
        }
        let face = Face::new(&config);
        let _web = Server::start(&config, face.shared());
        let Some(service) = start(args, config, "run", &stop, Some(&face)).await? else {
            return Ok(Exit::Done);
        };
        act(args.backlog, service, screen, reload).await
    })
}

/// Starts to act; none when it was stopped before.
async fn start(
    args: &Args,
    config: Config,
    command: &str,
    stop: &CancellationToken,
    face: Option<&Face>,
) -> Result<Option<Service>, ServiceError> {
    let purpose = Purpose::Act { backlog: args.backlog };
    let starting = Service::start_shown(config, command, purpose, stop.clone(), face);
    tokio::select! {
        service = starting => service.map(Some),
        () = stop.cancelled() => Ok(None),
    }
}

/// Polls once, finishes what comes of it, and stops.
async fn once(args: &Args, config: Config, screen: &Screen, stop: CancellationToken) -> anyhow::Result<Exit> {
    let Some(service) = start(args, config, "run --once", &stop, None).await? else {
        return Ok(Exit::Interrupted);
    };
    let done = async {
        service.recover().await?;
        service.take_up_ruled().await?;
        if args.backlog {
            service.take_up_observed().await?;
        }
        let held = service.held_of_pursuit()?;
        let mut seen = tokio::select! {
            seen = service.poll() => seen?,
            () = stop.cancelled() => Seen::default(),
        };
        service.drained().await?;
        // The denies that are in force, from now and from before.
        service.reconciler().recheck_due().await?;
        service.drained().await?;
        service.pursue().await?;
        service.write_back().await?;
        for finding in held {
            seen.add(finding);
        }
        Ok(seen)
    }
    .await;
    Box::pin(summary::finish(service, screen, done, "nothing new.", stop.is_cancelled())).await
}

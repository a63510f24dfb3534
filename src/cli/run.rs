//! `rescind run`: poll GuardDuty and act on what comes.

use super::output::Screen;
use super::runtime::block_on;
use super::{Exit, signals, summary};
use crate::config::Config;
use crate::ingest::Seen;
use crate::plural::counted;
use crate::service::{Purpose, Service};

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
    let config = if args.once { config.for_one_run() } else { config };
    block_on(async {
        // Before anything else: a SIGHUP that comes early must not end the process.
        let reload = signals::reload();
        let stop = signals::stop_token();
        let (mode, interval) = (config.mode, config.poll_interval);
        let command = if args.once { "run --once" } else { "run" };
        let starting = Service::start(config, command, Purpose::Act { backlog: args.backlog }, stop.clone());
        let service = tokio::select! {
            service = starting => service?,
            () = stop.cancelled() => return Ok(if args.once { Exit::Interrupted } else { Exit::Done }),
        };
        let done = async {
            if args.once {
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
                return Ok(seen);
            }
            let regions = service.region_count();
            screen.prose(format!(
                "Watching {}, mode {mode}, every {interval:?}. Ctrl-C stops.",
                counted(regions, "region")
            ));
            // When nobody reads standard output, the log has it too.
            let _ = screen.json(&serde_json::json!({ "watching": { "regions": regions, "mode": mode } }));
            service.describe_feeds().iter().for_each(|feed| screen.line(feed));
            service.run(args.backlog, reload).await.map(|()| Seen::default())
        }
        .await;
        if args.once {
            Box::pin(summary::finish(service, screen, done, "Nothing new.", stop.is_cancelled())).await
        } else {
            Box::pin(summary::finish_service(service, screen, done.map(|_| ()))).await
        }
    })
}

//! `rescind recheck`: looks at once whether every deny is still in force.

use super::output::Screen;
use super::runtime::block_on;
use super::{Exit, signals, summary};
use crate::config::Config;
use crate::ingest::Seen;
use crate::service::{Purpose, Service};

pub fn run(config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    block_on(async {
        let stop = signals::stop_token();
        let starting =
            Service::start(config.for_one_run(), "recheck", Purpose::Act { backlog: false }, stop.clone());
        let service = tokio::select! {
            service = starting => service?,
            () = stop.cancelled() => return Ok(Exit::Interrupted),
        };
        let mut begun = 0;
        let done = async {
            let watched = service.reader().watched_denies(false, None)?.len();
            let _ = screen.json(&serde_json::json!({ "denies_in_force": watched }));
            screen.line(format!("Denies in force: {watched}. Checking each now."));
            // What was begun and interrupted is brought to its end first: its deny may be half put back.
            service.reconciler().finish_begun()?;
            service.drained().await?;
            service.reconciler().rechecks().all().await?;
            service.drained().await?;
            service.pursue().await?;
            begun = service.reader().unfinished()?.iter().filter(|open| open.state.is_half_done()).count();
            Ok(Seen::default())
        }
        .await;
        let exit =
            Box::pin(summary::finish(service, screen, done, "All denies are in force.", stop.is_cancelled()))
                .await?;
        if begun > 0 {
            screen.prose(format!("{begun} not finished: it is not known whether the deny is in place. `rescind status` has why."));
        }
        Ok(if begun > 0 && exit == Exit::Done { Exit::NeedsPerson } else { exit })
    })
}

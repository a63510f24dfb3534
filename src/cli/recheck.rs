//! `rescind recheck`: looks at once whether every deny is still in force.

use super::output::{GOOD, Screen, clean, styled};
use super::remediation::style;
use super::runtime::block_on;
use super::{Exit, signals, summary};
use crate::config::Config;
use crate::desk::RemediationLine;
use crate::ingest::Seen;
use crate::ledger::Reader;
use crate::org::named_account;
use crate::remediation::describe_in_force;
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
        let shown = if done.is_ok() { describe(service.reader(), screen) } else { Ok(()) };
        let exit =
            Box::pin(summary::finish(service, screen, done, "all denies are in force.", stop.is_cancelled()))
                .await?;
        shown?;
        if begun > 0 {
            screen.prose(format!("{begun} not finished: it is not known whether the deny is in place. `rescind status` has why."));
        }
        Ok(if begun > 0 && exit == Exit::Done { Exit::NeedsPerson } else { exit })
    })
}

/// What is in force now that all were looked at.
fn describe(reader: &Reader, screen: &Screen) -> anyhow::Result<()> {
    let names = reader.account_names()?;
    screen.knows(names.clone());
    screen.lists(&["denies"]);
    let (watched, known_until) = (reader.watched_denies(false, None)?, reader.last_time()?);
    screen.field("denies_in_force", &watched.len())?;
    for one in &watched {
        let line = RemediationLine::of(&reader.remediation(&one.remediation)?, known_until, &names);
        screen.item("denies", &line)?;
        let state = styled(style(line.state), format!("{:<10}", line.state));
        screen.line(format!("{state}  {}", line.remediation));
        let account = named_account(line.account.as_str(), line.account_name.as_deref());
        screen.prose(format!("            {} in {account}", clean(&line.principal)));
        let proof = line.proof.map_or_else(|| "none".to_owned(), |rung| rung.to_string());
        let cutoff = line.cutoff.as_deref().map_or_else(String::new, |cutoff| format!(", cutoff {cutoff}"));
        screen.prose(format!("            proof: {proof}{cutoff}"));
        if let Some(in_force) = &line.in_force {
            screen.prose(format!("            in force for {}", describe_in_force(in_force)));
        }
    }
    if !watched.is_empty() {
        let denies = if watched.len() == 1 { "deny is" } else { "denies are" };
        screen.line(styled(GOOD, format!("{} {denies} in force.", watched.len())));
    }
    Ok(())
}

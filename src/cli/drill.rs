//! `rescind drill`: a fire drill with a throw-away role.

use super::exit::BadInput;
use super::output::{BAD, BOLD, GOOD, Screen, clean, styled};
use super::runtime::block_on;
use super::{Exit, signals};
use crate::config::Config;
use crate::drill::{Drill, DrillError};
use crate::ident::AccountId;
use crate::ledger::Reader;
use crate::remediation::{Draft, DrillStep, Event};
use crate::replication::open_ledger;
use crate::service::{self, Checkpoints, ServiceError};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The account. The role is `drill.role` of rescind.toml.
    account: AccountId,
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let Some(role) = config.drill.clone() else {
        let text = "rescind.toml names no role for drills: `[drill]` with `role = \"RescindDrill\"`; docs/drills.md says how to create it";
        return Err(BadInput(text.to_owned()).into());
    };
    block_on(async {
        let stop = signals::stop_token();
        signals::stop_at_hangup(&stop);
        let ledger = open_ledger(config)?;
        let reader = Reader::open(&config.ledger)?;
        let checkpoints = Checkpoints::start(config, &ledger, &reader).await?;
        let hub = service::hub(config, &ledger).await?;
        screen.prose(format!(
            "Drill with role {} in {}. It is denied for half a minute or more, and released.",
            styled(BOLD, role.path_and_name()),
            args.account
        ));
        let drill = Drill {
            config,
            hub: &hub,
            account: args.account.clone(),
            role,
            os_user: crate::service::os_user(),
        };
        let drilled = match Box::pin(drill.hold(&stop, &mut |step| describe(step, screen))).await {
            Ok(drilled) => drilled,
            Err(DrillError::Asked(why)) => return Err(BadInput(why).into()),
            Err(DrillError::Service(error)) => return Err(error.into()),
            Err(DrillError::Ledger(error)) => return Err(error.into()),
            Err(DrillError::Aws(error)) => {
                let hint = crate::aws::hub_hint(&error, hub.identity());
                return Err(ServiceError::Aws { error, hint }.into());
            }
            Err(error) => return Err(error.into()),
        };
        screen.json(&drilled)?;
        screen.line(if drilled.passed {
            styled(GOOD, "The drill passed.")
        } else {
            styled(BAD, "The drill FAILED.")
        });
        screen.line(format!("  its own ledger: {}", drilled.ledger));
        let passed = drilled.passed;
        let recorded = ledger.append(Draft::of_service(Event::Drill(Box::new(drilled)))).await?;
        checkpoints.make(&ledger, &reader).await?;
        ledger.close();
        if let Some(entry) = recorded.first().copied().flatten() {
            screen.line(format!("  recorded as entry {entry}"));
        }
        Ok(match (stop.is_cancelled(), passed) {
            (true, _) => Exit::Interrupted,
            (_, true) => Exit::Done,
            (_, false) => Exit::NeedsPerson,
        })
    })
}

fn describe(step: &DrillStep, screen: &Screen) {
    let after = step.after_ms.map_or_else(String::new, |ms| format!("{}.{:03} s", ms / 1000, ms % 1000));
    let name = format!("{:<10}", step.name);
    let name = if step.passed { styled(GOOD, name) } else { styled(BAD, format!("NOT {}", step.name)) };
    screen.line(format!("  {name} {after:>9}  {}", clean(&step.note)).trim_end());
}

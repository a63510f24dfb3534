//! `rescind impact ID`: the impact of a remediation, looked up now, for those who are to approve it.

use super::exit::BadInput;
use super::output::{BAD, BOLD, Screen, clean, styled};
use super::runtime::block_on;
use super::{Exit, signals};
use crate::config::Config;
use crate::desk;
use crate::ledger::Reader;
use crate::remediation::{CallScope, Cutoff, Impact, Remediation};
use crate::service::{Purpose, Service};
use jiff::Timestamp;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A remediation, by id (r-…) or at least four characters of it after the r-.
    pub id: String,
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    screen.knows(reader.account_names()?);
    let remediation = reader.remediation(&desk::find(&reader, &args.id)?)?;
    block_on(async {
        let stop = signals::stop_token();
        let service = Service::start(config, "impact", Purpose::Plan, stop).await?;
        let target = &remediation.target;
        let scope = CallScope {
            remediation: Some(remediation.id.clone()),
            finding: Some(remediation.finding.id.clone()),
        };
        // What is not yet done would be done now.
        let cutoff =
            remediation.change.as_ref().map_or_else(|| Cutoff::at(Timestamp::now()), |change| change.cutoff);
        let impact =
            service.reconciler().evidence().impact(target, &remediation.finding.id, cutoff, &scope).await;
        service.stop("looked").await?;
        match impact {
            Ok(Some(impact)) => show(&remediation, &impact, screen),
            Ok(None) => {
                let text = format!("{}: the impact can be looked up for roles only", remediation.id);
                Err(BadInput(text).into())
            }
            Err(refusal) => {
                title(&remediation, screen);
                screen.json(
                    &serde_json::json!({ "remediation": remediation.id, "refused": refusal.to_string() }),
                )?;
                screen.line(format!("{}  {}", styled(BAD, "not possible:"), clean(&refusal.to_string())));
                Ok(Exit::NeedsPerson)
            }
        }
    })
}

/// The impact of a remediation, as the screen has it.
///
/// # Errors
/// When it cannot be printed.
pub fn show(remediation: &Remediation, impact: &Impact, screen: &Screen) -> anyhow::Result<Exit> {
    title(remediation, screen);
    screen.json(&serde_json::json!({ "remediation": remediation.id, "impact": impact }))?;
    for line in &remediation.impact_lines(impact) {
        screen.prose(format!("  {}", clean(line)));
    }
    // What is known of a role that is gone, or cannot be read, is not all.
    Ok(if impact.max_session_seconds.is_none() { Exit::NeedsPerson } else { Exit::Done })
}

fn title(remediation: &Remediation, screen: &Screen) {
    let title = format!("{} in {}", remediation.target, remediation.target.account);
    screen.line(format!("{}  {}", styled(BOLD, &remediation.id), clean(&title)));
}

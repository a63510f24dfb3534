//! `rescind plan`: shows what would be done, and does nothing.

use super::exit::BadInput;
use super::output::{BAD, BOLD, DIM, Screen, WARN, clean, styled};
use super::policy::{diff, side_effect};
use super::runtime::block_on;
use super::{Exit, signals};
use crate::config::Config;
use crate::desk::PlanDocument;
use crate::finding::Decoded;
use crate::ingest::Input;
use crate::plural::counted;
use crate::reconcile::Planned;
use crate::remediation::{Begun, Event, Means, VerdictName};
use crate::service::{Purpose, Service};
use crate::triage::{BudgetUsage, SkipReason, Verdict};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Maximum number of findings that no rule is for and that are shown one by one.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plan for the findings in a file (- for standard input) instead of GuardDuty's.
    file: Option<PathBuf>,

    /// Also gather the impact: instances in all regions, who may assume the role.
    #[arg(long)]
    impact: bool,
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    let input = args
        .file
        .as_ref()
        .map(|file| Input::open(file).map_err(|error| BadInput(error.to_string())))
        .transpose()?;
    block_on(async {
        let stop = signals::stop_token();
        let service = Service::start(config, "plan", Purpose::Plan, stop.clone()).await?;
        let (decoded, errors) = if let Some(input) = input {
            resolved(&service, input).await
        } else {
            tokio::select! {
                peeked = service.polls().peek() => peeked,
                () = stop.cancelled() => (Vec::new(), Vec::new()),
            }
        };
        let mut clean_run = errors.is_empty();
        for error in &errors {
            screen.prose(format!("{}  {}", styled(BAD, "not read"), clean(error)));
            screen.json(&serde_json::json!({ "error": error }))?;
        }
        let (mut count, mut without_rule) = (0, BTreeMap::<String, usize>::new());
        let mut would_begin = BudgetUsage::default();
        for item in decoded {
            match item {
                Ok(finding) => {
                    // A plan changes nothing, so it can be left at any moment.
                    let planned = tokio::select! {
                        planned = service.reconciler().plan(finding, args.impact) => planned?,
                        () = stop.cancelled() => break,
                    };
                    clean_run &= !matches!(planned.change, Some(Err(_)));
                    if let Verdict::Remediate { remediation, target, .. } = &planned.decision.verdict {
                        would_begin.add(Begun {
                            remediation: remediation.clone(),
                            account: target.account.clone(),
                            role_key: target.key(),
                            at: Timestamp::now(),
                        });
                    }
                    count += 1;
                    if let Verdict::Skip(SkipReason::NoRule { kind, .. }) = &planned.decision.verdict {
                        *without_rule.entry(kind.clone()).or_default() += 1;
                    }
                    if !screen.is_text() || without_rule.values().sum::<usize>() <= SHOWN {
                        describe(&planned, service.config().quarantine, screen)?;
                    }
                }
                Err(undecodable) => {
                    clean_run = false;
                    screen.prose(format!(
                        "{}  {}",
                        styled(BAD, "unreadable"),
                        clean(&undecodable.to_string())
                    ));
                    screen.json(&serde_json::json!({ "undecodable": undecodable }))?;
                }
            }
        }
        for (kind, count) in &without_rule {
            screen.prose(format!(
                "{}  no rule is for it: {} {count}",
                styled(DIM, "would skip"),
                clean(kind)
            ));
        }
        let budget = &service.config().budget;
        let full = would_begin.accounts().find_map(|a| would_begin.within(a, budget, Timestamp::now()).err());
        if let Some(tripped) = full {
            let limit = tripped.limit(budget);
            screen.prose(format!(
                "Together that is more than the budget allows ({limit}): the rest would be held."
            ));
        }
        screen.line(format!("{}. Nothing was changed.", counted(count, "finding")));
        if count > 0 && !service.is_watching()? {
            screen.prose(
                "The first poll of `rescind run` only observes what is there already; with --backlog it acts on it.",
            );
        }
        service.stop("planned").await?;
        if stop.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        Ok(if clean_run { Exit::Done } else { Exit::NeedsPerson })
    })
}

/// What is in a file, and to what it points; and what could not be had.
async fn resolved(service: &Service, input: Input) -> (Vec<Decoded>, Vec<String>) {
    let (mut decoded, mut errors) = (Vec::new(), Vec::new());
    for item in input.findings.flat_map(|some| service.handed_in().admitted(some)) {
        match item {
            Ok(pointer) if pointer.pointer => match service.handed_in().look_up(&pointer).await {
                Ok(findings) => decoded.extend(findings.into_iter().map(Ok)),
                Err(why) => errors.push(why),
            },
            item => decoded.push(item),
        }
    }
    (decoded, errors)
}

pub(super) fn describe(planned: &Planned, quarantine: SignedDuration, screen: &Screen) -> anyhow::Result<()> {
    screen.json(&PlanDocument::from(planned))?;
    let Planned { finding, recorded, decision, change, impact } = planned;
    let recorded = recorded.as_ref().and_then(|r| r.decision.as_ref());
    let label = match &decision.verdict {
        Verdict::Remediate { .. } => styled(WARN, "would revoke"),
        Verdict::Hold { .. } => styled(WARN, "would hold for approval"),
        Verdict::Observe { .. } => styled(WARN, "would observe"),
        Verdict::Skip(_) => styled(DIM, "would skip"),
    };
    screen.line(format!("{label}  {}  {}", finding.account, styled(BOLD, clean(&finding.id))));
    screen.line(format!("  {}", clean(&finding.finding_type)));
    screen.prose(format!("  {}", clean(&decision.verdict.to_string())));
    let rule = decision.rule.as_deref().unwrap_or("none");
    let opt_outs =
        if decision.opt_outs.is_empty() { "none".to_owned() } else { decision.opt_outs.join(", ") };
    screen.prose(format!("  rule: {}; opt-outs: {}", clean(rule), clean(&opt_outs)));
    if let Some(to_do) = &decision.what_to_do {
        screen.prose(format!("  {} {}", styled(BAD, "act by hand:"), clean(to_do)));
    }
    if let Some((entry, Event::Decision { verdict, .. })) = recorded.map(|entry| (entry, &entry.event)) {
        screen.prose(format!(
            "  {} this occurrence is in the ledger already (entry {}: {verdict}), so `run` leaves it at that.",
            styled(WARN, "note:"),
            entry.seq
        ));
        if *verdict == VerdictName::Observe {
            screen.prose("  `rescind run --backlog` takes up what was only observed.");
        }
    }
    if let Some(recurrence) = &decision.recurrence {
        screen.prose(format!("  {} {}", styled(BAD, "recurring:"), clean(&recurrence.to_string())));
    }
    match change {
        Some(Ok(change)) => {
            if matches!(decision.verdict, Verdict::Observe { .. }) {
                screen.line("  If it were enforced:");
            }
            screen.line(format!("  {}", change.policy()));
            diff(change.before.as_deref(), Some(&change.after), screen);
            if let Some(target) = decision.verdict.target() {
                side_effect(target, change, screen);
                if !quarantine.is_zero() && change.means != Means::Quarantine {
                    screen.prose(format!(
                        "  quarantine: while the service runs, every session is denied until the deny has been in place for {quarantine:#}, legitimate ones as well"
                    ));
                }
            }
            let instance = finding.evidence.instance_id.as_deref();
            let is_quarantined = !quarantine.is_zero() && change.means != Means::Quarantine;
            for line in impact.iter().flat_map(|impact| impact.lines_while(instance, Some(is_quarantined))) {
                screen.prose(format!("  {}", clean(&line)));
            }
        }
        Some(Err(refusal)) => {
            screen.prose(format!("  {}  {}", styled(BAD, "not possible:"), clean(&refusal.to_string())));
        }
        None => {}
    }
    screen.line("");
    Ok(())
}

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
use crate::reconcile::Planned;
use crate::remediation::{Begun, Event, Means, VerdictName};
use crate::service::{Purpose, Service};
use crate::triage::{BudgetUsage, SkipReason, Verdict};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
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

    /// Exit with 7 where something would be revoked or held, and with 0 only where nothing would be.
    #[arg(long)]
    detailed_exitcode: bool,
}

/// What would be done, counted.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct PlanCounts {
    /// Number of findings that would be revoked.
    to_revoke: usize,
    /// Number of findings that would be held for an approval.
    held: usize,
    /// Number of findings that would only be observed.
    observed: usize,
    /// Number of findings about which nothing would be done.
    skipped: usize,
    /// Number of findings that the ledger has a decision about already: `run` leaves them at that.
    decided: usize,
    /// Number of changes that are not possible.
    not_possible: usize,
    /// Number of inputs that cannot be read.
    unreadable: usize,
    /// Number of regions and feeds that could not be read.
    not_read: usize,
}

impl PlanCounts {
    fn add(&mut self, planned: &Planned) {
        let is_decided = planned.recorded.as_ref().is_some_and(|recorded| recorded.decision.is_some());
        let count = match &planned.decision.verdict {
            Verdict::Skip(_) => &mut self.skipped,
            _ if is_decided => &mut self.decided,
            Verdict::Remediate { .. } if matches!(planned.change, Some(Err(_))) => &mut self.not_possible,
            Verdict::Remediate { .. } => &mut self.to_revoke,
            Verdict::Hold { .. } => &mut self.held,
            Verdict::Observe { .. } => &mut self.observed,
        };
        *count += 1;
    }

    fn has_findings(&self) -> bool {
        self.to_revoke + self.held + self.observed + self.skipped + self.decided + self.not_possible > 0
    }

    fn sentence(&self) -> String {
        let parts = [
            (self.to_revoke, "to revoke"),
            (self.not_possible, "NOT possible"),
            (self.held, "held"),
            (self.observed, "observed"),
            (self.skipped, "skipped"),
            (self.decided, "decided already"),
            (self.unreadable, "unreadable"),
            (self.not_read, "NOT read (a region or the organization)"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
    }

    fn exit(&self, is_clean: bool, detailed: bool) -> Exit {
        match (is_clean, detailed && self.to_revoke + self.held > 0) {
            (false, _) => Exit::NeedsPerson,
            (true, true) => Exit::Planned,
            (true, false) => Exit::Done,
        }
    }
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
        screen.lists(&["items", "errors", "undecodable"]);
        let mut clean_run = errors.is_empty();
        for error in &errors {
            screen.prose(format!("{}  {}", styled(BAD, "not read"), clean(error)));
            screen.item("errors", &serde_json::json!({ "error": error }))?;
        }
        screen.knows(service.reader().account_names()?);
        let mut counts = PlanCounts { not_read: errors.len(), ..PlanCounts::default() };
        let mut without_rule = BTreeMap::<String, usize>::new();
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
                    counts.add(&planned);
                    if let Verdict::Skip(SkipReason::NoRule { kind, .. }) = &planned.decision.verdict {
                        *without_rule.entry(kind.clone()).or_default() += 1;
                    }
                    if !screen.is_text() || without_rule.values().sum::<usize>() <= SHOWN {
                        describe(&planned, service.config().quarantine, screen)?;
                    }
                }
                Err(undecodable) => {
                    clean_run = false;
                    counts.unreadable += 1;
                    screen.prose(format!(
                        "{}  {}",
                        styled(BAD, "unreadable"),
                        clean(&undecodable.to_string())
                    ));
                    screen.item("undecodable", &serde_json::json!({ "undecodable": undecodable }))?;
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
        if counts.has_findings() && !service.is_watching()? {
            screen.prose(
                "The first poll of `rescind run` only observes what is there already; with --backlog it acts on it.",
            );
        }
        screen.about_items("summary", &counts)?;
        screen.prose(format!("{} {}. Nothing was changed.", styled(BOLD, "Plan:"), counts.sentence()));
        service.stop("planned").await?;
        if stop.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        Ok(counts.exit(clean_run, args.detailed_exitcode))
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
    let names = screen.names();
    screen.item("items", &PlanDocument::of(planned, &names))?;
    let Planned { finding, recorded, decision, change, impact } = planned;
    let recorded = recorded.as_ref().and_then(|r| r.decision.as_ref());
    let label = match &decision.verdict {
        Verdict::Remediate { .. } => styled(WARN, "would revoke"),
        Verdict::Hold { .. } => styled(WARN, "would hold for approval"),
        Verdict::Observe { .. } => styled(WARN, "would observe"),
        Verdict::Skip(_) => styled(DIM, "would skip"),
    };
    let account = names.in_words(&finding.account);
    let whose = decision.verdict.target().map(|target| format!("{} in ", clean(&target.principal())));
    screen.prose(format!("{label}  {}{account}", whose.unwrap_or_default()));
    let severity = finding.severity.map(|severity| format!(", severity {severity}")).unwrap_or_default();
    screen.prose(format!("  finding {}{severity}", styled(BOLD, clean(&finding.id))));
    screen.prose(format!("  {}", clean(&finding.finding_type)));
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
            screen.prose(format!("  {}", change.policy()));
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

//! Deciding about a finding, durably; what follows from the decision comes next.

use super::decider::Circumstances;
use super::work::{Case, Work};
use super::worker::Worker;
use crate::alert::{self, Alert};
use crate::finding::Finding;
use crate::ledger::{Append, LedgerError};
use crate::org::Snapshot;
use crate::remediation::{AlertCode, Draft, Event, PriorRemediation, Proof, ReasonCode, Subject};
use crate::triage::{Decision, SkipReason, Stage, Verdict};
use crate::watch::Seen;
use jiff::Timestamp;
use std::sync::Arc;

impl Worker {
    /// Decides about a finding, acknowledges that where somebody waits for it, and gives what follows: what is
    /// to be done before it can be decided, or what the decision leads to.
    pub async fn decide(&self, mut case: Case) -> Result<Vec<Work>, LedgerError> {
        let decider = &self.context.decider;
        case.finding.take_up(self.context.now());
        let Some(organization) = self.organization(&case.finding).await? else { return Ok(Vec::new()) };
        let history = decider.history(&case.finding)?;
        // What is half done is brought to an end first: its cutoff decides about this finding.
        if !case.has_waited && history.iter().any(|earlier| earlier.state.is_half_done()) {
            let half_done = history.into_iter().filter(|earlier| earlier.state.is_half_done());
            let mut work: Vec<Work> =
                half_done.map(|earlier| Work::Remediation(earlier.remediation)).collect();
            case.has_waited = true;
            work.push(Work::Finding(Box::new(case)));
            return Ok(work);
        }
        let before_watch = self.before_watch(&case.finding, case.is_asked)?;
        let circumstances =
            Circumstances { organization: &organization, history: &history, before_watch, stage: Stage::New };
        let mut decision = decider.decide(&case.finding, circumstances).await?;
        let mut work = Vec::new();
        // What the ledger says is in force is looked at before it is relied on against later activity.
        if let Some(relied_on) = relied_on(&case.finding, &decision, &history).filter(|_| !case.is_rechecked)
        {
            let policy = self.context.policy();
            let seen = self
                .recheck
                .look(&relied_on, policy.sweep, policy.settles, self.watchlist.in_place(&relied_on))
                .await?;
            match seen {
                Seen::Lost(lost) => {
                    work.extend(self.put_back(lost));
                    case.is_rechecked = true;
                    work.push(Work::Finding(Box::new(case)));
                    return Ok(work);
                }
                Seen::Expired => work.push(Work::Remediation(relied_on.clone())),
                Seen::InPlace(_) | Seen::Unknown => {}
            }
            let mut history = decider.history(&case.finding)?;
            for one in history.iter_mut().filter(|one| one.remediation == relied_on) {
                one.is_doubted = !matches!(seen, Seen::InPlace(_));
            }
            let circumstances = Circumstances { history: &history, ..circumstances };
            decision = decider.decide(&case.finding, circumstances).await?;
        }
        work.extend(self.record(case, decision).await?);
        Ok(work)
    }

    /// Since when the finding's region is watched, when that speaks against acting on it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn before_watch(&self, finding: &Finding, is_asked: bool) -> Result<Option<Timestamp>, LedgerError> {
        if is_asked || self.backlog { Ok(None) } else { self.context.decider.before_watch(finding) }
    }

    /// The organization to decide by; none when it is not known whether the account is one of ours. What is too
    /// old for anything to be done is decided all the same.
    async fn organization(&self, finding: &Finding) -> Result<Option<Arc<Snapshot>>, LedgerError> {
        let (accounts, account) = (&self.context.decider.accounts, &finding.account);
        let is_old =
            self.context.now().duration_since(finding.last_seen()) > self.context.policy().max_finding_age;
        let organization = accounts.snapshot_for(account).await?;
        if let Some(organization) = organization.or_else(|| is_old.then(|| accounts.snapshot())) {
            return Ok(Some(organization));
        }
        tracing::warn!(finding = finding.id, "not decided: the account cannot be looked up; tried again");
        let subject = Subject { account: Some(account.clone()), ..Subject::default() };
        let text = format!(
            "nothing is decided about account {account}: Organizations does not answer, and it is not known as one of ours"
        );
        let what_to_do =
            "Make Organizations readable for the hub. The findings wait, and are tried again at each poll.";
        let alert = Alert::new(AlertCode::AccountUnknown, subject, text, what_to_do);
        self.context.alerts.raise_alert(alert).await?;
        Ok(None)
    }

    /// Records a decision, together with the alerts and proofs that come with it.
    async fn record(&self, case: Case, mut decision: Decision) -> Result<Vec<Work>, LedgerError> {
        let (finding, context) = (&case.finding, &self.context);
        if self.stop.is_cancelled() && decision.verdict.code() == ReasonCode::PlacementUnknown {
            // It could be read, if there were time: at the next start.
            return Ok(Vec::new());
        }
        if let Some(id) = decision.verdict.remediation()
            && let Some(taken) = context.reader.occurrence_of(id)?
        {
            if taken != finding.occurrence() {
                // The finding stays undecided.
                tracing::error!(
                    finding = finding.id,
                    remediation = id,
                    "NOT decided: the id is that of another theft"
                );
                context.alerts.raise_alert(alert::id_taken(finding, id)).await?;
                return Ok(Vec::new());
            }
            // The same occurrence, handed in twice at once.
            if let Some(ack) = case.ack {
                ack.decided();
            }
            return Ok(vec![Work::Remediation(id.to_owned())]);
        }
        if let (Some(why), Some(to_do)) = (case.in_vain, decision.what_to_do.as_mut()) {
            *to_do = format!("{why} {to_do}");
        }
        let mut entries = vec![Draft::decision(finding, &decision)];
        entries.extend(self.proof_by(&decision)?);
        let held = match &decision.verdict {
            Verdict::Hold { why, .. } => alert::contradictory_or_over_budget(&finding.account, why),
            _ => None,
        };
        let late = alert::tag_set_late(finding, &decision);
        let alerts = [alert::recurring(finding, &decision), alert::skipped(finding, &decision), held, late];
        entries.extend(alerts.into_iter().flatten().filter_map(|alert| context.alerts.draft(alert)));
        context.ledger.append(Append { entries, ..Append::default() }).await?;
        if let Some(ack) = case.ack {
            ack.decided();
        }
        let (verdict, code) = (decision.verdict.name().name(), decision.verdict.code().name());
        metrics::counter!("rescind_decisions_total", "verdict" => verdict, "code" => code).increment(1);
        tracing::info!(
            remediation = decision.verdict.remediation(), finding = finding.id, account = %finding.account,
            verdict, code, "{}", decision.verdict
        );
        Ok(match decision.verdict {
            // New activity is a reason to try again at once what is not finished.
            Verdict::Remediate { remediation, .. }
            | Verdict::Hold { remediation, .. }
            | Verdict::Skip(SkipReason::UnderWay { remediation }) => vec![Work::Remediation(remediation)],
            Verdict::Skip(SkipReason::AwaitingApproval { remediation }) => {
                tracing::warn!(
                    remediation,
                    finding = finding.id,
                    "HELD for approval: there is more activity"
                );
                Vec::new()
            }
            Verdict::Observe { .. } | Verdict::Skip(_) => Vec::new(),
        })
    }

    /// A denied call that was seen proves that an earlier remediation is enforced: recorded once.
    fn proof_by(&self, decision: &Decision) -> Result<Option<Draft>, LedgerError> {
        let Verdict::Skip(SkipReason::Denied { remediation, call }) = &decision.verdict else {
            return Ok(None);
        };
        let earlier = self.context.reader.remediation(remediation)?;
        let proof = Proof::enforced((**call).clone(), self.context.now());
        let is_higher = earlier.state.is_in_place() && earlier.rung() < Some(proof.rung);
        Ok(is_higher.then(|| Draft { subject: earlier.subject(), event: Event::Proof(proof) }))
    }
}

/// The remediation that a skipped finding relies on, although the finding shows activity after it.
fn relied_on(finding: &Finding, decision: &Decision, history: &[PriorRemediation]) -> Option<String> {
    let Verdict::Skip(
        SkipReason::AlreadyRevoked { remediation, .. } | SkipReason::Denied { remediation, .. },
    ) = &decision.verdict
    else {
        return None;
    };
    let is_later = |one: &&PriorRemediation| {
        one.remediation == *remediation
            && one.state.is_in_place()
            && one.accepted_at.is_some_and(|at| at < finding.last_seen())
    };
    history.iter().find(is_later).map(|one| one.remediation.clone())
}

//! What a person is told: what takes too long, and what others find.

use super::Reconciler;
use crate::config::Mode;
use crate::finding::Finding;
use crate::ledger::LedgerError;
use crate::remediation::{Change, Draft, Refusal, Remediation, Sign, State, Subject};
use crate::triage::{Decision, Verdict};
use jiff::{SignedDuration, Timestamp};

impl Reconciler {
    /// Raises to a person what is still not done after `age`.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn raise(&self, age: SignedDuration) -> Result<(), LedgerError> {
        let old = |since: Timestamp| Timestamp::now().duration_since(since) >= age;
        for open in self.reader.unfinished()? {
            // What is held has an end of its own.
            if open.state == State::Held || !old(open.opened_at) || self.mode() > Mode::Approve {
                continue;
            }
            let remediation = self.reader.remediation(&open.remediation)?;
            let since = remediation.approved_at().unwrap_or(remediation.opened_at);
            let since = since.max(remediation.lost_at.unwrap_or(since));
            let since = since.max(remediation.release.as_ref().map_or(since, |(at, _)| *at));
            if !old(since) || !remediation.state.is_open() {
                continue;
            }
            let is_begun = remediation.state.is_half_done();
            let refused = remediation.refused.as_ref().filter(|_| !is_begun);
            // What somebody forbids is as it should be.
            if refused.is_some_and(|refused| !Refusal::CODES.contains(&refused.code.as_str())) {
                continue;
            }
            let uncertain = remediation.uncertain.as_deref().filter(|_| is_begun);
            let why =
                refused.map(|refused| refused.reason.as_str()).or(uncertain).unwrap_or("it is not finished");
            let target = &remediation.target;
            let still = match remediation.state {
                State::Lost => "not put back",
                State::Releasing => "not released",
                State::Retiring => "not taken away",
                _ if is_begun => "not KNOWN to be revoked",
                _ => "NOT revoked",
            };
            let text = format!(
                "still {still} since {}: {target} in {} ({}): {why}",
                since.strftime("%Y-%m-%d %H:%M:%SZ"),
                target.account,
                remediation.id
            );
            let what_to_do = refused.map_or(
                "`rescind show` tells what was tried. It is tried again until it is too old.",
                |refused| refused.what_to_do.as_str(),
            );
            self.tell(remediation.subject(), "not_revoked", text, what_to_do).await?;
        }
        Ok(())
    }

    /// Tells that this machine's clock is far off, by what AWS answers.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn tell_clock(&self) -> Result<(), LedgerError> {
        let clock = self.hub.clock();
        let Some(text) = clock.difference().filter(|_| clock.is_far_off()) else { return Ok(()) };
        let what_to_do = "Set it: `timedatectl set-ntp true`. Cutoffs and ages of findings go by AWS's time; the times of entries, the hour \
             of the budgets and approval timeouts are wrong until then.";
        self.tell(Subject::default(), "clock", text, what_to_do).await
    }

    /// Tells that the deny is there, and the simulator still allows what it is to deny.
    pub(super) async fn tell_still_allowed(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let target = &remediation.target;
        let text = format!(
            "NOT called revoked: the deny is on {} in {}, and IAM's simulator still allows the old session ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "Look at the role's policies, its boundary and CloudTrail now: the stolen session may still work. It is \
             looked at again until the simulator denies it.";
        self.tell(remediation.subject(), "still_allowed", text, what_to_do).await
    }

    /// What should have been ended by an earlier remediation, and was not, is told.
    pub(super) fn alert_of_recurrence(&self, finding: &Finding, decision: &Decision) -> Option<Draft> {
        let (recurrence, target) = (decision.recurrence.as_ref()?, decision.verdict.target()?);
        let subject = Subject {
            remediation: decision.verdict.remediation().map(str::to_owned),
            principal: Some(target.name()),
            ..Subject::of_finding(finding)
        };
        let text = format!("{} in {}: {recurrence}", target.principal(), target.account);
        let what_to_do = match (recurrence.sign, finding.evidence.instance_id.as_deref()) {
            (Sign::SameKey, _) => {
                "It is revoked again. Check that the deny is on the principal (`rescind recheck`) and what else is allowed \
                 to it: a key that works under the deny is not denied by IAM."
                    .to_owned()
            }
            (Sign::NewKey, Some(instance)) => format!(
                "Isolate {instance} now, then stop and start it or associate its instance profile anew: it hands out a new key \
                 after each revocation."
            ),
            (Sign::NewKey, None) => {
                "Find what hands out the keys, and isolate it now: each revocation is followed by a new key.".to_owned()
            }
        };
        let code = match recurrence.sign {
            Sign::NewKey => "recurring",
            Sign::SameKey => "still_works",
        };
        self.alert(subject, code, text, &what_to_do)
    }

    /// Somebody else had written under our name: it is replaced. That a deny was altered is told as such.
    pub(super) fn alert_of_foreign(&self, remediation: &Remediation, change: &Change) -> Option<Draft> {
        if remediation.is_put_back() {
            return None;
        }
        let target = &remediation.target;
        let text = format!(
            "somebody else had written the policy {} on {} in {}: it is replaced ({})",
            change.policy_name,
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "The name is rescind's own, so take it for the thief's doing until you know better: `rescind show` has the text, \
             CloudTrail who put it there (PutRolePolicy, PutUserPolicy). A release does not bring it back.";
        self.alert(remediation.subject(), "foreign_policy", text, what_to_do)
    }

    /// AWS accepted a change, and it is gone again: told at the first time.
    pub(super) fn alert_of_not_kept(&self, remediation: &Remediation, found: &str) -> Option<Draft> {
        let target = &remediation.target;
        let text = format!(
            "somebody fights the deny on {} in {}: AWS accepted it, and {found} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = Refusal::NotKept(found.to_owned()).what_to_do(&self.access.role_arn(target));
        self.alert(remediation.subject(), "not_kept", text, &what_to_do)
    }

    /// What a person had approved is held again: told each time.
    pub(super) fn alert_of_return(remediation: &Remediation, reason: &str) -> Option<Draft> {
        remediation.approved_at()?;
        let target = &remediation.target;
        let text = format!(
            "NOT revoked, though it was approved: {target} in {} ({}): {reason}",
            target.account, remediation.id
        );
        let what_to_do = "Nothing is changed. `rescind show` tells what it is like now; `rescind approve` or `rescind reject` answers again.";
        Some(Self::alert_each(remediation.subject(), "approval_returned", text, what_to_do))
    }

    /// What is stolen, and rescind leaves alone: its own roles, and protected principals.
    pub(super) fn alert_of_skip(&self, finding: &Finding, decision: &Decision) -> Option<Draft> {
        let Verdict::Skip(reason) = &decision.verdict else { return None };
        let what_to_do = decision.what_to_do.as_deref().filter(|_| reason.needs_person())?;
        let text = format!("NOT revoked in {}: {reason}", finding.account);
        self.alert(Subject::of_finding(finding), reason.code(), text, what_to_do)
    }

    /// Tells a person, once an hour at most about the same thing.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn tell(
        &self,
        subject: Subject,
        code: &str,
        text: String,
        what_to_do: &str,
    ) -> Result<(), LedgerError> {
        match self.alert(subject, code, text, what_to_do) {
            Some(alert) => self.ledger.append(alert).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Another occurrence has led to a remediation of the id that this one leads to. The finding stays
    /// undecided, and a person is told.
    pub(super) async fn id_is_taken(&self, finding: &Finding, id: &str) -> Result<(), LedgerError> {
        tracing::error!(
            finding = finding.id,
            remediation = id,
            "NOT decided: the id is that of another theft"
        );
        let text = format!(
            "NOT revoked: the finding {} leads to remediation {id}, and that is another theft's: somebody made two findings that give the same id, or wrote into the ledger",
            crate::ident::quoted(&finding.id)
        );
        let what_to_do = "Revoke the role's sessions by hand. Keep a copy of the ledger, and check it with `rescind ledger verify` and `rescind ledger rebuild --check`.";
        self.tell(Subject::of_finding(finding), "id_taken", text, what_to_do).await
    }
}

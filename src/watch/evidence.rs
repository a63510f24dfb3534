//! What is gathered after a deny is in force: its impact, and what CloudTrail saw.

use super::calls::Calls;
use super::culprit;
use super::recheck::expires_at;
use super::tagged::{self, TagHistory};
use crate::alert::{Alert, Alerts};
use crate::aws::{AwsClock, MemberSession};
use crate::ident::Region;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{
    AlertCode, CallScope, Change, Cutoff, DeniedCall, Draft, Event, Impact, Proof, Refusal, Remediation,
    Rung, Target,
};
use crate::remedy::{self, MemberAccess, Purpose};
use crate::trail::TrailEvent;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, PoisonError, RwLock};

/// Maximum number of keys of one remediation that are looked for.
const MOST_KEYS: usize = 3;

/// Time after which CloudTrail has a call: most within five minutes, all within about fifteen (CloudTrail
/// User Guide).
pub const LAG: SignedDuration = SignedDuration::from_mins(15);

/// Gathers what AWS knows about a deny in force and the key that it is to deny.
pub struct Evidence {
    ledger: Ledger,
    reader: Arc<Reader>,
    access: MemberAccess,
    alerts: Arc<Alerts>,
    clock: AwsClock,
    /// Where instances and calls are looked for.
    regions: RwLock<Vec<Region>>,
}

impl Evidence {
    /// About the denies in this ledger, in these regions.
    #[must_use]
    pub fn new(
        ledger: Ledger,
        reader: Arc<Reader>,
        access: MemberAccess,
        alerts: Arc<Alerts>,
        clock: AwsClock,
        regions: Vec<Region>,
    ) -> Self {
        Self { ledger, reader, access, alerts, clock, regions: RwLock::new(regions) }
    }

    /// These regions are looked at from now on.
    pub fn use_regions(&self, regions: Vec<Region>) {
        *self.regions.write().unwrap_or_else(PoisonError::into_inner) = regions;
    }

    fn regions(&self) -> Vec<Region> {
        self.regions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The regions, and the one in which IAM's own calls are seen.
    fn regions_with_global(&self, target: &Target) -> Vec<Region> {
        let mut regions = self.regions();
        let global = target.partition.main_region().parse().ok();
        regions.extend(global.filter(|global| !regions.contains(global)));
        regions
    }

    /// Gathers the impact of a deny, once; and with `cloudtrail` looks for what the stolen key was used for
    /// since, and for who removed the deny.
    ///
    /// # Errors
    /// When the ledger fails.
    pub async fn gather(&self, id: &str, cloudtrail: bool) -> Result<(), LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let (Some(change), true) = (&remediation.change, remediation.state.is_in_place()) else {
            return Ok(());
        };
        let wants_impact = Target::has_impact(&remediation.target.key()) && remediation.impact.is_none();
        let wants_calls = cloudtrail && self.clock.now() < expires_at(&remediation, change);
        let wants_culprit = cloudtrail && culprit::is_wanted(&remediation);
        if !wants_impact && !wants_calls && !wants_culprit {
            return Ok(());
        }
        let session = match self.access.enter_for(&remediation, Purpose::Trace).await {
            Ok(session) => session,
            Err(refusal) => {
                tracing::warn!(remediation = id, "what it affects cannot be gathered: {refusal}");
                return Ok(());
            }
        };
        if wants_impact
            && let Some(impact) = self.impact_by(&session, &remediation.target, change.cutoff).await
        {
            for text in impact.warnings() {
                tracing::warn!(remediation = id, "{}: {text}", remediation.target.principal());
            }
            self.write(&remediation, Event::Impact(Box::new(impact))).await?;
        }
        if wants_culprit {
            self.raise_culprit(&remediation, &session).await?;
        }
        if wants_calls { self.look_for_key(&remediation, &session, change).await } else { Ok(()) }
    }

    /// The impact that a deny would have, for a person who is to approve it.
    ///
    /// # Errors
    /// When the account cannot be entered.
    pub async fn impact(
        &self,
        target: &Target,
        finding: &str,
        cutoff: Cutoff,
        scope: &CallScope,
    ) -> Result<Option<Impact>, Refusal> {
        if !Target::has_impact(&target.key()) {
            return Ok(None);
        }
        let session = self.access.open(target, finding, Purpose::Trace, scope).await?;
        Ok(self.impact_by(&session, target, cutoff).await)
    }

    async fn impact_by(&self, session: &MemberSession, target: &Target, cutoff: Cutoff) -> Option<Impact> {
        // Without them an account is not known to be inside.
        let accounts = self.reader.organization().unwrap_or_else(|error| {
            tracing::warn!(%error, "the organization's accounts cannot be read in the ledger");
            None
        });
        remedy::impact(session, target, cutoff, &self.regions(), accounts.as_ref()).await
    }

    /// Looks whether the stolen key was denied, and whether it still works.
    async fn look_for_key(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        change: &Change,
    ) -> Result<(), LedgerError> {
        let accepted = remediation.accepted_at().unwrap_or(remediation.opened_at);
        let regions = self.regions_with_global(&remediation.target);
        let mut read = Vec::new();
        // CloudTrail records no call that is made with an inactive long-term key.
        for key in self.keys(remediation)?.into_iter().filter(|key| key.starts_with("ASIA")) {
            match Calls::with_key(session, &key, regions.clone(), accepted).await {
                Ok(calls) => read.push((key, calls)),
                Err(error) => {
                    tracing::warn!(remediation = remediation.id, "CloudTrail cannot be read: {error}");
                    return Ok(());
                }
            }
        }
        let mut denied: Option<&TrailEvent> = None;
        for (key, calls) in &read {
            let conclusive = || {
                let later = |call: &&TrailEvent| call.is_conclusive() && call.time >= change.cutoff.time();
                calls.all.iter().filter(later)
            };
            if let Some(event) = conclusive().find(|event| !event.is_denied()) {
                return self.still_works(remediation, key, event).await;
            }
            // CloudTrail may deliver a call that succeeded earlier only after this one.
            let late_enough = |event: &&TrailEvent| session.aws_now().duration_since(event.time) >= LAG;
            if calls.is_complete_from(accepted) {
                denied = denied.or_else(|| conclusive().filter(late_enough).min_by_key(|e| e.time));
            }
        }
        let is_proved = remediation.rung() == Some(Rung::Enforced);
        let Some(event) = denied.filter(|_| !is_proved) else { return Ok(()) };
        let call = DeniedCall {
            source: "cloudtrail".to_owned(),
            access_key: event.access_key.clone().unwrap_or_default(),
            api: Some(event.event.clone()),
            error_code: event.error_code.clone().unwrap_or_default(),
            at: event.time,
            id: event.id.clone(),
        };
        let proof = Proof::enforced(call, session.aws_now());
        tracing::info!(remediation = remediation.id, "enforced: a call with the stolen key was denied");
        match self.write(remediation, Event::Proof(proof)).await {
            // A finding has proved it meanwhile.
            Err(LedgerError::Illegal(_)) => Ok(()),
            done => done,
        }
    }

    /// The stolen keys that the findings name, that of the finding that led to it first.
    fn keys(&self, remediation: &Remediation) -> Result<Vec<String>, LedgerError> {
        let mut keys: Vec<String> = Vec::new();
        for finding in
            std::iter::once(remediation.finding.clone()).chain(self.reader.attached(&remediation.id)?)
        {
            let key = finding.principal.and_then(|p| p.access_key_id);
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
        keys.truncate(MOST_KEYS);
        Ok(keys)
    }

    /// The stolen key made a call after the cutoff, and was not denied.
    async fn still_works(
        &self,
        remediation: &Remediation,
        key: &str,
        event: &TrailEvent,
    ) -> Result<(), LedgerError> {
        let text = format!(
            "the key {key} of {} still works: {} at {} from {}, after the cutoff",
            remediation.principal(),
            event.event,
            event.time.strftime("%Y-%m-%d %H:%M:%SZ"),
            event.source_ip.as_deref().unwrap_or("an unknown address"),
        );
        let what_to_do = "The deny is on the principal and does not deny this key. Look at its policies and boundary now, and \
             isolate what it can reach. (Calls that no policy can deny are not counted.)";
        let alert = Alert::about(AlertCode::StillWorks, remediation, text, what_to_do);
        self.alerts.raise_alert(alert).await
    }

    /// Raises who removed the deny, once CloudTrail has it.
    async fn raise_culprit(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
    ) -> Result<(), LedgerError> {
        let own = self.access.own_sessions(&remediation.target);
        let Some(who) = culprit::find(remediation, session, &own).await else { return Ok(()) };
        let text = format!("the deny on {} was taken away: {who}", remediation.principal());
        let what_to_do = "It was put back. If they are the thief, revoke them as well; if it is a tool that owns all inline policies, \
             teach it to leave RescindRevokeOlderSessions alone.";
        let alert = Alert::about(AlertCode::DenyRemovedBy, remediation, text, what_to_do);
        self.alerts.raise_alert(alert).await
    }

    /// What CloudTrail shows of who set the tag `key` of a remediation's principal since `since`.
    pub async fn tag_history(&self, remediation: &Remediation, key: &str, since: Timestamp) -> TagHistory {
        match self.access.enter_for(remediation, Purpose::Trace).await {
            Ok(session) => tagged::find(remediation, &session, key, since).await,
            Err(refusal) => TagHistory::Unread(format!("CloudTrail cannot be read: {refusal}")),
        }
    }

    async fn write(&self, remediation: &Remediation, event: Event) -> Result<(), LedgerError> {
        self.ledger.append(Draft { subject: remediation.subject(), event }).await.map(|_| ())
    }
}

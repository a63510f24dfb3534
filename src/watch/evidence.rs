//! What is gathered after a deny is in force: its impact, and what CloudTrail saw.

use super::culprit;
use super::recheck::expires_at;
use crate::alert::{Alert, Alerts};
use crate::aws::{AwsClock, Lookup, MemberSession, TrailEvent};
use crate::ident::Region;
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::remediation::{
    AlertCode, CallError, CallScope, Change, Cutoff, DeniedCall, Draft, Event, Impact, Proof, Refusal,
    Remediation, Rung, Target,
};
use crate::remedy::{self, MemberAccess, Purpose};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, PoisonError, RwLock};

/// Maximum number of regions that are asked concurrently: LookupEvents is limited for each region on its own.
const AT_ONCE: usize = 8;

/// Maximum number of keys of one remediation that are looked for.
const MOST_KEYS: usize = 3;

/// Time after which CloudTrail has a call: most within five minutes, all within about fifteen (CloudTrail
/// User Guide).
const LAG: SignedDuration = SignedDuration::from_mins(15);

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
        // The key of the finding that led to it first.
        let mut keys: Vec<String> = Vec::new();
        for finding in
            std::iter::once(remediation.finding.clone()).chain(self.reader.attached(&remediation.id)?)
        {
            // CloudTrail records no call that is made with an inactive long-term key.
            let key = finding.principal.and_then(|p| p.access_key_id).filter(|key| key.starts_with("ASIA"));
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
        keys.truncate(MOST_KEYS);
        let mut denied: Option<TrailEvent> = None;
        for key in &keys {
            let (events, is_all) = match self.events_of_key(session, &remediation.target, key, accepted).await
            {
                Ok(events) => events,
                // What is not known everywhere is not known.
                Err(error) => {
                    tracing::warn!(remediation = remediation.id, "CloudTrail cannot be read: {error}");
                    return Ok(());
                }
            };
            let conclusive = || events.iter().filter(|event| event.is_conclusive());
            if let Some(event) =
                conclusive().find(|event| !event.is_denied() && event.time >= change.cutoff.time())
            {
                return self.still_works(remediation, key, event).await;
            }
            // CloudTrail may deliver a call that succeeded earlier only after this one.
            let late_enough = |event: &&TrailEvent| {
                event.is_denied()
                    && event.time >= change.cutoff.time()
                    && session.aws_now().duration_since(event.time) >= LAG
            };
            if is_all {
                denied = denied.or_else(|| conclusive().filter(late_enough).min_by_key(|e| e.time).cloned());
            }
        }
        let is_proved = remediation.rung() == Some(Rung::Enforced);
        let Some(event) = denied.filter(|_| !is_proved) else { return Ok(()) };
        let call = DeniedCall {
            source: "cloudtrail".to_owned(),
            access_key: event.access_key.unwrap_or_default(),
            api: Some(event.event),
            error_code: event.error_code.unwrap_or_default(),
            at: event.time,
            id: event.id,
        };
        let proof = Proof::enforced(call, session.aws_now());
        tracing::info!(remediation = remediation.id, "enforced: a call with the stolen key was denied");
        match self.write(remediation, Event::Proof(proof)).await {
            // A finding has proved it meanwhile.
            Err(LedgerError::Illegal(_)) => Ok(()),
            done => done,
        }
    }

    /// All calls with a key since a time, in all regions; and whether it is all of them.
    async fn events_of_key(
        &self,
        session: &MemberSession,
        target: &Target,
        key: &str,
        since: Timestamp,
    ) -> Result<(Vec<TrailEvent>, bool), CallError> {
        let regions = futures::stream::iter(self.regions_with_global(target));
        let each = regions.map(async |region| session.events(&region, Lookup::AccessKey(key), since).await);
        // To their end also when one fails: the calls are recorded with what came of them.
        let pages: Vec<_> = each.buffer_unordered(AT_ONCE).collect().await;
        let pages: Vec<_> = pages.into_iter().collect::<Result<_, _>>()?;
        let is_all = pages.iter().all(|page| !page.cut_short && page.unreadable == 0);
        let events = pages.into_iter().flat_map(|page| page.items).filter(|event| event.time >= since);
        Ok((events.collect(), is_all))
    }

    /// The stolen key made a call after the cutoff, and was not denied.
    async fn still_works(
        &self,
        remediation: &Remediation,
        key: &str,
        event: &TrailEvent,
    ) -> Result<(), LedgerError> {
        let target = &remediation.target;
        let text = format!(
            "the key {key} of {} in {} still works: {} at {} from {}, after the cutoff ({})",
            target.principal(),
            target.account,
            event.event,
            event.time.strftime("%Y-%m-%d %H:%M:%SZ"),
            event.source_ip.as_deref().unwrap_or("an unknown address"),
            remediation.id
        );
        let what_to_do = "The deny is on the principal and does not deny this key. Look at its policies and boundary now, and \
             isolate what it can reach. (Calls that no policy can deny are not counted.)";
        let alert = Alert::new(AlertCode::StillWorks, remediation.subject(), text, what_to_do);
        self.alerts.raise_alert(alert).await
    }

    /// Raises who removed the deny, once CloudTrail has it.
    async fn raise_culprit(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
    ) -> Result<(), LedgerError> {
        let target = &remediation.target;
        let own = self.access.own_sessions(target);
        let Some(who) = culprit::find(remediation, session, &own).await else { return Ok(()) };
        let text = format!(
            "the deny on {} in {} was taken away: {who} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "It was put back. If they are the thief, revoke them as well; if it is a tool that owns all inline policies, \
             teach it to leave RescindRevokeOlderSessions alone.";
        let alert = Alert::new(AlertCode::DenyRemovedBy, remediation.subject(), text, what_to_do);
        self.alerts.raise_alert(alert).await
    }

    async fn write(&self, remediation: &Remediation, event: Event) -> Result<(), LedgerError> {
        self.ledger.append(Draft { subject: remediation.subject(), event }).await.map(|_| ())
    }
}

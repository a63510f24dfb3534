//! What is gathered after a deny is in force: whom it concerns, and what CloudTrail saw.

use super::Reconciler;
use crate::alert::Alert;
use crate::aws::{Lookup, MemberSession, TrailEvent};
use crate::ident::Region;
use crate::ledger::LedgerError;
use crate::remediation::{
    AlertCode, CallError, Change, DeniedCall, Event, Impact, POLICY_NAME, Proof, Remediation, Rung, Who,
};
use crate::remedy::{Purpose, gather_impact};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use std::sync::PoisonError;

/// So many regions are asked at once: LookupEvents is limited for each region on its own.
const AT_ONCE: usize = 8;

/// A stolen key is looked for so long after the deny, at most: then it is used no more, or not seen.
const LOOKED_FOR: SignedDuration = SignedDuration::from_hours(13);

/// So many keys of one remediation are looked for.
const MOST_KEYS: usize = 3;

/// CloudTrail has most calls within five minutes, and all within about fifteen (CloudTrail User Guide).
const LAG: SignedDuration = SignedDuration::from_mins(15);

/// So long after a deny was found gone it is looked for who did it.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_hours(2);

/// So far back somebody is looked for who took a deny away.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24);

/// The operations with which a deny or a deactivated key is undone.
const UNDOES_ROLE: [&str; 3] = ["DeleteRolePolicy", "PutRolePolicy", "DeleteRole"];
const UNDOES_USER: [&str; 3] = ["DeleteUserPolicy", "PutUserPolicy", "UpdateAccessKey"];

impl Reconciler {
    /// These regions are looked at, for instances and for calls with a stolen key.
    pub fn use_regions(&self, regions: Vec<Region>) {
        *self.regions.write().unwrap_or_else(PoisonError::into_inner) = regions;
    }

    fn regions(&self) -> Vec<Region> {
        self.regions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gathers whom a deny concerns, once; and looks for what the stolen key was used for since.
    pub(super) async fn watch_traces(&self, id: &str) -> Result<(), LedgerError> {
        let remediation = self.reader.remediation(id)?;
        let (Some(change), true) = (&remediation.change, remediation.state.is_in_place()) else {
            return Ok(());
        };
        let is_of_role = matches!(remediation.target.who, Who::Role { .. });
        let wants_impact = is_of_role && remediation.impact.is_none();
        let accepted = remediation.accepted_at().unwrap_or(remediation.opened_at);
        let is_of_late = self.now().duration_since(accepted) < LOOKED_FOR;
        let cloudtrail = self.policy().cloudtrail;
        let wants_trail = cloudtrail && is_of_late;
        let lost_at = remediation.lost_at().filter(|at| Timestamp::now().duration_since(*at) < TOLD_WITHIN);
        let wants_culprit = cloudtrail && lost_at.is_some_and(|at| remediation.culprit_told_at < Some(at));
        if !wants_impact && !wants_trail && !wants_culprit {
            return Ok(());
        }
        let session = match self.access.open_for(&remediation, Purpose::Trace).await {
            Ok(session) => session,
            Err(refusal) => {
                tracing::warn!(remediation = id, "what it concerns cannot be gathered: {refusal}");
                return Ok(());
            }
        };
        if let (true, Who::Role { role, .. }) = (wants_impact, &remediation.target.who) {
            let impact: Impact = gather_impact(&session, role, change.cutoff, &self.regions()).await;
            if let Some(text) = impact.can_take_away() {
                tracing::warn!(remediation = id, "{}: {text}", remediation.target.principal());
            }
            self.write(&remediation, Event::Impact(Box::new(impact))).await?;
        }
        if wants_culprit {
            self.tell_who_did_it(&remediation, &session).await?;
        }
        if wants_trail { self.look_for_key(&remediation, &session, change).await } else { Ok(()) }
    }

    /// What a person asks for before they approve: whom it would concern.
    ///
    /// # Errors
    /// When the account cannot be entered.
    pub async fn impact(
        &self,
        target: &crate::remediation::Target,
        finding: &str,
        cutoff: crate::remediation::Cutoff,
        scope: &crate::remediation::CallScope,
    ) -> Result<Option<Impact>, crate::remediation::Refusal> {
        let Who::Role { role, .. } = &target.who else { return Ok(None) };
        let session = self.access.open(target, finding, Purpose::Trace, scope).await?;
        Ok(Some(gather_impact(&session, role, cutoff, &self.regions()).await))
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
            // An inactive long-term key gets no answer that CloudTrail would tell of.
            let key = finding.principal.and_then(|p| p.access_key_id).filter(|key| key.starts_with("ASIA"));
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
        keys.truncate(MOST_KEYS);
        let mut denied: Option<TrailEvent> = None;
        for key in &keys {
            let (events, is_all) = match self.events_of_key(session, key, accepted).await {
                Ok(events) => events,
                // What is not known everywhere is not known.
                Err(error) => {
                    tracing::warn!(remediation = remediation.id, "CloudTrail cannot be read: {error}");
                    return Ok(());
                }
            };
            let telling = || events.iter().filter(|event| event.is_telling());
            if let Some(event) =
                telling().find(|event| !event.is_denied() && event.time >= change.cutoff.time())
            {
                return self.still_works(remediation, key, event).await;
            }
            // What succeeded before it may be told later than it.
            let late_enough = |event: &&TrailEvent| {
                event.is_denied()
                    && event.time >= change.cutoff.time()
                    && session.aws_now().duration_since(event.time) >= LAG
            };
            if is_all {
                denied = denied.or_else(|| telling().filter(late_enough).min_by_key(|e| e.time).cloned());
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
        key: &str,
        since: Timestamp,
    ) -> Result<(Vec<TrailEvent>, bool), CallError> {
        let regions = futures::stream::iter(self.regions_with_global());
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
        self.alerts
            .raise_alert(Alert::new(AlertCode::StillWorks, remediation.subject(), text, what_to_do))
            .await
    }

    /// Who took the deny away is told once CloudTrail tells it.
    async fn tell_who_did_it(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
    ) -> Result<(), LedgerError> {
        let Some(who) = self.who_did_it(remediation, session).await else { return Ok(()) };
        let target = &remediation.target;
        let text = format!(
            "the deny on {} in {} was taken away: {who} ({})",
            target.principal(),
            target.account,
            remediation.id
        );
        let what_to_do = "It was put back. If they are the thief, revoke them as well; if it is a tool that owns all inline policies, \
             teach it to leave RescindRevokeOlderSessions alone.";
        self.alerts
            .raise_alert(Alert::new(AlertCode::DenyRemovedBy, remediation.subject(), text, what_to_do))
            .await
    }

    async fn who_did_it(&self, remediation: &Remediation, session: &MemberSession) -> Option<String> {
        let accepted = remediation.opened_at;
        let back = Timestamp::now().saturating_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
        let region = remediation.target.partition.main_region().parse().ok()?;
        let operations =
            if matches!(remediation.target.who, Who::User { .. }) { UNDOES_USER } else { UNDOES_ROLE };
        let mut found: Vec<TrailEvent> = Vec::new();
        for operation in operations {
            let since = accepted.max(back);
            let listed = session.events(&region, Lookup::EventName(operation), since).await.ok()?;
            found.extend(listed.items.into_iter().filter(|event| {
                is_about(event, remediation, &self.access.own_sessions(&remediation.target))
            }));
        }
        let event = found.into_iter().max_by_key(|event| event.time)?;
        let who = event.who.as_deref().unwrap_or("somebody whom CloudTrail does not name");
        let from = event.source_ip.as_deref().unwrap_or("an unknown address");
        let at = event.time.strftime("%Y-%m-%d %H:%M:%SZ");
        Some(format!("{} by {who} from {from} at {at}", event.event))
    }

    /// The regions, and the one in which IAM's own calls are seen.
    fn regions_with_global(&self) -> Vec<Region> {
        let mut regions = self.regions();
        let global = self.policy().partition.main_region().parse().ok();
        if let Some(global) = global.filter(|global| !regions.contains(global)) {
            regions.push(global);
        }
        regions
    }
}

/// A call of somebody else that changed this very policy or key.
fn is_about(event: &TrailEvent, remediation: &Remediation, own: &str) -> bool {
    let by_us = event.who.as_deref().is_some_and(|who| who.starts_with(own));
    let same = |there: &Option<String>, name: &str| {
        there.as_deref().is_some_and(|there| there.eq_ignore_ascii_case(name))
    };
    let of_principal = match &remediation.target.who {
        Who::Role { role, .. } => same(&event.role, role.as_str()),
        Who::User { user, .. } => same(&event.user, user.as_str()),
        Who::Beyond { .. } => false,
    };
    let of_policy = event.policy.is_none() || event.policy.as_deref() == Some(POLICY_NAME);
    event.error_code.is_none() && !by_us && of_principal && of_policy
}

//! One remediation, from its decision to its proof; also from wherever a crash left it.

use super::held::changed_since;
use super::{Question, Reconciler, lane};
use crate::alert;
use crate::aws::MemberSession;
use crate::config::Mode;
use crate::ledger::{Append, LedgerError};
use crate::remediation::{
    Change, Cutoff, Disposition, Draft, Event, Refusal, Refused, Remediation, State, Target, Verified,
};
use crate::remedy::{self, Ask, Expected, Purpose};
use crate::triage::{NO_ROOM, SkipReason, Stage, Verdict, WORLD_CHANGED};
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

/// How often a change is made in one go, when it is not kept or loses its margin.
const TRIES: usize = 3;

/// With less than this between AWS's now and the cutoff, tokens that are issued while the change
/// spreads might slip through.
const LEAST_MARGIN: SignedDuration = SignedDuration::from_secs(20);

impl Reconciler {
    /// Brings a remediation as far as it goes. What it does follows from its state alone, so a
    /// remediation that was interrupted goes on where the ledger says it stands.
    pub(super) async fn carry_out(&self, id: &str) -> Result<(), LedgerError> {
        let span = tracing::info_span!("remediation", remediation = id);
        let remediation = self.reader.remediation(id)?;
        let lane = lane(&remediation.target.account, &remediation.target.key());
        let done = self.go_on(&remediation).instrument(span).await;
        match self.reader.state(id)? {
            State::Held => self.retries.done(id),
            state if state.is_open() => {
                let blocked = state == State::Blocked;
                let why = if blocked { "blocked" } else { "transient" };
                metrics::counter!("rescind_retries_total", "why" => why).increment(1);
                self.retries.failed(id, &lane, blocked);
            }
            _ => self.retries.done(id),
        }
        done
    }

    async fn go_on(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        match remediation.state {
            State::Revoked
            | State::Unverified
            | State::Failed
            | State::Rejected
            | State::Superseded
            | State::DoneByHand
            | State::Released
            | State::Expired
            | State::Retired => Ok(()),
            State::Releasing | State::Retiring => self.take_back(remediation).await,
            State::Held => self.wait_for_person(remediation).await,
            State::Queued | State::Approved | State::Retrying | State::Blocked | State::Lost => {
                self.start(remediation).await
            }
            State::Revoking => self.settle(remediation).await,
            State::Verifying => self.check(remediation).await,
        }
    }

    /// Nothing has been changed yet.
    async fn start(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        if !self.may_begin(remediation).await? {
            return Ok(());
        }
        self.queue.step_forward().await;
        match self.access.open_for(remediation, Purpose::Revoke).await {
            Ok(session) => self.change(remediation, &session).await,
            Err(refusal) => self.refuse(remediation, &refusal).await,
        }
    }

    /// A person's approval makes it as fresh as the activity did.
    fn is_too_old(&self, remediation: &Remediation) -> bool {
        let fresh = remediation.last_seen.max(remediation.approved_at().unwrap_or(Timestamp::MIN));
        self.now().duration_since(fresh) > self.policy().max_finding_age
    }

    /// Whether the change may be begun, now: what was decided must still hold, an opt-out may have
    /// come since. What is too old is given up; what now needs a person is held.
    async fn may_begin(&self, remediation: &Remediation) -> Result<bool, LedgerError> {
        // What is put back was judged when it was done.
        if !remediation.is_put_back() && self.is_too_old(remediation) && self.policy().mode <= Mode::Approve {
            let refused = Refused {
                code: "too_old".to_owned(),
                reason: "the credentials were last seen longer ago than max_finding_age".to_owned(),
                what_to_do: "Judge whether it still matters. If it does, set a longer max_finding_age and hand the finding to `rescind handle`.".to_owned(),
                disposition: Disposition::Final,
            };
            self.write(remediation, Event::Refused(refused)).await?;
            return Ok(false);
        }
        let state = self.reader.state(&remediation.id)?;
        let to_begin = state.is_to_begin() || state == State::Lost;
        // What a person approved is done, whatever the ledger remembers: the deny may be gone by now.
        // What was in force is put back for itself: the other one may be released.
        let stays = remediation.approved_at().is_some() || remediation.is_put_back();
        let by = if stays { None } else { self.superseded_by(remediation)? };
        if let (true, Some(by)) = (to_begin, by) {
            self.write(remediation, Event::Superseded { by }).await?;
            return Ok(false);
        }
        let approved = remediation.approved_at();
        let judged = approved.or_else(|| remediation.is_put_back().then(Timestamp::now));
        let verdict = self.verdict(remediation, judged.map_or(Stage::Begin, Stage::Approved)).await?;
        match &verdict {
            Verdict::Remediate { .. } => return Ok(true),
            _ if !to_begin => {}
            Verdict::Hold { .. } => {
                self.give_back(remediation, verdict.code(), verdict.to_string(), None).await?;
            }
            _ if approved.is_some() => {
                self.give_back(remediation, verdict.code(), verdict.to_string(), None).await?;
            }
            _ => self.forbidden(remediation, &verdict).await?,
        }
        tracing::warn!(remediation = remediation.id, "left as it is: {verdict}");
        Ok(false)
    }

    /// What would be decided now about a remediation: about its finding, and about those that were
    /// attached to it. One that may be acted on is enough.
    pub(super) async fn verdict(
        &self,
        remediation: &Remediation,
        stage: Stage,
    ) -> Result<Verdict, LedgerError> {
        let mut own = remediation.finding.clone();
        own.evidence.last_seen = Some(remediation.last_seen);
        let mut first = None;
        for finding in std::iter::once(own).chain(self.reader.attached(&remediation.id)?) {
            let finding = super::place::named_as(finding, &remediation.target);
            let question = Question {
                finding: &finding,
                organization: &self.organization(),
                history: &[],
                before_watch: None,
                stage,
            };
            let verdict = self.decide(question).await?.verdict;
            if matches!(verdict, Verdict::Remediate { .. }) {
                return Ok(verdict);
            }
            first.get_or_insert(verdict);
        }
        // There is always the finding that led to it.
        Ok(first.unwrap_or(Verdict::Skip(SkipReason::NoPrincipal)))
    }

    /// What was decided may not be done any more: recorded once.
    async fn forbidden(&self, remediation: &Remediation, verdict: &Verdict) -> Result<(), LedgerError> {
        let refused = Refused {
            code: verdict.code().to_owned(),
            reason: verdict.to_string(),
            what_to_do: "Nothing, if this is as it should be. Otherwise take away what forbids it: it is tried again at each start, at new activity and every hour.".to_owned(),
            disposition: Disposition::Blocked,
        };
        if remediation.refused() == Some(&refused) && remediation.state == State::Blocked {
            return Ok(());
        }
        self.write(remediation, Event::Refused(refused)).await
    }

    /// The critical path: the reads side by side, the durable intent, the change; then the look
    /// whether it is there. What is not kept, or came so late that its cutoff lost its margin, is
    /// done again, a few times.
    async fn change(&self, remediation: &Remediation, session: &MemberSession) -> Result<(), LedgerError> {
        let mut missing = None;
        let mut asked = Asked::of(remediation);
        for round in 0..TRIES {
            let (found, roles) = futures::join!(
                remedy::inspect(session, &remediation.target),
                self.count_roles(remediation, session, round)
            );
            let found = match found {
                Ok(found) => found,
                Err(refusal) => return self.refuse(remediation, &refusal).await,
            };
            // Only before the first change: what is there afterwards is ours, or somebody fights it.
            if let Some(why) = changed_since(remediation, &found).filter(|_| round == 0) {
                return self.give_back(remediation, WORLD_CHANGED, why, None).await;
            }
            if let Some(pattern) = self.policy().protects(&found.arn) {
                let refusal = Refusal::Protected { arn: found.arn.clone(), pattern: pattern.to_string() };
                return self.refuse(remediation, &refusal).await;
            }
            // What was said while AWS was waited for counts as well.
            if round == 0
                && !(self.may_begin(remediation).await?
                    && self.within_budget(remediation, session, roles).await?)
            {
                return Ok(());
            }
            let expected = self.expected(&remediation.target, &found.id)?;
            let change = remedy::plan(&remediation.target, &found, &asked.at(session.aws_now(), &expected));
            let is_foreign = expected.is_foreign(found.document.as_deref(), session.aws_now());
            let intent =
                Draft { subject: remediation.subject(), event: Event::Intent { change: change.clone() } };
            // Afterwards it is somebody who fights it, which is told as such.
            let alert =
                (is_foreign && round == 0).then(|| alert::foreign_policy(remediation, &change)).flatten();
            let alert = alert.and_then(|alert| self.alerts.draft(alert));
            let entries = std::iter::once(intent).chain(alert).collect();
            self.ledger.append(Append { entries, ..Append::default() }).await?;
            asked.earlier.push(change.clone());
            match remedy::apply(session, &remediation.target, &change).await {
                Ok(()) => {
                    let aws_time = Some(session.aws_now());
                    self.write(remediation, Event::Accepted { found_in_place: false, aws_time }).await?;
                    let took = Timestamp::now().duration_since(remediation.seen_at).as_secs_f64();
                    metrics::histogram!("rescind_seen_to_deny_seconds").record(took.max(0.0));
                }
                // No answer is not a no: the change may have been made.
                Err(Refusal::Unavailable(error)) => {
                    self.write(remediation, Event::Uncertain { error: error.to_string() }).await?;
                    match self.look(session, remediation, &change).await? {
                        Some(true) => {}
                        Some(false) => return self.refuse(remediation, &Refusal::Unavailable(error)).await,
                        None => return Ok(()),
                    }
                }
                // One session's deny has no room: if the rule allows it, all sessions'.
                Err(Refusal::Quota(error)) if change.session.is_some() => {
                    let found = format!("there is no room for one more session: {error}");
                    self.write(remediation, Event::NotApplied { found: found.clone() }).await?;
                    if remediation.target.session().is_some_and(|one| one.may_widen) {
                        asked.widen = true;
                        missing = Some(found);
                        continue;
                    }
                    let why = "the role's policies have no room for one more session: approved, all sessions of the role are revoked";
                    return self.give_back(remediation, NO_ROOM, why.to_owned(), None).await;
                }
                Err(refusal) => return self.refuse(remediation, &refusal).await,
            }
            let margin_left = change.cutoff.time().duration_since(session.aws_now());
            if margin_left < LEAST_MARGIN && asked.keep.is_none() {
                tracing::warn!(
                    remediation = remediation.id,
                    "the change took long: the cutoff is moved forward"
                );
                missing = None;
                continue;
            }
            self.queue.step_back().await;
            missing = self.verify(remediation, session, &change).await?;
            if missing.is_none() {
                return Ok(());
            }
        }
        match missing {
            Some(found) => self.refuse(remediation, &Refusal::NotKept(found)).await,
            // Accepted, with little margin each time: made again at the next poll.
            None => Ok(()),
        }
    }

    /// An intent without an outcome: look what is there, then record or do it again.
    async fn settle(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let change = change_of(remediation)?;
        self.queue.step_forward().await;
        let session = match self.access.open_for(remediation, Purpose::Revoke).await {
            Ok(session) => session,
            Err(refusal) => return self.unlooked(remediation, &refusal).await,
        };
        match self.look(&session, remediation, change).await? {
            Some(true) => self.check_with(remediation, &session, change).await,
            Some(false) => {
                let found = "another document, or none".to_owned();
                self.write(remediation, Event::NotApplied { found }).await?;
                if self.may_begin(remediation).await? {
                    self.change(remediation, &session).await
                } else {
                    Ok(())
                }
            }
            None => Ok(()),
        }
    }

    /// Accepted, not verified.
    async fn check(&self, remediation: &Remediation) -> Result<(), LedgerError> {
        let change = change_of(remediation)?;
        match self.access.open_for(remediation, Purpose::Revoke).await {
            Ok(session) => self.check_with(remediation, &session, change).await,
            Err(refusal) => self.unlooked(remediation, &refusal).await,
        }
    }

    /// Verifies what was accepted before; makes it again when it is not kept, or when it came so late
    /// that its cutoff had lost its margin.
    async fn check_with(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        change: &Change,
    ) -> Result<(), LedgerError> {
        let accepted =
            self.reader.remediation(&remediation.id)?.accepted_at().unwrap_or_else(|| session.aws_now());
        let late = !remediation.is_put_back() && change.cutoff.time().duration_since(accepted) < LEAST_MARGIN;
        if late && !self.is_too_old(remediation) && self.may_begin(remediation).await? {
            tracing::warn!(remediation = remediation.id, "accepted late: the cutoff is moved forward");
            return self.change(remediation, session).await;
        }
        if self.verify(remediation, session, change).await?.is_some() && self.may_begin(remediation).await? {
            self.change(remediation, session).await?;
        }
        Ok(())
    }

    /// Whether the change is in place: yes (and recorded as accepted), no, or not known (and
    /// recorded as uncertain).
    async fn look(
        &self,
        session: &MemberSession,
        remediation: &Remediation,
        change: &Change,
    ) -> Result<Option<bool>, LedgerError> {
        match remedy::inspect(session, &remediation.target).await {
            Ok(found)
                if change.is_in_force(&found, self.expected(&remediation.target, &change.id)?.at_most()) =>
            {
                let aws_time = Some(session.aws_now());
                self.write(remediation, Event::Accepted { found_in_place: true, aws_time }).await?;
                Ok(Some(true))
            }
            Ok(_) | Err(Refusal::Gone(_) | Refusal::Recreated { .. }) => Ok(Some(false)),
            Err(refusal) => self.unlooked(remediation, &refusal).await.map(|()| None),
        }
    }

    /// It could not be looked at: the state stays as it is, and it is looked at again.
    async fn unlooked(&self, remediation: &Remediation, refusal: &Refusal) -> Result<(), LedgerError> {
        let to_do = refusal.what_to_do(&self.access.role_arn(&remediation.target));
        tracing::error!(remediation = remediation.id, to_do, "not known whether it is revoked: {refusal}");
        let error = format!("not known whether it is in place: {refusal}. {to_do}");
        // The calls are recorded each time; the reason once.
        if self.reader.remediation(&remediation.id)?.uncertain.as_ref() == Some(&error) {
            return Ok(());
        }
        self.write(remediation, Event::Uncertain { error }).await
    }

    /// Records how far the change is proved; gives what is there instead when it is not there.
    async fn verify(
        &self,
        remediation: &Remediation,
        session: &MemberSession,
        change: &Change,
    ) -> Result<Option<String>, LedgerError> {
        let expected = self.expected(&remediation.target, &change.id)?;
        match remedy::verify(session, &remediation.target, change, expected.at_most()).await {
            Verified::Proved(proof) => {
                metrics::counter!("rescind_proofs_total", "rung" => proof.rung.to_string()).increment(1);
                let note = proof.note.as_deref();
                let still_allowed = proof.is_contradicted();
                if !still_allowed {
                    tracing::info!(remediation = remediation.id, rung = %proof.rung, note, "revoked, cutoff {}", change.cutoff);
                }
                self.write(remediation, Event::Proof(*proof)).await?;
                if still_allowed {
                    self.alerts.raise_alert(alert::still_allowed(remediation)).await?;
                }
                Ok(None)
            }
            Verified::Missing(found) => {
                tracing::error!(remediation = remediation.id, found, "accepted by AWS, and NOT in place");
                let event = Event::NotApplied { found: found.clone() };
                let not_kept = Draft { subject: remediation.subject(), event };
                let alert =
                    alert::deny_not_kept(remediation, &found, &self.access.role_arn(&remediation.target));
                let entries = std::iter::once(not_kept).chain(self.alerts.draft(alert)).collect();
                self.ledger.append(Append { entries, ..Append::default() }).await?;
                Ok(Some(found))
            }
            Verified::Unread(error) => {
                tracing::error!(
                    remediation = remediation.id,
                    error,
                    "accepted by AWS, and not seen in place yet"
                );
                self.write(remediation, Event::Uncertain { error }).await?;
                Ok(None)
            }
        }
    }

    pub(super) async fn refuse(
        &self,
        remediation: &Remediation,
        refusal: &Refusal,
    ) -> Result<(), LedgerError> {
        let refused = Refused::new(refusal, &self.access.role_arn(&remediation.target));
        tracing::error!(
            remediation = remediation.id, account = %remediation.target.account, principal = remediation.target.name(),
            code = refused.code, to_do = refused.what_to_do, "NOT revoked: {refusal}"
        );
        let for_good = refused.disposition == Disposition::Final;
        self.write(remediation, Event::Refused(refused)).await?;
        if for_good {
            // What belonged to it is on its own again: it may be about another role of that name.
            for finding in self.reader.attached(&remediation.id)? {
                Box::pin(self.handle(&finding, true, None, None)).await?;
            }
        }
        Ok(())
    }

    /// What should be under our name at the principal with this unique id.
    pub(super) fn expected(&self, target: &Target, id: &str) -> Result<Expected, LedgerError> {
        Ok(Expected::after(&self.reader.past(&target.account, &target.key(), id)?))
    }

    pub(super) async fn write(&self, remediation: &Remediation, event: Event) -> Result<(), LedgerError> {
        self.ledger.append(Draft { subject: remediation.subject(), event }).await.map(|_| ())
    }
}

/// What a plan is asked for, beside the time.
struct Asked {
    keep: Option<Cutoff>,
    widen: bool,
    earlier: Vec<Change>,
}

impl Asked {
    fn of(remediation: &Remediation) -> Self {
        let keep =
            remediation.change.as_ref().filter(|_| remediation.is_put_back()).map(|change| change.cutoff);
        let no_room = remediation.held_why().is_some_and(|(code, _)| code == NO_ROOM);
        // What was widened stays so.
        let was_widened = remediation.change.as_ref().is_some_and(|change| change.session.is_none());
        let widen = remediation.target.session().is_some()
            && (was_widened || no_room && remediation.approved_at().is_some());
        let earlier = remediation.history.changes.iter().map(|made| made.change.clone()).collect();
        Self { keep, widen, earlier }
    }

    fn at<'a>(&'a self, aws_now: Timestamp, expected: &'a Expected) -> Ask<'a> {
        Ask { aws_now, keep: self.keep, widen: self.widen, earlier: &self.earlier, expected }
    }
}

/// The change that a remediation has begun.
pub(super) fn change_of(remediation: &Remediation) -> Result<&Change, LedgerError> {
    // The state machine allows these states only after an intent.
    remediation.change.as_ref().ok_or_else(|| LedgerError::Foreign {
        path: "ledger".to_owned(),
        why: format!("{} is {}, but has no intent", remediation.id, remediation.state),
    })
}

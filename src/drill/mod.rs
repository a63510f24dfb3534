//! Fire drills: a theft from beginning to end, with a throw-away role, on the real AWS.
//!
//! A session of the role is opened and treated as stolen: a finding about it is handed in, and the reconciler handles it
//! in enforce mode as the service would, for that role alone: decision, deny, proof. Then the "stolen" session calls AWS until it is denied, which measures how long AWS takes. A session that begins after the cutoff must
//! work, and after the release the old one must work again.
//!
//! A drill has a ledger of its own, so that it can run beside the service, uses no budget and appears in no report.
//! Its result is an entry of the main ledger.

mod earlier;
mod error;
mod finding;
mod setup;
mod steps;
mod thief;

pub use earlier::unfinished;
pub use error::DrillError;
pub use setup::Drill;

use crate::finding::decode;
use crate::ingest::Seen;
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::{DrillStep, Drilled, Entry, Event, Origin, Proof, Rung, State};
use crate::service::{Purpose, Service};
use jiff::Timestamp;
use std::time::Duration;
use steps::Steps;
use thief::Thief;
use tokio_util::sync::CancellationToken;

/// Timeout of the deny reaching the session. AWS spreads a policy within seconds, in the worst case within
/// minutes (IAM User Guide, "Changes that I make are not always immediately visible").
const SPREAD: Duration = Duration::from_mins(5);

/// Timeout of waiting for the cutoff, which lies half a minute ahead.
const CUTOFF: Duration = Duration::from_mins(2);

impl Drill<'_> {
    /// Runs the drill. `report` receives each step as soon as its result is known. Whatever goes wrong, the changes
    /// are undone as far as possible.
    ///
    /// # Errors
    /// When it cannot be begun, or its ledger fails.
    pub async fn hold(
        &self,
        stop: &CancellationToken,
        report: &mut dyn FnMut(&DrillStep),
    ) -> Result<Drilled, DrillError> {
        let partition = self.hub.identity().partition;
        let arn = partition.role_arn(&self.account, &self.role.path_and_name());
        let mut steps = Steps { report, all: Vec::new() };
        let had_left = Box::pin(self.finish_earlier(stop, &mut steps)).await?;
        let thief = Thief::enter(self.hub, self.config, &self.account, &arn, &self.role.name).await?;
        if had_left {
            let _ = thief.until(SPREAD, stop, |answer| answer == thief::Answer::Allowed).await;
        }
        let facts = thief.look().await.map_err(|error| {
            DrillError::Asked(format!(
                "the role {arn} may not look at itself, which is what a drill tries: {error}\n`rescind policies print drill-role` prints its permissions. If a deny of rescind's is on it that nothing needs: {}",
                self.by_hand()
            ))
        })?;
        self.nobody_elses(&facts).await?;
        let config = self.config_with(&self.ledger_at(Timestamp::now())?);
        let path = config.ledger.clone();
        steps.take("stolen", true, None, format!("a session of {arn}; its call is allowed"));
        // Who asks to stop does not want to wait: what was begun is still taken back.
        let never = CancellationToken::new();
        let service =
            Service::start(config.for_one_run(), "drill", Purpose::Act { backlog: true }, never).await?;
        let begun = Timestamp::now();
        let id = self.theft(&service, &thief, &facts.id, begun, stop, &mut steps).await;
        // Also after a failure, and when somebody has asked to stop.
        let released = match &id {
            Ok(Some(id)) => self.release(&service, &thief, id, begun, stop, &mut steps).await,
            Ok(None) => Ok(()),
            // Its ledger may be what failed: then it is said what may be left.
            Err(_) => {
                if let Err(error) = self.release_all(&service, &thief, begun, stop, &mut steps).await {
                    let note = format!("the deny may be left on the role ({error}): {}", self.by_hand());
                    steps.take("released", false, None, note);
                }
                Ok(())
            }
        };
        let stopped = service.stop("drilled").await;
        let id = id?;
        released?;
        stopped?;
        let checkpoint = Reader::open(&path)?.latest_checkpoint()?.map(|(_, note)| note);
        Ok(Drilled {
            account: self.account.clone(),
            role: self.role.path_and_name(),
            passed: steps.all_passed(),
            remediation: id,
            steps: steps.all,
            ledger: path.display().to_string(),
            checkpoint,
            os_user: self.os_user.clone(),
        })
    }

    /// The theft, the deny, and what both sessions are answered. Gives the remediation, if there is one.
    async fn theft(
        &self,
        service: &Service,
        thief: &Thief<'_>,
        role_id: &crate::ident::RoleId,
        begun: Timestamp,
        stop: &CancellationToken,
        steps: &mut Steps<'_>,
    ) -> Result<Option<String>, DrillError> {
        let finding = finding::of(&self.account, self.config.home_region(), &self.role.name, role_id, thief);
        let findings = decode(finding.to_string().as_bytes());
        service.handed_in().take_in(&Origin::Drill, findings, &mut Seen::default()).await?;
        service.drained().await?;
        let decided = service.reader().decisions()?.pop().and_then(|decided| decided.decision);
        let Some((entry, id)) =
            decided.and_then(|entry| Some((entry.clone(), entry.takes_care()?.to_owned())))
        else {
            steps.take("decided", false, None, "nothing was decided to be done".to_owned());
            return Ok(None);
        };
        steps.take("decided", true, after(begun, entry.time), "to revoke".to_owned());
        let entries = service.reader().entries_of(&id)?;
        let at = |is_it: &dyn Fn(&Event) -> bool| {
            entries.iter().find(|entry| is_it(&entry.event)).map(|entry| entry.time)
        };
        let accepted = at(&|event| matches!(event, Event::Accepted { .. }));
        steps.take(
            "accepted",
            accepted.is_some(),
            accepted.and_then(|time| after(begun, time)),
            refusal(&entries),
        );
        let Some(accepted) = accepted else { return Ok(Some(id)) };
        for (name, rung) in [("present", Rung::Present), ("simulated", Rung::Simulated)] {
            let is_it = |entry: &&Entry| matches!(&entry.event, Event::Proof(proof) if proof.rung >= rung);
            let proved = entries.iter().find(is_it).map(|entry| self.seen_at(entry));
            let note = if proved.is_some() { String::new() } else { last_proof(&entries) };
            steps.take(name, proved.is_some(), proved.and_then(|time| after(begun, time)), note);
        }
        match thief.until(SPREAD, stop, |answer| answer == thief::Answer::Denied).await {
            Ok(tries) => {
                let now = Timestamp::now();
                let spread = now.duration_since(accepted).as_secs_f64();
                let note = format!(
                    "the stolen session is denied, {spread:.1} s after AWS accepted it ({})",
                    counted(tries, "call")
                );
                steps.take("enforced", true, after(begun, now), note);
            }
            Err(why) => steps.take("enforced", false, None, why.to_string()),
        }
        let cutoff = service.reader().remediation(&id)?.change.map(|change| change.cutoff);
        let spared = match cutoff {
            Some(cutoff) => thief.another_after(cutoff.time(), CUTOFF, stop).await,
            None => Err(thief::NotSeen::NoCutoff),
        };
        let (passed, note) = match spared {
            Ok(()) => (true, "a session that begins after the cutoff works".to_owned()),
            Err(why) => (false, why.to_string()),
        };
        steps.take("spared", passed, after(begun, Timestamp::now()), note);
        Ok(Some(id))
    }

    /// When the event of an entry was seen, by this machine's clock. A proof has AWS's time.
    fn seen_at(&self, entry: &Entry) -> Timestamp {
        match &entry.event {
            Event::Proof(Proof { at: Some(at), .. }) => {
                at.saturating_sub(self.hub.clock().ahead()).unwrap_or(entry.time)
            }
            _ => entry.time,
        }
    }

    /// Whatever its ledger has that may be on the role.
    async fn release_all(
        &self,
        service: &Service,
        thief: &Thief<'_>,
        begun: Timestamp,
        stop: &CancellationToken,
        steps: &mut Steps<'_>,
    ) -> Result<(), DrillError> {
        for id in earlier::left(service.reader())? {
            self.release(service, thief, &id, begun, stop, steps).await?;
        }
        Ok(())
    }

    /// Takes it back, and looks whether the old session is let in again.
    async fn release(
        &self,
        service: &Service,
        thief: &Thief<'_>,
        id: &str,
        begun: Timestamp,
        stop: &CancellationToken,
        steps: &mut Steps<'_>,
    ) -> Result<(), DrillError> {
        let asked_at = Timestamp::now();
        let before = service.reader().remediation(id)?.change;
        let Some(change) = before else { return Ok(()) };
        let released = self.take_back(service, id).await?;
        let is_released = released.state == State::Released;
        let took = Timestamp::now().duration_since(asked_at).as_secs_f64();
        let (is_clean, note) = match (is_released, change.before.is_some()) {
            (true, false) => (true, format!("the role is as it was, {took:.1} s after it was asked for")),
            (true, true) => {
                let text = "the role is as it was, and a deny was on it before: of a drill of which nothing is known here, or of the service";
                (false, format!("{text}: {}", self.by_hand()))
            }
            (false, _) => (false, format!("it is {}: {}", released.state, self.by_hand())),
        };
        steps.take("released", is_clean, after(begun, Timestamp::now()), note);
        if !is_released {
            return Ok(());
        }
        // Who has asked to stop is not kept waiting for long.
        let never = CancellationToken::new();
        let (longest, stop) = if stop.is_cancelled() { (CUTOFF / 12, &never) } else { (SPREAD, stop) };
        match thief.until(longest, stop, |answer| answer == thief::Answer::Allowed).await {
            Ok(_) => {
                let note = "the old session is let in again".to_owned();
                steps.take("restored", true, after(begun, Timestamp::now()), note);
            }
            Err(why) => steps.take("restored", false, None, why.to_string()),
        }
        Ok(())
    }
}

fn after(begun: Timestamp, time: Timestamp) -> Option<u64> {
    u64::try_from(time.duration_since(begun).as_millis()).ok()
}

fn refusal(entries: &[Entry]) -> String {
    let why = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Refused(refused) => Some(refused.reason.clone()),
        Event::Uncertain { error } => Some(error.clone()),
        _ => None,
    });
    why.unwrap_or_default()
}

fn last_proof(entries: &[Entry]) -> String {
    let proof = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Proof(proof) => Some(crate::remediation::describe(&Event::Proof(proof.clone()))),
        _ => None,
    });
    proof.unwrap_or_else(|| "there is no proof".to_owned())
}

//! `rescind release ID`: takes a remediation's changes back.

use super::answer::{self, Signed};
use super::output::{BAD, BOLD, GOOD, Screen, WARN, clean, styled};
use super::policy::diff;
use super::runtime::block_on;
use super::{Exit, signals};
use crate::config::Config;
use crate::desk::{self, ReleasePlan};
use crate::ledger::{Lock, Reader};
use crate::remediation::{Event, Refusal, Remediation, State, Undo};
use crate::remedy::Drift;
use crate::service::{Purpose, Service};
use std::time::Duration;

/// Timeout of waiting for a running service.
const PATIENCE: Duration = Duration::from_secs(30);

/// Interval between two looks at the remediation's state.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A remediation, by id (r-…) or at least four characters of it after the r-.
    pub(super) id: String,

    #[command(flatten)]
    pub(super) signed: Signed,

    /// Also release the other stolen keys that this remediation handles.
    #[arg(long)]
    pub(super) attached: bool,

    /// Overwrite later changes by others.
    #[arg(long)]
    pub(super) force: bool,
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    args.signed.name()?;
    let reader = Reader::open(&config.ledger)?;
    let remediation = desk::remediation(&reader, &args.id)?;
    let id = remediation.id.clone();
    if remediation.state == State::Released {
        screen.line(format!("{}  is released already", styled(BOLD, &id)));
        screen.json(&serde_json::json!({ "remediation": id, "state": "released" }))?;
        return Ok(Exit::Done);
    }
    desk::may_release(&remediation)?;
    block_on(async {
        let stop = signals::stop_token();
        // A running service carries it out, in the order of its work. Without one it is done here.
        let is_alone = Lock::holder(&config.ledger).is_none();
        let purpose = if is_alone { Purpose::Act { backlog: false } } else { Purpose::Plan };
        let service = Service::start(config.for_one_run(), "release", purpose, stop.clone()).await?;
        let done = release(args, &service, &remediation, is_alone, screen).await;
        let stopped = service.stop("released").await;
        let exit = done?;
        stopped?;
        Ok(if stop.is_cancelled() { Exit::Interrupted } else { exit })
    })
}

async fn release(
    args: &Args,
    service: &Service,
    remediation: &Remediation,
    is_alone: bool,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let id = &remediation.id;
    let refuse = |refusal: &Refusal| {
        screen.prose(format!("{}  {}", styled(BAD, "not possible:"), clean(&refusal.to_string())));
        screen.json(&serde_json::json!({ "remediation": id, "refused": refusal.to_string() }))
    };
    let ReleasePlan { undo, drift, gone, other_keys } =
        match ReleasePlan::look(service.reconciler(), service.reader(), remediation).await? {
            Ok(plan) => plan,
            Err(refusal) => {
                refuse(&refusal)?;
                return Ok(Exit::NeedsPerson);
            }
        };
    // What does not exist any more is recorded as released all the same.
    gone.as_ref().map_or(Ok(()), refuse)?;
    screen.json(&serde_json::json!({
        "remediation": id, "undo": undo, "drift": drift.is_some(),
        "written": drift.as_ref().and_then(|drift| drift.written.as_ref()),
    }))?;
    describe_plan(remediation, &undo, drift.as_deref(), screen);
    if !other_keys.is_empty() {
        screen.prose(format!(
            "  {} it also handles other keys, which work again: {}",
            styled(BAD, "note:"),
            clean(&other_keys.join(", "))
        ));
        if !args.attached {
            screen.prose(format!(
                "{}: with --attached these are released as well, and what was seen of them until now is not revoked again.",
                styled(BAD, "NOT released")
            ));
            return Ok(Exit::NeedsPerson);
        }
    }
    if drift.is_some() && !args.force {
        screen.prose(format!(
            "{}: with --force it is released all the same, and the change is lost.",
            styled(BAD, "NOT released")
        ));
        return Ok(Exit::NeedsPerson);
    }
    let last = service.reader().last()?;
    let answer = answer::signed(&args.signed, service.config(), service.ledger(), None).await?;
    desk::ask_release(service.ledger(), remediation, (args.force, args.attached), answer).await?;
    if is_alone {
        service.reconciler().carry_out_now(id)?;
        service.drained().await?;
    }
    await_end(service, id, remediation.state, last, screen).await
}

/// Waits for the release to end, and prints the result.
async fn await_end(
    service: &Service,
    id: &str,
    was: State,
    last: i64,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let begun = std::time::Instant::now();
    let remediation = loop {
        let remediation = service.reader().remediation(id)?;
        if remediation.state != State::Releasing || begun.elapsed() > PATIENCE || service.is_stopping() {
            break remediation;
        }
        if service.acts() {
            break remediation;
        }
        tokio::time::sleep(LOOK).await;
    };
    screen.json(&serde_json::json!({ "remediation": id, "state": remediation.state.to_string() }))?;
    Ok(match remediation.state {
        State::Released => {
            screen.line(format!("{}  {id}: {}", styled(GOOD, "released"), remediation.target));
            for entry in service.reader().entries_of(id)?.iter().filter(|entry| entry.seq > last) {
                if let Event::Undone { note: Some(note), .. } = &entry.event {
                    screen.prose(format!("  note: {}", clean(note)));
                }
            }
            // Old sessions that are over do not come back.
            if !matches!(was, State::Expired | State::Retired) {
                let warning = styled(BAD, "WARNING:");
                screen.prose(format!(
                    "  {warning} the released sessions, including the stolen one, work again until they expire. Activity seen so far is not revoked again; new activity is."
                ));
            }
            Exit::Done
        }
        State::Releasing => {
            let why =
                remediation.uncertain.as_deref().unwrap_or("the running service has not started it yet");
            screen.prose(format!("{}  {id}: {}", styled(WARN, "not released yet"), clean(why)));
            screen.prose("  It is tried again by a running service, or at the next start.");
            Exit::NeedsPerson
        }
        state => {
            screen.prose(format!(
                "{}  {id} is {state}: `rescind show {id}` has the reason",
                styled(BAD, "NOT released")
            ));
            Exit::NeedsPerson
        }
    })
}

fn describe_plan(remediation: &Remediation, undo: &Undo, drift: Option<&Drift>, screen: &Screen) {
    screen.line(format!(
        "{}  {} in {}",
        styled(BOLD, &remediation.id),
        remediation.target,
        remediation.target.account
    ));
    if let Some(drift) = drift {
        screen.line(format!(
            "  {} {}: was written, and is now",
            styled(BAD, "changed since by somebody else:"),
            undo.policy()
        ));
        diff(drift.written.as_deref(), undo.found.as_deref(), screen);
    }
    describe_undo(undo, screen);
}

/// What becomes of the policy.
pub(super) fn describe_undo(undo: &Undo, screen: &Screen) {
    screen.line(format!("  Released, {} becomes:", undo.policy()));
    diff(undo.found.as_deref(), undo.leave.as_deref(), screen);
    if let Some(foreign) = &undo.foreign {
        screen.line(format!("  {} what somebody else had written there:", styled(BAD, "stays gone:")));
        diff(Some(foreign), None, screen);
    }
    if let Some(key) = &undo.reactivate {
        screen.line(format!("  The access key {key} is active again."));
    }
    if let Some(note) = &undo.note {
        screen.prose(format!("  note: {}", clean(note)));
    }
}

//! `rescind release ID`: takes a remediation's changes back.

use super::answer::{self, Signed};
use super::exit::BadInput;
use super::output::{BAD, BOLD, GOOD, Screen, WARN, clean, styled};
use super::policy::diff;
use super::runtime::block_on;
use super::{Exit, show, signals};
use crate::config::Config;
use crate::ledger::{Append, LedgerError, Lock, Reader};
use crate::remediation::{Draft, Event, ReleaseAsked, Remediation, State, Undo};
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
    id: String,

    #[command(flatten)]
    signed: Signed,

    /// Also release the other stolen keys that this remediation handles.
    #[arg(long)]
    attached: bool,

    /// Overwrite later changes by others.
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let remediation = show::named(&reader, &args.id)?;
    let id = remediation.id.clone();
    match remediation.state {
        State::Revoked
        | State::Unverified
        | State::Lost
        | State::Contested
        | State::Expired
        | State::Retired
        | State::Releasing => {}
        // Begun, and stopped halfway: something of it may be there.
        State::Retrying | State::Blocked | State::Failed | State::Held | State::Rejected
            if remediation.change.is_some() => {}
        State::Released => {
            screen.line(format!("{}  is released already", styled(BOLD, &id)));
            screen.json(&serde_json::json!({ "remediation": id, "state": "released" }))?;
            return Ok(Exit::Done);
        }
        state => return Err(BadInput(format!("{id} is {state}: {}", why_not(state))).into()),
    }
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

/// Why what is in this state cannot be released.
fn why_not(state: State) -> &'static str {
    match state {
        State::Queued | State::Approved => {
            "rescind is about to revoke it. `rescind show` says when that is done: then try again"
        }
        State::Revoking => "rescind is revoking it. Try again when that is done: `rescind show` follows it",
        State::Verifying => {
            "AWS has accepted the deny, and rescind is verifying it. Try again when that is done: `rescind show` follows it"
        }
        State::Retiring => {
            "rescind is removing its deny, because nothing needs it any more. Try again when that is done: `rescind show` follows it"
        }
        _ => "nothing of it is in place, so there is nothing to release",
    }
}

async fn release(
    args: &Args,
    service: &Service,
    remediation: &Remediation,
    is_alone: bool,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let id = &remediation.id;
    let (undo, drift) = match service.reconciler().plan_release(remediation).await? {
        Ok(Ok(undo)) => (undo, None),
        Ok(Err(drift)) => (drift.undo.clone(), Some(drift)),
        Err(refusal) => {
            screen.prose(format!("{}  {}", styled(BAD, "not possible:"), clean(&refusal.to_string())));
            screen.json(&serde_json::json!({ "remediation": id, "refused": refusal.to_string() }))?;
            // What does not exist any more is recorded as released all the same.
            if !matches!(
                refusal,
                crate::remediation::Refusal::Gone(_) | crate::remediation::Refusal::Recreated { .. }
            ) {
                return Ok(Exit::NeedsPerson);
            }
            (nothing(remediation), None)
        }
    };
    screen.json(&serde_json::json!({
        "remediation": id, "undo": undo, "drift": drift.is_some(),
        "written": drift.as_ref().and_then(|drift| drift.written.as_ref()),
    }))?;
    describe_plan(remediation, &undo, drift.as_deref(), screen);
    let others = other_keys(service, remediation)?;
    if !others.is_empty() {
        screen.prose(format!(
            "  {} it also handles other keys, which work again: {}",
            styled(BAD, "note:"),
            clean(&others.join(", "))
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
    // What is asked for once more is the same release, and what either asked for counts.
    let earlier = remediation.release().filter(|_| remediation.state == State::Releasing);
    let earlier = earlier.map(|release| &release.asked);
    let (force, attached) = (args.force, args.attached);
    if earlier.is_none_or(|asked| force && !asked.force || attached && !asked.attached) {
        let answer = answer::signed(&args.signed, service.config(), service.ledger(), None).await?;
        let asked = ReleaseAsked {
            answer,
            force: force || earlier.is_some_and(|asked| asked.force),
            attached: attached || earlier.is_some_and(|asked| asked.attached),
            was: earlier.map_or(remediation.state, |asked| asked.was),
        };
        let entries = vec![Draft { subject: remediation.subject(), event: Event::ReleaseAsked(asked) }];
        let only_if = Some((id.clone(), remediation.state));
        match service.ledger().append(Append { entries, only_if, ..Append::default() }).await {
            Err(LedgerError::Illegal(illegal)) => {
                let now = illegal.from.map(|state| state.to_string()).unwrap_or_default();
                let late = format!("{id} is {now} by now, and was not released: look again, and ask again");
                return Err(BadInput(late).into());
            }
            done => done?,
        };
    }
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

/// The keys of later findings that it takes care of.
fn other_keys(service: &Service, remediation: &Remediation) -> anyhow::Result<Vec<String>> {
    let own = remediation.finding.principal.as_ref().and_then(|p| p.access_key_id.clone());
    let mut keys: Vec<String> = service
        .reader()
        .attached(&remediation.id)?
        .into_iter()
        .filter_map(|finding| finding.principal?.access_key_id)
        .filter(|key| Some(key) != own.as_ref())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

fn nothing(remediation: &Remediation) -> Undo {
    Undo {
        arn: remediation.target.arn(),
        policy_name: crate::remediation::POLICY_NAME.to_owned(),
        means: remediation.target.means,
        found: None,
        leave: None,
        foreign: None,
        reactivate: None,
        note: None,
    }
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

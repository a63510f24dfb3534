//! `rescind release ID`: takes a remediation's changes back, once somebody has read what that means.

use super::answer::{Signer, a_text};
use super::exit::BadInput;
use super::output::{BAD, BOLD, GOOD, Screen, WARN, clean, styled};
use super::policy::diff;
use super::runtime::block_on;
use super::{Exit, confirm, signals};
use crate::config::Config;
use crate::desk::{self, ReleasePlan, WorksAgain};
use crate::ledger::{Lock, Reader};
use crate::remediation::{Event, Refusal, Remediation, State, Undo};
use crate::service::{Purpose, Service};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Timeout of waiting for a running service.
const PATIENCE: Duration = Duration::from_secs(30);

/// Interval between two looks at the remediation's state.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A remediation, by id (r-…) or at least eight characters of it after the r-.
    pub(super) id: String,

    /// The reason, for the ledger.
    #[arg(long, value_name = "TEXT", value_parser = a_text, required_unless_present = "dry_run")]
    reason: Option<String>,

    #[command(flatten)]
    pub(super) signer: Signer,

    /// Show what would be taken back and what works again by it, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Do not ask. Without a terminal it is refused unless this is given.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) yes: bool,

    /// Also release the other stolen keys that this remediation handles.
    #[arg(long)]
    pub(super) attached: bool,

    /// Overwrite later changes by others.
    #[arg(long)]
    pub(super) force: bool,
}

impl Args {
    /// The reason; clap sees to it that there is one, where something is changed.
    pub(super) fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    args.signer.name()?;
    let reader = Reader::open(&config.ledger)?;
    let remediation = desk::remediation(&reader, &args.id)?;
    let id = remediation.id.clone();
    if remediation.state == State::Released {
        screen.line(format!("{}  is released already", styled(BOLD, &id)));
        screen.json(&json!({ "remediation": id, "state": "released" }))?;
        return Ok(Exit::Done);
    }
    desk::may_release(&remediation)?;
    let account = desk::account_label(&reader, &remediation.target.account)?;
    let mut shown = None;
    if !args.yes {
        if !args.dry_run {
            confirm::is_possible(false, screen)?;
        }
        // It changes nothing, so that Ctrl-C may end it at any moment; and nobody waits for the ledger meanwhile.
        let plan = block_on(look(&config, &remediation))?;
        let Some(plan) = stands(args, &remediation, &account, plan, screen)? else {
            return Ok(if args.dry_run { Exit::Done } else { Exit::NeedsPerson });
        };
        if args.dry_run {
            screen.json(&document(
                &remediation,
                &plan,
                &json!({ "dry_run": true, "state": remediation.state }),
            ))?;
            screen.line("Dry run: nothing was changed.");
            return Ok(Exit::Done);
        }
        let name = remediation.target.name();
        if !confirm::is_typed(&clean(&name), &name, "release it")? {
            return Err(BadInput("not confirmed: nothing was released".to_owned()).into());
        }
        shown = Some(plan);
    }
    block_on(async {
        let stop = signals::stop_token();
        // A running service carries it out, in the order of its work. Without one it is done here.
        let is_alone = Lock::holder(&config.ledger).is_none();
        let purpose = if is_alone { Purpose::Act { backlog: false } } else { Purpose::Plan };
        let service = Service::start(config.for_one_run(), "release", purpose, stop.clone()).await?;
        let done = release(args, &service, &remediation, (&account, shown), is_alone, screen).await;
        let stopped = service.stop("released").await;
        let exit = done?;
        stopped?;
        Ok(if stop.is_cancelled() { Exit::Interrupted } else { exit })
    })
}

/// What the release would do, without anything that could change something.
async fn look(config: &Config, remediation: &Remediation) -> anyhow::Result<Result<ReleasePlan, Refusal>> {
    let (config, stop) = (config.clone().for_one_run(), CancellationToken::new());
    let service = Service::start(config, "release plan", Purpose::Plan, stop).await?;
    let plan = ReleasePlan::look(service.reconciler(), service.reader(), remediation).await;
    service.stop("planned").await?;
    Ok(plan?)
}

/// The plan for programs, with what became of it.
fn document(remediation: &Remediation, plan: &ReleasePlan, more: &Value) -> Value {
    let mut document = json!({
        "remediation": remediation.id,
        "principal": remediation.target.principal(),
        "account": remediation.target.account,
        "undo": plan.undo,
        "drift": plan.drift.is_some(),
        "written": plan.drift.as_ref().and_then(|drift| drift.written.as_ref()),
        "gone": plan.gone.as_ref().map(ToString::to_string),
        "other_keys": plan.other_keys,
        "works_again": plan.works_again,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
    document
}

/// Shows the plan, and gives it if the release can go on as it was asked for.
fn stands(
    args: &Args,
    remediation: &Remediation,
    account: &str,
    plan: Result<ReleasePlan, Refusal>,
    screen: &Screen,
) -> anyhow::Result<Option<ReleasePlan>> {
    let plan = match plan {
        Ok(plan) => plan,
        Err(refusal) => {
            screen.prose(format!("{}  {}", styled(BAD, "not possible:"), clean(&refusal.to_string())));
            screen.json(&json!({ "remediation": remediation.id, "refused": refusal.to_string() }))?;
            return Ok(None);
        }
    };
    describe_plan(remediation, account, &plan, screen);
    let refused = if !plan.other_keys.is_empty() && !args.attached {
        Some((
            "other_keys",
            "with --attached these are released as well, and what was seen of them until now is not revoked again.",
        ))
    } else if plan.drift.is_some() && !args.force {
        Some(("drift", "with --force it is released all the same, and the change is lost."))
    } else {
        None
    };
    let Some((code, why)) = refused else { return Ok(Some(plan)) };
    let more = json!({ "refused": why, "code": code, "dry_run": args.dry_run });
    screen.json(&document(remediation, &plan, &more))?;
    let not = if args.dry_run { "would NOT be released" } else { "NOT released" };
    screen.prose(format!("{}: {why}", styled(BAD, not)));
    Ok(None)
}

async fn release(
    args: &Args,
    service: &Service,
    remediation: &Remediation,
    (account, shown): (&str, Option<ReleasePlan>),
    is_alone: bool,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let id = &remediation.id;
    let plan = if let Some(plan) = shown {
        // Whoever changes the policy meanwhile is found out when it is carried out.
        plan
    } else {
        let plan = ReleasePlan::look(service.reconciler(), service.reader(), remediation).await?;
        let Some(plan) = stands(args, remediation, account, plan, screen)? else {
            return Ok(Exit::NeedsPerson);
        };
        plan
    };
    let last = service.reader().last()?;
    let answer = args.signer.answer(args.reason(), service.config(), service.ledger()).await?;
    desk::ask_release(service.ledger(), remediation, (args.force, args.attached), answer).await?;
    if is_alone {
        service.reconciler().carry_out_now(id)?;
        service.drained().await?;
    }
    await_end(service, remediation, &plan, last, screen).await
}

/// Waits for the release to end, and prints the result.
async fn await_end(
    service: &Service,
    asked: &Remediation,
    plan: &ReleasePlan,
    last: i64,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let (begun, id) = (std::time::Instant::now(), &asked.id);
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
    screen.json(&document(asked, plan, &json!({ "state": remediation.state })))?;
    Ok(match remediation.state {
        State::Released => {
            screen.line(format!("{}  {id}: {}", styled(GOOD, "released"), remediation.target));
            for entry in service.reader().entries_of(id)?.iter().filter(|entry| entry.seq > last) {
                if let Event::Undone { note: Some(note), .. } = &entry.event {
                    screen.prose(format!("  note: {}", clean(note)));
                }
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

/// What the release does, and what works again by it.
fn describe_plan(remediation: &Remediation, account: &str, plan: &ReleasePlan, screen: &Screen) {
    let ReleasePlan { undo, drift, gone, other_keys, works_again } = plan;
    let (id, target) = (styled(BOLD, &remediation.id), clean(&remediation.target.to_string()));
    screen.line(format!("{id}  {target} in {}", clean(account)));
    if let Some(gone) = gone {
        // What does not exist any more is recorded as released all the same.
        screen.prose(format!("  {}  {}", styled(WARN, "nothing to take back:"), clean(&gone.to_string())));
    }
    if let Some(drift) = drift {
        screen.line(format!(
            "  {} {}: was written, and is now",
            styled(BAD, "changed since by somebody else:"),
            undo.policy()
        ));
        diff(drift.written.as_deref(), undo.found.as_deref(), screen);
    }
    if gone.is_none() {
        describe_undo(undo, screen);
    }
    match works_again {
        Some(again) => warn(again, screen),
        None => screen.prose("  No stolen session works again by this."),
    }
    if !other_keys.is_empty() {
        screen.prose(format!(
            "  {} it also handles other keys, which work again: {}",
            styled(BAD, "note:"),
            clean(&other_keys.join(", "))
        ));
    }
}

/// What works again, for people.
pub(super) fn warn(again: &WorksAgain, screen: &Screen) {
    screen.prose(format!(
        "  {} {} Activity seen so far is not revoked again; new activity is.",
        styled(BAD, "WARNING:"),
        again.sentence()
    ));
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

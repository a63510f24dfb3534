//! `rescind approve --interactive`: what is held, one after another, each with its question.

use super::Exit;
use super::answer::{Args, a_text, record, say_who_acts};
use super::confirm;
use super::exit::BadInput;
use super::output::{BOLD, Screen, clean, styled, utc, when};
use super::policy::{diff, side_effect};
use super::runtime::block_on;
use crate::config::Config;
use crate::desk::{self, Kind, Shown, at_the_approval};
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::{Answer, Proposal, State};
use crate::replication::open_ledger;

/// What a person says to one remediation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer, and the reason for it.
    Answer(Kind, String),
    /// It goes on waiting.
    Skip,
    /// No more is shown.
    Quit,
}

/// What became of all that was shown.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub approved: usize,
    pub rejected: usize,
    pub left: usize,
}

impl Tally {
    pub fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Approve => self.approved += 1,
            Kind::Reject | Kind::Done => self.rejected += 1,
        }
    }

    /// Says what became of all, and whether something still waits.
    pub fn end(&self, screen: &Screen) -> Exit {
        let Self { approved, rejected, left } = self;
        screen.line(format!("Answered: {approved} approved, {rejected} rejected; {left} left as they were."));
        if *left > 0 { Exit::NeedsPerson } else { Exit::Done }
    }
}

/// Refuses where nobody can be asked.
///
/// # Errors
/// When standard input is no terminal, or the output is for a program.
pub(super) fn is_possible(screen: &Screen) -> Result<(), BadInput> {
    if confirm::can_ask(screen) {
        return Ok(());
    }
    let text = "--interactive asks, and nobody can be asked here: standard input or the output is for a program. Name the ids instead";
    Err(BadInput(text.to_owned()))
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    is_possible(screen)?;
    args.signer.name()?;
    let reader = Reader::open(&config.ledger)?;
    let ids = match &args.incident {
        Some(incident) => desk::held_of(&reader, incident)?,
        None if args.ids.is_empty() => held(&reader)?,
        None => named(&reader, &args.ids)?,
    };
    if ids.is_empty() {
        screen.line("Nothing is held that rescind can carry out.");
        return Ok(Exit::Done);
    }
    block_on(async {
        let ledger = open_ledger(config)?;
        let done = async {
            let by = args.signer.answer(args.reason(), config, &ledger).await?;
            let mut tally = Tally::default();
            for (number, id) in ids.iter().enumerate() {
                let shown = Shown::read(&reader, id)?;
                // Somebody else may have answered it meanwhile.
                if let Err(why) = desk::may_answer(&shown.whole, Kind::Reject) {
                    screen.prose(clean(&why.to_string()));
                    continue;
                }
                show(&shown, (number + 1, ids.len()), screen);
                match ask(args.reason.as_deref(), shown.proposal.is_some())? {
                    Reply::Quit => {
                        tally.left += ids.len() - number;
                        break;
                    }
                    Reply::Skip => tally.left += 1,
                    Reply::Answer(kind, reason) => {
                        // What is approved is what was shown.
                        let judged = shown.whole.proposal.as_ref().map(|proposal| proposal.seq);
                        let given = Answer { reason, judged, ..by.clone() };
                        match record(&ledger, &shown.whole, kind, &given, screen).await? {
                            Ok(true) => tally.add(kind),
                            Ok(false) => tally.left += 1,
                            Err(why) => {
                                tally.left += 1;
                                screen.prose(format!("  not recorded: {}", clean(&why)));
                            }
                        }
                    }
                }
            }
            if tally.approved > 0 {
                say_who_acts(config, screen);
            }
            Ok(tally.end(screen))
        }
        .await;
        ledger.close();
        done
    })
}

/// All that is held and that rescind can carry out, the oldest first.
fn held(reader: &Reader) -> anyhow::Result<Vec<String>> {
    let mut held = reader.remediations(|state| state == State::Held)?;
    held.retain(|one| one.target.is_supported());
    held.sort_by_key(|one| one.opened_at);
    Ok(held.into_iter().map(|one| one.id).collect())
}

/// Those that are named, if each can be answered.
fn named(reader: &Reader, texts: &[String]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for text in texts {
        let id = desk::answerable(reader, text, Kind::Reject)?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// What a person needs to answer, in short.
pub(super) fn show(shown: &Shown, (number, all): (usize, usize), screen: &Screen) {
    let r = &shown.whole;
    screen.line(format!("\n{}  {}", styled(BOLD, format!("{number} of {all}")), styled(BOLD, &r.id)));
    let row = |name: &str, text: &str| {
        if !text.is_empty() {
            screen.prose(format!("  {name:<12}{}", clean(text)));
        }
    };
    let (finding, evidence) = (&r.finding, &r.finding.evidence);
    row("principal", &format!("{} in {}", r.target.principal(), r.target.account));
    row("type", &finding.finding_type);
    let from = [&evidence.remote_ip, &evidence.remote_organization, &evidence.remote_country];
    let from: Vec<&str> = from.into_iter().flatten().map(String::as_str).collect();
    row("used from", &from.join(", "));
    row("last seen", &when(finding.last_seen()));
    row("reason", finding.cause.order().map_or("", |order| order.reason.as_str()));
    row("held", r.held_why().map_or("", |(_, why)| why));
    if r.approval.asks_for_others() {
        row("approval", &format!("by {}", r.approval));
    }
    for one in &r.approvals {
        row("approved", &format!("by {}: {}", one.by, one.reason));
    }
    match &r.proposal {
        Some(Proposal { change: Some(change), .. }) => {
            screen.line(format!("  If it is approved: {}", change.policy()));
            screen.prose(format!("  {}", at_the_approval(change, None)));
            diff(change.before.as_deref(), Some(&change.after), screen);
            side_effect(&r.target, change, screen);
        }
        Some(Proposal { problem: Some(problem), .. }) => row("planned", problem),
        _ => row("planned", "not determined yet: it cannot be approved before that"),
    }
    let later = shown.attached.len();
    if later > 0 {
        row("covers", &format!("{} as well", counted(later, "later occurrence")));
    }
    row("opened", &utc(r.opened_at));
}

/// Asks what is to be done with it. Without a reason that counts for all, asks for one.
///
/// # Errors
/// When standard input cannot be read.
pub(super) fn ask(reason: Option<&str>, can_approve: bool) -> std::io::Result<Reply> {
    let question = if can_approve {
        "Approve, reject, skip or quit? [a/r/s/q]"
    } else {
        "Reject, skip or quit? [r/s/q]"
    };
    loop {
        let Some(typed) = confirm::ask(question)? else { return Ok(Reply::Quit) };
        let kind = match typed.to_ascii_lowercase().as_str() {
            "a" | "approve" if can_approve => Kind::Approve,
            "r" | "reject" => Kind::Reject,
            "s" | "skip" => return Ok(Reply::Skip),
            "q" | "quit" => return Ok(Reply::Quit),
            _ => continue,
        };
        if let Some(reason) = reason {
            return Ok(Reply::Answer(kind, reason.to_owned()));
        }
        let Some(typed) = confirm::ask("Reason:")? else { return Ok(Reply::Quit) };
        // Without a reason nothing is answered: it is asked again.
        if let Ok(reason) = a_text(&typed) {
            return Ok(Reply::Answer(kind, reason));
        }
    }
}

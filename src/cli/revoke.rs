//! `rescind revoke ACCOUNT PRINCIPAL`: a person's order, with or without a finding.

use super::answer::{self, Signed};
use super::exit::BadInput;
use super::follow::{self, follow};
use super::output::{BOLD, Screen, WARN, clean, styled};
use super::runtime::block_on;
use super::{Exit, confirm, plan, signals, summary};
use crate::config::Config;
use crate::desk::{self, Given, OrderAsked, Principal, is_access_key};
use crate::finding::Ordered;
use crate::ident::{AccountId, quoted};
use crate::ingest::Seen;
use crate::ledger::{Lock, Reader};
use crate::reconcile::Planned;
use crate::remediation::{Entry, State};
use crate::replication::open_ledger;
use crate::service::{Purpose, Service, ServiceError};
use crate::triage::{SkipReason, Verdict};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The account that the role or user is in.
    pub(super) account: AccountId,

    /// A role (web, role/web), an IAM user (user/alice), or an ARN of one or of a role's session.
    pub(super) principal: String,

    /// Only this session of the role: its name, or AROA…:NAME. Without it, all its sessions.
    #[arg(long, value_name = "ID")]
    pub(super) session: Option<String>,

    /// When the theft began, if that is known, such as 2026-11-21T23:47:00Z: from then on CloudTrail is read for what was
    /// done with the key. Without it, from 36 hours before the order.
    #[arg(long, value_name = "TIME", value_parser = a_time)]
    pub(super) since: Option<Timestamp>,

    /// The access key that was stolen: a user's key is deactivated, and what was done with it is searched for.
    #[arg(long, value_name = "ID", value_parser = an_access_key)]
    pub(super) key: Option<String>,

    /// The address at which the thief was seen. What was opened with the key from elsewhere may be the legitimate user's, and is
    /// held.
    #[arg(long, value_name = "IP")]
    pub(super) address: Option<IpAddr>,

    #[command(flatten)]
    pub(super) signed: Signed,

    /// Do not show the plan, and do not ask.
    #[arg(long)]
    pub(super) yes: bool,

    /// Wait until the running service has carried it out, and show the proof.
    #[arg(long)]
    pub(super) wait: bool,
}

fn a_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected a time such as 2026-11-21T23:47:00Z".to_owned())
}

fn an_access_key(text: &str) -> Result<String, String> {
    if is_access_key(text) { Ok(text.to_owned()) } else { Err("expected AKIA… or ASIA…".to_owned()) }
}

pub fn run(args: &Args, config: Config, screen: &Screen) -> anyhow::Result<Exit> {
    args.signed.name()?;
    let asked = OrderAsked {
        account: args.account.clone(),
        principal: args.principal.clone(),
        session: args.session.clone(),
        key: args.key.clone(),
        since: args.since,
        address: args.address,
    };
    let Principal { mut who, missing } = asked.principal()?;
    confirm::is_possible(args.yes, screen)?;
    // A role's id is known only to IAM.
    if !args.yes || missing.is_some() {
        let is_revoked = match block_on(preview(args, &asked, &config, who, missing, screen))? {
            Preview::Ready(ready, is_revoked) => {
                who = ready;
                is_revoked
            }
            Preview::Ended(exit) => return Ok(exit),
        };
        if !args.yes && !is_confirmed(&who, is_revoked)? {
            return Err(BadInput("not confirmed: nothing was ordered".to_owned()).into());
        }
    }
    block_on(async { Box::pin(give(args, &asked, config, &who, screen)).await })
}

/// What became of looking before it is ordered.
enum Preview {
    /// It can be ordered so, and whether that would revoke it without another answer.
    Ready(Ordered, bool),
    /// There is nothing to order.
    Ended(Exit),
}

/// Shows what would be done. Completes the name of a session by the role's id.
async fn preview(
    args: &Args,
    asked: &OrderAsked,
    config: &Config,
    mut who: Ordered,
    missing: Option<String>,
    screen: &Screen,
) -> anyhow::Result<Preview> {
    // It changes nothing, so that Ctrl-C may end it at any moment.
    let stop = CancellationToken::new();
    let service = Service::start(config.clone().for_one_run(), "plan", Purpose::Plan, stop).await?;
    let answer = args.signed.signer.unproved(&args.signed.reason)?;
    let finding = |who: &Ordered| asked.finding(who, &answer, config.home_region());
    let mut planned = service.reconciler().plan(finding(&who), false).await?;
    if let (Ordered::Role { name, session }, Some(missing)) = (&mut who, &missing) {
        let Some(Ok(change)) = planned.change.as_ref().filter(|_| !is_so_already(&planned)) else {
            plan::describe(&planned, config.quarantine, screen)?;
            service.stop("planned").await?;
            if is_so_already(&planned) {
                screen.line("Nothing to order: it is so already.");
                return Ok(Preview::Ended(Exit::Done));
            }
            let text = format!(
                "the session {} of role {name} cannot be named in full: nothing was ordered. Give --session AROA…:{}, with the role's id",
                quoted(missing),
                clean(missing)
            );
            return Err(BadInput(text).into());
        };
        *session = Some(format!("{}:{missing}", change.id));
        planned = service.reconciler().plan(finding(&who), false).await?;
    }
    if !args.yes {
        plan::describe(&planned, config.quarantine, screen)?;
    }
    service.stop("planned").await?;
    match (&planned.decision.verdict, &planned.change) {
        _ if is_so_already(&planned) => {
            screen.line("Nothing to order: it is so already.");
            Ok(Preview::Ended(Exit::Done))
        }
        // What is under way is asked for with more weight.
        (Verdict::Skip(SkipReason::UnderWay { .. }), _) => Ok(Preview::Ready(who, true)),
        (Verdict::Skip(_), _) | (_, Some(Err(_))) if !args.yes => {
            screen.line(format!("{} nothing would be revoked.", styled(WARN, "NOT ordered:")));
            Ok(Preview::Ended(Exit::NeedsPerson))
        }
        (verdict, _) => Ok(Preview::Ready(who, matches!(verdict, Verdict::Remediate { .. }))),
    }
}

/// An earlier remediation has done what is ordered.
fn is_so_already(planned: &Planned) -> bool {
    matches!(planned.decision.verdict, Verdict::Skip(SkipReason::AlreadyRevoked { .. }))
}

/// Asks for the name, so that nobody confirms what they have not read.
fn is_confirmed(who: &Ordered, is_revoked: bool) -> anyhow::Result<bool> {
    let (kind, name) = match who {
        Ordered::Role { name, .. } => ("role", name.as_str()),
        Ordered::User(name) => ("user", name.as_str()),
    };
    let then = if is_revoked { "revoke it" } else { "record the order; nothing is revoked yet" };
    Ok(confirm::is_typed(&format!("the name of the {kind}"), name, then)?)
}

/// Gives the order. It is recorded first: whatever happens then, it is not lost. A running service carries it out, or,
/// without one, this process.
async fn give(
    args: &Args,
    asked: &OrderAsked,
    config: Config,
    who: &Ordered,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let stop = signals::stop_token();
    let ledger = open_ledger(&config)?;
    let answer = answer::signed(&args.signed, &config, &ledger, None).await?;
    let Given { finding, entry: seq } = desk::ask(&ledger, asked, who, &answer, config.home_region()).await?;
    ledger.close();
    let occurrence = finding.occurrence();
    let ordered = |by: &str| {
        screen.fields(
            &serde_json::json!({ "ordered": { "finding": finding.id, "entry": seq, "taken_up_by": by } }),
        )
    };
    if Lock::holder(&config.ledger).is_none() {
        let purpose = Purpose::Act { backlog: false };
        match Service::start(config.clone().for_one_run(), "revoke", purpose, stop.clone()).await {
            Ok(service) => {
                ordered("this_process")?;
                let exit = carry_out(service, screen, stop.is_cancelled()).await?;
                return unless_revoked(exit, &Reader::open(&config.ledger)?, &occurrence, screen);
            }
            // Somebody was faster, and has the order as well.
            Err(ServiceError::Ledger(error)) if error.is_other_acting() => {}
            Err(error) => {
                screen.prose("The order is recorded: the next start of `rescind run`, or `rescind run --once`, carries it out.");
                return Err(error.into());
            }
        }
    }
    ordered(follow::taken_up_by(&config))?;
    screen.line(format!("{}  order {}", styled(BOLD, "ordered"), finding.id));
    if !args.wait {
        follow::describe(&config, screen);
        return Ok(Exit::Done);
    }
    let reader = Reader::open(&config.ledger)?;
    let handed = BTreeMap::from([(occurrence.clone(), seq)]);
    let exit = follow(&reader, &config, &handed, screen, &stop).await?;
    unless_revoked(exit, &reader, &occurrence, screen)
}

/// Carries out what is recorded, the order first.
async fn carry_out(service: Service, screen: &Screen, interrupted: bool) -> anyhow::Result<Exit> {
    let done = async {
        service.recover().await?;
        service.drained().await?;
        service.pursue().await?;
        Ok(Seen::default())
    }
    .await;
    let is_interrupted = interrupted || service.is_stopping();
    Box::pin(summary::finish(service, screen, done, "Nothing was done.", is_interrupted)).await
}

/// Who orders a revocation and gets none has to know it: also where a mode or an opt-out of somebody's says so.
fn unless_revoked(exit: Exit, reader: &Reader, occurrence: &str, screen: &Screen) -> anyhow::Result<Exit> {
    let decision = reader.decided(occurrence)?.and_then(|decided| decided.decision);
    let remediation = decision.as_ref().and_then(Entry::takes_care);
    let state = remediation.map(|id| reader.state(id)).transpose()?;
    let is_revoked = state.is_some_and(State::has_revoked);
    if state == Some(State::Failed) {
        let text = "check the account and the spelling of the name, of the key and of the session.";
        screen.prose(format!("{} {text}", styled(WARN, "NOT revoked:")));
    }
    if exit != Exit::Done || is_revoked {
        return Ok(exit);
    }
    screen.prose(format!(
        "{} the order was recorded, and nothing was revoked: see above.",
        styled(WARN, "NOT revoked:")
    ));
    Ok(Exit::NeedsPerson)
}

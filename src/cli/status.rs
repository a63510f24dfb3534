//! `rescind status`: the status that a running service publishes, and what the ledger says.

use super::output::{BAD, BOLD, DIM, GOOD, Screen, WARN, clean, short, styled, when};
use super::remediation::style;
use super::{Exit, watch};
use crate::config::Config;
use crate::desk::{OutagePicture, Picture, ReleasedPicture};
use crate::incident::IncidentCounts;
use crate::ingest::Health;
use crate::ledger::Reader;
use crate::org::named_account;
use crate::plural::counted;
use crate::remediation::State;
use crate::service::{Live, Role};
use jiff::{SignedDuration, Timestamp};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Refresh every two seconds, until you press Ctrl-C.
    #[arg(long, short)]
    pub(super) watch: bool,
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    watch::show(args.watch, screen, || {
        screen.knows(reader.account_names()?);
        show(&Picture::take(config, &reader)?, screen)
    })
}

/// How it is doing, and whether that needs attention.
pub(super) fn show(picture: &Picture, screen: &Screen) -> anyhow::Result<Exit> {
    screen.json(picture)?;
    show_service(picture, screen);
    if let Some(live) = &picture.live {
        show_feeds(live, picture, screen);
    }
    show_work(picture, screen);
    show_channels(picture, screen);
    let megabytes = f64::from(u32::try_from(picture.ledger_bytes >> 10).unwrap_or(u32::MAX)) / 1024.0;
    let checkpoint = match (picture.checkpoint_entries, picture.checkpoint_at) {
        (Some(size), Some(at)) => {
            format!("the last checkpoint covers {size}, made {} ago", since(at, picture.at))
        }
        _ => "no checkpoint yet".to_owned(),
    };
    screen.prose(format!("Ledger    {} entries, {megabytes:.1} MiB; {checkpoint}", picture.ledger_entries));
    show_unfinished(picture, screen);
    verdict(picture, screen);
    Ok(if picture.needs_person() { Exit::NeedsPerson } else { Exit::Done })
}

fn show_service(picture: &Picture, screen: &Screen) {
    let line = match (&picture.live, &picture.holder) {
        (Some(live), _) if !live.is_alive() => styled(
            BAD,
            format!(
                "HANGS: process {} was last heard of {} ago",
                live.pid,
                since(live.last_sign(), picture.at)
            ),
        ),
        (Some(live), _) => {
            let follows = live.log.as_ref().is_some_and(|log| log.role == Role::Follower);
            let word = match (live.stopping, follows) {
                (true, _) => styled(WARN, "stopping"),
                (false, true) => styled(GOOD, "following"),
                (false, false) => styled(GOOD, "watching"),
            };
            let listen = live.address().map_or_else(String::new, |at| format!(", {at}"));
            format!(
                "{word}, mode {}, process {}, up for {}{listen}",
                live.mode,
                live.pid,
                since(live.started, picture.at)
            )
        }
        (None, Some(holder)) => format!("{holder} holds the ledger, but publishes no status"),
        (None, None) => styled(BAD, "NOT RUNNING: findings are not processed. Start it with `rescind run`."),
    };
    screen.prose(format!("Service   {line}"));
    if let Some(witness) = picture.live.as_ref().and_then(|live| live.witness.as_ref()) {
        screen.prose(format!("Witness   {}", witness.describe()));
        if let Some(error) = &witness.error {
            let text =
                format!("          NOT ANSWERING, {} times in a row: {}", witness.failures, clean(error));
            screen.prose(styled(WARN, text));
        }
    }
    if let Some(log) = picture.live.as_ref().and_then(|live| live.log.as_ref()) {
        screen.prose(format!("Log       {}", clean(&log.describe())));
        if let Some((then, error)) = &log.fault {
            let text = format!(
                "          NOT ANSWERING for {}: nothing is done until it does: {}",
                since(*then, picture.at),
                clean(error)
            );
            screen.prose(styled(BAD, text));
        }
    }
    if let Some(refused) = picture.live.as_ref().and_then(|live| live.refused.as_ref()) {
        screen.prose(styled(
            BAD,
            format!("          REJECTED, the previous version stays in effect: {}", clean(refused)),
        ));
    }
    if picture.live.as_ref().is_some_and(|live| !live.confirm) {
        screen.prose(styled(
            BAD,
            "          confirm = false: whoever can write to the queue or the folder can have roles revoked",
        ));
    }
}

fn show_feeds(live: &Live, picture: &Picture, screen: &Screen) {
    let now = picture.at;
    let queues = live.queues.iter().map(|queue| {
        let depth = queue.depth.map_or_else(String::new, |depth| {
            format!("; {} waiting, {} in flight", depth.waiting, depth.in_flight)
        });
        (queue.name.clone(), &queue.health, depth)
    });
    let folder = live.folder.as_ref().map(|health| {
        let waits = health.waits_since.map_or_else(String::new, |then| {
            styled(WARN, format!("; the oldest unread file waits for {}", since(then, now)))
        });
        ("folder".to_owned(), health, waits)
    });
    let regions =
        live.regions.iter().map(|(name, health)| (format!("GuardDuty {name}"), health, String::new()));
    let mut head = "Feeds";
    for (name, health, more) in regions.chain(queues).chain(folder) {
        let unreadable = picture.unreadable_today.iter().find(|feed| feed.feed == name);
        let unreadable = unreadable.map_or_else(String::new, |feed| {
            let text = format!("; {} unreadable in 24 h, the latest: {}", feed.count, clean(&feed.latest));
            styled(WARN, text)
        });
        screen.prose(format!("{head:<8}  {name:<28}  {}{more}{unreadable}", how(health, now)));
        head = "";
    }
}

fn how(health: &Health, now: Timestamp) -> String {
    let next = health
        .next
        .filter(|next| *next > now)
        .map_or_else(String::new, |next| format!(", next in {}", short(next.duration_since(now))));
    match (&health.skipped, &health.error, health.last_read) {
        (Some(why), ..) => styled(DIM, format!("skipped: {}", clean(why))),
        (_, Some(error), _) => {
            let lag = health.last_read.map_or_else(
                || "never read".to_owned(),
                |last| format!("last read {} ago", since(last, now)),
            );
            let text = format!(
                "FAILED {} in a row, {lag}{next}: {}",
                counted(health.failures, "time"),
                clean(error)
            );
            styled(BAD, text)
        }
        (_, None, Some(last)) => format!("read {} ago{next}", since(last, now)),
        (_, None, None) => styled(WARN, "not read yet"),
    }
}

fn show_work(picture: &Picture, screen: &Screen) {
    let in_flight =
        picture.live.as_ref().map_or_else(String::new, |live| format!("{} in flight, ", live.in_flight));
    let states: Vec<String> =
        picture.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let mut states = if states.is_empty() { "no remediations yet".to_owned() } else { states.join(", ") };
    if !picture.proofs.is_empty() {
        let proofs: Vec<String> =
            picture.proofs.iter().map(|(rung, count)| format!("{count} {rung}")).collect();
        states = format!("{states}; proof: {}", proofs.join(", "));
    }
    let quarantined = picture.quarantined_since.map_or_else(String::new, |oldest| {
        let count = picture.quarantined;
        format!("; {count} quarantined, the oldest for {}", since(oldest, picture.at))
    });
    screen.prose(format!("Work      {in_flight}{} undecided; {states}{quarantined}", picture.undecided));
    if picture.incidents != IncidentCounts::default() {
        screen.prose(styled(WARN, format!("Incidents {}", picture.incidents)));
    }
    for one in &picture.released {
        let ReleasedPicture { remediation, account, principal, at, works_again } = one;
        let text = format!(
            "Released  {remediation}  {} in {account}, {} ago: {}",
            clean(principal),
            since(*at, picture.at),
            works_again.sentence()
        );
        screen.prose(styled(WARN, text));
    }
    if let Some(problem) = picture.live.as_ref().and_then(|live| live.rechecks.problem()) {
        screen.prose(styled(BAD, format!("          {problem}")));
    }
    if let Some(OutagePicture { outage, waiting, .. }) = &picture.outage {
        let wait = if *waiting == 1 { "deny waits" } else { "denies wait" };
        let text = format!(
            "          {} takes no changes for {}: {waiting} {wait}: {}: {}",
            outage.service(),
            since(outage.since, picture.at),
            outage.call,
            clean(&outage.error)
        );
        screen.prose(styled(BAD, text));
    }
    let limit = match picture.accounts_at_limit.as_slice() {
        [] => String::new(),
        some => format!("; used up in {}", some.join(", ")),
    };
    screen.prose(format!(
        "Budget    {} of {} remediations begun within the hour{limit}",
        picture.begun_this_hour, picture.budget_per_hour
    ));
    if let Some(text) = &picture.latest_alert {
        let text = clean(text);
        screen.prose(format!("Alerts    {} in 24 h, the latest {text}", picture.alerts_today));
    }
}

/// What is not done, and why; last, where it is seen.
fn show_unfinished(picture: &Picture, screen: &Screen) {
    if picture.unfinished.is_empty() {
        return;
    }
    screen.line(format!("\n{}", styled(BOLD, "Not done")));
    for one in &picture.unfinished {
        let next = match (one.next_try, one.answer_by) {
            (_, Some(by)) => format!("; answer by {}", when(by)),
            (Some(next), _) if next > picture.at => {
                format!("; tried again in {}", short(next.duration_since(picture.at)))
            }
            (Some(_), _) => "; tried again now".to_owned(),
            (None, None) => String::new(),
        };
        let failed =
            one.failures.map(|count| format!("; failed {}", counted(count, "time"))).unwrap_or_default();
        let account = named_account(&one.account, one.account_name.as_deref());
        let state = styled(style(one.state), one.state);
        screen.prose(format!("{}  {state}  {} in {account}", one.short, clean(&one.role)));
        screen.prose(format!("    since {}{failed}{next}", when(one.opened_at)));
        if !one.why.is_empty() {
            screen.prose(format!("    {}", clean(&one.why)));
        }
    }
    screen.line(format!("{} shows one in full.", styled(BOLD, "rescind show ID")));
}

/// Whether anything is left to a person, in one line.
fn verdict(picture: &Picture, screen: &Screen) {
    let of = |state: State| picture.unfinished.iter().filter(|one| one.state == state).count();
    let some = [
        (of(State::Held), "held for an answer"),
        (of(State::Blocked), "blocked"),
        (of(State::Contested), "contested"),
    ];
    let parts: Vec<String> =
        some.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let text = match (picture.needs_person(), parts.is_empty()) {
        (false, _) => styled(GOOD, "Nothing needs attention."),
        (true, true) => styled(BAD, "Needs attention: see the lines above in capitals."),
        (true, false) => format!("{} {}.", styled(BAD, "Needs attention:"), parts.join(", ")),
    };
    screen.prose(format!("\n{text}"));
}

fn show_channels(picture: &Picture, screen: &Screen) {
    let mut head = "Notify";
    for one in &picture.channels {
        let how = match (&one.error, one.failed_since) {
            (Some(error), Some(since_then)) => styled(
                BAD,
                format!(
                    "NOT DELIVERED for {}, {} in a row: {}",
                    since(since_then, picture.at),
                    counted(one.failures, "time"),
                    clean(error)
                ),
            ),
            _ => "delivered".to_owned(),
        };
        screen.prose(format!("{head:<8}  {:<28}  {how}", clean(&one.channel)));
        head = "";
    }
}

fn since(then: Timestamp, now: Timestamp) -> String {
    short(now.duration_since(then).max(SignedDuration::ZERO))
}

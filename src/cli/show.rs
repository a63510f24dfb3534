//! `rescind show ID`: a remediation in full.

use super::exit::BadInput;
use super::ledger_path::OtherLedger;
use super::output::{BAD, BOLD, DIM, Screen, clean, short, styled, utc, when};
use super::policy::{diff, side_effect};
use super::remediation::label;
use super::table::{Column, Table};
use super::{Exit, watch};
use crate::config::{Config, ConfigError};
use crate::desk::{self, Shown, at_the_approval};
use crate::finding::Finding;
use crate::ledger::Reader;
use crate::org::named_account;
use crate::plural::counted;
use crate::remediation::{
    CallResult, Cutoff, Entry, Event, Given, Outage, Proposal, Remediation, State, Who, describe,
    describe_in_force, describe_proof, describe_quarantine,
};
use crate::remedy::regional;
use crate::report::rungs;
use jiff::{SignedDuration, Timestamp};

/// What an answer is signed with on the hub's host, where somebody gives a name.
const NAMED: &str = "--by NAME --reason TEXT";

/// What an answer is signed with over a hub, which knows who asks.
pub(super) const PROVED: &str = "--reason TEXT";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A remediation's id or its beginning, or a finding's id.
    pub(super) id: String,

    /// Only the finding, as it was received: JSON that `rescind handle -` takes.
    #[arg(long)]
    pub(super) finding: bool,

    /// Each AWS call that was made for it, with its time and its request's id.
    #[arg(long, conflicts_with = "finding")]
    pub(super) calls: bool,

    /// Refresh every two seconds, until you press Ctrl-C.
    #[arg(long, short, conflicts_with = "finding")]
    pub(super) watch: bool,

    #[command(flatten)]
    pub(super) ledger: OtherLedger,
}

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let (ledger, timeout) = match args.ledger.named()? {
        Some(path) => (path, None),
        None => config().map(|config| (config.ledger, Some(config.approval_timeout)))?,
    };
    let reader = Reader::open(&ledger)?;
    if args.finding && !args.id.starts_with("r-") {
        return finding(&desk::finding(&reader, &args.id)?);
    }
    let id = &desk::find(&reader, &args.id)?;
    watch::show(args.watch, screen, || show(args, &reader, id, timeout, screen))
}

/// `timeout` is how long an answer is waited for; none where no configuration says it.
fn show(
    args: &Args,
    reader: &Reader,
    id: &str,
    timeout: Option<SignedDuration>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    if args.finding {
        return finding(&reader.remediation(id)?.finding);
    }
    let shown = Shown::read(reader, id)?;
    screen.json(&shown)?;
    if screen.is_text() {
        screen.knows(reader.account_names()?);
        text(&shown, timeout, (NAMED, args.calls), screen);
    }
    Ok(Exit::Done)
}

/// A remediation, for people: what happened, what is in force, what to do; and then the details. `sign` is what an
/// answer is signed with; `calls` says that each AWS call is listed.
pub(super) fn text(
    shown: &Shown,
    timeout: Option<SignedDuration>,
    (sign, calls): (&str, bool),
    screen: &Screen,
) {
    let (remediation, incident) = (&shown.whole, shown.incident.as_deref());
    head(shown, screen);
    attached(&shown.attached, screen);
    judge(remediation, timeout, sign, screen);
    unchanged(remediation, shown.outage.as_ref(), screen);
    activities(remediation, incident, screen);
    aftercare(remediation, sign, screen);
    policy(remediation, screen);
    timeline(remediation, &shown.entries, calls, screen);
}

/// The finding alone, as it was received.
pub(super) fn finding(finding: &Finding) -> anyhow::Result<Exit> {
    let Some(detail) = finding.detail.as_deref() else {
        let why = if finding.cause.is_guardduty() {
            "the finding is too long, and was not kept whole"
        } else {
            "it is no finding of GuardDuty's, so there is none to hand in"
        };
        return Err(BadInput(why.to_owned()).into());
    };
    Screen::raw(&crate::safe::json_text(detail));
    Ok(Exit::Done)
}

fn head(shown: &Shown, screen: &Screen) {
    let (r, incident) = (&shown.whole, shown.incident.as_deref());
    let (finding, evidence) = (&r.finding, &r.finding.evidence);
    let row = |name: &str, text: String| {
        if !text.is_empty() {
            screen.prose(format!("  {:<14}{}", name, clean(&text)));
        }
    };
    screen.line(format!("{}  {}", styled(BOLD, &r.id), label(r.state)));
    let account = named_account(r.target.account.as_str(), shown.remediation.account_name.as_deref());
    row("principal", format!("{} in {account}", r.target.principal()));
    row(
        "scope",
        r.target.session().map(|one| format!("only the session {}", one.user_id)).unwrap_or_default(),
    );
    if let Some(change) = r.change.as_ref().filter(|change| !change.is_timeless()) {
        row("cutoff", change.cutoff.to_string());
    }
    if let (Some((at, _)), State::Released | State::Retired) = (&r.undone, r.state) {
        row("released", format!("{}: what follows is from before", utc(*at)));
    }
    row("deny after", r.to_deny().map(short).unwrap_or_default());
    // When the ledger was written last: nobody knows what was in place later.
    let in_force = shown.known_until.and_then(|until| r.in_force(until));
    row("in force", in_force.as_ref().map(describe_in_force).unwrap_or_default());
    if let Some(last) = r.history.quarantines.last() {
        row("quarantine", describe_quarantine(last));
    }
    if let Some(proof) = r.proof() {
        row("proof", describe_proof(proof));
    }
    if let Some(proof) = r.earlier_proof() {
        row("was proved", describe_proof(proof));
    }
    let rungs: Vec<String> = rungs(r)
        .into_iter()
        .map(|one| match r.since_activity(one.at) {
            Some(since) => format!("{} after {}", one.rung, short(since)),
            None => one.rung,
        })
        .collect();
    row("ladder", rungs.join(", "));
    if let Some(refused) = r.refused() {
        row("refused", refused.reason.clone());
        // In an outage there is more to do, and it stands below.
        if shown.outage.is_none() {
            row("to do", refused.what_to_do.clone());
        }
    }
    row("incident", incident.unwrap_or_default().to_owned());
    row("opened by", finding.derived().map(super::incident::chain).unwrap_or_default());
    let order = finding.cause.order();
    row("ordered by", order.map(|order| order.from.to_string()).unwrap_or_default());
    row("reason", order.map(|order| order.reason.clone()).unwrap_or_default());
    row("recurring", r.recurrence.as_ref().map(ToString::to_string).unwrap_or_default());
    row("finding", format!("{} ({})", finding.id, finding.region));
    row("type", finding.finding_type.clone());
    row("severity", finding.severity.map(|severity| severity.to_string()).unwrap_or_default());
    let principal = finding.principal.as_ref();
    row("access key", principal.and_then(|p| p.access_key_id.clone()).unwrap_or_default());
    row("session", principal.and_then(|p| p.principal_id.clone()).unwrap_or_default());
    row(
        "used from",
        [&evidence.remote_ip, &evidence.remote_organization, &evidence.remote_country]
            .map(|o| o.as_deref().unwrap_or_default())
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
    );
    row("call seen", evidence.api.clone().unwrap_or_default());
    row("last seen", when(finding.last_seen()));
    if finding.last_seen() > r.seen_at {
        row("", "that is later than when the finding was read: no times are counted from it".to_owned());
    }
    for note in &finding.notes {
        row("odd field", note.clone());
    }
    row("rule", r.rule.clone().unwrap_or_default());
    row("opt-outs", r.opt_outs.join(", "));
}

/// The other findings that it is for.
fn attached(findings: &[Finding], screen: &Screen) {
    if findings.is_empty() {
        return;
    }
    screen.line(format!(
        "\n{}",
        styled(BOLD, format!("It also covers {}", counted(findings.len(), "later occurrence")))
    ));
    for finding in findings.iter().rev().take(10) {
        let session = finding.principal.as_ref().and_then(|p| p.principal_id.as_deref()).unwrap_or("-");
        screen.line(format!("  {}  {}", clean(&finding.id), clean(&finding.finding_type)));
        screen.prose(format!("    session {}, last seen {}", clean(session), when(finding.last_seen())));
    }
}

/// Who must approve it, where that is not just one person, and who has.
fn approvals(r: &Remediation, screen: &Screen) {
    if r.approval.asks_for_others() {
        screen.prose(format!("  To be approved by {}.", r.approval));
    }
    for one in &r.approvals {
        screen.prose(format!("  Approved by {}: {}", clean(&one.by), clean(&one.reason)));
    }
}

/// What a person needs who is asked.
fn judge(r: &Remediation, timeout: Option<SignedDuration>, sign: &str, screen: &Screen) {
    if r.state == State::Held && !r.target.is_supported() {
        hand_over(r, sign, screen);
    } else if r.state == State::Held {
        screen.line(format!("\n{}", styled(BOLD, "Held: waiting for your decision")));
        let why = r.held_why();
        screen.prose(format!("  {}", clean(why.map_or("", |(_, why)| why))));
        if why.is_none_or(|(code, _)| !code.is_for_approval()) {
            screen.prose(
                "  Approving does nothing as long as this is so: take away what forbids it first, or reject.",
            );
        }
        match &r.proposal {
            Some(Proposal { change: Some(change), .. }) => {
                screen.prose(format!("  If it is approved: {}", change.policy()));
                screen.prose(format!("  {}", at_the_approval(change, None)));
                diff(change.before.as_deref(), Some(&change.after), screen);
                side_effect(&r.target, change, screen);
            }
            Some(Proposal { problem: Some(problem), .. }) => {
                screen.prose(format!("  The planned change could not be determined: {}", clean(problem)));
            }
            _ => screen
                .prose("  The planned change is not determined yet: that happens at the next poll or start."),
        }
        approvals(r, screen);
        screen.prose(match timeout.and_then(|timeout| r.answer_by(timeout)) {
            Some(until) if until > Timestamp::now() => {
                format!("  Expires {} if unanswered: rejected, NOT revoked. To answer:", when(until))
            }
            Some(_) => {
                "  Expired: it is rejected at the next poll or start, NOT revoked. You can still answer:"
                    .to_owned()
            }
            None => "  To answer:".to_owned(),
        });
        if matches!(r.target.who, Who::Role { .. }) {
            screen.command(4, &format!("rescind impact {}   # the impact", r.id));
        }
        screen.command(4, &format!("rescind approve {} {sign}", r.id));
        screen.command(4, &format!("rescind reject {} {sign}", r.id));
    }
    if let Some(Given { at, how, answer }) = &r.answer {
        let word = how.to_string().replace('_', " ");
        let mut by = vec![answer.os_user.clone()];
        by.extend(answer.aws_identity.clone());
        let by = by.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        screen.prose(format!(
            "\n{} {} by {}{}: {}",
            styled(BOLD, word),
            utc(*at),
            clean(&answer.by),
            if by.is_empty() { String::new() } else { format!(" ({})", clean(&by)) },
            clean(&answer.reason)
        ));
    }
}

/// What contains it while IAM takes no changes.
fn unchanged(r: &Remediation, outage: Option<&Outage>, screen: &Screen) {
    let Some(outage) = outage else { return };
    let title = format!("{} takes no changes since {}", outage.service(), utc(outage.since));
    screen.line(format!("\n{}", styled(BAD, title)));
    screen.prose(format!("  {}: {}", outage.call, clean(&outage.error)));
    screen.prose("  rescind goes on trying. Until then, by hand:");
    advice(&regional(r, Cutoff::at(Timestamp::now())), screen);
}

/// Lines of advice. Those that begin with spaces can be copied whole.
fn advice(lines: &[String], screen: &Screen) {
    for line in lines {
        if line.starts_with(' ') {
            let command = line.trim_start();
            screen.command(2 + line.len() - command.len(), &clean(command));
        } else {
            screen.prose(format!("  - {}", clean(line)));
        }
    }
}

/// What only a person can do.
fn hand_over(r: &Remediation, sign: &str, screen: &Screen) {
    let title = "Held: rescind cannot do this. Do it by hand, then report it:";
    screen.line(format!("\n{}", styled(BOLD, title)));
    screen.prose(format!("  {}", clean(r.what_to_do.as_deref().unwrap_or_default())));
    screen.command(4, &format!("rescind done {} {sign}", r.id));
}

fn policy(r: &Remediation, screen: &Screen) {
    let Some(change) = &r.change else { return };
    screen.prose(format!("\n{}", styled(BOLD, format!("The {}", change.policy()))));
    diff(change.before.as_deref(), Some(&change.after), screen);
    if let Some(key) = &change.key {
        screen.line(format!(
            "  Access key {}: {}",
            clean(&key.id),
            if key.was_active { "deactivated" } else { "was inactive already" }
        ));
    }
}

/// What the stolen credentials made elsewhere.
fn activities(r: &Remediation, incident: Option<&str>, screen: &Screen) {
    let worked: Vec<_> = r.history.activities.iter().filter(|one| one.worked()).collect();
    if worked.is_empty() {
        return;
    }
    screen.line(format!("\n{}", styled(BAD, "Made elsewhere with the stolen credentials, by CloudTrail")));
    for one in worked {
        screen.prose(format!("  {}  {}", one.thing, clean(one.object.as_deref().unwrap_or("?"))));
        let key = one
            .opened
            .as_ref()
            .map(|opened| opened.access_key.as_str())
            .map(|key| format!("access key {key}, "));
        let by = one.by.as_deref().map(|by| format!(" with {by}"));
        let from = one.source_ip.as_deref().map(|from| format!(" from {from}"));
        let parts = [key, Some(format!("{} {}", one.call, utc(one.at))), by, from];
        screen.prose(format!("    {}", clean(&parts.into_iter().flatten().collect::<String>())));
    }
    let incident = incident.unwrap_or(&r.id);
    screen.prose(format!(
        "  `rescind incident show {incident}` has what became of it, and what to do about it."
    ));
}

/// The steps; of the AWS calls between them only how many there were, unless `calls` asks for each.
fn timeline(r: &Remediation, entries: &[Entry], calls: bool, screen: &Screen) {
    screen.line(format!("\n{}", styled(BOLD, "Timeline (UTC)")));
    let mut rows = Table::new(vec![
        Column::whole("entry", 1),
        Column::whole("time", 0),
        Column::whole("after", 0),
        Column::prose("what", 0),
    ]);
    let (mut count, mut failed) = (0, 0);
    rows.add_row([
        String::new(),
        utc(r.finding.last_seen()),
        String::new(),
        r.finding.cause.beginning().to_owned(),
    ]);
    for entry in entries {
        if let (Event::Call(call), false) = (&entry.event, calls) {
            count += 1;
            failed += usize::from(matches!(call.result, CallResult::Error { .. }));
            continue;
        }
        rows.add_row([
            entry.seq.to_string(),
            utc(entry.time),
            r.since_activity(entry.time).map(short).unwrap_or_default(),
            describe(&entry.event),
        ]);
    }
    screen.line(rows.trim_fmt());
    if count > 0 {
        let failed = if failed > 0 { format!(", {failed} of them with an error") } else { String::new() };
        let text = format!("{}{failed}: --calls lists each.", counted(count, "AWS call"));
        screen.prose(styled(DIM, text));
    }
}

/// What people must do now, and the impact.
fn aftercare(r: &Remediation, sign: &str, screen: &Screen) {
    let instance = r.finding.evidence.instance_id.as_deref();
    if r.state.is_in_place() {
        screen.line(format!("\n{}", styled(BOLD, "What to do now")));
        advice(&crate::remedy::aftercare(&r.target, instance, r.recurrence.is_some()), screen);
        screen.line("  - To undo it:");
        screen.command(6, &format!("rescind release {} {sign}", r.id));
    }
    if let Some(impact) = &r.impact {
        screen.line(format!("\n{}", styled(BOLD, "Impact")));
        for line in &r.impact_lines(impact) {
            screen.prose(format!("  {}", clean(line)));
        }
    }
}

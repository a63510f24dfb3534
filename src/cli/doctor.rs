//! `rescind doctor`: whether everything is in place.

use super::output::{BAD, BOLD, DIM, GOOD, Screen, WARN, clean, styled};
use super::runtime::block_on;
use super::table::table;
use super::{Exit, signals};
use crate::config::{Config, OptOuts};
use crate::doctor::{Diagnosis, Doctor, GuardDuty, Level, Problem};
use crate::ident::AccountId;
use crate::ledger::Reader;
use crate::org::AccountNames;
use crate::plural::counted;
use crate::replication::open_ledger;
use crate::service;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

/// Maximum number of places that are listed for one problem.
const NAMED: usize = 5;

/// How the commands begin that fix a problem.
const COMMANDS: [&str; 3] = ["aws ", "rescind ", "("];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these accounts; several times for several.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<AccountId>,

    /// List every place of a problem, not only the first five.
    #[arg(long)]
    all: bool,
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    block_on(async {
        let stop = signals::stop_token();
        let ledger = open_ledger(config)?;
        let hub = service::hub(config, &ledger).await?;
        let reader = Reader::open(&config.ledger)?;
        screen.knows(reader.account_names()?);
        // What is wrong with the file is one of the problems.
        let opt_outs = OptOuts::load(&config.opt_outs_file, Timestamp::now()).unwrap_or_default();
        let doctor = Doctor { config, hub: &hub, reader: &reader, opt_outs, only: args.accounts.clone() };
        let bar = progress_bar(screen);
        let progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        let diagnosis = tokio::select! {
            diagnosis = doctor.examine(&progress) => diagnosis,
            () = stop.cancelled() => return Ok(Exit::Interrupted),
        };
        bar.finish_and_clear();
        ledger.close();
        describe(args, config, &diagnosis, screen)
    })
}

fn describe(args: &Args, config: &Config, diagnosis: &Diagnosis, screen: &Screen) -> anyhow::Result<Exit> {
    let (covered, all) = diagnosis.coverage();
    let mut document = serde_json::to_value(diagnosis)?;
    document["green"] = diagnosis.is_green().into();
    document["covered"] = covered.into();
    document["pairs"] = all.into();
    document["unknown"] = diagnosis.unknown().into();
    screen.json(&document)?;
    if screen.is_text() {
        coverage(diagnosis, screen);
        screen.line(format!("Config    {}", clean(&config.file.display().to_string())));
        screen.line("");
        for group in grouped(&diagnosis.problems) {
            show(args, &group, screen);
        }
        let of = |level, noun| {
            let groups = grouped(&diagnosis.problems).into_iter().filter(|group| group.first.level == level);
            let (groups, places) =
                groups.fold((0, 0), |(groups, places), group| (groups + 1, places + group.places.len()));
            let count = counted(groups, noun);
            if places > groups { format!("{count} in {}", counted(places, "place")) } else { count }
        };
        let counts = format!("{}, {}", of(Level::Problem, "problem"), of(Level::Warning, "warning"));
        screen.line(if diagnosis.is_green() {
            format!("{}  {counts}", styled(GOOD, "GREEN"))
        } else {
            format!("{}  {counts}", styled(BAD, "NOT GREEN"))
        });
    }
    Ok(if diagnosis.is_green() { Exit::Done } else { Exit::NeedsPerson })
}

fn coverage(diagnosis: &Diagnosis, screen: &Screen) {
    let members = diagnosis.members.len();
    let mut rows = table(&["region", "guardduty", "sending", "covered", ""]);
    for region in &diagnosis.regions {
        let known = |of: String| if region.sending.is_some() { of } else { "unknown".to_owned() };
        rows.add_row([
            region.region.to_string(),
            guardduty(region.guardduty).to_owned(),
            known(format!("{} of {members}", region.sending.unwrap_or(0))),
            known(format!("{} of {members}", region.covered)),
            if region.sending.is_some() { percent(region.covered, members) } else { String::new() },
        ]);
    }
    screen.line(rows.trim_fmt());
    screen.line("");
    if diagnosis.accounts_listed {
        readiness(diagnosis, screen);
    } else {
        screen.line("Accounts  unknown: they could not be listed");
        screen.line(format!("Coverage  {}", styled(BAD, "unknown")));
    }
    let ours = i32::try_from(-diagnosis.clock_skew_ms).unwrap_or(i32::MAX);
    screen.line(format!("Clock     {:+.1} s from AWS's", f64::from(ours) / 1000.0));
}

/// Of how many accounts, and pairs of account and region, it is known that they are in order.
fn readiness(diagnosis: &Diagnosis, screen: &Screen) {
    let members = &diagnosis.members;
    let count = |ready| members.iter().filter(|member| member.ready == ready).count();
    let not_read = |count: usize| match count {
        0 => String::new(),
        count => format!("; {count} could not be inspected"),
    };
    screen.line(format!(
        "Accounts  {} of {} active accounts are ready for revocation{}",
        count(Some(true)),
        members.len(),
        not_read(count(None)),
    ));
    if members.iter().any(|member| member.sealed.is_none()) {
        screen.line("Sealed    unknown: the organization's policies could not be read");
    } else {
        let sealed = members.iter().filter(|member| member.sealed == Some(true)).count();
        screen.line(format!("Sealed    {sealed} of {} active accounts", members.len()));
    }
    let (covered, all) = diagnosis.coverage();
    let style = if covered == all && all > 0 { GOOD } else { BAD };
    screen.line(format!(
        "Coverage  {} ({covered} of {all} pairs of account and region{})",
        styled(style, percent(covered, all)),
        not_read(diagnosis.unknown()),
    ));
}

fn guardduty(detector: GuardDuty) -> &'static str {
    match detector {
        GuardDuty::Enabled => "enabled",
        GuardDuty::Suspended => "SUSPENDED",
        GuardDuty::NotEnabled => "NOT ENABLED",
        GuardDuty::Unknown => "unknown",
    }
}

/// Rounded down: 100 % is all.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let tenths = part * 1000 / whole;
    if tenths.is_multiple_of(10) {
        format!("{} %", tenths / 10)
    } else {
        format!("{}.{} %", tenths / 10, tenths % 10)
    }
}

/// Problems that say the same of several places.
struct Group<'a> {
    first: &'a Problem,
    places: Vec<&'a str>,
}

fn grouped(problems: &[Problem]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    // They are sorted, so those that say the same stand together.
    for problem in problems {
        match groups.last_mut() {
            Some(group)
                if (group.first.code, &group.first.text, &group.first.fix)
                    == (problem.code, &problem.text, &problem.fix) =>
            {
                group.places.push(&problem.place);
            }
            _ => groups.push(Group { first: problem, places: vec![&problem.place] }),
        }
    }
    groups
}

fn show(args: &Args, group: &Group<'_>, screen: &Screen) {
    let Group { first, places } = group;
    let word = match first.level {
        Level::Problem => styled(BAD, "PROBLEM"),
        Level::Warning => styled(WARN, "warning"),
        Level::Note => styled(DIM, "note   "),
    };
    let most = if args.all { places.len() } else { NAMED };
    let names = screen.names();
    let shown = places.iter().take(most).map(|place| in_words(place, &names)).collect::<Vec<_>>().join(", ");
    let more = match places.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {more} more (--all names them)"),
    };
    screen.prose(format!("{word}  {}{more}: {}", styled(BOLD, clean(&shown)), clean(&first.text)));
    for line in first.fix.lines() {
        let line = if places.len() == 1 { line.replace("ACCOUNT", places[0]) } else { line.to_owned() };
        // A command to paste stays one command.
        if COMMANDS.iter().any(|command| line.trim_start().starts_with(command)) {
            screen.command(9, &clean(line.trim_start()));
        } else {
            screen.prose(format!("         {}", clean(&line)));
        }
    }
}

/// A place, with the account's name where it is one.
fn in_words(place: &str, names: &AccountNames) -> String {
    place.parse().map_or_else(|_| place.to_owned(), |account| names.in_words(&account))
}

/// On a terminal only.
fn progress_bar(screen: &Screen) -> ProgressBar {
    if !screen.is_text() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "looking {bar:40} {human_pos} of {human_len} accounts and regions, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

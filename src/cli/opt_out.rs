//! `rescind opt-out`: look at the opt-outs, and change their file.

use super::Exit;
use super::exit::BadInput;
use super::output::{BAD, BOLD, Screen, WARN, clean, styled, when};
use super::table::table;
use crate::config::{Config, Mode, OptOut, OptOutDocument, OptOutMode, OptOuts, SOON_DAYS, Selector};
use crate::ident::{AccountId, Region, RoleName};
use crate::ledger::Reader;
use crate::plural::counted;
use crate::triage::{Applies, Case, mode_of_tag, most_cautious};
use anstyle::Style;
use clap::Subcommand;
use jiff::{Timestamp, civil::Date};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the opt-outs, with those that expired or soon will.
    List,
    /// Add one to the file. Comments and order of the file are kept.
    Add(Box<Add>),
    /// Remove one from the file. Comments and order of the others are kept.
    Remove {
        /// Name of the opt-out.
        name: String,
    },
    /// Show which opt-outs apply to an account, a role, a finding type.
    Explain(Explain),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its name, unique in the file.
    name: String,
    /// The boldest mode that it still allows.
    #[arg(long)]
    mode: OptOutMode,
    /// Who is responsible for it.
    #[arg(long)]
    owner: String,
    /// Why it is needed. The ledger records it.
    #[arg(long)]
    reason: String,
    /// The last day on which it applies (UTC), at most 365 days ahead.
    #[arg(long, value_name = "DATE", conflicts_with = "permanent", value_parser = a_day)]
    expires: Option<Date>,
    /// The opt-out never expires.
    #[arg(long)]
    permanent: bool,
    /// An account id; several times for several.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// An organizational unit by id, and everything below it.
    #[arg(long = "ou", value_name = "ID")]
    ous: Vec<String>,
    /// A tag of the account.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// A role's name, with * and ?.
    #[arg(long = "role", value_name = "NAME")]
    roles: Vec<String>,
    /// A finding type, with * and ?.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// A region of the finding.
    #[arg(id = "aws_region", long = "region", value_name = "REGION")]
    regions: Vec<Region>,
}

#[derive(Debug, clap::Args)]
struct Explain {
    /// Id of the account.
    #[arg(long)]
    account: AccountId,
    /// A role in it.
    #[arg(long)]
    role: Option<RoleName>,
    /// Type of the finding.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Region in which GuardDuty made the finding.
    #[arg(id = "aws_region", long = "region", value_name = "REGION")]
    region: Option<Region>,
}

/// A day, as TOML has it.
fn a_day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "expected a day (UTC) such as 2027-03-31".to_owned())
}

impl Args {
    /// It changes the file, which may be broken: what is wrong with it is said then.
    pub fn changes(&self) -> bool {
        matches!(self.command, Command::Add(_) | Command::Remove { .. })
    }
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    match &args.command {
        Command::List => list(&config.opt_outs, screen),
        Command::Add(add) => {
            add.check()?;
            let file = OptOutDocument::lock(&config.opt_outs_file)?;
            let after = file.with(&add.lines(), Timestamp::now())?;
            write(&file, &after, &add.name, "added", screen)
        }
        Command::Remove { name } => {
            let file = OptOutDocument::lock(&config.opt_outs_file)?;
            let Some(after) = file.without(name, Timestamp::now())? else {
                let path = file.path().display();
                let text = format!("{path}: no opt-out is named {name:?}: `rescind opt-out list` names them");
                return Err(BadInput(text).into());
            };
            write(&file, &after, name, "removed", screen)
        }
        Command::Explain(what) => explain(what, config, screen),
    }
}

fn write(
    file: &OptOutDocument,
    after: &str,
    name: &str,
    word: &str,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    file.replace(after)?;
    screen.json(&serde_json::json!({ word: name, "file": file.path() }))?;
    screen.line(format!("{}  {word} in {}", styled(BOLD, clean(name)), file.path().display()));
    screen.prose(
        "A running service applies it within seconds; removing or loosening an opt-out takes 10 more.",
    );
    Ok(Exit::Done)
}

impl Add {
    /// What the file itself would allow, and is a mistake all the same.
    fn check(&self) -> Result<(), BadInput> {
        if self.expires.is_none() && !self.permanent {
            let text = "expected --expires DATE, the last day on which it applies, or --permanent";
            return Err(BadInput(text.to_owned()));
        }
        let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        if let Some(last) = self.expires.filter(|last| *last < today) {
            return Err(BadInput(format!("--expires {last}: that day is over (today is {today}, UTC)")));
        }
        let mut keys = std::collections::HashSet::new();
        for tag in &self.tags {
            match tag.split_once('=') {
                Some((key, _)) if !key.is_empty() && keys.insert(key) => {}
                Some((key, _)) if !key.is_empty() => {
                    return Err(BadInput(format!(
                        "--tag {key}: an account has one value for a tag; add two opt-outs"
                    )));
                }
                _ => return Err(BadInput(format!("--tag {tag:?}: expected KEY=VALUE"))),
            }
        }
        Ok(())
    }

    /// The opt-out as it stands in the file.
    fn lines(&self) -> Vec<(&'static str, toml_edit::Value)> {
        let list = |items: &[String]| items.iter().map(String::as_str).collect::<toml_edit::Array>().into();
        let mut lines: Vec<(&str, toml_edit::Value)> = vec![("name", self.name.as_str().into())];
        let regions: Vec<String> = self.regions.iter().map(ToString::to_string).collect();
        let lists = [
            ("accounts", &self.accounts),
            ("ous", &self.ous),
            ("roles", &self.roles),
            ("types", &self.types),
            ("regions", &regions),
        ];
        lines.extend(
            lists.iter().filter(|(_, items)| !items.is_empty()).map(|(key, items)| (*key, list(items))),
        );
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| tag.split_once('=').unwrap_or((tag, "*")));
            let tags: toml_edit::InlineTable = tags.collect();
            lines.push(("tags", tags.into()));
        }
        lines.push(("mode", Mode::from(self.mode).to_string().into()));
        lines.push(("owner", self.owner.as_str().into()));
        lines.push(("reason", self.reason.as_str().into()));
        match self.expires {
            Some(date) => {
                let date: Option<toml_edit::Datetime> = date.to_string().parse().ok();
                lines.extend(date.map(|date| ("expires", date.into())));
            }
            None => lines.push(("permanent", true.into())),
        }
        lines
    }
}

/// Until when, in words; and in which style, because it may be worth a warning.
fn until(opt_out: &OptOut) -> (String, Style) {
    match (opt_out.expires, opt_out.days_left(Timestamp::now())) {
        (Some(last), Some(days)) if days < 0 => (format!("{last} (EXPIRED: does not apply)"), BAD),
        (Some(last), Some(days)) if days <= i64::from(SOON_DAYS) => {
            (format!("{last} (in {})", counted(days, "day")), WARN)
        }
        (Some(last), _) => (last.to_string(), Style::new()),
        (None, _) => ("permanent".to_owned(), Style::new()),
    }
}

/// The column of [`until`] in both tables.
const UNTIL: usize = 2;

fn list(opt_outs: &OptOuts, screen: &Screen) -> anyhow::Result<Exit> {
    screen.lists(&["items"]);
    let mut rows = table(&["name", "mode", "until", "what", "owner", "reason"]);
    for opt_out in &opt_outs.all {
        screen.item("items", &serde_json::json!({
            "opt_out": opt_out, "applies": opt_out.applies(Timestamp::now()), "days_left": opt_out.days_left(Timestamp::now()),
        }))?;
        let (until, style) = until(opt_out);
        let row = [
            opt_out.name.clone(),
            opt_out.mode.to_string(),
            until,
            in_words(&opt_out.selects),
            opt_out.owner.clone(),
            opt_out.reason.clone(),
        ];
        rows.add_styled_row(row, UNTIL, style);
    }
    screen.line(if opt_outs.all.is_empty() {
        "No opt-outs. `rescind opt-out add` adds one.".to_owned()
    } else {
        rows.trim_fmt()
    });
    Ok(Exit::Done)
}

fn in_words(selects: &Selector) -> String {
    let mut parts = Vec::new();
    let mut part = |what: &str, items: Vec<&str>| {
        if !items.is_empty() {
            let between = if what == "tag" { " and " } else { " or " };
            parts.push(format!("{what} {}", items.join(between)));
        }
    };
    part("account", selects.accounts.iter().map(AccountId::as_str).collect());
    part("OU", selects.ous.iter().map(crate::config::OuId::as_str).collect());
    let tags: Vec<String> = selects.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    part("tag", tags.iter().map(String::as_str).collect());
    part("role", selects.roles.iter().map(crate::config::Glob::as_str).collect());
    part("type", selects.types.iter().map(crate::config::Glob::as_str).collect());
    part("region", selects.regions.iter().map(Region::as_str).collect());
    parts.join(", ")
}

/// Offline: by the file, and by what the ledger keeps of the organization.
fn explain(what: &Explain, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let placement = match Reader::open(&config.ledger) {
        Ok(reader) => {
            screen.knows(reader.account_names()?);
            reader.placement(&what.account)?
        }
        Err(crate::ledger::LedgerError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let case = Case {
        account: &what.account,
        role: what.role.as_ref().map(RoleName::as_str),
        kind: what.kind.as_deref(),
        region: what.region.as_ref(),
        placement: placement.as_ref(),
    };
    screen.lists(&["opt_outs"]);
    let (mut applying, mut is_unclear) = (Vec::new(), false);
    let mut rows = table(&["opt-out", "mode", "until", "applies", "what"]);
    for opt_out in &config.opt_outs.all {
        let applies = case.is_for(opt_out, Timestamp::now());
        let word = match applies {
            Applies::Yes => "yes",
            Applies::Perhaps => "perhaps",
            Applies::No => "no",
        };
        let line = serde_json::json!({ "opt_out": opt_out.name, "mode": opt_out.mode, "applies": word });
        screen.item("opt_outs", &line)?;
        if applies == Applies::Yes {
            applying.push(opt_out);
        }
        is_unclear |= applies == Applies::Perhaps;
        let (until, style) = until(opt_out);
        let row = [
            opt_out.name.clone(),
            opt_out.mode.to_string(),
            until,
            word.to_owned(),
            in_words(&opt_out.selects),
        ];
        rows.add_styled_row(row, UNTIL, style);
    }
    if !config.opt_outs.all.is_empty() {
        screen.line(rows.trim_fmt());
    }
    if is_unclear {
        screen.prose("\"perhaps\": it depends on a role, type or region that was not given, or on OUs or tags that were not read yet.");
    }
    let mut said = Vec::new();
    if let Some(opt_out) = most_cautious(&applying) {
        said.push((opt_out.mode, format!("opt-out {}", opt_out.name)));
    }
    let tags_read_at = placement.as_ref().map(|placement| placement.read_at);
    if let Some(key) = &config.account_tag {
        match placement.as_ref().map(|placement| placement.tags.get(key)) {
            None => {
                screen.prose(format!("The account's tags were not read yet: its tag {key} may allow less."));
            }
            Some(None) => {}
            Some(Some(value)) => {
                said.push((mode_of_tag(value), format!("the account's tag {key} = {value}")));
            }
        }
    }
    if let Some(at) = tags_read_at {
        screen.prose(format!("The account's tags and OUs are as they were read {}.", when(at)));
    }
    let arn = what.role.as_ref().map(|role| config.partition().role_arn(&what.account, role.as_str()));
    let protected = arn.and_then(|arn| config.protected.iter().find(|pattern| pattern.matches(&arn)));
    if let Some(pattern) = protected {
        said.push((Mode::Off, format!("protected by {pattern}")));
    }
    // The first of those that are the same.
    let strongest = said.iter().rev().max_by_key(|(mode, _)| *mode).filter(|(mode, _)| *mode > config.mode);
    let mode = strongest.map_or(config.mode, |(mode, _)| *mode);
    screen.fields(&serde_json::json!({
        "mode": mode, "decided_by": strongest.map(|(_, what)| what), "tags_read_at": tags_read_at,
    }))?;
    screen.line(match strongest {
        Some((mode, what)) => format!("At most {mode}: {}.", clean(what)),
        None => format!("At most {mode}: the mode of the installation. (Rules may say less.)"),
    });
    Ok(Exit::Done)
}

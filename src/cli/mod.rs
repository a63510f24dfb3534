//! What a person sees: one file for each subcommand.

mod act;
mod alerts;
mod answer;
mod complete;
mod completions;
mod confirm;
mod doctor;
#[cfg(test)]
mod documents;
mod drill;
mod examples;
mod exit;
mod explain;
mod filter;
mod folding;
mod follow;
mod formats;
mod handle;
mod health;
mod hosts;
mod hub;
mod impact;
mod in_need;
mod incident;
mod init;
mod init_place;
mod interactive;
mod ledger;
mod ledger_path;
mod list;
mod man;
mod notify;
mod opt_out;
mod output;
mod plan;
mod policies;
mod policy;
mod recheck;
mod release;
mod remediation;
mod report;
mod revoke;
mod run;
mod runtime;
mod show;
mod signals;
mod status;
mod summary;
mod table;
mod telemetry;
mod watch;

pub use exit::Exit;
use exit::what_to_do;

use crate::aws::{use_profile, use_region};
use crate::config::{Config, ServicePlace, find};
use crate::desk::Kind;
use crate::ident::Region;
use crate::service;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use in_need::{in_need, of_service};
use output::{Format, Screen};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

/// Revokes stolen AWS role sessions across a whole AWS Organization, and proves it.
///
/// Credentials, profiles and endpoints are found as every AWS tool finds them: AWS_PROFILE,
/// AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on.
#[derive(Debug, Parser)]
#[command(name = "rescind", version = env!("RESCIND_VERSION"), max_term_width = 100)]
pub struct Cli {
    /// Path of the configuration file [default: the first that is there of ./rescind.toml,
    /// $XDG_CONFIG_HOME/rescind/rescind.toml (~/.config), /etc/rescind/rescind.toml].
    #[arg(long, short, global = true, env = "RESCIND_CONFIG", value_name = "FILE", help_heading = GLOBAL)]
    config: Option<PathBuf>,

    /// Address of a hub to ask, instead of this machine's configuration and ledger: https://HOST. Requests are signed with
    /// AWS credentials, and these say who asks.
    #[arg(long, global = true, env = "RESCIND_HUB", value_name = "URL", help_heading = GLOBAL)]
    hub: Option<hub::HubUrl>,

    /// How results are written: text for people, or JSON for programs. Some commands have more formats.
    #[arg(
        long,
        short,
        global = true,
        default_value = "text",
        value_name = "FORMAT",
        value_parser = formats::all(),
        help_heading = GLOBAL
    )]
    output: String,

    /// Profile of AWS's own files whose credentials are used, also where the environment has keys [default: AWS_PROFILE].
    #[arg(long, global = true, value_name = "NAME", help_heading = GLOBAL)]
    profile: Option<String>,

    /// Region of this machine: its STS is asked first, and its replica of the log's table is used [default: AWS_REGION].
    /// Which regions are watched, the configuration says.
    #[arg(id = "aws_region", long = "region", global = true, value_name = "REGION", help_heading = GLOBAL)]
    aws_region: Option<Region>,

    /// What is logged to standard error: error, warn, info, debug or trace [default: info for
    /// `run`, warn for all else].
    #[arg(long, global = true, env = "RESCIND_LOG", value_name = "LEVEL", help_heading = GLOBAL)]
    log: Option<LevelFilter>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented configuration that only observes.
    Init(init::Args),
    /// Show what would be done about the findings, and change nothing.
    Plan(plan::Args),
    /// Poll GuardDuty and act on what comes.
    Run(run::Args),
    /// Act on the findings in a file, in any form in which GuardDuty findings travel.
    Handle(handle::Args),
    /// Order a revocation: a role's sessions, one session, or a user's key; with or without a finding.
    Revoke(revoke::Args),
    /// Show how a running service is doing, and what needs attention.
    Status(status::Args),
    /// Check whether the service is alive: for health checks of containers.
    Health(health::Args),
    /// Check that everything is in place: roles, GuardDuty, queue, ledger, files.
    Doctor(doctor::Args),
    /// Hold a fire drill with a throw-away role: theft, deny, proof and release.
    Drill(drill::Args),
    /// Print the IAM documents that rescind is deployed with.
    Policies(policies::Args),
    /// List the remediations, or every decision.
    List(list::Args),
    /// Show a remediation in full.
    Show(show::Args),
    /// Incidents: all that hangs together with one theft, and what is left to do.
    Incident(incident::Args),
    /// List what was raised to people, and say that it was seen to.
    Alerts(alerts::Args),
    /// Show every check that led to the decision about a finding.
    Explain(explain::Args),
    /// Report what was done over a period, for people, auditors and other programs.
    Report(Box<report::Args>),
    /// The ledger as evidence: check it, prove entries, keep copies, archive.
    Ledger(ledger::Args),
    /// Show the opt-outs, and change their file.
    OptOut(opt_out::Args),
    /// Approve held remediations: they are checked again and carried out.
    Approve(answer::Args),
    /// Reject held remediations: they are not carried out.
    Reject(answer::Args),
    /// Record that a person did by hand what rescind cannot do.
    Done(answer::DoneArgs),
    /// Undo a remediation: restore what was there before.
    Release(release::Args),
    /// Look up the impact of a remediation: instances, who may assume the role, when old tokens expire.
    Impact(impact::Args),
    /// Test the notification channels.
    Notify(notify::Args),
    /// Check now that every deny is still in force, and put back any that is not.
    Recheck,
    /// Print the completions of a shell.
    Completions(completions::Args),
    /// Write the manual pages.
    Man(man::Args),
}

/// Heading of the options that every command has.
const GLOBAL: &str = "Global options";

/// The command line, with examples and with what completes its arguments.
#[must_use]
pub fn command() -> clap::Command {
    let command = Cli::command();
    let command = command.mut_subcommand("report", |one| formats::usual_below(one, "push-securityhub"));
    complete::completing(examples::below(command, "", exit::HELP))
}

/// Reads the command line, or answers a shell that asks what can come next. Where it is wrong, the process ends.
#[must_use]
pub fn parse() -> Cli {
    clap_complete::CompleteEnv::with_factory(command).var(completions::VARIABLE).complete();
    Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit())
}

/// Runs the command line, and gives the exit code.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let log = cli.log.unwrap_or(match &cli.command {
        Command::Run(args) if args.is_service() => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    });
    let format = match cli.command.format(&cli.output) {
        Ok(format) => format,
        Err(error) => return ended(Err(error.into()), &Screen::new(Format::Text)),
    };
    let _telemetry = telemetry::init(log, format);
    let screen = Screen::new(format);
    if let Some(profile) = cli.profile {
        use_profile(profile);
    }
    if let Some(region) = cli.aws_region {
        use_region(region);
    }
    let named = cli.config;
    if let Some(hub) = cli.hub.as_ref().filter(|_| !cli.command.needs_nothing()) {
        return ended(hub::run(hub, &cli.command, &screen), &screen);
    }
    let config = find(named.clone());
    let done = match cli.command {
        Command::Init(args) => init::run(&args, named, &screen),
        Command::Plan(args) => with_config(&config, |config| {
            service::warn_of_types(&config);
            plan::run(&args, config, &screen)
        }),
        Command::Run(args) => with_config(&config, |config| run::run(&args, config, &screen)),
        Command::Handle(args) => {
            with_service("handle", &config, |config| handle::run(&args, config, &screen))
        }
        Command::Revoke(args) => {
            with_service("revoke", &config, |config| revoke::run(&args, config, &screen))
        }
        Command::Status(args) => with_ledger(&config, |config| status::run(&args, &config, &screen)),
        Command::Health(args) => ServicePlace::read(&config)
            .map_err(Into::into)
            .and_then(|place| health::run(&args, &place, &screen)),
        Command::Doctor(args) => with_config_alone(&config, |config| doctor::run(&args, &config, &screen)),
        Command::Drill(args) => with_config_alone(&config, |config| drill::run(&args, &config, &screen)),
        Command::Policies(args) => policies::run(&args, || Config::load_alone(&config), &screen),
        Command::List(args) => list::run(&args, || in_need(&config), &screen),
        Command::Show(args) => show::run(&args, || in_need(&config), &screen),
        Command::Incident(args) => incident::run(&args, &config, &screen),
        Command::Alerts(args) => with_ledger(&config, |config| alerts::run(&args, &config, &screen)),
        Command::Explain(args) => explain::run(&args, || in_need(&config), &screen),
        Command::Report(args) => report::run(&args, &config, &screen),
        Command::Ledger(args) => ledger::run(&args, &config, &screen),
        Command::OptOut(args) if args.changes() => {
            with_config_alone(&config, |config| opt_out::run(&args, &config, &screen))
        }
        Command::OptOut(args) => with_config(&config, |config| opt_out::run(&args, &config, &screen)),
        Command::Approve(args) | Command::Reject(args) if args.interactive => {
            with_config_alone(&config, |config| interactive::run(&args, &config, &screen))
        }
        Command::Approve(args) => {
            with_ledger(&config, |config| answer::run(&args, Kind::Approve, &config, &screen))
        }
        Command::Reject(args) => {
            with_ledger(&config, |config| answer::run(&args, Kind::Reject, &config, &screen))
        }
        Command::Done(args) => with_ledger(&config, |config| answer::run_done(&args, &config, &screen)),
        Command::Release(args) => {
            with_service("release", &config, |config| release::run(&args, config, &screen))
        }
        Command::Impact(args) => {
            with_service("impact", &config, |config| impact::run(&args, config, &screen))
        }
        Command::Notify(args) => with_config(&config, |config| notify::run(&args, config, &screen)),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args, command(), &screen),
        Command::Recheck => with_config(&config, |config| recheck::run(config, &screen)),
    };
    ended(done, &screen)
}

impl Command {
    /// It is about this program alone.
    fn needs_nothing(&self) -> bool {
        matches!(self, Self::Completions(_) | Self::Man(_))
    }

    /// How its results are written: what a report or a graph is written in is no format of the notes about it.
    fn format(&self, name: &str) -> Result<Format, exit::BadInput> {
        match self {
            Self::Report(args) if args.is_format(name) => Ok(formats::named(name).unwrap_or(Format::Text)),
            Self::Incident(args) if args.is_format(name) => Ok(Format::Text),
            _ => formats::named(name).ok_or_else(|| formats::unknown(name)),
        }
    }
}

/// The exit code of what was done. Of an error, its text is shown.
fn ended(done: anyhow::Result<Exit>, screen: &Screen) -> ExitCode {
    if done.is_err() {
        screen.drop_empty();
    }
    screen.end();
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = Exit::of(&error);
            // The error and its causes, each once; what to do stands below them.
            let text = format!("{error:#}");
            screen.error(&what_to_do(&error).map_or(text.clone(), |hint| format!("{text}\n  {hint}")));
            exit.into()
        }
    }
}

fn with_config(
    path: &std::path::Path,
    then: impl FnOnce(Config) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    then(Config::load(path)?)
}

/// For what needs the ledger alone: a broken configuration must not keep anybody from looking or answering.
fn with_ledger(
    path: &std::path::Path,
    then: impl FnOnce(Config) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    then(in_need(path)?)
}

/// For what a running service carries out: with a broken configuration it goes by what the service goes by.
fn with_service(
    command: &str,
    path: &std::path::Path,
    then: impl FnOnce(Config) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    then(of_service(command, path)?)
}

/// For what decides nothing: a broken file of opt-outs must not keep anybody from looking or answering.
fn with_config_alone(
    path: &std::path::Path,
    then: impl FnOnce(Config) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    then(Config::load_alone(path)?)
}

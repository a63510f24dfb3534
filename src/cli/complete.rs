//! What a shell completes: ids, accounts and more, from the ledger that the command line names.

use crate::config::{Config, find};
use crate::ledger::{PageWanted, Reader};
use crate::remediation::{Remediation, State};
use clap::{Command, Id};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Maximum number of candidates: a shell that shows more helps nobody.
const MOST: usize = 200;

/// Maximum number of remediations that are looked at where next to nothing is typed.
const LOOKED_AT: usize = 500;

/// Number of characters from which on all that begin so are looked at.
const FEW: usize = 5;

/// What an argument names.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// A remediation that a command can be given.
    Remediation(fn(&Remediation) -> bool),
    /// An incident.
    Incident,
    /// An alert of the last days that nobody has seen to.
    Alert,
    /// An account of the organization.
    Account,
    /// How much is logged.
    Level,
}

/// The arguments that are completed from the ledger, by the command's path and their names.
const ARGUMENTS: &[(&str, &str, Named)] = &[
    ("", "log", Named::Level),
    ("approve", "ids", Named::Remediation(is_held)),
    ("approve", "incident", Named::Incident),
    ("reject", "ids", Named::Remediation(is_held)),
    ("reject", "incident", Named::Incident),
    ("done", "ids", Named::Remediation(is_by_hand)),
    ("release", "id", Named::Remediation(is_releasable)),
    ("show", "id", Named::Remediation(is_any)),
    ("impact", "id", Named::Remediation(is_any)),
    ("explain", "finding", Named::Remediation(is_any)),
    ("report", "remediations", Named::Remediation(is_any)),
    ("report", "accounts", Named::Account),
    ("incident show", "id", Named::Incident),
    ("incident done", "id", Named::Incident),
    ("incident pursue", "id", Named::Incident),
    ("alerts ack", "alert", Named::Alert),
    ("revoke", "account", Named::Account),
    ("drill", "account", Named::Account),
    ("doctor", "accounts", Named::Account),
    ("opt-out add", "accounts", Named::Account),
    ("opt-out explain", "account", Named::Account),
];

fn is_any(_: &Remediation) -> bool {
    true
}

fn is_held(one: &Remediation) -> bool {
    one.state == State::Held && one.target.is_supported()
}

fn is_by_hand(one: &Remediation) -> bool {
    one.state == State::Failed || one.state == State::Held && !one.target.is_supported()
}

fn is_releasable(one: &Remediation) -> bool {
    crate::desk::may_release(one).is_ok()
}

/// The command with what completes its arguments.
pub(super) fn completing(command: Command) -> Command {
    ARGUMENTS.iter().fold(command, |command, (path, argument, named)| {
        let path: Vec<&str> = path.split_whitespace().collect();
        at(command, &path, argument, *named)
    })
}

fn at(command: Command, path: &[&str], argument: &'static str, named: Named) -> Command {
    if let [first, rest @ ..] = path {
        return command.mut_subcommand(first, |one| at(one, rest, argument, named));
    }
    let in_order: Vec<Id> = command.get_positionals().map(|one| one.get_id().clone()).collect();
    let command = command.mut_arg(argument, |arg| {
        arg.add(ArgValueCompleter::new(move |begun: &OsStr| candidates(begun, named)))
    });
    // What is changed goes to the end, and the place of a positional one is its number.
    in_order.iter().fold(command, |command, id| command.mut_arg(id, |arg| arg))
}

/// What begins so. Whatever goes wrong: nothing is completed, and nothing is said.
fn candidates(begun: &OsStr, named: Named) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let all = if matches!(named, Named::Level) {
        ["error", "warn", "info", "debug", "trace"].map(|level| (level.to_owned(), String::new())).to_vec()
    } else {
        let words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
        reader(&words).and_then(|reader| from_ledger(&reader, named, &begun)).unwrap_or_default()
    };
    let fitting = all.into_iter().filter(|(value, _)| value.starts_with(&*begun)).take(MOST);
    fitting
        .map(|(value, help)| {
            let help = (!help.is_empty()).then(|| crate::safe::line(&help).into());
            CompletionCandidate::new(value).help(help)
        })
        .collect()
}

/// The ledger that the words name; none over a hub, which would have to be asked.
fn reader(words: &[OsString]) -> Option<Reader> {
    if std::env::var_os("RESCIND_HUB").is_some() || value(words, &["--hub"]).is_some() {
        return None;
    }
    let ledger = if let Some(ledger) = value(words, &["--ledger"]) {
        PathBuf::from(ledger)
    } else {
        let config = value(words, &["--config", "-c"]).or_else(|| std::env::var_os("RESCIND_CONFIG"));
        Config::load_alone(&find(config.map(PathBuf::from))).ok()?.ledger
    };
    Reader::open(&ledger).ok()
}

/// The value of an option on a command line.
fn value(words: &[OsString], names: &[&str]) -> Option<OsString> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        for name in names {
            if text == *name {
                return words.next().cloned();
            }
            if let Some(value) = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.into());
            }
        }
    }
    None
}

/// Each value with what it is, the latest first.
fn from_ledger(reader: &Reader, named: Named, begun: &str) -> Option<Vec<(String, String)>> {
    match named {
        Named::Remediation(fits) => {
            // Of very many, the latest; of those that begin so, all.
            let ids = if begun.len() < FEW {
                reader.latest(&PageWanted::default(), LOOKED_AT).ok()?.ids
            } else {
                reader.matching(begun).ok()?
            };
            let all = ids.iter().filter_map(|id| reader.remediation(id).ok()).filter(fits);
            let what = |one: Remediation| {
                let (state, target) = (one.state, &one.target);
                let help = format!("{state}, {} in {}", target.principal(), target.account);
                (one.id, help)
            };
            Some(all.map(what).collect())
        }
        Named::Incident => Some(reader.incidents().ok()?.into_iter().map(|id| (id, String::new())).collect()),
        Named::Alert => {
            let week = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(7 * 24);
            let alerts = crate::desk::alert_lines(reader, week).ok()?;
            let open = alerts.into_iter().filter(|alert| alert.acknowledged.is_none());
            Some(open.map(|alert| (alert.alert.to_string(), alert.text)).collect())
        }
        Named::Account => {
            let organization = reader.organization().ok()??;
            let accounts = organization.accounts().into_iter();
            Some(accounts.map(|one| (one.id.to_string(), one.name.clone())).collect())
        }
        Named::Level => None,
    }
}

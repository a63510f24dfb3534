//! The log of a ledger: `rescind ledger publish`, and what `verify` and `rebuild` say of it.

use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::output::{BAD, GOOD, Screen, WARN, clean, styled};
use crate::config::Config;
use crate::ledger::{Comparison, LedgerError, Lock, Reader, checkpoint_file, compare, publish as put};
use crate::replication::log_for_command;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

const NO_LOG: &str =
    "the configuration names no log: `[ledger]` with `table = \"NAME\"` in place of `ledger = \"PATH\"`";

/// Puts a ledger that was one by itself into the configured log.
pub fn publish(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let Some(settings) = &config.log else { return Err(BadInput(NO_LOG.to_owned()).into()) };
    drop(Reader::open(&config.ledger)?);
    let _lock = Lock::take(&config.ledger, "ledger publish")?;
    let log = log_for_command(settings, config.home_region())?;
    let bar = counter(screen, "in the log");
    let found = put(&config.ledger, &log, &mut |entries| bar.set_position(entries));
    bar.finish_and_clear();
    let found = found?;
    screen.json(&json!({ "published": described(&settings.table, &found) }))?;
    say(&settings.table, &found, screen);
    if !is_same(&found) {
        return Ok(Exit::Tampered);
    }
    screen.line(styled(GOOD, "All of it is in the log."));
    screen.prose("Start `rescind run` on each host with the same [ledger] table; other hosts begin with an empty file.");
    Ok(Exit::Done)
}

/// Compares the configured ledger with its log, and keeps the roots of the log's tree at `sizes`; none when it has no log.
pub fn against_log(
    config: &Config,
    sizes: &BTreeSet<u64>,
    screen: &Screen,
) -> Result<Option<(String, Comparison)>, LedgerError> {
    let Some(settings) = &config.log else { return Ok(None) };
    let log = log_for_command(settings, config.home_region())?;
    let bar = counter(screen, "of the log compared");
    let found = compare(&config.ledger, &log, sizes, &mut |entries| bar.set_position(entries));
    bar.finish_and_clear();
    Ok(Some((settings.table.clone(), found?)))
}

/// Makes the ledger's file again, from the log alone. The file that was there is kept beside it.
pub fn rebuild(config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let Some(settings) = &config.log else { return Err(BadInput(NO_LOG.to_owned()).into()) };
    let _lock = Lock::take(&config.ledger, "ledger rebuild")?;
    let log = log_for_command(settings, config.home_region())?;
    let beside = |end: &str| {
        let mut name = config.ledger.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let fresh = beside(&format!(".from-log-{}", std::process::id()));
    let made = crate::ledger::Ledger::of_log(&fresh, &log).map(|ledger| ledger.close());
    let found = made.and_then(|()| compare(&fresh, &log, &BTreeSet::new(), &mut |_| {}));
    let remove = |path: &PathBuf| {
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    };
    let found = found.inspect_err(|_| remove(&fresh))?;
    screen.json(&json!({ "rebuilt": described(&settings.table, &found) }))?;
    say(&settings.table, &found, screen);
    if !is_same(&found) {
        remove(&fresh);
        return Ok(Exit::Tampered);
    }
    let kept = beside(&format!(".before-{}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ")));
    if config.ledger.exists() {
        Reader::open(&config.ledger)?.backup(&kept, false)?;
        screen.prose(format!("The file that was there is kept as {}.", kept.display()));
    }
    remove(&config.ledger);
    // It may be of another ledger: the service publishes the one that holds.
    let checkpoint = checkpoint_file(&config.ledger);
    if checkpoint.exists() {
        let _ = std::fs::rename(&checkpoint, checkpoint_file(&kept));
    }
    std::fs::rename(&fresh, &config.ledger)
        .map_err(|error| LedgerError::Io { path: config.ledger.display().to_string(), error })?;
    remove(&fresh);
    screen.line(styled(GOOD, format!("{} was made from the log.", config.ledger.display())));
    Ok(Exit::Done)
}

/// Whether file and log have the same entries, as far as the file has come.
pub fn is_same(found: &Comparison) -> bool {
    found.differs.is_none() && found.broken.is_none()
}

/// What was found, for programs.
pub fn described(table: &str, found: &Comparison) -> Value {
    json!({
        "table": table, "items": found.items, "entries": found.entries, "root": found.root, "unread": found.unread, "unpublished": found.is_unpublished,
        "differs": found.differs.as_ref().map(|(entry, what)| json!({ "entry": entry, "problem": what })),
        "broken": found.broken.as_ref().map(|broken| json!({ "position": broken.position, "problem": broken.what })),
    })
}

/// What was found, for people.
pub fn say(table: &str, found: &Comparison, screen: &Screen) {
    screen.line(format!(
        "log in {table}: {} entries in {} items, root {}",
        found.entries, found.items, found.root
    ));
    if found.is_unpublished {
        let what = "this ledger is not in the log: `rescind ledger publish` puts it there";
        screen.prose(format!("{}  {what}", styled(WARN, "not published")));
    }
    if found.unread > 0 {
        screen.line(format!("{}  the file has yet to read {} of them", styled(WARN, "behind"), found.unread));
    }
    if let Some((entry, what)) = &found.differs {
        screen.prose(format!("{}  entry {entry}: {}", styled(BAD, "DIFFERS"), clean(what)));
    }
    if let Some(broken) = &found.broken {
        screen.prose(format!("{}  {}", styled(BAD, "BROKEN"), clean(&broken.to_string())));
    }
}

/// On a terminal only.
fn counter(screen: &Screen, what: &str) -> ProgressBar {
    if !screen.is_text() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) = indicatif::ProgressStyle::with_template(&format!("{{human_pos}} entries {what}")) {
        bar.set_style(style);
    }
    bar
}

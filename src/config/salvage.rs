//! What can still be read of a broken configuration: where the ledger is, above all. Nothing is decided by it, and nothing
//! that changes an account is done by it.

use super::error::ConfigError;
use super::{Config, Origin};
use serde::Deserialize;
use std::path::Path;

/// Maximum number of mistakes that are left out before the rest is given up.
const MISTAKES: usize = 100;

/// Keys that say which ledger it is. A command that does not know it must not take another one.
const OF_THE_LEDGER: [&str; 6] =
    ["ledger", "ledger.path", "ledger.table", "ledger.region", "ledger.replicas", "ledger.endpoint"];

/// What stands for the tables and keys that are required, and that nobody who looks or answers needs.
const PLACEHOLDERS: [(&str, &str); 3] = [
    ("regions", "regions = [\"us-east-1\"]"),
    ("member", "[member]"),
    ("member.external_id", "external_id = \"not-read\""),
];

impl Config {
    /// What can be read of the broken file at `path`; none where it does not say which ledger it is about.
    #[must_use]
    pub fn salvaged(path: &Path) -> Option<Self> {
        salvaged(&std::fs::read_to_string(path).ok()?, path)
    }
}

/// The configuration without what is wrong with it, for a command that needs the ledger alone; none where it does not say
/// which ledger that is.
fn salvaged(text: &str, path: &Path) -> Option<Config> {
    if let Err(ConfigError::Invalid { key, .. }) = Config::parse(text, path)
        && is_of_the_ledger(key.trim_end_matches(": "))
    {
        return None;
    }
    let mut table = recovered(text);
    if !table.contains_key("ledger") && seems_to_name_a_ledger(text) {
        return None;
    }
    let mut has_regions = true;
    for _ in 0..MISTAKES {
        let error = match Config::parse(&toml::to_string(&table).ok()?, path) {
            Ok(config) => {
                // The log's table is in the first region unless it says another.
                let is_placed = config.log.as_ref().is_none_or(|log| has_regions || log.region.is_some());
                return is_placed.then_some(Config { origin: Origin::Salvaged, ..config });
            }
            Err(error) => error,
        };
        let ConfigError::Invalid { key, .. } = error else { return None };
        let key = key.trim_end_matches(": ");
        if is_of_the_ledger(key) {
            return None;
        }
        has_regions &= !key.starts_with("regions");
        match PLACEHOLDERS.iter().find(|(missing, _)| *missing == key && !has(&table, key)) {
            Some((_, placeholder)) => put(&mut table, key, placeholder)?,
            None => leave_out(&mut table, key)?,
        }
    }
    None
}

/// The keys and values that can be read, whatever stands between them.
pub(super) fn recovered(text: &str) -> toml::Table {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    let mut table = toml::Table::deserialize(toml::de::Deserializer::from(table)).unwrap_or_default();
    if !errors.is_empty() {
        // What has no value is read as an empty text.
        table.retain(|_, value| value.as_str() != Some(""));
    }
    table
}

fn is_of_the_ledger(key: &str) -> bool {
    OF_THE_LEDGER.contains(&key.split('[').next().unwrap_or_default())
}

/// The text speaks of a ledger, which could not be read.
fn seems_to_name_a_ledger(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| line.starts_with("ledger") || line.starts_with("[ledger"))
}

/// The table in which a key stands, and the last part of the key. A list is left out as a whole.
fn place<'t>(table: &'t mut toml::Table, key: &str) -> Option<(&'t mut toml::Table, String)> {
    let key = key.split('[').next().unwrap_or_default();
    let mut at = table;
    let (tables, last) = key.rsplit_once('.').unwrap_or(("", key));
    for part in tables.split('.').filter(|part| !part.is_empty()) {
        at = at.get_mut(part)?.as_table_mut()?;
    }
    Some((at, last.to_owned()))
}

fn has(table: &toml::Table, key: &str) -> bool {
    let mut parts = key.split('.');
    let first = parts.next().and_then(|part| table.get(part));
    parts.try_fold(first, |at, part| Some(at?.get(part))).flatten().is_some()
}

fn put(table: &mut toml::Table, key: &str, placeholder: &str) -> Option<()> {
    let (at, last) = place(table, key)?;
    let read: toml::Table = placeholder.parse().ok()?;
    at.insert(last.clone(), read.get(&last)?.clone());
    Some(())
}

/// Leaves out what is wrong; a whole table where the same key is missing in it.
fn leave_out(table: &mut toml::Table, key: &str) -> Option<()> {
    let (at, last) = place(table, key)?;
    if at.remove(&last).is_some() {
        return Some(());
    }
    let (parent, _) = key.rsplit_once('.')?;
    leave_out(table, parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Config> {
        salvaged(text, Path::new("dir/rescind.toml"))
    }

    #[test]
    fn what_is_wrong_is_left_out_and_the_ledger_is_found() {
        let whole = "ledger = \"/var/lib/l.db\"\nregions = [\"eu-central-1\"]\napproval_timeout = \"1h\"\n\
                     [member]\nexternal_id = \"0123456789abcdef\"\n";
        for broken in [
            format!("mode = enforce\n{whole}"),
            format!("mode = \"enfroce\"\nremdy = 3\n{whole}"),
            format!("{whole}[[rules]]\nname = \"a\"\n[[rules]]\nname = \"b\"\ntypes = [\"x\"]\n"),
            format!("{whole}role = 3\n"),
            format!("{whole}[web]\nurl = \"x\"\n[web.oidc]\nclient_id = 3\n"),
            format!("{whole}[[notify\nname = \"x\"\n"),
            whole.replace("[member]\nexternal_id = \"0123456789abcdef\"\n", ""),
            whole.replace("\"0123456789abcdef\"", "3"),
            whole.replace("[\"eu-central-1\"]", "[\"Frankfurt\"]"),
            whole.replace("[\"eu-central-1\"]", "[\"eu-central-1\""),
            whole.replace("[member]", "[member"),
        ] {
            let config = of(&broken).expect(&broken);
            assert_eq!(
                (config.ledger.as_path(), config.origin),
                (Path::new("/var/lib/l.db"), Origin::Salvaged)
            );
        }
        let kept = of(&format!("mode = enforce\n{whole}")).expect("salvaged");
        assert_eq!(kept.approval_timeout, jiff::SignedDuration::from_hours(1));
        // Without a word about the ledger it is the one beside the file.
        assert_eq!(of("mode = 3\n").expect("salvaged").ledger, Path::new("dir/ledger.db"));
    }

    #[test]
    fn another_ledger_is_never_taken() {
        for unknown in [
            "ledger = /var/lib/l.db\n",
            "ledger = \"\"\n",
            "ledger = 3\n",
            "[ledger]\npath = 3\n",
            "[ledger]\npath = \"l.db\"\ntable = 3\n",
            "[ledger]\npath = \"l.db\"\ntable = \"rescind-log\"\nendpoint = \"x\"\n",
            "[ledger\npath = \"/var/lib/l.db\"\n",
            "mode = \"\"\"\nledger = \"/var/lib/l.db\"\n",
            "regions = [\"Frankfurt\"]\nledger = { table = \"rescind-log\" }\n",
        ] {
            assert!(of(unknown).is_none(), "{unknown}");
        }
    }
}

//! Examples of each command, as `--help` and the manual pages show them.

use clap::Command;
use std::fmt::Write;

/// What an example does, and the example.
type Example = (&'static str, &'static str);

/// Examples by the command's path. Each can be typed as it is, once the ids, names and numbers are yours.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            (
                "A configuration that only observes, and whether everything is in place",
                "rescind init --region eu-central-1",
            ),
            ("", "rescind doctor"),
            ("The remediations, from another machine", "rescind --hub https://rescind.example.com list"),
        ],
    ),
    (
        "init",
        &[
            ("Watch two regions", "rescind init --region eu-central-1 --region us-east-1"),
            (
                "A configuration of a host's service",
                "rescind init -c /etc/rescind/rescind.toml --state /var/lib/rescind",
            ),
        ],
    ),
    (
        "plan",
        &[
            ("What would be done about GuardDuty's findings, and whom it would hit", "rescind plan --impact"),
            ("About a finding in a file", "rescind plan finding.json"),
        ],
    ),
    (
        "run",
        &[
            ("Watch and act until Ctrl-C", "rescind run"),
            ("Poll once, and act also on what was only observed so far", "rescind run --once --backlog"),
        ],
    ),
    (
        "handle",
        &[
            ("Act on an export of GuardDuty", "rescind handle findings.jsonl.gz"),
            (
                "Act once more on the finding of a remediation",
                "rescind show r-eff061643b09 --finding | rescind handle - --wait",
            ),
        ],
    ),
    (
        "revoke",
        &[
            (
                "All sessions of a role",
                "rescind revoke 222222222222 shop-web --reason \"seen in our SIEM, ticket 4711\"",
            ),
            (
                "Only one session",
                "rescind revoke 222222222222 shop-web --session i-0123456789abcdef0 --reason \"ticket 4711\"",
            ),
            (
                "A user's key, from a script",
                "rescind revoke 222222222222 user/alice --key AKIAIOSFODNN7EXAMPLE --reason leaked --yes --wait",
            ),
        ],
    ),
    ("status", &[("Follow it", "rescind status --watch"), ("For a script", "rescind status -o json")]),
    (
        "health",
        &[
            ("A container's health check", "rescind health"),
            ("Whether it also sees thefts", "rescind health --ready"),
        ],
    ),
    (
        "doctor",
        &[
            ("Everything", "rescind doctor"),
            ("One account, every place of a problem", "rescind doctor --account 222222222222 --all"),
        ],
    ),
    ("drill", &[("A theft of a throw-away role in this account", "rescind drill 222222222222")]),
    ("policies", &[("The role that each account needs", "rescind policies print member-role")]),
    (
        "policies print",
        &[
            (
                "What the role in each account may do, for these remedies",
                "rescind policies print member-role --remedies user_keys",
            ),
            (
                "Who may still change roles under the seal",
                "rescind policies print seal --deployer 'arn:aws:iam::*:role/deploy'",
            ),
        ],
    ),
    (
        "list",
        &[
            ("What is held", "rescind list --state held"),
            ("Every finding, with what was decided", "rescind list --decisions"),
        ],
    ),
    (
        "show",
        &[
            ("One in full, until it is done", "rescind show r-eff061643b09 --watch"),
            ("For a script", "rescind show r-eff061643b09 -o json"),
        ],
    ),
    ("incident", &[("What hangs together with one theft", "rescind incident show r-eff061643b09")]),
    ("incident list", &[("Those that are not closed", "rescind incident list --state open,contained")]),
    (
        "incident show",
        &[
            ("The incident of a remediation", "rescind incident show r-eff061643b09"),
            ("Its graph, for Graphviz", "rescind incident show i-eff061643b09 -o dot"),
        ],
    ),
    (
        "incident done",
        &[(
            "Two doors are closed",
            "rescind incident done i-eff061643b09 5f2b9c01 77aa0e3d --reason \"keys deleted\"",
        )],
    ),
    (
        "incident pursue",
        &[(
            "Read CloudTrail before anything is revoked",
            "rescind incident pursue i-eff061643b09 --reason \"is it real?\"",
        )],
    ),
    ("alerts", &[("Those of the last week", "rescind alerts --since 7d")]),
    ("alerts ack", &[("Somebody has seen to this one", "rescind alerts ack 4711 --reason \"trail fixed\"")]),
    (
        "explain",
        &[
            ("Why a finding was decided so", "rescind explain 4ab7b8c9d0e1f203"),
            ("The same by its remediation, each time that it came", "rescind explain r-eff061643b09 --all"),
        ],
    ),
    (
        "report",
        &[
            (
                "A month, for people",
                "rescind report -o html --from 2026-11-01 --to 2026-11-30 -O november.html",
            ),
            ("What is not done, for a program", "rescind report -o json --state held,blocked,failed"),
        ],
    ),
    (
        "report push-securityhub",
        &[("Into Security Hub of the first region", "rescind report push-securityhub --from 2026-11-01")],
    ),
    (
        "ledger",
        &[("Whether anybody changed it", "rescind ledger verify --public-key \"rescind+1b2c3d4e+AaBb\"")],
    ),
    (
        "ledger verify",
        &[
            (
                "With what was kept elsewhere",
                "rescind ledger verify --public-key \"rescind+1b2c3d4e+AaBb\" --checkpoint kept.checkpoint",
            ),
            ("A copy, without a configuration", "rescind ledger verify --ledger audit.db"),
        ],
    ),
    ("ledger prove", &[("Entry 49, for people without the ledger", "rescind ledger prove 49 -O proof.json")]),
    (
        "ledger check-proof",
        &[(
            "What somebody handed in",
            "rescind ledger check-proof proof.json --public-key \"rescind+1b2c3d4e+AaBb\"",
        )],
    ),
    ("ledger key", &[("For auditors to keep", "rescind ledger key")]),
    (
        "ledger rotate-key",
        &[
            ("A new key", "rescind ledger rotate-key"),
            (
                "A key in KMS from now on",
                "rescind ledger rotate-key --to arn:aws:kms:eu-central-1:111111111111:key/0c1d2e3f-4a5b-6c7d-8e9f-0a1b2c3d4e5f",
            ),
        ],
    ),
    ("ledger checkpoint", &[("A signed state to keep elsewhere", "rescind ledger checkpoint")]),
    (
        "ledger backup",
        &[("While the service runs", "rescind ledger backup -O /var/backups/rescind/ledger.db")],
    ),
    (
        "ledger rebuild",
        &[
            ("Only compare", "rescind ledger rebuild --check"),
            ("Make the file again from the shared log", "rescind ledger rebuild --from-log"),
        ],
    ),
    ("ledger publish", &[("Into the log that several hosts share", "rescind ledger publish")]),
    (
        "ledger archive",
        &[(
            "What was closed before that day",
            "rescind ledger archive --before 2026-10-01 -O archive-2026-09.jsonl",
        )],
    ),
    (
        "opt-out",
        &[("What applies to a role", "rescind opt-out explain --account 222222222222 --role batch-7")],
    ),
    ("opt-out list", &[("All, with when they expire", "rescind opt-out list")]),
    (
        "opt-out add",
        &[(
            "Leave the roles of a job alone for a while",
            "rescind opt-out add calm --role 'batch-*' --mode off --owner ada --reason \"ticket 4711\" --expires 2026-12-24",
        )],
    ),
    ("opt-out remove", &[("By its name", "rescind opt-out remove calm")]),
    (
        "opt-out explain",
        &[("Why a role is left alone", "rescind opt-out explain --account 222222222222 --role batch-7")],
    ),
    (
        "approve",
        &[
            ("One", "rescind approve r-eff061643b09 --reason \"203.0.113.77 is not ours\""),
            (
                "All that is held of an incident",
                "rescind approve --incident i-eff061643b09 --reason \"ticket 4711\"",
            ),
            ("Whatever waits, one after another", "rescind approve --interactive"),
        ],
    ),
    (
        "reject",
        &[
            ("Two", "rescind reject r-eff061643b09 r-0a1b2c3d4e5f --reason \"our own scanner\""),
            (
                "Whatever waits, one after another",
                "rescind reject --interactive --reason \"our own scanner\"",
            ),
        ],
    ),
    (
        "done",
        &[(
            "What rescind cannot do was done by hand",
            "rescind done r-eff061643b09 --reason \"permission set taken away\"",
        )],
    ),
    (
        "release",
        &[
            (
                "What it would take back, and until when a stolen session may work again",
                "rescind release r-eff061643b09 --dry-run",
            ),
            (
                "The same, and do it once its name was typed",
                "rescind release r-eff061643b09 --reason \"our own scanner\"",
            ),
            ("From a script", "rescind release r-eff061643b09 --reason \"our own scanner\" --yes"),
        ],
    ),
    ("impact", &[("Read it before you approve", "rescind impact r-eff061643b09")]),
    ("notify", &[("Every channel", "rescind notify test")]),
    (
        "notify test",
        &[("Every channel", "rescind notify test"), ("One of them", "rescind notify test slack")],
    ),
    ("recheck", &[("After somebody was seen at the roles", "rescind recheck")]),
    (
        "completions",
        &[
            ("For this bash", "eval \"$(rescind completions bash)\""),
            ("For every zsh", "rescind completions zsh > /usr/share/zsh/vendor-completions/_rescind"),
        ],
    ),
    ("man", &[("Write the pages where man finds them", "rescind man /usr/local/share/man/man1")]),
];

/// Maximum width of a line of an example, without its indent and what continues it.
const WIDTH: usize = 70;

/// What stands between two lines of an example.
const CONTINUED: &str = "\\\n      ";

/// The examples of a command, by its path without `rescind`.
pub(super) fn of(path: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(of, _)| *of == path).map_or(&[], |(_, examples)| examples)
}

/// The command with examples below its help, and those below it with theirs. `more` stands below the first one's.
pub(super) fn below(command: Command, path: &str, more: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}").trim().to_owned();
        command.mut_subcommand(name, |one| below(one, &path, ""))
    });
    let mut text = String::new();
    for (what, example) in of(path) {
        let title = if text.is_empty() { "Examples:\n" } else { "" };
        let what = if what.is_empty() { String::new() } else { format!("  # {what}\n") };
        let _ = writeln!(text, "{title}{what}  {}", folded(example));
    }
    let text =
        [text.trim_end(), more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    if text.is_empty() { command } else { command.after_help(text) }
}

/// An example in lines that a narrow terminal need not break: it can be copied as it stands.
fn folded(example: &str) -> String {
    let (mut lines, mut is_quoted) = (vec![String::new()], false);
    for part in example.split_inclusive(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if !is_quoted && line > 0 && line + part.chars().count() > WIDTH {
            lines.push(String::new());
        }
        is_quoted ^= part.matches(['"', '\'']).count() % 2 == 1;
        if let Some(line) = lines.last_mut() {
            line.push_str(part);
        }
    }
    lines.join(CONTINUED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    /// The words of an example, as a shell has them.
    fn words(text: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        for c in text.chars() {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, ' ') => words.push(std::mem::take(&mut word)),
                _ => word.push(c),
            }
        }
        words.push(word);
        words
    }

    /// The calls of rescind in an example: of a pipe each, without what the shell makes of the output.
    fn calls(example: &str) -> Vec<Vec<String>> {
        let inner =
            example.strip_prefix("eval \"$(").and_then(|rest| rest.strip_suffix(")\"")).unwrap_or(example);
        let parts = inner.split(" > ").next().unwrap_or_default().split(" | ");
        parts.map(words).collect()
    }

    fn paths(command: &Command, path: &str, all: &mut Vec<String>) {
        all.push(path.to_owned());
        for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            paths(one, format!("{path} {}", one.get_name()).trim(), all);
        }
    }

    #[test]
    fn every_command_has_examples_and_each_is_one_that_it_takes() {
        let mut all = Vec::new();
        paths(&command(), "", &mut all);
        let without: Vec<&String> = all.iter().filter(|path| !(1..=3).contains(&of(path).len())).collect();
        assert!(without.is_empty(), "{without:?}");
        let unknown: Vec<&str> = EXAMPLES
            .iter()
            .map(|(path, _)| *path)
            .filter(|path| !all.iter().any(|one| one == path))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        for (path, examples) in EXAMPLES {
            let mut of_path = 0;
            for (_, example) in *examples {
                for call in calls(example) {
                    assert_eq!(call[0], "rescind", "{example}");
                    let taken = command().try_get_matches_from(&call);
                    let taken = taken.unwrap_or_else(|error| panic!("{example}: {error}"));
                    let (mut names, mut matches) = (Vec::new(), &taken);
                    while let Some((name, below)) = matches.subcommand() {
                        names.push(name);
                        matches = below;
                    }
                    of_path += usize::from(names.join(" ").starts_with(path));
                }
            }
            assert!(of_path >= examples.len(), "{path}");
        }
    }

    #[test]
    fn the_help_of_a_command_has_its_examples_and_the_global_options_apart() {
        let mut all = Vec::new();
        paths(&command(), "", &mut all);
        for path in all {
            let words = std::iter::once("rescind").chain(path.split_whitespace()).chain(["-h"]);
            let help = command().try_get_matches_from(words).expect_err("help").to_string();
            let examples = help.replace(CONTINUED, "");
            for (_, example) in of(&path) {
                assert!(
                    examples.contains(&format!("\n  {example}\n")) || examples.ends_with(example),
                    "{path}: {help}"
                );
            }
            let global = help.find("\nGlobal options:\n").unwrap_or_else(|| panic!("{path}: {help}"));
            let own = help.find("\nOptions:\n").unwrap_or_else(|| panic!("{path}: {help}"));
            assert!(own < global && help[global..].contains("--config"), "{path}: {help}");
            assert!(!help[own..global].contains("--config"), "{path}: {help}");
        }
    }
}

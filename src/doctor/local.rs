//! This machine: the ledger, its checkpoint, the files with secrets, the opt-outs, the service.

use super::{Doctor, Level, Problem};
use crate::audit::{self, Kept, Place};
use crate::chain::chain;
use crate::config::{Config, Mode, Secret};
use crate::drill;
use crate::ledger::note::Checkpoint;
use crate::ledger::{LedgerError, checkpoint_file, published};
use crate::plural::counted;
use jiff::Timestamp;
use std::io::ErrorKind;
use std::path::Path;

/// Maximum number of entries of a ledger that is verified whole: that takes about a second.
const CHECKED: i64 = 200_000;

/// Number of days before its end from which an opt-out is reported.
const SOON: i64 = 14;

impl Doctor<'_> {
    /// Looks at what is here.
    pub(super) fn local(&self) -> Vec<Problem> {
        let mut problems =
            self.ledger().unwrap_or_else(|error| vec![broken(self.config, &chain(&error), "")]);
        problems.extend(files(self.config));
        problems.extend(opt_outs(self.config));
        problems.extend(self.opt_outs_gone());
        problems.extend(drill::unfinished(self.config).into_iter().map(|left| {
            let text = format!(
                "a drill with role {} was not finished: its deny may still be in place ({})",
                left.role,
                left.ledger.display()
            );
            let fix = "rescind drill ACCOUNT   # removes that deny first";
            Problem::new(Level::Warning, "drill_unfinished", left.account, text, fix)
        }));
        let rules =
            self.config.rules.iter().filter(|rule| rule.mode.is_some_and(|mode| mode >= Mode::Observe));
        problems.extend(rules.map(|rule| {
            let text = format!("the rule {:?} only records: nothing is revoked where it applies", rule.name);
            Problem::new(
                Level::Note,
                "rule_records",
                "rules",
                text,
                "Remove the rule if that is not intended.",
            )
        }));
        if self.config.mode == Mode::Observe {
            problems.push(Problem::new(
                Level::Note,
                "observes",
                "mode",
                "mode = \"observe\": nothing is revoked",
                "Set `mode` to \"approve\" or \"enforce\" when you are ready.",
            ));
        }
        problems
    }

    /// A start refuses this: opt-outs that vanish would let loose what they keep back.
    fn opt_outs_gone(&self) -> Option<Problem> {
        let known = self.reader.opt_outs().ok()?;
        let is_gone = match std::fs::read_to_string(&self.config.opt_outs_file) {
            Ok(text) => text.trim().is_empty(),
            // A file that cannot be read is not gone: the check of the file reports it.
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        let place = self.config.opt_outs_file.display();
        (!known.is_empty() && is_gone).then(|| {
            let text = format!(
                "missing or empty, and it had {}: rescind does not start",
                counted(known.len(), "opt-out")
            );
            Problem::new(
                Level::Problem,
                "opt_outs",
                place,
                text,
                "Restore it. To have no opt-outs, write a comment into it.",
            )
        })
    }

    fn ledger(&self) -> Result<Vec<Problem>, LedgerError> {
        let mut problems = Vec::new();
        let path = &self.config.ledger;
        // First what was published, then the ledger: it may grow meanwhile.
        let published = published(path);
        let kept: Vec<Kept> = published.iter().filter_map(|file| kept(file)).collect();
        let entries = self.reader.last()?;
        if entries > CHECKED {
            problems.push(Problem::new(
                Level::Note,
                "ledger_not_checked",
                path.display(),
                format!("the ledger has more than {CHECKED} entries and was not checked"),
                "rescind ledger verify",
            ));
            let beyond = kept.iter().find(|kept| size(kept) > u64::try_from(entries).unwrap_or(0));
            problems.extend(beyond.map(|kept| {
                broken(
                    self.config,
                    &format!("{} covers {} entries, and the ledger has fewer", kept.name, size(kept)),
                    &kept.name,
                )
            }));
        } else {
            let file = published.first().map(|file| file.display().to_string()).unwrap_or_default();
            match audit::verify(path, &kept, audit::Keys::default(), &mut |_, _| {}) {
                Ok(found) if found.problems.is_empty() => {}
                Ok(found) => {
                    let what = found.problems.first().map(|problem| problem.what.clone()).unwrap_or_default();
                    problems.push(broken(self.config, &what, &file));
                }
                Err(error) => problems.push(broken(self.config, &chain(&error), &file)),
            }
        }
        if !problems.iter().any(|problem| problem.level == Level::Problem) {
            problems.extend(self.checkpoint(&kept)?);
        }
        Ok(problems)
    }

    /// Whether the latest checkpoint can be had without the ledger.
    fn checkpoint(&self, kept: &[Kept]) -> Result<Option<Problem>, LedgerError> {
        let path = &self.config.ledger;
        // Whichever host leads writes it on its own disk, and all have the log.
        let is_shared = self.config.log.is_some();
        let Some((signed, _)) = self.reader.latest_checkpoint()? else {
            return Ok(Some(Problem::new(
                Level::Warning,
                "no_checkpoint",
                path.display(),
                "the ledger has no signed checkpoint yet",
                "rescind ledger checkpoint",
            )));
        };
        if is_shared {
            return Ok(None);
        }
        let file = checkpoint_file(path);
        // A service that runs may have made another one meanwhile: first in the ledger, then in its file.
        let is_there = |kept: Option<&Kept>| kept.is_some_and(|kept| size(kept) >= signed);
        let again = || super::local::kept(&file);
        if is_there(kept.iter().find(|kept| Path::new(&kept.name) == file)) || is_there(again().as_ref()) {
            return Ok(None);
        }
        let keep = if file.exists() {
            format!("mv {0} {0}.found   # then look at what it is\n", file.display())
        } else {
            String::new()
        };
        Ok(Some(Problem::new(
            Level::Problem,
            "checkpoint_not_published",
            file.display(),
            format!("the latest checkpoint, which covers {signed} entries, is not in its file"),
            format!("{keep}rescind ledger checkpoint   # and keep a copy of the file elsewhere"),
        )))
    }
}

/// A checkpoint, if it is one.
fn kept(file: &Path) -> Option<Kept> {
    let note = std::fs::read_to_string(file).ok()?;
    Checkpoint::parse(&note).map(|_| Kept { name: file.display().to_string(), note, place: Place::Beside })
}

fn size(kept: &Kept) -> u64 {
    Checkpoint::parse(&kept.note).map_or(0, |checkpoint| checkpoint.size)
}

fn broken(config: &Config, what: &str, checkpoint: &str) -> Problem {
    Problem::new(
        Level::Problem,
        "ledger",
        config.ledger.display(),
        format!("the ledger is damaged or was tampered with: {what}"),
        // First of all: nothing that is signed from now on may take the place of the evidence.
        if checkpoint.is_empty() {
            "Keep a copy of the file as evidence, then:\nrescind ledger verify".to_owned()
        } else {
            format!(
                "Keep copies of the ledger and of {checkpoint} as evidence, then:\nrescind ledger verify --checkpoint {checkpoint}"
            )
        },
    )
}

fn opt_outs(config: &Config) -> Vec<Problem> {
    let now = Timestamp::now();
    let place = config.opt_outs_file.display().to_string();
    let all = match config.read_opt_outs() {
        Ok(opt_outs) => opt_outs.all,
        Err(error) => {
            let fix = "Correct the file: rescind does not start without it.";
            return vec![Problem::new(Level::Problem, "opt_outs", place, chain(&error), fix)];
        }
    };
    let problems = all.iter().filter_map(|opt_out| {
        let name = &opt_out.name;
        match opt_out.days_left(now)? {
            days if days < 0 => Some(Problem::new(
                Level::Note,
                "opt_out_expired",
                &place,
                format!("the opt-out {name:?} has expired"),
                format!("rescind opt-out remove {name}"),
            )),
            days if days <= SOON => Some(Problem::new(
                Level::Warning,
                "opt_out_expires",
                &place,
                format!(
                    "the opt-out {name:?} ends in {}: after that, what it covers is revoked",
                    counted(days, "day")
                ),
                format!("Ask {} whether that is intended.", opt_out.owner),
            )),
            _ => None,
        }
    });
    problems.collect()
}

#[cfg(unix)]
fn files(config: &Config) -> Vec<Problem> {
    let secrets = config.signing_key.file().into_iter().chain([config.file.as_path()]);
    let of_channels = config.channels.iter().flat_map(|channel| channel.way.secrets());
    let of_channels = of_channels.filter_map(|secret| match secret {
        Secret::File(path) => Some(path.as_path()),
        _ => None,
    });
    let secret = secrets.chain(of_channels).filter_map(|path| {
        let mode = mode(path)?;
        // A group may read what root owns and the service runs as; nobody else, and nobody may write.
        (mode & 0o027 != 0).then(|| {
            Problem::new(
                Level::Problem,
                "file_mode",
                path.display(),
                format!("others can read or change a file with a secret in it (mode {mode:03o})"),
                // The group of a packaged installation is the service's.
                format!("chmod g-w,o-rwx {}", path.display()),
            )
        })
    });
    let shared = [&config.ledger, &config.opt_outs_file].into_iter().filter_map(|path| {
        let mode = mode(path)?;
        (mode & 0o002 != 0).then(|| {
            Problem::new(
                Level::Problem,
                "file_mode",
                path.display(),
                format!("everybody on this machine can change it (mode {mode:03o})"),
                format!("chmod o-w {}", path.display()),
            )
        })
    });
    secret.chain(shared).collect()
}

#[cfg(not(unix))]
fn files(_: &Config) -> Vec<Problem> {
    Vec::new()
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

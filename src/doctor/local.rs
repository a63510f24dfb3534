//! This machine: the ledger, its checkpoint, the files with secrets, the opt-outs, the service.

use super::{Doctor, Level, Problem};
use crate::audit;
use crate::config::{Config, Mode, OptOuts, Secret, Way};
use crate::ledger::{LedgerError, Lock, checkpoint_file};
use jiff::Timestamp;
use std::path::Path;

/// A ledger of so many entries is checked whole: it takes a second or so.
const CHECKED: i64 = 200_000;

/// Opt-outs that end within so many days are told.
const SOON: i64 = 14;

impl Doctor<'_> {
    /// Looks at what is here.
    pub(super) fn local(&self) -> Vec<Problem> {
        let mut problems =
            self.ledger().unwrap_or_else(|error| vec![broken(self.config, &error.to_string())]);
        problems.extend(files(self.config));
        problems.extend(opt_outs(self.config));
        if Lock::holder(&self.config.ledger).is_none() {
            problems.push(Problem::new(
                Level::Warning,
                "not_running",
                "service",
                "no service is running: nobody watches",
                "systemctl start rescind   # or: rescind run",
            ));
        }
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

    fn ledger(&self) -> Result<Vec<Problem>, LedgerError> {
        let mut problems = Vec::new();
        let path = &self.config.ledger;
        let entries = self.reader.last()?;
        if entries > CHECKED {
            problems.push(Problem::new(
                Level::Note,
                "ledger_not_checked",
                path.display(),
                format!("the ledger has more than {CHECKED} entries and was not checked"),
                "rescind ledger verify",
            ));
        } else {
            match audit::verify(path, &[], Vec::new(), &mut |_, _| {}) {
                Ok(found) if found.problems.is_empty() => {}
                Ok(found) => {
                    let what = found.problems.first().map(|problem| problem.what.clone()).unwrap_or_default();
                    problems.push(broken(self.config, &what));
                }
                Err(error) => problems.push(broken(self.config, &error.to_string())),
            }
        }
        let Some((signed, note)) = self.reader.latest_checkpoint()? else {
            problems.push(Problem::new(
                Level::Warning,
                "no_checkpoint",
                path.display(),
                "the ledger has no checkpoint yet: nobody has signed for it",
                "rescind ledger checkpoint",
            ));
            return Ok(problems);
        };
        let file = checkpoint_file(path);
        let is_there = |note: &str| std::fs::read_to_string(&file).ok().as_deref() == Some(note);
        // A service that runs may have made another one meanwhile: first in the ledger, then in its file.
        let again =
            || self.reader.latest_checkpoint().ok().flatten().is_some_and(|(_, note)| is_there(&note));
        if !is_there(&note) && !again() {
            problems.push(Problem::new(
                Level::Problem,
                "checkpoint_not_published",
                file.display(),
                format!("the latest checkpoint, over {signed} entries, is not in its file"),
                "rescind ledger checkpoint   # and keep a copy of the file elsewhere",
            ));
        }
        Ok(problems)
    }
}

fn broken(config: &Config, what: &str) -> Problem {
    Problem::new(
        Level::Problem,
        "ledger",
        config.ledger.display(),
        format!("the ledger is not as it was written: {what}"),
        "rescind ledger verify   # and keep a copy of the file as evidence",
    )
}

fn opt_outs(config: &Config) -> Vec<Problem> {
    let now = Timestamp::now();
    let place = config.opt_outs_file.display().to_string();
    if !config.opt_outs_file.exists() {
        return Vec::new();
    }
    let all = match OptOuts::load(&config.opt_outs_file, now) {
        Ok(opt_outs) => opt_outs.all,
        Err(error) => {
            let fix = "Put the file right: rescind does not start without it.";
            return vec![Problem::new(Level::Problem, "opt_outs", place, error.to_string(), fix)];
        }
    };
    let told = all.iter().filter_map(|opt_out| {
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
                format!("the opt-out {name:?} ends in {days} day(s): from then on its accounts are acted on"),
                format!("Ask {} whether that is meant.", opt_out.owner),
            )),
            _ => None,
        }
    });
    told.collect()
}

#[cfg(unix)]
fn files(config: &Config) -> Vec<Problem> {
    let secrets = [&config.signing_key, &config.file].into_iter().map(std::path::PathBuf::as_path);
    let of_channels = config.channels.iter().flat_map(|channel| match &channel.way {
        Way::Webhook { url, key, .. } => std::iter::once(url).chain(key).collect(),
        _ => Vec::new(),
    });
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
                format!("chmod go-rwx {}", path.display()),
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

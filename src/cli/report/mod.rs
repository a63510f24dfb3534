//! `rescind report`: a report on a period, made from the ledger.

mod push;
mod wanted;

use super::Exit;
use super::exit::BadInput;
use super::formats;
use super::in_need::in_need;
use super::ledger_path::named_ledger;
use super::output::{GOOD, Screen, styled};
use super::runtime::block_on;
use crate::config::{Config, Origin};
use crate::digest::Hashed;
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::{Draft, Event, Reported};
use crate::replication::open_ledger;
use crate::report::{Format, Prepared, ReportError, write};
use crate::service::Checkpoints;
use clap::ValueEnum;
use std::fs::File;
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use wanted::{Wanted, asked, prepare, progress_bar};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    to: Option<To>,

    /// Format of the report; it has to be given.
    #[arg(long, short, value_name = "FORMAT", value_parser = formats::of_report())]
    output: Option<String>,

    #[command(flatten)]
    wanted: Wanted,

    /// The file to write, replaced once all is written. Without it the report is printed.
    #[arg(long, short = 'O', value_name = "FILE")]
    pub(super) out: Option<PathBuf>,

    /// With an appendix: the ids of all requests, and the proof that each entry is in the signed ledger. Only for html.
    #[arg(long)]
    appendix: bool,

    /// Make no checkpoint, and do not record in the ledger that the report was made.
    #[arg(long)]
    pub(super) no_record: bool,

    /// The ledger, instead of the configured one. Nothing is recorded in it.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
}

/// What a hub is asked for.
pub(super) struct OverHub {
    pub format: &'static str,
    pub query: Vec<(&'static str, String)>,
}

impl Args {
    /// The format of the report.
    ///
    /// # Errors
    /// When none was given, or one for people at a terminal.
    fn format(&self) -> Result<Format, BadInput> {
        let named = self.output.as_deref().and_then(|name| Format::from_str(name, false).ok());
        named.ok_or_else(|| {
            let all: Vec<&str> = Format::value_variants().iter().map(|one| one.name()).collect();
            BadInput(format!("-o FORMAT is missing: {}", all.join(", ")))
        })
    }

    /// A report can be written so.
    pub(super) fn is_format(&self, name: &str) -> bool {
        self.to.is_none() && (Format::from_str(name, false).is_ok() || name == "text")
    }

    /// What a hub is asked for.
    ///
    /// # Errors
    /// When it is more than a hub can give.
    pub(super) fn wanted_over_a_hub(&self) -> Result<OverHub, BadInput> {
        if self.to.is_some() || self.ledger.is_some() {
            let text = "--hub gives reports of the hub's ledger to download: push-securityhub and --ledger need its host";
            return Err(BadInput(text.to_owned()));
        }
        let format = self.format()?.name();
        let mut query = vec![("format", format.to_owned())];
        query.extend(self.wanted.over_a_hub()?);
        if self.has_appendix()? {
            query.push(("appendix", "true".to_owned()));
        }
        Ok(OverHub { format, query })
    }

    /// # Errors
    /// When an appendix is asked of a format that has none.
    fn has_appendix(&self) -> Result<bool, BadInput> {
        if self.appendix && self.format()? != Format::Html {
            let why = "--appendix is for -o html: the other formats have the ids of requests, and `rescind ledger prove ENTRY` proves an entry";
            return Err(BadInput(why.to_owned()));
        }
        Ok(self.appendix)
    }
}

/// Where else than to a file.
#[derive(Debug, clap::Subcommand)]
enum To {
    /// Import the findings of the format `asff` into Security Hub, in the hub's account.
    #[command(name = "push-securityhub")]
    PushSecurityHub(push::Args),
}

pub fn run(args: &Args, config: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    if let Some(To::PushSecurityHub(push)) = &args.to {
        return push::run(push, &Config::load_alone(config)?, screen);
    }
    let format = args.format()?;
    let appendix = args.has_appendix()?;
    let (reader, recorded) = if let Some(path) = &args.ledger {
        (Reader::open(&named_ledger(path)?)?, None)
    } else {
        let config = in_need(config)?;
        let reader = Reader::open(&config.ledger)?;
        // Without the key that signs, nothing can be recorded.
        if args.no_record || config.origin == Origin::Salvaged {
            (reader, None)
        } else {
            (reader, Some(config))
        }
    };
    let selection = args.wanted.selection(&reader)?;
    match recorded {
        None => {
            let prepared = prepare(&reader, selection)?.with_appendix(appendix);
            let Some(made) = make(args, format, &prepared, screen)? else { return Ok(Exit::Done) };
            made.keep()?;
            describe(args, format, &prepared, &made, None, screen)
        }
        Some(config) => block_on(async {
            let ledger = open_ledger(&config)?;
            let checkpoints = Checkpoints::start(&config, &ledger, &reader).await?;
            // A checkpoint covers everything that the report shows.
            checkpoints.make(&ledger, &reader).await?;
            let prepared = prepare(&reader, selection)?.with_appendix(appendix);
            let Some(made) = make(args, format, &prepared, screen)? else { return Ok(Exit::Done) };
            let event = Event::Report(Box::new(Reported {
                format: format.name().to_owned(),
                selection: prepared.head.selection.clone(),
                remediations: made.remediations,
                sha256: made.sha256.clone(),
                entries: prepared.head.entries.unsigned_abs(),
                os_user: crate::service::os_user(),
                identity: None,
            }));
            let recorded = ledger.append(Draft::of_service(event)).await?;
            made.keep()?;
            checkpoints.make(&ledger, &reader).await?;
            ledger.close();
            describe(args, format, &prepared, &made, recorded.first().copied().flatten(), screen)
        }),
    }
}

fn describe(
    args: &Args,
    format: Format,
    prepared: &Prepared<'_>,
    made: &Made,
    recorded: Option<i64>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let Some(file) = &args.out else { return Ok(Exit::Done) };
    let signed = prepared.head.checkpoint.as_ref().map(|checkpoint| checkpoint.entries);
    screen.json(&serde_json::json!({
        "written": file, "format": format.name(), "remediations": made.remediations, "sha256": made.sha256,
        "entries": prepared.head.entries, "checkpoint": signed, "recorded": recorded,
    }))?;
    screen.line(styled(
        GOOD,
        format!("Wrote {}: {}.", file.display(), counted(made.remediations, "remediation")),
    ));
    screen.line(format!("  SHA-256 {}", made.sha256));
    let entries = prepared.head.entries;
    screen.line(match signed {
        Some(signed) if signed >= entries.unsigned_abs() => {
            format!("  made from {entries} entries, all of them signed for")
        }
        Some(signed) => format!("  made from {entries} entries, signed for up to entry {signed}"),
        None => format!("  made from {entries} entries, without a checkpoint"),
    });
    if let Some(entry) = recorded {
        screen.line(format!("  recorded as entry {entry}"));
    }
    Ok(Exit::Done)
}

/// A report that was written, and is not in its place yet.
struct Made {
    remediations: u64,
    sha256: String,
    /// The file as it is written, and where it belongs.
    place: Option<(PathBuf, PathBuf)>,
}

impl Made {
    fn keep(&self) -> anyhow::Result<()> {
        let Some((new, file)) = &self.place else { return Ok(()) };
        let moved = std::fs::rename(new, file).and_then(|()| {
            let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
        });
        moved.map_err(|error| BadInput(format!("{}: {error}", file.display())).into())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Once it is in its place, there is nothing under this name any more.
        if let Some((new, _)) = &self.place {
            let _ = std::fs::remove_file(new);
        }
    }
}

/// Writes the report; none when whoever read it does not any more.
fn make(
    args: &Args,
    format: Format,
    prepared: &Prepared<'_>,
    screen: &Screen,
) -> anyhow::Result<Option<Made>> {
    let bar = progress_bar(screen);
    let mut progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let mut made = Made { remediations: 0, sha256: String::new(), place: None };
    let sha256 = if let Some(file) = &args.out {
        let failed = |error: std::io::Error| BadInput(format!("{}: {error}", file.display()));
        let mut new = file.as_os_str().to_owned();
        new.push(format!(".new-{}", std::process::id()));
        let new = PathBuf::from(new);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(&new).map_err(failed)?;
        made.place = Some((new, file.clone()));
        let mut out = BufWriter::with_capacity(1 << 16, Hashed::new(opened));
        made.remediations = match write(prepared, format, &mut out, &mut progress) {
            Err(ReportError::Io(error)) => return Err(failed(error).into()),
            written => written.map_err(asked)?,
        };
        let hashed = out.into_inner().map_err(|error| failed(error.into_error()))?;
        hashed.out.sync_all().map_err(failed)?;
        hashed.hex()
    } else {
        let hashed = Hashed::new(std::io::stdout().lock());
        let mut out = BufWriter::with_capacity(1 << 16, hashed);
        made.remediations = match write(prepared, format, &mut out, &mut progress) {
            Err(ReportError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(None),
            written => written.map_err(asked)?,
        };
        match out.into_inner() {
            Ok(hashed) => hashed.hex(),
            Err(_) => return Ok(None),
        }
    };
    bar.finish_and_clear();
    made.sha256 = sha256;
    Ok(Some(made))
}

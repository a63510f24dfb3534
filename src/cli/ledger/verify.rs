//! `rescind ledger verify`.

use super::log;
use super::witness::{self, Witnessed};
use crate::audit::{CosignedBy, Findings, HOW_TO_COPY, Kept, Keys, Place, Unreadable, verify};
use crate::cli::Exit;
use crate::cli::exit::BadInput;
use crate::cli::ledger_path::OtherLedger;
use crate::cli::output::{BAD, GOOD, Screen, WARN, clean, styled};
use crate::config::{Config, ConfigError};
use crate::ledger::note::{BadKey, Checkpoint, PublicKey};
use crate::ledger::{Comparison, CosignerKey, LedgerError, published};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A checkpoint that was kept elsewhere; several times for several. Without one a truncated ledger, an
    /// old copy or a rewritten ledger is not detected.
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,

    /// A public key as `rescind ledger key` printed it. Without one the keys that the ledger itself
    /// names are trusted.
    #[arg(long = "public-key", value_name = "KEY")]
    keys: Vec<String>,

    /// The public key of a witness that must have cosigned; several times for several. Without one those of the
    /// configuration.
    #[arg(long = "cosigner", value_name = "KEY")]
    cosigners: Vec<String>,

    /// The bucket in which a witness keeps the checkpoints, `s3://BUCKET/PREFIX`; without a prefix, below
    /// `checkpoints/`. [default: that of the configuration, unless --ledger names another file]
    #[arg(long, value_name = "URL")]
    witness: Option<String>,

    /// Another endpoint of S3 than AWS's own.
    #[arg(long, value_name = "URL", requires = "witness")]
    witness_endpoint: Option<String>,

    #[command(flatten)]
    ledger: OtherLedger,
}

/// Age from which a cosignature says too little of how the ledger is now. A service gets one every ten minutes.
const OLD: SignedDuration = SignedDuration::from_hours(1);

const NEEDS_KEY: &str = "The signing keys were taken from the ledger itself: a ledger that was rewritten with another key, or a forged archive, would pass. Give --public-key with a key that was kept elsewhere.";
const NEEDS_CHECKPOINT: &str = "A truncated ledger, an old copy, or a ledger that was rewritten and signed again would pass. Give --checkpoint with a checkpoint that was kept elsewhere, or --witness with the bucket in which they are kept.";

pub fn run(
    args: &Args,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    // Who names a file needs no configuration, and none of its log and its witness.
    let (path, config) = match args.ledger.named()? {
        Some(path) => (path, None),
        None => config().map(|config| (config.ledger.clone(), Some(config)))?,
    };
    let mut kept = args.checkpoints.iter().map(|file| kept(file)).collect::<Result<Vec<_>, _>>()?;
    kept.extend(beside(&path));
    let mut cosigners = cosigner_keys(&args.cosigners)?;
    if cosigners.is_empty() {
        let configured = config.iter().flat_map(|config| &config.cosigners).map(|one| one.public_key.clone());
        cosigners = cosigner_keys(&configured.collect::<Vec<_>>())?;
    }
    let keys = Keys { signers: public_keys(&args.keys)?, cosigners };
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(LedgerError::Missing { path: shown }.into());
    }
    let endpoint = args.witness_endpoint.as_deref();
    let settings = witness::settings(args.witness.as_deref(), endpoint, config.as_ref())?;
    // Before the log and the ledger, which may grow meanwhile.
    let witnessed =
        settings.map(|settings| witness::read(&settings, &path, &keys.signers, screen)).transpose()?;
    let sizes = witnessed.as_ref().map(Witnessed::sizes).unwrap_or_default();
    let in_log =
        config.as_ref().map(|config| log::against_log(config, &sizes, screen)).transpose()?.flatten();
    let is_ahead =
        |checkpoint: &Checkpoint| in_log.as_ref().is_some_and(|(_, found)| is_ahead(found, checkpoint));
    kept.extend(witnessed.iter().flat_map(|witnessed| witnessed.kept(is_ahead)));
    let bar = progress_bar(screen);
    let found = verify(&path, &kept, keys, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let found = found.map_err(|error| unreadable(&shown, error))?;
    let mut not_verified = not_verified(&shown, &found);
    if let Some(witnessed) = &witnessed {
        not_verified.extend(witnessed.not_verified(&path, &found.foreign));
    }
    json(&shown, &found, &not_verified, in_log.as_ref(), witnessed.as_ref(), screen)?;
    text(&shown, &found, &not_verified, screen);
    if let Some(witnessed) = &witnessed {
        witnessed.say(screen);
    }
    if let Some((table, found)) = &in_log {
        log::say(table, found, screen);
    }
    let is_same = in_log.as_ref().is_none_or(|(_, found)| log::is_same(found));
    Ok(if found.problems.is_empty() && is_same { Exit::Done } else { Exit::Tampered })
}

/// Whether a checkpoint is of entries that the file has yet to read in its log, and fits the log.
fn is_ahead(found: &Comparison, checkpoint: &Checkpoint) -> bool {
    let read = found.entries - found.unread;
    checkpoint.size > read && found.roots.get(&checkpoint.size) == Some(&checkpoint.root)
}

/// What this run could not verify, and what it would need.
fn not_verified(shown: &str, found: &Findings) -> Vec<String> {
    let mut not_verified: Vec<String> = Vec::new();
    if found.own_word {
        not_verified.push(NEEDS_KEY.to_owned());
    }
    for entry in &found.unendorsed {
        not_verified.push(format!(
            "Entry {entry} introduces a signing key that the key before it did not sign: the old key was lost or replaced, or an attacker put in a key of their own."
        ));
    }
    if found.may_lack_log {
        not_verified.push(format!(
            "There is no {shown}-wal beside the file. If this is a copy that was made while rescind ran, or after it was killed, its last entries are missing. {HOW_TO_COPY}"
        ));
    }
    let now = Timestamp::now();
    let is_fresh = |one: &CosignedBy| one.latest.is_some_and(|(_, at)| now.duration_since(at).abs() < OLD);
    // What a witness cosigned a moment ago is as good as a checkpoint that was kept.
    if found.checkpoints.1 == 0 && !found.cosigners.iter().any(is_fresh) {
        not_verified.push(NEEDS_CHECKPOINT.to_owned());
    }
    for one in found.cosigners.iter().filter(|one| !is_fresh(one)) {
        let name = clean(one.key.name());
        not_verified.push(match one.latest {
            None => format!("{name} has cosigned nothing of this ledger, as far as it records."),
            Some((size, at)) if at > now => format!(
                "{name} says that it cosigned at {at:.0}, up to entry {size}, which is in the future: its clock or this one's is wrong, and its cosignature says nothing of the time."
            ),
            Some((size, at)) => format!(
                "{name} last cosigned at {at:.0}, up to entry {size}. That it is an old copy, or was changed after that, would not be seen by its cosignature."
            ),
        });
    }
    if found.signed < found.entries {
        not_verified.push(format!(
            "Entries {} to {} are not signed yet: anyone who can write to the file could have changed them. `rescind ledger checkpoint` signs them.",
            found.signed + 1,
            found.entries
        ));
    }
    if found.archived > 0 {
        not_verified.push(format!(
            "The texts of {} entries are in archives: compare each file's SHA-256 with its `archive` entry, and check it with `rescind ledger check-proof`.",
            found.archived
        ));
    }
    not_verified
}

fn kept(file: &Path) -> Result<Kept, BadInput> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| BadInput(format!("{name}: {error}")))?;
    // Mail and some editors change the ends of lines.
    let note = text.replace("\r\n", "\n");
    match Checkpoint::parse(&note) {
        Some(_) => Ok(Kept { name, note, place: Place::Given }),
        None => Err(BadInput(format!("{name}: not a checkpoint of a ledger"))),
    }
}

/// The checkpoints' files beside a ledger. To be read before the ledger, which may grow meanwhile. One that
/// cannot be read is none.
pub fn beside(ledger: &Path) -> Vec<Kept> {
    let files = published(ledger).into_iter();
    let read = |file: PathBuf| Some((file.display().to_string(), std::fs::read_to_string(&file).ok()?));
    files.filter_map(read).map(|(name, note)| Kept { name, note, place: Place::Beside }).collect()
}

/// Why a file cannot be judged.
pub fn unreadable(path: &str, error: Unreadable) -> LedgerError {
    let path = path.to_owned();
    match error {
        Unreadable::Sqlite(error) => LedgerError::Sqlite { path, error },
        error => LedgerError::Foreign { path, why: error.to_string() },
    }
}

pub fn public_keys(keys: &[String]) -> Result<Vec<PublicKey>, BadInput> {
    keys.iter()
        .map(|key| PublicKey::parse(key).map_err(|error| BadInput(format!("--public-key: {error}"))))
        .collect()
}

pub fn cosigner_keys(keys: &[String]) -> Result<Vec<CosignerKey>, BadInput> {
    let parse = |key: &String| {
        CosignerKey::parse(key).map_err(|error| match error {
            BadKey::Form => BadInput("--cosigner: expected the public key of a witness for cosignatures with Ed25519: NAME+KEYID+BASE64".to_owned()),
            BadKey::Id => BadInput(format!("--cosigner: {error}")),
        })
    };
    keys.iter().map(parse).collect()
}

/// On a terminal only, and only when it takes long enough to be seen.
fn progress_bar(screen: &Screen) -> ProgressBar {
    if !screen.is_text() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "checking {bar:40} {human_pos} of {human_len} entries, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn json(
    shown: &str,
    found: &Findings,
    not_verified: &[String],
    in_log: Option<&(String, Comparison)>,
    witnessed: Option<&Witnessed>,
    screen: &Screen,
) -> anyhow::Result<()> {
    let problems: Vec<_> =
        found.problems.iter().map(|p| serde_json::json!({ "entry": p.entry, "problem": p.what })).collect();
    let cosigners: Vec<_> = found
        .cosigners
        .iter()
        .map(|one| {
            let (size, at) = one.latest.unzip();
            serde_json::json!({ "name": one.key.name(), "key": one.key.to_string(), "count": one.count, "size": size, "at": at })
        })
        .collect();
    screen.json(&serde_json::json!({
        "ledger": shown, "entries": found.entries, "archived": found.archived, "root": found.root, "problems": problems,
        "more_problems": found.more_problems, "first_bad_entry": found.first_bad, "signed": found.signed, "earlier_checkpoints": found.earlier,
        "checkpoints": found.checkpoints.0, "kept_checkpoints": found.checkpoints.1, "beside": found.beside, "keys": found.keys, "cosigners": cosigners,
        "own_word": found.own_word, "unendorsed_keys": found.unendorsed, "may_lack_log": found.may_lack_log, "open_intents": found.open_intents, "not_verified": not_verified,
        "log": in_log.map(|(table, found)| log::described(table, found)),
        "witness": witnessed.map(|witnessed| witnessed.described(&found.foreign)),
    }))
}

fn text(shown: &str, found: &Findings, not_verified: &[String], screen: &Screen) {
    screen.line(format!("{shown}: {} entries, root {}", found.entries, found.root));
    if found.archived > 0 {
        screen.line(format!("{} of them are in archives", found.archived));
    }
    let (own, kept) = found.checkpoints;
    let earlier = match found.earlier {
        0 => String::new(),
        count => format!(", {count} of them signed by earlier keys and not checked"),
    };
    screen.prose(format!(
        "checkpoints: {own} in the ledger, {kept} kept elsewhere, {} beside it{earlier}; signed up to entry {}",
        found.beside.len(),
        found.signed
    ));
    for one in &found.cosigners {
        let name = clean(one.key.name());
        screen.prose(match one.latest {
            Some((size, at)) => format!("cosigned by {name}: up to entry {size}, at {at:.0}"),
            None => format!("cosigned by {name}: nothing"),
        });
    }
    for problem in &found.problems {
        let at = problem.entry.map_or(String::new(), |entry| format!("entry {entry}: "));
        screen.prose(format!("{}  {at}{}", styled(BAD, "TAMPERED"), clean(&problem.what)));
    }
    if found.more_problems > 0 {
        screen.prose(format!("{}  {} more", styled(BAD, "TAMPERED"), found.more_problems));
    }
    for id in &found.open_intents {
        screen.prose(format!(
            "{}  {}: a change was begun and its outcome is not recorded: rescind resumes it at the next start",
            styled(WARN, "open"),
            clean(id)
        ));
    }
    if found.problems.is_empty() {
        screen.line(styled(GOOD, "No tampering detected."));
    } else if let Some(entry) = found.first_bad {
        screen.line(format!("First affected entry: {entry}."));
    }
    for line in not_verified {
        screen.prose(format!("{}  {line}", styled(WARN, "not verified")));
    }
}

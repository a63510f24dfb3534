//! The witness of a ledger: what `verify` reads in its bucket.

use super::unread::Unread;
use crate::audit::{Kept, logs_of};
use crate::cli::exit::BadInput;
use crate::cli::output::Screen;
use crate::cli::runtime::block_on;
use crate::config::{Config, WitnessSettings};
use crate::ledger::note::{Checkpoint, PublicKey};
use crate::remediation::CallError;
use crate::witness::{InBucket, WitnessBucket};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// What stands in the bucket for a ledger.
#[derive(Debug, Default)]
pub struct Witnessed {
    /// The bucket and the prefix: `s3://BUCKET/PREFIX`.
    place: String,
    /// The names that the log goes by.
    logs: BTreeSet<String>,
    objects: Vec<InBucket>,
    /// Other logs that have checkpoints there.
    others: BTreeSet<String>,
}

/// Which bucket is asked: the one that is named, or else the configured one.
pub fn settings(
    named: Option<&str>,
    endpoint: Option<&str>,
    config: Option<&Config>,
) -> Result<Option<WitnessSettings>, BadInput> {
    let configured = config.and_then(|config| {
        let mut witness = config.witness.clone()?;
        witness.region.get_or_insert_with(|| config.home_region().clone());
        Some(witness)
    });
    let Some(named) = named else { return Ok(configured) };
    let settings = WitnessSettings::parse(named).map_err(|error| BadInput(format!("--witness: {error}")))?;
    let configured = configured.filter(|configured| configured.bucket == settings.bucket);
    let (region, known) = configured.map_or((None, None), |one| (one.region, one.endpoint));
    let endpoint = endpoint.map(str::to_owned).or(known);
    Ok(Some(WitnessSettings { region, endpoint, ..settings }))
}

/// Reads everything that stands in the bucket for the ledger in a file, or for the logs whose keys were given.
pub fn read(
    settings: &WitnessSettings,
    path: &Path,
    keys: &[PublicKey],
    screen: &Screen,
) -> anyhow::Result<Witnessed> {
    let logs: BTreeSet<String> =
        if keys.is_empty() { logs_of(path) } else { keys.iter().map(|key| key.name().to_owned()).collect() };
    let bar = progress_bar(screen);
    let read = block_on(async {
        let asked = ask(settings, &logs, &bar).await;
        asked.map_err(|error| anyhow::Error::new(Unread::from(error)))
    });
    bar.finish_and_clear();
    let (objects, others) = read?;
    Ok(Witnessed { place: settings.to_string(), logs, objects, others })
}

async fn ask(
    settings: &WitnessSettings,
    logs: &BTreeSet<String>,
    bar: &ProgressBar,
) -> Result<(Vec<InBucket>, BTreeSet<String>), CallError> {
    let bucket = WitnessBucket::open(settings).await?;
    let mut objects = Vec::new();
    for log in logs {
        let mut progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        objects.extend(bucket.all(log, &mut progress).await?);
    }
    // A ledger that was made anew under another name has nothing there.
    let others = if objects.is_empty() { bucket.logs().await? } else { BTreeSet::new() };
    Ok((objects, others))
}

impl Witnessed {
    /// What is compared with the ledger: each object, but for those that are known to fit.
    pub fn kept(&self, fits: impl Fn(&Checkpoint) -> bool) -> impl Iterator<Item = Kept> {
        self.objects.iter().filter_map(move |object| {
            let note = object.text.clone().unwrap_or_default();
            let is_known = Checkpoint::parse(&note).is_some_and(|checkpoint| fits(&checkpoint));
            (!is_known).then(|| Kept { name: object.object.clone(), note, is_beside: false })
        })
    }

    /// The numbers of entries for which there is a checkpoint.
    pub fn sizes(&self) -> BTreeSet<u64> {
        let parsed = self.objects.iter().filter_map(|object| Checkpoint::parse(object.text.as_deref()?));
        parsed.map(|checkpoint| checkpoint.size).collect()
    }

    /// What is missing there, if something is.
    pub fn not_verified(&self) -> Option<String> {
        if !self.objects.is_empty() {
            return None;
        }
        let names: Vec<&str> = self.logs.iter().map(String::as_str).collect();
        let name = if names.is_empty() { "this ledger".to_owned() } else { names.join(", ") };
        let others: Vec<&str> = self.others.iter().map(String::as_str).collect();
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(
                " It has those of {}: this ledger may have been put in the place of that one.",
                others.join(", ")
            )
        };
        Some(format!("The witness {} has no checkpoint of {name}.{others}", self.place))
    }

    /// What was read, for programs.
    pub fn described(&self) -> Value {
        json!({ "place": self.place, "logs": self.logs, "objects": self.objects.len(), "latest": self.sizes().last(), "other_logs": self.others })
    }

    /// What was read, for people.
    pub fn say(&self, screen: &Screen) {
        let latest =
            self.sizes().last().map_or(String::new(), |size| format!(", the latest over {size} entries"));
        screen.line(format!("witness {}: {} checkpoints{latest}", self.place, self.objects.len()));
    }
}

/// On a terminal only.
fn progress_bar(screen: &Screen) -> ProgressBar {
    if !screen.is_text() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("reading {bar:40} {human_pos} of {human_len} checkpoints")
    {
        bar.set_style(style);
    }
    bar
}

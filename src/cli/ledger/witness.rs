//! The witness of a ledger: what `verify` reads in its bucket.

use super::unread::Unread;
use crate::audit::{Kept, Place, logs_of};
use crate::cli::exit::BadInput;
use crate::cli::output::{Screen, clean};
use crate::cli::runtime::block_on;
use crate::config::{Config, WitnessSettings};
use crate::ledger::Reader;
use crate::ledger::note::{Checkpoint, PublicKey};
use crate::plural::counted;
use crate::remediation::CallError;
use crate::witness::{BucketContents, InBucket, WitnessBucket};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Maximum number of objects that are named.
const NAMED: usize = 5;

fn listed(names: &[String]) -> String {
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", clean(&names[..names.len().min(NAMED)].join(", ")))
}

/// What stands in the bucket for a ledger.
#[derive(Debug, Default)]
pub struct Witnessed {
    /// The bucket and the prefix: `s3://BUCKET/PREFIX`.
    place: String,
    /// The names that the log goes by.
    logs: BTreeSet<String>,
    objects: Vec<InBucket>,
    /// Objects that somebody deleted: they stand there all the same, behind a marker.
    deleted: Vec<String>,
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
    let (contents, others) = read?;
    let BucketContents { objects, deleted } = contents;
    Ok(Witnessed { place: settings.to_string(), logs, objects, deleted, others })
}

async fn ask(
    settings: &WitnessSettings,
    logs: &BTreeSet<String>,
    bar: &ProgressBar,
) -> Result<(BucketContents, BTreeSet<String>), CallError> {
    let bucket = WitnessBucket::open(settings).await?;
    let mut contents = BucketContents::default();
    for log in logs {
        let mut progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        let of_log = bucket.all(log, &mut progress).await?;
        contents.objects.extend(of_log.objects);
        contents.deleted.extend(of_log.deleted);
    }
    // A ledger that was made anew under another name has nothing there.
    let others = if contents.objects.is_empty() { bucket.logs().await? } else { BTreeSet::new() };
    Ok((contents, others))
}

impl Witnessed {
    /// What is compared with the ledger: each object, but for those that are known to fit.
    pub fn kept(&self, fits: impl Fn(&Checkpoint) -> bool) -> impl Iterator<Item = Kept> {
        self.objects.iter().filter_map(move |object| {
            let note = object.text.clone().unwrap_or_default();
            let is_known = Checkpoint::parse(&note).is_some_and(|checkpoint| fits(&checkpoint));
            (!is_known).then(|| Kept { name: object.object.clone(), note, place: Place::Witness })
        })
    }

    /// The numbers of entries for which there is a checkpoint.
    pub fn sizes(&self) -> BTreeSet<u64> {
        let parsed = self.objects.iter().filter_map(|object| Checkpoint::parse(object.text.as_deref()?));
        parsed.map(|checkpoint| checkpoint.size).collect()
    }

    /// What is missing there, and what should not be there.
    pub fn not_verified(&self, path: &Path, foreign: &[String]) -> Vec<String> {
        let mut all = Vec::new();
        if self.objects.is_empty() {
            all.push(self.nothing());
        }
        // The ledger's own word counts against it.
        let said = Reader::open(path).ok().and_then(|reader| reader.last_witnessed().ok().flatten());
        if let Some(said) = said.filter(|said| !self.sizes().contains(&said.size)) {
            all.push(format!(
                "The ledger says that its checkpoint over {} entries stands at {}, and it is not in {}: that is another bucket, or somebody took it away.",
                said.size, said.object, self.place
            ));
        }
        if !self.deleted.is_empty() {
            all.push(format!(
                "Somebody deleted {} at the witness, whose policy forbids it: {}. What stood there was compared all the same. Find out who may change that bucket.",
                counted(self.deleted.len(), "object"),
                listed(&self.deleted)
            ));
        }
        if !foreign.is_empty() {
            all.push(format!(
                "{} at the witness that are no checkpoints of this ledger, and say nothing of it: {}. Somebody put them there who may put objects: docs/runbook.md, \"The witness has another checkpoint\".",
                counted(foreign.len(), "object"),
                listed(foreign)
            ));
        }
        all
    }

    /// Why a bucket that has nothing of this ledger may not have it.
    fn nothing(&self) -> String {
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
        format!("The witness {} has no checkpoint of {name}.{others}", self.place)
    }

    /// What was read, for programs. Of those objects that are none of this ledger, the first ones.
    pub fn described(&self, foreign: &[String]) -> Value {
        json!({
            "place": self.place, "logs": self.logs, "objects": self.objects.len(), "latest": self.sizes().last(), "other_logs": self.others,
            "deleted": self.deleted, "foreign": foreign.len(), "foreign_objects": &foreign[..foreign.len().min(NAMED)],
        })
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

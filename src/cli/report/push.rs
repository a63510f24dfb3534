//! `rescind report push-securityhub`: remediations as findings in Security Hub.

use super::super::Exit;
use super::super::exit::BadInput;
use super::super::output::{BAD, GOOD, Screen, clean, styled};
use super::super::runtime::block_on;
use super::wanted::{Wanted, asked, prepare, progress_bar};
use crate::aws::{Hub, NotImported};
use crate::config::Config;
use crate::ident::Region;
use crate::ledger::Reader;
use crate::plural::counted;
use crate::remediation::{Draft, Event, Reported};
use crate::replication::open_ledger;
use crate::report::{HubFinding, ReportError, hub_findings};
use crate::service::{self, Checkpoints};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// Maximum number of findings in a BatchImportFindings (AWS Security Hub API Reference).
const BATCH: usize = 100;

/// Number of attempts at a batch whose findings were refused for now.
const TRIES: usize = 3;

/// Delay before such a batch is sent again.
const PAUSE: Duration = Duration::from_secs(1);

/// Maximum number of rejected findings that are listed.
const NAMED: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    wanted: Wanted,

    /// Into Security Hub of this region, instead of that of each GuardDuty finding.
    #[arg(id = "aws_region", long = "region", value_name = "REGION")]
    region: Option<Region>,
}

pub fn run(args: &Args, config: &Config, screen: &Screen) -> anyhow::Result<Exit> {
    let reader = Reader::open(&config.ledger)?;
    let selection = args.wanted.selection(&reader)?;
    let region = args.region.clone();
    if let Some(region) = &region
        && crate::ident::Partition::of_region(region) != config.partition()
    {
        return Err(BadInput(format!("--region {region} is in another partition than the hub")).into());
    }
    block_on(async {
        let ledger = open_ledger(config)?;
        let hub = service::hub(config, &ledger).await?;
        let checkpoints = Checkpoints::start(config, &ledger, &reader).await?;
        // A checkpoint covers everything that the findings show.
        checkpoints.make(&ledger, &reader).await?;
        let prepared = prepare(&reader, selection)?;
        let mut push = Push::of(&hub);
        let bar = progress_bar(screen);
        let mut progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        hub_findings(&prepared, region, &mut progress, &mut |finding| {
            // The ledger is read on this thread, one remediation after the other, while nothing is sent.
            block_in_place(|| Handle::current().block_on(push.take(finding)));
            Ok::<_, ReportError>(())
        })
        .map_err(asked)?;
        push.finish().await;
        bar.finish_and_clear();
        let event = Event::Report(Box::new(Reported {
            format: "securityhub".to_owned(),
            selection: prepared.head.selection.clone(),
            remediations: push.taken,
            sha256: crate::digest::hex(&push.hash.clone().finalize()),
            entries: prepared.head.entries.unsigned_abs(),
            os_user: crate::service::os_user(),
            identity: None,
        }));
        ledger.append(Draft::of_service(event)).await?;
        checkpoints.make(&ledger, &reader).await?;
        ledger.close();
        push.describe(screen)
    })
}

/// What was sent, and what is to be.
struct Push<'a> {
    hub: &'a Hub,
    waiting: BTreeMap<Region, Vec<HubFinding>>,
    taken: u64,
    /// Over the findings that were taken, in the order in which they were sent.
    hash: Sha256,
    refused: Vec<NotImported>,
    /// Regions that take nothing, with the reason, and how many were for them.
    closed: BTreeMap<Region, (String, u64)>,
}

impl<'a> Push<'a> {
    fn of(hub: &'a Hub) -> Self {
        Self {
            hub,
            waiting: BTreeMap::new(),
            taken: 0,
            hash: Sha256::new(),
            refused: Vec::new(),
            closed: BTreeMap::new(),
        }
    }

    async fn take(&mut self, finding: HubFinding) {
        let region = finding.region.clone();
        if let Some((_, lost)) = self.closed.get_mut(&region) {
            *lost += 1;
            return;
        }
        let waiting = self.waiting.entry(region.clone()).or_default();
        waiting.push(finding);
        if waiting.len() >= BATCH {
            self.send(&region).await;
        }
    }

    async fn finish(&mut self) {
        let regions: Vec<Region> = self.waiting.keys().cloned().collect();
        for region in regions {
            self.send(&region).await;
        }
    }

    /// Sends what waits for a region. A finding that is refused for now is sent again; one that is refused for good
    /// is reported, and does not delay the others.
    async fn send(&mut self, region: &Region) {
        let mut batch = self.waiting.remove(region).unwrap_or_default();
        for turn in 1..=TRIES {
            if batch.is_empty() {
                return;
            }
            if turn > 1 {
                tokio::time::sleep(PAUSE).await;
            }
            let bodies: Vec<&[u8]> = batch.iter().map(|finding| finding.json.as_slice()).collect();
            let refused = match self.hub.import_findings(region, &bodies).await {
                Ok(refused) => refused,
                Err(error) => {
                    let lost = batch.len() as u64;
                    self.closed.insert(region.clone(), (error.to_string(), lost));
                    return;
                }
            };
            let (mut again, mut last) = (Vec::new(), Vec::new());
            for finding in batch {
                match refused.iter().find(|one| one.id == finding.id) {
                    None => {
                        self.hash.update(&finding.json);
                        self.taken += 1;
                    }
                    Some(why) if why.is_for_good() => self.refused.push(why.clone()),
                    Some(why) => {
                        last.push(why.clone());
                        again.push(finding);
                    }
                }
            }
            if turn == TRIES {
                self.refused.append(&mut last);
            }
            batch = again;
        }
    }

    fn describe(&self, screen: &Screen) -> anyhow::Result<Exit> {
        let lost: u64 = self.closed.values().map(|(_, lost)| lost).sum();
        let not_taken = self.refused.len() as u64 + lost;
        screen.json(&serde_json::json!({
            "taken": self.taken,
            "not_taken": not_taken,
            "refused": self.refused.iter().map(|one| serde_json::json!({
                "id": one.id, "code": one.code, "message": one.message,
            })).collect::<Vec<_>>(),
            "regions_that_failed": self.closed.iter().map(|(region, (error, lost))| serde_json::json!({
                "region": region, "error": error, "findings": lost,
            })).collect::<Vec<_>>(),
        }))?;
        screen.line(styled(GOOD, format!("Security Hub accepted {}.", counted(self.taken, "finding"))));
        for one in self.refused.iter().take(NAMED) {
            let why = clean(&format!("{}: {}: {}", one.id, one.code, one.message));
            screen.prose(format!("{}  {why}", styled(BAD, "NOT accepted")));
        }
        if self.refused.len() > NAMED {
            screen.line(format!("… and {} more", self.refused.len() - NAMED));
        }
        for (region, (error, lost)) in &self.closed {
            let text = format!("{} for {region}: {}", counted(lost, "finding"), clean(error));
            screen.prose(format!("{}  {text}", styled(BAD, "NOT accepted")));
        }
        if !self.closed.is_empty() {
            screen.prose(
                "  Security Hub must be enabled in the hub's account and region, and the hub's role needs securityhub:BatchImportFindings. Send it again then: what it accepted is only updated.",
            );
        }
        Ok(if not_taken == 0 { Exit::Done } else { Exit::NeedsPerson })
    }
}

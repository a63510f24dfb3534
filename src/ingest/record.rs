//! Recording what a feed read, before anything is done about it.

use crate::finding::{Decoded, Finding, Undecodable};
use crate::ident::Region;
use crate::ledger::{Append, Cursor, Ledger, LedgerError, SideTable};
use crate::remediation::{Draft, Origin};
use jiff::Timestamp;

/// Where findings come from.
#[derive(Debug)]
pub struct Source<'a> {
    pub origin: &'a Origin,
    /// The region, when it is that of one.
    pub region: Option<&'a Region>,
    /// Since when it is watched, when it is watched: what is older was there before.
    pub watched_since: Option<Timestamp>,
}

impl<'a> Source<'a> {
    /// Of no region, or of several.
    #[must_use]
    pub fn of(origin: &'a Origin) -> Self {
        Self { origin, region: None, watched_since: None }
    }
}

/// What became of one item of a feed.
#[derive(Debug)]
pub enum Recorded {
    /// An occurrence that was not in the ledger before. It is now.
    New(Finding),
    /// An occurrence that had been recorded before.
    Seen(Finding),
    /// It cannot be read; that is recorded.
    Undecodable(Undecodable),
}

/// Whatever only points to a finding is none that something could be decided about.
fn checked_whole(item: Decoded) -> Decoded {
    match item {
        Ok(finding) if finding.pointer => Err(Undecodable {
            path: "(finding)".to_owned(),
            error: "it only says which finding it is: GuardDuty was not asked for it".to_owned(),
            finding_id: Some(finding.id),
            sha256: finding.sha256,
            foreign: None,
        }),
        item => item,
    }
}

/// Records what was decoded, and with it how far the feed has come. Gives for each item what became
/// of it.
///
/// # Errors
/// When the ledger cannot be written: then nothing of it was recorded.
pub async fn record(
    ledger: &Ledger,
    source: &Source<'_>,
    decoded: Vec<Decoded>,
    cursor: Option<Cursor>,
) -> Result<Vec<Recorded>, LedgerError> {
    // The writer may be busy: who has nothing to record need not wait for it.
    if decoded.is_empty() && cursor.is_none() {
        return Ok(Vec::new());
    }
    let decoded: Vec<Decoded> = decoded.into_iter().map(checked_whole).collect();
    let entries = decoded
        .iter()
        .map(|item| match item {
            Ok(finding) => {
                let before_watch = source.watched_since.filter(|since| finding.updated_at < *since);
                Draft::finding(source.origin, finding.clone(), before_watch)
            }
            Err(undecodable) => Draft::undecodable(source.origin, source.region, undecodable.clone()),
        })
        .collect();
    let written = ledger
        .append(Append {
            entries,
            beside: cursor.map(SideTable::Cursor).into_iter().collect(),
            ..Append::default()
        })
        .await?;
    let recorded = decoded.into_iter().zip(written).map(|(item, seq)| match (item, seq) {
        (Ok(finding), Some(_)) => {
            metrics::counter!("rescind_findings_seen_total", "feed" => source.origin.name()).increment(1);
            let age = Timestamp::now().duration_since(finding.last_seen()).as_secs_f64();
            // One that GuardDuty dates ahead of now says nothing of how long it took.
            if age >= 0.0 {
                metrics::histogram!("rescind_activity_to_seen_seconds").record(age);
            }
            Recorded::New(finding)
        }
        (Ok(finding), None) => Recorded::Seen(finding),
        (Err(undecodable), seq) => {
            if seq.is_some() {
                metrics::counter!("rescind_findings_undecodable_total").increment(1);
                // Whoever hands a file in is shown what is wrong with it.
                if !source.origin.is_asked() {
                    tracing::warn!(
                        source = %source.origin,
                        finding = undecodable.finding_id,
                        "not a readable finding: {undecodable}"
                    );
                }
            }
            Recorded::Undecodable(undecodable)
        }
    });
    Ok(recorded.collect())
}

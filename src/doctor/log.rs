//! The table of the log, where the ledger has one.

use super::{Doctor, Level, Problem};
use crate::aws::{LogTable, TableFacts};
use crate::config::LogSettings;
use crate::ident::Region;
use crate::remediation::{CallError, ErrorKind};
use crate::replication::{LOG, region_of_log};

/// What DynamoDB says of a table that can be used.
const ACTIVE: &str = "ACTIVE";

impl Doctor<'_> {
    /// Looks at the table: that it is there, has the key that items are found by, and cannot be deleted by a slip.
    pub(super) async fn log(&self) -> Vec<Problem> {
        let Some(settings) = &self.config.log else { return Vec::new() };
        let home = self.config.home_region();
        let region = &region_of_log(settings, home).await;
        let (table, endpoint) = (settings.table.as_str(), settings.endpoint.as_deref());
        let described = match LogTable::open(region, table, endpoint, LOG).await {
            Ok(log) => log.describe().await,
            Err(error) => Err(error),
        };
        let problem = |level, code, text: String, fix: &str| {
            vec![Problem::new(level, code, format!("table {table}"), text, fix)]
        };
        match described {
            Err(error) => vec![unread(table, &error)],
            Ok(facts) if facts.status != ACTIVE => {
                let text =
                    format!("the log's table is {}: nothing is done until it is {ACTIVE}", facts.status);
                problem(Level::Problem, "log_unreachable", text, "See the table in DynamoDB's console.")
            }
            Ok(facts) if !facts.is_keyed => {
                let text = "the log's table has another key than the text `pk`".to_owned();
                let fix = "Create a table with policies/deployment/log.yaml, and name it under [ledger].";
                problem(Level::Problem, "log_table_key", text, fix)
            }
            Ok(facts) if !settings.replicas.is_empty() && !facts.is_strong => {
                let text = "the configuration names replicas, and the log's table has no multi-Region strong consistency: two hosts could both lead".to_owned();
                let fix = "Take `replicas` out of [ledger]; or make a table with SecondRegion and ThirdRegion of policies/deployment/log.yaml, and publish the ledger to it.";
                problem(Level::Problem, "log_not_strong", text, fix)
            }
            Ok(facts) if not_there(settings, home, region, &facts).is_some() => {
                let missing = not_there(settings, home, region, &facts);
                let missing = missing.as_ref().map_or("", Region::as_str);
                let text = format!("the log's table has no replica in {missing}, which [ledger] names");
                problem(
                    Level::Problem,
                    "log_replica_missing",
                    text,
                    "Correct `region` and `replicas` under [ledger].",
                )
            }
            Ok(facts) if !facts.is_protected => {
                let text = "the log's table can be deleted: its deletion protection is off".to_owned();
                let fix = format!(
                    "aws dynamodb update-table --region {region} --table-name {table} --deletion-protection-enabled"
                );
                problem(Level::Warning, "log_table_unprotected", text, &fix)
            }
            Ok(_) => Vec::new(),
        }
    }
}

/// A region that the configuration names and that does not have the table.
fn not_there(settings: &LogSettings, home: &Region, asked: &Region, facts: &TableFacts) -> Option<Region> {
    let is_there =
        |region: &Region| region == asked || facts.replicas.iter().any(|one| one == region.as_str());
    let mut named = settings.regions(home).filter(|_| !settings.replicas.is_empty());
    named.find(|region| !is_there(region)).cloned()
}

fn unread(table: &str, error: &CallError) -> Problem {
    let fix = match error.kind {
        ErrorKind::NotFound => {
            "Create it with policies/deployment/log.yaml, or correct [ledger] in rescind.toml."
        }
        ErrorKind::Denied => {
            "Give the hub's role the permissions of `rescind policies print hub-role`, and see the table's own policy."
        }
        _ => "See DynamoDB's health and the network; docs/runbook.md: the log does not answer.",
    };
    let level = if error.kind == ErrorKind::Denied { Level::Warning } else { Level::Problem };
    let text = format!("the log's table cannot be looked at: {error}");
    Problem::new(level, "log_unreachable", format!("table {table}"), text, fix)
}

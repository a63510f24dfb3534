//! The table of the log, where the ledger has one.

use super::{Doctor, Level, Problem};
use crate::aws::LogTable;
use crate::remediation::{CallError, ErrorKind};
use crate::replication::LOG;

/// What DynamoDB says of a table that can be used.
const ACTIVE: &str = "ACTIVE";

impl Doctor<'_> {
    /// Looks at the table: that it is there, has the key that items are found by, and cannot be deleted by a slip.
    pub(super) async fn log(&self) -> Vec<Problem> {
        let Some(settings) = &self.config.log else { return Vec::new() };
        let region = settings.region.as_ref().unwrap_or_else(|| self.config.home_region());
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

//! The witness of the ledger's checkpoints, where it has one.

use super::{Doctor, Level, Problem};
use crate::remediation::{CallError, ErrorKind};
use crate::service::Live;
use crate::witness::WitnessBucket;

impl Doctor<'_> {
    /// Looks at the bucket: that it is there, locks what is put into it, and takes what the service puts. Nothing is put
    /// for a trial: nobody could delete it.
    pub(super) async fn witness(&self) -> Vec<Problem> {
        let Some(settings) = &self.config.witness else { return Vec::new() };
        let witness = WitnessBucket::of_hub(self.hub, settings, self.config.home_region());
        let place = format!("bucket {}", settings.bucket);
        let warning = |code, text: String, fix: &str| Problem::new(Level::Warning, code, &place, text, fix);
        let mut problems = Vec::new();
        match witness.bucket().facts().await {
            Err(error) => problems.push(warning("witness_unreachable", unread(&error), what_to_do(&error))),
            Ok(facts) if !facts.has_object_lock => {
                let text = "Object Lock is off: whoever may delete objects there can replace a checkpoint";
                let fix = "Create a bucket with policies/deployment/witness.yaml, and name it under [ledger.witness].";
                problems.push(warning("witness_not_locked", text.to_owned(), fix));
            }
            Ok(facts) if facts.default_retention.is_none() && settings.retention.is_none() => {
                let text = "the bucket has no default retention, and [ledger.witness] has none: a checkpoint can be deleted at once";
                let fix = format!(
                    "aws s3api put-object-lock-configuration --bucket {} --object-lock-configuration 'ObjectLockEnabled=Enabled,Rule={{DefaultRetention={{Mode=COMPLIANCE,Days=400}}}}'",
                    settings.bucket
                );
                problems.push(warning("witness_no_retention", text.to_owned(), &fix));
            }
            Ok(_) => {}
        }
        // What stands there is compared with what is to be put, so it must be readable.
        if problems.is_empty()
            && let Err(error) = witness.logs().await
        {
            problems.push(warning("witness_unreachable", unread(&error), what_to_do(&error)));
        }
        let live = Live::of_holder(&self.config.ledger).and_then(|live| live.witness);
        if let Some(error) = live.and_then(|witness| witness.error) {
            let text = format!("the service cannot put its checkpoints there: {error}");
            let fix = "Give the hub's role the permissions of `rescind policies print hub-role`, and see the bucket's own policy.";
            problems.push(warning("witness_behind", text, fix));
        }
        problems
    }
}

fn unread(error: &CallError) -> String {
    format!("the witness's bucket cannot be looked at: {error}")
}

fn what_to_do(error: &CallError) -> &'static str {
    match error.kind {
        ErrorKind::NotFound => {
            "Create it with policies/deployment/witness.yaml, or correct [ledger.witness] in rescind.toml."
        }
        ErrorKind::Denied => {
            "Give the hub's role the permissions of `rescind policies print hub-role`, and see the bucket's own policy."
        }
        _ => {
            "See the bucket's region, S3's health and the network; docs/runbook.md: the witness does not answer."
        }
    }
}

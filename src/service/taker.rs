//! What is done about what the queue brings.

use super::Service;
use crate::alert::Alert;
use crate::aws::hub_hint;
use crate::finding::{Finding, Unconfirmed, Undecodable};
use crate::ident::AccountId;
use crate::ingest::Taker;
use crate::ledger::LedgerError;
use crate::remediation::{AlertCode, CallError, Draft};
use std::time::Duration;

impl Taker for Service {
    fn expect(&self, account: &AccountId) {
        self.engine.expect(account);
    }

    async fn unconfirmed(&self, source: &str, claim: &Finding, why: &Unconfirmed) -> Result<(), LedgerError> {
        let (id, finding_type, account) = (&claim.id, &claim.finding_type, &claim.account);
        let text = format!(
            "{source} brought a finding {id} ({finding_type} in {account}) that GuardDuty does not confirm; nothing was done: {why}"
        );
        let what_to_do = match why {
            Unconfirmed::RegionNotWatched => {
                "Add the region to `regions`, or keep its events from the queue."
            }
            _ => {
                "Find out who can write to it: somebody may try to have roles revoked. `rescind list --decisions` lists what came. \
                 A finding that GuardDuty does have is found by the next poll."
            }
        };
        let code = match why {
            Unconfirmed::NotFound => AlertCode::UnconfirmedNotFound,
            Unconfirmed::RefusedId { .. } => AlertCode::UnconfirmedRefusedId,
            Unconfirmed::RegionNotWatched => AlertCode::UnconfirmedRegionNotWatched,
            Unconfirmed::Differs { .. } => AlertCode::UnconfirmedDiffers,
        };
        // One for all: who forges can name any account.
        self.alerts.raise_alert(Alert::of_service(code, text, what_to_do)).await
    }

    async fn unreadable(&self, source: &str, what: &Undecodable) -> Result<(), LedgerError> {
        let text = format!("{source} brought something that is not a readable finding: {what}");
        let what_to_do = "Look at what it is: a theft may be in it, or the feed brings nothing else. `rescind list --decisions` lists \
             what came; the polls find what GuardDuty has.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::Unreadable, text, what_to_do)).await
    }

    async fn flooded(&self, source: &str, pause: Duration) -> Result<(), LedgerError> {
        let text = format!(
            "{source} is flooded with what is no finding of GuardDuty's, or was told before: nothing is received from it for {} min; the polls go on",
            pause.as_secs().div_ceil(60)
        );
        let what_to_do = "Find out who writes to the queue and stop them; purge it. After a restart it is received from again.";
        self.alerts.raise_alert(Alert::of_service(AlertCode::QueueFlooded, text, what_to_do)).await
    }

    async fn failed(&self, error: &CallError, is_other: bool) -> Result<(), LedgerError> {
        let hint = hub_hint(error, self.hub.identity());
        tracing::error!(hint, "events cannot be received: {error}");
        // One entry for an outage, not one for each try.
        if is_other {
            self.ledger.append(Draft::feed_failed(None, error.to_string(), hint)).await?;
        }
        Ok(())
    }
}

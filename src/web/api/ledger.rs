//! The ledger as evidence: its checkpoint, its keys, proofs of entries.

use super::document::{Document, unless_it_is_known};
use crate::config::WebRole;
use crate::desk::DeskError;
use crate::service::WitnessLive;
use crate::web::act;
use crate::web::app::App;
use crate::web::caller::Caller;
use crate::web::problem::Problem;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub(super) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/v1/ledger",
            get_with(ledger, |o| o.id("ledger").summary("The ledger: entries, checkpoint, keys")),
        )
        .api_route(
            "/v1/ledger/entries/{entry}/proof",
            get_with(proof, |o| o.id("proof").summary("The proof that an entry stands in the ledger")),
        )
        .layer(from_fn(unless_it_is_known))
}

/// The ledger.
#[derive(Serialize, JsonSchema)]
struct LedgerDocument {
    /// Which ledger it is: the beginning of its first entry's hash.
    ledger: String,
    /// Number of entries.
    entries: i64,
    /// Number of entries under the latest checkpoint.
    checkpoint_entries: Option<u64>,
    /// The latest checkpoint: a signed note (C2SP signed-note).
    checkpoint: Option<String>,
    /// The public keys that the ledger introduces. That they stand there proves nothing: compare them with the one that
    /// you keep.
    keys: Vec<String>,
    /// How the witness of the checkpoints is doing, where there is one.
    witness: Option<WitnessLive>,
}

async fn ledger(State(app): State<Arc<App>>, caller: Caller) -> Result<Document<LedgerDocument>, Problem> {
    act::require(&app, &caller, WebRole::Viewer, None).await?;
    let witness = app.shared.live().and_then(|live| live.witness.clone());
    let document = app
        .read(move |reader| {
            let checkpoint = reader.latest_checkpoint()?;
            Ok::<_, DeskError>(LedgerDocument {
                ledger: reader.identity()?,
                entries: reader.last()?,
                checkpoint_entries: checkpoint.as_ref().map(|(size, _)| *size),
                checkpoint: checkpoint.map(|(_, note)| note),
                keys: reader.named_keys()?.into_iter().map(|key| key.key.to_string()).collect(),
                witness,
            })
        })
        .await?;
    Ok(Document(document))
}

async fn proof(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(entry): Path<i64>,
) -> Result<Document<serde_json::Value>, Problem> {
    let found = app
        .read(move |reader| {
            let unknown = || DeskError::NotFound(format!("there is no entry {entry}"));
            if !(1..=reader.last()?).contains(&entry) {
                return Err(unknown());
            }
            let is_archived = reader.is_archived(entry)?;
            let account = if is_archived { None } else { reader.entry(entry)?.subject.account };
            if !caller.access.places(reader)?.show(account.as_ref()) {
                return Err(unknown());
            }
            if is_archived {
                let text = format!("entry {entry} was moved to an archive: it and its proof are there");
                return Err(DeskError::NotFound(text));
            }
            let covered = reader.latest_checkpoint()?.map_or(0, |(size, _)| size);
            if entry.unsigned_abs() > covered {
                let text =
                    format!("no checkpoint covers entry {entry} yet: the service makes one before long");
                return Err(DeskError::Conflict(text));
            }
            let proof = reader.prove(entry)?;
            serde_json::to_value(proof).map_err(|error| DeskError::Conflict(error.to_string()))
        })
        .await?;
    Ok(Document(found))
}

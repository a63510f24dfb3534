//! Requests that carried an identity and were refused, for the ledger: each one, but no more than it can bear.

use super::app::App;
use crate::ledger::Append;
use crate::remediation::{Draft, Event, RequestRefused, Subject};
use crate::safe;
use std::sync::Arc;
use std::time::Instant;

/// Maximum length of a text that the one who asks wrote, in characters.
const LONGEST: usize = 200;

/// Records that a request was refused: at most ten a minute of each code, and with the next one how many more there
/// were. It is done also when the one who asked does not wait for the answer. A ledger that cannot be written is in the log.
pub(super) async fn record(app: &Arc<App>, refused: RequestRefused) {
    let Some(more) = app.refusals.take(&refused.code, Instant::now()) else { return };
    let short = |text: String| safe::short_line(&text, LONGEST);
    let refused = RequestRefused {
        claim: refused.claim.map(short),
        request: short(refused.request),
        why: short(refused.why),
        more,
        ..refused
    };
    let who = refused.identity.as_ref().map(ToString::to_string).or_else(|| refused.claim.clone());
    tracing::warn!(
        code = refused.code,
        "refused: {} by {}, from {}: {}",
        refused.request,
        safe::line(&who.unwrap_or_default()),
        refused.from,
        refused.why
    );
    let app = Arc::clone(app);
    let task = tokio::spawn(async move {
        let entries = vec![Draft { subject: Subject::default(), event: Event::RequestRefused(refused) }];
        let append = Append { entries, ..Append::default() };
        app.write(async move |ledger, _| Ok(ledger.append(append).await.map(drop)?)).await
    });
    if let Ok(Err(error)) = task.await {
        tracing::error!("a request was refused, and that cannot be recorded: {error}");
    }
}

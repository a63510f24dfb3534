//! A service that watches and acts, until it is stopped.

use super::output::Screen;
use super::{Exit, summary};
use crate::plural::counted;
use crate::service::Service;
use std::sync::Arc;
use tokio::sync::Notify;

/// Watches and acts until it is stopped.
pub(super) async fn act(
    backlog: bool,
    service: Service,
    screen: &Screen,
    reload: Arc<Notify>,
) -> anyhow::Result<Exit> {
    let (regions, mode, interval) =
        (service.region_count(), service.config().mode, service.config().poll_interval);
    screen.prose(format!(
        "Watching {}, mode {mode}, every {interval:?}. Ctrl-C stops.",
        counted(regions, "region")
    ));
    // When nobody reads standard output, the log has it too.
    let _ = screen.json(&serde_json::json!({ "watching": { "regions": regions, "mode": mode } }));
    service.describe_feeds().iter().for_each(|feed| screen.line(feed));
    let done = service.run(backlog, reload).await;
    Box::pin(summary::finish_service(service, screen, done)).await
}

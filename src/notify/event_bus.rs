//! To an event bus, so that the users' own automation can react.

use super::{Notice, Undelivered};
use crate::aws::Hub;
use crate::ident::Region;
use crate::safe;

/// Maximum size of an event's detail. EventBridge allows 256 KiB in all (EventBridge User Guide,
/// "PutEvents").
const MOST: usize = 200 << 10;

pub(super) async fn send(hub: &Hub, bus: &str, region: &Region, notice: &Notice) -> Result<(), Undelivered> {
    let mut detail = safe::json_line(notice).unwrap_or_default();
    if detail.len() > MOST {
        let short = Notice { text: Vec::new(), to_do: Vec::new(), ..notice.clone() };
        detail = safe::json_line(&short).unwrap_or_default();
    }
    let detail_type = format!("rescind {}", notice.topic.as_str());
    hub.put_event(region, bus, &detail_type, detail)
        .await
        .map_err(|error| Undelivered::new(error.to_string()))
}

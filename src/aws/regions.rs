//! Which regions the hub's account can use.

use super::hub::Hub;
use super::record::{Observer, recorded};
use crate::ident::Region;
use crate::remediation::{CallError, CallScope};
use aws_sdk_account as account;
use futures::FutureExt;

/// A region, and whether it is enabled for the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionStatus {
    pub region: Region,
    /// `ENABLED`, `ENABLED_BY_DEFAULT`, `ENABLING`, `DISABLING` or `DISABLED`.
    pub status: String,
}

impl RegionStatus {
    /// Calls to it are answered.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        matches!(self.status.as_str(), "ENABLED" | "ENABLED_BY_DEFAULT" | "DISABLING")
    }
}

impl Hub {
    /// Every region of the partition.
    ///
    /// # Errors
    /// As the call's.
    pub async fn regions(&self) -> Result<Vec<RegionStatus>, CallError> {
        let config = account::config::Builder::from(&self.config).interceptor(Observer::default()).build();
        let client = account::Client::from_conf(config);
        let scope = CallScope::default();
        let (mut regions, mut page) = (Vec::new(), None);
        loop {
            let request = client.list_regions().max_results(50).set_next_token(page).send().boxed();
            let call = self.call("account", "ListRegions", &self.home, &scope);
            let answer = recorded(&*self.sink, call, request).await?;
            regions.extend(answer.regions.unwrap_or_default().into_iter().filter_map(|region| {
                // A name that is not one of a region's cannot be used.
                let name = region.region_name?.parse().ok()?;
                let status = region.region_opt_status.map_or_else(String::new, |status| status.to_string());
                Some(RegionStatus { region: name, status })
            }));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return Ok(regions);
            }
        }
    }
}

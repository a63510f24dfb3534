//! The region in which this process runs.

use super::chosen;
use crate::ident::Region;
use aws_config::default_provider::region::DefaultRegionChain;
use tokio::sync::OnceCell;

/// The region of this process, as every AWS tool finds it: the command line, `AWS_REGION`, the profile, the instance. None
/// when nothing says it.
pub async fn own_region() -> Option<Region> {
    static OWN: OnceCell<Option<Region>> = OnceCell::const_new();
    if let Some(region) = chosen::region() {
        return Some(region.clone());
    }
    let found = OWN.get_or_init(|| async {
        let mut chain = DefaultRegionChain::builder();
        if let Some(name) = chosen::profile() {
            chain = chain.profile_name(name);
        }
        let region = chain.build().region().await;
        region.and_then(|region| region.as_ref().parse().ok())
    });
    found.await.clone()
}

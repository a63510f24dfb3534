//! What every AWS tool takes from where it runs: credentials, proxies and certificates.

use super::ca_bundle::CaBundle;
use super::error::timeouts;
use super::pool::Pool;
use super::profile_files::profile_files;
use crate::ident::Region;
use crate::remediation::{CallError, ErrorKind};
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};

/// The SDK's configuration as this machine's environment has it.
#[derive(Debug)]
pub(super) struct Environment {
    pub config: SdkConfig,
    /// The certificates that are trusted for AWS, when they are not the system's.
    pub ca_bundle: Option<CaBundle>,
}

/// The certificates that the environment names cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadCaBundle(String);

impl Environment {
    /// Finds credentials, proxies and certificates as every AWS tool does (environment, profile, container,
    /// instance). AWS is not called yet.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    ///
    /// # Panics
    /// Never: the name given to the SDK is a legal one.
    pub async fn load(home: &Region) -> Result<Self, BadCaBundle> {
        let files = profile_files();
        let ca_bundle = CaBundle::find(&files).await.map_err(BadCaBundle)?;
        let pool = Pool::shared(ca_bundle.as_ref()).map_err(|error| BadCaBundle(error.to_string()))?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .profile_files(files)
            .region(aws_config::Region::new(home.to_string()))
            .http_client(pool)
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts())
            .app_name(AppName::new("rescind").expect("a legal app name"))
            .load()
            .await;
        Ok(Self { config, ca_bundle })
    }
}

impl Environment {
    /// The Region that the environment or a profile names, as for every AWS tool; none where neither does.
    pub async fn region() -> Option<Region> {
        let profile = ProfileFileRegionProvider::builder().profile_files(profile_files()).build();
        let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(profile);
        chain.region().await.and_then(|region| region.as_ref().parse().ok())
    }
}

impl BadCaBundle {
    /// As the error of the call for which the environment was loaded.
    pub fn of_call(self, service: &'static str, operation: &'static str) -> CallError {
        CallError { service, operation, kind: ErrorKind::BadCaBundle, code: None, message: self.0 }
    }
}

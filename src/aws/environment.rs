//! What every AWS tool takes from where it runs: credentials, proxies and certificates.

use super::ca_bundle::CaBundle;
use super::chosen;
use super::error::timeouts;
use super::pool::Pool;
use super::profile_files::{Profiles, profile_files};
use crate::ident::{Region, quoted};
use crate::remediation::{CallError, ErrorKind};
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
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
        let region = aws_config::Region::new(home.to_string());
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .profile_files(files.clone())
            .region(region.clone())
            .http_client(pool.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts())
            .app_name(AppName::new("rescind").expect("a legal app name"));
        let loader = match chosen::profile() {
            None => loader,
            // Who names a profile means it, whatever keys the environment has.
            Some(name) => {
                let by = ProviderConfig::without_region().with_region(Some(region)).with_http_client(pool);
                let of_profile = ProfileFileCredentialsProvider::builder().configure(&by);
                let of_profile = of_profile.profile_files(files).profile_name(name).build();
                loader.profile_name(name).credentials_provider(of_profile)
            }
        };
        Ok(Self { config: loader.load().await, ca_bundle })
    }
}

impl Environment {
    /// The region that the command line, the environment or a profile names, as for every AWS tool; none where none does.
    pub async fn region() -> Option<Region> {
        if let Some(region) = chosen::region() {
            return Some(region.clone());
        }
        let mut profile = ProfileFileRegionProvider::builder().profile_files(profile_files());
        if let Some(name) = chosen::profile() {
            profile = profile.profile_name(name);
        }
        let profile = profile.build();
        let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(profile);
        chain.region().await.and_then(|region| region.as_ref().parse().ok())
    }
}

/// The same error, in terms of what the person chose, where it is that there are no credentials.
pub(super) fn explained(error: CallError) -> CallError {
    if error.kind != ErrorKind::NoCredentials {
        return error;
    }
    let of_environment = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let Some(name) = chosen::profile().map(str::to_owned).or(of_environment) else {
        // The SDK lists all that it has tried, in words of its own.
        let has_nothing = error.message.contains("no credentials found in chain");
        let why = if has_nothing {
            "neither the environment nor a profile, a web identity, a container or an instance has any"
        } else {
            error.message.as_str()
        };
        return CallError { message: format!("there are no credentials: {why}"), ..error };
    };
    let profiles = Profiles::read();
    let message = if profiles.has(&name) {
        format!("the profile {} gives no credentials: {}", quoted(&name), error.message)
    } else {
        format!("there is no profile {} {profiles}", quoted(&name))
    };
    CallError { message: message.chars().take(500).collect(), ..error }
}

impl BadCaBundle {
    /// As the error of the call for which the environment was loaded.
    pub fn of_call(self, service: &'static str, operation: &'static str) -> CallError {
        CallError { service, operation, kind: ErrorKind::BadCaBundle, code: None, message: self.0 }
    }
}

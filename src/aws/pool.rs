//! The HTTP client that all clients share: the way out to AWS, as the environment says.

use super::ca_bundle::CaBundle;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, HttpClientError};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The variables that name a proxy. What they mean, and `NO_PROXY`, is the SDK's business.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The SDK's own default (rustls, HTTP/2, the environment's proxies) without its check of a new client's
/// configuration: that builds a TLS connector with all root certificates and throws it away, and there is a
/// new client for each session in a member account. A connector is made at the first call, once for each
/// pair of timeouts.
#[derive(Debug)]
pub(super) struct Pool {
    tls: TlsContext,
    proxied: bool,
    made: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

/// To connect, and to read.
type Timeouts = (Option<Duration>, Option<Duration>);

impl Pool {
    /// A pool that trusts the certificates of `bundle`, or those of the system when there is none.
    pub fn shared(bundle: Option<&CaBundle>) -> Result<SharedHttpClient, HttpClientError> {
        let trust = bundle.map_or_else(TrustStore::default, |bundle| {
            TrustStore::empty().with_pem_certificate(bundle.pem())
        });
        let tls = TlsContext::builder().with_trust_store(trust).build()?;
        let proxied =
            PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        Ok(SharedHttpClient::new(Self { tls, proxied, made: Mutex::default() }))
    }

    fn connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
        proxy: ProxyConfig,
    ) -> Connector {
        let mut builder = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        builder.set_connector_settings(Some(settings.clone()));
        builder.set_sleep_impl(components.sleep_impl());
        builder.tls_context(self.tls.clone()).proxy_config(proxy).build()
    }
}

impl HttpClient for Pool {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let connector = made.entry(timeouts).or_insert_with(|| {
            let direct = self.connector(settings, components, ProxyConfig::disabled());
            if self.proxied {
                let proxied = self.connector(settings, components, ProxyConfig::from_env());
                SharedHttpConnector::new(Ways { proxied, direct })
            } else {
                SharedHttpConnector::new(direct)
            }
        });
        connector.clone()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some(Cow::Borrowed("1.x"))))
    }
}

/// Connects through the proxy, except to the addresses at which a machine or container fetches its own credentials:
/// a proxy would see them, or would answer with its own.
#[derive(Debug)]
struct Ways {
    proxied: Connector,
    direct: Connector,
}

impl HttpConnector for Ways {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = if is_metadata(host(request.uri())) { &self.direct } else { &self.proxied };
        way.call(request)
    }
}

/// The host of `scheme://host:port/…`.
fn host(uri: &str) -> &str {
    let behind = uri.split_once("://").map_or(uri, |(_, behind)| behind);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// 169.254.169.254 (EC2), 169.254.170.2 (ECS), 169.254.170.23 (EKS), and theirs in fd00:ec2::/32.
fn is_metadata(host: &str) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.segments()[..2] == [0xfd00, 0xec2],
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_endpoints_bypass_the_proxy() {
        for uri in [
            "http://169.254.169.254/latest/api/token",
            "http://169.254.170.2/v2/credentials/x?y=http://proxy",
            "http://169.254.170.23:80/v1/credentials",
            "http://[fd00:ec2::254]/latest/meta-data",
            "http://[fd00:ec2::23]:80/v1/credentials",
        ] {
            assert!(is_metadata(host(uri)), "{uri}");
        }
        for uri in [
            "https://sts.eu-central-1.amazonaws.com/",
            "https://169.254.169.254.example.com/",
            "http://127.0.0.1:4566/169.254.169.254",
            "http://[::1]:4566/",
            "",
        ] {
            assert!(!is_metadata(host(uri)), "{uri}");
        }
    }
}

//! The HTTP client that all clients share.

use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The SDK's client without its check of a new client's configuration: that builds a TLS connector with all
/// root certificates and throws it away, and there is a new client for each session in a member account.
/// The connector that is used is made at the first call, once.
#[derive(Debug)]
pub(super) struct Pool(SharedHttpClient);

impl Pool {
    pub fn shared() -> SharedHttpClient {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let client = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
        SharedHttpClient::new(Self(client))
    }
}

impl HttpClient for Pool {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

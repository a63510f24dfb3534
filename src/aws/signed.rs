//! Calls of services of which one or two operations are used.
//!
//! Their own crates have hundreds of operations, and EC2's alone takes as long to compile as everything else. Here the
//! request and its answer are written by hand, and the rest is the SDK's runtime, as its crates use it: credentials,
//! signatures, retries, time limits, AWS's clock, proxies.

use super::endpoint::{self, Variant};
use super::error::SdkError;
use super::record::Observer;
use crate::ident::Region;
use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{
    DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor,
};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use std::fmt;

/// A service of AWS, as it is called in its several places.
#[derive(Debug)]
pub(super) struct Service {
    /// In AWS's models, and so in `AWS_ENDPOINT_URL_<ID>`.
    pub id: &'static str,
    /// In hosts and in signatures.
    pub name: &'static str,
    /// The version of its API.
    pub version: &'static str,
    /// The code and the message of an answer that is an error, from its header `x-amzn-errortype` and its body.
    pub refusal: fn(Option<&str>, &[u8]) -> ErrorMetadata,
}

/// A request: a body to a path.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub method: &'static str,
    pub path: &'static str,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Request {
    fn http(self) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
        let length = self.body.len().to_string();
        let mut request = HttpRequest::new(SdkBody::from(self.body));
        request.set_method(self.method)?;
        request.set_uri(self.path)?;
        request.headers_mut().try_insert("content-type", self.content_type)?;
        request.headers_mut().try_insert("content-length", length)?;
        Ok(request)
    }
}

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct Refused(ErrorMetadata);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl ProvideErrorMetadata for Refused {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl Service {
    /// Makes a call in a region, and reads the body of its answer with `read`.
    ///
    /// # Errors
    /// As the SDK's: [`Refused`] for an answer that is an error, and one about the answer when `read` cannot read it.
    pub async fn call<O, E>(
        &'static self,
        config: &SdkConfig,
        region: &Region,
        operation: &'static str,
        request: Request,
        read: impl Fn(&[u8]) -> Result<O, E> + Send + Sync + 'static,
    ) -> Result<O, SdkError<Refused>>
    where
        O: fmt::Debug + Send + Sync + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let endpoint = endpoint::configured(config, self.id)
            .unwrap_or_else(|| endpoint::of_region(self.name, region, Variant::of(config)));
        let mut builder = Operation::builder()
            .service_name(self.id)
            .operation_name(operation)
            .behavior_version(config.behavior_version().unwrap_or_else(BehaviorVersion::latest))
            .endpoint_url(&endpoint)
            .serializer(Request::http)
            .deserializer(move |answer: &HttpResponse| self.read(answer, &read))
            .runtime_plugin(self.runtime(config, region));
        if let Some(retries) = config.retry_config() {
            builder = builder.standard_retry(retries);
        }
        if let Some(timeouts) = config.timeout_config() {
            builder = builder.timeout_config(timeouts.clone());
        }
        builder.build().invoke(request).await
    }

    fn read<O, E>(
        &self,
        answer: &HttpResponse,
        read: impl Fn(&[u8]) -> Result<O, E>,
    ) -> Result<O, OrchestratorError<Refused>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let body = answer.body().bytes().unwrap_or_default();
        if answer.status().is_success() {
            return read(body).map_err(|error| OrchestratorError::response(error.into()));
        }
        Err(OrchestratorError::operation(Refused((self.refusal)(
            answer.headers().get("x-amzn-errortype"),
            body,
        ))))
    }

    /// What the SDK's crates give their runtime.
    fn runtime(&self, config: &SdkConfig, region: &Region) -> StaticRuntimePlugin {
        let mut layer = Layer::new(self.id);
        layer.store_put(ApiMetadata::new(self.name, self.version));
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(aws_types::region::Region::new(region.to_string()))),
            name: Some(SigningName::from(self.name)),
            ..SigV4OperationSigningConfig::default()
        });
        // A region that is down does not use up the retries of the others.
        layer.store_put(RetryPartition::new(format!("{}-{region}", self.name)));
        if let Some(disable) = config.disable_clock_skew_correction() {
            layer.store_put(DisableClockSkewCorrection::from(disable));
        }
        if let Some(name) = config.app_name() {
            layer.store_put(name.clone());
        }
        if let Some(protection) = config.stalled_stream_protection() {
            layer.store_put(protection);
        }

        let signed = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let mut runtime = RuntimeComponentsBuilder::new(self.id)
            .with_http_client(config.http_client())
            .with_sleep_impl(config.sleep_impl())
            .with_time_source(config.time_source())
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(signed)))
            .with_retry_classifier(HttpStatusCodeClassifier::default())
            .with_retry_classifier(TransientErrorClassifier::<Refused>::new())
            .with_retry_classifier(AwsErrorCodeClassifier::<Refused>::new())
            .with_retry_classifier(ServiceClockSkewClassifier::<Refused>::new());
        if let Some(credentials) = config.credentials_provider() {
            runtime.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        }
        if let Some(cache) = config.identity_cache() {
            runtime.set_identity_cache(Some(cache));
        }
        runtime.push_interceptor(ConnectionPoisoningInterceptor::new());
        runtime.push_interceptor(ServiceClockSkewInterceptor::new());
        runtime.push_interceptor(RequestInfoInterceptor::new());
        runtime.push_interceptor(UserAgentInterceptor::new());
        runtime.push_interceptor(InvocationIdInterceptor::new());
        runtime.push_interceptor(RecursionDetectionInterceptor::new());
        runtime.push_interceptor(Observer::default());
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(runtime)
    }
}

//! The way to the OpenID provider: no redirection is followed, and no answer is too long or too late.

use crate::aws::{CaBundle, UnusableCaBundle};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::pin::Pin;
use std::time::Duration;

/// Timeout of an answer of the provider.
const PATIENCE: Duration = Duration::from_secs(10);

/// Maximum length of an answer, in bytes: many times what a document of a provider takes.
const LONGEST: usize = 512 * 1024;

/// A client for the provider.
pub(in crate::web) struct ProviderHttp(reqwest::Client);

/// Why the provider gave no answer. The text has nothing of what was sent.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum NoAnswer {
    #[error(transparent)]
    CaBundle(#[from] UnusableCaBundle),
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("its answer is longer than {LONGEST} bytes")]
    TooLong,
}

impl ProviderHttp {
    /// A client that trusts the certificates of `AWS_CA_BUNDLE` beside those of the system.
    pub async fn new() -> Result<Self, NoAnswer> {
        let bundle = CaBundle::of_environment().await?;
        let certificates = bundle.map(|bundle| reqwest::Certificate::from_pem_bundle(bundle.pem()));
        let certificates = certificates.transpose().map_err(unreachable)?.unwrap_or_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .user_agent(concat!("rescind/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(certificates)
            .build();
        client.map(Self).map_err(unreachable)
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut answer = self.0.execute(request).await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(NoAnswer::TooLong);
            }
        }
        let mut response = HttpResponse::new(body);
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

fn unreachable(error: reqwest::Error) -> NoAnswer {
    NoAnswer::Unreachable(error.without_url())
}

impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

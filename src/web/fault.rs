//! What keeps the web from answering as it is configured: for whoever looks before somebody needs it.

use super::identity::Logins;
use super::tls;
use crate::chain::chain;
use crate::config::Config;

/// What keeps the web from answering as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nobody is answered: the certificate or its key cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// Nobody can log in.
    #[error("{0}")]
    Login(String),
    /// What people send, and the cookies that they are known by, can be read on the way.
    #[error(
        "whoever listens on the network reads what is sent: `listen` is no address of this machine only, and there is no TLS"
    )]
    Unencrypted,
}

/// Looks whether the web can answer as it is configured. The OpenID provider is asked for its documents.
pub async fn faults(config: &Config) -> Vec<Fault> {
    let web = &config.web;
    let mut faults = Vec::new();
    let Some(listen) = config.listen else { return faults };
    if let Some(files) = &web.tls
        && let Err(error) = tls::read(files)
    {
        faults.push(Fault::Certificate(chain(&error)));
    }
    let is_known = web.oidc.is_some() || !web.grants.is_empty();
    if is_known && web.tls.is_none() && web.trusted_proxies.is_empty() && !listen.ip().is_loopback() {
        faults.push(Fault::Unencrypted);
    }
    if let Some(logins) = Logins::new(config)
        && let Err(error) = logins.provider.check().await
    {
        faults.push(Fault::Login(chain(&error)));
    }
    faults
}

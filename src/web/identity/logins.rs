//! How people log in, and who did.

use super::oidc::Provider;
use super::pending::PendingLogins;
use super::session::Sessions;
use crate::config::Config;
use crate::web::peer::host_of;
use axum::http::HeaderMap;
use url::Url;

/// Maximum length of the path of a page that somebody logs in for.
const LONGEST_PATH: usize = 1500;

/// How people log in, and who did.
pub(in crate::web) struct Logins {
    /// The provider.
    pub provider: Provider,
    /// Who is logged in.
    pub sessions: Sessions,
    /// Logins that are not finished.
    pub pending: PendingLogins,
    /// The address of the console: the provider sends people back there, so they begin there.
    pub url: Url,
}

impl Logins {
    /// None where the configuration has no provider.
    pub fn new(config: &Config) -> Option<Self> {
        let web = &config.web;
        let (oidc, url) = (web.oidc.as_ref()?, web.url.clone()?);
        let provider = Provider::new(oidc, &url)?;
        Some(Self { provider, sessions: Sessions::new(web.session), pending: PendingLogins::default(), url })
    }

    /// Browsers reach the console encrypted.
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The request names the host of that address.
    pub fn is_host(&self, headers: &HeaderMap) -> bool {
        let name = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        let host = host_of(headers).unwrap_or_default();
        host == format!("{name}:{port}") || self.url.port().is_none() && host == name
    }
}

/// Whether it is the path of a page of ours, for every browser: not of another host, by whatever way it is written.
pub(in crate::web) fn is_path_of_ours(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain && text.len() <= LONGEST_PATH && text.starts_with('/') && !text.starts_with("//")
}

//! The console and the API: whether people could use them.

use super::{Doctor, Level, Problem};
use crate::web::{Fault, faults};

impl Doctor<'_> {
    /// Looks at the certificate, and asks the OpenID provider for its documents. Nothing of it keeps credentials from
    /// being revoked; what is held waits for whoever cannot answer it there.
    pub(super) async fn web(&self) -> Vec<Problem> {
        let faults = faults(self.config).await;
        faults.iter().map(problem).collect()
    }
}

fn problem(fault: &Fault) -> Problem {
    let (code, place, fix) = match fault {
        Fault::Certificate(_) => (
            "web_certificate",
            "web.tls_certificates",
            "Put the certificate and its key there (PEM). They are read again when they change.",
        ),
        Fault::Login(_) => (
            "web_login",
            "web.oidc",
            "Check `issuer`, the network and the provider; docs/console.md says what to set there. Until then: `rescind approve` on this host.",
        ),
        Fault::Unencrypted => (
            "web_unencrypted",
            "web",
            "Set `web.tls_certificates` and `web.tls_key`, or listen on 127.0.0.1 behind a proxy with TLS that `web.trusted_proxies` names.",
        ),
    };
    Problem::new(Level::Warning, code, place, fault.to_string(), fix)
}

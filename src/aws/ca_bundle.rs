//! `AWS_CA_BUNDLE` and the profile's `ca_bundle`: whose certificates are trusted instead of the system's.

use super::profile_files::{from_home, profile_files};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::borrow::Cow;
use std::path::Path;

/// Certificates in PEM, of which at least one can be used. The SDK ends the process for one that cannot.
#[derive(Debug, Clone)]
pub struct CaBundle(String);

/// The certificates that the environment names cannot be used: who named them, and what is wrong with them.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnusableCaBundle(String);

impl CaBundle {
    /// The one that the environment or the chosen profile names, for who calls others than AWS.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn of_environment() -> Result<Option<Self>, UnusableCaBundle> {
        Self::find(&profile_files()).await.map_err(UnusableCaBundle)
    }

    /// The one that the environment names, or else the chosen profile of these files.
    ///
    /// # Errors
    /// When it cannot be used: who named it, and what is wrong with it.
    pub(super) async fn find(files: &EnvConfigFiles) -> Result<Option<Self>, String> {
        let (by, path) = match std::env::var("AWS_CA_BUNDLE") {
            Ok(path) if !path.is_empty() => ("AWS_CA_BUNDLE", path),
            _ => {
                // What is wrong with the files themselves is said by who looks for credentials in them.
                let name = super::chosen::profile().map(Cow::Borrowed);
                let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), files, name).await;
                match profiles.as_ref().ok().and_then(|profiles| profiles.get("ca_bundle")) {
                    Some(path) if !path.is_empty() => ("the profile's ca_bundle", path.to_owned()),
                    _ => return Ok(None),
                }
            }
        };
        let pem = std::fs::read(from_home(Path::new(&path))).map_err(|error| error.to_string());
        let bundle = pem.and_then(|pem| Self::new(&pem));
        bundle.map(Some).map_err(|error| format!("{by} names {path}: {error}"))
    }

    fn new(pem: &[u8]) -> Result<Self, String> {
        let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let all = all.map_err(|error| format!("not certificates in PEM: {error}"))?;
        let count = all.len();
        let is_good =
            |certificate: &CertificateDer<'static>| RootCertStore::empty().add(certificate.clone()).is_ok();
        let good: Vec<_> = all.into_iter().filter(is_good).collect();
        match (good.len(), count) {
            (0, 0) => Err("there is no certificate in it (PEM is expected)".to_owned()),
            (0, _) => Err("none of its certificates can be used".to_owned()),
            (usable, _) => {
                if usable < count {
                    tracing::warn!(usable, count, "some certificates of the CA bundle cannot be used");
                }
                Ok(Self(good.iter().map(|certificate| to_pem(certificate)).collect()))
            }
        }
    }

    #[must_use]
    pub fn pem(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn to_pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_and_ends_nothing() {
        let cut = "-----BEGIN CERTIFICATE-----\nMIIB";
        let other = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n";
        let error = |text: &str| CaBundle::new(text.as_bytes()).expect_err(text);
        let errors = ["", "hello", key, cut, other].map(|text| format!("{text:?}\n  {}", error(text)));
        insta::assert_snapshot!(errors.join("\n"), @r#"
        ""
          there is no certificate in it (PEM is expected)
        "hello"
          there is no certificate in it (PEM is expected)
        "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"
          there is no certificate in it (PEM is expected)
        "-----BEGIN CERTIFICATE-----\nMIIB"
          not certificates in PEM: missing section end marker: [67, 69, 82, 84, 73, 70, 73, 67, 65, 84, 69]
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"
          none of its certificates can be used
        "#);
    }
}

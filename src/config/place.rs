//! Where a running service listens, and where its ledger is.

use super::error::ConfigError;
use super::ledger::Ledger;
use super::salvage::recovered;
use super::search::state_folder;
use super::{Config, raw};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What is needed to ask a running service how it is doing.
#[derive(Debug, PartialEq, Eq)]
pub struct ServicePlace {
    /// The ledger's file, beside which the service says where it listens.
    pub ledger: PathBuf,
    /// The address that the configuration says.
    pub listen: Option<SocketAddr>,
    /// It answers there with TLS.
    pub tls: bool,
}

impl ServicePlace {
    /// From the configuration at `path`. A service goes on with the version that it has read when the file is
    /// no longer valid, so a mistake elsewhere in it does not matter here, and a key that cannot be read
    /// counts as left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        match Config::load_alone(path) {
            Ok(config) => {
                Ok(Self { ledger: config.ledger, listen: config.listen, tls: config.web.tls.is_some() })
            }
            Err(error @ ConfigError::Unreadable { .. }) => Err(error),
            Err(_) => Ok(Self::of_invalid(&std::fs::read_to_string(path).unwrap_or_default(), path)),
        }
    }

    fn of_invalid(text: &str, path: &Path) -> Self {
        let table = recovered(text);
        let key = |name: &str| table.get(name).cloned();
        let ledger = key("ledger").and_then(|value| Ledger::deserialize(value).ok());
        let listen = key("listen").and_then(|value| raw::Listen::deserialize(value).ok());
        let path_of_ledger = ledger.unwrap_or_default().path;
        let directory = path.parent().unwrap_or_else(|| Path::new(""));
        let tls = table.get("web").is_some_and(|web| web.get("tls_certificates").is_some());
        Self {
            ledger: Ledger::file(path_of_ledger, directory, &state_folder(directory)),
            listen: listen.unwrap_or_default().0,
            tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_elsewhere_hides_no_service() {
        let of = |text: &str| ServicePlace::of_invalid(text, Path::new("dir/rescind.toml"));
        let default = of("");
        assert_eq!(default.ledger, Path::new("dir/ledger.db"));
        assert_eq!(default.listen, Some(SocketAddr::from(([127, 0, 0, 1], 7434))));
        let place = of("mode = \"enfroce\"\nledger = \"/var/lib/l.db\"\nlisten = \"0.0.0.0:9\"\n");
        assert_eq!(place.ledger, Path::new("/var/lib/l.db"));
        assert_eq!(place.listen, Some(SocketAddr::from(([0, 0, 0, 0], 9))));
        assert_eq!(of("listen = \"\"\nx = 1\n").listen, None);
        for broken in ["listen = 7\nledger = \"\"\n", "listen =\n", "mode = \"x\" ledger = 1"] {
            assert_eq!(of(broken), default, "{broken}");
        }
    }
}

//! Secrets, by where they stand; and the URLs to which they may be sent.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret text is found.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable of this name.
    Variable(String),
    /// In the file at this path.
    File(PathBuf),
    /// Here: it is no secret.
    Here(String),
}

/// Only where it stands, never what.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "${name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Here(_) => f.write_str("(given)"),
        }
    }
}

/// Why a secret cannot be had. The text says where it should stand.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not there.
    #[error("{0}: it is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("{at}")]
    Unreadable {
        /// Path of that file.
        at: String,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// There is no text.
    #[error("{0}: it is empty")]
    Empty(String),
}

impl Secret {
    /// The one that is given of three; none when none is.
    ///
    /// # Errors
    /// When several are given.
    pub(super) fn one_of(
        variable: Option<String>,
        file: Option<PathBuf>,
        here: Option<String>,
    ) -> Result<Option<Self>, SeveralSecrets> {
        match (variable, file, here) {
            (None, None, None) => Ok(None),
            (Some(name), None, None) => Ok(Some(Self::Variable(name))),
            (None, Some(path), None) => Ok(Some(Self::File(path))),
            (None, None, Some(text)) => Ok(Some(Self::Here(text))),
            _ => Err(SeveralSecrets),
        }
    }

    /// Its file stands in this directory, unless it says otherwise.
    pub(super) fn stand_in(&mut self, directory: &Path) {
        if let Self::File(path) = self {
            *path = directory.join(&path);
        }
    }

    /// The text, as it is now.
    ///
    /// # Errors
    /// Where it should stand, and what is wrong there.
    pub fn read(&self) -> Result<String, SecretError> {
        let (text, at) = match self {
            Self::Here(text) => return Ok(text.clone()),
            Self::Variable(name) => {
                let at = format!("environment variable {name}");
                (std::env::var(name).map_err(|_| SecretError::NotSet(at.clone()))?, at)
            }
            Self::File(path) => {
                let at = path.display().to_string();
                let read = std::fs::read_to_string(path);
                (read.map_err(|error| SecretError::Unreadable { at: at.clone(), error })?, at)
            }
        };
        match text.trim() {
            "" => Err(SecretError::Empty(at)),
            text => Ok(text.to_owned()),
        }
    }
}

/// A secret is given in several places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeveralSecrets;

/// A URL to which nothing is sent. Its text is left out: it can be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an https URL, or http to this machine")]
pub struct BadUrl;

/// What is sent may name accounts and roles: it goes over the network only encrypted.
///
/// # Errors
/// What is wrong with it, without its text.
pub fn check_url(text: &str) -> Result<(), BadUrl> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_local = local.iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    if (text.starts_with("https://") && text.len() > "https://".len()) || is_local {
        Ok(())
    } else {
        Err(BadUrl)
    }
}

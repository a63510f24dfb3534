//! The path of a file.

use crate::ident::quoted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The path of a file. An empty one would be the directory of the configuration.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
pub(super) struct FilePath(pub PathBuf);

impl TryFrom<String> for FilePath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let path = PathBuf::from(&text);
        // What ends with a slash or dots has no name of a file.
        if path.file_name().is_none() || text.ends_with(std::path::is_separator) || text.trim().is_empty() {
            return Err(format!("{}: expected the path of a file", quoted(&text)));
        }
        Ok(Self(path))
    }
}

//! Reading TOML so that an error names its line and column.

use super::complaint::{self, Complaint};
use super::error::ConfigError;
use super::position::{line_and_column, offset, unmarked};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads TOML into `T`. An error names file, line, column, key, what was found and what is expected.
pub(super) fn located<T: DeserializeOwned + JsonSchema>(text: &str, path: &Path) -> Result<T, ConfigError> {
    let text = unmarked(text);
    let document = toml::Deserializer::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        complaint::of_syntax(text, at, error.message()).at(text, path)
    })?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let schema = schemars::schema_for!(T);
        let (key, inner) = (error.path().to_string(), error.inner());
        let complaint = complaint::of_value(&key, inner.message(), schema.as_value());
        let span = inner.span().map(|span| span.start);
        let complaint = Complaint { offset: complaint.offset_in(text, span, &key), ..complaint };
        complaint.with_found(text).at(text, path)
    })
}

/// What is wrong with the item at `key`, such as `rules[2]`: it stands at that item.
pub(super) fn invalid(text: &str, path: &Path, key: &str, message: String) -> ConfigError {
    let text = unmarked(text);
    let offset = offset(text, key).unwrap_or_default();
    Complaint { key: key.to_owned(), message, offset }.with_found(text).at(text, path)
}

impl Complaint {
    /// Where it stands: what is wrong with one table of a list as a whole stands at that table, and what is about a key of
    /// a table at that key.
    fn offset_in(&self, text: &str, span: Option<usize>, key: &str) -> usize {
        let is_of_table = self.key != key || key.ends_with(']');
        if is_of_table
            && !self.is_about_no_value()
            && let Some(offset) = offset(text, &self.key).or_else(|| offset(text, key))
        {
            return offset;
        }
        span.unwrap_or(text.len())
    }

    fn at(self, text: &str, path: &Path) -> ConfigError {
        let (line, column) = line_and_column(text, self.offset);
        ConfigError::Invalid {
            path: path.display().to_string(),
            line,
            column,
            key: if matches!(self.key.as_str(), "" | ".") {
                String::new()
            } else {
                format!("{}: ", self.key)
            },
            message: self.message.trim_end().replace('\n', ", "),
        }
    }
}

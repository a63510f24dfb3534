//! Reading TOML so that an error names its line and column.

use super::error::ConfigError;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads TOML into `T`. An error names file, line, column and key.
pub(super) fn located<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, ConfigError> {
    let text = unmarked(text);
    let at = |span: Option<std::ops::Range<usize>>, key: &str, message: &str| {
        let (line, column) = line_and_column(text, span.map_or(text.len(), |s| s.start));
        ConfigError::Invalid {
            path: path.display().to_string(),
            line,
            column,
            key: if matches!(key, "" | ".") { String::new() } else { format!("{key}: ") },
            message: message.trim_end().replace('\n', ", "),
        }
    };
    let document = toml::Deserializer::parse(text).map_err(|e| at(e.span(), "", e.message()))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let unknown = error.inner().message().starts_with("unknown field");
        let path = error.path().to_string();
        let key = if unknown { "" } else { path.as_str() };
        let located = at(error.inner().span(), key, error.inner().message());
        // What is wrong with one table of a list as a whole stands at that table.
        match (located, offset(text, &path).filter(|_| path.ends_with(']') && !unknown)) {
            (ConfigError::Invalid { path, key, message, .. }, Some(offset)) => {
                let (line, column) = line_and_column(text, offset);
                ConfigError::Invalid { path, line, column, key, message }
            }
            (located, _) => located,
        }
    })
}

/// What is wrong with the item at `key`, such as `rules[2]`: it stands at that item.
pub(super) fn invalid(text: &str, path: &Path, key: &str, message: String) -> ConfigError {
    let text = unmarked(text);
    let (line, column) = line_and_column(text, offset(text, key).unwrap_or_default());
    ConfigError::Invalid { path: path.display().to_string(), line, column, key: format!("{key}: "), message }
}

/// Where the item at `key` begins: `rules[2]` at its header or brace, `drill.role` at its value.
fn offset(text: &str, key: &str) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let item = parts.into_iter().try_fold(document.as_item(), |item, part| match part.parse::<usize>() {
        Ok(index) => item.get(index),
        Err(_) => item.get(part),
    })?;
    item.span().map(|span| span.start)
}

/// A byte order mark is no column.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Line and column of a byte offset, both counted from 1.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
}

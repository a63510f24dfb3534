//! Reading TOML so that an error names its place.

use super::ConfigError;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads TOML into `T`. An error names file, line, column and key.
pub(super) fn located<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, ConfigError> {
    let at = |span: Option<std::ops::Range<usize>>, key: &str, message: &str| {
        let offset = span.map_or(text.len(), |s| s.start).min(text.len());
        let before = text.get(..offset).unwrap_or(text);
        ConfigError::Invalid {
            path: path.display().to_string(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
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
        let of_list = path.strip_suffix(']').and_then(|path| path.split_once('['));
        match (located, of_list.and_then(|(list, index)| Some((list, index.parse().ok()?)))) {
            (ConfigError::Invalid { path, key, message, .. }, Some((list, index))) if !unknown => {
                let line = header_line(text, list, index);
                ConfigError::Invalid { path, line, column: 1, key, message }
            }
            (located, _) => located,
        }
    })
}

/// The line, from 1, of the table number `index` of a list of tables; 1 when it is written otherwise.
pub(super) fn header_line(text: &str, list: &str, index: usize) -> usize {
    let is_header = |line: &str| {
        let inner = line.trim_start().strip_prefix("[[").and_then(|rest| rest.split_once("]]"));
        inner.is_some_and(|(name, _)| name.trim().trim_matches(['"', '\'']) == list)
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| is_header(line))
        .nth(index)
        .map_or(1, |(number, _)| number + 1)
}

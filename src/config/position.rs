//! Where something stands in the text of a TOML file.

/// Where the item at `key` begins: `rules[2]` at its header or brace, `drill.role` at its value.
pub(super) fn offset(text: &str, key: &str) -> Option<usize> {
    span(text, key).map(|span| span.start)
}

/// The part of the text that is the item at `key`.
pub(super) fn span(text: &str, key: &str) -> Option<std::ops::Range<usize>> {
    let document = toml_edit::Document::parse(text).ok()?;
    let parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let item = parts.into_iter().try_fold(document.as_item(), |item, part| match part.parse::<usize>() {
        Ok(index) => item.get(index),
        Err(_) => item.get(part),
    })?;
    item.span()
}

/// The number of the line at which the item at `key` begins, counted from 1.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let text = unmarked(text);
    offset(text, key).map_or(1, |offset| line_and_column(text, offset).0)
}

/// A byte order mark is no column.
pub(super) fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Line and column of a byte offset, both counted from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
}

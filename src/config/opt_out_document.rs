//! `opt-outs.toml` as a text that people wrote: changed without touching their comments.

use super::error::ConfigError;
use super::opt_outs::OptOuts;
use jiff::Timestamp;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

/// The file's text, and where it lives. Nobody else changes it by this way as long as this is held.
#[derive(Debug)]
pub struct OptOutDocument {
    path: PathBuf,
    text: String,
    /// What `text` was before: its line ends and its byte order mark.
    shape: Shape,
    _lock: Option<File>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    crlf: bool,
    mark: bool,
}

const MARK: &str = "\u{feff}";

impl OptOutDocument {
    /// Reads the file at `path` to change it; no file is an empty one. Waits for another process that
    /// is changing it.
    ///
    /// # Errors
    /// When it cannot be read or locked.
    pub fn lock(path: &Path) -> Result<Self, ConfigError> {
        // A link stays a link: what it points to is changed.
        let path = match std::fs::symlink_metadata(path) {
            Ok(there) if there.is_symlink() => {
                std::fs::canonicalize(path).map_err(|error| unusable(path, error))?
            }
            _ => path.to_owned(),
        };
        let beside = with_ending(&path, ".lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&beside);
        let lock =
            lock.and_then(|file| file.lock().map(|()| file)).map_err(|error| unusable(&beside, error))?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unusable(&path, error)),
        };
        Ok(Self { _lock: Some(lock), ..Self::new(&path, &text) })
    }

    fn new(path: &Path, text: &str) -> Self {
        let shape = Shape { crlf: text.contains("\r\n"), mark: text.starts_with(MARK) };
        let text = text.trim_start_matches(MARK).replace("\r\n", "\n");
        Self { path: path.to_owned(), text, shape, _lock: None }
    }

    /// The path of the file; when it was locked through a link, the path of what the link points to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text with one more opt-out, checked.
    ///
    /// # Errors
    /// When the file, or what it would be, is not valid.
    pub fn with(&self, lines: &[(&str, Value)], now: Timestamp) -> Result<String, ConfigError> {
        // What is wrong with the file as it is, is said with its place.
        OptOuts::parse(&self.text, &self.path, now)?;
        let mut document = self.document(now)?;
        let mut table = Table::new();
        for (key, value) in lines {
            table.insert(key, Item::Value(value.clone()));
        }
        // What people wrote at the end of the file stays before it; and a blank line, as they write it.
        let end = document.trailing().as_str().unwrap_or_default().to_owned();
        let blank = if self.text.trim().is_empty() { "" } else { "\n" };
        table.decor_mut().set_prefix(format!("{end}{blank}"));
        document.set_trailing("");
        let all = document.entry("opt_out").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(all) = all.as_array_of_tables_mut() else {
            return Err(self.invalid("the opt-outs are written as one list: write each under [[opt_out]]"));
        };
        all.push(table);
        self.checked(&document, now)
    }

    /// The text without the opt-out of this name, checked; none when there is none of that name.
    ///
    /// # Errors
    /// When the file is not valid.
    pub fn without(&self, name: &str, now: Timestamp) -> Result<Option<String>, ConfigError> {
        let mut document = self.document(now)?;
        let all = match document.get_mut("opt_out") {
            None => return Ok(None),
            Some(item) => item.as_array_of_tables_mut(),
        };
        let Some(all) = all else {
            return Err(self.invalid("the opt-outs are written as one list: write each under [[opt_out]]"));
        };
        let named = |table: &Table| table.get("name").and_then(Item::as_str) == Some(name);
        let Some(index) = all.iter().position(named) else { return Ok(None) };
        let prefix = |table: &Table| {
            table.decor().prefix().and_then(toml_edit::RawString::as_str).unwrap_or_default().to_owned()
        };
        // The comment right above goes with it; what is set off by a blank line stays.
        let above = all.get(index).map(prefix).unwrap_or_default();
        let stays = above.rfind("\n\n").map_or("", |end| &above[..=end]);
        all.remove(index);
        if let Some(next) = all.get_mut(index) {
            let joined = if stays.is_empty() {
                prefix(next).trim_start_matches('\n').to_owned()
            } else {
                prefix(next)
            };
            let joined = if index > 0 && stays.is_empty() {
                format!("\n{joined}")
            } else {
                format!("{stays}{joined}")
            };
            next.decor_mut().set_prefix(joined);
        } else {
            let end = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(format!("{stays}{end}"));
        }
        if document.get("opt_out").and_then(Item::as_array_of_tables).is_some_and(ArrayOfTables::is_empty) {
            document.remove("opt_out");
        }
        self.checked(&document, now).map(Some)
    }

    /// Puts `text` in the file's place, all of it or nothing.
    ///
    /// # Errors
    /// When it cannot be written: then the file is as it was.
    pub fn replace(&self, text: &str) -> Result<(), ConfigError> {
        let mut text = if self.shape.crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        if self.shape.mark {
            text.insert_str(0, MARK);
        }
        let new = with_ending(&self.path, &format!(".new-{}", std::process::id()));
        let write = || {
            let mut file = File::options().write(true).create_new(true).open(&new)?;
            if let Ok(before) = std::fs::metadata(&self.path) {
                file.set_permissions(before.permissions())?;
                #[cfg(unix)]
                {
                    use std::os::unix::fs::{MetadataExt, fchown};
                    let now = file.metadata()?;
                    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
                        // Only root may give a file away; a group that one is in can be kept.
                        let _ = fchown(&file, Some(before.uid()), Some(before.gid()))
                            .or_else(|_| fchown(&file, None, Some(before.gid())));
                    }
                }
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &self.path)
        };
        write().map_err(|error| {
            let _ = std::fs::remove_file(&new);
            unusable(&self.path, error)
        })
    }

    /// The text as a document. A mistake in it may be what is to be removed: only what is no TOML is
    /// refused here.
    fn document(&self, now: Timestamp) -> Result<DocumentMut, ConfigError> {
        self.text.parse().map_err(|error: toml_edit::TomlError| {
            // With its place, as when it is read.
            OptOuts::parse(&self.text, &self.path, now).err().unwrap_or_else(|| self.invalid(error.message()))
        })
    }

    fn checked(&self, document: &DocumentMut, now: Timestamp) -> Result<String, ConfigError> {
        let text = document.to_string();
        OptOuts::parse(&text, &self.path, now).map_err(|error| match error {
            // The line is one that is not written yet.
            ConfigError::Invalid { key, message, .. } => self.invalid(&format!("{key}{message}")),
            error => error,
        })?;
        Ok(text)
    }

    fn invalid(&self, message: &str) -> ConfigError {
        ConfigError::Refused { path: self.path.display().to_string(), message: message.to_owned() }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn unusable(path: &Path, error: std::io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.display().to_string(), error, hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Reviewed by the security team.\n\n# The big one.\n[[opt_out]]\nname = \"a\" # first\nroles = [\"x\"]\nmode = \"off\"\nowner = \"o\"\nreason = \"r\"\npermanent = true\n\n# The small one.\n[[opt_out]]\nname = \"b\"\nroles = [\"y\"]\nmode = \"off\"\nowner = \"o\"\nreason = \"r\"\npermanent = true\n";

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("a time")
    }

    fn document(text: &str) -> OptOutDocument {
        OptOutDocument::new(Path::new("opt-outs.toml"), text)
    }

    fn lines(name: &str) -> Vec<(&'static str, Value)> {
        let one: toml_edit::Array = ["z"].into_iter().collect();
        vec![
            ("name", name.into()),
            ("roles", one.into()),
            ("mode", "off".into()),
            ("owner", "o".into()),
            ("reason", "r".into()),
            ("permanent", true.into()),
        ]
    }

    #[test]
    fn what_people_wrote_is_kept() {
        let added = document(TEXT).with(&lines("c"), now()).expect("valid");
        assert!(added.starts_with(TEXT), "{added}");
        assert!(added.ends_with("\n\n[[opt_out]]\nname = \"c\"\nroles = [\"z\"]\nmode = \"off\"\nowner = \"o\"\nreason = \"r\"\npermanent = true\n"), "{added}");
        assert_eq!(document(&added).without("c", now()).expect("valid").as_deref(), Some(TEXT));
        let removed = document(TEXT).without("a", now()).expect("valid").expect("was there");
        assert!(
            removed.contains("# The small one.\n[[opt_out]]\nname = \"b\"") && !removed.contains("\"a\""),
            "{removed}"
        );
        assert_eq!(document(TEXT).without("nobody", now()).expect("valid"), None);
        let first = document("").with(&lines("c"), now()).expect("valid");
        assert!(first.starts_with("[[opt_out]]\nname = \"c\""), "{first}");
        assert_eq!(document(&first).without("c", now()).expect("valid").as_deref().map(str::trim), Some(""));
    }

    #[test]
    fn what_would_not_be_valid_is_refused() {
        let error = document(TEXT).with(&lines("a"), now()).expect_err("twice").to_string();
        insta::assert_snapshot!(error, @r#"opt-outs.toml: not changed: opt_out[2].name: "a" is there twice"#);
        let broken =
            document("[[opt_out]]\nname = 1\n").with(&lines("c"), now()).expect_err("broken").to_string();
        assert!(broken.starts_with("opt-outs.toml:2:8: "), "{broken}");
        let listed =
            document("opt_out = []\n").with(&lines("c"), now()).expect_err("another form").to_string();
        assert!(listed.contains("[[opt_out]]"), "{listed}");
        // What is not valid can be removed, and nothing else.
        let bad = TEXT.replacen("permanent = true", "expires = 2099-01-01", 1);
        assert!(document(&bad).without("b", now()).is_err());
        assert!(document(&bad).without("a", now()).expect("valid").is_some());
    }
}

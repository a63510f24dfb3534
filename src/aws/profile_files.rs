//! AWS's own configuration files: `~/.aws/config` and `~/.aws/credentials`.

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use std::fmt;
use std::path::{Path, PathBuf};

const CONFIG: &str = "~/.aws/config";
const CREDENTIALS: &str = "~/.aws/credentials";

/// The files, where every AWS tool looks for them. The SDK takes a byte order mark for text before the first
/// profile, and UTF-16 for an empty file; editors on Windows write both. So a file that begins with a mark is
/// read here.
pub(super) fn profile_files() -> EnvConfigFiles {
    let config = read("AWS_CONFIG_FILE", CONFIG);
    let credentials = read("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS);
    if !config.is_marked() && !credentials.is_marked() {
        return EnvConfigFiles::default();
    }
    EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, config.text())
        .with_contents(EnvConfigFileKind::Credentials, credentials.text())
        .build()
}

/// The names of the profiles that there are, for who named another.
pub(super) struct Profiles {
    names: Vec<String>,
    files: [PathBuf; 2],
}

impl Profiles {
    pub fn read() -> Self {
        let files = [path("AWS_CONFIG_FILE", CONFIG), path("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS)];
        let of = |index: usize| {
            let text = Content(std::fs::read(from_home(&files[index])).unwrap_or_default()).text();
            let header = |line: &str| -> Option<String> {
                let name = line.trim().strip_prefix('[')?.split(']').next()?.trim();
                let is_config = index == 0;
                let name = if is_config && name != "default" { name.strip_prefix("profile ")? } else { name };
                Some(name.trim().to_owned())
            };
            text.lines().filter_map(header).collect::<Vec<_>>()
        };
        let mut names = [of(0), of(1)].concat();
        names.sort_unstable();
        names.dedup();
        Self { names, files }
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|one| one == name)
    }
}

impl fmt::Display for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {} or {}", self.files[0].display(), self.files[1].display())?;
        match self.names.as_slice() {
            [] => f.write_str(", which name none"),
            names => write!(f, "; those there are {}", names.join(", ")),
        }
    }
}

/// The bytes of a file; empty when it cannot be read.
struct Content(Vec<u8>);

fn read(variable: &str, default: &str) -> Content {
    Content(std::fs::read(from_home(&path(variable, default))).unwrap_or_default())
}

fn path(variable: &str, default: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| PathBuf::from(default), PathBuf::from)
}

/// The path with its `~` replaced.
pub(super) fn from_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

impl Content {
    fn is_marked(&self) -> bool {
        matches!(self.0.as_slice(), [0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
    }

    fn text(&self) -> String {
        let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
            let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        match self.0.as_slice() {
            [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            plain => String::from_utf8_lossy(plain).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_not_text() {
        let text = "[default]\nregion = eu-central-1\n";
        let marked = format!("\u{feff}{text}");
        let utf16 = |bytes: fn(u16) -> [u8; 2]| marked.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for bytes in [marked.clone().into_bytes(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
            let content = Content(bytes);
            assert!(content.is_marked());
            assert_eq!(content.text(), text);
        }
        let plain = Content(text.as_bytes().to_vec());
        assert!(!plain.is_marked());
        assert_eq!(plain.text(), text);
    }
}

//! Where the configuration is looked for, and where what it does not name lies.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// Name of the configuration's file.
pub const FILE: &str = "rescind.toml";

/// Folder of the configuration of a whole machine.
const SYSTEM: &str = "/etc/rescind";

/// Folder of the ledger and its key, of a whole machine.
const SYSTEM_STATE: &str = "/var/lib/rescind";

/// Folders that the environment names, as the XDG Base Directory Specification has them.
#[derive(Debug, Clone, Default)]
struct Folders {
    config: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Folders {
    fn of(variable: impl Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Self {
        let named = |name: &str, default: &str| {
            // The specification has relative paths ignored.
            let named = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            named.or_else(|| Some(home.filter(|home| home.is_absolute())?.join(default)))
        };
        let of_rescind = |folder: Option<PathBuf>| folder.map(|folder| folder.join("rescind"));
        Self {
            config: of_rescind(named("XDG_CONFIG_HOME", ".config")),
            state: of_rescind(named("XDG_STATE_HOME", ".local/state")),
        }
    }

    fn of_environment() -> Self {
        Self::of(|name| std::env::var_os(name), std::env::home_dir().as_deref())
    }

    /// The files that are looked for, in this order.
    fn candidates(&self) -> Vec<PathBuf> {
        let own = self.config.as_ref().map(|folder| folder.join(FILE));
        [Some(PathBuf::from(FILE)), own, Some(system_file())].into_iter().flatten().collect()
    }

    /// Where the ledger and its key lie that a configuration in this folder does not name.
    fn state_of(&self, directory: &Path) -> PathBuf {
        if directory == Path::new(SYSTEM) {
            return PathBuf::from(SYSTEM_STATE);
        }
        match (&self.config, &self.state) {
            (Some(config), Some(state)) if config == directory => state.clone(),
            _ => directory.to_owned(),
        }
    }
}

/// The configuration of a whole machine.
#[must_use]
pub fn system_file() -> PathBuf {
    Path::new(SYSTEM).join(FILE)
}

/// Where the ledger and its key lie that a configuration in this folder does not name: beside it, but for the folders that
/// are for configurations alone.
#[must_use]
pub fn state_folder(directory: &Path) -> PathBuf {
    let named = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    // Also where somebody stands in that folder.
    let Ok(whole) = std::path::absolute(named) else { return directory.to_owned() };
    let state = Folders::of_environment().state_of(&whole);
    if state == whole { directory.to_owned() } else { state }
}

/// The file that is used: the one that was named, or the first that is there. Where none is, the first that was looked for.
#[must_use]
pub fn find(named: Option<PathBuf>) -> PathBuf {
    let (path, by) = if let Some(path) = named {
        (path, "it was named")
    } else {
        let all = Folders::of_environment().candidates();
        // A link that leads nowhere, or a file that may not be read, is meant all the same.
        let there = all.iter().find(|path| path.symlink_metadata().is_ok());
        (
            there.or(all.first()).cloned().unwrap_or_else(|| PathBuf::from(FILE)),
            "it is the first that is there",
        )
    };
    tracing::debug!(file = %path.display(), "the configuration: {by}");
    path
}

/// The places that are looked at, for who has no configuration.
pub struct Searched;

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> =
            Folders::of_environment().candidates().iter().map(|path| path.display().to_string()).collect();
        f.write_str(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(variables: &[(&str, &str)], home: Option<&str>) -> Folders {
        let variable = |name: &str| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| OsString::from(value))
        };
        Folders::of(variable, home.map(Path::new))
    }

    fn candidates(variables: &[(&str, &str)], home: Option<&str>) -> Vec<String> {
        folders(variables, home).candidates().iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_file_is_looked_for_here_then_in_the_users_folder_then_in_the_machines() {
        let (here, machine) = ("rescind.toml", "/etc/rescind/rescind.toml");
        assert_eq!(candidates(&[], Some("/home/a")), [here, "/home/a/.config/rescind/rescind.toml", machine]);
        let xdg = [("XDG_CONFIG_HOME", "/cfg")];
        assert_eq!(candidates(&xdg, Some("/home/a")), [here, "/cfg/rescind/rescind.toml", machine]);
        let relative = [("XDG_CONFIG_HOME", "cfg")];
        assert_eq!(candidates(&relative, None), [here, machine]);
    }

    #[test]
    fn what_is_not_named_lies_beside_the_file_unless_the_folder_is_for_configurations() {
        let folders = folders(&[("XDG_STATE_HOME", "/state")], Some("/home/a"));
        for (directory, state) in [
            ("", ""),
            ("/srv/rescind", "/srv/rescind"),
            ("/etc/rescind", "/var/lib/rescind"),
            ("/etc/rescind/", "/var/lib/rescind"),
            ("/etc/rescind/a", "/etc/rescind/a"),
            ("/home/a/.config/rescind", "/state/rescind"),
        ] {
            assert_eq!(folders.state_of(Path::new(directory)), Path::new(state), "{directory}");
        }
    }
}

//! Where `rescind init` writes: beside where somebody stands, or for a whole machine.

use super::exit::BadInput;
use crate::config::{FILE, state_folder, system_file};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Name of the user and the group that the package makes for the service.
const USER: &str = "rescind";

/// Where the files are written.
pub struct Place {
    /// The configuration, as it will be read.
    pub file: PathBuf,
    /// The folder of the ledger and its key; none where they lie beside the configuration.
    pub state: Option<PathBuf>,
    /// The file system that is written into, where it is another one.
    root: Option<PathBuf>,
    /// Whom the files are for.
    owner: Option<Owner>,
}

/// What the command line says.
pub struct Wanted {
    /// The folder of the ledger and its key.
    pub state: Option<PathBuf>,
    /// It is for a whole machine.
    pub is_system: bool,
    /// The file system that is written into.
    pub root: Option<PathBuf>,
}

/// The ids of the service's user and group.
struct Owner {
    user: u32,
    group: u32,
}

/// What the service may do with a file of root's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads it, and root writes it.
    Read,
    /// It is its own.
    Own,
}

impl Place {
    /// As the command line says it.
    ///
    /// # Errors
    /// When that contradicts itself, or names a folder that is none.
    pub fn of(wanted: Wanted, named: Option<PathBuf>) -> Result<Self, BadInput> {
        let Wanted { state, is_system, root } = wanted;
        if let Some(folder) = state.as_deref().filter(|folder| !folder.is_dir() || folder.is_relative()) {
            let text =
                format!("--state {}: expected a folder that is there, from the root on", folder.display());
            return Err(BadInput(text));
        }
        let file = match (is_system, named) {
            (true, Some(named)) => {
                let (named, file) = (named.display(), system_file());
                let text = format!(
                    "--system writes {}: leave --config and RESCIND_CONFIG out ({named})",
                    file.display()
                );
                return Err(BadInput(text));
            }
            (true, None) => system_file(),
            (false, named) => named.unwrap_or_else(|| PathBuf::from(FILE)),
        };
        let directory = file.parent().unwrap_or_else(|| Path::new(""));
        let of_folder = Some(state_folder(directory)).filter(|state| state != directory);
        let owner = if is_system { Owner::find(root.as_deref()) } else { None };
        Ok(Self { state: state.or(of_folder), file, root, owner })
    }

    /// Where a path of the configuration is now.
    pub fn on_disk(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// Makes the folders that are for rescind alone, where they are not there.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn make_folders(&self) -> Result<(), BadInput> {
        let Some(state) = &self.state else { return Ok(()) };
        if let Some(folder) = self.file.parent() {
            self.make(&self.on_disk(folder), 0o750, Access::Read)?;
        }
        self.make(&self.on_disk(state), 0o700, Access::Own)
    }

    fn make(&self, folder: &Path, mode: u32, access: Access) -> Result<(), BadInput> {
        if folder.is_dir() || folder.as_os_str().is_empty() {
            return Ok(());
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
        builder.create(folder).map_err(|error| cannot(folder, &error))?;
        self.hand_over(folder, access)
    }

    /// Lets the service use a file that root has written.
    ///
    /// # Errors
    /// When it cannot be handed over.
    pub fn give(&self, file: &Path, access: Access) -> Result<(), BadInput> {
        #[cfg(unix)]
        if self.owner.is_some() && access == Access::Read {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
            std::fs::set_permissions(file, mode).map_err(|error| cannot(file, &error))?;
        }
        self.hand_over(file, access)
    }

    #[cfg(unix)]
    fn hand_over(&self, path: &Path, access: Access) -> Result<(), BadInput> {
        let Some(owner) = &self.owner else { return Ok(()) };
        let user = (access == Access::Own).then_some(owner.user);
        std::os::unix::fs::chown(path, user, Some(owner.group)).map_err(|error| cannot(path, &error))
    }

    #[cfg(not(unix))]
    fn hand_over(&self, _: &Path, _: Access) -> Result<(), BadInput> {
        Ok(())
    }
}

impl Owner {
    /// The user of the service, if the machine has it.
    fn find(root: Option<&Path>) -> Option<Self> {
        let of = |file: &str| {
            let path = root.unwrap_or_else(|| Path::new("/")).join("etc").join(file);
            let text = std::fs::read_to_string(path).ok()?;
            let line = text.lines().find(|line| line.split(':').next() == Some(USER))?;
            line.split(':').nth(2)?.parse().ok()
        };
        Some(Self { user: of("passwd")?, group: of("group")? })
    }
}

pub fn is_there(file: &Path) -> BadInput {
    BadInput(format!(
        "{} is there already, and is not overwritten; --config names another file",
        file.display()
    ))
}

/// A file or folder that cannot be written.
pub fn cannot(path: &Path, error: &Error) -> BadInput {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => ": run it as root (sudo), or name a file of yours with --config",
        ErrorKind::NotFound => ": its folder is not there",
        _ => "",
    };
    BadInput(format!("{}: {error}{hint}", path.display()))
}
